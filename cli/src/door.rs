//! The way to the node: over its socket when one runs in the data directory, else one started here for the duration.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use livechat_node::api::socket::{self, Client, ConnectError, Server};
use livechat_node::api::{
    Contact, Conversation, ConversationId, Events, Group, HistoryPage, Membership, Message, RelayState, Request,
    Response, Status,
};
use livechat_node::{Config, Node};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::exit::{Exit, Failure};
use crate::settings::{Settings, relay_url};

/// How long a node started here may take to reach its relay before it counts as away.
const RELAY_PATIENCE: Duration = Duration::from_secs(10);
/// A node started here has caught up when so long nothing came in after it was online.
const CAUGHT_UP: Duration = Duration::from_millis(1_500);
/// Tries to connect to a node that holds the lock but doesn't listen yet.
const RETRIES: u32 = 20;
/// Between two of them.
const RETRY: Duration = Duration::from_millis(100);

/// A conversation, and what the other side is called.
#[derive(Debug, Clone)]
pub struct Target {
    /// Which.
    pub conversation: ConversationId,
    /// A contact's username or a group's title.
    pub name: String,
}

/// A connection to a node.
#[derive(Debug)]
pub struct Door {
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Started by this process; also serves the socket, so that other terminals find it.
    Here { node: Node, socket: Option<Server> },
    /// Runs elsewhere.
    There(Client),
}

/// What is remembered beside the node's store.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    relay: Option<String>,
}

impl Door {
    /// Finds the node or starts one.
    ///
    /// # Errors
    /// None runs and none can be started; the failure says what is missing.
    pub async fn open(settings: &Settings) -> Result<Self, Failure> {
        let path = socket_path(&settings.data_dir);
        match Client::connect(&path).await {
            Ok(client) => return Ok(Self { way: Way::There(client) }),
            Err(ConnectError::NotRunning(_)) => {}
            Err(e) => return Err(Failure::new(Exit::NoNode, sentence(&e), "Look at it with `livechat doctor`.")),
        }
        let relay = relay_of(settings)?;
        let mut tries = 0;
        let node = loop {
            match Node::start(Config::new(&settings.data_dir, relay.clone())).await {
                Ok(node) => break node,
                // Somebody started a node between the two looks: use that one.
                Err(e) => match Client::connect(&path).await {
                    Ok(client) => return Ok(Self { way: Way::There(client) }),
                    Err(_) if tries < RETRIES && locked(&e) => {
                        tries += 1;
                        tokio::time::sleep(RETRY).await;
                    }
                    Err(_) => return Err(Failure::new(Exit::NoNode, sentence(&e), "`livechat doctor` looks closer.")),
                },
            }
        };
        remember(&settings.data_dir, &relay)?;
        Ok(Self::here(node, &path).await)
    }

    /// A door to a node of this process.
    pub async fn here(node: Node, path: &Path) -> Self {
        let socket = socket::serve(node.clone(), path)
            .await
            .inspect_err(|e| tracing::warn!("other programs can't reach this node: {e}"))
            .ok();
        Self { way: Way::Here { node, socket } }
    }

    /// Whether the node ends with this process.
    #[must_use]
    pub fn is_here(&self) -> bool {
        matches!(self.way, Way::Here { .. })
    }

