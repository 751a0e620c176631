//! Reads the files of a model into the [`Definition`] of its tokenizer.

use std::sync::Arc;

use super::added_vocabulary::AddedVocabulary;
use super::assumed::{self, Assumed};
use super::class::{self, Followed, Found};
use super::compiled_cache::read_sentencepiece;
use super::conversion::{Conversion, Recipe, SlowClass, SlowClassRecipe, slow_class};
use super::deberta;
use super::definition::{Definition, Origin, SPM_MODEL, TOKENIZER_JSON};
use super::no_tokenizer;
use super::open_gguf;
use super::open_rebuilt;
use super::parsed_json::{ListedJson, ParsedJson, read_converted, read_json};
use super::ranked_file::{self, TEKKEN_JSON};
use super::sentencepiece_file;
use super::special_tokens::SpecialTokens;
use super::translation_files;
use crate::error::{Error, Result};
use crate::formats::config::{OwnTokens, TokenizerConfig};
use crate::formats::model_config::ModelConfig;
use crate::formats::tokenizer_json::{RestJson, TokenizerJson};
use crate::source::{ByteSource, FileKind, ModelFiles, Reading};

/// The files that [`definition`] reads if the model has them, besides `config.json`.
pub const SETTINGS_NAMES: [&str; 3] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// Reads the tokenizer of a model: its `tokenizer.json`, or else the files of its class.
///
/// # Errors
/// Fails with [`Error::MissingPart`] if the model has no such file, or no `tokenizer.json` to be taken as it stands,
/// with [`Error::Damaged`] or [`Error::Unsupported`] if a file cannot be used, or with the error of fetching a file.
pub fn definition(files: &ModelFiles) -> Result<Definition> {
    no_tokenizer::check_kind(files)?;
    let reading = files.reading();
    if files.are_as_is() && reading != Reading::default() {
        let problem = format!(
            "`--as-is` takes the tokenizer.json as it stands, and `--reading {}` does not",
            reading.name()
        );
        return Err(Error::usage_hint(problem, "leave out one of them"));
    }
    let mut definition = match reading {
        Reading::Transformers4 => of_transformers_4(files)?,
        Reading::Transformers5 => match open_rebuilt::definition(files)? {
            Some(definition) => definition,
            None => of_transformers_4(files)?,
        },
        Reading::SentencePiece => sentencepiece_file::of_model(files)?,
    };
    definition.reading = reading;
    if files.only().is_some() {
        definition.named_file = Some(files.actual_name(definition.file_name()));
    }
    Ok(definition)
}

fn of_transformers_4(files: &ModelFiles) -> Result<Definition> {
    if files.are_as_is() {
        return as_is(files);
    }
    if let Some((name, kind)) = ranked_file::only(files)? {
        let file = files.find(name)?;
        let file = file.ok_or_else(|| files.no_such_file(name))?;
        return ranked_file::definition(files, (name, kind), file);
    }
    if let Some(file) = files.find(TOKENIZER_JSON)? {
        return from_tokenizer_json(files, file);
    }
    let config = read_config(files, OwnTokens::default())?;
    let class = class::find(&config, files)?;
    if let Some(file) = tekken(files, &class)? {
        return ranked_file::definition(files, (TEKKEN_JSON, FileKind::Tekken), file);
    }
    if let Some(slow) = class.fast_name().and_then(slow_class)
        && is_made_from_named(files, slow)?
    {
        return match from_slow_class(files, config, Followed::new(class), slow) {
            // A directory with a GGUF file often has a config.json, but no other vocabulary.
            Err(missing @ Error::MissingPart { .. }) => {
                open_gguf::definition(files)?.ok_or(missing)
            }
            opened => opened,
        };
    }
    if let Found::Slow { name, .. } = &class
        && let Some(style) = translation_files::style(name)
        && files.only().is_none()
    {
        return translation_files::definition(files, config, style);
    }
    let model_type = model_type(files)?;
    let is_deberta = is_deberta(files, &config, model_type.as_deref());
    if is_deberta && let Some(file) = files.find(SPM_MODEL)? {
        let is_assumed = config.tokenizer_class.is_none() && model_type.is_none();
        let definition = from_deberta(files, config.clone(), file, is_assumed)?;
        if let Some(definition) = definition {
            return Ok(definition);
        }
    }
    // A file that is named is read on its own, whatever the files beside it say.
    if matches!(class, Found::Undeclared { .. }) || files.only().is_some() {
        if let Some((name, file)) = assumed::sentencepiece(files)? {
            return sentencepiece_file::definition(files, config, name, file, &class);
        }
        if let Some(assumed) = assumed::class(files)? {
            return from_assumed_class(files, config, assumed);
        }
    }
    if let Some(definition) = open_gguf::definition(files)? {
        return Ok(definition);
    }
    Err(no_tokenizer::error(files, &class, is_deberta)?)
}

