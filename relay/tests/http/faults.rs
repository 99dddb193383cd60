use livechat_relay::testing::Mongod;
use livechat_relay::{Config, StartError};
use livechat_wire::http::*;
use reqwest::Method;

use crate::world::{Answer, Keys, Person, World, generous};

/// Everything a client does, each with what it needs prepared.
const STEPS: [&str; 12] = [
    "availability",
    "begin",
    "confirm",
    "log in",
    "list",
    "publish",
    "claim",
    "look up",
    "codes",
    "second",
    "end",
    "delete",
];

struct Prepared {
    who: Person,
    pending: PendingSignUp,
    keys: Keys,
}

async fn step(w: &World, p: &Prepared, step: &str) -> Answer {
    let code = WithCode { code: w.code(&p.who.setup_key) };
    let token = p.who.token();
    let fresh = format!("fresh-{}", w.faults.calls());
    match step {
        "availability" => w.web.get("/v1/usernames/whoever").await,
        "begin" => w.web.post("/v1/accounts", &BeginSignUp { username: fresh }).await,
        "confirm" => {
            let confirm = p.keys.confirm(w, &p.pending, w.code(&p.pending.setup_key));
            w.web.post("/v1/accounts/confirm", &confirm).await
        }
        "log in" => w.web.post("/v1/sessions", &p.who.log_in(w, code.code)).await,
        "list" => w.web.get_with("/v1/sessions", token).await,
        "publish" => {
            let bundle = Bytes(p.who.keys.bundle().encode());
            let request = PublishKeyPackages { bundle, one_time: vec![Bytes(vec![1])], last_resort: None };
            w.web.with(Method::PUT, "/v1/key-packages", token, Some(&request)).await
        }
        "claim" => w.web.post("/v1/directory/claim", &Claim { username: p.who.name.clone() }).await,
        "look up" => w.web.get(&format!("/v1/directory/{}", p.who.name)).await,
        "codes" => w.web.with(Method::POST, "/v1/account/recovery-codes", token, Some(&code)).await,
        "second" => w.web.with(Method::POST, "/v1/account/authenticators", token, Some(&code)).await,
        "end" => w.web.delete_with("/v1/sessions/current", token).await,
        _ => w.web.with(Method::DELETE, "/v1/account", token, Some(&code)).await,
    }
}

async fn prepare(w: &World, n: usize) -> Prepared {
    let who = w.sign_up(&format!("person-{n}")).await;
    let pending = w.begin(&format!("pending-{n}")).await;
    Prepared { who, pending, keys: Keys::new() }
}

/// Each step of each operation fails in turn; the client is told 503 and may simply do it again.
pub async fn the_store_fails_at_every_call_and_recovers(w: World) {
    let mut failed = 0;
    let mut n = 0;
    for name in STEPS {
        for skip in 0.. {
            let p = prepare(&w, n).await;
            n += 1;
            w.faults.fail_after(skip);
            let answer = step(&w, &p, name).await;
            w.faults.heal();
            if answer.status.is_success() {
                assert!(skip > 0, "{name} doesn't touch the store?");
                break;
            }
            answer.refused(503, ProblemCode::Unavailable);
            assert_eq!(answer.headers["retry-after"], "5");
            failed += 1;
            // A code may be used up; with the next one all goes well.
            w.clock.advance(30);
            let again = step(&w, &p, name).await;
            assert!(again.status.is_success(), "{name} after its call {skip} failed: {}", again.text());
            w.clock.advance(30);
        }
        w.clock.advance(30);
    }
    assert!(failed > 20, "{failed}");
    w.faults.fail_after(0);
    w.web.get("/readyz").await.refused(503, ProblemCode::Unavailable);
    assert!(w.web.get("/healthz").await.status.is_success(), "the process is up");
    w.faults.heal();
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert!(w.web.get("/readyz").await.status.is_success());
}

/// The database did it, and the relay never heard so.
pub async fn an_answer_lost_on_its_way_from_the_store_locks_nobody_out(w: World) {
    let mut n = 1_000;
    for name in ["confirm", "log in", "publish", "codes", "second"] {
        for skip in 0.. {
            let p = prepare(&w, n).await;
            n += 1;
            w.faults.lose_answers_after(skip);
            let answer = step(&w, &p, name).await;
            w.faults.heal();
            if answer.status.is_success() {
                break;
            }
            answer.refused(503, ProblemCode::Unavailable);
            w.clock.advance(30);
            let again = step(&w, &p, name).await;
            assert!(again.status.is_success(), "{name} after the answer to call {skip} was lost: {}", again.text());
            w.clock.advance(30);
        }
    }
}

