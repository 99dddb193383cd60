use livechat_engine::view::Delivery;
use livechat_engine::{Effects, Event, Input, limits};
use livechat_wire::sync::{Refusal, Verdict};
use livechat_wire::{EnvelopeId, RelayId, limits as wire};

use crate::rig::{Person, accept, acquainted, added, kept, relay, roomy};

fn says(who: &mut Person, verdict: Vec<(EnvelopeId, Verdict)>) -> Effects {
    who.takes(Input::Verdicts { relay: relay(), verdicts: verdict })
}

fn deliveries(effects: &Effects) -> Vec<Delivery> {
    let delivery = |e: &Event| match e {
        Event::MessageChanged { message, .. } => message.delivery,
        _ => None,
    };
    effects.events.iter().filter_map(delivery).collect()
}

#[test]
fn published_asked_about_handed_over_accepted() {
    roomy(|| {
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let _ = alice.takes(Input::Relay { online: true });
        let (message, effects) = alice.says(chat, "hi");
        assert_eq!(message.delivery, Some(Delivery::Queued));
        assert_eq!((effects.gossip.len(), effects.present.len(), effects.deposit.len()), (1, 0, 0));
        assert!(effects.events.contains(&Event::Queued(1)));
        let envelope = effects.gossip[0].clone();
        assert_eq!(effects.wake_at, Some(alice.now + limits::ASK_AFTER));
        let asked = alice.waits();
        assert_eq!(asked.present, [envelope.id()]);
        let handed = says(&mut alice, vec![(envelope.id(), Verdict::Absent)]);
        assert_eq!(handed.deposit, std::slice::from_ref(&envelope), "the same bytes");
        let done = says(&mut alice, vec![kept(envelope.id())]);
        assert_eq!(deliveries(&done), [Delivery::Accepted]);
        assert!(done.events.contains(&Event::Queued(0)));
        assert!(alice.rests(), "it left the loop");
        let again = says(&mut alice, vec![kept(envelope.id())]);
        assert!(again.events.is_empty(), "twice accepted is once accepted");
    });
}

#[test]
fn pauses_grow_to_a_minute_and_never_end() {
    roomy(|| {
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let _ = alice.takes(Input::Relay { online: true });
        let _ = alice.says(chat, "is anybody there?");
        let mut asked_at = Vec::new();
        while asked_at.len() < 14 {
            if !alice.waits().present.is_empty() {
                asked_at.push(alice.now);
            }
        }
        // Between two questions: the time for an answer, then the pause.
        let pauses: Vec<u64> = asked_at.windows(2).map(|w| w[1] - w[0] - limits::VERDICT).collect();
        for (failures, pause) in (0..).zip(&pauses) {
            let longest = (limits::BACKOFF_FIRST << failures).min(limits::BACKOFF_MAX);
            assert!((longest / 2..=longest).contains(pause), "pause {failures}: {pause} ms");
        }
        assert_eq!(alice.engine.queued(), 1);
    });
}

#[test]
fn while_the_relay_is_away_it_is_sealed_anew_and_still_one_message() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, first) = alice.says(chat, "over the garden fence");
        let mut sealings = first.gossip;
        for _ in 0..10 {
            let effects = alice.waits();
            assert!(effects.present.is_empty() && effects.deposit.is_empty(), "nobody to ask");
            sealings.extend(effects.gossip);
        }
        assert_eq!(sealings.len(), 11);
        for pair in sealings.windows(2) {
            assert_ne!(pair[0].pk1(), pair[1].pk1(), "a fresh one-time key");
            assert_eq!(pair[0].tag(), pair[1].tag(), "the same number");
        }
        let _ = bob.gets(&sealings);
        assert_eq!(bob.texts(chat), ["over the garden fence"]);
        let done = says(&mut alice, vec![kept(sealings[8].id())]);
        assert_eq!(deliveries(&done), [Delivery::Accepted], "a receipt for an earlier sealing counts");
        assert_eq!(alice.engine.queued(), 0);
    });
}

#[test]
fn what_has_grown_stale_is_sealed_again() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, first) = alice.says(chat, "written yesterday");
        let old = first.gossip[0].clone();
        alice.now += 86_400_000;
        alice.restarts();
        let effects = alice.takes(Input::Relay { online: true });
        assert_eq!(effects.gossip, std::slice::from_ref(&old), "after a restart it is published again, as it is");
        let asked = alice.after(limits::ASK_AFTER);
        assert_eq!(asked.present, [old.id()], "the relay may have it");
        let handed = says(&mut alice, vec![(old.id(), Verdict::Absent)]);
        let [new] = &handed.deposit[..] else { panic!("{handed:?}") };
        assert_eq!(new.epoch(), livechat_wire::envelope::epoch_at(alice.now / 1_000));
        assert_eq!(new.tag(), old.tag());
        assert_ne!(new.pk1(), old.pk1());
        let _ = bob.gets(&[new.clone(), old]);
        assert_eq!(bob.texts(chat), ["written yesterday"]);
    });
}

