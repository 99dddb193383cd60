//! Our provider and OpenMLS's own in one group, suite 0x0003, either of them its maker.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may unwrap")]

mod support;

use livechat_crypto::envelope::EnvelopeKeys;
use livechat_crypto::mls::validity::{self, Validity};
use livechat_crypto::mls::{PeerDevice, Suite};
use livechat_wire::group::{Charter, MemberRecord};
use openmls::prelude::tls_codec::{Deserialize, Serialize};
use openmls::prelude::*;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use support::{NOW, Person, with_stack};

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

/// Somebody whose client is OpenMLS with its own provider. The identity only lends the device key and the log.
struct Other {
    person: Person,
    provider: OpenMlsRustCrypto,
    signer: SignatureKeyPair,
}

impl Other {
    fn new(seed: u64) -> Self {
        let person = Person::new(seed);
        let secrets = person.identity.encode();
        let device = secrets[34..66].to_vec();
        let signer =
            SignatureKeyPair::from_raw(SignatureScheme::ED25519, device, person.identity.device_key().to_vec());
        Self { person, provider: OpenMlsRustCrypto::default(), signer }
    }

    fn credential(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.person.identity.account().0.to_vec()).into(),
            signature_key: self.signer.public().into(),
        }
    }

    fn capabilities() -> Capabilities {
        let ours = [validity::EXTENSION, Charter::EXTENSION, MemberRecord::EXTENSION].map(ExtensionType::Unknown);
        let extensions = [vec![ExtensionType::LastResort], ours.to_vec()].concat();
        Capabilities::new(None, Some(&[SUITE]), Some(&extensions), None, None)
    }

    fn leaf_extensions(&self) -> Extensions<LeafNode> {
        let record = UnknownExtension(self.person.record().encode());
        Extensions::single(Extension::Unknown(MemberRecord::EXTENSION, record)).unwrap()
    }

    fn key_package(&self) -> Vec<u8> {
        let validity = UnknownExtension(Validity::from(NOW).encode());
        let bundle = KeyPackage::builder()
            .key_package_extensions(Extensions::single(Extension::Unknown(validity::EXTENSION, validity)).unwrap())
            .leaf_node_capabilities(Self::capabilities())
            .leaf_node_extensions(self.leaf_extensions())
            .build(SUITE, &self.provider, &self.signer, self.credential())
            .unwrap();
        MlsMessageOut::from(bundle.into_key_package()).tls_serialize_detached().unwrap()
    }

    fn open(&self, group: &mut MlsGroup, message: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let message = MlsMessageIn::tls_deserialize_exact(message).unwrap().try_into_protocol_message().unwrap();
        let processed = group.process_message(&self.provider, message).unwrap();
        let aad = processed.aad().to_vec();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(content) => (content.into_bytes(), aad),
            other => panic!("{other:?}"),
        }
    }
}

fn talk(ours: &mut Person, other: &Other, group: &mut MlsGroup) {
    let id = livechat_crypto::mls::GroupId(group.group_id().as_slice().try_into().unwrap());
    for n in 0..10_u8 {
        let sent = ours.session().encrypt(&id, &[n; 100], b"from us").unwrap();
        assert_eq!(other.open(group, &sent.message), (vec![n; 100], b"from us".to_vec()));

        group.set_aad(b"from them".to_vec());
        let back = group.create_message(&other.provider, &other.signer, &[n; 200]).unwrap();
        let opened = ours.session().decrypt(&id, &back.tls_serialize_detached().unwrap()).unwrap();
        assert_eq!((opened.content, opened.aad), (vec![n; 200], b"from them".to_vec()));
        assert!(opened.sender.is_in(&other.person.log));
    }
    let theirs = group.export_secret(other.provider.crypto(), EnvelopeKeys::LABEL, &[], 32).unwrap();
    assert_eq!(ours.session().envelope_secret(&id).unwrap().secret.as_slice(), theirs);
}

#[test]
fn their_client_joins_our_group() {
    with_stack(|| {
        let (mut alice, bob) = (Person::new(1), Other::new(2));
        let key_package = bob.key_package();
        let device_key = bob.person.identity.device_key();
        let peer = PeerDevice { log: &bob.person.log, device_key, key_package: &key_package };
        let created = alice.begin_in(Suite::X25519, &[peer]).unwrap();

        let MlsMessageBodyIn::Welcome(welcome) =
            MlsMessageIn::tls_deserialize_exact(&created.welcomes[0]).unwrap().extract()
        else {
            panic!("no welcome");
        };
        let mut group = StagedWelcome::new_from_welcome(&bob.provider, &MlsGroupJoinConfig::default(), welcome, None)
            .unwrap()
            .into_group(&bob.provider)
            .unwrap();
        talk(&mut alice, &bob, &mut group);
    });
}

#[test]
fn our_client_joins_their_group() {
    with_stack(|| {
        let (mut alice, bob) = (Person::new(1), Other::new(2));
        let record = alice.record();
        let key_package = alice.session().key_package_in(Suite::X25519, &record, false).unwrap();
        let MlsMessageBodyIn::KeyPackage(key_package) =
            MlsMessageIn::tls_deserialize_exact(&key_package).unwrap().extract()
        else {
            panic!("no key package");
        };
        let key_package = key_package.validate(bob.provider.crypto(), ProtocolVersion::Mls10).unwrap();
        let ours = [Charter::EXTENSION, MemberRecord::EXTENSION].map(ExtensionType::Unknown);
        let required = Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&ours, &[], &[]));
        let charter = Charter::direct(bob.person.identity.account(), [9; 32]);
        let charter = Extension::Unknown(Charter::EXTENSION, UnknownExtension(charter.encode()));
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(SUITE)
            .capabilities(Other::capabilities())
            .with_leaf_node_extensions(bob.leaf_extensions())
            .unwrap()
            .with_group_context_extensions(Extensions::from_vec(vec![required, charter]).unwrap())
            .use_ratchet_tree_extension(true)
            .build();
        let mut group = MlsGroup::new(&bob.provider, &bob.signer, &config, bob.credential()).unwrap();
        let (_, welcome, _) = group.add_members(&bob.provider, &bob.signer, &[key_package]).unwrap();
        group.merge_pending_commit(&bob.provider).unwrap();

        let joined = alice.session().join(&welcome.tls_serialize_detached().unwrap()).unwrap();
        assert!(joined.creator.is_in(&bob.person.log));
        talk(&mut alice, &bob, &mut group);
    });
}
