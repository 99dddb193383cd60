//! Two devices of one person, a friend and a relay in one process: a device is added, speaks, and is removed
//! (PROTOCOL ), everything real between them.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use livechat_node::api::{
    AccountState, Device, DeviceTicket, Error, ErrorCode, Event, Message, MessageBody, Notice, Request, Response,
};
use livechat_node::{Config, Node};
use livechat_tests::process::code;
use livechat_wire::ConversationId;

/// Debug builds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// One device.
struct Seat {
    what: &'static str,
    node: Node,
}

/// What lets somebody log in.
struct Keys {
    setup_key: String,
    recovery_codes: Vec<String>,
}

impl Seat {
    async fn start(what: &'static str, dir: &Path, relay: &livechat_relay::Relay) -> Self {
        let url = format!("http://{}", relay.http_addr()).parse().unwrap();
        Self { what, node: Node::start(Config::new(dir.join(what), url)).await.unwrap() }
    }

    async fn sign_up(&self, name: &str) -> Keys {
        let Response::SignUp(ticket) = self.ask(Request::SignUp { username: name.into() }).await else { panic!() };
        let confirm = Request::ConfirmSignUp { code: code(&ticket.setup_key, 0) };
        let Response::SignedUp(done) = self.ask(confirm).await else { panic!() };
        Keys { setup_key: ticket.setup_key, recovery_codes: done.recovery_codes }
    }

    async fn ask(&self, request: Request) -> Response {
        let asked = format!("{request:?}");
        self.node.request(request).await.unwrap_or_else(|e| panic!("{}: {asked}: {e:?}", self.what))
    }

    async fn refused(&self, request: Request) -> Error {
        let error = self.node.request(request).await.unwrap_err();
        assert!(!error.message.is_empty() && !error.hint.is_empty(), "cause and next step: {error:?}");
        error
    }

    async fn account(&self) -> AccountState {
        let Response::Status(status) = self.ask(Request::Status).await else { panic!("no status") };
        status.account
    }

    /// Asks to be added with a code; what it shows meanwhile.
    async fn waits(&self, name: &str, code: &str) -> DeviceTicket {
        let link = Request::Link { username: name.into(), code: code.into(), phrase: None };
        let Response::Linking(ticket) = self.ask(link).await else { panic!("not waiting") };
        ticket
    }

    async fn devices(&self) -> Vec<Device> {
        let Response::Devices { devices } = self.ask(Request::Devices).await else { panic!("no devices") };
        devices
    }

    async fn add(&self, name: &str) -> ConversationId {
        let Response::Contact(c) = self.ask(Request::AddContact { username: name.into() }).await else { panic!() };
        c.conversation
    }

    async fn say(&self, conversation: ConversationId, text: &str) {
        self.ask(Request::Send { conversation, text: text.into(), id: None, reply_to: None }).await;
    }

    async fn history(&self, conversation: ConversationId) -> Vec<Message> {
        match self.node.request(Request::History { conversation, before: None, limit: 200 }).await {
            Ok(Response::History(page)) => page.messages,
            _ => vec![],
        }
    }

    /// What was said, by whom, and which of it is one's own.
    async fn lines(&self, conversation: ConversationId) -> BTreeSet<String> {
        let line = |m: Message| match m.body {
            MessageBody::Text { text } if m.own => Some(format!("own: {text}")),
            MessageBody::Text { text } => Some(format!("{}: {text}", m.author_name)),
            _ => None,
        };
        self.history(conversation).await.into_iter().filter_map(line).collect()
    }

    async fn notices(&self, conversation: ConversationId) -> Vec<Notice> {
        let notice = |m: Message| match m.body {
            MessageBody::Notice { notice } => Some(notice),
            _ => None,
        };
        self.history(conversation).await.into_iter().filter_map(notice).collect()
    }

