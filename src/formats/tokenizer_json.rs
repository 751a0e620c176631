//! Reads the vocabulary and the settings in `tokenizer.json`, without building a tokenizer.
//!
//! The format is defined by the `tokenizers` crate.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::config::{AddedTokenConfig, AddedTokenFields};
use super::expansion_limits;
use super::json::limits;
use super::json::parse;
use super::json::unread::{KnownFields, UnreadBudget};
use super::merge_list::{MergeList, MergesSeed};
use super::model_settings::{self, ModelSettings, SettingSeed};
use super::piece_list::{Numbers, PieceList};
use super::setting::Setting;
use super::short_tokens;
use crate::error::Result;

/// The content of a `tokenizer.json`.
#[derive(Debug, Clone, Default)]
pub struct TokenizerJson {
    pub model: ModelJson,
    pub rest: RestJson,
}

/// The content of a `tokenizer.json` apart from its model. A missing step is null.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RestJson {
    /// In the order in which they are added to the vocabulary.
    #[serde(with = "short_tokens")]
    pub added_tokens: Vec<AddedTokenConfig>,
    /// The id that the file states for each of them, which is not always the one that they get.
    pub added_token_ids: Vec<Option<u32>>,
    /// The side at which the file asks to truncate texts: `Left` or `Right`.
    pub truncation_direction: Option<String>,
    /// The token with which the file asks to pad texts.
    pub padding_token: Option<String>,
    pub normalizer: Value,
    pub pre_tokenizer: Value,
    pub post_processor: Value,
    pub decoder: Value,
    /// True if the added tokens have the ids that the file states.
    #[serde(default)]
    pub has_stated_ids: bool,
}

#[derive(Debug, Deserialize)]
struct Padding {
    #[serde(default)]
    pad_token: Setting,
}

#[derive(Debug, Deserialize)]
struct Truncation {
    #[serde(default)]
    direction: Setting,
}

/// The fields of the file. The crate refuses any other.
const FIELDS: &[&str] = &[
    "version",
    "truncation",
    "padding",
    "added_tokens",
    "normalizer",
    "pre_tokenizer",
    "post_processor",
    "decoder",
    "model",
];
/// The only version of the format.
const VERSION: &str = "1.0";

impl<'de> Deserialize<'de> for TokenizerJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct File;

        impl<'de> Visitor<'de> for File {
            type Value = TokenizerJson;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with a model")
            }

            /// If a field occurs twice, the last value counts, as in the crate.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut model, mut rest) = (None, RestJson::default());
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "version" => check_version(&map.next_value::<String>()?)?,
                        "truncation" => {
                            let truncation = map.next_value::<Option<Truncation>>()?;
                            rest.truncation_direction = truncation.map(|truncation| {
                                truncation.direction.text().unwrap_or("Right").to_owned()
                            });
                        }
                        "padding" => {
                            let padding = map.next_value::<Option<Padding>>()?;
                            let token = padding.map(|padding| padding.pad_token);
                            rest.padding_token =
                                token.and_then(|token| token.text().map(str::to_owned));
                        }
                        "added_tokens" => {
                            let tokens = map.next_value::<AddedTokens>()?.0;
                            rest.added_token_ids = tokens.iter().map(|token| token.id).collect();
                            rest.added_tokens = tokens.into_iter().map(Into::into).collect();
                        }
                        "normalizer" => rest.normalizer = map.next_value::<Step>()?.0,
                        "pre_tokenizer" => rest.pre_tokenizer = map.next_value::<Step>()?.0,
                        "post_processor" => rest.post_processor = map.next_value::<Step>()?.0,
                        "decoder" => rest.decoder = map.next_value::<Step>()?.0,
                        "model" => model = Some(map.next_value()?),
                        other => return Err(A::Error::unknown_field(other, FIELDS)),
                    }
                }
                let model = model.ok_or_else(|| A::Error::missing_field("model"))?;
                Ok(TokenizerJson { model, rest })
            }
        }

        deserializer.deserialize_map(File)
    }
}

fn check_version<E: Error>(version: &str) -> Result<(), E> {
    if version == VERSION {
        return Ok(());
    }
    let found = Unexpected::Str(version);
    Err(E::invalid_value(found, &"the version `1.0`"))
}

struct Step(Value);

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        limits::value(deserializer).map(Self)
    }
}

/// The `added_tokens` of `tokenizer.json`.
struct AddedTokens(Vec<AddedTokenFields>);

impl<'de> Deserialize<'de> for AddedTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tokens = limits::list_with(deserializer, &UnreadBudget::default(), |budget| {
            TokenSeed(budget)
        });
        tokens.map(Self)
    }
}

/// Reads an added token.
struct TokenSeed<'b>(&'b UnreadBudget);

impl<'de> DeserializeSeed<'de> for TokenSeed<'_> {
    type Value = AddedTokenFields;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for TokenSeed<'_> {
    type Value = AddedTokenFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an added token")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        AddedTokenFields::deserialize(MapAccessDeserializer::new(KnownFields {
            map,
            names: &[
                "id",
                "__type",
                "content",
                "single_word",
                "lstrip",
                "rstrip",
                "normalized",
                "special",
            ],
            budget: self.0,
        }))
    }
}

/// The `model` of `tokenizer.json`.
#[derive(Debug, Clone, Default)]
pub struct ModelJson {
    /// The algorithm, which files from before 2020 omit.
    pub kind: Option<String>,
    pub vocab: PieceList,
    pub unk_id: Option<u32>,
    pub settings: ModelSettings,
    pub merges: Option<MergeList>,
    /// True if the crate refuses the type or a setting.
    pub is_refused: bool,
    /// True if the model has any other field.
    pub has_other_fields: bool,
}

