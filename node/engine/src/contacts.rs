//! Whom we know, and how a name leads to somebody.

use livechat_crypto::kv::Kv;
use livechat_crypto::safety_number;
use livechat_wire::account::AccountLog;
use livechat_wire::{AccountId, ConversationId};

use crate::Engine;
use crate::errors::{HandleError, StoreError};
use crate::membership::Notice;
use crate::records::{Contact, Conversation};
use crate::tables::Table;
use crate::turn::Turn;

impl Engine {
    pub(crate) fn open_contacts(&mut self, kv: &dyn Kv) -> Result<(), StoreError> {
        Table::Contacts.each(kv, |key, contact: Contact| {
            self.contacts.insert(AccountId(Table::Contacts.id(key, 0)?), contact);
            Ok(())
        })?;
        Table::Conversations.each(kv, |key, conversation: Conversation| {
            let id = ConversationId(Table::Conversations.id(key, 0)?);
            self.conversations.insert(id, conversation);
            Ok(())
        })
    }

    /// Whom we know by this name, as typed. Names are stored in lower case (PRECIS UsernameCaseMapped).
    pub(crate) fn contact_named(&self, typed: &str) -> Option<AccountId> {
        let same = |c: &Contact| same_name(&c.username, typed);
        self.contacts.iter().find(|(_, c)| same(c)).map(|(account, _)| *account)
    }

    /// Whether the direct chat with somebody came from a backup and has no keys yet.
    pub(crate) fn is_keyless(&self, account: AccountId) -> bool {
        self.conversations.values().any(|c| c.peer == account && c.groups.is_empty())
    }

    /// Gets to know an account, or more about it. `confirmed`: the directory says that this name is theirs; else it is
    /// only what they say of themselves, and must not take a name that somebody here has.
    pub(crate) fn meet(
        &mut self,
        turn: &mut Turn<'_>,
        log: AccountLog,
        confirmed: Option<&str>,
    ) -> Result<(), HandleError> {
        let account = log.account();
        let claimed = log.name().map(|(name, _)| name.to_owned()).unwrap_or_default();
        let holder = self.contact_named(&claimed).filter(|holder| *holder != account);
        let own = self.me()?.identity.account();
        let contact = self.contacts.entry(account).or_insert_with(|| {
            let username = if holder.is_some() { unproven(account) } else { claimed };
            let safety_number = safety_number(&own, &account);
            Contact { username, log: log.clone(), confirmed: false, renamed: false, safety_number }
        });
        let before = contact.log.clone();
        if before.is_prefix_of(&log) {
            contact.log = log.clone();
        }
        Table::Contacts.put(turn.kv, &account.0, contact)?;
        self.tell_devices(turn, account, &before, &log)?;
        self.follow_name(turn, account, &before, &log)?;
        self.look_at_rooms_with(account);
        match confirmed {
            Some(name) => self.settle_name(turn, account, name),
            // Two claim one name: the directory knows whose it is. It may have changed hands, too.
            None => match holder.and_then(|h| self.contacts.get(&h)) {
                Some(contested) => {
                    let name = contested.username.clone();
                    self.look_up(turn, name, None).map(|_| ())
                }
                None => Ok(()),
            },
        }
    }

    /// The directory says that `name` is `account`'s: nobody else is shown under it.
    pub(crate) fn settle_name(
        &mut self,
        turn: &mut Turn<'_>,
        account: AccountId,
        name: &str,
    ) -> Result<(), HandleError> {
        let (mut moved_from, mut was) = (None, None);
        for (other, contact) in &mut self.contacts {
            let before = (contact.username.clone(), contact.confirmed);
            if *other == account {
                was = Some(contact.username.clone()).filter(|was| was != name && *was != unproven(account));
                (contact.username, contact.confirmed, contact.renamed) = (name.to_owned(), true, false);
            } else if same_name(&contact.username, name) {
                // Whoever only said so never had it.
                moved_from = moved_from.or((contact.confirmed || contact.renamed).then_some(*other));
                (contact.username, contact.confirmed, contact.renamed) = (unproven(*other), false, false);
            }
            if before != (contact.username.clone(), contact.confirmed) {
                Table::Contacts.put(turn.kv, &other.0, contact)?;
                let of = |(id, c): (_, &Conversation)| (c.peer == *other).then_some(id);
                turn.touched.extend(self.conversations.iter().filter_map(|(id, c)| of((*id, c))));
            }
        }
        if let Some(was) = was {
            self.tell_name(turn, account, was, name.to_owned())?;
        }
        match moved_from {
            Some(other) => self.name_moved(turn, other, account),
            None => Ok(()),
        }
    }
}

impl Engine {
    /// A contact's log goes on: if it binds another name, that is what they are called from now on, unless somebody else
    /// here is. The directory isn't asked about it: whoever keeps it would learn who knows whom.
    pub(crate) fn follow_name(
        &mut self,
        turn: &mut Turn<'_>,
        account: AccountId,
        before: &AccountLog,
        after: &AccountLog,
    ) -> Result<(), HandleError> {
        let relay = self.me()?.relay;
        let (Some((was, _)), Some((now, at))) = (before.name(), after.name()) else { return Ok(()) };
        if was == now || at != relay || !before.is_prefix_of(after) || self.is_own_name(now) {
            return Ok(());
        }
        if self.contact_named(now).is_some_and(|holder| holder != account) {
            // Two claim one name: the directory knows whose it is.
            return self.look_up(turn, now.to_owned(), None).map(|_| ());
        }
        let Some(contact) = self.contacts.get_mut(&account).filter(|c| c.username != now) else { return Ok(()) };
        let was = std::mem::replace(&mut contact.username, now.to_owned());
        // Whoever had the name before from the directory is warned about should this one ever lead to somebody else.
        (contact.confirmed, contact.renamed) = (false, contact.confirmed || contact.renamed);
        Table::Contacts.put(turn.kv, &account.0, contact)?;
        self.tell_name(turn, account, was, now.to_owned())
    }

    fn tell_name(
        &mut self,
        turn: &mut Turn<'_>,
        account: AccountId,
        was: String,
        now: String,
    ) -> Result<(), HandleError> {
        let at = ConversationId::direct(&self.me()?.identity.account(), &account);
        turn.touched.extend(self.direct_with(account));
        self.notice(turn, at, account, &Notice::Renamed { was, now })
    }
}

/// Whether two spellings are one name.
pub(crate) fn same_name(a: &str, b: &str) -> bool {
    a == b || a.to_lowercase() == b.trim().to_lowercase()
}

/// What somebody is called whose name is another's.
pub(crate) fn unproven(account: AccountId) -> String {
    let mut id = account.to_string();
    id.truncate(8);
    format!("unproven-{id}")
}
