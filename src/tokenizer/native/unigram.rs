//! Words → pieces: the most probable segmentation under a Unigram model.
//!
//! Kudo (2018), "Subword Regularization". Ties, the score of an unknown character and the fusing of neighbouring
//! unknowns follow `encode_optimized` of the `tokenizers` crate, sum by sum.

use super::double_array::DoubleArray;

/// Distance of the unknown score below that of the worst piece.
const UNKNOWN_PENALTY: f64 = 10.0;
/// A place in a word that no path has reached.
const UNREACHED: u32 = u32::MAX;
/// Words of up to this many bytes, and tokens, are remembered.
const MEMO_BYTES: usize = 28;
const MEMO_TOKENS: usize = 8;
/// Words remembered at a time, 3 MB of them; a power of two.
const MEMO_SLOTS: usize = 1 << 15;
/// A single sentence is segmented before that memory would be there.
const WORDS_BEFORE_MEMO: usize = 500;

/// A Unigram model, in the sections of a compiled vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct Unigram<'a> {
    pieces: DoubleArray<'a>,
    /// Natural logarithm of the probability, by id.
    scores: &'a [f64],
    unknown_id: u32,
    unknown_score: f64,
}

/// A token of a word: its id, and the byte of the word at which it ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Token {
    pub id: u32,
    pub end: u32,
}

/// The score of a character that no piece spells, given those of the pieces.
pub fn unknown_score(scores: &[f64]) -> f64 {
    scores.iter().copied().fold(f64::INFINITY, f64::min) - UNKNOWN_PENALTY
}

impl<'a> Unigram<'a> {
    pub fn new(
        pieces: DoubleArray<'a>,
        scores: &'a [f64],
        unknown_id: u32,
        unknown_score: f64,
    ) -> Self {
        Self {
            pieces,
            scores,
            unknown_id,
            unknown_score,
        }
    }

    /// Appends the tokens of a word.
    #[inline]
    pub fn segment(&self, word: &str, scratch: &mut Scratch, tokens: &mut Vec<Token>) {
        let slot = scratch.memo.slot(word);
        if let Some(slot) = slot
            && let Some(remembered) = scratch.memo.slots[slot].get(word.as_bytes())
        {
            tokens.extend_from_slice(remembered);
            return;
        }
        let first = tokens.len();
        self.search(word, scratch, tokens);
        if let Some(slot) = slot {
            scratch.memo.slots[slot].set(word.as_bytes(), &tokens[first..]);
        }
    }

    fn search(&self, word: &str, scratch: &mut Scratch, tokens: &mut Vec<Token>) {
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
            self.pieces.prefixes(&bytes[start..], |length, id| {
                // An id that has no score is damage, and not to be preferred.
                let score = self
                    .scores
                    .get(id as usize)
                    .copied()
                    .unwrap_or(f64::NEG_INFINITY);
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

/// What segmentation keeps from word to word.
#[derive(Debug, Default)]
pub struct Scratch {
    nodes: Vec<Node>,
    memo: Memo,
}

/// Words and their tokens, by hash; a new word takes the place of an old one.
#[derive(Debug, Default)]
struct Memo {
    /// None until enough words have come to be worth the memory.
    slots: Vec<Remembered>,
    words: usize,
}

impl Memo {
    /// The slot of a word; none for one that is not to be remembered.
    #[inline]
    fn slot(&mut self, word: &str) -> Option<usize> {
        if self.slots.is_empty() {
            self.words += 1;
            if self.words < WORDS_BEFORE_MEMO {
                return None;
            }
            self.slots = vec![Remembered::default(); MEMO_SLOTS];
        }
        (word.len() <= MEMO_BYTES).then(|| hash(word.as_bytes()))
    }
}

/// A word and its tokens.
#[derive(Debug, Clone, Copy, Default)]
struct Remembered {
    word: [u8; MEMO_BYTES],
    /// 0 for an empty slot: no word is empty.
    word_length: u8,
    token_count: u8,
    tokens: [Token; MEMO_TOKENS],
}

impl Remembered {
    #[inline]
    fn get(&self, word: &[u8]) -> Option<&[Token]> {
        let known = &self.word[..usize::from(self.word_length)];
        (known == word).then(|| &self.tokens[..usize::from(self.token_count)])
    }

    fn set(&mut self, word: &[u8], tokens: &[Token]) {
        if tokens.len() <= MEMO_TOKENS {
            self.word[..word.len()].copy_from_slice(word);
            self.word_length = word.len() as u8;
            self.token_count = tokens.len() as u8;
            self.tokens[..tokens.len()].copy_from_slice(tokens);
        }
    }
}

/// The slot of a word: eight bytes at a time, multiplied and folded (as wyhash does).
#[inline]
fn hash(word: &[u8]) -> usize {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = word.len() as u64;
    let (chunks, rest) = word.as_chunks::<8>();
    let mut fold = |bits: u64| {
        let product = u128::from(state ^ bits) * u128::from(FACTOR);
        state = (product >> 64) as u64 ^ product as u64;
    };
    for chunk in chunks {
        fold(u64::from_le_bytes(*chunk));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    fold(u64::from_le_bytes(last));
    (state as usize) & (MEMO_SLOTS - 1)
}

#[cfg(test)]
mod tests {
    use super::super::double_array::build;
    use super::*;

    fn segment(pieces: &[(&str, f64)], word: &str) -> Vec<(u32, u32)> {
        let mut keys: Vec<(&[u8], u32)> = (0..)
            .zip(pieces)
            .map(|(id, piece)| (piece.0.as_bytes(), id))
            .collect();
        keys.sort_unstable();
        let (units, values) = build(&keys).unwrap();
        let scores: Vec<f64> = pieces.iter().map(|piece| piece.1).collect();
        let array = DoubleArray {
            units: &units,
            values: &values,
        };
        let model = Unigram::new(array, &scores, 0, unknown_score(&scores));
        let mut scratch = Scratch::default();
        let mut first = Vec::new();
        model.segment(word, &mut scratch, &mut first);
        // Searched, then remembered, then recalled.
        for _ in 0..WORDS_BEFORE_MEMO + 2 {
            let mut again = Vec::new();
            model.segment(word, &mut scratch, &mut again);
            assert_eq!(first, again);
        }
        first.iter().map(|token| (token.id, token.end)).collect()
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
