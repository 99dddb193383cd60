//! Groups: making, joining, looking at.

use livechat_wire::{DeviceId, limits as wire};
use openmls::prelude::{MlsGroup, MlsMessageBodyIn, StagedWelcome, Welcome, WelcomeError, tls_codec};
use openmls_traits::OpenMlsProvider;
use tls_codec::Serialize;
use zeroize::Zeroizing;

use super::provider::{Provider, StorageError};
use super::{
    CreateError, Created, DeviceSigner, EpochSecret, GroupError, GroupId, JoinError, Joined, Member, MlsError,
    PeerDevice, Session, Suite, create_config, join_config, key_package, load, message, room,
};
use crate::envelope::EnvelopeKeys;
use crate::{draw, limits};

impl Session<'_> {
    /// Makes a group of this device and `peers`, after checking of each KeyPackage: signatures, suite, validity, that
    /// the credential names the log's account, and that the leaf key is `device_key`, a device of that log.
    ///
    /// # Errors
    /// [`CreateError`].
    pub fn create_group(&mut self, peers: &[PeerDevice<'_>]) -> Result<Created, CreateError> {
        self.create_group_in(Suite::default(), peers)
    }

    /// As [`Session::create_group`], in another suite than the default.
    ///
    /// # Errors
    /// [`CreateError`].
    pub fn create_group_in(&mut self, suite: Suite, peers: &[PeerDevice<'_>]) -> Result<Created, CreateError> {
        if peers.is_empty() {
            return Err(CreateError::NoPeers);
        }
        if peers.len() > limits::GROUP_DEVICES {
            return Err(CreateError::TooManyPeers);
        }
        let mut devices = vec![self.identity.device_key()];
        for peer in peers {
            if devices.contains(&peer.device_key) {
                return Err(CreateError::Twice(DeviceId::of(&peer.device_key)));
            }
            devices.push(peer.device_key);
        }

        let (signer, credential, now) = (DeviceSigner(self.identity), self.credential(), self.now);
        let id = GroupId(draw(self.rng));
        let provider = self.provider();
        let key_packages = peers
            .iter()
            .map(|peer| {
                key_package::check(&provider, suite, now, peer)
                    .map_err(|problem| CreateError::KeyPackage { device: DeviceId::of(&peer.device_key), problem })
            })
            .collect::<Result<Vec<_>, _>>()?;

        let config = create_config(suite).build();
        let mut group =
            MlsGroup::new_with_group_id(&provider, &signer, &config, id.mls(), credential).map_err(MlsError::new)?;
        // The commit has no other reader: everyone else comes in by the Welcome.
        let (_commit, welcome, _info) = group.add_members(&provider, &signer, &key_packages).map_err(MlsError::new)?;
        group.merge_pending_commit(&provider).map_err(MlsError::new)?;
        let welcome = welcome.tls_serialize_detached().map_err(MlsError::new)?;
        provider.commit()?;
        Ok(Created { group: id, welcome })
    }

    /// Joins the group of a Welcome. Everyone in it claims to be a device of an account; before using the group the
    /// caller checks each claim against a log it trusts ([`Member::is_in`]).
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
        if welcome.len() > wire::PAYLOAD {
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
        let is_room = room::is_room(staged.group_context());
        let group = staged.into_group(&provider).map_err(welcome_error)?;
        // A group that says it is one of many must be one in every respect.
        let room = if is_room { Some(room::room(&group).ok_or(JoinError::Foreign)?) } else { None };
        provider.commit()?;
        Ok(Joined { group: id, members, creator, room })
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
    StagedWelcome::build_from_welcome(provider, &join_config(), welcome)
        .map_err(welcome_error)?
        // A leaf may outlive its KeyPackage; and this would ask the system's clock.
        .skip_lifetime_validation()
        // Whether it may is looked at by the caller.
        .replace_old_group()
        .build()
        .map_err(welcome_error)
}

fn welcome_error(error: WelcomeError<StorageError>) -> JoinError {
    match error {
        WelcomeError::StorageError(e) => e.into(),
        WelcomeError::NoMatchingKeyPackage | WelcomeError::JoinerSecretNotFound => JoinError::NotForUs,
        WelcomeError::GroupAlreadyExists => JoinError::Known,
        other => JoinError::Invalid(other.into()),
    }
}
