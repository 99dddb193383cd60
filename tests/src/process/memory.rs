//! The memory of a running process, as whoever dumps its core would have it (P21).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use crate::canary::Canaries;

/// Bytes looked at together.
const CHUNK: u64 = 1_024 * 1_024;
/// Bytes that neighbours share: longer than any canary.
const OVERLAP: u64 = 4_096;

/// Which canaries stand in the memory of process `pid`, and how many bytes were read. Everything writable is looked at:
/// heap, stacks, data, anonymous mappings.
///
/// # Panics
/// When the process can't be read: it is gone, or somebody else's.
#[must_use]
pub fn holds(pid: u32, canaries: &Canaries) -> (BTreeSet<String>, u64) {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("the process is ours");
    let (mut found, mut read) = (BTreeSet::new(), 0);
    for line in maps.lines().filter(|l| l.split_whitespace().nth(1).is_some_and(|p| p.starts_with("rw"))) {
        let (from, to) = line.split_whitespace().next().and_then(|r| r.split_once('-')).expect("a range");
        let parse = |hex| u64::from_str_radix(hex, 16).expect("an address");
        let (mut at, to) = (parse(from), parse(to));
        while at < to {
            let mut chunk = vec![0; usize::try_from((to - at).min(CHUNK)).expect("small")];
            // A mapping may go while it is read; what is gone holds nothing.
            let Ok(n) = memory.read_at(&mut chunk, at) else { break };
            read += n as u64;
            found.extend(canaries.in_bytes(&chunk[..n]).into_iter().map(str::to_owned));
            if at + n as u64 >= to || n == 0 {
                break;
            }
            at += (n as u64).saturating_sub(OVERLAP).max(1);
        }
    }
    (found, read)
}
