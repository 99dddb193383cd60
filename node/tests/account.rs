//! Signing up, logging in and out, with everything that can get lost in between.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use std::time::Duration;

use common::*;
use livechat_node::api::{AccountState, Error, ErrorCode, Event, RelayState, Request, Response};
use livechat_node::{BrainError, Node, OpenError, StartError};

fn code(result: Result<Response, Error>) -> ErrorCode {
    let error = result.unwrap_err();
    assert!(!error.message.is_empty() && !error.hint.is_empty(), "cause and next step: {error:?}");
    error.code
}

#[tokio::test]
async fn a_pending_sign_up_survives_a_restart() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = relay.node(&dir).await;
    let shown = ticket(node.request(sign_up("Alice")).await);
    assert_eq!(shown.username, "alice", "as the relay stores it");
    assert!(shown.qr_svg.starts_with("<svg"));
    assert!(shown.otpauth_uri.contains(&shown.setup_key));
    node.stop().await;

    let node = relay.node(&dir).await;
    assert_eq!(status(&node).await.account, AccountState::Pending { ticket: shown.clone() });
    assert_eq!(ticket(node.request(sign_up("alice")).await), shown, "asking again shows it again");
    assert_eq!(code(node.request(sign_up("bob")).await), ErrorCode::WrongState);
    assert_eq!(code(node.request(confirm_with("12345")).await), ErrorCode::InvalidCredentials);
    assert_eq!(code(node.request(confirm_with("000000")).await), ErrorCode::InvalidCredentials);
    let Ok(Response::SignedUp(done)) = node.request(confirm_with(" 123 456 ")).await else { panic!("not signed up") };
    assert_eq!((done.username.as_str(), done.recovery_codes.len()), ("alice", 10));
    assert!(is_active(&status(&node).await));
    node.stop().await;

    let node = relay.node(&dir).await;
    let AccountState::Active { username, .. } = status(&node).await.account else { panic!("not active") };
    assert_eq!(username, "alice");
    until(&node, "live users", |s| s.live_users == Some(3)).await;
    let stocked = async {
        while relay.script().stock == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), stocked).await.expect("key packages are published");
    node.stop().await;
}

#[tokio::test]
async fn a_confirmation_whose_answer_is_lost_is_found_again() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = relay.node(&dir).await;
    ticket(node.request(sign_up("alice")).await);
    relay.script().lose_confirmation = true;
    assert_eq!(code(node.request(confirm_with(CODE)).await), ErrorCode::RelayUnreachable);
    assert!(relay.script().accounts.contains_key("alice"), "the relay went through with it");
    assert!(matches!(status(&node).await.account, AccountState::Pending { .. }));
    // As if the process had died right then.
    node.stop().await;

    let node = relay.node(&dir).await;
    let Ok(Response::SignedUp(done)) = node.request(confirm_with(CODE)).await else { panic!("not found again") };
    assert_eq!(done.recovery_codes, Vec::<String>::new(), "those went with the answer");
    assert!(is_active(&status(&node).await));
    node.stop().await;
    let node = relay.node(&dir).await;
    assert!(is_active(&status(&node).await));
    node.stop().await;
}

#[tokio::test]
async fn an_expired_sign_up_can_begin_again() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = relay.node(&dir).await;
    ticket(node.request(sign_up("alice")).await);
    relay.script().pending.clear();
    assert_eq!(code(node.request(confirm_with(CODE)).await), ErrorCode::PendingExpired);
    assert_eq!(status(&node).await.account, AccountState::None);
    ticket(node.request(sign_up("alice")).await);
    node.stop().await;
}

