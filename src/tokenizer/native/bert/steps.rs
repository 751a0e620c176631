//! The steps of BERT, character by character: the normalized form of each, and how it separates words.
//!
//! `BertNormalizer` and `BertPreTokenizer` of the `tokenizers` crate look at one character at a time, so a character
//! has the same form everywhere, with one exception: accents are sorted before they are removed. Where an accent that
//! stays may have moved, the crate's own steps find the words.

use serde_json::Value;
use tokenizers::normalizers::{BertNormalizer, NFD};
use tokenizers::{NormalizedString, Normalizer};

use crate::tokenizer::native::hf_steps::normalized_text;
use crate::tokenizer::native::lazy_hf_steps::LazyHfSteps;
use crate::tokenizer::native::step_list::{name, steps_of};

/// The steps of a tokenizer: `BertNormalizer`, lower case, or neither, and `BertPreTokenizer`.
#[derive(Debug)]
pub struct BertSteps {
    /// The same steps of the crate, for characters beyond ASCII.
    hf: LazyHfSteps,
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
    /// It separates words and is not part of any.
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
        let [splitter] = steps_of(pre_tokenizer, "pretokenizers")?[..] else {
            return None;
        };
        if name(splitter) != "BertPreTokenizer" {
            return None;
        }
        let mut known = Self {
            hf: LazyHfSteps::new(normalizer, pre_tokenizer, &[]),
            cleans: false,
            lowers: false,
            strips_accents: false,
        };
        for step in steps_of(normalizer, "normalizers")? {
            match name(step) {
                "BertNormalizer" => {
                    let step: BertNormalizer = serde_json::from_value(step.clone()).ok()?;
                    known.cleans |= step.clean_text;
                    known.lowers |= step.lowercase;
                    known.strips_accents |= step.strip_accents.unwrap_or(step.lowercase);
                }
                "Lowercase" => known.lowers = true,
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
            _ => self.other_form(character).unwrap_or(CharForm::Mixed),
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

    /// Returns the form of a character between two letters, as the crate's steps give it. Returns `None` if the form
    /// depends on other characters.
    fn other_form(&self, character: char) -> Option<CharForm> {
        let steps = self.hf.get()?;
        let text = steps.normalize(&format!("a{character}a"), false, false)?;
        let form = normalized_text(&text);
        let form = form.strip_prefix('a')?.strip_suffix('a')?;
        if self.strips_accents && form.chars().any(is_sorted) {
            return None;
        }
        let mut words = Vec::new();
        steps.tokenize(text, |word| {
            words.push(word.to_owned());
            Vec::new()
        })?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words[..] {
            [_] if form.is_empty() => Some(CharForm::Removed),
            [word] if word.len() == form.len() + 2 => Some(CharForm::Part(form.to_owned())),
            ["a", "a"] => Some(CharForm::Space),
            ["a", word, "a"] if form.trim() == word => Some(CharForm::Word(word.to_owned())),
            _ => None,
        }
    }

    /// Returns the steps of the crate, which are the same.
    pub fn hf(&self) -> &LazyHfSteps {
        &self.hf
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
