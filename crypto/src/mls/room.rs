//! Rooms (PROTOCOL R-70 …): looking at them, and changing them by commits that every member judges.
//!
//! A commit is *staged* ([`Session::stage_commit`]): ready, sealed for a slot, not in force. When it got its place in
//! the order, it is *merged* ([`Session::merge_staged`]); when another was first, it is dropped
//! ([`Session::drop_staged`]) and the other *applied* ([`Session::apply_commit`]).

use livechat_wire::account::AccountLog;
use livechat_wire::group::{Charter, Evidence, MemberRecord, RoomKind};
use livechat_wire::order::SealedCommit;
use livechat_wire::{AccountId, DeviceId};
use openmls::prelude::{
    CommitMessageBundle, ContentType, Extension, ExtensionType, Extensions, GroupContext, LeafNode, LeafNodeIndex,
    LeafNodeParameters, MlsGroup, MlsMessageBodyIn, ProcessMessageError, ProcessedMessageContent, Proposal,
    ProposalOrRefType, ProtocolMessage, RequiredCapabilitiesExtension, Sender, StagedCommit, UnknownExtension,
    tls_codec,
};
use openmls_traits::OpenMlsProvider;
use tls_codec::{Serialize, Size};

use super::rules::{self, CommitProblem, Deed};
use super::{
    ApplyError, DeviceSigner, GroupError, GroupId, KeyPackageProblem, Member, MlsError, OrderKeys, PeerDevice, Session,
    StageError, Suite, account, capabilities, key_package, load, message, roster,
};
use crate::draw;

/// A room as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The MLS epoch.
    pub epoch: u64,
    /// The same for everyone in this epoch, and for nobody else (RFC 9420 §8.7).
    pub authenticator: Vec<u8>,
    /// Kind, title, roles, sequencers.
    pub charter: Charter,
    /// Everyone, by leaf; each proven to be a device of its account by the log that it carries.
    pub seats: Vec<Seat>,
}

/// A device in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Its place and keys.
    pub member: Member,
    /// Its account's log, as its leaf carries it.
    pub log: AccountLog,
    /// Where it reads.
    pub bucket_seed: [u8; 16],
}

/// What one commit is to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// Devices to take in.
    pub add: &'a [PeerDevice<'a>],
    /// Leaves to take out.
    pub remove: &'a [u32],
    /// The charter to have afterwards, if it changes.
    pub charter: Option<&'a Charter>,
    /// Whether the committer's leaf is to get a new key even if nothing else asks for it. A change of nothing does.
    pub renew: bool,
    /// Logs that revoke what is taken out of other accounts' devices, if the commit goes by that.
    pub evidence: &'a [AccountLog],
}

/// A commit that waits for its place in the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staged {
    /// The epoch that it ends.
    pub epoch: u64,
    /// For the sequencer and the members.
    pub sealed: SealedCommit,
    /// The way in for each added device, in order: a serialised `MLSMessage` with a Welcome for it alone.
    pub welcomes: Vec<Vec<u8>>,
}

/// A commit took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Who made it.
    pub by: Member,
    /// Who came.
    pub added: Vec<Member>,
    /// Who went.
    pub removed: Vec<Member>,
    /// The charter before it.
    pub before: Charter,
    /// The group now; `None` when it took us out: then nothing changed here, and the old epoch's late messages still
    /// open.
    pub room: Option<Room>,
}

