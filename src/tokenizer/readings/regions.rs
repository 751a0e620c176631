//! The parts of a text that two encodings divide into other tokens.

use std::ops::Range;

use crate::tokenizer::encoding::Encoding;

/// A part of a text that has other tokens in each of two encodings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// The bytes after the last token before, up to the end of the last token of the part.
    pub text: Range<usize>,
    pub ours: Range<usize>,
    pub theirs: Range<usize>,
}

/// Returns the parts of a text that have other ids, in order.
pub fn regions(text: &str, ours: &Encoding, theirs: &Encoding) -> Vec<Region> {
    let mut regions = Vec::new();
    let (mut at, mut at_theirs, mut end) = (0, 0, 0);
    while at < ours.len() || at_theirs < theirs.len() {
        if at < ours.len() && ours.ids.get(at) == theirs.ids.get(at_theirs) {
            end = ours.offsets[at].1.max(end);
            (at, at_theirs) = (at + 1, at_theirs + 1);
            continue;
        }
        let (last, last_theirs, last_end) = common_end(ours, theirs, at, at_theirs);
        let is_last = last == ours.len() && last_theirs == theirs.len();
        let stop = if is_last { text.len() } else { last_end };
        // A mark at the beginning of a word has the offsets of the character after it.
        let own = ours.offsets[at..last].iter();
        let own = own.chain(&theirs.offsets[at_theirs..last_theirs]);
        let first = own.map(|(start, _)| *start).min().unwrap_or(end);
        let mut start = end.min(first).min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut stop = stop.clamp(start, text.len());
        while !text.is_char_boundary(stop) {
            stop += 1;
        }
        regions.push(Region {
            text: start..stop,
            ours: at..last,
            theirs: at_theirs..last_theirs,
        });
        (at, at_theirs, end) = (last, last_theirs, stop.max(end));
    }
    regions
}

/// Returns the positions after the first tokens, from two positions on, that end at the same place of the text, and that
/// place.
fn common_end(
    ours: &Encoding,
    theirs: &Encoding,
    at: usize,
    at_theirs: usize,
) -> (usize, usize, usize) {
    let end_of = |encoding: &Encoding, at: usize| encoding.offsets[at - 1].1;
    let (mut last, mut last_theirs) = (at, at_theirs);
    loop {
        let (more, more_theirs) = (last < ours.len(), last_theirs < theirs.len());
        let end = (last > at).then(|| end_of(ours, last));
        let end_theirs = (last_theirs > at_theirs).then(|| end_of(theirs, last_theirs));
        match (end, end_theirs) {
            (Some(end), Some(end_theirs)) if end == end_theirs => {
                // Tokens of the bytes of one character have the same end.
                while last < ours.len() && ours.offsets[last].1 <= end {
                    last += 1;
                }
                while last_theirs < theirs.len() && theirs.offsets[last_theirs].1 <= end {
                    last_theirs += 1;
                }
                return (last, last_theirs, end);
            }
            _ if !more && !more_theirs => {
                return (last, last_theirs, end.max(end_theirs).unwrap_or(0));
            }
            _ if !more => last_theirs += 1,
            _ if !more_theirs => last += 1,
            (None, _) => last += 1,
            (_, None) => last_theirs += 1,
            (Some(end), Some(end_theirs)) if end < end_theirs => last += 1,
            _ => last_theirs += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(tokens: &[(u32, (usize, usize))]) -> Encoding {
        let mut encoding = Encoding::default();
        for (id, offsets) in tokens {
            encoding.push_text(*id, "x", *offsets, 0, 0);
        }
        encoding
    }

    #[test]
    fn a_region_ends_where_both_encodings_have_an_end() {
        let text = "abcdef";
        let ours = encoding(&[(1, (0, 1)), (2, (1, 3)), (3, (3, 4)), (9, (4, 6))]);
        let theirs = encoding(&[(1, (0, 1)), (4, (1, 2)), (5, (2, 4)), (9, (4, 6))]);
        let expected = Region {
            text: 1..4,
            ours: 1..3,
            theirs: 1..3,
        };
        assert_eq!(regions(text, &ours, &theirs), [expected]);
        assert_eq!(regions(text, &ours, &ours), []);
    }

    #[test]
    fn all_bytes_of_a_character_are_in_one_region() {
        let text = "aéb";
        let ours = encoding(&[(1, (0, 1)), (0, (1, 3)), (2, (3, 4))]);
        let theirs = encoding(&[(1, (0, 1)), (7, (1, 3)), (8, (1, 3)), (2, (3, 4))]);
        let expected = Region {
            text: 1..3,
            ours: 1..2,
            theirs: 1..3,
        };
        assert_eq!(regions(text, &ours, &theirs), [expected]);
    }

    #[test]
    fn tokens_at_the_end_of_one_encoding_are_a_region() {
        let ours = encoding(&[(1, (0, 1))]);
        let theirs = encoding(&[(1, (0, 1)), (5, (1, 3))]);
        let expected = Region {
            text: 1..3,
            ours: 1..1,
            theirs: 1..2,
        };
        assert_eq!(regions("a  ", &ours, &theirs), [expected]);
    }
}
