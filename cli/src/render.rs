//! How things look in the terminal: pure functions from views to lines, the same for the prompt and the verbs.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use livechat_node::api::{AccountState, Contact, Delivery, Hit, Message, Piece, RelayState, Standing, Status};

use crate::style::{Ink, Style};
use crate::text;

/// What rendering needs to know about the place.
#[derive(Debug, Clone)]
pub struct Look {
    /// Colours.
    pub style: Style,
    /// Columns of the terminal; wide where there is none.
    pub width: usize,
    /// Where times are shown.
    pub zone: TimeZone,
}

/// Stands on both sides of what was found while rows are broken: nobody's letter.
const HIT: char = '\u{e000}';

/// Columns assumed where there is no terminal: nothing is wrapped.
pub const UNWRAPPED: usize = 100_000;

impl Look {
    /// The time of day.
    #[must_use]
    pub fn time(&self, unix_millis: u64) -> String {
        self.format(unix_millis, "%H:%M")
    }

    /// The day in words.
    #[must_use]
    pub fn day(&self, unix_millis: u64) -> String {
        self.format(unix_millis, "%A, %-d %B %Y")
    }

    /// Day and time.
    #[must_use]
    pub fn moment(&self, unix_seconds: u64) -> String {
        self.format(unix_seconds.saturating_mul(1_000), "%Y-%m-%d %H:%M")
    }

    /// A time out of the calendar's range (a peer's clock says what it likes) shows as a dash.
    fn format(&self, unix_millis: u64, how: &str) -> String {
        i64::try_from(unix_millis)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .map_or_else(|| "–".to_owned(), |t| t.to_zoned(self.zone.clone()).strftime(how).to_string())
    }

    /// A message as the prompt and `history` show it: the first row behind time and author, the others behind a bar,
    /// so that no text can pass for another line.
    #[must_use]
    pub fn message(&self, message: &Message, to: Option<&str>) -> String {
        let time = self.time(message.received_at);
        let (who, ink) =
            if message.own { ("you".to_owned(), Ink::Own) } else { (text::word(&message.author_name), Ink::Name) };
        let target = to.map(|t| format!(" → {}", text::word(t))).unwrap_or_default();
        let lead = text::width(&time) + 1 + text::width(&who) + text::width(&target) + 2;
        let indent = text::width(&time) + 1;
        let body = self.said(message, self.width.saturating_sub(lead + 1));
        let mut out = String::new();
        if message.gap {
            out.push_str(
                &self.style.paint(Ink::Warn, &format!("{:indent$}⋯ earlier messages have not arrived yet\n", "")),
            );
        }
        let bar = self.style.paint(Ink::Quiet, &format!("{:indent$}│ ", ""));
        for (at, row) in body.iter().enumerate() {
            if at == 0 {
                let time = self.style.paint(Ink::Quiet, &time);
                out.push_str(&format!("{time} {}{target}: {row}", self.style.paint(ink, &who)));
            } else {
                out.push_str(&format!("\n{bar}{row}"));
            }
        }
        out
    }

    /// Somebody nobody here knows has written.
    #[must_use]
    pub fn request(&self, name: &str) -> Vec<String> {
        let name = text::word(name);
        let words = format!(
            "{name} wants to talk to you. Until you write back or /accept {name}, they learn nothing; /block {name} ends it."
        );
        self.prose(Ink::Warn, &words)
    }

    /// Prose of ours, broken between words, in one colour.
    #[must_use]
    pub fn prose(&self, ink: Ink, prose: &str) -> Vec<String> {
        text::rows(prose, self.width).iter().map(|row| self.style.paint(ink, row)).collect()
    }

    /// A message followed by its number and how far it got, when it is ours.
    #[must_use]
    pub fn history_message(&self, message: &Message) -> String {
        let mut line = self.message(message, None);
        line.push_str(&self.style.paint(Ink::Quiet, &format!("  #{}", message.position)));
        if let Some(delivery) = message.delivery {
            line.push_str("  ");
            line.push_str(&self.delivery(delivery));
        }
        line
    }

    /// A page with the days between.
    #[must_use]
    pub fn history(&self, messages: &[Message]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut day = String::new();
        for message in messages {
            let this = self.day(message.received_at);
            if this != day {
                lines.push(self.style.paint(Ink::Quiet, &format!("── {this} ──")));
                day = this;
            }
            lines.push(self.history_message(message));
        }
        lines
    }

