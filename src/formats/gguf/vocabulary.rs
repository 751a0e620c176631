//! The vocabulary in the metadata.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::cursor::Cursor;
use super::header::Gguf;
use super::value::{Array, TEXT, Value};
use super::vocabulary_settings::{TOKENS, VocabularySettings, wrong_type};
use crate::error::{Error, Result};
use crate::formats::expansion_limits::MAX_PIECE_LENGTH;
use crate::formats::merge_list::MergeList;
use crate::formats::quote::quote;
use crate::record::PackedStrings;
use crate::source::ByteSource;

const SCORES: &str = "tokenizer.ggml.scores";
const TOKEN_TYPES: &str = "tokenizer.ggml.token_type";
const MERGES: &str = "tokenizer.ggml.merges";
const CHARSMAP: &str = "tokenizer.ggml.precompiled_charsmap";
/// The arrays that a vocabulary is read from.
const ARRAYS: [&str; 5] = [TOKENS, SCORES, TOKEN_TYPES, MERGES, CHARSMAP];

/// The most tokens, and the most merges, as in other vocabularies.
const MAX_TEXTS: u64 = 1 << 21;

/// Numbers of the types of elements.
const BYTE_TYPES: [u32; 2] = [0, 1];
const INTEGER_TYPES: [u32; 2] = [4, 5];
const I32: u32 = 5;
const F32: u32 = 6;

/// The vocabulary of a file.
#[derive(Debug, Clone)]
pub struct GgufVocabulary {
    pub settings: VocabularySettings,
    /// The tokens in the order of their ids, all distinct and not empty.
    pub tokens: PackedStrings,
    /// The score of each token; `None` if the file has none.
    pub scores: Option<Vec<f64>>,
    /// The kind of each token; `None` if the file has none.
    pub kinds: Option<Vec<TokenKind>>,
    /// `None` if the file has none.
    pub merges: Option<MergeList>,
    /// The rules of the SentencePiece normalizer; empty if the file has none.
    pub charsmap: Vec<u8>,
}

/// The kind of a token: `llama_token_type` in `llama.h` of llama.cpp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    Normal,
    Unknown,
    Control,
    UserDefined,
    Unused,
    Byte,
    Undefined,
}

impl TokenKind {
    fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Normal,
            2 => Self::Unknown,
            3 => Self::Control,
            4 => Self::UserDefined,
            5 => Self::Unused,
            6 => Self::Byte,
            _ => Self::Undefined,
        }
    }
}

impl GgufVocabulary {
    /// Returns the kind of a token.
    pub fn kind(&self, id: usize) -> TokenKind {
        let kinds = self.kinds.as_ref();
        kinds.map_or(TokenKind::Normal, |kinds| {
            kinds.get(id).copied().unwrap_or(TokenKind::Undefined)
        })
    }
}

impl Gguf {
    /// Reads the vocabulary of `file`, the file with this header; `None` if it has none.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if an array is missing, too short, or of another type, a token is not UTF-8, too
    /// long, or occurs twice, a score is not a number, or a merge is not two pieces, or with the error of reading the
    /// file.
    pub fn vocabulary(&self, file: &dyn ByteSource) -> Result<Option<GgufVocabulary>> {
        let Some(settings) = self.vocabulary_settings(file)? else {
            return Ok(None);
        };
        let damaged = |problem: String| Error::damaged(file.name(), problem);
        let tokens = self.array(file, TOKENS)?;
        let tokens =
            tokens.ok_or_else(|| damaged(format!("its metadata has no array `{TOKENS}`")))?;
        let tokens = tokens_of(file, tokens)?;
        let scores = self.numbers(file, SCORES, &[I32, F32], tokens.len())?;
        let kinds = self.numbers(file, TOKEN_TYPES, &INTEGER_TYPES, tokens.len())?;
        let merges = match self.array(file, MERGES)? {
            Some(array) => Some(merges_of(file, array)?),
            None => None,
        };
        let charsmap = match self.array(file, CHARSMAP)? {
            Some(array) if BYTE_TYPES.contains(&array.element) => {
                file.read(array.bytes.clone())?.into_owned()
            }
            Some(_) => return Err(wrong_type(file, CHARSMAP)),
            None => Vec::new(),
        };
        Ok(Some(GgufVocabulary {
            settings,
            tokens,
            scores: scores.map(scores_of).transpose().map_err(damaged)?,
            kinds: kinds.map(|(_, numbers)| {
                let kinds = numbers.iter().copied().map(u32::from_le_bytes);
                kinds.map(TokenKind::from_number).collect()
            }),
            merges,
            charsmap,
        }))
    }

