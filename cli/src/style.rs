//! Our colours, and nothing else: the only escape sequences this program prints by itself.

/// Whether and how to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    colour: bool,
}

/// What a piece of a line is, rather than what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// No colour.
    Plain,
    /// Times, hints, marks.
    Quiet,
    /// Things worth a look.
    Strong,
    /// Good news.
    Good,
    /// Something to know.
    Warn,
    /// Something that failed.
    Bad,
    /// A person; the colour follows the name.
    Name,
    /// Ourselves.
    Own,
}

/// Colours of names: readable on dark and on light.
const NAMES: [&str; 6] = ["36", "35", "34", "32", "33", "96"];
const RESET: &str = "\u{1b}[0m";

impl Style {
    /// With colours, or without (`NO_COLOR`, a pipe, a dumb terminal).
    #[must_use]
    pub fn new(colour: bool) -> Self {
        Self { colour }
    }

    /// Whether colours are on.
    #[must_use]
    pub fn colour(self) -> bool {
        self.colour
    }

    /// `text`, which must be harmless already, in its colour.
    #[must_use]
    pub fn paint(self, ink: Ink, text: &str) -> String {
        if !self.colour || ink == Ink::Plain || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Plain => "0",
            Ink::Quiet => "2",
            Ink::Strong => "1",
            Ink::Good => "32",
            Ink::Warn => "33",
            Ink::Bad => "31",
            Ink::Own => "1",
            Ink::Name => {
                let sum = text.bytes().fold(0usize, |a, b| a.wrapping_mul(31).wrapping_add(b.into()));
                return format!("\u{1b}[1;{}m{text}{RESET}", NAMES[sum % NAMES.len()]);
            }
        };
        format!("\u{1b}[{code}m{text}{RESET}")
    }
}

/// Removes our colours: what a terminal without them would show.
#[must_use]
pub fn strip(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        let digits = rest[at + 2..].find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(0);
        let end = at + 2 + digits;
        if rest[end..].starts_with('m') {
            out.push_str(&rest[..at]);
            rest = &rest[end + 1..];
        } else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_and_go() {
        assert_eq!(Style::new(false).paint(Ink::Bad, "x"), "x");
        let red = Style::new(true).paint(Ink::Bad, "x");
        assert_eq!(red, "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(strip(&format!("a{red}b\u{1b}[2J")), "axb\u{1b}[2J");
        assert_eq!(strip(&Style::new(true).paint(Ink::Name, "bob")), "bob");
    }
}