#[tokio::test]
async fn a_cancelled_name_can_be_had_again() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = relay.node(&dir).await;
    let first = ticket(node.request(sign_up("alice")).await);
    assert_eq!(node.request(Request::CancelSignUp).await, Ok(Response::Done));
    assert_eq!(status(&node).await.account, AccountState::None);
    assert_eq!(node.request(Request::CancelSignUp).await.unwrap_err().code, ErrorCode::WrongState);
    assert_eq!(ticket(node.request(sign_up("alice")).await), first);
    assert_eq!(node.request(Request::CancelSignUp).await, Ok(Response::Done));
    assert_eq!(ticket(node.request(sign_up("bob")).await).username, "bob");
    node.stop().await;
}

async fn signed_up(relay: &ScriptedRelay, dir: &tempfile::TempDir) -> Node {
    let node = relay.node(dir).await;
    ticket(node.request(sign_up("alice")).await);
    node.request(confirm_with(CODE)).await.unwrap();
    node
}

#[tokio::test]
async fn logging_out_locks_and_revokes_and_logging_in_opens() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = signed_up(&relay, &dir).await;
    let mut events = node.events();
    assert_eq!(node.request(Request::Contacts).await, Ok(Response::Contacts { contacts: vec![] }));
    assert_eq!(node.request(Request::LogOut).await, Ok(Response::Done));
    assert_eq!(relay.script().sessions, Vec::<String>::new());
    let told = async {
        loop {
            if let Some(Event::Status(status)) = events.next().await
                && is_logged_out(&status)
            {
                return status;
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(60), told).await.expect("an event tells it");
    assert_eq!((told.account, told.live_users), (AccountState::LoggedOut { username: "alice".into() }, None));
    for locked in [Request::Contacts, Request::Conversations, Request::AddContact { username: "bob".into() }] {
        assert_eq!(code(node.request(locked).await), ErrorCode::WrongState);
    }
    node.stop().await;

    let node = relay.node(&dir).await;
    assert!(is_logged_out(&status(&node).await), "also after a restart");
    assert_eq!(code(node.request(log_in_as("alice", "000000")).await), ErrorCode::InvalidCredentials);
    assert_eq!(code(node.request(log_in_as("bob", CODE)).await), ErrorCode::NotThisDevice);
    assert_eq!(node.request(log_in_as(" @Alice ", CODE)).await, Ok(Response::Done));
    assert!(is_active(&status(&node).await));
    assert_eq!(code(node.request(sign_up("carol")).await), ErrorCode::WrongState);
    node.stop().await;
}

#[tokio::test]
async fn an_account_elsewhere_is_explained() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = relay.node(&dir).await;
    assert_eq!(code(node.request(log_in_as("alice", CODE)).await), ErrorCode::NotThisDevice);
    assert_eq!(
        code(node.request(Request::LogOut).await.map_err(|e| Error { hint: "-".into(), ..e })),
        ErrorCode::WrongState
    );
    node.stop().await;
}

#[tokio::test]
async fn logging_out_without_the_relay_locks_at_once_and_revokes_later() {
    let (mut relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = signed_up(&relay, &dir).await;
    relay.go_away().await;
    assert_eq!(node.request(Request::LogOut).await, Ok(Response::Done));
    assert!(is_logged_out(&status(&node).await));
    assert_eq!(code(node.request(log_in_as("alice", CODE)).await), ErrorCode::RelayUnreachable);
    assert_eq!(relay.script().sessions.len(), 1);
    node.stop().await;
    relay.come_back().await;
    let node = relay.node(&dir).await;
    let revoked = async {
        while !relay.script().sessions.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), revoked).await.expect("revoked once the relay is back");
    node.stop().await;
}

#[tokio::test]
async fn a_session_ended_at_the_relay_locks_the_node() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = signed_up(&relay, &dir).await;
    node.stop().await;
    relay.script().sessions.clear();
    let node = relay.node(&dir).await;
    until(&node, "logged out", is_logged_out).await;
    assert_eq!(node.request(log_in_as("alice", CODE)).await, Ok(Response::Done));
    assert!(is_active(&status(&node).await));
    node.stop().await;
}

