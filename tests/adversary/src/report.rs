//! The table: what each design gives away.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use crate::attacks::{self, Attack};
use crate::score::{Learned, judge, permuted};
use crate::view::View;
use crate::workload::Workload;

/// What an adversary learned from one design's traffic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Which design.
    pub design: String,
    /// The score of each attack: 0.5 is guessing, 1 is knowing.
    pub auc: Vec<(Attack, f64)>,
    /// The best of them.
    pub best: f64,
    /// Share of people whose surest partner, by the best attack, is one of theirs …
    pub top1: f64,
    /// … and for somebody who guesses.
    pub chance: f64,
    /// The best attack's score against the truth about other people: 0.5, or the measure is wrong.
    pub control: f64,
}

/// Runs every attack on what was seen.
#[must_use]
pub fn row(design: &str, view: &View, workload: &Workload, seed: u64) -> Row {
    let truth = workload.pairs();
    let others = permuted(&truth, workload.users, seed);
    let none = Learned { auc: 0.5, top1: 0.0, chance: 0.0 };
    let scored = attacks::ALL.map(|a| {
        let judged = a.run(view).into_iter().map(|s| (judge(&s, &truth, seed), judge(&s, &others, seed)));
        let (learned, control) = judged.max_by(|x, y| x.0.auc.total_cmp(&y.0.auc)).unwrap_or((none, none));
        (a, learned, control)
    });
    let best = scored.iter().max_by(|x, y| x.1.auc.total_cmp(&y.1.auc));
    let (learned, control) = best.map_or((none, none), |(_, l, c)| (*l, *c));
    Row {
        design: design.to_owned(),
        auc: scored.iter().map(|(a, l, _)| (*a, l.auc)).collect(),
        best: learned.auc,
        top1: learned.top1,
        chance: learned.chance,
        control: control.auc,
    }
}

/// The rows for people to read.
///
/// # Panics
/// Never: a string takes everything.
#[must_use]
pub fn table(rows: &[Row], workload: &Workload) -> String {
    let talking: BTreeSet<usize> = workload.messages.iter().map(|m| m.from).collect();
    let mut out = String::new();
    writeln!(
        out,
        "{} people ({} talk), {} days, {} messages, {} pairs that talk\n",
        workload.users,
        talking.len(),
        workload.days,
        workload.messages.len(),
        workload.pairs().len()
    )
    .expect("a string takes everything");
    writeln!(
        out,
        "{:<44} {:>7} {:>7} {:>10} {:>8} | {:>6} {:>6} {:>7} {:>8}",
        "what the relay sees", "records", "replies", "disclosure", "presence", "best", "top-1", "chance", "permuted"
    )
    .expect("a string takes everything");
    for row in rows {
        write!(out, "{:<44}", row.design).expect("a string takes everything");
        for ((_, auc), width) in row.auc.iter().zip([8, 8, 11, 9]) {
            write!(out, "{auc:>width$.3}").expect("a string takes everything");
        }
        writeln!(out, " | {:>6.3} {:>6.3} {:>7.3} {:>8.3}", row.best, row.top1, row.chance, row.control)
            .expect("a string takes everything");
    }
    out
}
