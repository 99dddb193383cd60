//! What a message says and what became of it, in rows; and spans of time, read and written.

use livechat_node::api::{Message, MessageBody};

use crate::render::Look;
use crate::style::Ink;
use crate::text;

impl Look {
    /// What a message answers, says, and what is under it. Nothing of it can pass for another line, since every row
    /// but the first is shown behind a bar.
    #[must_use]
    pub fn said(&self, message: &Message, width: usize) -> Vec<String> {
        let quiet = |row: &String| self.style.paint(Ink::Quiet, row);
        let mut rows = Vec::new();
        if let Some(quote) = &message.reply_to {
            let words = quote.text.as_deref().map_or_else(|| "(gone)".to_owned(), text::word);
            let line = format!("↪ {}: {words}", text::word(&quote.author_name));
            rows.extend(text::rows(&line, width).first().map(quiet));
        }
        if message.forwarded {
            rows.push(self.style.paint(Ink::Quiet, "⇥ passed on"));
        }
        match &message.body {
            MessageBody::Text { text } => rows.extend(text::rows(text, width)),
            MessageBody::File { name, size, here, voice, .. } => {
                let (name, size) = (text::word(name), bytes(*size));
                let file = match voice {
                    Some(voice) => format!("🎤 {} ({}, {size})", name, duration(voice.millis)),
                    None => format!("📎 {name} ({size})"),
                };
                rows.extend(text::rows(&file, width));
                if !here && let Some(last) = rows.last_mut() {
                    last.push_str(&self.style.paint(Ink::Quiet, " /save fetches it"));
                }
            }
            MessageBody::Notice { notice } => rows.extend(text::rows(&notice.to_string(), width)),
            MessageBody::Deleted => rows.push(self.style.paint(Ink::Quiet, "(deleted)")),
            MessageBody::Timer { seconds: 0 } => {
                rows.push(self.style.paint(Ink::Quiet, "(messages stay from now on)"));
            }
            MessageBody::Timer { seconds } => {
                let words = format!("(messages disappear after {} from now on)", span(*seconds));
                rows.push(self.style.paint(Ink::Quiet, &words));
            }
            MessageBody::NeedsNewerVersion { kind } => {
                rows.push(
                    self.style.paint(Ink::Warn, &format!("(a message of kind {kind}: update LiveChat to see it)")),
                );
            }
        }
        let marks = [
            message.edited_at.map(|_| "(edited)".to_owned()),
            message.timer.map(|seconds| format!("(disappears after {})", span(seconds))),
        ];
        if let Some(last) = rows.last_mut() {
            for mark in marks.iter().flatten() {
                last.push(' ');
                last.push_str(&self.style.paint(Ink::Quiet, mark));
            }
        }
        if !message.reactions.is_empty() {
            let one = |r: &livechat_node::api::Reaction| {
                let by: Vec<String> = r.by.iter().map(|name| text::word(name)).collect();
                format!("{} {}", text::word(&r.emoji), by.join(", "))
            };
            let all: Vec<String> = message.reactions.iter().map(one).collect();
            rows.extend(text::rows(&all.join("   "), width).iter().map(quiet));
        }
        rows
    }
}

/// How much that is, as people say it.
#[must_use]
pub fn bytes(n: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| n >= *unit) {
        Some((unit, name)) => {
            let tenths = u128::from(n) * 10 / u128::from(unit);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
        None => format!("{n} bytes"),
    }
}

