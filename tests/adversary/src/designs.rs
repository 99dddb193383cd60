//! What the same talk looks like to a relay in other designs than ours, to compare with.

use crate::view::{Sighting, View};
use crate::workload::Workload;

/// How long anything takes to arrive, milliseconds; for all of these designs.
const WAY: u64 = 150;
/// A receipt that is sent at once.
const AT_ONCE: u64 = 100;

/// The design that this project began with: a relay that stores who sent what to whom.
#[must_use]
pub fn original(workload: &Workload) -> View {
    let sent = workload.messages.iter().map(|m| Sighting { at: m.at, who: m.from }).collect();
    let named = workload.messages.iter().map(|m| (m.from, m.to)).collect();
    View { sent, named, ..seen(workload) }
}

/// Sealed sender: a box for each user; who puts something there is hidden, and so is their connection, which flatters
/// this design. Delivery receipts go out at once, those for reading when it is read.
#[must_use]
pub fn mailboxes(workload: &Workload) -> View {
    let mut received = Vec::new();
    for m in &workload.messages {
        received.push(Sighting { at: m.at + WAY, who: m.to });
        received.extend(m.arrives.map(|at| Sighting { at: at + 2 * WAY + AT_ONCE, who: m.from }));
        received.extend(m.read.map(|at| Sighting { at: at + WAY + AT_ONCE, who: m.from }));
    }
    received.retain(|s| s.at < workload.end());
    received.sort_unstable();
    View { received, ..seen(workload) }
}

fn seen(workload: &Workload) -> View {
    View { users: workload.users, time: 0..workload.end(), online: workload.online.clone(), ..View::default() }
}