    async fn until<T>(&self, what: &str, look: impl AsyncFn(&Self) -> Option<T>) -> T {
        let wait = async {
            loop {
                match look(self).await {
                    Some(found) => return found,
                    None => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(found) => found,
            Err(_) => panic!("{}: never {what}; {:?}", self.what, self.account().await),
        }
    }

    async fn hears(&self, conversation: ConversationId, line: &str) {
        let heard = async |s: &Self| s.lines(conversation).await.contains(line).then_some(());
        if tokio::time::timeout(PATIENCE, self.until(line, heard)).await.is_err() {
            panic!("{} never heard {line:?}: {:?}", self.what, self.lines(conversation).await);
        }
    }

    async fn is_active(&self) {
        let active = async |s: &Self| matches!(s.account().await, AccountState::Active { .. }).then_some(());
        self.until("one of the account's devices", active).await;
    }

    async fn has_conversation(&self, conversation: ConversationId) {
        let there = async |s: &Self| {
            let Response::Conversations { conversations } = s.ask(Request::Conversations).await else { panic!() };
            conversations.iter().any(|c| c.id == conversation).then_some(())
        };
        self.until("in the conversation", there).await;
    }
}

async fn relay(dir: &Path) -> livechat_relay::Relay {
    livechat_relay::start(livechat_relay::Config::local(dir.join("relay"))).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_added_speaks_and_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let relay = relay(dir.path()).await;
    let bo = Seat::start("bo", dir.path(), &relay).await;
    bo.sign_up("bo").await;
    let old = Seat::start("ada's first", dir.path(), &relay).await;
    let keys = old.sign_up("ada").await;
    let chat = old.add("bo").await;
    old.say(chat, "hello").await;
    bo.hears(chat, "ada: hello").await;
    bo.ask(Request::Accept { conversation: chat }).await;
    let request = Request::CreateGroup { title: "tea".into(), members: vec!["bo".into()] };
    let Response::GroupCreated { conversation: tea } = old.ask(request).await else { panic!("no group") };
    bo.has_conversation(tea).await;

    // The code that the new device shows, and no other, lets it in.
    let new = Seat::start("ada's second", dir.path(), &relay).await;
    let ticket = new.waits("ada", &code(&keys.setup_key, 1)).await;
    assert!(ticket.username == "ada" && ticket.qr_svg.starts_with("<svg"), "{ticket:?}");
    assert!(matches!(new.account().await, AccountState::Linking { ticket: t } if t == ticket), "shown again");
    assert_eq!(new.refused(Request::Conversations).await.code, ErrorCode::WrongState);
    let refused = old.refused(Request::AddDevice { code: "hello".into(), history: false }).await;
    assert_eq!(refused.code, ErrorCode::BadText);
    let refused = old.refused(Request::AddDevice { code: "AAAA-AAAA-AAAA-AAAA".into(), history: false }).await;
    assert_eq!(refused.code, ErrorCode::Untrusted);
    assert_eq!(old.devices().await.len(), 1);
    let mut told = old.node.events();
    assert_eq!(old.ask(Request::AddDevice { code: ticket.code.to_lowercase(), history: false }).await, Response::Done);
    new.is_active().await;
    let changed = async {
        loop {
            if let Event::DevicesChanged { devices } = told.next().await.unwrap()
                && devices.len() == 2
                && devices.iter().all(|d| !d.pending)
            {
                return devices;
            }
        }
    };
    let devices = tokio::time::timeout(PATIENCE, changed).await.expect("the old device is told");
    assert!(devices[0].this && !devices[1].this);

    // The code that it was linked with guards it from the beginning (ADR 0008).
    let vault = async |s: &Seat| match s.ask(Request::Vault).await {
        Response::Vault(vault) if vault.guarded => Some(vault),
        _ => None,
    };
    let vault = new.until("guarded by a vault", vault).await;
    assert!(!vault.phrase, "the phrase isn't a linked device's");
    assert_eq!(new.ask(Request::Lock).await, Response::Done);
    assert!(matches!(new.account().await, AccountState::Locked { .. }));
    assert!(!dir.path().join("ada's second").join("node.key").exists(), "the key is wrapped");
    let opens = Request::LogIn { username: "ada".into(), code: keys.recovery_codes[9].clone() };
    assert_eq!(new.ask(opens).await, Response::Done);
    new.is_active().await;

    // It comes into what there is, and everybody hears everybody.
    for conversation in [chat, tea] {
        new.has_conversation(conversation).await;
        old.say(conversation, "from the first").await;
        new.hears(conversation, "own: from the first").await;
        bo.hears(conversation, "ada: from the first").await;
        new.say(conversation, "from the second").await;
        old.hears(conversation, "own: from the second").await;
        bo.hears(conversation, "ada: from the second").await;
        bo.say(conversation, "to both").await;
        old.hears(conversation, "bo: to both").await;
        new.hears(conversation, "bo: to both").await;
    }
    let ledger = new.devices().await;
    assert!(ledger.len() == 2 && ledger[1].this && !ledger[1].pending, "{ledger:?}");
    let added = async |s: &Seat| s.notices(chat).await.contains(&Notice::DevicesAdded { count: 1 }).then_some(());
    bo.until("told of the addition", added).await;

    // Removed: it is told, hears nothing more, and Bo is told too.
    let second = ledger[1].device;
    assert_eq!(old.ask(Request::RemoveDevice { device: second }).await, Response::Done);
    let out = async |s: &Seat| matches!(s.account().await, AccountState::Active { removed: true, .. }).then_some(());
    new.until("told that it was removed", out).await;
    let removed = async |s: &Seat| s.notices(chat).await.contains(&Notice::DevicesRemoved { count: 1 }).then_some(());
    bo.until("told of the removal", removed).await;
    let gone = async |s: &Seat| s.devices().await.iter().any(|d| d.removed_at.is_some() && !d.pending).then_some(());
    old.until("without the second", gone).await;
    for conversation in [chat, tea] {
        old.say(conversation, "among ourselves").await;
        bo.hears(conversation, "ada: among ourselves").await;
        let send = Request::Send { conversation, text: "still here?".into(), id: None, reply_to: None };
        new.refused(send).await;
        assert!(!new.lines(conversation).await.contains("own: among ourselves"));
        assert!(new.lines(conversation).await.contains("bo: to both"), "what was here can be read");
    }
    for seat in [old, new, bo] {
        seat.node.stop().await;
    }
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phrase_adds_a_device_while_the_first_one_is_off() {
    let dir = tempfile::tempdir().unwrap();
    let relay = relay(dir.path()).await;
    let bo = Seat::start("bo", dir.path(), &relay).await;
    bo.sign_up("bo").await;
    let old = Seat::start("first", dir.path(), &relay).await;
    let keys = old.sign_up("ada").await;
    let Response::Phrase(phrase) = old.ask(Request::Phrase).await else { panic!("no phrase") };
    let Response::Phrase(other) = bo.ask(Request::Phrase).await else { panic!("no phrase") };
    let chat = old.add("bo").await;
    old.say(chat, "hello").await;
    bo.hears(chat, "ada: hello").await;
    old.node.stop().await;

    let new = Seat::start("second", dir.path(), &relay).await;
    let link = |code: &str, words: &[String]| Request::Link {
        username: "ada".into(),
        code: code.into(),
        phrase: Some(words.join(" ")),
    };
    let mut codes = keys.recovery_codes.iter();
    let refused = new.refused(link("000000", &phrase.words)).await;
    assert_eq!(refused.code, ErrorCode::InvalidCredentials);
    let refused = new.refused(link("000000", &phrase.words[1..])).await;
    assert_eq!(refused.code, ErrorCode::WrongPhrase, "before a try is spent");
    let refused = new.refused(link(codes.next().unwrap(), &other.words)).await;
    assert_eq!(refused.code, ErrorCode::WrongPhrase);
    assert_eq!(new.account().await, AccountState::None);
    assert_eq!(new.ask(link(codes.next().unwrap(), &phrase.words)).await, Response::Done);
    new.is_active().await;
    let ledger = new.devices().await;
    assert!(ledger.len() == 2 && ledger[1].this && ledger[1].added_by.is_none(), "{ledger:?}");

    // It writes to Bo by itself, under the account that Bo knows.
    assert_eq!(new.add("bo").await, chat);
    new.say(chat, "from the second").await;
    bo.hears(chat, "ada: from the second").await;
    bo.say(chat, "welcome").await;
    new.hears(chat, "bo: welcome").await;

    // The first one comes back, is told, and hears what was said meanwhile.
    let old = Seat::start("first", dir.path(), &relay).await;
    let both = async |s: &Seat| (s.devices().await.len() == 2).then_some(());
    old.until("told of the second", both).await;
    old.hears(chat, "own: from the second").await;
    old.hears(chat, "bo: welcome").await;
    old.say(chat, "from the first").await;
    new.hears(chat, "own: from the first").await;
    for seat in [old, new, bo] {
        seat.node.stop().await;
    }
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_may_stop_waiting_and_begin_again() {
    let dir = tempfile::tempdir().unwrap();
    let relay = relay(dir.path()).await;
    let old = Seat::start("first", dir.path(), &relay).await;
    let keys = old.sign_up("ada").await;
    let mut codes = keys.recovery_codes.iter();
    let new = Seat::start("second", dir.path(), &relay).await;
    let link = |name: &str, code: &str| Request::Link { username: name.into(), code: code.into(), phrase: None };
    assert_eq!(new.refused(link("ada", "000000")).await.code, ErrorCode::InvalidCredentials);
    assert_eq!(new.refused(link("nobody-here", "000000")).await.code, ErrorCode::InvalidCredentials);
    assert_eq!(new.refused(Request::CancelLink).await.code, ErrorCode::WrongState);
    assert_eq!(old.refused(link("ada", "000000")).await.code, ErrorCode::WrongState);
    let nobody = old.refused(Request::AddDevice { code: "AAAA-AAAA-AAAA-AAAA".into(), history: false }).await;
    assert_eq!(nobody.code, ErrorCode::NotFound, "{nobody:?}");

    // Waiting survives a restart and stands in the way of a sign-up; the code stays the same.
    let first = new.waits("ada", codes.next().unwrap()).await;
    assert_eq!(new.refused(link("ada", codes.next().unwrap())).await.code, ErrorCode::WrongState);
    assert_eq!(new.refused(Request::SignUp { username: "else".into() }).await.code, ErrorCode::WrongState);
    new.node.stop().await;
    let new = Seat::start("second", dir.path(), &relay).await;
    assert!(matches!(new.account().await, AccountState::Linking { ticket } if ticket == first));

    // Cancelled: the next time it is another device, whose code alone counts.
    assert_eq!(new.ask(Request::CancelLink).await, Response::Done);
    assert_eq!(new.account().await, AccountState::None);
    let second = new.waits("ada", codes.next().unwrap()).await;
    assert_ne!(first.code, second.code);
    assert_eq!(old.refused(Request::AddDevice { code: first.code, history: false }).await.code, ErrorCode::Untrusted);
    assert_eq!(old.ask(Request::AddDevice { code: second.code, history: false }).await, Response::Done);
    new.is_active().await;
    for seat in [old, new] {
        seat.node.stop().await;
    }
    relay.stop().await;
}
