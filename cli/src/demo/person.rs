//! Somebody of the demo: a node, its web UI and socket, and what their phone would hold.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use livechat_node::api::socket::{self, Server};
use livechat_node::api::{
    AccountState, Contact, ConversationId, Delivery, Error, JoinState, Message, MessageBody, Request, Response, Status,
};
use livechat_node::{Config, Node};
use livechat_web::Ui;
use tokio::time::timeout;
use totp_rs::Totp;
use url::Url;

use crate::door::socket_path;
use crate::exit::{Exit, Failure};

/// How long anything that crosses the relay may take here.
const SOON: Duration = Duration::from_secs(20);
/// What the phone would hold; only a demo keeps it on disk.
const PHONE: &str = "authenticator.otpauth";

/// A person.
pub struct Person {
    name: String,
    dir: PathBuf,
    relay: Url,
    /// `otpauth://…`
    phone: String,
    running: Option<Running>,
}

struct Running {
    node: Node,
    socket: Server,
    ui: Ui,
}

impl Person {
    /// Starts their node, and signs them up unless they are.
    pub async fn open(name: &str, dir: &Path, relay: &Url) -> Result<Self, Failure> {
        let mut person = Self {
            name: name.to_owned(),
            dir: dir.join(name),
            relay: relay.clone(),
            phone: String::new(),
            running: None,
        };
        person.start().await?;
        Ok(person)
    }

    /// Starts the node on what is on disk.
    pub async fn start(&mut self) -> Result<(), Failure> {
        let node = Node::start(Config::new(&self.dir, self.relay.clone())).await.map_err(|e| fault(&self.name, &e))?;
        let socket = socket::serve(node.clone(), socket_path(&self.dir)).await.map_err(|e| fault(&self.name, &e))?;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let hosts = vec![format!("{}.localhost", self.name)];
        let ui = livechat_web::serve(node.clone(), livechat_web::Config { listen, hosts })
            .await
            .map_err(|e| fault(&self.name, &e))?;
        self.running = Some(Running { node, socket, ui });
        Ok(())
    }

    /// Stops the node; its messages stay at the relay until it is back.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.ui.stop().await;
            running.socket.stop().await;
            running.node.stop().await;
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// One-time address of the web UI.
    pub fn link(&self) -> String {
        self.running.as_ref().map(|r| r.ui.link()).unwrap_or_default()
    }

    /// The setup key, from the URI that the phone scanned.
    pub fn setup_key(&self) -> &str {
        let after = self.phone.split_once("secret=").map_or("", |(_, rest)| rest);
        after.split('&').next().unwrap_or_default()
    }

    /// Signs up or logs in, with codes computed from the otpauth URI as an app would. Says whether it is all new.
    pub async fn enter(&mut self) -> Result<bool, Failure> {
        let phone = self.dir.join(PHONE);
        match self.status().await?.account {
            AccountState::Active { .. } => {
                self.phone = fs::read_to_string(&phone).unwrap_or_default();
                Ok(false)
            }
            AccountState::LoggedOut { username } | AccountState::Locked { username, .. } => {
                self.phone =
                    fs::read_to_string(&phone).map_err(|e| Failure::io(&format!("read {}", phone.display()), &e))?;
                self.ask(Request::LogIn { username, code: self.code()? }).await?;
                Ok(false)
            }
            AccountState::None | AccountState::Pending { .. } | AccountState::Linking { .. } => {
                self.sign_up(&phone).await?;
                Ok(true)
            }
        }
    }

    async fn sign_up(&mut self, phone: &Path) -> Result<(), Failure> {
        match self.status().await?.account {
            AccountState::Pending { .. } => drop(self.ask(Request::CancelSignUp).await?),
            AccountState::Linking { .. } => drop(self.ask(Request::CancelLink).await?),
            _ => {}
        }
        let request = Request::SignUp { username: self.name.clone() };
        let Response::SignUp(ticket) = self.ask(request).await? else { return Err(Failure::odd_answer()) };
        self.phone = ticket.otpauth_uri;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(phone)
            .map_err(|e| Failure::io(&format!("write {}", phone.display()), &e))?;
        file.write_all(self.phone.as_bytes()).map_err(|e| Failure::io("write the demo's setup key", &e))?;
        self.ask(Request::ConfirmSignUp { code: self.code()? }).await.map(|_| ())
    }

    /// What the app shows now.
    pub fn code(&self) -> Result<String, Failure> {
        let totp = Totp::from_url(&self.phone)
            .map_err(|_| Failure::new(Exit::Failure, "The relay's otpauth URI isn't one.", ""))?;
        Ok(totp.generate_current().to_string())
    }

    pub async fn ask(&self, request: Request) -> Result<Response, Failure> {
        match &self.running {
            Some(running) => running.node.request(request).await.map_err(|e| self.said(e)),
            None => Err(Failure::new(Exit::NoNode, format!("{}'s node is stopped.", self.name), "")),
        }
    }

    fn said(&self, mut error: Error) -> Failure {
        error.message = format!("{}: {}", self.name, error.message);
        error.into()
    }

    pub async fn status(&self) -> Result<Status, Failure> {
        match self.ask(Request::Status).await? {
            Response::Status(status) => Ok(status),
            _ => Err(Failure::odd_answer()),
        }
    }

    /// Looks somebody up.
    pub async fn add(&self, username: &str) -> Result<Contact, Failure> {
        match self.ask(Request::AddContact { username: username.to_owned() }).await? {
            Response::Contact(contact) => Ok(contact),
            _ => Err(Failure::odd_answer()),
        }
    }

