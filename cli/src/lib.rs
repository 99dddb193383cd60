//! The LiveChat prompt and scripting tool: a client of the node's API that runs in a terminal.
//!
//! What you may assume: everything that others wrote passes through [`text`] before it is printed. What is forbidden
//! here: reading the environment or the terminal outside `main`, deciding anything about messages (the engine does),
//! and printing escape sequences outside [`style`], [`qr`] and [`prompt`]. Where to start: [`args`] → [`settings`] →
//! [`door`] (the way to the node) → [`verbs`], or [`prompt`] when a person sits there.

pub mod args;
pub mod demo;
pub mod door;
pub mod exit;
pub mod limits;
pub mod manual;
pub mod out;
pub mod prompt;
pub mod qr;
pub mod render;
pub mod said;
pub mod save;
pub mod settings;
pub mod style;
pub mod text;
pub mod verbs;

#[cfg(test)]
pub(crate) mod sample;

use livechat_node::api::Request;
use tokio::runtime::Runtime;

use crate::args::{AuthenticatorVerb, DevicesVerb, LinkArgs, PassphraseVerb, PhraseVerb, Verb};
use crate::door::Door;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::render::{Look, UNWRAPPED};
use crate::settings::Settings;
use crate::style::Style;

/// Does what was asked.
///
/// # Errors
/// Why it couldn't be done; the exit code is in the failure.
pub fn run(verb: Option<Verb>, settings: &Settings, runtime: &Runtime) -> Result<(), Failure> {
    let look = Look {
        style: Style::new(settings.colour),
        width: settings.columns.unwrap_or(UNWRAPPED),
        zone: jiff::tz::TimeZone::system(),
    };
    let mut out = Out::new(look.clone(), settings.json, Box::new(std::io::stdout()));
    match verb {
        None => prompt::run(settings, look, runtime.handle()),
        Some(Verb::Demo(args)) => runtime.block_on(demo::run(&args, &mut out)),
        Some(Verb::Doctor) => runtime.block_on(interruptible(verbs::doctor::run(settings, &mut out))),
        Some(verb) => {
            let typed = typed(&verb)?;
            runtime.block_on(with_node(verb, typed, settings, &mut out))
        }
    }
}

/// What a verb takes from standard input, read before anything else: reading blocks.
fn typed(verb: &Verb) -> Result<String, Failure> {
    match verb {
        Verb::Send(args) => verbs::send::text(args),
        Verb::Backup(args) => verbs::backup::secret(args.passphrase),
        Verb::Restore(_) => verbs::backup::secret(true),
        Verb::Confirm { code }
        | Verb::Login { code, .. }
        | Verb::RecoveryCodes { code }
        | Verb::Rename { code, .. }
        | Verb::DeleteAccount { code, .. }
        | Verb::Unlock { code: Some(code), .. }
        | Verb::Devices { what: Some(DevicesVerb::Add { code, .. }) }
        | Verb::Join { link: code, .. } => verbs::account::code(code),
        // A code and a phrase don't share standard input.
        Verb::Link(LinkArgs { phrase: true, code: Some(code), .. }) if code == "-" => {
            let hint = "Give the code as an argument; it is good once, and for a minute.";
            Err(Failure::new(Exit::Usage, "Standard input holds the phrase already.", hint))
        }
        Verb::Link(LinkArgs { phrase: true, .. }) => verbs::phrase::typed(),
        Verb::Link(LinkArgs { code: Some(code), .. }) => verbs::account::code(code),
        Verb::Phrase { what: PhraseVerb::Check }
        | Verb::Unlock { .. }
        | Verb::Passphrase { what: PassphraseVerb::Set } => verbs::phrase::typed(),
        Verb::Authenticator { what } => match what {
            AuthenticatorVerb::Add { code }
            | AuthenticatorVerb::Confirm { code }
            | AuthenticatorVerb::Remove { code } => verbs::account::code(code),
        },
        _ => Ok(String::new()),
    }
}

async fn interruptible(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => Err(Failure::interrupted()),
    }
}

/// Verbs that ask a node. One started for them stops in good order even after Ctrl-C.
async fn with_node(verb: Verb, typed: String, settings: &Settings, out: &mut Out) -> Result<(), Failure> {
    let door = Door::open(settings).await?;
    let columns = settings.columns.filter(|_| !settings.json);
    let done = interruptible(async {
        match &verb {
            Verb::Events { follow, count } => verbs::events::run(&door, &settings.data_dir, *follow, *count, out).await,
            verb => ask_node(&door, verb, typed, columns, out).await,
        }
    })
    .await;
    door.close().await;
    done
}

