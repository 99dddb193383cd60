//! What the vault of a device is opened with: an oblivious function under a key of its account, evaluated after a
//! correct code and for the account's own devices only (PROTOCOL ).
//!
//! The relay learns neither what is asked nor what comes out, and can open no vault: half of each vault's secret never
//! leaves its device.

use livechat_oprf::Blinded;
use livechat_wire::DeviceId;
use livechat_wire::http::{Bytes, VaultAnswer, VaultAsk};

use super::{Accounts, Fault};
use crate::store::accounts::{AccountKey, Sealed};

/// What was blinded isn't.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the blinded element is no element of ristretto255")]
pub struct BadElement;

/// A question, read before a code is used up for nothing.
pub(super) struct Question(Blinded);

impl Question {
    pub(super) fn read(ask: Option<&VaultAsk>) -> Result<Option<Self>, BadElement> {
        let read = |ask: &VaultAsk| Blinded::decode(&ask.blinded.0).map(Self).map_err(|_| BadElement);
        ask.map(read).transpose()
    }
}

impl Accounts {
    /// A fresh key for an account's vaults.
    pub(super) fn new_vault_key(&self, who: AccountKey) -> Result<Sealed, Fault> {
        let seed = zeroize::Zeroizing::new(self.0.vault.env.random()?);
        Ok(self.0.vault.seal_oprf(who, &seed)?)
    }

    /// Evaluates. The caller has seen a correct code, and `device` is one of the account's.
    pub(super) fn evaluate(
        &self,
        who: AccountKey,
        device: &DeviceId,
        key: &Sealed,
        question: &Question,
    ) -> Result<VaultAnswer, Fault> {
        let key = self.0.vault.open_oprf(who, key)?;
        let evaluation = key.evaluate(&question.0, &mut self.0.vault.env.dice()?);
        Ok(VaultAnswer {
            evaluated: Bytes(evaluation.element.to_vec()),
            proof: Bytes(evaluation.proof.to_vec()),
            public_key: Bytes(key.public().to_vec()),
            knock: self.0.vault.seal_knock(who, device)?,
        })
    }
}
