//! TEXT ↔ IDS.
//!
//! [`Tokenizer`] is the project's own face of tokenization: it is opened from the files of a model, encodes texts
//! and pairs, decodes ids and answers questions about the vocabulary. Behind it stand two engines: the
//! [native one](native) for the tokenizers that it does exactly, and the [reference engine](hf_engine), the
//! `tokenizers` crate, for all others.

mod compiled_cache;
pub mod deberta;
pub mod encoding;
pub mod hf_engine;
pub mod native;
mod open;
pub mod special_tokens;
mod to_json;
mod token_bytes;
pub mod vocabulary;
mod windows;

use std::sync::{Arc, OnceLock};

use clap::ValueEnum;

pub use encoding::{Encoding, OffsetUnit};
pub use vocabulary::Vocabulary;

use crate::error::{Error, Result};
use crate::formats::config::{AddedTokenConfig, SpecialTokensMap, TokenizerConfig};
use crate::formats::tokenizer_json::RestJson;
use crate::source::ByteSource;
use hf_engine::HfEngine;
use native::NativeEngine;
use native::compiled::CompiledVocabulary;
use open::{SPM_MODEL, TOKENIZER_JSON};
use windows::{Windows, to_hf};

/// How a text is to be encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Add the special tokens of the model's template.
    pub special_tokens: bool,
    /// Recognize added tokens, such as `[MASK]`, that are spelled out in the text.
    pub parse_special: bool,
    pub truncation: Option<Truncation>,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            special_tokens: true,
            parse_special: true,
            truncation: None,
        }
    }
}

/// Where to cut, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truncation {
    /// Tokens per window, special tokens counted.
    pub max_length: usize,
    /// Tokens of text that a window shares with the one before.
    pub stride: usize,
}

/// A text turned into tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// The first window, and after a cut the ones that overflowed. Never empty.
    pub windows: Vec<Encoding>,
    /// Tokens of text that the first window lacks.
    pub truncated_tokens: usize,
}

impl Encoded {
    /// The first window: the whole text unless it was cut.
    pub fn into_first(self) -> Encoding {
        self.windows.into_iter().next().unwrap_or_default()
    }
}

/// The tokenizer of a model.
///
/// Opening it reads the files; the engine is built when the first text is encoded, so that questions about ids and
/// pieces do not wait for it.
#[derive(Debug)]
pub struct Tokenizer {
    origin: Origin,
    config: TokenizerConfig,
    special_tokens: SpecialTokensMap,
    /// Tokens beyond those of the tokenizer file, in the order in which they are added.
    added: Vec<AddedTokenConfig>,
    choice: EngineChoice,
    vocabulary: OnceLock<Vocabulary>,
    native: OnceLock<Option<Box<Native>>>,
    reference: OnceLock<HfEngine>,
}

/// Which engine encodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum EngineChoice {
    /// The native engine where it is exact, else the reference engine.
    #[default]
    Auto,
    /// The native engine, or an error where it is not exact.
    Native,
    /// The `tokenizers` crate.
    Reference,
}

/// The file a tokenizer is made from.
#[derive(Debug)]
enum Origin {
    /// A `tokenizer.json` of another algorithm than Unigram, or of one that cannot be compiled.
    Json {
        file: Arc<dyn ByteSource>,
        algorithm: String,
        unknown_id: Option<u32>,
    },
    Compiled {
        file: Arc<dyn ByteSource>,
        compiled: Arc<CompiledVocabulary>,
        /// Every added token, those of the file among them, with its id.
        added_ids: Vec<(AddedTokenConfig, u32)>,
        /// What a `tokenizer.json` has beside its vocabulary; none for a SentencePiece file.
        rest: Option<Box<RestJson>>,
    },
}

/// The native engine, and what is done with its tokens where that is not its own.
#[derive(Debug)]
struct Native {
    engine: NativeEngine,
    windows: Windows,
}

impl Origin {
    fn file(&self) -> &Arc<dyn ByteSource> {
        match self {
            Self::Json { file, .. } | Self::Compiled { file, .. } => file,
        }
    }
}

impl Tokenizer {
    /// The same tokenizer, encoding with an engine of one's choice.
    #[must_use]
    pub fn with_engine(self, choice: EngineChoice) -> Self {
        Self { choice, ..self }
    }

