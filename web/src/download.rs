//! Files that the browser saves: a readable copy of what was said, streamed page by page; with the files that are on this
//! device it is an archive.

use std::io;
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
use livechat_node::export::{Attached, Attaching, Export, FOLDER, Format, file_name, folder_name};
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::files::busy;
use crate::limits;
use crate::routes::{Shared, admitted};
use crate::zip::Zip;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    format: Kind,
    /// All conversations when left out.
    conversation: Option<ConversationId>,
    /// The files that are on this device too.
    #[serde(default)]
    files: bool,
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
    let Ok(Query(Wanted { format, conversation, files })) = wanted else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (format, kind) = match format {
        Kind::Markdown => (Format::Markdown, "text/markdown; charset=utf-8"),
        Kind::Jsonl => (Format::JsonLines, "application/jsonl; charset=utf-8"),
    };
    let made = if files {
        let Ok(place) = shared.files.clone().try_acquire_owned() else { return busy() };
        pack(&shared, conversation, format, place).await.map(|(name, body)| (name, "application/zip", body))
    } else {
        begin(shared.node.clone(), conversation, format)
            .await
            .map(|(title, body)| (file_name(title.as_deref(), format), kind, body))
    };
    match made {
        Ok((name, kind, body)) => {
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
    let title = title(&node, conversation).await?;
    let mut export = Export::new(conversation, format);
    let first = export.next(|request| node.request(request)).await?.unwrap_or_default();
    let rest = stream::try_unfold((export, node), |(mut export, node)| async move {
        let part = export.next(|request| node.request(request)).await?;
        Ok::<_, Error>(part.map(|part| (Bytes::from(part), (export, node))))
    });
    Ok((title, Body::from_stream(stream::iter([Ok(Bytes::from(first))]).chain(rest))))
}

async fn title(node: &Node, conversation: Option<ConversationId>) -> Result<Option<String>, Error> {
    Ok(match node.request(Request::Conversations).await? {
        Answer::Conversations { conversations } => {
            conversations.into_iter().find(|c| Some(c.id) == conversation).map(|c| c.title)
        }
        _ => None,
    })
}

/// An archive of the copy and the files. What fails on the way breaks the connection off: then nothing is saved.
async fn pack(
    shared: &Arc<Shared>,
    conversation: Option<ConversationId>,
    format: Format,
    place: OwnedSemaphorePermit,
) -> Result<(String, Body), Error> {
    let title = title(&shared.node, conversation).await?;
    if conversation.is_some() && title.is_none() {
        let message = "There is no such conversation.".into();
        return Err(Error { code: ErrorCode::NotFound, message, hint: String::new(), retry_after: None });
    }
    let folder = folder_name(title.as_deref());
    let (give, taken) = mpsc::channel(limits::PIECES);
    let name = format!("{folder}.zip");
    let packing = Packing { node: shared.node.clone(), folder, zip: Zip::default(), give };
    let stopping = shared.stopping.clone();
    tokio::spawn(async move {
        let give = packing.give.clone();
        // Without an end it is no archive, and the browser is told so.
        let failed = match stopping.run_until_cancelled(packing.all(conversation, format)).await {
            Some(Ok(())) => return,
            Some(Err(Stop::Failed(e))) => e,
            Some(Err(Stop::NobodyListens)) => return,
            None => io::ErrorKind::ConnectionAborted.into(),
        };
        drop((give.send(Err(failed)).await, place));
    });
    let body = stream::unfold(taken, async |mut taken| taken.recv().await.map(|piece| (piece, taken)));
    Ok((name, Body::from_stream(body)))
}

/// An archive on its way to a browser.
struct Packing {
    node: Node,
    folder: String,
    zip: Zip,
    give: mpsc::Sender<io::Result<Bytes>>,
}

/// Why it ends early.
enum Stop {
    Failed(io::Error),
    NobodyListens,
}

impl From<Error> for Stop {
    fn from(e: Error) -> Self {
        Self::Failed(io::Error::other(e))
    }
}

impl Packing {
    async fn all(mut self, conversation: Option<ConversationId>, format: Format) -> Result<(), Stop> {
        let node = self.node.clone();
        let mut attaching = Attaching::new(conversation);
        while let Some(files) = attaching.next(|request| node.request(request)).await? {
            for file in files {
                if self.file(&file).await? {
                    attaching.took(file);
                }
            }
        }
        let mut copy = Export::new(conversation, format).beside(attaching.taken());
        self.begin(&format!("chat.{}", format.extension())).await?;
        while let Some(part) = copy.next(|request| node.request(request)).await? {
            self.piece(part.into_bytes()).await?;
        }
        self.end().await?;
        let end = std::mem::take(&mut self.zip).finish();
        self.send(end).await
    }

    /// Whether it was still here.
    async fn file(&mut self, file: &Attached) -> Result<bool, Stop> {
        let mut open = match self.node.open_file(file.conversation, file.position).await {
            Ok(open) => open,
            Err(e) if e.code == ErrorCode::NotFound => return Ok(false),
            Err(e) => return Err(e.into()),
        };
        self.begin(&format!("{FOLDER}/{}", file.name)).await?;
        while let Some(piece) = open.next().await? {
            self.piece(piece).await?;
        }
        self.end().await?;
        Ok(true)
    }

    async fn begin(&mut self, name: &str) -> Result<(), Stop> {
        let head = self.zip.begin(format!("{}/{name}", self.folder));
        self.send(head).await
    }

    async fn piece(&mut self, bytes: Vec<u8>) -> Result<(), Stop> {
        self.zip.piece(&bytes);
        self.send(bytes).await
    }

    async fn end(&mut self) -> Result<(), Stop> {
        // Only the text can have more than 4 GiB.
        let end = self.zip.end().ok_or_else(|| Stop::Failed(io::ErrorKind::FileTooLarge.into()))?;
        self.send(end).await
    }

    async fn send(&self, bytes: Vec<u8>) -> Result<(), Stop> {
        self.give.send(Ok(bytes.into())).await.map_err(|_| Stop::NobodyListens)
    }
}
