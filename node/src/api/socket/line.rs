//! Lines of bounded length. One that is too long is skipped and reported; reading goes on behind it. What was read and
//! handed out isn't kept: a locked node has nothing of it left in a buffer (P21).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};
use zeroize::Zeroize;

/// Bytes read at once.
const CHUNK: usize = 8 * 1_024;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line without its end.
    Whole(Vec<u8>),
    /// One over the limit.
    TooLong,
}

/// Reads lines of at most `max` bytes.
pub(super) struct Lines<R> {
    from: R,
    max: usize,
    line: Vec<u8>,
    skipping: bool,
    chunk: Box<[u8]>,
    /// Where in the chunk what wasn't looked at begins and ends.
    at: usize,
    end: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(from: R, max: usize) -> Self {
        let chunk = vec![0; CHUNK].into_boxed_slice();
        Self { from, max, line: Vec::new(), skipping: false, chunk, at: 0, end: 0 }
    }

    /// The next line; `None` at the end (an unfinished last line is dropped). Cancel-safe.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            if self.at == self.end {
                let read = self.from.read(&mut self.chunk).await?;
                (self.at, self.end) = (0, read);
                if read == 0 {
                    return Ok(None);
                }
            }
            let chunk = &mut self.chunk[self.at..self.end];
            let end = chunk.iter().position(|b| *b == b'\n');
            let length = end.unwrap_or(chunk.len());
            let part = &mut chunk[..length];
            if !self.skipping {
                if self.line.len() + part.len() > self.max {
                    self.skipping = true;
                    self.line = Vec::new();
                } else {
                    self.line.extend_from_slice(part);
                }
            }
            self.at += end.map_or(part.len(), |at| at + 1);
            part.zeroize();
            if end.is_some() {
                let line = std::mem::take(&mut self.line);
                return Ok(Some(if std::mem::take(&mut self.skipping) { Line::TooLong } else { Line::Whole(line) }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn long_lines_are_skipped_and_the_rest_is_read() {
        let input: &[u8] = b"ab\n12345678\n\nabcdefgh9\nxy\nunfinished";
        let mut lines = Lines::new(tokio::io::BufReader::with_capacity(3, input), 8);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            read.push(line);
        }
        let whole = |s: &str| Line::Whole(s.as_bytes().to_vec());
        assert_eq!(read, [whole("ab"), whole("12345678"), whole(""), Line::TooLong, whole("xy")]);
    }

    #[tokio::test]
    async fn nothing_handed_out_stays_in_the_buffer() {
        let input: &[u8] = b"canary-one\ncanary-two\n";
        let mut lines = Lines::new(input, 64);
        while lines.next().await.unwrap().is_some() {}
        assert!(lines.chunk.iter().all(|b| matches!(b, 0 | b'\n')));
    }
}
