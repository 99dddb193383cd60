//! `doctor`: what is wrong, and what to do about it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use livechat_node::api::socket::{Client, ConnectError};
use livechat_node::api::{RelayState, Request, Response, Status};
use livechat_node::{Config, Node};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use url::Url;

use crate::door::{remembered, socket_path};
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::settings::Settings;
use crate::style::Ink;
use crate::text;

/// How long the relay may take to answer a question.
const HTTP: Duration = Duration::from_secs(5);
/// How long a node may take to connect.
const CONNECT: Duration = Duration::from_secs(15);
/// Seconds by which clocks may differ before codes get refused: one TOTP step.
const CLOCK: u64 = 30;

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub says: String,
    /// What to do, when it isn't.
    pub next: String,
}

/// The part of `GET /v1/relay` that matters here. The relay may say more in a later version.
#[derive(Debug, Deserialize)]
struct RelayInfo {
    network: String,
    addresses: Vec<String>,
    time: u64,
}

/// Looks at everything, prints as it goes; a finding that isn't well makes the exit code 1.
///
/// # Errors
/// Something isn't well.
pub async fn run(settings: &Settings, out: &mut Out) -> Result<(), Failure> {
    let mut ill = 0;
    let mut tell = |out: &mut Out, finding: Finding| -> Result<bool, Failure> {
        let ok = finding.ok;
        ill += usize::from(!ok);
        out.object("finding", &finding)?;
        let (sign, ink) = if ok { ("✓", Ink::Good) } else { ("✗", Ink::Bad) };
        out.line(&format!("{} {:<11} {}", out.look.style.paint(ink, sign), finding.check, text::prose(&finding.says)))?;
        if !finding.next.is_empty() {
            out.line(&format!("  {:<11} → {}", "", text::prose(&finding.next)))?;
        }
        Ok(ok)
    };
    for finding in data_dir(&settings.data_dir) {
        tell(out, finding)?;
    }
    let (finding, running) = node(&settings.data_dir).await;
    tell(out, finding)?;
    let relay = match (&running, &settings.relay) {
        (_, Some(url)) => Ok(Some(url.clone())),
        (Some(status), None) => Ok(Url::parse(&status.relay_url).ok()),
        (None, None) => remembered(&settings.data_dir),
    };
    match relay {
        Err(e) => {
            tell(out, Finding::bad("relay", e.message, e.hint))?;
        }
        Ok(None) => {
            tell(out, Finding::bad("relay", "no relay is known", "Name one with --relay URL."))?;
        }
        Ok(Some(url)) => {
            let mut reachable = false;
            for finding in ask_relay(&url).await {
                reachable |= finding.check == "relay" && finding.ok;
                tell(out, finding)?;
            }
            if reachable {
                tell(out, peers(&url, running).await)?;
            }
        }
    }
    match ill {
        0 => out.line("All is well."),
        1 => Err(Failure::new(Exit::Failure, "One thing isn't well.", "")),
        n => Err(Failure::new(Exit::Failure, format!("{n} things aren't well."), "")),
    }
}

impl Finding {
    fn good(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, ok: true, says: says.into(), next: String::new() }
    }

    fn bad(check: &'static str, says: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check, ok: false, says: says.into(), next: next.into() }
    }
}

fn data_dir(dir: &Path) -> Vec<Finding> {
    const CHECK: &str = "data dir";
    let shown = dir.display();
    let data = match fs::metadata(dir) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return vec![Finding::good(CHECK, format!("{shown} is not there yet; the first start makes it"))];
        }
        Err(e) => return vec![Finding::bad(CHECK, format!("{shown}: {e}"), "Check its path and permissions.")],
        Ok(data) => data,
    };
    if !data.is_dir() {
        return vec![Finding::bad(CHECK, format!("{shown} is not a directory"), "Choose another with --data-dir.")];
    }
    let mut findings = Vec::new();
    if data.permissions().mode() & 0o077 != 0 {
        findings.push(Finding::bad(
            CHECK,
            format!("others on this machine can enter {shown}"),
            format!("chmod 700 {shown}"),
        ));
    }
    match tempfile::tempfile_in(dir) {
        Ok(_) => findings.push(Finding::good(CHECK, format!("{shown} can be written"))),
        Err(e) => findings.push(Finding::bad(
            CHECK,
            format!("{shown} can't be written: {e}"),
            "Check its owner, and that the disk isn't full.",
        )),
    }
    let key = dir.join("node.key");
    match (fs::metadata(&key), dir.join("node.db").exists()) {
        (Ok(data), _) if data.permissions().mode() & 0o077 != 0 => {
            findings.push(Finding::bad(
                "key file",
                "others on this machine can read node.key",
                format!("chmod 600 {}", key.display()),
            ));
        }
        (Ok(_), _) => findings.push(Finding::good("key file", "only you can read it")),
        (Err(_), true) if dir.join("node.vault").exists() => {
            findings.push(Finding::good("key file", "locked in node.vault; a code or the recovery phrase opens it"));
        }
        (Err(_), true) => findings.push(Finding::bad(
            "key file",
            "node.db is there, but neither node.vault nor node.key: the history can't be opened",
            "Put node.vault back from your backup.",
        )),
        (Err(_), false) => {}
    }
    findings
}

async fn node(dir: &Path) -> (Finding, Option<Status>) {
    const CHECK: &str = "node";
    let path = socket_path(dir);
    match Client::connect(&path).await {
        Ok(client) => match client.request(Request::Status).await {
            Ok(Response::Status(status)) => {
                (Finding::good(CHECK, format!("version {} is running", text::word(&status.version))), Some(status))
            }
            Ok(_) | Err(_) => (
                Finding::bad(
                    CHECK,
                    "something listens on node.sock and doesn't answer",
                    "Stop it and start the node again.",
                ),
                None,
            ),
        },
        Err(ConnectError::NotRunning(_)) => {
            (Finding::good(CHECK, "none is running; `livechat` starts one while it needs it"), None)
        }
        Err(e) => (Finding::bad(CHECK, e.to_string(), "Are you the user who runs the node?"), None),
    }
}

