//! Links, cookies, headers, starting and stopping.
#![allow(clippy::unwrap_used, reason = "tests: helpers included")]

mod common;

use common::Served;
use livechat_web::{Config, LinkError, StartError, ask_link, serve};

#[tokio::test(flavor = "multi_thread")]
async fn a_link_admits_one_browser_once() {
    let s = Served::start().await;
    assert_eq!(s.get("/api/session", "").await.status, 401);
    let link = s.ui.link();
    let port = s.addr.port();
    assert!(link.starts_with(&format!("http://alice.localhost:{port}/#link=")), "{link}");
    let token = link.split_once("#link=").unwrap().1;
    assert_eq!(token.len(), 64);

    let answer = s.swap(token).await;
    assert_eq!(answer.status, 204);
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    let pair = cookie.split_once(';').unwrap().0;
    assert_eq!(s.get("/api/session", pair).await.status, 204);

    assert_eq!(s.swap(token).await.status, 401, "used");
    assert_eq!(s.get("/api/session", pair).await.status, 204, "and the first browser is still in");
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seed_b10_no_ambient_authority_and_no_cookie_for_script() {
    let s = Served::start().await;
    let answer = s.swap(&s.token()).await;
    let cookie = answer.header("set-cookie").unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    // Cookies ignore ports: the node's own id keeps two nodes of one computer apart.
    assert!(name.strip_prefix("livechat_").is_some_and(|id| id.len() == 16), "{name}");
    assert_eq!(value.len(), 64);
    assert_eq!(attributes, "Path=/; Max-Age=864000; HttpOnly; SameSite=Strict");
    // No CORS header anywhere, asked for or not.
    for line in ["OPTIONS /api/session", "GET /", "POST /api/session"] {
        let head = [
            ("Host", s.host()),
            ("Origin", "http://evil.example".into()),
            ("Access-Control-Request-Method", "POST".into()),
        ];
        let answer = s.ask(line, &head, "").await;
        assert_eq!(answer.status, 403, "{line}");
        assert!(!answer.head.to_lowercase().contains("access-control-"), "{}", answer.head);
    }
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_have_two_cookies() {
    let (a, b) = (Served::start().await, Served::start().await);
    let (for_a, for_b) = (a.admitted().await, b.admitted().await);
    let both = format!("{for_a}; {for_b}");
    assert_eq!(a.get("/api/session", &both).await.status, 204);
    assert_eq!(b.get("/api/session", &both).await.status, 204);
    assert_eq!(a.get("/api/session", &for_b).await.status, 401);
    a.stop().await;
    b.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_outlives_a_restart() {
    let s = Served::start().await;
    let cookie = s.admitted().await;
    let dir = s.stop().await;
    let s = Served::start_in(dir).await;
    assert_eq!(s.get("/api/session", &cookie).await.status, 204);
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_forbids_what_isnt_needed() {
    let s = Served::start().await;
    let mut page = s.get("/", "").await.head;
    // The nonce is new each time; the length of the page differs with the build.
    let nonce = page.split_once("nonce-").unwrap().1.split_once('\'').unwrap().0.to_owned();
    assert_eq!(nonce.len(), 32);
    assert!(!s.get("/", "").await.head.contains(&nonce), "a nonce is used once");
    page = page.replace(&nonce, "NONCE");
    let mut lines: Vec<_> =
        page.lines().filter(|l| !l.starts_with("date:") && !l.starts_with("content-length:")).collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines.join("\n"),
        "HTTP/1.1 200 OK\n\
         cache-control: no-store\n\
         connection: close\n\
         content-security-policy: default-src 'none'; script-src 'self'; style-src 'self' 'nonce-NONCE'; \
         connect-src 'self'; img-src 'self' blob: data:; media-src blob:; font-src 'self'; \
         manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'\n\
         content-type: text/html; charset=utf-8\n\
         cross-origin-embedder-policy: require-corp\n\
         cross-origin-opener-policy: same-origin\n\
         cross-origin-resource-policy: same-origin\n\
         origin-agent-cluster: ?1\n\
         permissions-policy: accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
         magnetometer=(), microphone=(self), midi=(), payment=(), publickey-credentials-get=(), usb=(), \
         clipboard-write=(self)\n\
         referrer-policy: no-referrer\n\
         x-content-type-options: nosniff\n\
         x-dns-prefetch-control: off\n\
         x-frame-options: DENY"
    );

    let foreign = [("Host", "evil.example".to_owned())];
    for (what, answer) in [
        ("a refusal", s.ask("GET /", &foreign, "").await),
        ("nothing", s.get("/nowhere", "").await),
        ("an answer", s.get("/api/session", "").await),
        ("a file", s.get("/icon.svg", "").await),
    ] {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("self"), "{what}: {policy}");
        for name in ["x-content-type-options", "referrer-policy", "cross-origin-resource-policy", "cache-control"] {
            assert!(answer.header(name).is_some(), "{what} has no {name}");
        }
    }
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_kept_as_long_as_their_names_hold() {
    let s = Served::start().await;
    let page = s.get("/", "").await;
    if !livechat_web::BUILT {
        assert!(page.body.contains("no web UI"), "{}", page.body);
        s.stop().await;
        return;
    }
    let script = page.body.split("src=\"").nth(1).unwrap().split('"').next().unwrap();
    let answer = s.get(script, "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert!(answer.header("cache-control").unwrap().contains("immutable"));
    let etag = answer.header("etag").unwrap().to_owned();
    let again = s.ask(&format!("GET {script}"), &[("Host", s.host()), ("If-None-Match", etag)], "").await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert!(s.get("/icon.svg", "").await.header("cache-control").unwrap().contains("no-cache"));
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_and_strict() {
    let s = Served::start().await;
    let head = [("Host", s.host()), ("Origin", s.origin()), ("Content-Type", "application/json".into())];
    let token = s.token();
    let bad = [
        String::new(),
        "null".into(),
        "[]".into(),
        "\"\"".into(),
        "{}".into(),
        "{\"token\":null}".into(),
        "{\"token\":{\"$ne\":null}}".into(),
        format!("{{\"token\":\"{token}\",\"more\":1}}"),
        format!("{{\"token\":\"{token}\""),
    ];
    for body in bad {
        assert_eq!(s.ask("POST /api/session", &head, &body).await.status, 400, "{body}");
    }
    let long = format!("{{\"token\":\"{}\"}}", "0".repeat(100_000));
    assert_eq!(s.ask("POST /api/session", &head, &long).await.status, 413);
    let odd: [&[u8]; 5] =
        [b"\0\0\0\0\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"G\xffT / HTTP/1.1\r\n\r\n", b"\r\n\r\n\r\n", b"GET /"];
    for bytes in odd {
        let mut stream = tokio::net::TcpStream::connect(s.addr).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, bytes).await.unwrap();
    }
    assert_eq!(s.swap(&token).await.status, 204, "still up, and the token wasn't touched");
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_gets_a_new_link_from_the_running_node() {
    let s = Served::start().await;
    let link = ask_link(s.dir.path()).await.unwrap();
    assert_eq!(s.swap(link.split_once("#link=").unwrap().1).await.status, 204);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(s.dir.path().join("web.sock")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let dir = s.stop().await;
    assert!(matches!(ask_link(dir.path()).await, Err(LinkError::NotRunning(_))));
    assert!(!dir.path().join("web.sock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_others_reach_and_ports_in_use_are_refused() {
    let s = Served::start().await;
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let config = Config { listen: listen.parse().unwrap(), hosts: vec![] };
        let refused = serve(s.node.clone(), config).await.unwrap_err();
        assert!(matches!(refused, StartError::NotLoopback(_)), "{refused}");
        assert!(refused.to_string().contains("127.0.0.1"), "says what to do");
    }
    let refused = serve(s.node.clone(), Config { listen: s.addr, hosts: vec![] }).await.unwrap_err();
    assert!(matches!(refused, StartError::InUse(a) if a == s.addr), "{refused}");
    let config = Config { listen: "127.0.0.1:0".parse().unwrap(), hosts: vec!["evil/../x".into()] };
    assert!(matches!(serve(s.node.clone(), config).await.unwrap_err(), StartError::Host(_)));
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_for_admitted_browsers_and_says_why_not() {
    let s = Served::start().await;
    assert_eq!(s.get("/api/export?format=markdown", "").await.status, 401);
    let cookie = s.admitted().await;
    for bad in ["", "?format=html", "?format=jsonl&conversation=x", "?format=jsonl&path=/etc", "?format=jsonl&files=1"]
    {
        assert_eq!(s.get(&format!("/api/export{bad}"), &cookie).await.status, 400, "{bad}");
    }
    let refused = s.get("/api/export?format=jsonl", &cookie).await;
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("Nobody has signed up"), "{}", refused.body);
    assert!(refused.header("content-disposition").is_none());
    let refused = s.get("/api/export?format=jsonl&files=true", &cookie).await;
    assert_eq!((refused.status, refused.header("content-disposition")), (409, None));
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_for_admitted_browsers_and_says_why_not() {
    let s = Served::start().await;
    let head = |cookie: &str, more: &[(&'static str, &str)]| {
        let mut head = vec![("Host", s.host()), ("Origin", s.origin()), ("Cookie", cookie.to_owned())];
        head.extend(more.iter().map(|(n, v)| (*n, (*v).to_owned())));
        head
    };
    let json = ("Content-Type", "application/json");
    let secret = ("Livechat-Secret", "YSBsb25nIHNlY3JldA==");
    for (line, more) in [("POST /api/backup", json), ("POST /api/restore", secret)] {
        assert_eq!(s.ask(line, &head("", &[more]), "{\"secret\":\"a long secret\"}").await.status, 401, "{line}");
        let cookie = s.admitted().await;
        let refused = s.ask(line, &head(&cookie, &[more]), "{\"secret\":\"a long secret\"}").await;
        assert_eq!(refused.status, 409, "{line}");
        assert!(refused.body.contains("Nobody has signed up"), "{}", refused.body);
        let foreign = [("Host", s.host()), ("Origin", "http://evil.example".into()), ("Cookie", cookie.clone())];
        assert_eq!(s.ask(line, &foreign, "{}").await.status, 403, "{line}");
        let without = [("Host", s.host()), ("Cookie", cookie.clone())];
        assert_eq!(
            s.ask(line, &without, "{}").await.status,
            403,
            "{line}: a form of another site has no Origin of ours"
        );
        assert!(matches!(s.ask(line, &head(&cookie, &[]), "{}").await.status, 400 | 415), "{line}");
    }
    s.stop().await;
}
