//! The settings in `config.json`, `tokenizer_config.json`, `special_tokens_map.json`, and `added_tokens.json`.
//!
//! Unused keys are ignored, as in transformers.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::class_settings::ClassSettings;
use super::json::{OrderedMap, loose, parse_settings};
use super::setting::Setting;
use crate::error::Result;

/// The sizes of a model, from `config.json`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelConfig {
    pub model_type: Option<String>,
    /// The class of the tokenizer, if `tokenizer_config.json` does not name one.
    pub tokenizer_class: Option<String>,
    /// The declared number of ids, which may exceed the number in the tokenizer.
    pub vocab_size: Option<u64>,
    /// Columns of the embedding matrix.
    pub hidden_size: Option<u64>,
    /// Tokens that fit the context window.
    pub max_position_embeddings: Option<u64>,
    pub pad_token_id: Option<u64>,
}

/// The keys of `config.json`, which differ between model families: GPT-2 has `n_positions` and `n_embd`, T5 has
/// `d_model`, and multimodal models have the sizes of their text part under `text_config`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ModelConfigKeys {
    model_type: Option<String>,
    tokenizer_class: Setting,
    #[serde(deserialize_with = "loose::size")]
    vocab_size: Option<u64>,
    #[serde(deserialize_with = "loose::size")]
    hidden_size: Option<u64>,
    #[serde(deserialize_with = "loose::size")]
    n_embd: Option<u64>,
    #[serde(deserialize_with = "loose::size")]
    d_model: Option<u64>,
    #[serde(deserialize_with = "loose::size")]
    max_position_embeddings: Option<u64>,
    #[serde(deserialize_with = "loose::size")]
    n_positions: Option<u64>,
    #[serde(deserialize_with = "loose::size")]
    pad_token_id: Option<u64>,
    text_config: Option<Box<ModelConfigKeys>>,
}

impl ModelConfig {
    /// Parses `config.json`.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if it is not a JSON object.
    ///
    /// [`Error::Damaged`]: crate::error::Error::Damaged
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
            tokenizer_class: keys.tokenizer_class.text().map(str::to_owned),
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

/// The settings in `tokenizer_config.json`. Read with [`TokenizerConfig::parse`].
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TokenizerConfig {
    pub tokenizer_class: Option<String>,
    #[serde(deserialize_with = "loose::flag")]
    pub split_by_punct: bool,
    #[serde(deserialize_with = "loose::flag")]
    pub clean_up_tokenization_spaces: bool,
    /// The parts of an encoding that the reference returns by default.
    pub model_input_names: Option<Vec<String>>,
    /// Values like `1e30` mean that there is no limit: see [`TokenizerConfig::max_length`].
    pub model_max_length: Option<f64>,
    pub truncation_side: Option<String>,
    /// By id. In JSON the ids are strings.
    pub added_tokens_decoder: Option<BTreeMap<u32, AddedTokenFields>>,
    /// Special tokens with names of their own.
    pub extra_special_tokens: ExtraTokens,
    /// In the same object. `flatten` would hold every other field in memory.
    #[serde(skip)]
    pub special_tokens: SpecialTokensMap,
    /// In the same object, too.
    #[serde(skip)]
    pub class: ClassSettings,
}

impl TokenizerConfig {
    /// Parses `tokenizer_config.json`.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if it is not a JSON object, or has settings of another type.
    ///
    /// [`Error::Damaged`]: crate::error::Error::Damaged
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        let special_tokens = parse_settings(name, bytes)?;
        let class = parse_settings(name, bytes)?;
        Ok(Self {
            special_tokens,
            class,
            ..parse_settings(name, bytes)?
        })
    }

    /// Returns `model_max_length` in tokens, or `None` if there is no limit. The reference writes "no limit" as
    /// `int(1e30)`.
    pub fn max_length(&self) -> Option<u64> {
        const UNSET: f64 = 1e9;
        self.model_max_length
            .filter(|&length| (1.0..UNSET).contains(&length))
            .map(|length| length as u64)
    }
}

/// A value that may be absent or null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Slot<T> {
    /// The file does not have the key.
    #[default]
    Absent,
    Null,
    Given(T),
}

impl<T> Slot<T> {
    /// Returns the value, or `None` if it is absent or null.
    pub fn given(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Slot<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Given))
    }
}

