//! Merges the tokens of a long word in place.

use super::merges::{MergeTable, Merged, NOT_MERGED};
use super::pair_queue::PairQueue;
use crate::tokenizer::native::token::Token;

/// A place in a word: that of a token, or one that a token has taken over by a merge.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// For the first place of a token, the first place of the next token. For the last one of several, the first one.
    link: u32,
    /// The rank of the merge of a token with the next one.
    rank: u32,
}

/// The rank of a pair that is not merged, and of places without a token.
const NO_RANK: u32 = rank(NOT_MERGED);

const fn rank(merged: Merged) -> u32 {
    (merged >> 32) as u32
}

/// Merges the tokens of a word, and returns the number that is left. The queue must be empty, and is empty afterwards.
pub fn merge_long(
    merges: MergeTable<'_>,
    tokens: &mut [Token],
    places: &mut Vec<Place>,
    queue: &mut impl PairQueue,
) -> usize {
    places.clear();
    let rank = NO_RANK;
    places.extend((1..).map(|link| Place { link, rank }).take(tokens.len()));
    let mut word = Word {
        merges,
        tokens,
        places,
        queue,
    };
    for at in 1..word.tokens.len() {
        word.pair(at - 1, at);
    }
    while let Some((merged, at)) = word.queue.pop() {
        word.merge(merged, at as usize);
    }
    word.gather()
}

struct Word<'w, Q> {
    merges: MergeTable<'w>,
    /// The tokens, each at its first place.
    tokens: &'w mut [Token],
    places: &'w mut [Place],
    queue: &'w mut Q,
}

impl<Q: PairQueue> Word<'_, Q> {
    /// Queues the pair of a token and the next one.
    #[inline]
    fn pair(&mut self, at: usize, next: usize) {
        let merged = (self.merges).get(self.tokens[at].id, self.tokens[next].id);
        self.places[at].rank = rank(merged);
        if merged != NOT_MERGED {
            self.queue.push(merged, at as u32);
        }
    }

    /// Merges a token with the next one, unless either has been merged with another one since.
    #[inline]
    fn merge(&mut self, merged: Merged, at: usize) {
        if self.places[at].rank != rank(merged) {
            return;
        }
        let next = self.places[at].link as usize;
        let after = self.places[next].link as usize;
        self.tokens[at] = Token {
            id: merged as u32,
            end: self.tokens[next].end,
        };
        self.places[next].rank = NO_RANK;
        self.places[after - 1].link = at as u32;
        self.places[at] = Place {
            link: after as u32,
            rank: NO_RANK,
        };
        if after < self.tokens.len() {
            self.pair(at, after);
        }
        if let Some(last) = at.checked_sub(1) {
            self.pair(last.min(self.places[last].link as usize), at);
        }
    }

    /// Moves the tokens to the front, and returns their number.
    fn gather(&mut self) -> usize {
        let (mut at, mut length) = (0, 0);
        while at < self.tokens.len() {
            self.tokens[length] = self.tokens[at];
            length += 1;
            at = self.places[at].link as usize;
        }
        length
    }
}
