//! The vocabulary of a SentencePiece file, as its algorithms see it.

use crate::formats::sentencepiece::PieceKind;
use crate::tokenizer::native::compiled::CompiledVocabulary;
use crate::tokenizer::native::double_array::{self, DoubleArray, Node, Walk};

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
    pub kinds: &'a [PieceKind],
    pub trie: DoubleArray<'a>,
    pub unknown_id: u32,
    /// The scores of pieces for the Unigram algorithm; not a number for those that no text contains.
    pub unigram_scores: &'a [f32],
    /// The score of an unknown character.
    pub unknown_score: f32,
}

impl Vocabulary<'_> {
    pub fn kind(&self, id: u32) -> PieceKind {
        let kind = self.kinds.get(id as usize).copied();
        kind.unwrap_or(PieceKind::Unknown)
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

/// Strings of which the longest that starts a text is found.
#[derive(Debug, Default)]
pub struct Prefixes {
    nodes: Vec<Node>,
}

impl Prefixes {
    /// Returns `None` if a string is empty or contains a zero byte.
    pub fn new(mut strings: Vec<&str>) -> Option<Self> {
        if strings.is_empty() {
            return Some(Self::default());
        }
        strings.sort_unstable();
        strings.dedup();
        let keys: Vec<(&[u8], u32, f64)> = strings
            .into_iter()
            .zip(0..)
            .map(|(text, id)| (text.as_bytes(), id, 0.0))
            .collect();
        let nodes = double_array::build(&keys)?;
        Some(Self { nodes })
    }

    /// Returns true if a string begins with this byte.
    pub fn begin_with(&self, byte: u8) -> bool {
        self.walk().step(byte).is_some()
    }

    fn walk(&self) -> Walk<'_> {
        let array = DoubleArray {
            nodes: &self.nodes,
            scores: &[],
        };
        array.walk()
    }

    /// Returns the length of the longest string that starts a text, in bytes.
    pub fn longest(&self, text: &str) -> Option<usize> {
        let mut walk = self.walk();
        let mut longest = None;
        for (index, &byte) in text.as_bytes().iter().enumerate() {
            let Some(node) = walk.step(byte) else {
                break;
            };
            if node.value > 0 {
                longest = Some(index + 1);
            }
        }
        longest
    }
}
