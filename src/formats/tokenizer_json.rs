//! Reads the vocabulary and the settings in `tokenizer.json`, without building a tokenizer.
//!
//! The format is defined by the `tokenizers` crate.

use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::config::{AddedTokenConfig, AddedTokenFields};
use super::expansion_limits::{self, MAX_PIECE_LENGTH, too_long_piece};
use super::json::limits::{self, check_length};
use super::json::parse;
use super::setting::Setting;
use crate::error::Result;

/// The content of a `tokenizer.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Fields")]
pub struct TokenizerJson {
    pub model: ModelJson,
    pub rest: RestJson,
}

/// The content of a `tokenizer.json` apart from its model. A missing step is null.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RestJson {
    /// In the order in which they are added to the vocabulary.
    pub added_tokens: Vec<AddedTokenConfig>,
    /// The id that the file states for each of them, which is not always the one that they get.
    pub added_token_ids: Vec<Option<u32>>,
    /// The side at which the file asks to truncate texts: `Left` or `Right`.
    pub truncation_direction: Option<String>,
    pub normalizer: Value,
    pub pre_tokenizer: Value,
    pub post_processor: Value,
    pub decoder: Value,
}

/// The fields of the file.
#[derive(Debug, Deserialize)]
struct Fields {
    model: ModelJson,
    #[serde(default, deserialize_with = "limits::list")]
    added_tokens: Vec<AddedTokenFields>,
    #[serde(default)]
    truncation: Option<Truncation>,
    #[serde(default, deserialize_with = "limits::value")]
    normalizer: Value,
    #[serde(default, deserialize_with = "limits::value")]
    pre_tokenizer: Value,
    #[serde(default, deserialize_with = "limits::value")]
    post_processor: Value,
    #[serde(default, deserialize_with = "limits::value")]
    decoder: Value,
}

#[derive(Debug, Deserialize)]
struct Truncation {
    #[serde(default)]
    direction: Setting,
}

impl From<Fields> for TokenizerJson {
    fn from(fields: Fields) -> Self {
        let direction = (fields.truncation)
            .map(|truncation| truncation.direction.text().unwrap_or("Right").to_owned());
        Self {
            model: fields.model,
            rest: RestJson {
                added_token_ids: fields.added_tokens.iter().map(|token| token.id).collect(),
                added_tokens: fields.added_tokens.into_iter().map(Into::into).collect(),
                truncation_direction: direction,
                normalizer: fields.normalizer,
                pre_tokenizer: fields.pre_tokenizer,
                post_processor: fields.post_processor,
                decoder: fields.decoder,
            },
        }
    }
}

/// The `model` of `tokenizer.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct ModelJson {
    /// The algorithm, which files from before 2020 omit.
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    pub vocab: VocabularyJson,
    pub unk_id: Option<u32>,
    /// True if unknown characters are encoded as byte pieces.
    #[serde(default)]
    pub byte_fallback: Option<bool>,
    #[serde(default, deserialize_with = "some_list")]
    merges: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    max_input_chars_per_word: Option<IgnoredAny>,
}

impl ModelJson {
    /// Returns the algorithm: Unigram, BPE, WordPiece, or WordLevel. If the file does not name it, it is inferred from
    /// the fields that only one of them has.
    pub fn algorithm(&self) -> &str {
        match (&self.kind, &self.vocab) {
            (Some(kind), _) => kind,
            (None, VocabularyJson::Scored(_)) => "Unigram",
            (None, _) if self.merges.is_some() => "BPE",
            (None, _) if self.max_input_chars_per_word.is_some() => "WordPiece",
            (None, _) => "WordLevel",
        }
    }
}

/// The pieces of a model.
#[derive(Debug, Clone)]
pub enum VocabularyJson {
    /// Pieces and scores in the order of ids, for Unigram.
    Scored(Vec<(String, f64)>),
    /// Pieces and ids, for the other algorithms.
    ById(Vec<(String, u32)>),
}

impl Default for VocabularyJson {
    fn default() -> Self {
        Self::ById(Vec::new())
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

impl<'de> Deserialize<'de> for VocabularyJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListOrMap;

        impl<'de> Visitor<'de> for ListOrMap {
            type Value = VocabularyJson;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of pieces and scores, or a map of pieces to ids")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut pieces = Vec::new();
                while let Some((piece, score)) = list.next_element::<(String, f64)>()? {
                    check_length(pieces.len())?;
                    if piece.len() > MAX_PIECE_LENGTH {
                        return Err(A::Error::custom(too_long_piece(pieces.len(), piece.len())));
                    }
                    pieces.push((piece, score));
                }
                Ok(VocabularyJson::Scored(pieces))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pieces = Vec::new();
                while let Some(piece) = map.next_entry()? {
                    check_length(pieces.len())?;
                    pieces.push(piece);
                }
                Ok(VocabularyJson::ById(pieces))
            }
        }

        deserializer.deserialize_any(ListOrMap)
    }
}

/// Reads a list but not its items: only the presence of the list matters.
fn some_list<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<IgnoredAny>>, D::Error> {
    limits::list(deserializer).map(Some)
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
        assert_eq!(bpe.rest.added_tokens[0].content, "<s>");
        assert!(
            matches!(bpe.model.vocab, VocabularyJson::ById(pieces) if pieces == [("a".to_owned(), 0)])
        );
    }

    #[test]
    fn other_json_is_damaged() {
        for bytes in [&b"[]"[..], b"{}", br#"{"model": {"vocab": 3}}"#] {
            assert!(TokenizerJson::parse("tokenizer.json", bytes).is_err());
        }
    }
}
