//! Queues of the pairs of a long word: the pair of lowest rank first, and of equal pairs the leftmost.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::merges::Merged;

/// The most positions that a queue keeps memory for between words, per rank.
const KEPT_POSITIONS: usize = 1 << 12;

/// A queue of pairs, each with its merge and its position in the word.
pub trait PairQueue {
    fn push(&mut self, merged: Merged, at: u32);
    fn pop(&mut self) -> Option<(Merged, u32)>;
}

/// A queue for words of a few hundred tokens.
pub type PairHeap = BinaryHeap<Reverse<(Merged, u32)>>;

impl PairQueue for PairHeap {
    #[inline]
    fn push(&mut self, merged: Merged, at: u32) {
        Self::push(self, Reverse((merged, at)));
    }

    #[inline]
    fn pop(&mut self) -> Option<(Merged, u32)> {
        Self::pop(self).map(|Reverse(pair)| pair)
    }
}

/// A queue for words with many more tokens than there are ranks among their pairs: it lists the positions of each rank,
/// and sorts them once.
#[derive(Debug, Default)]
pub struct RankQueue {
    /// For each rank, one more than the index of its list. 0 if no pair of the rank is waiting.
    list_of: Vec<u32>,
    /// The positions of each waiting rank, as they were pushed.
    lists: Vec<Vec<u32>>,
    /// The indices of unused lists.
    unused: Vec<u32>,
    /// The merges of the waiting ranks.
    waiting: BinaryHeap<Reverse<Merged>>,
    /// The merge that is being popped. All waiting ones are higher.
    current: Option<Merged>,
    /// Its positions that are left, the leftmost last.
    positions: Vec<u32>,
    /// Pairs that were pushed after the list they would have been in was sorted.
    late: PairHeap,
}

impl PairQueue for RankQueue {
    #[inline]
    fn push(&mut self, merged: Merged, at: u32) {
        if Some(merged) <= self.current {
            return PairQueue::push(&mut self.late, merged, at);
        }
        let rank = (merged >> 32) as usize;
        if rank >= self.list_of.len() {
            self.list_of.resize(rank + 1, 0);
        }
        if self.list_of[rank] == 0 {
            self.list_of[rank] = self.new_list();
            self.waiting.push(Reverse(merged));
        }
        self.lists[self.list_of[rank] as usize - 1].push(at);
    }

    #[inline]
    fn pop(&mut self) -> Option<(Merged, u32)> {
        loop {
            let next = (self.current).and_then(|merged| Some((merged, *self.positions.last()?)));
            let late = self.late.peek().map(|Reverse(pair)| *pair);
            if late.is_some_and(|late| next.is_none_or(|next| late < next)) {
                return PairQueue::pop(&mut self.late);
            }
            if next.is_some() {
                self.positions.pop();
                return next;
            }
            self.next_rank()?;
        }
    }
}

impl RankQueue {
    /// Returns one more than the index of an empty list.
    fn new_list(&mut self) -> u32 {
        let unused = self.unused.pop();
        unused.unwrap_or_else(|| {
            self.lists.push(Vec::new());
            self.lists.len() as u32
        })
    }

    /// Begins to pop the lowest waiting rank. Returns `None` if none is waiting.
    #[inline(never)]
    fn next_rank(&mut self) -> Option<()> {
        if self.positions.capacity() > KEPT_POSITIONS {
            self.positions = Vec::new();
        }
        let Some(Reverse(merged)) = self.waiting.pop() else {
            self.current = None;
            return None;
        };
        let list = std::mem::take(self.list_of.get_mut((merged >> 32) as usize)?);
        self.unused.push(list);
        std::mem::swap(&mut self.positions, self.lists.get_mut(list as usize - 1)?);
        self.current = Some(merged);
        if !self.positions.is_sorted() {
            self.positions.sort_unstable();
        }
        self.positions.reverse();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some pairs are pushed while pairs of a higher, of the same, or of a lower rank are popped.
    #[test]
    fn both_queues_pop_the_same_pairs() {
        let mut ranks = RankQueue::default();
        let mut state = 7_u32;
        let mut random = move |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for round in 1..200 {
            let mut heap = PairHeap::new();
            let mut pushes = 40 * round;
            loop {
                while pushes > 0 && random(3) > 0 {
                    let (rank, at) = (random(round), random(1000));
                    let merged = u64::from(rank) << 32 | u64::from(rank % 7);
                    PairQueue::push(&mut heap, merged, at);
                    ranks.push(merged, at);
                    pushes -= 1;
                }
                let popped = PairQueue::pop(&mut heap);
                assert_eq!(ranks.pop(), popped);
                if popped.is_none() && pushes == 0 {
                    break;
                }
            }
            assert!(ranks.lists.iter().all(Vec::is_empty));
        }
    }
}
