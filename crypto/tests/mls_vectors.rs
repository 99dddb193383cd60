//! The MLS working group's own vectors (`vectors/README.md`), suite 0x0003, through our provider.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test that reads its data")]

mod support;

use std::path::Path;

use data_encoding::HEXLOWER;
use livechat_crypto::kv::MemoryKv;
use livechat_crypto::mls::provider::Provider;
use openmls::prelude::tls_codec::{Deserialize as _, VLBytes};
use openmls::prelude::*;
use openmls::schedule::psk::PreSharedKeyId;
use openmls::treesync::RatchetTreeIn;
use openmls_traits::storage::StorageProvider;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use serde::{Deserialize, Deserializer, Serialize};
use support::with_stack;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;

#[test]
fn p14_mls_crypto_basics() {
    with_stack(crypto_basics);
}

#[test]
fn p14_mls_passive_client_welcome() {
    with_stack(|| passive_client("passive-client-welcome"));
}

#[test]
fn p14_mls_passive_client_handling_commit() {
    with_stack(|| passive_client("passive-client-handling-commit"));
}

/// Hexadecimal in the files.
#[derive(Clone)]
struct Hex(Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        HEXLOWER.decode(String::deserialize(d)?.as_bytes()).map(Self).map_err(serde::de::Error::custom)
    }
}

#[derive(Deserialize)]
struct Suited<T> {
    cipher_suite: u16,
    #[serde(flatten)]
    vector: T,
}

fn load<T: serde::de::DeserializeOwned>(name: &str) -> Vec<T> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/mls");
    let text = std::fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    let all: Vec<Suited<T>> = serde_json::from_str(&text).unwrap();
    assert!(!all.is_empty() && all.iter().all(|v| v.cipher_suite == 3));
    all.into_iter().map(|v| v.vector).collect()
}

/// `opaque data<V>` (RFC 9420 §2.1.2).
fn vector(data: &[u8]) -> Vec<u8> {
    tls_codec::Serialize::tls_serialize_detached(&VLBytes::from(data)).unwrap()
}

fn labelled(label: &str, content: &[u8]) -> Vec<u8> {
    [vector(format!("MLS 1.0 {label}").as_bytes()), vector(content)].concat()
}

#[derive(Deserialize)]
struct Basics {
    ref_hash: RefHash,
    expand_with_label: ExpandWithLabel,
    derive_secret: DeriveSecret,
    derive_tree_secret: DeriveTreeSecret,
    sign_with_label: SignWithLabel,
    encrypt_with_label: EncryptWithLabel,
}

#[derive(Deserialize)]
struct RefHash {
    label: String,
    value: Hex,
    out: Hex,
}

#[derive(Deserialize)]
struct ExpandWithLabel {
    secret: Hex,
    label: String,
    context: Hex,
    length: u16,
    out: Hex,
}

#[derive(Deserialize)]
struct DeriveSecret {
    secret: Hex,
    label: String,
    out: Hex,
}

#[derive(Deserialize)]
struct DeriveTreeSecret {
    secret: Hex,
    label: String,
    generation: u32,
    length: u16,
    out: Hex,
}

#[derive(Deserialize)]
struct SignWithLabel {
    #[serde(rename = "priv")]
    private: Hex,
    #[serde(rename = "pub")]
    public: Hex,
    content: Hex,
    label: String,
    signature: Hex,
}

#[derive(Deserialize)]
struct EncryptWithLabel {
    #[serde(rename = "priv")]
    private: Hex,
    #[serde(rename = "pub")]
    public: Hex,
    label: String,
    context: Hex,
    plaintext: Hex,
    kem_output: Hex,
    ciphertext: Hex,
}

fn crypto_basics() {
    let vectors: Vec<Basics> = load("crypto-basics");
    let mut kv = MemoryKv::default();
    let provider = Provider::new(&mut kv, &mut ChaCha20Rng::seed_from_u64(1));
    let crypto = provider.crypto();
    let expand = |secret: &[u8], label: &str, context: &[u8], length: u16| {
        let info = [&length.to_be_bytes()[..], &labelled(label, context)].concat();
        crypto.hkdf_expand(HashType::Sha2_256, secret, &info, length.into()).unwrap().as_slice().to_vec()
    };
    for v in &vectors {
        let r = &v.ref_hash;
        let input = [vector(r.label.as_bytes()), vector(&r.value.0)].concat();
        assert_eq!(crypto.hash(HashType::Sha2_256, &input).unwrap(), r.out.0);

        let e = &v.expand_with_label;
        assert_eq!(expand(&e.secret.0, &e.label, &e.context.0, e.length), e.out.0);
        let d = &v.derive_secret;
        assert_eq!(expand(&d.secret.0, &d.label, b"", 32), d.out.0);
        let t = &v.derive_tree_secret;
        assert_eq!(expand(&t.secret.0, &t.label, &t.generation.to_be_bytes(), t.length), t.out.0);

        let s = &v.sign_with_label;
        let content = labelled(&s.label, &s.content.0);
        crypto.verify_signature(SignatureScheme::ED25519, &content, &s.public.0, &s.signature.0).unwrap();
        assert_eq!(crypto.sign(SignatureScheme::ED25519, &content, &s.private.0).unwrap(), s.signature.0);

        let e = &v.encrypt_with_label;
        let (config, info) = (|| SUITE.hpke_config(), labelled(&e.label, &e.context.0));
        let theirs =
            HpkeCiphertext { kem_output: e.kem_output.0.clone().into(), ciphertext: e.ciphertext.0.clone().into() };
        let ours = crypto.hpke_seal(config(), &e.public.0, &info, b"", &e.plaintext.0).unwrap();
        for sealed in [theirs, ours] {
            assert_eq!(crypto.hpke_open(config(), &sealed, &e.private.0, &info, b"").unwrap(), e.plaintext.0);
        }
    }
}

