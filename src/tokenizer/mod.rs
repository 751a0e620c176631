//! TEXT ↔ IDS.
//!
//! [`Tokenizer`] is the project's own face of tokenization: it is opened from the files of a model, encodes texts
//! and pairs, decodes ids and answers questions about the vocabulary. Behind it stands the
//! [reference engine](mod@reference), the `tokenizers` crate.

pub mod deberta;
pub mod encoding;
pub mod native;
pub mod reference;
pub mod special_tokens;
pub mod vocabulary;

use std::sync::{Arc, OnceLock};

use clap::ValueEnum;
use sha2::{Digest as _, Sha256};

pub use encoding::{Encoding, OffsetUnit};
pub use vocabulary::Vocabulary;
use vocabulary::added_ids;

use crate::error::{Error, Result};
use crate::formats::config::{AddedTokenConfig, ModelConfig, SpecialTokensMap, TokenizerConfig};
use crate::formats::json::parse;
use crate::formats::sentencepiece::SentencePieceModel;
use crate::formats::tokenizer_json::TokenizerJson;
use crate::source::{ByteSource, ModelFiles};
use native::NativeEngine;
use native::compiled::{self, Compiled};
use reference::ReferenceEngine;
use special_tokens::SpecialTokens;

const TOKENIZER_JSON: &str = "tokenizer.json";
const SPM_MODEL: &str = "spm.model";

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
    native: OnceLock<Option<Box<NativeEngine>>>,
    reference: OnceLock<ReferenceEngine>,
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
    Json {
        file: Arc<dyn ByteSource>,
        algorithm: String,
        unknown_id: Option<u32>,
    },
    SentencePiece {
        file: Arc<dyn ByteSource>,
        compiled: Arc<Compiled>,
        /// Every added token, pieces of the file among them, with its id.
        added_ids: Vec<(AddedTokenConfig, u32)>,
    },
}

impl Tokenizer {
    /// The files that [`Tokenizer::open`] reads, where a model has them; `config.json` is read too.
    pub fn file_names() -> [&'static str; 5] {
        [
            TOKENIZER_JSON,
            "tokenizer_config.json",
            SPM_MODEL,
            "special_tokens_map.json",
            "added_tokens.json",
        ]
    }

    /// Opens the tokenizer of a model: `tokenizer.json` where there is one, else `spm.model`.
    ///
    /// # Errors
    /// [`Error::MissingPart`] if the model has neither, [`Error::Damaged`] or [`Error::Unsupported`] for files that
    /// cannot be used, and whatever fetching a file fails with.
    pub fn open(files: &ModelFiles) -> Result<Self> {
        let config: TokenizerConfig = match files.find("tokenizer_config.json")? {
            Some(file) => parse(file.name(), &file.read_all()?)?,
            None => TokenizerConfig::default(),
        };
        if let Some(file) = files.find(TOKENIZER_JSON)? {
            return Self::from_tokenizer_json(files, config, file);
        }
        if let Some(file) = files.find(SPM_MODEL)? {
            return Self::from_sentencepiece(files, config, file);
        }
        Err(no_tokenizer(files)?)
    }

    fn from_tokenizer_json(
        files: &ModelFiles,
        config: TokenizerConfig,
        file: Arc<dyn ByteSource>,
    ) -> Result<Self> {
        let json = TokenizerJson::parse(file.name(), &file.read_all()?)?;
        let special_tokens = SpecialTokens::read(files, &config)?;
        let added = special_tokens.to_add(&json.added_tokens);
        Ok(Self {
            origin: Origin::Json {
                file,
                algorithm: json.model.algorithm().to_owned(),
                unknown_id: json.model.unk_id,
            },
            config,
            special_tokens: special_tokens.map,
            vocabulary: Vocabulary::from_json(json, &added).into(),
            added,
            choice: EngineChoice::Auto,
            native: OnceLock::new(),
            reference: OnceLock::new(),
        })
    }

