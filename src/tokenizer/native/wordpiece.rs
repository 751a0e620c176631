//! The pieces of a word under a WordPiece model: the longest piece that fits, again and again.
//!
//! Schuster and Nakajima (2012), "Japanese and Korean voice search". A piece that does not begin a word has a prefix in
//! the vocabulary, usually `##`.

use super::double_array::{DoubleArray, Walk};
use super::token::Token;

/// A WordPiece model, read from a compiled vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct WordPiece<'a> {
    /// The walk of the first piece of a word.
    first: Walk<'a>,
    /// The walk of any other piece, past the prefix. `None` if no piece has the prefix.
    next: Option<Walk<'a>>,
    /// `None` if the vocabulary lacks the unknown token.
    unknown_id: Option<u32>,
    /// The number of characters of the longest word that is searched for pieces.
    longest_word: usize,
}

impl<'a> WordPiece<'a> {
    /// Creates a model. A word of more than `longest_word` characters is unknown, and so is a word that pieces cannot
    /// spell.
    pub fn new(
        pieces: DoubleArray<'a>,
        prefix: &str,
        unknown_id: Option<u32>,
        longest_word: usize,
    ) -> Self {
        let first = pieces.walk();
        let mut next = first;
        let found = prefix.bytes().all(|byte| next.step(byte).is_some());
        Self {
            first,
            next: found.then_some(next),
            unknown_id,
            longest_word,
        }
    }

    /// Appends the tokens of a word. Returns `None` if the word is unknown and the vocabulary lacks the unknown token.
    pub fn search(&self, word: &str, tokens: &mut Vec<Token>) -> Option<()> {
        let before = tokens.len();
        let too_long = word.len() > self.longest_word && word.chars().count() > self.longest_word;
        if too_long || self.spell(word.as_bytes(), tokens).is_none() {
            tokens.truncate(before);
            tokens.push(Token {
                id: self.unknown_id?,
                end: word.len() as u32,
            });
        }
        Some(())
    }

    /// Appends the pieces of a word. Returns `None` if at some point no piece fits.
    #[inline]
    fn spell(&self, word: &[u8], tokens: &mut Vec<Token>) -> Option<()> {
        let mut rest = word;
        let mut walk = self.first;
        while !rest.is_empty() {
            // The value of the longest piece so far, and the bytes after it.
            let mut longest = None;
            let mut ahead = rest;
            while let Some((byte, after)) = ahead.split_first()
                && let Some(node) = walk.step(*byte)
            {
                if node.value != 0 {
                    longest = Some((node.value, after));
                }
                ahead = after;
            }
            let (value, after) = longest?;
            rest = after;
            tokens.push(Token {
                id: value - 1,
                end: (word.len() - rest.len()) as u32,
            });
            if !rest.is_empty() {
                walk = self.next?;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use tokenizers::Model as _;
    use tokenizers::models::wordpiece::WordPiece as HfWordPiece;

    use super::super::double_array::build;
    use super::*;

    /// Returns the ids and ends of the tokens of a word, of this model and of the `tokenizers` crate.
    fn both(pieces: &[&str], prefix: &str, longest: usize, word: &str) -> [Vec<(u32, usize)>; 2] {
        let mut keys: Vec<(&[u8], u32, f64)> = (0..)
            .zip(pieces)
            .map(|(id, piece)| (piece.as_bytes(), id, 0.0))
            .collect();
        keys.sort_unstable_by_key(|key| key.0);
        let nodes = build(&keys).unwrap();
        let array = DoubleArray {
            nodes: &nodes,
            scores: &[],
        };
        let mut tokens = Vec::new();
        let model = WordPiece::new(array, prefix, Some(0), longest);
        model.search(word, &mut tokens).unwrap();
        let ours = tokens.iter().map(|token| (token.id, token.end as usize));
        let vocab = (0..)
            .zip(pieces)
            .map(|(id, piece)| ((*piece).to_owned(), Value::from(id)));
        let theirs = json!({
            "type": "WordPiece",
            "vocab": Value::Object(vocab.collect()),
            "unk_token": pieces[0],
            "continuing_subword_prefix": prefix,
            "max_input_chars_per_word": longest,
        });
        let theirs: HfWordPiece = serde_json::from_str(&theirs.to_string()).unwrap();
        let theirs = theirs.tokenize(word).unwrap().into_iter();
        [
            ours.collect(),
            theirs.map(|token| (token.id, token.offsets.1)).collect(),
        ]
    }

    #[test]
    fn the_longest_piece_is_taken_and_a_word_without_pieces_is_one_unknown() {
        let pieces = ["?", "un", "##aff", "##able", "##affa", "a", "##é"];
        for (word, expected) in [
            ("unaff", vec![(1, 2), (2, 5)]),
            ("unaffable", vec![(0, 9)]),
            ("unableé", vec![(1, 2), (3, 6), (6, 8)]),
            ("aff", vec![(0, 3)]),
            ("##aff", vec![(0, 5)]),
            ("", vec![]),
            ("a\0", vec![(0, 2)]),
        ] {
            let [ours, theirs] = both(&pieces, "##", 100, word);
            assert_eq!(ours, theirs, "{word}");
            if word != "##aff" {
                assert_eq!(ours, expected, "{word}");
            }
        }
    }

    #[test]
    fn a_word_has_at_most_as_many_characters_as_the_model_says() {
        let pieces = ["?", "é", "##é"];
        for longest in 0..4 {
            for length in 0..5 {
                let [ours, theirs] = both(&pieces, "##", longest, &"é".repeat(length));
                assert_eq!(ours, theirs, "{longest} {length}");
                assert_eq!(
                    ours.len() == length,
                    length <= longest.max(1) || length == 1
                );
            }
        }
    }

    #[test]
    fn no_continuing_piece_leaves_only_whole_words() {
        for prefix in ["##", "x", "▁"] {
            for word in ["a", "ab", "aa", "b"] {
                let [ours, theirs] = both(&["?", "a", "ab"], prefix, 100, word);
                assert_eq!(ours, theirs, "{prefix} {word}");
            }
        }
    }

    proptest! {
        #[test]
        fn the_tokens_are_those_of_the_crate(
            pieces in prop::collection::btree_set("(#|##|é)?[abé漢#]{1,4}", 0..40),
            prefix in "(|#|##|é|漢a)",
            longest in 0..12_usize,
            words in prop::collection::vec("[abcé漢#\\x00]{0,14}", 1..20),
        ) {
            let mut pieces: Vec<&str> = pieces.iter().map(|piece| &**piece).collect();
            pieces.insert(0, "?");
            for word in &words {
                for longest in [longest, 100] {
                    let [ours, theirs] = both(&pieces, &prefix, longest, word);
                    prop_assert_eq!(ours, theirs, "{:?} {:?} {}", pieces, word, longest);
                }
            }
        }
    }
}
