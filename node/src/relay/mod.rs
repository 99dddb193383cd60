//! The relay's HTTP API (`livechat_wire::http`), as this node uses it.
//!
//! What carries a session and what must not be linked to one (sign-up checks, directory) go over separate connection
//! pools. Answers are bounded, redirects aren't followed, loopback never goes through a proxy.

mod error;
mod welcomes;

use std::net::IpAddr;

use livechat_wire::account::AccountLog;
use livechat_wire::http::{
    BeginBlob, BeginSignUp, BlobSpace, BlobState, ChangeName, Claim, ClaimSession, ClaimedSession,
    ConfirmAuthenticator, ConfirmSignUp, DirectoryEntry, KeyPackageStock, LiveCount, LobbyDoor, LogIn, OwnLog,
    PendDevice, PendingDevice, PendingSignUp, Problem, ProblemCode, PublishKeyPackages, PutLobby, PutLog,
    RecoveryCodes, RelayInfo, RenewLobby, SecretText, Session, SessionList, SignedUp, UsernameAvailability, WithCode,
};
use livechat_wire::{BlobId, RelayId};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::{Host, Url};

use crate::limits;
pub(crate) use error::AskError;

/// Why no HTTP client can be made for an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelayUrlError {
    /// Not an address of HTTP.
    #[error("{0} can't be a relay's address: it must begin with https:// (or http:// for this machine)")]
    Scheme(Url),
    /// Plain HTTP over a network would show session tokens to everyone on the way.
    #[error("{0} isn't encrypted; use https://, plain http:// is for this machine only")]
    Plain(Url),
    /// TLS can't be set up.
    #[error(
        "encrypted connections can't be set up: {0}; are the system's root certificates (ca-certificates) installed?"
    )]
    Tls(reqwest::Error),
}

/// A relay's HTTP side. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct RelayClient {
    base: Url,
    /// With a session.
    known: reqwest::Client,
    /// Without: other connections, so that nothing but the network address links the two.
    stranger: reqwest::Client,
}

impl RelayClient {
    pub(crate) fn new(base: &Url) -> Result<Self, RelayUrlError> {
        let local = is_loopback(base);
        match base.scheme() {
            "https" => {}
            "http" if local => {}
            "http" => return Err(RelayUrlError::Plain(base.clone())),
            _ => return Err(RelayUrlError::Scheme(base.clone())),
        }
        // An error means that the process has a provider already, which is as good.
        rustls::crypto::ring::default_provider().install_default().unwrap_or_default();
        let build = || {
            let mut builder = reqwest::Client::builder()
                .connect_timeout(limits::HTTP_CONNECT)
                .timeout(limits::HTTP_TOTAL)
                .pool_idle_timeout(limits::HTTP_IDLE)
                .redirect(reqwest::redirect::Policy::none())
                .referer(false);
            if local {
                builder = builder.no_proxy();
            }
            builder.build().map_err(RelayUrlError::Tls)
        };
        Ok(Self { base: base.clone(), known: build()?, stranger: build()? })
    }

    pub(crate) async fn info(&self) -> Result<RelayInfo, AskError> {
        self.get(&["v1", "relay"]).await
    }

    pub(crate) async fn availability(&self, username: &str) -> Result<UsernameAvailability, AskError> {
        self.get(&["v1", "usernames", username]).await
    }

    pub(crate) async fn begin_sign_up(&self, username: &str) -> Result<PendingSignUp, AskError> {
        self.post(&["v1", "accounts"], &BeginSignUp { username: username.to_owned() }).await
    }

    pub(crate) async fn confirm_sign_up(&self, confirm: &ConfirmSignUp) -> Result<SignedUp, AskError> {
        self.post(&["v1", "accounts", "confirm"], confirm).await
    }

    pub(crate) async fn log_in(&self, log_in: &LogIn) -> Result<Session, AskError> {
        self.post(&["v1", "sessions"], log_in).await
    }

