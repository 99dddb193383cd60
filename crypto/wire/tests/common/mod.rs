//! Structures for the wire tests, signed with fixed or generated keys.

use ed25519_dalek::{Signer as _, SigningKey};
use livechat_wire::account::{AccountLog, Signer, Statement};
use livechat_wire::bundle::Bundle;
use livechat_wire::door::Knock;
use livechat_wire::envelope::{Envelope, Header};
use livechat_wire::order::{self, SealedCommit};
use livechat_wire::receipt::Receipt;
use livechat_wire::{DeviceId, EnvelopeId, RelayId, SlotId, Tag, limits};

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn public(seed: u8) -> [u8; 32] {
    key(seed).verifying_key().to_bytes()
}

pub fn signer(seed: u8) -> impl Fn(&[u8]) -> [u8; 64] {
    move |m| key(seed).sign(m).to_bytes()
}

pub fn envelope(seed: u8, ephemeral: bool, bucket: u16, epoch: u32, tag: [u8; 16], fill: u8) -> Envelope {
    let header = Header { ephemeral, bucket, epoch, tag: Tag(tag), pk1: public(seed) };
    Envelope::assemble(&header, &[fill; limits::BODY], signer(seed))
}

pub fn receipt(seed: u8, envelope: [u8; 32], origin: u64, sequence: u64, time: u64) -> Receipt {
    Receipt::sign(EnvelopeId(envelope), RelayId(public(seed)), origin, sequence, time, signer(seed))
}

pub fn commit(fill: u8, pages: usize) -> SealedCommit {
    SealedCommit::new(vec![fill; pages * limits::COMMIT_PADDING]).expect("padded")
}

pub fn entry(seed: u8, slot: [u8; 32], index: u32, time: u64, commit: SealedCommit) -> order::Entry {
    let receipt = order::Receipt::sign(SlotId(slot), index, commit.hash(), time, public(seed), signer(seed));
    order::Entry { receipt, commit }
}

pub fn bundle(seed: u8, hello: u8, bucket_seed: [u8; 16], issued_at: u64) -> Bundle {
    Bundle::sign(public(seed), Box::new([hello; limits::XWING_PUBLIC]), bucket_seed, issued_at, signer(seed))
}

pub fn by_device(seed: u8) -> Signer {
    Signer::Device(DeviceId::of(&public(seed)))
}

/// Genesis, two devices, a name, one device revoked by the other, the identity rotated and the name bound again by the
/// new key.
pub fn log(time: u64, name: &str) -> AccountLog {
    let mut log = AccountLog::found(public(1), time, signer(1)).expect("genesis");
    let relay = RelayId(public(9));
    for (statement, signed_by, seed) in [
        (Statement::AddDevice { device_key: public(2) }, Signer::Identity, 1),
        (Statement::BindName { name: name.to_owned(), relay }, Signer::Identity, 1),
        (Statement::AddDevice { device_key: public(3) }, by_device(2), 2),
        (Statement::RevokeDevice { device: DeviceId::of(&public(2)) }, by_device(3), 3),
        (Statement::RotateIdentity { identity_key: public(4) }, Signer::Identity, 1),
        (Statement::BindName { name: name.to_owned(), relay }, Signer::Identity, 4),
    ] {
        log.append(time, signed_by, statement, signer(seed)).expect("statement");
    }
    log
}

/// As much of a JPEG as a preview has to have.
pub fn preview(width: u16, height: u16) -> Vec<u8> {
    let [[a, b], [c, d]] = [width.to_be_bytes(), height.to_be_bytes()];
    vec![0xff, 0xd8, 0xff, 0xc0, 0, 7, 8, c, d, a, b, 0xff, 0xda, 0, 2]
}

/// A knock, signed by device and door.
pub fn knock(device: u8, door: u8, to: &[u8; 32], mut knock: Knock) -> Knock {
    knock.door = public(door);
    let bytes = knock.signed_bytes(to);
    (knock.by_device, knock.by_door) = (signer(device)(&bytes), signer(door)(&bytes));
    knock
}
