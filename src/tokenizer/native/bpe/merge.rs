//! Merges the tokens of a word: the pair of lowest rank first, and of equal pairs the leftmost, until no pair is left.
//!
//! Sennrich et al. (2016), "Neural Machine Translation of Rare Words with Subword Units", with the ranks and ties of
//! `Word::merge_all` of the `tokenizers` crate.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::merges::{MergeTable, Merged, NOT_MERGED};
use crate::tokenizer::native::token::Token;

/// The longest word, in tokens, whose best pair is searched in a list. A longer one has a heap, so that it takes time in
/// proportion to n log n.
const LONGEST_LIST: usize = 48;

/// Memory that is reused from word to word.
#[derive(Debug, Default)]
pub struct MergeScratch {
    /// The merge of each token with the next one.
    merged: Vec<Merged>,
    links: Vec<Link>,
    heap: BinaryHeap<Reverse<(Merged, u32)>>,
}

/// A token in the doubly linked list of a long word.
#[derive(Debug, Clone, Copy)]
struct Link {
    token: Token,
    previous: u32,
    next: u32,
    /// The merge of the token with the next one.
    merged: Merged,
}

/// The end of a list.
const NONE: u32 = u32::MAX;

/// Merges the tokens from index `first` on.
pub fn merge(
    merges: MergeTable<'_>,
    tokens: &mut Vec<Token>,
    first: usize,
    scratch: &mut MergeScratch,
) {
    if tokens.len() - first <= LONGEST_LIST {
        let length = merge_short(merges, &mut tokens[first..], &mut scratch.merged);
        tokens.truncate(first + length);
    } else {
        merge_long(merges, tokens, first, scratch);
    }
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

fn merge_long(
    merges: MergeTable<'_>,
    tokens: &mut Vec<Token>,
    first: usize,
    scratch: &mut MergeScratch,
) {
    let MergeScratch { links, heap, .. } = scratch;
    link(merges, &tokens[first..], links);
    let mut pairs = std::mem::take(heap).into_vec();
    pairs.clear();
    let all = (0..).zip(&*links);
    let merged = all.filter(|(_, link)| link.merged != NOT_MERGED);
    pairs.extend(merged.map(|(index, link)| Reverse((link.merged, index))));
    *heap = BinaryHeap::from(pairs);
    while let Some(Reverse((merged, at))) = heap.pop() {
        // Either token may have been merged with another one since.
        if links[at as usize].merged != merged {
            continue;
        }
        let (previous, next) = merge_links(links, at, merged);
        let id = merged as u32;
        if let Some(next) = links.get_mut(next as usize) {
            next.previous = at;
            let pair = merges.get(id, next.token.id);
            set_merged(links, heap, at, pair);
        }
        if let Some(before) = links.get(previous as usize) {
            let pair = merges.get(before.token.id, id);
            set_merged(links, heap, previous, pair);
        }
    }
    tokens.truncate(first);
    let mut at = 0;
    while let Some(link) = links.get(at as usize) {
        tokens.push(link.token);
        at = link.next;
    }
}

/// Lists the tokens of a word, each with its merge with the next one.
fn link(merges: MergeTable<'_>, word: &[Token], links: &mut Vec<Link>) {
    links.clear();
    links.extend((0_u32..).zip(word).map(|(index, token)| {
        let next = word.get(index as usize + 1);
        Link {
            token: *token,
            previous: index.checked_sub(1).unwrap_or(NONE),
            next: next.map_or(NONE, |_| index + 1),
            merged: next.map_or(NOT_MERGED, |next| merges.get(token.id, next.id)),
        }
    }));
}

/// Merges a token with the next one. Returns the neighbors of the merged token.
fn merge_links(links: &mut [Link], at: u32, merged: Merged) -> (u32, u32) {
    let next = links[at as usize].next as usize;
    let (end, after) = (links[next].token.end, links[next].next);
    links[next].merged = NOT_MERGED;
    let link = &mut links[at as usize];
    link.token = Token {
        id: merged as u32,
        end,
    };
    link.merged = NOT_MERGED;
    link.next = after;
    (link.previous, after)
}

fn set_merged(
    links: &mut [Link],
    heap: &mut BinaryHeap<Reverse<(Merged, u32)>>,
    at: u32,
    merged: Merged,
) {
    links[at as usize].merged = merged;
    if merged != NOT_MERGED {
        heap.push(Reverse((merged, at)));
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

    #[test]
    fn lists_and_heaps_merge_the_lowest_rank_and_the_leftmost_pair_first() {
        let mut merges = Vec::new();
        for left in 0..12 {
            for right in 0..12 {
                if (left * 7 + right * 5) % 3 > 0 {
                    merges.push([left, right, (left + right) % 12]);
                }
            }
        }
        let slots = build(&merges);
        let merges = MergeTable::new(&slots).unwrap();
        let mut state = 1_u64;
        for length in 0..300 {
            let word: Vec<u32> = (0..length)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (state >> 33) as u32 % 12
                })
                .collect();
            let expected = expected(merges, tokens(&word));
            let mut scratch = MergeScratch::default();
            let mut short = tokens(&word);
            let left = merge_short(merges, &mut short, &mut scratch.merged);
            assert_eq!(short[..left], expected);
            let mut long = [tokens(&[3]), tokens(&word)].concat();
            merge_long(merges, &mut long, 1, &mut scratch);
            assert_eq!(long[1..], expected);
        }
    }
}