impl Session<'_> {
    /// A room as it is now; `None` when it is an MLS group of another kind.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn room(&mut self, group: &GroupId) -> Result<Option<Room>, GroupError> {
        let provider = self.provider();
        let group = load(&provider, group)?.ok_or(GroupError::UnknownGroup)?;
        Ok(room(&group))
    }

    /// Prepares a commit; it is not in force before [`Session::merge_staged`]. One that is prepared already is
    /// dropped. Messages can be sent and read meanwhile. Devices to be added are checked like those of a new group.
    ///
    /// # Errors
    /// [`StageError`]; whatever other members would refuse is refused here.
    pub fn stage_commit(
        &mut self,
        id: &GroupId,
        change: Change<'_>,
        record: &MemberRecord,
    ) -> Result<Staged, StageError> {
        let (signer, now) = (DeviceSigner(self.identity), self.now);
        let salt = draw(self.rng);
        let provider = self.provider();
        let mut group = load(&provider, id)?.ok_or(StageError::UnknownGroup)?;
        group.clear_pending_commit(provider.storage())?;
        let keys = OrderKeys::of(&provider, &group)?;
        let suite = Suite::of(group.ciphersuite()).ok_or(StageError::Refused(CommitProblem::Foreign))?;
        let mut packages = Vec::new();
        for peer in change.add {
            let problem = |problem| StageError::KeyPackage { device: DeviceId::of(&peer.device_key), problem };
            let package = key_package::check(&provider, suite, now, peer).map_err(problem)?;
            if seat(0, package.leaf_node()).is_none() {
                return Err(problem(KeyPackageProblem::Record));
            }
            packages.push(package);
        }
        let names = packages.iter().map(|p| p.hash_ref(provider.crypto()).map(|r| r.as_slice().to_vec()));
        let names = names.collect::<Result<Vec<_>, _>>().map_err(MlsError::new)?;
        let leaf = LeafNodeParameters::builder()
            .with_capabilities(capabilities(suite))
            .with_extensions(leaf_extensions(record)?)
            .build();
        // Adding alone needs no new path: those who come are told the secret of the epoch (RFC 9420 §12.4).
        let path = change.renew || change.add.is_empty() || !change.remove.is_empty() || change.charter.is_some();
        let evidence = Evidence { logs: change.evidence.to_vec() };
        group.set_aad(evidence.encode());
        let mut builder = group
            .commit_builder()
            .force_self_update(path)
            .propose_adds(packages)
            .propose_removals(change.remove.iter().map(|leaf| LeafNodeIndex::new(*leaf)));
        if path {
            builder = builder.leaf_node_parameters(leaf);
        }
        if let Some(charter) = change.charter {
            builder = builder.propose_group_context_extensions(context_extensions(charter)?).map_err(MlsError::new)?;
        }
        let bundle = builder
            .load_psks(provider.storage())
            .map_err(MlsError::new)?
            .build(provider.rand(), provider.crypto(), &signer, |_| true)
            .map_err(|_| StageError::Refused(CommitProblem::Invalid))?
            .stage_commit(&provider)
            .map_err(MlsError::new)?;
        let commit = bundle.commit().tls_serialize_detached().map_err(MlsError::new)?;
        let welcomes = single_welcomes(&bundle, &names)?;
        let own = group.own_leaf_index().u32();
        let staged = group.pending_commit().ok_or(StageError::Refused(CommitProblem::Invalid))?;
        judge(&group, staged, own, &evidence).map_err(StageError::Refused)?;
        let sealed = keys.seal(&commit, &salt).map_err(|_| StageError::TooLong)?;
        provider.commit()?;
        Ok(Staged { epoch: keys.epoch, sealed, welcomes })
    }

    /// The staged commit was not the first: it is forgotten.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn drop_staged(&mut self, id: &GroupId) -> Result<(), GroupError> {
        let provider = self.provider();
        let mut group = load(&provider, id)?.ok_or(GroupError::UnknownGroup)?;
        group.clear_pending_commit(provider.storage())?;
        Ok(provider.commit()?)
    }

    /// The staged commit is the first: it takes effect.
    ///
    /// # Errors
    /// [`ApplyError::Invalid`] when none is staged.
    pub fn merge_staged(&mut self, id: &GroupId) -> Result<Applied, ApplyError> {
        let provider = self.provider();
        let mut group = load(&provider, id)?.ok_or(ApplyError::UnknownGroup)?;
        let (epoch, before, own) = (group.epoch().as_u64(), roster::of(&group), group.own_leaf_index().u32());
        let invalid = |problem| ApplyError::Invalid { by: None, problem };
        let staged = group.pending_commit().ok_or(invalid(CommitProblem::Invalid))?;
        // It was judged when it was staged, in the same epoch.
        let deed = describe(&group, staged, own).map_err(invalid)?;
        group.merge_pending_commit(&provider).map_err(MlsError::new)?;
        let room = room(&group).ok_or(invalid(CommitProblem::Foreign))?;
        provider.commit()?;
        roster::keep(self.kv, id, epoch, &before)?;
        Ok(deed.applied(Some(room)))
    }

    /// Judges somebody's commit of the current epoch by the rules that every member applies, and puts it into force.
    /// What is staged of our own is dropped.
    ///
    /// # Errors
    /// [`ApplyError`]; a commit that is refused changes nothing.
    pub fn apply_commit(&mut self, id: &GroupId, commit: &[u8]) -> Result<Applied, ApplyError> {
        let invalid = |problem| ApplyError::Invalid { by: None, problem };
        let Some(MlsMessageBodyIn::PrivateMessage(private)) = message(commit) else {
            return Err(invalid(CommitProblem::Invalid));
        };
        let protocol = ProtocolMessage::from(private);
        if protocol.group_id().as_slice() != id.0 || protocol.content_type() != ContentType::Commit {
            return Err(invalid(CommitProblem::Invalid));
        }
        let provider = self.provider();
        let mut group = load(&provider, id)?.ok_or(ApplyError::UnknownGroup)?;
        if protocol.epoch() != group.epoch() {
            return Err(ApplyError::Epoch);
        }
        let (epoch, before) = (group.epoch().as_u64(), roster::of(&group));
        let processed = group.process_message(&provider, protocol).map_err(|e| match e {
            ProcessMessageError::StorageError(e) => ApplyError::Store(e),
            ProcessMessageError::LibraryError(e) => MlsError::new(e).into(),
            _ => invalid(CommitProblem::Invalid),
        })?;
        let Sender::Member(leaf) = *processed.sender() else { return Err(invalid(CommitProblem::Foreign)) };
        let evidence = Evidence::decode(processed.aad());
        let staged = match processed.into_content() {
            ProcessedMessageContent::StagedCommitMessage(staged) => staged,
            ProcessedMessageContent::OwnPrivateMessage => return Err(ApplyError::Own),
            _ => return Err(invalid(CommitProblem::Foreign)),
        };
        let by = before.iter().find(|m| m.leaf == leaf.u32()).cloned();
        let verdict = evidence
            .map_err(|_| CommitProblem::Foreign)
            .and_then(|evidence| judge(&group, &staged, leaf.u32(), &evidence))
            .map_err(|problem| ApplyError::Invalid { by, problem })?;
        if staged.self_removed() {
            return Ok(verdict.applied(None));
        }
        group.clear_pending_commit(provider.storage())?;
        group.merge_staged_commit(&provider, *staged).map_err(MlsError::new)?;
        let room = room(&group).ok_or(invalid(CommitProblem::Foreign))?;
        provider.commit()?;
        roster::keep(self.kv, id, epoch, &before)?;
        Ok(verdict.applied(Some(room)))
    }

    /// Forgets everything about a group: its keys, its past epochs, who was in it.
    ///
    /// # Errors
    /// [`GroupError`].
    pub fn forget_group(&mut self, id: &GroupId) -> Result<(), GroupError> {
        let provider = self.provider();
        if let Some(mut group) = load(&provider, id)? {
            group.delete(provider.storage())?;
        }
        provider.commit()?;
        Ok(roster::forget(self.kv, id)?)
    }
}

