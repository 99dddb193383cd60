//! Commits that a program without our checks can make: OpenMLS asked directly, with a member's real keys.

use livechat_crypto::mls::GroupId;
use livechat_crypto::mls::provider::Provider;
use livechat_wire::group::{Charter, MemberRecord};
use openmls::prelude::tls_codec::Serialize;
use openmls::prelude::*;
use openmls_traits::OpenMlsProvider;
use openmls_traits::signatures::{Signer, SignerError};

use crate::rig::Person;

struct Key(ed25519_dalek::SigningKey);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(ed25519_dalek::Signer::sign(&self.0, payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

fn made(
    who: &mut Person,
    group: &GroupId,
    change: impl for<'a> FnOnce(CommitBuilder<'a, Initial>) -> CommitBuilder<'a, Initial>,
) -> Vec<u8> {
    // The device key stands fourth in the encoded identity.
    let secret: [u8; 32] = who.engine.identity().unwrap().encode()[34..66].try_into().unwrap();
    let key = Key(ed25519_dalek::SigningKey::from_bytes(&secret));
    // On a copy: a forger who wants to go on doesn't advance their own ratchets.
    let mut kv = who.kv.clone();
    let provider = Provider::new(&mut kv, &mut who.dice);
    let id = openmls::group::GroupId::from_slice(&group.0);
    let mut group = MlsGroup::load(provider.storage(), &id).unwrap().unwrap();
    let bundle = change(group.commit_builder()).load_psks(provider.storage()).unwrap();
    let bundle = bundle.build(provider.rand(), provider.crypto(), &key, |_| true).unwrap();
    bundle.stage_commit(&provider).unwrap().commit().tls_serialize_detached().unwrap()
}

/// Another charter.
pub fn charter(who: &mut Person, group: &GroupId, charter: &Charter) -> Vec<u8> {
    let ours = [Charter::EXTENSION, MemberRecord::EXTENSION].map(ExtensionType::Unknown);
    let required = Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&ours, &[], &[]));
    let ours = Extension::Unknown(Charter::EXTENSION, UnknownExtension(charter.encode()));
    let extensions = Extensions::from_vec(vec![required, ours]).unwrap();
    made(who, group, |b| b.propose_group_context_extensions(extensions).unwrap())
}

/// Somebody out.
pub fn remove(who: &mut Person, group: &GroupId, leaf: u32) -> Vec<u8> {
    made(who, group, |b| b.propose_removals([LeafNodeIndex::new(leaf)]))
}
