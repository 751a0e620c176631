//! The short form of added tokens in a compiled file: each is a list of its text and of its rules as bits.

use std::fmt;
use std::sync::Arc;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serializer};

use super::special_tokens::AddedTokenConfig;

const LSTRIP: u8 = 1;
const RSTRIP: u8 = 2;
const SINGLE_WORD: u8 = 4;
const NORMALIZED: u8 = 8;
const SPECIAL: u8 = 16;

pub fn serialize<S: Serializer>(
    tokens: &[AddedTokenConfig],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(tokens.iter().map(|token| {
        let rules = [
            (token.lstrip, LSTRIP),
            (token.rstrip, RSTRIP),
            (token.single_word, SINGLE_WORD),
            (token.normalized, NORMALIZED),
            (token.special, SPECIAL),
        ];
        let set = rules.iter().filter(|(is_set, _)| *is_set);
        (&*token.content, set.map(|(_, bit)| bit).sum::<u8>())
    }))
}

pub fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<AddedTokenConfig>, D::Error> {
    let tokens: Vec<(Content, u8)> = Vec::deserialize(deserializer)?;
    let token = |(Content(content), rules): (Content, u8)| AddedTokenConfig {
        content,
        lstrip: rules & LSTRIP > 0,
        rstrip: rules & RSTRIP > 0,
        single_word: rules & SINGLE_WORD > 0,
        normalized: rules & NORMALIZED > 0,
        special: rules & SPECIAL > 0,
    };
    Ok(tokens.into_iter().map(token).collect())
}

/// The text of a token, without another copy of it.
struct Content(Arc<str>);

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Content, E> {
                Ok(Content(text.into()))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_keep_their_rules() {
        let tokens: Vec<AddedTokenConfig> = (0..32)
            .map(|bits: u8| AddedTokenConfig {
                content: format!("<\"{bits}>").into(),
                lstrip: bits & 1 > 0,
                rstrip: bits & 2 > 0,
                single_word: bits & 4 > 0,
                normalized: bits & 8 > 0,
                special: bits & 16 > 0,
            })
            .collect();
        let mut json = Vec::new();
        serialize(&tokens, &mut serde_json::Serializer::new(&mut json)).unwrap();
        let read = deserialize(&mut serde_json::Deserializer::from_slice(&json)).unwrap();
        assert_eq!(read, tokens);
    }
}
