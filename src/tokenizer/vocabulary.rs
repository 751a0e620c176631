//! The vocabulary as a list: every id with its piece, kind, and score.
//!
//! It is built from the files alone, so that look-ups of ids and pieces do not wait for an engine.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::added_vocabulary::AddedVocabulary;
use super::model_pieces::ModelPieces;
use super::native::compiled::CompiledVocabulary;
use crate::formats::sentencepiece::PieceKind;

/// All pieces of a tokenizer, in order of id.
#[derive(Debug, Default)]
pub struct Vocabulary {
    entries: Vec<VocabularyEntry>,
    /// Pieces whose id an added token has taken over, with that id. They have no entry, but a look-up finds them.
    replaced: Vec<(String, u32)>,
    /// The index into `entries` of each piece, built on the first look-up by piece.
    by_piece: OnceLock<HashMap<Box<str>, usize>>,
}

/// One piece of a vocabulary.
#[derive(Debug, Clone, PartialEq)]
pub struct VocabularyEntry {
    pub id: u32,
    pub piece: String,
    pub kind: EntryKind,
    /// In Unigram models, the natural logarithm of the piece's probability.
    pub score: Option<f64>,
    /// True if decoding can skip the piece as a special token.
    pub special: bool,
    /// True if the piece is matched in the text before the model runs.
    pub added: bool,
}

/// The kind of a piece: one of SentencePiece's kinds, or `added` for a token outside the model's own vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
    Added,
}

impl EntryKind {
    /// Returns the name in records.
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

impl From<PieceKind> for EntryKind {
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
    /// Creates the vocabulary from a compiled file and added tokens. If `single`, the scores have single precision, as
    /// in a SentencePiece file.
    pub fn from_compiled(
        compiled: &CompiledVocabulary,
        added: &AddedVocabulary,
        single: bool,
    ) -> Self {
        // A float32 has a shorter decimal form than the float64 of the same value.
        let score = |score: f64| {
            if single {
                (score as f32).to_string().parse().ok()
            } else {
                Some(score)
            }
        };
        let scores = compiled.scores();
        let entries = compiled
            .kinds()
            .map(|(id, kind)| VocabularyEntry {
                id,
                piece: compiled.piece(id).unwrap_or_default().to_owned(),
                kind: match compiled.unknown_id() == Some(id) {
                    true => EntryKind::Unknown,
                    false => kind.into(),
                },
                score: scores.get(id as usize).and_then(|given| score(*given)),
                special: false,
                added: false,
            })
            .collect();
        Self::new(entries, added)
    }

    /// Creates the vocabulary from the pieces of a `tokenizer.json` and added tokens.
    pub fn from_pieces(
        pieces: &ModelPieces,
        unknown_id: Option<u32>,
        added: &AddedVocabulary,
    ) -> Self {
        let entries = pieces.iter().map(|(id, piece, score)| VocabularyEntry {
            id,
            piece: piece.to_owned(),
            kind: if Some(id) == unknown_id {
                EntryKind::Unknown
            } else {
                EntryKind::Normal
            },
            score,
            special: false,
            added: false,
        });
        Self::new(entries.collect(), added)
    }

    /// Creates the vocabulary from entries in order of id and added tokens.
    fn new(entries: Vec<VocabularyEntry>, added: &AddedVocabulary) -> Self {
        let mut vocabulary = Self {
            entries,
            ..Self::default()
        };
        for (text, id) in added.texts() {
            vocabulary.add(id, text, added.is_special(text));
        }
        vocabulary
    }

    fn add(&mut self, id: u32, text: &str, special: bool) {
        let index = match self.entries.binary_search_by_key(&id, |entry| entry.id) {
            Ok(index) => index,
            Err(index) => {
                let entry = VocabularyEntry {
                    id,
                    piece: text.to_owned(),
                    kind: EntryKind::Added,
                    score: None,
                    special: false,
                    added: true,
                };
                self.entries.insert(index, entry);
                index
            }
        };
        let entry = &mut self.entries[index];
        if entry.piece != text {
            let replaced = std::mem::replace(&mut entry.piece, text.to_owned());
            self.replaced.push((replaced, id));
        }
        entry.added = true;
        entry.special = special;
        if entry.kind == EntryKind::Normal && special {
            entry.kind = EntryKind::Control;
        }
    }

