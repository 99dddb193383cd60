//! Conversations: groups of MLS (RFC 9420) on OpenMLS, whose leaves are devices (DESIGN §4).
//!
//! A [`Session`] is one device at work: its identity, its store, randomness and the time. Every operation either
//! succeeds and has written its state to the [`Kv`], or fails and has written nothing. Commit the store before anything
//! that an operation returned leaves the machine: a message sent from a state that was not kept would be a key used
//! twice (P5).
//!
//! Every group is a *room*: it has a charter, and each leaf a member record. What the charter's kind allows is judged
//! by everyone alike (PROTOCOL R-72).
//!
//! - Reachable: [`Session::key_package`]. First contact: [`Session::begin_room`], [`Session::join`].
//! - Talking: [`Session::encrypt`], [`Session::decrypt`]. Envelopes: [`Session::envelope_secret`].
//! - Changing: [`Session::found_room`], [`Session::stage_commit`], [`Session::apply_commit`].
//!
//! **Time.** OpenMLS compares MLS lifetimes with the system's clock, when it validates a KeyPackage and whenever it
//! stages an Add; two members with different clocks could disagree about a commit. Our KeyPackages therefore carry an
//! unlimited MLS lifetime and state their real one in a signed extension of ours ([`validity`]), which is compared with
//! [`Session::now`]. What remains: OpenMLS stamps the secrets of an epoch with the system's time (so stored bytes
//! differ between runs; no result depends on it) and computes a default lifetime that we overwrite.

mod content;
mod error;
mod group;
mod key_package;
mod order;
pub mod provider;
mod room;
mod roster;
mod rules;
mod snapshot;
mod types;
pub mod validity;

use livechat_wire::AccountId;
use livechat_wire::group::{Charter, MemberRecord};
use openmls::prelude::{
    BasicCredential, Capabilities, Ciphersuite, Credential, CredentialType, CredentialWithKey, ExtensionType, Lifetime,
    MlsGroup, MlsGroupCreateConfig, MlsGroupCreateConfigBuilder, MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn,
    PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, ProtocolVersion, SenderRatchetConfiguration, SignatureScheme, tls_codec,
};
use openmls_traits::OpenMlsProvider;
use openmls_traits::signatures::{Signer, SignerError};
use rand_core::CryptoRng;

pub use error::{
    ApplyError, DecryptError, EncryptError, GroupError, JoinError, KeyPackageError, KeyPackageProblem, MlsError,
    StageError,
};
pub use order::{CommitTooLong, OrderKeys};
pub use room::{Applied, Change, Room, Seat, Staged};
pub use rules::CommitProblem;
pub use snapshot::Snapshot;
pub use types::{Begun, EpochSecret, GroupId, Joined, Member, Opened, PeerDevice, Sealed, Suite};

use crate::identity::Identity;
use crate::kv::Kv;
use crate::limits;
use provider::{Provider, StorageError};

/// One device at work on its groups.
pub struct Session<'a> {
    /// Who.
    pub identity: &'a Identity,
    /// Where its state is, inside the caller's transaction.
    pub kv: &'a mut dyn Kv,
    /// Where randomness comes from.
    pub rng: &'a mut dyn CryptoRng,
    /// Unix seconds.
    pub now: u64,
}

impl core::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Session").field("identity", &self.identity).field("now", &self.now).finish_non_exhaustive()
    }
}

impl Session<'_> {
    fn provider(&mut self) -> Provider<'_> {
        Provider::new(self.kv, self.rng)
    }

    fn credential(&self) -> CredentialWithKey {
        let credential = BasicCredential::new(self.identity.account().0.to_vec());
        CredentialWithKey { credential: credential.into(), signature_key: self.identity.device_key().as_slice().into() }
    }
}

/// Signs as the device: the leaf's signature key is the device key.
struct DeviceSigner<'a>(&'a Identity);

impl Signer for DeviceSigner<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign_as_device(payload).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl Suite {
    fn mls(self) -> Ciphersuite {
        match self {
            Self::XWing => Ciphersuite::MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519,
            Self::X25519 => Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
        }
    }

    fn of(suite: Ciphersuite) -> Option<Self> {
        [Self::XWing, Self::X25519].into_iter().find(|s| s.mls() == suite)
    }
}

/// What our leaves say they can do. Explicit, because OpenMLS's default lists neither our suite nor our extension.
fn capabilities(suite: Suite) -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[suite.mls()]),
        Some(&[
            ExtensionType::LastResort,
            ExtensionType::Unknown(validity::EXTENSION),
            ExtensionType::Unknown(Charter::EXTENSION),
            ExtensionType::Unknown(MemberRecord::EXTENSION),
        ]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

/// The MLS lifetime of all our leaves: unlimited, see the module's documentation.
fn unlimited() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        // Envelopes have one size; padding inside them would hide nothing more.
        .padding_size(0)
        .max_past_epochs(limits::PAST_EPOCHS)
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(limits::OUT_OF_ORDER, limits::FORWARD))
        .build()
}

/// What everyone who makes a group sets, and everyone who joins one too.
fn create_config(suite: Suite) -> MlsGroupCreateConfigBuilder {
    let join = join_config();
    MlsGroupCreateConfig::builder()
        .ciphersuite(suite.mls())
        .capabilities(capabilities(suite))
        .lifetime(unlimited())
        .wire_format_policy(join.wire_format_policy())
        .padding_size(join.padding_size())
        .max_past_epochs(limits::PAST_EPOCHS)
        .number_of_resumption_psks(0)
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(*join.sender_ratchet_configuration())
}

fn load(provider: &Provider<'_>, group: &GroupId) -> Result<Option<MlsGroup>, StorageError> {
    MlsGroup::load(provider.storage(), &group.mls())
}

impl GroupId {
    fn mls(&self) -> openmls::prelude::GroupId {
        openmls::prelude::GroupId::from_slice(&self.0)
    }

    fn of(group: &openmls::prelude::GroupId) -> Option<Self> {
        group.as_slice().try_into().ok().map(Self)
    }
}

impl Member {
    /// `None` when the credential or the key is not of our kind.
    fn of(leaf: u32, credential: &Credential, signature_key: &[u8]) -> Option<Self> {
        Some(Self { leaf, account: account(credential)?, device_key: signature_key.try_into().ok()? })
    }

    fn of_mls(member: &openmls::prelude::Member) -> Option<Self> {
        Self::of(member.index.u32(), &member.credential, &member.signature_key)
    }
}

/// The account that a credential names.
fn account(credential: &Credential) -> Option<AccountId> {
    let basic = BasicCredential::try_from(credential.clone()).ok()?;
    basic.identity().try_into().ok().map(AccountId)
}

/// Reads an `MLSMessage`; `None` when it isn't exactly one.
fn message(mut bytes: &[u8]) -> Option<MlsMessageBodyIn> {
    let message = <MlsMessageIn as tls_codec::Deserialize>::tls_deserialize(&mut bytes).ok()?;
    bytes.is_empty().then(|| message.extract())
}
