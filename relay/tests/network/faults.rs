//! A store that fails when told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use livechat_relay::store::StoreError;
use livechat_relay::store::envelopes::{DepositError, EnvelopeStore, LeaseError, Origin, Page, Stored};
use livechat_wire::sync::Cursor;
use livechat_wire::{Envelope, EnvelopeId};
use tokio::sync::watch;

pub struct Faulty {
    inner: Arc<dyn EnvelopeStore>,
    down: AtomicBool,
}

impl Faulty {
    pub fn new(inner: Arc<dyn EnvelopeStore>) -> Arc<Self> {
        Arc::new(Self { inner, down: AtomicBool::new(false) })
    }

    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    fn up(&self) -> Result<(), StoreError> {
        if self.down.load(Ordering::SeqCst) { Err(StoreError::Injected) } else { Ok(()) }
    }
}

#[async_trait]
impl EnvelopeStore for Faulty {
    async fn lease_origin(&self, fresh: u64, now: u64) -> Result<Origin, LeaseError> {
        self.up()?;
        self.inner.lease_origin(fresh, now).await
    }

    async fn renew_origin(&self, origin: Origin, now: u64) -> Result<(), DepositError> {
        self.up()?;
        self.inner.renew_origin(origin, now).await
    }

    async fn release_origin(&self, origin: Origin) -> Result<(), StoreError> {
        self.up()?;
        self.inner.release_origin(origin).await
    }

    async fn deposit(&self, origin: Origin, envelopes: Vec<Envelope>, now: u64) -> Result<Vec<Stored>, DepositError> {
        self.up()?;
        self.inner.deposit(origin, envelopes, now).await
    }

    async fn present(&self, ids: Vec<EnvelopeId>) -> Result<Vec<Option<Stored>>, StoreError> {
        self.up()?;
        self.inner.present(ids).await
    }

    async fn fetch(&self, bucket: u16, cursor: &Cursor, limit: usize) -> Result<Page, StoreError> {
        self.up()?;
        self.inner.fetch(bucket, cursor, limit).await
    }

    async fn expire_before(&self, time: u64) -> Result<u64, StoreError> {
        self.up()?;
        self.inner.expire_before(time).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.up()?;
        self.inner.probe().await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.inner.changes()
    }
}
