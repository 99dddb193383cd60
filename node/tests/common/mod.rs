//! A relay's HTTP side that follows a script: it loses answers, forgets sessions, goes away and comes back.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::disallowed_methods, reason = "the scripted relay has a clock of its own")]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use livechat_node::api::{AccountState, Error, Request, Response, SignUpTicket, Status};
use livechat_node::{Config, Node};
use livechat_wire::account::AccountLog;
use livechat_wire::http::{self, Problem, ProblemCode, SecretText};
use livechat_wire::{AccountId, RelayId};
use tokio::task::JoinHandle;

/// The code that the script takes for right.
pub const CODE: &str = "123456";
/// The relay's id.
pub const RELAY: RelayId = RelayId([7; 32]);

#[derive(Default)]
pub struct Script {
    /// Confirm, then cut the connection instead of answering.
    pub lose_confirmation: bool,
    pub accounts: HashMap<String, http::Bytes>,
    pub pending: HashMap<String, String>,
    pub sessions: Vec<String>,
    pub stock: u32,
    /// How long sessions last, seconds; ten days when zero.
    pub session: u64,
    /// How often the card was read.
    pub cards: u32,
    /// Added to the clock in the relay's card, seconds.
    pub clock: i64,
    issued: u64,
}

pub struct ScriptedRelay {
    pub address: SocketAddr,
    script: Arc<Mutex<Script>>,
    task: Option<JoinHandle<()>>,
}

type Shared = State<Arc<Mutex<Script>>>;
type Answer<T> = Result<Json<T>, (StatusCode, Json<Problem>)>;

impl ScriptedRelay {
    pub async fn start() -> Self {
        let mut relay =
            Self { address: ([127, 0, 0, 1], 0).into(), script: Arc::new(Mutex::new(Script::default())), task: None };
        relay.come_back().await;
        relay
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub async fn go_away(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        }
    }

    pub async fn come_back(&mut self) {
        let listener = tokio::net::TcpListener::bind(self.address).await.unwrap();
        self.address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/v1/relay", get(card))
            .route("/v1/usernames/{name}", get(availability))
            .route("/v1/accounts", post(begin))
            .route("/v1/accounts/confirm", post(confirm))
            .route("/v1/sessions", post(log_in))
            .route("/v1/sessions/current", delete(log_out))
            .route("/v1/directory/{name}", get(directory))
            .route("/v1/devices/log", get(own_log))
            .route("/v1/account/name", put(change_name))
            .route("/v1/live", get(live))
            .route("/v1/key-packages", get(stock).put(publish))
            .with_state(self.script.clone());
        self.task = Some(tokio::spawn(async move { axum::serve(listener, app).await.unwrap() }));
    }

    pub async fn node(&self, dir: &tempfile::TempDir) -> Node {
        Node::start(self.config(dir)).await.unwrap()
    }

    pub fn config(&self, dir: &tempfile::TempDir) -> Config {
        Config::new(dir.path().join("node"), self.url().parse().unwrap())
    }
}