    /// A message that was found: where and when, by whom, and the part that was looked for.
    #[must_use]
    pub fn hit(&self, hit: &Hit) -> Vec<String> {
        let message = &hit.message;
        let when = self.moment(message.received_at / 1_000);
        let (who, ink) =
            if message.own { ("you".to_owned(), Ink::Own) } else { (text::word(&message.author_name), Ink::Name) };
        let place = format!("{} #{}", text::word(&hit.title), message.position);
        let head = [
            self.style.paint(Ink::Quiet, &when),
            self.style.paint(Ink::Strong, &place),
            format!("{}:", self.style.paint(ink, &who)),
        ];
        // What was found is marked before the rows are broken, by a character that no text keeps.
        let marked = |p: &Piece| {
            let text = p.text.replace(HIT, " ").replace('\n', " ⏎ ");
            if p.hit { format!("{HIT}{text}{HIT}") } else { text }
        };
        let excerpt: String = hit.excerpt.iter().map(marked).collect();
        let mut lines = vec![head.join(" ")];
        let mut found = false;
        for row in text::rows(&excerpt, self.width.saturating_sub(2)) {
            let mut line = String::from("  ");
            for (at, part) in row.split(HIT).enumerate() {
                found ^= at > 0;
                line.push_str(&self.style.paint(if found { Ink::Warn } else { Ink::Plain }, part));
            }
            lines.push(line);
        }
        lines
    }

    /// A delivery state in a mark and a word. Each is proven: see [`Delivery`].
    #[must_use]
    pub fn delivery(&self, delivery: Delivery) -> String {
        let ink = match delivery {
            Delivery::Queued => Ink::Warn,
            Delivery::Read => Ink::Good,
            Delivery::Accepted | Delivery::Delivered => Ink::Quiet,
        };
        let word = match delivery {
            Delivery::Queued => "waiting on this device",
            Delivery::Accepted => "accepted by the relay",
            Delivery::Delivered => "on their device",
            Delivery::Read => "read",
        };
        self.style.paint(ink, &format!("{} {word}", mark(delivery)))
    }

    /// A line of the contact list.
    #[must_use]
    pub fn contact(&self, contact: &Contact, unread: u32) -> String {
        let mut name = self.style.paint(Ink::Name, &text::word(&contact.username));
        if let Some(display) = &contact.display_name {
            name.push_str(&self.style.paint(Ink::Quiet, &format!("  “{}”", text::word(display))));
        }
        if contact.verified {
            name.push_str(&self.style.paint(Ink::Good, "  ✓ verified"));
        }
        if contact.new_keys {
            name.push_str(&self.style.paint(Ink::Warn, "  another account than before: /verify"));
        }
        match contact.standing {
            Standing::Accepted => {}
            Standing::Request => name.push_str(&self.style.paint(Ink::Warn, "  wants to talk: accept or block")),
            Standing::Blocked => name.push_str(&self.style.paint(Ink::Quiet, "  blocked")),
        }
        match unread {
            0 => name,
            n => format!("{name}  {}", self.style.paint(Ink::Strong, &format!("{n} unread"))),
        }
    }

    /// How things stand, a fact a line.
    #[must_use]
    pub fn status(&self, status: &Status) -> Vec<String> {
        let mut lines = vec![self.row("account", &self.account(&status.account))];
        lines.push(self.row("relay", &format!("{}  {}", text::prose(&status.relay_url), self.relay(&status.relay))));
        if let Some(n) = status.live_users {
            lines.push(self.row("online", &format!("{n} {}", if n == 1 { "person" } else { "people" })));
        }
        lines.push(self.row("peers", &format!("{} connected", status.peers)));
        let queued = match status.queued {
            0 => "nothing waits on this device".to_owned(),
            n => self.style.paint(Ink::Warn, &format!("{n} of your messages wait on this device")),
        };
        lines.push(self.row("outbox", &queued));
        lines.push(self.row("version", &text::word(&status.version)));
        lines
    }

    fn row(&self, label: &str, value: &str) -> String {
        format!("{} {value}", self.style.paint(Ink::Quiet, &format!("{label:<8}")))
    }

