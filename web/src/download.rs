//! Files that the browser saves: a readable copy of what was said, streamed page by page.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderMap};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt as _};
use livechat_node::Node;
use livechat_node::api::{ConversationId, Error, ErrorCode, Request, Response as Answer};
use livechat_node::export::{Export, Format, file_name};
use serde::Deserialize;

use crate::routes::{Shared, admitted};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    format: Kind,
    /// All conversations when left out.
    conversation: Option<ConversationId>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Markdown,
    Jsonl,
}

/// `GET /api/export`: a copy of one conversation, or of all.
pub(crate) async fn export(
    State(shared): State<Arc<Shared>>,
    asked: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    if !admitted(&shared, &asked) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(Query(Wanted { format, conversation })) = wanted else { return StatusCode::BAD_REQUEST.into_response() };
    let (format, kind) = match format {
        Kind::Markdown => (Format::Markdown, "text/markdown; charset=utf-8"),
        Kind::Jsonl => (Format::JsonLines, "application/jsonl; charset=utf-8"),
    };
    match begin(shared.node.clone(), conversation, format).await {
        Ok((title, body)) => {
            let name = file_name(title.as_deref(), format);
            let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
            let place = format!("attachment; filename*=UTF-8''{name}");
            ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, place)], body).into_response()
        }
        Err(e) if e.code == ErrorCode::NotFound => StatusCode::NOT_FOUND.into_response(),
        Err(e) => (StatusCode::CONFLICT, e.to_string()).into_response(),
    }
}

/// The first part is made before anything is answered, so that a refusal is one and no broken file.
async fn begin(
    node: Node,
    conversation: Option<ConversationId>,
    format: Format,
) -> Result<(Option<String>, Body), Error> {
    let title = match node.request(Request::Conversations).await? {
        Answer::Conversations { conversations } => {
            conversations.into_iter().find(|c| Some(c.id) == conversation).map(|c| c.title)
        }
        _ => None,
    };
    let mut export = Export::new(conversation, format);
    let first = export.next(|request| node.request(request)).await?.unwrap_or_default();
    let rest = stream::try_unfold((export, node), |(mut export, node)| async move {
        let part = export.next(|request| node.request(request)).await?;
        Ok::<_, Error>(part.map(|part| (Bytes::from(part), (export, node))))
    });
    Ok((title, Body::from_stream(stream::iter([Ok(Bytes::from(first))]).chain(rest))))
}
