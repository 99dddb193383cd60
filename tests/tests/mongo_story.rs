//! Two people chat over a relay on a real MongoDB; afterwards neither the database, its files, the relay's folder nor
//! its log at TRACE holds a word of it, a username or a device's name (P2, SEED B5, A12).

use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use livechat_node::api::Delivery;
use livechat_relay::testing::Mongod;
use livechat_tests::canary::Canaries;
use livechat_tests::process::{Need, NodeProcess, Person as _, RelayProcess, unmet};

const NAMES: [&str; 2] = ["alicanarqvist", "bobcanarqvist"];

fn texts() -> Vec<String> {
    (0..200).map(|n| format!("canary text {n:03} grüße 7f3ac9")).collect()
}

fn story() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mongod = Mongod::start().await;
        let trace = [("RUST_LOG", "trace"), ("LIVECHAT_RELAY_LOG", "trace")];
        let store = mongod.uri("livechat");
        let mut relay = RelayProcess::start_with(&folder.path().join("relay"), Some(&store), &trace);
        let alice = NodeProcess::start(&folder.path().join("alice"), &relay.url());
        let mut bob = NodeProcess::start(&folder.path().join("bob"), &relay.url());
        let (a, b) = (alice.client().await, bob.client().await);
        a.signs_up(NAMES[0]).await;
        b.signs_up(NAMES[1]).await;
        let chat = a.adds(NAMES[1]).await.conversation;

        let texts = texts();
        let (to_bob, from_bob) = texts.split_at(100);
        for t in &to_bob[..50] {
            a.says(chat, t).await;
        }
        assert_eq!(b.reads(chat, 50).await, to_bob[..50]);
        for t in from_bob {
            b.says(chat, t).await;
        }
        assert_eq!(a.reads(chat, 100).await, from_bob);

        // Bob is away while half of it is said, and the relay dies meanwhile.
        bob.kill_9();
        let mut last = None;
        for t in &to_bob[50..] {
            last = Some(a.says(chat, t).await);
        }
        let last = last.expect("said something");
        a.sees(chat, &last, Delivery::Accepted).await;
        relay.kill_9();
        relay.restart();
        bob.restart();
        let b = bob.client().await;
        assert_eq!(b.reads(chat, 100).await, to_bob);
        a.sees(chat, &last, Delivery::Delivered).await;

        look_for(&mongod, &store, &folder.path().join("relay"), &texts).await;
        Ok(())
    })
}

async fn look_for(mongod: &Mongod, store: &str, relay: &std::path::Path, texts: &[String]) {
    let hostname = Command::new("hostname").output().map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    let mut secrets: Vec<String> = texts.to_vec();
    secrets.extend(NAMES.map(str::to_owned));
    // A device has no name of its own yet; the machine's would be the one to slip in.
    secrets.extend(hostname.ok().filter(|h| h.len() >= 6));
    let canaries = Canaries::new(&secrets);

    let client = mongodb::Client::with_uri_str(store).await.expect("connects");
    let (mut documents, mut found) = (0u64, Vec::new());
    for name in client.list_database_names().await.expect("databases") {
        // `local` holds the replication log: everything that was ever written.
        let database = client.database(&name);
        for collection in database.list_collection_names().await.expect("collections") {
            let mut cursor = database
                .collection::<mongodb::bson::RawDocumentBuf>(&collection)
                .find(mongodb::bson::doc! {})
                .await
                .expect("a cursor");
            while cursor.advance().await.expect("a document") {
                documents += 1;
                found.extend(
                    canaries
                        .in_bytes(cursor.current().as_bytes())
                        .into_iter()
                        .map(|c| format!("{name}.{collection}: {c}")),
                );
            }
        }
    }
    assert!(documents > 200, "only {documents} documents: the dump looked in the wrong place");
    assert_eq!(found, Vec::<String>::new());

    // Control: what is planted is found, in documents and in files.
    let planted = mongodb::bson::doc! { "planted": texts[0].as_str() };
    client.database("control").collection("control").insert_one(planted).await.expect("inserts");
    client.database("admin").run_command(mongodb::bson::doc! { "fsync": 1 }).await.expect("fsync");
    let (in_files, read) = canaries.in_files(mongod.path());
    let expected: std::collections::BTreeSet<_> = [texts[0].clone()].into();
    let seen: std::collections::BTreeSet<_> = in_files.iter().map(|(_, c)| c.clone()).collect();
    assert_eq!(seen, expected, "in the database's files: {in_files:?}");
    assert!(read > 1_000_000, "the database's files are larger than {read} bytes");

    let (in_relay, read) = canaries.in_files(relay);
    assert_eq!(in_relay, Vec::new(), "in the relay's folder");
    assert!(read > 10_000, "the log at TRACE is longer than {read} bytes");
    println!(
        "{} canaries: 0 in {documents} documents, in the database's files, the relay's folder and its log",
        secrets.len()
    );
}

fn main() {
    let arguments = Arguments::from_args();
    let missing = unmet(Need::Mongo);
    if let Some(why) = missing {
        eprintln!("{why}");
    }
    let story = Trial::test("p2_mongodb_holds_ciphertext_only_seed_b05", story).with_ignored_flag(missing.is_some());
    libtest_mimic::run(&arguments, vec![story]).exit();
}
