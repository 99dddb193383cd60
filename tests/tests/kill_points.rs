//! P1: SIGKILL of relay and nodes at enumerated system calls. Whatever was acknowledged is there afterwards, once, and
//! in its sender's order.
//!
//! `LIVECHAT_KILL_POINTS` sets how many points (gate 100, deep 1,000). A point is (victim, n): the victim is killed at
//! the n-th call of its store's thread that writes or syncs.
#![allow(clippy::panic, reason = "tests fail by panicking")]

use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use livechat_node::api::socket::Client;
use livechat_node::api::{Request, Response};
use livechat_tests::process::{Need, NodeProcess, Person as _, RelayProcess, text, unmet};
use livechat_wire::ConversationId;

/// Played side by side; what they do is mostly waiting.
const WORLDS: usize = 4;
/// For everything to arrive, with debug builds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// The same where something is to be missing.
const SETTLED: Duration = Duration::from_secs(10);

/// What a store does to its files, and what a process says to others.
const CALLS: &str = "pwrite64,fdatasync,fsync,sendto,writev";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Relay,
    Sender,
    Recipient,
}

struct World {
    relay: RelayProcess,
    alice: NodeProcess,
    bob: NodeProcess,
    /// The direct chat.
    chat: ConversationId,
    /// Acknowledged to the user: safe on the sender's disk.
    acknowledged: Vec<String>,
    /// Neither acknowledged nor refused: may be there once, or not.
    uncertain: Vec<String>,
}

fn tracer(n: usize) -> Vec<String> {
    ["strace", "-f", "-qq", "-o", "/dev/null", "-e"]
        .into_iter()
        .map(str::to_owned)
        .chain([format!("trace={CALLS}"), "-e".to_owned(), format!("inject={CALLS}:signal=SIGKILL:when={n}")])
        .collect()
}

impl World {
    async fn new(folder: &std::path::Path) -> Self {
        let relay = RelayProcess::start(&folder.join("relay"), None);
        let alice = NodeProcess::start(&folder.join("alice"), &relay.url());
        let bob = NodeProcess::start(&folder.join("bob"), &relay.url());
        let (a, b) = (alice.client().await, bob.client().await);
        a.signs_up("alice").await;
        b.signs_up("bob").await;
        let chat = a.adds("bob").await.conversation;
        let first = a.says(chat, "first").await;
        b.reads(chat, 1).await;
        Self { relay, alice, bob, chat, acknowledged: vec![text(&first)], uncertain: Vec::new() }
    }

    /// One point: the victim dies at its n-th call while Alice is talking.
    async fn point(&mut self, round: usize, victim: Victim, n: usize) -> bool {
        // What the relay says it keeps must not depend on Bob having it: he is away.
        if victim == Victim::Relay {
            self.bob.kill_9();
        }
        let up = match victim {
            Victim::Relay => {
                self.relay.wrap(&tracer(n));
                self.relay.try_restart()
            }
            Victim::Sender => {
                self.alice.wrap(&tracer(n));
                self.alice.try_restart()
            }
            Victim::Recipient => {
                self.bob.wrap(&tracer(n));
                self.bob.try_restart()
            }
        };
        if up || victim != Victim::Sender {
            self.talk(round).await;
        }
        // Give the message time to travel, unless the victim is gone already.
        let patience = Instant::now() + Duration::from_millis(1_500);
        while up && Instant::now() < patience && !self.is_dead(victim) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let killed_by_the_point = !up || self.is_dead(victim);
        match victim {
            Victim::Relay => {
                self.relay.wrap(&[]);
                self.relay.restart();
                self.bob.restart();
            }
            Victim::Sender => {
                self.alice.wrap(&[]);
                self.alice.restart();
            }
            Victim::Recipient => {
                self.bob.wrap(&[]);
                self.bob.restart();
            }
        }
        killed_by_the_point
    }

    fn is_dead(&mut self, victim: Victim) -> bool {
        match victim {
            Victim::Relay => self.relay.process().has_ended(),
            Victim::Sender => self.alice.process().has_ended(),
            Victim::Recipient => self.bob.process().has_ended(),
        }
    }

    async fn talk(&mut self, round: usize) {
        let Ok(client) = Client::connect(self.alice.folder().join("node.sock")).await else { return };
        for k in 0..3 {
            let words = format!("point {round} message {k}");
            let send = Request::Send { conversation: self.chat, text: words.clone(), id: None, reply_to: None };
            match tokio::time::timeout(Duration::from_secs(5), client.request(send)).await {
                Ok(Ok(Response::Sent(_))) => self.acknowledged.push(words),
                _ => {
                    self.uncertain.push(words);
                    return;
                }
            }
        }
    }

