//! The node's API over a WebSocket: one JSON frame per text message, as on the Unix socket.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::stream::{SplitSink, SplitStream};
use futures::{SinkExt as _, StreamExt as _};
use livechat_node::Node;
use livechat_node::api::{AccountState, Error, ErrorCode, Event, Request, RequestFrame, ServerFrame};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::limits;
use crate::routes::{Shared, admitted};

/// Opens a socket for a browser with a session.
pub(crate) async fn upgrade(
    State(shared): State<Arc<Shared>>,
    asked: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if !admitted(&shared, &asked) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let Ok(place) = shared.sockets.clone().try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    upgrade.max_message_size(limits::FRAME).max_frame_size(limits::FRAME).on_upgrade(async move |socket| {
        let closed = shared.stopping.run_until_cancelled(talk(shared.node.clone(), socket)).await;
        if let Some(Err(e)) = closed {
            tracing::debug!("a browser's socket is gone: {e}");
        }
        drop(place);
    })
}

async fn talk(node: Node, socket: WebSocket) -> Result<(), axum::Error> {
    let mut events = node.events();
    let (write, read) = socket.split();
    let (frames, outbox) = mpsc::channel(limits::SOCKET_REQUESTS);
    let event_frames = frames.clone();
    let telling = async move {
        while let Some(event) = events.next().await {
            if event_frames.send(ServerFrame::Event { event }).await.is_err() {
                break;
            }
        }
        // The node has stopped: so does the socket, and the page tries to come back.
    };
    tokio::select! {
        done = listening(node, read, frames) => done,
        done = speaking(write, outbox) => done,
        () = telling => Ok(()),
    }
}

async fn listening(
    node: Node,
    mut read: SplitStream<WebSocket>,
    frames: mpsc::Sender<ServerFrame>,
) -> Result<(), axum::Error> {
    let mut answers = JoinSet::new();
    // A browser answers each ping, so silence for longer than two of them is the end.
    while let Ok(Some(message)) = timeout(3 * limits::PING, read.next()).await {
        let parsed = match message? {
            Message::Text(text) => parse(&text),
            Message::Binary(_) => Err((None, bad_request("Frames are text.".into()))),
            Message::Ping(_) | Message::Pong(_) => continue,
            Message::Close(_) => break,
        };
        match parsed {
            Ok(frame) if names_a_file(&frame.request) => {
                let error = bad_request("A page can't name a file.".into());
                if frames.send(ServerFrame::Error { id: Some(frame.id), error }).await.is_err() {
                    break;
                }
            }
            Ok(frame) => {
                let (node, frames) = (node.clone(), frames.clone());
                answers.spawn(async move { answer(&node, frame, &frames).await });
            }
            Err((id, error)) => {
                if frames.send(ServerFrame::Error { id, error }).await.is_err() {
                    break;
                }
            }
        }
        while answers.len() >= limits::SOCKET_REQUESTS && answers.join_next().await.is_some() {}
        while answers.try_join_next().is_some() {}
    }
    // What was asked is carried out, whether or not anybody still waits for the answer.
    answers.detach_all();
    Ok(())
}

async fn answer(node: &Node, frame: RequestFrame, frames: &mpsc::Sender<ServerFrame>) {
    let RequestFrame { id, request } = frame;
    let frame = match node.request(request).await {
        Ok(ok) => ServerFrame::Ok { id, ok },
        Err(error) => ServerFrame::Error { id: Some(id), error },
    };
    if frames.send(frame).await.is_err() {
        tracing::debug!("a browser left before its answer");
    }
}

/// Whether a request names a file of this computer: a page has no business with those.
fn names_a_file(request: &Request) -> bool {
    matches!(
        request,
        Request::Backup { .. } | Request::Restore { .. } | Request::SendFile { .. } | Request::SaveFile { .. }
    )
}

/// Reads a frame; a failure carries the request's id when that much could be read.
fn parse(text: &str) -> Result<RequestFrame, (Option<u32>, Error)> {
    serde_json::from_str::<RequestFrame>(text).map_err(|cause| {
        let id = serde_json::from_str::<serde_json::Value>(text)
            .ok()
            .and_then(|v| v.get("id")?.as_u64())
            .and_then(|id| u32::try_from(id).ok());
        // serde quotes what it read: bound that.
        let cause: String = cause.to_string().chars().filter(|c| !c.is_control()).take(300).collect();
        (id, bad_request(format!("Not a request: {cause}.")))
    })
}

fn bad_request(message: String) -> Error {
    let hint = "Reload the page.".into();
    Error { code: ErrorCode::BadRequest, message, hint, retry_after: None }
}

/// Writes frames and pings. A browser that doesn't read loses events first ([`livechat_node::api::Event::Lagged`]
/// tells it), its socket later.
async fn speaking(
    mut write: SplitSink<WebSocket, Message>,
    mut outbox: mpsc::Receiver<ServerFrame>,
) -> Result<(), axum::Error> {
    let mut pings = interval(limits::PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Once the node is locked: until when the last frames go out.
    let mut last_words = None;
    loop {
        let message = tokio::select! {
            frame = outbox.recv() => match frame {
                Some(frame) => {
                    if is_locked(&frame) {
                        last_words = Some(tokio::time::Instant::now() + limits::LAST_WORDS);
                    }
                    Message::text(serde_json::to_string(&frame).map_err(axum::Error::new)?)
                }
                None => return Ok(()),
            },
            _ = pings.tick() => Message::Ping(Default::default()),
            // The socket's own buffers have seen what was said: they go with it (P21), and the page comes back.
            () = tokio::time::sleep_until(last_words.unwrap_or_else(tokio::time::Instant::now)), if last_words.is_some() => {
                return Ok(());
            }
        };
        timeout(limits::SOCKET_WRITE, write.send(message)).await.map_err(axum::Error::new)??;
    }
}

/// Whether a frame tells that the node was locked just now.
fn is_locked(frame: &ServerFrame) -> bool {
    let ServerFrame::Event { event: Event::Status(status) } = frame else { return false };
    matches!(status.account, AccountState::Locked { .. })
}
