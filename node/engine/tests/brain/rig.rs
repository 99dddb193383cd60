//! People with engines, a relay key, and a way to say what isn't allowed.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ed25519_dalek::{Signer, SigningKey};
use livechat_crypto::envelope::{Address, EnvelopeKeys};
use livechat_crypto::identity::Identity;
use livechat_crypto::kv::{Kv, MemoryKv, Namespace, Order};
use livechat_crypto::mls::{GroupId, Session};
use livechat_engine::tables::Table;
use livechat_engine::view::{Message, MessageBody};
use livechat_engine::{
    Command, CommandError, CommandId, Effects, Engine, Event, Input, Lookup, LookupFailure, Now, Reply,
};
use livechat_wire::content::Content;
use livechat_wire::envelope::epoch_at;
use livechat_wire::http::{DirectoryDevice, DirectoryEntry, PublishKeyPackages};
use livechat_wire::payload::{Fragment, Kind};
use livechat_wire::receipt::Receipt;
use livechat_wire::sync::{Cursor, Verdict};
use livechat_wire::{ConversationId, Envelope, EnvelopeId, RelayId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// When every test begins, Unix milliseconds.
pub const START: u64 = 1_795_348_800_000;

/// Runs a test where there is room for unoptimised OpenMLS.
pub fn roomy(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(livechat_crypto::limits::MLS_STACK).spawn(test).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// The key of everybody's relay.
pub fn relay_key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

pub fn relay() -> RelayId {
    RelayId(relay_key().verifying_key().to_bytes())
}

/// The relay's honest word that it keeps an envelope.
pub fn kept(id: EnvelopeId) -> (EnvelopeId, Verdict) {
    let sign = |bytes: &[u8]| relay_key().sign(bytes).to_bytes();
    (id, Verdict::Kept(Box::new(Receipt::sign(id, relay(), 1, 1, START / 1_000, sign))))
}

/// Somebody with an engine, a store that is committed after each input, and a time.
pub struct Person {
    pub name: String,
    pub engine: Engine,
    pub kv: MemoryKv,
    pub dice: ChaCha20Rng,
    pub now: u64,
    /// What they published at the relay.
    pub keys: PublishKeyPackages,
    pub log: Vec<u8>,
    commands: u64,
}

type Made = (MemoryKv, PublishKeyPackages, Vec<u8>);

/// Fifty KeyPackages are dear without optimisation: everybody is made once.
static MADE: Mutex<BTreeMap<String, Made>> = Mutex::new(BTreeMap::new());

impl Person {
    pub fn new(name: &str) -> Self {
        let mut made = MADE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (kv, keys, log) = made.entry(name.to_owned()).or_insert_with(|| sign_up(name, seed_of(name))).clone();
        let engine = Engine::open(&kv).unwrap();
        let dice = ChaCha20Rng::seed_from_u64(name.bytes().map(u64::from).sum::<u64>() + 1_000);
        Self { name: name.to_owned(), engine, kv, dice, now: START, keys, log, commands: 0 }
    }

    /// Somebody who lost every key and signed up under their old name.
    pub fn renewed(name: &str) -> Self {
        let seed = 7_000 + name.bytes().map(u64::from).sum::<u64>();
        let (kv, keys, log) = sign_up(name, seed);
        let engine = Engine::open(&kv).unwrap();
        let dice = ChaCha20Rng::seed_from_u64(seed + 1);
        Self { name: name.to_owned(), engine, kv, dice, now: START, keys, log, commands: 0 }
    }

    /// One input, committed.
    pub fn takes(&mut self, input: Input) -> Effects {
        self.engine.handle(Now(self.now), &mut self.dice, input, &mut self.kv).unwrap()
    }

    /// Time passes, then the timer fires.
    pub fn after(&mut self, milliseconds: u64) -> Effects {
        self.now += milliseconds;
        self.takes(Input::Timer)
    }

    /// Time passes until the engine wants its timer.
    pub fn waits(&mut self) -> Effects {
        self.now = self.engine.wake_at().expect("something to wait for").max(self.now);
        self.takes(Input::Timer)
    }

    pub fn does(&mut self, command: Command) -> (CommandId, Effects) {
        self.commands += 1;
        let id = CommandId(self.commands);
        (id, self.takes(Input::Command { id, command }))
    }

    /// Says something in a chat; returns what was queued and the effects.
    pub fn says(&mut self, at: ConversationId, text: &str) -> (Message, Effects) {
        let (id, effects) =
            self.does(Command::Send { conversation: at, text: text.to_owned(), id: None, reply_to: None });
        match &effects.replies[..] {
            [(answered, Ok(Reply::Sent(message)))] if *answered == id => ((**message).clone(), effects),
            other => panic!("{other:?}"),
        }
    }

    /// Does what must be possible; returns what is to be published.
    pub fn did(&mut self, command: Command) -> Vec<Envelope> {
        let (_, effects) = self.does(command);
        assert!(matches!(effects.replies[..], [(_, Ok(_))]), "{:?}", effects.replies);
        effects.gossip
    }

    /// Tries what must be refused.
    pub fn fails(&mut self, command: Command) -> CommandError {
        let before = self.kv.clone();
        let (_, effects) = self.does(command);
        assert!(self.kv == before, "what is refused leaves no trace");
        match effects.replies[..] {
            [(_, Err(e))] => e,
            ref other => panic!("{other:?}"),
        }
    }

    /// Envelopes arrive in a page.
    pub fn gets(&mut self, envelopes: &[Envelope]) -> Effects {
        self.takes(Input::Page { relay: relay(), envelopes: envelopes.to_vec(), cursor: Cursor::default() })
    }

    /// Nothing is under way but that keys get old.
    pub fn rests(&self) -> bool {
        let renewal = self.now + livechat_engine::limits::RENEW_PAUSE_MIN / 2;
        self.engine.queued() == 0 && self.engine.wake_at().is_none_or(|at| at >= renewal)
    }

    /// The machine dies and starts again.
    pub fn restarts(&mut self) {
        self.engine = Engine::open(&self.kv).unwrap();
    }

    pub fn history(&self, at: ConversationId) -> Vec<Message> {
        self.engine.history(&self.kv, at, None, 200).unwrap().expect("the conversation").messages
    }

    pub fn texts(&self, at: ConversationId) -> Vec<String> {
        let text = |m: Message| match m.body {
            MessageBody::Text { text } => text,
            MessageBody::NeedsNewerVersion { kind } => format!("kind {kind}"),
            MessageBody::Deleted => "(deleted)".to_owned(),
            MessageBody::Timer { seconds } => format!("(timer: {seconds} s)"),
            other => format!("{other:?}"),
        };
        self.history(at).into_iter().map(text).collect()
    }

    pub fn chat_with(&self, other: &Self) -> ConversationId {
        let ids = [self, other].map(|p| p.engine.account().unwrap().account);
        ConversationId::direct(&ids[0], &ids[1])
    }

    /// What the directory says of this person.
    pub fn entry(&mut self) -> DirectoryEntry {
        let package = self.keys.one_time.remove(0);
        let device =
            DirectoryDevice { bundle: self.keys.bundle.clone(), key_package: Some(package), last_resort: false };
        DirectoryEntry {
            username: self.name.clone(),
            log: livechat_wire::http::Bytes(self.log.clone()),
            devices: vec![device],
        }
    }

    /// Asks for a name; returns the look-up.
    pub fn looks_up(&mut self, username: &str) -> (CommandId, Lookup) {
        let (id, effects) = self.does(Command::AddContact { username: username.to_owned() });
        assert!(effects.replies.is_empty(), "{:?}", effects.replies);
        (id, effects.lookups.into_iter().next().expect("a look-up"))
    }

    pub fn is_told(&mut self, lookup: &Lookup, answer: Result<DirectoryEntry, LookupFailure>) -> Effects {
        self.takes(Input::Directory { lookup: lookup.id, answer })
    }

    /// Finds somebody in the directory; returns the envelopes of the first contact.
    pub fn adds(&mut self, other: &mut Self) -> Vec<Envelope> {
        let (_, lookup) = self.looks_up(&other.name.clone());
        let effects = self.is_told(&lookup, Ok(other.entry()));
        assert!(matches!(effects.replies[..], [(_, Ok(Reply::Contact(_)))]), "{:?}", effects.replies);
        effects.gossip
    }

    /// The only group of this person with `other`, read from the store.
    pub fn group_with(&self, other: &Self) -> GroupId {
        let rows = self.kv.scan(Namespace(Table::Groups as u8), &[], &[], 99, Order::Ascending).unwrap();
        let chat = self.chat_with(other);
        // A group's record begins with its version and its conversation.
        let rows: Vec<_> = rows.into_iter().filter(|(_, v)| v[1..33] == chat.0).collect();
        assert_eq!(rows.len(), 1);
        GroupId(rows[0].0[..].try_into().unwrap())
    }

    pub fn session(&mut self) -> Session<'_> {
        Session {
            identity: self.engine.identity().expect("an identity"),
            kv: &mut self.kv,
            rng: &mut self.dice,
            now: self.now / 1_000,
        }
    }

    /// Encrypts any bytes for a group, bound to anything: what no honest engine does.
    pub fn encrypts(&mut self, group: GroupId, content: &[u8], aad: &[u8]) -> Vec<u8> {
        self.session().encrypt(&group, content, aad).unwrap().message
    }

    /// Seals an MLS message as envelopes of a group, from this number on.
    pub fn seals(&mut self, group: GroupId, first: u64, mls: &[u8]) -> Vec<Envelope> {
        let message = livechat_wire::payload::Message { after: None, mls: mls.to_vec() };
        self.seals_kind(group, first, Kind::Mls, &message.encode())
    }

    pub fn seals_kind(&mut self, group: GroupId, first: u64, kind: Kind, payload: &[u8]) -> Vec<Envelope> {
        let fragments = Fragment::cut(kind, [7; 8], payload).unwrap();
        (first..).zip(&fragments).map(|(counter, fragment)| self.seals_fragment(group, counter, fragment)).collect()
    }

    pub fn seals_fragment(&mut self, group: GroupId, counter: u64, fragment: &Fragment) -> Envelope {
        let secret = self.session().envelope_secret(&group).unwrap();
        let to = Address { bucket: 0, epoch: epoch_at(self.now / 1_000), ephemeral: false };
        EnvelopeKeys::new(&secret.secret).seal(secret.own_leaf, counter, fragment, to, &mut self.dice)
    }

    /// Content in an envelope that nobody stores.
    pub fn passes(&mut self, group: GroupId, content: &Content, aad: &[u8]) -> Envelope {
        let mls = self.encrypts(group, &content.encode(), aad);
        let message = livechat_wire::payload::Message { after: None, mls }.encode();
        let fragment = Fragment::cut(Kind::Mls, [7; 8], &message).unwrap().remove(0);
        let secret = self.session().envelope_secret(&group).unwrap();
        let to = Address { bucket: 0, epoch: epoch_at(self.now / 1_000), ephemeral: true };
        EnvelopeKeys::new(&secret.secret).seal_passing(&fragment, to, &mut self.dice)
    }

    /// Both at once: content of any kind, bound to any conversation.
    pub fn forges(&mut self, group: GroupId, number: u64, content: &Content, aad: &[u8]) -> Vec<Envelope> {
        let message = self.encrypts(group, &content.encode(), aad);
        self.seals(group, number, &message)
    }
}

fn seed_of(name: &str) -> u64 {
    name.bytes().map(u64::from).sum()
}

fn sign_up(name: &str, seed: u64) -> Made {
    let mut dice = ChaCha20Rng::seed_from_u64(seed);
    let mut kv = MemoryKv::default();
    let mut engine = Engine::open(&kv).unwrap();
    let identity = Box::new(Identity::generate(&mut dice));
    let log = identity.found_log(name, relay(), START / 1_000).unwrap();
    let bytes = log.encode();
    let input = Input::Activate { identity, username: name.to_owned(), relay: relay(), log, bucket_bits: 0 };
    let effects = engine.handle(Now(START), &mut dice, input, &mut kv).unwrap();
    (kv, effects.publish_keys.expect("a stock"), bytes)
}

/// Two people who know each other, with nothing under way; `one` looked `other` up.
pub fn acquainted(one: &str, other: &str) -> (Person, Person, ConversationId) {
    let (mut one, mut other) = (Person::new(one), Person::new(other));
    let chat = introduce(&mut one, &mut other);
    assert_eq!((one.engine.wake_at(), other.engine.wake_at()), (None, None), "nothing is under way");
    (one, other, chat)
}

/// `one` looks `other` up and the introduction arrives; the relay keeps it.
pub fn introduce(one: &mut Person, other: &mut Person) -> ConversationId {
    let hello = one.adds(other);
    let _ = accept(one, &hello);
    let _ = other.gets(&hello);
    let chat = one.chat_with(other);
    assert!(other.history(chat).is_empty());
    let (_, accepted) = other.does(Command::Accept { conversation: chat });
    assert!(matches!(accepted.replies[..], [(_, Ok(Reply::Done))]));
    chat
}

/// The relay keeps these.
pub fn accept(who: &mut Person, envelopes: &[Envelope]) -> Effects {
    let verdicts = envelopes.iter().map(|e| kept(e.id())).collect();
    who.takes(Input::Verdicts { relay: relay(), verdicts })
}

/// The messages that were added, in words.
pub fn added(effects: &Effects) -> Vec<String> {
    let text = |e: &Event| match e {
        Event::MessageAdded { message, .. } => match &message.body {
            MessageBody::Text { text } => Some(text.clone()),
            MessageBody::NeedsNewerVersion { kind } => Some(format!("kind {kind}")),
            other => Some(format!("{other:?}")),
        },
        _ => None,
    };
    effects.events.iter().filter_map(text).collect()
}
