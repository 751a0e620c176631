//! Words → pieces: the most probable segmentation under a Unigram model.
//!
//! Kudo (2018), "Subword Regularization". Ties, the score of an unknown character and the fusing of neighbouring
//! unknowns follow `encode_optimized` of the `tokenizers` crate, sum by sum.

use super::double_array::DoubleArray;

/// Distance of the unknown score below that of the worst piece.
pub const UNKNOWN_PENALTY: f64 = 10.0;
/// A place in a word that no path has reached.
const UNREACHED: u32 = u32::MAX;
/// A Unigram model, in a section of a compiled vocabulary.
///
/// Scores are natural logarithms of probabilities.
#[derive(Debug, Clone, Copy)]
pub struct Unigram<'a> {
    pieces: DoubleArray<'a>,
    unknown_id: u32,
    unknown_score: f64,
}

/// A token of a word: its id, and the byte of the word at which it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Token {
    pub id: u32,
    pub end: u32,
}

/// The score of a character that no piece spells, given the lowest score of a piece.
pub fn unknown_score(lowest: f64) -> f64 {
    lowest - UNKNOWN_PENALTY
}

impl<'a> Unigram<'a> {
    pub fn new(pieces: DoubleArray<'a>, unknown_id: u32, unknown_score: f64) -> Self {
        Self {
            pieces,
            unknown_id,
            unknown_score,
        }
    }

    /// Appends the tokens of a word.
    pub fn search(&self, word: &str, scratch: &mut Scratch, tokens: &mut Vec<Token>) {
        let bytes = word.as_bytes();
        let nodes = &mut scratch.nodes;
        nodes.clear();
        nodes.resize(
            bytes.len() + 1,
            Node {
                score: 0.0,
                start: UNREACHED,
                id: 0,
            },
        );
        let mut start = 0;
        for character in word.chars() {
            let width = character.len_utf8();
            let till_here = nodes[start].score;
            let mut has_single = false;
            self.pieces.prefixes(&bytes[start..], |length, id, score| {
                let candidate = score + till_here;
                nodes[start + length].offer(candidate, start, id);
                has_single |= length == width;
            });
            if !has_single {
                let candidate = self.unknown_score + till_here;
                nodes[start + width].offer(candidate, start, self.unknown_id);
            }
            start += width;
        }
        self.read_back(bytes, &scratch.nodes, tokens);
    }

    /// Follows the best path from its end, fusing unknowns, and turns it round.
    fn read_back(&self, word: &[u8], nodes: &[Node], tokens: &mut Vec<Token>) {
        let first = tokens.len();
        let mut end = word.len();
        while end > 0 {
            let node = &nodes[end];
            let mut start = node.start as usize;
            let mut id = node.id;
            if id == self.unknown_id {
                while start > 0 && nodes[start].id == self.unknown_id {
                    start = nodes[start].start as usize;
                }
                // What was fused may spell a piece.
                id = self.pieces.get(&word[start..end]).unwrap_or(id);
            }
            tokens.push(Token {
                id,
                end: end as u32,
            });
            end = start;
        }
        tokens[first..].reverse();
    }
}

/// The best way to a place in a word.
#[derive(Debug, Clone, Copy)]
struct Node {
    score: f64,
    start: u32,
    id: u32,
}

impl Node {
    /// Takes a way that is better than the one known; of equal ones the first stays.
    #[inline]
    fn offer(&mut self, score: f64, start: usize, id: u32) {
        if self.start == UNREACHED || score > self.score {
            *self = Self {
                score,
                start: start as u32,
                id,
            };
        }
    }
}

/// What the search keeps from word to word.
#[derive(Debug, Default)]
pub struct Scratch {
    nodes: Vec<Node>,
}

#[cfg(test)]
mod tests {
    use super::super::double_array::build;
    use super::*;

    fn segment(pieces: &[(&str, f64)], word: &str) -> Vec<(u32, u32)> {
        let mut keys: Vec<(&[u8], u32, f64)> = (0..)
            .zip(pieces)
            .map(|(id, piece)| (piece.0.as_bytes(), id, piece.1))
            .collect();
        keys.sort_unstable_by_key(|key| key.0);
        let nodes = build(&keys).unwrap();
        let array = DoubleArray { nodes: &nodes };
        let lowest = pieces
            .iter()
            .map(|piece| piece.1)
            .fold(f64::INFINITY, f64::min);
        let model = Unigram::new(array, 0, unknown_score(lowest));
        let mut tokens = Vec::new();
        model.search(word, &mut Scratch::default(), &mut tokens);
        tokens.iter().map(|token| (token.id, token.end)).collect()
    }

    #[test]
    fn the_best_sum_wins_and_of_equal_sums_the_first() {
        let pieces = [
            ("?", 0.0),
            ("a", -1.0),
            ("b", -1.0),
            ("ab", -2.0),
            ("c", -3.0),
        ];
        // "ab" and "a" + "b" are equally probable: the path that began first stays.
        assert_eq!(segment(&pieces, "ab"), [(3, 2)]);
        assert_eq!(segment(&pieces, "abc"), [(3, 2), (4, 3)]);
    }

    #[test]
    fn neighbouring_unknowns_are_one_token() {
        let pieces = [("?", 0.0), ("a", -1.0)];
        assert_eq!(segment(&pieces, "xéa漢"), [(0, 3), (1, 4), (0, 7)]);
    }
}
