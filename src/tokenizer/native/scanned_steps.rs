//! The steps of tokenizers whose words are scanned in the raw text: composition of characters, added tokens, words.

use serde_json::Value;
use unicode_normalization_alignments::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::added_tokens::AddedTokens;
use super::bpe::byte_ids::ByteSet;
use super::compiled::CompiledVocabulary;
use super::lazy_hf_steps::LazyHfSteps;
use super::model::Model;
use super::scan::{PreTokenizer, Scanner};
use super::step_list::{name, steps_of};
use super::token::Token;
use super::word_search::SearchScratch;
use crate::formats::config::AddedTokenConfig;

/// The steps of a tokenizer that scans the raw text.
#[derive(Debug)]
pub struct ScannedSteps {
    pub scanner: Scanner,
    /// True if words are spelled in bytes.
    byte_level: bool,
    /// The bytes that the model cannot spell. Empty unless words are spelled in bytes.
    unspelled: ByteSet,
    /// True if a text without a space at its start is taken as if it had one.
    pub adds_space: bool,
    /// True if characters are composed (NFC).
    composes: bool,
    /// Added tokens that are matched in the normalized text.
    pub normalized: AddedTokens,
    /// The same steps of the crate, for texts that composition changes, and for bytes that are not spelled.
    hf: LazyHfSteps,
}

impl ScannedSteps {
    /// Reads the steps of a `tokenizer.json`. Returns `None` if one of them is unknown, or if words are spelled in bytes
    /// but the vocabulary is not.
    pub fn new(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
        compiled: &CompiledVocabulary,
    ) -> Option<Self> {
        let composes = match steps_of(normalizer, "normalizers")?[..] {
            [] => false,
            [step] if name(step) == "NFC" => true,
            _ => return None,
        };
        let pre_tokenizer_as_code = PreTokenizer::from_json(pre_tokenizer)?;
        let byte_level = pre_tokenizer_as_code.byte_level;
        let adds_space = pre_tokenizer_as_code.add_prefix_space;
        let unspelled = if byte_level {
            unspelled(compiled)?
        } else {
            ByteSet::EMPTY
        };
        if adds_space && unspelled.contains(b' ') {
            return None;
        }
        let normalized = added.iter().filter(|(token, _)| token.normalized);
        let is_composed = |(token, _): &(AddedTokenConfig, u32)| is_composed(&token.content);
        if composes && !normalized.clone().all(is_composed) {
            return None;
        }
        Some(Self {
            scanner: pre_tokenizer_as_code.scanner,
            byte_level,
            unspelled,
            adds_space,
            composes,
            normalized: AddedTokens::new(normalized.cloned().collect())?,
            hf: LazyHfSteps::new(normalizer, pre_tokenizer, added),
        })
    }

    /// Finds the tokens of a word.
    pub fn search<'s>(
        &self,
        model: &Model<'_>,
        scratch: &'s mut SearchScratch,
        word: &[u8],
    ) -> &'s [Token] {
        match str::from_utf8(word) {
            Ok(word) if !self.byte_level => scratch.search_raw(model, word),
            _ => scratch.search_bytes(model, word),
        }
    }

    /// Returns true if a text can be scanned as it is: normalization does not change it, and every byte is spelled.
    pub fn can_scan(&self, text: &str) -> bool {
        (!self.composes || is_composed(text)) && !self.unspelled.are_in(text)
    }

    /// Returns the steps of the crate, which are the same.
    pub fn hf(&self) -> &LazyHfSteps {
        &self.hf
    }

    /// Returns true if the model can spell every byte.
    pub fn spells_all(&self) -> bool {
        self.unspelled.is_empty()
    }

    /// Returns true if a text can be cut between two bytes of ASCII, as far as these steps and `tokens` are concerned.
    pub fn cuts(&self, tokens: &AddedTokens, before: u8, after: u8) -> bool {
        before.is_ascii_graphic()
            && after.is_ascii()
            && (after == b' ' || !self.adds_space)
            && self.scanner.always_splits(before, after)
            && tokens.allow_cut(before, after)
    }

    /// Returns true if a text can be cut between two bytes of ASCII that may also be part of added tokens.
    pub fn cuts_normalized(&self, parse_special: bool, before: u8, after: u8) -> bool {
        self.cuts(self.normalized.matched(parse_special), before, after)
    }
}

/// Returns the end of the first part of a text that can be tokenized by itself and has at least `length` bytes. `cuts`
/// returns true if a text can be cut between two bytes of ASCII.
pub fn first_block(text: &str, length: usize, cuts: impl Fn(u8, u8) -> bool) -> usize {
    let bytes = text.as_bytes();
    let spaces = memchr::memchr_iter(b' ', bytes.get(length..).unwrap_or_default());
    let mut places = spaces.map(|space| length + space);
    let end = places.find(|&at| cuts(bytes[at - 1], b' '));
    end.unwrap_or(bytes.len())
}

/// Returns the bytes without a piece, unless the unknown token stands for them: others are left out, or have byte pieces.
/// Returns `None` if the vocabulary is not byte-level.
fn unspelled(compiled: &CompiledVocabulary) -> Option<ByteSet> {
    let without_piece = ByteSet::without_piece(compiled.byte_ids()?);
    let falls_back = compiled.settings()?.byte_fallback == Some(true);
    let are_unknown = compiled.unknown_id().is_some() && !falls_back;
    Some(if are_unknown {
        ByteSet::EMPTY
    } else {
        without_piece
    })
}

/// Returns true if composition (NFC) does not change a text.
fn is_composed(text: &str) -> bool {
    if text.is_ascii() {
        return true;
    }
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => true,
        IsNormalized::No => false,
        IsNormalized::Maybe => text.nfc().map(|(character, _)| character).eq(text.chars()),
    }
}
