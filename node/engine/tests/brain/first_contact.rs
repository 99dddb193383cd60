use livechat_crypto::envelope::{Address, HelloKeys, seal_hello};
use livechat_crypto::identity::Identity;
use livechat_crypto::kv::MemoryKv;
use livechat_crypto::mls::{PeerDevice, Session};
use livechat_engine::{Command, Event, Input, Reply};
use livechat_wire::account::AccountLog;
use livechat_wire::bundle::Bundle;
use livechat_wire::envelope::epoch_at;
use livechat_wire::group::{Charter, MemberRecord};
use livechat_wire::hello::{Hello, Introduction};
use livechat_wire::payload::{Fragment, Kind};
use livechat_wire::{ConversationId, Envelope, RelayId};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use sha2::{Digest, Sha256};

use crate::rig::{Person, START, accept, added, relay, roomy};

/// A stranger who can introduce themselves in any way.
struct Stranger {
    identity: Identity,
    kv: MemoryKv,
    dice: ChaCha20Rng,
    /// As their leaf says.
    name: &'static str,
}

impl Stranger {
    fn new(seed: u64) -> Self {
        let mut dice = ChaCha20Rng::seed_from_u64(seed);
        Self { identity: Identity::generate(&mut dice), kv: MemoryKv::default(), dice, name: "dave" }
    }