    /// The name of the engine that encodes, and why it is that one.
    pub fn engine(&self) -> (&'static str, String) {
        if self.is_native() {
            return (
                "native",
                "a Unigram model, and every step of it is known".to_owned(),
            );
        }
        let reason = match &self.origin {
            _ if self.choice == EngineChoice::Reference => "it was asked for".to_owned(),
            Origin::Json { algorithm, .. } if algorithm != "Unigram" => {
                format!("the algorithm is {algorithm}")
            }
            Origin::Json { .. } => {
                "a Unigram model with byte fallback, or without an unknown piece".to_owned()
            }
            Origin::Compiled { .. } => {
                "a step, an added token or a piece is of a kind that the native engine leaves to it"
                    .to_owned()
            }
        };
        ("reference", reason)
    }

    /// Whether the native engine encodes whole texts for this tokenizer.
    pub fn is_native(&self) -> bool {
        self.native().is_some()
    }

    /// The native engine, built on the first call; none if this tokenizer is not of its shape, or not its choice.
    fn native(&self) -> Option<&Native> {
        if self.choice == EngineChoice::Reference {
            return None;
        }
        self.native
            .get_or_init(|| self.build_native().map(Box::new))
            .as_deref()
    }

    /// The reference engine, built on the first call.
    fn reference(&self) -> Result<&HfEngine> {
        if let Some(engine) = self.reference.get() {
            return Ok(engine);
        }
        if self.choice == EngineChoice::Native {
            return Err(Error::usage_hint(
                "the native engine does not do this tokenizer, or this text, exactly",
                "`--engine reference` does",
            ));
        }
        let file = self.origin.file().name();
        let engine = hf_engine::guarded(file, || self.build_reference())?;
        Ok(self.reference.get_or_init(|| engine))
    }

    /// Text → tokens. An empty second text means no pair, as in the reference.
    ///
    /// # Errors
    /// [`Error::Usage`] if the truncation asked for cannot be done.
    pub fn encode(
        &self,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Result<Encoded> {
        let pair = pair.filter(|pair| !pair.is_empty());
        if let Some(Native { engine, windows }) = self.native() {
            if options.truncation.is_none()
                && let Some(encoding) = engine.encode(text, pair, options)
            {
                return Ok(Encoded {
                    windows: vec![encoding],
                    truncated_tokens: 0,
                });
            }
            let first = engine.encode_sequence(text, 0, options);
            let second = pair.map(|pair| engine.encode_sequence(pair, 1, options));
            if let (Some(first), None | Some(Some(_))) = (first, &second) {
                return hf_engine::guarded(&windows.file, || {
                    let second = second.flatten().map(to_hf);
                    windows.finish(to_hf(first), second, options)
                });
            }
        }
        self.reference()?.encode(text, pair, options)
    }

    /// Text → ids, without pieces and offsets.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn ids(&self, text: &str, options: &EncodeOptions) -> Result<Vec<u32>> {
        if options.truncation.is_none()
            && let Some(native) = self.native()
            && let Some(ids) = native.engine.ids(text, options)
        {
            return Ok(ids);
        }
        Ok(self.encode(text, None, options)?.into_first().ids)
    }

