use std::time::Duration;

use livechat_wire::http::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::world::{World, generous};

pub async fn one_address_cannot_do_everything() {
    let w = World::with(|c| {
        generous(c);
        c.limits.sign_ups_per_hour = 5;
        c.limits.lookups_per_minute = 7;
        c.limits.claims_per_minute = 3;
        c.limits.log_ins_per_minute = 4;
        c.limits.stranger_failures = 1_000;
    })
    .await;
    for n in 0..5 {
        w.begin(&format!("someone{n}")).await;
    }
    let more = BeginSignUp { username: "someone-else".into() };
    let answer = w.web.post("/v1/accounts", &more).await;
    answer.refused(429, ProblemCode::TooManyRequests);
    let wait = answer.problem().retry_after.unwrap();
    assert!((700..=720).contains(&wait), "an hour's five: {wait}");
    let _: PendingSignUp = w.web_from(9).post("/v1/accounts", &more).await.ok();
    w.clock.advance(wait);
    w.begin("someone-later").await;

    for _ in 0..7 {
        w.web.get("/v1/usernames/whoever").await.ok::<UsernameAvailability>();
    }
    w.web.get("/v1/usernames/whoever").await.refused(429, ProblemCode::TooManyRequests);
    w.web.get("/v1/directory/whoever").await.refused(429, ProblemCode::TooManyRequests);
    let claim = Claim { username: "whoever".into() };
    for _ in 0..3 {
        w.web.post("/v1/directory/claim", &claim).await.refused(404, ProblemCode::NotFound);
    }
    w.web.post("/v1/directory/claim", &claim).await.refused(429, ProblemCode::TooManyRequests);
    let log_in = LogIn { username: "whoever".into(), code: "000000".into(), device: None };
    for _ in 0..4 {
        w.web.post("/v1/sessions", &log_in).await.refused(401, ProblemCode::InvalidCredentials);
    }
    w.web.post("/v1/sessions", &log_in).await.refused(429, ProblemCode::TooManyRequests);
    w.clock.advance(60);
    w.web.post("/v1/sessions", &log_in).await.refused(401, ProblemCode::InvalidCredentials);
}

pub async fn forwarded_addresses_count_behind_trusted_proxies_only() {
    let w = World::with(|c| {
        generous(c);
        c.limits.lookups_per_minute = 2;
        c.limits.trusted_proxies = vec!["127.0.0.5".parse().unwrap()];
    })
    .await;
    let (proxy, stranger) = (w.web_from(5), w.web_from(6));
    let ask = async |web: &crate::world::Web, from: &str| {
        let request = web.request(reqwest::Method::GET, "/v1/usernames/whoever").header("x-forwarded-for", from);
        web.send(request).await.status.as_u16()
    };
    for n in 0..10 {
        let from = format!("10.0.0.{n}");
        assert_eq!(ask(&proxy, &from).await, 200, "each its own client");
        assert_eq!(
            ask(&stranger, &from).await,
            if n < 2 { 200 } else { 429 },
            "what strangers write counts for nothing"
        );
    }
    assert_eq!(ask(&proxy, "10.0.0.0").await, 200);
    assert_eq!(ask(&proxy, "1.2.3.4, 10.0.0.0").await, 429, "the nearest one counts");
}

pub async fn silent_connections_are_closed_and_bounded() {
    let w = World::sqlite().await;
    let at = w.relay.http_addr();
    let connect = || async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.7:0".parse().unwrap()).unwrap();
        socket.connect(at).await
    };
    // One more than an address may have: it is closed at once, the others are kept.
    let mut kept: Vec<TcpStream> = Vec::new();
    for _ in 0..livechat_relay::limits::CONNECTIONS_PER_CLIENT {
        kept.push(connect().await.unwrap());
    }
    let mut one_more = connect().await.unwrap();
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_secs(10), one_more.read(&mut byte)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
    assert!(w.web.get("/healthz").await.status.is_success(), "others are served");
    // A slot that is given back can be had.
    drop(kept.pop());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let mut again = connect().await.unwrap();
        again.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut text = String::new();
        if again.read_to_string(&mut text).await.is_ok() && text.starts_with("HTTP/1.1 200") {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