    /// Asks the node.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn ask(&self, request: Request) -> Result<Response, Failure> {
        match &self.way {
            Way::Here { node, .. } => node.request(request).await,
            Way::There(client) => client.request(request).await,
        }
        .map_err(Failure::from)
    }

    /// What happens from now on.
    #[must_use]
    pub fn events(&self) -> Events {
        match &self.way {
            Way::Here { node, .. } => node.events(),
            Way::There(client) => client.events(),
        }
    }

    /// How things stand.
    ///
    /// # Errors
    /// The node is gone.
    pub async fn status(&self) -> Result<Status, Failure> {
        match self.ask(Request::Status).await? {
            Response::Status(status) => Ok(status),
            _ => Err(Failure::odd_answer()),
        }
    }

    /// Everyone we can write to.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn contacts(&self) -> Result<Vec<Contact>, Failure> {
        match self.ask(Request::Contacts).await? {
            Response::Contacts { contacts } => Ok(contacts),
            _ => Err(Failure::odd_answer()),
        }
    }

    /// The contact of that name.
    ///
    /// # Errors
    /// Nobody of that name is a contact ([`Exit::UnknownContact`]).
    pub async fn contact(&self, name: &str) -> Result<Contact, Failure> {
        let name = name.trim_start_matches('@').to_lowercase();
        self.contacts().await?.into_iter().find(|c| c.username.to_lowercase() == name).ok_or_else(|| {
            Failure::new(
                Exit::UnknownContact,
                format!("{name} is not one of your contacts."),
                format!("Add them first: `add {name}`, or /add {name}."),
            )
        })
    }

    /// All groups on this device, those we are no longer in as well.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn groups(&self) -> Result<Vec<Group>, Failure> {
        self.groups_where(|_| true).await
    }

    async fn groups_where(&self, wanted: impl Fn(&Conversation) -> bool) -> Result<Vec<Group>, Failure> {
        let mut groups = Vec::new();
        for conversation in self.conversations().await?.into_iter().filter(|c| c.group && wanted(c)) {
            groups.push(self.group(conversation.id).await?);
        }
        Ok(groups)
    }

    /// Who is in a group, and what it is called.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn group(&self, conversation: ConversationId) -> Result<Group, Failure> {
        match self.ask(Request::Group { conversation }).await? {
            Response::Group(group) => Ok(group),
            _ => Err(Failure::odd_answer()),
        }
    }

    /// The group of that title, or of that conversation id.
    ///
    /// # Errors
    /// None is called so, or several are ([`Exit::UnknownContact`]).
    pub async fn group_named(&self, title: &str) -> Result<Group, Failure> {
        self.only_group_named(title).await?.ok_or_else(|| {
            Failure::new(
                Exit::UnknownContact,
                format!("No group is called {title}."),
                "`group list`, or /group, names those you are in.",
            )
        })
    }

    async fn only_group_named(&self, title: &str) -> Result<Option<Group>, Failure> {
        let wanted = title.trim().to_lowercase();
        let of = |c: &Conversation| c.title.to_lowercase() == wanted || c.id.to_string() == wanted;
        let mut found = self.groups_where(of).await?;
        // Those we are in win over those we have left.
        if found.len() > 1 && found.iter().any(|g| g.standing == Membership::Joined) {
            found.retain(|g| g.standing == Membership::Joined);
        }
        match found.len() {
            0 | 1 => Ok(found.pop()),
            n => Err(Failure::new(
                Exit::UnknownContact,
                format!("{n} groups are called {title}."),
                "Name the one you mean by its id, as `group list --json` prints it (conversation).",
            )),
        }
    }

    /// The conversation that a name means: a contact's, else a group's.
    ///
    /// # Errors
    /// Neither is called so ([`Exit::UnknownContact`]).
    pub async fn target(&self, name: &str) -> Result<Target, Failure> {
        match self.contact(name).await {
            Ok(c) => Ok(Target { conversation: c.conversation, name: c.username }),
            Err(e) if e.code == Exit::UnknownContact => {
                let group = self.only_group_named(name).await?.ok_or(e)?;
                Ok(Target { conversation: group.conversation, name: group.title })
            }
            Err(e) => Err(e),
        }
    }

    /// All conversations, latest first.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn conversations(&self) -> Result<Vec<Conversation>, Failure> {
        match self.ask(Request::Conversations).await? {
            Response::Conversations { conversations } => Ok(conversations),
            _ => Err(Failure::odd_answer()),
        }
    }

    /// A page of history.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn page(
        &self,
        conversation: ConversationId,
        before: Option<u64>,
        limit: u32,
    ) -> Result<HistoryPage, Failure> {
        match self.ask(Request::History { conversation, before, limit }).await? {
            Response::History(page) => Ok(page),
            _ => Err(Failure::odd_answer()),
        }
    }

    /// The newest `count` messages that `wanted` picks, oldest first, from as many pages as that takes.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn newest(
        &self,
        conversation: ConversationId,
        count: usize,
        wanted: impl Fn(&Message) -> bool,
    ) -> Result<Vec<Message>, Failure> {
        let mut found = Vec::new();
        let mut before = None;
        while found.len() < count {
            let page = self.page(conversation, before, crate::limits::PAGE).await?;
            before = page.messages.first().map(|m| m.position);
            let room = count - found.len();
            found.extend(page.messages.into_iter().rev().filter(&wanted).take(room));
            if !page.more || before.is_none() {
                break;
            }
        }
        found.reverse();
        Ok(found)
    }

    /// Moves the read mark.
    ///
    /// # Errors
    /// What the node refuses.
    pub async fn mark_read(&self, conversation: ConversationId, position: u64) -> Result<(), Failure> {
        self.ask(Request::MarkRead { conversation, position }).await.map(|_| ())
    }

    /// Waits until a node started here has heard from its relay and fetched what waited there. A node that ran before
    /// has done so already.
    ///
    /// # Errors
    /// The relay is away ([`Exit::Unreachable`]); what is on this device can be read nevertheless.
    pub async fn caught_up(&self) -> Result<(), Failure> {
        if !self.is_here() {
            return Ok(());
        }
        let mut events = self.events();
        let deadline = tokio::time::Instant::now() + RELAY_PATIENCE;
        loop {
            match self.status().await?.relay {
                RelayState::Online => break,
                RelayState::Offline { reason, .. } if tokio::time::Instant::now() >= deadline => {
                    return Err(Failure::new(
                        Exit::Unreachable,
                        format!("The relay can't be reached: {reason}."),
                        "Messages that wait there can't be fetched now.",
                    ));
                }
                _ if tokio::time::Instant::now() >= deadline => {
                    return Err(Failure::new(Exit::Unreachable, "The relay doesn't answer.", "Try again later."));
                }
                _ => {}
            }
            // Whatever happens next, or a moment: the loop asks for the state again.
            tokio::time::timeout(Duration::from_millis(200), events.next()).await.unwrap_or_default();
        }
        while tokio::time::Instant::now() < deadline
            && matches!(tokio::time::timeout(CAUGHT_UP, events.next()).await, Ok(Some(_)))
        {}
        Ok(())
    }

    /// Waits until a node that stopped runs again; the door leads there then. For ever, if nobody starts one.
    ///
    /// # Errors
    /// What listens there isn't ours to talk to.
    pub async fn again(data_dir: &Path) -> Result<Self, Failure> {
        loop {
            match Client::connect(&socket_path(data_dir)).await {
                Ok(client) => return Ok(Self { way: Way::There(client) }),
                Err(ConnectError::NotRunning(_)) => tokio::time::sleep(crate::limits::NODE_BACK).await,
                Err(e) => return Err(Failure::new(Exit::NoNode, sentence(&e), "Look at it with `livechat doctor`.")),
            }
        }
    }

    /// Lets go of the node; one started here stops, with everything on disk.
    pub async fn close(self) {
        if let Way::Here { node, socket } = self.way {
            if let Some(socket) = socket {
                socket.stop().await;
            }
            node.stop().await;
        }
    }
}

