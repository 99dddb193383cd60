//! Requests: what is answered at once, what goes to the engine, what is a flow with the relay, and what needs a session.

use livechat_crypto::kv::Kv;
use livechat_crypto::vault::Habits;
use livechat_engine::{Command, CommandError, Engine, Secret, ViewError};
use livechat_wire::DeviceId;
use livechat_wire::http::{SecretText, SessionInfo};
use zeroize::Zeroizing;

use super::chores::Done;
use super::commands::{Answer, group_link};
use super::{Driver, refusals};
use crate::account::Phase;
use crate::account::flow::Flow;
use crate::account::manage::Change;
use crate::account::phrase;
use crate::api::{AccountSession, Error, ErrorCode, FileSpace, HistoryPage, Request, Response, SafetyCode, VaultInfo};
use crate::backup;
use crate::brain::{Feed, unguarded};
use crate::files::{Files, NewFile};
use crate::limits;
use crate::node::Ask;
use crate::qr;
use crate::relay::{AskError, RelayClient};
use crate::search::Search;

/// What takes several steps between relay and store.
pub(super) enum FlowRequest {
    SignUp {
        username: String,
    },
    Confirm {
        code: String,
    },
    Cancel,
    LogIn {
        username: String,
        code: String,
    },
    Link {
        username: String,
        code: String,
        phrase: Option<Zeroizing<String>>,
    },
    WatchLink,
    CancelLink,
    LogOut,
    /// The session is over.
    Over,
    Lock,
    /// This device is no device of the account any more: nothing of it stays here.
    Erase,
    Change(Change),
}

