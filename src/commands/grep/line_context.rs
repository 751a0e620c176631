//! The lines and columns of matches, and the text around them.

/// The maximum number of characters shown on each side of a match.
const SHOWN_CHARS: usize = 60;

/// The text before or after a match on its line.
#[derive(Debug, PartialEq, Eq)]
pub struct LinePart {
    pub text: String,
    /// True if the line continues beyond this text.
    pub is_cut: bool,
}

/// Returns the last line of `text`, which ends at a match. If the line begins before `text`, it begins in `earlier`.
pub fn line_before(earlier: &str, text: &str) -> LinePart {
    // Look at one character more than is shown, to learn whether the line continues.
    let (near, near_chars) = line_end(text, SHOWN_CHARS + 1);
    let (far, far_chars) = if near.len() == text.len() {
        line_end(earlier, SHOWN_CHARS + 1 - near_chars)
    } else {
        ("", 0)
    };
    let mut text = [far, near].concat();
    let is_cut = near_chars + far_chars > SHOWN_CHARS;
    if is_cut {
        text.remove(0);
    }
    LinePart { text, is_cut }
}

/// Returns the first line of `text`, which begins after a match. If the line does not end in `text`, it continues in
/// `later`.
pub fn line_after(text: &str, later: &str) -> LinePart {
    let (near, near_chars) = line_start(text, SHOWN_CHARS + 1);
    let (far, far_chars) = if near.len() == text.len() {
        line_start(later, SHOWN_CHARS + 1 - near_chars)
    } else {
        ("", 0)
    };
    let mut text = [near, far].concat();
    let is_cut = near_chars + far_chars > SHOWN_CHARS;
    if is_cut {
        text.pop();
    }
    LinePart { text, is_cut }
}

/// Returns the end of the last line of `text`, up to `most` characters, and the number of characters.
fn line_end(text: &str, most: usize) -> (&str, usize) {
    let (mut start, mut chars) = (text.len(), 0);
    for (at, character) in text.char_indices().rev().take(most) {
        if character == '\n' {
            break;
        }
        (start, chars) = (at, chars + 1);
    }
    (&text[start..], chars)
}

/// Returns the start of the first line of `text`, up to `most` characters, and the number of characters.
fn line_start(text: &str, most: usize) -> (&str, usize) {
    let mut chars = 0;
    for (at, character) in text.char_indices() {
        if character == '\n' || chars == most {
            return (&text[..at], chars);
        }
        chars += 1;
    }
    (text, chars)
}

/// A position in a text. All fields count from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// In bytes.
    pub offset: usize,
    pub line: usize,
    /// Bytes from the start of the line.
    pub column: usize,
}

impl Position {
    /// Returns the position at which a text ends.
    pub fn end_of(text: &[u8]) -> Self {
        let column = match memchr::memrchr(b'\n', text) {
            Some(newline) => text.len() - newline - 1,
            None => text.len(),
        };
        Self {
            offset: text.len(),
            line: memchr::memchr_iter(b'\n', text).count(),
            column,
        }
    }

    /// Converts a position in a part of a text to a position in the whole text. The part begins at `self`.
    pub fn then(self, in_part: Self) -> Self {
        let column = match in_part.line {
            0 => self.column + in_part.column,
            _ => in_part.column,
        };
        Self {
            offset: self.offset + in_part.offset,
            line: self.line + in_part.line,
            column,
        }
    }

    /// Advances to a byte offset of `text`. `self` must be a position in the same text.
    pub fn advance_to(&mut self, text: &[u8], offset: usize) {
        match text.get(self.offset..offset) {
            Some(between) => *self = self.then(Self::end_of(between)),
            // Tokens share a range if one character was normalized to several, so the next token may begin earlier, but
            // never on an earlier line.
            None => {
                let line_start = self.offset - self.column;
                self.column = offset.saturating_sub(line_start);
                self.offset = offset.max(line_start);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_of_parts_add_up_to_those_of_the_text() {
        let text = b"one\ntwo\n\nthree four";
        for middle in 0..=text.len() {
            for end in middle..=text.len() {
                let (first, second) = (&text[..middle], &text[middle..end]);
                let sum = Position::end_of(first).then(Position::end_of(second));
                assert_eq!(sum, Position::end_of(&text[..end]));
            }
        }
    }

    #[test]
    fn a_line_is_shown_up_to_sixty_characters_on_each_side() {
        let shown = |part: LinePart| (part.text, part.is_cut);
        let no_cut = |text: &str| (text.to_owned(), false);
        assert_eq!(shown(line_before("", "one\ntwo")), no_cut("two"));
        assert_eq!(shown(line_before("a\nb", "c")), no_cut("bc"));
        assert_eq!(shown(line_before("a", "b\n")), no_cut(""));
        assert_eq!(shown(line_after("one\ntwo", "three")), no_cut("one"));
        assert_eq!(shown(line_after("c", "d\ne")), no_cut("cd"));
        assert_eq!(shown(line_after("", "")), no_cut(""));
        let long = "é".repeat(60);
        for split in 0..=60 {
            let (first, second) = long.split_at(split * 2);
            assert_eq!(shown(line_before(first, second)), no_cut(&long));
            assert_eq!(shown(line_after(first, second)), no_cut(&long));
            let (longer_first, longer_second) = (format!("x{first}"), format!("{second}x"));
            assert_eq!(
                shown(line_before(&longer_first, second)),
                (long.clone(), true)
            );
            assert_eq!(
                shown(line_after(first, &longer_second)),
                (long.clone(), true)
            );
        }
    }
}
