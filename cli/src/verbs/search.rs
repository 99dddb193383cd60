//! `search`: what was said, by its words.

use livechat_node::api::{ConversationId, Found, Hit, Request, Response, SearchOrder};

use crate::args::SearchArgs;
use crate::door::Door;
use crate::exit::Failure;
use crate::limits;
use crate::out::Out;

/// Prints what was found, in the order asked for. Nothing found is no failure.
///
/// # Errors
/// Neither a contact nor a group is called so, the question isn't one, or what else the node refuses.
pub async fn run(door: &Door, args: &SearchArgs, out: &mut Out) -> Result<(), Failure> {
    let conversation = match &args.within {
        Some(name) => Some(door.target(name).await?.conversation),
        None => None,
    };
    let order = if args.newest { SearchOrder::Newest } else { SearchOrder::Best };
    let found = find(door, &quoted(&args.words), conversation, order, args.count as usize).await?;
    for hit in &found {
        out.object("hit", hit)?;
        for line in out.look.hit(hit) {
            out.line(&line)?;
        }
    }
    if found.is_empty() {
        out.line("Nothing was found.")?;
    }
    Ok(())
}

/// The first `count` hits, from as many answers as that takes.
///
/// # Errors
/// What the node refuses.
pub async fn find(
    door: &Door,
    query: &str,
    conversation: Option<ConversationId>,
    order: SearchOrder,
    count: usize,
) -> Result<Vec<Hit>, Failure> {
    let mut found = Vec::new();
    let mut next = None;
    while found.len() < count {
        let limit = u32::try_from(count - found.len()).unwrap_or(u32::MAX).min(limits::HITS_PAGE);
        let request = Request::Search { query: query.to_owned(), conversation, order, next, limit };
        let Response::Found(Found { hits, next: rest }) = door.ask(request).await? else {
            return Err(Failure::odd_answer());
        };
        found.extend(hits);
        next = rest;
        if next.is_none() {
            break;
        }
    }
    Ok(found)
}

/// The words as one question: what the shell took as one word is a phrase.
fn quoted(words: &[String]) -> String {
    let one = |word: &String| {
        let filter = ["from:", "before:", "after:"].iter().any(|f| word.to_lowercase().starts_with(f));
        let phrase = word.contains(char::is_whitespace) && !word.contains('"') && !filter;
        if phrase { format!("\"{word}\"") } else { word.clone() }
    };
    words.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// The messages around a number, oldest first.
///
/// # Errors
/// What the node refuses.
pub async fn around(
    door: &Door,
    conversation: ConversationId,
    number: u64,
    count: u32,
) -> Result<Vec<livechat_node::api::Message>, Failure> {
    let count = count.clamp(1, limits::PAGE);
    let (older, newer) = (count / 2, count - count / 2);
    let request = Request::HistoryAt { conversation, position: number, older, newer };
    match door.ask(request).await? {
        Response::History(page) => Ok(page.messages),
        _ => Err(Failure::odd_answer()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_shell_took_as_one_word_is_a_phrase() {
        let words = ["red car", "from:bob", "\"as typed\"", "x"].map(str::to_owned);
        assert_eq!(quoted(&words), "\"red car\" from:bob \"as typed\" x");
    }
}