pub async fn a_killed_mongod_is_told_and_recovered_from() {
    let mut server = Mongod::start().await;
    let w = World::mongo(server.uri("killed")).await;
    let alice = w.sign_up("alice").await;
    server.kill_9();
    let answers = futures::future::join_all([
        w.web.get_with("/v1/sessions", alice.token()),
        w.web.get_with("/v1/key-packages", alice.token()),
    ]);
    for answer in answers.await {
        answer.refused(503, ProblemCode::Unavailable);
    }
    w.web.get("/readyz").await.refused(503, ProblemCode::Unavailable);
    assert!(w.web.get("/healthz").await.status.is_success());
    server.restart().await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while !w.web.get_with("/v1/sessions", alice.token()).await.status.is_success() {
        assert!(tokio::time::Instant::now() < deadline, "not back after a minute");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(alice.gets_in(&w, true).await.known_device);
    w.relay.stop().await;
}

pub async fn what_is_in_the_way_of_a_start_is_named() {
    let running = World::sqlite().await;
    let dir = tempfile::tempdir().unwrap();
    let config = || {
        let mut c = Config::local(dir.path());
        generous(&mut c);
        c
    };
    let why = async |c: Config| livechat_relay::start(c).await.map(drop).expect_err("must not start").to_string();

    let http = why(Config { http: running.relay.http_addr(), ..config() }).await;
    assert!(http.contains(&running.relay.http_addr().to_string()) && http.contains("--http"), "{http}");
    let peer = running.relay.p2p_addrs()[0].split("/p2p/").next().unwrap().to_owned();
    let p2p = why(Config { p2p: vec![peer.clone()], ..config() }).await;
    assert!(p2p.contains(&peer), "{p2p}");
    let nonsense = why(Config { p2p: vec!["127.0.0.1:4001".into()], ..config() }).await;
    assert!(nonsense.contains("multiaddress"), "{nonsense}");
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let folder = why(Config { data_dir: file.join("below"), ..config() }).await;
    assert!(folder.contains("--data-dir"), "{folder}");
    let store = why(Config { store: "postgres://x".into(), ..config() }).await;
    assert!(store.contains("sqlite:PATH"), "{store}");
    let store = why(Config { store: "sqlite:/nowhere/at/all.db".into(), ..config() }).await;
    assert!(store.contains("/nowhere/at/all.db"), "{store}");
    let name = why(Config { name: "a:b".into(), ..config() }).await;
    assert!(name.contains("colon"), "{name}");

    // Another key file over the same database would make everybody unknown.
    livechat_relay::start(config()).await.unwrap().stop().await;
    std::fs::remove_file(dir.path().join("relay.key")).unwrap();
    let error = livechat_relay::start(config()).await.map(drop).expect_err("must not start");
    assert!(matches!(error, StartError::OtherKeys { .. }), "{error}");
    assert!(error.to_string().contains("relay.key"), "{error}");
}

/// Metrics hold no name; neither does the log at its most talkative (`RUST_LOG=trace`).
pub async fn log_and_metrics_name_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut relay = tokio::process::Command::new(env!("CARGO_BIN_EXE_livechat-relay"))
        .args(["serve", "--ready-json", "--http", "127.0.0.1:0", "--p2p", "/ip4/127.0.0.1/tcp/0", "--data-dir"])
        .arg(dir.path())
        .env("LIVECHAT_RELAY_LOG", "trace")
        .stdout(std::process::Stdio::piped())
        .stderr(std::fs::File::create(dir.path().join("log")).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = tokio::io::BufReader::new(relay.stdout.take().unwrap());
    tokio::io::AsyncBufReadExt::read_line(&mut out, &mut line).await.unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    let base = ready["http"].as_str().unwrap();
    assert!(ready["p2p"][0].as_str().unwrap().contains("/p2p/") && ready["relay"].as_str().unwrap().len() == 64);

    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let begin = BeginSignUp { username: "zyxcanary".into() };
    let pending: PendingSignUp =
        client.post(format!("{base}/v1/accounts")).json(&begin).send().await.unwrap().json().await.unwrap();
    client.get(format!("{base}/v1/usernames/zyxcanary")).send().await.unwrap();
    client.get(format!("{base}/v1/directory/zyxcanary")).send().await.unwrap();
    client.get(format!("{base}/v1/live")).bearer_auth("zyxcanarytoken").send().await.unwrap();
    let log_in = LogIn { username: "zyxcanary".into(), code: "482913".into(), device: None };
    client.post(format!("{base}/v1/sessions")).json(&log_in).send().await.unwrap();
    let bad = client.post(format!("{base}/v1/sessions")).json(&serde_json::json!({ "zyxcanary": "zyxcanary" }));
    bad.send().await.unwrap();
    let metrics = client.get(format!("{base}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("livechat_relay_http_requests_total") && metrics.ends_with("# EOF\n"), "{metrics}");

    // SIGTERM ends it in good order.
    let pid = relay.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = tokio::time::timeout(std::time::Duration::from_secs(60), relay.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");

    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert!(
        log.len() > 2_000 && log.contains("TRACE") && log.contains("/v1/usernames/{username}"),
        "{} bytes",
        log.len()
    );
    for (what, secret) in
        [("name", "zyxcanary"), ("pending token", &pending.pending.0), ("setup key", &pending.setup_key.0)]
    {
        let hit = log.lines().find(|l| l.contains(secret));
        assert_eq!(hit, None, "{what} in the log");
        assert!(!metrics.contains(secret), "{what} in the metrics");
    }
}