    /// What is wrong with the two histories, if anything.
    async fn verdict(&self, patience: Duration) -> Result<(), String> {
        let (a, b) = (self.alice.client().await, self.bob.client().await);
        let deadline = Instant::now() + patience;
        loop {
            let theirs: Vec<_> = b.history(self.chat).await.iter().map(text).collect();
            let ours: Vec<_> = a.history(self.chat).await.iter().map(text).collect();
            let verdict = self.judge("alice", &ours).and_then(|()| self.judge("bob", &theirs));
            match verdict {
                Err(e) if Instant::now() > deadline => return Err(e),
                Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
                Ok(()) => return Ok(()),
            }
        }
    }

    fn judge(&self, whose: &str, history: &[String]) -> Result<(), String> {
        let certain: Vec<_> = history.iter().filter(|t| !self.uncertain.contains(t)).cloned().collect();
        for (n, t) in history.iter().enumerate() {
            if history[..n].contains(t) {
                return Err(format!("{whose} has {t:?} twice"));
            }
        }
        if certain == self.acknowledged {
            return Ok(());
        }
        let missing: Vec<_> = self.acknowledged.iter().filter(|t| !certain.contains(t)).collect();
        if missing.is_empty() {
            Err(format!("{whose} has them in another order"))
        } else {
            Err(format!("{whose} lacks {missing:?}"))
        }
    }
}

/// Victims in turn; for each, every call from the first on.
fn points(count: usize) -> impl Iterator<Item = (usize, Victim, usize)> {
    let victims = [Victim::Relay, Victim::Sender, Victim::Recipient];
    (0..count).map(move |i| (i, victims[i % victims.len()], 1 + i / victims.len()))
}

/// Plays `points` in one world after the other, judging every few. What was found in words, or what is wrong.
async fn play(points: &[(usize, Victim, usize)], sabotage: Option<&str>) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let mut world = World::new(folder.path()).await;
    if let Some(what) = sabotage {
        // From the first point on: what was set up is to be there, or nothing could be asked for.
        world.alice.set("LIVECHAT_SABOTAGE", what);
    }
    let mut by_the_point = 0;
    for (done, (i, victim, n)) in points.iter().copied().enumerate() {
        by_the_point += usize::from(world.point(i, victim, n).await);
        if (done + 1) % 10 == 0 || done + 1 == points.len() {
            let patience = if sabotage.is_some() { SETTLED } else { PATIENCE };
            world.verdict(patience).await.map_err(|e| format!("after point {i} ({victim:?}, call {n}): {e}"))?;
        }
    }
    Ok(format!(
        "{} points, {by_the_point} died at their call and the others at rest: {} acknowledged messages, 0 lost, 0 doubled, 0 out of order ({} uncertain)",
        points.len(),
        world.acknowledged.len(),
        world.uncertain.len()
    ))
}

fn run(points: &[(usize, Victim, usize)]) -> Result<(), Failed> {
    println!("{}", tokio::runtime::Runtime::new()?.block_on(play(points, None))?);
    Ok(())
}

/// A call that no run gets to: the victim dies at rest.
#[cfg(feature = "sabotage")]
const NEVER: usize = 60_000;

/// The control: a node that answers before it commits loses what it acknowledged.
#[cfg(feature = "sabotage")]
fn control() -> Result<(), Failed> {
    let early = points(60).filter(|(_, victim, _)| *victim == Victim::Sender);
    let sender: Vec<_> = early.chain([(60, Victim::Sender, NEVER)]).collect();
    match tokio::runtime::Runtime::new()?.block_on(play(&sender, Some("answer-before-commit"))) {
        Err(why) if why.contains("lacks") => {
            println!("noticed: {why}");
            Ok(())
        }
        Err(why) => Err(format!("something else went wrong: {why}").into()),
        Ok(fine) => Err(format!("nobody noticed: {fine}").into()),
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let count = std::env::var("LIVECHAT_KILL_POINTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100);
    let missing = unmet(Need::Strace);
    let mut worlds = vec![Vec::new(); WORLDS];
    for point in points(count) {
        // Each world gets all three victims.
        worlds[point.0 / 3 % WORLDS].push(point);
    }
    #[cfg_attr(not(feature = "sabotage"), allow(unused_mut, reason = "the control is added"))]
    let mut trials: Vec<_> = worlds
        .into_iter()
        .enumerate()
        .map(|(w, points)| {
            Trial::test(format!("p1_nothing_acknowledged_is_lost_or_doubled_{w}"), move || run(&points))
                .with_ignored_flag(missing.is_some())
        })
        .collect();
    #[cfg(feature = "sabotage")]
    trials.push(
        Trial::test("p1_control_answering_before_the_commit_is_noticed", control).with_ignored_flag(missing.is_some()),
    );
    if let Some(why) = missing {
        eprintln!("{why}");
    }
    libtest_mimic::run(&arguments, trials).exit();
}