    fn from_sentencepiece(
        files: &ModelFiles,
        mut config: TokenizerConfig,
        file: Arc<dyn ByteSource>,
    ) -> Result<Self> {
        let model_type = match files.find("config.json")? {
            Some(file) => ModelConfig::parse(file.name(), &file.read_all()?)?.model_type,
            None => None,
        };
        if !deberta::claims(config.tokenizer_class.as_deref(), model_type.as_deref()) {
            return Err(Error::unsupported(
                file.name(),
                format!(
                    "the model's tokenizer is {}, and only DeBERTa-v2 and v3 are read from SentencePiece files",
                    (config.tokenizer_class.or(model_type)).unwrap_or_default()
                ),
            ));
        }
        config.tokenizer_class = Some(deberta::CLASS.to_owned());
        let compiled = compile(files, file.as_ref())?;
        let mut special_tokens = SpecialTokens::read(files, &config)?;
        deberta::default_special_tokens(&mut special_tokens.map);
        let pieces = deberta::added_pieces(&compiled);
        let added = special_tokens.to_add(&pieces);
        let ids = added_ids(
            compiled.size(),
            |text| compiled.find(text),
            &[&pieces, &added],
        );
        Ok(Self {
            origin: Origin::SentencePiece {
                file,
                added_ids: ids
                    .into_iter()
                    .map(|(token, id)| (token.clone(), id))
                    .collect(),
                compiled: Arc::new(compiled),
            },
            added,
            config,
            special_tokens: special_tokens.map,
            vocabulary: OnceLock::new(),
            choice: EngineChoice::Auto,
            native: OnceLock::new(),
            reference: OnceLock::new(),
        })
    }

    /// The same tokenizer, encoding with an engine of one's choice.
    #[must_use]
    pub fn with_engine(self, choice: EngineChoice) -> Self {
        Self { choice, ..self }
    }

    /// Whether the native engine encodes whole texts for this tokenizer.
    pub fn is_native(&self) -> bool {
        self.native().is_some()
    }

    /// The native engine, built on the first call; none if this tokenizer is not of its shape, or not its choice.
    fn native(&self) -> Option<&NativeEngine> {
        if self.choice == EngineChoice::Reference {
            return None;
        }
        self.native
            .get_or_init(|| self.build_native().map(Box::new))
            .as_deref()
    }

    fn build_native(&self) -> Option<NativeEngine> {
        match &self.origin {
            Origin::SentencePiece {
                compiled,
                added_ids,
                ..
            } => deberta::native(compiled, &self.config, added_ids),
            Origin::Json { .. } => None,
        }
    }

    /// The reference engine, built on the first call.
    fn reference(&self) -> Result<&ReferenceEngine> {
        if let Some(engine) = self.reference.get() {
            return Ok(engine);
        }
        if self.choice == EngineChoice::Native {
            return Err(Error::usage_hint(
                "the native engine does not do this tokenizer, or this text, exactly",
                "`--engine reference` does",
            ));
        }
        let file = match &self.origin {
            Origin::Json { file, .. } | Origin::SentencePiece { file, .. } => file,
        };
        let engine = reference::guarded(file.name(), || self.build_engine())?;
        Ok(self.reference.get_or_init(|| engine))
    }

    fn build_engine(&self) -> Result<ReferenceEngine> {
        let cut_left = self.config.truncation_side.as_deref() == Some("left");
        match &self.origin {
            Origin::Json {
                file, unknown_id, ..
            } => {
                let mut inner = tokenizers::Tokenizer::from_bytes(file.read_all()?)
                    .map_err(|problem| Error::damaged(file.name(), problem))?;
                reference::add_tokens(file.name(), &mut inner, &self.added)?;
                ReferenceEngine::new(file.name(), inner, *unknown_id, cut_left)
            }
            Origin::SentencePiece { file, compiled, .. } => {
                let name = file.name();
                let model = SentencePieceModel::parse(name, &file.read_all()?)?;
                let mut inner = deberta::convert(name, &model, &self.config)?;
                reference::add_tokens(name, &mut inner, &deberta::added_pieces(compiled))?;
                reference::add_tokens(name, &mut inner, &self.added)?;
                deberta::add_template(name, &mut inner, model.unknown_id)?;
                ReferenceEngine::new(name, inner, Some(model.unknown_id), cut_left)
            }
        }
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
        // Windows are cut by the reference engine alone.
        if options.truncation.is_none()
            && let Some(native) = self.native()
            && let Some(encoding) = native.encode(text, pair, options)
        {
            return Ok(Encoded {
                windows: vec![encoding],
                truncated_tokens: 0,
            });
        }
        self.reference()?.encode(text, pair, options)
    }

