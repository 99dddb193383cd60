use data_encoding::HEXLOWER;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::Deserialize;

use super::*;

const OUTPUT_1: [u8; OUTPUT] = [1; OUTPUT];

struct Made {
    vault: Vault,
    key: DatabaseKey,
    phrase: RecoveryPhrase,
    identity: Identity,
    rng: ChaCha20Rng,
}

fn answer() -> Answer {
    Answer { output: Zeroizing::new(OUTPUT_1), public: [2; 32], knock: b"knock".to_vec() }
}

fn made() -> Made {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let phrase = RecoveryPhrase::generate(&mut rng);
    let identity = Identity::of_phrase(&phrase, &mut rng);
    let key = Zeroizing::new([3; KEY]);
    let owner = Owner { account: identity.account(), relay: RelayId([4; 32]), username: "alice".into() };
    let draft = Draft::new(owner.account, &mut rng);
    let vault = Vault::wrap(&key, owner, &identity, &draft, &answer(), None, &mut rng);
    assert_eq!(draft.input(), vault.input());
    Made { vault, key, phrase, identity, rng }
}

#[test]
fn each_way_opens_and_no_other_secret_does() {
    let Made { mut vault, key, phrase, mut rng, .. } = made();
    vault.set_passphrase("correct horse", &key, &mut rng).unwrap();
    let vault = Vault::decode(&vault.encode()).unwrap();
    assert_eq!(vault.open_by_code(&OUTPUT_1), Ok(key.clone()));
    assert_eq!(vault.open_by_phrase(&phrase), Ok(key.clone()));
    assert_eq!(vault.open_by_passphrase("correct horse"), Ok(key));
    assert_eq!(vault.open_by_code(&[0; OUTPUT]), Err(WrongKey));
    assert_eq!(vault.open_by_phrase(&RecoveryPhrase::from_entropy(&[7; 32])), Err(WrongKey));
    assert_eq!(vault.open_by_passphrase("correct horsf"), Err(WrongKey));
}

#[test]
fn the_next_log_in_wraps_anew_and_keeps_habits_and_passphrase() {
    let Made { mut vault, key, identity, mut rng, .. } = made();
    vault.set_passphrase("correct horse", &key, &mut rng).unwrap();
    let habits = Habits { stay_unlocked: false, lock_after: 300 };
    vault.set_habits(habits);
    let draft = Draft::new(identity.account(), &mut rng);
    let next = |owner, rng: &mut ChaCha20Rng| Vault::wrap(&key, owner, &identity, &draft, &answer(), Some(&vault), rng);
    let same = next(vault.owner().clone(), &mut rng);
    assert_ne!(same.input(), vault.input());
    assert_eq!((same.habits(), same.open_by_passphrase("correct horse")), (habits, Ok(key.clone())));
    // Another account's vault gives nothing to this one.
    let other = next(Owner { account: AccountId([9; 32]), ..vault.owner().clone() }, &mut rng);
    assert_eq!((other.habits(), other.has_passphrase()), (Habits::default(), false));
}

#[test]
fn passphrases_are_bounded_and_can_go() {
    let Made { mut vault, key, mut rng, .. } = made();
    assert_eq!(vault.set_passphrase("short", &key, &mut rng), Err(PassphraseError::Short));
    assert_eq!(vault.set_passphrase(&"x".repeat(5_000), &key, &mut rng), Err(PassphraseError::Long));
    assert!(!vault.has_passphrase());
    assert_eq!(vault.open_by_passphrase(""), Err(WrongKey));
    vault.set_passphrase("långt och svårt", &key, &mut rng).unwrap();
    assert!(vault.has_passphrase());
    vault.remove_passphrase();
    assert_eq!(vault.open_by_passphrase("långt och svårt"), Err(WrongKey));
}

#[test]
fn every_flipped_byte_and_every_cut_is_damage() {
    let bytes = made().vault.encode();
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        assert!(Vault::decode(&bad).is_err(), "byte {at}");
        assert!(Vault::decode(&bytes[..at]).is_err(), "cut at {at}");
    }
    let mut newer = bytes.clone();
    newer[14] = 2;
    assert_eq!(Vault::decode(&newer), Err(DecodeError::Version(2)));
}

/// The file never changes under version 1.
#[test]
fn the_bytes_of_version_one() {
    let mut it = made();
    it.vault.set_passphrase("correct horse", &it.key, &mut it.rng).unwrap();
    let bytes = it.vault.encode();
    insta::assert_snapshot!(HEXLOWER.encode(&bytes));
    assert_eq!(Vault::decode(&bytes), Ok(it.vault));
}

#[test]
fn nothing_of_it_prints_but_the_owner() {
    let Made { vault, .. } = made();
    let draft = Draft::new(vault.owner().account, &mut ChaCha20Rng::seed_from_u64(1));
    insta::assert_snapshot!(format!("{vault:?}\n{draft:?}\n{:?}", answer()));
}

/// RFC 9106's own numbers use a secret and associated data, which we don't: these come from the reference implementation.
#[test]
fn argon2id() {
    #[derive(Deserialize)]
    struct Vector {
        passphrase: String,
        salt: String,
        memory_kib: u32,
        passes: u32,
        out: String,
    }
    let vectors: Vec<Vector> = crate::vectors::file("argon2id.json");
    for v in vectors {
        let salt = HEXLOWER.decode(v.salt.as_bytes()).unwrap().try_into().unwrap();
        let out = stretched(&v.passphrase, &salt, v.memory_kib, v.passes).unwrap();
        assert_eq!(HEXLOWER.encode(&out[..]), v.out);
    }
}
