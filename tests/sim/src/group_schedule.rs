//! The ordeal with a group: people talk, some of them on two machines, admins change the group, often at once, while
//! everything goes wrong; then the world heals, and all machines of those who are in it see the same group, and
//! everything that was said (P6).

use std::collections::BTreeSet;

use livechat_engine::view::{Membership, MessageBody, Role};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::person::WITHDRAWN;
use super::schedule::{Outcome, shared};
use super::{Faults, World, secs};

/// How long after healing everything must be in place. Two times what direct chats get: a commit that collides is made
/// again on the next epoch, and then its Welcomes travel.
pub const BOUND: u64 = secs(20);
/// What the group is called in the story.
pub const GROUP: &str = "g";

/// Names of people: p00, p01 …
#[must_use]
pub fn names(size: usize) -> Vec<String> {
    (0..size).map(|n| format!("p{n:03}")).collect()
}

/// A group of so many, founded by the first, without any fault.
///
/// # Panics
/// When not everybody is in it after ten simulated minutes.
#[must_use]
pub fn founded(size: usize, seed: u64) -> World {
    let names = names(size);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut world = World::of(&names, seed);
    world.person(names[0]).founds(GROUP, &names[1..]);
    let founded = world.run_until(secs(600), |w| w.is_idle() && disagreements(w).is_empty());
    assert!(founded.is_some(), "seed {seed}: {:?}", disagreements(&world));
    world
}

/// Whether somebody is away from the relay for so long in the ordeal with this number that deputies act.
#[must_use]
pub fn goes_without_the_relay(seed: u64) -> bool {
    seed.is_multiple_of(3)
}

/// A machine that somebody has beside their first, in the ordeal with this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Second {
    /// Nobody has one.
    None,
    /// It is in the group from the beginning, and both are spoken on.
    Speaks,
    /// It comes into the account, and so into the group, while everything goes wrong.
    Comes,
    /// It is there from the beginning and is removed while everything goes wrong.
    Goes,
}

impl Second {
    /// Three of four ordeals have one.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        [Self::Speaks, Self::Comes, Self::None, Self::Goes][usize::try_from(seed % 4).unwrap_or(0)]
    }
}

/// How long after healing everything must be in place in the ordeal with this number: devices wait for their turn
/// before they take another in or out, and for what it publishes.
#[must_use]
pub fn bound(seed: u64) -> u64 {
    if matches!(Second::of(seed), Second::Comes | Second::Goes) { 6 * BOUND } else { BOUND }
}

/// Somebody lets a further machine into their account, and it comes into the group.
fn link(world: &mut World, owner: &str, machine: &str) {
    world.person(owner).links(machine);
    let there = |w: &World| w.people.contains_key(machine) && w.group(machine, GROUP).is_some();
    assert!(world.run_until(secs(120), there).is_some(), "seed {}: {machine} came into the group", world.seed());
    world.run_for(secs(5));
}

