//! `phrase`: the words that give the account back.

use std::io::Read;

use livechat_node::api::{RecoveryPhrase, Request, Response};

use crate::args::PhraseVerb;
use crate::door::Door;
use crate::exit::Failure;
use crate::limits;
use crate::out::Out;
use crate::text;

/// Words in a row.
const ROW: usize = 6;

/// Shows, confirms or checks.
///
/// # Errors
/// Wrong words, nobody logged in, or they were confirmed before.
pub async fn run(door: &Door, what: &PhraseVerb, typed: String, out: &mut Out) -> Result<(), Failure> {
    match what {
        PhraseVerb::Show => {
            let phrase = phrase(door.ask(Request::Phrase).await?)?;
            out.object("phrase", &phrase)?;
            for line in lines(&phrase) {
                out.line(&line)?;
            }
            out.line(&format!("Then: livechat phrase confirm with words {}", places(&phrase)))
        }
        PhraseVerb::Confirm { first, second } => {
            door.ask(Request::ConfirmPhrase { words: vec![first.clone(), second.clone()] }).await?;
            out.done("Right. The phrase isn't kept here any more.")
        }
        PhraseVerb::Check => {
            door.ask(Request::CheckPhrase { phrase: typed }).await?;
            out.done("That is the recovery phrase of this account.")
        }
    }
}

/// What stands on standard input, at most a page of it. Blocks.
///
/// # Errors
/// Standard input can't be read.
pub fn typed() -> Result<String, Failure> {
    let mut typed = String::new();
    let mut input = std::io::stdin().lock().take(limits::PHRASE);
    input.read_to_string(&mut typed).map_err(|e| Failure::io("read standard input", &e))?;
    Ok(typed)
}

/// The phrase in an answer.
///
/// # Errors
/// Another answer.
pub fn phrase(answer: Response) -> Result<RecoveryPhrase, Failure> {
    match answer {
        Response::Phrase(phrase) => Ok(phrase),
        _ => Err(Failure::odd_answer()),
    }
}

/// The words, numbered, for people.
#[must_use]
pub fn lines(phrase: &RecoveryPhrase) -> Vec<String> {
    let mut lines = vec![
        "Your recovery phrase: 24 words that give your account back when everything else is lost. Write them down in this \
         order and show them to nobody."
            .to_owned(),
    ];
    for (row, words) in phrase.words.chunks(ROW).enumerate() {
        let numbered = |(i, w): (usize, &String)| format!("{:>2} {:<9}", row * ROW + i + 1, text::word(w));
        lines.push(format!("    {}", words.iter().enumerate().map(numbered).collect::<String>()).trim_end().to_owned());
    }
    lines
}

/// "5 and 17".
#[must_use]
pub fn places(phrase: &RecoveryPhrase) -> String {
    phrase.ask.iter().map(u8::to_string).collect::<Vec<_>>().join(" and ")
}
