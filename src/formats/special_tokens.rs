//! Special and added tokens as the files of a model have them.

use std::fmt;
use std::sync::Arc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::json::OrderedMap;

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
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AddedTokenConfig {
    /// Shared by the copies that the engine keeps.
    pub content: Arc<str>,
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
            content: fields.content.into(),
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
            content: token.content.to_string(),
            lstrip: token.lstrip,
            rstrip: token.rstrip,
            single_word: token.single_word,
            normalized: Some(token.normalized),
            special: token.special,
        }
    }
}
