//! P21: once a node is locked, neither its memory nor its files hold anything of what was said, nor a key.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use livechat_node::api::socket::Client;
use livechat_node::api::{AccountState, MessageBody, Request, Response, SearchOrder};
use livechat_tests::canary::Canaries;
use livechat_tests::process::memory::{self, Find};
use livechat_tests::process::{NodeProcess, Person as _, RelayProcess, code};
use livechat_wire::ConversationId;

/// Connections that were closed take a moment to be gone, on a busy machine more than one.
const PATIENCE: Duration = Duration::from_secs(60);

/// Texts that each of the two writes: with names, codes and keys more than 50 canaries.
const EACH: usize = 16;

/// What must not be found, and how it is called when it is.
struct Secrets {
    texts: Vec<String>,
    keys: Vec<(String, Vec<u8>)>,
}

impl Secrets {
    fn canaries(&self) -> Canaries {
        Canaries::with_keys(&self.texts, &self.keys)
    }
}

fn canary(what: &str, n: usize) -> String {
    format!("canary-{what}-{n:02}-q7w3")
}

async fn asks(client: &Client, request: Request) -> Response {
    client.request(request).await.unwrap_or_else(|e| panic!("{e}"))
}

/// Alice's node, with a conversation, a group, drafts and a name; and everything that is secret about it.
async fn talked(alice: &NodeProcess, bob: &NodeProcess) -> (Secrets, String, ConversationId) {
    let (a, b) = (alice.client().await, bob.client().await);
    a.waits_for("the relay", |s| matches!(s.relay, livechat_node::api::RelayState::Online)).await;
    let Response::SignUp(ticket) = asks(&a, Request::SignUp { username: "alice".into() }).await else { panic!() };
    let confirm = Request::ConfirmSignUp { code: code(&ticket.setup_key, 0) };
    let Response::SignedUp(signed_up) = asks(&a, confirm).await else { panic!() };
    b.signs_up("bob").await;
    asks(&b, Request::SetProfile { display_name: canary("contact", 0) }).await;
    let Response::Phrase(phrase) = asks(&a, Request::Phrase).await else { panic!() };

    let mut texts = Vec::new();
    let chat = a.adds("bob").await.conversation;
    for n in 0..EACH {
        texts.push(canary("sent", n));
        a.says(chat, &texts[n]).await;
    }
    b.reads(chat, EACH).await;
    asks(&b, Request::Accept { conversation: chat }).await;
    for n in 0..EACH {
        texts.push(canary("received", n));
        b.says(chat, texts.last().unwrap()).await;
    }
    a.reads(chat, EACH).await;
    let names = [canary("draft", 0), canary("name", 0), canary("group", 0), canary("edit", 0), canary("room", 0)];
    asks(&a, Request::SetDraft { conversation: chat, text: names[0].clone() }).await;
    asks(&a, Request::SetProfile { display_name: names[1].clone() }).await;
    let group = Request::CreateGroup { title: names[2].clone(), members: Vec::new() };
    let Response::GroupCreated { conversation } = asks(&a, group).await else { panic!() };
    let last = a.history(chat).await.into_iter().rev().find(|m| m.own).unwrap();
    let edit = Request::Edit { conversation: chat, position: last.position, text: names[3].clone() };
    asks(&a, edit).await;
    a.says(conversation, &names[4]).await;
    asks(&a, Request::Conversations).await;
    texts.extend(names);
    texts.extend(did_more(&a, chat, alice.folder()).await);
    texts.extend(signed_up.recovery_codes);
    texts.push(phrase.words.join(" "));
    texts.push(phrase.words[..6].join(" "));

    let mut keys = keys_of(alice.folder());
    keys.push(("setup key".into(), ticket.setup_key.clone().into_bytes()));
    let secrets = Secrets { texts, keys };
    assert!(secrets.texts.len() + secrets.keys.len() >= 50, "{} and {}", secrets.texts.len(), secrets.keys.len());
    (secrets, ticket.setup_key, chat)
}

