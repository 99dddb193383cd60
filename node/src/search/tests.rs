//! The index beside a naive look through the history, whatever happened to it.
#![allow(clippy::let_underscore_must_use, reason = "here effects are looked at only where they matter")]

use std::collections::BTreeMap;

use livechat_crypto::identity::Identity;
use livechat_engine::view::{Message, MessageBody};
use livechat_engine::{Command, CommandId, Effects, Input, Now, Reply};
use livechat_wire::content::{File, FileKey};
use livechat_wire::http::{Bytes, DirectoryDevice, DirectoryEntry, PublishKeyPackages};
use livechat_wire::sync::Cursor;
use livechat_wire::{BlobId, ConversationId, Envelope, MessageId, RelayId};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::*;

const START: u64 = 1_795_348_800_000;
/// Few words, so that they meet; of several scripts, and of one and two letters too.
const WORDS: [&str; 16] = [
    "Kuchen",
    "Kuchengabel",
    "Straße",
    "STRASSE",
    "école",
    "Ecole",
    "東京",
    "京都",
    "東京都庁",
    "한국어",
    "a",
    "to",
    "👍",
    "\"x\" OR y",
    "100%_",
    "nul\0l",
];
const ASKED: [&str; 23] = [
    "kuchen",
    "uche",
    "gabel kuchen",
    "strasse",
    "ecol",
    "京",
    "東京",
    "京都",
    "한",
    "한국",
    "a",
    "o",
    "👍",
    "\"x\" or",
    "%",
    "_",
    "l",
    "nope",
    "\"kuchen a\"",
    "from:alice",
    "from:bo kuchen",
    "from:me e",
    "kuchen.pdf",
];

pub(super) fn relay_key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[42; 32])
}

pub(super) fn relay() -> RelayId {
    RelayId(relay_key().verifying_key().to_bytes())
}

