//! The API over a WebSocket.
#![allow(clippy::unwrap_used, reason = "tests: helpers included")]

mod common;

use std::time::Duration;

use common::Served;
use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(s: &Served, cookie: &str) -> Socket {
    let mut request = format!("ws://{}/api/socket", s.addr).into_client_request().unwrap();
    request.headers_mut().insert("origin", s.origin().parse().unwrap());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    connect_async(request).await.unwrap().0
}

/// The next frame that isn't an event.
async fn answer(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(Duration::from_secs(60), socket.next()).await.unwrap().unwrap().unwrap();
        if let Message::Text(text) = message {
            let frame: Value = serde_json::from_str(&text).unwrap();
            if frame.get("event").is_none() {
                return frame;
            }
        }
    }
}

async fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_under_their_numbers() {
    let s = Served::start().await;
    let mut socket = open(&s, &s.admitted().await).await;
    for id in [7, 4_294_967_295_u32, 0] {
        say(&mut socket, &json!({"id": id, "request": {"type": "status"}}).to_string()).await;
        let frame = answer(&mut socket).await;
        assert_eq!(frame["id"], id);
        assert_eq!(frame["ok"]["type"], "status");
        assert_eq!(frame["ok"]["account"]["state"], "none");
    }
    say(&mut socket, &json!({"id": 1, "request": {"type": "conversations"}}).to_string()).await;
    let frame = answer(&mut socket).await;
    assert!(frame["ok"].is_object() || frame["error"]["code"] == "wrong_state", "{frame}");
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seed_b13_nothing_received_ends_the_process_or_the_socket() {
    let s = Served::start().await;
    let mut socket = open(&s, &s.admitted().await).await;
    let deep = "[".repeat(100_000);
    let cases = [
        ("", None),
        ("null", None),
        ("{", None),
        ("[]", None),
        ("42", None),
        ("\u{0}\u{feff}", None),
        (deep.as_str(), None),
        (r#"{"id":1}"#, Some(1)),
        (r#"{"id":-1,"request":{"type":"status"}}"#, None),
        (r#"{"id":4294967296,"request":{"type":"status"}}"#, None),
        (r#"{"id":"1","request":{"type":"status"}}"#, None),
        (r#"{"id":2,"request":{"type":"shutdown"}}"#, Some(2)),
        (r#"{"id":3,"request":{"type":"status"},"more":1}"#, Some(3)),
        (r#"{"id":4,"request":{"type":"history","conversation":"zz","before":null,"limit":1}}"#, Some(4)),
        (r#"{"id":5,"request":{"type":"history","conversation":{"$ne":null},"before":null,"limit":1}}"#, Some(5)),
        (r#"{"id":6,"request":{"type":"send","conversation":"00","text":7,"id":null}}"#, Some(6)),
        (r#"{"id":7,"request":{"type":"sign_up","username":{"$ne":null}}}"#, Some(7)),
    ];
    for (text, id) in cases {
        say(&mut socket, text).await;
        let frame = answer(&mut socket).await;
        assert_eq!(frame["error"]["code"], "bad_request", "{text:.80}: {frame}");
        assert_eq!(frame["id"], json!(id), "{text:.80}");
    }
    socket.send(Message::binary(vec![0xff, 0, 1])).await.unwrap();
    assert_eq!(answer(&mut socket).await["error"]["code"], "bad_request");
    say(&mut socket, r#"{"id":9,"request":{"type":"status"}}"#).await;
    assert_eq!(answer(&mut socket).await["id"], 9, "the same socket goes on");
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_names_no_file_of_this_computer() {
    let s = Served::start().await;
    let mut socket = open(&s, &s.admitted().await).await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("id_ed25519");
    std::fs::write(&secret, "a key").unwrap();
    let (chat, path, into) = ("0".repeat(64), secret.display().to_string(), folder.path().display().to_string());
    let send =
        json!({"type": "send_file", "conversation": chat, "path": path, "name": null, "id": null, "as_is": true});
    let save = json!({"type": "save_file", "conversation": chat, "position": 1, "to": into});
    for (id, request) in (1..).zip([send, save]) {
        say(&mut socket, &json!({"id": id, "request": request}).to_string()).await;
        let frame = answer(&mut socket).await;
        assert_eq!(frame["id"], id);
        assert_eq!(frame["error"]["code"], "bad_request", "{frame}");
        // Not the words of a frame that couldn't be read: this one was, and is refused for what it asks.
        assert_eq!(frame["error"]["message"], "A page can't name a file.", "{frame}");
    }
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seed_b20_a_frame_over_the_limit_closes_its_socket_alone() {
    let s = Served::start().await;
    let cookie = s.admitted().await;
    let (mut greedy, mut other) = (open(&s, &cookie).await, open(&s, &cookie).await);
    let long = "x".repeat(livechat_web::limits::FRAME + 1);
    let sent = greedy.send(Message::text(long)).await;
    let end = async { while let Some(Ok(_)) = greedy.next().await {} };
    assert!(sent.is_err() || timeout(Duration::from_secs(60), end).await.is_ok(), "closed");
    say(&mut other, r#"{"id":1,"request":{"type":"status"}}"#).await;
    assert_eq!(answer(&mut other).await["id"], 1);
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_text_fits_into_a_frame() {
    let s = Served::start().await;
    let mut socket = open(&s, &s.admitted().await).await;
    // Every byte escaped: six for one.
    let text = "\u{1}".repeat(32 * 1_024);
    let request = json!({"type": "send", "conversation": "0".repeat(64), "text": text, "id": "0".repeat(32)});
    let frame = json!({"id": 1, "request": request}).to_string();
    assert!(frame.len() > 190_000, "{}", frame.len());
    say(&mut socket, &frame).await;
    let frame = answer(&mut socket).await;
    assert_eq!(frame["id"], 1);
    assert_ne!(frame["error"]["code"], "bad_request", "{frame}");
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_at_once_are_all_answered() {
    let s = Served::start().await;
    let mut socket = open(&s, &s.admitted().await).await;
    for id in 0..500 {
        say(&mut socket, &json!({"id": id, "request": {"type": "status"}}).to_string()).await;
    }
    let mut seen = std::collections::BTreeSet::new();
    while seen.len() < 500 {
        seen.insert(answer(&mut socket).await["id"].as_u64().unwrap());
    }
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_are_bounded_and_come_free_again() {
    let s = Served::start().await;
    let cookie = s.admitted().await;
    let mut sockets = Vec::new();
    for _ in 0..livechat_web::limits::SOCKETS {
        sockets.push(open(&s, &cookie).await);
    }
    let mut request = format!("ws://{}/api/socket", s.addr).into_client_request().unwrap();
    request.headers_mut().insert("origin", s.origin().parse().unwrap());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    let refused = connect_async(request.clone()).await.unwrap_err();
    assert!(refused.to_string().contains("503"), "{refused}");
    drop(sockets);
    for attempt in 0.. {
        if connect_async(request.clone()).await.is_ok() {
            break;
        }
        assert!(attempt < 200, "no place came free");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_closes_sockets_soon() {
    let s = Served::start().await;
    let mut socket = open(&s, &s.admitted().await).await;
    let stopped = timeout(Duration::from_secs(60), s.stop()).await.unwrap();
    let end = async { while let Some(Ok(_)) = socket.next().await {} };
    timeout(Duration::from_secs(60), end).await.unwrap();
    drop(stopped);
}
