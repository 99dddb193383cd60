//! The slot stores' exam, on SQLite and on a real mongod; and what two processes, a full disk, a killed server and an
//! older file have to stand.
#![allow(clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use livechat_relay::store::slots::exam::{self, Exam, NOW, commit, read_all, slot};
use livechat_relay::store::slots::{self, AppendError, Placed, SlotStore};
use livechat_relay::store::{Location, MongoUrl, Store, envelopes};
use livechat_relay::testing::{Mongod, mongo_missing};
use livechat_wire::limits as wire;
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
    fn location(&self, database: &str) -> Location {
        let mut server = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // MongoDB takes database names of up to 63 bytes.
        let server = server.get_or_insert_with(|| runtime().block_on(Mongod::start()));
        Location::Mongo(MongoUrl(server.uri(&format!("{database:.60}"))))
    }
}

fn main() {
    let server = Server::default();
    let mut trials = vec![
        Trial::test("sqlite::two_processes_share_a_file", || {
            let dir = tempfile::tempdir()?;
            runtime().block_on(two_processes(&sqlite(dir.path())))
        }),
        Trial::test("sqlite::a_full_disk_is_an_outage_and_nothing_is_lost", || {
            runtime().block_on(a_full_disk_is_an_outage_and_nothing_is_lost())
        }),
        Trial::test("sqlite::a_file_of_the_version_before_opens", || {
            runtime().block_on(a_file_of_the_version_before_opens())
        }),
    ];
    for (name, exam) in exam::all() {
        trials.push(Trial::test(format!("sqlite::{name}"), move || {
            let dir = tempfile::tempdir()?;
            run(&sqlite(dir.path()), exam)
        }));
        let server = server.clone();
        trials.push(on_mongo(name, move || run(&server.location(name), exam)));
    }
    let shared = server.clone();
    trials.push(on_mongo("two_processes_share_a_database", move || {
        runtime().block_on(two_processes(&shared.location("two_processes")))
    }));
    trials.push(on_mongo("nothing_acknowledged_is_lost_when_mongod_is_killed", || runtime().block_on(killed_mongod())));
    let shared = server.clone();
    trials.push(on_mongo("what_a_dying_process_did_not_note_is_remembered", move || {
        runtime().block_on(half_an_append(&shared.location("half_an_append")))
    }));
    if let Some(why) = mongo_missing() {
        eprintln!("mongo:: is ignored: {why}");
    }
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    drop(server.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    conclusion.exit();
}

fn sqlite(dir: &Path) -> Location {
    Location::Sqlite(dir.join("relay.db"))
}

fn on_mongo(name: &str, test: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::test(format!("mongo::{name}"), test).with_ignored_flag(mongo_missing().is_some())
}

fn run(location: &Location, exam: Exam) -> Result<(), Failed> {
    runtime().block_on(async {
        let store = open(location).await?;
        tokio::spawn(exam(store)).await.map_err(|e| Failed::from(format!("{e}")))
    })
}

async fn open(location: &Location) -> Result<Arc<dyn SlotStore>, Failed> {
    Ok(slots::open(&Store::open(location).await?))
}

/// Two handles on one database, as two relay processes are: both append to the same slot at the same moment, some of it
/// the same, since a sender who hears nothing asks the other.
async fn two_processes(location: &Location) -> Result<(), Failed> {
    let processes = [open(location).await?, open(location).await?];
    let writers: Vec<_> = (0..8_u32)
        .map(|w| {
            let s = processes[(w % 2) as usize].clone();
            tokio::spawn(async move {
                let mut placed = Vec::new();
                // Neighbours, one in each process, have half of theirs in common.
                for n in w * 10..w * 10 + 20 {
                    placed.push((n, append(&*s, n).await));
                }
                placed
            })
        })
        .collect();
    let mut all = std::collections::BTreeMap::new();
    for w in writers {
        for (n, placed) in w.await? {
            assert_eq!(*all.entry(n).or_insert(placed), placed, "whoever was first, both say the same");
        }
    }
    let indices: BTreeSet<_> = all.values().map(|p| p.index).collect();
    assert_eq!(indices, (0..90).collect(), "each number once, and no hole");
    for s in processes {
        let got = read_all(&*s, slot(0), 0).await;
        assert!(all.iter().all(|(n, placed)| got[placed.index as usize] == commit(*n)));
    }
    Ok(())
}

/// Until it is kept; every refusal must be the surroundings'.
async fn append(s: &dyn SlotStore, n: u32) -> Placed {
    let begun = Instant::now();
    loop {
        match s.append(slot(0), commit(n), NOW).await {
            Ok(placed) => return placed,
            Err(AppendError::Store(e)) if e.is_outage() && begun.elapsed() < Duration::from_secs(60) => {}
            Err(e) => panic!("{e}"),
        }
    }
}

async fn a_full_disk_is_an_outage_and_nothing_is_lost() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let store = Store::open(&sqlite(dir.path())).await?;
    let Store::Sqlite(db) = &store else { return Err("not SQLite".into()) };
    let pages = |n: u32| db.write(move |db| Ok(db.pragma_update(None, "max_page_count", n)?));
    let s = slots::open(&store);
    let used: u32 = db.read(|db| Ok(db.query_row("PRAGMA page_count", [], |r| r.get(0))?)).await?;
    pages(used + 60).await?;
    let (mut kept, mut refused) = (Vec::new(), 0);
    for n in 0..80 {
        match s.append(slot(n % 3), commit(n), NOW).await {
            Ok(placed) => kept.push((n, placed)),
            Err(AppendError::Store(e)) if e.is_outage() => refused += 1,
            Err(e) => return Err(e.to_string().into()),
        }
    }
    assert!(refused > 20 && kept.len() > 10, "{refused} refused, {} kept", kept.len());
    pages(1_000_000).await?;
    for (n, placed) in &kept {
        assert_eq!(s.append(slot(n % 3), commit(*n), NOW + 9).await?, *placed);
    }
    for n in 0..3 {
        let expected = kept.iter().filter(|(m, _)| m % 3 == n).count();
        assert_eq!(read_all(&*s, slot(n), 0).await.len(), expected, "what was refused left no trace");
        assert_eq!(s.append(slot(n), commit(900 + n), NOW).await?.index as usize, expected);
    }
    Ok(())
}

