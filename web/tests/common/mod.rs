//! A web UI in front of a node whose relay can't be reached, and requests written byte by byte: a client library would
//! refuse to send most of what has to be refused.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::time::Duration;

use livechat_node::{Config, Node};
use livechat_web::{Ui, serve};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A further name that the server is told to allow.
pub const NAME: &str = "alice.localhost";

/// Fails a test instead of hanging it. An answer may wait for a session to be safe on a disk that a build keeps busy.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Served {
    pub ui: Ui,
    pub node: Node,
    pub addr: SocketAddr,
    pub dir: TempDir,
}

impl Served {
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    /// With another further name.
    pub async fn start_named(name: &str) -> Self {
        Self::start_with(tempfile::tempdir().unwrap(), name).await
    }

    pub async fn start_in(dir: TempDir) -> Self {
        Self::start_with(dir, NAME).await
    }

    async fn start_with(dir: TempDir, name: &str) -> Self {
        let mut config = Config::new(dir.path(), "http://127.0.0.1:9/".parse().unwrap());
        config.listen = vec!["/ip4/127.0.0.1/tcp/0".into()];
        let node = Node::start(config).await.unwrap();
        let listen = "127.0.0.1:0".parse().unwrap();
        let ui = serve(node.clone(), livechat_web::Config { listen, hosts: vec![name.into()] }).await.unwrap();
        let addr = ui.addr();
        Self { ui, node, addr, dir }
    }

    pub async fn stop(self) -> TempDir {
        self.ui.stop().await;
        self.node.stop().await;
        self.dir
    }

    /// The token of a fresh link.
    pub fn token(&self) -> String {
        self.ui.link().split_once("#link=").unwrap().1.to_owned()
    }

    pub fn host(&self) -> String {
        self.addr.to_string()
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Swaps a fresh link; the cookie as a browser sends it back.
    pub async fn admitted(&self) -> String {
        let answer = self.swap(&self.token()).await;
        assert_eq!(answer.status, 204);
        let cookie = answer.header("set-cookie").unwrap();
        cookie.split_once(';').unwrap().0.to_owned()
    }

    pub async fn swap(&self, token: &str) -> Answer {
        let body = format!("{{\"token\":\"{token}\"}}");
        let head = [("Host", self.host()), ("Origin", self.origin()), ("Content-Type", "application/json".into())];
        self.ask("POST /api/session", &head, &body).await
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        let head = [("Host", self.host()), ("Cookie", cookie.to_owned())];
        self.ask(&format!("GET {path}"), &head, "").await
    }

    /// Sends exactly these headers (and a length where there is a body). A WebSocket is closed once it is open.
    pub async fn ask(&self, line: &str, head: &[(&str, String)], body: &str) -> Answer {
        let mut text = format!("{line} HTTP/1.1\r\n");
        for (name, value) in head {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        if !head.iter().any(|(n, _)| n.eq_ignore_ascii_case("connection")) {
            text.push_str("Connection: close\r\n");
        }
        text.push_str("\r\n");
        text.push_str(body);
        self.raw(text.as_bytes()).await
    }

    pub async fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut read = Vec::new();
        let mut buffer = [0; 4096];
        let end = loop {
            if let Some(end) = read.windows(4).position(|w| w == b"\r\n\r\n") {
                break end;
            }
            let n = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap_or(0);
            if n == 0 {
                break read.len();
            }
            read.extend_from_slice(&buffer[..n]);
        };
        let head = String::from_utf8_lossy(&read[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        let length = Answer { status, head: head.clone(), body: String::new() };
        let length = length.header("content-length").and_then(|v| v.parse().ok());
        let whole = |read: &[u8]| status == 101 || length.is_some_and(|n: usize| read.len() >= end + 4 + n);
        while !whole(&read)
            && let Ok(Ok(n)) = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await
            && n > 0
        {
            read.extend_from_slice(&buffer[..n]);
        }
        let body = String::from_utf8_lossy(read.get(end + 4..).unwrap_or_default()).into_owned();
        Answer { status, head, body }
    }
}

pub struct Answer {
    /// 0 when the server hung up without one.
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (n, v) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| v.trim())
        })
    }
}