/// Plays the ordeal with this number.
#[must_use]
pub fn play(seed: u64, size: usize, prepare: impl FnOnce(&mut World)) -> Outcome {
    let mut dice = ChaCha20Rng::seed_from_u64(seed ^ 0x6009);
    let mut pick = |n: usize| usize::try_from(dice.next_u64() % n.max(1) as u64).unwrap_or(0);
    let names = names(size);
    let mut world = founded(size, seed);
    let admins = size.min(3);
    for admin in &names[1..admins] {
        world.person(&names[0]).makes(admin, Role::Admin, GROUP);
    }
    world.run_for(secs(8));
    let (second, owner) = (Second::of(seed), &names[pick(admins)]);
    let machine = format!("{owner}-2");
    // A request brings no further machine in.
    world.person(owner).accepts(GROUP);
    if matches!(second, Second::Speaks | Second::Goes) {
        link(&mut world, owner, &machine);
    }
    // Those on which somebody says something.
    let mut machines = names.clone();
    machines.extend((second == Second::Speaks).then(|| machine.clone()));
    prepare(&mut world);
    let cruel = Faults::CRUEL;
    world.faults(Faults { delay_max: 100 + pick(3_000) as u64, crash: pick(20) as u64, ..cruel });
    let mut outside = BTreeSet::new();
    let mut texts: Vec<(String, String)> = Vec::new();
    for round in 0..10 {
        world.run_for(pick(6_000) as u64);
        if round == 5 && goes_without_the_relay(seed) {
            // Half of them for so long that admins put removals in order themselves; the others go on with the relay.
            let half: Vec<&str> = names.iter().step_by(2).map(String::as_str).collect();
            world.islands(&[&half]);
            world.person(&names[1]).calls(GROUP, &format!("title {round} with the relay"));
            if size > 3 && outside.insert(names[size - 1].clone()) {
                world.person(&names[0]).removes(&names[size - 1], GROUP);
            }
            world.run_for(secs(100));
        }
        match second {
            Second::Comes if round == 3 => world.person(owner).links(&machine),
            Second::Goes if round == 4 => world.person(owner).unlinks(&machine),
            _ => {}
        }
        match pick(6) {
            0 => world.islands(&[&[machines[pick(machines.len())].as_str()]]),
            1 => {
                let half: Vec<&str> = names.iter().step_by(2).map(String::as_str).collect();
                world.islands(&[&half]);
            }
            2 => world.islands(&[]),
            _ => {}
        }
        for n in 0..1 + pick(3) {
            let who = &machines[pick(machines.len())];
            if !outside.contains(who) {
                let text = format!("{round}.{n} by {who}");
                match texts.get(pick(12)) {
                    // Sometimes in answer to one of the first.
                    Some((_, about)) => world.person(who).answers(GROUP, about, &text),
                    None => world.person(who).says(&text).in_group(GROUP),
                }
                texts.push((who.clone(), text));
            }
        }
        for _ in 0..pick(4) {
            let who = &machines[pick(machines.len())];
            if !outside.contains(who) {
                let about = pick(texts.len());
                do_something(&mut world, who, texts.get_mut(about), pick(4));
            }
        }
        // Whoever may, at once.
        for admin in &names[..admins] {
            match pick(5) {
                0 => world.person(admin).calls(GROUP, &format!("title {round} of {admin}")),
                1 if size > 3 => {
                    let whom = &names[admins + pick(size - admins)];
                    // Once out, somebody stays out of the play: what they say is nobody's to read.
                    if outside.insert(whom.clone()) {
                        world.person(admin).removes(whom, GROUP);
                    }
                }
                _ => {}
            }
        }
    }
    world.run_for(secs(2));
    world.heal();
    let settled_in = world.run_until(6 * bound(seed), |w| w.is_idle() && complaints(w, &outside).is_empty());
    let acknowledged = world.people.values().map(|p| p.acknowledged.len()).sum();
    let ordered = world.relay.ordered();
    Outcome { settled_in, complaints: complaints(&world, &outside), trace: world.trace(), acknowledged, ordered }
}

/// Somebody edits or withdraws what is theirs, and reacts to what isn't.
fn do_something(world: &mut World, who: &str, said: Option<&mut (String, String)>, what: usize) {
    let Some((author, text)) = said else { return };
    match what {
        0 if who == author => world.person(who).withdraws(GROUP, text),
        1 if who == author => {
            let edited = format!("{text}, edited");
            world.person(who).edits(GROUP, text, &edited);
            *text = edited;
        }
        0 => world.person(who).reacts(GROUP, text, "❤️", false),
        n => world.person(who).reacts(GROUP, text, ["❤️", "👍"][n % 2], true),
    }
}

