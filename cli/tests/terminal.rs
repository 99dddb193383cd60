//! P19: whatever a peer writes, the terminal gets no escape sequence but our own colours, direction is balanced in every
//! row, and no row of a message can pass for a line of ours.
#![allow(clippy::panic, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::ops::ControlFlow;

use jiff::tz::TimeZone;
use livechat_cli::render::Look;
use livechat_cli::style::{Style, strip};
use livechat_node::api::{AccountId, Message, MessageBody, MessageId};

/// Messages tried: the gate's figure; `LIVECHAT_P19` takes another (the promise says 10^6).
const MESSAGES: u64 = 100_000;

/// Splitmix64: the same messages every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.roll(from.len())]
    }

    /// Text that is mostly trouble.
    fn trouble(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.roll(40) {
            match self.roll(10) {
                0 => text.push_str(self.pick(&SEQUENCES)),
                1 => text.push(char::from_u32(self.roll(0x20) as u32).unwrap()),
                2 => text.push(char::from_u32(0x7f + self.roll(0x21) as u32).unwrap()),
                3 => text.push(char::from_u32(0x2000 + self.roll(0x70) as u32).unwrap()),
                4 => text.push(char::from_u32(0x300 + self.roll(0x70) as u32).unwrap()),
                5 => text.push(char::from_u32(0x5d0 + self.roll(27) as u32).unwrap()),
                6 => text.push_str(&" ".repeat(self.roll(90))),
                7 => text.push_str(self.pick(&WORDS)),
                8 => text.push(char::from_u32(self.roll(0x11_0000) as u32).unwrap_or('\u{fffd}')),
                _ => text.push(char::from_u32(0x20 + self.roll(0x5f) as u32).unwrap()),
            }
        }
        text
    }
}

const SEQUENCES: [&str; 14] = [
    "\u{1b}[2J",
    "\u{1b}[31m",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://x\u{1b}\\",
    "\u{1b}P$q\u{1b}\\",
    "\u{1b}c",
    "\u{1b}[6n",
    "\u{9b}31m",
    "\u{90}x\u{9c}",
    "\u{1b}[?1049h",
    "\r\n12:00 carol: ",
    "\u{8}\u{8}\u{8}",
    "\u{202e}\u{202d}",
    "\u{2067}\u{2068}\u{2069}\u{2069}",
];
const WORDS: [&str; 8] = ["hello", "你好", "שלום", "مرحبا", "👩‍👩‍👧‍👦", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\u{200b}\u{feff}\u{2060}"];

/// What is wrong with what would be printed, if anything.
fn offence(printed: &str, width: usize) -> Result<(), String> {
    let plain = strip(printed);
    if let Some(c) = plain.chars().find(|c| c.is_control() && *c != '\n') {
        return Err(format!("control character U+{:04X}", c as u32));
    }
    if let Some(c) =
        plain.chars().find(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{200b}'))
    {
        return Err(format!("U+{:04X}", c as u32));
    }
    for (at, row) in plain.lines().enumerate() {
        let depth = row.chars().try_fold(0i32, |depth, c| {
            let depth = match c {
                '\u{2066}'..='\u{2068}' => depth + 1,
                '\u{2069}' => depth - 1,
                _ => depth,
            };
            if depth < 0 { ControlFlow::Break(depth) } else { ControlFlow::Continue(depth) }
        });
        if depth != ControlFlow::Continue(0) {
            return Err(format!("direction isn't balanced: {depth:?}"));
        }
        let ours = if at == 0 { "08:30 " } else { "      │ " };
        if !row.starts_with(ours) {
            return Err("a row that looks like ours".into());
        }
        let columns = unicode_width::UnicodeWidthStr::width(row);
        // Joined emoji may be measured narrower, never wider, than we assumed.
        if columns > width {
            return Err(format!("a row of {columns} columns in {width}"));
        }
    }
    Ok(())
}

fn message(author: &str, text: &str) -> Message {
    Message {
        id: MessageId([7; 16]),
        position: 1,
        author: AccountId([1; 32]),
        author_name: author.into(),
        own: false,
        sent_at: 0,
        received_at: 1_795_336_200_000,
        body: MessageBody::Text { text: text.into() },
        delivery: None,
        gap: false,
        reply_to: None,
        forwarded: false,
        edited_at: None,
        reactions: Vec::new(),
        timer: None,
        expires_at: None,
        mentions_me: false,
    }
}

#[test]
fn p19_nothing_a_peer_writes_reaches_the_terminal_as_a_command() {
    let messages = std::env::var("LIVECHAT_P19").map_or(MESSAGES, |n| n.parse().expect("LIVECHAT_P19 is a number"));
    let mut dice = Dice(19);
    let mut caught_raw = 0u64;
    for n in 0..messages {
        let (author, text) = ("bob", dice.trouble());
        let width = 40 + dice.roll(100);
        let look = Look { style: Style::new(n % 2 == 0), width, zone: TimeZone::UTC };
        let printed = look.message(&message(author, &text), None);
        if let Err(why) = offence(&printed, width) {
            panic!("message {n}: {why}\n  text {text:?}\n  printed {printed:?}");
        }
        // The control: printed as it came, most of these would be caught.
        caught_raw += u64::from(offence(&format!("08:30 {author}: {text}"), width).is_err());
    }
    assert!(caught_raw > messages / 2, "the check finds too little: {caught_raw} of {messages} raw messages");
}

#[test]
fn p19_names_are_text_too() {
    let mut dice = Dice(91);
    for n in 0..10_000 {
        let author = dice.trouble();
        let look = Look { style: Style::new(n % 2 == 0), width: 300, zone: TimeZone::UTC };
        let printed = look.message(&message(&author, "hi"), None);
        if let Err(why) = offence(&printed, usize::MAX) {
            panic!("name {n}: {why}\n  name {author:?}\n  printed {printed:?}");
        }
        assert_eq!(printed.lines().count(), 1, "a name took two rows: {author:?}");
    }
}