    pub(crate) async fn sessions(&self, token: &SecretText) -> Result<SessionList, AskError> {
        answer(self.with_session(Method::GET, &["v1", "sessions"], token)).await
    }

    /// Ends another session of the same account.
    pub(crate) async fn end_session(&self, token: &SecretText, id: &str) -> Result<(), AskError> {
        done(self.with_session(Method::DELETE, &["v1", "sessions", id], token)).await
    }

    pub(crate) async fn recovery_codes(&self, token: &SecretText, code: String) -> Result<RecoveryCodes, AskError> {
        let request = self.with_session(Method::POST, &["v1", "account", "recovery-codes"], token);
        answer(request.json(&WithCode { code })).await
    }

    pub(crate) async fn begin_authenticator(
        &self,
        token: &SecretText,
        code: String,
    ) -> Result<PendingSignUp, AskError> {
        let request = self.with_session(Method::POST, &["v1", "account", "authenticators"], token);
        answer(request.json(&WithCode { code })).await
    }

    pub(crate) async fn confirm_authenticator(
        &self,
        token: &SecretText,
        pending: SecretText,
        code: String,
    ) -> Result<(), AskError> {
        let request = self.with_session(Method::POST, &["v1", "account", "authenticators", "confirm"], token);
        done(request.json(&ConfirmAuthenticator { pending, code })).await
    }

    /// The one that gave the code stays.
    pub(crate) async fn remove_authenticator(&self, token: &SecretText, code: String) -> Result<(), AskError> {
        let request = self.with_session(Method::DELETE, &["v1", "account", "authenticators"], token);
        done(request.json(&WithCode { code })).await
    }

    pub(crate) async fn delete_account(&self, token: &SecretText, code: String) -> Result<(), AskError> {
        let request = self.with_session(Method::DELETE, &["v1", "account"], token);
        done(request.json(&WithCode { code })).await
    }

    /// Ends the session of `token` at the relay.
    pub(crate) async fn log_out(&self, token: &SecretText) -> Result<(), AskError> {
        done(self.with_session(Method::DELETE, &["v1", "sessions", "current"], token)).await
    }

    pub(crate) async fn directory(&self, username: &str) -> Result<DirectoryEntry, AskError> {
        self.get(&["v1", "directory", username]).await
    }

    /// The log of our own account, checked, and its name as this relay has it.
    pub(crate) async fn account_log(&self, username: &str, relay: RelayId) -> Result<(String, AccountLog), AskError> {
        let entry = self.directory(username.trim()).await?;
        checked(entry.username, &entry.log.0, relay)
    }

    /// The same whatever the account is called by now, with a session. The directory knows it by its present name only,
    /// but tells those whose session has ended, too.
    pub(crate) async fn own_account_log(
        &self,
        token: Option<&SecretText>,
        username: &str,
        relay: RelayId,
    ) -> Result<(String, AccountLog), AskError> {
        let Some(token) = token else { return self.account_log(username, relay).await };
        let own: Result<OwnLog, _> = answer(self.with_session(Method::GET, &["v1", "devices", "log"], token)).await;
        match own {
            Err(e) if e.problem() == Some(ProblemCode::Unauthenticated) => self.account_log(username, relay).await,
            own => own.and_then(|own| checked(own.username, &own.log.0, relay)),
        }
    }

    pub(crate) async fn claim(&self, username: String) -> Result<DirectoryEntry, AskError> {
        self.post(&["v1", "directory", "claim"], &Claim { username }).await
    }

    pub(crate) async fn stock(&self, token: &SecretText) -> Result<KeyPackageStock, AskError> {
        answer(self.with_session(Method::GET, &["v1", "key-packages"], token)).await
    }

    pub(crate) async fn publish_keys(
        &self,
        token: &SecretText,
        keys: &PublishKeyPackages,
    ) -> Result<KeyPackageStock, AskError> {
        answer(self.with_session(Method::PUT, &["v1", "key-packages"], token).json(keys)).await
    }

