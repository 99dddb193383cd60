//! Making other people's text harmless: what a peer or a relay wrote never moves the cursor, colours anything, hides,
//! reorders the rest of the screen or passes for a line of ours (PROMISES P19).
//!
//! Characters that a terminal would act upon are shown as pictures or code points instead of being dropped, so that an
//! attempt can be seen. Direction marks that people need stay, balanced and shut in within their row.

use unicode_width::UnicodeWidthChar;

/// First strong isolate: what follows can't reorder what stands before.
const FSI: char = '\u{2068}';
/// Ends an isolate.
const PDI: char = '\u{2069}';
/// Marks stacked on one letter before the rest is shown as code points: languages need three, walls of marks more.
const MARKS: usize = 6;
/// Isolates inside each other; more serve no text.
const ISOLATES: usize = 8;
/// Columns a tab takes.
const TAB: &str = "    ";
/// Columns below which wrapping makes no sense.
const NARROWEST: usize = 10;
/// Characters of a name or another single word that are shown.
const WORD: usize = 80;

/// The text as rows of at most `width` columns, each safe to print behind a prefix of ours. Never empty.
#[must_use]
pub fn rows(text: &str, width: usize) -> Vec<String> {
    let width = width.max(NARROWEST);
    lines(text).iter().flat_map(|line| wrap(&shown(line), width)).map(|row| isolated(&row)).collect()
}

/// The text on one row, whatever it holds: for names, reasons and messages of a relay. Long ones end in `…`.
#[must_use]
pub fn word(text: &str) -> String {
    let line: String = lines(text).join(" ⏎ ");
    let shown = shown(&line);
    let mut cut: String = shown.chars().take(WORD).collect();
    if cut.len() < shown.len() {
        cut.push('…');
    }
    isolated(&cut)
}

/// Like [`word`] without the limit, for prose that a node sends.
#[must_use]
pub fn prose(text: &str) -> String {
    isolated(&shown(&lines(text).join(" ")))
}

/// Columns of text that came through this module.
#[must_use]
pub fn width(safe: &str) -> usize {
    let mut chars = safe.chars().peekable();
    std::iter::from_fn(|| chars.next().map(|c| columns(c, chars.peek().copied()))).sum()
}

/// Columns of `c` before `next`: the emoji form of a narrow character is wide.
fn columns(c: char, next: Option<char>) -> usize {
    let alone = c.width().unwrap_or(0);
    if alone == 1 && next == Some('\u{fe0f}') { 2 } else { alone }
}

/// Whether a terminal would act upon this character or show nothing for it.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Line ends as every reader expects them.
#[must_use]
pub fn plain_newlines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn lines(text: &str) -> Vec<String> {
    text.replace("\r\n", "\n").split(['\n', '\u{2028}', '\u{2029}']).map(str::to_owned).collect()
}

/// One line with everything harmful replaced by something visible. Isolates are kept as they stand; see [`isolated`].
fn shown(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let mut out = String::with_capacity(line.len());
    let mut marks = 0;
    for (at, &c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|b| chars[b]);
        match c {
            '\t' => out.push_str(TAB),
            '\0'..='\u{1f}' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('␦')),
            '\u{7f}' => out.push('␡'),
            FSI | PDI | '\u{2066}' | '\u{2067}' | '\u{200e}' | '\u{200f}' | '\u{61c}' => out.push(c),
            '\u{200c}' | '\u{200d}' if joins(before) && joins(chars.get(at + 1).copied()) => out.push(c),
            '\u{fe0e}' | '\u{fe0f}' if before.is_some_and(|b| !b.is_whitespace() && !is_hidden(b)) => out.push(c),
            '\u{e0020}'..='\u{e007f}' if in_flag(&chars[..at]) => out.push(c),
            _ if is_hidden(c) => code_point(&mut out, c),
            _ if c.width().unwrap_or(0) == 0 => {
                marks += 1;
                if marks > MARKS {
                    code_point(&mut out, c);
                } else {
                    if out.is_empty() {
                        out.push('◌');
                    }
                    out.push(c);
                }
                continue;
            }
            _ => out.push(c),
        }
        marks = 0;
    }
    out
}

/// Joiners mean something between letters of many scripts and between emoji, nothing beside ASCII or blanks.
fn joins(c: Option<char>) -> bool {
    c.is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && (!is_hidden(c) || c == '\u{fe0f}'))
}