/// The named special tokens, in `special_tokens_map.json` or `tokenizer_config.json`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct SpecialTokensMap {
    pub bos_token: Slot<SpecialTokenConfig>,
    pub eos_token: Slot<SpecialTokenConfig>,
    pub unk_token: Slot<SpecialTokenConfig>,
    pub sep_token: Slot<SpecialTokenConfig>,
    pub pad_token: Slot<SpecialTokenConfig>,
    pub cls_token: Slot<SpecialTokenConfig>,
    pub mask_token: Slot<SpecialTokenConfig>,
    pub additional_special_tokens: Slot<Vec<SpecialTokenConfig>>,
}

impl SpecialTokensMap {
    /// Returns the named tokens, in the order in which the reference adds them to its vocabulary.
    pub fn named(&self) -> [(&'static str, &Slot<SpecialTokenConfig>); 7] {
        [
            ("bos_token", &self.bos_token),
            ("eos_token", &self.eos_token),
            ("unk_token", &self.unk_token),
            ("sep_token", &self.sep_token),
            ("pad_token", &self.pad_token),
            ("cls_token", &self.cls_token),
            ("mask_token", &self.mask_token),
        ]
    }

    /// Returns the named tokens for modification, in the same order as [`Self::named`].
    pub fn named_mut(&mut self) -> [(&'static str, &mut Slot<SpecialTokenConfig>); 7] {
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

    /// Returns the additional special tokens.
    pub fn additional(&self) -> &[SpecialTokenConfig] {
        (self.additional_special_tokens.given()).map_or(&[], Vec::as_slice)
    }
}

/// A special token in a file, with or without matching rules.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SpecialTokenConfig {
    Text(String),
    Full(AddedTokenFields),
}

impl SpecialTokenConfig {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Full(token) => &token.content,
        }
    }
}

impl<'de> Deserialize<'de> for SpecialTokenConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrRules;

        impl<'de> Visitor<'de> for TextOrRules {
            type Value = SpecialTokenConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a token, or an object with its rules")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(SpecialTokenConfig::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, rules: A) -> Result<Self::Value, A::Error> {
                AddedTokenFields::deserialize(MapAccessDeserializer::new(rules))
                    .map(SpecialTokenConfig::Full)
            }
        }

        deserializer.deserialize_any(TextOrRules)
    }
}

/// Special tokens by name, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExtraTokens {
    pub tokens: Vec<(String, SpecialTokenConfig)>,
    /// True if the value is not an object of tokens, which the reference refuses.
    pub malformed: bool,
}

impl<'de> Deserialize<'de> for ExtraTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tokens;

        impl<'de> Visitor<'de> for Tokens {
            type Value = ExtraTokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tokens")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                let tokens = Vec::new();
                let malformed = true;
                Ok(ExtraTokens { tokens, malformed })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let tokens = OrderedMap::deserialize(MapAccessDeserializer::new(map))?.0;
                let malformed = false;
                Ok(ExtraTokens { tokens, malformed })
            }
        }

        deserializer.deserialize_any(Tokens)
    }
}

/// An added token, which is matched in the text before the model runs (`AddedToken` in the reference).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "AddedTokenFields")]
pub struct AddedTokenConfig {
    pub content: String,
    /// Includes the white space before it.
    pub lstrip: bool,
    /// Includes the white space after it.
    pub rstrip: bool,
    /// Matches only as a whole word.
    pub single_word: bool,
    /// Matches in the normalized text rather than in the raw text.
    pub normalized: bool,
    pub special: bool,
}

/// An added token as a file has it. Two tokens are the same if all their rules are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct AddedTokenFields {
    /// The id in a `tokenizer.json`.
    #[serde(default)]
    pub id: Option<u32>,
    /// `AddedToken`, which every token with rules in `tokenizer_config.json` has.
    #[serde(rename = "__type")]
    pub kind: Option<String>,
    pub content: String,
    #[serde(default)]
    pub lstrip: bool,
    #[serde(default)]
    pub rstrip: bool,
    #[serde(default)]
    pub single_word: bool,
    /// `None` leaves the choice to `special`, even if that changes later.
    pub normalized: Option<bool>,
    #[serde(default)]
    pub special: bool,
}

