//! The settings in `tokenizer_config.json` that only some classes of tokenizers have.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::setting::Setting;

/// The settings by which a class changes the tokenizer of a `tokenizer.json`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ClassSettings {
    pub do_lower_case: Setting,
    pub strip_accents: Setting,
    pub tokenize_chinese_chars: Setting,
    pub add_prefix_space: Setting,
    pub trim_offsets: Setting,
    pub add_bos_token: Setting,
    pub add_eos_token: Setting,
    pub split_special_tokens: Setting,
    pub src_lang: Setting,
    pub legacy_behaviour: Setting,
    pub legacy: Setting,
    pub from_slow: Setting,
    pub tokenizer_file: Setting,
    /// T5.
    pub extra_ids: Setting,
    /// Pegasus.
    pub offset: Setting,
    pub mask_token_sent: Setting,
    /// CodeLlama.
    pub prefix_token: Setting,
    pub middle_token: Setting,
    pub suffix_token: Setting,
    pub eot_token: Setting,
    /// Splinter.
    pub question_token: Setting,
}

/// The `model_type` of a nested configuration, such as the encoder of an encoder and a decoder. A value that is not an
/// object has none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NestedModelType(pub Option<String>);

impl<'de> Deserialize<'de> for NestedModelType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Nested;

        impl<'de> Visitor<'de> for Nested {
            type Value = Option<String>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(None)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut model_type = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "model_type" {
                        model_type = map.next_value::<Setting>()?.text().map(str::to_owned);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(model_type)
            }
        }

        deserializer.deserialize_any(Nested).map(Self)
    }
}
