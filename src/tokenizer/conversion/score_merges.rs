//! Derives the merges of a BPE model from the scores of its pieces (`generate_merges` of the reference).

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::formats::merge_list::MergeList;

/// A merge, with what orders it.
struct Merge<'p> {
    left: &'p str,
    right: &'p str,
    score: f64,
    /// The lengths of the two pieces, in characters.
    lengths: [usize; 2],
}

/// Returns the merges of `scored` pieces into which two pieces of `vocabulary` can be joined: higher scores first, then
/// longer pieces. All scores are numbers.
pub fn derive(vocabulary: &HashMap<&str, u32>, scored: &[(&str, f64)]) -> MergeList {
    let mut merges = Vec::new();
    for (piece, score) in last_scores(scored) {
        let length = piece.chars().count();
        let first = merges.len();
        for (index, (at, _)) in piece.char_indices().enumerate().skip(1) {
            let (left, right) = piece.split_at(at);
            if vocabulary.contains_key(left) && vocabulary.contains_key(right) {
                merges.push(Merge {
                    left,
                    right,
                    score,
                    lengths: [index, length - index],
                });
            }
        }
        if let Some(local) = merges.get_mut(first..) {
            local.sort_by_key(|merge| (vocabulary.get(merge.left), vocabulary.get(merge.right)));
        }
    }
    merges.sort_by(|one, other| {
        let by_score = other.score.total_cmp(&one.score);
        by_score.then_with(|| Reverse(one.lengths).cmp(&Reverse(other.lengths)))
    });
    merges
        .iter()
        .map(|merge| (merge.left, merge.right))
        .collect()
}

/// Returns the distinct pieces in the order in which they first occur, each with its last score. `-0.0` becomes `0.0`,
/// which is the same number.
fn last_scores<'p>(scored: &[(&'p str, f64)]) -> Vec<(&'p str, f64)> {
    let mut positions: HashMap<&str, usize> = HashMap::with_capacity(scored.len());
    let mut distinct: Vec<(&str, f64)> = Vec::with_capacity(scored.len());
    for &(piece, score) in scored {
        let score = score + 0.0;
        let position = *positions.entry(piece).or_insert(distinct.len());
        match distinct.get_mut(position) {
            Some(known) => known.1 = score,
            None => distinct.push((piece, score)),
        }
    }
    distinct
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected merges are those of `generate_merges`.
    #[test]
    fn merges_are_ordered_by_score_then_length() {
        let scored = [
            ("a", -3.0),
            ("b", -4.0),
            ("ab", 0.0),
            ("aba", -1.0),
            ("ba", -0.0),
            ("é", -5.0),
            ("éab", -1.0),
        ];
        let vocabulary = scored.iter().zip(0..).map(|((piece, _), id)| (*piece, id));
        let merges = derive(&vocabulary.collect(), &scored);
        let merges: Vec<_> = merges.pairs().unwrap().collect();
        assert_eq!(
            merges,
            [
                ("a", "b"),
                ("b", "a"),
                ("ab", "a"),
                ("a", "ba"),
                ("é", "ab")
            ]
        );
    }
}