#[derive(Deserialize)]
struct PassiveClient {
    external_psks: Vec<ExternalPsk>,
    key_package: Hex,
    encryption_priv: Hex,
    init_priv: Hex,
    welcome: Hex,
    ratchet_tree: Option<Hex>,
    initial_epoch_authenticator: Hex,
    epochs: Vec<Epoch>,
}

#[derive(Deserialize)]
struct ExternalPsk {
    psk_id: Hex,
    psk: Hex,
}

#[derive(Deserialize)]
struct Epoch {
    proposals: Vec<Hex>,
    commit: Hex,
    epoch_authenticator: Hex,
}

/// The shape of OpenMLS's `KeyPackageBundle`, which has no public constructor.
#[derive(Serialize)]
struct Bundle {
    key_package: KeyPackageIn,
    private_init_key: HpkePrivateKey,
    private_encryption_key: EncryptionPrivate,
}

#[derive(Serialize)]
struct EncryptionPrivate {
    key: HpkePrivateKey,
}

fn passive_client(name: &str) {
    for v in load(name) {
        follow(v);
    }
}

fn read(bytes: &Hex) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize_exact(&bytes.0).unwrap().extract()
}

fn follow(v: PassiveClient) {
    let mut kv = MemoryKv::default();
    let provider = Provider::new(&mut kv, &mut ChaCha20Rng::seed_from_u64(1));
    for psk in &v.external_psks {
        PreSharedKeyId::external(psk.psk_id.0.clone(), vec![]).store(&provider, &psk.psk.0).unwrap();
    }
    let MlsMessageBodyIn::KeyPackage(key_package) = read(&v.key_package) else { panic!("no key package") };
    let bundle = Bundle {
        key_package,
        private_init_key: v.init_priv.0.into(),
        private_encryption_key: EncryptionPrivate { key: v.encryption_priv.0.into() },
    };
    let mut bytes = Vec::new();
    ciborium::into_writer(&bundle, &mut bytes).unwrap();
    let bundle: KeyPackageBundle = ciborium::from_reader(bytes.as_slice()).unwrap();
    let reference = bundle.key_package().hash_ref(provider.crypto()).unwrap();
    provider.storage().write_key_package(&reference, &bundle).unwrap();

    let MlsMessageBodyIn::Welcome(welcome) = read(&v.welcome) else { panic!("no welcome") };
    let config = MlsGroupJoinConfig::builder()
        .wire_format_policy(MIXED_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .number_of_resumption_psks(16)
        .use_ratchet_tree_extension(true)
        .build();
    let mut joining =
        StagedWelcome::build_from_welcome(&provider, &config, welcome).unwrap().skip_lifetime_validation();
    if let Some(tree) = v.ratchet_tree {
        joining = joining.with_ratchet_tree(RatchetTreeIn::tls_deserialize_exact(tree.0).unwrap());
    }
    let mut group = joining.build().unwrap().into_group(&provider).unwrap();
    assert_eq!(group.epoch_authenticator().as_slice(), v.initial_epoch_authenticator.0);

    for epoch in v.epochs {
        for message in epoch.proposals.iter().chain([&epoch.commit]) {
            let message = match read(message) {
                MlsMessageBodyIn::PrivateMessage(m) => ProtocolMessage::from(m),
                MlsMessageBodyIn::PublicMessage(m) => ProtocolMessage::from(m),
                other => panic!("{other:?}"),
            };
            match group.process_message(&provider, message).unwrap().into_content() {
                ProcessedMessageContent::ProposalMessage(proposal) => {
                    group.store_pending_proposal(provider.storage(), *proposal).unwrap();
                }
                ProcessedMessageContent::StagedCommitMessage(commit) => {
                    group.merge_staged_commit(&provider, *commit).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(group.epoch_authenticator().as_slice(), epoch.epoch_authenticator.0);
    }
}