    /// Returns all entries, in order of id.
    pub fn entries(&self) -> &[VocabularyEntry] {
        &self.entries
    }

    /// Returns the entry of an id.
    pub fn get(&self, id: u32) -> Option<&VocabularyEntry> {
        self.entries
            .binary_search_by_key(&id, |entry| entry.id)
            .ok()
            .map(|index| &self.entries[index])
    }

    /// Returns the entry of a piece, spelled exactly as in the vocabulary. Of several equal pieces, returns the one
    /// with the largest id.
    pub fn find(&self, piece: &str) -> Option<&VocabularyEntry> {
        let by_piece = self.by_piece.get_or_init(|| {
            let replaced = self.replaced.iter().filter_map(|(piece, id)| {
                let index = self
                    .entries
                    .binary_search_by_key(id, |entry| entry.id)
                    .ok()?;
                Some((piece.as_str().into(), index))
            });
            let indexes = self.entries.iter().enumerate();
            let pieces = indexes.map(|(index, entry)| (entry.piece.as_str().into(), index));
            replaced.chain(pieces).collect()
        });
        by_piece.get(piece).map(|&index| &self.entries[index])
    }

    /// Returns the number of distinct pieces, which the reference calls the length of a tokenizer.
    pub fn size(&self) -> usize {
        self.find("");
        self.by_piece.get().map_or(0, HashMap::len)
    }

    /// Returns the largest id, or 0 for an empty vocabulary.
    pub fn last_id(&self) -> u32 {
        self.entries.last().map_or(0, |entry| entry.id)
    }

    /// Returns the inclusive ranges of ids below `rows` that no piece has.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tokenizer_json::TokenizerJson;
    use crate::tokenizer::compile;

    fn vocabulary() -> Vocabulary {
        let json = br#"{"model": {"unk_id": 1, "vocab": [["[CLS]", 0.0], ["[UNK]", 0.0], ["a", -1.5]]},
            "added_tokens": [{"id": 0, "content": "[CLS]", "special": true}, {"id": 7, "content": "<x>"}]}"#;
        let json = TokenizerJson::parse("tokenizer.json", json).unwrap();
        let pieces = ModelPieces::new(json.model.vocab);
        let mut added = AddedVocabulary::new(pieces.size());
        added.add(&json.rest.added_tokens, |text| {
            (text == "[CLS]").then_some(0)
        });
        Vocabulary::from_pieces(&pieces, json.model.unk_id, &added)
    }

    #[test]
    fn an_added_token_keeps_its_id_or_gets_the_next() {
        let vocabulary = vocabulary();
        let cls = vocabulary.get(0).unwrap();
        assert_eq!(
            (cls.kind, cls.special, cls.added),
            (EntryKind::Control, true, true)
        );
        let new = vocabulary.find("<x>").unwrap();
        assert_eq!(
            (new.id, new.kind, new.special),
            (3, EntryKind::Added, false)
        );
        assert_eq!(vocabulary.get(1).unwrap().kind, EntryKind::Unknown);
        assert_eq!(vocabulary.size(), 4);
    }

    #[test]
    fn the_unknown_token_of_a_model_without_scores_is_of_its_kind() {
        let json = br#"{"model": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {"a": 0, "[UNK]": 1}},
            "added_tokens": [{"id": 1, "content": "[UNK]", "special": true}]}"#;
        let json = TokenizerJson::parse("tokenizer.json", json).unwrap();
        let pieces = ModelPieces::new(json.model.vocab.clone());
        let mut added = AddedVocabulary::new(pieces.size());
        added.add(&json.rest.added_tokens, |text| pieces.find(text));
        let contents = compile::contents(&json.model, "WordLevel", &pieces).unwrap();
        let compiled = CompiledVocabulary::new(&contents, [0; 32]);
        let vocabulary = Vocabulary::from_compiled(&compiled, &added, false);
        let kinds = vocabulary.entries().iter().map(|entry| entry.kind);
        assert_eq!(
            kinds.collect::<Vec<_>>(),
            [EntryKind::Normal, EntryKind::Unknown]
        );
    }

    #[test]
    fn gaps_are_the_rows_that_no_piece_has() {
        let vocabulary = vocabulary();
        assert_eq!(vocabulary.gaps(6), [(4, 5)]);
        assert_eq!(vocabulary.gaps(4), []);
        assert_eq!(Vocabulary::default().gaps(2), [(0, 1)]);
    }
}