    /// Returns the byte ranges of the arrays that a vocabulary is read from.
    pub fn vocabulary_ranges(&self) -> Vec<Range<u64>> {
        let arrays = ARRAYS.iter().filter_map(|name| match self.value(name) {
            Some(Value::Array(array)) => Some(array.bytes.clone()),
            _ => None,
        });
        arrays.collect()
    }

    /// Returns the number of tokens.
    pub fn token_count(&self) -> usize {
        let length = self.array_length(TOKENS).unwrap_or(0);
        usize::try_from(length).unwrap_or(usize::MAX)
    }

    /// Reads the kind of a token of `file`, the file with this header.
    ///
    /// # Errors
    /// Returns the error of reading the file.
    pub fn token_kind(&self, file: &dyn ByteSource, id: u32) -> Result<TokenKind> {
        let array = match self.array(file, TOKEN_TYPES) {
            Ok(Some(array)) if INTEGER_TYPES.contains(&array.element) => array,
            _ => return Ok(TokenKind::Normal),
        };
        if u64::from(id) >= array.length {
            return Ok(TokenKind::Undefined);
        }
        let start = array.bytes.start + u64::from(id) * 4;
        let bytes = file.read(start..start + 4)?;
        let number = bytes.first_chunk().copied().unwrap_or_default();
        Ok(TokenKind::from_number(u32::from_le_bytes(number)))
    }

    /// Reads some tokens of `file`, the file with this header, by their ids, which are in order. A token that does not
    /// exist, or is not UTF-8, is `None`. Tokens after the last of them are not read.
    ///
    /// # Errors
    /// Returns the error of reading the file.
    pub fn tokens(&self, file: &dyn ByteSource, ids: &[u32]) -> Result<Vec<Option<String>>> {
        let array = match self.array(file, TOKENS) {
            Ok(Some(array)) if array.element == TEXT => array,
            _ => return Ok(vec![None; ids.len()]),
        };
        let mut cursor = Cursor::over(file, array.bytes.clone());
        let mut next = 0;
        let mut last = None;
        let mut tokens = Vec::with_capacity(ids.len());
        for &id in ids {
            let id = u64::from(id);
            if id >= array.length {
                last = None;
            } else if id >= next {
                let known = self.places.before(array.bytes.start, id);
                if let Some((index, place)) = known.filter(|(index, _)| *index > next) {
                    cursor.skip(place.saturating_sub(cursor.position()))?;
                    next = index;
                }
                cursor.skip_texts(id - next)?;
                let length = cursor.u64()?;
                last = String::from_utf8(cursor.bytes(length)?.to_vec()).ok();
                next = id + 1;
            }
            tokens.push(last.clone().map(|token| named(&token, id as usize)));
        }
        Ok(tokens)
    }

    /// Returns an array of the metadata.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the entry is no array.
    fn array(&self, file: &dyn ByteSource, name: &str) -> Result<Option<&Array>> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Array(array)) => Ok(Some(array)),
            Some(_) => Err(wrong_type(file, name)),
        }
    }

    /// Reads the first `length` numbers of an array of 32-bit numbers, and their type.
    fn numbers(
        &self,
        file: &dyn ByteSource,
        name: &str,
        types: &[u32],
        length: usize,
    ) -> Result<Option<(u32, Vec<[u8; 4]>)>> {
        let Some(array) = self.array(file, name)? else {
            return Ok(None);
        };
        if !types.contains(&array.element) {
            return Err(wrong_type(file, name));
        }
        if array.length < length as u64 {
            let problem = format!(
                "`{name}` has {} elements, but there are {length} tokens",
                array.length
            );
            return Err(Error::damaged(file.name(), problem));
        }
        let bytes = file.read(array.bytes.clone())?;
        let (numbers, _) = bytes.as_chunks::<4>();
        let numbers = numbers.iter().take(length).copied().collect();
        Ok(Some((array.element, numbers)))
    }
}

