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
    /// None unless the model is BPE.
    pub merges: Merges,
}

/// Merges: the ids of two pieces and of the merged piece.
#[derive(Debug, Clone)]
pub enum Merges {
    /// In order of rank.
    InOrder(Vec<[u32; 3]>),
    /// The rank of a merge is the id of the merged piece.
    ById(Vec<[u32; 3]>),
}

impl Default for Merges {
    fn default() -> Self {
        Self::InOrder(Vec::new())
    }
}

impl Merges {
    /// Returns the ids of each merge.
    pub fn ids(&self) -> &[[u32; 3]] {
        match self {
            Self::InOrder(merges) | Self::ById(merges) => merges,
        }
    }

    /// Returns the rank and the ids of each merge.
    pub fn ranked(&self) -> impl Iterator<Item = (u32, [u32; 3])> {
        let by_id = matches!(self, Self::ById(_));
        let merges = (0..).zip(self.ids());
        merges.map(move |(rank, ids)| (if by_id { ids[2] } else { rank }, *ids))
    }
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
            rest: &[],
            model: None,
        }
    }
}
