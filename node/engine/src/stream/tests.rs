use proptest::prelude::*;

use super::*;

/// A history as the engine keeps it: places given out in order, kept free for what was given up.
#[derive(Default)]
struct History {
    next: u64,
    shown: BTreeMap<u64, u64>,
    broken: u64,
}

impl History {
    /// Takes every step that is possible now. `shown`: place → first counter.
    fn drain(&mut self, stream: &mut Stream, now: u64) -> Step {
        loop {
            match stream.step(now) {
                Step::Show { first, count, place } => {
                    stream.took(first, count);
                    let place = place.unwrap_or(self.next);
                    self.next = self.next.max(place + 1);
                    assert_eq!(self.shown.insert(place, first), None, "place {place} is taken");
                }
                Step::Broken { counter } => {
                    stream.dropped(counter);
                    self.broken += 1;
                }
                Step::GiveUp { counters } => {
                    let base = self.next;
                    self.next += counters.end - counters.start;
                    stream.gave_up(counters, base, now);
                }
                step => return step,
            }
        }
    }

    fn order(&self) -> Vec<u64> {
        self.shown.values().copied().collect()
    }
}

/// Fragments of payloads with these numbers of fragments, by counter; and where each payload begins.
fn said(sizes: &[u16]) -> (Vec<Fragment>, Vec<u64>) {
    let (mut fragments, mut firsts) = (Vec::new(), Vec::new());
    for (payload, count) in (0u64..).zip(sizes) {
        firsts.push(fragments.len() as u64);
        let part = |index| Fragment {
            kind: Kind::Mls,
            payload: payload.to_be_bytes(),
            index,
            count: *count,
            data: Vec::new(),
        };
        fragments.extend((0..*count).map(part));
    }
    (fragments, firsts)
}

/// Stores and reads, as a restart would.
fn restart(stream: &Stream) -> Stream {
    let mut w = Writer::new();
    stream.write(&mut w);
    let bytes = w.finish();
    let mut again = Stream::read(&mut Reader::new(&bytes)).unwrap();
    again.pieces.clone_from(&stream.pieces);
    again
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// However envelopes travel, and whatever time passes between them: each payload is shown once, and all of them
    /// stand in the order in which they were said.
    #[test]
    fn any_arrival_gives_the_order_in_which_it_was_said(
        sizes in prop::collection::vec(1u16..5, 1..40),
        keys in prop::collection::vec(any::<u64>(), 200),
        pauses in prop::collection::vec(0u64..8_000, 400),
    ) {
        let (fragments, firsts) = said(&sizes);
        // Everything twice, in any order.
        let mut arrivals: Vec<(u64, u64)> =
            (0..fragments.len() as u64 * 2).map(|n| (keys[n as usize % keys.len()].rotate_left(n as u32), n / 2)).collect();
        arrivals.sort_unstable();
        let (mut stream, mut history, mut now) = (Stream::default(), History::default(), 0);
        for ((_, counter), pause) in arrivals.into_iter().zip(pauses.iter().cycle()) {
            now += pause;
            history.drain(&mut stream, now);
            if stream.expects(counter) {
                stream.accept(counter, &fragments[counter as usize], now);
            }
            history.drain(&mut stream, now);
            stream = restart(&stream);
        }
        prop_assert_eq!(history.drain(&mut stream, now), Step::Idle);
        prop_assert_eq!(history.order(), firsts);
        prop_assert_eq!(history.broken, 0);
        prop_assert!(stream.pieces.is_empty());
    }

    /// What is lost for good delays the rest by [`limits::HOLD`] and no more, and the rest keeps its order.
    #[test]
    fn what_is_lost_delays_the_rest_only_so_long(
        sizes in prop::collection::vec(1u16..4, 2..30),
        lost in prop::collection::vec(any::<bool>(), 100),
    ) {
        let (fragments, firsts) = said(&sizes);
        let (mut stream, mut history) = (Stream::default(), History::default());
        for (counter, fragment) in (0u64..).zip(&fragments) {
            if !lost[counter as usize % lost.len()] {
                stream.accept(counter, fragment, 0);
                history.drain(&mut stream, 0);
            }
        }
        history.drain(&mut stream, limits::HOLD);
        let whole = |(first, count): (&u64, &u16)| {
            (*first..*first + u64::from(*count)).all(|c| !lost[c as usize % lost.len()]).then_some(*first)
        };
        let expected: Vec<u64> = firsts.iter().zip(&sizes).filter_map(whole).collect();
        prop_assert_eq!(history.order(), expected);
    }

    /// A sender who is authenticated and talks nonsense: never a panic, everything bounded, and a right payload said
    /// afterwards is still shown.
    #[test]
    fn nonsense_is_bounded(
        pieces in prop::collection::vec((0u64..400, 0u16..6, 1u16..6, 0u8..3), 0..300),
    ) {
        let (mut stream, mut history, mut now) = (Stream::default(), History::default(), 0);
        for (ahead, index, count, payload) in pieces {
            now += 500;
            let counter = stream.next.saturating_sub(100) + ahead;
            if !stream.expects(counter) {
                continue;
            }
            let fragment =
                Fragment { kind: Kind::Mls, payload: [payload; 8], index: index % count, count, data: Vec::new() };
            stream.accept(counter, &fragment, now);
            history.drain(&mut stream, now);
            prop_assert!(stream.skipped.len() <= limits::SKIPPED);
            prop_assert!(stream.pieces.len() <= limits::PIECES + 1);
            prop_assert!(stream.late.len() <= limits::LATE_RANGES);
        }
        let last = stream.next + 5;
        let right = Fragment { kind: Kind::Mls, payload: [9; 8], index: 0, count: 1, data: Vec::new() };
        stream.accept(last, &right, now);
        history.drain(&mut stream, now);
        history.drain(&mut stream, now + limits::HOLD);
        prop_assert_eq!(history.order().last().copied(), Some(last));
    }
}

#[test]
fn the_window_moves_with_the_newest_and_forgets_the_oldest() {
    let (mut stream, one) = (Stream::default(), &said(&[1]).0[0]);
    assert!(stream.expects(0) && stream.expects(limits::WINDOW - 1) && !stream.expects(limits::WINDOW));
    assert_eq!(stream.accept(10, one, 0), Moved { expect: limits::WINDOW..11 + limits::WINDOW, forget: vec![] });
    assert!(stream.expects(9) && !stream.expects(10) && stream.expects(10 + limits::WINDOW));
    let mut forgotten = Vec::new();
    for jump in 1..=5 {
        forgotten.extend(stream.accept(10 + jump * (limits::WINDOW - 1), one, 0).forget);
    }
    // Ten and five times 254 were skipped (10 and 265 were not); a thousand stay.
    assert_eq!(forgotten, (0..10).chain(11..265).chain(266..282).collect::<Vec<_>>());
    assert!(!stream.expects(281) && stream.expects(282));
}

#[test]
fn a_sender_who_completes_nothing_is_bounded() {
    let (mut stream, mut history) = (Stream::default(), History::default());
    let never = Fragment { kind: Kind::Mls, payload: [1; 8], index: 1, count: 2, data: Vec::new() };
    for counter in 1..4_000 {
        stream.accept(counter, &never, 0);
        history.drain(&mut stream, 0);
    }
    assert_eq!(stream.pieces.len(), limits::PIECES);
    assert_eq!(history.broken, 3_999 - limits::PIECES as u64);
}