/// What a commit does.
struct Described {
    by: Member,
    added: Vec<Seat>,
    removed: Vec<Member>,
    before: Charter,
}

impl Described {
    fn applied(self, room: Option<Room>) -> Applied {
        let mut added: Vec<Member> = self.added.into_iter().map(|s| s.member).collect();
        // Which leaves they got is known once they sit there.
        for member in &mut added {
            let seat = room.iter().flat_map(|r| &r.seats).find(|s| s.member.device_key == member.device_key);
            member.leaf = seat.map_or(u32::MAX, |s| s.member.leaf);
        }
        Applied { by: self.by, added, removed: self.removed, before: self.before, room }
    }
}

/// Judges a commit by what it does; signatures and keys are checked by OpenMLS.
fn judge(
    group: &MlsGroup,
    staged: &StagedCommit,
    committer: u32,
    evidence: &Evidence,
) -> Result<Described, CommitProblem> {
    let members = roster::of(group);
    let deed = describe(group, staged, committer)?;
    // What one leaf of an account says of its devices holds for those that come: who hands on an older log brings no
    // removed device back.
    let known = group.members().filter_map(|m| seat(m.index.u32(), group.public_group().leaf(m.index)?));
    let known: Vec<(AccountId, AccountLog)> = known.map(|s| (s.member.account, s.log)).collect();
    let came: Vec<_> = deed.added.iter().map(|s| (s.member.account, s.log.clone())).collect();
    let shown = evidence.logs.iter().map(|log| (log.account(), log.clone()));
    let said: Vec<(AccountId, AccountLog)> = known.into_iter().chain(shown).collect();
    for seat in &deed.added {
        for log in said.iter().filter(|(account, _)| *account == seat.member.account).map(|(_, log)| log) {
            let one_chain = log.is_prefix_of(&seat.log) || seat.log.is_prefix_of(log);
            if !one_chain || log.is_revoked(&DeviceId::of(&seat.member.device_key)) {
                return Err(CommitProblem::Record);
            }
        }
    }
    // Who shows a log that isn't the account's own shows nothing.
    let one_chain = |log: &AccountLog| {
        let of_it = said.iter().filter(|(account, _)| *account == log.account()).map(|(_, log)| log);
        of_it.into_iter().all(|other| log.is_prefix_of(other) || other.is_prefix_of(log))
    };
    if !evidence.logs.iter().all(one_chain) {
        return Err(CommitProblem::Record);
    }
    let revoked = |m: &Member| {
        let device = DeviceId::of(&m.device_key);
        said.iter().chain(&came).any(|(account, log)| *account == m.account && log.is_revoked(&device))
    };
    let revoked: Vec<u32> = deed.removed.iter().filter(|m| revoked(m)).map(|m| m.leaf).collect();
    if let Some(leaf) = staged.update_path_leaf_node() {
        // A new leaf is the same device's, and its log the same or a continuation.
        let new = seat(committer, leaf).ok_or(CommitProblem::Record)?;
        let old = group.public_group().leaf(LeafNodeIndex::new(committer)).and_then(|l| seat(committer, l));
        let old = old.ok_or(CommitProblem::Foreign)?;
        if new.member != deed.by || !old.log.is_prefix_of(&new.log) {
            return Err(CommitProblem::Record);
        }
    }
    let after = charter(staged.group_context().extensions()).ok_or(CommitProblem::Foreign)?;
    rules::check(&Deed {
        committer: &deed.by,
        before: &deed.before,
        after: &after,
        members: &members,
        added: &came,
        removed: &deed.removed,
        revoked: &revoked,
    })?;
    Ok(deed)
}

