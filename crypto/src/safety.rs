//! Safety numbers: what two people read to each other to know that nobody stands between them (DESIGN §3).

use livechat_wire::AccountId;
use sha2::{Digest, Sha512};

use crate::limits::SAFETY_ROUNDS;

/// The safety number of two accounts: sixty digits in twelve groups of five, the same from either side.
///
/// Each account contributes 30 digits (99.6 bits) from an iterated SHA-512 over its id, the construction of Signal's
/// fingerprints; the smaller id comes first. It binds accounts, not names or devices.
#[must_use]
pub fn safety_number(a: &AccountId, b: &AccountId) -> String {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    let groups: Vec<String> = half(low).chain(half(high)).collect();
    groups.join(" ")
}

fn half(account: &AccountId) -> impl Iterator<Item = String> {
    let mut hash: [u8; 64] =
        Sha512::new().chain_update(b"livechat safety number v1").chain_update(account.0).finalize().into();
    for _ in 0..SAFETY_ROUNDS {
        hash = Sha512::new().chain_update(hash).chain_update(account.0).finalize().into();
    }
    (0..6).map(move |group| {
        let number = hash[group * 5..group * 5 + 5].iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        format!("{:05}", number % 100_000)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_read_the_same() {
        let (a, b) = (AccountId([1; 32]), AccountId([2; 32]));
        let number = safety_number(&a, &b);
        assert_eq!(number, safety_number(&b, &a));
        insta::assert_snapshot!(number);
    }

    #[test]
    fn another_account_changes_its_half_only() {
        let with = |n| safety_number(&AccountId([1; 32]), &AccountId([n; 32]));
        assert_eq!(with(2)[..36], with(3)[..36]);
        assert_ne!(with(2)[36..], with(3)[36..]);
        assert_eq!(with(2).split(' ').filter(|g| g.len() == 5).count(), 12);
    }
}
