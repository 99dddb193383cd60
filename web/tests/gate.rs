//! P17, first form: Host × Origin × Sec-Fetch-Site × method × content type × token, each cell sent byte by byte and
//! judged by an oracle of its own. Only the one legal class is served.
#![allow(clippy::unwrap_used, reason = "tests: helpers included")]

mod common;

use common::{NAME, Served};

const WEBSOCKET: &[(&str, &str)] = &[
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];

/// Host headers: what is sent, and the host if it is ours.
fn hosts(port: u16) -> Vec<(Vec<String>, Option<String>)> {
    let own = |name: &str| {
        let host = format!("{name}:{port}");
        (vec![host.clone()], Some(host))
    };
    let foreign = |hosts: &[&str]| (hosts.iter().map(|h| (*h).replace("PORT", &port.to_string())).collect(), None);
    vec![
        own("127.0.0.1"),
        own("localhost"),
        own("[::1]"),
        own(NAME),
        foreign(&[]),
        foreign(&[""]),
        foreign(&["127.0.0.1"]),
        foreign(&["127.0.0.1:1"]),
        foreign(&["rebound.example:PORT"]),
        foreign(&["localhost.rebound.example:PORT"]),
        foreign(&["bob.localhost:PORT"]),
        foreign(&["0.0.0.0:PORT"]),
        foreign(&["127.0.0.1:PORT", "127.0.0.1:PORT"]),
        foreign(&["rebound.example:PORT", "127.0.0.1:PORT"]),
    ]
}

/// Origin headers for a request to `host`: what is sent, and whether it is the host's own.
fn origins(host: Option<&str>, port: u16) -> Vec<(Vec<String>, Option<bool>)> {
    let here = host.map_or_else(|| format!("127.0.0.1:{port}"), str::to_owned);
    let other = if here.starts_with("localhost") { "127.0.0.1" } else { "localhost" };
    vec![
        (vec![], None),
        (vec![format!("http://{here}")], Some(host.is_some())),
        (vec![format!("https://{here}")], Some(false)),
        (vec![format!("http://{other}:{port}")], Some(false)),
        (vec!["null".into()], Some(false)),
        (vec!["http://evil.example".into()], Some(false)),
        (vec![format!("http://{here}.evil.example")], Some(false)),
        (vec![format!("http://{here}"), format!("http://{here}")], Some(false)),
    ]
}

const SITES: &[Option<&str>] = &[None, Some("same-origin"), Some("none"), Some("same-site"), Some("cross-site")];

/// Whether a request is of the legal class, said differently from how the server says it.
fn legal(host: bool, origin: Option<bool>, site: Option<&str>, acts: bool) -> bool {
    if !host || origin == Some(false) {
        return false;
    }
    if acts {
        origin == Some(true) && matches!(site, None | Some("same-origin"))
    } else {
        !matches!(site, Some("same-site" | "cross-site"))
    }
}

