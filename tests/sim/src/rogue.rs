//! Somebody whose machine runs another program than ours: it has all the keys that the engine had, asks OpenMLS
//! directly, and checks nothing.

use livechat_crypto::envelope::{Address, EnvelopeKeys, HelloKeys, seal_hello};
use livechat_crypto::identity::Identity;
use livechat_crypto::kv::{Kv, MemoryKv, Namespace, Order};
use livechat_crypto::mls::provider::Provider;
use livechat_crypto::mls::{GroupId, OrderKeys, Room, Session};
use livechat_engine::Engine;
use livechat_engine::tables::Table;
use livechat_wire::bundle::Bundle;
use livechat_wire::codec::Reader;
use livechat_wire::content::{Body, Content};
use livechat_wire::envelope::epoch_at;
use livechat_wire::group::{Charter, MemberRecord};
use livechat_wire::hello::{Hello, Introduction};
use livechat_wire::order::Entry;
use livechat_wire::payload::{Fragment, Kind, Message};
use livechat_wire::sync::Refusal;
use livechat_wire::{AccountId, ConversationId, Envelope, MessageId};
use openmls::prelude::tls_codec::{Deserialize, Serialize};
use openmls::prelude::{
    CommitBuilder, Extension, ExtensionType, Extensions, GroupContext, Initial, KeyPackage, LeafNodeIndex, MlsGroup,
    MlsMessageBodyIn, MlsMessageIn, ProtocolVersion, RequiredCapabilitiesExtension, SignatureScheme, UnknownExtension,
};
use openmls_traits::OpenMlsProvider;
use openmls_traits::signatures::{Signer, SignerError};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use super::World;

/// A machine that was somebody's; see [the module](self).
pub struct Rogue {
    name: String,
    /// Who it is.
    pub identity: Identity,
    store: MemoryKv,
    dice: ChaCha20Rng,
    /// The next envelope in the current epoch of the group in which it is at work.
    next: Option<(GroupId, u64)>,
}

impl World {
    /// Somebody's machine runs another program from now on; the engine that it had is gone.
    ///
    /// # Panics
    /// When nobody has that name.
    pub fn turns(&mut self, who: &str) -> Rogue {
        self.crash(who);
        let store = self.people[who].store.clone();
        let engine = Engine::open(&store).expect("what was committed opens");
        let identity = engine.identity().expect("somebody signed up");
        let identity = Identity::decode(&identity.encode()).expect("an identity");
        let dice = ChaCha20Rng::seed_from_u64(self.dice.next_u64());
        Rogue { name: who.to_owned(), identity, store, dice, next: None }
    }

    /// Lets envelopes go round, as if this person's machine had made them.
    pub fn publishes(&mut self, who: &str, envelopes: &[Envelope]) {
        envelopes.iter().for_each(|e| self.gossip(who, e));
    }

    /// The conversation of a group, by the name that it was founded under.
    ///
    /// # Panics
    /// When there is no such group.
    #[must_use]
    pub fn group_id(&self, group: &str) -> ConversationId {
        self.groups[group]
    }

    /// Somebody's account id.
    ///
    /// # Panics
    /// When nobody has that name.
    #[must_use]
    pub fn account_of(&self, who: &str) -> AccountId {
        self.account(who)
    }

    /// The direct chat of two.
    ///
    /// # Panics
    /// When nobody has one of these names.
    #[must_use]
    pub fn direct_id(&self, one: &str, other: &str) -> ConversationId {
        ConversationId::direct(&self.account(one), &self.account(other))
    }
}

/// Signs as the device.
struct Key(ed25519_dalek::SigningKey);

impl Signer for Key {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(ed25519_dalek::Signer::sign(&self.0, payload).to_bytes().to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl Rogue {
    fn key(&self) -> Key {
        // The device key stands behind version and identity key in the encoded identity.
        let encoded = self.identity.encode();
        let secret: [u8; 32] = encoded[34..66].try_into().expect("32 bytes");
        Key(ed25519_dalek::SigningKey::from_bytes(&secret))
    }

    /// What crypto does for this device.
    pub fn session(&mut self, world: &World) -> Session<'_> {
        let now = world.now / 1_000;
        Session { identity: &self.identity, kv: &mut self.store, rng: &mut self.dice, now }
    }

    /// The MLS group of a conversation; of several the first.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn mls_group(&self, at: ConversationId) -> GroupId {
        let rows = self.store.scan(Namespace(Table::Groups as u8), &[], &[], 999, Order::Ascending).expect("memory");
        // A group's record begins with its version and its conversation.
        let of = |value: &[u8]| value[1..33] == at.0;
        let (key, _) = rows.into_iter().find(|(_, v)| of(v)).expect("its group");
        GroupId(key[..].try_into().expect("16 bytes"))
    }

    /// A room as this machine last saw it.
    ///
    /// # Panics
    /// When there is none.
    pub fn room(&mut self, world: &World, group: &GroupId) -> Room {
        self.session(world).room(group).expect("a look").expect("a room")
    }

