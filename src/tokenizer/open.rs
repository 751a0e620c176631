//! Reads the files of a model into the [`Definition`] of its tokenizer.

use std::sync::Arc;

use super::added_ids::added_ids;
use super::compiled_cache::CacheEntry;
use super::deberta;
use super::definition::{Definition, Origin, SPM_MODEL, TOKENIZER_JSON};
use super::native::compiled::{CompiledVocabulary, Contents};
use super::special_tokens::SpecialTokens;
use super::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::formats::config::{AddedTokenConfig, ModelConfig, TokenizerConfig};
use crate::formats::json::parse;
use crate::formats::sentencepiece::{Algorithm, PieceKind, SentencePieceModel};
use crate::formats::tokenizer_json::{RestJson, TokenizerJson, VocabularyJson};
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
/// Fails with [`Error::MissingPart`] if the model has neither, with [`Error::Damaged`] or [`Error::Unsupported`] if a
/// file cannot be used, or with the error of fetching a file.
pub fn definition(files: &ModelFiles) -> Result<Definition> {
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

fn from_tokenizer_json(
    files: &ModelFiles,
    config: TokenizerConfig,
    file: Arc<dyn ByteSource>,
) -> Result<Definition> {
    let special_tokens = SpecialTokens::read(files, &config)?;
    let (file, parsed) = read_json(files, file)?;
    let (origin, added) = match parsed {
        ParsedJson::Json(json) => {
            let added = special_tokens.to_add(&json.rest.added_tokens);
            let origin = Origin::Json {
                file,
                algorithm: json.model.algorithm().to_owned(),
                unknown_id: json.model.unk_id,
                vocabulary: Box::new(Vocabulary::from_json(*json, &added)),
            };
            (origin, added)
        }
        ParsedJson::Compiled(compiled) => {
            let rest: RestJson = parse(file.name(), compiled.rest())?;
            rest.check(file.name())?;
            let added = special_tokens.to_add(&rest.added_tokens);
            let origin = Origin::Compiled {
                file,
                added_ids: ids_of_added(&compiled, &[&rest.added_tokens, &added]),
                compiled,
                rest: Some(Box::new(rest)),
            };
            (origin, added)
        }
    };
    Ok(Definition::new(origin, config, special_tokens.map, added))
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
    config.tokenizer_class = Some(deberta::CLASS.to_owned());
    let (file, compiled) = read_sentencepiece(files, file)?;
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
    Ok(Definition::new(origin, config, special_tokens.map, added))
}

/// A `tokenizer.json`: compiled if it is a Unigram model.
enum ParsedJson {
    Compiled(Arc<CompiledVocabulary>),
    Json(Box<TokenizerJson>),
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
    let json = TokenizerJson::parse(file.name(), &file.read_all()?)?;
    let (Some(unknown_id), VocabularyJson::Scored(pieces)) = (json.model.unk_id, &json.model.vocab)
    else {
        return Ok(ParsedJson::Json(Box::new(json)));
    };
    // Leave a file that the `tokenizers` crate would reject to the crate, for its error message. Byte fallback is left
    // to it too.
    let compilable = (unknown_id as usize) < pieces.len() && json.model.byte_fallback != Some(true);
    let rest = serde_json::to_vec(&json.rest);
    let (true, "Unigram", Ok(rest)) = (compilable, json.model.algorithm(), rest) else {
        return Ok(ParsedJson::Json(Box::new(json)));
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
    Ok(ParsedJson::Compiled(Arc::new(entry.make(&contents))))
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

fn ids_of_added(
    compiled: &CompiledVocabulary,
    batches: &[&[AddedTokenConfig]],
) -> Vec<(AddedTokenConfig, u32)> {
    added_ids(compiled.size(), |text| compiled.find(text), batches)
        .into_iter()
        .map(|(token, id)| (token.clone(), id))
        .collect()
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
