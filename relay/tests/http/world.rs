//! A relay on a clock that stands still, and people with authenticator apps.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::{Signer as _, SigningKey};
use livechat_relay::testing::{self, Faults, FaultyAccounts, FaultyBlobs, Stores, TurnedClock, code_at};
use livechat_relay::{Config, Relay};
use livechat_wire::account::{AccountLog, Signer, Statement};
use livechat_wire::bundle::Bundle;
use livechat_wire::http::*;
use livechat_wire::{AccountId, RelayId, limits as wire};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

pub const NOW: u64 = 1_795_348_800;

pub struct World {
    pub relay: Relay,
    pub clock: Arc<TurnedClock>,
    pub faults: Arc<Faults>,
    pub folder: TempDir,
    pub config: Config,
    pub web: Web,
}

/// Generous where a test isn't about limits: everybody shares an address.
pub fn generous(config: &mut Config) {
    config.limits.sign_ups_per_hour = 1_000_000;
    config.limits.lookups_per_minute = 1_000_000;
    config.limits.claims_per_minute = 1_000_000;
    config.limits.log_ins_per_minute = 1_000_000;
    config.limits.proofs_per_minute = 1_000_000;
    config.limits.file_parts_per_minute = 1_000_000;
    config.limits.refusal_time = Duration::from_millis(1);
}

impl World {
    pub async fn sqlite() -> Self {
        Self::with(generous).await
    }

    pub async fn mongo(uri: String) -> Self {
        Self::with(|c| {
            generous(c);
            c.store = uri;
        })
        .await
    }

    pub async fn with(tune: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::local(folder.path());
        tune(&mut config);
        let (clock, faults) = (TurnedClock::at(NOW), Arc::new(Faults::default()));
        let relay = start(&config, &clock, &faults).await;
        let web = Web::to(&relay, None);
        Self { relay, clock, faults, folder, config, web }
    }

    /// Stops the relay and starts it again on the same folder and database.
    pub async fn restart(self) -> Self {
        let Self { relay, clock, faults, folder, config, web: _ } = self;
        relay.stop().await;
        let relay = start(&config, &clock, &faults).await;
        let web = Web::to(&relay, None);
        Self { relay, clock, faults, folder, config, web }
    }

    /// A connection from another loopback address.
    pub fn web_from(&self, last: u8) -> Web {
        Web::to(&self.relay, Some(Ipv4Addr::new(127, 0, 0, last)))
    }

    pub async fn begin(&self, name: &str) -> PendingSignUp {
        self.web.post("/v1/accounts", &BeginSignUp { username: name.to_owned() }).await.ok()
    }

    /// The code of this moment.
    pub fn code(&self, setup_key: &SecretText) -> String {
        code_at(&setup_key.0, self.clock.now())
    }

    /// A code that is not of this moment or near it.
    pub fn wrong_code(&self, setup_key: &SecretText) -> String {
        let near: Vec<String> =
            [0, 30, 60, 90].iter().map(|d| code_at(&setup_key.0, self.clock.now() + d - 30)).collect();
        (0..).map(|n: u32| format!("{n:06}")).find(|c| !near.contains(c)).unwrap()
    }

    /// Signs somebody up, and waits until the code is a fresh one.
    pub async fn sign_up(&self, name: &str) -> Person {
        let pending = self.begin(name).await;
        let keys = Keys::new();
        let confirm = keys.confirm(self, &pending, self.code(&pending.setup_key));
        let signed_up: SignedUp = self.web.post("/v1/accounts/confirm", &confirm).await.ok();
        self.clock.advance(30);
        Person { name: pending.username, setup_key: pending.setup_key, keys, signed_up }
    }
}

async fn start(config: &Config, clock: &Arc<TurnedClock>, faults: &Arc<Faults>) -> Relay {
    let faults = faults.clone();
    let wrap = |Stores { accounts, blobs }: Stores| Stores {
        accounts: Arc::new(FaultyAccounts { inner: accounts, faults: faults.clone() }),
        blobs: Arc::new(FaultyBlobs { inner: blobs, faults }),
    };
    testing::start(config.clone(), clock.clone(), wrap).await.unwrap()
}

/// An identity and a device.
#[derive(Clone)]
pub struct Keys {
    pub identity: SigningKey,
    pub device: SigningKey,
}

