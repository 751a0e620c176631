//! Mistral's `tekken.json`: tokens with ranks, special tokens, and a pattern.
//!
//! The format is defined by mistral_common 1.13 (`Tekkenizer`). Files of the first versions do not list their special
//! tokens. Fields about images and audio are not read.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, de};

use super::json::limits::check_length;
use super::json::parse;
use super::ranked_tokens::{self, RankedTokens};
use crate::error::{Error, Result};

/// The most special tokens. Published files have 1,000.
const MAX_SPECIAL: usize = 1 << 13;
/// The most bytes of a special token.
const MAX_SPECIAL_LENGTH: usize = 1 << 10;
/// The known versions, and the last one whose special tokens need not be listed.
const VERSIONS: [&str; 7] = ["v1", "v2", "v3", "v7", "v11", "v13", "v15"];
const LAST_UNLISTED: usize = 3;

/// The special tokens of files that list none.
const UNLISTED: [&str; 20] = [
    "<unk>",
    "<s>",
    "</s>",
    "[INST]",
    "[/INST]",
    "[AVAILABLE_TOOLS]",
    "[/AVAILABLE_TOOLS]",
    "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]",
    "[TOOL_CALLS]",
    "[IMG]",
    "<pad>",
    "[IMG_BREAK]",
    "[IMG_END]",
    "[PREFIX]",
    "[MIDDLE]",
    "[SUFFIX]",
    "[SYSTEM_PROMPT]",
    "[/SYSTEM_PROMPT]",
    "[TOOL_CONTENT]",
];

/// The content of a `tekken.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tekken {
    pub pattern: String,
    /// Each has its number for its rank. The id of a token is its rank and the number of special tokens.
    pub tokens: RankedTokens,
    /// In order of id.
    pub special: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    config: Config,
    vocab: Tokens,
    #[serde(default)]
    special_tokens: Option<SpecialTokens>,
}

#[derive(Deserialize)]
struct Config {
    pattern: String,
    default_vocab_size: usize,
    default_num_special_tokens: usize,
    version: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token<'a> {
    rank: u64,
    #[serde(borrow)]
    token_bytes: std::borrow::Cow<'a, str>,
    #[serde(rename = "token_str")]
    _text: IgnoredAny,
}

#[derive(Deserialize)]
struct SpecialToken {
    rank: usize,
    token_str: String,
}

/// The tokens of a file.
struct Tokens(RankedTokens);

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Tokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of tokens")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tokens, A::Error> {
                let mut tokens = RankedTokens::default();
                while let Some(token) = list.next_element::<Token<'_>>()? {
                    let index = tokens.count();
                    check_length(index)?;
                    if token.rank != index as u64 {
                        let rank = token.rank;
                        return Err(A::Error::custom(format_args!(
                            "token {index} has the rank {rank}"
                        )));
                    }
                    let pushed = tokens.push_base64(token.token_bytes.as_bytes(), index as u32);
                    pushed.map_err(A::Error::custom)?;
                }
                Ok(Tokens(tokens))
            }
        }

        deserializer.deserialize_seq(List)
    }
}

/// The special tokens that a file lists.
struct SpecialTokens(Vec<String>);

impl<'de> Deserialize<'de> for SpecialTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = SpecialTokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of special tokens")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<SpecialTokens, A::Error> {
                let mut texts: Vec<String> = Vec::new();
                while let Some(token) = list.next_element::<SpecialToken>()? {
                    check_special(texts.len(), &token)?;
                    texts.push(token.token_str);
                }
                Ok(SpecialTokens(texts))
            }
        }

        deserializer.deserialize_seq(List)
    }
}

fn check_special<E: de::Error>(index: usize, token: &SpecialToken) -> Result<(), E> {
    let SpecialToken { rank, token_str } = token;
    if *rank != index {
        return Err(E::custom(format_args!(
            "special token {index} has the rank {rank}"
        )));
    }
    if index == MAX_SPECIAL {
        return Err(E::custom(format_args!(
            "it has more than {MAX_SPECIAL} special tokens"
        )));
    }
    let length = token_str.len();
    if length == 0 || length > MAX_SPECIAL_LENGTH {
        return Err(E::custom(format_args!(
            "special token {index} has {length} bytes, and must have 1 to {MAX_SPECIAL_LENGTH}"
        )));
    }
    Ok(())
}

impl Tekken {
    /// Parses the file called `name`.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the file contradicts itself or mistral_common refuses it, and with
    /// [`Error::Unsupported`] for another version.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        ranked_tokens::check_length(name, bytes)?;
        let file: File = parse(name, bytes)?;
        let config = file.config;
        let damaged = |problem: String| Error::damaged(name, problem);
        let Some(version) = VERSIONS.iter().position(|known| *known == config.version) else {
            let problem = format!(
                "its version is {:?}, and mistral_common 1.13 has {}",
                config.version,
                VERSIONS.join(", ")
            );
            return Err(Error::unsupported(name, problem));
        };
        let special = match file.special_tokens {
            Some(special) => special.0,
            None if version <= LAST_UNLISTED => UNLISTED.map(str::to_owned).to_vec(),
            None => {
                let problem = format!(
                    "it is of version {}, but has no special tokens",
                    config.version
                );
                return Err(damaged(problem));
            }
        };
        let special = with_fillers(special, config.default_num_special_tokens).map_err(damaged)?;
        let mut tokens = file.vocab.0;
        let size = config.default_vocab_size;
        let kept = size
            .checked_sub(special.len())
            .filter(|kept| *kept <= tokens.count());
        let Some(kept) = kept else {
            return Err(damaged(format!(
                "`default_vocab_size` is {size}, but it has {} tokens and {} special ones",
                tokens.count(),
                special.len()
            )));
        };
        tokens.truncate(kept);
        tokens.check(name)?;
        for (token, rank) in tokens.iter().take(256) {
            if token != [rank as u8] {
                return Err(damaged(format!("token {rank} is not the byte {rank:#04x}")));
            }
        }
        Ok(Self {
            pattern: config.pattern,
            tokens,
            special,
        })
    }
}

