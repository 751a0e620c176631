//! The input of the compiler: the contents of a tokenizer file.

use crate::formats::sentencepiece::{Algorithm, Piece, PieceKind, SentencePieceModel};

/// The contents of a tokenizer file.
#[derive(Debug)]
pub struct Contents<'a> {
    /// The text, score, and kind of each piece, in order of id.
    pub pieces: Vec<(&'a str, f64, PieceKind)>,
    pub unknown_id: u32,
    pub algorithm: Algorithm,
    pub byte_fallback: bool,
    /// The normalization rules of a SentencePiece file.
    pub charsmap: &'a [u8],
    /// A `tokenizer.json` without its pieces, as JSON.
    pub rest: &'a [u8],
}

impl<'a> From<&'a SentencePieceModel> for Contents<'a> {
    fn from(model: &'a SentencePieceModel) -> Self {
        let piece = |piece: &'a Piece| {
            let text = piece.text.as_str();
            (text, f64::from(piece.score), piece.kind)
        };
        Self {
            pieces: model.pieces.iter().map(piece).collect(),
            unknown_id: model.unknown_id,
            algorithm: model.algorithm,
            byte_fallback: model.byte_fallback,
            charsmap: &model.precompiled_charsmap,
            rest: &[],
        }
    }
}