async fn ask_node(
    door: &Door,
    verb: &Verb,
    typed: String,
    columns: Option<usize>,
    out: &mut Out,
) -> Result<(), Failure> {
    match verb {
        Verb::Send(args) => verbs::send::run(door, args, typed, out).await,
        Verb::Recv(args) => verbs::recv::run(door, args, out).await,
        Verb::History(args) => verbs::history::run(door, args, out).await,
        Verb::Search(args) => verbs::search::run(door, args, out).await,
        Verb::Backup(args) => verbs::backup::save(door, args, typed, out).await,
        Verb::Restore(args) => verbs::backup::restore(door, args, typed, out).await,
        Verb::Export(args) => verbs::export::run(door, args, out).await,
        Verb::Contacts => verbs::contacts::list(door, out).await,
        Verb::Save(args) => verbs::files::save(door, args, out).await,
        Verb::Edit(args) => verbs::deeds::edit(door, args, out).await,
        Verb::Delete(args) => verbs::deeds::delete(door, args, out).await,
        Verb::React(args) => verbs::deeds::react(door, args, out).await,
        Verb::Timer { name, after } => verbs::deeds::timer(door, name, after, out).await,
        Verb::Accept { name } => verbs::deeds::accept(door, name, out).await,
        Verb::Block { name } => verbs::deeds::block(door, name, true, out).await,
        Verb::Unblock { name } => verbs::deeds::block(door, name, false, out).await,
        Verb::Group { what } => verbs::groups::run(door, what, columns, out).await,
        Verb::Join { timeout, .. } => verbs::links::run_join(door, &typed, *timeout, out).await,
        Verb::Lobby { timeout } => verbs::links::run_lobby(door, *timeout, out).await,
        Verb::Joining { cancel } => verbs::links::run_joining(door, cancel.as_deref(), out).await,
        Verb::Status => verbs::status::run(door, out).await,
        Verb::Add { name } => verbs::contacts::add(door, name, out).await,
        Verb::Verify(args) => verbs::verify::run(door, args, columns, out).await,
        Verb::Safety { name } => verbs::contacts::safety(door, name, out).await,
        Verb::Signup { name } => verbs::account::sign_up(door, name, columns, out).await,
        Verb::Confirm { .. } => verbs::account::confirm(door, typed, out).await,
        Verb::Login { name, .. } => verbs::account::log_in(door, name.as_deref(), typed, out).await,
        Verb::Link(LinkArgs { cancel: true, .. }) => verbs::devices::cancel(door, out).await,
        Verb::Link(args) => {
            let name = args.name.as_deref().unwrap_or_default();
            let (code, phrase) = match args.phrase {
                true => (args.code.clone().unwrap_or_default(), Some(typed)),
                false => (typed, None),
            };
            let events = door.events();
            verbs::devices::link(door, name, code, phrase, args.timeout, columns, out).await?;
            match args.history {
                true => verbs::handover::follow(door, events, None, args.timeout, out).await,
                false => Ok(()),
            }
        }
        Verb::Devices { what } => verbs::devices::run(door, what.as_ref(), typed, out).await,
        Verb::Logout => verbs::account::log_out(door, out).await,
        Verb::Lock => verbs::vault::lock(door, out).await,
        Verb::Unlock { code, phrase, .. } => {
            let way = match (code, phrase) {
                (Some(_), _) => verbs::vault::Way::Code,
                (None, true) => verbs::vault::Way::Phrase,
                (None, false) => verbs::vault::Way::Passphrase,
            };
            verbs::vault::unlock(door, way, typed, out).await
        }
        Verb::DirectFiles { on } => verbs::files::direct(door, on.map(|on| on == args::YesNo::Yes), out).await,
        Verb::Vault { stay_unlocked, lock_after } => {
            verbs::vault::vault(door, *stay_unlocked, lock_after.as_deref(), out).await
        }
        Verb::Passphrase { what } => verbs::vault::passphrase(door, what, typed, out).await,
        Verb::Sessions { end: None } => verbs::sessions::show(door, out).await,
        Verb::Sessions { end: Some(which) } => verbs::sessions::end(door, which, out).await,
        Verb::RecoveryCodes { .. } => verbs::account::recovery_codes(door, typed, out).await,
        Verb::Phrase { what } => verbs::phrase::run(door, what, typed, out).await,
        Verb::Authenticator { what } => match what {
            AuthenticatorVerb::Add { .. } => verbs::account::add_authenticator(door, typed, columns, out).await,
            AuthenticatorVerb::Confirm { .. } => {
                door.ask(Request::ConfirmAuthenticator { code: typed }).await?;
                out.done("Codes of both authenticators open the account now.")
            }
            AuthenticatorVerb::Remove { .. } => {
                door.ask(Request::RemoveAuthenticator { code: typed }).await?;
                out.done("The other authenticator opens nothing any more.")
            }
        },
        Verb::Rename { name, .. } => verbs::account::rename(door, name, typed, out).await,
        Verb::DeleteAccount { .. } => {
            door.ask(Request::DeleteAccount { code: typed }).await?;
            out.done("The account is gone, here and at the relay.")
        }
        // `run` and `with_node` have done these.
        Verb::Events { .. } | Verb::Demo(_) | Verb::Doctor | Verb::Completions { .. } => Ok(()),
    }
}