/// What a commit does, if it consists of nothing but what a commit may.
fn describe(group: &MlsGroup, staged: &StagedCommit, committer: u32) -> Result<Described, CommitProblem> {
    let members = roster::of(group);
    let find = |leaf: u32| members.iter().find(|m| m.leaf == leaf).cloned().ok_or(CommitProblem::Foreign);
    let by = find(committer)?;
    for queued in staged.queued_proposals() {
        let ours = *queued.sender() == Sender::Member(LeafNodeIndex::new(committer))
            && queued.proposal_or_ref_type() == ProposalOrRefType::Proposal;
        let known =
            matches!(queued.proposal(), Proposal::Add(_) | Proposal::Remove(_) | Proposal::GroupContextExtensions(_));
        if !ours || !known {
            return Err(CommitProblem::Foreign);
        }
    }
    let added = staged
        .add_proposals()
        .map(|p| seat(0, p.add_proposal().key_package().leaf_node()))
        .collect::<Option<Vec<_>>>()
        .ok_or(CommitProblem::Record)?;
    let removed =
        staged.remove_proposals().map(|p| find(p.remove_proposal().removed().u32())).collect::<Result<Vec<_>, _>>()?;
    let before = charter(group.extensions()).ok_or(CommitProblem::Foreign)?;
    Ok(Described { by, added, removed, before })
}

/// A room, when the group is one in every respect: every leaf says truly whose it is, and a direct chat is of two.
pub(super) fn room(group: &MlsGroup) -> Option<Room> {
    let charter = charter(group.extensions())?;
    let seats = group
        .members()
        .map(|m| seat(m.index.u32(), group.public_group().leaf(m.index)?))
        .collect::<Option<Vec<_>>>()?;
    if charter.kind == RoomKind::Direct && !rules::are_two(seats.iter().map(|s| s.member.account)) {
        return None;
    }
    Some(Room {
        epoch: group.epoch().as_u64(),
        authenticator: group.epoch_authenticator().as_slice().to_vec(),
        charter,
        seats,
    })
}

