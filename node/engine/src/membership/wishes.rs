//! What people want of a group, noted so that no crash forgets it.

use livechat_wire::door::{DoorSeed, Verdict};
use livechat_wire::group::{Charter, Role, RoomKind};
use livechat_wire::{AccountId, ConversationId, limits as wire};

use super::notices::Notice;
use super::records::{Room, What, Wish};
use super::{broken, member_record};
use crate::contacts::same_name;
use crate::effects::Reply;
use crate::errors::{CommandError, HandleError};
use crate::groups::session;
use crate::tables::{Table, key};
use crate::turn::Turn;
use crate::view::Membership;
use crate::{Engine, limits};

type Answer = Result<Result<Reply, CommandError>, HandleError>;

impl Engine {
    pub(crate) fn create_group(
        &mut self,
        turn: &mut Turn<'_>,
        title: String,
        members: &[String],
        open: Option<DoorSeed>,
    ) -> Answer {
        if !good_title(&title) {
            return Ok(Err(CommandError::BadTitle));
        }
        if members.len() >= wire::MEMBERS || self.conversations.len() >= limits::CONTACTS {
            return Ok(Err(CommandError::TooMany));
        }
        let me = self.me()?;
        if members.iter().any(|m| same_name(&me.username, m)) {
            return Ok(Err(CommandError::Oneself));
        }
        let own = me.identity.account();
        let mut charter = Charter::new(title, own, me.relay.0);
        charter.open = open;
        charter.sequencers.push(me.identity.device_key());
        let record = member_record(me);
        let mut mls = session(me, turn.kv, turn.rng, turn.now);
        let group = mls.found_room(&charter, &record).map_err(broken)?;
        let room = mls.room(&group).map_err(broken)?.ok_or(HandleError::Inconsistent("a room that is none"))?;
        let at = self.enter_room(turn, group, room, own)?;
        for member in members {
            self.wish(turn, at, What::Add { username: member.trim().to_owned() })?;
        }
        Ok(Ok(Reply::Group(at)))
    }

    /// Notes a change of a group, when our role allows it.
    pub(crate) fn change_group(&mut self, turn: &mut Turn<'_>, at: ConversationId, what: What) -> Answer {
        let own = self.me()?.identity.account();
        let in_group = |r: &&Room| r.standing == Membership::Joined && r.charter.kind == RoomKind::Group;
        let Some(room) = self.room(at).filter(in_group) else {
            return Ok(Err(CommandError::NotMember));
        };
        if self.rooms.drives.get(&at).is_some_and(|d| d.wishes.len() >= limits::WISHES) {
            return Ok(Err(CommandError::TooMany));
        }
        if let What::SetTitle { title } = &what
            && !good_title(title)
        {
            return Ok(Err(CommandError::BadTitle));
        }
        if let What::Add { username } = &what
            && same_name(&self.me()?.username, username)
        {
            return Ok(Err(CommandError::Oneself));
        }
        if let Err(e) = may(room, own, &what) {
            return Ok(Err(e));
        }
        if what == What::Leave {
            return self.begin_to_leave(turn, at, own);
        }
        // Of titles and timers the last one is wanted, not each in its turn.
        if matches!(what, What::SetTitle { .. } | What::SetTimer { .. }) {
            let wishes = self.rooms.drives.get(&at).into_iter().flat_map(|d| &d.wishes);
            let like = |wish: &Wish| std::mem::discriminant(&wish.what) == std::mem::discriminant(&what);
            let replaced: Vec<u64> = wishes.filter(|(_, w)| like(w)).map(|(n, _)| *n).collect();
            for number in replaced {
                self.unwish(turn, at, number)?;
            }
        }
        self.wish(turn, at, what)?;
        // Others may wait here to be let in by somebody else first: this doesn't.
        let drive = self.drive(at);
        if !drive.not_before.is_empty() {
            drive.due = drive.due.min(turn.clock);
        }
        Ok(Ok(Reply::Done))
    }

    /// Whoever has a role lays it down first, so that an admin may remove them.
    fn begin_to_leave(&mut self, turn: &mut Turn<'_>, at: ConversationId, own: AccountId) -> Answer {
        let room = self.room(at).ok_or(HandleError::Inconsistent("a room that isn't there"))?;
        let role = room.charter.role(&own);
        if room.seats.len() == 1 {
            self.close_room(turn, at, Membership::Left)?;
            self.notice(turn, at, own, &Notice::Left(own))?;
            return Ok(Ok(Reply::Done));
        }
        // When nobody else is left, our other devices are told, and nobody has to be owner.
        let alone = room.seats.iter().all(|s| s.member.account == own);
        if role > Role::Member && !alone {
            self.wish(turn, at, What::SetRole { account: own, role: Role::Member })?;
        }
        self.wish(turn, at, What::Leave)?;
        Ok(Ok(Reply::Done))
    }

    /// Notes a wish; its number, unless the same is wanted already.
    pub(crate) fn wish(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        what: What,
    ) -> Result<Option<u64>, HandleError> {
        let drive = self.rooms.drives.entry(at).or_default();
        if drive.wishes.values().any(|w| w.what == what) {
            return Ok(None);
        }
        let number = drive.wishes.last_key_value().map_or(0, |(n, _)| n + 1);
        let wish = Wish { what, tries: 0 };
        Table::Wishes.put(turn.kv, &key(&[&at.0, &number.to_be_bytes()]), &wish)?;
        drive.wishes.insert(number, wish);
        self.room_changed(turn, at);
        Ok(Some(number))
    }

