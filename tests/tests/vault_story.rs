//! The vault with the real programs: locking, the ways back in, restarts in between, and what goes wrong.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fs;
use std::path::PathBuf;

use livechat_node::api::socket::Client;
use livechat_node::api::{AccountState, Error, ErrorCode, RelayState, Request, Response, Status, VaultInfo};
use livechat_tests::process::{NodeProcess, Person as _, RelayProcess, code, is_active};

struct World {
    relay: RelayProcess,
    alice: NodeProcess,
    setup_key: String,
    phrase: String,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let relay = RelayProcess::start(&folder.path().join("relay"), None);
        let alice = NodeProcess::start(&folder.path().join("alice"), &relay.url());
        let client = alice.client().await;
        let setup_key = client.signs_up("alice").await;
        let Ok(Response::Phrase(phrase)) = client.request(Request::Phrase).await else { panic!("no phrase") };
        Self { relay, alice, setup_key, phrase: phrase.words.join(" "), folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.alice.folder().join(name)
    }

    async fn client(&self) -> Client {
        self.alice.client().await
    }

    fn log_in(&self, step: u64) -> Request {
        Request::LogIn { username: "alice".into(), code: code(&self.setup_key, step) }
    }
}

async fn does(client: &Client, request: Request) {
    assert_eq!(client.request(request).await, Ok(Response::Done));
}

async fn refused(client: &Client, request: Request) -> Error {
    let error = client.request(request).await.unwrap_err();
    assert!(!error.message.is_empty() && !error.hint.is_empty(), "cause and next step: {error:?}");
    error
}

fn is_locked(status: &Status) -> bool {
    matches!(&status.account, AccountState::Locked { username, .. } if username == "alice")
}

