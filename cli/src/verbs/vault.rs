//! `lock`, `unlock`, `vault`, `passphrase`.

use livechat_node::api::{AccountState, Request, Response, VaultInfo};

use crate::args::{PassphraseVerb, YesNo};
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::said::span;
use crate::text;

/// What opens a locked device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Six digits or a recovery code, with the relay's help.
    Code,
    /// 24 words.
    Phrase,
    /// The passphrase.
    Passphrase,
}

/// Closes the store.
///
/// # Errors
/// Nothing would open it again.
pub async fn lock(door: &Door, out: &mut Out) -> Result<(), Failure> {
    door.ask(Request::Lock).await?;
    out.done("Locked. Messages wait at the relay.")
}

/// Opens it.
///
/// # Errors
/// It isn't locked, or what was typed doesn't open it.
pub async fn unlock(door: &Door, way: Way, typed: String, out: &mut Out) -> Result<(), Failure> {
    let AccountState::Locked { username, .. } = door.status().await?.account else {
        return Err(Failure::new(Exit::Usage, "This device isn't locked.", "Go on."));
    };
    let request = match way {
        Way::Code => Request::LogIn { username: username.clone(), code: typed },
        Way::Phrase => Request::UnlockByPhrase { phrase: typed },
        Way::Passphrase => Request::UnlockByPassphrase { passphrase: one_line(&typed) },
    };
    door.ask(request).await?;
    out.done(&format!("Open. You are {}.", text::word(&username)))
}

/// Shows how the vault is kept, after changing what was named.
///
/// # Errors
/// There is no vault yet, or the span is none.
pub async fn vault(
    door: &Door,
    stay_unlocked: Option<YesNo>,
    lock_after: Option<&str>,
    out: &mut Out,
) -> Result<(), Failure> {
    let mut info = info(door).await?;
    if stay_unlocked.is_some() || lock_after.is_some() {
        info.stay_unlocked = stay_unlocked.map_or(info.stay_unlocked, |y| y == YesNo::Yes);
        if let Some(span) = lock_after {
            info.lock_after = seconds(span)?;
        }
        let VaultInfo { stay_unlocked, lock_after, .. } = info;
        door.ask(Request::SetVault { stay_unlocked, lock_after }).await?;
    }
    out.object("vault", &info)?;
    for line in lines(&info) {
        out.line(&line)?;
    }
    Ok(())
}

/// Sets or removes the passphrase.
///
/// # Errors
/// Too short, or there is no vault yet.
pub async fn passphrase(door: &Door, what: &PassphraseVerb, typed: String, out: &mut Out) -> Result<(), Failure> {
    let (passphrase, done) = match what {
        PassphraseVerb::Set => (Some(one_line(&typed)), "The passphrase opens this device now, too."),
        PassphraseVerb::Remove => (None, "No passphrase opens this device any more."),
    };
    door.ask(Request::SetPassphrase { passphrase }).await?;
    out.done(done)
}

/// Seconds of a span as typed.
///
/// # Errors
/// It is none.
pub fn seconds(typed: &str) -> Result<u32, Failure> {
    crate::said::seconds(typed)
        .ok_or_else(|| Failure::new(Exit::Usage, "That is no span of time.", "Write 30s, 5m, 2h, 1d or off."))
}

/// How the vault is kept.
///
/// # Errors
/// What the node refuses.
pub async fn info(door: &Door) -> Result<VaultInfo, Failure> {
    match door.ask(Request::Vault).await? {
        Response::Vault(info) => Ok(info),
        _ => Err(Failure::odd_answer()),
    }
}

/// The same for people.
#[must_use]
pub fn lines(info: &VaultInfo) -> Vec<String> {
    if !info.guarded {
        return vec![
            "The key still lies beside the store: the next log-in with a code puts it into a vault.".to_owned(),
        ];
    }
    let stays = if info.stay_unlocked { "until the session ends, restarts included" } else { "until the program ends" };
    let idle = match info.lock_after {
        0 => "never by itself".to_owned(),
        after => format!("after {} without use", span(after)),
    };
    let phrase = if info.phrase { ", the recovery phrase" } else { "" };
    let passphrase = if info.passphrase { ", the passphrase" } else { "" };
    vec![
        format!("opened by   a code{phrase}{passphrase}"),
        format!("stays open  {stays}"),
        format!("locks       {idle}, or when told to"),
    ]
}

/// Without the line's end that a pipe brings along.
fn one_line(typed: &str) -> String {
    typed.trim_end_matches(['\r', '\n']).to_owned()
}
