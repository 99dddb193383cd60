//! The interactive prompt, and its plain form for pipes.
//!
//! Two parties share the screen: the loop here (reads a line, does what it says, prints the answer) and the listener
//! ([`watch`], prints what comes in). [`screen`] keeps them apart; [`face`] is what both know.

mod account;
mod arguments;
pub mod command;
mod complete;
pub mod deeds;
mod devices;
mod doing;
pub mod emoji;
pub mod face;
pub mod files;
pub mod groups;
mod keyboard;
mod looking;
mod phrase;
mod screen;
mod vault;
mod watch;
mod wizard;

use std::path::PathBuf;
use std::sync::Arc;

use livechat_node::api::{AccountState, Request, Response};
use tokio::runtime::Handle;

use self::command::Line;
use self::face::Face;
use self::keyboard::{Input, Keyboard, Pipe, Terminal};
use self::screen::Screen;
use self::watch::Listener;
use self::wizard::End;
use crate::door::{Door, relay_of};
use crate::exit::{Exit, Failure};
use crate::limits;
use crate::render::Look;
use crate::settings::{Settings, relay_url};
use crate::style::Ink;
use crate::text;

/// The one who types, and what it takes to answer.
#[derive(Debug)]
pub struct Chat {
    door: Arc<Door>,
    face: Arc<Face>,
    runtime: Handle,
    home: Option<PathBuf>,
    /// Whether `/quit` was typed.
    leaving: bool,
    /// Whether a failure of a piped command should end up in the exit code.
    failed: Option<Failure>,
}

/// Runs the prompt until the person leaves.
///
/// # Errors
/// No node, or the terminal is gone; in a pipe, the first command that failed.
pub fn run(settings: &Settings, look: Look, runtime: &Handle) -> Result<(), Failure> {
    let face = Arc::new(Face::new(look, settings.interactive));
    if settings.interactive {
        let mut terminal = Terminal::new(face.clone())?;
        let screen = terminal.screen();
        session(settings, face, &mut terminal, screen, runtime)
    } else {
        session(settings, face, &mut Pipe, Screen::plain(), runtime)
    }
}

fn session(
    settings: &Settings,
    face: Arc<Face>,
    keyboard: &mut dyn Keyboard,
    screen: Screen,
    runtime: &Handle,
) -> Result<(), Failure> {
    let Some(door) = open(settings, &face, keyboard, runtime)? else { return Ok(()) };
    let door = Arc::new(door);
    let mut chat = Chat {
        door: door.clone(),
        face: face.clone(),
        runtime: runtime.clone(),
        home: settings.home.clone(),
        leaving: false,
        failed: None,
    };
    // Before the first look at the state: nothing in between is missed.
    let events = door.events();
    let result = chat.arrive(keyboard).and_then(|end| {
        let listening = runtime.spawn(Listener { door: door.clone(), face, screen }.run(events));
        let done = if end == End::Leave { Ok(()) } else { chat.talk(keyboard, settings.interactive) };
        if done.is_ok() {
            chat.farewell(keyboard);
        }
        listening.abort();
        // Its share of the door is dropped with it.
        runtime.block_on(listening).unwrap_or_default();
        done
    });
    let failed = chat.failed.take();
    drop(chat);
    if let Ok(door) = Arc::try_unwrap(door) {
        runtime.block_on(door.close());
    }
    result?;
    failed.filter(|_| !settings.interactive).map_or(Ok(()), Err)
}

/// Finds the node; asks a person for the relay when none is known.
fn open(
    settings: &Settings,
    face: &Face,
    keyboard: &mut dyn Keyboard,
    runtime: &Handle,
) -> Result<Option<Door>, Failure> {
    match runtime.block_on(Door::open(settings)) {
        Err(e) if e.code == Exit::NoNode && settings.interactive && relay_of(settings).is_err() => {}
        door => return door.map(Some),
    }
    let welcome = "Welcome to LiveChat. Which relay do you want to use? It keeps messages until they are fetched, and can't read them.";
    for row in face.look().prose(Ink::Strong, welcome) {
        keyboard.say(&row);
    }
    loop {
        let relay = match keyboard.ask("Relay (e.g. https://relay.example.org): ")? {
            Input::Line(line) if line.trim().is_empty() => continue,
            Input::Line(line) => relay_url(&line),
            Input::Interrupt | Input::End => return Ok(None),
        };
        match relay {
            Ok(url) => {
                let named = Settings { relay: Some(url), ..settings.clone() };
                return runtime.block_on(Door::open(&named)).map(Some);
            }
            Err(e) => {
                for row in face.look().prose(Ink::Warn, &format!("✗ {e}")) {
                    keyboard.say(&row);
                }
            }
        }
    }
}

impl Chat {
    fn paint(&self, ink: Ink, text: &str) -> String {
        self.face.style().paint(ink, text)
    }

    /// Prints prose of ours, broken between words.
    fn tell(&self, keyboard: &mut dyn Keyboard, ink: Ink, prose: &str) {
        for row in self.face.look().prose(ink, prose) {
            keyboard.say(&row);
        }
    }

    /// Asks the node; Ctrl-C stops waiting (what was asked may still happen).
    fn ask(&self, request: Request) -> Result<Response, Failure> {
        self.wait(self.door.ask(request))
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        self.runtime.block_on(async {
            tokio::select! {
                done = work => done,
                _ = tokio::signal::ctrl_c() => Err(Failure::interrupted()),
            }
        })
    }

    fn account(&self) -> Result<AccountState, Failure> {
        let status = self.wait(self.door.status())?;
        let account = status.account.clone();
        // News of the state we asked for ourselves are no news.
        drop(self.face.learn_status(status));
        Ok(account)
    }