/// Where a node in `data_dir` listens.
#[must_use]
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("node.sock")
}

/// The relay named now, or the one remembered.
///
/// # Errors
/// Neither, or the file that remembers can't be read.
pub fn relay_of(settings: &Settings) -> Result<Url, Failure> {
    if let Some(relay) = &settings.relay {
        return Ok(relay.clone());
    }
    remembered(&settings.data_dir)?.ok_or_else(|| {
        Failure::new(
            Exit::NoNode,
            format!("No node runs in {} and no relay is known to start one with.", settings.data_dir.display()),
            "Name the relay once with --relay URL (or LIVECHAT_RELAY), or see it all at work with `livechat demo`.",
        )
    })
}

/// The relay that a node in `data_dir` was last started with.
///
/// # Errors
/// The file is there and can't be understood.
pub fn remembered(data_dir: &Path) -> Result<Option<Url>, Failure> {
    let path = config_path(data_dir);
    let broken = |cause: String| {
        Failure::new(
            Exit::NoNode,
            format!("{} can't be read: {cause}.", path.display()),
            "Name the relay with --relay URL; the file is written anew.",
        )
    };
    match fs::read_to_string(&path) {
        Ok(text) => {
            let file: Remembered = toml::from_str(&text).map_err(|e| broken(e.message().to_owned()))?;
            file.relay.as_deref().map(relay_url).transpose()
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(broken(e.to_string())),
    }
}

fn remember(data_dir: &Path, relay: &Url) -> Result<(), Failure> {
    if remembered(data_dir).is_ok_and(|r| r.as_ref() == Some(relay)) {
        return Ok(());
    }
    let path = config_path(data_dir);
    let failed = |e: &std::io::Error| Failure::io(&format!("write {}", path.display()), e);
    let text = toml::to_string(&Remembered { relay: Some(relay.to_string()) }).map_err(|_| Failure::odd_answer())?;
    // A name of its own and a rename: a crash leaves the old file or the new one.
    let fresh = path.with_extension("toml.new");
    fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, &path)).map_err(|e| failed(&e))
}

fn config_path(data_dir: &Path) -> PathBuf {
    data_dir.join("config.toml")
}

fn locked(error: &livechat_node::StartError) -> bool {
    matches!(error, livechat_node::StartError::AlreadyRunning { .. })
}

/// An error as a sentence.
fn sentence(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let capital: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{capital}{}.", chars.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relay_is_remembered_and_a_broken_file_says_so() {
        let dir = tempfile::tempdir().unwrap();
        assert!(remembered(dir.path()).unwrap().is_none());
        let url: Url = "https://relay.example.org/".parse().unwrap();
        remember(dir.path(), &url).unwrap();
        assert_eq!(remembered(dir.path()).unwrap(), Some(url.clone()));
        fs::write(config_path(dir.path()), "relay = 5").unwrap();
        assert_eq!(remembered(dir.path()).unwrap_err().code, Exit::NoNode);
        remember(dir.path(), &url).unwrap();
        assert_eq!(remembered(dir.path()).unwrap(), Some(url));
    }
}