impl Driver {
    pub(super) fn on_ask(&mut self, Ask { request, answer }: Ask) {
        self.check_session();
        if !matches!(request, Request::Status) {
            self.used_at = tokio::time::Instant::now();
        }
        match request {
            Request::Status => {
                self.stale = true;
                self.tell_status();
                respond(answer, Ok(Response::Status(self.status.clone())));
            }
            Request::CheckUsername { username } => self.check_username(username, answer),
            Request::SignUp { username } => self.flow(FlowRequest::SignUp { username }, answer),
            Request::ConfirmSignUp { code } => self.flow(FlowRequest::Confirm { code }, answer),
            Request::CancelSignUp => self.flow(FlowRequest::Cancel, answer),
            Request::LogIn { username, code } => self.flow(FlowRequest::LogIn { username, code }, answer),
            Request::Link { username, code, phrase } => {
                self.flow(FlowRequest::Link { username, code, phrase: phrase.map(Zeroizing::new) }, answer);
            }
            Request::CancelLink => self.flow(FlowRequest::CancelLink, answer),
            Request::LogOut | Request::Lock if self.parts.snapshot.removed => {
                respond(answer, Err(refusals::removed()));
            }
            Request::Erase if self.parts.snapshot.removed => self.flow(FlowRequest::Erase, answer),
            Request::Erase => {
                let message = "This device belongs to its account.";
                let hint = "Remove it on another device of the account first, or delete the account.";
                respond(answer, Err(Error::new(ErrorCode::WrongState, message, hint)));
            }
            Request::LogOut => self.flow(FlowRequest::LogOut, answer),
            Request::Lock => self.lock_now(answer),
            Request::UnlockByPhrase { .. } | Request::UnlockByPassphrase { .. } => {
                respond(answer, Err(Error::new(ErrorCode::WrongState, "This node isn't locked.", "Go on.")));
            }
            other if self.parts.phase.session().is_none() => {
                tracing::debug!("refused without a session: {}", name(&other));
                respond(answer, Err(refusals::locked(&self.parts.phase)));
            }
            Request::NewRecoveryCodes { code } => self.change(Change::RecoveryCodes { code }, answer),
            Request::AddAuthenticator { code } => self.change(Change::AddAuthenticator { code }, answer),
            Request::ConfirmAuthenticator { code } => self.change(Change::ConfirmAuthenticator { code }, answer),
            Request::RemoveAuthenticator { code } => self.change(Change::RemoveAuthenticator { code }, answer),
            Request::DeleteAccount { code } => self.change(Change::Delete { code }, answer),
            Request::Phrase => self.ask_store(answer, phrase::show),
            Request::ConfirmPhrase { words } => self.confirm_phrase(words, answer),
            Request::CheckPhrase { phrase: typed } => {
                self.ask_store(answer, async move |brain| phrase::check(brain, typed).await);
            }
            Request::Vault => respond(answer, Ok(Response::Vault(self.vault()))),
            Request::SetVault { lock_after, .. } if lock_after != 0 && !limits::LOCK_AFTER.contains(&lock_after) => {
                let (least, most) = (limits::LOCK_AFTER.start(), limits::LOCK_AFTER.end());
                respond(answer, Err(Error::bad_request(format!("A node locks after {least} to {most} seconds."))));
            }
            Request::SetVault { stay_unlocked, lock_after } => self.ask_store(answer, async move |brain| {
                brain.set_habits(Habits { stay_unlocked, lock_after }).await.map(|()| Response::Done)
            }),
            Request::SetPassphrase { passphrase } => self.ask_store(answer, async move |brain| {
                brain.set_passphrase(passphrase.map(Zeroizing::new)).await.map(|()| Response::Done)
            }),
            Request::Devices => self.ask_store(answer, async |brain| {
                let devices = brain.view(|engine, _| Ok(engine.devices())).await?;
                Ok(Response::Devices { devices })
            }),
            Request::RemoveDevice { device }
                if self.parts.snapshot.account.as_ref().is_some_and(|a| a.device == device) =>
            {
                let hint = "Remove it on another device of the account; to leave this one, log out.";
                let message = "A device doesn't remove itself.";
                respond(answer, Err(Error::new(ErrorCode::BadRequest, message, hint)));
            }
            Request::AddDevice { code } => self.add_device(code, answer),
            Request::Sessions => self.ask_relay(answer, async |relay, token, device| {
                let list = relay.sessions(&token).await?;
                let of = |s: SessionInfo| AccountSession {
                    id: s.id,
                    current: s.current,
                    this_device: s.device.is_some() && s.device == device,
                    created_at: s.created_at,
                    expires_at: s.expires_at,
                };
                Ok(Response::Sessions { sessions: list.sessions.into_iter().map(of).collect() })
            }),
            Request::EndSession { id } => self.ask_relay(answer, async move |relay, token, _| {
                relay.end_session(&token, &id).await.map(|()| Response::Done)
            }),
            Request::FileSpace => self.ask_relay(answer, async |relay, token, _| {
                let space = relay.blob_space(&token).await?;
                let largest = space.largest.min(livechat_wire::limits::FILE);
                let (used, quota, kept_seconds) = (space.used, space.quota, space.kept_seconds);
                Ok(Response::FileSpace(FileSpace { used, quota, largest, kept_seconds }))
            }),
            Request::SendFile { conversation, path, name, id, as_is } => {
                let name = name.unwrap_or_else(|| path.clone());
                let new = NewFile { conversation, id, name, media: None, as_is, voice: None };
                self.ask_files(answer, async move |files| files.send_path(new, &path).await.map(Response::Transfer));
            }
            Request::FetchFile { conversation, position } => self.ask_files(answer, async move |files| {
                files.fetch(conversation, position).await.map(Response::Transfer)
            }),
            Request::SaveFile { conversation, position, to } => self.ask_files(answer, async move |files| {
                let path = files.save(conversation, position, &to).await?;
                Ok(Response::Saved { path: path.to_string_lossy().into_owned() })
            }),
            Request::Transfers => {
                respond(answer, Ok(Response::Transfers { transfers: self.parts.files.list() }));
            }
            Request::CancelTransfer { conversation, message } => self.ask_files(answer, async move |files| {
                files.cancel(conversation, message).await.map(|()| Response::Done)
            }),
            Request::Group { conversation } => self.ask_store(answer, async move |brain| {
                let group = brain.view(move |engine, kv| engine.group(kv, conversation)).await?;
                group.map(Response::Group).ok_or_else(|| refusals::of_command(CommandError::NotMember))
            }),
            Request::Links { conversation } => self.ask_store(answer, async move |brain| {
                let now = crate::env::now_ms();
                let links = brain.view(move |engine, _| engine.links(now, conversation)).await?;
                let links = links.ok_or_else(|| refusals::of_command(livechat_engine::CommandError::NotMember))?;
                Ok(Response::Links { links: links.into_iter().map(group_link).collect() })
            }),
            Request::Lobby => self.enter_lobby(answer),
            Request::Joinings => self.ask_store(answer, async |brain| {
                let joinings = brain.view(|engine, _| Ok(engine.joinings())).await?;
                Ok(Response::Joinings { joinings })
            }),
            Request::MakeLink { uses: Some(0), .. } => {
                respond(answer, Err(Error::bad_request("A link lets in one person at least.")));
            }
            Request::Revisions { conversation, position } => self.ask_store(answer, async move |brain| {
                let revisions = brain.view(move |engine, kv| engine.revisions(kv, conversation, position)).await?;
                Ok(Response::Revisions { revisions })
            }),
            Request::Profile => self.ask_store(answer, async |brain| {
                let display_name = brain.view(|engine, kv| engine.display_name(kv)).await?;
                Ok(Response::Profile { display_name })
            }),
            Request::Contacts => self.ask_store(answer, async |brain| {
                let contacts = brain.view(|engine, kv| engine.contacts(kv)).await?;
                Ok(Response::Contacts { contacts })
            }),
            Request::Conversations => self.ask_store(answer, async |brain| {
                let conversations = brain.view(|engine, kv| engine.conversations(kv)).await?;
                Ok(Response::Conversations { conversations })
            }),
            Request::History { limit, .. } if !(1..=limits::HISTORY).contains(&limit) => {
                let message = format!("A page of history has 1 to {} messages, not {limit}.", limits::HISTORY);
                respond(answer, Err(Error::bad_request(message)));
            }
            Request::HistoryAt { older, newer, .. } if older > limits::HISTORY || newer > limits::HISTORY => {
                let message = format!("A page of history has at most {} messages either way.", limits::HISTORY);
                respond(answer, Err(Error::bad_request(message)));
            }
            Request::History { conversation, before, limit } => {
                self.history(answer, move |engine, kv| engine.history(kv, conversation, before, limit));
            }
            Request::HistoryAt { conversation, position, older, newer } => {
                let page =
                    move |engine: &Engine, kv: &dyn Kv| engine.history_at(kv, conversation, position, older, newer);
                self.history(answer, page);
            }
            Request::SafetyCode { account } => self.ask_store(answer, async move |brain| {
                let code = brain.view(move |engine, _| Ok(engine.claim(account).map(|claim| claim.to_text()))).await?;
                let drawn = code.and_then(|code| Some((qr::svg(&code)?, code)));
                let drawn = drawn.map(|(qr_svg, code)| Response::SafetyCode(SafetyCode { code, qr_svg }));
                drawn.ok_or_else(|| refusals::of_command(CommandError::UnknownConversation))
            }),
            Request::Backup { path, secret } => self.ask_store(answer, async move |brain| {
                let secret = secret.map(Zeroizing::new);
                backup::write(brain, path.into(), secret).await.map(Response::BackedUp)
            }),
            Request::Restore { path, secret } => self.ask_store(answer, async move |brain| {
                let file = backup::file(&path)?;
                backup::give_back(&brain, file, Zeroizing::new(secret)).await.map(Response::Restored)
            }),
            Request::Search { query, conversation, order, next, limit } => {
                match Search::new(&query, conversation, order, next.as_deref(), limit) {
                    Ok(search) => self.ask_store(answer, async move |brain| {
                        let found = brain.search(move |engine, store| search.run(engine, store)).await?;
                        Ok(Response::Found(found))
                    }),
                    Err(e) => respond(answer, Err(e)),
                }
            }
            other => match of_engine(other) {
                Some(command) => self.command(command, answer),
                None => respond(answer, Err(Error::bad_request("This node doesn't carry that request out."))),
            },
        }
    }

