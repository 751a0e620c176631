//! The pieces of a model in a `tokenizer.json`.

use std::collections::{HashMap, HashSet};

use super::piece_table::PieceTable;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::record::PackedStrings;

/// The pieces of a model by id.
#[derive(Debug)]
pub struct ModelPieces {
    list: PieceList,
    /// Finds pieces. `None` if they have scores.
    table: Option<PieceTable>,
    /// The positions in the list in order of id. `None` if that is the order of the list.
    by_id: Option<Vec<u32>>,
}

impl ModelPieces {
    /// Drops all but the last of equal pieces, unless they have scores, as the `tokenizers` crate does.
    pub fn new(list: PieceList) -> Self {
        let (list, table) = last_of_each(list);
        let by_id = match &list.numbers {
            Numbers::Ids(ids) if !ids.is_sorted() => {
                let mut positions: Vec<(u32, u32)> = ids.iter().copied().zip(0..).collect();
                positions.sort_unstable();
                Some(positions.into_iter().map(|(_, at)| at).collect())
            }
            _ => None,
        };
        Self { list, table, by_id }
    }

    /// Returns the id of a piece. Returns `None` for pieces with scores.
    #[inline]
    pub fn find(&self, piece: &str) -> Option<u32> {
        let Numbers::Ids(ids) = &self.list.numbers else {
            return None;
        };
        let at = (self.table.as_ref()?).find(piece, |at| &self.list.texts[at])?;
        Some(ids[at])
    }

    /// Returns the number of pieces.
    pub fn size(&self) -> usize {
        self.list.texts.len()
    }

    /// Returns the piece of an id.
    pub fn piece(&self, id: u32) -> Option<&str> {
        let index = match &self.list.numbers {
            Numbers::Scores(_) => id as usize,
            Numbers::Ids(ids) => match &self.by_id {
                None => ids.binary_search(&id).ok()?,
                Some(by_id) => {
                    let index = by_id.binary_search_by_key(&id, |&at| ids[at as usize]);
                    by_id[index.ok()?] as usize
                }
            },
        };
        self.list.texts.get(index)
    }

    /// Returns the id, text, and score of every piece, in order of id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, &str, Option<f64>)> {
        (0..self.size()).map(|index| {
            let at = match &self.by_id {
                None => index,
                Some(by_id) => by_id[index] as usize,
            };
            let (id, score) = match &self.list.numbers {
                Numbers::Ids(ids) => (ids[at], None),
                Numbers::Scores(scores) => (at as u32, Some(scores[at])),
            };
            (id, &self.list.texts[at], score)
        })
    }

    /// Returns the ids of the texts that are pieces, in one pass over the many pieces. Of several equal pieces, the last
    /// one counts.
    pub fn ids_of(&self, texts: &HashSet<&str>) -> HashMap<String, u32> {
        let mut filter = Filter::default();
        texts.iter().for_each(|text| filter.add(text));
        let pieces = self.list.texts.iter().enumerate();
        let found = pieces.filter(|(_, piece)| filter.may_have(piece) && texts.contains(piece));
        let id = |at: usize| match &self.list.numbers {
            Numbers::Ids(ids) => ids[at],
            Numbers::Scores(_) => at as u32,
        };
        found
            .map(|(at, piece)| (piece.to_owned(), id(at)))
            .collect()
    }
}

/// Drops all but the last of equal pieces, unless they have scores. Returns the pieces and the table that finds them.
fn last_of_each(list: PieceList) -> (PieceList, Option<PieceTable>) {
    let Numbers::Ids(ids) = &list.numbers else {
        return (list, None);
    };
    let table = PieceTable::new(list.texts.iter());
    if table.is_some() {
        return (list, table);
    }
    let pieces = list.texts.iter().enumerate();
    let last: HashMap<&str, usize> = pieces.map(|(at, piece)| (piece, at)).collect();
    let mut last: Vec<usize> = last.into_values().collect();
    last.sort_unstable();
    let texts: PackedStrings = last.iter().map(|&at| &list.texts[at]).collect();
    let numbers = Numbers::Ids(last.iter().map(|&at| ids[at]).collect());
    let table = PieceTable::new(texts.iter());
    (PieceList { texts, numbers }, table)
}