/// How long something plays: minutes and seconds, or hours too.
#[must_use]
pub fn duration(millis: u32) -> String {
    let seconds = millis.div_ceil(1_000);
    let (h, m, s) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// Units of time, longest first.
const UNITS: [(u32, char, &str); 5] =
    [(604_800, 'w', "week"), (86_400, 'd', "day"), (3_600, 'h', "hour"), (60, 'm', "minute"), (1, 's', "second")];

/// Seconds in the longest unit that they are whole in.
#[must_use]
pub fn span(seconds: u32) -> String {
    let whole = UNITS.iter().find(|(unit, ..)| seconds.is_multiple_of(*unit));
    let (unit, name) = whole.map_or((1, "second"), |(unit, _, name)| (*unit, *name));
    let n = seconds / unit;
    format!("{n} {name}{}", if n == 1 { "" } else { "s" })
}

/// Seconds of `30s`, `5m`, `2h`, `1d`, `1w`; `off` is 0.
#[must_use]
pub fn seconds(typed: &str) -> Option<u32> {
    let typed = typed.trim().to_lowercase();
    if typed == "off" {
        return Some(0);
    }
    let letter = typed.chars().next_back()?;
    let (unit, ..) = UNITS.iter().find(|(_, l, _)| *l == letter)?;
    let n: u32 = typed[..typed.len() - 1].trim().parse().ok()?;
    n.checked_mul(*unit).filter(|s| *s > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::UNWRAPPED;
    use crate::sample;
    use crate::style::Style;
    use livechat_node::api::{Quote, Reaction};

    #[test]
    fn spans_are_read_and_written() {
        for (typed, read, written) in [
            ("30s", Some(30), "30 seconds"),
            ("1m", Some(60), "1 minute"),
            ("90m", Some(5_400), "90 minutes"),
            ("2H", Some(7_200), "2 hours"),
            ("7d", Some(604_800), "1 week"),
            ("off", Some(0), ""),
            ("0s", None, ""),
            ("1", None, ""),
            ("-1m", None, ""),
            ("9999999w", None, ""),
            ("ß", None, ""),
            ("", None, ""),
        ] {
            assert_eq!(seconds(typed), read, "{typed}");
            if let Some(n) = read.filter(|n| *n > 0) {
                assert_eq!(span(n), written);
            }
        }
    }

    #[test]
    fn amounts_are_written() {
        for (n, written) in [
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (1_536, "1.5 KiB"),
            (1 << 30, "1.0 GiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(bytes(n), written);
        }
    }

    #[test]
    fn voice_notes_are_shown_with_their_duration() {
        let look = Look { style: Style::new(false), width: 100, zone: jiff::tz::TimeZone::UTC };
        for (millis, said) in [(1, "0:01"), (61_000, "1:01"), (3_600_000, "1:00:00"), (u32::MAX, "1193:02:48")] {
            let mut message = sample::message("bob", "");
            message.body = MessageBody::File {
                name: "voice.webm".into(),
                media: "audio/webm".into(),
                size: 2_048,
                until: 0,
                preview: None,
                voice: Some(livechat_node::api::Voice { millis, levels: vec![0, 255] }),
                here: true,
            };
            let shown = look.message(&message, None);
            assert!(shown.contains(&format!("🎤 voice.webm ({said}, 2.0 KiB)")), "{shown}");
        }
    }

    #[test]
    fn a_files_name_forges_nothing() {
        let look = Look { style: Style::new(false), width: 100, zone: jiff::tz::TimeZone::UTC };
        let mut message = sample::message("bob", "");
        message.body = MessageBody::File {
            name: "a\n12:00 erin: hi\u{1b}[2J\u{202e}gpj.exe".into(),
            media: "image/png".into(),
            size: 2_048,
            until: 0,
            preview: None,
            voice: None,
            here: false,
        };
        let shown = look.message(&message, None);
        assert_eq!(shown.lines().count(), 1, "{shown}");
        assert!(shown.contains("2.0 KiB") && !shown.chars().any(text::is_hidden), "{shown}");
    }

    #[test]
    fn what_became_of_a_message_is_shown_and_forges_nothing() {
        let look = Look { style: Style::new(false), width: 40, zone: jiff::tz::TimeZone::UTC };
        let mut message = sample::message("bob", "tea, then");
        message.reply_to = Some(Quote {
            id: message.id,
            author: message.author,
            author_name: "carol\n12:00 dave: hi".into(),
            position: Some(1),
            text: Some("tea or coffee?\n12:00 erin: \u{1b}[2Jred and a lot more that does not fit".into()),
        });
        message.edited_at = Some(1);
        message.forwarded = true;
        message.timer = Some(3_600);
        let by = vec!["carol\u{1b}[31m".to_owned(), "alice".into()];
        message.reactions = vec![Reaction { emoji: "👍\n".into(), own: true, by }];
        let mut deleted = sample::message("bob", "");
        deleted.body = MessageBody::Deleted;
        let timer = |seconds| {
            let mut m = sample::message("bob", "");
            m.body = MessageBody::Timer { seconds };
            m
        };
        let all = [message, deleted, timer(60), timer(0)].map(|m| look.message(&m, None));
        insta::assert_snapshot!(all.join("\n"));
        assert_eq!(UNWRAPPED, 100_000);
    }
}
