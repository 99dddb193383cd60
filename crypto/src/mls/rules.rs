//! Who may do what in a room (PROTOCOL R-72): pure, the same for every member, judged on the room as it was before.

use std::collections::{BTreeMap, BTreeSet};

use livechat_wire::AccountId;
use livechat_wire::account::AccountLog;
use livechat_wire::group::{Charter, Role, RoomKind};
use livechat_wire::limits as wire;

use super::Member;

/// What a commit does, without keys and signatures.
#[derive(Debug)]
pub(super) struct Deed<'a> {
    pub committer: &'a Member,
    pub before: &'a Charter,
    pub after: &'a Charter,
    /// Everyone before the commit.
    pub members: &'a [Member],
    /// Accounts and logs of leaves that come.
    pub added: &'a [(AccountId, AccountLog)],
    /// Leaves that go.
    pub removed: &'a [Member],
    /// Those of them whose account has revoked the device, as the commit shows.
    pub revoked: &'a [u32],
}

/// Why every member refuses a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitProblem {
    /// Not a commit of this epoch by a member, or it doesn't verify.
    #[error("it doesn't verify")]
    Invalid,
    /// It contains something that no commit here may: references, keys shared beforehand, another suite, external
    /// members, an extension that isn't ours.
    #[error("it contains what no commit may contain")]
    Foreign,
    /// A leaf that comes or changes doesn't say whose it is, or what it says doesn't hold.
    #[error("a device is not in its account's log")]
    Record,
    /// The committer may not add anybody.
    #[error("its author may not add members")]
    MayNotAdd,
    /// The committer may not remove whom it removes.
    #[error("its author may not remove that member")]
    MayNotRemove,
    /// The committer may not change roles like that.
    #[error("its author may not change roles like that")]
    MayNotChangeRoles,
    /// The committer may not change title, picture, timer, doors, who is kept out, sequencers or openness.
    #[error("its author may not change that")]
    MayNotChange,
    /// Nobody would own the group, or a role would be somebody's who isn't in it.
    #[error("it would leave the group without an owner, or a role without its member")]
    Roles,
    /// A direct chat is of two accounts, and of the same ones for ever.
    #[error("a direct chat is of two accounts")]
    NotTwo,
    /// Somebody is added who is kept out.
    #[error("it adds somebody who was removed and not let in again")]
    KeptOut,
    /// More than [`livechat_wire::limits::MEMBERS`] accounts or [`livechat_wire::limits::DEVICES`] of one.
    #[error("the group would be too large")]
    TooLarge,
}

/// Checks a deed.
pub(super) fn check(deed: &Deed<'_>) -> Result<(), CommitProblem> {
    let mut remaining: BTreeMap<AccountId, usize> = BTreeMap::new();
    let stays = |m: &&Member| deed.removed.iter().all(|r| r.leaf != m.leaf);
    let accounts = deed.members.iter().filter(stays).map(|m| m.account).chain(deed.added.iter().map(|(a, _)| *a));
    for account in accounts {
        *remaining.entry(account).or_default() += 1;
    }
    if remaining.len() > wire::MEMBERS || remaining.values().any(|devices| *devices > wire::DEVICES) {
        return Err(CommitProblem::TooLarge);
    }
    match deed.before.kind {
        _ if deed.before.kind != deed.after.kind => Err(CommitProblem::MayNotChange),
        RoomKind::Group => check_group(deed, &remaining),
        RoomKind::Direct => check_direct(deed, &remaining),
    }
}

/// Whether these are devices of exactly two accounts.
pub(super) fn are_two(accounts: impl IntoIterator<Item = AccountId>) -> bool {
    accounts.into_iter().collect::<BTreeSet<_>>().len() == 2
}

impl Deed<'_> {
    /// Whether an account is in the room already: then anybody takes in what its log names.
    fn sits(&self, account: &AccountId) -> bool {
        self.members.iter().any(|m| m.account == *account)
    }

    /// Whether a device that goes speaks for its account no more, which stays: then anybody takes it out.
    fn is_leftover(&self, member: &Member, remaining: &BTreeMap<AccountId, usize>) -> bool {
        self.revoked.contains(&member.leaf) && remaining.contains_key(&member.account)
    }
}

/// Both add devices of either and remove their own and what is left over; whoever begins brings the other person in.
fn check_direct(deed: &Deed<'_>, remaining: &BTreeMap<AccountId, usize>) -> Result<(), CommitProblem> {
    let by = deed.committer.account;
    let begins = deed.members.iter().all(|m| m.account == by);
    if !begins && deed.added.iter().any(|(account, _)| !deed.sits(account)) {
        return Err(CommitProblem::MayNotAdd);
    }
    if deed.removed.iter().any(|m| m.account != by && !deed.is_leftover(m, remaining)) {
        return Err(CommitProblem::MayNotRemove);
    }
    if !are_two(remaining.keys().copied()) {
        return Err(CommitProblem::NotTwo);
    }
    if deed.before == deed.after { Ok(()) } else { Err(CommitProblem::MayNotChange) }
}

