//! The listener: turns the node's events into lines and a prompt that is up to date. Events are hints; whenever some
//! were lost, what is shown is fetched again.

use std::sync::Arc;
use std::time::Duration;

use livechat_node::api::{
    Conversation, ConversationId, Event, Events, JoinState, Message, Standing, Status, TransferState,
};

use super::face::{Face, News};
use super::files::line;
use super::screen::Screen;
use crate::door::Door;
use crate::exit::Failure;
use crate::limits;
use crate::style::Ink;
use crate::text;
use crate::verbs::handover::words as handover_words;

/// What a removed device says.
const REMOVED: &str = "This device was removed from the account. What is here can be read; nothing is sent or received any \
                       more. If it doesn't stay unlocked (/vault says so), no code opens it again once it is closed: /vault \
                       stay yes keeps it open. /devices erase deletes it.";

/// How long the listener waits when the screen holds as many lines as it can.
const FULL: Duration = Duration::from_millis(50);

/// Listens until the node is gone.
#[derive(Debug)]
pub struct Listener {
    /// The node.
    pub door: Arc<Door>,
    /// What is known.
    pub face: Arc<Face>,
    /// Where lines go.
    pub screen: Screen,
}

impl Listener {
    /// Runs until the node stops.
    pub async fn run(self, mut events: Events) {
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => {
                        if let Err(e) = self.take(event).await {
                            self.print(self.face.look().prose(Ink::Bad, &e.to_string()).join("\n")).await;
                        }
                    }
                    None => break,
                },
                () = self.face.presence.notified() => self.mark_read().await,
            }
        }
        self.print(self.face.style().paint(Ink::Bad, "The node has stopped. /quit, and start it again.")).await;
    }

    async fn take(&self, event: Event) -> Result<(), Failure> {
        match event {
            Event::Status(status) => self.status(status).await,
            Event::MessageAdded { conversation, message } => self.message(conversation, &message).await?,
            Event::MessageChanged { conversation, message } => {
                if self.face.learn_delivery(conversation, &message, false) {
                    self.screen.repaint();
                }
                if self.face.learn_change(conversation, &message) {
                    let changed = self.face.style().paint(Ink::Quiet, "changed:");
                    self.print(format!("{changed} {}", self.face.look().message(&message, None))).await;
                }
            }
            Event::ConversationChanged { conversation } => {
                if self.face.title(conversation.id).is_none() {
                    self.face.learn_contacts(self.door.contacts().await?);
                    self.face.learn_groups(std::slice::from_ref(&conversation));
                    if conversation.standing == Standing::Request {
                        self.print(self.face.look().request(&conversation.title).join("\n")).await;
                    }
                }
            }
            // What happened to a group is told by the notice in its history.
            Event::GroupChanged { group } => {
                self.face.learn_group(group.conversation, &group.title);
                self.screen.repaint();
            }
            Event::JoiningChanged { joining } => {
                if let JoinState::Joined { conversation } = joining.state {
                    let title = self.title(conversation).await?;
                    let words = format!("You are in: /group {} takes you there.", text::word(&title));
                    self.print(self.face.style().paint(Ink::Good, &words)).await;
                } else {
                    self.print(self.face.look().joining(&joining)).await;
                }
            }
            Event::HandoverChanged { handover } => {
                let ink = match handover.state {
                    TransferState::Done => Ink::Good,
                    TransferState::Failed { .. } => Ink::Bad,
                    // The rest is for those who look: /devices says it.
                    _ => return Ok(()),
                };
                self.print(self.face.style().paint(ink, &handover_words(&handover))).await;
            }
            Event::DevicesChanged { devices } => {
                if devices.iter().all(|d| !d.pending) {
                    let words = match devices.iter().filter(|d| d.removed_at.is_none()).count() {
                        1 => "Your account has one device now: /devices says more.".to_owned(),
                        n => format!("Your account has {n} devices now: /devices says which."),
                    };
                    self.print(self.face.style().paint(Ink::Warn, &words)).await;
                }
            }
            Event::TransferChanged { transfer } => {
                // What arrives is a message; how far the rest is, /files tells.
                if matches!(transfer.state, TransferState::Failed { .. }) {
                    self.print(self.face.look().prose(Ink::Warn, &line(&transfer)).join("\n")).await;
                }
            }
            // What was printed stays in the scrollback of a terminal; typing has no place there.
            Event::MessageRemoved { .. } | Event::Typing { .. } => {}
            Event::Lagged => self.catch_up().await?,
        }
        Ok(())
    }

    async fn status(&self, status: Status) {
        for news in self.face.learn_status(status) {
            let (ink, words) = match news {
                News::Away(reason) => {
                    let why = text::prose(&reason);
                    let why = why.trim_end_matches('.');
                    (Ink::Warn, format!("○ The relay is away ({why}). Go on writing; messages wait on this device."))
                }
                News::Back => (Ink::Good, "● The relay is back.".to_owned()),
                News::Locked => {
                    self.face.forget_conversations();
                    (Ink::Warn, "This device is locked: /unlock".to_owned())
                }
                News::Removed => (Ink::Bad, REMOVED.to_owned()),
                News::SessionOver => (Ink::Warn, "Your session is over: /login".to_owned()),
            };
            self.print(self.face.look().prose(ink, &words).join("\n")).await;
        }
        self.screen.repaint();
    }

    async fn message(&self, conversation: ConversationId, message: &Message) -> Result<(), Failure> {
        if !self.face.show(conversation, message) {
            return Ok(());
        }
        let title = self.title(conversation).await?;
        // Who writes to a group that isn't in the prompt is not talking to us alone.
        let elsewhere = self.face.is_group(conversation) && self.face.current().is_none_or(|(c, _)| c != conversation);
        let title = (message.own || elsewhere).then_some(title);
        self.print(self.face.look().message(message, title.as_deref())).await;
        Ok(())
    }

    async fn title(&self, conversation: ConversationId) -> Result<String, Failure> {
        if let Some(title) = self.face.title(conversation) {
            return Ok(title);
        }
        self.face.learn_contacts(self.door.contacts().await?);
        self.face.learn_groups(&self.door.conversations().await?);
        Ok(self.face.title(conversation).unwrap_or_else(|| "somebody".to_owned()))
    }

    /// Shows what the lost events would have shown.
    async fn catch_up(&self) -> Result<(), Failure> {
        self.status(self.door.status().await?).await;
        for conversation in self.door.conversations().await? {
            for message in unread(&self.door, &conversation).await? {
                self.message(conversation.id, &message).await?;
            }
        }
        Ok(())
    }

    /// What is on the screen while keys are pressed has been read.
    async fn mark_read(&self) {
        for (conversation, position) in self.face.take_unmarked() {
            if let Err(e) = self.door.mark_read(conversation, position).await {
                tracing::debug!("can't mark read, the next message will: {e}");
            }
        }
    }

    async fn print(&self, line: String) {
        while !self.screen.line(line.clone()) {
            tokio::time::sleep(FULL).await;
        }
    }
}

/// The unread messages of a conversation, oldest first, at most as many as a screen should show.
///
/// # Errors
/// What the node refuses.
pub async fn unread(door: &Door, conversation: &Conversation) -> Result<Vec<Message>, Failure> {
    let count = limits::UNREAD_SHOWN.min(conversation.unread as usize);
    if count == 0 { Ok(Vec::new()) } else { door.newest(conversation.id, count, |m| !m.own).await }
}
