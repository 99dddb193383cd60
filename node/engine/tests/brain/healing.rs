//! Direct chats get new keys (P13, R-68), and what is said under them keeps its place (P6).

use livechat_crypto::envelope::EnvelopeKeys;
use livechat_crypto::kv::MemoryKv;
use livechat_crypto::mls::GroupId;
use livechat_engine::{Command, Engine};
use livechat_wire::payload::Message;
use livechat_wire::{ConversationId, Envelope};

use crate::circle::Circle;
use crate::rig::{Person, roomy};

const A: usize = 0;
const B: usize = 1;
const DAY: u64 = 86_400_000;

/// Longer than any pause before a renewal, in seconds.
const PAUSE: u64 = livechat_engine::limits::RENEW_PAUSE_MAX / 1_000 + 5;

fn talks(world: &mut Circle, who: usize, at: ConversationId, lines: std::ops::Range<u32>) {
    for n in lines {
        world.says(who, at, &format!("line {n}"));
        world.carry();
    }
}

fn time_passes(world: &mut Circle, milliseconds: u64) {
    world.people.iter_mut().for_each(|p| p.now += milliseconds);
}

#[test]
fn a_direct_chat_heals_after_fifty_messages_and_after_a_day_of_use() {
    roomy(|| {
        let mut world = Circle::of(&["alice", "bob"]);
        let at = world.meet(A, B);
        let begun = world.epoch_with(A, B);
        talks(&mut world, A, at, 0..49);
        world.settle(PAUSE);
        assert_eq!((world.epoch_with(A, B), world.slots.len()), (begun, 0));
        talks(&mut world, A, at, 49..50);
        world.settle(8);
        assert!(world.slots.is_empty(), "not right after a message");
        world.settle(PAUSE);
        for who in [A, B] {
            assert_eq!(world.epoch_with(who, 1 - who), begun + 1);
            assert_eq!(world.texts(who, at).len(), 50);
            assert_eq!(world.people[who].history(at).len(), 50, "nothing shows of it");
        }
        // Bob only read: what he will read must not be read by whoever robbed him before.
        time_passes(&mut world, DAY);
        world.settle(PAUSE);
        assert_eq!([world.epoch_with(A, B), world.epoch_with(B, A)], [begun + 2; 2], "bob does, alice needn't");
        for _ in 0..3 {
            time_passes(&mut world, DAY);
            world.settle(PAUSE);
        }
        assert_eq!(world.slots.len(), 2, "nothing was said since");
        talks(&mut world, B, at, 50..51);
        world.settle(5);
        assert_eq!(world.slots.len(), 2, "the keys are old, but that would echo the message");
        world.settle(PAUSE);
        assert_eq!([world.epoch_with(A, B), world.epoch_with(B, A)], [begun + 4; 2], "now both");
        for who in [A, B] {
            world.people[who].restarts();
            world.is_back(who);
        }
        world.says(A, at, "after all that");
        world.settle(5);
        assert_eq!(world.texts(B, at).last().expect("a text"), "alice: after all that");
    });
}

/// Nobody learns from a commit that somebody who didn't agree to talk is there.
#[test]
fn a_request_and_a_blocked_chat_are_not_renewed() {
    roomy(|| {
        let mut world = Circle::of(&["alice", "bob"]);
        let at = world.meet(A, B);
        world.does(B, Command::Block { conversation: at, blocked: true }).expect("possible");
        talks(&mut world, A, at, 0..50);
        time_passes(&mut world, DAY);
        world.settle(PAUSE);
        assert_eq!(world.slots.len(), 1, "alice's alone");
        assert_eq!(world.epoch_with(B, A), world.epoch_with(A, B), "which counts for bob too");
        world.does(B, Command::Block { conversation: at, blocked: false }).expect("possible");
        world.says(B, at, "sorry");
        world.settle(PAUSE);
        assert_eq!(world.texts(A, at).last().expect("a text"), "bob: sorry");
    });
}

