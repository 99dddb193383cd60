//! Names of gossip topics: `lc1/<net>/<generation>/<topic>` (DESIGN §6).

/// The topic name under which `bucket` of `generation` is gossiped while a topic holds `2^bits` buckets.
#[must_use]
pub fn name(network: &str, generation: u16, bucket: u16, bits: u8) -> String {
    format!("lc1/{network}/{generation}/{}", of_bucket(bucket, bits))
}

/// The topic that holds `bucket`.
#[must_use]
pub fn of_bucket(bucket: u16, bits: u8) -> u16 {
    bucket.checked_shr(u32::from(bits)).unwrap_or(0)
}