/// Runs a test where there is room for unoptimised OpenMLS.
pub(super) fn roomy(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(limits::BRAIN_STACK).spawn(test).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// A message with its folded text.
type Said = (ConversationId, Message, String);

pub(super) struct Person {
    name: &'static str,
    pub(super) dir: tempfile::TempDir,
    pub(super) store: Option<Store>,
    engine: Engine,
    dice: ChaCha20Rng,
    pub(super) now: u64,
    keys: Option<PublishKeyPackages>,
    log: Vec<u8>,
}

impl Person {
    pub(super) fn new(name: &'static str, seed: u64) -> Self {
        let mut dice = ChaCha20Rng::seed_from_u64(seed);
        let dir = tempfile::tempdir().unwrap();
        let store = crate::store::open_by_key(dir.path()).unwrap();
        store.hurry();
        let identity = Box::new(Identity::generate(&mut dice));
        let log = identity.found_log(name, relay(), START / 1_000).unwrap();
        let bytes = log.encode();
        let engine = Engine::open(&store.read()).unwrap();
        let mut person = Self { name, dir, store: Some(store), engine, dice, now: START, keys: None, log: bytes };
        let username = name.to_owned();
        let effects = person.takes(Input::Activate { identity, username, relay: relay(), log, bucket_bits: 0 });
        person.keys = effects.publish_keys;
        person
    }

    fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    pub(super) fn takes(&mut self, input: Input) -> Effects {
        let Self { store, engine, dice, now, .. } = self;
        let work = |tx: &mut dyn livechat_crypto::kv::Kv| engine.handle(Now(*now), dice, input, tx);
        store.as_mut().unwrap().transact(work).map_err(|e| e.to_string()).unwrap()
    }

    fn does(&mut self, command: Command) -> Effects {
        self.takes(Input::Command { id: CommandId(1), command })
    }

    /// Makes a group of one.
    pub(super) fn founds(&mut self, title: &str) -> ConversationId {
        match self.does(Command::CreateGroup { title: title.into(), members: Vec::new() }).replies[..] {
            [(_, Ok(Reply::Group(at)))] => at,
            ref other => panic!("{other:?}"),
        }
    }

    pub(super) fn says(&mut self, at: ConversationId, text: &str) -> Effects {
        let effects = self.does(Command::Send { conversation: at, text: text.into(), id: None, reply_to: None });
        assert!(matches!(effects.replies[..], [(_, Ok(Reply::Sent(_)))]), "{:?}", effects.replies);
        effects
    }

    fn restarts(&mut self, without_index: bool) {
        if without_index {
            self.store().forget_index();
        }
        self.store = None;
        self.store = Some(crate::store::open_by_key(self.dir.path()).unwrap());
        self.store().hurry();
        self.engine = Engine::open(&self.store.as_ref().unwrap().read()).unwrap();
    }

    /// Everything that is said here, by conversation.
    fn history(&self) -> BTreeMap<ConversationId, Vec<Message>> {
        let store = self.store.as_ref().unwrap().read();
        let mut all = BTreeMap::new();
        for conversation in self.engine.conversations(&store).unwrap() {
            let mut messages: Vec<Message> = Vec::new();
            let mut from = 0;
            loop {
                let page = self.engine.history_at(&store, conversation.id, from, 0, 7).unwrap().unwrap();
                assert_eq!(page.more, from > 0 && !messages.is_empty());
                messages.extend(page.messages);
                match messages.last() {
                    Some(last) if page.newer => from = last.position + 1,
                    _ => break,
                }
            }
            all.insert(conversation.id, messages);
        }
        all
    }

    fn search(&self, typed: &str, conversation: Option<ConversationId>, order: SearchOrder) -> Vec<Hit> {
        let store = self.store.as_ref().unwrap();
        let mut hits: Vec<Hit> = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let search = Search::new(typed, conversation, order, next.as_deref(), 3).unwrap();
            let found = search.run(&self.engine, store).unwrap();
            hits.extend(found.hits);
            next = found.next;
            if next.is_none() {
                return hits;
            }
        }
    }

    /// What a look through the whole history finds.
    fn naive(&self, said: &[Said], typed: &str, conversation: Option<ConversationId>) -> Vec<(ConversationId, u64)> {
        let query = Query::parse(typed, &jiff::tz::TimeZone::UTC).unwrap();
        let mut found = Vec::new();
        for (at, message, text) in said {
            if conversation.map_or(self.engine.is_blocked(*at), |only| only != *at) {
                continue;
            }
            let by = |name: &String| message.author_name.starts_with(name) || message.own && "me".starts_with(name);
            if query.words.iter().all(|w| text.contains(w)) && query.from.iter().all(by) {
                found.push((*at, message.position));
            }
        }
        found.sort_unstable();
        found
    }

    fn agrees(&self, conversations: &[ConversationId]) -> usize {
        let mut hits = 0;
        let history = self.history().into_iter().flat_map(|(at, messages)| messages.into_iter().map(move |m| (at, m)));
        let words = |(at, message): (ConversationId, Message)| {
            let (MessageBody::Text { text } | MessageBody::File { name: text, .. }) = &message.body else {
                return None;
            };
            let text = fold::fold(text);
            Some((at, message, text))
        };
        let said: Vec<Said> = history.filter_map(words).collect();
        for typed in ASKED {
            for conversation in std::iter::once(None).chain(conversations.iter().copied().map(Some)) {
                let expected = self.naive(&said, typed, conversation);
                for order in [SearchOrder::Newest, SearchOrder::Best] {
                    let found = self.search(typed, conversation, order);
                    let mut places: Vec<_> = found.iter().map(|h| (h.conversation, h.message.position)).collect();
                    places.sort_unstable();
                    assert_eq!(places, expected, "{} looks for {typed:?} in {conversation:?}", self.name);
                    let times = found.iter().map(|h| h.message.received_at);
                    assert!(order == SearchOrder::Best || times.is_sorted_by(|a, b| a >= b), "{typed}");
                    hits += found.len();
                }
            }
        }
        self.store.as_ref().unwrap().check_index();
        hits
    }
}

fn pick<T: Copy>(dice: &mut ChaCha20Rng, of: &[T]) -> T {
    of[dice.next_u32() as usize % of.len()]
}

