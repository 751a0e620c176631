//! Builds a byte-pair encoding from tokens with ranks, as tiktoken merges them.
//!
//! A `tokenizer.json` says the same with one merge for each token ([`super::rank_merges`]). RWKV's tokens have no ranks.

use serde::Deserialize;
use serde_json::json;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;

use super::encodings::{self, END_OF_TEXT};
use super::portable_pattern::is_portable;
use super::rank_merges::merges;
use super::steps;
use crate::error::{Error, Result};
use crate::formats::config::{
    AddedTokenFields, Slot, SpecialTokenConfig, SpecialTokensMap, TokenizerConfig,
};
use crate::formats::model_settings::ModelSettings;
use crate::formats::piece_list::{Numbers, PieceList};
use crate::formats::ranked_tokens::RankedTokens;
use crate::formats::rwkv;
use crate::formats::setting::Setting;
use crate::formats::tekken::Tekken;
use crate::formats::tokenizer_json::{ModelJson, RestJson, TokenizerJson};
use crate::model_ref::{Encoding, VOCAB_BPE};
use crate::record::PackedStrings;
use crate::source::ByteSource;
use crate::tokenizer::hf_guard::catch_panic;
use crate::tokenizer::native::{alphabet, is_known_pattern};
use crate::tokenizer::piece_table::PieceTable;

/// Changes with every change to the conversion, so that no result of an earlier one is taken from the cache.
pub const VERSION: u32 = 2;

/// A file of tokens with ranks.
#[derive(Debug, Clone, Copy)]
pub enum RanksRecipe {
    /// A `.tiktoken` file of an encoding, or the `vocab.bpe` of GPT-2.
    Tiktoken(&'static Encoding),
    /// A `tekken.json`.
    Tekken,
    /// The vocabulary of RWKV's World models.
    Rwkv,
}

impl RanksRecipe {
    /// Converts a file.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] or [`Error::Unsupported`] if it cannot be used, or with the error of reading it.
    pub fn convert(&self, file: &dyn ByteSource) -> Result<TokenizerJson> {
        let (name, bytes) = (file.name(), file.read_all()?);
        match self {
            Self::Tiktoken(encoding) => tiktoken(name, &bytes, encoding),
            Self::Tekken => tekken(name, &bytes),
            Self::Rwkv => rwkv(name, &bytes),
        }
    }

