//! Writing a backup into the store of somebody who has signed in anew.

use livechat_crypto::kv::{Kv, Order};
use livechat_crypto::mls::GroupId;
use livechat_crypto::safety_number;
use livechat_wire::backup::{self, Record, With};
use livechat_wire::content::{Body, Post};
use livechat_wire::{AccountId, ConversationId, MessageId};

use crate::contacts::unproven;
use crate::content::{Edit, Personal, Profile, Reactions, Stamp, Timer};
use crate::errors::StoreError;
use crate::limits;
use crate::membership::NOBODY;
use crate::membership::records::{Name, Room};
use crate::records::{Contact, Conversation, Me, Message};
use crate::tables::{Table, key};
use crate::timeline::message_key;
use crate::view::{Delivery, Membership};

/// Stands where a conversation's group would: there is none until somebody is written to anew.
const NO_GROUP: GroupId = GroupId([0; 16]);

/// What came back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Restored {
    /// Contacts that were not known here.
    pub contacts: u64,
    /// Conversations.
    pub conversations: u64,
    /// Messages.
    pub messages: u64,
    /// Conversations left as they are, since something was said in them here already and there is no room before it.
    pub left: u64,
}

/// A backup wasn't given back; nothing of it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError<E> {
    /// Nobody is signed in here.
    #[error("nobody is signed in here")]
    NoAccount,
    /// The records aren't those of a whole backup.
    #[error("the backup is not whole")]
    NotWhole,
    /// The records can't be read.
    #[error(transparent)]
    Source(E),
    /// The store fails.
    #[error(transparent)]
    Store(StoreError),
}

impl<E> From<StoreError> for RestoreError<E> {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

/// Writes a whole backup. Commit only when it succeeded, then open the engine anew: it remembers nothing of this.
///
/// # Errors
/// The backup isn't whole, or the store fails.
pub fn restore<E>(
    kv: &mut dyn Kv,
    records: impl IntoIterator<Item = Result<Record, E>>,
) -> Result<Restored, RestoreError<E>> {
    let me: Me = Table::Me.get(kv, &[])?.ok_or(RestoreError::NoAccount)?;
    let own = me.log.account();
    let mut records = records.into_iter();
    let Some(Record::Head(head)) = records.next().transpose().map_err(RestoreError::Source)? else {
        return Err(RestoreError::NotWhole);
    };
    let mut work = Restoring { kv, own, then: head.account, open: None, below: 0, done: Restored::default() };
    if !head.display_name.is_empty() {
        work.profile(own, head.display_name)?;
    }
    let mut count = 1;
    loop {
        match records.next().transpose().map_err(RestoreError::Source)? {
            None | Some(Record::Head(_)) => return Err(RestoreError::NotWhole),
            Some(Record::Contact(contact)) => work.contact(contact)?,
            Some(Record::Name { account, name }) => work.name(account, name)?,
            Some(Record::Conversation(conversation)) => work.conversation(*conversation)?,
            Some(Record::Message(message)) => work.message(*message)?,
            Some(Record::End { records }) if records != count => return Err(RestoreError::NotWhole),
            Some(Record::End { .. }) => {
                work.close()?;
                return Ok(work.done);
            }
        }
        count += 1;
    }
}

struct Restoring<'a> {
    kv: &'a mut dyn Kv,
    /// Who is signed in here, and whose backup it is: the same, or somebody who lost everything else.
    own: AccountId,
    then: AccountId,
    open: Option<(ConversationId, Conversation)>,
    /// Where what was said here begins: what comes back stands above it, as far as there is room.
    below: u64,
    done: Restored,
}

