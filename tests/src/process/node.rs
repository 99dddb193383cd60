//! `livechat-node` as a user runs it, and a client on its socket.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use livechat_node::api::socket::Client;
use livechat_node::api::{AccountState, Request, Response, Status};
use livechat_node::api::{Contact, Delivery, Message, MessageBody};
use livechat_relay::testing::free_port;
use livechat_wire::ConversationId;

use super::{Running, binaries, code};

/// How long anything may take to get from one end to the other here.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node on a fixed loopback port and a folder of its own.
#[derive(Debug)]
pub struct NodeProcess {
    running: Option<Running>,
    folder: PathBuf,
    relay: String,
    http: u16,
    wrapper: Vec<String>,
    environment: Vec<(String, String)>,
}

impl NodeProcess {
    /// Starts it in `folder`, with `relay` as its relay's address.
    pub fn start(folder: &Path, relay: &str) -> Self {
        std::fs::create_dir_all(folder).expect("a folder for the node");
        let mut this = Self {
            running: None,
            folder: folder.to_owned(),
            relay: relay.to_owned(),
            http: free_port(),
            wrapper: Vec::new(),
            environment: Vec::new(),
        };
        this.restart();
        this
    }

    /// Starts it again (killing it first if need be), on the same port and folder.
    pub fn restart(&mut self) {
        self.kill_9();
        self.running = Some(Running::start(self.command(), &self.folder.join("log")));
    }

    /// The same for one that may end on its way; whether it got ready.
    pub fn try_restart(&mut self) -> bool {
        self.kill_9();
        self.running = Running::try_start(self.command());
        self.running.is_some()
    }

    /// Runs the program under another one from the next start on; none to run it plainly.
    pub fn wrap(&mut self, wrapper: &[String]) {
        self.wrapper = wrapper.to_vec();
    }

    /// Sets a variable of its environment from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// SIGKILL.
    pub fn kill_9(&mut self) {
        if let Some(mut r) = self.running.take() {
            r.kill_9();
        }
    }

    /// SIGTERM; its exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        self.running.take().and_then(|mut r| r.terminate())
    }

    /// The process.
    pub fn process(&mut self) -> &mut Running {
        self.running.as_mut().expect("the node runs")
    }

    /// The one-time address of its web UI.
    #[must_use]
    pub fn link(&self) -> String {
        self.running.as_ref().expect("the node runs").field("link")
    }

    /// Its data directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A client on its socket.
    pub async fn client(&self) -> Client {
        let path = self.folder.join("node.sock");
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Client::connect(&path).await {
                Ok(c) => return c,
                Err(e) if Instant::now() > deadline => panic!("{}: {e}", path.display()),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn command(&self) -> Command {
        let mut words = self.wrapper.clone();
        words.push(binaries().node.display().to_string());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg("--ready-json");
        command.arg("--listen").arg(format!("127.0.0.1:{}", self.http));
        command.arg("--relay").arg(&self.relay).arg("--data-dir").arg(&self.folder);
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).expect("a log");
        command.stderr(Stdio::from(log)).envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }
}

/// What people do, as words on a client.
#[allow(async_fn_in_trait, reason = "used by our own tests only")]
pub trait Person {
    /// Signs up with a code from an outside authenticator; the setup key.
    async fn signs_up(&self, name: &str) -> String;
    /// How things stand.
    async fn status(&self) -> Status;
    /// Adds somebody.
    async fn adds(&self, name: &str) -> Contact;
    /// Says something, which is then on this device's disk.
    async fn says(&self, to: ConversationId, text: &str) -> Message;
    /// The whole history of a conversation, oldest first.
    async fn history(&self, conversation: ConversationId) -> Vec<Message>;
    /// Texts of a conversation, oldest first, once there are at least `n` from others.
    async fn reads(&self, conversation: ConversationId, n: usize) -> Vec<String>;
    /// Waits until an own message got at least this far.
    async fn sees(&self, conversation: ConversationId, message: &Message, delivery: Delivery);
    /// Waits until a condition on the status holds.
    async fn waits_for(&self, what: &str, holds: impl Fn(&Status) -> bool) -> Status;
}

impl Person for Client {
    async fn signs_up(&self, name: &str) -> String {
        self.waits_for("the relay", |s| matches!(s.relay, livechat_node::api::RelayState::Online)).await;
        let Ok(Response::SignUp(ticket)) = self.request(Request::SignUp { username: name.into() }).await else {
            panic!("{name} can't sign up")
        };
        let answer = self.request(Request::ConfirmSignUp { code: code(&ticket.setup_key, 0) }).await;
        assert!(matches!(answer, Ok(Response::SignedUp(_))), "{answer:?}");
        ticket.setup_key
    }

    async fn status(&self) -> Status {
        match self.request(Request::Status).await {
            Ok(Response::Status(s)) => s,
            other => panic!("{other:?}"),
        }
    }

    async fn adds(&self, name: &str) -> Contact {
        match self.request(Request::AddContact { username: name.into() }).await {
            Ok(Response::Contact(c)) => c,
            other => panic!("{other:?}"),
        }
    }

    async fn says(&self, to: ConversationId, text: &str) -> Message {
        match self.request(Request::Send { conversation: to, text: text.into(), id: None, reply_to: None }).await {
            Ok(Response::Sent(m)) => m,
            other => panic!("{other:?}"),
        }
    }

    async fn history(&self, conversation: ConversationId) -> Vec<Message> {
        let (mut all, mut before) = (Vec::new(), None);
        loop {
            let page = match self.request(Request::History { conversation, before, limit: 200 }).await {
                Ok(Response::History(p)) => p,
                // Not there yet: nobody has written to us.
                Err(e) if e.code == livechat_node::api::ErrorCode::NotFound => return all,
                other => panic!("{other:?}"),
            };
            before = page.messages.first().map(|m| m.position);
            all.splice(0..0, page.messages);
            if !page.more {
                return all;
            }
        }
    }

    async fn reads(&self, conversation: ConversationId, n: usize) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let all = self.history(conversation).await;
            let texts: Vec<_> = all.iter().filter(|m| !m.own).map(text).collect();
            if texts.len() >= n {
                return texts;
            }
            assert!(Instant::now() < deadline, "only {texts:?} after {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn sees(&self, conversation: ConversationId, message: &Message, delivery: Delivery) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.history(conversation).await.into_iter().find(|m| m.id == message.id);
            let got = now.as_ref().and_then(|m| m.delivery);
            if got >= Some(delivery) {
                return;
            }
            assert!(Instant::now() < deadline, "{:?} is only {got:?}", message.body);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn waits_for(&self, what: &str, holds: impl Fn(&Status) -> bool) -> Status {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.status().await;
            if holds(&status) {
                return status;
            }
            assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}: {status:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Whether this account is signed up and in.
#[must_use]
pub fn is_active(status: &Status) -> bool {
    matches!(status.account, AccountState::Active { .. })
}

/// What a message says.
#[must_use]
pub fn text(message: &Message) -> String {
    match &message.body {
        MessageBody::Text { text } => text.clone(),
        other => format!("{other:?}"),
    }
}
