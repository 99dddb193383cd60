//! The account stores' exam, on SQLite and on a real mongod, and what only one of them can show.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use livechat_relay::store::accounts::exam::{self, Exam};
use livechat_relay::store::accounts::{AccountStore, BudgetKey, Charge};
use livechat_relay::store::{Location, MongoUrl, OpenError, Store, StoreError};
use livechat_relay::testing::{Mongod, mongo_missing};
use tokio::runtime::Runtime;

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("a runtime"))
}

fn accounts(store: Store) -> Arc<dyn AccountStore> {
    match store {
        Store::Sqlite(db) => Arc::new(db),
        Store::Mongo(db) => Arc::new(db),
    }
}

fn run(location: &Location, exam: Exam) -> Result<(), Failed> {
    runtime().block_on(async {
        // On a worker, as in the relay; a panic is this test's alone.
        let store = accounts(Store::open(location).await?);
        tokio::spawn(exam(store)).await.map_err(|e| Failed::from(format!("{e}")))
    })
}

fn mongo(url: String) -> Location {
    Location::Mongo(MongoUrl(url))
}

/// One server for all exams, a database for each. Statics aren't dropped, so the end of `main` takes it out.
static SERVER: Mutex<Option<Mongod>> = Mutex::new(None);

fn shared(database: &str) -> String {
    let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    server.get_or_insert_with(|| runtime().block_on(Mongod::start())).uri(database)
}

fn mongo_trial(name: String, test: impl FnOnce() -> Result<(), Failed> + Send + 'static) -> Trial {
    Trial::test(name, test).with_ignored_flag(mongo_missing().is_some())
}

fn a_killed_mongod_is_an_outage_and_keeps_what_it_acknowledged() -> Result<(), Failed> {
    runtime().block_on(async {
        let mut server = Mongod::start().await;
        let store = accounts(Store::open(&mongo(server.uri("killed"))).await?);
        let budget = BudgetKey([1; 32]);
        for _ in 0..5 {
            assert_eq!(store.charge(budget, 100, 1_000, exam::NOW).await?, Charge::Charged);
        }
        server.kill_9();
        let away = store.charge(budget, 100, 1_000, exam::NOW).await.expect_err("nobody is there");
        assert!(away.is_outage(), "{away}");
        server.restart().await;
        // The same handle finds its server again, and everything that was acknowledged.
        let mut more = 0;
        while store.charge(budget, 8, 1_000, exam::NOW).await? == Charge::Charged {
            more += 1;
        }
        assert!(more == 3 || more == 2, "five were acknowledged, one may have been; then {more} fit into eight");
        Ok(())
    })
}

fn what_is_no_replica_set_is_refused() -> Result<(), Failed> {
    runtime().block_on(async {
        let server = Mongod::start_alone().await;
        match Store::open(&mongo(server.uri("alone"))).await.map(drop) {
            Err(e @ OpenError::NotReplicaSet { .. }) => {
                assert!(e.to_string().contains("--replSet"), "{e}");
                Ok(())
            }
            other => Err(format!("{other:?}").into()),
        }
    })
}

fn an_unreachable_mongod_is_named() -> Result<(), Failed> {
    runtime().block_on(async {
        let error = Store::open(&mongo("mongodb://someone:secret@127.0.0.1:1/x?replicaSet=rs0".to_owned())).await;
        let text = error.map(drop).expect_err("nobody is there").to_string();
        assert!(text.contains("127.0.0.1:1") && !text.contains("secret"), "{text}");
        Ok(())
    })
}

