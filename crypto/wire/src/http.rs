//! JSON of the relay's HTTP API under `/v1`: accounts by TOTP, sessions, directory (DESIGN §3). Unknown fields are
//! refused everywhere (SEED B3). Binary fields are base64url without padding ([`Bytes`]).

use core::fmt;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, DeviceId, RelayId};

/// Binary data in JSON: base64url, no padding.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = "base64url"))]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({})", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        BASE64URL_NOPAD.decode(text.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A secret in JSON (session tokens, setup keys): a string whose `Debug` is redacted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecretText(pub String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

macro_rules! json {
    ($($item:item)*) => { $(
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        $item
    )* };
}

json! {
    /// `GET /v1/relay`: what a node needs to join.
    pub struct RelayInfo {
        /// The key that signs receipts.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pub relay: RelayId,
        /// Network name in topics.
        pub network: String,
        /// Multiaddresses, each ending in `/p2p/<peer>`.
        pub addresses: Vec<String>,
        /// Generation of the bucket layout.
        pub generation: u16,
        /// Buckets are `2^bucket_bits`.
        pub bucket_bits: u8,
        /// A topic holds `2^topic_bits` buckets.
        pub topic_bits: u8,
        /// Unix seconds at the relay.
        pub time: u64,
        /// How long envelopes are kept.
        pub retention_seconds: u64,
    }

    /// `GET /v1/usernames/{username}`: shown while typing.
    pub struct UsernameAvailability {
        /// As it would be stored.
        pub username: String,
        /// Whether it can be had now.
        pub available: bool,
        /// Why not.
        pub problem: Option<UsernameProblem>,
    }

    /// `POST /v1/accounts`: asks for a name; it is held for an hour.
    pub struct BeginSignUp {
        /// Wanted name.
        pub username: String,
    }

    /// What an authenticator app needs, and how to come back with its first code.
    pub struct PendingSignUp {
        /// As it will be stored.
        pub username: String,
        /// Proves that the one who confirms is the one who began.
        pub pending: SecretText,
        /// `otpauth://totp/…` with issuer.
        pub otpauth_uri: SecretText,
        /// Base32, for typing.
        pub setup_key: SecretText,
        /// Unix seconds; afterwards the name is free again.
        pub expires_at: u64,
    }

    /// `POST /v1/accounts/confirm`: makes the account active.
    pub struct ConfirmSignUp {
        /// From [`PendingSignUp`].
        pub pending: SecretText,
        /// Six digits; blanks are ignored.
        pub code: String,
        /// The account log: genesis, first device, the name bound to this relay.
        pub log: Bytes,
        /// The first device's [`crate::bundle::Bundle`].
        pub bundle: Bytes,
        /// For the first device's vault.
        pub vault: Option<VaultAsk>,
    }

    /// The account is active and this device is logged in.
    pub struct SignedUp {
        /// Account id.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pub account: AccountId,
        /// This device's session.
        pub session: Session,
        /// Ten, each good for one log-in without the authenticator. Shown once.
        pub recovery_codes: Vec<SecretText>,
    }

    /// `POST /v1/sessions`: logs in.
    pub struct LogIn {
        /// Name.
        pub username: String,
        /// Six digits, or a recovery code.
        pub code: String,
        /// Proof of being a device of the account; gives a budget of its own that strangers can't use up.
        pub device: Option<DeviceProof>,
        /// For the device's vault.
        pub vault: Option<VaultAsk>,
    }

    /// Asks for the oblivious function of RFC 9497 (VOPRF, ristretto255-SHA512) under the account's key.
    pub struct VaultAsk {
        /// A blinded element, 32 bytes.
        pub blinded: Bytes,
        /// From an earlier [`VaultAnswer`]: stands for the proof that a locked device can't make.
        pub knock: Option<SecretText>,
    }

    /// Given to devices of the account only, and only with a correct code.
    pub struct VaultAnswer {
        /// The evaluated element.
        pub evaluated: Bytes,
        /// That it was evaluated under `public_key`.
        pub proof: Bytes,
        /// The account's key, the same each time.
        pub public_key: Bytes,
        /// For the next time; opaque.
        pub knock: SecretText,
    }

    /// "I am this device, now, at this relay": Ed25519 over [`DeviceProof::signed_bytes`].
    pub struct DeviceProof {
        /// Its key.
        pub device_key: Bytes,
        /// Unix seconds; good for two minutes.
        pub time: u64,
        /// Signature.
        pub signature: Bytes,
    }

    /// `PUT /v1/sessions/current/device`: makes this session that of the device that signs.
    pub struct ClaimSession {
        /// Proof of being a device of the account.
        pub device: DeviceProof,
        /// For the device's vault.
        pub vault: Option<VaultAsk>,
    }

    /// It is a known device's session now.
    pub struct ClaimedSession {
        /// To [`VaultAsk`]; none when the session was a known device's before: the code that it began with is used up.
        pub vault: Option<VaultAnswer>,
    }

    /// A session of one device at the relay.
    pub struct Session {
        /// Bearer token. The relay keeps only its hash.
        pub token: SecretText,
        /// Names the session in lists.
        pub id: String,
        /// Unix seconds: ten days ahead.
        pub expires_at: u64,
        /// The account's id.
        #[cfg_attr(feature = "openapi", schema(value_type = String))]
        pub account: AccountId,
        /// Whether a known device signed the log-in.
        pub known_device: bool,
        /// To [`VaultAsk`]; none for a device that nobody knows.
        pub vault: Option<VaultAnswer>,
    }

    /// `GET /v1/sessions`: all sessions of the account.
    pub struct SessionList {
        /// Newest first.
        pub sessions: Vec<SessionInfo>,
    }

    /// One of them. `DELETE /v1/sessions/{id}` ends it (`current` is this one).
    pub struct SessionInfo {
        /// Its name.
        pub id: String,
        /// Whether it asks.
        pub current: bool,
        /// Whether a known device signed its log-in, and which.
        #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
        pub device: Option<DeviceId>,
        /// Unix seconds.
        pub created_at: u64,
        /// Unix seconds.
        pub expires_at: u64,
    }

    /// `PUT /v1/devices/pending`: a device that wants to be one of the account's. Replaces one put before.
    pub struct PendDevice {
        /// Its [`crate::bundle::Bundle`].
        pub bundle: Bytes,
    }

    /// `GET /v1/devices/pending`, and the answer to `PUT`.
    pub struct PendingDevice {
        /// Its [`crate::bundle::Bundle`], as it was put.
        pub bundle: Bytes,
        /// Unix seconds; afterwards it is forgotten.
        pub expires_at: u64,
    }

    /// `PUT /v1/devices/log`: the account log, continued. Devices that it revokes lose sessions, bundle and
    /// KeyPackages. The same again has the same effect.
    pub struct PutLog {
        /// The whole log.
        pub log: Bytes,
    }

    /// Answers `GET /v1/devices/log` (session): the account's log as the relay keeps it, whatever the account is called.
    pub struct OwnLog {
        /// What it is called now.
        pub username: String,
        /// The whole log.
        pub log: Bytes,
    }

    /// `PUT /v1/account/name` (session and code): another name.
    pub struct ChangeName {
        /// Six digits of an authenticator in force, or a recovery code.
        pub code: String,
        /// The account log, continued by one entry that binds the name to this relay.
        pub log: Bytes,
    }

    /// `PUT /v1/key-packages` (known device only): stocks what others need to reach this device.
    pub struct PublishKeyPackages {
        /// The device's current bundle.
        pub bundle: Bytes,
        /// MLS KeyPackages, each handed out once; at most [`crate::limits::KEY_PACKAGES`] in stock.
        pub one_time: Vec<Bytes>,
        /// Handed out when none is left; replaces the one before.
        pub last_resort: Option<Bytes>,
    }

    /// `GET /v1/key-packages`, and the answer to `PUT`.
    pub struct KeyPackageStock {
        /// One-time KeyPackages left.
        pub one_time: u32,
        /// Whether a last-resort one is there.
        pub last_resort: bool,
    }

    /// `POST /v1/directory/claim`: one KeyPackage of every device of a name. Needs no session: who asks is nobody's
    /// business.
    pub struct Claim {
        /// Whose.
        pub username: String,
    }

    /// `GET /v1/directory/{username}`, and the answer to a claim.
    pub struct DirectoryEntry {
        /// As stored.
        pub username: String,
        /// The account log.
        pub log: Bytes,
        /// Its devices that can be reached.
        pub devices: Vec<DirectoryDevice>,
    }

    /// One reachable device.
    pub struct DirectoryDevice {
        /// Its bundle.
        pub bundle: Bytes,
        /// A KeyPackage, in the answer to a claim.
        pub key_package: Option<Bytes>,
        /// Whether that is the last-resort one.
        pub last_resort: bool,
    }

    /// `POST /v1/account/authenticators` (session and code): begins adding a second authenticator; answered by
    /// [`PendingSignUp`]. Also the body of `POST /v1/account/recovery-codes` and `DELETE /v1/account`.
    pub struct WithCode {
        /// Six digits of an authenticator in force, or a recovery code.
        pub code: String,
    }

    /// `POST /v1/account/authenticators/confirm`.
    pub struct ConfirmAuthenticator {
        /// From the answer before.
        pub pending: SecretText,
        /// Six digits of the new one.
        pub code: String,
    }

    /// Fresh recovery codes; the ones before are void.
    pub struct RecoveryCodes {
        /// Ten. Shown once.
        pub recovery_codes: Vec<SecretText>,
    }

    /// `GET /v1/blobs` (session): what the relay keeps for this account, and what it would.
    pub struct BlobSpace {
        /// Bytes in use, blobs that were begun included.
        pub used: u64,
        /// Bytes that may be.
        pub quota: u64,
        /// Bytes of the largest blob it takes.
        pub largest: u64,
        /// Seconds that a whole blob is kept.
        pub kept_seconds: u64,
    }

    /// `PUT /v1/blobs/{id}` (session): begins a blob, or asks how far it is. The id is 32 random bytes in hexadecimal.
    pub struct BeginBlob {
        /// Bytes; one of the sizes that padded files have ([`crate::blob::is_size`]).
        pub size: u64,
    }

    /// How far a blob is: the answer to `PUT /v1/blobs/{id}` and `PUT /v1/blobs/{id}/{part}`.
    pub struct BlobState {
        /// Parts that are kept, from the first one on; the next one to send has this number.
        pub parts: u32,
        /// Whether it is whole, and can be fetched.
        pub whole: bool,
        /// Unix seconds until which it is kept as it is now.
        pub until: u64,
    }

    /// `GET /v1/live` (session): how many accounts have a session that was heard of in the last two minutes.
    pub struct LiveCount {
        /// Exact below ten, then rounded down to two digits.
        pub users: u32,
    }

    /// `GET /v1/lobby` (session): the door of the relay's lobby.
    #[derive(Default)]
    pub struct LobbyDoor {
        /// A [`crate::door::Link`] without doorkeepers; none when nobody has put one up yet.
        pub link: Option<SecretText>,
        /// Grows whenever another takes its place.
        pub version: u64,
        /// Unix seconds when somebody in it was last heard of.
        pub renewed_at: u64,
        /// Whether that is so long ago that another may take its place.
        pub replaceable: bool,
    }

    /// `PUT /v1/lobby` (session): puts a door up. Answered by what stands there then.
    pub struct PutLobby {
        /// A [`crate::door::Link`] without doorkeepers.
        pub link: SecretText,
        /// The version that it is to replace.
        pub replaces: Option<u64>,
    }

    /// `POST /v1/lobby/renewal` (session): somebody in the lobby is about.
    pub struct RenewLobby {
        /// Behind which door.
        pub version: u64,
    }

    /// Any failure.
    pub struct Problem {
        /// For programs.
        pub code: ProblemCode,
        /// For people: what failed, why, what to do next.
        pub message: String,
        /// Seconds to wait, where waiting helps.
        pub retry_after: Option<u64>,
    }
}

