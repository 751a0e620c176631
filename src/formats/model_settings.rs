//! Reads what a BPE, WordPiece, or WordLevel model of a `tokenizer.json` has besides its pieces: settings and merges.
//!
//! The format is defined by the `tokenizers` crate.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

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
    /// True if a word that is a piece is that token, whatever the merges.
    pub ignore_merges: Option<bool>,
    /// The probability of leaving out a merge.
    pub dropout: Option<f32>,
    /// The longest word, in characters, that WordPiece splits into pieces.
    pub max_input_chars_per_word: Option<usize>,
}

/// The settings of a model, and its merges in order of rank.
#[derive(Debug, Default)]
pub struct ModelParts<'a> {
    pub settings: ModelSettings,
    pub merges: Option<Vec<Merge<'a>>>,
}

/// Two pieces that are merged.
pub type Merge<'a> = (Cow<'a, str>, Cow<'a, str>);

impl<'a> ModelParts<'a> {
    /// Reads the model of a `tokenizer.json`. Returns `None` if the crate would refuse it.
    pub fn read(file: &'a [u8]) -> Option<Self> {
        let model = serde_json::from_slice::<FileFields>(file).ok()?.model;
        Some(Self {
            settings: ModelSettings {
                unk_token: model.unk_token,
                continuing_subword_prefix: model.continuing_subword_prefix,
                end_of_word_suffix: model.end_of_word_suffix,
                fuse_unk: model.fuse_unk,
                byte_fallback: model.byte_fallback,
                ignore_merges: model.ignore_merges,
                dropout: model.dropout,
                max_input_chars_per_word: model.max_input_chars_per_word,
            },
            merges: model.merges.map(|merges| merges.0),
        })
    }
}

#[derive(Deserialize)]
struct FileFields<'a> {
    #[serde(borrow)]
    model: ModelFields<'a>,
}

#[derive(Deserialize)]
struct ModelFields<'a> {
    unk_token: Option<String>,
    continuing_subword_prefix: Option<String>,
    end_of_word_suffix: Option<String>,
    fuse_unk: Option<bool>,
    byte_fallback: Option<bool>,
    ignore_merges: Option<bool>,
    dropout: Option<f32>,
    max_input_chars_per_word: Option<usize>,
    #[serde(borrow)]
    merges: Option<Merges<'a>>,
}

/// All merges, either as strings with a space or as pairs.
struct Merges<'a>(Vec<Merge<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Merges<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Merges<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of merges")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut merges = Vec::new();
                let (mut has_pairs, mut has_lines) = (false, false);
                while let Some(item) = list.next_element::<MergeJson>()? {
                    let is_pair = matches!(item, MergeJson::Pair(_));
                    has_pairs |= is_pair;
                    has_lines |= !is_pair;
                    match item {
                        MergeJson::Pair(merge) | MergeJson::Line(Some(merge)) => merges.push(merge),
                        MergeJson::Line(None) => {}
                    }
                }
                if has_pairs && has_lines {
                    return Err(A::Error::custom("merges are either strings or pairs"));
                }
                Ok(Merges(merges))
            }
        }

        deserializer.deserialize_seq(List)
    }
}

enum MergeJson<'a> {
    Pair(Merge<'a>),
    /// A line of a merges file. `None` for the line with its version.
    Line(Option<Merge<'a>>),
}

impl<'de: 'a, 'a> Deserialize<'de> for MergeJson<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Piece<'a>(#[serde(borrow)] Cow<'a, str>);

        struct Item;

        impl<'de> Visitor<'de> for Item {
            type Value = MergeJson<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a merge")
            }

            fn visit_borrowed_str<E: Error>(self, line: &'de str) -> Result<Self::Value, E> {
                let merge = split(line)?;
                let merge = merge.map(|(left, right)| (Cow::Borrowed(left), Cow::Borrowed(right)));
                Ok(MergeJson::Line(merge))
            }

            fn visit_str<E: Error>(self, line: &str) -> Result<Self::Value, E> {
                let merge = split(line)?;
                let owned = |part: &str| Cow::Owned(part.to_owned());
                Ok(MergeJson::Line(
                    merge.map(|(left, right)| (owned(left), owned(right))),
                ))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut next = || {
                    let piece = list.next_element::<Piece>()?;
                    piece.ok_or_else(|| A::Error::custom("a merge has two pieces"))
                };
                let (left, right) = (next()?.0, next()?.0);
                if list.next_element::<Piece>()?.is_some() {
                    return Err(A::Error::custom("a merge has two pieces"));
                }
                Ok(MergeJson::Pair((left, right)))
            }
        }

        deserializer.deserialize_any(Item)
    }
}

/// Splits a line of a merges file. Returns `None` for the line with its version.
fn split<E: Error>(line: &str) -> Result<Option<(&str, &str)>, E> {
    if line.starts_with("#version") {
        return Ok(None);
    }
    let parts = line.split_once(' ');
    let parts = parts.filter(|(_, right)| !right.contains(' '));
    parts
        .map(Some)
        .ok_or_else(|| E::custom("a merge has two pieces"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merges(json: &str) -> Option<Vec<(String, String)>> {
        let file = format!(r#"{{"model": {{"vocab": {{"a": 0}}, "merges": {json}}}}}"#);
        let merges = ModelParts::read(file.as_bytes())?.merges?;
        let owned = |(left, right): Merge<'_>| (left.into_owned(), right.into_owned());
        Some(merges.into_iter().map(owned).collect())
    }

    #[test]
    fn merges_are_strings_or_pairs() {
        let expected = vec![("a".to_owned(), "é".to_owned()), ("\n".into(), "b".into())];
        for json in [
            r##"["#version: 0.2", "a é", "\n b"]"##,
            r#"[["a", "\u00e9"], ["\n", "b"]]"#,
        ] {
            assert_eq!(merges(json).unwrap(), expected, "{json}");
        }
        for json in [
            r#"["a b", ["a", "b"]]"#,
            r#"["ab"]"#,
            r#"["a b c"]"#,
            r#"[["a"]]"#,
            r#"[["a", "b", "c"]]"#,
            "[1]",
        ] {
            assert_eq!(merges(json), None, "{json}");
        }
    }

    #[test]
    fn a_setting_may_be_absent_or_null_but_not_of_another_type() {
        let read = |json: &str| {
            let file = format!(r#"{{"model": {json}, "decoder": null}}"#);
            ModelParts::read(file.as_bytes()).map(|model| model.settings)
        };
        let settings = read(r#"{"fuse_unk": true, "dropout": null, "unk_token": "?"}"#).unwrap();
        let expected = ModelSettings {
            fuse_unk: Some(true),
            unk_token: Some("?".to_owned()),
            ..ModelSettings::default()
        };
        assert_eq!(settings, expected);
        assert_eq!(read(r#"{"fuse_unk": 1}"#), None);
        assert_eq!(read(r#"{"unk_token": "a", "unk_token": "b"}"#), None);
    }
}
