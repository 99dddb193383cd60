//! Two nodes and a relay in one process, everything real between them: sockets, stores, encryption, codes.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::time::Duration;

use livechat_node::api::{
    AccountSession, AccountState, Error, ErrorCode, Event, RelayState, Request, Response, Status,
};
use livechat_node::{Config, Node};
use livechat_relay::testing::free_port;
use livechat_tests::process::code;
use livechat_wire::ConversationId;
use tempfile::TempDir;

/// Debug builds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A relay that keeps its ports and its data over restarts.
struct World {
    dir: TempDir,
    config: livechat_relay::Config,
    relay: Option<livechat_relay::Relay>,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut config = livechat_relay::Config::local(dir.path().join("relay"));
        config.http = ([127, 0, 0, 1], free_port()).into();
        config.p2p = vec![format!("/ip4/127.0.0.1/tcp/{}", free_port())];
        let mut world = Self { dir, config, relay: None };
        world.start_relay().await;
        world
    }

    async fn start_relay(&mut self) {
        self.relay = Some(livechat_relay::start(self.config.clone()).await.unwrap());
    }

    async fn stop_relay(&mut self) {
        self.relay.take().unwrap().stop().await;
    }

    /// A node of their own for somebody who isn't signed up.
    async fn stranger(&self, name: &str) -> Person {
        let relay_url = format!("http://{}", self.config.http).parse().unwrap();
        let config = Config::new(self.dir.path().join(name), relay_url);
        let node = Some(Node::start(config.clone()).await.unwrap());
        Person { name: name.into(), config, node, setup_key: String::new(), recovery_codes: Vec::new() }
    }

    async fn person(&self, name: &str) -> Person {
        let mut person = self.stranger(name).await;
        person.sign_up().await;
        person
    }
}

struct Person {
    name: String,
    config: Config,
    node: Option<Node>,
    setup_key: String,
    recovery_codes: Vec<String>,
}

impl Person {
    fn node(&self) -> &Node {
        self.node.as_ref().unwrap()
    }

    async fn ask(&self, request: Request) -> Response {
        let asked = format!("{request:?}");
        self.node().request(request).await.unwrap_or_else(|e| panic!("{}: {asked}: {e:?}", self.name))
    }

    async fn refused(&self, request: Request) -> Error {
        self.node().request(request).await.unwrap_err()
    }

    async fn sign_up(&mut self) {
        let Response::SignUp(ticket) = self.ask(Request::SignUp { username: self.name.clone() }).await else {
            panic!("no ticket")
        };
        self.setup_key = ticket.setup_key;
        let Response::SignedUp(done) = self.ask(Request::ConfirmSignUp { code: code(&self.setup_key, 0) }).await else {
            panic!("not signed up")
        };
        self.recovery_codes = done.recovery_codes;
    }

    async fn go_offline(&mut self) {
        self.node.take().unwrap().stop().await;
    }

    async fn come_online(&mut self) {
        self.node = Some(Node::start(self.config.clone()).await.unwrap());
    }

    async fn status(&self) -> Status {
        let Response::Status(status) = self.ask(Request::Status).await else { panic!("no status") };
        status
    }

    async fn sessions(&self) -> Vec<AccountSession> {
        let Response::Sessions { sessions } = self.ask(Request::Sessions).await else { panic!("no sessions") };
        sessions
    }

    async fn until(&self, what: &str, wanted: impl Fn(&Status) -> bool) {
        let wait = async {
            while !wanted(&self.status().await) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("{} was never {what}: {:?}", self.name, self.status().await);
        }
    }

    /// Adds somebody, at once after they signed up.
    async fn add(&self, other: &Person) -> ConversationId {
        let request = Request::AddContact { username: other.name.clone() };
        let Response::Contact(contact) = self.ask(request).await else { panic!("no contact") };
        assert_eq!(contact.username, other.name);
        contact.conversation
    }

    async fn say(&self, conversation: ConversationId, text: &str) {
        let request = Request::Send { conversation, text: text.into(), id: None, reply_to: None };
        let Response::Sent(message) = self.ask(request).await else { panic!("not sent") };
        assert!(message.own && message.author_name == self.name);
    }

    /// A page of history as lines: who, what, and for own messages how far they got.
    async fn page(&self, conversation: ConversationId, before: Option<u64>, limit: u32) -> (Vec<String>, u64, bool) {
        let Response::History(page) = self.ask(Request::History { conversation, before, limit }).await else {
            panic!("no history")
        };
        let first = page.messages.first().map_or(0, |m| m.position);
        let line = |m: &livechat_engine::view::Message| {
            let json = serde_json::to_value(m).unwrap();
            let text = json["body"]["text"].as_str().unwrap_or("?").to_owned();
            let delivery = json["delivery"].as_str().map(|d| format!(" [{d}]")).unwrap_or_default();
            format!("{}: {text}{delivery}", m.author_name)
        };
        (page.messages.iter().map(line).collect(), first, page.more)
    }