fn sentence(dice: &mut ChaCha20Rng) -> String {
    let words: Vec<_> = (0..=dice.next_u32() % 3).map(|_| pick(dice, &WORDS)).collect();
    words.join(pick(dice, &[" ", "\n", "", "  "]))
}

/// A file of a new name.
fn file(dice: &mut ChaCha20Rng) -> File {
    let mut blob = [0; 32];
    dice.fill_bytes(&mut blob);
    File {
        name: format!("{}.pdf", pick(dice, &WORDS[..12])),
        media: "application/pdf".into(),
        size: 3,
        blob: BlobId(blob),
        key: FileKey([1; 32]),
        hash: [2; 32],
        until: 1_900_000_000,
        preview: None,
        voice: None,
        forwarded: false,
        timer: 0,
    }
}

/// Two people who know each other, and a group of one for each.
fn town(seed: u64) -> ([Person; 2], Vec<ConversationId>) {
    let mut alice = Person::new("alice", seed);
    let mut bob = Person::new("bob", seed + 1);
    let lookup = alice.does(Command::AddContact { username: "bob".into() }).lookups.remove(0);
    let mut keys = bob.keys.take().unwrap();
    let device =
        DirectoryDevice { bundle: keys.bundle.clone(), key_package: Some(keys.one_time.remove(0)), last_resort: false };
    let entry = DirectoryEntry { username: "bob".into(), log: Bytes(bob.log.clone()), devices: vec![device] };
    let hello = alice.takes(Input::Directory { lookup: lookup.id, answer: Ok(entry) });
    let _ = bob.takes(page(hello.gossip));
    let ids = [&alice, &bob].map(|p| p.engine.account().unwrap().account);
    let chat = ConversationId::direct(&ids[0], &ids[1]);
    let _ = bob.does(Command::Accept { conversation: chat });
    let mut conversations = vec![chat];
    conversations.extend([&mut alice, &mut bob].map(|who| who.founds("notes")));
    ([alice, bob], conversations)
}

fn page(envelopes: Vec<Envelope>) -> Input {
    Input::Page { relay: relay(), envelopes, cursor: Cursor::default() }
}

/// Something happens in a conversation.
fn happens(who: &mut Person, at: ConversationId, dice: &mut ChaCha20Rng) -> Effects {
    let messages = who.history().remove(&at).unwrap_or_default();
    let position = |of: &[&Message], dice: &mut ChaCha20Rng| match of {
        [] => 1,
        of => of[dice.next_u32() as usize % of.len()].position,
    };
    let own: Vec<_> = messages.iter().filter(|m| m.own).collect();
    let (mine, any) = (position(&own, dice), position(&messages.iter().collect::<Vec<_>>(), dice));
    let command = match dice.next_u32() % 16 {
        0 => Command::Edit { conversation: at, position: mine, text: sentence(dice) },
        1 => Command::Edit { conversation: at, position: mine, text: pick(dice, &WORDS).into() },
        2 => Command::Delete { conversation: at, position: mine, for_everyone: true },
        3 => Command::Delete { conversation: at, position: any, for_everyone: false },
        4 => Command::SetTimer { conversation: at, seconds: pick(dice, &[0, 0, 2, 5]) },
        5 | 6 => Command::MarkRead { conversation: at, position: any },
        7 => Command::Block { conversation: at, blocked: dice.next_u32().is_multiple_of(3) },
        8 | 9 => {
            let file = file(dice);
            let id = MessageId(*file.blob.0.first_chunk().unwrap());
            Command::SendFile { conversation: at, file: Box::new(file), id }
        }
        _ => Command::Send { conversation: at, text: sentence(dice), id: None, reply_to: None },
    };
    who.does(command)
}

