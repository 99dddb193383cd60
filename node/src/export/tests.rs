//! Copies of a small history, letter by letter.

use std::future::{Ready, ready};

use super::*;
use crate::api::{AccountId, HistoryPage, MessageId, Notice, Quote, Reaction, Standing};

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
        unread_mentions: 0,
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
        Message {
            timer: Some(60),
            ..message(
                6,
                MessageBody::File {
                    name: "gone".into(),
                    media: "a/b".into(),
                    size: 3,
                    until: 1,
                    preview: None,
                    voice: None,
                    here: true,
                },
            )
        },
        message(9, MessageBody::Notice { notice: Notice::Joined { title: "x*y".into() } }),
    ]
}

/// A node whose pages are cut to one message.
fn answer(request: Request) -> Ready<Result<Response, Error>> {
    let conversations = vec![conversation(HERE, "b_ob", false), conversation(THERE, "hikers\n# x", true)];
    let pages = history();
    ready(match request {
        Request::Conversations => Ok(Response::Conversations { conversations }),
        Request::HistoryAt { conversation, position, older: 0, .. } => {
            let mut rest = pages.iter().filter(|m| conversation == HERE && m.position >= position).cloned();
            let messages = rest.next().into_iter().collect();
            Ok(Response::History(HistoryPage { messages, more: position > 0, newer: rest.next().is_some() }))
        }
        _ => Err(odd()),
    })
}

async fn copy(wanted: Option<ConversationId>, format: Format) -> Result<(String, u64), Error> {
    whole(Export::new(wanted, format)).await
}

async fn whole(export: Export) -> Result<(String, u64), Error> {
    let mut export = Export { zone: TimeZone::UTC, ..export };
    let mut whole = String::new();
    while let Some(part) = export.next(answer).await? {
        whole.push_str(&part);
    }
    Ok((whole, export.messages()))
}

/// With the first `take` files in it.
async fn copy_with_files(format: Format, take: usize) -> (String, Vec<Attached>) {
    let (mut attaching, mut all) = (Attaching::new(Some(HERE)), Vec::new());
    while let Some(files) = attaching.next(answer).await.unwrap() {
        all.extend(files);
    }
    all.iter().take(take).for_each(|file| attaching.took(file.clone()));
    (whole(Export::new(Some(HERE), format).beside(attaching.taken())).await.unwrap().0, all)
}

#[tokio::test]
async fn files_that_are_here_are_linked_and_others_named() {
    let (with, files) = copy_with_files(Format::Markdown, 1).await;
    // What disappears doesn't go along; the bracket in the name ends no link.
    assert_eq!(files, [Attached { conversation: HERE, position: 5, name: "a_b_(http___evil.example).pdf".into() }]);
    let link = "*(a file of 3 bytes)* [a\\[b\\](http://evil.example).pdf](files/a_b_%28http___evil.example%29.pdf)\n";
    assert!(with.contains(link), "{with}");
    let missing = "*(a file of 3 bytes, which isn't on this device)* a\\[b](http://evil.example).pdf\n";
    assert!(copy_with_files(Format::Markdown, 0).await.0.contains(missing));
    for (take, there) in [(1, serde_json::json!("files/a_b_(http___evil.example).pdf")), (0, serde_json::Value::Null)] {
        let (lines, _) = copy_with_files(Format::JsonLines, take).await;
        let lines: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines[3].get("file"), Some(&there));
        assert_eq!(lines[0].get("file"), None);
    }
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
