//! Converts a tokenizer to the tokens with ranks of tiktoken, if these have the same tokens for every text.
//!
//! tiktoken joins the parts whose bytes together are the token of the lowest rank. So each token has one merge
//! ([`merges_of_ranks`]), and the merges of the tokenizer must have these in the order of the ids. Other merges that make
//! the same tokens are never made.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::conversion::{is_portable, merges_of_ranks, model_of_ranks};
use super::definition::Definition;
use super::hf_engine::{HfEngine, JsonStyle};
use super::hf_file;
use super::hf_guard::guarded;
use super::native::{alphabet, is_known_pattern};
use super::tokenizer::Tokenizer;
use crate::error::{Error, Result};
use crate::formats::merge_list::MergeList;
use crate::formats::piece_list::Numbers;
use crate::formats::ranked_tokens::RankedTokens;
use crate::formats::tokenizer_json::{ModelJson, RestJson, TokenizerJson};
use crate::record::PackedStrings;

/// The words of a `ByteLevel` step (`use_regex`).
const BYTE_LEVEL_WORDS: &str =
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// A `.tiktoken` file, and what tiktoken needs besides.
#[derive(Debug)]
pub struct TiktokenFile {
    pub bytes: Vec<u8>,
    /// The regular expression that splits a text.
    pub pattern: String,
    tokens: RankedTokens,
}

impl Tokenizer {
    /// Returns the `.tiktoken` file of this tokenizer: the tokens of its model with their ids as ranks.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] if tiktoken would not have the same tokens for every text, or with the error of
    /// reading the model's files.
    pub fn to_tiktoken(&self) -> Result<TiktokenFile> {
        let definition = &self.definition;
        let name = definition.file().name();
        let refused = |reason: String| {
            let problem = format!("tiktoken would not have its tokens: {reason}");
            Error::unsupported(name, problem).with_hint(match definition.is_tokenizer_json() {
                true => "its tokenizer.json is read by the tokenizers library",
                false => {
                    "`--to tokenizer.json` writes any tokenizer that the tokenizers library can run"
                }
            })
        };
        if definition.algorithm() != "BPE" || definition.runner.is_some() {
            let algorithm = definition.algorithm();
            let reason = format!("its algorithm is {algorithm}, not byte-level BPE");
            return Err(refused(reason));
        }
        let Some(rest) = definition.rest() else {
            return Err(refused("it is run by SentencePiece".to_owned()));
        };
        let pattern = pattern(rest).map_err(refused)?;
        check_added_tokens(definition).map_err(refused)?;
        let model = model_json(definition)?;
        let bytes = lines(definition, &model).map_err(refused)?;
        let parsed = RankedTokens::parse("its .tiktoken file", &bytes);
        let tokens = parsed.map_err(|error| refused(error.to_string()))?;
        check_merges(&tokens, &model).map_err(refused)?;
        Ok(TiktokenFile {
            bytes,
            pattern,
            tokens,
        })
    }

    /// Returns a `tokenizer.json` with the tokens of a `.tiktoken` file and the steps and added tokens of this tokenizer.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the `tokenizers` crate refuses them.
    pub fn with_ranks_of(&self, file: &TiktokenFile) -> Result<Vec<u8>> {
        let definition = &self.definition;
        let name = definition.file().name();
        let matched = definition.added_vocabulary.matched();
        let (added_tokens, ids): (Vec<_>, Vec<_>) = matched.iter().cloned().unzip();
        let rest = RestJson {
            added_tokens,
            added_token_ids: ids.into_iter().map(Some).collect(),
            has_stated_ids: true,
            ..definition.rest().cloned().unwrap_or_default()
        };
        let model = model_of_ranks(name, &file.tokens, 0)?;
        let merges = model.merges.clone();
        guarded(name, || {
            let inner = hf_file::build(TokenizerJson { model, rest });
            let inner = inner.map_err(|problem| Error::damaged(name, problem))?;
            let engine = HfEngine::new(name, inner, None, definition.truncates_left())?;
            engine.to_json(JsonStyle::Exact(&matched), || Ok(merges))
        })
    }
}

fn model_json(definition: &Definition) -> Result<ModelJson> {
    let file = definition.file();
    Ok(match &definition.conversion {
        Some(conversion) => conversion.convert()?.model,
        None => TokenizerJson::parse(file.name(), &file.read_all()?)?.model,
    })
}

/// Returns the regular expression that splits a text, or the reason why there is none.
fn pattern(rest: &RestJson) -> Result<String, String> {
    if !rest.normalizer.is_null() {
        return Err("it changes texts before it splits them (`normalizer`)".to_owned());
    }
    let step = &rest.pre_tokenizer;
    let steps = match kind(step) {
        "Sequence" => step["pretokenizers"]
            .as_array()
            .map_or(&[][..], |steps| steps),
        _ => std::slice::from_ref(step),
    };
    let is_bytes = |step: &Value, splits: bool| {
        let splits_too = step["use_regex"].as_bool().unwrap_or(true);
        let adds_space = step["add_prefix_space"].as_bool().unwrap_or(true);
        kind(step) == "ByteLevel" && splits_too == splits && !adds_space
    };
    let pattern = match steps {
        [bytes] if is_bytes(bytes, true) => Some(BYTE_LEVEL_WORDS),
        [split, bytes] if is_bytes(bytes, false) && kind(split) == "Split" => {
            let form = (split["behavior"].as_str(), split["invert"].as_bool());
            let pattern = split["pattern"]["Regex"].as_str();
            // Either form drops nothing of a known pattern, and tiktoken drops what does not match.
            pattern.filter(|pattern| match form {
                (Some("Removed"), Some(true)) => is_known_pattern(pattern) || is_portable(pattern),
                (Some("Isolated"), Some(false)) => is_known_pattern(pattern),
                _ => false,
            })
        }
        _ => None,
    };
    pattern.map(str::to_owned).ok_or_else(|| {
        "it does not split texts by one known regular expression (`pre_tokenizer`)".to_owned()
    })
}

