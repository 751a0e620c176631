//! The merges that tokens with ranks imply: one for each token.
//!
//! tiktoken joins the adjacent parts of a word whose bytes together are the token of the lowest rank, of equal ones the
//! leftmost. So every way to split a token into two tokens seems to be a merge. But only one of them is ever made: as long
//! as no part crosses the ends of the token, the parts within them are joined as if they were a word of their own, and
//! that ends with two certain parts. A token that is not made of its own bytes in this way is only the token of a whole
//! word. So the list of these merges, in order of the tokens' ranks, has the same tokens for every text.

use crate::formats::merge_list::MergeList;
use crate::record::PackedStrings;
use crate::tokenizer::piece_table::PieceTable;

/// Stands for two parts that are not a token together.
const NO_RANK: usize = usize::MAX;

/// Returns the merges for tokens in order of rank, in the alphabet of bytes. Returns `None` if two tokens are equal.
pub fn merges(tokens: &PackedStrings) -> Option<MergeList> {
    let table = PieceTable::new(tokens.iter())?;
    let rank = |text: &str| table.find(text, |at| &tokens[at]);
    let mut pieces = PackedStrings::default();
    let mut word = Word::default();
    for token in tokens.iter() {
        if let Some((left, right)) = word.last_parts(token, rank) {
            pieces.push(left);
            pieces.push(right);
        }
    }
    Some(MergeList::from_pieces(pieces))
}

/// A token that is merged as a word of its own.
#[derive(Debug, Default)]
struct Word {
    /// The start of each part, and the end of the last one.
    bounds: Vec<usize>,
    /// For each part but the last, the rank of it and the next one together.
    ranks: Vec<usize>,
}

impl Word {
    /// Returns the two parts that a token is finally made of. Returns `None` if it has one character, or is not made.
    fn last_parts<'t>(
        &mut self,
        token: &'t str,
        rank: impl Fn(&str) -> Option<usize>,
    ) -> Option<(&'t str, &'t str)> {
        let Self { bounds, ranks } = self;
        bounds.clear();
        bounds.extend(token.char_indices().map(|(start, _)| start));
        bounds.push(token.len());
        let joined = |bounds: &[usize], at: usize| {
            let both = bounds.get(at).zip(bounds.get(at + 2));
            both.and_then(|(start, end)| rank(&token[*start..*end]))
                .unwrap_or(NO_RANK)
        };
        ranks.clear();
        ranks.extend((0..bounds.len().saturating_sub(2)).map(|at| joined(bounds, at)));
        while ranks.len() > 1 {
            let (at, lowest) = ranks.iter().enumerate().min_by_key(|(_, rank)| **rank)?;
            if *lowest == NO_RANK {
                return None;
            }
            bounds.remove(at + 1);
            ranks.remove(at);
            if let Some(after) = ranks.get_mut(at) {
                *after = joined(bounds, at);
            }
            if let Some(before) = at.checked_sub(1) {
                ranks[before] = joined(bounds, before);
            }
        }
        let middle = *bounds.get(1)?;
        (middle < token.len()).then(|| token.split_at(middle))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merges_of(tokens: &[&str]) -> Option<Vec<String>> {
        let mut list = PackedStrings::default();
        tokens.iter().for_each(|token| list.push(token));
        let merges = merges(&list)?;
        let pairs = merges
            .pairs()?
            .map(|(left, right)| format!("{left} {right}"));
        Some(pairs.collect())
    }

    #[test]
    fn a_token_has_the_merge_that_is_made_last() {
        for (tokens, merges) in [
            (&["a", "aa", "aaa"][..], &["a a", "aa a"][..]),
            (&["a", "aaa", "aa"], &["aa a", "a a"]),
            (&["a", "aaaa", "aaa"], &[]),
            (&["a", "b", "c", "bc", "ab", "abc"], &["b c", "a b", "a bc"]),
            (&["a", "b", "c", "ab", "bc", "abc"], &["a b", "b c", "ab c"]),
            (&["é", "ñ", "éñ", "éñéñ", "éñé"], &["é ñ", "éñ éñ", "éñ é"]),
        ] {
            assert_eq!(merges_of(tokens).unwrap(), merges, "{tokens:?}");
        }
        assert_eq!(merges_of(&["a", "b", "a"]), None);
    }
}
