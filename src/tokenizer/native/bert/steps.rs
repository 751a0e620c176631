//! The steps of BERT, character by character: what each becomes and how it separates words.
//!
//! `BertNormalizer` and `BertPreTokenizer` of the `tokenizers` crate look at one character at a time, so a character
//! has the same form everywhere, with one exception: accents are sorted before they are removed. Where an accent that
//! stays may have moved, the crate's own steps find the words.

use serde_json::Value;
use tokenizers::normalizers::{NFD, NormalizerWrapper};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::tokenizer::pre_tokenizer::OffsetType;
use tokenizers::{
    NormalizedString, Normalizer, OffsetReferential, PreTokenizedString, PreTokenizer,
};

use crate::tokenizer::hf_guard::catch_panic;
use crate::tokenizer::native::known_steps::sequence;
use crate::tokenizer::pinned_unicode::{PinnedNormalizer, PinnedPreTokenizer};

/// The steps of a tokenizer: `BertNormalizer`, lower case, or neither, and `BertPreTokenizer`.
#[derive(Debug)]
pub struct BertSteps {
    normalizer: Option<NormalizerWrapper>,
    pre_tokenizer: PreTokenizerWrapper,
    /// True if control characters are removed.
    cleans: bool,
    lowers: bool,
    /// True if characters are decomposed and lose their accents.
    strips_accents: bool,
}

/// The form of a character in any text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CharForm {
    /// It disappears, and the characters around it become neighbors.
    Removed,
    /// It separates words and belongs to none.
    Space,
    /// It is a word of its own, in this normalized form.
    Word(String),
    /// It is part of a word, in this normalized form.
    Part(String),
    /// Its form depends on the text around it.
    Mixed,
}

impl BertSteps {
    /// Reads the steps of a `tokenizer.json`. Returns `None` for other steps.
    pub fn new(normalizer: &Value, pre_tokenizer: &Value) -> Option<Self> {
        let read = || {
            let normalizer: Option<NormalizerWrapper> =
                serde_json::from_value(normalizer.clone()).ok()?;
            let pre_tokenizer: PreTokenizerWrapper =
                serde_json::from_value(pre_tokenizer.clone()).ok()?;
            Some((normalizer, pre_tokenizer))
        };
        let [splitter] = sequence(pre_tokenizer, "pretokenizers")[..] else {
            return None;
        };
        let splits: PreTokenizerWrapper = serde_json::from_value(splitter.clone()).ok()?;
        if !matches!(splits, PreTokenizerWrapper::BertPreTokenizer(_)) {
            return None;
        }
        let steps = sequence(normalizer, "normalizers");
        let (normalizer, pre_tokenizer) = catch_panic(read)??;
        let mut known = Self {
            normalizer,
            pre_tokenizer,
            cleans: false,
            lowers: false,
            strips_accents: false,
        };
        for step in steps {
            match serde_json::from_value(step.clone()).ok()? {
                NormalizerWrapper::BertNormalizer(step) => {
                    known.cleans |= step.clean_text;
                    known.lowers |= step.lowercase;
                    known.strips_accents |= step.strip_accents.unwrap_or(step.lowercase);
                }
                NormalizerWrapper::Lowercase(_) => known.lowers = true,
                _ => return None,
            }
        }
        Some(known)
    }

    /// Returns true if a byte separates words in any text.
    pub fn is_space(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t' | b'\n' | b'\r') || matches!(byte, 0x0b | 0x0c) && !self.cleans
    }

    /// Returns the form of a character.
    pub fn form(&self, character: char) -> CharForm {
        match u8::try_from(character) {
            Ok(byte) if byte.is_ascii() => self.ascii_form(byte),
            _ => catch_panic(|| self.other_form(character))
                .flatten()
                .unwrap_or(CharForm::Mixed),
        }
    }

    fn ascii_form(&self, byte: u8) -> CharForm {
        if self.is_space(byte) {
            return CharForm::Space;
        }
        if byte.is_ascii_control() && self.cleans {
            return CharForm::Removed;
        }
        if byte.is_ascii_punctuation() {
            return CharForm::Word(char::from(byte).into());
        }
        let lower = if self.lowers {
            byte.to_ascii_lowercase()
        } else {
            byte
        };
        CharForm::Part(char::from(lower).into())
    }

    /// Returns the form of a character between two letters, as the crate's steps give it. Returns `None` if it is
    /// unlike all forms that do not depend on the text.
    fn other_form(&self, character: char) -> Option<CharForm> {
        let normalized = self.normalized(&format!("a{character}a"))?;
        let form = normalized
            .get()
            .strip_prefix('a')?
            .strip_suffix('a')?
            .to_owned();
        let mut words = PreTokenizedString::from(normalized);
        let splitter = PinnedPreTokenizer(&self.pre_tokenizer);
        splitter.pre_tokenize(&mut words).ok()?;
        let words = words.get_splits(OffsetReferential::Normalized, OffsetType::None);
        let words: Vec<&str> = words.iter().map(|(word, ..)| *word).collect();
        if self.strips_accents && form.chars().any(is_sorted) {
            return None;
        }
        match words[..] {
            [_] if form.is_empty() => Some(CharForm::Removed),
            [word] if word.len() == form.len() + 2 => Some(CharForm::Part(form)),
            ["a", "a"] => Some(CharForm::Space),
            ["a", word, "a"] if form.trim() == word => Some(CharForm::Word(word.to_owned())),
            _ => None,
        }
    }

    fn normalized(&self, text: &str) -> Option<NormalizedString> {
        let mut normalized = NormalizedString::from(text);
        if let Some(normalizer) = &self.normalizer {
            PinnedNormalizer(normalizer)
                .normalize(&mut normalized)
                .ok()?;
        }
        Some(normalized)
    }

    /// Encodes a part of a text with the crate's steps. `search` returns the tokens of a word. Returns `None` if the
    /// crate fails.
    pub fn encode(
        &self,
        text: &str,
        search: impl Fn(&str) -> Vec<tokenizers::Token>,
    ) -> Option<tokenizers::Encoding> {
        catch_panic(|| {
            let mut words = PreTokenizedString::from(self.normalized(text)?);
            let splitter = PinnedPreTokenizer(&self.pre_tokenizer);
            splitter.pre_tokenize(&mut words).ok()?;
            words.tokenize(|word| Ok(search(word.get()))).ok()?;
            words.into_encoding(None, 0, OffsetType::Byte).ok()
        })?
    }
}

/// Returns true if a character is sorted among its neighbors by NFD, as accents are.
fn is_sorted(character: char) -> bool {
    if character.is_ascii() {
        return false;
    }
    // Of all characters that are sorted, this one comes last.
    const LAST: char = '\u{345}';
    let mut pair = NormalizedString::from(format!("{LAST}{character}"));
    NFD.normalize(&mut pair).is_err() || !pair.get().starts_with(LAST)
}
