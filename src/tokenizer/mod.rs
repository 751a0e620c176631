//! TEXT ↔ IDS.
//!
//! [`Tokenizer`] is the project's own face of tokenization: it is opened from the files of a model, encodes texts
//! and pairs, decodes ids and answers questions about the vocabulary. Behind it stands the
//! [reference engine](reference), the `tokenizers` crate.

pub mod deberta;
pub mod encoding;
pub mod reference;
pub mod special_tokens;
pub mod vocabulary;

use std::sync::OnceLock;

use serde::Deserialize;
use tokenizers::AddedToken;

pub use encoding::{Encoding, OffsetUnit};
pub use vocabulary::Vocabulary;

use crate::error::{Error, Result};
use crate::formats::config::{ModelConfig, SpecialTokensMap, TokenizerConfig, parse};
use crate::formats::sentencepiece::SentencePieceModel;
use crate::source::ModelFiles;
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
#[derive(Debug)]
pub struct Tokenizer {
    engine: ReferenceEngine,
    /// The file it was read from, by its name within the model.
    file: &'static str,
    class: Option<String>,
    special_tokens: SpecialTokensMap,
    max_length: Option<u64>,
    cleans_up_spaces: bool,
    sentencepiece: Option<SentencePieceModel>,
    vocabulary: OnceLock<Vocabulary>,
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
            let bytes = file.read_all()?;
            return Self::from_tokenizer_json(files, config, file.name(), &bytes);
        }
        if let Some(file) = files.find(SPM_MODEL)? {
            let bytes = file.read_all()?;
            return Self::from_sentencepiece(files, config, file.name(), &bytes);
        }
        Err(no_tokenizer(files)?)
    }

    fn from_tokenizer_json(
        files: &ModelFiles,
        config: TokenizerConfig,
        name: &str,
        bytes: &[u8],
    ) -> Result<Self> {
        let unknown_id = parse::<TokenizerJson>(name, bytes)?.model.unk_id;
        let inner = tokenizers::Tokenizer::from_bytes(bytes)
            .map_err(|problem| Error::damaged(name, problem))?;
        let special_tokens = SpecialTokens::read(files, &config)?;
        Self::assemble(name, inner, unknown_id, config, special_tokens, None)
    }

    fn from_sentencepiece(
        files: &ModelFiles,
        config: TokenizerConfig,
        name: &str,
        bytes: &[u8],
    ) -> Result<Self> {
        let model_type = match files.find("config.json")? {
            Some(file) => ModelConfig::parse(file.name(), &file.read_all()?)?.model_type,
            None => None,
        };
        if !deberta::claims(config.tokenizer_class.as_deref(), model_type.as_deref()) {
            return Err(Error::unsupported(
                name,
                format!(
                    "the model's tokenizer is {}, and only DeBERTa-v2 and v3 are read from SentencePiece files",
                    (config.tokenizer_class.or(model_type)).unwrap_or_default()
                ),
            ));
        }
        let model = SentencePieceModel::parse(name, bytes)?;
        let inner = deberta::convert(name, &model, &config)?;
        let mut special_tokens = SpecialTokens::read(files, &config)?;
        deberta::default_special_tokens(&mut special_tokens.map);
        let unknown_id = Some(model.unknown_id);
        Self::assemble(name, inner, unknown_id, config, special_tokens, Some(model))
    }

    fn assemble(
        name: &str,
        mut inner: tokenizers::Tokenizer,
        unknown_id: Option<u32>,
        config: TokenizerConfig,
        special_tokens: SpecialTokens,
        sentencepiece: Option<SentencePieceModel>,
    ) -> Result<Self> {
        let known = inner.get_added_vocabulary().get_vocab();
        let to_add = special_tokens.to_add(|text| known.contains_key(text));
        let tokens: Vec<AddedToken> = to_add
            .into_iter()
            .map(|token| {
                AddedToken::from(token.content, token.special)
                    .lstrip(token.lstrip)
                    .rstrip(token.rstrip)
                    .single_word(token.single_word)
                    .normalized(token.normalized)
            })
            .collect();
        inner
            .add_tokens(tokens)
            .map_err(|problem| Error::damaged(name, problem))?;
        let mut class = config.tokenizer_class.clone();
        if let Some(model) = &sentencepiece {
            deberta::add_template(name, &mut inner, model.unknown_id)?;
            class = Some(deberta::CLASS.to_owned());
        }
        let cut_left = config.truncation_side.as_deref() == Some("left");
        Ok(Self {
            engine: ReferenceEngine::new(name.to_owned(), inner, unknown_id, cut_left)?,
            file: if sentencepiece.is_some() {
                SPM_MODEL
            } else {
                TOKENIZER_JSON
            },
            class,
            special_tokens: special_tokens.map,
            max_length: config.max_length(),
            cleans_up_spaces: config.clean_up_tokenization_spaces,
            sentencepiece,
            vocabulary: OnceLock::new(),
        })
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
        self.engine.encode(text, pair, options)
    }

    /// Ids → text.
    ///
    /// # Errors
    /// [`Error::UnknownId`] for an id that no token has: the reference leaves such ids out without a word.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String> {
        for &id in ids {
            if self.piece(id).is_none() {
                return Err(self.unknown_id(u64::from(id)));
            }
        }
        let text = self.engine.decode(ids, skip_special_tokens)?;
        Ok(if self.cleans_up_spaces {
            clean_up_spaces(&text)
        } else {
            text
        })
    }

    /// The piece of an id.
    pub fn piece(&self, id: u32) -> Option<String> {
        self.engine.inner().id_to_token(id)
    }

    /// The id of a piece, spelled exactly as the vocabulary has it.
    ///
    /// # Errors
    /// [`Error::UnknownPiece`], with a near one where there is one.
    pub fn id_of(&self, piece: &str) -> Result<u32> {
        let inner = self.engine.inner();
        inner.token_to_id(piece).ok_or_else(|| {
            let word = piece.strip_prefix(['▁', 'Ġ', ' ']).unwrap_or(piece);
            let near = ["▁", "Ġ", "##", ""]
                .map(|mark| format!("{mark}{word}"))
                .into_iter()
                .find(|near| inner.token_to_id(near).is_some());
            Error::UnknownPiece {
                piece: piece.to_owned(),
                near,
            }
        })
    }

    /// The error for an id outside the vocabulary.
    pub fn unknown_id(&self, id: u64) -> Error {
        let last = self.vocabulary().last_id();
        Error::UnknownId {
            id,
            last: u64::from(last),
        }
    }

    /// Number of ids the tokenizer can produce: `len(tokenizer)` of the reference.
    pub fn vocabulary_size(&self) -> usize {
        self.engine.inner().get_vocab_size(true)
    }

    /// Every piece, in the order of ids; made on the first call.
    pub fn vocabulary(&self) -> &Vocabulary {
        self.vocabulary
            .get_or_init(|| Vocabulary::new(self.engine.inner(), self.sentencepiece.as_ref()))
    }

    /// The algorithm: Unigram, BPE, WordPiece or WordLevel.
    pub fn algorithm(&self) -> &'static str {
        use tokenizers::models::ModelWrapper;
        match self.engine.inner().get_model() {
            ModelWrapper::Unigram(_) => "Unigram",
            ModelWrapper::BPE(_) => "BPE",
            ModelWrapper::WordPiece(_) => "WordPiece",
            ModelWrapper::WordLevel(_) => "WordLevel",
        }
    }

    /// Name, within the model, of the file that the tokenizer was read from.
    pub fn file(&self) -> &'static str {
        self.file
    }

    /// The class that the reference loads it with, where the files say.
    pub fn class(&self) -> Option<&str> {
        self.class.as_deref()
    }

    /// `model_max_length` of `tokenizer_config.json`, where it is set.
    pub fn max_length(&self) -> Option<u64> {
        self.max_length
    }

    /// Whether the SentencePiece file asks for byte fallback, which the reference leaves out.
    pub fn ignores_byte_fallback(&self) -> bool {
        self.sentencepiece
            .as_ref()
            .is_some_and(|model| model.byte_fallback)
    }

    /// The named special tokens, such as `cls_token`, with their ids.
    pub fn special_tokens(&self) -> Vec<(&'static str, String, Option<u32>)> {
        self.special_tokens
            .named()
            .into_iter()
            .filter_map(|(name, token)| Some((name, token?.text().to_owned())))
            .map(|(name, token)| {
                let id = self.engine.inner().token_to_id(&token);
                (name, token, id)
            })
            .collect()
    }
}

/// The part of `tokenizer.json` that the `tokenizers` crate reads and does not give back.
#[derive(Deserialize)]
struct TokenizerJson {
    model: TokenizerJsonModel,
}

#[derive(Deserialize)]
struct TokenizerJsonModel {
    unk_id: Option<u32>,
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
    Ok(Error::MissingPart {
        place: files.place(),
        what: "tokenizer.json and no spm.model",
        hint: Some(hint),
    })
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