fn a_newer_sqlite_database_is_refused_untouched() -> Result<(), Failed> {
    runtime().block_on(async {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("relay.db");
        let location = Location::Sqlite(path.clone());
        drop(Store::open(&location).await?);
        let newer = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
                     VALUES (9999, 'newer', '2030-01-01T00:00:00Z', '1')";
        rusqlite::Connection::open(&path)?.execute(newer, [])?;
        match Store::open(&location).await.map(drop) {
            Err(OpenError::Migrate { .. }) => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    })
}

/// The disk is full: whoever writes is told, alone or in company; what was acknowledged is there, and goes on when
/// there is room again.
fn a_full_disk_is_an_outage_and_nothing_is_lost() -> Result<(), Failed> {
    runtime().block_on(async {
        let dir = tempfile::tempdir()?;
        let Store::Sqlite(db) = Store::open(&Location::Sqlite(dir.path().join("relay.db"))).await? else {
            return Err("not SQLite".into());
        };
        let pages = |n: u32| {
            let db = db.clone();
            async move { db.write(move |db| Ok(db.pragma_update(None, "max_page_count", n)?)).await }
        };
        let used: u32 = db.read(|db| Ok(db.query_row("PRAGMA page_count", [], |r| r.get(0))?)).await?;
        pages(used + 4).await?;
        let (mut kept, mut refused) = (Vec::new(), 0);
        for round in 0..40_u8 {
            let key = |n: u8| BudgetKey(std::array::from_fn(|i| if i == 0 { round } else { n }));
            let budgets: Vec<_> = (0..16).map(key).collect();
            let calls = budgets.iter().map(|b| db.charge(*b, 1, 1_000, exam::NOW));
            for (budget, result) in budgets.iter().zip(futures::future::join_all(calls).await) {
                match result {
                    Ok(_) => kept.push(*budget),
                    Err(e) if e.is_outage() => refused += 1,
                    Err(e) => return Err(e.to_string().into()),
                }
            }
        }
        assert!(refused > 100 && kept.len() > 50, "{refused} refused, {} kept", kept.len());
        pages(1_000_000).await?;
        for budget in kept {
            let again = db.charge(budget, 1, 1_000, exam::NOW).await?;
            assert!(matches!(again, Charge::Spent { .. }), "an acknowledged charge is gone");
        }
        db.probe().await?;
        let check: String = db.read(|db| Ok(db.query_row("PRAGMA integrity_check", [], |r| r.get(0))?)).await?;
        assert_eq!(check, "ok");
        Ok(())
    })
}

/// A job that fails, or panics, undoes itself and nobody else.
fn jobs_of_one_transaction_fail_alone() -> Result<(), Failed> {
    runtime().block_on(async {
        let dir = tempfile::tempdir()?;
        let Store::Sqlite(db) = Store::open(&Location::Sqlite(dir.path().join("relay.db"))).await? else {
            return Err("not SQLite".into());
        };
        let jobs = (0..90_u8).map(|n| {
            db.write(move |db| {
                db.execute("INSERT INTO meta (name, value) VALUES (?1, x'00')", [n.to_string()])?;
                assert_ne!(n, 50, "planted");
                if n % 3 == 1 { Err(StoreError::Damaged("test")) } else { Ok(()) }
            })
        });
        let results = futures::future::join_all(jobs).await;
        assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 59);
        let rows: u32 = db.read(|db| Ok(db.query_row("SELECT count(*) FROM meta", [], |r| r.get(0))?)).await?;
        assert_eq!(rows, 59);
        Ok(())
    })
}

fn main() {
    let mut trials = vec![
        Trial::test(
            "sqlite::p22_a_full_disk_is_an_outage_and_nothing_is_lost",
            a_full_disk_is_an_outage_and_nothing_is_lost,
        ),
        Trial::test("sqlite::jobs_of_one_transaction_fail_alone", jobs_of_one_transaction_fail_alone),
        Trial::test("sqlite::a_newer_database_is_refused_untouched", a_newer_sqlite_database_is_refused_untouched),
        Trial::test("mongo::an_unreachable_server_is_named", an_unreachable_mongod_is_named),
        mongo_trial("mongo::what_is_no_replica_set_is_refused".into(), what_is_no_replica_set_is_refused),
        mongo_trial(
            "mongo::a_killed_server_is_an_outage_and_keeps_what_it_acknowledged".into(),
            a_killed_mongod_is_an_outage_and_keeps_what_it_acknowledged,
        ),
    ];
    for (name, exam) in exam::all() {
        trials.push(Trial::test(format!("sqlite::{name}"), move || {
            let dir = tempfile::tempdir()?;
            run(&Location::Sqlite(dir.path().join("relay.db")), exam)
        }));
        // MongoDB takes database names of up to 63 bytes.
        trials.push(mongo_trial(format!("mongo::{name}"), move || {
            run(&mongo(shared(&name[..name.len().min(60)])), exam)
        }));
    }
    if let Some(why) = mongo_missing() {
        eprintln!("ignored: {why}");
    }
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    drop(SERVER.lock().unwrap_or_else(PoisonError::into_inner).take());
    conclusion.exit();
}
