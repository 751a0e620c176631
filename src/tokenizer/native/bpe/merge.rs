//! Merges the tokens of a word: the pair of lowest rank first, and of equal pairs the leftmost, until no pair is left.
//!
//! Sennrich et al. (2016), "Neural Machine Translation of Rare Words with Subword Units", with the ranks and ties of
//! `Word::merge_all` of the `tokenizers` crate.

use super::long_word::{Place, merge_long};
use super::merges::{MergeTable, Merged, NOT_MERGED};
use super::pair_queue::{PairHeap, RankQueue};
use crate::tokenizer::native::token::Token;

/// The longest word, in tokens, whose best pair is searched in a list. A longer one has a queue, so that it takes time in
/// proportion to n log n.
const LONGEST_LIST: usize = 48;
/// The longest word, in tokens, whose queue is a heap.
const LONGEST_HEAP: usize = 4096;
/// The number of places for which memory is kept between words.
const KEPT_PLACES: usize = 1 << 16;

/// Memory that is reused from word to word.
#[derive(Debug, Default)]
pub struct MergeScratch {
    /// The merge of each token of a short word with the next one.
    merged: Vec<Merged>,
    places: Vec<Place>,
    heap: PairHeap,
    ranks: RankQueue,
}

/// Merges the tokens from index `first` on.
pub fn merge(
    merges: MergeTable<'_>,
    tokens: &mut Vec<Token>,
    first: usize,
    scratch: &mut MergeScratch,
) {
    let word = &mut tokens[first..];
    let places = &mut scratch.places;
    let length = if word.len() <= LONGEST_LIST {
        merge_short(merges, word, &mut scratch.merged)
    } else if word.len() <= LONGEST_HEAP {
        merge_long(merges, word, places, &mut scratch.heap)
    } else {
        merge_long(merges, word, places, &mut scratch.ranks)
    };
    if places.capacity() > KEPT_PLACES {
        *places = Vec::new();
    }
    tokens.truncate(first + length);
}

/// Merges the tokens of a short word, and returns the number that is left.
fn merge_short(merges: MergeTable<'_>, word: &mut [Token], merged: &mut Vec<Merged>) -> usize {
    merged.clear();
    merged.extend(
        word.windows(2)
            .map(|pair| merges.get(pair[0].id, pair[1].id)),
    );
    let mut length = word.len();
    loop {
        let (mut best, mut at) = (NOT_MERGED, 0);
        for (index, merged) in merged.iter().enumerate() {
            if *merged < best {
                (best, at) = (*merged, index);
            }
        }
        if best == NOT_MERGED {
            return length;
        }
        word[at] = Token {
            id: best as u32,
            end: word[at + 1].end,
        };
        word.copy_within(at + 2..length, at + 1);
        length -= 1;
        merged.remove(at);
        if at + 1 < length {
            merged[at] = merges.get(word[at].id, word[at + 1].id);
        }
        if at > 0 {
            merged[at - 1] = merges.get(word[at - 1].id, word[at].id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::merges::build;
    use super::*;

    fn tokens(ids: &[u32]) -> Vec<Token> {
        let ends = 1..;
        let tokens = ids.iter().zip(ends).map(|(&id, end)| Token { id, end });
        tokens.collect()
    }

    /// Merges pair by pair, as the paper does.
    fn expected(merges: MergeTable<'_>, mut word: Vec<Token>) -> Vec<Token> {
        loop {
            let pairs = word.windows(2).enumerate();
            let pairs = pairs.map(|(at, pair)| (merges.get(pair[0].id, pair[1].id), at));
            let Some((merged, at)) = pairs.min().filter(|best| best.0 != NOT_MERGED) else {
                return word;
            };
            word[at + 1].id = merged as u32;
            word.remove(at);
        }
    }

    /// A table of merges of 12 ids. About a fifth of the pairs do not merge.
    fn random_merges(random: &mut impl FnMut(u32) -> u32) -> Vec<[u32; 3]> {
        let mut pairs: Vec<[u32; 2]> = (0..12)
            .flat_map(|left| (0..12).map(move |right| [left, right]))
            .filter(|_| random(5) > 0)
            .collect();
        for last in (1..pairs.len()).rev() {
            pairs.swap(last, random(last as u32 + 1) as usize);
        }
        let merges = pairs
            .iter()
            .map(|[left, right]| [*left, *right, random(12)]);
        merges.collect()
    }

    #[test]
    fn lists_and_queues_merge_the_lowest_rank_and_the_leftmost_pair_first() {
        let mut state = 1_u64;
        let mut random = |below: u32| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as u32 % below
        };
        let mut scratch = MergeScratch::default();
        for length in 0..400 {
            let slots = build(&random_merges(&mut random));
            let merges = MergeTable::new(&slots).unwrap();
            // Some words are of few letters.
            let letters = random(12) + 1;
            let word: Vec<u32> = (0..length % 200).map(|_| random(letters)).collect();
            let word = tokens(&word);
            let expected = expected(merges, word.clone());
            let MergeScratch {
                merged,
                places,
                heap,
                ranks,
            } = &mut scratch;
            let mut copy = word.clone();
            let left = merge_short(merges, &mut copy, merged);
            assert_eq!(copy[..left], expected);
            let mut copy = word.clone();
            let left = merge_long(merges, &mut copy, places, heap);
            assert_eq!(copy[..left], expected);
            let mut copy = word.clone();
            let left = merge_long(merges, &mut copy, places, ranks);
            assert_eq!(copy[..left], expected);
            let mut all = [tokens(&[3]), word].concat();
            merge(merges, &mut all, 1, &mut scratch);
            assert_eq!(all[1..], expected);
        }
    }

    #[test]
    fn a_word_of_any_length_is_merged_alike() {
        // Ranks in the order of training, and in the opposite one.
        let trained: Vec<[u32; 3]> = (0..14).map(|power| [power, power, power + 1]).collect();
        let opposite: Vec<[u32; 3]> = trained.iter().rev().copied().collect();
        let mut scratch = MergeScratch::default();
        for merges in [trained, opposite] {
            let slots = build(&merges);
            let table = MergeTable::new(&slots).unwrap();
            for length in [LONGEST_LIST, LONGEST_HEAP, 3 * LONGEST_HEAP] {
                for length in [length - 1, length, length + 1] {
                    let mut word = tokens(&vec![0; length]);
                    let expected = match length {
                        ..2000 => expected(table, word.clone()),
                        _ => {
                            let mut word = word.clone();
                            let places = &mut scratch.places;
                            let left = merge_long(table, &mut word, places, &mut scratch.heap);
                            word.truncate(left);
                            word
                        }
                    };
                    merge(table, &mut word, 0, &mut scratch);
                    assert_eq!(word, expected, "{length}");
                    let ids: u32 = word.iter().map(|token| 1 << token.id).sum();
                    assert_eq!(ids as usize, length);
                }
            }
        }
    }
}
