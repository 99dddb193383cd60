use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use livechat_relay::testing::code_at;
use livechat_wire::http::*;

use crate::Shared;
use crate::world::{Keys, World, generous};

const LOG_IN: &str = "/v1/sessions";
const DAY: u64 = 86_400;

pub async fn seed_b07_a_code_works_once_and_tries_are_few(w: World) {
    let alice = w.sign_up("alice").await;
    let code = w.code(&alice.setup_key);
    let session: Session = w.web.post(LOG_IN, &alice.log_in(&w, code.clone())).await.ok();
    assert_eq!((session.account, session.known_device), (alice.account(), false));
    w.web.post(LOG_IN, &alice.log_in(&w, code)).await.refused(401, ProblemCode::InvalidCredentials);
    w.clock.advance(30);

    // One of five failures was the code used twice.
    for _ in 0..4 {
        let wrong = alice.log_in(&w, w.wrong_code(&alice.setup_key));
        w.web.post(LOG_IN, &wrong).await.refused(401, ProblemCode::InvalidCredentials);
    }
    let answer = w.web.post(LOG_IN, &alice.log_in(&w, w.code(&alice.setup_key))).await;
    answer.refused(429, ProblemCode::TooManyRequests);
    let wait = answer.problem().retry_after.unwrap();
    assert!((1..=DAY).contains(&wait), "{wait}");
    assert_eq!(answer.headers["retry-after"], wait.to_string().as_str());
    assert!(alice.gets_in(&w, true).await.known_device, "the owner's device isn't locked out");
    w.clock.advance(wait);
    assert!(!alice.gets_in(&w, false).await.known_device, "the next day is another day");
}

pub async fn p9_of_64_at_once_one_gets_in(w: World) {
    let alice = w.sign_up("alice").await;
    for known in [true, false] {
        let code = w.code(&alice.setup_key);
        let requests: Vec<_> = (0..64)
            .map(|n| LogIn {
                username: alice.name.clone(),
                code: code.clone(),
                // Each a proof of its own, or most would be replays.
                device: known.then(|| alice.keys.prove(w.relay.id(), &alice.name, w.clock.now() + n - 32)),
                vault: None,
            })
            .collect();
        let all = join_all(requests.iter().map(|r| w.web.post(LOG_IN, r))).await;
        let won = all.iter().filter(|a| a.status.is_success()).count();
        assert_eq!(won, 1, "known device: {known}");
        assert!(all.iter().all(|a| matches!(a.status.as_u16(), 200 | 401 | 429)));
        w.clock.advance(300);
    }
}

pub async fn one_step_either_way(w: World) {
    let alice = w.sign_up("alice").await;
    w.clock.advance(3_000);
    for (away, good) in [(-60_i64, false), (60, false), (-30, true), (0, true), (30, true)] {
        let code = code_at(&alice.setup_key.0, w.clock.now().checked_add_signed(away).unwrap());
        let answer = w.web.post(LOG_IN, &alice.log_in_as(&w, code, true)).await;
        assert_eq!(answer.status.is_success(), good, "{away}: {}", answer.text());
        w.clock.advance(1);
    }
    // The next step's code was used: those before it are over.
    let before = alice.log_in_as(&w, w.code(&alice.setup_key), true);
    w.web.post(LOG_IN, &before).await.refused(401, ProblemCode::InvalidCredentials);
}

pub async fn recovery_codes_open_when_nothing_else_does(w: World) {
    let alice = w.sign_up("alice").await;
    let wrong = alice.log_in(&w, w.wrong_code(&alice.setup_key));
    for _ in 0..6 {
        w.web.post(LOG_IN, &wrong).await.problem();
    }
    // Strangers used the budget up; a code that nobody can guess needs none.
    let code = alice.signed_up.recovery_codes[0].0.to_uppercase().replace('-', " ");
    let at_once = join_all((0..16).map(|_| {
        let request = alice.log_in(&w, code.clone());
        let web = w.web.clone();
        async move { web.post(LOG_IN, &request).await }
    }));
    assert_eq!(at_once.await.iter().filter(|a| a.status.is_success()).count(), 1);
    for n in 1..10 {
        let request = alice.log_in(&w, alice.signed_up.recovery_codes[n].0.clone());
        let _: Session = w.web.post(LOG_IN, &request).await.ok();
    }
    let bob = w.sign_up("bobby").await;
    for code in &alice.signed_up.recovery_codes {
        let request = alice.log_in(&w, code.0.clone());
        w.web.post(LOG_IN, &request).await.refused(401, ProblemCode::InvalidCredentials);
        let request = bob.log_in(&w, code.0.clone());
        w.web.post(LOG_IN, &request).await.refused(401, ProblemCode::InvalidCredentials);
    }
}

