//! One call of [`Engine::handle`]: the transaction, the dice, and what is collected on the way.

use std::collections::{BTreeSet, VecDeque};

use livechat_crypto::kv::Kv;
use livechat_wire::account::Statement;
use livechat_wire::sync::Cursor;
use livechat_wire::{ConversationId, DecodeError, Envelope, RelayId};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::effects::{Effects, Event};
use crate::errors::{HandleError, StoreError};
use crate::input::{Command, CommandId};
use crate::membership::records::What;
use crate::tables::Table;
use crate::{CommandError, Engine, Me, records};

/// What a call has at hand.
pub(crate) struct Turn<'a> {
    /// Unix milliseconds, for what people see.
    pub now: u64,
    /// Our own milliseconds ([`crate::clock::Clock`]), for pauses and ages.
    pub clock: u64,
    pub rng: &'a mut dyn CryptoRng,
    pub kv: &'a mut dyn Kv,
    pub fx: Effects,
    /// Envelopes to look at before the call ends.
    pub work: VecDeque<Envelope>,
    /// Messages added, in order.
    pub added: Vec<(ConversationId, u64)>,
    /// Messages whose delivery or gap changed.
    pub changed: BTreeSet<(ConversationId, u64)>,
    /// Conversations whose line in the list changed.
    pub touched: BTreeSet<ConversationId>,
    /// Whether the number of queued messages may have changed.
    pub queue_changed: bool,
}

impl<'a> Turn<'a> {
    pub fn new(now: u64, clock: u64, rng: &'a mut dyn CryptoRng, kv: &'a mut dyn Kv) -> Self {
        Self {
            now,
            clock,
            rng,
            kv,
            fx: Effects::default(),
            work: VecDeque::new(),
            added: Vec::new(),
            changed: BTreeSet::new(),
            touched: BTreeSet::new(),
            queue_changed: false,
        }
    }

    /// Unix seconds.
    pub fn seconds(&self) -> u64 {
        self.now / 1_000
    }

    /// Draws random bytes.
    pub fn draw<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.rng.fill_bytes(&mut out);
        out
    }

    /// Draws a number in `low ..= high`. The bias of the remainder is irrelevant to a pause.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.rng.next_u64() % (high - low + 1)
    }
}

impl Me {
    pub(crate) fn from_record(r: records::Me) -> Result<Self, StoreError> {
        let unreadable = |source: DecodeError| StoreError::Unreadable { table: Table::Me, source };
        let identity = livechat_crypto::identity::Identity::decode(&r.identity).map_err(unreadable)?;
        Ok(Self { identity, username: r.username, relay: r.relay, log: r.log, bucket_bits: r.bucket_bits })
    }
}

impl Me {
    /// Whether the account was founded on this device, so that it knows all that was ever said.
    pub(crate) fn is_first_device(&self) -> bool {
        let first = self.log.entries().iter().find_map(|e| match e.statement {
            Statement::AddDevice { device_key } => Some(device_key),
            _ => None,
        });
        first == Some(self.identity.device_key())
    }
}

impl Engine {
    pub(crate) fn me(&self) -> Result<&Me, HandleError> {
        self.me.as_ref().ok_or(HandleError::Inconsistent("nobody is signed up"))
    }

    pub(crate) fn activate(&mut self, turn: &mut Turn<'_>, me: Me) -> Result<(), HandleError> {
        if self.me.as_ref().is_some_and(|old| old.identity.account() != me.identity.account()) {
            return Err(HandleError::Inconsistent("another account is signed up here"));
        }
        let record = records::Me {
            identity: Zeroizing::new(me.identity.encode().to_vec()),
            username: me.username.clone(),
            relay: me.relay,
            log: me.log.clone(),
            bucket_bits: me.bucket_bits,
        };
        Table::Me.put(turn.kv, &[], &record)?;
        let new = self.me.replace(me).is_none();
        if new { self.publish_keys(turn, true) } else { Ok(()) }
    }

