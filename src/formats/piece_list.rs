//! The pieces of a model in a `tokenizer.json`, as the file lists them.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::expansion_limits::{MAX_PIECE_LENGTH, too_long_piece};
use super::json::limits::check_length;
use crate::record::PackedStrings;

/// The pieces of a model, in one allocation: a vocabulary has hundreds of thousands.
#[derive(Debug, Clone, Default)]
pub struct PieceList {
    /// In the order of the file.
    pub texts: PackedStrings,
    pub numbers: Numbers,
}

/// The number that the file gives for each piece.
#[derive(Debug, Clone)]
pub enum Numbers {
    /// For Unigram. The pieces are in the order of their ids.
    Scores(Vec<f64>),
    /// For the other algorithms.
    Ids(Vec<u32>),
}

impl Default for Numbers {
    fn default() -> Self {
        Self::Ids(Vec::new())
    }
}

impl<'de> Deserialize<'de> for PieceList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrMap;

        impl<'de> Visitor<'de> for ListOrMap {
            type Value = PieceList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of pieces and scores, or a map of pieces to ids")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let (mut texts, mut scores) = (PackedStrings::default(), Vec::new());
                while let Some(score) = list.next_element_seed(ScoredPiece(&mut texts))? {
                    check_length(scores.len())?;
                    let length = texts.get(scores.len()).map_or(0, str::len);
                    if length > MAX_PIECE_LENGTH {
                        return Err(A::Error::custom(too_long_piece(scores.len(), length)));
                    }
                    scores.push(score);
                }
                let numbers = Numbers::Scores(scores);
                Ok(PieceList { texts, numbers })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut texts, mut ids) = (PackedStrings::default(), Vec::new());
                while map.next_key_seed(Piece(&mut texts))?.is_some() {
                    let id = map.next_value()?;
                    check_length(ids.len())?;
                    ids.push(id);
                }
                let numbers = Numbers::Ids(ids);
                Ok(PieceList { texts, numbers })
            }
        }

        deserializer.deserialize_any(ListOrMap)
    }
}

/// Appends a piece to a list.
struct Piece<'l>(&'l mut PackedStrings);

impl<'de> DeserializeSeed<'de> for Piece<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Piece<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, piece: &str) -> Result<(), E> {
        self.0.push(piece);
        Ok(())
    }
}

/// Appends a piece to a list. Returns its score.
struct ScoredPiece<'l>(&'l mut PackedStrings);

impl<'de> DeserializeSeed<'de> for ScoredPiece<'_> {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<f64, D::Error> {
        deserializer.deserialize_tuple(2, self)
    }
}

impl<'de> Visitor<'de> for ScoredPiece<'_> {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tuple of size 2")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<f64, A::Error> {
        let too_short = |length| A::Error::invalid_length(length, &"a tuple of size 2");
        (pair.next_element_seed(Piece(self.0))?).ok_or_else(|| too_short(0))?;
        pair.next_element()?.ok_or_else(|| too_short(1))
    }
}
