//! An archive as it streams out: nothing is packed smaller, sizes and sums follow each entry (APPNOTE 6.3.10, stored
//! entries with data descriptors). Unpackers read the directory at its end.

use crc32fast::Hasher;

/// Names are UTF-8 (bit 11), and sums follow (bit 3).
const FLAGS: [u8; 2] = [0x08, 0x08];
/// 1 January 1980: when something was said stands in the text.
const TIME: [u8; 4] = [0, 0, 0x21, 0];

/// Writes an archive; what it returns is to be sent in that order.
#[derive(Debug, Default)]
pub(crate) struct Zip {
    entries: Vec<Entry>,
    at: u64,
    open: Option<(String, u64, Hasher, u64)>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    sum: u32,
    size: u32,
    at: u64,
}

impl Zip {
    /// Begins an entry.
    pub(crate) fn begin(&mut self, name: String) -> Vec<u8> {
        let head = [b"PK\x03\x04\x14\0".as_slice(), &FLAGS, &[0, 0], &TIME, &[0; 12], &length(&name), &[0, 0]];
        let head = [&head.concat(), name.as_bytes()].concat();
        self.open = Some((name, self.at, Hasher::new(), 0));
        self.count(head)
    }

    /// More bytes of it are on their way.
    pub(crate) fn piece(&mut self, bytes: &[u8]) {
        if let Some((_, _, sum, size)) = &mut self.open {
            sum.update(bytes);
            *size += bytes.len() as u64;
        }
        self.at += bytes.len() as u64;
    }

    /// Ends it; none when it has more bytes than an entry can have.
    pub(crate) fn end(&mut self) -> Option<Vec<u8>> {
        let (name, at, sum, size) = self.open.take()?;
        let (sum, size) = (sum.finalize(), u32::try_from(size).ok().filter(|size| *size < u32::MAX)?);
        self.entries.push(Entry { name, sum, size, at });
        Some(
            self.count(
                [b"PK\x07\x08".as_slice(), &sum.to_le_bytes(), &size.to_le_bytes(), &size.to_le_bytes()].concat(),
            ),
        )
    }

    /// The directory of all that was put in.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut out = Vec::new();
        for Entry { name, sum, size, at } in &self.entries {
            // Places beyond 4 GiB stand in a field of their own (APPNOTE 4.5.3).
            let far =
                if *at < u64::from(u32::MAX) { Vec::new() } else { [&[1, 0, 8, 0][..], &at.to_le_bytes()].concat() };
            let near = u32::try_from(*at).unwrap_or(u32::MAX);
            let size = size.to_le_bytes();
            out.extend([b"PK\x01\x02\x2d\x03\x2d\0".as_slice(), &FLAGS, &[0, 0], &TIME, &sum.to_le_bytes()].concat());
            out.extend([size.as_slice(), &size, &length(name), &[far.len() as u8, 0], &[0; 6]].concat());
            // For their owner alone.
            out.extend([[0, 0, 0x80, 0x81].as_slice(), &near.to_le_bytes(), name.as_bytes(), &far].concat());
        }
        let (count, len, end) = (self.entries.len() as u64, out.len() as u64, self.at + out.len() as u64);
        let sums = [count.to_le_bytes(), count.to_le_bytes(), len.to_le_bytes(), self.at.to_le_bytes()].concat();
        out.extend([b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\x03\x2d\0".as_slice(), &[0; 8], &sums].concat());
        out.extend([b"PK\x06\x07\0\0\0\0".as_slice(), &end.to_le_bytes(), &[1, 0, 0, 0]].concat());
        let count = u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
        let [len, at] = [len, self.at].map(|n| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes());
        out.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &len, &at, &[0, 0]].concat());
        out
    }

    fn count(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.at += bytes.len() as u64;
        bytes
    }
}

fn length(name: &str) -> [u8; 2] {
    // Names of a copy have a few hundred bytes at most.
    u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut zip, mut out) = (Zip::default(), Vec::new());
        for (name, bytes) in entries {
            out.extend(zip.begin((*name).to_owned()));
            for piece in bytes.chunks(3) {
                zip.piece(piece);
                out.extend(piece);
            }
            out.extend(zip.end().unwrap());
        }
        out.extend(zip.finish());
        out
    }

    fn number(bytes: &[u8], at: usize, width: usize) -> usize {
        bytes[at..at + width].iter().rev().fold(0, |n, b| n << 8 | usize::from(*b))
    }

    /// Reads as unpackers do: from the end.
    #[test]
    fn what_goes_in_comes_out() {
        let entries: [(&str, &[u8]); 3] =
            [("a/chat.md", b"hello"), ("a/files/\u{e9}.txt", &[7; 1_000]), ("a/files/b", b"")];
        let zip = packed(&entries);
        let end = zip.len() - 22;
        assert_eq!((&zip[end..end + 4], number(&zip, end + 10, 2)), (b"PK\x05\x06".as_slice(), 3));
        let (mut at, length) = (number(&zip, end + 16, 4), number(&zip, end + 12, 4));
        // The large end speaks of the same directory.
        let large = at + length;
        assert_eq!(&zip[large..large + 4], b"PK\x06\x06");
        assert_eq!(
            (number(&zip, large + 32, 8), number(&zip, large + 40, 8), number(&zip, large + 48, 8)),
            (3, length, at)
        );
        assert_eq!(number(&zip, large + 56 + 8, 8), large);
        for (name, bytes) in entries {
            assert_eq!(&zip[at..at + 4], b"PK\x01\x02");
            let (sum, size, names) = (number(&zip, at + 16, 4), number(&zip, at + 24, 4), number(&zip, at + 28, 2));
            assert_eq!((&zip[at + 46..at + 46 + names], size), (name.as_bytes(), bytes.len()));
            assert_eq!(sum, crc32fast::hash(bytes) as usize);
            let local = number(&zip, at + 42, 4);
            assert_eq!(&zip[local..local + 4], b"PK\x03\x04");
            let data = local + 30 + number(&zip, local + 26, 2);
            assert_eq!(&zip[data..data + size], bytes);
            assert_eq!(&zip[data + size..data + size + 4], b"PK\x07\x08");
            at += 46 + names;
        }
        assert_eq!(at, large);
    }

    #[test]
    fn more_than_four_gibibytes_have_their_places() {
        let mut zip = Zip { at: 5 << 30, ..Zip::default() };
        zip.begin("far".into());
        zip.end().unwrap();
        let out = zip.finish();
        assert_eq!(number(&out, 42, 4), 0xffff_ffff);
        assert_eq!((number(&out, 46 + 3, 4), number(&out, 46 + 3 + 4, 8)), (0x0008_0001, 5 << 30));
        let mut zip = Zip::default();
        zip.begin("large".into());
        zip.open.as_mut().unwrap().3 = u64::from(u32::MAX);
        assert!(zip.end().is_none());
    }
}
