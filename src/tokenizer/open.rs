//! The files of a model → a [`Tokenizer`], and later its engines.

use std::sync::{Arc, OnceLock};

use super::compiled_cache::CacheEntry;
use super::hf_engine::{self, HfEngine};
use super::native::compiled::{CompiledVocabulary, Contents};
use super::native::template::Template;
use super::native::{NativeEngine, PipelineConfig};
use super::special_tokens::SpecialTokens;
use super::vocabulary::{Vocabulary, added_ids};
use super::windows::Windows;
use super::{EngineChoice, Native, Origin, Tokenizer, deberta};
use crate::error::{Error, Result};
use crate::formats::config::{AddedTokenConfig, ModelConfig, SpecialTokensMap, TokenizerConfig};
use crate::formats::json::{parse, parse_settings};
use crate::formats::sentencepiece::{Algorithm, PieceKind, SentencePieceModel};
use crate::formats::tokenizer_json::{RestJson, TokenizerJson, VocabularyJson};
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
            Some(file) => parse_settings(file.name(), &file.read_all()?)?,
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
        let special_tokens = SpecialTokens::read(files, &config)?;
        match read_json(files, file.as_ref())? {
            Read::Json(json) => {
                let added = special_tokens.to_add(&json.rest.added_tokens);
                let origin = Origin::Json {
                    file,
                    algorithm: json.model.algorithm().to_owned(),
                    unknown_id: json.model.unk_id,
                };
                let vocabulary = Vocabulary::from_json(*json, &added).into();
                Ok(Self {
                    vocabulary,
                    ..Self::new(origin, config, special_tokens.map, added)
                })
            }
            Read::Compiled(compiled) => {
                let rest: RestJson = parse(file.name(), compiled.rest())?;
                rest.check(file.name())?;
                let added = special_tokens.to_add(&rest.added_tokens);
                let origin = Origin::Compiled {
                    file,
                    added_ids: ids_of_added(&compiled, &[&rest.added_tokens, &added]),
                    compiled,
                    rest: Some(Box::new(rest)),
                };
                Ok(Self::new(origin, config, special_tokens.map, added))
            }
        }
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
        let compiled = read_sentencepiece(files, file.as_ref())?;
        let mut special_tokens = SpecialTokens::read(files, &config)?;
        deberta::default_special_tokens(&mut special_tokens.map);
        let pieces = deberta::added_pieces(&compiled);
        let added = special_tokens.to_add(&pieces);
        let origin = Origin::Compiled {
            file,
            added_ids: ids_of_added(&compiled, &[&pieces, &added]),
            compiled: Arc::new(compiled),
            rest: None,
        };
        Ok(Self::new(origin, config, special_tokens.map, added))
    }

    pub(super) fn new(
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
            choice: EngineChoice::Auto,
            vocabulary: OnceLock::new(),
            native: OnceLock::new(),
            reference: OnceLock::new(),
        }
    }

    pub(super) fn build_native(&self) -> Option<Native> {
        let Origin::Compiled {
            file,
            compiled,
            added_ids,
            rest,
        } = &self.origin
        else {
            return None;
        };
        let own;
        let (steps, post_processor) = match rest.as_deref() {
            Some(rest) => {
                let steps = PipelineConfig::Json {
                    normalizer: &rest.normalizer,
                    pre_tokenizer: &rest.pre_tokenizer,
                };
                let post_processor = rest.post_processor.clone();
                let post_processor =
                    hf_engine::caught(|| serde_json::from_value(post_processor).ok())??;
                (steps, post_processor)
            }
            None => {
                let charsmap = compiled.charsmap();
                let steps = if deberta::is_plain(&self.config) {
                    PipelineConfig::Deberta { charsmap }
                } else {
                    own = deberta::steps(file.name(), charsmap, &self.config).ok()?;
                    let [normalizer, pre_tokenizer] = &own;
                    PipelineConfig::Json {
                        normalizer,
                        pre_tokenizer,
                    }
                };
                let id_of = |text: &str| self.find(text);
                let template = deberta::template(file.name(), id_of, compiled.unknown_id()).ok()?;
                (steps, Some(template))
            }
        };
        let template = Template::from_json(&serde_json::to_value(&post_processor).ok()?);
        let engine = NativeEngine::new(Arc::clone(compiled), added_ids, &steps, template)?;
        let unknown_id = compiled.unknown_id();
        let windows = Windows {
            file: file.name().to_owned(),
            post_processor,
            unknown: Some((unknown_id, compiled.piece(unknown_id)?.to_owned())),
            cut_left: self.cuts_left(),
        };
        Some(Native { engine, windows })
    }

    pub(super) fn build_reference(&self) -> Result<HfEngine> {
        let file = self.origin.file();
        let name = file.name();
        let (inner, unknown_id) = match &self.origin {
            Origin::Compiled {
                compiled,
                rest: None,
                ..
            } => {
                let model = SentencePieceModel::parse(name, &file.read_all()?)?;
                let mut inner = deberta::convert(name, &model, &self.config)?;
                hf_engine::add_tokens(name, &mut inner, &deberta::added_pieces(compiled))?;
                hf_engine::add_tokens(name, &mut inner, &self.added)?;
                let template =
                    deberta::template(name, |text| inner.token_to_id(text), model.unknown_id)?;
                inner.with_post_processor(Some(template));
                (inner, Some(model.unknown_id))
            }
            Origin::Json { unknown_id, .. } => (self.load_with_crate(file.as_ref())?, *unknown_id),
            Origin::Compiled { compiled, .. } => (
                self.load_with_crate(file.as_ref())?,
                Some(compiled.unknown_id()),
            ),
        };
        HfEngine::new(name, inner, unknown_id, self.cuts_left())
    }

    fn load_with_crate(&self, file: &dyn ByteSource) -> Result<tokenizers::Tokenizer> {
        let mut inner = tokenizers::Tokenizer::from_bytes(file.read_all()?)
            .map_err(|problem| Error::damaged(file.name(), problem))?;
        hf_engine::add_tokens(file.name(), &mut inner, &self.added)?;
        Ok(inner)
    }

    fn cuts_left(&self) -> bool {
        self.config.truncation_side.as_deref() == Some("left")
    }
}