pub async fn device_proofs_count_once_and_only_for_their_device(w: World) {
    let alice = w.sign_up("alice").await;
    let proof = alice.keys.prove(w.relay.id(), "alice", w.clock.now());
    let with =
        |code: String, device: DeviceProof| LogIn { username: "alice".into(), code, device: Some(device), vault: None };
    let first: Session = w.web.post(LOG_IN, &with(w.code(&alice.setup_key), proof.clone())).await.ok();
    assert!(first.known_device);
    w.clock.advance(30);
    let replay: Session = w.web.post(LOG_IN, &with(w.code(&alice.setup_key), proof)).await.ok();
    assert!(!replay.known_device, "seen before");
    w.clock.advance(30);

    let now = w.clock.now();
    let (relay, stranger) = (w.relay.id(), Keys::new());
    let mut bent = alice.keys.prove(relay, "alice", now);
    bent.signature.0[0] ^= 1;
    let proofs = [
        ("too old", alice.keys.prove(relay, "alice", now - 1_000)),
        ("too new", alice.keys.prove(relay, "alice", now + 1_000)),
        ("for another name", alice.keys.prove(relay, "alicia", now)),
        ("for another relay", alice.keys.prove(livechat_wire::RelayId([1; 32]), "alice", now)),
        ("of another device", stranger.prove(relay, "alice", now)),
        ("forged", bent),
        ("empty", DeviceProof { device_key: Bytes(vec![]), time: now, signature: Bytes(vec![]) }),
    ];
    for (why, proof) in proofs {
        let session: Session = w.web.post(LOG_IN, &with(w.code(&alice.setup_key), proof)).await.ok();
        assert!(!session.known_device, "{why}");
        w.clock.advance(30);
    }
}

pub async fn a_known_device_has_its_own_budget(w: World) {
    let alice = w.sign_up("alice").await;
    for _ in 0..10 {
        let wrong = alice.log_in_as(&w, w.wrong_code(&alice.setup_key), true);
        w.web.post(LOG_IN, &wrong).await.refused(401, ProblemCode::InvalidCredentials);
        w.clock.advance(1);
    }
    let right = alice.log_in_as(&w, w.code(&alice.setup_key), true);
    w.web.post(LOG_IN, &right).await.refused(429, ProblemCode::TooManyRequests);
    assert!(!alice.gets_in(&w, false).await.known_device, "a stolen device's failures aren't strangers'");
    w.clock.advance(DAY);
    // Successes cost nothing.
    for _ in 0..30 {
        assert!(alice.gets_in(&w, true).await.known_device);
    }
}

/// P9: thirty days of guessing from a thousand addresses. What counts is how many guesses are looked at: with two
/// authenticators six codes of a million are good at any time.
pub async fn p9_thirty_days_of_guessing() {
    let w = World::with(|c| {
        generous(c);
        c.limits.log_ins_per_minute = livechat_relay::Limits::default().log_ins_per_minute;
        c.limits.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await;
    let alice = w.sign_up("alice").await;
    let request = alice.log_in(&w, w.wrong_code(&alice.setup_key));
    let (mut sent, mut looked_at) = (0, 0);
    for hour in 0..30 * 24_u32 {
        for n in 0..10 {
            let from = (hour * 10 + n) % 1_000;
            let web = w.web.request(reqwest::Method::POST, LOG_IN).json(&request);
            let answer = w.web.send(web.header("x-forwarded-for", format!("10.1.{}.{}", from / 250, from % 250))).await;
            sent += 1;
            looked_at += u32::from(answer.status.as_u16() == 401);
        }
        w.clock.advance(3_600);
    }
    let chance = 1.0 - (1.0 - 6e-6_f64).powi(i32::try_from(looked_at).unwrap());
    println!("P9: of {sent} guesses in thirty days {looked_at} were looked at; one is right with {chance:.2e}");
    assert!(chance <= 1e-3, "{chance}");
    assert!(looked_at >= 30, "the account can still be logged into");
}

/// P10, first form: ten thousand wrong codes from ten addresses, and the owner on a known device gets in within a
/// second, a hundred times of a hundred.
pub async fn p10_strangers_cannot_lock_the_owner_out() {
    let w = Shared::new(
        World::with(|c| {
            generous(c);
            // As many as really get past the limit by address; most never do.
            c.limits.log_ins_per_minute = 600;
            c.limits.refusal_time = Duration::from_millis(20);
        })
        .await,
    );
    let alice = w.sign_up("alice").await;
    let (sent, done) = (Shared::new(AtomicU64::new(0)), Shared::new(AtomicBool::new(false)));
    let flood: Vec<_> = (2..12)
        .map(|from| {
            let (web, sent, done) = (w.web_from(from), sent.clone(), done.clone());
            let request = alice.log_in(&w, "000000".into());
            tokio::spawn(async move {
                let mut inside = 0_u64;
                while sent.fetch_add(1, Ordering::SeqCst) < 10_000 || !done.load(Ordering::SeqCst) {
                    let answer = web.post(LOG_IN, &request).await;
                    inside += u64::from(answer.status.is_success());
                    assert!(!answer.status.is_server_error(), "{}", answer.text());
                }
                inside
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for n in 0..100 {
        let request = alice.log_in_as(&w, w.code(&alice.setup_key), true);
        let began = Instant::now();
        let answer = w.web.post(LOG_IN, &request).await;
        slowest = slowest.max(began.elapsed());
        assert!(answer.ok::<Session>().known_device, "log-in {n}");
        w.clock.advance(30);
    }
    done.store(true, Ordering::SeqCst);
    let mut inside = 0;
    for f in flood {
        inside += f.await.unwrap();
    }
    let codes = sent.load(Ordering::SeqCst);
    println!("P10: {codes} wrong codes; the owner got in 100 of 100 times, slowest {slowest:?}");
    assert!(codes >= 10_000);
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    // One of a million fits any three steps; sixty at most were tried of hundreds of days' worth.
    assert_eq!(inside, 0);
}