    pub(super) fn command(&mut self, command: Command, answer: Answer) {
        match self.commands.take(answer) {
            Ok(id) => self.parts.brain.feed(Feed::Command { id, command }),
            Err(answer) => respond(answer, Err(refusals::busy())),
        }
    }

    fn ask_store<F>(&mut self, answer: Answer, ask: impl FnOnce(crate::brain::Brain) -> F + Send + 'static)
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        if self.tasks.len() >= limits::TASKS {
            return respond(answer, Err(refusals::busy()));
        }
        let asking = ask(self.parts.brain.clone());
        self.tasks.spawn(async move {
            respond(answer, asking.await);
            Done::Nothing
        });
    }

    /// Locks if something would open it again.
    fn lock_now(&mut self, answer: Answer) {
        let has_account = matches!(self.parts.phase, Phase::LoggedOut | Phase::Active(_));
        if has_account && self.parts.snapshot.guard.is_none() {
            return respond(answer, Err(unguarded()));
        }
        self.flow(FlowRequest::Lock, answer);
    }

    fn vault(&self) -> VaultInfo {
        let guard = self.parts.snapshot.guard;
        let habits = guard.map(|g| g.habits).unwrap_or_default();
        VaultInfo {
            guarded: guard.is_some(),
            passphrase: guard.is_some_and(|g| g.passphrase),
            phrase: guard.is_some_and(|g| g.phrase),
            stay_unlocked: habits.stay_unlocked,
            lock_after: habits.lock_after,
        }
    }