/// Returns true if [`definition`] takes the vocabulary from a file other than a GGUF file.
///
/// # Errors
/// Fails like [`vocabulary_names`].
pub fn has_vocabulary_file(files: &ModelFiles) -> Result<bool> {
    if files.are_as_is() {
        return Ok(true);
    }
    Ok(match files.only_kind()? {
        Some(kind) => kind != FileKind::Gguf,
        None => {
            let has = |name: &String| files.has(name);
            let mut names = vocabulary_names(files)?.into_iter();
            names.try_fold(false, |found, name| Ok::<_, Error>(found || has(&name)?))?
        }
    })
}

/// Returns the names of the files that [`definition`] takes the vocabulary from, if the model has them.
///
/// # Errors
/// Fails like [`ModelFiles::find`], or if a file with settings cannot be read.
pub fn vocabulary_names(files: &ModelFiles) -> Result<Vec<String>> {
    if files.reading() == Reading::SentencePiece {
        let found = assumed::sentencepiece(files)?.map(|(name, _)| name);
        return Ok(vec![found.unwrap_or_else(|| SPM_MODEL.to_owned())]);
    }
    if let Some((name, _)) = ranked_file::only(files)? {
        return Ok(vec![name.to_owned()]);
    }
    if files.find(TOKENIZER_JSON)?.is_some() || files.are_as_is() {
        return Ok(vec![TOKENIZER_JSON.to_owned()]);
    }
    let class = class::find(&read_config(files, OwnTokens::default())?, files)?;
    if tekken(files, &class)?.is_some() {
        return Ok(vec![TEKKEN_JSON.to_owned()]);
    }
    if let Some(slow) = class.fast_name().and_then(slow_class)
        && is_made_from_named(files, slow)?
    {
        return Ok(slow
            .converter
            .files()
            .iter()
            .map(|&name| name.to_owned())
            .collect());
    }
    if let Found::Slow { name, .. } = &class
        && let Some(style) = translation_files::style(name)
    {
        let names = translation_files::file_names(style).iter();
        return Ok(names.map(|&name| name.to_owned()).collect());
    }
    let named = files.only().map(str::to_owned).into_iter();
    let assumed = assumed::NAMES.iter().map(|&name| name.to_owned());
    let is_undeclared = matches!(class, Found::Undeclared { .. });
    Ok(match (files.only(), is_undeclared) {
        (Some(_), _) => named.chain(["merges.txt".to_owned()]).collect(),
        (None, true) => assumed.collect(),
        (None, false) => vec![SPM_MODEL.to_owned()],
    })
}

/// Returns false if the reference names the file of a tokenizer that a class is not made from.
fn is_made_from_named(files: &ModelFiles, slow: &SlowClass) -> Result<bool> {
    Ok(match (files.only_kind()?, slow.converter.files().first()) {
        (Some(kind), Some(name)) if kind.is_tokenizer() => kind.is_named(name),
        _ => true,
    })
}