impl Drop for ScriptedRelay {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn refuse<T>(status: StatusCode, code: ProblemCode) -> Answer<T> {
    Err((status, Json(Problem { code, message: format!("scripted {code:?}"), retry_after: None })))
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

async fn card(State(script): Shared) -> Json<http::RelayInfo> {
    let mut script = script.lock().unwrap();
    script.cards += 1;
    let clock = script.clock;
    Json(http::RelayInfo {
        relay: RELAY,
        network: "test".into(),
        // Nobody is there: the peer-to-peer side of these tests stays away.
        addresses: vec!["/ip4/127.0.0.1/tcp/1/p2p/12D3KooWGQmdpzHXCqLno4mMxWXKNFQHASBeF99gTm2JR8Vu5Bdc".into()],
        generation: 0,
        bucket_bits: 0,
        topic_bits: 0,
        time: now().saturating_add_signed(clock),
        retention_seconds: 1_000,
    })
}

async fn availability(State(script): Shared, Path(name): Path<String>) -> Json<http::UsernameAvailability> {
    let taken = script.lock().unwrap().accounts.contains_key(&name);
    let problem = taken.then_some(http::UsernameProblem::Taken);
    Json(http::UsernameAvailability { username: name, available: !taken, problem })
}

async fn begin(State(script): Shared, Json(wanted): Json<http::BeginSignUp>) -> Answer<http::PendingSignUp> {
    let mut script = script.lock().unwrap();
    let username = wanted.username.to_lowercase();
    if script.accounts.contains_key(&username) || script.pending.values().any(|n| *n == username) {
        return refuse(StatusCode::CONFLICT, ProblemCode::UsernameUnavailable);
    }
    script.issued += 1;
    let pending = format!("pending-{}", script.issued);
    script.pending.insert(pending.clone(), username.clone());
    Ok(Json(http::PendingSignUp {
        otpauth_uri: SecretText(format!("otpauth://totp/LiveChat:{username}?secret=JBSWY3DPEHPK3PXP&issuer=LiveChat")),
        username,
        pending: SecretText(pending),
        setup_key: SecretText("JBSWY3DPEHPK3PXP".into()),
        expires_at: now() + 3_600,
    }))
}

fn session(script: &mut Script, account: AccountId) -> http::Session {
    script.issued += 1;
    let token = format!("token-{}", script.issued);
    script.sessions.push(token.clone());
    http::Session {
        id: token.clone(),
        token: SecretText(token),
        expires_at: now() + if script.session == 0 { 864_000 } else { script.session },
        account,
        known_device: true,
        vault: None,
    }
}

async fn confirm(State(script): Shared, Json(confirm): Json<http::ConfirmSignUp>) -> HttpResponse {
    let mut script = script.lock().unwrap();
    let Some(username) = script.pending.get(&confirm.pending.0).cloned() else {
        return refuse::<()>(StatusCode::GONE, ProblemCode::PendingExpired).into_response();
    };
    if confirm.code != CODE {
        return refuse::<()>(StatusCode::UNAUTHORIZED, ProblemCode::InvalidCredentials).into_response();
    }
    let log = AccountLog::decode(&confirm.log.0).unwrap();
    assert_eq!(log.name(), Some((username.as_str(), RELAY)));
    script.pending.remove(&confirm.pending.0);
    script.accounts.insert(username, confirm.log);
    if std::mem::take(&mut script.lose_confirmation) {
        // A body that breaks off: the client can't know what happened.
        let cut = futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("cut"))]);
        return axum::body::Body::from_stream(cut).into_response();
    }
    let done = http::SignedUp {
        account: log.account(),
        session: session(&mut script, log.account()),
        recovery_codes: (0..10).map(|n| SecretText(format!("recovery-{n}"))).collect(),
    };
    Json(done).into_response()
}

async fn log_in(State(script): Shared, Json(log_in): Json<http::LogIn>) -> Answer<http::Session> {
    let mut script = script.lock().unwrap();
    let log = script.accounts.get(&log_in.username).map(|l| AccountLog::decode(&l.0).unwrap());
    let (Some(log), CODE) = (log, log_in.code.as_str()) else {
        return refuse(StatusCode::UNAUTHORIZED, ProblemCode::InvalidCredentials);
    };
    let device = log_in.device.unwrap();
    device.verify(&RELAY, &log_in.username).unwrap();
    assert!(log.has_device(device.device_key.0.as_slice().try_into().unwrap()));
    Ok(Json(session(&mut script, log.account())))
}

fn token(headers: &HeaderMap) -> String {
    headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned()
}

/// The token, if it is of a session in force.
fn authenticated(script: &Script, headers: &HeaderMap) -> Result<String, (StatusCode, Json<Problem>)> {
    let token = token(headers);
    if script.sessions.contains(&token) {
        return Ok(token);
    }
    refuse::<()>(StatusCode::UNAUTHORIZED, ProblemCode::Unauthenticated).map(|_| token)
}

async fn log_out(State(script): Shared, headers: HeaderMap) -> Result<StatusCode, (StatusCode, Json<Problem>)> {
    let mut script = script.lock().unwrap();
    let token = authenticated(&script, &headers)?;
    script.sessions.retain(|t| *t != token);
    Ok(StatusCode::NO_CONTENT)
}

