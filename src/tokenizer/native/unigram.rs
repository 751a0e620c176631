//! The most probable segmentation of a word into pieces under a Unigram model.
//!
//! Kudo (2018), "Subword Regularization". Ties, the score of an unknown character, and the fusing of neighboring
//! unknowns follow `encode_optimized` of the `tokenizers` crate, sum by sum.

use std::hint::select_unpredictable;

use super::double_array::DoubleArray;
use super::token::Token;

/// The difference between the lowest score of a piece and the score of an unknown character.
pub const UNKNOWN_PENALTY: f64 = 10.0;

/// A Unigram model, read from a compiled vocabulary.
///
/// Scores are natural logarithms of probabilities.
#[derive(Debug, Clone, Copy)]
pub struct Unigram<'a> {
    pieces: DoubleArray<'a>,
    settings: &'a UnigramSettings,
}

/// The settings of a Unigram model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UnigramSettings {
    /// [`NO_ID`] if no piece stands for unknown characters. A word with an unknown character then has no tokens.
    pub unknown_id: u32,
    /// The score of an unknown character.
    pub unknown_score: f64,
    /// The ids of byte pieces such as `<0x0A>`, by byte, or [`NO_ID`]. Empty without byte fallback.
    pub fallback: Vec<u32>,
}

/// No piece has this id.
pub const NO_ID: u32 = u32::MAX - 1;

/// Returns the score of a character that no piece can spell, given the lowest score of any piece.
pub fn unknown_score(lowest: f64) -> f64 {
    lowest - UNKNOWN_PENALTY
}

impl<'a> Unigram<'a> {
    pub fn new(pieces: DoubleArray<'a>, settings: &'a UnigramSettings) -> Self {
        Self { pieces, settings }
    }

    /// Appends the tokens of a word. Sets `lattice.failed` if the word has none, as the reference then refuses the text.
    ///
    /// The byte pieces of unknown characters have the same end: all but the first have the range of the first.
    pub fn search(&self, word: &str, lattice: &mut Lattice, tokens: &mut Vec<Token>) {
        let UnigramSettings {
            unknown_id,
            unknown_score,
            ..
        } = *self.settings;
        let bytes = word.as_bytes();
        let nodes = &mut lattice.nodes;
        nodes.clear();
        nodes.resize(bytes.len() + 1, LatticeNode::UNREACHED);
        nodes[0].score = 0.0_f64.to_bits();
        let mut start = 0;
        while start < bytes.len() {
            let (before, ahead) = nodes.split_at_mut(start + 1);
            let till_here = f64::from_bits(before[start].score);
            let text = &bytes[start..];
            let width = width(text[0]).min(text.len());
            let mut walk = self.pieces.walk();
            let mut single = walk.step(text[0]);
            for byte in &text[1..width] {
                single = single.and_then(|_| walk.step(*byte));
            }
            if single.is_none_or(|single| single.value == 0) {
                let score = unknown_score + till_here;
                let node = &mut ahead[width - 1];
                if unknown_id == NO_ID && score > f64::from_bits(node.score) {
                    lattice.failed = true;
                    return;
                }
                node.improve(score, start, unknown_id + 1);
            }
            if let Some(single) = single {
                let score = self.pieces.score(single) + till_here;
                ahead[width - 1].improve(score, start, single.value);
                for (byte, node) in text[width..].iter().zip(&mut ahead[width..]) {
                    let Some(piece) = walk.step(*byte) else {
                        break;
                    };
                    let score = self.pieces.score(piece) + till_here;
                    node.improve(score, start, piece.value);
                }
            }
            start += width;
        }
        self.read_back(bytes, &lattice.nodes, tokens);
    }