    /// Signs up or logs in if need be, then shows what came in meanwhile.
    fn arrive(&mut self, keyboard: &mut dyn Keyboard) -> Result<End, Failure> {
        let end = wizard::enter(self, keyboard)?;
        if end == End::In {
            self.settle(keyboard)?;
        }
        Ok(end)
    }

    /// After log-in: contacts, unread messages, a word of welcome.
    fn settle(&mut self, keyboard: &mut dyn Keyboard) -> Result<(), Failure> {
        self.account()?;
        let contacts = self.wait(self.door.contacts())?;
        let conversations = self.wait(self.door.conversations())?;
        self.face.learn_contacts(contacts.clone());
        self.face.learn_groups(&conversations);
        for conversation in &conversations {
            self.face.shown_until(conversation);
        }
        let look = self.face.look();
        let mut came = Vec::new();
        for conversation in conversations.iter().filter(|c| c.unread > 0) {
            let unread = self.wait(watch::unread(&self.door, conversation))?;
            if conversation.unread_mentions > 0 {
                let calls = match conversation.unread_mentions {
                    1 => "once".to_owned(),
                    n => format!("{n} times"),
                };
                let called = format!("@ You are called {calls} in {}.", text::word(&conversation.title));
                keyboard.say(&self.paint(Ink::Strong, &called));
            }
            if conversation.unread as usize > unread.len() {
                let from = text::word(&conversation.title);
                let more =
                    format!("{} unread messages of {from}, here are the last {}.", conversation.unread, unread.len());
                keyboard.say(&self.paint(Ink::Quiet, &more));
            }
            if let Some(last) = unread.last() {
                self.face.seen(conversation.id, last.position);
            }
            came.extend(unread);
        }
        came.sort_by_key(|m| (m.received_at, m.position));
        for line in look.history(&came) {
            keyboard.say(&line);
        }
        match contacts.as_slice() {
            [] => keyboard.say(&self.paint(Ink::Quiet, "Nobody to talk to yet: /add NAME. /help shows all commands.")),
            [only] => {
                let last = conversations.iter().find(|c| c.id == only.conversation).and_then(|c| c.last.as_ref());
                self.face.switch(only.conversation, &only.username, last);
                keyboard.say(&self.paint(Ink::Quiet, "/help shows all commands."));
            }
            _ => keyboard.say(&self.paint(Ink::Quiet, "@NAME chooses whom to talk to. /help shows all commands.")),
        }
        Ok(())
    }

    /// Lines, until the person leaves.
    fn talk(&mut self, keyboard: &mut dyn Keyboard, interactive: bool) -> Result<(), Failure> {
        let mut interrupts = 0;
        while !self.leaving {
            match keyboard.line()? {
                Input::Line(line) => {
                    interrupts = 0;
                    if let Err(e) = self.obey(keyboard, command::parse(&line)) {
                        if !e.message.is_empty() {
                            self.tell(keyboard, Ink::Warn, &format!("✗ {e}"));
                        }
                        self.failed.get_or_insert(e);
                    }
                }
                Input::Interrupt if interrupts > 0 => break,
                Input::Interrupt => {
                    interrupts += 1;
                    keyboard.say(&self.paint(Ink::Quiet, "Ctrl-C again, Ctrl-D or /quit leaves."));
                }
                Input::End => break,
            }
        }
        if interactive && self.door.is_here() {
            keyboard.say(&self.paint(Ink::Quiet, "Good-bye."));
        }
        Ok(())
    }

    fn obey(&mut self, keyboard: &mut dyn Keyboard, line: Line) -> Result<(), Failure> {
        match line {
            Line::Empty => Ok(()),
            Line::Text(text) => self.send_to_current(keyboard, &text),
            Line::To { name, text } => self.send_to(keyboard, &name, text.as_deref()),
            Line::Command(command) => self.command(keyboard, command),
            Line::Usage(usage) => Err(Failure::new(Exit::Usage, format!("That is written {usage}"), "")),
            Line::Unknown { word, near } => {
                let near = near.map(|n| format!(" Did you mean {n}?")).unwrap_or_default();
                let hint = format!("/help lists them; //{} sends it as text.", word.trim_start_matches('/'));
                Err(Failure::new(Exit::Usage, format!("There is no command {word}.{near}"), hint))
            }
        }
    }

    /// A node of our own stops with us: give what was said a moment to reach the relay.
    fn farewell(&mut self, keyboard: &mut dyn Keyboard) {
        if !self.door.is_here() {
            return;
        }
        let queued = |chat: &Self| chat.wait(chat.door.status()).map_or(0, |s| s.queued);
        let waiting = queued(self);
        if waiting == 0 || self.face.is_away() {
            if waiting > 0 {
                keyboard
                    .say(&format!("{waiting} of your messages wait on this device; they go out when you are back."));
            }
            return;
        }
        keyboard.say(&format!("Handing {waiting} of your messages to the relay … (Ctrl-C leaves now)"));
        let mut events = self.door.events();
        let sent = self.wait(async {
            let all = async {
                while self.door.status().await?.queued > 0 {
                    events.next().await;
                }
                Ok(())
            };
            tokio::time::timeout(limits::FAREWELL, all).await.unwrap_or_else(|_| {
                Err(Failure::new(Exit::Unreachable, "The relay has not accepted them yet.", "They go out next time."))
            })
        });
        if let Err(e) = sent {
            keyboard.say(&e.to_string());
            self.failed.get_or_insert(e);
        }
    }
}