    pub async fn contact(&self, username: &str) -> Result<Option<Contact>, Failure> {
        match self.ask(Request::Contacts).await? {
            Response::Contacts { contacts } => Ok(contacts.into_iter().find(|c| c.username == username)),
            _ => Err(Failure::odd_answer()),
        }
    }

    pub async fn send(&self, to: &Contact, text: &str) -> Result<Message, Failure> {
        let request = Request::Send { conversation: to.conversation, text: text.to_owned(), id: None, reply_to: None };
        match self.ask(request).await? {
            Response::Sent(message) => Ok(message),
            _ => Err(Failure::odd_answer()),
        }
    }

    /// The whole conversation (of a demo: it fits a page).
    pub async fn history(&self, with: &Contact) -> Result<Vec<Message>, Failure> {
        let request = Request::History { conversation: with.conversation, before: None, limit: crate::limits::PAGE };
        match self.ask(request).await? {
            Response::History(page) => Ok(page.messages),
            _ => Err(Failure::odd_answer()),
        }
    }

    /// Agrees to talk to somebody who wrote first.
    pub async fn accept(&self, whom: &Contact) -> Result<(), Failure> {
        self.ask(Request::Accept { conversation: whom.conversation }).await.map(|_| ())
    }

    /// Reads all there is.
    pub async fn read(&self, with: &Contact) -> Result<(), Failure> {
        let Some(last) = self.history(with).await?.pop() else { return Ok(()) };
        self.ask(Request::MarkRead { conversation: with.conversation, position: last.position }).await.map(|_| ())
    }

    /// Waits until `text` is in the conversation.
    pub async fn sees(&self, with: &Contact, text: &str) -> Result<(), Failure> {
        let seen = |m: &Message| matches!(&m.body, MessageBody::Text { text: t } if t == text);
        self.until(with, |messages| messages.iter().any(seen), || format!("{} never got “{text}”", self.name)).await
    }

    /// Goes into the lobby, once somebody opens.
    pub async fn enters_lobby(&self) -> Result<ConversationId, Failure> {
        let inside = async {
            loop {
                let Response::Joining(joining) = self.ask(Request::Lobby).await? else {
                    return Err(Failure::odd_answer());
                };
                if let JoinState::Joined { conversation } = joining.state {
                    return Ok(conversation);
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let never = || Failure::new(Exit::Unreachable, format!("Nobody let {} into the lobby.", self.name), "");
        timeout(SOON, inside).await.unwrap_or_else(|_| Err(never()))
    }

    /// Says something in a group.
    pub async fn says_in(&self, conversation: ConversationId, text: &str) -> Result<(), Failure> {
        let request = Request::Send { conversation, text: text.to_owned(), id: None, reply_to: None };
        self.ask(request).await.map(|_| ())
    }

    /// Waits until `text` is in a group.
    pub async fn hears_in(&self, conversation: ConversationId, text: &str) -> Result<(), Failure> {
        let says = |m: &Message| matches!(&m.body, MessageBody::Text { text: t } if t == text);
        let heard = async {
            loop {
                let request = Request::History { conversation, before: None, limit: crate::limits::PAGE };
                let Response::History(page) = self.ask(request).await? else { return Err(Failure::odd_answer()) };
                if page.messages.iter().any(says) {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let never = || Failure::new(Exit::Failure, format!("{} never heard “{text}” in the lobby.", self.name), "");
        timeout(SOON, heard).await.unwrap_or_else(|_| Err(never()))
    }

    /// Waits until own message `sent` got as far as `delivery`.
    pub async fn proven(&self, with: &Contact, sent: &Message, delivery: Delivery) -> Result<(), Failure> {
        let far = |m: &Message| m.id == sent.id && m.delivery >= Some(delivery);
        let complain = || format!("{}'s message never got to the state {delivery:?}", self.name);
        self.until(with, |messages| messages.iter().any(far), complain).await
    }

    /// Waits until the contact appears, after being written to.
    pub async fn meets(&self, username: &str) -> Result<Contact, Failure> {
        let met = async {
            loop {
                if let Some(contact) = self.contact(username).await? {
                    return Ok(contact);
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let never = || Failure::new(Exit::Unreachable, format!("{} never heard of {username}.", self.name), "");
        timeout(SOON, met).await.unwrap_or_else(|_| Err(never()))
    }

    async fn until(
        &self,
        with: &Contact,
        there: impl Fn(&[Message]) -> bool,
        complain: impl Fn() -> String,
    ) -> Result<(), Failure> {
        let mut events = match &self.running {
            Some(running) => running.node.events(),
            None => return Err(Failure::new(Exit::NoNode, format!("{}'s node is stopped.", self.name), "")),
        };
        let wait = async {
            while !there(&self.history(with).await?) {
                // The event is a hint, the pause a safety net.
                timeout(Duration::from_millis(500), events.next()).await.unwrap_or_default();
            }
            Ok(())
        };
        let late = || {
            Failure::new(
                Exit::Failure,
                format!("{} within {} s.", complain(), SOON.as_secs()),
                "Run it again with --verbose.",
            )
        };
        timeout(SOON, wait).await.unwrap_or_else(|_| Err(late()))
    }
}

fn fault(name: &str, error: &dyn std::error::Error) -> Failure {
    Failure::new(Exit::NoNode, format!("{name}'s node doesn't start: {error}."), "")
}