/// The relay can't order: what is said goes on under the old keys, and they are renewed when it can again.
#[test]
fn while_nobody_orders_the_talk_goes_on() {
    roomy(|| {
        let mut world = Circle::of(&["alice", "bob"]);
        let at = world.meet(A, B);
        let begun = world.epoch_with(A, B);
        world.orders = false;
        talks(&mut world, A, at, 0..60);
        world.settle(PAUSE);
        talks(&mut world, B, at, 60..70);
        world.settle(10);
        assert_eq!([world.epoch_with(A, B), world.epoch_with(B, A)], [begun; 2]);
        assert_eq!((world.texts(A, at).len(), world.texts(B, at).len()), (70, 70));
        world.orders = true;
        world.settle(70);
        assert_eq!([world.epoch_with(A, B), world.epoch_with(B, A)], [begun + 1; 2]);
    });
}

/// Bob said something under the old keys, which is still under way when he says something under the new ones.
fn overtaking(prepare: impl FnOnce(&mut Person)) -> (Circle, ConversationId, Vec<Envelope>) {
    let mut world = Circle::of(&["alice", "bob"]);
    let at = world.meet(A, B);
    prepare(&mut world.people[A]);
    talks(&mut world, A, at, 0..50);
    // Bob's receipts go before: what he says is the last under those keys.
    world.settle(8);
    let old = world.says_in_vain(B, at, "old");
    let before = world.epoch_with(B, A);
    world.settle(PAUSE);
    assert_eq!([world.epoch_with(A, B), world.epoch_with(B, A)], [before + 1; 2]);
    world.says(B, at, "new");
    world.says(B, at, "newer");
    world.carry();
    (world, at, old)
}

fn bobs(world: &Circle, at: ConversationId) -> Vec<String> {
    world.texts(A, at).into_iter().filter(|t| t.starts_with("bob")).collect()
}

#[test]
fn what_is_said_under_new_keys_waits_for_what_was_said_under_old_ones() {
    roomy(|| {
        let (mut world, at, old) = overtaking(|_| {});
        assert!(bobs(&world, at).is_empty(), "the old one is missing");
        world.people[A].restarts();
        world.is_back(A);
        world.settle(2);
        assert!(bobs(&world, at).is_empty(), "also after a restart");
        world.published.extend(old);
        world.carry();
        assert_eq!(bobs(&world, at), ["bob: old", "bob: new", "bob: newer"]);

        let (mut world, at, old) = overtaking(|_| {});
        world.settle(livechat_engine::limits::HOLD / 1_000 + 1);
        assert_eq!(bobs(&world, at), ["bob: new", "bob: newer"], "waiting has an end");
        world.says(A, at, "did I miss anything?");
        world.published.extend(old);
        world.carry();
        assert_eq!(bobs(&world, at), ["bob: old", "bob: new", "bob: newer"], "its place was kept");
    });
}

/// The control: without waiting, the new overtakes the old.
#[cfg(feature = "sabotage")]
#[test]
fn without_waiting_the_new_overtakes_the_old() {
    roomy(|| {
        let careless = livechat_engine::Sabotage { any_epoch_first: true, ..Default::default() };
        let (mut world, at, old) = overtaking(|alice| alice.engine.sabotage(careless));
        assert_eq!(bobs(&world, at), ["bob: new", "bob: newer"]);
        world.published.extend(old);
        world.carry();
        assert_eq!(bobs(&world, at), ["bob: new", "bob: newer", "bob: old"]);
    });
}

/// Everything that Bob's device has, as it was before a round.
struct Stolen {
    round: usize,
    kv: MemoryKv,
    /// How much had been published.
    published: usize,
}

/// What Alice said in a round.
struct Line {
    text: String,
    /// The message inside its envelope.
    mls: Vec<u8>,
    /// Bob's epoch when he had read it.
    epoch: u64,
}

struct Chat {
    world: Circle,
    group: GroupId,
    at: ConversationId,
    lines: Vec<Line>,
    thefts: Vec<Stolen>,
    /// Rounds before which Bob's device got new keys.
    healed: Vec<usize>,
}

const ROUNDS: usize = 90;