async fn directory(State(script): Shared, Path(name): Path<String>) -> Answer<http::DirectoryEntry> {
    match script.lock().unwrap().accounts.get(&name) {
        Some(log) => Ok(Json(http::DirectoryEntry { username: name, log: log.clone(), devices: vec![] })),
        None => refuse(StatusCode::NOT_FOUND, ProblemCode::NotFound),
    }
}

/// Of the one account there is.
async fn own_log(State(script): Shared, headers: HeaderMap) -> Answer<http::OwnLog> {
    let script = script.lock().unwrap();
    authenticated(&script, &headers)?;
    let (username, log) = script.accounts.iter().next().unwrap();
    Ok(Json(http::OwnLog { username: username.clone(), log: log.clone() }))
}

async fn change_name(State(script): Shared, headers: HeaderMap, Json(change): Json<http::ChangeName>) -> HttpResponse {
    let mut script = script.lock().unwrap();
    if authenticated(&script, &headers).is_err() || change.code != CODE {
        return refuse::<()>(StatusCode::UNAUTHORIZED, ProblemCode::InvalidCredentials).into_response();
    }
    let (before, kept) = script.accounts.drain().next().unwrap();
    let log = AccountLog::decode(&change.log.0).unwrap();
    assert!(AccountLog::decode(&kept.0).unwrap().is_prefix_of(&log));
    let (name, RELAY) = log.name().unwrap() else { panic!("another relay") };
    if name == "taken" {
        script.accounts.insert(before, kept);
        return refuse::<()>(StatusCode::CONFLICT, ProblemCode::UsernameUnavailable).into_response();
    }
    script.accounts.insert(name.to_owned(), change.log);
    if std::mem::take(&mut script.lose_confirmation) {
        let cut = futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("cut"))]);
        return axum::body::Body::from_stream(cut).into_response();
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn live(State(script): Shared, headers: HeaderMap) -> Answer<http::LiveCount> {
    authenticated(&script.lock().unwrap(), &headers)?;
    Ok(Json(http::LiveCount { users: 3 }))
}

async fn stock(State(script): Shared, headers: HeaderMap) -> Answer<http::KeyPackageStock> {
    let script = script.lock().unwrap();
    authenticated(&script, &headers)?;
    Ok(Json(http::KeyPackageStock { one_time: script.stock, last_resort: script.stock > 0 }))
}

async fn publish(
    State(script): Shared,
    headers: HeaderMap,
    Json(keys): Json<http::PublishKeyPackages>,
) -> Answer<http::KeyPackageStock> {
    let mut script = script.lock().unwrap();
    authenticated(&script, &headers)?;
    script.stock += u32::try_from(keys.one_time.len()).unwrap();
    Ok(Json(http::KeyPackageStock { one_time: script.stock, last_resort: keys.last_resort.is_some() }))
}

pub fn sign_up(username: &str) -> Request {
    Request::SignUp { username: username.into() }
}

pub fn confirm_with(code: &str) -> Request {
    Request::ConfirmSignUp { code: code.into() }
}

pub fn log_in_as(username: &str, code: &str) -> Request {
    Request::LogIn { username: username.into(), code: code.into() }
}

pub fn ticket(response: Result<Response, Error>) -> SignUpTicket {
    match response {
        Ok(Response::SignUp(ticket)) => ticket,
        other => panic!("no ticket: {other:?}"),
    }
}

pub async fn status(node: &Node) -> Status {
    match node.request(Request::Status).await {
        Ok(Response::Status(status)) => status,
        other => panic!("no status: {other:?}"),
    }
}

/// Waits until the status is as wanted.
pub async fn until(node: &Node, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
    let wait = async {
        loop {
            let status = status(node).await;
            if wanted(&status) {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(120), wait).await {
        Ok(status) => status,
        Err(_) => panic!("never {what}: {:?}", status(node).await),
    }
}

pub fn is_active(s: &Status) -> bool {
    matches!(s.account, AccountState::Active { .. })
}

pub fn is_logged_out(s: &Status) -> bool {
    matches!(s.account, AccountState::LoggedOut { .. })
}