    /// The leaf of somebody's first device.
    ///
    /// # Panics
    /// When they have none.
    pub fn leaf_of(&mut self, world: &World, group: &GroupId, who: &str) -> u32 {
        let account = world.account(who);
        let room = self.room(world, group);
        room.seats.iter().find(|s| s.member.account == account).expect("a seat").member.leaf
    }

    /// Slot and sealing key of the epoch in which it is.
    ///
    /// # Panics
    /// When there is no such group.
    pub fn order_keys(&mut self, world: &World, group: &GroupId) -> OrderKeys {
        self.session(world).order_keys(group).expect("keys")
    }

    // ---- commits

    /// A commit that no engine makes. The machine's own state stays as it was.
    ///
    /// # Panics
    /// When OpenMLS refuses to make it.
    pub fn commit(
        &mut self,
        group: &GroupId,
        evidence: &[u8],
        change: impl for<'a> FnOnce(CommitBuilder<'a, Initial>) -> CommitBuilder<'a, Initial>,
    ) -> Vec<u8> {
        let key = self.key();
        let mut kv = self.store.clone();
        let provider = Provider::new(&mut kv, &mut self.dice);
        let id = openmls::group::GroupId::from_slice(&group.0);
        let mut group = MlsGroup::load(provider.storage(), &id).expect("a store").expect("a group");
        group.set_aad(evidence.to_vec());
        let builder = change(group.commit_builder()).load_psks(provider.storage()).expect("no PSK");
        let bundle = builder.build(provider.rand(), provider.crypto(), &key, |_| true).expect("a commit");
        let bundle = bundle.stage_commit(&provider).expect("staged");
        bundle.commit().tls_serialize_detached().expect("bytes")
    }

    /// A commit that gives the group another charter.
    pub fn commits_charter(&mut self, group: &GroupId, charter: &Charter) -> Vec<u8> {
        let extensions = charter_extensions(charter);
        self.commit(group, &[], |b| b.propose_group_context_extensions(extensions).expect("extensions"))
    }

    /// A commit that takes leaves out, showing this as evidence.
    pub fn commits_removal(&mut self, group: &GroupId, leaves: &[u32], evidence: &[u8]) -> Vec<u8> {
        let leaves: Vec<_> = leaves.iter().map(|l| LeafNodeIndex::new(*l)).collect();
        self.commit(group, evidence, |b| b.propose_removals(leaves))
    }

    /// A commit that takes a device in, whatever is wrong with it.
    pub fn commits_addition(&mut self, group: &GroupId, key_package: &[u8]) -> Vec<u8> {
        let package = read_key_package(key_package);
        self.commit(group, &[], |b| b.propose_adds([package]))
    }

    /// Puts bytes into the slot of the epoch in which it is, sealed as a commit; says where.
    ///
    /// # Errors
    /// The relay's, when it takes no more.
    pub fn claims(&mut self, world: &mut World, group: &GroupId, commit: &[u8]) -> Result<Entry, Refusal> {
        let mut salt = [0; 32];
        self.dice.fill_bytes(&mut salt);
        let keys = self.order_keys(world, group);
        let commit = keys.seal(commit, &salt).expect("not too long");
        let receipt = world.relay.append(keys.slot, commit.clone(), world.now / 1_000)?;
        Ok(Entry { receipt, commit })
    }

    /// Shows the others what stands in the slot.
    pub fn shows(&mut self, world: &mut World, group: &GroupId, entry: &Entry) {
        self.sends(world, group, Kind::Commit, &entry.encode());
    }

    // ---- messages

    /// Encrypts anything for a group, bound to anything.
    ///
    /// # Panics
    /// When there is no such group.
    pub fn encrypts(&mut self, world: &World, group: &GroupId, content: &[u8], aad: &[u8]) -> Vec<u8> {
        let mls = self.session(world).encrypt(group, content, aad).expect("a group").message;
        Message { after: None, mls }.encode()
    }

    /// Says something of any kind in a group, or in the direct chat that it is.
    pub fn says(&mut self, world: &mut World, group: &GroupId, at: ConversationId, body: Body) -> MessageId {
        let id = world.fresh_id();
        let content = Content { id, parents: vec![], sent_at: world.now, body };
        let payload = self.encrypts(world, group, &content.encode(), &at.0);
        self.sends(world, group, Kind::Mls, &payload);
        id
    }

    /// Seals a payload of any kind as the device's next envelopes in a group, and publishes them.
    ///
    /// # Panics
    /// When it is too long.
    pub fn sends(&mut self, world: &mut World, group: &GroupId, kind: Kind, payload: &[u8]) -> Vec<Envelope> {
        let mut id = [0; 8];
        self.dice.fill_bytes(&mut id);
        let fragments = Fragment::cut(kind, id, payload).expect("not too long");
        let envelopes: Vec<_> = fragments.iter().map(|f| self.seals(world, group, f)).collect();
        world.publishes(&self.name, &envelopes);
        envelopes
    }

    /// Seals a fragment as the device's next envelope in a group.
    ///
    /// # Panics
    /// When there is no such group.
    pub fn seals(&mut self, world: &World, group: &GroupId, fragment: &Fragment) -> Envelope {
        let secret = self.session(world).envelope_secret(group).expect("a group");
        let number = match self.next {
            Some((at, number)) if at == *group => number,
            _ => self.counted(group),
        };
        self.next = Some((*group, number + 1));
        let to = Address { bucket: 0, epoch: epoch_at(world.now / 1_000), ephemeral: false };
        EnvelopeKeys::new(&secret.secret).seal(secret.own_leaf, number, fragment, to, &mut self.dice)
    }

    /// How many envelopes the engine has numbered in the newest epoch of a group.
    fn counted(&self, group: &GroupId) -> u64 {
        let row = self.store.get(Namespace(Table::Groups as u8), &group.0).expect("memory").expect("its group");
        let mut r = Reader::new(&row);
        r.take(1 + 32 + 4).expect("version, conversation, unconfirmed");
        let counters = r.list(99, "epochs", |r| {
            r.take(8 + 4 + 32 + 8)?;
            let counter = r.u64()?;
            r.list(usize::from(u16::MAX), "leaves", Reader::u32)?;
            Ok(counter)
        });
        counters.expect("epochs").pop().expect("an epoch")
    }

    // ---- first contacts

    /// Sends somebody's device an introduction, honest or not.
    ///
    /// # Panics
    /// When the directory doesn't have them.
    pub fn introduces(&mut self, world: &mut World, to: &str, introduction: &Introduction) {
        self.announces(world, to, Kind::Introduction, &introduction.encode());
    }

    /// Sends somebody's device what a hello announces, of any kind.
    ///
    /// # Panics
    /// When the directory doesn't have them.
    pub fn announces(&mut self, world: &mut World, to: &str, kind: Kind, bytes: &[u8]) {
        let bundle = bundle_of(world, to);
        let fragments = Fragment::cut(kind, [3; 8], bytes).expect("not too long");
        let mut secret = [0; 32];
        self.dice.fill_bytes(&mut secret);
        let count = u16::try_from(fragments.len()).expect("a number of fragments");
        let hello = Hello { secret, fragments: count, digest: Sha256::digest(bytes).into() };
        let to = Address { bucket: 0, epoch: epoch_at(world.now / 1_000), ephemeral: false };
        let mut envelopes = vec![seal_hello(&bundle.hello_key, &hello, to, &mut self.dice).expect("a key")];
        let keys = HelloKeys::new(&secret);
        envelopes.extend((0..).zip(&fragments).map(|(n, f)| keys.seal(n, f, to, &mut self.dice)));
        world.publishes(&self.name, &envelopes);
    }

    /// What this device would honestly introduce itself with.
    ///
    /// # Panics
    /// When the directory doesn't have its account.
    #[must_use]
    pub fn introduction(&self, world: &World, welcome: Vec<u8>) -> Introduction {
        let log = world.relay.log(&world.people[&self.name].username).expect("a log").encode();
        let bundle = self.identity.bundle(world.now / 1_000).encode();
        Introduction { log, bundle, welcome, rest: None }
    }

    /// The record that its leaf honestly carries.
    ///
    /// # Panics
    /// When the directory doesn't have its account.
    #[must_use]
    pub fn record(&self, world: &World) -> MemberRecord {
        let log = world.relay.log(&world.people[&self.name].username).expect("a log").encode();
        MemberRecord { log, bucket_seed: self.identity.bundle(0).bucket_seed }
    }
}

