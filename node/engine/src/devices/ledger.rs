//! Every device that ever was, and who let it in.

use livechat_wire::account::{AccountLog, Signer, Statement};
use livechat_wire::{AccountId, ConversationId, DeviceId};

use super::LogWish;
use crate::Engine;
use crate::errors::HandleError;
use crate::membership::Notice;
use crate::turn::Turn;
use crate::view::Device;

impl Engine {
    /// The devices of this account, oldest first, removed ones and those to be added included.
    #[must_use]
    pub fn devices(&self) -> Vec<Device> {
        let Some(me) = &self.me else { return Vec::new() };
        let this = me.identity.device();
        let mut devices = ledger(&me.log, this);
        for wish in self.devices.wishes.values() {
            match wish {
                LogWish::Add(bundle) => devices.push(Device {
                    device: bundle.device(),
                    this: false,
                    added_at: bundle.issued_at,
                    added_by: Some(this).filter(|_| !me.identity.has_identity_key()),
                    removed_at: None,
                    removed_by: None,
                    pending: true,
                }),
                LogWish::Revoke(device) => {
                    devices.iter_mut().filter(|d| d.device == *device).for_each(|d| d.pending = true);
                }
            }
        }
        devices
    }

    /// A contact's log goes on: what that says of their devices stands in the direct chat with them.
    pub(crate) fn tell_devices(
        &mut self,
        turn: &mut Turn<'_>,
        account: AccountId,
        before: &AccountLog,
        after: &AccountLog,
    ) -> Result<(), HandleError> {
        let news = after.entries().get(before.entries().len()..).unwrap_or_default();
        let count = |wanted: fn(&Statement) -> bool| news.iter().filter(|e| wanted(&e.statement)).count();
        let added = count(|s| matches!(s, Statement::AddDevice { .. }));
        let removed = count(|s| matches!(s, Statement::RevokeDevice { .. }));
        let at = ConversationId::direct(&self.me()?.identity.account(), &account);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        if added > 0 {
            self.notice(turn, at, account, &Notice::DevicesAdded(number(added)))?;
        }
        if removed > 0 {
            self.notice(turn, at, account, &Notice::DevicesRemoved(number(removed)))?;
        }
        Ok(())
    }
}

fn ledger(log: &AccountLog, this: DeviceId) -> Vec<Device> {
    let mut devices: Vec<Device> = Vec::new();
    for entry in log.entries() {
        let by = match entry.signer {
            Signer::Identity => None,
            Signer::Device(device) => Some(device),
        };
        match &entry.statement {
            Statement::AddDevice { device_key } => {
                let device = DeviceId::of(device_key);
                devices.push(Device {
                    device,
                    this: device == this,
                    added_at: entry.time,
                    added_by: by,
                    removed_at: None,
                    removed_by: None,
                    pending: false,
                });
            }
            Statement::RevokeDevice { device } => {
                let there = devices.iter_mut().filter(|d| d.device == *device && d.removed_at.is_none());
                there.for_each(|d| (d.removed_at, d.removed_by) = (Some(entry.time), by));
            }
            _ => {}
        }
    }
    devices
}