    /// Waits until the newest page reads like this.
    async fn sees(&self, conversation: ConversationId, lines: &[&str]) {
        let wait = async {
            loop {
                match self.node().request(Request::History { conversation, before: None, limit: 200 }).await {
                    Ok(_) if self.page(conversation, None, 200).await.0 == lines => return,
                    Ok(_) => {}
                    // The first contact hasn't arrived yet.
                    Err(e) if e.code == ErrorCode::NotFound => {}
                    Err(e) => panic!("{e:?}"),
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            let now = self.page(conversation, None, 200).await.0;
            panic!("{} sees\n{now:#?}\ninstead of\n{lines:#?}\n{:?}", self.name, self.status().await);
        }
    }

    async fn reads(&self, conversation: ConversationId) {
        let Response::History(page) = self.ask(Request::History { conversation, before: None, limit: 1 }).await else {
            panic!("no history")
        };
        let position = page.messages[0].position;
        assert_eq!(self.ask(Request::MarkRead { conversation, position }).await, Response::Done);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_chat_over_absence_and_a_relay_restart() {
    let mut world = World::new().await;
    let mut bob = world.person("bob").await;
    let alice = world.person("alice").await;
    alice.until("online", |s| s.relay == RelayState::Online).await;
    alice.until("counted", |s| s.live_users == Some(2)).await;

    let chat = alice.add(&bob).await;
    let mut events = bob.node().events();
    alice.say(chat, "hello bob").await;
    let first = async {
        loop {
            match events.next().await.unwrap() {
                Event::MessageAdded { conversation, message } => return (conversation, message),
                _ => continue,
            }
        }
    };
    let (conversation, message) = tokio::time::timeout(PATIENCE, first).await.expect("bob hears of it");
    assert_eq!((conversation, message.own, message.author_name.as_str()), (chat, false, "alice"));

    bob.say(chat, "hello alice").await;
    alice.sees(chat, &["alice: hello bob [delivered]", "bob: hello alice"]).await;
    bob.reads(chat).await;
    alice.reads(chat).await;
    alice.sees(chat, &["alice: hello bob [read]", "bob: hello alice"]).await;
    bob.sees(chat, &["alice: hello bob", "bob: hello alice [read]"]).await;
    let Response::Contacts { contacts } = bob.ask(Request::Contacts).await else { panic!("no contacts") };
    let Response::Contacts { contacts: hers } = alice.ask(Request::Contacts).await else { panic!("no contacts") };
    assert_eq!(contacts[0].safety_number, hers[0].safety_number);
    assert_eq!(contacts[0].safety_number.split(' ').count(), 12);

    // Bob is away while three messages are sent.
    bob.go_offline().await;
    for text in ["one", "two", "three"] {
        alice.say(chat, text).await;
    }
    let away = ["alice: hello bob [read]", "bob: hello alice"];
    let sent = ["alice: one [accepted]", "alice: two [accepted]", "alice: three [accepted]"];
    alice.sees(chat, &[&away[..], &sent[..]].concat()).await;
    bob.come_online().await;
    let bobs = ["alice: hello bob", "bob: hello alice [read]", "alice: one", "alice: two", "alice: three"];
    bob.sees(chat, &bobs).await;
    let sent = ["alice: one [delivered]", "alice: two [delivered]", "alice: three [delivered]"];
    alice.sees(chat, &[&away[..], &sent[..]].concat()).await;

    // The relay is away while both write.
    world.stop_relay().await;
    alice.until("offline", |s| matches!(s.relay, RelayState::Offline { .. })).await;
    alice.say(chat, "four").await;
    bob.say(chat, "five").await;
    alice.until("waiting", |s| s.queued == 1).await;
    let page = alice.page(chat, None, 1).await.0;
    assert_eq!(page, ["alice: four [queued]"]);
    world.start_relay().await;
    alice.until("online again", |s| s.relay == RelayState::Online && s.queued == 0).await;
    let both = |page: &[String]| {
        let set: BTreeSet<_> = page.iter().rev().take(2).cloned().collect();
        set.contains("alice: four [delivered]") && set.contains("bob: five")
    };
    let wait = async {
        while !both(&alice.page(chat, None, 10).await.0) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("what waited arrives");
    alice.node().stop().await;
    bob.go_offline().await;
    world.stop_relay().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seed_b20_history_is_paged_and_what_was_missed_is_fetched() {
    const N: usize = 250;
    let world = World::new().await;
    let (alice, mut bob) = (world.person("alice").await, world.person("bob").await);
    let chat = alice.add(&bob).await;
    alice.say(chat, "0").await;
    bob.sees(chat, &["alice: 0"]).await;
    bob.go_offline().await;
    for n in 1..N {
        alice.say(chat, &n.to_string()).await;
    }
    // One id is one message, however often it is sent.
    let id = Some(livechat_wire::MessageId([5; 16]));
    let once = Request::Send { conversation: chat, text: "once".into(), id, reply_to: None };
    assert_eq!(alice.ask(once.clone()).await, alice.ask(once.clone()).await);
    let other = Request::Send { conversation: chat, text: "twice".into(), id, reply_to: None };
    assert_eq!(alice.refused(other).await.code, ErrorCode::BadRequest);
    alice.until("delivered to the relay", |s| s.queued == 0).await;
    bob.come_online().await;

    let wait = async {
        while bob.page(chat, None, 1).await.0 != ["alice: once"] {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the last one arrives");
    let (mut all, mut before, mut pages) = (Vec::new(), None, 0);
    loop {
        let (lines, first, more) = bob.page(chat, before, 100).await;
        assert!(lines.len() <= 100);
        all.splice(0..0, lines);
        (before, pages) = (Some(first), pages + 1);
        if !more {
            break;
        }
    }
    let mut expected: Vec<_> = (0..N).map(|n| format!("alice: {n}")).collect();
    expected.push("alice: once".into());
    assert_eq!(all, expected, "everything, once, in order");
    assert_eq!(pages, 3);

    for limit in [0, 201, u32::MAX] {
        let request = Request::History { conversation: chat, before: None, limit };
        assert_eq!(bob.refused(request).await.code, ErrorCode::BadRequest);
    }
    let nowhere = Request::History { conversation: ConversationId([1; 32]), before: None, limit: 1 };
    assert_eq!(bob.refused(nowhere).await.code, ErrorCode::NotFound);
    for text in [String::new(), "x".repeat(32 * 1024 + 1)] {
        let request = Request::Send { conversation: chat, text, id: None, reply_to: None };
        assert_eq!(alice.refused(request).await.code, ErrorCode::BadText);
    }
    let long = "ä".repeat(16 * 1024);
    alice.say(chat, &long).await;
    let wait = async {
        while bob.page(chat, None, 1).await.0 != [format!("alice: {long}")] {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("the longest text arrives whole");
    alice.node().stop().await;
    bob.go_offline().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_against_the_real_relay() {
    let world = World::new().await;
    let mut alice = world.stranger("alice").await;
    let Response::Username(check) = alice.ask(Request::CheckUsername { username: "a".into() }).await else {
        panic!("no check")
    };
    assert!(!check.available && !check.message.is_empty());
    let refused = alice.refused(Request::SignUp { username: "admin".into() }).await;
    assert_eq!(refused.code, ErrorCode::UsernameUnavailable);
    alice.sign_up().await;

    let bob = world.stranger("bob").await;
    let refused = bob.refused(Request::SignUp { username: "Alice".into() }).await;
    assert_eq!(refused.code, ErrorCode::UsernameUnavailable, "{refused:?}");
    let refused = alice.refused(Request::AddContact { username: "nobody-here".into() }).await;
    assert_eq!(refused.code, ErrorCode::NotFound, "{refused:?}");
    let refused = alice.refused(Request::AddContact { username: "alice".into() }).await;
    assert_eq!(refused.code, ErrorCode::BadRequest, "{refused:?}");

    assert_eq!(alice.ask(Request::LogOut).await, Response::Done);
    assert!(matches!(alice.status().await.account, AccountState::LoggedOut { .. }));
    let log_in = |code: &str| Request::LogIn { username: "alice".into(), code: code.into() };
    let refused = alice.refused(log_in("000000")).await;
    assert_eq!(refused.code, ErrorCode::InvalidCredentials, "{refused:?}");
    let recovery = alice.recovery_codes[0].clone();
    assert_eq!(alice.ask(log_in(&recovery)).await, Response::Done);
    assert!(matches!(alice.status().await.account, AccountState::Active { .. }));
    assert_eq!(alice.ask(Request::LogOut).await, Response::Done);
    let refused = alice.refused(log_in(&recovery)).await;
    assert_eq!(refused.code, ErrorCode::InvalidCredentials, "a recovery code works once");
    alice.node().stop().await;
    bob.node().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_changes_what_guards_the_account_and_ends_it() {
    let world = World::new().await;
    let (mut alice, bob) = (world.person("alice").await, world.person("bob").await);
    let chat = alice.add(&bob).await;
    alice.say(chat, "hello").await;
    let old = alice.recovery_codes.clone();

    // Fresh recovery codes make the old ones void.
    let Response::RecoveryCodes(fresh) = alice.ask(Request::NewRecoveryCodes { code: old[0].clone() }).await else {
        panic!("no codes")
    };
    assert_eq!(fresh.recovery_codes.len(), 10);
    let refused = alice.refused(Request::NewRecoveryCodes { code: old[1].clone() }).await;
    assert_eq!(refused.code, ErrorCode::InvalidCredentials, "{refused:?}");
    let mut recovery = fresh.recovery_codes.into_iter();

    // A second authenticator, and no third.
    let refused = alice.refused(Request::ConfirmAuthenticator { code: "123456".into() }).await;
    assert_eq!(refused.code, ErrorCode::PendingExpired, "{refused:?}");
    let request = Request::AddAuthenticator { code: code(&alice.setup_key, 1) };
    let Response::Authenticator(spare) = alice.ask(request).await else { panic!("no ticket") };
    assert!(spare.qr_svg.starts_with("<svg") && spare.setup_key != alice.setup_key);
    let refused = alice.refused(Request::ConfirmAuthenticator { code: "000000".into() }).await;
    assert_eq!(refused.code, ErrorCode::InvalidCredentials, "{refused:?}");
    let confirm = Request::ConfirmAuthenticator { code: code(&spare.setup_key, 0) };
    assert_eq!(alice.ask(confirm).await, Response::Done);
    let refused = alice.refused(Request::AddAuthenticator { code: recovery.next().unwrap() }).await;
    assert!(refused.code == ErrorCode::WrongState && refused.message.contains("two authenticators"), "{refused:?}");

    // It is in force, and can stay alone.
    assert_eq!(alice.ask(Request::RemoveAuthenticator { code: code(&spare.setup_key, 1) }).await, Response::Done);

    // Somebody with a recovery code logs in elsewhere; the owner sees it and ends it.
    let relay = format!("http://{}", world.config.http);
    let body = serde_json::json!({ "username": "alice", "code": recovery.next().unwrap(), "device": null });
    let http = reqwest::Client::new();
    let elsewhere: serde_json::Value =
        http.post(format!("{relay}/v1/sessions")).json(&body).send().await.unwrap().json().await.unwrap();
    let token = elsewhere["token"].as_str().unwrap();
    let sessions = alice.sessions().await;
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let foreign = sessions.iter().find(|s| !s.this_device && !s.current).expect("the other one shows");
    assert_eq!(alice.ask(Request::EndSession { id: foreign.id.clone() }).await, Response::Done);
    let after = http.get(format!("{relay}/v1/live")).bearer_auth(token).send().await.unwrap();
    assert_eq!(after.status(), 401);
    assert_eq!(alice.sessions().await.len(), 1);
    let refused = alice.refused(Request::EndSession { id: foreign.id.clone() }).await;
    assert_eq!(refused.code, ErrorCode::NotFound, "{refused:?}");

    // The end: at the relay, and here.
    let refused = alice.refused(Request::DeleteAccount { code: "000000".into() }).await;
    assert_eq!(refused.code, ErrorCode::InvalidCredentials, "{refused:?}");
    assert!(matches!(alice.status().await.account, AccountState::Active { .. }), "a wrong code ends nothing");
    assert_eq!(alice.ask(Request::DeleteAccount { code: recovery.next().unwrap() }).await, Response::Done);
    assert_eq!(alice.status().await.account, AccountState::None);
    let refused = alice.refused(Request::Contacts).await;
    assert_eq!(refused.code, ErrorCode::WrongState, "{refused:?}");
    let refused = bob.refused(Request::AddContact { username: "alice".into() }).await;
    assert_eq!(refused.code, ErrorCode::NotFound, "{refused:?}");

    // The node is as new: the name is held, another one can be had, and nothing of before is there.
    let refused = alice.refused(Request::SignUp { username: "alice".into() }).await;
    assert_eq!(refused.code, ErrorCode::UsernameUnavailable, "{refused:?}");
    alice.name = "alicia".into();
    alice.sign_up().await;
    assert_eq!(alice.ask(Request::Conversations).await, Response::Conversations { conversations: Vec::new() });
    let chat = alice.add(&bob).await;
    alice.say(chat, "hello again").await;
    alice.go_offline().await;
    alice.come_online().await;
    assert!(matches!(alice.status().await.account, AccountState::Active { .. }));
    alice.node().stop().await;
    bob.node().stop().await;
}