impl Restoring<'_> {
    fn mapped(&self, account: AccountId) -> AccountId {
        if account == self.then { self.own } else { account }
    }

    fn profile(&mut self, of: AccountId, name: String) -> Result<(), StoreError> {
        if Table::Profiles.get::<Profile>(self.kv, &of.0)?.is_none() {
            // Whatever they say of themselves next counts more.
            let stamp = Stamp { revision: 0, id: MessageId([0; 16]) };
            Table::Profiles.put(self.kv, &of.0, &Profile { stamp, name })?;
        }
        Ok(())
    }

    /// The pin is what matters: whoever answers to this name from now on must continue this log.
    fn contact(&mut self, contact: backup::Contact) -> Result<(), StoreError> {
        let account = contact.log.account();
        if account == self.own {
            return Ok(());
        }
        if let Some(here) = Table::Contacts.get::<Contact>(self.kv, &account.0)? {
            return self.known_contact(account, &here, contact);
        }
        let mut taken = false;
        Table::Contacts.each(self.kv, |_, other: Contact| {
            taken |= crate::contacts::same_name(&other.username, &contact.username);
            Ok(())
        })?;
        let username = if taken { unproven(account) } else { contact.username };
        let safety_number = safety_number(&self.own, &account);
        // Without devices: the directory is asked before anything is sent.
        let confirmed = contact.confirmed && !taken;
        let kept = Contact { username, log: contact.log, confirmed, renamed: false, safety_number };
        Table::Contacts.put(self.kv, &account.0, &kept)?;
        if !contact.display_name.is_empty() {
            self.profile(account, contact.display_name)?;
        }
        // What was compared were both account ids: with another one of ours nothing was.
        if contact.verified && self.own == self.then {
            Table::Verified.put(self.kv, &account.0, &())?;
        }
        self.done.contacts += 1;
        Ok(())
    }

    /// Somebody who is known here, as on a further device of an account that is in their chat already.
    fn known_contact(&mut self, account: AccountId, here: &Contact, then: backup::Contact) -> Result<(), StoreError> {
        if !here.log.is_prefix_of(&then.log) && !then.log.is_prefix_of(&here.log) {
            return Ok(());
        }
        if !then.display_name.is_empty() {
            self.profile(account, then.display_name)?;
        }
        if then.verified && self.own == self.then {
            Table::Verified.put(self.kv, &account.0, &())?;
        }
        if then.confirmed && !here.confirmed && crate::contacts::same_name(&here.username, &then.username) {
            Table::Contacts.put(self.kv, &account.0, &Contact { confirmed: true, renamed: false, ..here.clone() })?;
        }
        Ok(())
    }

    fn name(&mut self, account: AccountId, name: String) -> Result<(), StoreError> {
        let account = self.mapped(account);
        if account != self.own && Table::Names.get::<Name>(self.kv, &account.0)?.is_none() {
            Table::Names.put(self.kv, &account.0, &Name(name))?;
        }
        Ok(())
    }

    fn conversation(&mut self, then: backup::Conversation) -> Result<(), StoreError> {
        self.close()?;
        let (id, peer) = match &then.with {
            With::Direct(peer) => (ConversationId::direct(&self.own, peer), *peer),
            With::Group(group, _) => (ConversationId::group(group), NOBODY),
        };
        let known_peer = peer == NOBODY || Table::Contacts.get::<Contact>(self.kv, &peer.0)?.is_some();
        let first = Table::Messages.keys(self.kv, &id.0, 1, Order::Ascending)?;
        let first = first.first().map(|row| Table::Messages.id(row, id.0.len()).map(u64::from_be_bytes)).transpose()?;
        self.below = first.unwrap_or(u64::MAX);
        if !known_peer || self.below <= 1 {
            self.done.left += 1;
            return Ok(());
        }
        let here: Option<Conversation> = Table::Conversations.get(self.kv, &id.0)?;
        if here.is_none() {
            if let With::Group(group, charter) = then.with {
                // Those in it let us in again, and then everything is as it is there.
                let room = Room {
                    group: GroupId(group),
                    standing: Membership::Removed,
                    epoch: 0,
                    authenticator: Vec::new(),
                    charter: *charter,
                    seats: Vec::new(),
                    forked: false,
                };
                Table::Rooms.put(self.kv, &id.0, &room)?;
            } else if then.timer > 0 {
                let stamp = Stamp { revision: 0, id: MessageId([0; 16]) };
                Table::Timers.put(self.kv, &id.0, &Timer { stamp, seconds: then.timer })?;
            }
            if !then.draft.is_empty() {
                Table::Drafts.put(self.kv, &id.0, &then.draft)?;
            }
        }
        // What was arranged here stays; what nobody touched is as it was there.
        let arranged: Personal = Table::Personal.get(self.kv, &id.0)?.unwrap_or_default();
        let untouched =
            Personal { accepted: arranged.accepted, profile_sent: arranged.profile_sent, ..Personal::default() };
        if arranged == untouched {
            let personal = Personal {
                accepted: arranged.accepted || then.accepted,
                blocked: then.blocked,
                pinned: then.pinned,
                archived: then.archived,
                muted_until: (then.muted_until > 0).then_some(then.muted_until),
                profile_sent: arranged.profile_sent,
            };
            Table::Personal.put(self.kv, &id.0, &personal)?;
        }
        let conversation = here.unwrap_or_else(|| Conversation {
            peer,
            groups: Vec::new(),
            sending: NO_GROUP,
            next: 1,
            last: None,
            unread: 0,
            activity: 0,
            own_head: None,
            other_head: None,
        });
        self.done.conversations += 1;
        self.open = Some((id, conversation));
        Ok(())
    }

    fn message(&mut self, then: backup::Message) -> Result<(), StoreError> {
        let (author, own) = (self.mapped(then.author), then.delivery.is_some());
        let Some((at, conversation)) = &mut self.open else { return Ok(()) };
        let (at, place) = (*at, message_key(*at, then.position));
        let id = key(&[&at.0, &then.id.0, &author.0]);
        if then.position >= self.below || Table::MessageIds.get::<u64>(self.kv, &id)?.is_some() {
            return Ok(());
        }
        let is_last = conversation.last.is_none_or(|last| last < then.position);
        conversation.next = conversation.next.max(then.position.saturating_add(1));
        conversation.last = conversation.last.max(Some(then.position));
        conversation.activity = conversation.activity.max(then.received_at);
        let head = if own { &mut conversation.own_head } else { &mut conversation.other_head };
        if is_last || head.is_none() {
            *head = Some(then.id);
        }
        let sending = conversation.sending;
        let mut body = Body::decode(then.kind, &then.body)
            .unwrap_or_else(|_| Body::Unknown { kind: then.kind, data: then.body.clone() });
        if let Body::Post(Post { reply_to: Some(target), .. }) = &mut body {
            target.author = self.mapped(target.author);
        }
        let delivery = then.delivery.map(|step| match step {
            0 => Delivery::Queued,
            1 => Delivery::Accepted,
            2 => Delivery::Delivered,
            _ => Delivery::Read,
        });
        let message = Message {
            id: then.id,
            author,
            sent_at: then.sent_at,
            received_at: then.received_at,
            body,
            parents: then.parents,
            own: delivery.map(|d| (d, sending)),
            gap: false,
        };
        if let Body::File(file) = &message.body {
            // Fetched anew while the relay keeps it: no bytes of files are in a backup.
            Table::Files.put(self.kv, &key(&[&file.blob.0, &place]), &())?;
        }
        Table::Messages.put(self.kv, &place, &message)?;
        Table::MessageIds.put(self.kv, &id, &then.position)?;
        self.fill_gaps(at, then.id)?;
        for edit in then.edits {
            let row = key(&[&place, &edit.revision.to_be_bytes(), &edit.id.0]);
            Table::Edits.put(self.kv, &row, &Edit { sent_at: edit.sent_at, text: edit.text })?;
        }
        for put in then.reactions {
            let row = key(&[&place, &self.mapped(put.account).0]);
            let stamp = Stamp { revision: put.revision, id: put.id };
            Table::Reactions.put(self.kv, &row, &Reactions { stamp, emoji: put.emoji })?;
        }
        self.done.messages += 1;
        Ok(())
    }

    /// What was said here after it misses it no more.
    fn fill_gaps(&mut self, at: ConversationId, id: MessageId) -> Result<(), StoreError> {
        let prefix = key(&[&at.0, &id.0]);
        for row in Table::Missing.keys(self.kv, &prefix, limits::GAP_WAITERS, Order::Ascending)? {
            Table::Missing.delete(self.kv, &row)?;
            let place = message_key(at, u64::from_be_bytes(Table::Missing.id(&row, prefix.len())?));
            let Some(mut message) = Table::Messages.get::<Message>(self.kv, &place)? else { continue };
            let mut gap = false;
            for parent in &message.parents {
                gap |= !Table::MessageIds.any(self.kv, &key(&[&at.0, &parent.0]))?;
            }
            if message.gap != gap {
                message.gap = gap;
                Table::Messages.put(self.kv, &place, &message)?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreError> {
        match self.open.take() {
            Some((id, conversation)) => Table::Conversations.put(self.kv, &id.0, &conversation),
            None => Ok(()),
        }
    }
}