    /// Text → number of tokens, without making them.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn count(&self, text: &str, options: &EncodeOptions) -> Result<usize> {
        if options.truncation.is_none()
            && let Some(native) = self.native()
            && let Some(count) = native.engine.count(text, options)
        {
            return Ok(count);
        }
        Ok(self.encode(text, None, options)?.into_first().len())
    }

    /// The last place at which a text, given as its bytes so far, can be cut so that its parts, counted without special
    /// tokens, have the tokens of the whole between them. None if there is none, or none that is known to be one.
    pub fn last_cut(&self, bytes: &[u8], options: &EncodeOptions) -> Option<usize> {
        let native = self.native()?;
        native.engine.last_cut(bytes, options.parse_special)
    }

    /// Ids → text.
    ///
    /// # Errors
    /// [`Error::UnknownId`] for an id that no token has: the reference leaves such ids out without a word.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String> {
        let mut pieces = Vec::with_capacity(ids.len());
        for &id in ids {
            let (piece, special) = self
                .spelling(id)
                .ok_or_else(|| self.unknown_id(u64::from(id)))?;
            if !(skip_special_tokens && special) {
                pieces.push(piece.to_owned());
            }
        }
        let text = match &self.origin {
            Origin::Compiled { rest: None, .. } => deberta::decode(&pieces),
            Origin::Compiled {
                file,
                rest: Some(rest),
                ..
            } => {
                let decoder = hf_engine::guarded(file.name(), || {
                    serde_json::from_value(rest.decoder.clone())
                        .map_err(|problem| Error::damaged(file.name(), problem))
                })?;
                hf_engine::decode(file.name(), Option::as_ref(&decoder), pieces)?
            }
            Origin::Json { .. } => self.reference()?.decode(pieces)?,
        };
        Ok(if self.config.clean_up_tokenization_spaces {
            clean_up_spaces(&text)
        } else {
            text
        })
    }

    /// The piece of an id.
    pub fn piece(&self, id: u32) -> Option<&str> {
        self.spelling(id).map(|(piece, _)| piece)
    }

    /// The piece of an id, and whether it is special. Does without the list of all pieces where it can.
    fn spelling(&self, id: u32) -> Option<(&str, bool)> {
        match &self.origin {
            Origin::Compiled {
                compiled,
                added_ids,
                ..
            } => match added_ids.iter().rfind(|(_, other)| *other == id) {
                Some((token, _)) => Some((&token.content, token.special)),
                None => compiled.piece(id).map(|piece| (piece, false)),
            },
            Origin::Json { .. } => {
                let entry = self.vocabulary().get(id)?;
                Some((&entry.piece, entry.special))
            }
        }
    }

    fn find(&self, piece: &str) -> Option<u32> {
        match &self.origin {
            Origin::Compiled {
                compiled,
                added_ids,
                ..
            } => {
                let added = added_ids.iter().find(|(token, _)| token.content == piece);
                added.map(|(_, id)| *id).or_else(|| compiled.find(piece))
            }
            Origin::Json { .. } => self.vocabulary().find(piece).map(|entry| entry.id),
        }
    }

    /// The id of a piece, spelled exactly as the vocabulary has it.
    ///
    /// # Errors
    /// [`Error::UnknownPiece`], with a near one where there is one.
    pub fn id_of(&self, piece: &str) -> Result<u32> {
        self.find(piece).ok_or_else(|| {
            let word = piece.strip_prefix(['▁', 'Ġ', ' ']).unwrap_or(piece);
            let near = ["▁", "Ġ", "##", ""]
                .map(|mark| format!("{mark}{word}"))
                .into_iter()
                .find(|near| self.find(near).is_some());
            Error::UnknownPiece {
                piece: piece.to_owned(),
                near,
            }
        })
    }

    /// The error for an id outside the vocabulary.
    pub fn unknown_id(&self, id: u64) -> Error {
        Error::UnknownId {
            id,
            last: u64::from(self.vocabulary().last_id()),
        }
    }

    /// Every piece, in the order of ids.
    pub fn vocabulary(&self) -> &Vocabulary {
        self.vocabulary.get_or_init(|| match &self.origin {
            Origin::Compiled {
                compiled,
                added_ids,
                rest,
                ..
            } => Vocabulary::from_compiled(compiled, added_ids, rest.is_none()),
            // Another tokenizer.json is parsed for its vocabulary when it is opened.
            Origin::Json { .. } => Vocabulary::default(),
        })
    }

    /// The algorithm: Unigram, BPE, WordPiece or WordLevel.
    pub fn algorithm(&self) -> &str {
        match &self.origin {
            Origin::Json { algorithm, .. } => algorithm,
            Origin::Compiled { compiled, .. } => compiled.algorithm().name(),
        }
    }

    /// Name, within the model, of the file that the tokenizer was read from.
    pub fn file(&self) -> &'static str {
        match &self.origin {
            Origin::Compiled { rest: None, .. } => SPM_MODEL,
            Origin::Json { .. } | Origin::Compiled { .. } => TOKENIZER_JSON,
        }
    }

    /// The class that the reference loads it with, where the files say.
    pub fn class(&self) -> Option<&str> {
        self.config.tokenizer_class.as_deref()
    }

    /// `model_max_length` of `tokenizer_config.json`, where it is set.
    pub fn max_length(&self) -> Option<u64> {
        self.config.max_length()
    }

    /// Whether the SentencePiece file asks for byte fallback, which the reference leaves out.
    pub fn ignores_byte_fallback(&self) -> bool {
        match &self.origin {
            Origin::Json { .. } => false,
            Origin::Compiled { compiled, .. } => compiled.byte_fallback(),
        }
    }

    /// The named special tokens, such as `cls_token`, with their ids where the vocabulary has them.
    pub fn special_tokens(&self) -> Vec<(&'static str, &str, Option<u32>)> {
        self.special_tokens
            .named()
            .into_iter()
            .filter_map(|(name, token)| Some((name, token?.text())))
            .map(|(name, token)| (name, token, self.find(token)))
            .collect()
    }
}

/// `clean_up_tokenization` of the reference: undoes the spaces that some decoders leave before punctuation.
fn clean_up_spaces(text: &str) -> String {
    [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
