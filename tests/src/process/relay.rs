//! `livechat-relay` as an operator runs it.

use livechat_relay::testing::free_port;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Running, binaries};

/// A relay on fixed loopback ports and a folder of its own, so that it comes back as the same one after a kill.
#[derive(Debug)]
pub struct RelayProcess {
    running: Option<Running>,
    folder: PathBuf,
    store: Option<String>,
    http: u16,
    p2p: u16,
    /// Put before the command line: a tracer, for example.
    wrapper: Vec<String>,
    environment: Vec<(String, String)>,
}

impl RelayProcess {
    /// Starts it in `folder`; on SQLite there, unless `store` names a database.
    pub fn start(folder: &Path, store: Option<&str>) -> Self {
        Self::start_with(folder, store, &[])
    }

    /// The same with variables in its environment.
    pub fn start_with(folder: &Path, store: Option<&str>, environment: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(folder).expect("a folder for the relay");
        let mut this = Self {
            running: None,
            folder: folder.to_owned(),
            store: store.map(str::to_owned),
            http: free_port(),
            p2p: free_port(),
            wrapper: Vec::new(),
            environment: environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        };
        this.restart();
        this
    }

    /// Starts it again, on the same ports and folder.
    pub fn restart(&mut self) {
        self.kill_9();
        self.running = Some(Running::start(self.command(), &self.folder.join("log")));
    }

    /// The same for one that may end on its way; whether it got ready.
    pub fn try_restart(&mut self) -> bool {
        self.kill_9();
        self.running = Running::try_start(self.command());
        self.running.is_some()
    }

    /// SIGKILL.
    pub fn kill_9(&mut self) {
        if let Some(mut r) = self.running.take() {
            r.kill_9();
        }
    }

    /// Runs the program under another one from the next start on; none to run it plainly.
    pub fn wrap(&mut self, wrapper: &[String]) {
        self.wrapper = wrapper.to_vec();
    }

    /// Its HTTP address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// Where its keys, log and, by default, its database lie.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process, to kill or watch.
    pub fn process(&mut self) -> &mut Running {
        self.running.as_mut().expect("the relay runs")
    }

    /// The command line it is started with.
    fn command(&self) -> Command {
        let mut words = self.wrapper.clone();
        words.push(binaries().relay.display().to_string());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(["serve", "--ready-json"]);
        command.arg("--http").arg(format!("127.0.0.1:{}", self.http));
        command.arg("--p2p").arg(format!("/ip4/127.0.0.1/tcp/{}", self.p2p));
        command.arg("--p2p").arg(format!("/ip4/127.0.0.1/udp/{}/quic-v1", self.p2p));
        command.arg("--data-dir").arg(&self.folder);
        if let Some(store) = &self.store {
            command.arg("--store").arg(store);
        }
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).expect("a log");
        command.stderr(Stdio::from(log)).envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }
}
