//! Reads the files of a model into the [`Definition`] of its tokenizer.

use std::collections::HashMap;
use std::sync::Arc;

use super::added_vocabulary::AddedVocabulary;
use super::class::{self, Followed, Ids};
use super::compile;
use super::compiled_cache::CacheEntry;
use super::deberta;
use super::definition::{Definition, Origin, SPM_MODEL, TOKENIZER_JSON};
use super::model_pieces::ModelPieces;
use super::native::compiled::{CompiledVocabulary, Contents};
use super::special_tokens::SpecialTokens;
use crate::error::{Error, Result};
use crate::formats::config::TokenizerConfig;
use crate::formats::json::parse;
use crate::formats::model_config::ModelConfig;
use crate::formats::sentencepiece::SentencePieceModel;
use crate::formats::tokenizer_json::{RestJson, TokenizerJson};
use crate::source::{ByteSource, ModelFiles};

/// The files that [`definition`] reads if the model has them, besides `config.json`.
pub const FILE_NAMES: [&str; 5] = [
    TOKENIZER_JSON,
    "tokenizer_config.json",
    SPM_MODEL,
    "special_tokens_map.json",
    "added_tokens.json",
];

/// Reads the tokenizer of a model: its `tokenizer.json`, or else its `spm.model`.
///
/// # Errors
/// Fails with [`Error::MissingPart`] if the model has neither, or no `tokenizer.json` to be taken as it stands, with
/// [`Error::Damaged`] or [`Error::Unsupported`] if a file cannot be used, or with the error of fetching a file.
pub fn definition(files: &ModelFiles) -> Result<Definition> {
    if files.are_as_is() {
        return as_is(files);
    }
    let config = match files.find("tokenizer_config.json")? {
        Some(file) => TokenizerConfig::parse(file.name(), &file.read_all()?)?,
        None => TokenizerConfig::default(),
    };
    if let Some(file) = files.find(TOKENIZER_JSON)? {
        return from_tokenizer_json(files, config, file);
    }
    if let Some(file) = files.find(SPM_MODEL)? {
        return from_sentencepiece(files, config, file);
    }
    Err(no_tokenizer(files)?)
}

/// Reads the `tokenizer.json` of a model as it stands, as the `tokenizers` library does.
fn as_is(files: &ModelFiles) -> Result<Definition> {
    let Some(file) = files.find(TOKENIZER_JSON)? else {
        return Err(files.missing("tokenizer.json to be taken as it stands", &[TOKENIZER_JSON]));
    };
    let (file, mut parsed) = read_json(files, file)?;
    let rest = parsed.take_rest(file.name())?;
    let (config, tokens) = (TokenizerConfig::default(), SpecialTokens::default());
    Ok(parsed.into_definition(file, rest, config, tokens, Followed::default()))
}

fn from_tokenizer_json(
    files: &ModelFiles,
    config: TokenizerConfig,
    file: Arc<dyn ByteSource>,
) -> Result<Definition> {
    let (file, mut parsed) = read_json(files, file)?;
    let rest = parsed.take_rest(file.name())?;
    let mut class = Followed::new(class::find(&config, files)?);
    let mut tokens = SpecialTokens::read(files, &config, Some(&rest))?;
    if class.name.is_none() {
        tokens.forget_own(&rest);
    }
    class.fill(&config.class, &rest, &mut tokens);
    class.check(&config, &tokens.map);
    Ok(parsed.into_definition(file, rest, config, tokens, class))
}

/// Returns the definition of a `tokenizer.json` without the other files of a model.
pub fn alone(mut json: TokenizerJson, file: Arc<dyn ByteSource>) -> Definition {
    let mut listed = ListedJson::take(&mut json);
    let rest = std::mem::take(&mut listed.rest);
    let (config, tokens) = (TokenizerConfig::default(), SpecialTokens::default());
    ParsedJson::Listed(Box::new(listed)).into_definition(
        file,
        rest,
        config,
        tokens,
        Followed::default(),
    )
}

