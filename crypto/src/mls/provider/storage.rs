//! OpenMLS's storage over a [`Kv`]: one namespace, a label byte and OpenMLS's own key for each value.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use openmls::prelude::KeyPackageBundle;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::codec::{Format, decode, encode};
use crate::kv::{Kv, KvError, Namespace, Order, prefix_end};

/// Where all of OpenMLS's state lives.
pub(crate) const NAMESPACE: Namespace = Namespace(1);

/// The store failed, or holds something that isn't OpenMLS's state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The store failed.
    #[error(transparent)]
    Kv(#[from] KvError),
    /// A value that has no encoding.
    #[error("the MLS state can't be encoded")]
    Encode,
    /// A damaged value, or one of a version this build doesn't know.
    #[error("the stored MLS state can't be decoded")]
    Decode,
}

/// Reads through to the store; writes wait for [`super::Provider::commit`].
pub struct Storage<'a> {
    kv: &'a mut dyn Kv,
    pending: RefCell<Pending>,
}

type Pending = BTreeMap<Vec<u8>, Option<Zeroizing<Vec<u8>>>>;

/// First byte of a key. Part of the store's format: numbers are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Label {
    JoinConfig = 1,
    OwnLeafNodes = 2,
    ProposalRefs = 3,
    Proposal = 4,
    Tree = 5,
    InterimTranscriptHash = 6,
    Context = 7,
    ConfirmationTag = 8,
    GroupState = 9,
    MessageSecrets = 10,
    ResumptionPsks = 11,
    OwnLeafIndex = 12,
    EpochSecrets = 13,
    SignatureKeyPair = 14,
    EncryptionKeyPair = 15,
    EpochKeyPairs = 16,
    KeyPackage = 17,
    Psk = 18,
}

impl Label {
    fn format(self) -> Format {
        match self {
            Self::JoinConfig => Format::Described,
            _ => Format::Compact,
        }
    }
}

/// What is kept by group: their keys begin with its id.
const OF_A_GROUP: [Label; 14] = [
    Label::JoinConfig,
    Label::OwnLeafNodes,
    Label::ProposalRefs,
    Label::Proposal,
    Label::Tree,
    Label::InterimTranscriptHash,
    Label::Context,
    Label::ConfirmationTag,
    Label::GroupState,
    Label::MessageSecrets,
    Label::ResumptionPsks,
    Label::OwnLeafIndex,
    Label::EpochSecrets,
    Label::EpochKeyPairs,
];

type Result<T, E = StorageError> = std::result::Result<T, E>;

impl<'a> Storage<'a> {
    pub(super) fn new(kv: &'a mut dyn Kv) -> Self {
        Self { kv, pending: RefCell::default() }
    }

    pub(super) fn kv(&self) -> &dyn Kv {
        &*self.kv
    }

    pub(super) fn commit(self) -> Result<(), KvError> {
        for (key, value) in self.pending.into_inner() {
            match value {
                Some(value) => self.kv.put(NAMESPACE, &key, &value)?,
                None => self.kv.delete(NAMESPACE, &key)?,
            }
        }
        Ok(())
    }

    /// The KeyPackages whose private keys are kept, each with its key in the store.
    pub(crate) fn key_packages(&self) -> Result<Vec<(Vec<u8>, KeyPackageBundle)>> {
        let prefix = [Label::KeyPackage as u8];
        let found = self.kv.scan(NAMESPACE, &prefix, &prefix_end(&prefix), usize::MAX, Order::Ascending)?;
        found.into_iter().map(|(key, value)| Ok((key, decode(&Zeroizing::new(value))?))).collect()
    }

    /// Forgets what is stored under a key of [`Storage::key_packages`].
    pub(crate) fn forget(&self, key: Vec<u8>) {
        self.pending.borrow_mut().insert(key, None);
    }

