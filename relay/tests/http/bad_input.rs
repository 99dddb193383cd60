use livechat_wire::http::*;
use reqwest::Method;
use serde_json::json;

use crate::world::{Answer, Web, World};

async fn raw(web: &Web, method: Method, path: &str, kind: Option<&str>, body: Vec<u8>) -> Answer {
    let mut request = web.request(method, path).body(body);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    web.send(request).await
}

const JSON: Option<&str> = Some("application/json");

pub async fn seed_b03_bodies_are_typed() {
    let w = World::sqlite().await;
    w.sign_up("alice").await;
    let queries = [json!({ "$ne": null }), json!({ "$gt": "" }), json!(null), json!(7), json!(true), json!(["alice"])];
    for q in &queries {
        let bodies = [
            ("/v1/accounts", json!({ "username": q })),
            ("/v1/sessions", json!({ "username": q, "code": "123456", "device": null })),
            ("/v1/sessions", json!({ "username": "alice", "code": q, "device": null })),
            ("/v1/sessions", json!({ "username": "alice", "code": "123456", "device": { "device_key": q } })),
            ("/v1/directory/claim", json!({ "username": q })),
            ("/v1/accounts/confirm", json!({ "pending": q, "code": "1", "log": "", "bundle": "" })),
        ];
        for (path, body) in bodies {
            let answer = w.web.post(path, &body).await;
            answer.refused(422, ProblemCode::BadRequest);
            assert!(!answer.text().contains("alice"), "what was sent isn't sent back");
        }
    }
    for extra in [json!({ "username": "zed", "role": "admin" }), json!({ "username": "zed", "__proto__": {} })] {
        w.web.post("/v1/accounts", &extra).await.refused(422, ProblemCode::BadRequest);
    }
    let twice = br#"{"username":"zed","username":"alice"}"#.to_vec();
    raw(&w.web, Method::POST, "/v1/accounts", JSON, twice).await.refused(422, ProblemCode::BadRequest);
    let form = Some("application/x-www-form-urlencoded");
    let answer = raw(&w.web, Method::POST, "/v1/accounts", form, b"username[$ne]=".to_vec()).await;
    answer.refused(415, ProblemCode::BadRequest);
}

pub async fn seed_b10_nothing_ambient() {
    let w = World::sqlite().await;
    let alice = w.sign_up("alice").await;
    let origin = "https://evil.example";
    for method in [Method::GET, Method::OPTIONS, Method::POST] {
        let request = w
            .web
            .request(method, "/v1/sessions")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization, content-type")
            .header("cookie", format!("token={0}; session={0}; Authorization=Bearer%20{0}", alice.token()));
        let answer = w.web.send(request).await;
        assert!(!answer.status.is_success(), "a cookie opens nothing");
        for (name, _) in &answer.headers {
            assert!(!name.as_str().starts_with("access-control-"), "{name}");
            assert_ne!(name, "set-cookie");
        }
    }
    let answers = [w.web.get("/v1/relay").await, w.web.get_with("/v1/sessions", alice.token()).await];
    for answer in answers {
        assert!(answer.headers.get("set-cookie").is_none());
        assert!(answer.headers.get("access-control-allow-origin").is_none());
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    }
}

pub async fn seed_b20_bodies_have_limits() {
    let w = World::sqlite().await;
    let alice = w.sign_up("alice").await;
    let sizes = [
        (Method::POST, "/v1/accounts", 8 * 1_024),
        (Method::POST, "/v1/sessions", 8 * 1_024),
        (Method::POST, "/v1/directory/claim", 8 * 1_024),
        (Method::POST, "/v1/accounts/confirm", 256 * 1_024),
        (Method::PUT, "/v1/key-packages", 1_024 * 1_024),
        (Method::DELETE, "/v1/account", 8 * 1_024),
    ];
    for (method, path, limit) in sizes {
        let sized = |n: usize| {
            let mut body = br#"{"username":""#.to_vec();
            body.resize(n - 2, b'a');
            body.extend_from_slice(b"\"}");
            w.web
                .request(method.clone(), path)
                .bearer_auth(alice.token())
                .header("content-type", "application/json")
                .body(body)
        };
        w.web.send(sized(limit + 1)).await.refused(413, ProblemCode::TooLarge);
        let fits = w.web.send(sized(limit)).await;
        assert_ne!(fits.status.as_u16(), 413, "{path}");
        assert!(fits.status.is_client_error(), "{path}");
    }
    // Ten megabytes are cut off, and the next request is served.
    let huge = w.web.request(Method::POST, "/v1/accounts").header("content-type", "application/json");
    if let Ok(answer) = huge.body(vec![b' '; 10 << 20]).send().await {
        assert_eq!(answer.status().as_u16(), 413);
    }
    assert!(w.web.get("/healthz").await.status.is_success());
}