fn from_sentencepiece(
    files: &ModelFiles,
    mut config: TokenizerConfig,
    file: Arc<dyn ByteSource>,
) -> Result<Definition> {
    let model_type = match files.find("config.json")? {
        Some(file) => ModelConfig::parse(file.name(), &file.read_all()?)?.model_type,
        None => None,
    };
    if !deberta::claims(config.tokenizer_class.as_deref(), model_type.as_deref()) {
        return Err(Error::unsupported(
            file.name(),
            format!(
                "the model's tokenizer is {}, but only DeBERTa-v2 and v3 are read from SentencePiece files",
                (config.tokenizer_class.or(model_type)).unwrap_or_default()
            ),
        ));
    }
    let assumes_family = config.tokenizer_class.is_none() && model_type.is_none();
    config.tokenizer_class = Some(deberta::CLASS.to_owned());
    let (file, compiled) = read_sentencepiece(files, file)?;
    if let (true, Some(piece)) = (assumes_family, deberta::missing_piece(&compiled)) {
        let error = Error::unsupported(
            file.name(),
            format!(
                "no other file names its tokenizer, and without a piece {piece} it is not DeBERTa's"
            ),
        );
        return Err(error.with_hint(
            "only DeBERTa-v2 and v3 are read from SentencePiece files; if it is one of them, add its config.json",
        ));
    }
    let mut tokens = SpecialTokens::read(files, &config, None)?;
    deberta::default_special_tokens(&mut tokens.map);
    let mut added_vocabulary = AddedVocabulary::new(compiled.size());
    added_vocabulary.add(&deberta::added_pieces(&compiled), |text| {
        compiled.find(text)
    });
    let added = tokens.to_add(&added_vocabulary);
    added_vocabulary.add(&added, |text| compiled.find(text));
    let origin = Origin::Compiled {
        file,
        compiled: Arc::new(compiled),
        rest: None,
    };
    let class = Followed::default();
    let mut definition =
        Definition::new(origin, config, tokens.map, added, added_vocabulary, class);
    definition.assumes_family = assumes_family;
    Ok(definition)
}

/// A `tokenizer.json`: compiled unless its model is left to the `tokenizers` crate.
enum ParsedJson {
    Compiled(Arc<CompiledVocabulary>),
    Listed(Box<ListedJson>),
}

/// A `tokenizer.json` with its pieces as a list.
struct ListedJson {
    algorithm: String,
    unknown_id: Option<u32>,
    pieces: ModelPieces,
    rest: RestJson,
}

impl ListedJson {
    /// Takes the parts of a file. Leaves its settings and merges.
    fn take(json: &mut TokenizerJson) -> Self {
        Self {
            algorithm: json.model.algorithm().to_owned(),
            unknown_id: json.model.unk_id,
            pieces: ModelPieces::new(std::mem::take(&mut json.model.vocab)),
            rest: std::mem::take(&mut json.rest),
        }
    }
}

impl ParsedJson {
    /// Takes the part of the file outside its vocabulary.
    fn take_rest(&mut self, name: &str) -> Result<RestJson> {
        match self {
            Self::Listed(json) => Ok(std::mem::take(&mut json.rest)),
            Self::Compiled(compiled) => {
                let rest: RestJson = parse(name, compiled.rest())?;
                rest.check(name)?;
                Ok(rest)
            }
        }
    }