#[tokio::test]
async fn a_session_ends_by_the_clock() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = signed_up(&relay, &dir).await;
    let mut events = node.events();
    assert!(is_active(&status(&node).await));
    relay.script().session = 2;
    assert_eq!(node.request(log_in_as("alice", CODE)).await, Ok(Response::Done));
    let told = async {
        loop {
            if let Some(Event::Status(status)) = events.next().await
                && is_logged_out(&status)
            {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told).await.expect("told without being asked");
    assert_eq!(code(node.request(Request::Contacts).await), ErrorCode::WrongState);
    relay.script().session = 0;
    assert_eq!(node.request(log_in_as("alice", CODE)).await, Ok(Response::Done));
    assert_eq!(node.request(Request::Contacts).await, Ok(Response::Contacts { contacts: vec![] }));
    node.stop().await;
}

/// The relay's HTTP side works and its peer-to-peer side doesn't: tries are paced, not as fast as they fail.
#[tokio::test]
async fn failing_tries_are_paced() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = signed_up(&relay, &dir).await;
    let offline = until(&node, "offline", |s| matches!(s.relay, RelayState::Offline { .. })).await;
    let RelayState::Offline { reason, .. } = offline.relay else { unreachable!() };
    assert!(reason.contains("peer-to-peer port"), "{reason}");
    let before = relay.script().cards;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let read = relay.script().cards - before;
    assert!(read < 10, "{read} times in four seconds");
    node.stop().await;
}

#[tokio::test]
async fn an_unreachable_relay_is_told_and_found_again() {
    let (mut relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    relay.go_away().await;
    let node = relay.node(&dir).await;
    let offline = until(&node, "offline", |s| matches!(s.relay, RelayState::Offline { .. })).await;
    let RelayState::Offline { reason, retry_at } = offline.relay else { unreachable!() };
    assert!(reason.contains("refused") && retry_at > 1_700_000_000_000, "{reason} {retry_at}");
    assert_eq!(code(node.request(sign_up("alice")).await), ErrorCode::RelayUnreachable);
    relay.come_back().await;
    until(&node, "online", |s| s.relay == RelayState::Online).await;
    let Ok(Response::Username(check)) = node.request(Request::CheckUsername { username: "alice".into() }).await else {
        panic!("no check")
    };
    assert!(check.available && check.message.is_empty());
    node.stop().await;
}

#[tokio::test]
async fn a_wrong_clock_is_told() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    relay.script().clock = 3_600;
    let node = relay.node(&dir).await;
    let offline = until(&node, "offline", |s| matches!(s.relay, RelayState::Offline { .. })).await;
    let RelayState::Offline { reason, .. } = offline.relay else { unreachable!() };
    assert!(reason.contains("clock"), "{reason}");
    node.stop().await;
}

