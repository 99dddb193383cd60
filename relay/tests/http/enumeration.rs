use std::time::{Duration, Instant};

use futures::future::join_all;
use livechat_wire::http::*;

use crate::Shared;
use crate::world::{Answer, Keys, World, generous};

const LOG_IN: &str = "/v1/sessions";

/// What an answer shows; the date is everybody's.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(n, _)| *n != "date");
    let headers = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
    (answer.status.as_u16(), headers, answer.text())
}

pub async fn seed_b15_known_and_unknown_names_get_the_same_answer(w: World) {
    let alice = w.sign_up("alice").await;
    w.begin("pending").await;
    let deleted = w.sign_up("deleted").await;
    let code = WithCode { code: w.code(&deleted.setup_key) };
    w.web.with(reqwest::Method::DELETE, "/v1/account", deleted.token(), Some(&code)).await.done();

    let wrong = w.wrong_code(&alice.setup_key);
    let stranger = Keys::new();
    let names = ["alice", "pending", "deleted", "nobody-1", "a", "admin", "not a name!", "", "\u{202e}"];
    // As often as it takes to use the budget up: that, too, must not tell.
    for round in 0..8 {
        let mut answers = Vec::new();
        for name in names {
            let proof = stranger.prove(w.relay.id(), name, w.clock.now());
            for (code, device) in [(wrong.clone(), None), (wrong.clone(), Some(proof))] {
                let request = LogIn { username: name.into(), code, device, vault: None };
                answers.push(seen(&w.web.post(LOG_IN, &request).await));
            }
        }
        let first = answers[0].clone();
        for (i, answer) in answers.iter().enumerate() {
            let name = names[i / 2];
            // A budget used up by the first of the two shows in the second, for each name alike.
            let like = if i % 2 == 0 { &first } else { &answers[1] };
            assert_eq!(answer, like, "round {round}: {name:?}");
        }
        w.clock.advance(1);
    }
    for name in names {
        for code in ["0004-20fs-zfxz-tzfz", "", "1", &"9".repeat(500)] {
            let request = LogIn { username: name.into(), code: code.into(), device: None, vault: None };
            let reference = LogIn { username: "nobody-2".into(), ..request.clone() };
            let (a, b) = (w.web.post(LOG_IN, &request).await, w.web.post(LOG_IN, &reference).await);
            if code == "0004-20fs-zfxz-tzfz" {
                assert_eq!(seen(&a), seen(&b), "{name:?}");
            } else {
                assert!(matches!(a.status.as_u16(), 401 | 429), "{name:?}");
            }
        }
    }
}

/// P11, first form: Welch's t of the time a refusal takes, for a name that exists and one that doesn't.
pub async fn p11_refusals_take_the_same_time() {
    let (with, _) = times(Duration::from_millis(50), 3_000).await;
    let (without, means) = times(Duration::ZERO, 1_500).await;
    println!("P11: Welch t = {with:+.2} over 2×3000 refusals; with no minimal time t = {without:+.2} ({means})");
    assert!(with.abs() < 4.5, "t = {with}");
}

async fn times(refusal_time: Duration, samples: usize) -> (f64, String) {
    let w = Shared::new(
        World::with(|c| {
            generous(c);
            c.limits.refusal_time = refusal_time;
            c.limits.stranger_failures = u32::MAX;
        })
        .await,
    );
    let alice = w.sign_up("alice").await;
    let wrong = w.wrong_code(&alice.setup_key);
    let workers = (0..8).map(|n| {
        let (w, wrong) = (w.clone(), wrong.clone());
        tokio::spawn(async move {
            let web = w.web_from(20 + n);
            let (mut known, mut unknown) = (Vec::new(), Vec::new());
            for i in 0..samples / 4 {
                // Both kinds by turns, so that whatever else the machine does hits both.
                let exists = (i + usize::from(n)) % 2 == 0;
                let username = if exists { "alice" } else { "alicx" };
                let request = LogIn { username: username.into(), code: wrong.clone(), device: None, vault: None };
                let began = Instant::now();
                let answer = web.post(LOG_IN, &request).await;
                let took = began.elapsed().as_secs_f64();
                answer.refused(401, ProblemCode::InvalidCredentials);
                if exists { known.push(took) } else { unknown.push(took) }
            }
            (known, unknown)
        })
    });
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for done in join_all(workers).await {
        let (k, u) = done.unwrap();
        known.extend(k);
        unknown.extend(u);
    }
    let ((m1, v1), (m2, v2)) = (moments(&known), moments(&unknown));
    let t = (m1 - m2) / (v1 / known.len() as f64 + v2 / unknown.len() as f64).sqrt();
    (t, format!("means {:.3} and {:.3} ms", m1 * 1e3, m2 * 1e3))
}

/// Mean and variance, the slowest hundredth left out: those are the machine's.
fn moments(samples: &[f64]) -> (f64, f64) {
    let mut s = samples.to_vec();
    s.sort_by(f64::total_cmp);
    s.truncate(s.len() * 99 / 100);
    let n = s.len() as f64;
    let mean = s.iter().sum::<f64>() / n;
    (mean, s.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0))
}