    /// This device waits to be added.
    pub(crate) async fn pend_device(&self, token: &SecretText, pend: &PendDevice) -> Result<PendingDevice, AskError> {
        answer(self.with_session(Method::PUT, &["v1", "devices", "pending"], token).json(pend)).await
    }

    /// The device that waits to be added.
    pub(crate) async fn pending_device(&self, token: &SecretText) -> Result<PendingDevice, AskError> {
        answer(self.with_session(Method::GET, &["v1", "devices", "pending"], token)).await
    }

    /// Continues the account's log.
    pub(crate) async fn put_log(&self, token: &SecretText, log: &PutLog) -> Result<(), AskError> {
        done(self.with_session(Method::PUT, &["v1", "devices", "log"], token).json(log)).await
    }

    /// Gives the account the name that its log binds.
    pub(crate) async fn change_name(&self, token: &SecretText, change: &ChangeName) -> Result<(), AskError> {
        done(self.with_session(Method::PUT, &["v1", "account", "name"], token).json(change)).await
    }

    /// Makes this session that of the device that signs.
    pub(crate) async fn claim_session(
        &self,
        token: &SecretText,
        claim: &ClaimSession,
    ) -> Result<ClaimedSession, AskError> {
        answer(self.with_session(Method::PUT, &["v1", "sessions", "current", "device"], token).json(claim)).await
    }

    pub(crate) async fn lobby(&self, token: &SecretText) -> Result<LobbyDoor, AskError> {
        answer(self.with_session(Method::GET, &["v1", "lobby"], token)).await
    }

    /// What stands there afterwards, ours or somebody else's.
    pub(crate) async fn put_lobby(
        &self,
        token: &SecretText,
        link: String,
        replaces: Option<u64>,
    ) -> Result<LobbyDoor, AskError> {
        let request = self.with_session(Method::PUT, &["v1", "lobby"], token);
        answer(request.json(&PutLobby { link: SecretText(link), replaces })).await
    }

    pub(crate) async fn renew_lobby(&self, token: &SecretText, version: u64) -> Result<LobbyDoor, AskError> {
        answer(self.with_session(Method::POST, &["v1", "lobby", "renewal"], token).json(&RenewLobby { version })).await
    }

    pub(crate) async fn live(&self, token: &SecretText) -> Result<LiveCount, AskError> {
        answer(self.with_session(Method::GET, &["v1", "live"], token)).await
    }

    pub(crate) async fn blob_space(&self, token: &SecretText) -> Result<BlobSpace, AskError> {
        answer(self.with_session(Method::GET, &["v1", "blobs"], token)).await
    }

    /// Begins a blob of so many bytes, or asks how far it is.
    pub(crate) async fn begin_blob(&self, token: &SecretText, blob: BlobId, size: u64) -> Result<BlobState, AskError> {
        let request = self.with_session(Method::PUT, &["v1", "blobs", &blob.to_string()], token);
        answer(request.json(&BeginBlob { size })).await
    }

    pub(crate) async fn put_blob(
        &self,
        token: &SecretText,
        blob: BlobId,
        part: u32,
        bytes: Vec<u8>,
    ) -> Result<BlobState, AskError> {
        let path = ["v1", "blobs", &blob.to_string(), &part.to_string()];
        let request = self.with_session(Method::PUT, &path, token).timeout(limits::HTTP_PART);
        answer(request.header("content-type", "application/octet-stream").body(bytes)).await
    }

    /// Says nothing of who asks.
    pub(crate) async fn blob_part(&self, blob: BlobId, part: u32) -> Result<Vec<u8>, AskError> {
        let request = self.stranger.get(self.url(&["v1", "blobs", &blob.to_string(), &part.to_string()]));
        let (status, body) = exchange(request.timeout(limits::HTTP_PART)).await?;
        if status.is_success() { Ok(body) } else { Err(refusal(&body)) }
    }