    fn history(
        &mut self,
        answer: Answer,
        page: impl FnOnce(&Engine, &dyn Kv) -> Result<Option<HistoryPage>, ViewError> + Send + 'static,
    ) {
        self.ask_store(answer, async move |brain| {
            let page = brain.view(page).await?;
            page.map(Response::History).ok_or_else(|| refusals::of_command(CommandError::UnknownConversation))
        });
    }

    /// Has something done about files, which may take as long as they take.
    fn ask_files<F>(&mut self, answer: Answer, ask: impl FnOnce(Files) -> F + Send + 'static)
    where
        F: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        if self.tasks.len() >= limits::TASKS {
            return respond(answer, Err(refusals::busy()));
        }
        let asking = ask(self.parts.files.clone());
        self.tasks.spawn(async move {
            respond(answer, asking.await);
            Done::Nothing
        });
    }

    fn confirm_phrase(&mut self, words: Vec<String>, answer: Answer) {
        if self.tasks.len() >= limits::TASKS {
            return respond(answer, Err(refusals::busy()));
        }
        let brain = self.parts.brain.clone();
        self.tasks.spawn(async move { Done::PhraseChecked(Box::new(phrase::confirm(brain, words).await), answer) });
    }

    fn change(&mut self, change: Change, answer: Answer) {
        self.flow(FlowRequest::Change(change), answer);
    }

