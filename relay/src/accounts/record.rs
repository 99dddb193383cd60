//! What is inside of the store's sealed bytes. Each kind has its own domain, and is bound to its row.

use livechat_wire::account::AccountLog;
use livechat_wire::bundle::Bundle;
use livechat_wire::codec::{DecodeError, Reader, Writer};
use livechat_wire::http::SecretText;
use livechat_wire::{DeviceId, limits as wire};
use zeroize::Zeroizing;

use super::Fault;
use crate::env::{Env, NoRandomness};
use crate::keys::{Keys, OpenError};
use crate::limits;
use crate::store::accounts::{Account, AccountKey, Authenticator, AuthenticatorId, DeviceKey, Sealed, TokenKey};
use crate::totp::{self, TotpSecret};

const VERSION: u8 = 1;
/// Binds the keys of vaults to their purpose (RFC 9497 §3.2.1).
const OPRF: &[u8] = b"livechat vault v1";

/// An account's record.
pub(super) struct Record {
    pub username: String,
    pub log: Vec<u8>,
    /// Keys of the devices in the log: so that a log-in needn't check the log's signatures again.
    pub devices: Vec<[u8; 32]>,
}

impl Record {
    pub(super) fn new(username: &str, log: &AccountLog) -> Self {
        Self { username: username.to_owned(), log: log.encode(), devices: log.device_keys().to_vec() }
    }

    pub(super) fn has_device(&self, device: &DeviceId) -> bool {
        self.devices.iter().any(|k| DeviceId::of(k) == *device)
    }

    fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u8(VERSION).bytes(self.username.as_bytes()).bytes(&self.log);
        w.list(&self.devices, |w, d| {
            w.raw(d);
        });
        w.finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(bytes);
        version(&mut r)?;
        let this = Self {
            username: r.text(wire::USERNAME, "username")?.to_owned(),
            log: r.bytes(wire::LOG, "account log")?.to_vec(),
            devices: r.list(wire::DEVICES, "devices", Reader::array)?,
        };
        r.end()?;
        Ok(this)
    }
}

/// A session's record.
pub(super) struct SessionRecord {
    pub device: Option<DeviceId>,
    pub created_at: u64,
}

fn version(r: &mut Reader<'_>) -> Result<(), DecodeError> {
    match r.u8()? {
        VERSION => Ok(()),
        other => Err(DecodeError::Version(other)),
    }
}

/// Seals and opens each kind of record.
pub(super) struct Vault {
    pub keys: Keys,
    pub env: Env,
}

impl Vault {
    /// Nobody's account, to be opened where there is none. A code that matches it is a wrong code.
    pub(super) fn decoy(&self) -> Result<Account, NoRandomness> {
        let key = AccountKey(self.env.random()?);
        // As long as most records are: a genesis, a device and a name take some 400 bytes.
        let record = Record { username: "nobody".to_owned(), log: vec![0; 400], devices: vec![[0; 32]] };
        let authenticators = (0..limits::AUTHENTICATORS)
            .map(|_| {
                let (id, secret) = (AuthenticatorId(self.env.random()?), TotpSecret::new(self.env.random()?));
                Ok(Authenticator { id, sealed: self.seal_secret(key, id, &secret)?, last_step: 0 })
            })
            .collect::<Result<_, NoRandomness>>()?;
        let vault = self.seal_oprf(key, &self.env.random()?)?;
        Ok(Account { key, sealed: self.seal_record(key, &record)?, vault, authenticators })
    }

    fn seal(&self, domain: &'static str, row: &[&[u8]], text: &[u8]) -> Result<Sealed, NoRandomness> {
        self.keys.sealer().seal(&self.env, &associated(domain, row), text)
    }

    fn open(&self, domain: &'static str, row: &[&[u8]], sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.keys.sealer().open(&associated(domain, row), sealed)
    }

    pub(super) fn seal_record(&self, who: AccountKey, record: &Record) -> Result<Sealed, NoRandomness> {
        self.seal("account", &[&who.0], &record.encode())
    }

    pub(super) fn open_record(&self, who: AccountKey, sealed: &Sealed) -> Result<Record, Fault> {
        let text = self.open("account", &[&who.0], sealed)?;
        Record::decode(&text).map_err(|_| Fault::Sealed(OpenError))
    }

    /// A pending sign-up: name and secret.
    pub(super) fn seal_pending(
        &self,
        who: AccountKey,
        username: &str,
        secret: &TotpSecret,
    ) -> Result<Sealed, NoRandomness> {
        let mut w = Writer::new();
        w.u8(VERSION).bytes(username.as_bytes()).raw(secret.as_bytes());
        self.seal("pending", &[&who.0], &Zeroizing::new(w.finish()))
    }

