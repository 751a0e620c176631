//! The words of a text that SentencePiece has normalized, which are split independently of each other.

/// The mark of a space.
pub const MARK: &str = "▁";

/// The place of marks in the pieces of a vocabulary, which tells where no piece of a text can continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordMarks {
    /// Only at the start of a piece, so that a word begins with marks.
    Before,
    /// Only at the end of a piece, so that a word ends with marks.
    After,
    /// Anywhere, so that pieces may reach across words.
    Within,
}

impl WordMarks {
    /// All places, in the order of their numbers in compiled files.
    pub const ALL: [Self; 3] = [Self::Before, Self::After, Self::Within];

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
        // Most words are short, so that a search for all of the mark would take longer to prepare than to run.
        let find = |at: usize| {
            let candidates = memchr::memchr_iter(MARK.as_bytes()[0], bytes.get(at..)?);
            candidates
                .map(|place| at + place)
                .find(|place| bytes[*place..].starts_with(MARK.as_bytes()))
        };
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

    fn words(marks: WordMarks, text: &str) -> Vec<&str> {
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
        assert_eq!(words(WordMarks::Before, text), ["a", "▁b", "▁▁c", "▁"]);
        assert_eq!(words(WordMarks::After, text), ["a▁", "b▁▁", "c▁"]);
        assert_eq!(words(WordMarks::Within, text), [text]);
        assert_eq!(words(WordMarks::Before, "▁▁"), ["▁▁"]);
        // Other characters begin with the same byte.
        assert_eq!(words(WordMarks::Before, "a’▂▁b‘▁"), ["a’▂", "▁b‘", "▁"]);
        assert_eq!(words(WordMarks::After, "’▁b▂▁▀"), ["’▁", "b▂▁", "▀"]);
    }

    #[test]
    fn pieces_tell_where_words_end() {
        let of = |pieces: &[&'static str]| WordMarks::of(pieces.iter().copied());
        assert_eq!(of(&["a", "▁a", "▁▁"]), WordMarks::Before);
        assert_eq!(of(&["a", "a▁", "▁▁"]), WordMarks::After);
        assert_eq!(of(&["a▁", "▁a"]), WordMarks::Within);
        assert_eq!(of(&["▁a▁b"]), WordMarks::Within);
    }
}
