//! The memory of a running process, as whoever dumps its core would have it (P21).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use crate::canary::Canaries;

/// Bytes looked at together.
const CHUNK: u64 = 1_024 * 1_024;
/// Bytes that neighbours share: longer than any canary.
const OVERLAP: u64 = 4_096;
/// Bytes shown on each side of what was found: enough to tell a structure by.
const AROUND: usize = 48;

/// A canary that stands in memory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Find {
    /// Which.
    pub canary: String,
    /// Where: the mapping, and whose stack it is.
    pub place: String,
    /// At which address.
    pub address: u64,
    /// What stands beside it, without the canary.
    around: String,
}

impl fmt::Display for Find {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:x} in {}: {}", self.canary, self.address, self.place, self.around)
    }
}

/// Names of what was found, each once.
#[must_use]
pub fn names(found: &[Find]) -> BTreeSet<&str> {
    found.iter().map(|f| f.canary.as_str()).collect()
}

/// Which canaries stand in the memory of process `pid`, and how many bytes were read. Everything writable is looked at:
/// heap, stacks, data, anonymous mappings.
///
/// # Panics
/// When the process can't be read: it is gone, or somebody else's.
#[must_use]
pub fn holds(pid: u32, canaries: &Canaries) -> (Vec<Find>, u64) {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("the process runs");
    let memory = File::open(format!("/proc/{pid}/mem")).expect("the process is ours");
    let stacks = stacks(pid);
    let (mut found, mut read) = (BTreeMap::new(), 0);
    for line in maps.lines().filter(|l| l.split_whitespace().nth(1).is_some_and(|p| p.starts_with("rw"))) {
        let (from, to) = line.split_whitespace().next().and_then(|r| r.split_once('-')).expect("a range");
        let parse = |hex| u64::from_str_radix(hex, 16).expect("an address");
        let (from, to) = (parse(from), parse(to));
        let name = line.split_whitespace().nth(5).unwrap_or("an anonymous mapping");
        let mut at = from;
        while at < to {
            let mut chunk = vec![0; usize::try_from((to - at).min(CHUNK)).expect("small")];
            // A mapping may go while it is read; what is gone holds nothing.
            let Ok(n) = memory.read_at(&mut chunk, at) else { break };
            read += n as u64;
            for (canary, range) in canaries.spans(&chunk[..n]) {
                let address = at + range.start as u64;
                let mut place = format!("{name} of {} KiB", (to - from) / 1_024);
                for (thread, sp) in stacks.iter().filter(|(_, sp)| (from..to).contains(sp)) {
                    let side = if address < *sp { "below" } else { "above" };
                    place.push_str(&format!(", {} bytes {side} the top of {thread}'s stack", address.abs_diff(*sp)));
                }
                let around = format!(
                    "{}«»{}",
                    shown(&chunk[range.start.saturating_sub(AROUND)..range.start]),
                    shown(&chunk[range.end..n.min(range.end + AROUND)])
                );
                found.insert((canary.to_owned(), address), (place, around));
            }
            if at + n as u64 >= to || n == 0 {
                break;
            }
            at += (n as u64).saturating_sub(OVERLAP).max(1);
        }
    }
    let found = found.into_iter().map(|((canary, address), (place, around))| Find { canary, place, address, around });
    (found.collect(), read)
}

/// Name and stack pointer of each thread that waits for the kernel; a running one shows none.
fn stacks(pid: u32) -> Vec<(String, u64)> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let stack = |path: std::path::PathBuf| {
        let name = fs::read_to_string(path.join("comm")).ok()?;
        // The call, its arguments, then the stack pointer and the program counter.
        let call = fs::read_to_string(path.join("syscall")).ok()?;
        let sp = call.split_whitespace().rev().nth(1)?.trim_start_matches("0x").to_owned();
        Some((name.trim().to_owned(), u64::from_str_radix(&sp, 16).ok()?))
    };
    threads.flatten().filter_map(|t| stack(t.path())).collect()
}

/// Letters as they are, zeros as dots, the rest as hexadecimal digits.
fn shown(bytes: &[u8]) -> String {
    let show = |b: &u8| match b {
        0 => ".".to_owned(),
        0x20..0x7f => char::from(*b).to_string(),
        b => format!("[{b:02x}]"),
    };
    bytes.iter().map(show).collect()
}
