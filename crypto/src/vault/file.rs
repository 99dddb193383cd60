//! A vault as a file: fixed order, no optional order, a checksum at the end that tells damage from a wrong key.
//!
//! ```text
//! "livechat vault"  u8 version
//! [32] account  [32] relay  u32+ username
//! u8 stay unlocked  u32 lock after
//! [32] device secret  [32] relay's public key  u32+ knock
//! [32] salt  [48] wrapped by code
//! u8 phrase?  [32] salt  [48] wrapped by phrase
//! u8 passphrase?  [16] salt  u32 KiB  u32 passes  [32] salt  [48] wrapped by passphrase
//! [32] SHA-256 of all before
//! ```

use livechat_wire::codec::{Reader, Writer};
use livechat_wire::{AccountId, DecodeError, RelayId, limits as wire};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{ByPassphrase, Habits, Owner, Vault, Wrapped};
use crate::limits;

const HEAD: &[u8] = b"livechat vault";
/// The version this build writes and reads.
const VERSION: u8 = 1;

pub(super) fn encode(vault: &Vault) -> Vec<u8> {
    let mut w = Writer::new();
    w.raw(HEAD).u8(VERSION);
    w.raw(&vault.owner.account.0).raw(&vault.owner.relay.0).bytes(vault.owner.username.as_bytes());
    w.u8(u8::from(vault.habits.stay_unlocked)).u32(vault.habits.lock_after);
    w.raw(&vault.secret[..]).raw(&vault.public).bytes(&vault.knock);
    write(&mut w, &vault.by_code);
    w.u8(u8::from(vault.by_phrase.is_some()));
    if let Some(way) = &vault.by_phrase {
        write(&mut w, way);
    }
    w.u8(u8::from(vault.by_passphrase.is_some()));
    if let Some(way) = &vault.by_passphrase {
        w.raw(&way.salt).u32(way.memory_kib).u32(way.passes);
        write(&mut w, &way.wrapped);
    }
    let mut bytes = w.finish();
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

pub(super) fn decode(bytes: &[u8]) -> Result<Vault, DecodeError> {
    let (body, sum) = bytes.split_last_chunk::<32>().ok_or(DecodeError::Truncated)?;
    let mut r = Reader::new(body);
    if r.take(HEAD.len())? != HEAD {
        return Err(DecodeError::Unknown("file"));
    }
    // Before the checksum: a newer version may have another one.
    match r.u8()? {
        VERSION => {}
        other => return Err(DecodeError::Version(other)),
    }
    if Sha256::digest(body)[..] != sum[..] {
        return Err(DecodeError::NotCanonical("checksum"));
    }
    let account = AccountId(r.array()?);
    let relay = RelayId(r.array()?);
    let username = r.text(wire::USERNAME, "username")?.to_owned();
    let habits = Habits { stay_unlocked: flag(&mut r)?, lock_after: r.u32()? };
    let vault = Vault {
        owner: Owner { account, relay, username },
        habits,
        secret: Zeroizing::new(r.array()?),
        public: r.array()?,
        knock: r.bytes(limits::KNOCK, "knock")?.to_vec(),
        by_code: read(&mut r)?,
        by_phrase: if flag(&mut r)? { Some(read(&mut r)?) } else { None },
        by_passphrase: if flag(&mut r)? { Some(passphrase(&mut r)?) } else { None },
    };
    r.end()?;
    Ok(vault)
}

fn write(w: &mut Writer, wrapped: &Wrapped) {
    w.raw(&wrapped.salt).raw(&wrapped.sealed);
}

fn read(r: &mut Reader<'_>) -> Result<Wrapped, DecodeError> {
    Ok(Wrapped { salt: r.array()?, sealed: r.array()? })
}

fn flag(r: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match r.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::NotCanonical("flag")),
    }
}

/// Bounded: a file that somebody changed must not make a log-in take forever.
fn passphrase(r: &mut Reader<'_>) -> Result<ByPassphrase, DecodeError> {
    let (salt, memory_kib, passes) = (r.array()?, r.u32()?, r.u32()?);
    if !(8..=limits::ARGON2_KIB_MAX).contains(&memory_kib) || !(1..=limits::ARGON2_PASSES_MAX).contains(&passes) {
        return Err(DecodeError::Bounds("cost"));
    }
    Ok(ByPassphrase { salt, memory_kib, passes, wrapped: read(r)? })
}
