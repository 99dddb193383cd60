//! Whom we know, and how a name leads to somebody.

use livechat_crypto::kv::Kv;
use livechat_crypto::safety_number;
use livechat_wire::AccountId;
use livechat_wire::account::AccountLog;

use crate::Engine;
use crate::errors::{HandleError, StoreError};
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
            let id = livechat_wire::ConversationId(Table::Conversations.id(key, 0)?);
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
            Contact { username, log: log.clone(), confirmed: false, safety_number }
        });
        let before = contact.log.clone();
        if before.is_prefix_of(&log) {
            contact.log = log.clone();
        }
        Table::Contacts.put(turn.kv, &account.0, contact)?;
        self.tell_devices(turn, account, &before, &log)?;
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
        let mut moved_from = None;
        for (other, contact) in &mut self.contacts {
            let before = (contact.username.clone(), contact.confirmed);
            if *other == account {
                (contact.username, contact.confirmed) = (name.to_owned(), true);
            } else if same_name(&contact.username, name) {
                // Whoever only said so never had it.
                moved_from = moved_from.or(contact.confirmed.then_some(*other));
                (contact.username, contact.confirmed) = (unproven(*other), false);
            }
            if before != (contact.username.clone(), contact.confirmed) {
                Table::Contacts.put(turn.kv, &other.0, contact)?;
                let of = |(id, c): (_, &Conversation)| (c.peer == *other).then_some(id);
                turn.touched.extend(self.conversations.iter().filter_map(|(id, c)| of((*id, c))));
            }
        }
        match moved_from {
            Some(other) => self.name_moved(turn, other, account),
            None => Ok(()),
        }
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
