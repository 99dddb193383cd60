//! What an adversary makes of what they have seen. Each attack gives every pair a score.

use serde::Serialize;

use crate::score::Scores;
use crate::view::{Sighting, View};
use crate::workload::Moment;

/// A way to find out who talks to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attack {
    /// Reading it off: what is written down under both names.
    Records,
    /// Answers and receipts follow what they answer: timing of one kind of event against itself (Martiny et al., NDSS
    /// 2021).
    ReplyTiming,
    /// Whose boxes fill more than usual when somebody sends: statistical disclosure (Danezis 2003, Mathewson and
    /// Dingledine 2004), with rounds as short as a delivery.
    Disclosure,
    /// Who is connected when the others are, more often than their habits explain, and while more is said than usual:
    /// intersection (Berthold, Pfitzmann and Standtke 2001) without anything attributed.
    Presence,
}

/// All of them.
pub const ALL: [Attack; 4] = [Attack::Records, Attack::ReplyTiming, Attack::Disclosure, Attack::Presence];

/// How long after something its answer comes, milliseconds, cut into classes: receipts at once, batched ones, answers.
const LAGS: [u64; 11] = [0, 100, 200, 300, 600, 1_200, 2_400, 4_800, 12_000, 40_000, 150_000];
/// What is usual is taken from the same quarter of an hour.
const USUAL: u64 = 900_000;

impl Attack {
    /// What this attack makes of a view, in the variants that it has; which of them says most, an adversary finds out
    /// with accounts of their own. None when the view has nothing for it.
    #[must_use]
    pub fn run(self, view: &View) -> Vec<Scores> {
        match self {
            Self::Records if view.named.is_empty() => Vec::new(),
            Self::Records => {
                let mut scores = Scores::new(view.users);
                view.named.iter().for_each(|(a, b)| scores.add(*a, *b, 1.0));
                vec![scores]
            }
            Self::ReplyTiming => [&view.sent, &view.received].map(|s| follows(view, s, s)).concat(),
            Self::Disclosure => follows(view, &view.sent, &view.received),
            Self::Presence => presence(view).into_iter().collect(),
        }
    }
}

/// How much oftener than chance explains things of one person follow things of another: for each class of lags the
/// likelihood ratio of two Poisson processes, so that one coincidence with somebody who rarely does anything says more
/// than ten with somebody who always does. Nearly all pairs have nothing to do with each other, so
/// what one in fifty of all pairs has by chance is the unit of each class. Each class alone, then all together.
fn follows(view: &View, first: &[Sighting], then: &[Sighting]) -> Vec<Scores> {
    if first.is_empty() || then.is_empty() {
        return Vec::new();
    }
    let (mut classes, mut together) = (Vec::new(), Scores::new(view.users));
    let users = view.users;
    let usual = usual(view, first, then);
    let often = |things: &[Sighting]| {
        let mut counts = vec![0.0; users];
        things.iter().for_each(|s| counts[s.who] += 1.0);
        counts
    };
    let (firsts, thens) = (often(first), often(then));
    let time = (view.time.end - view.time.start) as f64;
    for lag in LAGS.windows(2) {
        let width = (lag[1] - lag[0]) as f64;
        let seen = coincidences(users, first, then, lag[0], lag[1]);
        let ratio = |a: usize, b: usize| {
            let ever = firsts[a] * thens[b] * width / time;
            let expected = usual[a * users + b] * width / USUAL as f64 + 0.1 * ever + 1e-6;
            likelihood_ratio(seen[a * users + b], expected)
        };
        let pairs = (0..users).flat_map(|a| (a + 1..users).map(move |b| (a, b)));
        let ratios: Vec<_> = pairs.map(|(a, b)| (ratio(a, b) + ratio(b, a), a, b)).collect();
        let unit = by_chance(&ratios);
        let mut scores = Scores::new(users);
        for (ratio, a, b) in ratios {
            scores.add(a, b, ratio);
            together.add(a, b, ratio.max(0.0) / unit);
        }
        classes.push(scores);
    }
    classes.push(together);
    classes
}

/// How often something of one person comes later than `from` and no later than `to` after something of another.
fn coincidences(users: usize, first: &[Sighting], then: &[Sighting], from: u64, to: u64) -> Vec<f64> {
    let mut seen = vec![0.0; users * users];
    let mut begin = 0;
    for one in first {
        begin += then[begin..].iter().take_while(|t| t.at <= one.at + from).count();
        for other in then[begin..].iter().take_while(|t| t.at <= one.at + to) {
            seen[one.who * users + other.who] += 1.0;
        }
    }
    seen
}

/// What one in fifty has or more.
fn by_chance(ratios: &[(f64, usize, usize)]) -> f64 {
    let mut sorted: Vec<f64> = ratios.iter().map(|r| r.0).collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() - 1 - sorted.len() / 50).copied().unwrap_or_default().max(1.0)
}

