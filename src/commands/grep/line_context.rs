//! Lines and columns of matches, and the text around them.

/// Characters of the line that are shown on each side of a match.
const SHOWN_CHARS: usize = 60;

/// Text around a match on its line.
#[derive(Debug, PartialEq, Eq)]
pub struct LinePart {
    pub text: String,
    /// True if the line has more text than this.
    pub is_cut: bool,
}

/// Returns the end of the line that `text` ends in. A line that begins before `text` goes on in `earlier`.
pub fn line_before(earlier: &str, text: &str) -> LinePart {
    // One character more than shown tells whether the line is cut.
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

/// Returns the rest of the line that `text` begins in. A line that does not end in `text` goes on in `later`.
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

/// Returns up to `most` characters after the last newline of `text`, from its end, and their number.
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

/// Returns up to `most` characters before the first newline of `text`, and their number.
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

/// A position in a text; all numbers begin at 0.
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

    /// Converts a position in a part of a text, which begins at `self`, to one in the text.
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

    /// Moves on to an offset of `text`, in which `self` is a position.
    pub fn advance_to(&mut self, text: &[u8], offset: usize) {
        match text.get(self.offset..offset) {
            Some(between) => *self = self.then(Self::end_of(between)),
            // Tokens share the range of a character that became several; none begins on an earlier line.
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
