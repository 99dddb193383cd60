//! Three nodes and a relay in one process: a group from its founding to a removal, everything real between them.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use livechat_node::api::{Group, Membership, Message, MessageBody, Notice, Request, Response, Role};
use livechat_node::{Config, Node};
use livechat_tests::process::code;
use livechat_wire::ConversationId;

/// Debug builds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

struct Person {
    name: &'static str,
    node: Node,
}

impl Person {
    async fn arrive(name: &'static str, dir: &std::path::Path, relay: &livechat_relay::Relay) -> Self {
        let url = format!("http://{}", relay.http_addr()).parse().unwrap();
        let node = Node::start(Config::new(dir.join(name), url)).await.unwrap();
        let person = Self { name, node };
        let Response::SignUp(ticket) = person.ask(Request::SignUp { username: name.into() }).await else { panic!() };
        person.ask(Request::ConfirmSignUp { code: code(&ticket.setup_key, 0) }).await;
        person
    }

    async fn ask(&self, request: Request) -> Response {
        let asked = format!("{request:?}");
        self.node.request(request).await.unwrap_or_else(|e| panic!("{}: {asked}: {e:?}", self.name))
    }

    async fn group(&self, conversation: ConversationId) -> Option<Group> {
        match self.node.request(Request::Group { conversation }).await {
            Ok(Response::Group(group)) => Some(group),
            _ => None,
        }
    }

    async fn history(&self, conversation: ConversationId) -> Vec<Message> {
        match self.node.request(Request::History { conversation, before: None, limit: 200 }).await {
            Ok(Response::History(page)) => page.messages,
            _ => vec![],
        }
    }

    async fn texts(&self, conversation: ConversationId) -> Vec<String> {
        let text = |m: Message| match m.body {
            MessageBody::Text { text } => Some(format!("{}: {text}", m.author_name)),
            _ => None,
        };
        self.history(conversation).await.into_iter().filter_map(text).collect()
    }

    async fn say(&self, conversation: ConversationId, text: &str) {
        self.ask(Request::Send { conversation, text: text.into(), id: None, reply_to: None }).await;
    }

    /// Waits until the group looks like this.
    async fn until(&self, conversation: ConversationId, what: &str, wanted: impl Fn(&Group) -> bool) -> Group {
        let wait = async {
            loop {
                match self.group(conversation).await {
                    Some(group) if wanted(&group) => return group,
                    _ => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(group) => group,
            Err(_) => panic!("{}: never {what}: {:?}", self.name, self.group(conversation).await),
        }
    }

    async fn hears(&self, conversation: ConversationId, line: &str) {
        let wait = async {
            while !self.texts(conversation).await.iter().any(|l| l == line) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("{} never heard {line:?}: {:?}", self.name, self.texts(conversation).await);
        }
    }
}

fn names(group: &Group) -> Vec<&str> {
    group.members.iter().map(|m| m.username.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_people_found_a_group_and_one_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let relay = livechat_relay::start(livechat_relay::Config::local(dir.path().join("relay"))).await.unwrap();
    let bob = Person::arrive("bob", dir.path(), &relay).await;
    let carol = Person::arrive("carol", dir.path(), &relay).await;
    let alice = Person::arrive("alice", dir.path(), &relay).await;

    let request = Request::CreateGroup { title: "tea".into(), members: vec!["bob".into(), "carol".into()] };
    let Response::GroupCreated { conversation: tea } = alice.ask(request).await else { panic!("no group") };
    let all = ["alice", "bob", "carol"];
    for person in [&alice, &bob, &carol] {
        let group = person.until(tea, "of three", |g| names(g) == all && g.pending == 0).await;
        assert_eq!((group.title.as_str(), group.standing), ("tea", Membership::Joined));
    }
    let role = |g: &Group, name: &str| g.members.iter().find(|m| m.username == name).unwrap().role;
    let group = bob.group(tea).await.unwrap();
    assert_eq!((role(&group, "alice"), group.own_role), (Role::Owner, Role::Member));

    // Everyone hears everyone.
    for person in [&alice, &bob, &carol] {
        person.say(tea, "hello").await;
    }
    for listener in [&alice, &bob, &carol] {
        for speaker in all {
            listener.hears(tea, &format!("{speaker}: hello")).await;
        }
    }

    // Who may not is told so; who may, does.
    let carols = group.members.iter().find(|m| m.username == "carol").unwrap().account;
    let refused = bob.node.request(Request::RemoveMember { conversation: tea, account: carols }).await.unwrap_err();
    assert_eq!(refused.code, livechat_node::api::ErrorCode::NotAllowed);
    alice.ask(Request::RemoveMember { conversation: tea, account: carols }).await;
    for person in [&alice, &bob] {
        person.until(tea, "of two", |g| names(g) == ["alice", "bob"] && g.pending == 0).await;
    }
    carol.until(tea, "told that she is out", |g| g.standing == Membership::Removed).await;

    // What is said from now on she can't read; what she says goes nowhere.
    alice.say(tea, "without carol").await;
    bob.hears(tea, "alice: without carol").await;
    let to_nobody = Request::Send { conversation: tea, text: "still here?".into(), id: None, reply_to: None };
    assert!(carol.node.request(to_nobody).await.is_err());
    // Something that is sent later, and that she can read, has arrived: so would the other have.
    let Response::Contact(direct) = alice.ask(Request::AddContact { username: "carol".into() }).await else { panic!() };
    alice.say(direct.conversation, "later").await;
    carol.hears(direct.conversation, "alice: later").await;
    assert!(!carol.texts(tea).await.iter().any(|l| l.contains("without carol")));
    let told = |m: &Message| matches!(&m.body, MessageBody::Notice { notice: Notice::Removed { .. } });
    assert!(bob.history(tea).await.iter().any(told), "the removal stands in the history");
    assert_eq!(alice.group(tea).await.unwrap().authenticator, bob.group(tea).await.unwrap().authenticator);

    for person in [alice, bob, carol] {
        person.node.stop().await;
    }
    relay.stop().await;
}
