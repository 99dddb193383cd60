//! Writing a backup into the store of somebody who has signed in anew.

use livechat_crypto::kv::Kv;
use livechat_crypto::mls::GroupId;
use livechat_crypto::safety_number;
use livechat_wire::backup::{self, Record, With};
use livechat_wire::content::{Body, Post};
use livechat_wire::{AccountId, ConversationId, MessageId};

use crate::contacts::unproven;
use crate::content::{Edit, Personal, Profile, Reactions, Stamp, Timer};
use crate::errors::StoreError;
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
    /// Conversations left as they are, since something was said in them here already.
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
    let mut work = Restoring { kv, own, then: head.account, open: None, done: Restored::default() };
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
        if account == self.own || Table::Contacts.get::<Contact>(self.kv, &account.0)?.is_some() {
            return Ok(());
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
        let kept = Contact { username, log: contact.log, confirmed, safety_number };
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
        if !known_peer || Table::Messages.any(self.kv, &id.0)? {
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
            let personal = Personal {
                accepted: then.accepted,
                blocked: then.blocked,
                pinned: then.pinned,
                archived: then.archived,
                muted_until: (then.muted_until > 0).then_some(then.muted_until),
                profile_sent: 0,
            };
            Table::Personal.put(self.kv, &id.0, &personal)?;
            if !then.draft.is_empty() {
                Table::Drafts.put(self.kv, &id.0, &then.draft)?;
            }
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
        conversation.next = conversation.next.max(then.position.saturating_add(1));
        conversation.last = conversation.last.max(Some(then.position));
        conversation.activity = conversation.activity.max(then.received_at);
        let head = if own { &mut conversation.own_head } else { &mut conversation.other_head };
        *head = Some(then.id);
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
        Table::MessageIds.put(self.kv, &key(&[&at.0, &then.id.0, &author.0]), &then.position)?;
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

    fn close(&mut self) -> Result<(), StoreError> {
        match self.open.take() {
            Some((id, conversation)) => Table::Conversations.put(self.kv, &id.0, &conversation),
            None => Ok(()),
        }
    }
}