pub async fn malformed_requests_are_problems() {
    let w = World::sqlite().await;
    let deep = "[".repeat(100_000).into_bytes();
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{\"username\":".to_vec(),
        b"{\"username\":\"\xff\xfe\"}".to_vec(),
        b"{\"username\":\"\\ud800\"}".to_vec(),
        b"\x00\x01\x02".to_vec(),
        b"{\"username\":1e999}".to_vec(),
        deep[..8_000].to_vec(),
    ];
    for path in ["/v1/accounts", "/v1/accounts/confirm", "/v1/sessions", "/v1/directory/claim"] {
        for body in &bodies {
            let answer = raw(&w.web, Method::POST, path, JSON, body.clone()).await;
            assert!(matches!(answer.status.as_u16(), 400 | 422), "{path} {}: {}", answer.status, answer.text());
            assert_eq!(answer.problem().code, ProblemCode::BadRequest);
        }
        for kind in [None, Some("text/plain"), Some("application/xml"), Some("")] {
            let answer = raw(&w.web, Method::POST, path, kind, b"{}".to_vec()).await;
            answer.refused(415, ProblemCode::BadRequest);
        }
        for method in [Method::PATCH, Method::TRACE, Method::OPTIONS, Method::from_bytes(b"BREW").unwrap()] {
            let answer = raw(&w.web, method, path, None, vec![]).await;
            answer.refused(405, ProblemCode::BadRequest);
            assert!(answer.headers.contains_key("allow"));
        }
    }
    for path in
        ["/", "/v1", "/v1/", "/v2/relay", "/v1/usernames", "/v1/usernames/", "/admin", "/v1/relay/", "//v1/relay"]
    {
        w.web.get(path).await.refused(404, ProblemCode::NotFound);
    }
    for path in ["/v1/usernames/%ff", "/v1/directory/%ff%fe", "/v1/usernames/%00", "/v1/usernames/a%2Fb"] {
        let answer = w.web.get(path).await;
        assert!(answer.status.is_success() || answer.status.is_client_error(), "{path}");
    }
    let long = format!("/v1/usernames/{}", "a".repeat(5_000));
    let shown: UsernameAvailability = w.web.get(&long).await.ok();
    assert_eq!(shown.problem, Some(UsernameProblem::TooLong));
    assert!(shown.username.len() <= 64, "not sent back at length");
}

pub async fn openapi_describes_every_route() {
    let w = World::sqlite().await;
    let document: serde_json::Value = w.web.get("/v1/openapi.json").await.ok();
    let printed: serde_json::Value = serde_json::from_str(&livechat_relay::openapi()).unwrap();
    assert_eq!(document, printed);
    let mut routes: Vec<String> = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            routes.push(format!("{} {path}", method.to_uppercase()));
            assert!(operation["summary"].as_str().is_some_and(|s| s.len() > 5), "{path}");
            let session = operation["security"].as_array().is_some_and(|s| s[0].get("session").is_some());
            let open =
                ["/v1/relay", "/v1/usernames/", "/v1/accounts", "/v1/directory", "/healthz", "/readyz", "/metrics"];
            let is_open = open.iter().any(|o| path.starts_with(o))
                || (path == "/v1/sessions" && method == "post")
                || (path == "/v1/blobs/{id}/{part}" && method == "get");
            assert_eq!(session, !is_open, "{method} {path}");
        }
    }
    routes.sort();
    let expected = [
        "DELETE /v1/account",
        "DELETE /v1/account/authenticators",
        "DELETE /v1/blobs/{id}",
        "DELETE /v1/sessions/{id}",
        "GET /healthz",
        "GET /metrics",
        "GET /readyz",
        "GET /v1/blobs",
        "GET /v1/blobs/{id}/{part}",
        "GET /v1/devices/log",
        "GET /v1/devices/pending",
        "GET /v1/directory/{username}",
        "GET /v1/key-packages",
        "GET /v1/live",
        "GET /v1/lobby",
        "GET /v1/relay",
        "GET /v1/sessions",
        "GET /v1/usernames/{username}",
        "POST /v1/account/authenticators",
        "POST /v1/account/authenticators/confirm",
        "POST /v1/account/recovery-codes",
        "POST /v1/accounts",
        "POST /v1/accounts/confirm",
        "POST /v1/directory/claim",
        "POST /v1/lobby/renewal",
        "POST /v1/sessions",
        "PUT /v1/account/name",
        "PUT /v1/blobs/{id}",
        "PUT /v1/blobs/{id}/{part}",
        "PUT /v1/devices/log",
        "PUT /v1/devices/pending",
        "PUT /v1/key-packages",
        "PUT /v1/lobby",
        "PUT /v1/sessions/current/device",
    ];
    assert_eq!(routes, expected);
    let text = document.to_string();
    for (i, _) in text.match_indices("#/components/schemas/") {
        let name: String = text[i + 21..].chars().take_while(|c| c.is_alphanumeric()).collect();
        assert!(document["components"]["schemas"].get(&name).is_some(), "{name} is referred to, but not there");
    }
}
