//! Finds the tokens of a word under a byte-pair encoding, like `BPE::merge_word` of the `tokenizers` crate.

use super::byte_ids::{BYTE_IDS, NO_PIECE};
use super::merge::{MergeScratch, merge};
use super::merges::{MergeSlot, MergeTable};
use crate::formats::model_settings::ModelSettings;
use crate::tokenizer::native::compiled::CompiledVocabulary;
use crate::tokenizer::native::token::Token;

/// A byte-pair encoding, read from a compiled vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct Bpe<'a> {
    compiled: &'a CompiledVocabulary,
    merges: MergeTable<'a>,
    /// The ids of bytes. `None` if pieces within a word have a prefix.
    byte_ids: Option<&'a [u32; BYTE_IDS]>,
    settings: &'a BpeSettings,
}

/// The settings of a byte-pair encoding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BpeSettings {
    unknown_id: Option<u32>,
    /// True if unknown characters are refused: there should be an unknown token, but the vocabulary lacks it.
    refuses_unknown: bool,
    prefix: String,
    suffix: String,
    /// The ids of the characters of ASCII in the middle of a word.
    ascii: Vec<Option<u32>>,
    fuses_unknown: bool,
    ignores_merges: bool,
    /// The ids of byte pieces such as `<0x0A>`. Empty without byte fallback.
    fallback: Vec<Option<u32>>,
}

impl BpeSettings {
    /// Reads the settings of a compiled vocabulary.
    pub fn new(settings: &ModelSettings, compiled: &CompiledVocabulary) -> Self {
        // Byte pieces mostly have successive ids.
        let mut next = 0;
        let fallback = |byte: u8| {
            let id = compiled.find_near(&format!("<{byte:#04X}>"), next)?;
            next = id.wrapping_add(1);
            Some(id)
        };
        let fallback = match settings.byte_fallback {
            Some(true) => (0..=u8::MAX).map(fallback).collect(),
            _ => Vec::new(),
        };
        let text = |given: &Option<String>| given.clone().unwrap_or_default();
        let prefix = text(&settings.continuing_subword_prefix);
        let ascii = |byte: u8| compiled.find(&format!("{prefix}{}", char::from(byte)));
        Self {
            ascii: (0..128).map(ascii).collect(),
            unknown_id: compiled.unknown_id(),
            refuses_unknown: settings.unk_token.is_some() && compiled.unknown_id().is_none(),
            prefix,
            suffix: text(&settings.end_of_word_suffix),
            fuses_unknown: settings.fuse_unk == Some(true),
            ignores_merges: settings.ignore_merges == Some(true),
            fallback,
        }
    }
}

impl<'a> Bpe<'a> {
    /// Returns the model of a vocabulary. Returns `None` if it has no merges.
    pub fn new(compiled: &'a CompiledVocabulary, settings: &'a BpeSettings) -> Option<Self> {
        let slots: &[MergeSlot] = compiled.merges();
        Some(Self {
            compiled,
            merges: MergeTable::new(slots)?,
            byte_ids: compiled.byte_ids(),
            settings,
        })
    }

    /// Appends the tokens of a word, given in characters of the vocabulary. Returns `None` if a character is refused.
    pub fn search(
        &self,
        word: &str,
        scratch: &mut MergeScratch,
        tokens: &mut Vec<Token>,
    ) -> Option<()> {
        if self.settings.ignores_merges
            && !word.is_empty()
            && let Some(id) = self.compiled.find(word)
        {
            let end = word.len() as u32;
            tokens.push(Token { id, end });
            return Some(());
        }
        let first = tokens.len();
        self.spell(word, tokens)?;
        merge(self.merges, tokens, first, scratch);
        Some(())
    }