/// Whoever is in the group by the founder's account must see what the founder sees.
#[must_use]
pub fn disagreements(world: &World) -> Vec<String> {
    let names: Vec<&String> = world.people.keys().collect();
    let Some(truth) = world.group(names[0], GROUP) else { return vec!["there is no group".into()] };
    let mut found = Vec::new();
    if truth.pending > 0 {
        found.push(format!("{} changes of {} are pending", truth.pending, names[0]));
    }
    if truth.forked {
        found.push("the founder sees a fork".into());
    }
    found.extend(world.waiting.keys().map(|machine| format!("{machine} waits to be let in")));
    let machines = |name: &str| -> Vec<&String> {
        world.people.iter().filter(|(_, p)| p.username == name).map(|(machine, _)| machine).collect()
    };
    for machine in truth.members.iter().flat_map(|m| machines(&m.username)).filter(|m| !world.is_removed(m)) {
        let Some(theirs) = world.group(machine, GROUP) else {
            found.push(format!("{machine} has no group"));
            continue;
        };
        let what = |g: &livechat_engine::view::Group| {
            let members: Vec<_> = g.members.iter().map(|m| (m.account, m.role)).collect();
            (g.epoch, g.authenticator.clone(), g.title.clone(), members)
        };
        if what(&theirs) != what(&truth) || theirs.standing != Membership::Joined || theirs.pending > 0 {
            found.push(format!(
                "{machine} is {:?} in epoch {} with {} members, {} pending; the founder in {} with {}",
                theirs.standing,
                theirs.epoch,
                theirs.members.len(),
                theirs.pending,
                truth.epoch,
                truth.members.len()
            ));
        }
    }
    found
}

/// Whether a machine reads everything: one that came later or went lacks what was said when it wasn't there.
fn reads_everything(world: &World, machine: &str) -> bool {
    machine == world.people[machine].username || Second::of(world.seed()) == Second::Speaks
}

/// Everything that is not as it should be; `outside` were removed on the way.
#[must_use]
pub fn complaints(world: &World, outside: &BTreeSet<String>) -> Vec<String> {
    let mut found = disagreements(world);
    let inside: Vec<&String> = world.people.keys().filter(|n| !outside.contains(*n)).collect();
    if Second::of(world.seed()) == Second::Goes {
        let gone = world.people.keys().filter(|m| world.people[*m].username != **m && !world.is_removed(m));
        found.extend(gone.map(|machine| format!("{machine} was removed and doesn't know")));
    }
    for name in outside {
        if world.group(name, GROUP).is_some_and(|g| g.standing == Membership::Joined) {
            found.push(format!("{name} was removed and doesn't know"));
        }
    }
    let mut said: Vec<(&str, &str)> = Vec::new();
    for name in &inside {
        let person = &world.people[*name];
        said.extend(person.acknowledged.iter().map(|(_, text)| (person.username.as_str(), text.as_str())));
        found.extend(person.failures.iter().map(|e| format!("{name} was refused: {e}")));
        if world.queued(name) > 0 {
            found.push(format!("{} messages of {name} are still queued", world.queued(name)));
        }
    }
    // Whoever had not got what was withdrawn doesn't get it any more.
    said.retain(|(_, text)| *text != WITHDRAWN);
    said.sort_unstable();
    let mut first = None;
    for name in inside.iter().filter(|machine| reads_everything(world, machine)) {
        let mut history = world.group_history(name, GROUP);
        history.retain(|m| !matches!(m.body, MessageBody::Deleted));
        let mut read: Vec<(&str, &str)> = Vec::new();
        for message in &history {
            let MessageBody::Text { text } = &message.body else { continue };
            if !outside.contains(&message.author_name) {
                read.push((&message.author_name, text));
            }
        }
        let state = shared(&history, outside);
        let first = first.get_or_insert_with(|| state.clone());
        for only in state.symmetric_difference(first) {
            let only: String = only.chars().take(120).collect();
            found.push(format!("{name} and {} don't agree about {only}", inside[0]));
        }
        read.sort_unstable();
        if read != said {
            let missing: Vec<_> = said.iter().filter(|s| !read.contains(s)).collect();
            let extra: Vec<_> = read.iter().filter(|s| !said.contains(s)).collect();
            let refused = world.refused(name);
            let counts = format!("{} of {}", read.len(), said.len());
            found.push(format!("{name} misses {missing:?}, has besides {extra:?}, {counts}; refused {refused:?}"));
        }
    }
    found
}
