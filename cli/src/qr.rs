//! A QR code in the terminal, two modules a character.

use fast_qr::{ECL, QRBuilder};

use crate::style::Style;

/// Light modules around the code; the standard asks for four, every scanner is content with two.
const QUIET: usize = 2;

/// The code for `text` as lines, or `None` when it doesn't fit `width` columns (or any code).
///
/// With colours it is black on white whatever the terminal's theme; without, light modules are drawn in the text's
/// colour, which is right on dark terminals (and scanners read inverted codes too).
#[must_use]
pub fn lines(text: &str, width: usize, style: Style) -> Option<Vec<String>> {
    let code = QRBuilder::new(text).ecl(ECL::L).build().ok()?;
    let size = code.size;
    let side = size + 2 * QUIET;
    if side > width {
        return None;
    }
    let dark = |x: usize, y: usize| {
        let inside = |v: usize| v.checked_sub(QUIET).filter(|v| *v < size);
        match (inside(x), inside(y)) {
            (Some(x), Some(y)) => code[y][x].value(),
            _ => false,
        }
    };
    let row = |y: usize| -> String {
        let cells: String = (0..side)
            .map(|x| {
                // The row below the last one is background: light when coloured, nothing when not.
                let (top, below) = (dark(x, y), if y + 1 < side { dark(x, y + 1) } else { !style.colour() });
                match (top == style.colour(), below == style.colour()) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                }
            })
            .collect();
        if style.colour() { format!("\u{1b}[38;5;16;48;5;231m{cells}\u{1b}[0m") } else { cells }
    };
    Some((0..side).step_by(2).map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::strip;

    const URI: &str = "otpauth://totp/LiveChat:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=LiveChat&algorithm=SHA1&digits=6&period=30";

    /// Photographs the drawing: four pixels a module, then a scanner's library.
    fn scan(lines: &[String], ink_is_dark: bool) -> String {
        let grid: Vec<Vec<bool>> = lines
            .iter()
            .flat_map(|line| {
                let cells: Vec<char> = strip(line).chars().collect();
                let half = |ink: [char; 2]| cells.iter().map(|c| ink.contains(c) == ink_is_dark).collect();
                [half(['█', '▀']), half(['█', '▄'])]
            })
            .collect();
        let (w, h) = (grid[0].len() * 4 + 32, grid.len() * 4 + 32);
        let mut photo = rqrr::PreparedImage::prepare_from_greyscale(w, h, |x, y| {
            let dark = (x >= 16 && y >= 16)
                && grid.get((y - 16) / 4).and_then(|r| r.get((x - 16) / 4)).copied().unwrap_or(false);
            if dark { 0 } else { 255 }
        });
        photo.detect_grids().first().expect("a code is seen").decode().expect("it can be read").1
    }

    #[test]
    fn the_drawing_reads_back() {
        for (colour, ink_is_dark) in [(true, true), (false, false)] {
            let lines = lines(URI, 80, Style::new(colour)).expect("it fits");
            assert_eq!(scan(&lines, ink_is_dark), URI, "colour: {colour}");
        }
    }

    #[test]
    fn a_narrow_terminal_gets_none() {
        assert_eq!(lines(URI, 30, Style::new(true)), None);
    }
}