async fn ask_relay(url: &Url) -> Vec<Finding> {
    const CHECK: &str = "relay";
    let client = match http() {
        Ok(client) => client,
        Err(e) => return vec![Finding::bad(CHECK, format!("no HTTP here: {e}"), "Check this machine's certificates.")],
    };
    let at = |path: &str| url.join(path).map_or_else(|_| url.to_string(), String::from);
    let info: RelayInfo = match client.get(at("/v1/relay")).send().await {
        Err(e) => {
            let why = if e.is_timeout() { "it doesn't answer".to_owned() } else { innermost(&e) };
            return vec![Finding::bad(
                CHECK,
                format!("{url}: {why}"),
                "Check the address and your network; ask whoever runs the relay.",
            )];
        }
        Ok(answer) if !answer.status().is_success() => {
            return vec![Finding::bad(
                CHECK,
                format!("{url} answers {}", answer.status()),
                "Is that a LiveChat relay?",
            )];
        }
        Ok(answer) => match answer.json().await {
            Ok(info) => info,
            Err(_) => {
                return vec![Finding::bad(CHECK, format!("{url} answers, but not as a relay"), "Check the address.")];
            }
        },
    };
    let says = format!("{url} answers: network {}, {} addresses", text::word(&info.network), info.addresses.len());
    let mut findings = vec![Finding::good(CHECK, says)];
    findings.push(match client.get(at("/readyz")).send().await {
        Ok(answer) if answer.status().is_success() => Finding::good("relay store", "ready"),
        Ok(answer) => Finding::bad(
            "relay store",
            format!("the relay says {}", answer.status()),
            "Its database is away; tell whoever runs it.",
        ),
        Err(e) => Finding::bad("relay store", innermost(&e), "Try again."),
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let apart = now.abs_diff(info.time);
    findings.push(if apart <= CLOCK {
        Finding::good("clock", format!("{apart} s from the relay's"))
    } else {
        Finding::bad(
            "clock",
            format!("{apart} s from the relay's: codes may be refused"),
            "Let the system set its time (`timedatectl set-ntp true`), on the phone too.",
        )
    });
    findings
}

/// Whether libp2p gets through: by the word of the running node, else by trying with a node of no account.
async fn peers(url: &Url, running: Option<Status>) -> Finding {
    const CHECK: &str = "connection";
    let next = "Outgoing TCP and UDP to the relay's ports must be open; see the relay's `addresses`.";
    match running {
        Some(Status { relay: RelayState::Online, peers, .. }) => Finding::good(CHECK, format!("online, {peers} peers")),
        Some(Status { relay: RelayState::Offline { reason, .. }, .. }) => {
            Finding::bad(CHECK, format!("the node is offline: {reason}"), next)
        }
        Some(_) => Finding::bad(CHECK, "the node is still connecting", "Run `livechat doctor` again in a moment."),
        None => match probe(url).await {
            Ok(peers) => Finding::good(CHECK, format!("a test node came online, {peers} peers")),
            Err(why) => Finding::bad(CHECK, format!("a test node doesn't come online: {why}"), next),
        },
    }
}

async fn probe(url: &Url) -> Result<u32, String> {
    let dir = tempfile::tempdir().map_err(|e| format!("no temporary directory: {e}"))?;
    let node = Node::start(Config::new(dir.path(), url.clone())).await.map_err(|e| e.to_string())?;
    let mut events = node.events();
    let deadline = Instant::now() + CONNECT;
    let mut last = "no answer".to_owned();
    let found = loop {
        if let Ok(Response::Status(status)) = node.request(Request::Status).await {
            match status.relay {
                RelayState::Online => break Ok(status.peers),
                RelayState::Offline { reason, .. } => last = reason,
                RelayState::Connecting => {}
            }
        }
        if Instant::now() >= deadline {
            break Err(last);
        }
        tokio::time::timeout(Duration::from_millis(250), events.next()).await.unwrap_or_default();
    };
    node.stop().await;
    found
}

fn http() -> reqwest::Result<reqwest::Client> {
    // Somebody in this process may have chosen one before: that is fine too.
    rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
    reqwest::Client::builder().timeout(HTTP).redirect(reqwest::redirect::Policy::none()).build()
}

/// The last cause: "connection refused" says more than "error sending request".
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_directory_is_judged() {
        let dir = tempfile::tempdir().unwrap();
        let say = |dir: &Path| data_dir(dir).into_iter().filter(|f| !f.ok).map(|f| f.check).collect::<Vec<_>>();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(say(dir.path()), [""; 0]);
        assert_eq!(say(&dir.path().join("later")), [""; 0]);
        fs::write(dir.path().join("node.db"), "").unwrap();
        assert_eq!(say(dir.path()), ["key file"]);
        fs::write(dir.path().join("node.key"), "").unwrap();
        fs::set_permissions(dir.path().join("node.key"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(say(dir.path()), ["key file"]);
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(say(dir.path()), ["data dir", "key file"]);
        assert_eq!(say(&dir.path().join("node.db")), ["data dir"]);
    }

    #[tokio::test]
    async fn a_relay_that_is_not_there_is_said_so() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url: Url = format!("http://{}", taken.local_addr().unwrap()).parse().unwrap();
        drop(taken);
        let findings = ask_relay(&url).await;
        assert_eq!(findings.len(), 1);
        assert!(!findings[0].ok && findings[0].says.contains("refused"), "{findings:?}");
    }
}