/// Whether the tag characters up to here belong to a flag (🏴 and at most six tags).
fn in_flag(before: &[char]) -> bool {
    let tags = before.iter().rev().take_while(|c| matches!(c, '\u{e0020}'..='\u{e007e}')).count();
    tags <= 6 && before.len().checked_sub(tags + 1).is_some_and(|at| before[at] == '\u{1f3f4}')
}

fn code_point(out: &mut String, c: char) {
    out.push_str(&format!("<U+{:04X}>", c as u32));
}

/// Cuts at blanks where it can. Marks and joined emoji stay with what they belong to.
fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let (mut row, mut used, mut blank) = (String::new(), 0, None);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let wide = columns(c, chars.peek().copied());
        if used + wide > width && wide > 0 && !row.ends_with('\u{200d}') {
            let rest = blank.take().map_or_else(String::new, |at: usize| {
                let rest = row[at..].trim_start().to_owned();
                row.truncate(at);
                rest
            });
            rows.push(std::mem::replace(&mut row, rest));
            used = self::width(&row);
            if c == ' ' && row.is_empty() {
                continue;
            }
        }
        if c == ' ' && !row.is_empty() {
            blank = Some(row.len());
        }
        row.push(c);
        used += wide;
    }
    rows.push(row);
    rows
}

/// Closes what the row opened, drops ends that it didn't, and shuts right-to-left text in.
fn isolated(row: &str) -> String {
    let mut out = String::with_capacity(row.len() + 6);
    let mut open = 0;
    for c in row.chars() {
        match c {
            '\u{2066}' | '\u{2067}' | FSI if open == ISOLATES => code_point(&mut out, c),
            '\u{2066}' | '\u{2067}' | FSI => {
                open += 1;
                out.push(c);
            }
            PDI if open == 0 => {}
            PDI => {
                open -= 1;
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out.extend(std::iter::repeat_n(PDI, open));
    if out.chars().any(reorders) { format!("{FSI}{out}{PDI}") } else { out }
}

/// Letters written right to left, and direction marks.
fn reorders(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}' | '\u{200e}' | '\u{200f}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown_instead() {
        assert_eq!(word("\u{1b}[2J\u{7}\u{7f}"), "␛[2J␇␡");
        assert_eq!(word("a\u{9b}31mb"), "a<U+009B>31mb");
        assert_eq!(word("ab\rcd"), "ab␍cd");
        assert_eq!(word("gpj\u{202e}exe"), "gpj<U+202E>exe");
        assert_eq!(word("pay\u{200b}pal\u{feff}"), "pay<U+200B>pal<U+FEFF>");
        assert_eq!(word("one\ntwo"), "one ⏎ two");
        assert_eq!(word("a\u{200d}b"), "a<U+200D>b");
        assert_eq!(word("\u{301}x"), "◌\u{301}x");
    }

    #[test]
    fn what_people_write_stays() {
        for kept in ["Zoë 你好 👩‍👩‍👧 ❤️ 1️⃣ नमस्ते", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "naïve — “quoted”", "می‌خواهم".trim_start()]
        {
            assert_eq!(word(kept).trim_matches([FSI, PDI]), kept);
        }
    }

    #[test]
    fn walls_of_marks_are_bounded() {
        let zalgo = format!("a{}", "\u{301}".repeat(50));
        let marks = word(&zalgo).chars().filter(|c| *c == '\u{301}').count();
        assert_eq!(marks, MARKS);
    }

    #[test]
    fn right_to_left_text_is_shut_in_and_balanced() {
        assert_eq!(word("שלום"), "\u{2068}שלום\u{2069}");
        assert_eq!(word("a\u{2067}b"), "\u{2068}a\u{2067}b\u{2069}\u{2069}");
        assert_eq!(word("a\u{2069}\u{2069}b"), "ab");
        let rows = rows("\u{2067}aaaaaaaaaa bbbbbbbbbb\u{2069}", 10);
        assert_eq!(rows, ["\u{2068}\u{2067}aaaaaaaaaa\u{2069}\u{2069}", "bbbbbbbbbb"]);
    }

    #[test]
    fn rows_keep_within_the_width() {
        assert_eq!(rows("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(rows("aaaaaaaaaaaaaaaaaaaaaaa", 10), ["aaaaaaaaaa", "aaaaaaaaaa", "aaa"]);
        assert_eq!(rows("你好你好你好", 10), ["你好你好你", "好"]);
        assert_eq!(rows("", 10), [""]);
        assert_eq!(rows("one\n\ntwo\r\nthree", 10), ["one", "", "two", "three"]);
    }

    #[test]
    fn names_have_an_end() {
        assert_eq!(word(&"x".repeat(500)).chars().count(), WORD + 1);
    }
}
