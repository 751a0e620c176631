//! The special and added tokens that transformers 5 passes to a class (`PreTrainedTokenizerBase._from_pretrained`).

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::formats::config::{
    AddedTokenFields, Slot, SpecialTokenConfig, SpecialTokensMap, TokenizerConfig,
    parse_added_tokens,
};
use crate::formats::json::{OrderedMap, parse_settings};
use crate::formats::tokenizer_json::RestJson;
use crate::source::ModelFiles;

const CONFIG: &str = "tokenizer_config.json";
const MAP: &str = "special_tokens_map.json";
const EXTRA: &str = "extra_special_tokens";
const ADDITIONAL: &str = "additional_special_tokens";

/// A list of special tokens that may be missing.
pub type Tokens = Slot<Vec<SpecialTokenConfig>>;

/// The tokens among the arguments of a class.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Arguments {
    /// The named special tokens.
    pub named: SpecialTokensMap,
    /// Special tokens with names of their own.
    pub specific: Vec<(String, SpecialTokenConfig)>,
    /// `extra_special_tokens`.
    pub extra: Tokens,
    /// `additional_special_tokens`, which counts only if `extra` is absent.
    pub additional: Tokens,
    /// The names of tokens with names of their own that are null.
    pub nulls: Vec<String>,
    /// The added tokens by id.
    pub added: BTreeMap<u32, AddedTokenFields>,
}

/// The settings of a file by name, without the added tokens.
type Settings = Vec<(String, Value)>;

impl Arguments {
    /// Reads the tokens of a model's files. Takes the `added_tokens_decoder` of `tokenizer_config.json`. `json` are the
    /// parts of its `tokenizer.json`.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] for tokens that transformers 5 refuses, or with the error of reading a file.
    pub fn read(
        files: &ModelFiles,
        config: &mut TokenizerConfig,
        json: Option<&RestJson>,
    ) -> Result<Self> {
        let mut settings = read_settings(files, CONFIG)?;
        rename_additional(&mut settings);
        let mut arguments = Self {
            specific: take_specific(&mut settings)?,
            ..Self::default()
        };
        let mut rules = HashMap::new();
        if let Some(decoder) = config.added_tokens_decoder.take() {
            let texts = decoder
                .values()
                .map(|token| (token.content.clone(), token.clone()));
            rules.extend(texts);
            arguments.added = decoder;
        } else {
            for (name, value) in read_settings(files, MAP)? {
                merge(&mut settings, &mut arguments, name, value)?;
            }
            if let Some(file) = files.find("added_tokens.json")? {
                let special = special_texts(&settings);
                for (text, id) in parse_added_tokens(file.name(), &file.read_all()?)? {
                    let mut token = AddedTokenFields::new(&*text, special.contains(&text));
                    token.normalized = Some(!token.special);
                    rules.insert(text, token.clone());
                    arguments.added.insert(id, token);
                }
            }
            if let Some(json) = json {
                for (token, id) in json.added_tokens.iter().zip(&json.added_token_ids) {
                    let token = AddedTokenFields::from(token.clone());
                    rules.insert(token.content.clone(), token.clone());
                    arguments.added.extend(id.map(|id| (id, token)));
                }
            }
        }
        let find = |name: &str| find(&settings, name);
        for (name, slot) in arguments.named.named_mut() {
            *slot = match find(name) {
                None => Slot::Absent,
                Some(Value::Null) => Slot::Null,
                Some(value) => {
                    let token = token(name, value)?;
                    let rules = rules.get(token.text()).cloned();
                    Slot::Given(rules.map_or(token, SpecialTokenConfig::Full))
                }
            };
        }
        arguments.extra = list(EXTRA, find(EXTRA))?;
        if arguments.extra == Slot::Absent {
            arguments.additional = list(ADDITIONAL, find(ADDITIONAL))?;
        }
        let nulls = settings
            .iter()
            .filter(|(name, value)| name.ends_with("_token") && value.is_null());
        arguments.nulls = nulls.map(|(name, _)| name.clone()).collect();
        Ok(arguments)
    }
}

fn read_settings(files: &ModelFiles, name: &str) -> Result<Settings> {
    match files.find(name)? {
        Some(file) => {
            let OrderedMap(mut settings): OrderedMap<Value> =
                parse_settings(file.name(), &file.read_all()?)?;
            settings.retain(|(name, _)| name != "added_tokens_decoder");
            Ok(settings)
        }
        None => Ok(Settings::new()),
    }
}

fn find<'s>(settings: &'s Settings, name: &str) -> Option<&'s Value> {
    let mut settings = settings.iter();
    settings.find_map(|(known, value)| (known == name).then_some(value))
}

fn set(settings: &mut Settings, name: &str, value: Value) {
    match settings.iter_mut().find(|(known, _)| known == name) {
        Some((_, known)) => *known = value,
        None => settings.push((name.to_owned(), value)),
    }
}