fn check_group(deed: &Deed<'_>, remaining: &BTreeMap<AccountId, usize>) -> Result<(), CommitProblem> {
    let Deed { committer, before, after, added, removed, .. } = *deed;
    let by = committer.account;
    let role = before.role(&by);
    let may_add = role >= Role::Admin || before.open.is_some();
    if added.iter().any(|(account, _)| !deed.sits(account) && !may_add) {
        return Err(CommitProblem::MayNotAdd);
    }
    let may_remove = |m: &Member| {
        m.account == by || role == Role::Owner || before.role(&m.account) < role || deed.is_leftover(m, remaining)
    };
    if !removed.iter().all(may_remove) {
        return Err(CommitProblem::MayNotRemove);
    }
    check_charter(before, after, by, role, remaining)
}

fn check_charter(
    before: &Charter,
    after: &Charter,
    by: AccountId,
    role: Role,
    remaining: &BTreeMap<AccountId, usize>,
) -> Result<(), CommitProblem> {
    let admins = |c: &Charter| (c.title.clone(), c.picture, c.timer, c.doors.clone(), c.kept_out.clone());
    let owners = |c: &Charter| (c.sequencers.clone(), c.open);
    if before.created_by != after.created_by
        || (admins(before) != admins(after) && role < Role::Admin)
        || (owners(before) != owners(after) && role < Role::Owner)
    {
        return Err(CommitProblem::MayNotChange);
    }
    let named: BTreeSet<_> = before.roles.keys().chain(after.roles.keys()).collect();
    for account in named {
        let (was, is) = (before.role(account), after.role(account));
        let gone = !remaining.contains_key(account);
        // Whoever is removed loses the role with it; whether they may be removed is checked elsewhere.
        let allowed = was == is || gone && is == Role::Member || role == Role::Owner || *account == by && is < was;
        if !allowed {
            return Err(CommitProblem::MayNotChangeRoles);
        }
    }
    let owned = after.roles.values().any(|r| *r == Role::Owner);
    if !owned || !after.roles.keys().all(|a| remaining.contains_key(a)) {
        return Err(CommitProblem::Roles);
    }
    if after.kept_out.iter().any(|a| remaining.contains_key(a)) {
        return Err(CommitProblem::KeptOut);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use livechat_wire::door::{Door, DoorSeed};

    use super::*;

    const OWNER: AccountId = AccountId([1; 32]);
    const ADMIN: AccountId = AccountId([2; 32]);
    const MEMBER: AccountId = AccountId([3; 32]);
    const OTHER: AccountId = AccountId([4; 32]);

    fn charter() -> Charter {
        let mut it = Charter::new("t".into(), OWNER, [9; 32]);
        it.set_role(ADMIN, Role::Admin);
        it
    }

    fn members() -> Vec<Member> {
        (0..)
            .zip([OWNER, ADMIN, MEMBER, OTHER])
            .map(|(leaf, account)| Member { leaf, account, device_key: account.0 })
            .collect()
    }

    fn log() -> AccountLog {
        use crate::identity::Identity;
        use rand_chacha::ChaCha20Rng;
        use rand_chacha::rand_core::SeedableRng;
        let identity = Identity::generate(&mut ChaCha20Rng::seed_from_u64(1));
        identity.found_log("x", livechat_wire::RelayId([0; 32]), 1).unwrap()
    }

    /// Judges what `by` does: the leaves that go, the accounts that come, the charter afterwards.
    fn judged(
        by: usize,
        removed: &[usize],
        added: &[AccountId],
        change: impl FnOnce(&mut Charter),
    ) -> Result<(), CommitProblem> {
        judged_in(charter(), by, removed, added, change)
    }

    fn judged_in(
        before: Charter,
        by: usize,
        removed: &[usize],
        added: &[AccountId],
        change: impl FnOnce(&mut Charter),
    ) -> Result<(), CommitProblem> {
        let members = members();
        let mut after = before.clone();
        change(&mut after);
        let removed: Vec<_> = removed.iter().map(|n| members[*n].clone()).collect();
        let added: Vec<_> = added.iter().map(|a| (*a, log())).collect();
        let committer = &members[by];
        check(&Deed {
            committer,
            before: &before,
            after: &after,
            members: &members,
            added: &added,
            removed: &removed,
            revoked: &[],
        })
    }

    #[test]
    fn everybody_may_do_what_their_role_says_and_nothing_else() {
        let new = AccountId([8; 32]);
        let nothing = |_: &mut Charter| {};
        for by in 0..4 {
            assert_eq!(judged(by, &[], &[], nothing), Ok(()), "anybody may renew their keys");
        }
        use CommitProblem::*;
        for (by, may) in [(0, Ok(())), (1, Ok(())), (2, Err(MayNotAdd))] {
            assert_eq!(judged(by, &[], &[new], nothing), may);
        }
        assert_eq!(judged(2, &[], &[MEMBER], nothing), Ok(()), "a device of one's own");
        assert_eq!(judged(2, &[3], &[], nothing), Err(MayNotRemove));
        assert_eq!(judged(1, &[3], &[], nothing), Ok(()));
        assert_eq!(judged(1, &[0], &[], |c| c.set_role(OWNER, Role::Member)), Err(MayNotRemove));
        assert_eq!(judged(0, &[1], &[], |c| c.set_role(ADMIN, Role::Member)), Ok(()));
        assert_eq!(judged(0, &[1], &[], nothing), Err(Roles), "a role without its member");
        for (by, may) in [(0, Ok(())), (1, Ok(())), (2, Err(MayNotChange))] {
            assert_eq!(judged(by, &[], &[], |c| c.title = "new".into()), may);
            assert_eq!(judged(by, &[], &[], |c| c.timer = 5), may);
        }
        assert_eq!(judged(1, &[], &[], |c| c.sequencers = vec![[7; 32]]), Err(MayNotChange));
        assert_eq!(judged(0, &[], &[], |c| c.sequencers = vec![[7; 32]]), Ok(()));
        assert_eq!(judged(0, &[], &[], |c| c.created_by = OTHER), Err(MayNotChange), "not even the owner");
    }

    #[test]
    fn roles_are_the_owners_to_give_and_everybodys_to_lay_down() {
        use CommitProblem::*;
        for (by, may) in [(0, Ok(())), (1, Err(MayNotChangeRoles)), (2, Err(MayNotChangeRoles))] {
            assert_eq!(judged(by, &[], &[], |c| c.set_role(MEMBER, Role::Admin)), may);
        }
        assert_eq!(judged(2, &[], &[], |c| c.set_role(MEMBER, Role::Owner)), Err(MayNotChangeRoles));
        assert_eq!(judged(1, &[], &[], |c| c.set_role(ADMIN, Role::Owner)), Err(MayNotChangeRoles));
        assert_eq!(judged(1, &[], &[], |c| c.set_role(ADMIN, Role::Member)), Ok(()));
        assert_eq!(judged(1, &[], &[], |c| c.set_role(OWNER, Role::Member)), Err(MayNotChangeRoles));
        assert_eq!(judged(0, &[], &[], |c| c.set_role(OWNER, Role::Member)), Err(Roles), "nobody would own it");
        let hand_over = |c: &mut Charter| {
            c.set_role(OWNER, Role::Member);
            c.set_role(ADMIN, Role::Owner);
        };
        assert_eq!(judged(0, &[], &[], hand_over), Ok(()));
        assert_eq!(judged(0, &[], &[], |c| c.set_role(AccountId([8; 32]), Role::Admin)), Err(Roles), "no member");
    }

    #[test]
    fn doors_are_the_admins_and_openness_is_the_owners() {
        use CommitProblem::*;
        let door = Door { key: [5; 32], made_by: ADMIN, expires: 0, uses: 1, used: 0 };
        for (by, may) in [(0, Ok(())), (1, Ok(())), (2, Err(MayNotChange))] {
            assert_eq!(judged(by, &[], &[], |c| c.doors.push(door.clone())), may);
            assert_eq!(judged(by, &[], &[], |c| c.keep_out(AccountId([8; 32]))), may);
        }
        for (by, may) in [(0, Ok(())), (1, Err(MayNotChange)), (2, Err(MayNotChange))] {
            assert_eq!(judged(by, &[], &[], |c| c.open = Some(DoorSeed([6; 32]))), may);
        }
    }

    #[test]
    fn in_an_open_group_anybody_takes_in_but_not_who_is_kept_out() {
        use CommitProblem::*;
        let (new, out) = (AccountId([8; 32]), AccountId([9; 32]));
        let mut open = charter();
        open.open = Some(DoorSeed([6; 32]));
        open.keep_out(out);
        let nothing = |_: &mut Charter| {};
        assert_eq!(judged_in(open.clone(), 2, &[], &[new], nothing), Ok(()));
        assert_eq!(judged_in(open.clone(), 2, &[3], &[new], nothing), Err(MayNotRemove), "and nothing else");
        for by in 0..3 {
            assert_eq!(judged_in(open.clone(), by, &[], &[out], nothing), Err(KeptOut));
        }
        let let_in = |c: &mut Charter| c.let_in(&out);
        assert_eq!(judged_in(open.clone(), 2, &[], &[out], let_in), Err(MayNotChange));
        assert_eq!(judged_in(open, 1, &[], &[out], let_in), Ok(()), "an admin lets them in again");
        assert_eq!(judged(0, &[], &[], |c| c.keep_out(MEMBER)), Err(KeptOut), "nobody is kept out who is in");
        assert_eq!(judged(0, &[2], &[], |c| c.keep_out(MEMBER)), Ok(()));
    }

    #[test]
    fn what_an_account_has_revoked_anybody_takes_out_while_the_account_stays() {
        use CommitProblem::*;
        let mut members = members();
        members.push(Member { leaf: 4, account: OTHER, device_key: [5; 32] });
        let judged = |before: &Charter, by: usize, removed: &[usize], revoked: &[u32]| {
            let removed: Vec<_> = removed.iter().map(|n| members[*n].clone()).collect();
            let committer = &members[by];
            let deed =
                Deed { committer, before, after: before, members: &members, added: &[], removed: &removed, revoked };
            check(&deed)
        };
        let group = charter();
        assert_eq!(judged(&group, 2, &[4], &[]), Err(MayNotRemove), "nothing shows that it is revoked");
        assert_eq!(judged(&group, 2, &[4], &[3]), Err(MayNotRemove), "another one is");
        assert_eq!(judged(&group, 2, &[4], &[4]), Ok(()));
        assert_eq!(judged(&group, 2, &[3, 4], &[3, 4]), Err(MayNotRemove), "nobody of it would be left");
        assert_eq!(judged(&group, 2, &[0], &[0]), Err(MayNotRemove), "nor of the owner");
    }

    #[test]
    fn groups_have_a_size() {
        let many: Vec<_> = (0..=255).map(|n| AccountId([n; 32])).collect();
        assert_eq!(judged(0, &[], &many[10..255], |_| {}), Ok(()));
        let mut more = many[10..].to_vec();
        more.extend((0..10).map(|n| AccountId([n, 1].repeat(16).try_into().unwrap())));
        assert_eq!(judged(0, &[], &more, |_| {}), Err(CommitProblem::TooLarge));
        assert_eq!(judged(0, &[], &[MEMBER; 16], |_| {}), Err(CommitProblem::TooLarge), "devices of one account");
    }
    #[test]
    fn a_direct_chat_is_of_the_same_two_for_ever() {
        use CommitProblem::*;
        let two = vec![members().remove(0), members().remove(1), Member { leaf: 2, ..members().remove(0) }];
        let direct = Charter::direct(OWNER, [9; 32]);
        let judged = |members: &[Member], by: usize, removed: &[usize], added: &[AccountId], after: &Charter| {
            let removed: Vec<_> = removed.iter().map(|n| members[*n].clone()).collect();
            let added: Vec<_> = added.iter().map(|a| (*a, log())).collect();
            let (committer, before) = (&members[by], &direct);
            check(&Deed { committer, before, after, members, added: &added, removed: &removed, revoked: &[] })
        };
        let begun = &two[..1];
        assert_eq!(judged(begun, 0, &[], &[ADMIN, ADMIN], &direct), Ok(()), "whoever begins brings the other in");
        assert_eq!(judged(begun, 0, &[], &[], &direct), Err(NotTwo));
        assert_eq!(judged(begun, 0, &[], &[ADMIN, MEMBER], &direct), Err(NotTwo));
        for (by, account) in [(0, OWNER), (1, ADMIN)] {
            assert_eq!(judged(&two, by, &[], &[], &direct), Ok(()), "a new key");
            assert_eq!(judged(&two, by, &[], &[account], &direct), Ok(()), "a device of one's own");
        }
        assert_eq!(judged(&two, 0, &[2], &[], &direct), Ok(()), "a device of one's own");
        assert_eq!(judged(&two, 1, &[2], &[], &direct), Err(MayNotRemove), "not one of the other's");
        assert_eq!(judged(&two, 0, &[1], &[], &direct), Err(MayNotRemove), "whoever began has no say over the other");
        assert_eq!(judged(&two, 0, &[], &[ADMIN], &direct), Ok(()), "a further device of the other's");
        assert_eq!(judged(&two, 0, &[], &[MEMBER], &direct), Err(MayNotAdd), "nobody else");
        let other = Charter::direct(OWNER, [7; 32]);
        assert_eq!(judged(&two, 0, &[], &[], &other), Err(MayNotChange));
        assert_eq!(judged(&two, 0, &[], &[], &charter()), Err(MayNotChange), "it never becomes a group");
        assert_eq!(
            super::super::rules::check(&Deed {
                committer: &members()[0],
                before: &charter(),
                after: &direct,
                members: &members(),
                added: &[],
                removed: &[],
                revoked: &[],
            }),
            Err(MayNotChange),
            "nor a group a direct chat"
        );
    }
}
