//! `/vault`, `/passphrase`: how this device is locked.

use livechat_node::api::{Request, VaultInfo};

use super::Chat;
use super::account::answer;
use super::command::Keeping;
use super::keyboard::Keyboard;
use crate::exit::Failure;
use crate::style::Ink;
use crate::verbs::vault::{info, lines, seconds};

impl Chat {
    pub(super) fn vault(&mut self, keyboard: &mut dyn Keyboard, keeping: Option<Keeping>) -> Result<(), Failure> {
        let mut info = self.wait(info(&self.door))?;
        if let Some(keeping) = keeping {
            match keeping {
                Keeping::Stay(stay) => info.stay_unlocked = stay,
                Keeping::LockAfter(span) => info.lock_after = seconds(&span)?,
            }
            let VaultInfo { stay_unlocked, lock_after, .. } = info;
            self.ask(Request::SetVault { stay_unlocked, lock_after })?;
        }
        for line in lines(&info) {
            keyboard.say(&line);
        }
        Ok(())
    }

    pub(super) fn set_passphrase(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        let Some(first) = answer(keyboard, "Passphrase (eight characters at least): ")? else { return Ok(()) };
        let Some(second) = answer(keyboard, "Once more: ")? else { return Ok(()) };
        if first != second {
            self.tell(keyboard, Ink::Warn, "✗ Those were two different ones. Nothing was changed.");
            return Ok(());
        }
        self.ask(Request::SetPassphrase { passphrase: Some(first) })?;
        keyboard.say(&self.paint(Ink::Good, "✓ The passphrase opens this device now, too."));
        Ok(())
    }

    pub(super) fn remove_passphrase(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        self.ask(Request::SetPassphrase { passphrase: None })?;
        keyboard.say(&self.paint(Ink::Good, "✓ No passphrase opens this device any more."));
        Ok(())
    }
}