    /// Appends the tokens of a word, given as the bytes that byte-level characters stand for. A byte without a piece is
    /// unknown, or left out if there is no unknown token. Appends nothing if pieces within a word have a prefix.
    pub fn search_bytes(&self, word: &[u8], scratch: &mut MergeScratch, tokens: &mut Vec<Token>) {
        let (Some(ids), Some((&last, bytes))) = (self.byte_ids, word.split_last()) else {
            return;
        };
        if self.settings.ignores_merges
            && let Some(id) = self.compiled.find_bytes(word)
        {
            let end = word.len() as u32;
            return tokens.push(Token { id, end });
        }
        let first = tokens.len();
        let ends = 1..;
        tokens.extend(bytes.iter().zip(ends).map(|(&byte, end)| Token {
            id: ids[usize::from(byte)],
            end,
        }));
        tokens.push(Token {
            id: ids[BYTE_IDS / 2 + usize::from(last)],
            end: word.len() as u32,
        });
        if tokens[first..].iter().any(|token| token.id == NO_PIECE) {
            self.name_unknown(tokens, first);
        }
        merge(self.merges, tokens, first, scratch);
    }

    /// Gives the unknown token to the bytes without a piece, from index `first` of `tokens` on.
    #[cold]
    fn name_unknown(&self, tokens: &mut Vec<Token>, first: usize) {
        let bytes = tokens.split_off(first);
        let mut after_unknown = false;
        for Token { id, end } in bytes {
            let is_unknown = id == NO_PIECE;
            match tokens.last_mut() {
                Some(last) if is_unknown && after_unknown && self.settings.fuses_unknown => {
                    last.end = end;
                }
                _ if is_unknown => {
                    let unknown = self.settings.unknown_id;
                    tokens.extend(unknown.map(|id| Token { id, end }));
                }
                _ => tokens.push(Token { id, end }),
            }
            after_unknown = is_unknown;
        }
    }

    /// Appends a token for each character of a word.
    ///
    /// As in the crate, an unknown character is left out if the model has no unknown token. Otherwise its token waits
    /// for the next known character, and so comes after the byte pieces of the characters in between. Returns `None` if
    /// an unknown character is refused.
    fn spell(&self, word: &str, tokens: &mut Vec<Token>) -> Option<()> {
        let settings = self.settings;
        let mut end = 0;
        let mut push = |id: u32, length: usize| {
            end += length as u32;
            tokens.push(Token { id, end });
        };
        let mut unknown: Option<usize> = None;
        let mut spelling = String::new();
        for (start, character) in word.char_indices() {
            let length = character.len_utf8();
            let is_inner = start > 0 && (start + length < word.len() || settings.suffix.is_empty());
            if is_inner
                && unknown.is_none()
                && let Some(Some(id)) = settings.ascii.get(character as usize)
            {
                push(*id, length);
                continue;
            }
            spelling.clear();
            if start > 0 {
                spelling.push_str(&settings.prefix);
            }
            spelling.push(character);
            if start + length == word.len() {
                spelling.push_str(&settings.suffix);
            }
            if let Some(id) = self.compiled.find(&spelling) {
                if let (Some(length), Some(id)) = (unknown.take(), settings.unknown_id) {
                    push(id, length);
                }
                push(id, length);
            } else if let Some(ids) = self.fallback(&spelling) {
                ids.for_each(|id| push(id, 1));
            } else if let Some(id) = settings.unknown_id {
                match unknown {
                    Some(before) if settings.fuses_unknown => unknown = Some(before + length),
                    before => {
                        if let Some(before) = before {
                            push(id, before);
                        }
                        unknown = Some(length);
                    }
                }
            } else if settings.refuses_unknown {
                return None;
            }
        }
        if let (Some(length), Some(id)) = (unknown, settings.unknown_id) {
            push(id, length);
        }
        Some(())
    }

    /// Returns the ids of the byte pieces of a text. Returns `None` without byte fallback, or if a piece is missing.
    fn fallback<'t>(&'t self, text: &'t str) -> Option<impl Iterator<Item = u32> + 't> {
        let ids = text.bytes().map(|byte| {
            let id = self.settings.fallback.get(usize::from(byte));
            id.copied().flatten()
        });
        ids.clone().all(|id| id.is_some()).then(|| ids.flatten())
    }
}
