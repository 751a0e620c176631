//! The definition of a tokenizer: the contents of its files, and the look-ups that need no engine.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use super::added_vocabulary::AddedVocabulary;
use super::class::Followed;
use super::conversion::Conversion;
use super::model_pieces::ModelPieces;
use super::native::compiled::CompiledVocabulary;
use super::runner::Runner;
use super::vocabulary::Vocabulary;
use crate::formats::config::{AddedTokenConfig, SpecialTokensMap, TokenizerConfig};
use crate::formats::tokenizer_json::RestJson;
use crate::record::GgufInfo;
use crate::source::{ByteSource, Reading};

pub const TOKENIZER_JSON: &str = "tokenizer.json";
pub const SPM_MODEL: &str = "spm.model";

/// The contents of a tokenizer's files.
#[derive(Debug)]
pub struct Definition {
    pub origin: Origin,
    pub config: TokenizerConfig,
    pub special_tokens: SpecialTokensMap,
    /// Tokens that are added to those of the tokenizer file, in this order.
    pub added: Vec<AddedTokenConfig>,
    /// Every added token, including those in the file.
    pub added_vocabulary: AddedVocabulary,
    pub class: Followed,
    /// The library whose reading of the files this is.
    pub reading: Reading,
    /// A sentence about the family that was assumed, if no file names the tokenizer's class or the model's family.
    pub assumption: Option<String>,
    /// What encodes and decodes, if SentencePiece itself does.
    pub runner: Option<Box<Runner>>,
    /// The conversion that makes the `tokenizer.json`, if the model has none.
    pub conversion: Option<Box<Conversion>>,
    /// The metadata about the vocabulary of a GGUF file.
    pub gguf: Option<Box<GgufInfo>>,
    /// The name of the file that the tokenizer is made from, if the reference names a file.
    pub named_file: Option<String>,
    /// The added tokens that are decoded in their normalized form, by id.
    pub decoded: OnceLock<HashMap<u32, String>>,
    /// The vocabulary as a list, built on first use.
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
        pieces: Box<ModelPieces>,
        /// The file without its vocabulary.
        rest: Box<RestJson>,
    },
    /// A SentencePiece file, or a `tokenizer.json` of a Unigram model.
    Compiled {
        file: Arc<dyn ByteSource>,
        compiled: Arc<CompiledVocabulary>,
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
        added_vocabulary: AddedVocabulary,
        class: Followed,
    ) -> Self {
        Self {
            origin,
            config,
            special_tokens,
            added,
            added_vocabulary,
            class,
            reading: Reading::default(),
            assumption: None,
            runner: None,
            conversion: None,
            gguf: None,
            named_file: None,
            decoded: OnceLock::new(),
            listed: OnceLock::new(),
        }
    }

    /// Returns the file that the tokenizer is made from.
    pub fn file(&self) -> &Arc<dyn ByteSource> {
        match &self.origin {
            Origin::Json { file, .. } | Origin::Compiled { file, .. } => file,
        }
    }

    /// Returns true if that file is a `tokenizer.json`, whatever its name.
    pub fn is_tokenizer_json(&self) -> bool {
        self.runner.is_none() && self.conversion.is_none() && self.rest().is_some()
    }

    /// Returns the name of that file within the model.
    pub fn file_name(&self) -> &str {
        if let Some(name) = &self.named_file {
            return name;
        }
        if let Some(runner) = &self.runner {
            return &runner.file_name;
        }
        match (&self.origin, &self.conversion) {
            (_, Some(conversion)) => &conversion.file_name,
            (Origin::Compiled { rest: None, .. }, None) => SPM_MODEL,
            (Origin::Json { .. } | Origin::Compiled { .. }, None) => TOKENIZER_JSON,
        }
    }

    /// Returns the algorithm: Unigram, BPE, WordPiece, or WordLevel.
    pub fn algorithm(&self) -> &str {
        match (&self.runner, &self.origin) {
            (Some(runner), _) => runner.algorithm().name(),
            (None, Origin::Json { algorithm, .. }) => algorithm,
            (None, Origin::Compiled { compiled, .. }) => compiled.algorithm().name(),
        }
    }

    /// Returns the `tokenizer.json` without its vocabulary. Returns `None` for a SentencePiece file.
    pub fn rest(&self) -> Option<&RestJson> {
        match &self.origin {
            Origin::Json { rest, .. } => Some(rest),
            Origin::Compiled { rest, .. } => rest.as_deref(),
        }
    }

    /// Returns true if special tokens in a text are taken as text.
    pub fn splits_special_tokens(&self) -> bool {
        self.config.class.split_special_tokens.flag() == Some(true)
    }

    /// Returns true if texts are truncated at their left end.
    pub fn truncates_left(&self) -> bool {
        let direction = || self.rest()?.truncation_direction.as_deref();
        let side = self.config.truncation_side.as_deref().or_else(direction);
        side.is_some_and(|side| side.eq_ignore_ascii_case("left"))
    }

    /// Returns the piece of an id, and true if the piece is special.
    ///
    /// Searches in place, since listing all pieces for a single look-up would be slow.
    pub fn piece(&self, id: u32) -> Option<(&str, bool)> {
        let added = self.added_vocabulary.with_id(id);
        let piece = match added {
            Some(token) => &*token.content,
            None => match &self.origin {
                Origin::Compiled { compiled, .. } => compiled.piece(id)?,
                Origin::Json { pieces, .. } => pieces.piece(id)?,
            },
        };
        Some((piece, self.added_vocabulary.is_special(piece)))
    }

    /// Returns the id of an added token or of a piece of the model, without listing the vocabulary.
    pub fn model_id(&self, piece: &str) -> Option<u32> {
        let added = self.added_vocabulary.id(piece);
        added.or_else(|| match &self.origin {
            Origin::Compiled { compiled, .. } => compiled.find(piece),
            Origin::Json { pieces, .. } => pieces.find(piece),
        })
    }

    /// Returns the id of a piece, spelled exactly as in the vocabulary.
    pub fn find(&self, piece: &str) -> Option<u32> {
        match &self.origin {
            Origin::Compiled { compiled, .. } => {
                let added = self.added_vocabulary.id(piece);
                added.or_else(|| compiled.find(piece))
            }
            Origin::Json { .. } => self.vocabulary().find(piece).map(|entry| entry.id),
        }
    }

    /// Returns every piece, in order of id.
    pub fn vocabulary(&self) -> &Vocabulary {
        let added = &self.added_vocabulary;
        self.listed.get_or_init(|| match &self.origin {
            Origin::Json {
                pieces, unknown_id, ..
            } => Vocabulary::from_pieces(pieces, *unknown_id, added),
            Origin::Compiled { compiled, rest, .. } => {
                Vocabulary::from_compiled(compiled, added, rest.is_none())
            }
        })
    }
}