    /// Everything that is kept of one group.
    pub(crate) fn rows_of(&self, group: &impl Serialize) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let mut rows = Vec::new();
        for label in OF_A_GROUP {
            let prefix = Self::key(label, group)?;
            rows.extend(self.kv.scan(NAMESPACE, &prefix, &prefix_end(&prefix), usize::MAX, Order::Ascending)?);
        }
        Ok(rows)
    }

    /// Puts these rows in the place of everything that is kept of one group.
    pub(crate) fn replace_rows(&self, group: &impl Serialize, rows: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
        let old = self.rows_of(group)?;
        let mut pending = self.pending.borrow_mut();
        pending.extend(old.into_iter().map(|(key, _)| (key, None)));
        pending.extend(rows.iter().map(|(key, value)| (key.clone(), Some(Zeroizing::new(value.clone())))));
        Ok(())
    }

    fn key(label: Label, key: &impl Serialize) -> Result<Vec<u8>> {
        let mut out = vec![label as u8];
        out.extend_from_slice(&encode(Format::Compact, key)?);
        Ok(out)
    }

    fn write(&self, label: Label, key: &impl Serialize, value: &impl Serialize) -> Result<()> {
        let value = encode(label.format(), value)?;
        self.pending.borrow_mut().insert(Self::key(label, key)?, Some(value));
        Ok(())
    }

    fn read<V: DeserializeOwned>(&self, label: Label, key: &impl Serialize) -> Result<Option<V>> {
        let key = Self::key(label, key)?;
        if let Some(pending) = self.pending.borrow().get(&key) {
            return pending.as_ref().map(|bytes| decode(bytes)).transpose();
        }
        let stored = self.kv.get(NAMESPACE, &key)?.map(Zeroizing::new);
        stored.map(|bytes| decode(&bytes)).transpose()
    }

    fn remove(&self, label: Label, key: &impl Serialize) -> Result<()> {
        self.pending.borrow_mut().insert(Self::key(label, key)?, None);
        Ok(())
    }

    fn read_list<V: DeserializeOwned>(&self, label: Label, key: &impl Serialize) -> Result<Vec<V>> {
        Ok(self.read(label, key)?.unwrap_or_default())
    }

    fn append<V: Serialize + DeserializeOwned>(&self, label: Label, key: &impl Serialize, value: &V) -> Result<()> {
        // Values of a type may not be clonable, so the new one is brought into the list through its encoding.
        let mut list: Vec<V> = self.read_list(label, key)?;
        list.push(decode(&encode(Format::Compact, value)?)?);
        self.write(label, key, &list)
    }
}

impl fmt::Debug for Storage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Storage").field("pending", &self.pending.borrow().len()).finish_non_exhaustive()
    }
}

const V: u16 = CURRENT_VERSION;

/// One value for each group: writer, reader, deleter.
macro_rules! one_per_group {
    ($($label:ident: $entity:ident, $write:ident, $read:ident, $delete:ident;)*) => { $(
        fn $write<G: traits::GroupId<V>, T: traits::$entity<V>>(&self, group: &G, value: &T) -> Result<()> {
            self.write(Label::$label, group, value)
        }

        fn $read<G: traits::GroupId<V>, T: traits::$entity<V>>(&self, group: &G) -> Result<Option<T>> {
            self.read(Label::$label, group)
        }

        fn $delete<G: traits::GroupId<V>>(&self, group: &G) -> Result<()> {
            self.remove(Label::$label, group)
        }
    )* };
}