/// `tests/data/relay-2.sql` is a dump of a database that the version before this table wrote.
async fn a_file_of_the_version_before_opens() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let old = rusqlite::Connection::open(dir.path().join("relay.db"))?;
    old.execute_batch(include_str!("data/relay-2.sql"))?;
    drop(old);
    let store = Store::open(&sqlite(dir.path())).await?;
    let page = envelopes::open(&store).await?.fetch(0, &Cursor::default(), 10).await?;
    assert_eq!(page.envelopes, [envelopes::exam::envelope(1, 0, envelopes::exam::NOW)]);
    let s = slots::open(&store);
    assert_eq!(s.append(slot(0), commit(1), NOW).await?, Placed { index: 0, time: NOW });
    assert_eq!(read_all(&*s, slot(0), 0).await, [commit(1)]);
    Ok(())
}

/// A process dies after it put an entry in and before it noted the slot's next number.
async fn half_an_append(location: &Location) -> Result<(), Failed> {
    let store = Store::open(location).await?;
    let Store::Mongo(db) = &store else { return Err("not MongoDB".into()) };
    let noted = db.db().collection::<mongodb::bson::Document>("slots");
    let s = slots::open(&store);
    for n in 0..2 {
        s.append(slot(0), commit(n), NOW).await?;
        noted.delete_many(mongodb::bson::Document::new()).await?;
    }
    assert_eq!(read_all(&*s, slot(0), 0).await.len(), 2, "the second found the first");
    assert_eq!(s.expire_before(NOW + 1, 0).await?, 2);
    assert_eq!(s.append(slot(0), commit(2), NOW + 2).await?.index, 2, "a number is given once");
    Ok(())
}

/// SIGKILL of mongod, three times, in the middle of appends: what was acknowledged keeps its number, and the numbers have
/// no hole.
async fn killed_mongod() -> Result<(), Failed> {
    let mut server = Mongod::start().await;
    let s = open(&Location::Mongo(MongoUrl(server.uri("killed")))).await?;
    let mut acknowledged = Vec::new();
    for life in 0..3_u32 {
        let writer = {
            let s = s.clone();
            tokio::spawn(async move {
                let mut acknowledged = Vec::new();
                for n in life * 10_000..life * 10_000 + 150 {
                    let to = slot(n / wire::SLOT_ENTRIES);
                    match s.append(to, commit(n), NOW).await {
                        Ok(placed) => acknowledged.push((to, n, placed)),
                        Err(_) => break,
                    }
                }
                acknowledged
            })
        };
        tokio::time::sleep(Duration::from_millis(600 + 130 * u64::from(life))).await;
        server.kill_9();
        tokio::time::sleep(Duration::from_millis(300)).await;
        server.restart().await;
        acknowledged.extend(writer.await?);
    }
    assert!(acknowledged.len() > 30, "only {} were acknowledged", acknowledged.len());
    // The same handle goes on by itself.
    let begun = Instant::now();
    while let Err(e) = s.append(slot(99_999), commit(0), NOW).await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{e}");
    }
    let mut seen = std::collections::BTreeMap::new();
    for (to, n, placed) in acknowledged {
        if let Entry::Vacant(unread) = seen.entry(to) {
            unread.insert(read_all(&*s, to, 0).await);
        }
        let stands = seen.get(&to).and_then(|all| all.get(placed.index as usize));
        assert!(stands == Some(&commit(n)), "acknowledged and gone, or moved");
        if n % 16 == 0 {
            assert_eq!(s.append(to, commit(n), NOW + 5).await?, placed, "the same again gets the same place");
        }
    }
    Ok(())
}