/// What else people do, each with words that must go: a file, a search, a backup, an export's reading, a passphrase, and
/// a contact's name for themselves.
async fn did_more(a: &Client, chat: ConversationId, folder: &Path) -> Vec<String> {
    let texts: Vec<_> = ["file", "bytes", "search", "backup", "passphrase", "contact"].map(|w| canary(w, 0)).into();
    let [file, bytes, search, backup, passphrase, _] = &texts[..] else { unreachable!() };
    let path = folder.with_file_name(file);
    std::fs::write(&path, bytes.repeat(9)).unwrap();
    let send =
        Request::SendFile { conversation: chat, path: path.display().to_string(), name: None, id: None, as_is: false };
    asks(a, send).await;
    for query in [search.as_str(), "canary sent 03"] {
        let order = SearchOrder::Best;
        let look = Request::Search { query: query.into(), conversation: None, order, next: None, limit: 9 };
        asks(a, look).await;
    }
    let saved = folder.with_file_name("saved").display().to_string();
    asks(a, Request::Backup { path: saved, secret: Some(backup.clone()) }).await;
    asks(a, Request::SetPassphrase { passphrase: Some(passphrase.clone()) }).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let history = a.history(chat).await;
        let sent = history.iter().any(|m| matches!(m.body, MessageBody::File { .. }));
        if sent {
            return texts;
        }
        assert!(Instant::now() < deadline, "the file isn't sent");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The keys on alice's disk, read as she could: with the key that lies there while she is in.
fn keys_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let copy = tempfile::tempdir().unwrap();
    for name in ["node.db", "node.db-wal"] {
        std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    let line = std::fs::read_to_string(folder.join("node.key")).unwrap();
    let digits = line.trim().rsplit(' ').next().unwrap().to_owned();
    let database = rusqlite::Connection::open(copy.path().join("node.db")).unwrap();
    database.execute_batch(&format!("PRAGMA key = \"x'{digits}'\";")).unwrap();
    let value = |ns: u8, key: &[u8]| -> Vec<u8> {
        let sql = "SELECT value FROM kv WHERE ns = ? AND key = ?";
        database.query_row(sql, rusqlite::params![ns, key], |row| row.get(0)).unwrap()
    };
    // `Me` of the engine: version, length, and `Identity::encode`: version, what the first key is, account, device, hello.
    let me = value(32, b"");
    let part = |from: usize| me[1 + 4 + 2 + from..][..32].to_vec();
    let session: serde_json::Value = serde_json::from_slice(&value(128, b"session")[1..]).unwrap();
    let token = session["token"].as_str().unwrap().as_bytes().to_vec();
    let (blob, file) = file_keys(&database);
    vec![
        ("blob's id".into(), blob),
        ("file key".into(), file),
        ("database key".into(), HEXLOWER.decode(digits.as_bytes()).unwrap()),
        ("account key".into(), part(0)),
        ("device key".into(), part(32)),
        ("hello key".into(), part(64)),
        ("session token".into(), token),
    ]
}

/// Id and key of the file that was sent, from before its name in the message about it (`content::File`): blob, key and
/// hash of 32 bytes each, size and end of 8, then media type and name, each behind its length.
fn file_keys(database: &rusqlite::Connection) -> (Vec<u8>, Vec<u8>) {
    let name = canary("file", 0);
    let mut rows = database.prepare("SELECT value FROM kv WHERE instr(value, CAST(? AS BLOB)) > 0").unwrap();
    let rows = rows.query_map([&name], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    for row in rows.map(Result::unwrap) {
        let at = row.windows(name.len()).position(|w| w == name.as_bytes()).unwrap() - 4;
        for media in 3..100.min(at.saturating_sub(4)) {
            let length = at - media - 4;
            if row[length..][..4] == u32::try_from(media).unwrap().to_be_bytes()
                && let Some(begin) = length.checked_sub(3 * 32 + 16)
            {
                return (row[begin..][..32].to_vec(), row[begin + 32..][..32].to_vec());
            }
        }
    }
    panic!("no message speaks of the file")
}

/// What is left in the node's memory once whatever was closing is closed.
fn left(node: &mut NodeProcess, secrets: &Secrets, patience: Duration) -> Vec<Find> {
    let (canaries, deadline) = (secrets.canaries(), Instant::now() + patience);
    loop {
        let (found, read) = memory::holds(node.process().pid(), &canaries);
        assert!(read > 1_000_000, "only {read} bytes of memory could be read");
        if found.is_empty() || Instant::now() > deadline {
            return found;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn lines(found: &[Find]) -> String {
    found.iter().map(|f| format!("{f}\n")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn p21_a_locked_node_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let relay = RelayProcess::start(&folder.path().join("relay"), None);
    let mut alice = NodeProcess::start(&folder.path().join("alice"), &relay.url());
    let bob = NodeProcess::start(&folder.path().join("bob"), &relay.url());
    let (secrets, setup_key, chat) = talked(&alice, &bob).await;

    // The look itself sees: open, the keys and the conversation are there.
    let (open, _) = memory::holds(alice.process().pid(), &secrets.canaries());
    let open = memory::names(&open);
    assert!(open.contains("database key") && open.contains("device key"), "{open:?}");
    assert!(open.len() >= 10, "{open:?}");

    let a = alice.client().await;
    assert_eq!(asks(&a, Request::Lock).await, Response::Done);
    assert!(matches!(a.status().await.account, AccountState::Locked { .. }));
    let found = left(&mut alice, &secrets, PATIENCE);
    assert!(found.is_empty(), "a locked node still holds:\n{}", lines(&found));
    let (found, read) = secrets.canaries().in_files(alice.folder());
    assert!(found.is_empty(), "in files: {found:?}");
    println!(
        "{} texts and {} keys: 0 in memory, 0 in {read} bytes of files ({} were in memory while open)",
        secrets.texts.len(),
        secrets.keys.len(),
        open.len()
    );

    // Messages waited at the relay; the code opens everything again.
    let b = bob.client().await;
    b.says(chat, "while you were locked").await;
    asks(&a, Request::LogIn { username: "alice".into(), code: code(&setup_key, 1) }).await;
    assert!(a.reads(chat, EACH + 1).await.contains(&"while you were locked".to_owned()));

    // Unlocked, used, and left alone: it locks by itself, and again nothing stays.
    asks(&a, Request::SetVault { stay_unlocked: false, lock_after: 1 }).await;
    let deadline = Instant::now() + PATIENCE;
    while !matches!(a.status().await.account, AccountState::Locked { .. }) {
        assert!(Instant::now() < deadline, "a node left alone stays open");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let found = left(&mut alice, &secrets, PATIENCE);
    assert!(found.is_empty(), "a node that locked itself still holds:\n{}", lines(&found));
}

/// The controls: a key that isn't zeroized is found, and so is what calls left on stacks that nobody swept.
#[cfg(feature = "sabotage")]
#[tokio::test(flavor = "multi_thread")]
async fn p21_control_a_key_that_stays_is_found() {
    assert!(left_by("keep-the-key").await.contains("database key"));
}

#[cfg(feature = "sabotage")]
#[tokio::test(flavor = "multi_thread")]
async fn p21_control_what_stays_on_stacks_is_found() {
    assert!(!left_by("keep-the-stacks").await.is_empty());
}

/// Names of what a node holds, locked without one of its defences.
#[cfg(feature = "sabotage")]
async fn left_by(sabotage: &str) -> std::collections::BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let relay = RelayProcess::start(&folder.path().join("relay"), None);
    let mut alice = NodeProcess::start(&folder.path().join("alice"), &relay.url());
    alice.set("LIVECHAT_SABOTAGE", sabotage);
    alice.restart();
    let bob = NodeProcess::start(&folder.path().join("bob"), &relay.url());
    let (secrets, ..) = talked(&alice, &bob).await;
    let a = alice.client().await;
    assert_eq!(asks(&a, Request::Lock).await, Response::Done);
    let found = left(&mut alice, &secrets, Duration::from_secs(2));
    println!("{}", lines(&found));
    memory::names(&found).into_iter().map(str::to_owned).collect()
}
