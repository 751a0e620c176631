//! The files of a model → a [`Tokenizer`], and later its engines.

use std::sync::{Arc, OnceLock};

use sha2::{Digest as _, Sha256};

use super::native::NativeEngine;
use super::native::compiled::{self, Compiled};
use super::reference::{self, ReferenceEngine};
use super::special_tokens::SpecialTokens;
use super::vocabulary::{Vocabulary, added_ids};
use super::{EngineChoice, Origin, Tokenizer, deberta};
use crate::error::{Error, Result};
use crate::formats::config::{ModelConfig, TokenizerConfig};
use crate::formats::json::parse;
use crate::formats::sentencepiece::SentencePieceModel;
use crate::formats::tokenizer_json::TokenizerJson;
use crate::source::{ByteSource, ModelFiles};

pub(super) const TOKENIZER_JSON: &str = "tokenizer.json";
pub(super) const SPM_MODEL: &str = "spm.model";

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

    pub(super) fn build_native(&self) -> Option<NativeEngine> {
        match &self.origin {
            Origin::SentencePiece {
                compiled,
                added_ids,
                ..
            } => deberta::native(compiled, &self.config, added_ids),
            Origin::Json { .. } => None,
        }
    }

    pub(super) fn build_reference(&self) -> Result<ReferenceEngine> {
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