    pub(super) fn open_pending(&self, who: AccountKey, sealed: &Sealed) -> Result<(String, TotpSecret), Fault> {
        let text = self.open("pending", &[&who.0], sealed)?;
        let read = |r: &mut Reader<'_>| {
            version(r)?;
            let username = r.text(wire::USERNAME, "username")?.to_owned();
            Ok::<_, DecodeError>((username, TotpSecret::new(r.array::<{ totp::SECRET }>()?)))
        };
        read(&mut Reader::new(&text)).map_err(|_| Fault::Sealed(OpenError))
    }

    pub(super) fn seal_secret(
        &self,
        who: AccountKey,
        id: AuthenticatorId,
        secret: &TotpSecret,
    ) -> Result<Sealed, NoRandomness> {
        self.seal("authenticator", &[&who.0, &id.0], secret.as_bytes())
    }

    pub(super) fn open_secret(
        &self,
        who: AccountKey,
        id: AuthenticatorId,
        sealed: &Sealed,
    ) -> Result<TotpSecret, Fault> {
        let text = self.open("authenticator", &[&who.0, &id.0], sealed)?;
        let bytes = text.as_slice().try_into().map_err(|_| Fault::Sealed(OpenError))?;
        Ok(TotpSecret::new(bytes))
    }

    /// The seed of the account's key for its devices' vaults.
    pub(super) fn seal_oprf(&self, who: AccountKey, seed: &[u8; 32]) -> Result<Sealed, NoRandomness> {
        self.seal("vault", &[&who.0], seed)
    }

    pub(super) fn open_oprf(&self, who: AccountKey, sealed: &Sealed) -> Result<livechat_oprf::Key, Fault> {
        let seed = self.open("vault", &[&who.0], sealed)?;
        let seed = seed.as_slice().try_into().map_err(|_| Fault::Sealed(OpenError))?;
        livechat_oprf::Key::derive(seed, OPRF).map_err(|_| Fault::Sealed(OpenError))
    }

    /// What a locked device shows: sealed to its account, so that nobody makes one up.
    pub(super) fn seal_knock(&self, who: AccountKey, device: &DeviceId) -> Result<SecretText, NoRandomness> {
        Ok(SecretText(data_encoding::BASE64URL_NOPAD.encode(&self.seal("knock", &[&who.0], &device.0)?.0)))
    }

    /// The device of a knock; none for anything else.
    pub(super) fn open_knock(&self, who: AccountKey, knock: &SecretText) -> Option<DeviceId> {
        let sealed = Sealed(data_encoding::BASE64URL_NOPAD.decode(knock.0.as_bytes()).ok()?);
        self.open("knock", &[&who.0], &sealed).ok()?.as_slice().try_into().ok().map(DeviceId)
    }

    pub(super) fn seal_session(&self, token: TokenKey, record: &SessionRecord) -> Result<Sealed, NoRandomness> {
        let mut w = Writer::new();
        w.u8(VERSION).u64(record.created_at).u8(u8::from(record.device.is_some()));
        w.raw(&record.device.map_or([0; 32], |d| d.0));
        self.seal("session", &[&token.0], &w.finish())
    }

    pub(super) fn open_session_record(&self, token: TokenKey, sealed: &Sealed) -> Result<SessionRecord, Fault> {
        let text = self.open("session", &[&token.0], sealed)?;
        let read = |r: &mut Reader<'_>| {
            version(r)?;
            let (created_at, known, device) = (r.u64()?, r.u8()? == 1, DeviceId(r.array()?));
            Ok::<_, DecodeError>(SessionRecord { device: known.then_some(device), created_at })
        };
        read(&mut Reader::new(&text)).map_err(|_| Fault::Sealed(OpenError))
    }

    pub(super) fn seal_pending_device(&self, who: AccountKey, bundle: &Bundle) -> Result<Sealed, NoRandomness> {
        self.seal("pending device", &[&who.0], &bundle.encode())
    }

    pub(super) fn open_pending_device(&self, who: AccountKey, sealed: &Sealed) -> Result<Bundle, Fault> {
        let text = self.open("pending device", &[&who.0], sealed)?;
        Bundle::decode(&text).map_err(|_| Fault::Sealed(OpenError))
    }

    pub(super) fn seal_bundle(
        &self,
        who: AccountKey,
        device: DeviceKey,
        bundle: &Bundle,
    ) -> Result<Sealed, NoRandomness> {
        self.seal("bundle", &[&who.0, &device.0], &bundle.encode())
    }

    pub(super) fn open_bundle(&self, who: AccountKey, device: DeviceKey, sealed: &Sealed) -> Result<Bundle, Fault> {
        let text = self.open("bundle", &[&who.0, &device.0], sealed)?;
        Bundle::decode(&text).map_err(|_| Fault::Sealed(OpenError))
    }

    pub(super) fn seal_key_package(
        &self,
        who: AccountKey,
        device: DeviceKey,
        package: &[u8],
    ) -> Result<Sealed, NoRandomness> {
        self.seal("key package", &[&who.0, &device.0], package)
    }

    pub(super) fn open_key_package(
        &self,
        who: AccountKey,
        device: DeviceKey,
        sealed: &Sealed,
    ) -> Result<Vec<u8>, Fault> {
        Ok(self.open("key package", &[&who.0, &device.0], sealed)?.to_vec())
    }
}

/// Kind and row, each with its length before it.
fn associated(domain: &'static str, row: &[&[u8]]) -> Vec<u8> {
    let mut w = Writer::new();
    w.bytes(domain.as_bytes());
    for part in row {
        w.bytes(part);
    }
    w.finish()
}
