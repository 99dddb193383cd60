use livechat_wire::http::*;
use livechat_wire::{blob, limits as wire};
use reqwest::Method;

use crate::world::{Answer, Person, World, generous};

const ID: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// The `n`th id.
fn id(n: u8) -> String {
    format!("{n:02x}").repeat(32)
}

fn size(parts: u32) -> u64 {
    blob::sealed(u64::from(parts) * wire::BLOB_PART as u64 - 100_000)
}

fn bytes(size: u64, part: u32) -> Vec<u8> {
    vec![part as u8 ^ 0x5a; blob::part_len(size, part)]
}

async fn begin(w: &World, who: &Person, id: &str, size: u64) -> Answer {
    w.web.with(Method::PUT, &format!("/v1/blobs/{id}"), who.token(), Some(&BeginBlob { size })).await
}

async fn put(w: &World, who: &Person, id: &str, part: u32, bytes: Vec<u8>) -> Answer {
    let request = w.web.request(Method::PUT, &format!("/v1/blobs/{id}/{part}")).bearer_auth(who.token());
    w.web.send(request.header("content-type", "application/octet-stream").body(bytes)).await
}

async fn upload(w: &World, who: &Person, id: &str, size: u64) {
    begin(w, who, id, size).await.ok::<BlobState>();
    for part in 0..blob::parts(size) {
        put(w, who, id, part, bytes(size, part)).await.ok::<BlobState>();
    }
}

pub async fn a_file_goes_up_and_comes_down(w: World) {
    let alice = w.sign_up("alice").await;
    let size = size(3);
    let space: BlobSpace = w.web.get_with("/v1/blobs", alice.token()).await.ok();
    assert_eq!((space.used, space.kept_seconds), (0, w.config.limits.file_seconds));
    let begun: BlobState = begin(&w, &alice, ID, size).await.ok();
    assert_eq!(begun, BlobState { parts: 0, whole: false, until: w.clock.now() + 24 * 3_600 });
    put(&w, &alice, ID, 0, bytes(size, 0)).await.ok::<BlobState>();
    // The line broke; the client asks and goes on.
    let begun: BlobState = begin(&w, &alice, ID, size).await.ok();
    assert_eq!(begun.parts, 1);
    w.web.get(&format!("/v1/blobs/{ID}/0")).await.refused(404, ProblemCode::NotFound);
    put(&w, &alice, ID, 2, bytes(size, 2)).await.refused(409, ProblemCode::OutOfOrder);
    put(&w, &alice, ID, 1, bytes(size, 1)).await.ok::<BlobState>();
    let whole: BlobState = put(&w, &alice, ID, 2, bytes(size, 2)).await.ok();
    assert_eq!(whole, BlobState { parts: 3, whole: true, until: w.clock.now() + w.config.limits.file_seconds });
    let space: BlobSpace = w.web.get_with("/v1/blobs", alice.token()).await.ok();
    assert_eq!(space.used, size);
    // Whoever knows the id gets it, without a session.
    for part in 0..3 {
        let got = w.web.get(&format!("/v1/blobs/{ID}/{part}")).await;
        assert!(got.status.is_success() && got.body == bytes(size, part));
        assert_eq!(got.headers["content-type"], "application/octet-stream");
        assert_eq!(got.headers["cache-control"], "no-store");
        assert_eq!(got.headers["x-content-type-options"], "nosniff");
    }
    w.web.get(&format!("/v1/blobs/{ID}/3")).await.refused(404, ProblemCode::NotFound);
    w.web.get(&format!("/v1/blobs/{}/0", id(9))).await.refused(404, ProblemCode::NotFound);
    // What is over is over, what is taken back too.
    w.clock.advance(w.config.limits.file_seconds);
    w.web.get(&format!("/v1/blobs/{ID}/0")).await.refused(404, ProblemCode::NotFound);
}

pub async fn only_its_owner_changes_a_file(w: World) {
    let (alice, bob) = (w.sign_up("alice").await, w.sign_up("bobby").await);
    let size = size(2);
    begin(&w, &alice, ID, size).await.ok::<BlobState>();
    put(&w, &bob, ID, 0, bytes(size, 0)).await.refused(404, ProblemCode::NotFound);
    begin(&w, &bob, ID, size).await.refused(400, ProblemCode::BadRequest);
    for part in 0..2 {
        put(&w, &alice, ID, part, bytes(size, part)).await.ok::<BlobState>();
    }
    let address = format!("/v1/blobs/{ID}");
    w.web.delete_with(&address, bob.token()).await.refused(404, ProblemCode::NotFound);
    for (method, address) in [
        (Method::PUT, address.clone()),
        (Method::DELETE, address.clone()),
        (Method::PUT, format!("{address}/0")),
        (Method::GET, "/v1/blobs".into()),
    ] {
        let answer = w.web.send(w.web.request(method, &address)).await;
        answer.refused(401, ProblemCode::Unauthenticated);
    }
    w.web.delete_with(&address, alice.token()).await.done();
    w.web.get(&format!("{address}/0")).await.refused(404, ProblemCode::NotFound);
    w.web.delete_with(&address, alice.token()).await.refused(404, ProblemCode::NotFound);
    // An account that is deleted takes its files along.
    upload(&w, &alice, &id(2), size).await;
    let code = WithCode { code: w.code(&alice.setup_key) };
    w.web.with(Method::DELETE, "/v1/account", alice.token(), Some(&code)).await.done();
    w.web.get(&format!("/v1/blobs/{}/0", id(2))).await.refused(404, ProblemCode::NotFound);
}

