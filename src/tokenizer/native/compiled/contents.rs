//! The input of the compiler: the contents of a tokenizer file.

use crate::formats::algorithm::Algorithm;
use crate::formats::model_settings::ModelSettings;
use crate::formats::sentencepiece::{Piece, PieceKind, SentencePieceModel};

/// The contents of a tokenizer file.
#[derive(Debug)]
pub struct Contents<'a> {
    /// The text, score, and kind of each piece, in order of id.
    pub pieces: Vec<(&'a str, f64, PieceKind)>,
    /// The ids without a piece, in ascending order. Their pieces above are empty.
    pub gaps: Vec<u32>,
    /// `None` if no piece stands for unknown text. A model that names an unknown token nevertheless refuses such text.
    pub unknown_id: Option<u32>,
    pub algorithm: Algorithm,
    pub byte_fallback: bool,
    /// The normalization rules of a SentencePiece file.
    pub charsmap: &'a [u8],
    /// The offset of the settings in a SentencePiece file, after its pieces; 0 for other files.
    pub settings_start: u32,
    /// A `tokenizer.json` without its pieces, as JSON.
    pub rest: &'a [u8],
    /// The settings and the merges of a model without scores. `None` for a model with scores.
    pub model: Option<UnscoredModel>,
}

/// The parts of a BPE, WordPiece, or WordLevel model besides its pieces.
#[derive(Debug, Clone, Default)]
pub struct UnscoredModel {
    pub settings: ModelSettings,
    /// The hash table of the pieces.
    pub index: Vec<u32>,
    /// The ids of two pieces and of the merged piece, in order of rank. Empty unless the model is BPE.
    pub merges: Vec<[u32; 3]>,
}

impl<'a> From<&'a SentencePieceModel> for Contents<'a> {
    fn from(model: &'a SentencePieceModel) -> Self {
        let piece = |piece: &'a Piece| {
            let text = piece.text.as_str();
            (text, f64::from(piece.score), piece.kind)
        };
        Self {
            pieces: model.pieces.iter().map(piece).collect(),
            gaps: Vec::new(),
            unknown_id: Some(model.unknown_id),
            algorithm: model.algorithm,
            byte_fallback: model.byte_fallback,
            charsmap: &model.precompiled_charsmap,
            settings_start: u32::try_from(model.settings_start).unwrap_or_default(),
            rest: &[],
            model: None,
        }
    }
}