async fn vault(client: &Client) -> VaultInfo {
    match client.request(Request::Vault).await {
        Ok(Response::Vault(info)) => info,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_opens_what_was_locked_and_nothing_else_is_told_meanwhile() {
    let mut w = World::new().await;
    let client = w.client().await;
    assert!(vault(&client).await.guarded && w.file("node.vault").exists());
    let bob = NodeProcess::start(&w.folder.path().join("bob"), &w.relay.url());
    let b = bob.client().await;
    b.signs_up("bob").await;
    let chat = client.adds("bob").await.conversation;
    client.says(chat, "before").await;
    b.reads(chat, 1).await;
    does(&b, Request::Accept { conversation: chat }).await;

    // Stay unlocked is the default: a restart, a hard one, opens by itself.
    w.alice.restart();
    let client = w.client().await;
    assert!(is_active(&client.status().await));

    does(&client, Request::Lock).await;
    assert!(is_locked(&client.status().await));
    assert!(!w.file("node.key").exists());
    for request in [Request::Conversations, Request::Contacts, Request::Sessions, Request::Phrase, Request::LogOut] {
        assert_eq!(refused(&client, request).await.code, ErrorCode::Locked);
    }
    does(&client, Request::Lock).await;
    b.says(chat, "meanwhile").await;

    // Locked over a restart, too.
    w.alice.restart();
    let client = w.client().await;
    assert!(is_locked(&client.status().await));
    let wrong = Request::LogIn { username: "alice".into(), code: "000000".into() };
    assert_eq!(refused(&client, wrong).await.code, ErrorCode::InvalidCredentials);
    let other = Request::LogIn { username: "bob".into(), code: code(&w.setup_key, 1) };
    assert_eq!(refused(&client, other).await.code, ErrorCode::NotThisDevice);
    does(&client, w.log_in(1)).await;
    assert!(is_active(&client.status().await));
    assert!(w.file("node.key").exists(), "open for ten days");
    assert_eq!(client.reads(chat, 1).await, ["meanwhile"]);
    assert_eq!(
        refused(&client, Request::UnlockByPhrase { phrase: w.phrase.clone() }).await.code,
        ErrorCode::WrongState
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn phrase_and_passphrase_open_without_the_relay() {
    let mut w = World::new().await;
    let client = w.client().await;
    let set = |p: &str| Request::SetPassphrase { passphrase: Some(p.into()) };
    assert_eq!(refused(&client, set("short")).await.code, ErrorCode::BadText);
    does(&client, set("correct horse battery")).await;
    assert!(vault(&client).await.passphrase);
    does(&client, Request::Lock).await;
    w.relay.kill_9();

    let away = refused(&client, w.log_in(1)).await;
    assert_eq!(away.code, ErrorCode::RelayUnreachable);
    assert!(away.hint.contains("recovery phrase") && away.hint.contains("passphrase"), "{away:?}");
    let by = |phrase: &str| Request::UnlockByPhrase { phrase: phrase.into() };
    let wrong = refused(&client, by(&w.phrase[..20])).await;
    assert!(wrong.code == ErrorCode::WrongPhrase && !wrong.message.contains(&w.phrase[..5]), "{wrong:?}");
    let art = format!("{}art", "abandon ".repeat(23));
    assert_eq!(refused(&client, by(&art)).await.code, ErrorCode::WrongPhrase);
    does(&client, by(&w.phrase)).await;
    // The session at the relay goes on.
    let AccountState::Active { logged_in, .. } = client.status().await.account else { panic!("not open") };
    assert!(logged_in);

    does(&client, Request::Lock).await;
    let passphrase = |p: &str| Request::UnlockByPassphrase { passphrase: p.into() };
    assert_eq!(refused(&client, passphrase("correct horse batterz")).await.code, ErrorCode::WrongPassphrase);
    does(&client, passphrase("correct horse battery")).await;
    does(&client, Request::SetPassphrase { passphrase: None }).await;

    // Logged out, and the relay still away: what is here can be read, and the relay's session is gone.
    does(&client, Request::LogOut).await;
    assert!(is_locked(&client.status().await) && !w.file("node.key").exists());
    assert_eq!(refused(&client, passphrase("correct horse battery")).await.code, ErrorCode::WrongState);
    does(&client, by(&w.phrase)).await;
    let AccountState::Active { logged_in, .. } = client.status().await.account else { panic!("not open") };
    assert!(!logged_in);
    assert!(matches!(client.request(Request::Conversations).await, Ok(Response::Conversations { .. })));
    assert_eq!(refused(&client, Request::Sessions).await.code, ErrorCode::WrongState);
    w.relay.restart();
    client.waits_for("the relay", |s| matches!(s.relay, RelayState::Online)).await;
    does(&client, w.log_in(1)).await;
    assert!(matches!(client.status().await.account, AccountState::Active { logged_in: true, .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_locks_as_its_owner_wants_it() {
    let mut w = World::new().await;
    let client = w.client().await;
    let set = |stay_unlocked, lock_after| Request::SetVault { stay_unlocked, lock_after };
    assert_eq!(refused(&client, set(true, u32::MAX)).await.code, ErrorCode::BadRequest);
    does(&client, set(false, 0)).await;
    assert!(!w.file("node.key").exists(), "in memory only");
    assert!(matches!(client.request(Request::Conversations).await, Ok(Response::Conversations { .. })));
    w.alice.restart();
    let client = w.client().await;
    assert!(is_locked(&client.status().await));
    does(&client, w.log_in(1)).await;
    assert!(!w.file("node.key").exists());

    // Without use it locks itself; looking how it stands is no use.
    does(&client, set(true, 1)).await;
    client.waits_for("the lock", is_locked).await;
    assert!(!w.file("node.key").exists());
    does(&client, Request::UnlockByPhrase { phrase: w.phrase.clone() }).await;
    does(&client, set(true, 0)).await;
    assert!(w.file("node.key").exists() && is_active(&client.status().await));
}

/// What a SIGKILL leaves between the steps: the key alone, both, and half-written files.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_step_of_wrapping_loses_nothing() {
    let mut w = World::new().await;
    // The account is there, the vault isn't yet.
    w.alice.kill_9();
    let kept = fs::read(w.file("node.vault")).unwrap();
    fs::remove_file(w.file("node.vault")).unwrap();
    fs::write(w.file("node.vault.new"), &kept[..kept.len() / 2]).unwrap();
    w.alice.restart();
    let client = w.client().await;
    assert!(is_active(&client.status().await) && !vault(&client).await.guarded);
    assert_eq!(refused(&client, Request::Lock).await.code, ErrorCode::WrongState, "nothing would open it");
    // The next log-in wraps what is there.
    does(&client, w.log_in(1)).await;
    assert!(vault(&client).await.guarded);
    let remade = fs::read(w.file("node.vault")).unwrap();
    assert_ne!(remade, kept);

    // A vault that is no good: with the key there it is made anew, without it the start says what to do.
    w.alice.kill_9();
    fs::write(w.file("node.vault"), &remade[..remade.len() - 1]).unwrap();
    w.alice.restart();
    let client = w.client().await;
    assert!(is_active(&client.status().await) && !vault(&client).await.guarded);
    w.alice.kill_9();
    fs::rename(w.file("node.key"), w.file("elsewhere")).unwrap();
    assert!(!w.alice.try_restart(), "it can't start");
    let log = fs::read_to_string(w.file("log")).unwrap();
    assert!(log.contains("node.vault") && log.contains("restore"), "{log}");

    // Put back, it is as before: locked, and the phrase opens it.
    fs::write(w.file("node.vault"), &remade).unwrap();
    w.alice.restart();
    let client = w.client().await;
    assert!(is_locked(&client.status().await));
    does(&client, Request::UnlockByPhrase { phrase: w.phrase.clone() }).await;
    assert!(is_active(&client.status().await));
}