/// A KeyPackage of somebody's first device, from the directory.
///
/// # Panics
/// When it has none.
pub fn claim(world: &mut World, who: &str) -> Vec<u8> {
    let username = world.people[who].username.clone();
    let entry = world.relay.directory(&username, true).expect("they are listed");
    entry.devices.into_iter().next().and_then(|d| d.key_package).expect("a KeyPackage").0
}

fn bundle_of(world: &mut World, who: &str) -> Bundle {
    let (username, device) = (world.people[who].username.clone(), world.people[who].device);
    let entry = world.relay.directory(&username, false).expect("they are listed");
    let mut bundles = entry.devices.into_iter().map(|d| Bundle::decode(&d.bundle.0).expect("a bundle"));
    bundles.find(|b| b.device() == device).expect("their device")
}

/// The extensions of a group context with this charter.
///
/// # Panics
/// Never.
#[must_use]
pub fn charter_extensions(charter: &Charter) -> Extensions<GroupContext> {
    let ours = [Charter::EXTENSION, MemberRecord::EXTENSION].map(ExtensionType::Unknown);
    let required = Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&ours, &[], &[]));
    let ours = Extension::Unknown(Charter::EXTENSION, UnknownExtension(charter.encode()));
    Extensions::from_vec(vec![required, ours]).expect("two extensions")
}

fn read_key_package(bytes: &[u8]) -> KeyPackage {
    let message = MlsMessageIn::tls_deserialize_exact(bytes).expect("a message");
    let MlsMessageBodyIn::KeyPackage(package) = message.extract() else { panic!("a KeyPackage") };
    let mut scratch = MemoryKv::default();
    let mut dice = ChaCha20Rng::seed_from_u64(0);
    let provider = Provider::new(&mut scratch, &mut dice);
    package.validate(provider.crypto(), ProtocolVersion::Mls10).expect("signed")
}
