//! The directory: who has which devices, and one KeyPackage of each for whoever wants to write to them.

use livechat_wire::DecodeError;
use livechat_wire::bundle::Bundle;
use livechat_wire::http::{Bytes, DirectoryDevice, DirectoryEntry, KeyPackageStock, PublishKeyPackages};
use livechat_wire::limits as wire;

use super::{Accounts, Authenticated, Fault};
use crate::names::Username;
use crate::store::accounts::{Device, Publication, Stock};

/// Why nothing is found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// Nobody has that name.
    #[error("nobody here has that name")]
    NotFound,
    /// Nobody's mistake.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why KeyPackages aren't taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The session isn't that of a known device.
    #[error("only a device of the account can do that")]
    DeviceRequired,
    /// The bundle doesn't hold.
    #[error("the bundle is refused: {0}")]
    Bundle(#[source] DecodeError),
    /// The bundle is another device's.
    #[error("the bundle is that of another device")]
    OtherDevice,
    /// A KeyPackage is empty or too large, or there are too many.
    #[error("a KeyPackage has 1 to {} bytes, and there are at most {}", wire::KEY_PACKAGE, wire::KEY_PACKAGES)]
    KeyPackages,
    /// The account was deleted meanwhile.
    #[error("the account is gone")]
    Gone,
    /// Nobody's mistake.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Accounts {
    /// Who has this name; no KeyPackages.
    ///
    /// # Errors
    /// See [`LookupError`].
    pub async fn look_up(&self, typed: &str) -> Result<DirectoryEntry, LookupError> {
        self.directory(typed, false).await
    }

    /// Who has this name, with a KeyPackage of each device: a one-time one while there are any.
    ///
    /// # Errors
    /// See [`LookupError`].
    pub async fn claim(&self, typed: &str) -> Result<DirectoryEntry, LookupError> {
        self.directory(typed, true).await
    }

    async fn directory(&self, typed: &str, claim: bool) -> Result<DirectoryEntry, LookupError> {
        let name = Username::parse_any(typed).map_err(|_| LookupError::NotFound)?;
        let named = self.0.store.named(self.name_key(&name), self.now()).await.map_err(Fault::from)?;
        // A former name leads nowhere: who changed theirs to be left alone isn't given away to whoever knows the old
        // one.
        let account = named.filter(|n| n.current).ok_or(LookupError::NotFound)?.account;
        let who = account.key;
        let record = self.0.vault.open_record(who, &account.sealed)?;
        let found = if claim { self.0.store.claim(who).await } else { self.0.store.devices(who).await };
        let mut devices = Vec::new();
        for Device { device, bundle, key_package } in found.map_err(Fault::from)? {
            let bundle = self.0.vault.open_bundle(who, device, &bundle)?;
            if !record.has_device(&bundle.device()) {
                continue;
            }
            let (package, last_resort) = match key_package {
                Some((sealed, last)) => (Some(self.0.vault.open_key_package(who, device, &sealed)?), last),
                None => (None, false),
            };
            devices.push(DirectoryDevice {
                bundle: Bytes(bundle.encode()),
                key_package: package.map(Bytes),
                last_resort,
            });
        }
        Ok(DirectoryEntry { username: record.username, log: Bytes(record.log), devices })
    }

    /// Stocks the KeyPackages of the device that asks.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn publish(
        &self,
        who: &Authenticated,
        request: &PublishKeyPackages,
    ) -> Result<KeyPackageStock, PublishError> {
        let device = who.device.ok_or(PublishError::DeviceRequired)?;
        let bundle = Bundle::decode(&request.bundle.0).map_err(PublishError::Bundle)?;
        if bundle.device() != device {
            return Err(PublishError::OtherDevice);
        }
        let packages = || request.one_time.iter().chain(&request.last_resort);
        if request.one_time.len() > wire::KEY_PACKAGES
            || packages().any(|p| p.0.is_empty() || p.0.len() > wire::KEY_PACKAGE)
        {
            return Err(PublishError::KeyPackages);
        }
        let account = self.0.store.account(who.account).await.map_err(Fault::from)?.ok_or(PublishError::Gone)?;
        if !self.0.vault.open_record(who.account, &account.sealed)?.has_device(&device) {
            return Err(PublishError::DeviceRequired);
        }
        let key = self.device_key(who.account, &device);
        let seal = |p: &Bytes| self.0.vault.seal_key_package(who.account, key, &p.0).map_err(Fault::from);
        let publication = Publication {
            bundle: self.0.vault.seal_bundle(who.account, key, &bundle).map_err(Fault::from)?,
            one_time: request.one_time.iter().map(seal).collect::<Result<_, _>>()?,
            last_resort: request.last_resort.as_ref().map(seal).transpose()?,
        };
        let stock =
            self.0.store.publish(who.account, key, publication, wire::KEY_PACKAGES).await.map_err(Fault::from)?;
        stock.map(answer).ok_or(PublishError::Gone)
    }

    /// What is left of the KeyPackages of the device that asks.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn stock(&self, who: &Authenticated) -> Result<KeyPackageStock, PublishError> {
        let device = who.device.ok_or(PublishError::DeviceRequired)?;
        let key = self.device_key(who.account, &device);
        Ok(answer(self.0.store.stock(who.account, key).await.map_err(Fault::from)?))
    }
}

fn answer(stock: Stock) -> KeyPackageStock {
    KeyPackageStock { one_time: stock.one_time, last_resort: stock.last_resort }
}
