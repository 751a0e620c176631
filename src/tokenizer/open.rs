//! Reads the files of a model into the [`Definition`] of its tokenizer.

use std::sync::Arc;

use super::added_vocabulary::AddedVocabulary;
use super::class::{self, Followed, Found};
use super::compiled_cache::CacheEntry;
use super::conversion::{Conversion, Recipe, SlowClass, SlowClassRecipe, slow_class};
use super::deberta;
use super::definition::{Definition, Origin, SPM_MODEL, TOKENIZER_JSON};
use super::native::compiled::{CompiledVocabulary, Contents};
use super::parsed_json::{ListedJson, ParsedJson, read_converted, read_json};
use super::special_tokens::SpecialTokens;
use crate::error::{Error, Result};
use crate::formats::config::TokenizerConfig;
use crate::formats::model_config::ModelConfig;
use crate::formats::placeholder_file;
use crate::formats::sentencepiece::SentencePieceModel;
use crate::formats::tokenizer_json::{RestJson, TokenizerJson};
use crate::source::{ByteSource, FileKind, ModelFiles};

/// The files that [`definition`] reads if the model has them, besides `config.json`.
pub const SETTINGS_NAMES: [&str; 3] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// The names of vocabularies that are read if a file of the model names their class.
const VOCABULARY_NAMES: [&str; 6] = [
    "spiece.model",
    "sentencepiece.bpe.model",
    "sentencepiece.model",
    "tokenizer.model",
    "vocab.txt",
    "vocab.json",
];

/// Reads the tokenizer of a model: its `tokenizer.json`, or else the files of its class.
///
/// # Errors
/// Fails with [`Error::MissingPart`] if the model has no such file, or no `tokenizer.json` to be taken as it stands,
/// with [`Error::Damaged`] or [`Error::Unsupported`] if a file cannot be used, or with the error of fetching a file.
pub fn definition(files: &ModelFiles) -> Result<Definition> {
    check_kind(files)?;
    if files.are_as_is() {
        return as_is(files);
    }
    let config = read_config(files)?;
    if let Some(file) = files.find(TOKENIZER_JSON)? {
        return from_tokenizer_json(files, config, file);
    }
    let class = class::find(&config, files)?;
    if let Some(slow) = class.fast_name().and_then(slow_class) {
        return from_slow_class(files, config, Followed::new(class), slow);
    }
    if let Some(file) = files.find(SPM_MODEL)? {
        return from_sentencepiece(files, config, file);
    }
    Err(no_tokenizer(files, &class)?)
}

/// Refuses a model that is a file without a tokenizer.
fn check_kind(files: &ModelFiles) -> Result<()> {
    let (Some(kind), Some(name)) = (files.only_kind()?, files.only()) else {
        return Ok(());
    };
    match kind {
        FileKind::Tiktoken | FileKind::Tekken | FileKind::Rwkv => {
            let problem = format!("it is {}, which tokscope does not read yet", kind.what());
            Err(Error::unsupported(files.model(), problem))
        }
        FileKind::Other => {
            if let Some(file) = files.find_ranged(name)? {
                placeholder_file::refuse(file.name(), &file.read(0..file.len().min(64))?)?;
            }
            let problem =
                "it is neither a tokenizer nor a vocabulary, a checkpoint, or a file of vectors";
            let hint = "name the directory with the model's files, or one file of those kinds";
            Err(Error::unsupported(files.reference_to(name), problem).with_hint(hint))
        }
        _ => Ok(()),
    }
}

/// Returns the names of the files that [`definition`] takes the vocabulary from, if the model has them.
///
/// # Errors
/// Fails like [`ModelFiles::find`], or if a file with settings cannot be read.
pub fn vocabulary_names(files: &ModelFiles) -> Result<Vec<String>> {
    if files.find(TOKENIZER_JSON)?.is_some() || files.are_as_is() {
        return Ok(vec![TOKENIZER_JSON.to_owned()]);
    }
    let class = class::find(&read_config(files)?, files)?;
    let slow = class.fast_name().and_then(slow_class);
    let names = slow.map_or(&[SPM_MODEL][..], |slow| slow.converter.files());
    Ok(names.iter().map(|&name| name.to_owned()).collect())
}