/// Why a name can't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub enum UsernameProblem {
    /// Fewer than two characters.
    TooShort,
    /// More than thirty-two.
    TooLong,
    /// Characters that names may not have (PRECIS UsernameCaseMapped).
    Forbidden,
    /// Letters of several scripts.
    MixedScripts,
    /// Somebody has it, or one that looks the same.
    Taken,
    /// Kept for the operator (admin, support, …).
    Reserved,
}

/// Failures by who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub enum ProblemCode {
    /// The request isn't one this version knows.
    BadRequest,
    /// The name can't be had; the message says why.
    UsernameUnavailable,
    /// Name, code or both are wrong; never says which (SEED B15).
    InvalidCredentials,
    /// The pending sign-up is unknown or over.
    PendingExpired,
    /// Log in first.
    Unauthenticated,
    /// Logged in, but not as a device of the account.
    DeviceRequired,
    /// No such thing, or not for you.
    NotFound,
    /// Wait `retry_after` seconds.
    TooManyRequests,
    /// The body, or the file, is over the limit.
    TooLarge,
    /// This account's share of the relay's room is used up.
    QuotaExceeded,
    /// The relay has a later account log: read that, and continue it.
    Outdated,
    /// Parts of a blob come one after the other: ask how far it is.
    OutOfOrder,
    /// The database is away or full; try again.
    Unavailable,
    /// Our fault.
    Internal,
}

impl DeviceProof {
    /// What a device signs to prove itself at `relay`, for log-in as `username`.
    #[must_use]
    pub fn signed_bytes(relay: &RelayId, username: &str, time: u64) -> Vec<u8> {
        let mut w = crate::codec::Writer::new();
        w.raw(b"livechat device proof v1").raw(&relay.0).bytes(username.as_bytes()).u64(time).finish()
    }

    /// Checks the signature; the caller checks the time and that the device belongs to the account.
    ///
    /// # Errors
    /// A key or signature of the wrong length, or one that doesn't verify.
    pub fn verify(&self, relay: &RelayId, username: &str) -> Result<DeviceId, crate::DecodeError> {
        let key: [u8; 32] =
            self.device_key.0.as_slice().try_into().map_err(|_| crate::DecodeError::Bounds("device key"))?;
        let signature = self.signature.0.as_slice().try_into().map_err(|_| crate::DecodeError::Bounds("signature"))?;
        crate::envelope::verify(&key, &Self::signed_bytes(relay, username, self.time), &signature, "device proof")?;
        Ok(DeviceId::of(&key))
    }
}
