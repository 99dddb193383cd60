//! A real mongod: a replica set of one, on loopback, in a folder that goes with it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::free_port;
use mongodb::Client;
use mongodb::bson::{Document, doc};
use mongodb::options::ClientOptions;
use tempfile::TempDir;

/// How long mongod may take to serve: a loaded machine, a journal to replay.
const READY: Duration = Duration::from_secs(60);

/// Why tests on MongoDB can't run here, if they can't: for "ignored: why".
///
/// # Panics
/// Where `LIVECHAT_REQUIRE` contains `mongo`: then they must run.
#[must_use]
pub fn mongo_missing() -> Option<&'static str> {
    if program().is_some() {
        return None;
    }
    let required = std::env::var("LIVECHAT_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|r| r.trim() == "mongo"),
        "LIVECHAT_REQUIRE asks for mongo, but no mongod is here"
    );
    Some("mongod not found; set LIVECHAT_MONGOD or put it on the path")
}

/// `LIVECHAT_MONGOD`, or on the path.
fn program() -> Option<PathBuf> {
    if let Some(set) = std::env::var_os("LIVECHAT_MONGOD") {
        return Some(set.into());
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|d| d.join("mongod")).find(|p| p.is_file())
}

/// A running mongod; killed when dropped.
#[derive(Debug)]
pub struct Mongod {
    child: Option<Child>,
    folder: TempDir,
    port: u16,
    alone: bool,
}

impl Mongod {
    /// Starts one and waits until it takes writes. Nothing is compressed, so that its files can be searched.
    ///
    /// # Panics
    /// When there is none ([`mongo_missing`]) or it doesn't get ready.
    pub async fn start() -> Self {
        Self::start_as(false).await
    }

    /// Starts one that is no replica set: what the relay refuses.
    ///
    /// # Panics
    /// Like [`Mongod::start`].
    pub async fn start_alone() -> Self {
        Self::start_as(true).await
    }

    async fn start_as(alone: bool) -> Self {
        let folder = TempDir::new().expect("a folder for mongod");
        let port = free_port();
        let mut this = Self { child: None, folder, port, alone };
        this.restart().await;
        this
    }

    /// A connection string for a database of this server.
    #[must_use]
    pub fn uri(&self, database: &str) -> String {
        let options = if self.alone { "directConnection=true" } else { "replicaSet=rs0" };
        format!("mongodb://127.0.0.1:{}/{database}?{options}", self.port)
    }

    /// Where its files lie.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// SIGKILL.
    pub fn kill_9(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kills mongod");
            child.wait().expect("waits for mongod");
        }
    }

    /// Starts it again on the same files and port.
    ///
    /// # Panics
    /// When it doesn't get ready.
    pub async fn restart(&mut self) {
        self.kill_9();
        let program = program().expect("mongod is here");
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a log for mongod");
        let set: &[&str] = if self.alone { &[] } else { &["--replSet", "rs0"] };
        let child = Command::new(program)
            .args(["--bind_ip", "127.0.0.1", "--nounixsocket"])
            .args(set)
            .args(["--wiredTigerCollectionBlockCompressor", "none", "--wiredTigerJournalCompressor", "none"])
            .args(["--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"])
            .args(["--setParameter", "diagnosticDataCollectionEnabled=false"])
            .arg("--port")
            .arg(self.port.to_string())
            .arg("--dbpath")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(Stdio::null())
            .spawn()
            .expect("starts mongod");
        self.child = Some(child);
        self.wait().await;
    }

    async fn wait(&self) {
        let url = format!("mongodb://127.0.0.1:{}/?directConnection=true", self.port);
        let mut options = ClientOptions::parse(url).await.expect("an address");
        options.server_selection_timeout = Some(Duration::from_secs(2));
        let admin = Client::with_options(options).expect("a client").database("admin");
        let deadline = Instant::now() + READY;
        let me = format!("127.0.0.1:{}", self.port);
        let set = doc! { "_id": "rs0", "members": [{ "_id": 0, "host": me }] };
        loop {
            let hello = admin.run_command(doc! { "hello": 1 }).await.unwrap_or_default();
            if hello.get_bool("isWritablePrimary").unwrap_or(false) {
                return;
            }
            if is_new(&hello) {
                // Refused when somebody was faster; the next hello tells.
                drop(admin.run_command(doc! { "replSetInitiate": set.clone() }).await);
            }
            assert!(Instant::now() < deadline, "mongod isn't ready; its log is in {}", self.folder.path().display());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Answers, and isn't in a replica set yet.
fn is_new(hello: &Document) -> bool {
    !hello.is_empty() && !hello.contains_key("setName")
}

impl Drop for Mongod {
    fn drop(&mut self) {
        self.kill_9();
    }
}
