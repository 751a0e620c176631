//! The settings in `config.json`, `tokenizer_config.json`, `special_tokens_map.json`, and `added_tokens.json`.
//!
//! Unused keys are ignored, as in transformers.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::class_settings::{ClassSettings, NestedModelType};
use super::json::{OrderedMap, loose, parse_settings};
use super::setting::Setting;
pub use super::special_tokens::{
    AddedTokenConfig, AddedTokenFields, ExtraTokens, Slot, SpecialTokenConfig, SpecialTokensMap,
};
use crate::error::Result;

/// The sizes of a model, from `config.json`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelConfig {
    pub model_type: Option<String>,
    /// The class of the tokenizer, if `tokenizer_config.json` does not name one.
    pub tokenizer_class: Option<String>,
    /// The type of the encoder, in a model of an encoder and a decoder.
    pub encoder_model_type: Option<String>,
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
    encoder: NestedModelType,
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
            encoder_model_type: keys.encoder.0,
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
