//! Who sat at which leaf in an epoch that is over: its late messages still open, and say who wrote them.

use livechat_wire::AccountId;
use livechat_wire::codec::{Reader, Writer};
use openmls::prelude::MlsGroup;

use super::provider::StorageError;
use super::{GroupId, Member};
use crate::kv::{Kv, Namespace, Order, prefix_end};
use crate::limits;

const NAMESPACE: Namespace = Namespace(2);
const VERSION: u8 = 1;

fn key(group: &GroupId, epoch: u64) -> Vec<u8> {
    [&group.0[..], &epoch.to_be_bytes()].concat()
}

/// Everyone in a group now.
pub(super) fn of(group: &MlsGroup) -> Vec<Member> {
    group.members().filter_map(|m| Member::of_mls(&m)).collect()
}

/// Keeps the roster of an epoch that ends, and drops those whose messages open no more.
pub(super) fn keep(kv: &mut dyn Kv, group: &GroupId, epoch: u64, members: &[Member]) -> Result<(), StorageError> {
    let mut w = Writer::new();
    w.u8(VERSION).list(members, |w, m| {
        w.u32(m.leaf).raw(&m.account.0).raw(&m.device_key);
    });
    kv.put(NAMESPACE, &key(group, epoch), &w.finish())?;
    let rows = kv.scan(NAMESPACE, &group.0, &prefix_end(&group.0), usize::MAX, Order::Descending)?;
    for (row, _) in rows.into_iter().skip(limits::PAST_EPOCHS) {
        kv.delete(NAMESPACE, &row)?;
    }
    Ok(())
}

/// Forgets all of a group's.
pub(super) fn forget(kv: &mut dyn Kv, group: &GroupId) -> Result<(), StorageError> {
    for (row, _) in kv.scan(NAMESPACE, &group.0, &prefix_end(&group.0), usize::MAX, Order::Ascending)? {
        kv.delete(NAMESPACE, &row)?;
    }
    Ok(())
}

/// Who sat at a leaf.
pub(super) fn at(kv: &dyn Kv, group: &GroupId, epoch: u64, leaf: u32) -> Result<Option<Member>, StorageError> {
    let Some(bytes) = kv.get(NAMESPACE, &key(group, epoch))? else { return Ok(None) };
    let read = || {
        let mut r = Reader::new(&bytes);
        if r.u8()? != VERSION {
            return Err(livechat_wire::DecodeError::Version(bytes[0]));
        }
        let members = r.list(usize::from(u16::MAX), "members", |r| {
            Ok(Member { leaf: r.u32()?, account: AccountId(r.array()?), device_key: r.array()? })
        })?;
        r.end()?;
        Ok(members)
    };
    let members: Vec<Member> = read().map_err(|_| StorageError::Decode)?;
    Ok(members.into_iter().find(|m| m.leaf == leaf))
}
