//! The demo's world: one relay, two people.

use std::path::{Path, PathBuf};

use livechat_relay::Relay;
use url::Url;

use super::person::Person;
use crate::exit::{Exit, Failure};
use crate::out::Out;
use crate::style::Ink;

/// Everything that runs.
pub struct Town {
    relay: Option<Relay>,
    relay_dir: PathBuf,
    alice: Person,
    bob: Person,
    fresh: bool,
}

impl Town {
    /// Starts the relay and both nodes, and signs both people up.
    pub async fn open(dir: &Path, out: &mut Out) -> Result<Self, Failure> {
        step(out, "starting a relay on its embedded store (SQLite)")?;
        let relay_dir = dir.join("relay");
        std::fs::create_dir_all(&relay_dir).map_err(|e| Failure::io(&format!("make {}", relay_dir.display()), &e))?;
        let relay = start_relay(&relay_dir).await?;
        let url: Url = format!("http://{}", relay.http_addr())
            .parse()
            .map_err(|_| Failure::new(Exit::Failure, "The relay has no address.", ""))?;
        step(out, &format!("relay at {url}; starting two nodes"))?;
        let (mut alice, mut bob) = tokio::try_join!(Person::open("alice", dir, &url), Person::open("bob", dir, &url))?;
        step(out, "signing up alice and bob, with codes from their setup keys as an authenticator app computes them")?;
        let (a, b) = tokio::try_join!(alice.enter(), bob.enter())?;
        Ok(Self { relay: Some(relay), relay_dir, alice, bob, fresh: a || b })
    }

    /// Whether somebody signed up just now.
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    pub fn people(&self) -> [&Person; 2] {
        [&self.alice, &self.bob]
    }

    pub fn alice(&self) -> &Person {
        &self.alice
    }

    pub fn bob(&self) -> &Person {
        &self.bob
    }

    pub fn bob_mut(&mut self) -> &mut Person {
        &mut self.bob
    }

    /// Where the relay keeps its database.
    pub fn relay_dir(&self) -> &Path {
        &self.relay_dir
    }

    /// A few first words, so that there is something to see. Nothing when they know each other already.
    pub async fn introduce(&self, out: &mut Out) -> Result<(), Failure> {
        if self.alice.contact("bob").await?.is_some() {
            return Ok(());
        }
        step(out, "alice looks bob up and writes to him")?;
        let bob = self.alice.add("bob").await?;
        let hello = "Hi Bob, this is end-to-end encrypted 🔒";
        self.alice.send(&bob, hello).await?;
        let alice = self.bob.meets("alice").await?;
        self.bob.sees(&alice, hello).await?;
        step(out, "bob answers")?;
        let answer = "Hi Alice! The relay carried it and could not read it.";
        self.bob.send(&alice, answer).await?;
        self.alice.sees(&bob, answer).await
    }

    /// Stops everything, people first.
    pub async fn close(mut self) {
        tokio::join!(self.alice.stop(), self.bob.stop());
        if let Some(relay) = self.relay.take() {
            relay.stop().await;
        }
    }
}

/// A demo that is run again keeps its relay's address, if that is still free: others may have joined it.
async fn start_relay(dir: &Path) -> Result<Relay, Failure> {
    let mut config = livechat_relay::Config {
        network: "demo".to_owned(),
        name: "LiveChat demo".to_owned(),
        ..livechat_relay::Config::local(dir)
    };
    let kept = dir.join("http-address");
    if let Some(address) = std::fs::read_to_string(&kept).ok().and_then(|a| a.trim().parse().ok())
        && std::net::TcpListener::bind(address).is_ok()
    {
        config.http = address;
    }
    let relay = livechat_relay::start(config)
        .await
        .map_err(|e| Failure::new(Exit::NoNode, format!("The demo's relay doesn't start: {e}."), ""))?;
    std::fs::write(&kept, relay.http_addr().to_string())
        .map_err(|e| Failure::io(&format!("write {}", kept.display()), &e))?;
    Ok(relay)
}

/// A progress line.
pub fn step(out: &mut Out, what: &str) -> Result<(), Failure> {
    let line = out.look.style.paint(Ink::Quiet, &format!("· {what} …"));
    out.line(&line)
}
