//! Who is who they seem: whose safety number was compared, and names that lead to another account than before
//! (PROTOCOL ).

use livechat_crypto::kv::Kv;
use livechat_wire::codec::{Reader, Writer};
use livechat_wire::verify::Claim;
use livechat_wire::{AccountId, ConversationId, DecodeError};

use crate::Engine;
use crate::effects::Reply;
use crate::errors::{CommandError, HandleError, StoreError};
use crate::tables::{Stored, Table};
use crate::turn::Turn;

/// Whom a name led to before.
struct Before(AccountId);

impl Stored for Before {
    fn write(&self, w: &mut Writer) {
        w.raw(&self.0.0);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self(AccountId(r.array()?)))
    }
}

impl Engine {
    /// What we show a contact who wants to be sure: which accounts we see at both ends.
    #[must_use]
    pub fn claim(&self, about: AccountId) -> Option<Claim> {
        let me = self.me.as_ref().filter(|_| self.contacts.contains_key(&about))?;
        Some(Claim { by: me.identity.account(), about })
    }

    /// Whether the safety number of an account was compared.
    pub(crate) fn is_verified(&self, kv: &dyn Kv, account: AccountId) -> Result<bool, StoreError> {
        Ok(Table::Verified.get::<()>(kv, &account.0)?.is_some())
    }

    /// Whether the name of an account led to another one before, and nobody has looked into that.
    pub(crate) fn has_new_keys(&self, kv: &dyn Kv, account: AccountId) -> Result<bool, StoreError> {
        Ok(Table::Changed.get::<Before>(kv, &account.0)?.is_some())
    }

    /// Notes that the safety number of a contact was compared, or that it must be again.
    pub(crate) fn verify(
        &mut self,
        turn: &mut Turn<'_>,
        account: AccountId,
        verified: bool,
    ) -> Result<Result<Reply, CommandError>, HandleError> {
        if !self.contacts.contains_key(&account) {
            return Ok(Err(CommandError::UnknownConversation));
        }
        if verified {
            Table::Verified.put(turn.kv, &account.0, &())?;
            self.accept_keys(turn, account)?;
            self.agree_with(turn, account)?;
        } else {
            Table::Verified.delete(turn.kv, &account.0)?;
        }
        turn.touched.extend(self.direct_with(account));
        Ok(Ok(Reply::Done))
    }

    /// Compares what a contact shows with what we see. Whoever shows it must be the one they see us talk to, and see us.
    pub(crate) fn check_code(
        &mut self,
        turn: &mut Turn<'_>,
        text: &str,
    ) -> Result<Result<Reply, CommandError>, HandleError> {
        let Ok(claim) = Claim::from_text(text) else { return Ok(Err(CommandError::BadCode)) };
        let own = self.me()?.identity.account();
        if claim.about != own || !self.contacts.contains_key(&claim.by) {
            // An own code is no proof of anything; one about somebody else means that somebody is in between.
            let oneself = claim.by == own;
            return Ok(Err(if oneself { CommandError::Oneself } else { CommandError::CodeDiffers }));
        }
        if let Err(e) = self.verify(turn, claim.by, true)? {
            return Ok(Err(e));
        }
        Ok(self.contact_view(turn.kv, claim.by)?.map(Reply::Contact).ok_or(CommandError::UnknownConversation))
    }

    /// A name that led to one account leads to another one from now on. What was compared counts no more, and nothing
    /// is said to the new one before somebody has looked into it.
    pub(crate) fn name_moved(
        &mut self,
        turn: &mut Turn<'_>,
        from: AccountId,
        to: AccountId,
    ) -> Result<(), HandleError> {
        Table::Verified.delete(turn.kv, &from.0)?;
        Table::Verified.delete(turn.kv, &to.0)?;
        Table::Changed.put(turn.kv, &to.0, &Before(from))?;
        // Also where the conversation is only about to begin.
        let at = ConversationId::direct(&self.me()?.identity.account(), &to);
        self.arrange(turn, at, |p| p.accepted = false)
    }

    /// Somebody has looked into it.
    pub(crate) fn accept_keys(&mut self, turn: &mut Turn<'_>, account: AccountId) -> Result<(), StoreError> {
        turn.touched.extend(self.direct_with(account));
        Table::Changed.delete(turn.kv, &account.0)
    }

    /// Whom a direct chat is with.
    pub(crate) fn peer(&self, at: ConversationId) -> Option<AccountId> {
        self.conversations.get(&at).map(|c| c.peer).filter(|peer| self.contacts.contains_key(peer))
    }
}
