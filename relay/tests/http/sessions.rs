use livechat_relay::testing::TurnedClock;
use livechat_wire::http::*;
use reqwest::Method;

use crate::world::World;

pub async fn seed_b02_no_token_is_nobody(w: World) {
    let alice = w.sign_up("alice").await;
    let token = alice.token();
    let mut almost = token.to_owned();
    almost.replace_range(0..1, if token.starts_with('A') { "B" } else { "A" });
    let headers: Vec<Option<String>> = vec![
        None,
        Some(String::new()),
        Some("Bearer".into()),
        Some("Bearer ".into()),
        Some(format!("Basic {token}")),
        Some(token.to_owned()),
        Some(format!("Bearer {almost}")),
        Some(format!("Bearer {}", &token[..token.len() - 1])),
        Some(format!("Bearer {token}A")),
        Some(format!("Bearer {token} {token}")),
        Some("Bearer null".into()),
        Some("Bearer {\"$ne\":null}".into()),
        Some(format!("Bearer {}", "A".repeat(43))),
        // The session's public name is not its token.
        Some(format!("Bearer {}", alice.signed_up.session.id)),
    ];
    let routes = [
        (Method::GET, "/v1/sessions"),
        (Method::DELETE, "/v1/sessions/current"),
        (Method::GET, "/v1/live"),
        (Method::GET, "/v1/key-packages"),
        (Method::PUT, "/v1/key-packages"),
        (Method::POST, "/v1/account/authenticators"),
        (Method::POST, "/v1/account/authenticators/confirm"),
        (Method::DELETE, "/v1/account/authenticators"),
        (Method::POST, "/v1/account/recovery-codes"),
        (Method::DELETE, "/v1/account"),
    ];
    for (method, path) in routes {
        for header in &headers {
            let mut request = w.web.request(method.clone(), path).json(&WithCode { code: "000000".into() });
            if let Some(h) = header {
                request = request.header("authorization", h);
            }
            let answer = w.web.send(request).await;
            answer.refused(401, ProblemCode::Unauthenticated);
            assert_eq!(answer.headers["www-authenticate"], "Bearer", "{path}");
        }
    }
    // Two of them, or in other places: not accepted either.
    let twice =
        w.web.request(Method::GET, "/v1/live").bearer_auth(token).header("authorization", format!("Bearer {token}"));
    w.web.send(twice).await.refused(401, ProblemCode::Unauthenticated);
    let query = w.web.request(Method::GET, &format!("/v1/live?access_token={token}&token={token}"));
    w.web.send(query).await.refused(401, ProblemCode::Unauthenticated);
    w.web.get_with("/v1/live", token).await.ok::<LiveCount>();
}

pub async fn seed_b04_a_session_speaks_for_its_account_alone(w: World) {
    let (alice, bob) = (w.sign_up("alice").await, w.sign_up("bobby").await);
    let of_bob = format!("/v1/sessions/{}", bob.signed_up.session.id);
    w.web.delete_with(&of_bob, alice.token()).await.refused(404, ProblemCode::NotFound);
    let list: SessionList = w.web.get_with("/v1/sessions", alice.token()).await.ok();
    assert_eq!(list.sessions.len(), 1);

    // Bob's device, with Alice's session.
    let forged = PublishKeyPackages {
        bundle: Bytes(bob.keys.bundle().encode()),
        one_time: vec![Bytes(vec![1])],
        last_resort: None,
    };
    let path = "/v1/key-packages";
    w.web.with(Method::PUT, path, alice.token(), Some(&forged)).await.refused(400, ProblemCode::BadRequest);
    let stock: KeyPackageStock = w.web.get_with(path, bob.token()).await.ok();
    assert_eq!(stock.one_time, 0);

    // Bob's code, in Alice's session; Alice's set-up, in Bob's.
    let bobs = WithCode { code: w.code(&bob.setup_key) };
    let delete = w.web.with(Method::DELETE, "/v1/account", alice.token(), Some(&bobs)).await;
    delete.refused(401, ProblemCode::InvalidCredentials);
    let begin = WithCode { code: w.code(&alice.setup_key) };
    let pending: PendingSignUp =
        w.web.with(Method::POST, "/v1/account/authenticators", alice.token(), Some(&begin)).await.ok();
    let confirm = ConfirmAuthenticator { pending: pending.pending, code: w.code(&pending.setup_key) };
    let path = "/v1/account/authenticators/confirm";
    w.web.with(Method::POST, path, bob.token(), Some(&confirm)).await.refused(410, ProblemCode::PendingExpired);
    w.web.with(Method::POST, path, alice.token(), Some(&confirm)).await.done();
    w.web.get_with("/v1/live", bob.token()).await.ok::<LiveCount>();
}