    /// Appends the tokens of the best path by following it from its end. Neighboring unknowns become one token.
    fn read_back(&self, word: &[u8], nodes: &[LatticeNode], tokens: &mut Vec<Token>) {
        let first = tokens.len();
        let unknown_id = self.settings.unknown_id;
        let mut end = word.len();
        while end > 0 {
            let node = &nodes[end];
            let mut start = node.start();
            let mut id = node.id();
            if id == unknown_id {
                while start > 0 && nodes[start].id() == unknown_id {
                    start = nodes[start].start();
                }
                // Fused unknowns may together spell a piece.
                match self.pieces.get(&word[start..end]) {
                    Some(piece) => id = piece,
                    None if self.spell_in_bytes(&word[start..end], end, tokens) => {
                        end = start;
                        continue;
                    }
                    None => {}
                }
            }
            tokens.push(Token {
                id,
                end: end as u32,
            });
            end = start;
        }
        tokens[first..].reverse();
    }

    /// Appends the byte pieces of unknown characters, in reverse order. Returns false without byte fallback, or if a
    /// piece is missing.
    fn spell_in_bytes(&self, unknown: &[u8], end: usize, tokens: &mut Vec<Token>) -> bool {
        let ids = unknown.iter().rev().map(|byte| {
            let id = self.settings.fallback.get(usize::from(*byte));
            id.copied().unwrap_or(NO_ID)
        });
        if ids.clone().any(|id| id == NO_ID) {
            return false;
        }
        let end = end as u32;
        tokens.extend(ids.map(|id| Token { id, end }));
        true
    }
}

/// Returns the length of the UTF-8 character that begins with the byte.
#[inline]
fn width(first: u8) -> usize {
    match first {
        0..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
    }
}

/// The best path from the start of a word to one of its bytes.
#[derive(Debug, Clone, Copy)]
struct LatticeNode {
    /// The score, as the bits of a float64.
    score: u64,
    /// The last piece: its start in the low 32 bits, and its id plus 1 in the high 32 bits.
    piece: u64,
}

impl LatticeNode {
    /// No path leads here.
    const UNREACHED: Self = Self {
        score: f64::NEG_INFINITY.to_bits(),
        piece: 0,
    };

    /// Replaces the path if the new one is better. Of equally good paths, the first one stays.
    ///
    /// Selects numbers instead of branching, since the processor cannot predict the outcome.
    #[inline]
    fn improve(&mut self, score: f64, start: usize, value: u32) {
        let is_better = score > f64::from_bits(self.score);
        let piece = start as u64 | u64::from(value) << 32;
        self.score = select_unpredictable(is_better, score.to_bits(), self.score);
        self.piece = select_unpredictable(is_better, piece, self.piece);
    }

    fn start(self) -> usize {
        self.piece as u32 as usize
    }

    fn id(self) -> u32 {
        ((self.piece >> 32) as u32).wrapping_sub(1)
    }
}

/// The memory for a search, reused from word to word.
#[derive(Debug, Default)]
pub struct Lattice {
    nodes: Vec<LatticeNode>,
    /// True once a word had no tokens.
    pub failed: bool,
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
        let scores: Vec<f64> = std::iter::once(f64::NEG_INFINITY)
            .chain(pieces.iter().map(|piece| piece.1))
            .collect();
        let array = DoubleArray {
            nodes: &nodes,
            scores: &scores,
        };
        let lowest = pieces
            .iter()
            .map(|piece| piece.1)
            .fold(f64::INFINITY, f64::min);
        let settings = UnigramSettings {
            unknown_score: unknown_score(lowest),
            ..UnigramSettings::default()
        };
        let model = Unigram::new(array, &settings);
        let mut tokens = Vec::new();
        model.search(word, &mut Lattice::default(), &mut tokens);
        tokens.iter().map(|token| (token.id, token.end)).collect()
    }

    #[test]
    fn the_best_path_wins_and_of_equal_paths_the_first() {
        let pieces = [
            ("?", 0.0),
            ("a", -1.0),
            ("b", -1.0),
            ("ab", -2.0),
            ("c", -3.0),
        ];
        // "ab" and "a" + "b" are equally probable: the path found first stays.
        assert_eq!(segment(&pieces, "ab"), [(3, 2)]);
        assert_eq!(segment(&pieces, "abc"), [(3, 2), (4, 3)]);
    }

    #[test]
    fn neighboring_unknowns_are_one_token() {
        let pieces = [("?", 0.0), ("a", -1.0)];
        assert_eq!(segment(&pieces, "xéa漢"), [(0, 3), (1, 4), (0, 7)]);
    }
}
