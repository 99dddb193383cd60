//! `demo`: a relay and two people on this machine, nothing simulated but the people.

mod person;
mod script;
mod town;

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use self::town::Town;
use crate::args::DemoArgs;
use crate::exit::{Exit, Failure};
use crate::limits;
use crate::out::Out;
use crate::style::Ink;

/// How long stopping may take before the process just ends.
const STOP: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct PersonLine<'a> {
    name: &'a str,
    link: &'a str,
    data_dir: String,
    setup_key: &'a str,
}

#[derive(Serialize)]
struct CheckLine<'a> {
    ok: bool,
    says: &'a str,
}

/// Runs the demo: until Ctrl-C, or until the script has been played.
///
/// # Errors
/// Something doesn't start, or a check of the script fails.
pub async fn run(args: &DemoArgs, out: &mut Out) -> Result<(), Failure> {
    let temporary;
    let dir = match &args.dir {
        Some(dir) => dir.clone(),
        None => {
            temporary = tempfile::Builder::new()
                .prefix("livechat-demo-")
                .tempdir()
                .map_err(|e| Failure::io("make a temporary directory", &e))?;
            temporary.path().to_path_buf()
        }
    };
    let mut stopped = Stopped::new()?;
    let mut town = tokio::select! {
        town = Town::open(&dir, out) => town?,
        () = stopped.wait() => return Err(Failure::interrupted()),
    };
    let played = tokio::select! {
        played = play(args, &mut town, out) => played,
        () = stopped.wait() => if args.script { Err(Failure::interrupted()) } else { Ok(()) },
    };
    // What hangs while stopping must not hang the demo.
    if timeout(STOP, town.close()).await.is_err() {
        tracing::warn!("the demo did not stop in good order");
    }
    played
}

async fn play(args: &DemoArgs, town: &mut Town, out: &mut Out) -> Result<(), Failure> {
    if args.script {
        return match timeout(limits::SCRIPT, script::run(town, out)).await {
            Ok(played) => played,
            Err(_) => Err(Failure::new(
                Exit::Unreachable,
                format!(
                    "The script took longer than {} s; it stopped after the last line above.",
                    limits::SCRIPT.as_secs()
                ),
                "Run it again with --verbose to see where it hangs.",
            )),
        };
    }
    town.introduce(out).await?;
    // From `cargo demo` nobody has `livechat` on their path.
    let program = std::env::current_exe().map_or_else(|_| "livechat".to_owned(), |p| p.display().to_string());
    for person in town.people() {
        let link = person.link();
        let data_dir = person.dir().display().to_string();
        out.object(
            "person",
            &PersonLine { name: person.name(), link: &link, data_dir: data_dir.clone(), setup_key: person.setup_key() },
        )?;
        out.line("")?;
        out.line(&out.look.style.paint(Ink::Name, person.name()).clone())?;
        out.line(&format!("  browser     {link}"))?;
        out.line(&format!("  terminal    {program} --data-dir {data_dir}"))?;
        out.line(&format!("  setup key   {}", person.setup_key()))?;
    }
    out.line("")?;
    out.line(
        "Each browser link opens once. To see log-in at work, add a setup key to an authenticator app (any that does",
    )?;
    out.line("TOTP; \"enter a setup key\"), log out in the browser, and log in with the name and the six digits.")?;
    out.line("Ctrl-C stops it all.")?;
    std::future::pending().await
}

/// Prints a passed check; turns a failed one into the end of the script.
fn check(out: &mut Out, ok: bool, says: &str) -> Result<(), Failure> {
    out.object("check", &CheckLine { ok, says })?;
    if !ok {
        return Err(Failure::new(Exit::Failure, format!("Check failed: {says}."), "Run it again with --verbose."));
    }
    let sign = out.look.style.paint(Ink::Good, "✓");
    out.line(&format!("{sign} {says}"))
}

/// Ctrl-C and SIGTERM, from the start on: one between two waits isn't lost.
struct Stopped {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stopped {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|e| Failure::io("listen for signals", &e));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