    /// Text → ids, without pieces and offsets.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn ids(&self, text: &str, options: &EncodeOptions) -> Result<Vec<u32>> {
        if options.truncation.is_none()
            && let Some(ids) = self.native().and_then(|native| native.ids(text, options))
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
            && let Some(count) = self.native().and_then(|native| native.count(text, options))
        {
            return Ok(count);
        }
        Ok(self.encode(text, None, options)?.into_first().len())
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
            Origin::SentencePiece { .. } => deberta::decode(&pieces),
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
            Origin::SentencePiece {
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
            Origin::SentencePiece {
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
            Origin::SentencePiece {
                compiled,
                added_ids,
                ..
            } => Vocabulary::from_compiled(compiled, added_ids),
            // A tokenizer.json is parsed for its vocabulary when it is opened.
            Origin::Json { .. } => Vocabulary::default(),
        })
    }

    /// The algorithm: Unigram, BPE, WordPiece or WordLevel.
    pub fn algorithm(&self) -> &str {
        match &self.origin {
            Origin::Json { algorithm, .. } => algorithm,
            Origin::SentencePiece { compiled, .. } => compiled.algorithm().name(),
        }
    }

    /// Name, within the model, of the file that the tokenizer was read from.
    pub fn file(&self) -> &'static str {
        match &self.origin {
            Origin::Json { .. } => TOKENIZER_JSON,
            Origin::SentencePiece { .. } => SPM_MODEL,
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
            Origin::SentencePiece { compiled, .. } => compiled.byte_fallback(),
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

/// Vocabularies of at least this many bytes are worth keeping: others are compiled before a file could be opened.
const WORTH_KEEPING: u64 = 1 << 20;

/// The compiled form of a SentencePiece file: one made earlier from the same bytes, or a new one.
fn compile(files: &ModelFiles, file: &dyn ByteSource) -> Result<Compiled> {
    let bytes = file.read_all()?;
    let new = |source| {
        let model = SentencePieceModel::parse(file.name(), &bytes)?;
        Ok(Compiled::new(&model, source))
    };
    if file.len() < WORTH_KEEPING {
        return new([0; 32]);
    }
    let source: [u8; 32] = Sha256::digest(&bytes).into();
    let hex: String = source.iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!("vocabularies/{hex}-v{}", compiled::VERSION);
    if let Some(made) = files.made_earlier(&name)
        && let Some(compiled) = Compiled::open(made, source)
    {
        return Ok(compiled);
    }
    let compiled = new(source)?;
    files.keep(&name, compiled.bytes());
    Ok(compiled)
}

/// The error for a model without a tokenizer, which names what it has instead.
fn no_tokenizer(files: &ModelFiles) -> Result<Error> {
    const OTHERS: &[&str] = &[
        "spiece.model",
        "sentencepiece.bpe.model",
        "tokenizer.model",
        "vocab.txt",
        "vocab.json",
    ];
    let mut hint =
        "a model needs tokenizer.json, or spm.model as DeBERTa-v2 and v3 have it".to_owned();
    for name in OTHERS {
        if files.find(name)?.is_some() {
            hint = format!(
                "{name} alone is not read: tokscope needs a tokenizer.json beside it, which transformers writes with `AutoTokenizer.from_pretrained(…).save_pretrained(…)`"
            );
            break;
        }
    }
    Ok(
        match files.missing("tokenizer.json and no spm.model", SPM_MODEL) {
            Error::MissingPart { place, what, .. } => Error::MissingPart {
                place,
                what,
                hint: Some(hint),
            },
            // Without the network it is not known what the model has.
            unknown => unknown,
        },
    )
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
