//! Lines of bounded length. One that is too long is skipped and reported; reading goes on behind it.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

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
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) fn new(from: R, max: usize) -> Self {
        Self { from, max, line: Vec::new(), skipping: false }
    }

    /// The next line; `None` at the end (an unfinished last line is dropped). Cancel-safe.
    pub(super) async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            let chunk = self.from.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(None);
            }
            let end = chunk.iter().position(|b| *b == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            if !self.skipping {
                if self.line.len() + part.len() > self.max {
                    self.skipping = true;
                    self.line = Vec::new();
                } else {
                    self.line.extend_from_slice(part);
                }
            }
            let used = end.map_or(chunk.len(), |at| at + 1);
            self.from.consume(used);
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
}
