//! A seeded ordeal: people chat while everything goes wrong, then the world heals, and every acknowledged message must
//! be where it belongs, once, in order, in bounded time (P1, P6).

use std::collections::{BTreeMap, BTreeSet};

use livechat_engine::view::{Message, MessageBody};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::person::WITHDRAWN;
use super::{Faults, World, mins, secs};

/// Who takes part.
pub const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];
/// How long after healing everything must be in place (P6).
pub const BOUND: u64 = secs(10);

/// What an ordeal came to.
#[derive(Debug)]
pub struct Outcome {
    /// Milliseconds from healing until everything was in place; `None` when that never happened.
    pub settled_in: Option<u64>,
    /// What was wrong at the end, in words; empty when nothing was.
    pub complaints: Vec<String>,
    /// Hash of everything that happened.
    pub trace: [u8; 32],
    /// How many messages were acknowledged.
    pub acknowledged: usize,
    /// How many commits were put in order.
    pub ordered: usize,
}

/// Whether there is a night in the middle of the ordeal with this number: all machines are off for a day, so that all
/// keys are old afterwards.
#[must_use]
pub fn has_a_night(seed: u64) -> bool {
    seed.is_multiple_of(3)
}

/// Whether somebody has two machines in the ordeal with this number.
#[must_use]
pub fn has_two_devices(seed: u64) -> bool {
    seed % 4 == 2
}

/// Alice's other machine.
const OTHER: &str = "alice-2";

/// The chats begin, and alice's other machine comes into hers, before anything goes wrong: what was said before it came
/// it would never have.
fn link_other(world: &mut World) {
    world.person("alice").adds("bob");
    world.run_for(secs(10));
    world.person("alice").links(OTHER);
    let there = |w: &World| w.people.contains_key(OTHER) && w.conversation(OTHER, "bob").is_some();
    assert!(world.run_until(mins(2), there).is_some(), "seed {}: {OTHER} came into the chat", world.seed());
    world.run_for(secs(5));
}

/// Plays the ordeal with this number.
#[must_use]
pub fn play(seed: u64, prepare: impl FnOnce(&mut World)) -> Outcome {
    let mut world = World::of(&PEOPLE, seed);
    world.relay.page = 7;
    prepare(&mut world);
    let two = has_two_devices(seed);
    if two {
        link_other(&mut world);
    }
    let machines: Vec<&str> = PEOPLE.into_iter().chain(two.then_some(OTHER)).collect();
    let mut dice = ChaCha20Rng::seed_from_u64(seed ^ 0x5eed);
    let cruel = Faults::CRUEL;
    world.faults(Faults {
        loss: dice.next_u64() % (cruel.loss + 1),
        duplicate: dice.next_u64() % (cruel.duplicate + 1),
        delay_max: secs(1) / 10 + dice.next_u64() % cruel.delay_max,
        relay_loss: dice.next_u64() % (cruel.relay_loss + 1),
        crash: dice.next_u64() % (cruel.crash + 1),
        ..cruel
    });
    // Half of the time both add each other at once.
    world.person("alice").adds("bob");
    world.person("carol").adds("bob");
    if dice.next_u64().is_multiple_of(2) {
        world.person("bob").adds("alice");
    }
    let mut said = 0;
    let mut texts: Vec<((&str, &str), String)> = Vec::new();
    for round in 0..12 {
        if round == 6 && has_a_night(seed) {
            machines.iter().for_each(|who| world.crash(who));
            world.run_for(mins(25 * 60));
            machines.iter().for_each(|who| world.restart(who));
            // Renewals come within two minutes and in the rounds that follow, and go wrong like everything else.
            world.run_for(mins(3));
        }
        world.run_for(dice.next_u64() % secs(8));
        match dice.next_u64() % 8 {
            0 => world.islands(&[&["alice"]]),
            1 => world.islands(&[&["alice", "bob"]]),
            2 => world.islands(&[&["bob"], &["carol"]]),
            3 => world.islands(&[]),
            _ => {}
        }
        for _ in 0..1 + dice.next_u64() % 3 {
            said += 1;
            let pairs = [("alice", "bob"), ("bob", "alice"), ("carol", "bob"), ("bob", "carol")];
            let (from, to) = pairs[usize::try_from(dice.next_u64() % 4).unwrap_or(0)];
            let from = if two && from == "alice" && dice.next_u64().is_multiple_of(2) { OTHER } else { from };
            // One in eight takes several envelopes.
            let long = if dice.next_u64().is_multiple_of(8) { "·".repeat(1_500) } else { String::new() };
            let text = format!("{said} from {from} to {to}{long}");
            match texts.get(usize::try_from(dice.next_u64() % 16).unwrap_or(0)) {
                // Sometimes in answer to one of the first.
                Some((_, about)) => world.person(from).answers(to, about, &text),
                None => world.person(from).says(&text).to(to),
            }
            texts.push(((from, to), text));
        }
        for _ in 0..dice.next_u64() % 4 {
            do_something(&mut world, &mut dice, &mut texts);
        }
        if dice.next_u64().is_multiple_of(4) {
            world.person("bob").reads("alice");
        }
    }
    world.run_for(secs(2));
    world.heal();
    let settled_in = world.run_until(3 * BOUND, |w| w.is_idle() && complaints(w).is_empty());
    let acknowledged = world.people.values().map(|p| p.acknowledged.len()).sum();
    let ordered = world.relay.ordered();
    Outcome { settled_in, complaints: complaints(&world), trace: world.trace(), acknowledged, ordered }
}

