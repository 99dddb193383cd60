//! Whether the measure measures: it knows what there is to know, and nothing where there is nothing.

use livechat_adversary::ours;
use livechat_adversary::workload::Workload;
use livechat_adversary::{designs, report};

/// The designs to compare with score what they must, or the attack is broken; against other people's truth nobody
/// knows anything.
#[test]
fn the_attacks_see_what_is_there_and_nothing_else() {
    let workload = Workload::generate(400, 7, 1);
    let original = report::row("original", &designs::original(&workload), &workload, 1);
    let mailboxes = report::row("mailboxes", &designs::mailboxes(&workload), &workload, 1);
    assert!(original.best >= 0.99, "{original:?}");
    assert!(mailboxes.best >= 0.98, "{mailboxes:?}");
    for row in [original, mailboxes] {
        assert!((row.control - 0.5).abs() <= 0.03, "{row:?}");
        assert!(row.top1 > 20.0 * row.chance, "{row:?}");
    }
}

/// Handing envelopes to those alone who may open them, which makes worlds of hundreds possible, shows the relay the
/// same; and everything that is said arrives.
#[test]
fn the_crowd_changes_nothing() {
    livechat_sim::on_big_stack(|| {
        let workload = Workload::generate(6, 2, 3);
        let (some, _, delivered) = ours::play(&workload, false, 3);
        let (all, _, the_same) = ours::play(&workload, true, 3);
        assert!(some.len() > 300 && delivered.said > 30, "{} and {delivered:?}", some.len());
        assert_eq!(delivered.arrived, delivered.said);
        assert_eq!(delivered, the_same);
        let difference = some.iter().zip(&all).position(|(x, y)| x != y);
        assert_eq!(difference.map(|at| (&some[at], &all[at])), None);
        assert_eq!(some.len(), all.len());
    });
}