/// Alice and Bob talk; every tenth round somebody copies Bob's device.
fn robbed_now_and_then(prepare: impl FnOnce(&mut Person)) -> Chat {
    let mut world = Circle::of(&["alice", "bob"]);
    let at = world.meet(A, B);
    prepare(&mut world.people[B]);
    let group = world.people[A].group_with(&world.people[B]);
    let (mut lines, mut thefts, mut healed) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        if round % 10 == 0 {
            thefts.push(Stolen { round, kv: world.people[B].kv.clone(), published: world.published.len() });
        }
        let text = format!("from alice in round {round}");
        let (_, effects) = world.people[A].says(at, &text);
        let mls = inside(&mut world.people[A], &group, &effects.gossip[0]);
        world.performs(A, effects);
        world.says(B, at, &format!("from bob in round {round}"));
        let renewals = own_renewals(&world);
        world.settle(6);
        if own_renewals(&world) > renewals {
            healed.push(round + 1);
        }
        lines.push(Line { text, mls, epoch: world.epoch_with(B, A) });
    }
    Chat { world, group, at, lines, thefts, healed }
}

/// How often Bob's leaf got a new key.
fn own_renewals(world: &Circle) -> usize {
    world.firsts.iter().filter(|who| **who == B).count()
}

/// The MLS message in an envelope that somebody has just made.
fn inside(author: &mut Person, group: &GroupId, envelope: &Envelope) -> Vec<u8> {
    let secret = author.session().envelope_secret(group).unwrap();
    let keys = EnvelopeKeys::new(&secret.secret);
    let counter = (0..).find(|c| keys.tag(secret.own_leaf, *c) == envelope.tag()).expect("a number");
    Message::decode(&keys.open(secret.own_leaf, counter, envelope).unwrap().data).unwrap().mls
}

/// What opens that must not, as (stolen before round, said in round), and how much the thief read in between.
fn opened(chat: &Chat) -> (Vec<(usize, usize)>, usize) {
    let (mut wrong, mut between) = (Vec::new(), 0);
    for theft in &chat.thefts {
        let mut thief = Person::new("bob");
        (thief.kv, thief.now) = (theft.kv.clone(), chat.world.people[B].now);
        thief.engine = Engine::open(&thief.kv).unwrap();
        for (round, line) in chat.lines.iter().enumerate().take(theft.round) {
            if thief.session().decrypt(&chat.group, &line.mls).is_ok() {
                wrong.push((theft.round, round));
            }
        }
        // From here on they have everything that ever was on the wire, commits too, and follow as Bob's node does.
        thief.kv = theft.kv.clone();
        thief.engine = Engine::open(&thief.kv).unwrap();
        for page in chat.world.published[theft.published..].chunks(100) {
            let _ = thief.gets(page);
        }
        let _ = thief.after(60_000);
        let read = thief.texts(chat.at);
        let healed = chat.healed.iter().copied().find(|h| *h > theft.round).unwrap_or(ROUNDS);
        let read = chat.lines.iter().enumerate().skip(theft.round).filter(|(_, l)| read.contains(&l.text));
        for (round, _) in read {
            if round >= healed { wrong.push((theft.round, round)) } else { between += 1 }
        }
    }
    (wrong, between)
}

#[test]
fn p13_a_robbed_device_in_a_direct_chat_heals() {
    roomy(|| {
        let chat = robbed_now_and_then(|_| {});
        assert!(!chat.healed.is_empty(), "bob said fifty things");
        assert!(chat.lines.last().unwrap().epoch > chat.lines[0].epoch + 1, "and alice as much");
        let (wrong, between) = opened(&chat);
        assert!(wrong.is_empty(), "(stolen before, opened): {wrong:?}");
        assert!(between > ROUNDS, "the thief stole nothing: {between}");
        println!("{} thefts: nothing from before, nothing from after healing, {between} between", chat.thefts.len());
    });
}

/// The control: a device that never renews is read to the end.
#[cfg(feature = "sabotage")]
#[test]
fn p13_control_a_device_that_never_renews_is_noticed() {
    roomy(|| {
        let lazy = livechat_engine::Sabotage { no_renewal: true, ..Default::default() };
        let mut chat = robbed_now_and_then(|bob| bob.engine.sabotage(lazy));
        assert!(chat.healed.is_empty());
        // Where it would have been healed.
        chat.healed = vec![ROUNDS - 30];
        let (wrong, _) = opened(&chat);
        assert!(wrong.contains(&(0, ROUNDS - 1)), "{wrong:?}");
    });
}