fn headers(
    host: &[String],
    origin: &[String],
    site: Option<&str>,
    more: &[(&'static str, String)],
) -> Vec<(&'static str, String)> {
    let mut all: Vec<_> = host.iter().map(|h| ("Host", h.clone())).collect();
    all.extend(origin.iter().map(|o| ("Origin", o.clone())));
    all.extend(site.map(|s| ("Sec-Fetch-Site", s.to_owned())));
    all.extend(more.iter().cloned());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_pages_and_files_only_by_our_names_and_for_our_own_pages() {
    let s = Served::start().await;
    let (mut cells, mut served) = (0, 0);
    for (host, own) in hosts(s.addr.port()) {
        for (origin, origin_own) in origins(own.as_deref(), s.addr.port()) {
            for site in SITES {
                for path in ["/", "/chat/x", "/icon.svg"] {
                    let head = headers(&host, &origin, *site, &[]);
                    let answer = s.ask(&format!("GET {path}"), &head, "").await;
                    let ok = legal(own.is_some(), origin_own, *site, false);
                    assert_eq!(answer.status == 200, ok, "{path} {head:?}: {}", answer.status);
                    if !ok {
                        assert!(matches!(answer.status, 421 | 403), "{path} {head:?}: {}", answer.status);
                        assert_eq!(answer.body, "", "a refusal says nothing");
                    }
                    (cells, served) = (cells + 1, served + usize::from(ok));
                }
            }
        }
    }
    assert!(cells >= 1_600 && served > 0 && served < cells / 10, "{served} of {cells}");
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_a_token_is_swapped_only_by_our_own_page_as_json() {
    let s = Served::start().await;
    let kinds = [
        Some("application/json"),
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
        Some("multipart/form-data; boundary=x"),
    ];
    let (mut cells, mut served) = (0, 0);
    for (host, own) in hosts(s.addr.port()) {
        for (origin, origin_own) in origins(own.as_deref(), s.addr.port()) {
            for (kind, site) in
                kinds.iter().flat_map(|k| [None, Some("same-origin"), Some("cross-site")].map(|s| (k, s)))
            {
                for token in ["good", "wrong", "empty"] {
                    let body = match token {
                        "good" => format!("{{\"token\":\"{}\"}}", s.token()),
                        "wrong" => format!("{{\"token\":\"{}\"}}", "0".repeat(64)),
                        _ => "{\"token\":\"\"}".to_owned(),
                    };
                    let more: Vec<_> = kind.iter().map(|k| ("Content-Type", (*k).to_owned())).collect();
                    let head = headers(&host, &origin, site, &more);
                    let answer = s.ask("POST /api/session", &head, &body).await;
                    let passes = legal(own.is_some(), origin_own, site, true);
                    let expected = match (passes, kind, token) {
                        (false, ..) if own.is_none() => 421,
                        (false, ..) => 403,
                        (true, Some("application/json"), "good") => 204,
                        (true, Some("application/json"), _) => 401,
                        (true, ..) => 415,
                    };
                    assert_eq!(answer.status, expected, "{token} {head:?}");
                    assert_eq!(answer.header("set-cookie").is_some(), expected == 204, "{token} {head:?}");
                    (cells, served) = (cells + 1, served + usize::from(expected == 204));
                }
            }
        }
    }
    // Four names of ours, with and without Sec-Fetch-Site.
    assert!(cells >= 5_000, "{cells}");
    assert_eq!(served, 8);
    s.stop().await;
}

/// Files go in and out through the same door. The node behind it has nobody logged in: what reaches it is answered 409.
#[tokio::test(flavor = "multi_thread")]
async fn p17_files_move_only_for_our_own_page_with_a_session() {
    let s = Served::start().await;
    let good = s.admitted().await;
    let cookies = [None, Some(good.clone()), Some(good.replace('=', "=0"))];
    let chat = "ab".repeat(32);
    let lines =
        [(format!("POST /api/files/{chat}?name=x.html"), true), (format!("GET /api/files/{chat}/7?show=true"), false)];
    let (mut cells, mut served) = (0, 0);
    for (host, own) in hosts(s.addr.port()) {
        for (origin, origin_own) in origins(own.as_deref(), s.addr.port()) {
            for site in SITES {
                for cookie in &cookies {
                    for (line, acts) in &lines {
                        let more: Vec<_> = cookie.iter().map(|c| ("Cookie", c.clone())).collect();
                        let head = headers(&host, &origin, *site, &more);
                        let answer = s.ask(line, &head, if *acts { "bytes" } else { "" }).await;
                        let passes = legal(own.is_some(), origin_own, *site, *acts);
                        let expected = match (passes, cookie) {
                            (false, _) if own.is_none() => 421,
                            (false, _) => 403,
                            (true, Some(c)) if *c == good => 409,
                            (true, _) => 401,
                        };
                        assert_eq!(answer.status, expected, "{line} {head:?}");
                        assert!(answer.head.to_lowercase().contains("x-content-type-options: nosniff"));
                        (cells, served) = (cells + 1, served + usize::from(expected == 409));
                    }
                }
            }
        }
    }
    assert!(cells >= 3_000 && served > 0 && served < cells / 10, "{served} of {cells}");
    // What isn't a conversation, a position or a question we know is none of the node's business.
    for line in [
        "GET /api/files/nothing/1".to_owned(),
        format!("GET /api/files/{chat}/x"),
        format!("GET /api/files/{chat}/1?show=maybe"),
        format!("GET /api/files/{chat}/1?more=1"),
        format!("GET /api/files/{chat}/..%2f..%2fetc%2fpasswd"),
        format!("POST /api/files/{chat}"),
        format!("POST /api/files/{chat}?name=x&path=/etc/passwd"),
    ] {
        let head = [("Host", s.host()), ("Origin", s.origin()), ("Cookie", good.clone())];
        let answer = s.ask(&line, &head, "").await;
        assert_eq!(answer.status, 400, "{line}: {}", answer.body);
    }
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_the_socket_opens_only_for_our_own_page_with_a_session() {
    let s = Served::start().await;
    let good = s.admitted().await;
    let name = good.split_once('=').unwrap().0;
    let cookies = [
        (None, false),
        (Some(good.clone()), true),
        (Some(format!("a=b; {good}; c=d")), true),
        (Some(format!("{name}={}", "0".repeat(64))), false),
        (Some(format!("{name}=")), false),
        // Another node's session, or a cookie of the same value under another name.
        (Some(good.replace(name, "livechat_0000000000000000")), false),
    ];
    let (mut cells, mut served) = (0, 0);
    for (host, own) in hosts(s.addr.port()) {
        for (origin, origin_own) in origins(own.as_deref(), s.addr.port()) {
            for site in SITES {
                for (cookie, has) in &cookies {
                    let mut more: Vec<_> = WEBSOCKET.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
                    more.extend(cookie.iter().map(|c| ("Cookie", c.clone())));
                    let head = headers(&host, &origin, *site, &more);
                    let answer = s.ask("GET /api/socket", &head, "").await;
                    let passes = legal(own.is_some(), origin_own, *site, true);
                    let expected = match (passes, has) {
                        (false, _) if own.is_none() => 421,
                        (false, _) => 403,
                        (true, false) => 401,
                        (true, true) => 101,
                    };
                    assert_eq!(answer.status, expected, "{head:?}");
                    (cells, served) = (cells + 1, served + usize::from(expected == 101));
                }
            }
        }
    }
    assert!(cells >= 3_000, "{cells}");
    assert_eq!(served, 4 * 2 * 2, "our names × Sec-Fetch-Site absent or same-origin × two ways to send the cookie");
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_no_other_method_and_no_other_path_does_anything() {
    let s = Served::start().await;
    let cookie = s.admitted().await;
    let (own, foreign) = (s.origin(), "http://evil.example".to_owned());
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "POST", "CONNECT", "PROPFIND"] {
        for path in [
            "/",
            "/login",
            "/icon.svg",
            "/api/session",
            "/api/socket",
            "/nowhere",
            "//evil.example/",
            "/assets/../Cargo.toml",
            "*",
        ] {
            for origin in [None, Some(&own), Some(&foreign)] {
                let mut head = vec![("Host", s.host()), ("Cookie", cookie.clone())];
                head.extend(origin.map(|o| ("Origin", o.clone())));
                let answer = s.ask(&format!("{method} {path}"), &head, "").await;
                assert!(answer.status == 0 || answer.status >= 400, "{method} {path} {origin:?}: {}", answer.status);
                assert!(answer.header("access-control-allow-origin").is_none());
            }
        }
    }
    for path in [
        "/nowhere",
        "/assets/",
        "/assets/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "/index.html",
        "/api",
        "/api/",
    ] {
        assert_eq!(s.get(path, &cookie).await.status, 404, "{path}");
    }
    s.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p17_a_url_in_the_request_line_must_name_us_too() {
    let s = Served::start().await;
    let head = [("Host", s.host())];
    assert_eq!(s.ask("GET http://evil.example/", &head, "").await.status, 421);
    assert_eq!(s.ask(&format!("GET http://user@{}/", s.host()), &head, "").await.status, 421);
    assert_eq!(s.ask(&format!("GET http://{}/", s.host()), &head, "").await.status, 200);
    s.stop().await;
}

/// The sabotage control: with the list of names out of the way, the rebound page gets in, so the list is what stops it.
#[tokio::test(flavor = "multi_thread")]
async fn p17_control_a_rebound_name_that_is_on_the_list_is_served() {
    let s = Served::start_named("rebound.example").await;
    let rebound = format!("rebound.example:{}", s.addr.port());
    // What a browser sends from a rebound page: its own name as Host, no Origin, same-origin to itself.
    let head = [("Host", rebound.clone()), ("Sec-Fetch-Site", "same-origin".into())];
    assert_eq!(s.ask("GET /", &head, "").await.status, 200);
    let body = format!("{{\"token\":\"{}\"}}", s.token());
    let head = [
        ("Host", rebound.clone()),
        ("Origin", format!("http://{rebound}")),
        ("Content-Type", "application/json".into()),
    ];
    assert_eq!(s.ask("POST /api/session", &head, &body).await.status, 204);
    s.stop().await;
}
