//! The blob stores' exam, on SQLite and on a real mongod; and what two processes, a full disk and a killed server have to
//! stand.
#![allow(clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use livechat_relay::store::blobs::exam::{self, Exam, NOW, OPEN, bytes, fill, id, owner, put, size};
use livechat_relay::store::blobs::{self, Begin, BeginError, BlobStore, PutError};
use livechat_relay::store::sqlite::blobs::SqliteBlobs;
use livechat_relay::store::{Location, MongoUrl, Store};
use livechat_relay::testing::{Faults, FaultyBlobs, Mongod, mongo_missing};
use livechat_wire::blob;
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
        Trial::test("sqlite::an_upload_goes_on_after_any_fault", || {
            let dir = tempfile::tempdir()?;
            runtime().block_on(faults(&sqlite(dir.path())))
        }),
        Trial::test("sqlite::a_full_disk_is_an_outage_and_room_comes_back", || runtime().block_on(full_disk())),
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
    let shared = server.clone();
    trials.push(on_mongo("an_upload_goes_on_after_any_fault", move || {
        runtime().block_on(faults(&shared.location("faults")))
    }));
    trials.push(on_mongo("nothing_acknowledged_is_lost_when_mongod_is_killed", || runtime().block_on(killed_mongod())));
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

async fn open(location: &Location) -> Result<Arc<dyn BlobStore>, Failed> {
    Ok(blobs::open(&Store::open(location).await?).await?)
}

/// An upload that is answered by one relay process now and by another then.
async fn two_processes(location: &Location) -> Result<(), Failed> {
    let (a, b) = (open(location).await?, open(location).await?);
    let size = size(6);
    exam::begin(&*a, 1, size).await?;
    for part in 0..6 {
        let s = if part % 2 == 0 { &a } else { &b };
        assert_eq!(put(&**s, 1, size, part).await?.parts, part + 1);
    }
    for part in 0..6 {
        assert_eq!(b.part(id(1), part, NOW).await?, Some(bytes(1, size, part)));
    }
    assert!(b.remove(id(1), owner(1), NOW).await?);
    assert_eq!(a.part(id(1), 0, NOW).await?, None);
    Ok(())
}

/// Every call fails once, before it took effect or after: whoever asks how far the blob is and goes on from there gets it
/// whole.
async fn faults(location: &Location) -> Result<(), Failed> {
    let faults = Arc::new(Faults::default());
    let s = FaultyBlobs { inner: open(location).await?, faults: faults.clone() };
    let size = size(3);
    let mut n = 0;
    let mut failures = 0;
    for lost_answers in [false, true] {
        for skip in 0..8 {
            n += 1;
            if lost_answers {
                faults.lose_answers_after(skip)
            } else {
                faults.fail_after(skip)
            }
            for attempt in 0.. {
                assert!(attempt < 3);
                if upload(&s, n, size).await.is_ok() {
                    break;
                }
                failures += 1;
                faults.heal();
            }
            faults.heal();
            for part in 0..3 {
                assert_eq!(s.part(id(n), part, NOW).await?, Some(bytes(n, size, part)));
            }
        }
    }
    assert!(failures >= 8, "{failures}");
    Ok(())
}

/// As a client does it.
async fn upload(s: &dyn BlobStore, n: u8, size: u64) -> Result<(), PutError> {
    let begun = match exam::begin(s, n, size).await {
        Ok(begun) => begun,
        Err(BeginError::Store(e)) => return Err(e.into()),
        Err(e) => panic!("{e}"),
    };
    for part in begun.parts..3 {
        put(s, n, size, part).await?;
    }
    Ok(())
}

async fn full_disk() -> Result<(), Failed> {
    let dir = tempfile::tempdir()?;
    let Store::Sqlite(main) = Store::open(&sqlite(dir.path())).await? else { return Err("not SQLite".into()) };
    let s = SqliteBlobs::beside(&main).await?;
    let pages = async |n: u32| s.database().write(move |db| Ok(db.pragma_update(None, "max_page_count", n)?)).await;
    let count =
        async || s.database().read(|db| Ok(db.query_row("PRAGMA page_count", [], |r| r.get::<_, u32>(0))?)).await;
    let size = size(4);
    fill(&s, 1, size).await;
    pages(count().await? + 150).await?;
    exam::begin(&s, 2, size).await?;
    let mut kept = 0;
    let refused = loop {
        match put(&s, 2, size, kept).await {
            Ok(p) if p.whole => return Err("the disk was not full".into()),
            Ok(p) => kept = p.parts,
            Err(e) => break e,
        }
    };
    assert!(matches!(&refused, PutError::Store(e) if e.is_outage()), "{refused}");
    assert!(kept >= 1);
    assert_eq!(s.part(id(1), 3, NOW).await?, Some(bytes(1, size, 3)), "what was there is there");
    // Messages are kept elsewhere: they don't notice.
    main.write(|db| Ok(db.execute_batch("INSERT OR REPLACE INTO meta (name, value) VALUES ('probe', x'02')")?)).await?;
    // Somebody takes a file back: there is room again, for this and for others' databases.
    let before = count().await?;
    assert!(s.remove(id(1), owner(1), NOW).await?);
    assert_eq!(s.sweep(NOW).await?, 1);
    let after = count().await?;
    assert!(u64::from(before - after) * 4_096 > size * 9 / 10, "{before} pages became {after}");
    for part in exam::begin(&s, 2, size).await?.parts..4 {
        put(&s, 2, size, part).await?;
    }
    for part in 0..4 {
        assert_eq!(s.part(id(2), part, NOW).await?, Some(bytes(2, size, part)));
    }
    Ok(())
}

/// SIGKILL of mongod in the middle of uploads: what was acknowledged is there, and the upload goes on.
async fn killed_mongod() -> Result<(), Failed> {
    let mut server = Mongod::start().await;
    let s = open(&Location::Mongo(MongoUrl(server.uri("killed")))).await?;
    let size = blob::sealed(15_000_000);
    let parts = blob::parts(size);
    s.begin(Begin { id: id(1), owner: owner(1), size, until: OPEN }, u64::MAX, NOW).await?;
    let mut acknowledged = 0;
    for life in 0..3 {
        let writer = {
            let s = s.clone();
            tokio::spawn(async move {
                let mut at = acknowledged;
                while at < parts {
                    match put(&*s, 1, size, at).await {
                        Ok(p) => at = p.parts,
                        Err(_) => break,
                    }
                }
                at
            })
        };
        tokio::time::sleep(Duration::from_millis(150 + 90 * life)).await;
        server.kill_9();
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.restart().await;
        acknowledged = writer.await?;
        let begun = Instant::now();
        let state = loop {
            match exam::begin(&*s, 1, size).await {
                Ok(state) => break state,
                Err(e) => assert!(begun.elapsed() < Duration::from_secs(60), "{e}"),
            }
        };
        assert!(state.parts >= acknowledged, "{} of {acknowledged} acknowledged parts are there", state.parts);
        acknowledged = state.parts;
    }
    for part in acknowledged..parts {
        put(&*s, 1, size, part).await?;
    }
    for part in 0..parts {
        assert!(s.part(id(1), part, NOW).await? == Some(bytes(1, size, part)), "part {part}");
    }
    Ok(())
}
