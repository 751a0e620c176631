//! The settings in `tokenizer_config.json`, `special_tokens_map.json`, and `added_tokens.json`.
//!
//! Unused keys are ignored, as in transformers.

use std::collections::BTreeMap;

use serde::Deserialize;

pub use super::added_tokens_decoder::OwnTokens;
use super::added_tokens_decoder::{self, Tokens};
use super::class_settings::ClassSettings;
use super::json::{MAX_SETTINGS_BYTES, OrderedMap, parse_settings, parse_three_settings};
use super::setting;
pub use super::special_tokens::{
    AddedTokenConfig, AddedTokenFields, ExtraTokens, Slot, SpecialTokenConfig, SpecialTokensMap,
};
use crate::error::Result;

/// The settings in `tokenizer_config.json`. Read with [`TokenizerConfig::parse`].
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct TokenizerConfig {
    pub tokenizer_class: Option<String>,
    #[serde(deserialize_with = "setting::truth")]
    pub split_by_punct: bool,
    #[serde(deserialize_with = "setting::truth")]
    pub clean_up_tokenization_spaces: bool,
    /// The parts of an encoding that the reference returns by default.
    pub model_input_names: Option<Vec<String>>,
    /// Values like `1e30` mean that there is no limit: see [`TokenizerConfig::max_length`].
    pub model_max_length: Option<f64>,
    /// The name of `model_max_length` in files from before 2020.
    pub max_len: Option<f64>,
    pub truncation_side: Option<String>,
    /// By id. In JSON the ids are strings.
    pub added_tokens_decoder: Option<BTreeMap<u32, AddedTokenFields>>,
    /// True if that list is left out, since it has the tokens of the `tokenizer.json` with the same ids and rules.
    #[serde(skip)]
    pub lists_own_tokens: bool,
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
    /// Parses `tokenizer_config.json`. `own` are the added tokens of the `tokenizer.json`, if the model has one.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if it is not a JSON object, or has settings of another type.
    ///
    /// [`Error::Damaged`]: crate::error::Error::Damaged
    pub fn parse(name: &str, bytes: &[u8], own: OwnTokens<'_>) -> Result<Self> {
        Self::without_tokens(name, bytes, own).map_or_else(|| Self::parse_all(name, bytes), Ok)
    }

    /// Parses a file whose `added_tokens_decoder` can be taken out. Returns `None` for other files, and for an error.
    fn without_tokens(name: &str, bytes: &[u8], own: OwnTokens<'_>) -> Option<Self> {
        if bytes.len() > MAX_SETTINGS_BYTES {
            return None;
        }
        let (tokens, rest) = added_tokens_decoder::take(bytes, own)?;
        let mut config = Self::parse_all(name, &rest).ok()?;
        let stand_in = config.added_tokens_decoder.take()?;
        match tokens {
            Tokens::Own => config.lists_own_tokens = true,
            Tokens::Other(tokens) => config.added_tokens_decoder = Some(tokens),
        }
        (stand_in == added_tokens_decoder::stand_in()).then_some(config)
    }

    fn parse_all(name: &str, bytes: &[u8]) -> Result<Self> {
        let (special_tokens, class, rest) = parse_three_settings(name, bytes)?;
        Ok(Self {
            special_tokens,
            class,
            ..rest
        })
    }

    /// Returns `model_max_length`, or else `max_len`, in tokens, or `None` if there is no limit. The reference writes "no
    /// limit" as `int(1e30)`.
    pub fn max_length(&self) -> Option<u64> {
        const UNSET: f64 = 1e9;
        (self.model_max_length)
            .or(self.max_len)
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
    parse_settings(name, bytes).map(|OrderedMap(ids)| ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_1e30_means_no_limit() {
        let config = TokenizerConfig::parse(
            "tokenizer_config.json",
            br#"{"model_max_length": 1000000000000000019884624838656, "do_lower_case": null}"#,
            OwnTokens::default(),
        )
        .unwrap();
        assert_eq!(config.max_length(), None);
        let config =
            TokenizerConfig::parse("t", br#"{"model_max_length": 512}"#, OwnTokens::default())
                .unwrap();
        assert_eq!(config.max_length(), Some(512));
    }

    #[test]
    fn special_tokens_are_read_with_and_without_rules() {
        let config = TokenizerConfig::parse(
            "tokenizer_config.json",
            br#"{"cls_token": "[CLS]", "mask_token": {"__type": "AddedToken", "content": "<mask>", "lstrip": true}}"#,
            OwnTokens::default(),
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
        let config = TokenizerConfig::parse(
            "tokenizer_config.json",
            br#"{"model_max_length": Infinity, "x": {"y": [-Infinity]}, "unk_token": "a", "unk_token": {"content": "a",
                "content": "b"}, "split_by_punct": false, "split_by_punct": true, "z": "\ud800"}"#,
            OwnTokens::default(),
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
}