/// Finds the `tekken.json` of a model that lacks the files of its class. The Hub is not asked for the sake of this file:
/// it was asked for the others unless the cache has an answer for them.
fn tekken(files: &ModelFiles, class: &Found) -> Result<Option<Arc<dyn ByteSource>>> {
    let slow = class.fast_name().and_then(slow_class);
    let names = slow.map_or(&[SPM_MODEL][..], |slow| slow.converter.files());
    if let Some(name) = names.first()
        && files.has(name)?
    {
        return Ok(None);
    }
    files.find_known(TEKKEN_JSON)
}

fn read_config(files: &ModelFiles, own: OwnTokens<'_>) -> Result<TokenizerConfig> {
    match files.find("tokenizer_config.json")? {
        Some(file) => TokenizerConfig::parse(file.name(), &file.read_all()?, own),
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

fn from_tokenizer_json(files: &ModelFiles, file: Arc<dyn ByteSource>) -> Result<Definition> {
    let (file, mut parsed) = read_json(files, file)?;
    let rest = parsed.take_rest(file.name())?;
    let own = OwnTokens {
        tokens: &rest.added_tokens,
        ids: &rest.added_token_ids,
    };
    let mut config = read_config(files, own)?;
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

/// Returns true if a SentencePiece file of the model must be read as DeBERTa's. A file of another name is only if a
/// file beside it says so.
fn is_deberta(files: &ModelFiles, config: &TokenizerConfig, model_type: Option<&str>) -> bool {
    let class = config.tokenizer_class.as_deref();
    let has_usual_name = files.only().is_none_or(|name| name.ends_with(SPM_MODEL));
    let is_named = class.is_some() || model_type.is_some();
    (has_usual_name || is_named) && deberta::claims(class, model_type)
}

fn model_type(files: &ModelFiles) -> Result<Option<String>> {
    Ok(match files.find("config.json")? {
        Some(file) => ModelConfig::parse(file.name(), &file.read_all()?)?.model_type,
        None => None,
    })
}

/// Reads the SentencePiece file of DeBERTa. Returns `None` if the class is only assumed, and the file lacks a piece that
/// every such file has.
fn from_deberta(
    files: &ModelFiles,
    mut config: TokenizerConfig,
    file: Arc<dyn ByteSource>,
    is_assumed: bool,
) -> Result<Option<Definition>> {
    config.tokenizer_class = Some(deberta::CLASS.to_owned());
    let (file, compiled) = read_sentencepiece(files, file)?;
    if is_assumed && deberta::missing_piece(&compiled).is_some() {
        return Ok(None);
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
    definition.assumption = is_assumed.then(|| assumed::as_deberta(&files.actual_name(SPM_MODEL)));
    Ok(Some(definition))
}

/// Converts the files of a class that no file names.
fn from_assumed_class(
    files: &ModelFiles,
    mut config: TokenizerConfig,
    assumed: Assumed,
) -> Result<Definition> {
    let lowercase = &mut config.class.do_lower_case;
    if assumed.keeps_case && lowercase.is_none() {
        *lowercase = false.into();
    }
    let class = Followed::new(assumed.class);
    let mut definition = from_slow_class(files, config, class, assumed.slow)?;
    definition.assumption = Some(assumed.sentence);
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
    let named = (class.name.unwrap_or_default(), class.source);
    let missing = || no_tokenizer::without_files(files, slow.converter.missing(), named, names);
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let file = files.find(name)?;
        found.push(file.ok_or_else(missing)?);
    }
    let mut found = found.into_iter();
    let Some(file) = found.next() else {
        return Err(missing());
    };
    let mut tokens = SpecialTokens::read(files, &mut config, None)?;
    let slow_tokens = class.slow(&config.class, slow.tokens.as_ref(), &tokens);
    class.fill(&config.class, &RestJson::default(), &mut tokens);
    tokens.take_over(&slow_tokens);
    class.check_settings(&config);
    let mut conversion = Conversion {
        recipe: Recipe::SlowClass(Box::new(SlowClassRecipe {
            class: slow,
            settings: config.class.clone(),
            tokens: slow_tokens,
        })),
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
