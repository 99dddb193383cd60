//! The recovery phrase between sign-up and the moment its owner has shown to have written it down.

use livechat_crypto::phrase::{PhraseError, RecoveryPhrase, WORDS};
use livechat_wire::http::Bytes;

use super::saved::UncheckedPhrase;
use crate::api::{self, Error, ErrorCode, Response};
use crate::brain::Brain;
use crate::env;

/// A phrase to show, with two different places to ask for.
pub(super) fn unchecked(entropy: &Bytes) -> Result<UncheckedPhrase, getrandom::Error> {
    let mut dice = [0; 2];
    env::fill(&mut dice)?;
    let count = u8::try_from(WORDS).unwrap_or(u8::MAX);
    let first = dice[0] % count;
    // One of the others.
    let second = (first + 1 + dice[1] % (count - 1)) % count;
    let (first, second) = (first.min(second), first.max(second));
    Ok(UncheckedPhrase { entropy: entropy.clone(), ask: [first + 1, second + 1] })
}

/// The words, while they may be shown.
pub(crate) async fn show(brain: Brain) -> Result<Response, Error> {
    let kept = waiting(&brain).await?;
    let words = words_of(&kept)?.iter().map(|w| (*w).to_owned()).collect();
    Ok(Response::Phrase(api::RecoveryPhrase { words, ask: kept.ask.to_vec() }))
}

/// Compares the two words; the phrase is forgotten here when they are right.
pub(crate) async fn confirm(brain: Brain, typed: Vec<String>) -> Result<Response, Error> {
    let kept = waiting(&brain).await?;
    let words = words_of(&kept)?;
    let asked = kept.ask.map(|place| words[usize::from(place).saturating_sub(1) % WORDS]);
    let right = typed.len() == asked.len() && typed.iter().zip(asked).all(|(t, a)| t.trim().to_lowercase() == a);
    if !right {
        let message = format!("Those aren't words {} and {} of the phrase.", kept.ask[0], kept.ask[1]);
        return Err(Error::new(ErrorCode::WrongPhrase, message, "Look at what you wrote down, and count again."));
    }
    brain.clear::<UncheckedPhrase>().await?;
    Ok(Response::Done)
}

/// Whether this is the phrase of the account on this device.
pub(crate) async fn check(brain: Brain, typed: String) -> Result<Response, Error> {
    let phrase = RecoveryPhrase::parse(&typed).map_err(not_a_phrase)?;
    if brain.account().await?.account == phrase.account() { Ok(Response::Done) } else { Err(another_accounts()) }
}

/// What was typed, and what to look at.
pub(crate) fn not_a_phrase(e: PhraseError) -> Error {
    let hint = match e {
        PhraseError::Count(_) => "Type all of them, in order.",
        PhraseError::Word(_) => "Look at that word's spelling; all are English words in small letters.",
        _ => "Look at each word and at their order.",
    };
    Error::new(ErrorCode::WrongPhrase, format!("That isn't a recovery phrase: {e}."), hint)
}

/// Words that belong together, of somebody else.
pub(crate) fn another_accounts() -> Error {
    let message = "That is the recovery phrase of another account.";
    Error::new(ErrorCode::WrongPhrase, message, "Look for the one of this account.")
}

async fn waiting(brain: &Brain) -> Result<UncheckedPhrase, Error> {
    brain.load::<UncheckedPhrase>().await?.ok_or_else(|| {
        let message = "The recovery phrase was written down and checked; it isn't kept here any more.";
        Error::new(ErrorCode::WrongState, message, "Use what you wrote down; it can be checked at any time.")
    })
}

fn words_of(kept: &UncheckedPhrase) -> Result<[&'static str; WORDS], Error> {
    let entropy = kept.entropy.0.as_slice().try_into().map_err(|_| {
        let hint = "Delete the account and sign up again, or go on without a phrase.";
        Error::new(ErrorCode::Internal, "The saved recovery phrase is damaged.", hint)
    })?;
    Ok(RecoveryPhrase::from_entropy(entropy).words())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_different_places_are_asked_for() {
        for _ in 0..500 {
            let [a, b] = unchecked(&Bytes(vec![0; 32])).unwrap().ask;
            assert!(1 <= a && a < b && usize::from(b) <= WORDS, "{a} {b}");
        }
    }
}