fn read_config(files: &ModelFiles) -> Result<TokenizerConfig> {
    match files.find("tokenizer_config.json")? {
        Some(file) => TokenizerConfig::parse(file.name(), &file.read_all()?),
        None => Ok(TokenizerConfig::default()),
    }
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
    mut config: TokenizerConfig,
    file: Arc<dyn ByteSource>,
) -> Result<Definition> {
    let (file, mut parsed) = read_json(files, file)?;
    let rest = parsed.take_rest(file.name())?;
    let mut class = Followed::new(class::find(&config, files)?);
    let mut tokens = SpecialTokens::read(files, &mut config, Some(&rest))?;
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
                "the model's tokenizer is {}, but only DeBERTa-v2 and v3 are read from a file of this name",
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
        return Err(error.with_hint("add the model's config.json, which names its class"));
    }
    let mut tokens = SpecialTokens::read(files, &mut config, None)?;
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

/// Converts the files of a slow class.
fn from_slow_class(
    files: &ModelFiles,
    mut config: TokenizerConfig,
    mut class: Followed,
    slow: &'static SlowClass,
) -> Result<Definition> {
    let names = slow.converter.files();
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let file = files.find(name)?;
        found.push(file.ok_or_else(|| files.missing(slow.converter.missing(), names))?);
    }
    let mut found = found.into_iter();
    let Some(file) = found.next() else {
        return Err(files.missing(slow.converter.missing(), names));
    };
    let mut tokens = SpecialTokens::read(files, &mut config, None)?;
    let slow_tokens = class.slow(&config.class, slow.tokens.as_ref(), &tokens);
    class.fill(&config.class, &RestJson::default(), &mut tokens);
    tokens.take_over(&slow_tokens);
    class.check_settings(&config);
    let mut conversion = Conversion {
        recipe: Recipe::SlowClass(SlowClassRecipe {
            class: slow,
            settings: config.class.clone(),
            tokens: slow_tokens,
        }),
        file_name: names.first().copied().unwrap_or_default().to_owned(),
        file,
        second: found.next(),
    };
    let mut parsed = read_converted(files, &mut conversion)?;
    let file = Arc::clone(&conversion.file);
    let rest = parsed.take_rest(file.name())?;
    let cleans_up = &config.class.clean_up_tokenization_spaces;
    config.clean_up_tokenization_spaces = cleans_up.truth_or(slow.cleans_up_spaces);
    let mut definition = parsed.into_definition(file, rest, config, tokens, class);
    // No file says anything that the class could change.
    definition.class.outcome.changes.clear();
    definition.conversion = Some(Box::new(conversion));
    Ok(definition)
}

/// Returns the file that was read, like [`read_json`], and its vocabulary.
fn read_sentencepiece(
    files: &ModelFiles,
    mut file: Arc<dyn ByteSource>,
) -> Result<(Arc<dyn ByteSource>, CompiledVocabulary)> {
    let entry = CacheEntry::locate(files, &mut file)?;
    let compiled = match entry.find() {
        Some(compiled) => compiled,
        None => {
            let model = SentencePieceModel::parse(file.name(), &file.read_all()?)?;
            entry.make(&Contents::from(&model))
        }
    };
    Ok((file, compiled))
}

/// Returns the error for a model without a readable tokenizer. It names the vocabulary that the model has instead, if
/// any.
fn no_tokenizer(files: &ModelFiles, class: &Found) -> Result<Error> {
    let hint = "write a tokenizer.json with `AutoTokenizer.from_pretrained(…).save_pretrained(…)` of transformers";
    for name in VOCABULARY_NAMES {
        if files.has(name)? {
            let problem = match class {
                Found::Fast { name, .. } => {
                    format!(
                        "a {name} is made only from a tokenizer.json, which the model does not have"
                    )
                }
                Found::Unknown { reason } => reason.clone(),
            };
            return Ok(Error::unsupported(name, problem).with_hint(hint));
        }
    }
    // Offline, the model's other files are unknown, and this returns a different error.
    let names = [TOKENIZER_JSON, SPM_MODEL];
    let missing = files.missing("tokenizer.json and no spm.model", &names);
    Ok(missing.with_hint(match files.only_kind()? {
        Some(FileKind::Gguf) => {
            "tokscope does not read the vocabulary of a GGUF file yet: name a directory with a tokenizer.json"
        }
        Some(FileKind::Vectors) => "a file of vectors has no tokenizer: name the model's directory",
        _ => "a model needs a tokenizer.json, or the vocabulary of a class that transformers converts to one",
    }))
}
