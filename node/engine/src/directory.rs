//! Looking names up, and writing to whom they lead to.

use std::collections::BTreeMap;

use livechat_crypto::mls::{PeerDevice, StageError};
use livechat_wire::account::AccountLog;
use livechat_wire::bundle::Bundle;
use livechat_wire::group::Charter;
use livechat_wire::http::DirectoryEntry;
use livechat_wire::{AccountId, ConversationId, limits as wire};

use crate::contacts::same_name;
use crate::effects::{Lookup, Reply};
use crate::errors::{CommandError, HandleError};
use crate::first_contact::can_be_greeted;
use crate::groups::session;
use crate::input::{CommandId, LookupFailure, LookupId};
use crate::membership::member_record;
use crate::membership::records::Invited;
use crate::turn::Turn;
use crate::{Engine, limits};

/// Look-ups under way. They live in memory only: one that a crash interrupts is answered by nobody, and nothing of it
/// was written.
#[derive(Debug, Default)]
pub(crate) struct Lookups {
    next: u64,
    pending: BTreeMap<LookupId, Pending>,
}

#[derive(Debug)]
struct Pending {
    username: String,
    /// Asked to take them into this group, and for nothing else: KeyPackages are for one use.
    room: Option<ConversationId>,
    /// Asked to knock at this door.
    door: Option<[u8; 32]>,
    commands: Vec<CommandId>,
}

impl Pending {
    fn is_about_a_contact(&self) -> bool {
        self.room.is_none() && self.door.is_none()
    }
}

/// A directory entry whose parts hold.
#[derive(Debug)]
pub(crate) struct Found {
    pub log: AccountLog,
    name: String,
    /// Of all its devices.
    pub bundles: Vec<Bundle>,
    /// Bundles with KeyPackages.
    pub devices: Vec<(Bundle, Vec<u8>)>,
}

impl Engine {
    /// Answers at once when the contact is known and the directory has confirmed the name; else looks it up.
    pub(crate) fn add_contact(
        &mut self,
        turn: &mut Turn<'_>,
        id: CommandId,
        username: String,
    ) -> Result<Option<Result<Reply, CommandError>>, HandleError> {
        if same_name(&self.me()?.username, &username) {
            return Ok(Some(Err(CommandError::Oneself)));
        }
        let known = self.contact_named(&username);
        if let Some(account) =
            known.filter(|a| self.contacts.get(a).is_some_and(|c| c.confirmed) && !self.is_keyless(*a))
        {
            self.agree_with(turn, account)?;
            let view = self.contact_view(turn.kv, account)?;
            return Ok(Some(view.map(Reply::Contact).ok_or(CommandError::Untrusted)));
        }
        if self.contacts.len() >= limits::CONTACTS {
            return Ok(Some(Err(CommandError::TooMany)));
        }
        let name = username.trim().to_owned();
        Ok(if self.look_up(turn, name, Some(id))? { None } else { Some(Err(CommandError::TooMany)) })
    }

    /// Asks the directory; a name that is being looked up already is not asked for twice.
    pub(crate) fn look_up(
        &mut self,
        turn: &mut Turn<'_>,
        username: String,
        command: Option<CommandId>,
    ) -> Result<bool, HandleError> {
        let pending = &mut self.lookups.pending;
        if let Some(same) = pending
            .values_mut()
            .find(|p| p.username == username && p.commands.len() < limits::LOOKUPS && p.is_about_a_contact())
        {
            same.commands.extend(command);
            return Ok(true);
        }
        if pending.len() >= limits::LOOKUPS {
            return Ok(false);
        }
        let id = LookupId(self.lookups.next);
        self.lookups.next += 1;
        let commands = command.into_iter().collect();
        pending.insert(id, Pending { username: username.clone(), room: None, door: None, commands });
        turn.fx.lookups.push(Lookup { id, username, claim: true });
        Ok(true)
    }