#[test]
fn a_relay_that_calls_it_stale_gets_it_anew_after_a_pause() {
    roomy(|| {
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let _ = alice.takes(Input::Relay { online: true });
        let (_, first) = alice.says(chat, "my clock is wrong");
        let old = first.gossip[0].clone();
        let _ = alice.waits();
        let _ = says(&mut alice, vec![(old.id(), Verdict::Absent)]);
        let refused = says(&mut alice, vec![(old.id(), Verdict::Refused(Refusal::Stale))]);
        assert!(refused.deposit.is_empty() && refused.wake_at > Some(alice.now), "a pause, not a race");
        assert_eq!(alice.waits().present, [old.id()]);
        let again = says(&mut alice, vec![(old.id(), Verdict::Absent)]);
        assert_ne!(again.deposit[0].id(), old.id());
    });
}

#[test]
fn only_the_relays_own_word_about_this_envelope_counts() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let _ = alice.takes(Input::Relay { online: true });
        let (_, first) = alice.says(chat, "really?");
        let id = first.gossip[0].id();
        let (_, honest) = kept(id);
        let Verdict::Kept(honest) = honest else { panic!("kept") };
        let mut forged = vec![(id, kept(EnvelopeId([1; 32])).1)];
        let mut flipped = honest.clone();
        flipped.signature[5] ^= 1;
        forged.push((id, Verdict::Kept(flipped)));
        let mut other = honest.clone();
        other.relay = RelayId([9; 32]);
        forged.push((id, Verdict::Kept(other)));
        let mut renumbered = honest;
        renumbered.sequence += 1;
        forged.push((id, Verdict::Kept(renumbered)));
        for verdict in forged {
            let effects = says(&mut alice, vec![verdict]);
            assert!(effects.events.is_empty(), "{effects:?}");
        }
        let stranger = Input::Verdicts { relay: RelayId([9; 32]), verdicts: vec![kept(id)] };
        assert!(alice.takes(stranger).events.is_empty());
        assert_eq!((alice.engine.queued(), alice.engine.refused().verdicts), (1, 5));
        let _ = accept(&mut alice, &first.gossip);
        assert_eq!(alice.engine.queued(), 0);
        assert_eq!(added(&bob.gets(&first.gossip)), ["really?"]);
    });
}

#[test]
fn a_relay_that_denies_what_it_was_given_is_not_raced() {
    roomy(|| {
        let (mut alice, _, chat) = acquainted("alice", "bob");
        let _ = alice.takes(Input::Relay { online: true });
        let (_, first) = alice.says(chat, "hello?");
        let id = first.gossip[0].id();
        let _ = alice.waits();
        assert_eq!(says(&mut alice, vec![(id, Verdict::Absent)]).deposit.len(), 1);
        for _ in 0..5 {
            assert!(says(&mut alice, vec![(id, Verdict::Absent)]).deposit.is_empty());
        }
    });
}

#[test]
fn when_the_relay_comes_back_a_long_queue_goes_in_batches() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let texts: Vec<String> = (0..150).map(|n| format!("number {n}")).collect();
        let gossiped: Vec<_> = texts.iter().flat_map(|t| alice.says(chat, t).1.gossip).collect();
        assert_eq!(gossiped.len(), 150);
        let asked = alice.takes(Input::Relay { online: true });
        assert_eq!(asked.present.len(), 150, "at once");
        let absent = asked.present.iter().map(|id| (*id, Verdict::Absent)).collect();
        let mut handed = says(&mut alice, absent).deposit;
        let mut batches = vec![handed.len()];
        while handed.len() < 150 {
            let more = alice.after(limits::BATCH_PAUSE).deposit;
            batches.push(more.len());
            handed.extend(more);
        }
        assert!(batches.iter().all(|b| *b <= wire::DEPOSIT), "{batches:?}");
        let _ = accept(&mut alice, &handed);
        assert!(alice.rests());
        let _ = bob.gets(&handed);
        assert_eq!(bob.texts(chat), texts, "handed over in the order in which they were said");
    });
}

#[test]
fn a_crash_between_commit_and_effects_loses_nothing() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let (_, lost) = alice.says(chat, "committed");
        alice.restarts();
        assert_eq!((alice.engine.queued(), alice.engine.wake_at().is_some()), (1, true));
        let again = alice.takes(Input::Timer);
        assert_eq!(again.gossip, lost.gossip, "the same bytes");
        let _ = bob.gets(&again.gossip);
        let _ = bob.gets(&lost.gossip);
        assert_eq!(bob.texts(chat), ["committed"]);
    });
}

#[test]
fn a_long_text_is_accepted_when_all_of_it_is() {
    roomy(|| {
        let (mut alice, mut bob, chat) = acquainted("alice", "bob");
        let long = "·".repeat(wire::TEXT / 2);
        let (_, effects) = alice.says(chat, &long);
        let envelopes = effects.gossip;
        assert!(envelopes.len() > 19, "{}", envelopes.len());
        let (last, rest) = envelopes.split_last().expect("several");
        assert_eq!(deliveries(&accept(&mut alice, rest)), []);
        alice.restarts();
        assert_eq!(alice.takes(Input::Timer).gossip, std::slice::from_ref(last), "what is accepted stays accepted");
        assert_eq!(deliveries(&accept(&mut alice, std::slice::from_ref(last))), [Delivery::Accepted]);
        let backwards: Vec<_> = envelopes.into_iter().rev().collect();
        let _ = bob.gets(&backwards);
        assert_eq!(bob.texts(chat), [long]);
    });
}
