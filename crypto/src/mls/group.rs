//! Rooms: founding, joining, looking at.

use livechat_wire::group::{Charter, MemberRecord};
use livechat_wire::limits as wire;
use openmls::prelude::tls_codec::Size;
use openmls::prelude::{
    JoinBuilder, MlsGroup, MlsMessageBodyIn, ProcessedWelcome, RatchetTreeIn, StagedWelcome, Welcome, WelcomeError,
};
use openmls_traits::OpenMlsProvider;
use zeroize::Zeroizing;

use super::provider::{Provider, StorageError};
use super::room::{context_extensions, leaf_extensions};
use super::{
    Begun, Change, DeviceSigner, EpochSecret, GroupError, GroupId, JoinError, Joined, Member, MlsError, PeerDevice,
    Session, StageError, Staged, Suite, create_config, join_config, load, message, room,
};
use crate::draw;
use crate::envelope::EnvelopeKeys;
use crate::kv::Overlay;

impl Session<'_> {
    /// Founds a room with this device alone in it.
    ///
    /// # Errors
    /// [`GroupError::Mls`] and [`GroupError::Store`].
    pub fn found_room(&mut self, charter: &Charter, record: &MemberRecord) -> Result<GroupId, GroupError> {
        self.found_room_in(Suite::default(), charter, record)
    }

    fn found_room_in(&mut self, suite: Suite, charter: &Charter, record: &MemberRecord) -> Result<GroupId, GroupError> {
        let (signer, credential) = (DeviceSigner(self.identity), self.credential());
        let id = GroupId(draw(self.rng));
        let provider = self.provider();
        let config = create_config(suite)
            .with_group_context_extensions(context_extensions(charter)?)
            .with_leaf_node_extensions(leaf_extensions(record)?)
            .map_err(MlsError::new)?
            .build();
        MlsGroup::new_with_group_id(&provider, &signer, &config, id.mls(), credential).map_err(MlsError::new)?;
        provider.commit()?;
        Ok(id)
    }

    /// Founds a room and takes devices in: nobody else is there for whom that would have to be put in order.
    ///
    /// # Errors
    /// [`StageError`]; whatever members would refuse is refused here.
    pub fn begin_room(
        &mut self,
        charter: &Charter,
        record: &MemberRecord,
        peers: &[PeerDevice<'_>],
    ) -> Result<Begun, StageError> {
        self.begin_room_in(Suite::default(), charter, record, peers)
    }

    /// As [`Session::begin_room`], in another suite than the default.
    ///
    /// # Errors
    /// [`StageError`].
    pub fn begin_room_in(
        &mut self,
        suite: Suite,
        charter: &Charter,
        record: &MemberRecord,
        peers: &[PeerDevice<'_>],
    ) -> Result<Begun, StageError> {
        let mut overlay = Overlay::new(self.kv);
        let mut inner = Session { identity: self.identity, kv: &mut overlay, rng: self.rng, now: self.now };
        let group = inner.found_room_in(suite, charter, record)?;
        let Staged { welcomes, .. } = inner.stage_commit(&group, Change { add: peers, ..Change::default() }, record)?;
        let room = inner.merge_staged(&group)?.room.ok_or_else(|| MlsError::new("a room without its founder"))?;
        overlay.keep().map_err(StorageError::from)?;
        Ok(Begun { group, room, welcomes })
    }

    /// Joins the room of a Welcome. Everyone in it is a device of an account by the log that their leaf carries; before
    /// using it the caller checks that against a log it trusts ([`Member::is_in`]).
    ///
    /// # Errors
    /// [`JoinError`]; a Welcome that fails uses up no KeyPackage.
    pub fn join(&mut self, welcome: &[u8]) -> Result<Joined, JoinError> {
        self.join_again(welcome, |_| false)
    }

    /// As [`Session::join`]; `gone` says of a group that is known already whether we were taken out of it, so that its
    /// old state may go.
    ///
    /// # Errors
    /// [`JoinError`]; a Welcome that fails uses up no KeyPackage.
    pub fn join_again(&mut self, welcome: &[u8], gone: impl Fn(&GroupId) -> bool) -> Result<Joined, JoinError> {
        if welcome.len() > wire::PAYLOAD + wire::SHARED_WELCOME {
            return Err(JoinError::Malformed);
        }
        let Some(MlsMessageBodyIn::Welcome(welcome)) = message(welcome) else {
            return Err(JoinError::Malformed);
        };
        let own = (self.identity.account(), self.identity.device_key());
        let provider = self.provider();
        let staged = stage(&provider, welcome)?;
        let id = GroupId::of(staged.group_context().group_id()).ok_or(JoinError::Foreign)?;
        let old = load(&provider, &id)?;
        if old.is_some() && !gone(&id) {
            return Err(JoinError::Known);
        }
        let members =
            staged.members().map(|m| Member::of_mls(&m)).collect::<Option<Vec<_>>>().ok_or(JoinError::Foreign)?;
        let at = |leaf: u32| members.iter().find(|m| m.leaf == leaf).cloned().ok_or(JoinError::Foreign);
        let creator = at(staged.welcome_sender_index().u32())?;
        let own_leaf = at(staged.own_leaf_index().u32())?;
        if (own_leaf.account, own_leaf.device_key) != own {
            return Err(JoinError::Foreign);
        }
        if let Some(mut old) = old {
            old.delete(provider.storage())?;
        }
        let group = staged.into_group(&provider).map_err(welcome_error)?;
        let room = room::room(&group).ok_or(JoinError::Foreign)?;
        provider.commit()?;
        Ok(Joined { group: id, creator, room })
    }

    /// Who is in a group, by leaf.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn members(&mut self, group: &GroupId) -> Result<Vec<Member>, GroupError> {
        let group = load(&self.provider(), group)?.ok_or(GroupError::UnknownGroup)?;
        Ok(group.members().filter_map(|m| Member::of_mls(&m)).collect())
    }

    /// The secret from which [`EnvelopeKeys`] of the group's current epoch are made (MLS exporter, RFC 9420 §8.5).
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn envelope_secret(&mut self, group: &GroupId) -> Result<EpochSecret, GroupError> {
        let provider = self.provider();
        let group = load(&provider, group)?.ok_or(GroupError::UnknownGroup)?;
        let exported = group
            .export_secret(provider.crypto(), EnvelopeKeys::LABEL, &[], 32)
            .map(Zeroizing::new)
            .map_err(MlsError::new)?;
        let mut secret = Zeroizing::new([0; 32]);
        secret.copy_from_slice(&exported);
        Ok(EpochSecret {
            epoch: group.epoch().as_u64(),
            own_leaf: group.own_leaf_index().u32(),
            leaves: group.members().map(|m| m.index.u32()).collect(),
            secret,
        })
    }
}