pub async fn seed_b09_one_token_per_device_and_log_out_revokes(w: World) {
    let alice = w.sign_up("alice").await;
    let first = alice.token().to_owned();
    let browser = alice.gets_in(&w, false).await;
    let other = alice.gets_in(&w, false).await;
    let device = alice.gets_in(&w, true).await;
    let tokens = [&first, &browser.token.0, &other.token.0, &device.token.0];
    assert_eq!(tokens.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
    // The device has one token: the one of before is over.
    w.web.get_with("/v1/sessions", &first).await.refused(401, ProblemCode::Unauthenticated);
    let list: SessionList = w.web.get_with("/v1/sessions", &device.token.0).await.ok();
    let ids: Vec<_> = list.sessions.iter().map(|s| (s.id.as_str(), s.current, s.device.is_some())).collect();
    assert_eq!(ids, [(device.id.as_str(), true, true), (&other.id, false, false), (&browser.id, false, false)]);

    w.web.delete_with(&format!("/v1/sessions/{}", browser.id), &device.token.0).await.done();
    w.web.get_with("/v1/sessions", &browser.token.0).await.refused(401, ProblemCode::Unauthenticated);
    w.web.delete_with("/v1/sessions/current", &other.token.0).await.done();
    w.web.get_with("/v1/sessions", &other.token.0).await.refused(401, ProblemCode::Unauthenticated);
    w.web.delete_with("/v1/sessions/current", &other.token.0).await.refused(401, ProblemCode::Unauthenticated);
    for id in ["nonsense", "00", &"0".repeat(32), "%00", "..%2F.."] {
        let answer = w.web.delete_with(&format!("/v1/sessions/{id}"), &device.token.0).await;
        answer.refused(404, ProblemCode::NotFound);
    }
    let w = w.restart().await;
    w.web.get_with("/v1/sessions", &device.token.0).await.ok::<SessionList>();
    w.web.get_with("/v1/sessions", &other.token.0).await.refused(401, ProblemCode::Unauthenticated);
}

pub async fn seed_b14_live_accounts_are_counted(w: World) {
    let (alice, bob) = (w.sign_up("alice").await, w.sign_up("bobby").await);
    let second = alice.gets_in(&w, false).await;
    let live = async |w: &World, token: &str| w.web.get_with("/v1/live", token).await.ok::<LiveCount>().users;
    assert_eq!(live(&w, alice.token()).await, 1);
    assert_eq!(live(&w, &second.token.0).await, 1, "accounts, not sessions");
    assert_eq!(live(&w, bob.token()).await, 2);
    // Knocking without a session counts for nothing.
    w.web.get("/v1/live").await.refused(401, ProblemCode::Unauthenticated);
    w.web.get_with("/v1/live", &"A".repeat(43)).await.refused(401, ProblemCode::Unauthenticated);
    assert_eq!(live(&w, bob.token()).await, 2);
    w.clock.advance(121);
    assert_eq!(live(&w, bob.token()).await, 1, "Alice wasn't heard of for two minutes");
    let w = w.restart().await;
    assert_eq!(live(&w, alice.token()).await, 1);
    assert_eq!(live(&w, bob.token()).await, 2, "right again as soon as everybody was heard of");
    w.web.delete_with("/v1/sessions/current", bob.token()).await.done();
    assert_eq!(live(&w, alice.token()).await, 1, "who logs out is gone");
}

pub async fn sessions_end_after_ten_days(w: World) {
    let alice = w.sign_up("alice").await;
    w.clock.advance(10 * 86_400 - 31);
    w.web.get_with("/v1/live", alice.token()).await.ok::<LiveCount>();
    w.clock.advance(1);
    w.web.get_with("/v1/live", alice.token()).await.refused(401, ProblemCode::Unauthenticated);
    // A clock that is set back doesn't bring the dead to trouble, nor anybody down (P23).
    let clock: &TurnedClock = &w.clock;
    for time in [0, 1, 1_795_348_800 - 365 * 86_400, u64::from(u32::MAX) * 2] {
        clock.set(time);
        let answer = w.web.get_with("/v1/live", alice.token()).await;
        assert!(matches!(answer.status.as_u16(), 200 | 401), "{time}");
        assert!(!w.web.get("/v1/usernames/someone").await.status.is_server_error(), "{time}");
    }
}

/// The store's rows and the relay's files but for its keys, against everything that was secret or a name.
pub async fn seed_b08_the_database_holds_no_secret(w: World) {
    let alice = w.sign_up("alicecanary").await;
    w.begin("pendingcanary").await;
    let session = alice.gets_in(&w, true).await;
    let publish = PublishKeyPackages {
        bundle: Bytes(alice.keys.bundle().encode()),
        one_time: vec![Bytes(b"key package canary one".to_vec())],
        last_resort: Some(Bytes(b"key package canary two".to_vec())),
    };
    let path = "/v1/key-packages";
    w.web.with(Method::PUT, path, &session.token.0, Some(&publish)).await.ok::<KeyPackageStock>();
    let decode = |t: &str| data_encoding::BASE64URL_NOPAD.decode(t.as_bytes()).unwrap();
    let log = alice.keys.log("alicecanary", w.relay.id());
    let device = alice.keys.bundle().device();
    let mut secrets: Vec<(&str, Vec<u8>)> = vec![
        ("name", b"canary".to_vec()),
        ("setup key", alice.setup_key.0.clone().into_bytes()),
        ("secret", data_encoding::BASE32_NOPAD.decode(alice.setup_key.0.as_bytes()).unwrap()),
        ("session token", session.token.0.clone().into_bytes()),
        ("session token, raw", decode(&session.token.0)),
        ("identity key", log.identity_key().to_vec()),
        ("account", alice.account().0.to_vec()),
        ("device key", alice.keys.device.verifying_key().to_bytes().to_vec()),
        ("device", device.0.to_vec()),
        ("device in hexadecimal", device.to_string().into_bytes()),
        ("bundle", alice.keys.bundle().encode()[40..80].to_vec()),
    ];
    for code in &alice.signed_up.recovery_codes {
        secrets.push(("recovery code", code.0.clone().into_bytes()));
        secrets.push(("recovery code", code.0.replace('-', "").into_bytes()));
    }
    let found = |hay: &[u8]| -> Vec<&str> {
        let hit = |needle: &[u8]| hay.windows(needle.len()).any(|w| w == needle);
        secrets.iter().filter(|(_, s)| hit(s)).map(|(what, _)| *what).collect()
    };

    let mut rows = Vec::new();
    if w.config.store.starts_with("mongodb") {
        let client = mongodb::Client::with_uri_str(&w.config.store).await.unwrap();
        let db = client.default_database().unwrap();
        for name in db.list_collection_names().await.unwrap() {
            let mut all = db.collection::<mongodb::bson::RawDocumentBuf>(&name).find(Default::default()).await.unwrap();
            while all.advance().await.unwrap() {
                rows.extend_from_slice(all.current().as_bytes());
            }
        }
        assert!(rows.len() > 3_000, "{}", rows.len());
    }
    for entry in std::fs::read_dir(w.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "relay.key" {
            rows.extend(std::fs::read(path).unwrap());
        }
    }
    assert_eq!(found(&rows), Vec::<&str>::new());
    // Control: the search finds what is there.
    rows.extend_from_slice(b"..pendingcanary..");
    assert_eq!(found(&rows), ["name"]);
}
