//! The pieces of a SentencePiece file, as the classes of transformers 5.24 take them.

use crate::formats::merge_list::MergeList;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::sentencepiece::SentencePieceModel;

/// The pieces of a file.
pub struct Pieces {
    pub vocab: PieceList,
    pub merges: Option<MergeList>,
    /// The unknown id of a SentencePiece file.
    pub unknown: Option<u32>,
}

/// Returns the pieces of a file with their scores.
pub fn of_sentencepiece(model: &SentencePieceModel) -> Pieces {
    let pieces = model.pieces.iter();
    Pieces {
        vocab: PieceList {
            texts: pieces.clone().map(|piece| &*piece.text).collect(),
            numbers: Numbers::Scores(pieces.map(|piece| f64::from(piece.score)).collect()),
        },
        merges: None,
        unknown: Some(model.unknown_id),
    }
}
