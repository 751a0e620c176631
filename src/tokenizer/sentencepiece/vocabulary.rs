//! The vocabulary of a SentencePiece file, as its algorithms see it.

use crate::formats::sentencepiece::PieceKind;
use crate::tokenizer::native::compiled::{CompiledVocabulary, KindTable};
use crate::tokenizer::native::double_array::DoubleArray;

/// A piece with its place in a normalized text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub id: u32,
    pub start: usize,
    pub end: usize,
}

/// The vocabulary, for the algorithms.
pub struct Vocabulary<'a> {
    pub compiled: &'a CompiledVocabulary,
    pub kinds: KindTable<'a>,
    pub trie: DoubleArray<'a>,
    pub unknown_id: u32,
    /// The scores of pieces for the Unigram algorithm; not a number for those that no text contains.
    pub unigram_scores: &'a [f32],
    /// The score of an unknown character.
    pub unknown_score: f32,
}

impl Vocabulary<'_> {
    pub fn kind(&self, id: u32) -> PieceKind {
        self.kinds.get(id).unwrap_or(PieceKind::Unknown)
    }

    pub fn score(&self, id: u32) -> f32 {
        let score = self.compiled.scores().get(id as usize);
        score.map_or(0.0, |score| *score as f32 + 0.0)
    }

    /// Returns the score of a piece for the Unigram algorithm; `None` if no text contains it.
    #[inline]
    pub fn unigram_score(&self, id: u32) -> Option<f32> {
        let score = self.unigram_scores.get(id as usize).copied();
        score.filter(|score| !score.is_nan())
    }

    /// Returns what a piece of the best ones, or an unknown character, adds to their score.
    #[inline]
    pub fn path_score(&self, id: u32) -> f32 {
        self.unigram_score(id).unwrap_or(self.unknown_score)
    }

    /// Returns the id of a piece that texts may contain; `None` for control, byte, and unknown pieces.
    pub fn find_in_text(&self, piece: &str) -> Option<u32> {
        let id = self.trie.get(piece.as_bytes())?;
        let in_text = [PieceKind::Normal, PieceKind::UserDefined, PieceKind::Unused];
        in_text.contains(&self.kind(id)).then_some(id)
    }

    /// Returns the id of a part of a text, which is unknown unless it is a normal or user-defined piece.
    pub fn id(&self, part: &str) -> u32 {
        let id = self.trie.get(part.as_bytes());
        let known = [PieceKind::Normal, PieceKind::UserDefined];
        id.filter(|id| known.contains(&self.kind(*id)))
            .unwrap_or(self.unknown_id)
    }
}

/// The user-defined pieces, of which the longest that starts a text is found.
#[derive(Debug, Clone, Copy)]
pub struct UserDefined<'a> {
    /// By byte, true if a piece begins with it.
    pub begins: &'a [bool; 256],
    /// The pieces of all kinds; `None` if no piece is user-defined.
    pub pieces: Option<(DoubleArray<'a>, KindTable<'a>)>,
}

impl UserDefined<'_> {
    /// No pieces.
    pub const NONE: Self = Self {
        begins: &[false; 256],
        pieces: None,
    };

    /// Returns true if a piece begins with this byte.
    pub fn begin_with(self, byte: u8) -> bool {
        self.begins[usize::from(byte)]
    }

    /// Returns the length of the longest piece that starts a text, in bytes.
    #[inline]
    pub fn longest(self, text: &str) -> Option<usize> {
        let first = text.as_bytes().first()?;
        let (trie, kinds) = self.pieces.filter(|_| self.begin_with(*first))?;
        let mut walk = trie.walk();
        let mut longest = None;
        for (index, &byte) in text.as_bytes().iter().enumerate() {
            let Some(node) = walk.step(byte) else {
                break;
            };
            let id = node.value.checked_sub(1);
            if id.and_then(|id| kinds.get(id)) == Some(PieceKind::UserDefined) {
                longest = Some(index + 1);
            }
        }
        longest
    }
}
