//! How well an adversary's scores of pairs agree with the truth.

use std::collections::BTreeSet;

use crate::dice::Dice;
use crate::workload::User;

/// How sure an adversary is of each pair; more is surer. Symmetric.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    users: usize,
    of: Vec<f64>,
}

impl Scores {
    /// Zero for everybody.
    #[must_use]
    pub fn new(users: usize) -> Self {
        Self { users, of: vec![0.0; users * users] }
    }

    /// Of two people.
    #[must_use]
    pub fn get(&self, a: User, b: User) -> f64 {
        self.of[a * self.users + b]
    }

    /// More of it for two people.
    pub fn add(&mut self, a: User, b: User, by: f64) {
        self.of[a * self.users + b] += by;
        self.of[b * self.users + a] += by;
    }

    /// How many people.
    #[must_use]
    pub fn users(&self) -> usize {
        self.users
    }
}

/// How much an attack learned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Learned {
    /// Probability that a pair that talked scores above one that didn't: 0.5 is guessing, 1 is knowing.
    pub auc: f64,
    /// Of the people who talked to anybody, the share whose surest partner is one.
    pub top1: f64,
    /// The same share for somebody who guesses.
    pub chance: f64,
}

/// Compares scores with who really talked. Ties count half; the surest of equals is a random one of them.
#[must_use]
pub fn judge(scores: &Scores, truth: &BTreeSet<(User, User)>, seed: u64) -> Learned {
    let users = scores.users();
    let mut pairs: Vec<(f64, bool)> = Vec::with_capacity(users * users / 2);
    for a in 0..users {
        for b in a + 1..users {
            pairs.push((scores.get(a, b), truth.contains(&(a, b))));
        }
    }
    let (top1, chance) = surest(scores, truth, seed);
    Learned { auc: auc(&mut pairs), top1, chance }
}

/// The area under the curve, by ranks (Mann and Whitney 1947).
fn auc(pairs: &mut [(f64, bool)]) -> f64 {
    pairs.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (mut ranks, mut yes, mut from) = (0.0, 0_u64, 0);
    while from < pairs.len() {
        let same = pairs[from..].iter().take_while(|p| p.0 == pairs[from].0).count();
        let rank = from as f64 + (same as f64 + 1.0) / 2.0;
        let hits = pairs[from..from + same].iter().filter(|p| p.1).count();
        ranks += rank * hits as f64;
        yes += hits as u64;
        from += same;
    }
    let (yes, no) = (yes as f64, pairs.len() as f64 - yes as f64);
    if yes == 0.0 || no == 0.0 { 0.5 } else { (ranks - yes * (yes + 1.0) / 2.0) / (yes * no) }
}

fn surest(scores: &Scores, truth: &BTreeSet<(User, User)>, seed: u64) -> (f64, f64) {
    let mut dice = Dice::new(seed);
    let (mut hits, mut people, mut chance) = (0.0, 0.0, 0.0);
    for a in 0..scores.users() {
        let partner = |b: &User| truth.contains(&(a.min(*b), a.max(*b)));
        let mut others: Vec<User> = (0..scores.users()).filter(|b| *b != a).collect();
        let partners = others.iter().filter(|b| partner(b)).count();
        if partners == 0 {
            continue;
        }
        dice.shuffle(&mut others);
        let best = others.iter().max_by(|x, y| scores.get(a, **x).total_cmp(&scores.get(a, **y)));
        people += 1.0;
        chance += partners as f64 / others.len() as f64;
        hits += f64::from(u8::from(best.is_some_and(partner)));
    }
    if people == 0.0 { (0.0, 0.0) } else { (hits / people, chance / people) }
}

/// The truth about other people: everybody's number exchanged for another's. Against it, whatever learned something
/// knows nothing.
#[must_use]
pub fn permuted(truth: &BTreeSet<(User, User)>, users: usize, seed: u64) -> BTreeSet<(User, User)> {
    let mut to: Vec<User> = (0..users).collect();
    Dice::new(seed).shuffle(&mut to);
    truth.iter().map(|(a, b)| (to[*a].min(to[*b]), to[*a].max(to[*b]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knowing_scores_one_and_guessing_a_half() {
        let truth: BTreeSet<_> = [(0, 1), (2, 3), (4, 5)].into();
        let mut knows = Scores::new(10);
        for (a, b) in &truth {
            knows.add(*a, *b, 1.0);
        }
        let learned = judge(&knows, &truth, 1);
        assert!((learned.auc - 1.0).abs() < 1e-9 && (learned.top1 - 1.0).abs() < 1e-9, "{learned:?}");
        assert!((learned.chance - 1.0 / 9.0).abs() < 1e-9, "{learned:?}");
        let learned = judge(&Scores::new(10), &truth, 1);
        assert!((learned.auc - 0.5).abs() < 1e-9, "ties are no knowledge: {learned:?}");
    }

    #[test]
    fn half_of_the_truth_scores_between() {
        let truth: BTreeSet<_> = [(0, 1), (2, 3)].into();
        let mut scores = Scores::new(10);
        scores.add(0, 1, 1.0);
        let learned = judge(&scores, &truth, 1);
        assert!((learned.auc - 0.75).abs() < 0.01, "{learned:?}");
    }
}
