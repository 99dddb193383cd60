//! A node that a test plays: a Unix socket that speaks the API's frames.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use livechat_node::api::{
    AccountId, AccountState, Contact, Conversation, ConversationId, Delivery, DeviceId, Error, ErrorCode, Group,
    GroupMember, HistoryPage, Membership, Message, MessageBody, MessageId, Order, RelayState, Request, RequestFrame,
    Response, Role, ServerFrame, Standing, Status,
};

/// Half past eight, UTC.
const MORNING: u64 = 1_795_336_200_000;

pub struct Node {
    dir: tempfile::TempDir,
    asked: Arc<Mutex<Vec<Request>>>,
}

/// Says something to the client that is being answered, after the answer.
pub struct Events {
    later: Mutex<Vec<ServerFrame>>,
    gone: Mutex<bool>,
}

impl Events {
    pub fn say(&self, frame: ServerFrame) {
        self.later.lock().unwrap().push(frame);
    }

    pub fn hang_up(&self) {
        *self.gone.lock().unwrap() = true;
    }
}

impl Node {
    pub fn play(answers: impl Fn(&Request, &Events) -> Result<Response, Error> + Send + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("node.sock")).unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let told = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &answers, &told);
            }
        });
        Self { dir, asked }
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    stream: UnixStream,
    answers: &dyn Fn(&Request, &Events) -> Result<Response, Error>,
    told: &Mutex<Vec<Request>>,
) {
    let mut write = stream.try_clone().unwrap();
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        let RequestFrame { id, request } = serde_json::from_str(&line).unwrap();
        let events = Events { later: Mutex::default(), gone: Mutex::default() };
        let answer = answers(&request, &events);
        told.lock().unwrap().push(request);
        if events.gone.into_inner().unwrap() {
            return;
        }
        let frame = match answer {
            Ok(ok) => ServerFrame::Ok { id, ok },
            Err(error) => ServerFrame::Error { id: Some(id), error },
        };
        for frame in std::iter::once(frame).chain(events.later.into_inner().unwrap()) {
            let mut line = serde_json::to_vec(&frame).unwrap();
            line.push(b'\n');
            if write.write_all(&line).is_err() {
                return;
            }
        }
    }
}

/// Alice, logged in, with bob as her only contact and nothing said.
pub fn active(request: &Request, _: &Events) -> Result<Response, Error> {
    Ok(match request {
        Request::Status => Response::Status(status()),
        Request::Contacts => Response::Contacts { contacts: vec![bob()] },
        Request::Conversations => Response::Conversations { conversations: vec![conversation(0)] },
        Request::History { .. } => Response::History(HistoryPage { messages: Vec::new(), more: false, newer: false }),
        Request::MarkRead { .. } => Response::Done,
        _ => return Err(error(ErrorCode::Internal)),
    })
}

pub fn status() -> Status {
    Status {
        account: AccountState::Active {
            username: "alice".into(),
            account: AccountId([1; 32]),
            device: DeviceId([2; 32]),
            session_expires_at: MORNING / 1_000 + 864_000,
            logged_in: true,
            phrase_waits: false,
            removed: false,
        },
        relay_url: "https://relay.example.org".into(),
        relay: RelayState::Online,
        peers: 1,
        queued: 0,
        live_users: Some(2),
        version: "0.1.0".into(),
    }
}

pub fn bob() -> Contact {
    Contact {
        account: AccountId([4; 32]),
        username: "bob".into(),
        conversation: ConversationId([3; 32]),
        safety_number: ["12345"; 12].join(" "),
        display_name: None,
        verified: false,
        new_keys: false,
        standing: Standing::Accepted,
    }
}

pub fn conversation(unread: u32) -> Conversation {
    Conversation {
        id: bob().conversation,
        title: "bob".into(),
        group: false,
        last: None,
        unread,
        unread_from: None,
        unread_mentions: 0,
        standing: Standing::Accepted,
        verified: false,
        new_keys: false,
        draft: None,
        pinned: false,
        archived: false,
        muted_until: None,
        timer: None,
        typing: Vec::new(),
    }
}

/// A group with a title that would clear a terminal.
pub fn group() -> Group {
    let member = |account, username: &str, role, own| GroupMember { account, username: username.into(), role, own };
    Group {
        conversation: ConversationId([6; 32]),
        title: "Berg\u{1b}[2Jfahrt".into(),
        members: vec![
            member(AccountId([1; 32]), "alice", Role::Owner, true),
            member(bob().account, "bob", Role::Member, false),
        ],
        own_role: Role::Owner,
        standing: Membership::Joined,
        pending: 0,
        waiting: false,
        forked: false,
        open: false,
        provisional: 0,
        order: Order::Relay,
        epoch: 1,
        authenticator: "00".repeat(32),
    }
}

pub fn message(position: u64, text: &str) -> Message {
    Message {
        id: MessageId([u8::try_from(position).unwrap(); 16]),
        position,
        author: AccountId([4; 32]),
        author_name: "bob".into(),
        own: false,
        sent_at: MORNING,
        received_at: MORNING,
        body: MessageBody::Text { text: text.into() },
        delivery: None,
        gap: false,
        reply_to: None,
        forwarded: false,
        edited_at: None,
        reactions: Vec::new(),
        timer: None,
        expires_at: None,
        mentions_me: false,
    }
}

pub fn own(text: &str, delivery: Delivery) -> Message {
    Message { own: true, author_name: "alice".into(), delivery: Some(delivery), ..message(3, text) }
}

pub fn error(code: ErrorCode) -> Error {
    Error { code, message: "what failed.".into(), hint: "what to do.".trim_end_matches('.').into(), retry_after: None }
}

pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_livechat"));
    command.args(args).env_clear().env("TZ", "UTC").env("LIVECHAT_DATA_DIR", dir).stdin(Stdio::null());
    command
}

pub fn run(dir: &Path, args: &[&str]) -> Done {
    run_with(dir, args, None)
}

pub fn run_with(dir: &Path, args: &[&str], input: Option<&str>) -> Done {
    let mut command = command(dir, args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().unwrap();
    if let Some(input) = input {
        // The program may end before it has read everything.
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap_or_default();
    }
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code().expect("ended by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
