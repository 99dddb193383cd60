//! P24, first form: five thousand requests made up from the OpenAPI document, right and wrong in every way; the relay
//! never answers 5xx, and what it answers is what the document says.

use livechat_wire::http::*;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::world::{Answer, Person, World};

/// Small and repeatable; the seed is printed when a request fails.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, n: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }

    fn text(&mut self) -> String {
        const SOME: [&str; 14] = [
            "",
            "alice",
            "bobby",
            "000000",
            "current",
            "AAAA",
            "\u{0}",
            "é\u{301}",
            "😀",
            "$ne",
            "../..",
            "0004-20fs-zfxz-tzfz",
            "'; DROP TABLE accounts; --",
            "\u{202e}cba",
        ];
        match self.roll(4) {
            0 => (0..self.roll(60)).map(|_| char::from_u32(self.roll(0x3000) as u32).unwrap_or('x')).collect(),
            1 => "x".repeat(self.roll(3_000)),
            _ => (*self.pick(&SOME)).to_owned(),
        }
    }

    fn any(&mut self) -> Value {
        match self.roll(7) {
            0 => Value::Null,
            1 => json!(self.roll(2) == 0),
            2 => json!(self.roll(1_000_000)),
            3 => json!(-1.5e300),
            4 => json!([self.text()]),
            5 => json!({ "$ne": null }),
            _ => json!(self.text()),
        }
    }
}

/// A value for a schema: mostly right, sometimes not.
fn value(schema: &Value, document: &Value, dice: &mut Dice) -> Value {
    if dice.roll(25) == 0 {
        return dice.any();
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap();
        return value(&document["components"]["schemas"][name], document, dice);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = dice.pick(choices).clone();
        return value(&choice, document, dice);
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => dice.pick(kinds).clone(),
        other => other.clone(),
    };
    match kind.as_str() {
        Some("object") => {
            let mut out = Map::new();
            for (name, of) in schema["properties"].as_object().into_iter().flatten() {
                if dice.roll(15) > 0 {
                    out.insert(name.clone(), value(of, document, dice));
                }
            }
            if dice.roll(20) == 0 {
                out.insert(dice.text(), dice.any());
            }
            Value::Object(out)
        }
        Some("array") => (0..dice.roll(4)).map(|_| value(&schema["items"], document, dice)).collect(),
        Some("integer") => json!(dice.roll(2_000_000_000)),
        Some("boolean") => json!(dice.roll(2) == 0),
        Some("null") => Value::Null,
        _ if schema["format"] == "base64url" && dice.roll(4) > 0 => {
            let bytes: Vec<u8> = (0..dice.roll(300)).map(|_| dice.roll(256) as u8).collect();
            json!(data_encoding::BASE64URL_NOPAD.encode(&bytes))
        }
        _ => json!(dice.text()),
    }
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Whether an answer with a body of this schema reads as our type.
fn reads(schema: &str, body: &[u8]) -> bool {
    macro_rules! types {
        ($($name:ident),*) => { match schema {
            $(stringify!($name) => serde_json::from_slice::<$name>(body).is_ok(),)*
            _ => panic!("no type for schema {schema}"),
        } };
    }
    types!(
        RelayInfo,
        UsernameAvailability,
        PendingSignUp,
        SignedUp,
        Session,
        SessionList,
        LiveCount,
        KeyPackageStock,
        DirectoryEntry,
        RecoveryCodes,
        LobbyDoor,
        OwnLog,
        PendingDevice,
        BlobSpace,
        BlobState,
        Problem
    )
}

fn check(operation: &Value, answer: &Answer) -> Result<(), String> {
    let status = answer.status.as_u16();
    if status >= 500 {
        return Err(format!("{status}"));
    }
    let documented = &operation["responses"][status.to_string()];
    if documented.is_null() {
        return Err(format!("{status} isn't documented"));
    }
    match documented["content"]["application/json"]["schema"]["$ref"].as_str() {
        Some(reference) => {
            let name = reference.rsplit('/').next().unwrap();
            let json = answer.headers.get("content-type").is_some_and(|t| t == "application/json");
            if json && reads(name, &answer.body) { Ok(()) } else { Err(format!("{status}: not a {name}")) }
        }
        None if documented["content"].is_null() && !answer.body.is_empty() => Err(format!("{status}: has a body")),
        None => Ok(()),
    }
}

pub async fn p24_five_thousand_generated_requests() {
    let w = World::sqlite().await;
    let mut alice = w.sign_up("alice").await;
    w.sign_up("bobby").await;
    let document: Value = w.web.get("/v1/openapi.json").await.ok();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((path.clone(), method.to_uppercase(), operation.clone()));
        }
    }
    let mut dice = Dice(0x5eed_1234);
    let mut by_status = std::collections::BTreeMap::<u16, u32>::new();
    for n in 0..5_000 {
        let (path, method, operation) = dice.pick(&operations).clone();
        let text = encode(&dice.text());
        let number = dice.pick(&["0", "1", "4294967295", "x"]).to_owned();
        let blob = if dice.roll(2) == 0 { "ab".repeat(32) } else { text.clone() };
        let id = if path.contains("blobs") { &blob } else { &text };
        let filled = path.replace("{username}", &text).replace("{id}", id).replace("{part}", number);
        let right = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = w.web.request(right, &filled);
        request = match dice.roll(8) {
            0 => request,
            1 => request.bearer_auth(dice.text().replace(|c: char| !c.is_ascii_graphic(), "")),
            _ => request.bearer_auth(alice.token()),
        };
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let mut sent = String::new();
        if !schema.is_null() || dice.roll(10) == 0 {
            let mut body = value(schema, &document, &mut dice).to_string();
            if dice.roll(20) == 0 {
                body.truncate((0..=body.len() / 2).rev().find(|i| body.is_char_boundary(*i)).unwrap());
            }
            sent.clone_from(&body);
            let kind = if dice.roll(20) == 0 { "text/plain" } else { "application/json" };
            request = request.header("content-type", kind).body(body);
        }
        let answer = w.web.send(request).await;
        *by_status.entry(answer.status.as_u16()).or_default() += 1;
        // An empty last segment, or one with a slash, is another route: 404 is documented everywhere.
        if let Err(why) = check(&operation, &answer) {
            panic!("request {n}: {method} {filled}\n{sent:.500}\n{why}: {}", answer.text());
        }
        if answer.status.is_success() && method == "DELETE" {
            alice = again(&w, alice).await;
        }
    }
    println!("P24: 5,000 generated requests: {by_status:?}");
    assert!(by_status.len() > 6, "{by_status:?}");
    // Control: the check sees a server error and a foreign body.
    let planted =
        Answer { status: reqwest::StatusCode::INTERNAL_SERVER_ERROR, headers: Default::default(), body: vec![] };
    assert!(check(&operations[0].2, &planted).is_err());
    let foreign = Answer { status: reqwest::StatusCode::NOT_FOUND, body: b"<html>".to_vec(), ..planted };
    assert!(check(&operations[0].2, &foreign).is_err());
}

/// A session for the next request.
async fn again(w: &World, mut who: Person) -> Person {
    w.clock.advance(86_400);
    who.signed_up.session = who.gets_in(w, true).await;
    who
}