impl Keys {
    pub fn new() -> Self {
        let fresh = || {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).unwrap();
            SigningKey::from_bytes(&seed)
        };
        Self { identity: fresh(), device: fresh() }
    }

    pub fn log(&self, name: &str, relay: RelayId) -> AccountLog {
        let sign = |m: &[u8]| self.identity.sign(m).to_bytes();
        let mut log = AccountLog::found(self.identity.verifying_key().to_bytes(), NOW, sign).unwrap();
        let device_key = self.device.verifying_key().to_bytes();
        log.append(NOW, Signer::Identity, Statement::AddDevice { device_key }, sign).unwrap();
        log.append(NOW, Signer::Identity, Statement::BindName { name: name.to_owned(), relay }, sign).unwrap();
        log
    }

    pub fn bundle(&self) -> Bundle {
        let key = self.device.verifying_key().to_bytes();
        let hello = Box::new([7; wire::XWING_PUBLIC]);
        Bundle::sign(key, hello, [9; 16], NOW, |m| self.device.sign(m).to_bytes())
    }

    pub fn confirm(&self, world: &World, pending: &PendingSignUp, code: String) -> ConfirmSignUp {
        ConfirmSignUp {
            pending: pending.pending.clone(),
            code,
            log: Bytes(self.log(&pending.username, world.relay.id()).encode()),
            bundle: Bytes(self.bundle().encode()),
        }
    }

    pub fn prove(&self, relay: RelayId, name: &str, time: u64) -> DeviceProof {
        let signature = self.device.sign(&DeviceProof::signed_bytes(&relay, name, time));
        DeviceProof {
            device_key: Bytes(self.device.verifying_key().to_bytes().to_vec()),
            time,
            signature: Bytes(signature.to_bytes().to_vec()),
        }
    }
}

pub struct Person {
    pub name: String,
    pub setup_key: SecretText,
    pub keys: Keys,
    pub signed_up: SignedUp,
}

impl Person {
    pub fn account(&self) -> AccountId {
        self.signed_up.account
    }

    pub fn token(&self) -> &str {
        &self.signed_up.session.token.0
    }

    pub fn log_in(&self, world: &World, code: String) -> LogIn {
        self.log_in_as(world, code, false)
    }

    /// From the first device, or from nowhere known.
    pub fn log_in_as(&self, world: &World, code: String, known: bool) -> LogIn {
        let prove = || self.keys.prove(world.relay.id(), &self.name, world.clock.now());
        LogIn { username: self.name.clone(), code, device: known.then(prove) }
    }

    /// With the right code, afterwards it is a later moment.
    pub async fn gets_in(&self, world: &World, known: bool) -> Session {
        let request = self.log_in_as(world, world.code(&self.setup_key), known);
        let session = world.web.post("/v1/sessions", &request).await.ok();
        world.clock.advance(30);
        session
    }
}

/// A client.
#[derive(Clone)]
pub struct Web {
    client: reqwest::Client,
    base: String,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Web {
    fn to(relay: &Relay, from: Option<Ipv4Addr>) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().local_address(from.map(IpAddr::V4)).build().unwrap();
        Self { client, base: format!("http://{}", relay.http_addr()) }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &(impl Serialize + Sync)) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// With a session and, if there is one, a body.
    pub async fn with<B: Serialize + Sync>(&self, method: Method, path: &str, token: &str, body: Option<&B>) -> Answer {
        let mut request = self.request(method, path).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request).await
    }

    pub async fn get_with(&self, path: &str, token: &str) -> Answer {
        self.with::<()>(Method::GET, path, token, None).await
    }

    pub async fn delete_with(&self, path: &str, token: &str) -> Answer {
        self.with::<()>(Method::DELETE, path, token, None).await
    }
}

impl Answer {
    #[track_caller]
    pub fn ok<T: DeserializeOwned>(&self) -> T {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    pub fn done(&self) {
        assert_eq!(self.status, StatusCode::NO_CONTENT, "{}", self.text());
    }

    #[track_caller]
    pub fn problem(&self) -> Problem {
        assert!(!self.status.is_success(), "{}: {}", self.status, self.text());
        let problem: Problem = serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()));
        assert!(problem.message.len() > 10, "{problem:?}");
        problem
    }

    #[track_caller]
    pub fn refused(&self, status: u16, code: ProblemCode) {
        let problem = self.problem();
        assert_eq!((self.status.as_u16(), problem.code), (status, code), "{}", problem.message);
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
