//! The words of a normalized text, which are split independently of each other.

use super::normalizer::MARK;

/// The place of marks in the pieces of a vocabulary, which tells where no piece of a text can continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// Only at the start of a piece, so that a word begins with marks.
    Before,
    /// Only at the end of a piece, so that a word ends with marks.
    After,
    /// Anywhere, so that pieces may reach across words.
    Within,
}

impl Marks {
    /// Finds the place of marks in all pieces that a text may contain.
    pub fn of<'a>(pieces: impl Iterator<Item = &'a str>) -> Self {
        let (mut before, mut after) = (true, true);
        for piece in pieces.filter(|piece| piece.contains(MARK)) {
            before &= !piece.trim_start_matches(MARK).contains(MARK);
            after &= !piece.trim_end_matches(MARK).contains(MARK);
        }
        match (before, after) {
            (true, _) => Self::Before,
            (false, true) => Self::After,
            (false, false) => Self::Within,
        }
    }

    /// Returns the end of the word that begins at byte `start` of a text, if another word follows it there.
    #[inline]
    pub fn end_of_word(self, text: &str, start: usize) -> Option<usize> {
        let bytes = text.as_bytes();
        let skip = |mut at: usize| {
            while bytes.get(at..at + MARK.len()) == Some(MARK.as_bytes()) {
                at += MARK.len();
            }
            at
        };
        let find = |at: usize| Some(at + memchr::memmem::find(bytes.get(at..)?, MARK.as_bytes())?);
        match self {
            Self::Before => find(skip(start)),
            Self::After => Some(skip(find(start)?)).filter(|end| *end < bytes.len()),
            Self::Within => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(marks: Marks, text: &str) -> Vec<&str> {
        let mut words = Vec::new();
        let mut start = 0;
        while let Some(end) = marks.end_of_word(text, start) {
            words.push(&text[start..end]);
            start = end;
        }
        words.push(&text[start..]);
        words
    }

    #[test]
    fn words_keep_their_marks() {
        let text = "a▁b▁▁c▁";
        assert_eq!(words(Marks::Before, text), ["a", "▁b", "▁▁c", "▁"]);
        assert_eq!(words(Marks::After, text), ["a▁", "b▁▁", "c▁"]);
        assert_eq!(words(Marks::Within, text), [text]);
        assert_eq!(words(Marks::Before, "▁▁"), ["▁▁"]);
    }

    #[test]
    fn pieces_tell_where_words_end() {
        let of = |pieces: &[&'static str]| Marks::of(pieces.iter().copied());
        assert_eq!(of(&["a", "▁a", "▁▁"]), Marks::Before);
        assert_eq!(of(&["a", "a▁", "▁▁"]), Marks::After);
        assert_eq!(of(&["a▁", "▁a"]), Marks::Within);
        assert_eq!(of(&["▁a▁b"]), Marks::Within);
    }
}
