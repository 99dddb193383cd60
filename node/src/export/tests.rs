//! Copies of a small history, letter by letter.

use std::future::ready;

use super::*;
use crate::api::{AccountId, MessageBody, MessageId, Notice, Quote, Reaction, Standing};

const HERE: ConversationId = ConversationId([1; 32]);
const THERE: ConversationId = ConversationId([2; 32]);

fn conversation(id: ConversationId, title: &str, group: bool) -> Conversation {
    Conversation {
        id,
        title: title.into(),
        group,
        last: None,
        unread: 0,
        unread_from: None,
        standing: Standing::Accepted,
        verified: false,
        new_keys: false,
        draft: None,
        pinned: false,
        archived: false,
        muted_until: None,
        timer: None,
        typing: Vec::new(),
    }
}

fn message(position: u64, body: MessageBody) -> Message {
    Message {
        id: MessageId([7; 16]),
        position,
        author: AccountId([1; 32]),
        author_name: "b_ob".into(),
        own: false,
        sent_at: 1_795_336_200_000,
        received_at: 1_795_336_200_000 + position * 10 * 3_600_000,
        body,
        delivery: None,
        gap: false,
        reply_to: None,
        forwarded: false,
        edited_at: None,
        reactions: Vec::new(),
        timer: None,
        expires_at: None,
        mentions_me: false,
    }
}

fn text(position: u64, text: &str) -> Message {
    message(position, MessageBody::Text { text: text.into() })
}

fn history() -> Vec<Message> {
    let quote = Quote {
        id: MessageId([6; 16]),
        author: AccountId([3; 32]),
        author_name: "carol".into(),
        position: None,
        text: Some("two\nlines".into()),
    };
    let reactions = vec![Reaction { emoji: "👍".into(), own: false, by: vec!["carol".into(), "dave".into()] }];
    vec![
        text(1, "hi\n## forged heading\n\n![](http://evil.example/x.png) <script>alert(1)</script> a*b*"),
        Message { reply_to: Some(quote), edited_at: Some(1), reactions, ..text(2, "\u{1b}[31mred\u{202e}") },
        message(3, MessageBody::Deleted),
        Message { timer: Some(60), ..text(4, "disappears") },
        message(
            5,
            MessageBody::File {
                name: "a[b](http://evil.example).pdf".into(),
                media: "application/pdf".into(),
                size: 3,
                until: 1,
                preview: Some(livechat_wire::http::Bytes(b"canary".to_vec())),
                voice: None,
                here: true,
            },
        ),
        message(9, MessageBody::Notice { notice: Notice::Joined { title: "x*y".into() } }),
    ]
}

/// A copy, with the node's pages cut to one message.
async fn copy(wanted: Option<ConversationId>, format: Format) -> Result<(String, u64), Error> {
    let pages = history();
    let mut export = Export { zone: TimeZone::UTC, ..Export::new(wanted, format) };
    let mut whole = String::new();
    let answer = |request: Request| {
        let conversations = vec![conversation(HERE, "b_ob", false), conversation(THERE, "hikers\n# x", true)];
        match request {
            Request::Conversations => Ok(Response::Conversations { conversations }),
            Request::HistoryAt { conversation, position, older: 0, .. } => {
                let mut rest = pages.iter().filter(|m| conversation == HERE && m.position >= position).cloned();
                let messages = rest.next().into_iter().collect();
                Ok(Response::History(HistoryPage { messages, more: position > 0, newer: rest.next().is_some() }))
            }
            _ => Err(odd()),
        }
    };
    while let Some(part) = export.next(|request| ready(answer(request))).await? {
        whole.push_str(&part);
    }
    Ok((whole, export.messages()))
}

#[tokio::test]
async fn people_read_markdown_in_which_nothing_is_forged() {
    let (whole, messages) = copy(None, Format::Markdown).await.unwrap();
    assert_eq!(messages, 5);
    let expected = "\
# Chat with b\\_ob

## Sunday, 22 November 2026

**b\\_ob** 18:30

> hi  
> ## forged heading  
>   
> !\\[](http://evil.example/x.png) \\<script>alert(1)\\</script> a\\*b\\*  

## Monday, 23 November 2026

**b\\_ob** 04:30 *(edited)*

> *in answer to* **carol**: two lines
>
> \u{fffd}\\[31mred\u{fffd}  
>
> 👍 carol, dave

**b\\_ob** 14:30

*(deleted)*

## Tuesday, 24 November 2026

**b\\_ob** 10:30

*(a file of 3 bytes)* a\\[b](http://evil.example).pdf

## Thursday, 26 November 2026

**b\\_ob** 02:30

*opened the group x\\*y*

# Group hikers # x

";
    assert_eq!(whole, expected);
}

#[tokio::test]
async fn programs_read_a_message_a_line() {
    let (whole, messages) = copy(Some(HERE), Format::JsonLines).await.unwrap();
    let lines: Vec<serde_json::Value> = whole.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!((lines.len(), messages), (5, 5));
    assert_eq!(lines[3]["message"]["body"]["name"], "a[b](http://evil.example).pdf");
    assert!(!whole.chars().any(|c| c.is_control() && c != '\n') && !whole.contains('\u{202e}'));
    assert_eq!(lines[1]["message"]["body"]["text"], "\u{1b}[31mred\u{202e}", "exact for programs");
    assert_eq!((&lines[0]["title"], &lines[0]["group"]), (&"b_ob".into(), &false.into()));
    assert!(!whole.contains("disappears"));
}

#[tokio::test]
async fn an_unknown_conversation_is_named_so() {
    let refused = copy(Some(ConversationId([9; 32])), Format::Markdown).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotFound);
}

#[test]
fn file_names_have_no_way_out() {
    let name = file_name(Some("../../etc/pass wd\0\n"), Format::Markdown);
    assert!(name.starts_with("livechat-------etc-pass-wd---2") && name.ends_with(".md"), "{name}");
    assert!(file_name(None, Format::JsonLines).starts_with("livechat-all-"));
}