/// Whose leaf it is, when the log in it proves that.
fn seat(index: u32, leaf: &LeafNode) -> Option<Seat> {
    let record = MemberRecord::decode(&leaf.extensions().unknown(MemberRecord::EXTENSION)?.0).ok()?;
    let log = AccountLog::decode(&record.log).ok()?;
    let device_key = leaf.signature_key().as_slice().try_into().ok()?;
    let member = Member { leaf: index, account: account(leaf.credential())?, device_key };
    member.is_in(&log).then_some(Seat { member, log, bucket_seed: record.bucket_seed })
}

fn charter(extensions: &Extensions<GroupContext>) -> Option<Charter> {
    if extensions.iter().count() != 2 || extensions.required_capabilities() != Some(&required()) {
        return None;
    }
    Charter::decode(&extensions.unknown(Charter::EXTENSION)?.0).ok()
}

/// Every leaf must know our extensions, else it could not judge commits.
fn required() -> RequiredCapabilitiesExtension {
    let ours = [Charter::EXTENSION, MemberRecord::EXTENSION].map(ExtensionType::Unknown);
    RequiredCapabilitiesExtension::new(&ours, &[], &[])
}

pub(super) fn context_extensions(charter: &Charter) -> Result<Extensions<GroupContext>, MlsError> {
    let ours = Extension::Unknown(Charter::EXTENSION, UnknownExtension(charter.encode()));
    Extensions::from_vec(vec![Extension::RequiredCapabilities(required()), ours]).map_err(MlsError::new)
}

pub(super) fn leaf_extensions(record: &MemberRecord) -> Result<Extensions<LeafNode>, MlsError> {
    let ours = Extension::Unknown(MemberRecord::EXTENSION, UnknownExtension(record.encode()));
    Extensions::single(ours).map_err(MlsError::new)
}

/// Version, wire format and suite of a Welcome, before its secrets.
const WELCOME_HEAD: usize = 6;

/// Where the part of a serialised Welcome begins that all who come in by one commit are told alike: the encrypted group
/// info, with the tree in it. What stands before it is each newcomer's own.
#[must_use]
pub fn shared_part(welcome: &[u8]) -> Option<usize> {
    // A vector's length is an integer of 1, 2 or 4 bytes (RFC 9420 §2.1.2).
    let first = *welcome.get(WELCOME_HEAD)?;
    let width = 1_usize << (first >> 6);
    let digits = welcome.get(WELCOME_HEAD..WELCOME_HEAD + width).filter(|_| width < 8)?;
    let length = digits.iter().fold(0_usize, |n, byte| n << 8 | usize::from(*byte)) & ((1 << (8 * width - 2)) - 1);
    Some(WELCOME_HEAD + width + length).filter(|at| *at < welcome.len())
}

/// One Welcome for each newcomer with nothing but their own secret in it (RFC 9420 §12.4.3.1 allows it): that of fifty
/// would not fit a payload, and tells each of them how many came along.
fn single_welcomes(bundle: &CommitMessageBundle, names: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, MlsError> {
    let (Some(welcome), Some(whole)) = (bundle.welcome(), bundle.to_welcome_msg()) else { return Ok(Vec::new()) };
    let whole = whole.tls_serialize_detached().map_err(MlsError::new)?;
    let secrets = welcome.secrets().to_vec();
    let tail = WELCOME_HEAD + secrets.tls_serialized_len();
    let (head, tail) =
        whole.get(..WELCOME_HEAD).zip(whole.get(tail..)).ok_or_else(|| MlsError::new("a Welcome too short"))?;
    let mut out = Vec::new();
    for name in names {
        let own: Vec<_> = secrets.iter().filter(|s| s.new_member().as_slice() == name.as_slice()).cloned().collect();
        let own = own.tls_serialize_detached().map_err(MlsError::new)?;
        out.push([head, &own, tail].concat());
    }
    Ok(out)
}