impl AddedTokenFields {
    /// Creates a token without rules.
    pub fn new(content: impl Into<String>, special: bool) -> Self {
        Self {
            id: None,
            kind: None,
            content: content.into(),
            lstrip: false,
            rstrip: false,
            single_word: false,
            normalized: None,
            special,
        }
    }
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

impl From<AddedTokenConfig> for AddedTokenFields {
    fn from(token: AddedTokenConfig) -> Self {
        Self {
            id: None,
            kind: None,
            content: token.content,
            lstrip: token.lstrip,
            rstrip: token.rstrip,
            single_word: token.single_word,
            normalized: Some(token.normalized),
            special: token.special,
        }
    }
}

/// Parses `added_tokens.json` into token texts and ids, in the order of the file.
///
/// # Errors
/// Fails with [`Error::Damaged`] if it is not a JSON object of ids.
///
/// [`Error::Damaged`]: crate::error::Error::Damaged
pub fn parse_added_tokens(name: &str, bytes: &[u8]) -> Result<Vec<(String, u32)>> {
    let ids: OrderedMap<TokenId> = parse_settings(name, bytes)?;
    Ok(ids.0.into_iter().map(|(text, id)| (text, id.0)).collect())
}

/// An id in `added_tokens.json`.
struct TokenId(u32);

impl<'de> Deserialize<'de> for TokenId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_1e30_means_no_limit() {
        let config = TokenizerConfig::parse(
            "tokenizer_config.json",
            br#"{"model_max_length": 1000000000000000019884624838656, "do_lower_case": null}"#,
        )
        .unwrap();
        assert_eq!(config.max_length(), None);
        let config = TokenizerConfig::parse("t", br#"{"model_max_length": 512}"#).unwrap();
        assert_eq!(config.max_length(), Some(512));
    }

    #[test]
    fn flags_have_the_truth_value_of_python() {
        for (value, flag) in [
            ("true", true),
            ("false", false),
            ("null", false),
            ("0", false),
            ("0.0", false),
            ("1", true),
            ("\"False\"", true),
            ("\"true\"", true),
            ("\"\"", false),
            ("[]", false),
            ("[0]", true),
            ("{}", false),
        ] {
            let text = format!("{{\"split_by_punct\": {value}}}");
            let config = TokenizerConfig::parse("t", text.as_bytes()).unwrap();
            assert_eq!(config.split_by_punct, flag, "{value}");
        }
    }

    #[test]
    fn special_tokens_are_read_with_and_without_rules() {
        let config = TokenizerConfig::parse(
            "tokenizer_config.json",
            br#"{"cls_token": "[CLS]", "mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": true}}"#,
        )
        .unwrap();
        let cls = config.special_tokens.cls_token.given().unwrap();
        assert_eq!(cls.text(), "[CLS]");
        let Slot::Given(SpecialTokenConfig::Full(mask)) = config.special_tokens.mask_token else {
            panic!("the mask token has rules");
        };
        assert!(mask.lstrip && !mask.special);
        assert!(AddedTokenConfig::from(mask).normalized);
    }

    #[test]
    fn values_that_only_python_reads_are_read() {
        let mamba =
            br#"{"time_step_limit": [0.0, Infinity], "vocab_size": 50288, "hidden_size": NaN}"#;
        let mamba = ModelConfig::parse("config.json", mamba).unwrap();
        assert_eq!((mamba.vocab_size, mamba.hidden_size), (Some(50_288), None));
        let config = TokenizerConfig::parse(
            "tokenizer_config.json",
            br#"{"model_max_length": Infinity, "x": {"y": [-Infinity]}, "unk_token": "a", "unk_token": {"content": "a",
                "content": "b"}, "split_by_punct": false, "split_by_punct": true, "z": "\ud800"}"#,
        )
        .unwrap();
        assert!(config.split_by_punct && config.max_length().is_none());
        assert_eq!(config.special_tokens.unk_token.given().unwrap().text(), "b");
        let tokens =
            parse_added_tokens("added_tokens.json", br#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        assert_eq!(tokens, [("a".to_owned(), 3), ("b".to_owned(), 2)]);
    }

    #[test]
    fn an_id_that_is_not_a_number_is_refused() {
        for id in ["\"x\"", "-1", "4294967296", "1.5", "null", "[]"] {
            let json = format!("{{\"a\": {id}}}");
            assert!(
                parse_added_tokens("added_tokens.json", json.as_bytes()).is_err(),
                "{id}"
            );
        }
    }

    #[test]
    fn keys_of_other_model_families_are_read() {
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
