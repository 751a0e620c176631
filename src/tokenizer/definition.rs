//! The definition of a tokenizer: the contents of its files, and the look-ups that need no engine.

use std::sync::{Arc, OnceLock};

use super::native::compiled::CompiledVocabulary;
use super::vocabulary::Vocabulary;
use crate::formats::config::{AddedTokenConfig, SpecialTokensMap, TokenizerConfig};
use crate::formats::tokenizer_json::RestJson;
use crate::source::ByteSource;

pub const TOKENIZER_JSON: &str = "tokenizer.json";
pub const SPM_MODEL: &str = "spm.model";

/// The contents of a tokenizer's files.
#[derive(Debug)]
pub struct Definition {
    pub origin: Origin,
    pub config: TokenizerConfig,
    pub special_tokens: SpecialTokensMap,
    /// Tokens that the tokenizer file does not have, in the order in which they are added.
    pub added: Vec<AddedTokenConfig>,
    /// The vocabulary of [`Origin::Compiled`] as a list, built on first use.
    listed: OnceLock<Vocabulary>,
}

/// The file that a tokenizer is made from.
#[derive(Debug)]
pub enum Origin {
    /// A `tokenizer.json` whose algorithm is not Unigram, or whose Unigram model cannot be compiled.
    Json {
        file: Arc<dyn ByteSource>,
        algorithm: String,
        unknown_id: Option<u32>,
        vocabulary: Box<Vocabulary>,
    },
    /// A SentencePiece file, or a `tokenizer.json` of a Unigram model.
    Compiled {
        file: Arc<dyn ByteSource>,
        compiled: Arc<CompiledVocabulary>,
        /// Every added token with its id, including those in the file.
        added_ids: Vec<(AddedTokenConfig, u32)>,
        /// The `tokenizer.json` without its vocabulary. `None` for a SentencePiece file.
        rest: Option<Box<RestJson>>,
    },
}

impl Definition {
    pub fn new(
        origin: Origin,
        config: TokenizerConfig,
        special_tokens: SpecialTokensMap,
        added: Vec<AddedTokenConfig>,
    ) -> Self {
        Self {
            origin,
            config,
            special_tokens,
            added,
            listed: OnceLock::new(),
        }
    }

    /// Returns the file that the tokenizer is made from.
    pub fn file(&self) -> &Arc<dyn ByteSource> {
        match &self.origin {
            Origin::Json { file, .. } | Origin::Compiled { file, .. } => file,
        }
    }

    /// Returns the name of that file within the model.
    pub fn file_name(&self) -> &'static str {
        match &self.origin {
            Origin::Compiled { rest: None, .. } => SPM_MODEL,
            Origin::Json { .. } | Origin::Compiled { .. } => TOKENIZER_JSON,
        }
    }

    /// Returns the algorithm: Unigram, BPE, WordPiece, or WordLevel.
    pub fn algorithm(&self) -> &str {
        match &self.origin {
            Origin::Json { algorithm, .. } => algorithm,
            Origin::Compiled { compiled, .. } => compiled.algorithm().name(),
        }
    }

    /// Returns true if texts are truncated at their left end.
    pub fn truncates_left(&self) -> bool {
        self.config.truncation_side.as_deref() == Some("left")
    }

    /// Returns the piece of an id, and true if the piece is special.
    ///
    /// Searches a compiled vocabulary in place, since listing all pieces for a single look-up would be slow.
    pub fn piece(&self, id: u32) -> Option<(&str, bool)> {
        match &self.origin {
            Origin::Compiled {
                compiled,
                added_ids,
                ..
            } => match added_ids.iter().rfind(|(_, other)| *other == id) {
                Some((token, _)) => Some((&token.content, token.special)),
                None => compiled.piece(id).map(|piece| (piece, false)),
            },
            Origin::Json { vocabulary, .. } => {
                let entry = vocabulary.get(id)?;
                Some((&entry.piece, entry.special))
            }
        }
    }

    /// Returns the id of a piece, spelled exactly as in the vocabulary.
    pub fn find(&self, piece: &str) -> Option<u32> {
        match &self.origin {
            Origin::Compiled {
                compiled,
                added_ids,
                ..
            } => {
                let added = added_ids.iter().find(|(token, _)| token.content == piece);
                added.map(|(_, id)| *id).or_else(|| compiled.find(piece))
            }
            Origin::Json { vocabulary, .. } => vocabulary.find(piece).map(|entry| entry.id),
        }
    }

    /// Returns every piece, in order of id.
    pub fn vocabulary(&self) -> &Vocabulary {
        match &self.origin {
            Origin::Json { vocabulary, .. } => vocabulary,
            Origin::Compiled {
                compiled,
                added_ids,
                rest,
                ..
            } => self
                .listed
                .get_or_init(|| Vocabulary::from_compiled(compiled, added_ids, rest.is_none())),
        }
    }
}
