//! The settings of a BPE, WordPiece, or WordLevel model in a `tokenizer.json`.
//!
//! The format is defined by the `tokenizers` crate.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::json::unread::UnreadBudget;
use super::setting::Setting;

/// The settings of a model. A setting that is absent or null has the default of the crate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelSettings {
    /// The piece that stands for text that no other piece can spell.
    pub unk_token: Option<String>,
    /// The prefix of pieces that continue a word.
    pub continuing_subword_prefix: Option<String>,
    /// The suffix of pieces that end a word.
    pub end_of_word_suffix: Option<String>,
    /// True if neighboring unknown characters are one token.
    pub fuse_unk: Option<bool>,
    /// True if unknown characters are encoded as byte pieces.
    pub byte_fallback: Option<bool>,
    /// True if a word that is a piece becomes that token, without merges.
    pub ignore_merges: Option<bool>,
    /// The probability of leaving out a merge.
    pub dropout: Option<f32>,
    /// The longest word, in characters, that WordPiece splits into pieces.
    pub max_input_chars_per_word: Option<usize>,
}

impl ModelSettings {
    /// Sets the setting called `name`. Null changes nothing, as in the crate. Returns false if there is no such setting,
    /// or if the crate refuses the value.
    pub fn set(&mut self, name: &str, value: Setting) -> bool {
        match (name, value) {
            ("unk_token", Setting::Text(text)) => self.unk_token = Some(text),
            ("continuing_subword_prefix", Setting::Text(text)) => {
                self.continuing_subword_prefix = Some(text);
            }
            ("end_of_word_suffix", Setting::Text(text)) => self.end_of_word_suffix = Some(text),
            ("fuse_unk", Setting::Bool(flag)) => self.fuse_unk = Some(flag),
            ("byte_fallback", Setting::Bool(flag)) => self.byte_fallback = Some(flag),
            ("ignore_merges", Setting::Bool(flag)) => self.ignore_merges = Some(flag),
            ("dropout", Setting::Number(number)) => self.dropout = Some(number as f32),
            ("dropout", Setting::Size(number)) => self.dropout = Some(number as f32),
            ("max_input_chars_per_word", Setting::Size(size)) => {
                self.max_input_chars_per_word = usize::try_from(size).ok();
            }
            (name, Setting::Null) => return NAMES.contains(&name),
            _ => return false,
        }
        true
    }
}

/// The names of the settings.
pub const NAMES: [&str; 8] = [
    "unk_token",
    "continuing_subword_prefix",
    "end_of_word_suffix",
    "fuse_unk",
    "byte_fallback",
    "ignore_merges",
    "dropout",
    "max_input_chars_per_word",
];

/// Reads a setting at the cost of one value of the budget. Lists and objects cost as much as they hold.
pub struct SettingSeed<'b>(pub &'b UnreadBudget);

impl<'de> DeserializeSeed<'de> for SettingSeed<'_> {
    type Value = Setting;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Setting, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for SettingSeed<'_> {
    type Value = Setting;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting")
    }

    fn visit_unit<E: Error>(self) -> Result<Setting, E> {
        self.0.spend().map(|()| Setting::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Setting, E> {
        self.0.spend().map(|()| Setting::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Setting, E> {
        self.0.spend().map(|()| Setting::Number(number as f64))
    }

    fn visit_u64<E: Error>(self, size: u64) -> Result<Setting, E> {
        self.0.spend().map(|()| Setting::Size(size))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Setting, E> {
        self.0.spend().map(|()| Setting::Number(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Setting, E> {
        let text = Setting::Text(text.to_owned());
        self.0.spend().map(|()| text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Setting, A::Error> {
        self.0.any().visit_seq(list)?;
        Ok(Setting::Container(true))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Setting, A::Error> {
        self.0.any().visit_map(map)?;
        Ok(Setting::Container(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: Setting) -> Option<ModelSettings> {
        let mut settings = ModelSettings::default();
        settings.set(name, value).then_some(settings)
    }

    #[test]
    fn a_setting_may_be_null_but_not_of_another_type() {
        for name in NAMES {
            assert_eq!(set(name, Setting::Null), Some(ModelSettings::default()));
            assert_eq!(set(name, Setting::Container(true)), None, "{name}");
        }
        let fused = set("fuse_unk", Setting::Bool(true)).unwrap();
        assert_eq!(fused.fuse_unk, Some(true));
        assert_eq!(set("fuse_unk", Setting::Size(1)), None);
        assert_eq!(set("x", Setting::Null), None);
    }
}
