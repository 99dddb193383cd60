//! Our account under another name.

use livechat_wire::account::{AccountLog, Statement};
use livechat_wire::limits as wire;

use crate::Engine;
use crate::errors::HandleError;
use crate::turn::Turn;

impl Engine {
    /// Our log, continued so that it binds this name at our relay. Nothing is kept: it counts once the relay has it.
    /// `None`: there is no account, or leaves have no room for that much of a log.
    #[must_use]
    pub fn log_with_name(&self, name: &str, seconds: u64) -> Option<AccountLog> {
        let me = self.me.as_ref()?;
        let mut log = me.log.clone();
        let statement = Statement::BindName { name: name.to_owned(), relay: me.relay };
        me.identity.state(&mut log, statement, seconds).ok()?;
        Some(log).filter(|log| log.encode().len() <= wire::MEMBER_LOG)
    }

    /// The others learn of it as of any log, from our leaves: those are renewed, each room at its own time.
    pub(super) fn say_name(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        let rooms: Vec<_> = self.rooms.rooms.keys().copied().collect();
        for at in rooms {
            self.renew_soon(turn, at)?;
            self.room_changed(turn, at);
        }
        Ok(())
    }
}
