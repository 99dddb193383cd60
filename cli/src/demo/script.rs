//! The fixed conversation of `demo --script`, and what is checked about it.

use std::fs;
use std::path::Path;

use livechat_node::api::{Delivery, Message, MessageBody, Request, Standing};

use super::check;
use super::town::{Town, step};
use crate::exit::{Exit, Failure};
use crate::out::Out;

const HELLO: &str = "Hi Bob, shall we meet at the harbour?";
const ANSWER: &str = "Yes! At six?\nI bring 🥐 and the blue umbrella.";
const AGREED: &str = "שש בערב — perfect, see you there";
const OFFLINE: [&str; 3] =
    ["Bob, are you on the train?", "No hurry, read this when you are back.", "The harbour café it is."];
const IN_LOBBY: &str = "Hello, whoever is here! Which pier is quiet?";
const BACK: &str = "I am back, all three of your messages are here.";

/// Plays and checks.
pub async fn run(town: &mut Town, out: &mut Out) -> Result<(), Failure> {
    if !town.is_fresh() {
        return Err(Failure::new(
            Exit::Usage,
            "The script needs two people who have never talked.",
            "Give --dir an empty directory, or none for a temporary one.",
        ));
    }
    check(out, true, "alice and bob signed up with codes of an authenticator")?;
    let wrong = town.alice().ask(Request::LogIn { username: "bob".into(), code: "000000".into() }).await;
    check(out, wrong.is_err(), "nobody gets in with a wrong code")?;

    step(out, "alice looks bob up")?;
    let bob = town.alice().add("bob").await?;
    let hello = town.alice().send(&bob, HELLO).await?;
    let alice = town.bob().meets("alice").await?;
    town.bob().sees(&alice, HELLO).await?;
    check(out, true, "alice's first message reached bob, who had never heard of her")?;
    check(out, bob.safety_number == alice.safety_number, "both see the same safety number")?;

    check(out, alice.standing == Standing::Request, "bob is asked whether he wants to hear from her")?;
    town.bob().accept(&alice).await?;
    town.alice().proven(&bob, &hello, Delivery::Delivered).await?;
    check(out, true, "bob's device proved to alice that it has the message")?;
    town.bob().read(&alice).await?;
    town.alice().proven(&bob, &hello, Delivery::Read).await?;
    check(out, true, "alice knows that bob read it, after he did")?;

    town.bob().send(&alice, ANSWER).await?;
    town.alice().sees(&bob, ANSWER).await?;
    town.alice().send(&bob, AGREED).await?;
    town.bob().sees(&alice, AGREED).await?;
    check(out, true, "both wrote to each other: several lines, emoji, another script")?;

    step(out, "bob's node stops; alice writes three messages")?;
    town.bob_mut().stop().await;
    let mut last = None;
    for text in OFFLINE {
        let sent = town.alice().send(&bob, text).await?;
        town.alice().proven(&bob, &sent, Delivery::Accepted).await?;
        last = Some(sent);
    }
    let undelivered = |messages: &[Message]| {
        messages
            .iter()
            .filter(|m| last.as_ref().is_some_and(|l| l.id == m.id))
            .all(|m| m.delivery == Some(Delivery::Accepted))
    };
    let says = "the relay keeps all three, and alice isn't told that bob has them";
    check(out, undelivered(&town.alice().history(&bob).await?), says)?;

    step(out, "bob's node starts again")?;
    town.bob_mut().start().await?;
    for text in OFFLINE {
        town.bob().sees(&alice, text).await?;
    }
    town.bob().send(&alice, BACK).await?;
    town.alice().sees(&bob, BACK).await?;

    let said: Vec<(bool, &str)> = [(true, HELLO), (false, ANSWER), (true, AGREED)]
        .into_iter()
        .chain(OFFLINE.map(|t| (true, t)))
        .chain([(false, BACK)])
        .collect();
    let at_alice = texts(&town.alice().history(&bob).await?);
    let at_bob = texts(&town.bob().history(&alice).await?);
    let as_alice: Vec<(bool, String)> = said.iter().map(|(a, t)| (*a, (*t).to_owned())).collect();
    let as_bob: Vec<(bool, String)> = said.iter().map(|(a, t)| (!a, (*t).to_owned())).collect();
    check(out, at_alice == as_alice, "alice's history holds every message once, in order")?;
    check(out, at_bob == as_bob, "bob's history holds every message once, in order")?;

    step(out, "both go into the lobby")?;
    let lobby = town.alice().enters_lobby().await?;
    let same = town.bob().enters_lobby().await? == lobby;
    check(out, same, "alice founded the lobby, and bob was let in by her node")?;
    town.bob().says_in(lobby, IN_LOBBY).await?;
    town.alice().hears_in(lobby, IN_LOBBY).await?;
    check(out, true, "what bob says to everybody reaches alice")?;

    let said: Vec<_> = said.into_iter().chain([(false, IN_LOBBY)]).collect();
    let leaked =
        said.iter().map(|(_, t)| t.lines().next().unwrap_or_default()).find(|t| holds(town.relay_dir(), t.as_bytes()));
    check(out, leaked.is_none(), "the relay's files hold none of the texts")?;
    check(out, holds(town.relay_dir(), b"SQLite format 3"), "(the search finds what is there)")?;
    out.line("The conversation went as it should.")
}

fn texts(messages: &[Message]) -> Vec<(bool, String)> {
    messages
        .iter()
        .map(|m| match &m.body {
            MessageBody::Text { text } => (m.own, text.clone()),
            other => (m.own, format!("{other:?}")),
        })
        .collect()
}

/// Whether any file below `dir` holds `needle`. What can't be read counts as holding it.
fn holds(dir: &Path, needle: &[u8]) -> bool {
    let Ok(entries) = fs::read_dir(dir) else { return true };
    entries.filter_map(Result::ok).any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            holds(&path, needle)
        } else {
            fs::read(&path).map_or(true, |bytes| bytes.windows(needle.len()).any(|w| w == needle))
        }
    })
}
