//! Being reachable, and judging what others published to be reached.

use livechat_wire::group::MemberRecord;
use livechat_wire::limits as wire;
use openmls::prelude::{
    Extension, Extensions, KeyPackage, KeyPackageNewError, MlsMessageBodyIn, MlsMessageOut, ProtocolVersion,
    UnknownExtension, tls_codec,
};
use openmls_traits::OpenMlsProvider;
use tls_codec::Serialize;

use super::provider::Provider;
use super::room::leaf_extensions;
use super::validity::{self, Validity};
use super::{
    DeviceSigner, KeyPackageError, KeyPackageProblem, MlsError, PeerDevice, Session, Suite, account, capabilities,
    message, unlimited,
};

impl Session<'_> {
    /// Makes a KeyPackage for others to reach this device by, and keeps its private keys: a serialised `MLSMessage`.
    /// One-time ones are forgotten once a Welcome used them; the last-resort one may be used again and again. The
    /// record's log names this device.
    ///
    /// # Errors
    /// [`KeyPackageError`].
    pub fn key_package(&mut self, record: &MemberRecord, last_resort: bool) -> Result<Vec<u8>, KeyPackageError> {
        self.key_package_in(Suite::default(), record, last_resort)
    }

    /// As [`Session::key_package`], in another suite than the default.
    ///
    /// # Errors
    /// [`KeyPackageError`].
    pub fn key_package_in(
        &mut self,
        suite: Suite,
        record: &MemberRecord,
        last_resort: bool,
    ) -> Result<Vec<u8>, KeyPackageError> {
        let (signer, credential) = (DeviceSigner(self.identity), self.credential());
        let validity = UnknownExtension(Validity::from(self.now).encode());
        let extensions =
            Extensions::single(Extension::Unknown(validity::EXTENSION, validity)).map_err(MlsError::new)?;
        let mut builder = KeyPackage::builder()
            .key_package_lifetime(unlimited())
            .key_package_extensions(extensions)
            .leaf_node_capabilities(capabilities(suite))
            .leaf_node_extensions(leaf_extensions(record)?);
        if last_resort {
            builder = builder.mark_as_last_resort();
        }
        let provider = self.provider();
        let bundle = builder
            .build(suite.mls(), &provider, &signer, credential)
            .map_err(|e: KeyPackageNewError| MlsError::new(e))?;
        let bytes = MlsMessageOut::from(bundle.into_key_package()).tls_serialize_detached().map_err(MlsError::new)?;
        provider.commit()?;
        Ok(bytes)
    }

    /// Forgets the private keys of KeyPackages that no Welcome can come for any more: expired, and for longer than
    /// relays keep a Welcome. Returns how many. What was never used must not lie about for a thief of the store.
    ///
    /// # Errors
    /// [`KeyPackageError`].
    pub fn forget_key_packages(&mut self) -> Result<usize, KeyPackageError> {
        let now = self.now;
        let provider = self.provider();
        let mut forgotten = 0;
        for (key, bundle) in provider.storage().key_packages()? {
            let validity = validity_of(bundle.key_package()).map(|v| v.not_after).unwrap_or(0);
            if now >= validity.saturating_add(wire::RETENTION.as_secs()) {
                provider.storage().forget(key);
                forgotten += 1;
            }
        }
        provider.commit()?;
        Ok(forgotten)
    }
}

fn validity_of(key_package: &KeyPackage) -> Result<Validity, KeyPackageProblem> {
    let extension = key_package.extensions().unknown(validity::EXTENSION).ok_or(KeyPackageProblem::Validity)?;
    Validity::decode(&extension.0).map_err(|_| KeyPackageProblem::Validity)
}

/// Checks everything about a KeyPackage that can be checked without a group.
pub(super) fn check(
    provider: &Provider<'_>,
    suite: Suite,
    now: u64,
    peer: &PeerDevice<'_>,
) -> Result<KeyPackage, KeyPackageProblem> {
    if !peer.log.has_device(&peer.device_key) {
        return Err(KeyPackageProblem::NotInLog);
    }
    if peer.key_package.len() > wire::KEY_PACKAGE {
        return Err(KeyPackageProblem::Malformed);
    }
    let Some(MlsMessageBodyIn::KeyPackage(unverified)) = message(peer.key_package) else {
        return Err(KeyPackageProblem::Malformed);
    };
    let verified =
        unverified.validate(provider.crypto(), ProtocolVersion::Mls10).map_err(|_| KeyPackageProblem::Invalid)?;
    if verified.ciphersuite() != suite.mls() {
        return Err(KeyPackageProblem::Suite);
    }
    let leaf = verified.leaf_node();
    if account(leaf.credential()) != Some(peer.log.account()) {
        return Err(KeyPackageProblem::Account);
    }
    if leaf.signature_key().as_slice() != peer.device_key {
        return Err(KeyPackageProblem::Device);
    }
    validity_of(&verified)?.check(now)?;
    Ok(verified)
}
