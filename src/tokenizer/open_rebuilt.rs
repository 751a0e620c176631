//! Reads the files of a model as transformers 5.24 does.

use std::collections::HashSet;
use std::sync::Arc;

use super::class::Followed;
use super::conversion::{Conversion, Recipe};
use super::definition::{Definition, TOKENIZER_JSON};
use super::parsed_json::{ParsedJson, Rebuilt, read_converted, read_json};
use super::rebuild::{
    Arguments, Build, Class, ClassTokens, Clues, Ending, FileKind, Found, RebuildRecipe,
};
use crate::error::{Error, Result};
use crate::formats::config::{
    AddedTokenFields, OwnTokens, Slot, SpecialTokenConfig, TokenizerConfig,
};
use crate::formats::model_config::ModelConfig;
use crate::formats::sentencepiece::{PieceKind, SentencePieceModel};
use crate::formats::setting::Setting;
use crate::formats::tokenizer_json::RestJson;
use crate::source::{ByteSource, ModelFiles};

const CONFIG: &str = "config.json";

/// The classes in Python that are the same as in transformers 4.48.3.
const UNCHANGED: &[&str] = &["MarianTokenizer"];

/// Reads the tokenizer of a model. Returns `None` if transformers 4.48.3 reads it in the same way.
///
/// # Errors
/// Fails with [`Error::Unsupported`] if transformers 5.24 does not load the model, or builds a tokenizer that is not
/// followed here, with [`Error::Damaged`] if a file cannot be used, or with the error of fetching a file.
pub fn definition(files: &ModelFiles) -> Result<Option<Definition>> {
    let mut config = match files.find("tokenizer_config.json")? {
        Some(file) => TokenizerConfig::parse(file.name(), &file.read_all()?, OwnTokens::default())?,
        None => TokenizerConfig::default(),
    };
    let json = files.find(TOKENIZER_JSON)?;
    let refused = |problem: String| {
        let problem = format!("transformers 5.24 does not load it: {problem}");
        Error::unsupported(files.model(), problem)
    };
    let found = find_class(files, &config, json.as_deref())?.map_err(refused)?;
    let (class, name, source) = match found {
        Found::Built {
            class,
            name,
            source,
        } => (class, name, source),
        // With a `tokenizer.json`, version 4 has a class for it, and version 5 has none.
        Found::Python(name) if json.is_none() && UNCHANGED.contains(&name) => return Ok(None),
        Found::Python(name) => {
            let problem = format!(
                "{name} of transformers 5.24 is a program in Python, which is not followed"
            );
            return Err(Error::unsupported(files.model(), problem));
        }
    };
    check_settings(&config).map_err(refused)?;
    let opened = match json {
        Some(file) => of_json(files, &mut config, class, file)?,
        None => of_other_files(files, &mut config, class)?,
    };
    let Opened {
        parsed,
        file,
        rest,
        conversion,
        arguments,
    } = opened;
    let followed = Followed::built(name, source, class.decoding);
    let padding = rest.padding_token.as_deref();
    let tokens = ClassTokens::new(class, &arguments, &config.class, padding).map_err(refused)?;
    let present: HashSet<&str> = rest
        .added_tokens
        .iter()
        .map(|token| &*token.content)
        .collect();
    let added = tokens.added(class, &arguments, &present);
    let settings = config.class.clone();
    let named = tokens.named.clone();
    let has_json = conversion
        .as_ref()
        .is_none_or(|(_, kind)| *kind == FileKind::Json);
    let build_ending = |find: &dyn Fn(&str) -> Option<u32>, of_file: &serde_json::Value| {
        let source = Ending {
            class,
            settings: &settings,
            tokens: &named,
            find,
            has_json,
        };
        source.build(of_file)
    };
    let rebuilt = Rebuilt {
        named: tokens.named,
        calls: added,
        class: followed,
    };
    let built = parsed.into_rebuilt(file, rest, config, rebuilt, build_ending);
    let mut definition = built.map_err(refused)?;
    // Spaces are not removed after a BPE model, unless they are asked to be.
    let for_bpe = &definition
        .config
        .class
        .clean_up_tokenization_spaces_for_bpe_even_though_it_will_corrupt_output;
    definition.config.clean_up_tokenization_spaces &=
        definition.algorithm() != "BPE" || for_bpe.truth_or(false);
    definition.conversion = conversion.map(|(conversion, _)| Box::new(conversion));
    Ok(Some(definition))
}

/// Refuses settings that no class takes.
fn check_settings(config: &TokenizerConfig) -> Result<(), String> {
    let settings = &config.class;
    let split = &settings.split_special_tokens;
    if split.flag().is_none() && *split != Setting::Absent {
        return Err(format!(
            "`split_special_tokens` must be true or false, not {split}"
        ));
    }
    let truncation = config.truncation_side.as_deref();
    for (name, side) in [
        ("truncation_side", truncation),
        ("padding_side", settings.padding_side.text()),
    ] {
        if let Some(side) = side.filter(|side| !["left", "right"].contains(side)) {
            return Err(format!("`{name}` must be left or right, not {side:?}"));
        }
    }
    Ok(())
}

/// A vocabulary with the steps that a class gave it, and the arguments of the class.
struct Opened {
    parsed: ParsedJson,
    file: Arc<dyn ByteSource>,
    rest: RestJson,
    conversion: Option<(Conversion, FileKind)>,
    arguments: Arguments,
}