    /// Asks the relay something that needs no more than the session.
    fn ask_relay<F>(
        &mut self,
        answer: Answer,
        ask: impl FnOnce(RelayClient, SecretText, Option<DeviceId>) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<Response, AskError>> + Send + 'static,
    {
        let Some(token) = self.parts.phase.token().cloned() else {
            return respond(answer, Err(refusals::logged_out()));
        };
        if self.tasks.len() >= limits::TASKS {
            return respond(answer, Err(refusals::busy()));
        }
        let device = self.parts.snapshot.account.as_ref().map(|a| a.device);
        let asking = ask(self.parts.relay.clone(), token, device);
        self.tasks.spawn(async move {
            respond(answer, asking.await.map_err(Error::from));
            Done::Nothing
        });
    }

    fn check_username(&mut self, username: String, answer: Answer) {
        if self.tasks.len() >= limits::TASKS {
            return respond(answer, Err(refusals::busy()));
        }
        let relay = self.parts.relay.clone();
        self.tasks.spawn(async move {
            let checked = relay.availability(username.trim()).await;
            respond(answer, checked.map(refusals::username_check).map(Response::Username).map_err(Error::from));
            Done::Nothing
        });
    }

    pub(super) fn flow(&mut self, request: FlowRequest, answer: Answer) {
        if self.flows.len() >= limits::FLOWS {
            return respond(answer, Err(refusals::busy()));
        }
        self.flows.push_back((request, answer));
        self.next_flow();
    }

    /// Starts the next flow unless one is under way: each begins from the state the one before left.
    pub(super) fn next_flow(&mut self) {
        if self.flow_running {
            return;
        }
        let Some((request, answer)) = self.flows.pop_front() else { return };
        self.flow_running = true;
        let flow = Flow { relay: self.parts.relay.clone(), brain: self.parts.brain.clone() };
        let phase = self.parts.phase.clone();
        self.tasks.spawn(async move {
            let ended = match request {
                FlowRequest::SignUp { username } => flow.sign_up(phase, username).await,
                FlowRequest::Confirm { code } => flow.confirm(phase, code).await,
                FlowRequest::Cancel => flow.cancel(phase).await,
                FlowRequest::LogIn { username, code } => flow.log_in(phase, username, code).await,
                FlowRequest::Link { username, code, phrase } => flow.link(phase, username, code, phrase).await,
                FlowRequest::WatchLink => flow.watch_link(phase).await,
                FlowRequest::CancelLink => flow.cancel_link(phase).await,
                FlowRequest::LogOut => flow.log_out(phase).await,
                FlowRequest::Over => flow.over(phase).await,
                FlowRequest::Lock => flow.lock(phase).await,
                FlowRequest::Erase => flow.erase(phase).await,
                FlowRequest::Change(change) => flow.change(phase, change).await,
            };
            Done::Flow(Box::new(ended), answer)
        });
    }

    /// Takes over what a flow made of the account.
    pub(super) fn on_phase(&mut self, phase: Phase) {
        let had = self.parts.phase.token().is_some();
        self.parts.phase = phase;
        self.parts.files.session(self.parts.phase.token().cloned());
        self.stale = true;
        match (had, self.parts.phase.token().is_some()) {
            (_, true) => {
                self.stock_at = Some(tokio::time::Instant::now());
                self.lobby_at = self.lobby_at.or(Some(tokio::time::Instant::now() + limits::HTTP_TOTAL));
                self.devices_at = Some(tokio::time::Instant::now());
                self.link.http.hurry();
            }
            (true, false) => {
                self.live_users = None;
                self.lobby_at = None;
            }
            (false, false) => self.devices_at = Some(tokio::time::Instant::now() + limits::LINKING_LOOK),
        }
    }
}

pub(crate) fn respond(answer: Answer, result: Result<Response, Error>) {
    if answer.send(result).is_err() {
        tracing::debug!("a caller left before its answer");
    }
}

/// What the engine carries out.
fn of_engine(request: Request) -> Option<Command> {
    Some(match request {
        Request::AddContact { username } => Command::AddContact { username },
        Request::Send { conversation, text, id, reply_to } => Command::Send { conversation, text, id, reply_to },
        Request::MarkRead { conversation, position } => Command::MarkRead { conversation, position },
        Request::Forward { from, position, to, id } => Command::Forward { from, position, to, id },
        Request::Edit { conversation, position, text } => Command::Edit { conversation, position, text },
        Request::Delete { conversation, position, for_everyone } => {
            Command::Delete { conversation, position, for_everyone }
        }
        Request::React { conversation, position, emoji, on } => Command::React { conversation, position, emoji, on },
        Request::SetTimer { conversation, seconds } => Command::SetTimer { conversation, seconds },
        Request::Typing { conversation, typing } => Command::Typing { conversation, typing },
        Request::SetDraft { conversation, text } => Command::SetDraft { conversation, text },
        Request::Accept { conversation } => Command::Accept { conversation },
        Request::Block { conversation, blocked } => Command::Block { conversation, blocked },
        Request::CheckCode { code } => Command::CheckCode { text: code },
        Request::Verify { account, verified } => Command::Verify { account, verified },
        Request::Pin { conversation, pinned } => Command::Pin { conversation, pinned },
        Request::Mute { conversation, until } => Command::Mute { conversation, until },
        Request::Archive { conversation, archived } => Command::Archive { conversation, archived },
        Request::SetProfile { display_name } => Command::SetProfile { name: display_name },
        Request::CreateGroup { title, members } => Command::CreateGroup { title, members },
        Request::Invite { conversation, username } => Command::Invite { conversation, username },
        Request::RemoveMember { conversation, account } => Command::Remove { conversation, account },
        Request::SetRole { conversation, account, role } => Command::SetRole { conversation, account, role },
        Request::SetTitle { conversation, title } => Command::SetTitle { conversation, title },
        Request::LeaveGroup { conversation } => Command::Leave { conversation },
        Request::MakeLink { conversation, expires_in, uses } => Command::MakeLink { conversation, expires_in, uses },
        Request::RevokeLink { conversation, door } => Command::RevokeLink { conversation, door },
        Request::JoinLink { link } => Command::JoinLink { link: Secret(link) },
        Request::RemoveDevice { device } => Command::RevokeDevice { device },
        Request::CancelJoin { door } => Command::CancelJoin { door },
        _ => return None,
    })
}

/// For logs: which request, without what is in it.
fn name(request: &Request) -> &'static str {
    match request {
        Request::AddContact { .. } => "add_contact",
        Request::Contacts => "contacts",
        Request::Conversations => "conversations",
        Request::History { .. } | Request::HistoryAt { .. } => "history",
        Request::Search { .. } => "search",
        Request::Backup { .. } => "backup",
        Request::Restore { .. } => "restore",
        Request::Send { .. } => "send",
        Request::MarkRead { .. } => "mark_read",
        Request::CreateGroup { .. } => "create_group",
        Request::Group { .. } => "group",
        Request::Invite { .. } => "invite",
        Request::RemoveMember { .. } => "remove_member",
        Request::SetRole { .. } => "set_role",
        Request::SetTitle { .. } => "set_title",
        Request::LeaveGroup { .. } => "leave_group",
        Request::MakeLink { .. } => "make_link",
        Request::JoinLink { .. } => "join_link",
        _ => "another request",
    }
}
