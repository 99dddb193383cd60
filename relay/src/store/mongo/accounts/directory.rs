//! Devices and their KeyPackages.

use futures::TryStreamExt;
use livechat_wire::limits::DEVICES;

use super::*;

fn packages_of(account: AccountKey, device: DeviceKey) -> Document {
    doc! { "account": bin(account), "device": bin(device) }
}

pub(super) async fn publish(
    db: Database,
    account: AccountKey,
    device: DeviceKey,
    publication: Publication,
    cap: usize,
) -> Result<Option<Stock>> {
    let accounts = of(&db, "accounts");
    let mut entry = doc! { "device": bin(device), "bundle": bin(&publication.bundle.0) };
    let mut change = doc! { "devices.$.bundle": bin(&publication.bundle.0) };
    if let Some(last_resort) = &publication.last_resort {
        entry.insert("last_resort", bin(&last_resort.0));
        change.insert("devices.$.last_resort", bin(&last_resort.0));
    }
    let known = doc! { "_id": bin(account), "state": ACTIVE, "devices.device": bin(device) };
    if !update(&accounts, known, doc! { "$set": change }).await? {
        let mut unknown = doc! { "_id": bin(account), "state": ACTIVE, "devices.device": { "$ne": bin(device) } };
        unknown.insert(format!("devices.{}", DEVICES - 1), doc! { "$exists": false });
        if !update(&accounts, unknown, doc! { "$push": { "devices": entry } }).await? {
            return Ok(None);
        }
    }
    let packages = of(&db, "key_packages");
    if !publication.one_time.is_empty() {
        let rows = publication.one_time.iter().map(|p| {
            let mut row = packages_of(account, device);
            row.insert("sealed", bin(&p.0));
            row
        });
        packages.insert_many(rows).await?;
    }
    let surplus = packages
        .find(packages_of(account, device))
        .sort(doc! { "_id": -1 })
        .skip(cap as u64)
        .projection(doc! { "_id": 1 })
        .await?;
    let surplus: Vec<Document> = surplus.try_collect().await?;
    if !surplus.is_empty() {
        let ids: Vec<Bson> = surplus.iter().filter_map(|d| d.get("_id").cloned()).collect();
        packages.delete_many(doc! { "_id": { "$in": ids } }).await?;
    }
    stock(db, account, device).await.map(Some)
}

pub(super) async fn stock(db: Database, account: AccountKey, device: DeviceKey) -> Result<Stock> {
    let one_time = of(&db, "key_packages").count_documents(packages_of(account, device)).await?;
    let filter = doc! {
        "_id": bin(account),
        "devices": { "$elemMatch": { "device": bin(device), "last_resort": { "$exists": true } } },
    };
    let last_resort = of(&db, "accounts").find_one(filter).projection(doc! { "_id": 1 }).await?.is_some();
    Ok(Stock { one_time: u32::try_from(one_time).unwrap_or(u32::MAX), last_resort })
}

/// Each device, and its last-resort KeyPackage.
async fn read(db: &Database, account: AccountKey) -> Result<Vec<(Device, Option<Sealed>)>> {
    let filter = doc! { "_id": bin(account), "state": ACTIVE };
    let found = of(db, "accounts").find_one(filter).projection(doc! { "devices": 1 }).await?;
    let Some(row) = found else { return Ok(Vec::new()) };
    documents(&row, "devices")?
        .into_iter()
        .map(|d| {
            let device = Device { device: key(d, "device")?, bundle: sealed(d, "bundle")?, key_package: None };
            let last = d.contains_key("last_resort").then(|| sealed(d, "last_resort")).transpose()?;
            Ok((device, last))
        })
        .collect()
}

pub(super) async fn devices(db: Database, account: AccountKey) -> Result<Vec<Device>> {
    Ok(read(&db, account).await?.into_iter().map(|(device, _)| device).collect())
}

pub(super) async fn claim(db: Database, account: AccountKey) -> Result<Vec<Device>> {
    let packages = of(&db, "key_packages");
    let mut claimed = Vec::new();
    for (mut device, last_resort) in read(&db, account).await? {
        let taken = packages.find_one_and_delete(packages_of(account, device.device)).sort(doc! { "_id": 1 }).await?;
        device.key_package = match taken {
            Some(row) => Some((sealed(&row, "sealed")?, false)),
            None => last_resort.map(|p| (p, true)),
        };
        claimed.push(device);
    }
    Ok(claimed)
}
