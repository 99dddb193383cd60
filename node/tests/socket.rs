//! The Unix socket: several clients, and ones that speak badly.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use common::*;
use livechat_node::api::socket::{self, Client, ConnectError};
use livechat_node::api::{ErrorCode, Event, Request, Response, ServerFrame};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;

#[tokio::test]
async fn clients_ask_and_hear() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let path = dir.path().join("node.sock");
    assert!(matches!(Client::connect(&path).await, Err(ConnectError::NotRunning(_))));
    let node = relay.node(&dir).await;
    std::fs::write(&path, "left behind by a crash").unwrap();
    let server = socket::serve(node.clone(), &path).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let (one, two) = (Client::connect(&path).await.unwrap(), Client::connect(&path).await.unwrap());
    // Answered, so its events are on.
    assert!(matches!(two.request(Request::Status).await, Ok(Response::Status(_))));
    let mut events = two.events();
    assert_eq!(one.request(Request::Contacts).await.unwrap_err().code, ErrorCode::WrongState);
    ticket(one.request(sign_up("alice")).await);
    let pending = async {
        while let Some(event) = events.next().await {
            if let Event::Status(s) = event
                && matches!(s.account, livechat_node::api::AccountState::Pending { .. })
            {
                return;
            }
        }
        panic!("the events ended");
    };
    tokio::time::timeout(Duration::from_secs(60), pending).await.expect("the other client hears of it");

    let mut many = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let client = one.clone();
        many.spawn(async move { client.request(Request::Status).await.is_ok() });
    }
    assert!(many.join_all().await.into_iter().all(|ok| ok));

    server.stop().await;
    assert!(!path.exists());
    assert_eq!(one.request(Request::Status).await.unwrap_err().code, ErrorCode::Internal);
    while events.next().await.is_some() {}
    node.stop().await;
}

/// The original died of one malformed frame.
#[tokio::test]
async fn seed_b13_no_frame_ends_the_process() {
    let (relay, dir) = (ScriptedRelay::start().await, tempfile::tempdir().unwrap());
    let node = relay.node(&dir).await;
    let path = dir.path().join("node.sock");
    let server = socket::serve(node.clone(), &path).await.unwrap();

    let mut stream = BufReader::new(UnixStream::connect(&path).await.unwrap());
    let huge = "x".repeat(300 * 1024);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let frames: Vec<(Vec<u8>, Option<u32>)> = vec![
        (b"".to_vec(), None),
        (b"not json".to_vec(), None),
        (b"\xff\xfe\x00".to_vec(), None),
        (b"{}".to_vec(), None),
        (b"[1,2,3]".to_vec(), None),
        (b"{\"id\":7}".to_vec(), Some(7)),
        (b"{\"id\":8,\"request\":{\"type\":\"reboot\"}}".to_vec(), Some(8)),
        (b"{\"id\":9,\"request\":{\"type\":\"sign_up\",\"username\":{\"$ne\":null}}}".to_vec(), Some(9)),
        (b"{\"id\":10,\"request\":{\"type\":\"sign_up\",\"username\":\"a\",\"admin\":true}}".to_vec(), Some(10)),
        (b"{\"id\":-1,\"request\":{\"type\":\"status\"}}".to_vec(), None),
        (b"{\"id\":99999999999,\"request\":{\"type\":\"status\"}}".to_vec(), None),
        (format!("{{\"id\":11,\"request\":{{\"type\":\"sign_up\",\"username\":\"{huge}\"}}}}").into_bytes(), None),
        (deep.into_bytes(), None),
    ];
    for (frame, id) in frames {
        let shown = String::from_utf8_lossy(&frame[..frame.len().min(60)]).into_owned();
        stream.write_all(&frame).await.unwrap();
        stream.write_all(b"\n").await.unwrap();
        let error = loop {
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            match serde_json::from_str(&line).unwrap() {
                ServerFrame::Error { id: theirs, error } => {
                    assert_eq!(theirs, id, "{shown}");
                    break error;
                }
                ServerFrame::Event { .. } => {}
                other => panic!("{shown}: {other:?}"),
            }
        };
        assert_eq!(error.code, ErrorCode::BadRequest, "{shown}");
        assert!(!error.message.chars().any(char::is_control), "{shown}");
    }
    // The same connection still works, and so does everything else.
    stream.write_all(b"{\"id\":12,\"request\":{\"type\":\"status\"}}\n").await.unwrap();
    let mut line = String::new();
    loop {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        if let ServerFrame::Ok { id, .. } = serde_json::from_str(&line).unwrap() {
            assert_eq!(id, 12);
            break;
        }
    }
    let client = Client::connect(&path).await.unwrap();
    assert!(client.request(Request::Status).await.is_ok());
    server.stop().await;
    node.stop().await;
}