fn find_class(
    files: &ModelFiles,
    config: &TokenizerConfig,
    json: Option<&dyn ByteSource>,
) -> Result<Result<Found, String>> {
    let model_config = match files.find(CONFIG)? {
        Some(file) => ModelConfig::parse(CONFIG, &file.read_all()?)?,
        None => ModelConfig::default(),
    };
    let mut model_type = model_config.model_type.as_deref();
    if model_type == Some("encoder-decoder") {
        model_type = model_config.encoder_model_type.as_deref();
    }
    let model = files.model();
    let mut clues = Clues {
        model: &model,
        tokenizer_class: config.tokenizer_class.as_deref(),
        has_program: !config.class.auto_map.is_none(),
        model_type,
        config_class: model_config.tokenizer_class.as_deref(),
        is_byte_level: false,
    };
    let names_llama = [clues.tokenizer_class, clues.config_class];
    if names_llama
        .iter()
        .flatten()
        .any(|name| name.starts_with("LlamaTokenizer"))
        && let Some(file) = json
    {
        let bytes = file.read_all()?;
        clues.is_byte_level = memchr::memmem::find(&bytes, b"\"ByteLevel\"").is_some();
    }
    Ok(clues.find())
}

fn of_json(
    files: &ModelFiles,
    config: &mut TokenizerConfig,
    class: &'static Class,
    file: Arc<dyn ByteSource>,
) -> Result<Opened> {
    let Some(build) = class.build else {
        let (file, mut parsed) = read_json(files, file)?;
        let rest = parsed.take_rest(file.name())?;
        let arguments = Arguments::read(files, config, Some(&rest))?;
        return Ok(Opened {
            parsed,
            file,
            rest,
            conversion: None,
            arguments,
        });
    };
    // The tokens of the file are arguments of the class, though it does not take them from there.
    let (file, mut own) = read_json(files, file)?;
    let own = own.take_rest(file.name())?;
    let arguments = Arguments::read(files, config, Some(&own))?;
    let recipe = recipe(class, build, config, &arguments, FileKind::Json)?;
    converted(files, (file, None), recipe, arguments)
}

fn recipe(
    class: &'static Class,
    build: &'static Build,
    config: &TokenizerConfig,
    arguments: &Arguments,
    kind: FileKind,
) -> Result<RebuildRecipe> {
    let tokens = ClassTokens::new(class, arguments, &config.class, None);
    let named = tokens.map(|tokens| tokens.named).unwrap_or_default();
    let text = |(_, slot): (&str, &Slot<SpecialTokenConfig>)| {
        slot.given().map(|token| token.text().to_owned())
    };
    Ok(RebuildRecipe {
        class,
        build,
        settings: config.class.clone(),
        tokens: named.named().map(text),
        kind,
    })
}

fn converted(
    files: &ModelFiles,
    (file, second): (Arc<dyn ByteSource>, Option<Arc<dyn ByteSource>>),
    recipe: RebuildRecipe,
    arguments: Arguments,
) -> Result<Opened> {
    let kind = recipe.kind;
    let mut conversion = Conversion {
        file_name: match kind {
            FileKind::Json => TOKENIZER_JSON.to_owned(),
            _ => file.name().to_owned(),
        },
        recipe: Recipe::Rebuilt(Box::new(recipe)),
        file,
        second,
    };
    let mut parsed = read_converted(files, &mut conversion)?;
    let file = Arc::clone(&conversion.file);
    let rest = parsed.take_rest(file.name())?;
    Ok(Opened {
        parsed,
        file,
        rest,
        conversion: Some((conversion, kind)),
        arguments,
    })
}

/// Reads the files of a class that has no `tokenizer.json`.
fn of_other_files(
    files: &ModelFiles,
    config: &mut TokenizerConfig,
    class: &'static Class,
) -> Result<Opened> {
    let kind = match class.build {
        Some(build) => build.file_kind(),
        None => FileKind::SentencePiece,
    };
    let names: &[&str] = match kind {
        FileKind::Merges => &["vocab.json", "merges.txt"],
        FileKind::Lines => &["vocab.txt"],
        FileKind::Json | FileKind::SentencePiece => &["spm.model"],
    };
    let missing = || {
        let what = "tokenizer.json and no other vocabulary that transformers 5.24 reads";
        files.missing(what, names)
    };
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        found.push(files.find(name)?.ok_or_else(missing)?);
    }
    let mut found = found.into_iter();
    let file = found.next().ok_or_else(missing)?;
    let Some(build) = class.build else {
        let problem =
            "transformers 5.24 builds a tokenizer of no class from it, which is not followed";
        return Err(Error::unsupported(file.name(), problem));
    };
    let mut arguments = Arguments::read(files, config, None)?;
    if kind == FileKind::SentencePiece {
        let model = SentencePieceModel::parse(file.name(), &file.read_all()?)?;
        arguments.additional = Slot::Given(control_tokens(&model));
    }
    let recipe = recipe(class, build, config, &arguments, kind)?;
    converted(files, (file, found.next()), recipe, arguments)
}

/// Returns the control and user-defined pieces of a SentencePiece file as tokens.
fn control_tokens(model: &SentencePieceModel) -> Vec<SpecialTokenConfig> {
    let token = |piece: &crate::formats::sentencepiece::Piece| {
        let special = match piece.kind {
            PieceKind::Control => true,
            PieceKind::UserDefined => false,
            _ => return None,
        };
        let mut token = AddedTokenFields::new(&*piece.text, special);
        token.normalized = Some(false);
        Some(SpecialTokenConfig::Full(token))
    };
    model.pieces.iter().filter_map(token).collect()
}