    /// A wish is fulfilled, moot or given up.
    pub(super) fn unwish(&mut self, turn: &mut Turn<'_>, at: ConversationId, number: u64) -> Result<(), HandleError> {
        let own = self.me()?.username.clone();
        let names = self.rooms.drives.get(&at).and_then(|d| d.wishes.get(&number)).map(|w| self.looked_up(&w.what));
        if let Some(drive) = self.rooms.drives.get_mut(&at)
            && let Some(wish) = drive.wishes.remove(&number)
        {
            drive.not_before.remove(&number);
            match &wish.what {
                What::Add { username } => drop(drive.found.remove(username)),
                What::Admit(admit) => drop(drive.found.remove(&admit.username)),
                What::Devices => {
                    drive.found.remove(&own);
                }
                What::Theirs { .. } => {
                    names.flatten().and_then(|name| drive.found.remove(&name));
                }
                _ => {}
            }
        }
        Table::Wishes.delete(turn.kv, &key(&[&at.0, &number.to_be_bytes()]))?;
        self.room_changed(turn, at);
        Ok(())
    }

    /// Gives a wish up and says so in the history.
    pub(super) fn give_up(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        number: u64,
        why: CommandError,
    ) -> Result<(), HandleError> {
        let wish = self.rooms.drives.get(&at).and_then(|d| d.wishes.get(&number)).cloned();
        self.unwish(turn, at, number)?;
        let Some(wish) = wish else { return Ok(()) };
        if wish.what == What::Renew {
            // Nobody asked for it; it comes again.
            return self.renewed(turn, at);
        }
        if matches!(wish.what, What::Devices | What::Theirs { .. }) {
            // So does that, with the next change of the room or the log.
            return Ok(());
        }
        match &wish.what {
            What::Admit(admit) => {
                let full = why == CommandError::TooMany;
                return self.turn_away(turn, admit, if full { Verdict::Full } else { Verdict::NotAllowed });
            }
            What::OpenDoor { door } => self.forget_link(turn, &door.key)?,
            _ => {}
        }
        let own = self.me()?.identity.account();
        let mut text = match &wish.what {
            What::Add { username } => format!("adding {username}: {why}"),
            What::Remove { account, .. } => format!("removing {}: {why}", self.name_of(account)),
            What::SetRole { account, .. } => format!("changing the role of {}: {why}", self.name_of(account)),
            What::SetTitle { title } => format!("the title {title}: {why}"),
            What::SetTimer { .. } => format!("changing the timer: {why}"),
            What::Leave => format!("leaving: {why}"),
            What::OpenDoor { .. } => format!("making a link: {why}"),
            What::ShutDoor { .. } => format!("revoking a link: {why}"),
            What::Renew | What::Admit(_) | What::Devices | What::Theirs { .. } => String::new(),
        };
        while text.len() > wire::TITLE {
            text.pop();
        }
        self.notice(turn, at, own, &Notice::NotDone(text))
    }
}

impl Engine {
    /// Whoever knocked isn't let in, and is told why.
    pub(super) fn refuse_entry(
        &mut self,
        turn: &mut Turn<'_>,
        at: ConversationId,
        number: u64,
        verdict: Verdict,
    ) -> Result<(), HandleError> {
        let wish = self.rooms.drives.get(&at).and_then(|d| d.wishes.get(&number)).cloned();
        self.unwish(turn, at, number)?;
        match wish.map(|w| w.what) {
            Some(What::Admit(admit)) => self.turn_away(turn, &admit, verdict),
            _ => Ok(()),
        }
    }
}

fn good_title(title: &str) -> bool {
    !title.is_empty() && title.len() <= wire::TITLE
}

/// Whether a member may want this: the rules of [`livechat_crypto::mls`] judge the commit itself, for everyone.
pub(super) fn may(room: &Room, by: AccountId, what: &What) -> Result<(), CommandError> {
    let role = room.charter.role(&by);
    let allowed = |yes| if yes { Ok(()) } else { Err(CommandError::NotAllowed) };
    let others_own = || room.charter.roles.iter().any(|(a, r)| *a != by && *r == Role::Owner);
    match what {
        What::Renew | What::Devices | What::Theirs { .. } => Ok(()),
        What::Add { .. } | What::Admit(_) if room.charter.open.is_some() => Ok(()),
        What::Add { .. } | What::Admit(_) | What::SetTitle { .. } | What::SetTimer { .. } => {
            allowed(role >= Role::Admin)
        }
        What::OpenDoor { .. } | What::ShutDoor { .. } => allowed(role >= Role::Admin),
        What::Remove { account, .. } => {
            allowed(*account != by && (role == Role::Owner || room.charter.role(account) < role))
        }
        What::SetRole { account, role: new } if *account == by && role == Role::Owner && *new < role => {
            if others_own() { Ok(()) } else { Err(CommandError::LastOwner) }
        }
        What::SetRole { account, role: new } => allowed(role == Role::Owner || (*account == by && *new < role)),
        What::Leave => {
            let alone = room.seats.iter().all(|s| s.member.account == by);
            if role < Role::Owner || alone || others_own() { Ok(()) } else { Err(CommandError::LastOwner) }
        }
    }
}