fn stage(provider: &Provider<'_>, welcome: Welcome) -> Result<StagedWelcome, JoinError> {
    let processed = ProcessedWelcome::new_from_welcome(provider, &join_config(), welcome).map_err(welcome_error)?;
    // Before anything is made of the tree: an empty leaf costs whoever sends it a byte.
    let tree = processed.unverified_group_info().extensions().ratchet_tree().map(|t| t.ratchet_tree());
    if tree.is_some_and(|tree| nodes(tree) > 2 * wire::LEAVES - 1) {
        return Err(JoinError::TooLarge);
    }
    JoinBuilder::new(provider, processed)
        // A leaf may outlive its KeyPackage; and this would ask the system's clock.
        .skip_lifetime_validation()
        // Whether it may is looked at by the caller.
        .replace_old_group()
        .build()
        .map_err(welcome_error)
}

/// Nodes of a tree, empty ones too: what they take as bytes, less what is in them.
fn nodes(tree: &RatchetTreeIn) -> usize {
    let full = tree.nodes().count();
    let inside: usize = tree.nodes().map(Size::tls_serialized_len).sum();
    // Each has a byte that says whether there is one; before all stands their length, of 4 bytes at most.
    tree.tls_serialized_len().saturating_sub(inside + 4).max(full)
}

fn welcome_error(error: WelcomeError<StorageError>) -> JoinError {
    match error {
        WelcomeError::StorageError(e) => e.into(),
        WelcomeError::NoMatchingKeyPackage | WelcomeError::JoinerSecretNotFound => JoinError::NotForUs,
        WelcomeError::GroupAlreadyExists => JoinError::Known,
        other => JoinError::Invalid(other.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openmls::prelude::tls_codec::Deserialize;

    #[test]
    fn empty_leaves_count() {
        for (leaves, fits) in [(0, true), (wire::LEAVES, true), (wire::LEAVES + 8, false), (100_000, false)] {
            let bytes = 2 * leaves;
            let mut tree = (u32::try_from(bytes).unwrap() | 0x8000_0000).to_be_bytes().to_vec();
            if bytes < 0x4000 {
                tree = (u16::try_from(bytes).unwrap() | 0x4000).to_be_bytes().to_vec();
            }
            if bytes < 0x40 {
                tree = vec![0];
            }
            tree.resize(tree.len() + bytes, 0);
            let tree = RatchetTreeIn::tls_deserialize(&mut tree.as_slice()).unwrap();
            assert_eq!(nodes(&tree) < 2 * wire::LEAVES, fits, "{leaves}");
        }
    }
}
