//! The envelope stores' exam, on SQLite and on a real mongod; and what only MongoDB has to stand.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use livechat_relay::store::envelopes::exam::{self, Exam, NOW};
use livechat_relay::store::envelopes::{self, EnvelopeStore, Origin, Stored};
use livechat_relay::store::{Location, MongoUrl, Store};
use livechat_relay::testing::{Mongod, mongo_missing};
use livechat_wire::EnvelopeId;
use livechat_wire::sync::Cursor;
use tokio::runtime::Runtime;

/// One for all: the driver's clean-up doesn't like its runtime to end.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"))
}

/// One server for all tests that don't kill it, started by the first; ends with `main`.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Option<Mongod>>>);

impl Server {
    fn uri(&self, database: &str) -> String {
        let mut server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // MongoDB takes database names of up to 63 bytes.
        server.get_or_insert_with(|| runtime().block_on(Mongod::start())).uri(&format!("{database:.60}"))
    }
}

fn main() {
    let server = Server::default();
    let mut trials = Vec::new();
    for (name, exam) in exam::all() {
        trials.push(Trial::test(format!("sqlite::{name}"), move || {
            let dir = tempfile::tempdir()?;
            run(Location::Sqlite(dir.path().join("relay.db")), exam)
        }));
        let server = server.clone();
        trials.push(on_mongo(name, move || run(Location::Mongo(MongoUrl(server.uri(name))), exam)));
    }
    let shared = server.clone();
    trials.push(on_mongo("two_processes_share_a_database", move || {
        let uri = shared.uri("two_processes");
        runtime().block_on(two_processes(&uri))
    }));
    trials.push(on_mongo("nothing_acknowledged_is_lost_when_mongod_is_killed", || runtime().block_on(killed_mongod())));
    if let Some(why) = mongo_missing() {
        eprintln!("mongo:: is ignored: {why}");
    }
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    drop(server.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    conclusion.exit();
}

fn on_mongo(name: &str, test: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::test(format!("mongo::{name}"), test).with_ignored_flag(mongo_missing().is_some())
}

fn run(location: Location, exam: Exam) -> Result<(), Failed> {
    runtime().block_on(async {
        let store = envelopes::open(&Store::open(&location).await?).await?;
        tokio::spawn(exam(store)).await.map_err(|e| Failed::from(format!("{e}")))
    })
}

async fn open(uri: &str) -> Result<Arc<dyn EnvelopeStore>, Failed> {
    Ok(envelopes::open(&Store::open(&Location::Mongo(MongoUrl(uri.to_owned()))).await?).await?)
}

/// Deposits in batches, as the relay's writer does, until all are stored.
async fn deposit_all(s: &dyn EnvelopeStore, origin: Origin, range: std::ops::Range<u32>) -> Vec<Stored> {
    let mut stored = Vec::new();
    for part in exam::envelopes(range).chunks(16) {
        stored.extend(s.deposit(origin, part.to_vec(), NOW).await.expect("deposited"));
    }
    stored
}

async fn read_all(s: &dyn EnvelopeStore, cursor: &mut Cursor) -> Vec<EnvelopeId> {
    let mut got = Vec::new();
    loop {
        let page = s.fetch(0, cursor, 50).await.expect("fetched");
        got.extend(page.envelopes.iter().map(|e| e.id()));
        *cursor = page.cursor;
        if !page.more {
            return got;
        }
    }
}

/// Two handles on one database, as two relay processes are: both get the same envelopes by gossip, at the same moment.
async fn two_processes(uri: &str) -> Result<(), Failed> {
    let (a, b) = (open(uri).await?, open(uri).await?);
    let first = a.lease_origin(11, NOW).await?;
    let second = b.lease_origin(22, NOW).await?;
    assert_ne!(first.id, second.id);
    let mut told = b.changes();
    told.mark_unchanged();
    let reader = {
        let b = b.clone();
        tokio::spawn(async move {
            let (mut cursor, mut got) = (Cursor::default(), Vec::new());
            while got.len() < 400 {
                got.extend(read_all(&*b, &mut cursor).await);
            }
            (cursor, got)
        })
    };
    // Each has 100 of its own and 200 that the other has as well.
    let (x, y) = tokio::join!(deposit_all(&*a, first, 0..300), deposit_all(&*b, second, 100..400));
    let (mut cursor, got) = tokio::time::timeout(Duration::from_secs(60), reader).await??;
    assert_eq!(got.len(), 400, "nothing twice");
    assert_eq!(got.into_iter().collect::<BTreeSet<_>>().len(), 400);
    assert_eq!(x[100..], y[..200], "whoever was first, both say the same");
    assert_eq!(read_all(&*b, &mut cursor).await, []);
    // What one stores wakes the other's readers.
    tokio::time::sleep(Duration::from_secs(3)).await;
    told.mark_unchanged();
    deposit_all(&*a, first, 400..401).await;
    tokio::time::timeout(Duration::from_secs(60), told.changed()).await??;
    assert_eq!(read_all(&*b, &mut cursor).await.len(), 1);
    Ok(())
}

/// SIGKILL of mongod, three times, in the middle of deposits: what was acknowledged keeps its numbers, what wasn't can be
/// deposited again, and the same handle finds its server again.
async fn killed_mongod() -> Result<(), Failed> {
    let mut server = Mongod::start().await;
    let s = open(&server.uri("killed")).await?;
    let origin = s.lease_origin(7, NOW).await?;
    let mut acknowledged = Vec::new();
    for life in 0..3_u32 {
        let writer = {
            let s = s.clone();
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for part in exam::envelopes(life * 2_000..(life + 1) * 2_000).chunks(8) {
                    match s.deposit(origin, part.to_vec(), NOW).await {
                        Ok(stored) => acknowledged.extend(stored),
                        Err(_) => break,
                    }
                }
                acknowledged
            })
        };
        tokio::time::sleep(Duration::from_millis(250 + 130 * u64::from(life))).await;
        server.kill_9();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.restart().await;
        acknowledged.extend(writer.await?);
    }
    assert!(acknowledged.len() > 100, "only {} were acknowledged", acknowledged.len());
    // The same handle goes on by itself.
    let begun = std::time::Instant::now();
    let more = loop {
        match s.deposit(origin, exam::envelopes(9_000..9_010), NOW).await {
            Ok(stored) => break stored,
            Err(e) => assert!(begun.elapsed() < Duration::from_secs(60), "{e}"),
        }
    };
    acknowledged.extend(more);
    for part in acknowledged.chunks(200) {
        let told = s.present(part.iter().map(|x| x.id).collect()).await?;
        assert_eq!(told, part.iter().map(|x| Some(*x)).collect::<Vec<_>>());
    }
    let got = read_all(&*s, &mut Cursor::default()).await;
    let once: BTreeSet<_> = got.iter().copied().collect();
    assert_eq!(once.len(), got.len(), "nothing twice");
    assert!(acknowledged.iter().all(|x| once.contains(&x.id)));
    Ok(())
}
