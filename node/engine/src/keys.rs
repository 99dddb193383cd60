//! Stocking the relay with the KeyPackages that others need to reach us while we are away.

use livechat_wire::http::{Bytes, KeyPackageStock, PublishKeyPackages};

use crate::errors::HandleError;
use crate::groups::session;
use crate::membership::member_record;
use crate::tables::Table;
use crate::turn::Turn;
use crate::{Engine, limits};

impl Engine {
    /// Fills up what the relay has left, when that is little, and replaces an old last-resort one.
    pub(crate) fn stock(&mut self, turn: &mut Turn<'_>, stock: &KeyPackageStock) -> Result<(), HandleError> {
        if self.me.is_none() || self.is_removed() {
            return Ok(());
        }
        let made: u64 = Table::Stock.get(turn.kv, &[])?.unwrap_or(0);
        let aged = turn.now.saturating_sub(made) > limits::LAST_RESORT_AGE;
        let missing = if stock.one_time < limits::STOCK_LOW { limits::STOCK - stock.one_time } else { 0 };
        if missing == 0 && stock.last_resort && !aged {
            return Ok(());
        }
        self.make_keys(turn, missing, !stock.last_resort || aged)
    }

    /// Makes the whole stock.
    pub(crate) fn publish_keys(&mut self, turn: &mut Turn<'_>, last_resort: bool) -> Result<(), HandleError> {
        self.make_keys(turn, limits::STOCK, last_resort)
    }

    fn make_keys(&mut self, turn: &mut Turn<'_>, one_time: u32, last_resort: bool) -> Result<(), HandleError> {
        let seconds = turn.seconds();
        let me = self.me()?;
        let record = member_record(me);
        let mut make = |last_resort| {
            let package = session(me, turn.kv, turn.rng, turn.now).key_package(&record, last_resort);
            package.map(Bytes).map_err(|e| HandleError::Mls(Box::new(e)))
        };
        let one_time = (0..one_time).map(|_| make(false)).collect::<Result<Vec<_>, _>>()?;
        let last_resort = if last_resort { Some(make(true)?) } else { None };
        if last_resort.is_some() {
            Table::Stock.put(turn.kv, &[], &turn.now)?;
        }
        let bundle = Bytes(me.identity.bundle(seconds).encode());
        turn.fx.publish_keys = Some(PublishKeyPackages { bundle, one_time, last_resort });
        Ok(())
    }
}
