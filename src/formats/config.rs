//! `config.json`, `tokenizer_config.json`, `special_tokens_map.json`, `added_tokens.json` → typed settings.
//!
//! Only what the program uses is named; every other key is ignored, as transformers ignores it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::json::parse_settings;
use super::quote::quote;
use crate::error::{Error, Result};

/// The part of `config.json` that says how large the model is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelConfig {
    pub model_type: Option<String>,
    /// Declared number of ids, which may be more than the tokenizer has.
    pub vocab_size: Option<u64>,
    /// Values per row of the embedding matrix.
    pub hidden_size: Option<u64>,
    /// Tokens that fit the context window.
    pub max_position_embeddings: Option<u64>,
    pub pad_token_id: Option<u64>,
}

/// The keys as families write them: GPT-2 has `n_positions` and `n_embd`, T5 `d_model`; multimodal models keep the
/// sizes of their text part under `text_config`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ModelConfigKeys {
    model_type: Option<String>,
    #[serde(deserialize_with = "size")]
    vocab_size: Option<u64>,
    #[serde(deserialize_with = "size")]
    hidden_size: Option<u64>,
    #[serde(deserialize_with = "size")]
    n_embd: Option<u64>,
    #[serde(deserialize_with = "size")]
    d_model: Option<u64>,
    #[serde(deserialize_with = "size")]
    max_position_embeddings: Option<u64>,
    #[serde(deserialize_with = "size")]
    n_positions: Option<u64>,
    #[serde(deserialize_with = "size")]
    pad_token_id: Option<u64>,
    text_config: Option<Box<ModelConfigKeys>>,
}

impl ModelConfig {
    /// Parses `config.json`.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not a JSON object.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        parse_settings::<ModelConfigKeys>(name, bytes).map(Self::from)
    }
}

impl From<ModelConfigKeys> for ModelConfig {
    fn from(keys: ModelConfigKeys) -> Self {
        let text = keys
            .text_config
            .map(|text| Self::from(*text))
            .unwrap_or_default();
        Self {
            model_type: keys.model_type,
            vocab_size: keys.vocab_size.or(text.vocab_size),
            hidden_size: (keys.hidden_size)
                .or(keys.n_embd)
                .or(keys.d_model)
                .or(text.hidden_size),
            max_position_embeddings: (keys.max_position_embeddings)
                .or(keys.n_positions)
                .or(text.max_position_embeddings),
            pad_token_id: keys.pad_token_id.or(text.pad_token_id),
        }
    }
}

/// `tokenizer_config.json`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TokenizerConfig {
    pub tokenizer_class: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub do_lower_case: bool,
    #[serde(deserialize_with = "flag")]
    pub split_by_punct: bool,
    #[serde(deserialize_with = "flag")]
    pub clean_up_tokenization_spaces: bool,
    /// Which parts of an encoding the reference returns unasked.
    pub model_input_names: Option<Vec<String>>,
    /// `1e30` and the like mean unset: see [`TokenizerConfig::max_length`].
    pub model_max_length: Option<f64>,
    pub truncation_side: Option<String>,
    /// By id, which the JSON holds as text.
    pub added_tokens_decoder: Option<BTreeMap<u32, AddedTokenConfig>>,
    #[serde(flatten)]
    pub special_tokens: SpecialTokensMap,
}

impl TokenizerConfig {
    /// `model_max_length` in tokens, where it is one: the reference writes `int(1e30)` for "none".
    pub fn max_length(&self) -> Option<u64> {
        const UNSET: f64 = 1e9;
        self.model_max_length
            .filter(|&length| (1.0..UNSET).contains(&length))
            .map(|length| length as u64)
    }
}

/// The named special tokens, from `special_tokens_map.json` or `tokenizer_config.json`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SpecialTokensMap {
    pub bos_token: Option<SpecialTokenConfig>,
    pub eos_token: Option<SpecialTokenConfig>,
    pub unk_token: Option<SpecialTokenConfig>,
    pub sep_token: Option<SpecialTokenConfig>,
    pub pad_token: Option<SpecialTokenConfig>,
    pub cls_token: Option<SpecialTokenConfig>,
    pub mask_token: Option<SpecialTokenConfig>,
    #[serde(deserialize_with = "tokens")]
    pub additional_special_tokens: Vec<SpecialTokenConfig>,
}

