//! Bytes of files between browser and node: too many for frames of the socket. Behind the same gate and session.
//!
//! What somebody sent is never a document of ours: it leaves as an attachment of no type, under a policy that lets
//! nothing run; except pictures and voice notes whose bytes the
//! node has looked at, which may be shown and played inside the page.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Json;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use futures::Stream;
use livechat_node::api::{ConversationId, Error, ErrorCode, MessageId, Transfer, Voice};
use livechat_node::{NewFile, OpenFile};
use serde::Deserialize;
use tokio::io::{AsyncRead, ReadBuf};

use crate::routes::{Shared, admitted};

/// Nothing of it runs, loads or is framed, and it has no origin.
const SANDBOX: &str = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `POST /api/files/{conversation}?name=…`: what is said about the file in the body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    name: String,
    id: Option<MessageId>,
    #[serde(default)]
    as_is: bool,
    /// Of a voice note: milliseconds, and how loud it is along the way, two hexadecimal digits each.
    millis: Option<u32>,
    #[serde(default)]
    levels: String,
}

/// `GET /api/files/{conversation}/{position}?show=true`: how it is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct How {
    #[serde(default)]
    show: bool,
}

/// Takes a file to be sent. It is sealed on disk when this is answered.
pub(crate) async fn send(
    State(shared): State<Arc<Shared>>,
    asked: HeaderMap,
    Path(conversation): Path<ConversationId>,
    Query(About { name, id, as_is, millis, levels }): Query<About>,
    request: Request,
) -> Response {
    if !admitted(&shared, &asked) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(_place) = shared.files.clone().try_acquire_owned() else { return busy() };
    let text = |name| asked.get(name).and_then(|v| v.to_str().ok());
    let size = text(CONTENT_LENGTH).and_then(|n| n.parse().ok());
    let media = text(CONTENT_TYPE).map(str::to_owned);
    let Ok(levels) = HEXLOWER.decode(levels.as_bytes()) else { return StatusCode::BAD_REQUEST.into_response() };
    let voice = millis.map(|millis| Voice { millis, levels });
    let new = NewFile { conversation, id, name, media, as_is, voice };
    let mut body = Reader { body: request.into_body().into_data_stream(), left: Bytes::new() };
    let sending = shared.node.send_file(new, &mut body, size);
    match shared.stopping.run_until_cancelled(sending).await {
        Some(Ok(transfer)) => Json::<Transfer>(transfer).into_response(),
        Some(Err(e)) => refused(e),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Hands out the file of a message that is on this device.
pub(crate) async fn get(
    State(shared): State<Arc<Shared>>,
    asked: HeaderMap,
    Path((conversation, position)): Path<(ConversationId, u64)>,
    Query(How { show }): Query<How>,
) -> Response {
    if !admitted(&shared, &asked) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(place) = shared.files.clone().try_acquire_owned() else { return busy() };
    let file = match shared.node.open_file(conversation, position).await {
        Ok(file) => file,
        Err(e) => return refused(e),
    };
    let kind = file.picture.or(file.sound).filter(|_| show);
    let shown = if kind.is_some() { "inline" } else { "attachment" };
    let Ok(disposition) = HeaderValue::try_from(format!("{shown}; filename*=UTF-8''{}", escaped(&file.name))) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let about = [
        (CONTENT_TYPE, HeaderValue::from_static(kind.unwrap_or(OpenFile::OCTETS))),
        (CONTENT_DISPOSITION, disposition),
        (CONTENT_LENGTH, HeaderValue::from(file.size)),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(SANDBOX)),
    ];
    // An error in the middle breaks the connection off: what came is then not taken for the file.
    let pieces = futures::stream::try_unfold((file, place), async |(mut file, place)| {
        let piece = file.next().await.map_err(axum::Error::new)?;
        Ok::<_, axum::Error>(piece.map(|piece| (Bytes::from(piece), (file, place))))
    });
    (about, Body::from_stream(pieces)).into_response()
}

/// A name as RFC 8187 wants it: everything but letters and digits as `%XX`.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub(crate) fn busy() -> Response {
    let message = "Too many files are being moved between page and node.".into();
    refused(Error {
        code: ErrorCode::TooManyRequests,
        message,
        hint: "Wait for one of them.".into(),
        retry_after: None,
    })
}

fn refused(error: Error) -> Response {
    let status = match error.code {
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::WrongState => StatusCode::CONFLICT,
        ErrorCode::Internal | ErrorCode::StoreFailed => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    (status, Json(error)).into_response()
}

/// A request's body, as something to read from.
struct Reader {
    body: BodyDataStream,
    left: Bytes,
}

impl AsyncRead for Reader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        while self.left.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_next(cx)) {
                Some(Ok(more)) => self.left = more,
                Some(Err(e)) => return Poll::Ready(Err(std::io::Error::other(e))),
                None => return Poll::Ready(Ok(())),
            }
        }
        let n = self.left.len().min(buf.remaining());
        buf.put_slice(&self.left.split_to(n));
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_break_out_of_no_header() {
        for (name, expected) in [
            ("a.txt", "a.txt"),
            ("a b\"; filename=evil.html", "a%20b%22%3B%20filename%3Devil.html"),
            ("Grüße\r\nSet-Cookie: x", "Gr%C3%BC%C3%9Fe%0D%0ASet-Cookie%3A%20x"),
        ] {
            assert_eq!(escaped(name), expected);
        }
    }
}