#[test]
fn the_index_agrees_with_a_naive_look_through_the_history() {
    roomy(|| {
        let mut hits = 0;
        for seed in 0..4 {
            let mut dice = ChaCha20Rng::seed_from_u64(seed);
            let (mut people, conversations) = town(100 * seed);
            for round in 0..6 {
                for _ in 0..20 {
                    let who = (dice.next_u32() % 2) as usize;
                    let mut sent = happens(&mut people[who], pick(&mut dice, &conversations), &mut dice).gossip;
                    if dice.next_u32().is_multiple_of(3) {
                        for person in &mut people {
                            person.now += u64::from(dice.next_u32() % 4_000);
                            sent.extend(person.takes(Input::Timer).gossip);
                        }
                    }
                    // Both take everything; nobody opens their own.
                    for person in &mut people {
                        let _ = person.takes(page(sent.clone()));
                    }
                }
                hits += people.iter().map(|p| p.agrees(&conversations)).sum::<usize>();
                people.iter_mut().for_each(|p| p.restarts(round % 2 == 0));
                hits += people.iter().map(|p| p.agrees(&conversations)).sum::<usize>();
            }
        }
        println!("the index and the naive look agreed on {hits} hits");
        assert!(hits > 5_000, "{hits} hits are too few to show anything");
    });
}

#[test]
fn what_is_deleted_leaves_nothing_in_the_index() {
    roomy(|| {
        let mut alice = Person::new("alice", 1);
        let at = alice.founds("notes");
        for text in ["before", "龘龘龘 canary", "behind"] {
            let _ = alice.says(at, text);
        }
        assert!(alice.store().index_holds("龘"));
        let canary = alice.search("canary", None, SearchOrder::Best).remove(0).message.position;
        let _ = alice.does(Command::Delete { conversation: at, position: canary, for_everyone: false });
        assert!(!alice.store().index_holds("龘") && alice.store().index_holds("bef"));
        alice.store().wipe().unwrap();
        assert!(!alice.store().index_holds("bef"));
    });
}

/// A file is found by its name, part of it too, and is shown with what was looked for.
#[test]
fn files_are_found_by_name_until_they_are_gone() {
    roomy(|| {
        let mut alice = Person::new("alice", 1);
        let at = alice.founds("notes");
        let mut dice = ChaCha20Rng::seed_from_u64(1);
        let file = Box::new(File { name: "Reisepläne 2026.pdf".into(), ..file(&mut dice) });
        let _ = alice.does(Command::SendFile { conversation: at, file, id: MessageId([1; 16]) });
        let hit = alice.search("plane 20", None, SearchOrder::Newest).remove(0);
        let marked: Vec<_> = hit.excerpt.iter().filter(|p| p.hit).map(|p| p.text.as_str()).collect();
        assert_eq!(marked, ["pläne", "20"]);
        let position = hit.message.position;
        let _ = alice.does(Command::Delete { conversation: at, position, for_everyone: true });
        assert!(alice.search("plane", None, SearchOrder::Newest).is_empty() && !alice.store().index_holds("reise"));
    });
}

#[test]
fn the_best_come_first_and_dates_narrow_it_down() {
    roomy(|| {
        let mut alice = Person::new("alice", 1);
        let at = alice.founds("notes");
        for text in ["a cake", "pancake", "cakewalk", "no match", "cakes and a cake"] {
            alice.now += 24 * 3_600_000;
            let _ = alice.says(at, text);
        }
        let found = |typed: &str, order| {
            let text = |h: Hit| h.excerpt.into_iter().map(|p| p.text).collect::<String>();
            alice.search(typed, None, order).into_iter().map(text).collect::<Vec<_>>()
        };
        assert_eq!(found("cake", SearchOrder::Newest), ["cakes and a cake", "cakewalk", "pancake", "a cake"]);
        assert_eq!(found("cake", SearchOrder::Best), ["cakes and a cake", "a cake", "cakewalk", "pancake"]);
        // The first message came in on 23 November 2026, wherever this runs.
        assert_eq!(found("cake before:2026-11-26", SearchOrder::Newest).last().map(String::as_str), Some("a cake"));
        assert_eq!(found("after:2027", SearchOrder::Newest), [""; 0]);
        assert_eq!(found("after:2026 before:2027", SearchOrder::Newest).len(), 5);
        assert_eq!(found("from:nobody cake", SearchOrder::Best), [""; 0]);
        assert_eq!(found("   ", SearchOrder::Best), [""; 0]);
    });
}