    /// Adds tokens to those of the file, and changes its steps as the class does.
    fn into_definition(
        self,
        file: Arc<dyn ByteSource>,
        mut rest: RestJson,
        config: TokenizerConfig,
        tokens: SpecialTokens,
        mut class: Followed,
    ) -> Definition {
        let (size, ids) = match &self {
            Self::Listed(json) => {
                let codes = class.texts(&config.class);
                let texts = rest.added_tokens.iter().map(|token| &*token.content);
                let texts = texts
                    .chain(tokens.texts())
                    .chain(codes.iter().map(|code| &**code));
                (json.pieces.size(), json.pieces.ids_of(&texts.collect()))
            }
            Self::Compiled(compiled) => (compiled.size(), HashMap::new()),
        };
        let find_piece = |text: &str| match &self {
            Self::Listed(_) => ids.get(text).copied(),
            Self::Compiled(compiled) => compiled.find(text),
        };
        let mut added_vocabulary = AddedVocabulary::new(size);
        added_vocabulary.add(&rest.added_tokens, find_piece);
        let added = tokens.to_add(&added_vocabulary);
        added_vocabulary.add(&added, find_piece);
        let ids_of_all = Ids {
            tokens: &tokens.map,
            find: &|text| added_vocabulary.id(text).or_else(|| find_piece(text)),
        };
        class.rewrite(&config.class, &added, &ids_of_all, &mut rest);
        rest.added_tokens = Vec::new();
        let rest = Box::new(rest);
        let origin = match self {
            Self::Listed(json) => Origin::Json {
                file,
                algorithm: json.algorithm,
                unknown_id: json.unknown_id,
                pieces: Box::new(json.pieces),
                rest,
            },
            Self::Compiled(compiled) => Origin::Compiled {
                file,
                compiled,
                rest: Some(rest),
            },
        };
        Definition::new(origin, config, tokens.map, added, added_vocabulary, class)
    }
}

/// Returns the file that was read, whose bytes no longer change if they were hashed, and its content.
fn read_json(
    files: &ModelFiles,
    file: Arc<dyn ByteSource>,
) -> Result<(Arc<dyn ByteSource>, ParsedJson)> {
    let entry = CacheEntry::locate(files, file)?;
    let file = Arc::clone(entry.file());
    let parsed = match entry.find() {
        Some(compiled) => ParsedJson::Compiled(Arc::new(compiled)),
        None => parse_json(&entry, file.as_ref())?,
    };
    Ok((file, parsed))
}

fn parse_json(entry: &CacheEntry<'_>, file: &dyn ByteSource) -> Result<ParsedJson> {
    let mut json = TokenizerJson::parse(file.name(), &file.read_all()?)?;
    let listed = ListedJson::take(&mut json);
    let contents = compile::contents(&json.model, &listed.algorithm, &listed.pieces);
    let rest = serde_json::to_vec(&listed.rest);
    Ok(match (contents, rest) {
        (Some(contents), Ok(rest)) => {
            let contents = Contents {
                rest: &rest,
                ..contents
            };
            ParsedJson::Compiled(Arc::new(entry.make(&contents)))
        }
        _ => ParsedJson::Listed(Box::new(listed)),
    })
}

/// Returns the file that was read, like [`read_json`], and its vocabulary.
fn read_sentencepiece(
    files: &ModelFiles,
    file: Arc<dyn ByteSource>,
) -> Result<(Arc<dyn ByteSource>, CompiledVocabulary)> {
    let entry = CacheEntry::locate(files, file)?;
    let file = Arc::clone(entry.file());
    let compiled = match entry.find() {
        Some(compiled) => compiled,
        None => {
            let model = SentencePieceModel::parse(file.name(), &file.read_all()?)?;
            entry.make(&Contents::from(&model))
        }
    };
    Ok((file, compiled))
}

/// Returns the error for a model without a readable tokenizer. The hint names the tokenizer file that the model has
/// instead, if any.
fn no_tokenizer(files: &ModelFiles) -> Result<Error> {
    const OTHERS: &[&str] = &[
        "spiece.model",
        "sentencepiece.bpe.model",
        "tokenizer.model",
        "vocab.txt",
        "vocab.json",
    ];
    let mut hint =
        "a model needs a tokenizer.json, or an spm.model like that of DeBERTa-v2 and v3".to_owned();
    if files.only().is_some() {
        hint = "tokscope does not read the vocabulary of a GGUF file yet: name a directory with a tokenizer.json"
            .to_owned();
    }
    for name in OTHERS {
        if files.find(name)?.is_some() {
            hint = format!(
                "tokscope does not read {name}: write a tokenizer.json with `AutoTokenizer.from_pretrained(…).save_pretrained(…)` of transformers"
            );
            break;
        }
    }
    // Offline, the model's other files are unknown, and this returns a different error.
    let names = [TOKENIZER_JSON, SPM_MODEL];
    let missing = files.missing("tokenizer.json and no spm.model", &names);
    Ok(missing.with_hint(hint))
}