    pub(crate) fn command(&mut self, turn: &mut Turn<'_>, id: CommandId, command: Command) -> Result<(), HandleError> {
        let answer = match command {
            _ if self.me.is_none() => Some(Err(CommandError::NoAccount)),
            _ if self.is_removed() && !Self::is_for_here(&command) => Some(Err(CommandError::DeviceRemoved)),
            Command::AddContact { username } => self.add_contact(turn, id, username)?,
            Command::Send { conversation, text, id, reply_to } => {
                Some(self.send(turn, conversation, text, id, reply_to)?)
            }
            Command::CreateGroup { title, members } => Some(self.create_group(turn, title, &members, None)?),
            Command::Invite { conversation, username } => {
                let username = username.trim().to_owned();
                Some(self.change_group(turn, conversation, What::Add { username })?)
            }
            Command::Remove { conversation, account } => {
                Some(self.change_group(turn, conversation, What::Remove { account, asked: false })?)
            }
            Command::SetRole { conversation, account, role } => {
                Some(self.change_group(turn, conversation, What::SetRole { account, role: role.into() })?)
            }
            Command::SetTitle { conversation, title } => {
                Some(self.change_group(turn, conversation, What::SetTitle { title })?)
            }
            Command::MakeLink { conversation, expires_in, uses } => {
                Some(self.make_link(turn, conversation, expires_in, uses)?)
            }
            Command::RevokeLink { conversation, door } => Some(self.revoke_link(turn, conversation, &door)?),
            Command::JoinLink { link } => Some(self.join_link(turn, &link.0)?),
            Command::CancelJoin { door } => Some(self.cancel_join(turn, &door)?),
            Command::FoundLobby { title } => Some(self.found_lobby(turn, title)?),
            Command::Leave { conversation } => Some(self.change_group(turn, conversation, What::Leave)?),
            Command::AddDevice { bundle } => Some(self.add_device(turn, bundle)?),
            Command::RevokeDevice { device } => Some(self.revoke_device(turn, device)?),
            Command::HandOver { device, left } => Some(self.hand_over(turn, device, left)?),
            Command::TakenOver => Some(Ok(self.taken_over(turn)?)),
            Command::OfferFile { conversation, offer } => Some(self.offer_file(turn, conversation, *offer)?),
            Command::SendFile { conversation, file, id } => Some(self.send_file(turn, conversation, *file, id)?),
            Command::NoteFile { blob, here } => Some(self.note_file(turn, blob, here)?),
            Command::NoteWithdrawn { blob } => Some(self.note_withdrawn(turn, blob)?),
            Command::MarkRead { conversation, position } => Some(self.mark_read(turn, conversation, position)?),
            Command::Forward { from, position, to, id } => Some(self.forward(turn, (from, position), to, id)?),
            Command::Edit { conversation, position, text } => Some(self.edit(turn, conversation, position, text)?),
            Command::Delete { conversation, position, for_everyone } => {
                Some(self.delete(turn, conversation, position, for_everyone)?)
            }
            Command::React { conversation, position, emoji, on } => {
                Some(self.react(turn, conversation, position, emoji, on)?)
            }
            Command::SetTimer { conversation, seconds } => Some(self.set_timer(turn, conversation, seconds)?),
            Command::Typing { conversation, typing } => Some(self.tell_typing(turn, conversation, typing)?),
            Command::SetDraft { conversation, text } => Some(self.set_draft(turn, conversation, text)?),
            Command::SetProfile { name } => Some(self.set_profile(turn, name)?),
            Command::Accept { conversation } => {
                if let Some(peer) = self.peer(conversation) {
                    self.accept_keys(turn, peer)?;
                }
                Some(self.arranged(turn, conversation, |p| p.accepted = true)?)
            }
            Command::Block { conversation, blocked } => {
                Some(self.arranged(turn, conversation, |p| p.blocked = blocked)?)
            }
            Command::CheckCode { text } => Some(self.check_code(turn, &text)?),
            Command::Verify { account, verified } => Some(self.verify(turn, account, verified)?),
            Command::Pin { conversation, pinned } => Some(self.arranged(turn, conversation, |p| p.pinned = pinned)?),
            Command::Mute { conversation, until } => {
                Some(self.arranged(turn, conversation, |p| p.muted_until = until)?)
            }
            Command::Archive { conversation, archived } => {
                Some(self.arranged(turn, conversation, |p| p.archived = archived)?)
            }
        };
        turn.fx.replies.extend(answer.map(|a| (id, a)));
        Ok(())
    }

    pub(crate) fn page(
        &mut self,
        turn: &mut Turn<'_>,
        relay: RelayId,
        envelopes: Vec<Envelope>,
        cursor: Cursor,
    ) -> Result<(), HandleError> {
        if self.me.is_none() || self.is_removed() {
            return Ok(());
        }
        if self.me.as_ref().is_some_and(|me| me.relay == relay) {
            self.outbox.answered(turn);
        }
        turn.work.extend(envelopes);
        Table::Cursors.put(turn.kv, &relay.0, &cursor)?;
        self.cursors.insert(relay, cursor);
        Ok(())
    }

    /// Everything that time or earlier steps of this call made due; then the effects.
    pub(crate) fn finish(&mut self, mut turn: Turn<'_>) -> Result<Effects, HandleError> {
        if self.is_removed() {
            self.content_due(&mut turn)?;
        } else if self.me.is_some() {
            self.take_all(&mut turn)?;
            self.end_holds(&mut turn)?;
            self.continue_log(&mut turn)?;
            self.drive_rooms(&mut turn)?;
            self.knock_where_due(&mut turn)?;
            // A hold that ended or a commit that took effect may have brought envelopes out of the pool.
            self.take_all(&mut turn)?;
            self.say_again(&mut turn)?;
            self.content_due(&mut turn)?;
            self.pay_receipts(&mut turn)?;
            self.sweep(&mut turn)?;
            self.pump(&mut turn)?;
        }
        if self.clock.wants_saving() {
            Table::Clock.put(turn.kv, &[], &self.clock)?;
        }
        self.collect_events(&mut turn)?;
        turn.fx.wake_at = self.wake_at();
        Ok(turn.fx)
    }

    /// Turns what changed into events, each message and conversation once and as it is now.
    fn collect_events(&mut self, turn: &mut Turn<'_>) -> Result<(), HandleError> {
        for (conversation, position) in &turn.added {
            if let Some(message) = self.message_view(turn.kv, *conversation, *position)? {
                turn.fx.events.push(Event::MessageAdded { conversation: *conversation, message });
            }
        }
        for (conversation, position) in &turn.changed {
            if turn.added.contains(&(*conversation, *position)) {
                continue;
            }
            if let Some(message) = self.message_view(turn.kv, *conversation, *position)? {
                turn.fx.events.push(Event::MessageChanged { conversation: *conversation, message });
            }
        }
        for conversation in &turn.touched {
            if let Some(conversation) = self.conversation_view(turn.kv, *conversation)? {
                turn.fx.events.push(Event::ConversationChanged { conversation });
            }
        }
        for conversation in self.changed_rooms() {
            turn.fx.events.extend(self.group_view(conversation).map(|group| Event::GroupChanged { group }));
        }
        if turn.queue_changed {
            turn.fx.events.push(Event::Queued(self.outbox.messages()));
        }
        Ok(())
    }
}
