//! Devices and their KeyPackages.

use rusqlite::{Connection, OptionalExtension, params};

use super::*;

pub(super) fn publish(
    db: &Connection,
    account: AccountKey,
    device: DeviceKey,
    publication: &Publication,
    cap: usize,
) -> Result<Option<Stock>> {
    if !is_active(db, account)? {
        return Ok(None);
    }
    db.prepare_cached(
        "INSERT INTO devices (account, device, bundle, last_resort) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (account, device) DO UPDATE SET
             bundle = excluded.bundle, last_resort = coalesce(excluded.last_resort, last_resort)",
    )?
    .execute(params![
        account.0,
        device.0,
        publication.bundle.0,
        publication.last_resort.as_ref().map(|s| &s.0)
    ])?;
    let mut insert = db.prepare_cached("INSERT INTO key_packages (account, device, sealed) VALUES (?1, ?2, ?3)")?;
    for package in &publication.one_time {
        insert.execute(params![account.0, device.0, package.0])?;
    }
    db.prepare_cached(
        "DELETE FROM key_packages WHERE number IN (
             SELECT number FROM key_packages WHERE account = ?1 AND device = ?2 ORDER BY number DESC LIMIT -1 OFFSET ?3)",
    )?
    .execute(params![account.0, device.0, i64::try_from(cap).unwrap_or(i64::MAX)])?;
    stock(db, account, device).map(Some)
}

pub(super) fn stock(db: &Connection, account: AccountKey, device: DeviceKey) -> Result<Stock> {
    let mut count = db.prepare_cached("SELECT count(*) FROM key_packages WHERE account = ?1 AND device = ?2")?;
    let one_time: i64 = count.query_row(params![account.0, device.0], |r| r.get(0))?;
    let mut last =
        db.prepare_cached("SELECT 1 FROM devices WHERE account = ?1 AND device = ?2 AND last_resort IS NOT NULL")?;
    let last_resort = last.exists(params![account.0, device.0])?;
    Ok(Stock { one_time: u32::try_from(one_time).unwrap_or(u32::MAX), last_resort })
}

pub(super) fn devices(db: &Connection, account: AccountKey) -> Result<Vec<Device>> {
    all(db, "SELECT device, bundle FROM devices WHERE account = ?1 ORDER BY rowid", params![account.0], |r| {
        Ok(Device { device: key(r, "device")?, bundle: sealed(r, "bundle")?, key_package: None })
    })
}

pub(super) fn claim(db: &Connection, account: AccountKey) -> Result<Vec<Device>> {
    let mut devices = devices(db, account)?;
    let mut take = db.prepare_cached(
        "DELETE FROM key_packages WHERE number = (
             SELECT number FROM key_packages WHERE account = ?1 AND device = ?2 ORDER BY number LIMIT 1)
         RETURNING sealed",
    )?;
    let mut last = db.prepare_cached("SELECT last_resort FROM devices WHERE account = ?1 AND device = ?2")?;
    for device in &mut devices {
        let at = params![account.0, device.device.0];
        let one_time: Option<Vec<u8>> = take.query_row(at, |r| r.get(0)).optional()?;
        device.key_package = match one_time {
            Some(package) => Some((Sealed(package), false)),
            None => last.query_row(at, |r| r.get::<_, Option<Vec<u8>>>(0))?.map(|p| (Sealed(p), true)),
        };
    }
    Ok(devices)
}
