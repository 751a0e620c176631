//! Leaves the spaces of byte-level tokens out of their offsets, like `process_offsets` of the `tokenizers` crate.

use super::bpe::alphabet;
use crate::tokenizer::encoding::Encoding;

/// A post-processor that trims offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    /// True if a single space before the first word of a text is kept, because the tokenizer may have added it.
    pub add_prefix_space: bool,
}

impl Trim {
    /// Trims the offsets of the tokens of a text, from index `first` of the encoding on.
    ///
    /// Returns `None` if a space is not ASCII: the crate counts in characters, and this function in bytes.
    pub fn apply(self, encoding: &mut Encoding, first: usize, text: &str) -> Option<()> {
        for index in first..encoding.len() {
            let token = encoding.tokens.get(index)?;
            let mut leading = token.chars().take_while(is_space).count();
            let trailing = token.chars().rev().take_while(is_space).count();
            if leading + trailing == 0 {
                continue;
            }
            let (mut start, mut end) = encoding.offsets[index];
            let spaces = (start..start + leading).chain(end.checked_sub(trailing)?..end);
            let bytes = text.as_bytes();
            let are_ascii = |at: usize| bytes.get(at).is_none_or(u8::is_ascii);
            if !spaces.into_iter().all(are_ascii) {
                return None;
            }
            let is_first = index == first || start == 0;
            if is_first && self.add_prefix_space && leading == 1 {
                leading = 0;
            }
            start = end.min(start + leading);
            end = start.max(end - trailing);
            encoding.offsets[index] = (start, end);
        }
        Some(())
    }
}

fn is_space(character: &char) -> bool {
    *character == alphabet::character(b' ') || character.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trimmed(tokens: &[(&str, (usize, usize))], add_prefix_space: bool) -> Vec<(usize, usize)> {
        let mut encoding = Encoding::default();
        for (token, offsets) in tokens {
            encoding.ids.push(0);
            encoding.tokens.push(token);
            encoding.offsets.push(*offsets);
        }
        let trim = Trim { add_prefix_space };
        trim.apply(&mut encoding, 0, " a  b c").unwrap();
        encoding.offsets
    }

    #[test]
    fn spaces_are_left_out_of_offsets() {
        let tokens = [
            ("Ġa", (0, 2)),
            ("Ġ", (2, 3)),
            ("Ġb", (3, 5)),
            ("cĠ", (6, 7)),
        ];
        let expected = [(1, 2), (3, 3), (4, 5), (6, 6)];
        assert_eq!(trimmed(&tokens, false), expected);
        assert_eq!(trimmed(&tokens, true)[0], (0, 2));
        assert_eq!(trimmed(&tokens, true)[1..], expected[1..]);
    }

    #[test]
    fn spaces_that_are_not_ascii_are_left_to_the_crate() {
        let mut encoding = Encoding::default();
        encoding.ids.push(0);
        encoding.tokens.push("\u{3000}x");
        encoding.offsets.push((0, 4));
        let trim = Trim {
            add_prefix_space: false,
        };
        assert_eq!(trim.apply(&mut encoding, 0, "\u{3000}x"), None);
    }
}