/// Adds special tokens without a meaning, up to their number. Returns a description if the number is too small or a text
/// occurs twice.
fn with_fillers(mut special: Vec<String>, number: usize) -> Result<Vec<String>, String> {
    if special.len() > number || number > MAX_SPECIAL {
        return Err(format!(
            "`default_num_special_tokens` is {number}, and must be {} to {MAX_SPECIAL}",
            special.len()
        ));
    }
    special.extend((special.len()..number).map(|id| format!("<SPECIAL_{id}>")));
    let mut seen = HashSet::new();
    match special.iter().find(|text| !seen.insert(text.as_str())) {
        Some(twice) => Err(format!("two special tokens are {twice:?}")),
        None => Ok(special),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;
    use serde_json::{Value, json};

    use super::*;

    fn file() -> Value {
        let tokens = (0..=u8::MAX).map(|byte| vec![byte]).chain([b"ab".to_vec()]);
        let token = |(rank, token): (usize, Vec<u8>)| json!({"rank": rank, "token_bytes": BASE64_STANDARD.encode(token), "token_str": null});
        json!({
            "config": {
                "pattern": "x", "default_vocab_size": 261, "default_num_special_tokens": 4,
                "num_vocab_tokens": 257, "version": "v7",
            },
            "vocab": tokens.enumerate().map(token).collect::<Vec<_>>(),
            "special_tokens": [{"rank": 0, "token_str": "<unk>", "is_control": true}],
            "audio": {"anything": [1, 2]},
        })
    }

    fn parse(file: &Value) -> Result<Tekken> {
        Tekken::parse("tekken.json", file.to_string().as_bytes())
    }

    #[test]
    fn special_tokens_are_listed_known_or_fillers() {
        let tekken = parse(&file()).unwrap();
        assert_eq!(tekken.tokens.count(), 257);
        assert_eq!(
            tekken.special,
            ["<unk>", "<SPECIAL_1>", "<SPECIAL_2>", "<SPECIAL_3>"]
        );
        let mut older = file();
        older["special_tokens"] = Value::Null;
        older["config"]["default_num_special_tokens"] = json!(24);
        older["config"]["default_vocab_size"] = json!(280);
        let tekken = parse(&older).unwrap();
        assert_eq!(tekken.tokens.count(), 256);
        assert_eq!(
            (&*tekken.special[1], &*tekken.special[23]),
            ("<s>", "<SPECIAL_23>")
        );
    }

    #[test]
    fn tekken_files_that_contradict_themselves_are_refused() {
        for (pointer, value, problem) in [
            ("/config/version", json!("v99"), "its version is \"v99\""),
            (
                "/config/default_vocab_size",
                json!(262),
                "`default_vocab_size` is 262",
            ),
            (
                "/config/default_vocab_size",
                json!(3),
                "`default_vocab_size` is 3",
            ),
            (
                "/config/default_vocab_size",
                json!(100),
                "the byte 0x60 is not a token",
            ),
            (
                "/config/default_num_special_tokens",
                json!(0),
                "is 0, and must be 1 to 8192",
            ),
            (
                "/config/default_num_special_tokens",
                json!(9000),
                "is 9000, and must be",
            ),
            ("/vocab/7/rank", json!(8), "token 7 has the rank 8"),
            (
                "/vocab/7/token_bytes",
                json!("!"),
                "token 7 is \"!\", which is not base64",
            ),
            (
                "/vocab/7/token_bytes",
                json!("YWJj"),
                "the byte 0x07 is not a token",
            ),
            (
                "/vocab/7",
                json!({"rank": 7, "token_bytes": "Bw=="}),
                "missing field `token_str`",
            ),
            ("/vocab/7/x", json!(1), "unknown field `x`"),
            (
                "/special_tokens/0/rank",
                json!(1),
                "special token 0 has the rank 1",
            ),
            (
                "/special_tokens/0/token_str",
                json!(""),
                "special token 0 has 0 bytes",
            ),
            (
                "/special_tokens/0/token_str",
                json!("<SPECIAL_2>"),
                "two special tokens are",
            ),
            ("/vocab", json!({}), "expected a list of tokens"),
        ] {
            let mut file = file();
            match file.pointer_mut(pointer) {
                Some(place) => *place = value,
                None => file["vocab"][7]["x"] = value,
            }
            let error = parse(&file).unwrap_err().to_string();
            assert!(error.contains(problem), "{pointer}: {error}");
        }
        let mut newer = file();
        newer["special_tokens"] = Value::Null;
        newer["config"]["version"] = json!("v11");
        let error = parse(&newer).unwrap_err().to_string();
        assert!(
            error.contains("of version v11, but has no special tokens"),
            "{error}"
        );
    }
}