#[tokio::test]
async fn starts_that_need_a_person_say_what_to_do() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = relay.node(&dir).await;
    let twice = Node::start(relay.config(&dir)).await.unwrap_err();
    assert!(matches!(twice, StartError::AlreadyRunning { .. }));
    node.stop().await;
    let node = relay.node(&dir).await;
    drop(node);

    // Dropping the last handle stops as well, a moment later.
    let key = dir.path().join("node/node.key");
    let again = async {
        loop {
            match Node::start(relay.config(&dir)).await {
                Err(StartError::AlreadyRunning { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
                other => return other.unwrap(),
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), again).await.expect("free again").stop().await;

    std::fs::write(&key, format!("livechat-node-key 1 {}\n", "00".repeat(32))).unwrap();
    let wrong = Node::start(relay.config(&dir)).await.unwrap_err();
    assert!(matches!(&wrong, StartError::Brain(BrainError::Store(OpenError::WrongKey { .. }))), "{wrong}");
    assert!(wrong.to_string().contains("put back the key file"), "{wrong}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = relay.config(&tempfile::tempdir().unwrap());
    config.listen = vec![format!("/ip4/127.0.0.1/tcp/{}", taken.local_addr().unwrap().port())];
    assert!(matches!(Node::start(config).await, Err(StartError::Listen(_))));
}

/// Shown until two of its words prove that it is written down; checked at any time after that.
#[tokio::test]
async fn the_recovery_phrase_is_shown_until_it_is_written_down() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = relay.node(&dir).await;
    ticket(node.request(sign_up("alice")).await);
    assert_eq!(code(node.request(Request::Phrase).await), ErrorCode::WrongState, "only with an account");
    assert!(node.request(confirm_with(CODE)).await.is_ok());
    let waits = |s: &livechat_node::api::Status| matches!(s.account, AccountState::Active { phrase_waits: true, .. });
    assert!(waits(&status(&node).await));
    let Ok(Response::Phrase(first)) = node.request(Request::Phrase).await else { panic!("no phrase") };
    assert_eq!((first.words.len(), first.ask.len()), (24, 2));
    node.stop().await;

    // A restart changes neither the words nor the places asked for.
    let node = relay.node(&dir).await;
    assert!(waits(&status(&node).await));
    assert_eq!(node.request(Request::Phrase).await, Ok(Response::Phrase(first.clone())));
    let right: Vec<_> = first.ask.iter().map(|place| first.words[usize::from(*place) - 1].to_uppercase()).collect();
    let swapped = right.iter().rev().cloned().collect::<Vec<_>>();
    for wrong in [vec![], vec![right[0].clone()], vec!["x".into(), "y".into()], [swapped.clone(), swapped].concat()] {
        assert_eq!(code(node.request(Request::ConfirmPhrase { words: wrong }).await), ErrorCode::WrongPhrase);
    }
    assert_eq!(node.request(Request::ConfirmPhrase { words: right }).await, Ok(Response::Done));
    assert!(!waits(&status(&node).await));
    assert_eq!(code(node.request(Request::Phrase).await), ErrorCode::WrongState);

    let check = |phrase: String| node.request(Request::CheckPhrase { phrase });
    assert_eq!(check(first.words.join("\n")).await, Ok(Response::Done));
    assert_eq!(code(check(first.words[1..].join(" ")).await), ErrorCode::WrongPhrase);
    let somebody_elses = format!("{}art", "abandon ".repeat(23));
    assert_eq!(code(check(somebody_elses).await), ErrorCode::WrongPhrase);
    node.stop().await;
}

fn rename(username: &str, code: &str) -> Request {
    Request::ChangeUsername { username: username.into(), code: code.into() }
}

async fn username(node: &Node) -> String {
    match status(node).await.account {
        AccountState::Active { username, .. } => username,
        other => panic!("not active: {other:?}"),
    }
}

#[tokio::test]
async fn a_name_changes_also_when_the_answer_is_lost() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = signed_up(&relay, &dir).await;
    for (name, with, refused) in [
        ("alicia", "000000", ErrorCode::InvalidCredentials),
        ("taken", CODE, ErrorCode::UsernameUnavailable),
        ("alice", CODE, ErrorCode::WrongState),
    ] {
        let error = node.request(rename(name, with)).await.unwrap_err();
        assert_eq!(error.code, refused, "{error:?}");
        assert_eq!(username(&node).await, "alice");
    }
    assert_eq!(node.request(rename("alicia", CODE)).await, Ok(Response::Done));
    assert_eq!(username(&node).await, "alicia");
    relay.script().lose_confirmation = true;
    assert_eq!(node.request(rename("alina", CODE)).await, Ok(Response::Done), "found out by asking again");
    assert_eq!(username(&node).await, "alina");
    node.stop().await;
    let node = relay.node(&dir).await;
    assert_eq!(username(&node).await, "alina", "also after a restart");
    assert_eq!(node.request(Request::LogOut).await, Ok(Response::Done));
    assert_eq!(node.request(log_in_as("alina", CODE)).await, Ok(Response::Done));
    node.stop().await;
}