    fn account(&self, account: &AccountState) -> String {
        match account {
            AccountState::None => "nobody is signed up on this device".to_owned(),
            AccountState::Pending { ticket } => format!(
                "{} is signing up; the first code is outstanding until {}",
                text::word(&ticket.username),
                self.moment(ticket.expires_at)
            ),
            AccountState::Linking { ticket } => format!(
                "this device waits to be added to {} until {}; its code is {}",
                text::word(&ticket.username),
                self.moment(ticket.expires_at),
                text::word(&ticket.code)
            ),
            AccountState::Active { username, removed: true, .. } => {
                let removed = self.style.paint(Ink::Bad, "this device was removed; what is here can be read");
                format!("{}, {removed}", text::word(username))
            }
            AccountState::LoggedOut { username } => format!("{}, logged out", text::word(username)),
            AccountState::Locked { username, .. } => format!("{}, locked", text::word(username)),
            AccountState::Active { username, session_expires_at, logged_in, .. } => format!(
                "{}, {} until {}",
                self.style.paint(Ink::Name, &text::word(username)),
                if *logged_in { "logged in" } else { "open without the relay" },
                self.moment(*session_expires_at)
            ),
        }
    }

    fn relay(&self, relay: &RelayState) -> String {
        match relay {
            RelayState::Connecting => self.style.paint(Ink::Warn, "connecting"),
            RelayState::Online => self.style.paint(Ink::Good, "online"),
            RelayState::Offline { reason, retry_at } => format!(
                "{}: {} (next try {})",
                self.style.paint(Ink::Bad, "offline"),
                text::prose(reason).trim_end_matches('.'),
                self.format(*retry_at, "%H:%M:%S")
            ),
        }
    }
}

/// How far a message got, in at most three columns.
#[must_use]
pub fn mark(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Queued => "…",
        Delivery::Accepted => "✓",
        Delivery::Delivered => "✓✓",
        Delivery::Read => "✓✓✓",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use livechat_node::api::MessageBody;

    fn look() -> Look {
        Look { style: Style::new(false), width: 30, zone: TimeZone::UTC }
    }

    #[test]
    fn a_message_cannot_pass_for_another_line() {
        let forged = sample::message("bob", "hi\n12:00 carol: send money\r\n\u{1b}[2K12:01 carol: now");
        insta::assert_snapshot!(look().message(&forged, None));
        let wrapped = sample::message("bob", "I will be a little late, start without me");
        insta::assert_snapshot!(look().message(&wrapped, None));
    }

    #[test]
    fn a_page_shows_days_gaps_and_delivery() {
        let mut own = sample::own("morning", Delivery::Read);
        own.received_at += 86_400_000;
        let mut late = sample::message("bob", "three");
        late.gap = true;
        let mut unknown = sample::message("bob", "");
        unknown.body = MessageBody::NeedsNewerVersion { kind: 9 };
        let page = [
            sample::message("bob", "one"),
            late,
            unknown,
            sample::own("x", Delivery::Queued),
            sample::own("y", Delivery::Accepted),
            sample::own("z", Delivery::Delivered),
            own,
        ];
        let look = Look { width: UNWRAPPED, ..look() };
        insta::assert_snapshot!(look.history(&page).join("\n"));
    }

    #[test]
    fn a_hit_shows_what_was_found_and_forges_nothing() {
        let piece = |text: &str, hit| Piece { text: text.into(), hit };
        let hit = Hit {
            conversation: livechat_node::api::ConversationId([3; 32]),
            title: "bob\u{1b}[2K".into(),
            group: false,
            message: sample::message("bob", "not shown"),
            excerpt: vec![
                piece("…the long way to the ", false),
                piece("need", true),
                piece("le\n\u{e000}12:00 carol: hi\r", false),
            ],
        };
        let coloured = Look { style: Style::new(true), ..look() };
        insta::assert_snapshot!(look().hit(&hit).join("\n"));
        let lines = coloured.hit(&hit);
        assert_eq!(crate::style::strip(&lines.join("\n")), look().hit(&hit).join("\n"));
        assert!(lines.iter().any(|l| l.contains(&coloured.style.paint(Ink::Warn, "need"))), "{lines:?}");
    }

    #[test]
    fn impossible_times_are_a_dash() {
        assert_eq!(look().time(u64::MAX), "–");
        assert_eq!(look().time(i64::MAX as u64), "–");
        assert_eq!(look().moment(u64::MAX), "–");
    }

    #[test]
    fn a_status_is_readable() {
        insta::assert_snapshot!(look().status(&sample::status()).join("\n"));
    }
}