    /// Asks the directory for somebody who is to come into a group. `false`: too many look-ups are under way.
    pub(crate) fn look_up_for(&mut self, turn: &mut Turn<'_>, username: &str, room: ConversationId) -> bool {
        if self.lookups.pending.len() >= limits::LOOKUPS {
            return false;
        }
        let id = LookupId(self.lookups.next);
        self.lookups.next += 1;
        let username = username.to_owned();
        let commands = Vec::new();
        let pending = Pending { username: username.clone(), room: Some(room), door: None, commands };
        self.lookups.pending.insert(id, pending);
        turn.fx.lookups.push(Lookup { id, username, claim: true });
        true
    }

    /// Asks the directory for a doorkeeper. `false`: too many look-ups are under way.
    pub(crate) fn look_up_doorkeeper(&mut self, turn: &mut Turn<'_>, username: &str, door: [u8; 32]) -> bool {
        if self.lookups.pending.len() >= limits::LOOKUPS {
            return false;
        }
        let id = LookupId(self.lookups.next);
        self.lookups.next += 1;
        let username = username.to_owned();
        let pending = Pending { username: username.clone(), room: None, door: Some(door), commands: Vec::new() };
        self.lookups.pending.insert(id, pending);
        turn.fx.lookups.push(Lookup { id, username, claim: false });
        true
    }

    /// Takes the directory's answer.
    pub(crate) fn directory(
        &mut self,
        turn: &mut Turn<'_>,
        lookup: LookupId,
        answer: Result<DirectoryEntry, LookupFailure>,
    ) -> Result<(), HandleError> {
        let Some(pending) = self.lookups.pending.remove(&lookup) else { return Ok(()) };
        if let Some(room) = pending.room {
            let answer = self.found_in_room(turn, &pending.username, answer)?;
            self.found_for(turn, room, &pending.username, answer);
            return Ok(());
        }
        if let Some(door) = pending.door {
            let answer = answer.map_err(CommandError::from).and_then(|entry| self.check(&pending.username, &entry));
            return self.doorkeeper_found(turn, door, answer);
        }
        let wanted = !pending.commands.is_empty();
        let result = match answer {
            Ok(entry) => match self.check(&pending.username, &entry) {
                Ok(found) => self.reach(turn, found, wanted)?,
                Err(e) => Err(e),
            },
            // Somebody who introduced themselves can be written to while the relay is away.
            Err(LookupFailure::Unreachable | LookupFailure::TooMany { .. } | LookupFailure::Failed)
                if self.contact_named(&pending.username).is_some() =>
            {
                self.contact_named(&pending.username).ok_or(CommandError::Untrusted)
            }
            Err(failure) => Err(failure.into()),
        };
        let reply = match result {
            Ok(account) => {
                if wanted && !self.has_new_keys(turn.kv, account)? {
                    self.agree_with(turn, account)?;
                }
                self.contact_view(turn.kv, account)?.map(Reply::Contact).ok_or(CommandError::Untrusted)
            }
            Err(e) => Err(e),
        };
        turn.fx.replies.extend(pending.commands.into_iter().map(|id| (id, reply.clone())));
        Ok(())
    }

    /// Checks an entry that must be somebody else's.
    fn check(&self, asked: &str, entry: &DirectoryEntry) -> Result<Found, CommandError> {
        let found = self.examine(asked, entry)?;
        let own = self.me.as_ref().is_some_and(|me| me.identity.account() == found.log.account());
        if own { Err(CommandError::Oneself) } else { Ok(found) }
    }

    /// Checks everything about an entry that can be checked without the MLS library.
    fn examine(&self, asked: &str, entry: &DirectoryEntry) -> Result<Found, CommandError> {
        let me = self.me.as_ref().ok_or(CommandError::NoAccount)?;
        let log = AccountLog::decode(&entry.log.0).map_err(|_| CommandError::Untrusted)?;
        if log.name() != Some((entry.username.as_str(), me.relay)) || !same_name(&entry.username, asked) {
            return Err(CommandError::Untrusted);
        }
        let (mut devices, mut bundles) = (Vec::new(), Vec::new());
        for device in entry.devices.iter().take(wire::DEVICES) {
            let bundle = Bundle::decode(&device.bundle.0).map_err(|_| CommandError::Untrusted)?;
            let twice = bundles.iter().any(|b: &Bundle| b.device_key == bundle.device_key);
            if !log.has_device(&bundle.device_key) || twice {
                return Err(CommandError::Untrusted);
            }
            bundles.push(bundle.clone());
            if let Some(package) = &device.key_package {
                devices.push((bundle, package.0.clone()));
            }
        }
        Ok(Found { log, name: entry.username.clone(), bundles, devices })
    }