fn take(settings: &mut Settings, name: &str) -> Option<Value> {
    let index = settings.iter().position(|(known, _)| known == name)?;
    Some(settings.remove(index).1)
}

/// Returns the truth value that Python gives a value.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// Gives `additional_special_tokens` its new name, unless there are tokens of that name.
fn rename_additional(settings: &mut Settings) {
    let has_extra = find(settings, EXTRA).is_some_and(is_true);
    if !has_extra && let Some(additional) = take(settings, ADDITIONAL) {
        set(settings, EXTRA, additional);
    }
}

/// Takes the tokens that have names of their own: `image_token` and the like, and an object of extra tokens.
fn take_specific(settings: &mut Settings) -> Result<Vec<(String, SpecialTokenConfig)>> {
    let standard = SpecialTokensMap::default();
    let standard = standard.named().map(|(name, _)| name);
    let is_specific = |(name, value): &(String, Value)| {
        name.ends_with("_token") && value.is_string() && !standard.contains(&name.as_str())
    };
    let (own, rest): (Settings, Settings) =
        std::mem::take(settings).into_iter().partition(is_specific);
    *settings = rest;
    let mut specific = Vec::with_capacity(own.len());
    for (name, value) in own {
        let token = token(&name, &value)?;
        specific.push((name, token));
    }
    take_named_extra(settings, &mut specific)?;
    Ok(specific)
}

/// Takes `extra_special_tokens` if they have names.
fn take_named_extra(
    settings: &mut Settings,
    specific: &mut Vec<(String, SpecialTokenConfig)>,
) -> Result<()> {
    if !find(settings, EXTRA).is_some_and(Value::is_object) {
        return Ok(());
    }
    let Some(Value::Object(named)) = take(settings, EXTRA) else {
        return Ok(());
    };
    for (name, value) in named {
        let token = token(&name, &value)?;
        match specific.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = token,
            None => specific.push((name, token)),
        }
    }
    Ok(())
}

/// Merges an entry of `special_tokens_map.json`.
fn merge(
    settings: &mut Settings,
    arguments: &mut Arguments,
    name: String,
    mut value: Value,
) -> Result<()> {
    match (&mut value, name == EXTRA) {
        (Value::Object(fields), false) => {
            fields.insert("special".to_owned(), Value::Bool(true));
            fields.insert("__type".to_owned(), "AddedToken".into());
        }
        (Value::Array(tokens), true) => {
            let mut all = match take(settings, EXTRA) {
                Some(Value::Array(known)) => known,
                _ => Vec::new(),
            };
            for mut token in std::mem::take(tokens) {
                if let Value::Object(fields) = &mut token {
                    fields.insert("special".to_owned(), Value::Bool(true));
                    fields.insert("__type".to_owned(), "AddedToken".into());
                }
                if !all.contains(&token) {
                    all.push(token);
                }
            }
            value = Value::Array(all);
        }
        _ => {}
    }
    set(settings, &name, value);
    take_named_extra(settings, &mut arguments.specific)
}

/// Returns the texts of special tokens, as far as they make a token of `added_tokens.json` special.
fn special_texts(settings: &Settings) -> HashSet<String> {
    let standard = SpecialTokensMap::default();
    let named = standard.named();
    let named = named.iter().filter_map(|(name, _)| find(settings, name));
    let extra = find(settings, EXTRA).and_then(Value::as_array);
    let all = named.chain(extra.into_iter().flatten());
    let text = |value: &Value| {
        let text = value.as_str().or_else(|| value.get("content")?.as_str());
        text.map(str::to_owned)
    };
    all.filter_map(text).collect()
}

fn refused(name: &str) -> Error {
    Error::unsupported(
        CONFIG,
        format!(
            "`{name}` must be a token or tokens with the type AddedToken, or transformers 5 does not load it"
        ),
    )
}

fn token(name: &str, value: &Value) -> Result<SpecialTokenConfig> {
    match value {
        Value::String(text) => Ok(SpecialTokenConfig::Text(text.clone())),
        Value::Object(fields)
            if fields
                .get("__type")
                .is_some_and(|kind| kind == "AddedToken") =>
        {
            let token = serde_json::from_value::<AddedTokenFields>(value.clone());
            token
                .map(|token| {
                    SpecialTokenConfig::Full(AddedTokenFields {
                        id: None,
                        kind: None,
                        ..token
                    })
                })
                .map_err(|_| refused(name))
        }
        _ => Err(refused(name)),
    }
}

fn list(name: &str, value: Option<&Value>) -> Result<Tokens> {
    match value {
        None => Ok(Slot::Absent),
        Some(Value::Null) => Ok(Slot::Null),
        Some(Value::Array(items)) => {
            let tokens = items.iter().map(|item| token(name, item));
            tokens.collect::<Result<_>>().map(Slot::Given)
        }
        Some(_) => Err(refused(name)),
    }
}