/// A set of texts that may seem to hold others, too. Most look-ups are of texts outside the set, and are fast.
struct Filter(Box<[u64; 1 << 10]>);

impl Default for Filter {
    fn default() -> Self {
        Self(Box::new([0; 1 << 10]))
    }
}

impl Filter {
    fn add(&mut self, text: &str) {
        let hash = hash(text);
        self.0[(hash >> 54) as usize] |= 1 << (hash >> 48 & 63);
    }

    fn may_have(&self, text: &str) -> bool {
        let hash = hash(text);
        self.0[(hash >> 54) as usize] >> (hash >> 48 & 63) & 1 == 1
    }
}

/// Returns a hash that is much faster than the one of the standard library. Texts with the same hash are easy to find, so
/// the hash decides nothing.
fn hash(text: &str) -> u64 {
    const FACTOR: u64 = 0xf135_7aea_2e62_a9c5;
    let mix = |hash: u64, word: u64| (hash.rotate_left(26) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let hash = words.fold(text.len() as u64, mix);
    let rest = rest
        .iter()
        .fold(0, |word, &byte| word << 8 | u64::from(byte));
    let hash = mix(hash, rest);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(json: &str) -> ModelPieces {
        ModelPieces::new(serde_json::from_str(json).unwrap())
    }

    fn listed(pieces: &ModelPieces) -> Vec<(u32, &str)> {
        pieces.iter().map(|(id, piece, _)| (id, piece)).collect()
    }

    #[test]
    fn of_equal_pieces_the_last_one_counts() {
        let pieces = pieces(r#"{"b": 3, "a": 1, "\u0061": 0, "\n": 7, "a": 2}"#);
        assert_eq!(listed(&pieces), [(2, "a"), (3, "b"), (7, "\n")]);
        assert_eq!(pieces.size(), 3);
        let ids = pieces.ids_of(&["a", "\n", "x"].into());
        assert_eq!(ids, [("a".to_owned(), 2), ("\n".to_owned(), 7)].into());
    }

    #[test]
    fn equal_pieces_with_scores_all_count() {
        let pieces = pieces(r#"[["a", 0.5], ["b", -1], ["a", -2]]"#);
        assert_eq!(listed(&pieces), [(0, "a"), (1, "b"), (2, "a")]);
        assert_eq!(pieces.ids_of(&["a"].into())["a"], 2);
        assert_eq!(pieces.piece(2), Some("a"));
        assert_eq!(pieces.piece(3), None);
    }

    #[test]
    fn pieces_are_found_by_id_in_any_order_and_with_gaps() {
        for json in [r#"{"a": 0, "b": 2, "c": 5}"#, r#"{"c": 5, "a": 0, "b": 2}"#] {
            let pieces = pieces(json);
            let found = [0, 1, 2, 5, 6].map(|id| pieces.piece(id));
            assert_eq!(found, [Some("a"), None, Some("b"), Some("c"), None]);
            assert_eq!(listed(&pieces), [(0, "a"), (2, "b"), (5, "c")]);
        }
    }

    /// A thousand texts set a few percent of the bits.
    #[test]
    fn the_filter_has_all_its_texts_and_few_others() {
        let mut filter = Filter::default();
        let texts: Vec<String> = (0..10_000).map(|number| format!("▁{number}")).collect();
        let (added, others) = texts.split_at(1000);
        added.iter().for_each(|text| filter.add(text));
        assert!(added.iter().all(|text| filter.may_have(text)));
        let wrong = others.iter().filter(|text| filter.may_have(text)).count();
        assert!(wrong < 450, "{wrong}");
    }

    #[test]
    fn hashes_of_pieces_differ() {
        let texts: HashSet<String> = (0..50_000_u32)
            .flat_map(|number| {
                [
                    format!("{number}"),
                    format!("{number:b}"),
                    "\0".repeat(number as usize % 100),
                ]
            })
            .collect();
        let hashes: HashSet<u64> = texts.iter().map(|text| hash(text)).collect();
        assert_eq!(hashes.len(), texts.len());
    }
}