    /// Looks at an answer for a room: it may be about our own devices, and then goes on where our log is, or is refused.
    fn found_in_room(
        &mut self,
        turn: &mut Turn<'_>,
        asked: &str,
        answer: Result<DirectoryEntry, LookupFailure>,
    ) -> Result<Result<Found, CommandError>, HandleError> {
        let found = match answer.map_err(CommandError::from).and_then(|entry| self.examine(asked, &entry)) {
            Ok(found) => found,
            Err(e) => return Ok(Err(e)),
        };
        let me = self.me()?;
        Ok(match (same_name(&me.username, asked), found.log.account() == me.identity.account()) {
            (true, true) if self.own_log(turn, &found.log)? => Ok(found),
            (false, false) => Ok(found),
            (false, true) => Err(CommandError::Oneself),
            (true, _) => Err(CommandError::Untrusted),
        })
    }

    /// Makes whom the directory named a contact; begins a conversation when there is none and somebody `wanted` it.
    fn reach(
        &mut self,
        turn: &mut Turn<'_>,
        found: Found,
        wanted: bool,
    ) -> Result<Result<AccountId, CommandError>, HandleError> {
        let account = found.log.account();
        if let Some(known) = self.contacts.get(&account) {
            if !known.log.is_prefix_of(&found.log) && !found.log.is_prefix_of(&known.log) {
                return Ok(Err(CommandError::Untrusted));
            }
            if wanted && self.is_keyless(account) {
                // Known from a backup: pinned, but nothing to write with.
                return if found.devices.is_empty() {
                    Ok(Err(CommandError::NoDevice))
                } else {
                    self.begin(turn, found)
                };
            }
            self.meet(turn, found.log, Some(&found.name))?;
            return Ok(Ok(account));
        }
        if !wanted {
            // Asked only to settle whose a name is: nobody else here may be shown under it.
            self.settle_name(turn, account, &found.name)?;
            return Ok(Ok(account));
        }
        if found.devices.is_empty() {
            return Ok(Err(CommandError::NoDevice));
        }
        self.begin(turn, found)
    }

    /// Begins the direct chat with somebody and introduces us to each of their devices.
    fn begin(&mut self, turn: &mut Turn<'_>, found: Found) -> Result<Result<AccountId, CommandError>, HandleError> {
        // A key that nothing can be sealed to is found out before anything is kept.
        if !found.devices.iter().all(|(bundle, _)| can_be_greeted(bundle, turn.rng)) {
            return Ok(Err(CommandError::Untrusted));
        }
        let me = self.me()?;
        let (own, account) = (me.identity.account(), found.log.account());
        let peers: Vec<PeerDevice<'_>> = found
            .devices
            .iter()
            .map(|(b, package)| PeerDevice { log: &found.log, device_key: b.device_key, key_package: package })
            .collect();
        let (charter, record) = (Charter::direct(own, me.relay.0), member_record(me));
        let mut mls = session(me, turn.kv, turn.rng, turn.now);
        let begun = match mls.begin_room(&charter, &record, &peers) {
            Ok(begun) => begun,
            Err(StageError::Store(e)) => return Err(HandleError::Mls(Box::new(e))),
            Err(StageError::Mls(_)) => return Ok(Err(CommandError::Encryption)),
            Err(_) => return Ok(Err(CommandError::Untrusted)),
        };
        self.meet(turn, found.log, Some(&found.name))?;
        self.enter_room(turn, begun.group, begun.room, own)?;
        for ((bundle, _), welcome) in found.devices.into_iter().zip(begun.welcomes) {
            self.introduce(turn, &Invited { bundle, welcome }, None)?;
        }
        Ok(Ok(account))
    }
}