impl<'de> Deserialize<'de> for ModelJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Model;

        impl<'de> Visitor<'de> for Model {
            type Value = ModelJson;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let budget = UnreadBudget::default();
                let mut model = ModelJson::default();
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "type" if model.kind.is_some() => {
                            return Err(A::Error::duplicate_field("type"));
                        }
                        "type" => {
                            model.kind = map.next_value()?;
                            model.is_refused |= model.kind.is_none();
                        }
                        "vocab" => model.vocab = map.next_value()?,
                        "unk_id" => model.unk_id = map.next_value()?,
                        "merges" => {
                            model.merges = Some(map.next_value_seed(MergesSeed(&budget))?);
                        }
                        name if model_settings::NAMES.contains(&name) => {
                            let value = map.next_value_seed(SettingSeed(&budget))?;
                            model.is_refused |= !model.settings.set(name, value);
                        }
                        _ => {
                            map.next_value_seed(budget.any())?;
                            model.has_other_fields = true;
                        }
                    }
                }
                Ok(model)
            }
        }

        deserializer.deserialize_map(Model)
    }
}

impl ModelJson {
    /// Returns the algorithm: Unigram, BPE, WordPiece, or WordLevel. If the file does not name it, it is inferred from
    /// the fields that only one of them has.
    pub fn algorithm(&self) -> &str {
        match (&self.kind, &self.vocab.numbers) {
            (Some(kind), _) => kind,
            (None, Numbers::Scores(_)) => "Unigram",
            (None, _) if self.merges.is_some() => "BPE",
            (None, _) if self.settings.max_input_chars_per_word.is_some() => "WordPiece",
            (None, _) => "WordLevel",
        }
    }
}

impl TokenizerJson {
    /// Parses the file called `name`.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the file is not a `tokenizer.json`.
    ///
    /// [`Error::Damaged`]: crate::error::Error::Damaged
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        let json: Self = parse(name, bytes)?;
        json.rest.check(name)?;
        Ok(json)
    }
}

impl RestJson {
    /// Refuses steps that would exhaust memory on a small text.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`], which names the file.
    ///
    /// [`Error::Damaged`]: crate::error::Error::Damaged
    pub fn check(&self, name: &str) -> Result<()> {
        expansion_limits::check_steps(name, &[&self.normalizer, &self.pre_tokenizer])?;
        expansion_limits::check_steps(name, &[&self.decoder])?;
        expansion_limits::check_post_processor(name, &self.post_processor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_vocabulary_are_read() {
        let unigram = br#"{"model": {"unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.5]]}}"#;
        let unigram = TokenizerJson::parse("tokenizer.json", unigram).unwrap();
        assert_eq!(unigram.model.algorithm(), "Unigram");
        assert_eq!(unigram.model.unk_id, Some(0));
        let bpe = br#"{"added_tokens": [{"id": 2, "content": "<s>", "special": true}], "model": {"vocab": {"a": 0}, "merges": []}}"#;
        let bpe = TokenizerJson::parse("tokenizer.json", bpe).unwrap();
        assert_eq!(bpe.model.algorithm(), "BPE");
        assert_eq!(&*bpe.rest.added_tokens[0].content, "<s>");
        assert_eq!(bpe.model.vocab.texts, ["a"]);
        assert!(matches!(bpe.model.vocab.numbers, Numbers::Ids(ids) if ids == [0]));
    }

    #[test]
    fn other_json_is_damaged() {
        for bytes in [
            &b"[]"[..],
            b"{}",
            br#"{"model": {"vocab": 3}}"#,
            br#"{"model": {}, "version": "2.0"}"#,
            br#"{"model": {}, "unknown": 1}"#,
            br#"{"model": {"type": "BPE", "type": "BPE"}}"#,
        ] {
            assert!(TokenizerJson::parse("tokenizer.json", bytes).is_err());
        }
    }

    #[test]
    fn of_two_fields_with_one_name_the_last_counts_as_in_the_crate() {
        let json = br#"{"model": {}, "normalizer": {"type": "NFC"}, "normalizer": {"type": "Lowercase", "type": "NFD"},
            "model": {"unk_id": 1, "unk_id": 2}}"#;
        let json = TokenizerJson::parse("tokenizer.json", json).unwrap();
        assert_eq!(json.model.unk_id, Some(2));
        assert_eq!(json.rest.normalizer.to_string(), r#"{"type":"NFD"}"#);
    }

    #[test]
    fn unknown_fields_are_skipped_up_to_a_limit() {
        let json = |values: usize| {
            let values = vec!["0"; values].join(",");
            [
                format!(r#"{{"model": {{"x": [{values}]}}}}"#),
                format!(r#"{{"model": {{"merges": [[[{values}]]]}}}}"#),
                format!(
                    r#"{{"model": {{}}, "added_tokens": [{{"content": "a", "x": [{values}]}}]}}"#
                ),
            ]
        };
        for json in json(10_000) {
            assert!(
                TokenizerJson::parse("tokenizer.json", json.as_bytes()).is_ok(),
                "{json:.60}"
            );
        }
        for json in json(70_000) {
            let error = TokenizerJson::parse("tokenizer.json", json.as_bytes()).unwrap_err();
            let sentence = error.to_string();
            assert!(
                sentence.starts_with(
                    "tokenizer.json is damaged: its unknown fields have more than 65536 values"
                ),
                "{sentence}"
            );
        }
    }
}
