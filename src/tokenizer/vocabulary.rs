//! The vocabulary as a list: every id with its piece, kind and score.

use tokenizers::models::ModelWrapper;

use crate::formats::sentencepiece::{PieceKind, SentencePieceModel};

/// All pieces of a tokenizer in the order of their ids.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    entries: Vec<Entry>,
}

/// One piece.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub id: u32,
    pub piece: String,
    pub kind: Kind,
    /// Natural logarithm of the piece's probability, in Unigram models.
    pub score: Option<f64>,
    /// Skipped by a decoder that skips special tokens.
    pub special: bool,
    /// Matched as a whole in the text, before segmentation.
    pub added: bool,
}

/// What a piece is for. SentencePiece's kinds, and `added` for tokens beyond the model's own vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
    Added,
}

impl Kind {
    /// The name records carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Unknown => "unknown",
            Self::Control => "control",
            Self::UserDefined => "user-defined",
            Self::Unused => "unused",
            Self::Byte => "byte",
            Self::Added => "added",
        }
    }
}

impl From<PieceKind> for Kind {
    fn from(kind: PieceKind) -> Self {
        match kind {
            PieceKind::Normal => Self::Normal,
            PieceKind::Unknown => Self::Unknown,
            PieceKind::Control => Self::Control,
            PieceKind::UserDefined => Self::UserDefined,
            PieceKind::Unused => Self::Unused,
            PieceKind::Byte => Self::Byte,
        }
    }
}

impl Vocabulary {
    pub(super) fn new(
        tokenizer: &tokenizers::Tokenizer,
        sentencepiece: Option<&SentencePieceModel>,
    ) -> Self {
        let added = tokenizer.get_added_tokens_decoder();
        let scores: Vec<f64> = match tokenizer.get_model() {
            ModelWrapper::Unigram(model) => model.iter().map(|(_, score)| *score).collect(),
            _ => Vec::new(),
        };
        let base = tokenizer.get_vocab_size(false);
        let mut entries: Vec<Entry> = tokenizer
            .get_vocab(true)
            .into_iter()
            .map(|(piece, id)| {
                let index = id as usize;
                let rules = added.get(&id);
                let spm = sentencepiece.and_then(|model| model.pieces.get(index));
                let kind = match (spm, rules) {
                    (Some(spm), _) => spm.kind.into(),
                    (None, Some(_)) if index >= base => Kind::Added,
                    (None, Some(rules)) if rules.special => Kind::Control,
                    (None, Some(_)) => Kind::UserDefined,
                    (None, None) => Kind::Normal,
                };
                // The file's score is a float32: its shortest decimal says the same with fewer digits.
                let score = match spm {
                    Some(spm) => spm.score.to_string().parse().ok(),
                    None => scores.get(index).copied(),
                };
                Entry {
                    id,
                    piece,
                    kind,
                    score,
                    special: rules.is_some_and(|rules| rules.special),
                    added: rules.is_some(),
                }
            })
            .collect();
        entries.sort_by_key(|entry| entry.id);
        Self { entries }
    }

    /// All entries, in the order of ids.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of an id.
    pub fn get(&self, id: u32) -> Option<&Entry> {
        self.entries
            .binary_search_by_key(&id, |entry| entry.id)
            .ok()
            .map(|index| &self.entries[index])
    }

    /// The largest id; 0 for an empty vocabulary.
    pub fn last_id(&self) -> u32 {
        self.entries.last().map_or(0, |entry| entry.id)
    }

    /// Inclusive ranges of the ids below `rows` that no piece has.
    pub fn gaps(&self, rows: u64) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut next = 0;
        for id in self.entries.iter().map(|entry| u64::from(entry.id)) {
            if id >= rows {
                break;
            }
            if id > next {
                gaps.push((next, id - 1));
            }
            next = id + 1;
        }
        if next < rows {
            gaps.push((next, rows - 1));
        }
        gaps
    }
}