pub async fn files_have_limits() {
    let w = World::with(|c| {
        generous(c);
        c.limits.file_quota = 2 * size(4);
        c.limits.file_parts_per_minute = 20;
    })
    .await;
    let alice = w.sign_up("alice").await;
    begin(&w, &alice, ID, 2 * size(4) + 1).await.refused(413, ProblemCode::TooLarge);
    begin(&w, &alice, ID, u64::MAX).await.refused(413, ProblemCode::TooLarge);
    for odd in [0, 1, size(3) - 1, size(3) + 1] {
        begin(&w, &alice, ID, odd).await.refused(400, ProblemCode::BadRequest);
    }
    begin(&w, &alice, &id(1), size(4)).await.ok::<BlobState>();
    begin(&w, &alice, &id(2), size(4)).await.ok::<BlobState>();
    let full = begin(&w, &alice, &id(3), size(1)).await;
    full.refused(409, ProblemCode::QuotaExceeded);
    // The same is no more of it.
    begin(&w, &alice, &id(2), size(4)).await.ok::<BlobState>();
    // Unfinished files give their room back after a day.
    w.clock.advance(24 * 3_600);
    begin(&w, &alice, &id(3), size(4)).await.ok::<BlobState>();

    put(&w, &alice, &id(3), 0, vec![0; wire::BLOB_PART + 1]).await.refused(413, ProblemCode::TooLarge);
    for short in [0, 1, wire::BLOB_PART - 1] {
        put(&w, &alice, &id(3), 0, vec![0; short]).await.refused(400, ProblemCode::BadRequest);
    }
    let address = format!("/v1/blobs/{}/0", id(3));
    let json = w.web.with(Method::PUT, &address, alice.token(), Some(&BeginBlob { size: 1 })).await;
    json.refused(415, ProblemCode::BadRequest);
    for odd in ["/v1/blobs/abc", "/v1/blobs/..%2f..", &format!("/v1/blobs/{}", ID.to_uppercase())] {
        w.web.delete_with(odd, alice.token()).await.refused(400, ProblemCode::BadRequest);
    }
    for odd in ["-1", "x", "4294967296"] {
        let answer = w.web.get(&format!("/v1/blobs/{}/{odd}", id(3))).await;
        answer.refused(400, ProblemCode::BadRequest);
    }
    let mut left = 0;
    while put(&w, &alice, &id(3), 0, bytes(size(4), 0)).await.status.is_success() {
        left += 1;
        assert!(left < 20, "no limit");
    }
    w.web.get(&format!("/v1/blobs/{}/0", id(3))).await.refused(429, ProblemCode::TooManyRequests);
    let other = w.web_from(9).get(&format!("/v1/blobs/{}/0", id(3))).await;
    other.refused(404, ProblemCode::NotFound);
}

/// Each call of the store fails in turn, its effect or its answer: the client is told 503 and does it again.
pub async fn the_store_of_files_fails_and_recovers(w: World) {
    let alice = w.sign_up("alice").await;
    let size = size(1);
    let mut failed = 0;
    for n in 1..=12u8 {
        let skip = u64::from(n % 6);
        if n < 6 {
            w.faults.fail_after(skip)
        } else {
            w.faults.lose_answers_after(skip)
        }
        let id = id(n);
        let mut step = async |what: &str| {
            for attempt in 0.. {
                let answer = match what {
                    "space" => w.web.get_with("/v1/blobs", alice.token()).await,
                    "begin" => begin(&w, &alice, &id, size).await,
                    "put" => put(&w, &alice, &id, 0, bytes(size, 0)).await,
                    "get" => w.web.get(&format!("/v1/blobs/{id}/0")).await,
                    _ => w.web.delete_with(&format!("/v1/blobs/{id}"), alice.token()).await,
                };
                if answer.status.is_success() || (what == "remove" && attempt > 0 && answer.status == 404) {
                    break;
                }
                answer.refused(503, ProblemCode::Unavailable);
                assert!(attempt == 0, "{what} fails for good");
                failed += 1;
                w.faults.heal();
            }
        };
        for what in ["space", "begin", "put", "get", "remove"] {
            step(what).await;
        }
        w.faults.heal();
    }
    assert!(failed >= 10, "{failed}");
}