/// Of as much more as was seen against as much as was expected; negative when less was seen.
fn likelihood_ratio(seen: f64, expected: f64) -> f64 {
    let ratio = if seen > 0.0 { seen * (seen / expected).ln() } else { 0.0 } - (seen - expected);
    if seen >= expected { ratio } else { -ratio }
}

/// For each two people, how many pairs of their things fall into the same stretch of time.
fn usual(view: &View, first: &[Sighting], then: &[Sighting]) -> Vec<f64> {
    let users = view.users;
    let stretch = |at: Moment| ((at - view.time.start) / USUAL) as usize;
    let stretches = stretch(view.time.end) + 1;
    let counted = |things: &[Sighting]| {
        let mut counts = vec![vec![0_u32; users]; stretches];
        things.iter().for_each(|s| counts[stretch(s.at)][s.who] += 1);
        counts
    };
    let mut usual = vec![0.0; users * users];
    for (ones, others) in counted(first).iter().zip(&counted(then)) {
        let others: Vec<(usize, u32)> = others.iter().copied().enumerate().filter(|(_, n)| *n > 0).collect();
        for (a, n) in ones.iter().enumerate().filter(|(_, n)| **n > 0) {
            for (b, m) in &others {
                usual[a * users + b] += f64::from(*n) * f64::from(*m);
            }
        }
    }
    usual
}

/// Correlation of being connected, minute by minute, each minute weighed by how much is said in it.
fn presence(view: &View) -> Option<Scores> {
    const MINUTE: u64 = 60_000;
    let minutes = ((view.time.end - view.time.start) / MINUTE) as usize;
    if minutes == 0 || view.online.is_empty() {
        return None;
    }
    let mut scores = Scores::new(view.users);
    let mut said = vec![0.0_f32; minutes];
    let all = view.anonymous.iter().copied().chain(view.sent.iter().chain(&view.received).map(|s| s.at));
    for at in all {
        if let Some(minute) = said.get_mut((at.saturating_sub(view.time.start) / MINUTE) as usize) {
            *minute += 1.0;
        }
    }
    let rows: Vec<Vec<f32>> = view.online.iter().map(|hours| row(hours, view.time.start, minutes)).collect();
    let crowd: Vec<f32> = (0..minutes).map(|m| rows.iter().map(|r| r[m]).sum()).collect();
    // Habit: how many are on at that minute says how likely anybody is to be.
    let share = |m: usize| crowd[m] / view.users as f32;
    let centred: Vec<Vec<f32>> = rows
        .iter()
        .map(|r| {
            let busy = r.iter().sum::<f32>() / crowd.iter().sum::<f32>().max(1.0) * view.users as f32;
            r.iter().enumerate().map(|(m, on)| (on - share(m) * busy) * (1.0 + said[m]).sqrt()).collect()
        })
        .collect();
    let length: Vec<f32> = centred.iter().map(|r| r.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6)).collect();
    for a in 0..view.users {
        for b in a + 1..view.users {
            let together: f32 = centred[a].iter().zip(&centred[b]).map(|(x, y)| x * y).sum();
            scores.add(a, b, f64::from(together / (length[a] * length[b])));
        }
    }
    Some(scores)
}

fn row(hours: &[std::ops::Range<Moment>], start: Moment, minutes: usize) -> Vec<f32> {
    const MINUTE: u64 = 60_000;
    let mut row = vec![0.0; minutes];
    for h in hours {
        let from = (h.start.saturating_sub(start) / MINUTE) as usize;
        let to = (h.end.saturating_sub(start) / MINUTE) as usize;
        row.iter_mut().take(to + 1).skip(from).for_each(|m| *m = 1.0);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two people whose things follow each other, among others whose don't.
    #[test]
    fn those_who_answer_each_other_stand_out() {
        let mut sent: Vec<Sighting> = Vec::new();
        for n in 0..40_u64 {
            let at = n * 3_600_000;
            sent.push(Sighting { at, who: 0 });
            sent.push(Sighting { at: at + 1_200, who: 1 });
            sent.extend((2..10).map(|who| Sighting { at: at + who as u64 * 400_000, who }));
        }
        sent.sort();
        let view = View { users: 10, time: 0..41 * 3_600_000, sent, ..View::default() };
        let scores = Attack::ReplyTiming.run(&view).pop().expect("all classes together");
        for a in 0..10 {
            for b in a + 1..10 {
                assert!((a, b) == (0, 1) || scores.get(a, b) < scores.get(0, 1), "{a} and {b}");
            }
        }
        assert!(Attack::Disclosure.run(&view).is_empty(), "nothing to go by");
    }
}