impl StorageProvider<V> for Storage<'_> {
    type Error = StorageError;

    one_per_group! {
        JoinConfig: MlsGroupJoinConfig, write_mls_join_config, mls_group_join_config, delete_group_config;
        Tree: TreeSync, write_tree, tree, delete_tree;
        InterimTranscriptHash: InterimTranscriptHash,
            write_interim_transcript_hash, interim_transcript_hash, delete_interim_transcript_hash;
        Context: GroupContext, write_context, group_context, delete_context;
        ConfirmationTag: ConfirmationTag, write_confirmation_tag, confirmation_tag, delete_confirmation_tag;
        MessageSecrets: MessageSecrets, write_message_secrets, message_secrets, delete_message_secrets;
        ResumptionPsks: ResumptionPskStore,
            write_resumption_psk_store, resumption_psk_store, delete_all_resumption_psk_secrets;
        OwnLeafIndex: LeafNodeIndex, write_own_leaf_index, own_leaf_index, delete_own_leaf_index;
        EpochSecrets: GroupEpochSecrets, write_group_epoch_secrets, group_epoch_secrets, delete_group_epoch_secrets;
    }

    fn write_group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(&self, group: &G, value: &T) -> Result<()> {
        self.write(Label::GroupState, group, value)
    }

    fn group_state<T: traits::GroupState<V>, G: traits::GroupId<V>>(&self, group: &G) -> Result<Option<T>> {
        self.read(Label::GroupState, group)
    }

    fn delete_group_state<G: traits::GroupId<V>>(&self, group: &G) -> Result<()> {
        self.remove(Label::GroupState, group)
    }

    fn append_own_leaf_node<G: traits::GroupId<V>, L: traits::LeafNode<V>>(&self, group: &G, leaf: &L) -> Result<()> {
        self.append(Label::OwnLeafNodes, group, leaf)
    }

    fn own_leaf_nodes<G: traits::GroupId<V>, L: traits::LeafNode<V>>(&self, group: &G) -> Result<Vec<L>> {
        self.read_list(Label::OwnLeafNodes, group)
    }

    fn delete_own_leaf_nodes<G: traits::GroupId<V>>(&self, group: &G) -> Result<()> {
        self.remove(Label::OwnLeafNodes, group)
    }

    fn queue_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>, P: traits::QueuedProposal<V>>(
        &self,
        group: &G,
        reference: &R,
        proposal: &P,
    ) -> Result<()> {
        self.write(Label::Proposal, &(group, reference), proposal)?;
        self.append(Label::ProposalRefs, group, reference)
    }

    fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(&self, group: &G) -> Result<Vec<R>> {
        self.read_list(Label::ProposalRefs, group)
    }

    fn queued_proposals<G: traits::GroupId<V>, R: traits::ProposalRef<V>, P: traits::QueuedProposal<V>>(
        &self,
        group: &G,
    ) -> Result<Vec<(R, P)>> {
        let references: Vec<R> = self.read_list(Label::ProposalRefs, group)?;
        let with_proposal = |reference| {
            let proposal = self.read(Label::Proposal, &(group, &reference))?.ok_or(StorageError::Decode)?;
            Ok((reference, proposal))
        };
        references.into_iter().map(with_proposal).collect()
    }

    fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        group: &G,
        reference: &R,
    ) -> Result<()> {
        self.remove(Label::Proposal, &(group, reference))?;
        let removed = encode(Format::Compact, reference)?;
        let mut kept: Vec<R> = Vec::new();
        for other in self.read_list(Label::ProposalRefs, group)? {
            if encode(Format::Compact, &other)? != removed {
                kept.push(other);
            }
        }
        self.write(Label::ProposalRefs, group, &kept)
    }

    fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(&self, group: &G) -> Result<()> {
        for reference in self.read_list::<R>(Label::ProposalRefs, group)? {
            self.remove(Label::Proposal, &(group, reference))?;
        }
        self.remove(Label::ProposalRefs, group)
    }

    fn write_signature_key_pair<K: traits::SignaturePublicKey<V>, P: traits::SignatureKeyPair<V>>(
        &self,
        public: &K,
        pair: &P,
    ) -> Result<()> {
        self.write(Label::SignatureKeyPair, public, pair)
    }

    fn signature_key_pair<K: traits::SignaturePublicKey<V>, P: traits::SignatureKeyPair<V>>(
        &self,
        public: &K,
    ) -> Result<Option<P>> {
        self.read(Label::SignatureKeyPair, public)
    }

    fn delete_signature_key_pair<K: traits::SignaturePublicKey<V>>(&self, public: &K) -> Result<()> {
        self.remove(Label::SignatureKeyPair, public)
    }

    fn write_encryption_key_pair<K: traits::EncryptionKey<V>, P: traits::HpkeKeyPair<V>>(
        &self,
        public: &K,
        pair: &P,
    ) -> Result<()> {
        self.write(Label::EncryptionKeyPair, public, pair)
    }

    fn encryption_key_pair<P: traits::HpkeKeyPair<V>, K: traits::EncryptionKey<V>>(
        &self,
        public: &K,
    ) -> Result<Option<P>> {
        self.read(Label::EncryptionKeyPair, public)
    }

    fn delete_encryption_key_pair<K: traits::EncryptionKey<V>>(&self, public: &K) -> Result<()> {
        self.remove(Label::EncryptionKeyPair, public)
    }

    fn write_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>, P: traits::HpkeKeyPair<V>>(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
        pairs: &[P],
    ) -> Result<()> {
        self.write(Label::EpochKeyPairs, &(group, epoch, leaf), &pairs)
    }

    fn encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>, P: traits::HpkeKeyPair<V>>(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
    ) -> Result<Vec<P>> {
        self.read_list(Label::EpochKeyPairs, &(group, epoch, leaf))
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>>(
        &self,
        group: &G,
        epoch: &E,
        leaf: u32,
    ) -> Result<()> {
        self.remove(Label::EpochKeyPairs, &(group, epoch, leaf))
    }

    fn write_key_package<R: traits::HashReference<V>, K: traits::KeyPackage<V>>(
        &self,
        reference: &R,
        key_package: &K,
    ) -> Result<()> {
        self.write(Label::KeyPackage, reference, key_package)
    }

    fn key_package<R: traits::HashReference<V>, K: traits::KeyPackage<V>>(&self, reference: &R) -> Result<Option<K>> {
        self.read(Label::KeyPackage, reference)
    }

    fn delete_key_package<R: traits::HashReference<V>>(&self, reference: &R) -> Result<()> {
        self.remove(Label::KeyPackage, reference)
    }

    fn write_psk<I: traits::PskId<V>, B: traits::PskBundle<V>>(&self, id: &I, bundle: &B) -> Result<()> {
        self.write(Label::Psk, id, bundle)
    }

    fn psk<B: traits::PskBundle<V>, I: traits::PskId<V>>(&self, id: &I) -> Result<Option<B>> {
        self.read(Label::Psk, id)
    }

    fn delete_psk<I: traits::PskId<V>>(&self, id: &I) -> Result<()> {
        self.remove(Label::Psk, id)
    }
}
