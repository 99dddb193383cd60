//! Files at the relay: how many bytes a file takes there, and in which pieces it travels (R-110 …).
//!
//! A file is padded with zeros (PADMÉ, and to one whole chunk at least), cut into chunks, each chunk sealed on its own:
//! `CHUNK` bytes each, the last one perhaps fewer. The sealed chunks one after the other are a *blob*. Blobs go up and
//! down in *parts* of several chunks, the last one perhaps smaller.

use crate::limits::{AEAD_TAG, BLOB_CHUNK, BLOB_PART, FILE};

/// Plain bytes in a chunk.
pub const CHUNK_PLAIN: u64 = (BLOB_CHUNK - AEAD_TAG) as u64;
/// Bytes of the largest blob.
pub const MAX: u64 = sealed(FILE);

/// Bytes of a file of `size` bytes once padded: at most 12 % more, and one of few sizes (PADMÉ; Nikitin et al., "Reducing
/// Metadata Leakage from Encrypted Files and Communication with PURBs", 2019, §4).
#[must_use]
pub const fn padded(size: u64) -> u64 {
    if size <= CHUNK_PLAIN {
        return CHUNK_PLAIN;
    }
    let exponent = size.ilog2();
    let free = exponent - (exponent.ilog2() + 1);
    let mask = (1 << free) - 1;
    // Sizes near 2^64 don't occur: a file has at most `FILE` bytes.
    size.saturating_add(mask) & !mask
}

/// Bytes of the blob of a file of `size` bytes.
#[must_use]
pub const fn sealed(size: u64) -> u64 {
    let padded = padded(size);
    padded.saturating_add(padded.div_ceil(CHUNK_PLAIN).saturating_mul(AEAD_TAG as u64))
}

/// Whether some file has a blob of so many bytes.
#[must_use]
pub const fn is_size(blob: u64) -> bool {
    let tags = blob.div_ceil(BLOB_CHUNK as u64).saturating_mul(AEAD_TAG as u64);
    blob > tags && blob <= MAX && sealed(blob - tags) == blob
}

/// Chunks of a blob of so many bytes.
#[must_use]
pub const fn chunks(blob: u64) -> u32 {
    count(blob, BLOB_CHUNK as u64)
}

/// Parts of a blob of so many bytes.
#[must_use]
pub const fn parts(blob: u64) -> u32 {
    count(blob, BLOB_PART as u64)
}

/// Bytes of part `index` of a blob of so many bytes; 0 beyond its end.
#[must_use]
pub const fn part_len(blob: u64, index: u32) -> usize {
    let left = blob.saturating_sub(index as u64 * BLOB_PART as u64);
    if left < BLOB_PART as u64 { left as usize } else { BLOB_PART }
}

const fn count(blob: u64, each: u64) -> u32 {
    let n = blob.div_ceil(each);
    if n > u32::MAX as u64 { u32::MAX } else { n as u32 }
}

const _: () = assert!(BLOB_PART % BLOB_CHUNK == 0, "parts hold whole chunks");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_tell_little_and_cost_little() {
        // What is too small to be told apart.
        assert_eq!([padded(0), padded(1), padded(CHUNK_PLAIN)], [CHUNK_PLAIN; 3]);
        let mut sizes = std::collections::BTreeSet::new();
        let mut size = 1;
        while size < FILE {
            let p = padded(size);
            assert!(p >= size && padded(p) == p, "{size}");
            assert!(size < CHUNK_PLAIN || p - size <= size * 12 / 100, "{size} becomes {p}");
            sizes.insert(p);
            size += 1 + size / 997;
        }
        assert!(sizes.len() < 460, "{}", sizes.len());
        assert_eq!(padded(FILE), FILE);
    }

    #[test]
    fn only_sizes_of_files_are_sizes() {
        let mut size = 0;
        while size <= FILE {
            let blob = sealed(size);
            assert!(is_size(blob), "{size}");
            assert!(!is_size(blob - 1) && !is_size(blob + 1), "{size}");
            let whole: u64 = (0..parts(blob)).map(|n| part_len(blob, n) as u64).sum();
            assert_eq!((whole, part_len(blob, parts(blob))), (blob, 0));
            size = size * 2 + 40_000;
        }
        assert!(!is_size(0) && !is_size(16) && !is_size(u64::MAX) && !is_size(sealed(FILE + 1)));
    }
}