    fn called(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    fn log(&self, name: &str, at: RelayId) -> Vec<u8> {
        self.identity.found_log(name, at, START / 1_000).unwrap().encode()
    }

    fn bundle(&self) -> Vec<u8> {
        self.identity.bundle(START / 1_000).encode()
    }

    /// A chat with somebody and the Welcome into it.
    fn welcome(&mut self, whom: &mut Person) -> Vec<u8> {
        self.welcome_in_order_of(relay().0, whom)
    }

    fn welcome_in_order_of(&mut self, sequencer: [u8; 32], whom: &mut Person) -> Vec<u8> {
        let entries = [whom.entry()];
        let logs: Vec<_> = entries.iter().map(|e| AccountLog::decode(&e.log.0).unwrap()).collect();
        let peers: Vec<_> = entries
            .iter()
            .zip(&logs)
            .map(|(entry, log)| PeerDevice {
                log,
                device_key: log.device_keys()[0],
                key_package: &entry.devices[0].key_package.as_ref().unwrap().0,
            })
            .collect();
        let record = MemberRecord { log: self.log(self.name, relay()), bucket_seed: [0; 16] };
        let charter = Charter::direct(self.identity.account(), sequencer);
        let mut session =
            Session { identity: &self.identity, kv: &mut self.kv, rng: &mut self.dice, now: START / 1_000 };
        session.begin_room(&charter, &record, &peers).unwrap().welcomes.remove(0)
    }

    fn introduces(&mut self, whom: &Person, introduction: &Introduction) -> Vec<Envelope> {
        let bytes = introduction.encode();
        self.sends(whom, &bytes, Sha256::digest(&bytes).into())
    }

    fn sends(&mut self, whom: &Person, bytes: &[u8], digest: [u8; 32]) -> Vec<Envelope> {
        let fragments = Fragment::cut(Kind::Introduction, [3; 8], bytes).unwrap();
        let secret = [u8::try_from(bytes.len() % 256).unwrap(); 32];
        let hello = Hello { secret, fragments: u16::try_from(fragments.len()).unwrap(), digest };
        let bundle = Bundle::decode(&whom.keys.bundle.0).unwrap();
        let to = Address { bucket: 0, epoch: epoch_at(START / 1_000), ephemeral: false };
        let mut envelopes = vec![seal_hello(&bundle.hello_key, &hello, to, &mut self.dice).unwrap()];
        let keys = HelloKeys::new(&secret);
        envelopes.extend(fragments.iter().map(|f| keys.seal(f.index, f, to, &mut self.dice)));
        envelopes
    }
}

fn names(who: &Person) -> Vec<String> {
    who.engine.contacts(&who.kv).unwrap().into_iter().map(|c| c.username).collect()
}

#[test]
fn an_honest_stranger_becomes_a_contact() {
    roomy(|| {
        let mut alice = Person::new("alice");
        let mut dave = Stranger::new(1);
        let (log, bundle, welcome) = (dave.log("dave", relay()), dave.bundle(), dave.welcome(&mut alice));
        let envelopes = dave.introduces(&alice, &Introduction { log, bundle, welcome, rest: None });
        let effects = alice.gets(&envelopes);
        assert!(effects.events.iter().any(|e| matches!(e, Event::ConversationChanged { .. })));
        assert_eq!(names(&alice), ["dave"]);
        let again = alice.gets(&envelopes);
        assert!(again.events.is_empty(), "the same introduction again is nothing new");
        assert_eq!(alice.engine.refused(), livechat_engine::Refused::default());
    });
}

/// Whoever is not who they say they are stays a stranger, and nothing of them is kept but that they tried.
#[test]
fn introductions_that_do_not_hold_are_refused() {
    roomy(|| {
        let bob = Person::new("bob");
        let honest = |dave: &mut Stranger, alice: &mut Person| Introduction {
            rest: None,
            log: dave.log("dave", relay()),
            bundle: dave.bundle(),
            welcome: dave.welcome(alice),
        };
        type Spoil = fn(&mut Introduction, &mut Stranger, &mut Person, &Person);
        let spoil: [(&str, Spoil); 9] = [
            ("a name at another relay", |i, d, _, _| i.log = d.log("dave", RelayId([8; 32]))),
            ("somebody else's log", |i, _, _, b| i.log.clone_from(&b.log)),
            ("somebody else's log and bundle", |i, _, _, b| {
                i.log.clone_from(&b.log);
                i.bundle.clone_from(&b.keys.bundle.0);
            }),
            ("our own log and bundle", |i, _, a, _| {
                i.log.clone_from(&a.log);
                i.bundle.clone_from(&a.keys.bundle.0);
            }),
            ("a bundle of another device", |i, _, _, b| i.bundle.clone_from(&b.keys.bundle.0)),
            ("a log that was tampered with", |i, _, _, _| i.log[60] ^= 1),
            ("a welcome that was tampered with", |i, _, _, _| {
                let middle = i.welcome.len() / 2;
                i.welcome[middle] ^= 1;
            }),
            ("a welcome of somebody else's group", |i, _, a, _| {
                i.welcome = Stranger::new(99).welcome(a);
            }),
            ("another relay's order", |i, d, a, _| i.welcome = d.welcome_in_order_of([8; 32], a)),
        ];
        for (what, spoil) in spoil {
            let (mut alice, mut dave) = (Person::new("alice"), Stranger::new(2));
            let mut introduction = honest(&mut dave, &mut alice);
            spoil(&mut introduction, &mut dave, &mut alice, &bob);
            let envelopes = dave.introduces(&alice, &introduction);
            let effects = alice.gets(&envelopes);
            assert!(effects.events.is_empty() && names(&alice).is_empty(), "{what}");
            assert_eq!(alice.engine.refused().introductions, 1, "{what}");
            // The same person, honestly: a refused introduction spoils nothing.
            let introduction = honest(&mut dave, &mut alice);
            let envelopes = dave.introduces(&alice, &introduction);
            let _ = alice.gets(&envelopes);
            assert_eq!(names(&alice), ["dave"], "after {what}");
        }
    });
}

#[test]
fn bytes_that_are_not_what_was_announced_are_refused() {
    roomy(|| {
        let (mut alice, mut dave) = (Person::new("alice"), Stranger::new(3));
        let introduction = Introduction {
            log: dave.log("dave", relay()),
            bundle: dave.bundle(),
            welcome: dave.welcome(&mut alice),
            rest: None,
        };
        let envelopes = dave.sends(&alice, &introduction.encode(), [1; 32]);
        let _ = alice.gets(&envelopes);
        let envelopes = dave.sends(&alice, b"not an introduction", Sha256::digest(b"not an introduction").into());
        let _ = alice.gets(&envelopes);
        assert_eq!((names(&alice).len(), alice.engine.refused().introductions), (0, 2));
    });
}

/// Messages overtake the introduction, its fragments overtake the hello, and the machine restarts in between.
#[test]
fn everything_may_overtake_the_hello() {
    roomy(|| {
        let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
        let mut envelopes = alice.adds(&mut bob);
        let chat = alice.chat_with(&bob);
        for text in ["first", "second"] {
            envelopes.extend(alice.says(chat, text).1.gossip);
        }
        let last = envelopes.len() - 1;
        for (number, envelope) in envelopes.into_iter().rev().enumerate() {
            let effects = bob.takes(Input::Gossip(envelope));
            if number == last {
                assert_eq!(added(&effects), ["first", "second"], "all at once, in order");
            }
            bob.restarts();
        }
        assert_eq!(bob.texts(chat), ["first", "second"]);
    });
}

/// Both add each other at once: two groups, one conversation, each side reads both, and in the end both write to the
/// same one; nothing overtakes.
#[test]
fn both_add_each_other_at_once() {
    roomy(|| {
        let (mut alice, mut bob) = (Person::new("alice"), Person::new("bob"));
        let to_bob = alice.adds(&mut bob);
        let to_alice = bob.adds(&mut alice);
        let chat = alice.chat_with(&bob);
        let a1 = alice.says(chat, "a1").1.gossip;
        let b1 = bob.says(chat, "b1").1.gossip;
        let _ = alice.gets(&to_alice);
        let _ = bob.gets(&to_bob);
        // Sent while the first of each is unconfirmed: it must not overtake, in whichever group it goes.
        let a2 = alice.says(chat, "a2").1.gossip;
        let b2 = bob.says(chat, "b2").1.gossip;
        assert!(added(&alice.gets(&b2)).is_empty(), "b1 is missing");
        assert!(added(&bob.gets(&a2)).is_empty(), "a1 is missing");
        assert_eq!(added(&alice.gets(&b1)), ["b1", "b2"]);
        assert_eq!(added(&bob.gets(&a1)), ["a1", "a2"]);
        let from_bob = bob.waits().gossip;
        let _ = alice.gets(&from_bob);
        let from_alice = alice.waits().gossip;
        let _ = bob.gets(&from_alice);
        // Everything is confirmed: from here on both write to the same group, so each expects the other's tags there.
        let a3 = alice.says(chat, "a3").1.gossip;
        let b3 = bob.says(chat, "b3").1.gossip;
        assert_eq!(added(&alice.gets(&b3)), ["b3"]);
        assert_eq!(added(&bob.gets(&a3)), ["a3"]);
        assert_eq!(names(&alice), ["bob"]);
        let theirs = |who: &Person| -> Vec<String> {
            let history = who.history(chat);
            let texts = who.texts(chat);
            history.iter().zip(texts).filter(|(m, _)| !m.own).map(|(_, t)| t).collect()
        };
        assert_eq!((theirs(&alice), theirs(&bob)), (words("b1 b2 b3"), words("a1 a2 a3")));
    });
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Somebody who introduces themselves under a name that is another's is not shown under it, whoever came first.
#[test]
fn a_name_belongs_to_whom_the_directory_says() {
    roomy(|| {
        let mut alice = Person::new("alice");
        let mut bob = Person::new("bob");
        let mut impostor = Stranger::new(4).called("bob");
        let introduction = Introduction {
            rest: None,
            log: impostor.log("bob", relay()),
            bundle: impostor.bundle(),
            welcome: impostor.welcome(&mut alice),
        };
        let envelopes = impostor.introduces(&alice, &introduction);
        let _ = alice.gets(&envelopes);
        assert_eq!(names(&alice), ["bob"], "nobody else claims it yet");
        // The real one introduces himself: two claims, so the directory is asked.
        let hello = bob.adds(&mut alice);
        let effects = alice.gets(&hello);
        let [lookup] = &effects.lookups[..] else { panic!("{effects:?}") };
        let effects = alice.is_told(lookup, Ok(bob.entry()));
        assert!(effects.replies.is_empty());
        let contacts = alice.engine.contacts(&alice.kv).unwrap();
        let real = contacts.iter().find(|c| c.username == "bob").expect("bob");
        assert_eq!(real.account, bob.engine.account().unwrap().account);
        let other = contacts.iter().find(|c| c.account == impostor.identity.account()).expect("the impostor");
        assert!(other.username.starts_with("unproven-"), "{}", other.username);
        let (_, known) = alice.does(Command::AddContact { username: "bob".into() });
        assert!(matches!(&known.replies[..], [(_, Ok(Reply::Contact(c)))] if c.account == real.account));
    });
}

/// Adding somebody who introduced themselves under a name asks the directory before it believes them.
#[test]
fn adding_a_name_never_leads_to_an_impostor() {
    roomy(|| {
        let mut alice = Person::new("alice");
        let mut bob = Person::new("bob");
        let mut impostor = Stranger::new(5).called("bob");
        let introduction = Introduction {
            rest: None,
            log: impostor.log("bob", relay()),
            bundle: impostor.bundle(),
            welcome: impostor.welcome(&mut alice),
        };
        let envelopes = impostor.introduces(&alice, &introduction);
        let _ = alice.gets(&envelopes);
        let hello = alice.adds(&mut bob);
        let _ = bob.gets(&hello);
        let chat = alice.chat_with(&bob);
        let (_, said) = alice.says(chat, "for the real bob");
        assert_eq!(added(&bob.gets(&said.gossip)), ["for the real bob"]);
        let own = alice.engine.account().unwrap().account;
        assert_ne!(chat, ConversationId::direct(&own, &impostor.identity.account()));
        let shown = names(&alice);
        assert!(shown[0] == "bob" && shown[1].starts_with("unproven-"), "{shown:?}");
    });
}

/// A flood of hellos pushes out hellos, not contacts; an honest introduction afterwards is heard.
#[test]
fn a_flood_of_hellos_is_bounded() {
    roomy(|| {
        let (mut alice, mut dave) = (Person::new("alice"), Stranger::new(6));
        for n in 0..livechat_engine::limits::HELLOS as u64 + 30 {
            let bytes = n.to_be_bytes().repeat(400);
            let announced = dave.sends(&alice, &bytes, Sha256::digest(&bytes).into());
            // The second fragment never comes.
            let _ = alice.gets(&announced[..2]);
            alice.now += 10;
        }
        let (mut bob, mut other) = (Person::new("bob"), Person::new("carol"));
        let hello = bob.adds(&mut alice);
        let _ = alice.gets(&hello);
        alice.restarts();
        let hello = other.adds(&mut alice);
        let _ = alice.gets(&hello);
        assert_eq!(names(&alice), ["bob", "carol"]);
        let _ = accept(&mut other, &hello);
    });
}