    pub(crate) async fn remove_blob(&self, token: &SecretText, blob: BlobId) -> Result<(), AskError> {
        done(self.with_session(Method::DELETE, &["v1", "blobs", &blob.to_string()], token)).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, AskError> {
        answer(self.stranger.get(self.url(path))).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &[&str], body: &(impl Serialize + Sync)) -> Result<T, AskError> {
        answer(self.stranger.post(self.url(path)).json(body)).await
    }

    fn with_session(&self, method: Method, path: &[&str], token: &SecretText) -> RequestBuilder {
        self.known.request(method, self.url(path)).bearer_auth(&token.0)
    }

    /// Each part is one segment, whatever it contains.
    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        url.set_query(None);
        url.set_fragment(None);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(a)) => IpAddr::V4(a).is_loopback(),
        Some(Host::Ipv6(a)) => IpAddr::V6(a).is_loopback(),
        // RFC 6761 §6.3: these never leave the machine.
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, AskError> {
    let (status, body) = exchange(request).await?;
    if !status.is_success() {
        return Err(refusal(&body));
    }
    serde_json::from_slice(&body).map_err(|e| {
        tracing::debug!("unexpected answer of the relay: {e}");
        AskError::Answer("the answer has another form than expected")
    })
}

async fn done(request: RequestBuilder) -> Result<(), AskError> {
    let (status, body) = exchange(request).await?;
    if status.is_success() { Ok(()) } else { Err(refusal(&body)) }
}

async fn exchange(request: RequestBuilder) -> Result<(reqwest::StatusCode, Vec<u8>), AskError> {
    let mut response = request.send().await.map_err(|e| unreachable(&e))?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| unreachable(&e))? {
        if body.len() + chunk.len() > limits::HTTP_ANSWER {
            return Err(AskError::Answer("the answer is too long"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, body))
}

/// An account's log that binds the name under which a relay gave it.
fn checked(username: String, log: &[u8], relay: RelayId) -> Result<(String, AccountLog), AskError> {
    let log = AccountLog::decode(log).map_err(|_| AskError::TwoTruths)?;
    if log.name() != Some((username.as_str(), relay)) {
        return Err(AskError::TwoTruths);
    }
    Ok((username, log))
}

fn refusal(body: &[u8]) -> AskError {
    serde_json::from_slice::<Problem>(body)
        .map_or(AskError::Answer("it refused in a way relays don't"), AskError::Problem)
}

/// The innermost cause says what happened ("connection refused"); the outer ones repeat the address.
fn unreachable(e: &reqwest::Error) -> AskError {
    if e.is_timeout() {
        return AskError::Unreachable("no answer in time".into());
    }
    let mut cause: &dyn std::error::Error = e;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    AskError::Unreachable(cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_or_local_relays() {
        let new = |url: &str| RelayClient::new(&url.parse().unwrap());
        assert!(new("http://127.0.0.1:8080").is_ok());
        assert!(new("http://relay.localhost:8080").is_ok());
        assert!(new("http://[::1]:8080/").is_ok());
        assert!(matches!(new("http://relay.example.org"), Err(RelayUrlError::Plain(_))));
        assert!(matches!(new("http://localhost.example.org"), Err(RelayUrlError::Plain(_))));
        assert!(matches!(new("ftp://127.0.0.1"), Err(RelayUrlError::Scheme(_))));
    }

    #[test]
    fn names_stay_in_their_segment() {
        let client = RelayClient::new(&"http://localhost/base/".parse().unwrap()).unwrap();
        let url = client.url(&["v1", "usernames", "a/../../b?c#d"]);
        assert_eq!(url.as_str(), "http://localhost/base/v1/usernames/a%2F..%2F..%2Fb%3Fc%23d");
    }
}