fn scores_of((element, numbers): (u32, Vec<[u8; 4]>)) -> Result<Vec<f64>, String> {
    let numbers = numbers.into_iter().zip(0..);
    let scores = numbers.map(|(bytes, id): (_, u32)| match element {
        F32 => match f64::from(f32::from_le_bytes(bytes)) {
            score if score.is_finite() => Ok(score),
            score => Err(format!("the score of token {id} is {score}")),
        },
        _ => Ok(f64::from(i32::from_le_bytes(bytes))),
    });
    scores.collect()
}

/// Returns a token, or the name that llama.cpp gives to an empty one.
fn named(token: &str, id: usize) -> String {
    match token {
        "" => format!("[EMPTY_{id}]"),
        token => token.to_owned(),
    }
}

/// Reads the tokens.
fn tokens_of(file: &dyn ByteSource, array: &Array) -> Result<PackedStrings> {
    let mut tokens = PackedStrings::default();
    each_text(file, array, TOKENS, "token", |text, id| {
        if text.len() > MAX_PIECE_LENGTH {
            return Err(format!(
                "token {id} has {} bytes, but the limit is {MAX_PIECE_LENGTH}",
                text.len()
            ));
        }
        tokens.push(&if text.is_empty() {
            Cow::Owned(named(text, id))
        } else {
            Cow::Borrowed(text)
        });
        Ok(())
    })?;
    let mut ids: HashMap<&str, usize> = HashMap::with_capacity(tokens.len());
    for (id, token) in tokens.iter().enumerate() {
        if let Some(first) = ids.insert(token, id) {
            let problem = format!("tokens {first} and {id} are both {}", quote(token));
            return Err(Error::damaged(file.name(), problem));
        }
    }
    Ok(tokens)
}

/// Reads the merges: two pieces each, with a space between them, which is not the first character.
fn merges_of(file: &dyn ByteSource, array: &Array) -> Result<MergeList> {
    let mut pieces = PackedStrings::default();
    each_text(file, array, MERGES, "merge", |text, index| {
        let mut chars = text.char_indices();
        let at = chars.find(|(at, c)| *at > 0 && *c == ' ').map(|(at, _)| at);
        let pair = at.and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
        match pair.filter(|(_, right)| !right.is_empty()) {
            Some((left, right)) => {
                pieces.push(left);
                pieces.push(right);
                Ok(())
            }
            None => Err(format!(
                "merge {index} is {}, not two pieces with a space between them",
                quote(text)
            )),
        }
    })?;
    Ok(MergeList::from_pieces(pieces))
}

/// Calls `each` with every text of an array and its index.
fn each_text(
    file: &dyn ByteSource,
    array: &Array,
    name: &str,
    what: &str,
    mut each: impl FnMut(&str, usize) -> Result<(), String>,
) -> Result<()> {
    let damaged = |problem: String| Error::damaged(file.name(), problem);
    if array.element != TEXT {
        return Err(wrong_type(file, name));
    }
    if array.length > MAX_TEXTS {
        let problem = format!(
            "`{name}` has {} elements, but at most {MAX_TEXTS} are allowed",
            array.length
        );
        return Err(damaged(problem));
    }
    let bytes = file.read(array.bytes.clone())?;
    let mut rest = &*bytes;
    let mut index = 0;
    // The header was checked, so each length is within the array.
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let Some((text, after)) = after.split_at_checked(length) else {
            return Err(damaged(format!("{what} {index} is not within `{name}`")));
        };
        let text = std::str::from_utf8(text)
            .map_err(|_| damaged(format!("{what} {index} is not UTF-8")))?;
        each(text, index).map_err(damaged)?;
        rest = after;
        index += 1;
    }
    Ok(())
}