impl SpecialTokensMap {
    /// The named tokens in the order in which the reference adds them to its vocabulary.
    pub fn named(&self) -> [(&'static str, Option<&SpecialTokenConfig>); 7] {
        [
            ("bos_token", self.bos_token.as_ref()),
            ("eos_token", self.eos_token.as_ref()),
            ("unk_token", self.unk_token.as_ref()),
            ("sep_token", self.sep_token.as_ref()),
            ("pad_token", self.pad_token.as_ref()),
            ("cls_token", self.cls_token.as_ref()),
            ("mask_token", self.mask_token.as_ref()),
        ]
    }

    /// The same slots, to be filled.
    pub fn named_mut(&mut self) -> [(&'static str, &mut Option<SpecialTokenConfig>); 7] {
        [
            ("bos_token", &mut self.bos_token),
            ("eos_token", &mut self.eos_token),
            ("unk_token", &mut self.unk_token),
            ("sep_token", &mut self.sep_token),
            ("pad_token", &mut self.pad_token),
            ("cls_token", &mut self.cls_token),
            ("mask_token", &mut self.mask_token),
        ]
    }
}

/// A special token as files give it: its text alone, or with its matching rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(untagged)]
pub enum SpecialTokenConfig {
    Text(String),
    Full(AddedTokenConfig),
}

impl SpecialTokenConfig {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Full(token) => &token.content,
        }
    }
}

/// A token that is matched in the text before it is segmented (`AddedToken` of the reference).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "AddedTokenFields")]
pub struct AddedTokenConfig {
    pub content: String,
    /// Takes the white space on its left with it.
    pub lstrip: bool,
    /// Takes the white space on its right with it.
    pub rstrip: bool,
    /// Does not match inside a word.
    pub single_word: bool,
    /// Is matched after normalization rather than on the raw text.
    pub normalized: bool,
    pub special: bool,
}

#[derive(Deserialize)]
struct AddedTokenFields {
    content: String,
    #[serde(default)]
    lstrip: bool,
    #[serde(default)]
    rstrip: bool,
    #[serde(default)]
    single_word: bool,
    normalized: Option<bool>,
    #[serde(default)]
    special: bool,
}

impl From<AddedTokenFields> for AddedTokenConfig {
    fn from(fields: AddedTokenFields) -> Self {
        Self {
            content: fields.content,
            lstrip: fields.lstrip,
            rstrip: fields.rstrip,
            single_word: fields.single_word,
            normalized: fields.normalized.unwrap_or(!fields.special),
            special: fields.special,
        }
    }
}

/// `added_tokens.json`: ids by token text, in the order of the file.
pub fn parse_added_tokens(name: &str, bytes: &[u8]) -> Result<Vec<(String, u32)>> {
    let map: Map<String, Value> = parse_settings(name, bytes)?;
    map.into_iter()
        .map(|(text, id)| {
            id.as_u64()
                .and_then(|id| u32::try_from(id).ok())
                .map(|id| (text.clone(), id))
                .ok_or_else(|| Error::damaged(name, format!("the id of {} is {id}", quote(&text))))
        })
        .collect()
}

/// A size: a whole number, or absent where a file says `null`, `-1` or something else.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_u64())
}

/// A flag that files may also leave `null`.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A list that files may also leave `null`.
fn tokens<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SpecialTokenConfig>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_1e30_is_none() {
        let config: TokenizerConfig = parse_settings(
            "tokenizer_config.json",
            br#"{"model_max_length": 1000000000000000019884624838656, "do_lower_case": null}"#,
        )
        .unwrap();
        assert_eq!(config.max_length(), None);
        let config: TokenizerConfig = parse_settings("t", br#"{"model_max_length": 512}"#).unwrap();
        assert_eq!(config.max_length(), Some(512));
    }

    #[test]
    fn special_tokens_come_as_text_or_with_rules() {
        let config: TokenizerConfig = parse_settings(
            "tokenizer_config.json",
            br#"{"cls_token": "[CLS]", "mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": true}}"#,
        )
        .unwrap();
        assert_eq!(config.special_tokens.cls_token.unwrap().text(), "[CLS]");
        let Some(SpecialTokenConfig::Full(mask)) = config.special_tokens.mask_token else {
            panic!("the mask token has rules");
        };
        assert!(mask.lstrip && mask.normalized && !mask.special);
    }

    #[test]
    fn sizes_of_other_families_are_found() {
        let gpt2 =
            ModelConfig::parse("config.json", br#"{"n_positions": 1024, "n_embd": 768}"#).unwrap();
        assert_eq!(gpt2.max_position_embeddings, Some(1024));
        assert_eq!(gpt2.hidden_size, Some(768));
        let nested = ModelConfig::parse(
            "config.json",
            br#"{"text_config": {"vocab_size": 9}, "pad_token_id": -1}"#,
        )
        .unwrap();
        assert_eq!(nested.vocab_size, Some(9));
        assert_eq!(nested.pad_token_id, None);
    }
}