    /// Returns the settings and named special tokens that go with the file, for tokens that a vocabulary has.
    pub fn settings(&self, has: impl Fn(&str) -> bool) -> TokenizerConfig {
        let token = |text: &str| match has(text) {
            true => Slot::Given(SpecialTokenConfig::Text(text.to_owned())),
            false => Slot::Absent,
        };
        let mut config = TokenizerConfig::default();
        match self {
            Self::Tiktoken(_) => config.special_tokens.eos_token = token(END_OF_TEXT),
            Self::Rwkv => {}
            Self::Tekken => {
                config.special_tokens = SpecialTokensMap {
                    bos_token: token(BOS),
                    eos_token: token("</s>"),
                    unk_token: token("<unk>"),
                    pad_token: token("<pad>"),
                    ..SpecialTokensMap::default()
                };
                // mistral_common finds no special tokens in a text.
                config.class.split_special_tokens = Setting::Bool(true);
            }
        }
        config
    }
}

/// The token that mistral_common puts before a text.
const BOS: &str = "<s>";

fn tiktoken(name: &str, bytes: &[u8], encoding: &Encoding) -> Result<TokenizerJson> {
    let tokens = if encoding.file.sha256 == VOCAB_BPE.sha256 {
        let printable = |byte: &u8| u32::from(*byte) == u32::from(alphabet::character(*byte));
        let (first, last): (Vec<u8>, Vec<u8>) = (0..=u8::MAX).partition(printable);
        let bytes_in_order = first.into_iter().chain(last);
        RankedTokens::parse_merges(name, bytes, bytes_in_order, alphabet::byte)?
    } else {
        RankedTokens::parse(name, bytes)?
    };
    let special = encodings::special_tokens(encoding);
    let is_special = |rank: u32| {
        let at = special.binary_search_by_key(&rank, |(_, id)| *id).ok()?;
        special.get(at)
    };
    if let Some((text, id)) = tokens.iter().find_map(|(_, rank)| is_special(rank)) {
        let name_of = encoding.name;
        let problem =
            format!("it has a token with the id {id}, which is that of {text} in {name_of}");
        return Err(Error::damaged(name, problem));
    }
    Ok(TokenizerJson {
        model: model(name, &tokens, 0)?,
        rest: with_special(encodings::steps_of(encoding), special),
    })
}

fn tekken(name: &str, bytes: &[u8]) -> Result<TokenizerJson> {
    let Tekken {
        pattern,
        tokens,
        special,
    } = Tekken::parse(name, bytes)?;
    check_pattern(name, &pattern)?;
    let first_id = special.len() as u32;
    let bos = special.iter().position(|text| text == BOS);
    let mut rest = with_special(
        encodings::byte_level(&pattern),
        special.into_iter().zip(0..),
    );
    if let Some(id) = bos {
        let (bos, text) = (
            json!({"SpecialToken": {"id": BOS, "type_id": 0}}),
            |id: &str| json!({"Sequence": {"id": id, "type_id": 0}}),
        );
        rest.post_processor = json!({
            "type": "TemplateProcessing",
            "single": [bos, text("A")],
            "pair": [bos, text("A"), bos, text("B")],
            "special_tokens": {BOS: {"id": BOS, "ids": [id], "tokens": [BOS]}},
        });
    }
    Ok(TokenizerJson {
        model: model(name, &tokens, first_id)?,
        rest,
    })
}

/// Refuses a pattern that the regular expressions here may read otherwise.
fn check_pattern(name: &str, pattern: &str) -> Result<()> {
    if is_known_pattern(pattern) {
        return Ok(());
    }
    if !is_portable(pattern) {
        let problem =
            format!("its pattern has a part that has no exact counterpart here: {pattern:?}");
        return Err(Error::unsupported(name, problem));
    }
    let step = steps::split(pattern, "Removed", true);
    let compiled = catch_panic(|| PreTokenizerWrapper::deserialize(&step).map(drop));
    match compiled {
        Some(Ok(())) => Ok(()),
        Some(Err(problem)) => Err(Error::damaged(
            name,
            format!("its pattern is malformed: {problem}"),
        )),
        None => Err(Error::damaged(name, "its pattern is malformed")),
    }
}

/// Adds special tokens with their ids.
fn with_special(rest: RestJson, special: impl IntoIterator<Item = (String, u32)>) -> RestJson {
    let special = special.into_iter().map(|(text, id)| {
        let token = AddedTokenFields {
            normalized: Some(false),
            ..AddedTokenFields::new(text, true)
        };
        (token.into(), Some(id))
    });
    let (added_tokens, added_token_ids) = special.unzip();
    RestJson {
        added_tokens,
        added_token_ids,
        has_stated_ids: true,
        ..rest
    }
}

/// Builds the model. The id of a token is its rank and `first_id`.
///
/// # Errors
/// Fails with [`Error::Damaged`] if two tokens are equal.
pub fn model(name: &str, tokens: &RankedTokens, first_id: u32) -> Result<ModelJson> {
    let (texts, ids) = pieces(tokens, first_id);
    let merges = merges(&texts).ok_or_else(|| Error::damaged(name, "two tokens are equal"))?;
    Ok(ModelJson {
        kind: Some("BPE".to_owned()),
        settings: ModelSettings {
            ignore_merges: Some(true),
            ..ModelSettings::default()
        },
        merges: Some(merges),
        vocab: PieceList {
            texts,
            numbers: Numbers::Ids(ids),
        },
        ..ModelJson::default()
    })
}

/// Returns the tokens in order of rank, in the alphabet of bytes, and their ids.
fn pieces(tokens: &RankedTokens, first_id: u32) -> (PackedStrings, Vec<u32>) {
    let mut tokens: Vec<(&[u8], u32)> = tokens.iter().collect();
    tokens.sort_unstable_by_key(|(_, rank)| *rank);
    let mut texts = PackedStrings::default();
    let mut text = String::new();
    for (token, _) in &tokens {
        text.clear();
        text.extend(token.iter().map(|&byte| alphabet::character(byte)));
        texts.push(&text);
    }
    let ids = tokens.iter().map(|(_, rank)| rank + first_id);
    (texts, ids.collect())
}

/// RWKV takes the longest token, again and again, through the whole text: WordPiece with one word and without a prefix.
/// Every byte is a token, so nothing is unknown. Models end a text with the id 0, which has no token, as in the package.
fn rwkv(name: &str, bytes: &[u8]) -> Result<TokenizerJson> {
    let (texts, ids) = pieces(&rwkv::parse(name, bytes)?, 0);
    if PieceTable::new(texts.iter()).is_none() {
        return Err(Error::damaged(name, "two tokens are equal"));
    }
    let bytes = || steps::byte_level(false, true, false);
    let rest = RestJson {
        pre_tokenizer: bytes(),
        decoder: bytes(),
        ..RestJson::default()
    };
    Ok(TokenizerJson {
        model: ModelJson {
            kind: Some("WordPiece".to_owned()),
            settings: ModelSettings {
                unk_token: Some(String::new()),
                continuing_subword_prefix: Some(String::new()),
                max_input_chars_per_word: Some(usize::MAX),
                ..ModelSettings::default()
            },
            vocab: PieceList {
                texts,
                numbers: Numbers::Ids(ids),
            },
            ..ModelJson::default()
        },
        rest,
    })
}