/// Somebody edits, withdraws or reacts to something that was said.
fn do_something(world: &mut World, dice: &mut ChaCha20Rng, texts: &mut [((&str, &str), String)]) {
    let any = usize::try_from(dice.next_u64()).unwrap_or(0) % texts.len();
    let ((from, to), text) = &mut texts[any];
    match dice.next_u64() % 4 {
        0 => world.person(from).withdraws(to, text),
        1 => {
            let edited = format!("{text}, edited");
            world.person(from).edits(to, text, &edited);
            *text = edited;
        }
        _ => {
            let author = if *from == OTHER { "alice" } else { *from };
            let (who, with) = if dice.next_u64().is_multiple_of(2) { (*from, *to) } else { (*to, author) };
            let emoji = ["👍", "❤️"][usize::from(dice.next_u64().is_multiple_of(2))];
            world.person(who).reacts(with, text, emoji, !dice.next_u64().is_multiple_of(3));
        }
    }
}

/// What all readers of a conversation must agree on about each message, however it came about. What somebody says who
/// was removed meanwhile may reach one and not the other.
pub(super) fn shared(history: &[Message], outside: &BTreeSet<String>) -> BTreeSet<String> {
    let show = |m: &Message| {
        let by = |names: &[String]| names.iter().filter(|n| !outside.contains(*n)).cloned().collect::<BTreeSet<_>>();
        let reactions: Vec<_> = m.reactions.iter().map(|r| (&r.emoji, by(&r.by))).filter(|r| !r.1.is_empty()).collect();
        let quote = m.reply_to.as_ref().filter(|q| !outside.contains(&q.author_name)).map(|q| (q.id, q.text.clone()));
        format!("{} {} {:?} {:?} {reactions:?} {quote:?} {}", m.author_name, m.id, m.body, m.edited_at, m.forwarded)
    };
    let said = |m: &&Message| !matches!(m.body, MessageBody::Notice { .. }) && !outside.contains(&m.author_name);
    history.iter().filter(said).map(show).collect()
}

/// Every way in which histories differ from what was acknowledged.
#[must_use]
pub fn complaints(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    // Everybody's machines.
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, person) in &world.people {
        owners.entry(&person.username).or_default().push(name);
        found.extend(person.failures.iter().map(|error| format!("{name} was refused: {error}")));
        if world.queued(name) > 0 {
            found.push(format!("{} messages of {name} are still queued", world.queued(name)));
        }
    }
    let pairs = owners.iter().flat_map(|a| owners.iter().filter(move |b| a.0 != b.0).map(move |b| (a, b)));
    for ((author, machines), (reader, others)) in pairs {
        let to_reader = |machine: &&str| -> Vec<&str> {
            let said = &world.people[*machine].acknowledged;
            said.iter().filter(|(to, _)| to == reader).map(|(_, text)| text.as_str()).collect()
        };
        let said: Vec<Vec<&str>> = machines.iter().map(to_reader).collect();
        // What the author's own history says, on each machine, and the reader's.
        let own = machines.iter().map(|at| (*at, *reader));
        let mut first: Option<BTreeSet<String>> = None;
        for (at, with) in own.chain(others.iter().map(|at| (*at, *author))) {
            let history = world.history(at, with);
            // That somebody's devices come and go is nobody's word.
            let said_by = |m: &&Message| m.author_name == **author && !matches!(m.body, MessageBody::Notice { .. });
            let theirs = history.iter().filter(said_by);
            let read: Vec<&str> = theirs.map(text).collect();
            if !is_merged_of(&read, &said) {
                let said: Vec<_> = said.iter().map(|s| shorten(s)).collect();
                found.push(format!("{at} reads {} of {author}'s words {said:?}", shorten(&read)));
            }
            if with == *author {
                found.extend(history.iter().filter(|m| m.gap).map(|m| format!("{at} sees a gap above {}", m.id)));
            }
            let all = shared(&history, &BTreeSet::new());
            for only in first.get_or_insert_with(|| all.clone()).symmetric_difference(&all) {
                let only: String = only.chars().take(90).collect();
                found.push(format!("{at} and {} don't agree about {only}", machines[0]));
            }
        }
    }
    found
}

/// Whether a history is what one or two machines said, in the order of each.
fn is_merged_of(read: &[&str], said: &[Vec<&str>]) -> bool {
    let nothing = Vec::new();
    let (one, two) = (said.first().unwrap_or(&nothing), said.get(1).unwrap_or(&nothing));
    if said.len() > 2 || read.len() != one.len() + two.len() {
        return false;
    }
    // Which numbers of the first machine's words may be among the words read so far.
    let mut ways = BTreeSet::from([0]);
    for (n, word) in read.iter().enumerate() {
        let next = |a: usize| {
            let from_one = (one.get(a) == Some(word)).then_some(a + 1);
            let from_two = n.checked_sub(a).and_then(|b| two.get(b)).filter(|w| *w == word).map(|_| a);
            from_one.into_iter().chain(from_two)
        };
        ways = ways.into_iter().flat_map(next).collect();
    }
    ways.contains(&one.len())
}

fn text(message: &Message) -> &str {
    match &message.body {
        MessageBody::Text { text } => text,
        MessageBody::File { .. } => "(a file)",
        MessageBody::Notice { .. } => "(a notice)",
        MessageBody::NeedsNewerVersion { .. } => "(a newer kind)",
        MessageBody::Deleted => WITHDRAWN,
        MessageBody::Timer { .. } => "(a timer)",
    }
}

fn shorten(texts: &[&str]) -> String {
    let short: Vec<String> = texts.iter().map(|t| t.chars().take(24).collect()).collect();
    format!("{short:?}")
}
