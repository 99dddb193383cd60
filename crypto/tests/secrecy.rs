//! P13: what a stolen state opens. Everything that a device has is copied at step k of a conversation of three; the
//! thief also has every message and every commit that ever went round.
//!
//! Nothing said before k opens (forward secrecy), what is said after k does (or the thief has stolen nothing), and
//! nothing does any more once the robbed device has committed a new key (post-compromise security). Between theft and
//! healing the thief follows every commit of the others.

#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap")]

mod support;

use livechat_crypto::identity::Identity;
use livechat_crypto::kv::MemoryKv;
use livechat_crypto::mls::{Change, GroupId, PeerDevice};
use livechat_wire::group::Charter;
use support::{Person, with_stack};

/// How often one of the three does something.
const STEPS: usize = 60;
/// A device renews its leaf after so many of its own steps.
const RENEWAL: usize = 5;

/// Something that went round.
#[derive(Clone)]
enum Sent {
    Message { from: usize, bytes: Vec<u8> },
    Commit { from: usize, bytes: Vec<u8> },
}

/// A device's keys and store, as they were.
struct Stolen {
    step: usize,
    identity: Vec<u8>,
    kv: MemoryKv,
}

struct Village {
    people: Vec<Person>,
    group: GroupId,
    sent: Vec<Sent>,
    /// The victim's state before each step.
    stolen: Vec<Stolen>,
}

const VICTIM: usize = 1;

fn founded() -> (Vec<Person>, GroupId) {
    let mut people: Vec<_> = (1..=3).map(Person::new).collect();
    let charter = Charter::new("Bergfahrt".into(), people[0].identity.account(), [9; 32]);
    let records: Vec<_> = people.iter().map(Person::record).collect();
    let group = people[0].session().found_room(&charter, &records[0]).unwrap();
    let packages: Vec<_> = (1..3).map(|i| people[i].key_package(false)).collect();
    let (founder, others) = people.split_at_mut(1);
    let peers: Vec<PeerDevice<'_>> = others.iter().zip(&packages).map(|(p, k)| p.peer(k)).collect();
    let change = Change { add: &peers, ..Change::default() };
    let staged = founder[0].session().stage_commit(&group, change, &records[0]).unwrap();
    founder[0].session().merge_staged(&group).unwrap();
    for (person, welcome) in others.iter_mut().zip(&staged.welcomes) {
        person.session().join(welcome).unwrap();
    }
    (people, group)
}

impl Village {
    /// Everybody speaks in turn, and renews now and then; everybody reads at once.
    fn played(heals: bool) -> Self {
        let (people, group) = founded();
        let mut this = Self { people, group, sent: Vec::new(), stolen: Vec::new() };
        for step in 0..STEPS {
            let victim = &this.people[VICTIM];
            let identity = victim.identity.encode().to_vec();
            this.stolen.push(Stolen { step: this.sent.len(), identity, kv: victim.kv.clone() });
            let from = step % 3;
            let renews = (step / 3) % RENEWAL == RENEWAL - 1 && (heals || from != VICTIM);
            let sent = if renews { this.renewal(from) } else { this.message(from, step) };
            for (reader, person) in this.people.iter_mut().enumerate().filter(|(r, _)| *r != from) {
                match &sent {
                    Sent::Message { bytes, .. } => assert!(person.session().decrypt(&this.group, bytes).is_ok()),
                    Sent::Commit { bytes, .. } => {
                        assert!(person.session().apply_commit(&this.group, bytes).is_ok(), "{reader} at {step}");
                    }
                }
            }
            this.sent.push(sent);
        }
        this
    }

    fn message(&mut self, from: usize, step: usize) -> Sent {
        let text = format!("step {step}");
        let bytes = self.people[from].session().encrypt(&self.group, text.as_bytes(), b"").unwrap().message;
        Sent::Message { from, bytes }
    }

    fn renewal(&mut self, from: usize) -> Sent {
        let own = self.people[from].record();
        let mut session = self.people[from].session();
        let keys = session.order_keys(&self.group).unwrap();
        let change = Change { renew: true, ..Change::default() };
        let staged = session.stage_commit(&self.group, change, &own).unwrap();
        session.merge_staged(&self.group).unwrap();
        // The thief is given what the seal around commits hides.
        Sent::Commit { from, bytes: keys.open(&staged.sealed).unwrap() }
    }

    /// Which of the messages open with `stolen`, all that was ever sent being tried in order.
    fn opened(&self, stolen: &Stolen) -> Vec<usize> {
        let mut thief = Person::new(99);
        thief.identity = Identity::decode(&stolen.identity).unwrap();
        thief.kv = stolen.kv.clone();
        let mut opened = Vec::new();
        for (n, sent) in self.sent.iter().enumerate() {
            match sent {
                // What the victim says is known from the victim's screen, not from MLS: a sender deletes its keys.
                Sent::Message { from, bytes }
                    if *from != VICTIM && thief.session().decrypt(&self.group, bytes).is_ok() =>
                {
                    opened.push(n);
                }
                Sent::Commit { bytes, .. } if n >= stolen.step => {
                    // The thief takes what they can follow.
                    drop(thief.session().apply_commit(&self.group, bytes));
                }
                _ => {}
            }
        }
        opened
    }

    /// When the victim next renewed after `step`.
    fn healed_after(&self, step: usize) -> usize {
        let heals = |s: &Sent| matches!(s, Sent::Commit { from: VICTIM, .. });
        (step..self.sent.len()).find(|n| heals(&self.sent[*n])).unwrap_or(self.sent.len())
    }

    /// What the promise says must open for nobody: before the theft, or after the healing.
    fn broken(&self) -> (usize, Vec<(usize, usize)>) {
        let (mut read_between, mut broken) = (0, Vec::new());
        for stolen in &self.stolen {
            let healed = self.healed_after(stolen.step);
            for n in self.opened(stolen) {
                if n < stolen.step || n > healed {
                    broken.push((stolen.step, n));
                } else {
                    read_between += 1;
                }
            }
        }
        (read_between, broken)
    }
}

#[test]
fn p13_a_stolen_state_opens_nothing_before_and_nothing_after_healing() {
    with_stack(|| {
        let village = Village::played(true);
        let (read_between, broken) = village.broken();
        assert!(broken.is_empty(), "(stolen at, opened): {broken:?}");
        assert!(read_between > STEPS, "the thief stole nothing: only {read_between} messages");
        println!("{STEPS} thefts: 0 messages from before, 0 from after healing, {read_between} between");
    });
}

/// Controls: a device that keeps its old states, and one that never renews, are both noticed.
#[test]
fn p13_control_kept_keys_and_missing_renewals_are_noticed() {
    with_stack(|| {
        let mut hoarder = Village::played(true);
        // What is stolen is as the device was at the beginning: nothing was ever deleted.
        let first = hoarder.stolen[0].kv.clone();
        for stolen in &mut hoarder.stolen {
            stolen.kv = first.clone();
        }
        assert!(!hoarder.broken().1.is_empty(), "keys are kept and nobody notices");

        // The victim never renews: whoever robbed it at the beginning still reads the end.
        let lazy = Village::played(false);
        let last = lazy.sent.iter().rposition(|s| matches!(s, Sent::Message { from, .. } if *from != VICTIM));
        assert!(lazy.opened(&lazy.stolen[0]).contains(&last.unwrap()), "the thief lost track without a healing");
    });
}