/// A `tokenizer.json`, as a compiled vocabulary if it is a Unigram model.
enum Read {
    Compiled(Arc<CompiledVocabulary>),
    Json(Box<TokenizerJson>),
}

fn read_json(files: &ModelFiles, file: &dyn ByteSource) -> Result<Read> {
    let place = CacheEntry::of(files, file)?;
    if let Some(compiled) = place.find() {
        return Ok(Read::Compiled(Arc::new(compiled)));
    }
    let json = TokenizerJson::parse(file.name(), &file.read_all()?)?;
    let (Some(unknown_id), VocabularyJson::Scored(pieces)) = (json.model.unk_id, &json.model.vocab)
    else {
        return Ok(Read::Json(Box::new(json)));
    };
    // What the library refuses, it is to refuse in its own words; bytes for unknown characters are left to it.
    let usable = (unknown_id as usize) < pieces.len() && json.model.byte_fallback != Some(true);
    let rest = serde_json::to_vec(&json.rest);
    let (true, "Unigram", Ok(rest)) = (usable, json.model.algorithm(), rest) else {
        return Ok(Read::Json(Box::new(json)));
    };
    let pieces = (0..).zip(pieces).map(|(id, (text, score))| {
        let kind = if id == unknown_id {
            PieceKind::Unknown
        } else {
            PieceKind::Normal
        };
        (text.as_str(), *score, kind)
    });
    let contents = Contents {
        pieces: pieces.collect(),
        unknown_id,
        algorithm: Algorithm::Unigram,
        byte_fallback: false,
        charsmap: &[],
        rest: &rest,
    };
    Ok(Read::Compiled(Arc::new(place.make(&contents))))
}

fn read_sentencepiece(files: &ModelFiles, file: &dyn ByteSource) -> Result<CompiledVocabulary> {
    let place = CacheEntry::of(files, file)?;
    if let Some(compiled) = place.find() {
        return Ok(compiled);
    }
    let model = SentencePieceModel::parse(file.name(), &file.read_all()?)?;
    Ok(place.make(&Contents::from(&model)))
}

fn ids_of_added(
    compiled: &CompiledVocabulary,
    batches: &[&[AddedTokenConfig]],
) -> Vec<(AddedTokenConfig, u32)> {
    added_ids(compiled.size(), |text| compiled.find(text), batches)
        .into_iter()
        .map(|(token, id)| (token.clone(), id))
        .collect()
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