fn kind(step: &Value) -> &str {
    step["type"].as_str().unwrap_or_default()
}

/// Checks that tiktoken finds the same added tokens as its special tokens.
fn check_added_tokens(definition: &Definition) -> Result<(), String> {
    let mut matched = definition.added_vocabulary.matched();
    let ruled = matched
        .iter()
        .find(|(token, _)| token.lstrip || token.rstrip || token.single_word);
    if let Some((token, _)) = ruled {
        return Err(format!(
            "its added token {:?} has rules about the text around it",
            token.content
        ));
    }
    matched.sort_unstable_by(|(a, _), (b, _)| a.content.cmp(&b.content));
    let pairs = matched.windows(2);
    for pair in pairs {
        let [(short, _), (long, _)] = pair else {
            continue;
        };
        if long.content.starts_with(&*short.content) {
            let (short, long) = (&short.content, &long.content);
            return Err(format!(
                "its added token {long:?} starts with another, {short:?}"
            ));
        }
    }
    Ok(())
}

/// Returns the lines of the file: the tokens of the model that are not added tokens, in order of id.
fn lines(definition: &Definition, model: &ModelJson) -> Result<Vec<u8>, String> {
    let Numbers::Ids(ids) = &model.vocab.numbers else {
        return Err("its pieces have scores".to_owned());
    };
    let added: HashSet<Arc<str>> = (definition.added_vocabulary.matched().into_iter())
        .map(|(token, _)| token.content)
        .collect();
    let pieces = ids.iter().zip(model.vocab.texts.iter());
    let mut pieces: Vec<_> = pieces
        .filter(|(_, piece)| !added.contains(*piece))
        .collect();
    pieces.sort_unstable();
    let mut lines = String::new();
    for (id, piece) in pieces {
        let bytes: Option<Vec<u8>> = piece.chars().map(alphabet::byte).collect();
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
            return Err(format!("its piece {piece:?} does not stand for bytes"));
        };
        BASE64_STANDARD.encode_string(bytes, &mut lines);
        lines += &format!(" {id}\n");
    }
    Ok(lines.into_bytes())
}

/// Checks that the merges of the model are those of the tokens with ranks.
fn check_merges(tokens: &RankedTokens, model: &ModelJson) -> Result<(), String> {
    let settings = &model.settings;
    let is_set = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    if is_set(&settings.continuing_subword_prefix) || is_set(&settings.end_of_word_suffix) {
        return Err("its pieces tell the parts of a word apart".to_owned());
    }
    if settings.dropout.unwrap_or_default() > 0.0 {
        return Err("it leaves out merges at random (`dropout`)".to_owned());
    }
    let mut texts = PackedStrings::default();
    let mut known = HashSet::new();
    for (token, _) in tokens.iter() {
        let text: String = token
            .iter()
            .map(|&byte| alphabet::character(byte))
            .collect();
        texts.push(&text);
        known.insert(text);
    }
    let expected = merges_of_ranks(&texts).ok_or("two of its pieces are equal")?;
    let pairs = |list: &MergeList| -> Option<Vec<(String, String)>> {
        let pairs = list.pairs()?;
        Some(
            pairs
                .map(|(left, right)| (left.to_owned(), right.to_owned()))
                .collect(),
        )
    };
    let has_no_list = || "its merges are not a list".to_owned();
    let found = pairs(model.merges.as_ref().ok_or_else(has_no_list)?).ok_or_else(has_no_list)?;
    // If a merge occurs twice, the last rank counts.
    let ranks: HashMap<_, _> = found.iter().zip(0..).collect();
    let unknown = found
        .iter()
        .find(|(left, right)| !known.contains(&format!("{left}{right}")));
    if let Some((left, right)) = unknown {
        return Err(format!(
            "it merges {left:?} and {right:?} to an added token"
        ));
    }
    let expected = pairs(&expected).ok_or_else(has_no_list)?;
    let mut last = None;
    for pair in &expected {
        let (left, right) = pair;
        let rank: Option<usize> = ranks.get(pair).copied();
        if rank.is_none() {
            return Err(format!(
                "it has no merge of {left:?} and {right:?}, although both together are a piece"
            ));
        }
        if rank <= last {
            return Err(format!(
                "its merge of {left:?} and {right:?} does not have the rank of its id"
            ));
        }
        last = rank;
    }
    // tiktoken takes a word that is a token as it is.
    let made = expected.len() + 256;
    if made < tokens.count() && settings.ignore_merges != Some(true) {
        let others = tokens.count() - made;
        return Err(format!(
            "{others} of its pieces are never made of their bytes, not even if they are a word"
        ));
    }
    Ok(())
}
