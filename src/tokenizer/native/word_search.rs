//! Finds the tokens of normalized text: its added tokens, its words, and the pieces of each word.

use std::mem;

use super::added_tokens::{AddedTokens, TextPart};
use super::aligned_text::AlignedText;
use super::compiled::CompiledVocabulary;
use super::hf_steps::HfSteps;
use super::model::{Model, ModelScratch};
use super::normalize::METASPACE;
use super::sentencepiece::with_spaces;
use super::steps::{StepScratch, Words};
use super::token::{Token, for_each_range};
use super::word_cache::{TokenStart, WordCache};

/// A token of a byte range of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundToken {
    pub id: u32,
    /// The number of the token's word, counted from the beginning of the range.
    pub word: u32,
    /// Half-open byte range of the text.
    pub range: (u32, u32),
    /// The spelling of an added token. `None` for a piece of a word.
    pub surface: Option<Box<str>>,
}

/// A search in one byte range: the model that finds the pieces of words, and the list that receives their tokens.
pub struct WordSearch<'a> {
    pub model: Model<'a>,
    pub compiled: &'a CompiledVocabulary,
    /// A cache of normalized words. `None` if raw words are cached instead.
    pub cache: Option<&'a mut WordCache>,
    pub scratch: &'a mut SearchScratch,
    pub found: &'a mut Vec<FoundToken>,
}

/// Memory that is reused from range to range.
#[derive(Debug, Default)]
pub struct SearchScratch {
    /// Normalized text.
    pub aligned: AlignedText,
    words: AlignedText,
    steps: StepScratch,
    model: ModelScratch,
    tokens: Vec<Token>,
    /// The number of words in the range that was searched last, those without tokens included.
    pub words_found: u32,
}

impl SearchScratch {
    /// Returns true if a word had no tokens because it, or a character of it, is unknown. The memory must not be used
    /// again.
    pub fn has_failed(&self) -> bool {
        self.model.has_failed()
    }

    /// Returns the memory for the normalized text and for the steps that make it.
    pub fn for_steps(&mut self) -> (&mut AlignedText, &mut StepScratch) {
        (&mut self.aligned, &mut self.steps)
    }

    /// Takes that memory while the rest is used.
    pub fn take_for_steps(&mut self) -> (AlignedText, StepScratch) {
        (mem::take(&mut self.aligned), mem::take(&mut self.steps))
    }

    /// Puts it back.
    pub fn put_back_for_steps(&mut self, aligned: AlignedText, steps: StepScratch) {
        (self.aligned, self.steps) = (aligned, steps);
    }

    /// Returns the tokens of a normalized word. `word` lacks the leading `▁`.
    pub fn search_word(&mut self, model: &Model<'_>, word: &str) -> &[Token] {
        let Self {
            words,
            model: scratch,
            tokens,
            ..
        } = self;
        words.clear();
        words.text.push(METASPACE);
        words.text.push_str(word);
        tokens.clear();
        model.search(&words.text, scratch, tokens);
        tokens
    }

    /// Returns the tokens of a part of a word, given with spaces in place of `▁`.
    pub fn search_spaced(&mut self, model: &Model<'_>, part: &str) -> &[Token] {
        self.words.clear();
        for character in part.chars() {
            let is_space = character == ' ';
            self.words
                .text
                .push(if is_space { METASPACE } else { character });
        }
        self.tokens.clear();
        model.search(&self.words.text, &mut self.model, &mut self.tokens);
        with_spaces(&self.words.text, &mut self.tokens);
        &self.tokens
    }

    /// Returns the tokens of a word that no step changes.
    pub fn search_raw(&mut self, model: &Model<'_>, word: &str) -> &[Token] {
        self.tokens.clear();
        model.search(word, &mut self.model, &mut self.tokens);
        &self.tokens
    }

    /// Returns the tokens of a word of a byte-level model, given as bytes.
    pub fn search_bytes(&mut self, model: &Model<'_>, word: &[u8]) -> &[Token] {
        self.tokens.clear();
        model.search_bytes(word, &mut self.model, &mut self.tokens);
        &self.tokens
    }
}

impl WordSearch<'_> {
    /// Finds the added tokens and the words of the normalized text in `scratch.aligned`, and the tokens of the words.
    /// Returns `None` if the added tokens cannot be told apart.
    pub fn with_own_words<const RANGES: bool>(
        &mut self,
        added: &AddedTokens,
        parse_special: bool,
        kind: Words,
    ) -> Option<()> {
        let mut word = 0;
        let SearchScratch {
            aligned,
            words,
            model: scratch,
            tokens,
            words_found,
            ..
        } = &mut *self.scratch;
        added.split(&aligned.text, parse_special, |part, start, end| {
            if let TextPart::Added(id) = part {
                self.found.push(FoundToken {
                    id,
                    word,
                    range: aligned.original::<RANGES>(start, end),
                    surface: Some(aligned.text[start..end].into()),
                });
                word += 1;
                return;
            }
            kind.for_each::<RANGES>(aligned, start, end, words, |text, first, last| {
                tokens.clear();
                let cache = self.cache.as_deref_mut();
                search_or_look_up(
                    &self.model,
                    cache,
                    &text.text,
                    (first, last),
                    scratch,
                    tokens,
                );
                for_each_range(tokens, |id, begin, end| {
                    self.found.push(FoundToken {
                        id,
                        word,
                        range: text.original::<RANGES>(first + begin, first + end),
                        surface: None,
                    });
                });
                word += 1;
            });
        })?;
        *words_found = word;
        Some(())
    }

    /// Finds the tokens of a normalized text that begins at byte `start` of the original, with the pre-tokenizers of
    /// the `tokenizers` crate. Returns `None` if the crate fails.
    pub fn with_hf_words(
        self,
        steps: &HfSteps,
        normalized: tokenizers::PreTokenizedString,
        start: usize,
    ) -> Option<()> {
        let Self {
            model,
            compiled,
            mut cache,
            scratch:
                SearchScratch {
                    model: scratch,
                    tokens,
                    words_found,
                    ..
                },
            found,
        } = self;
        let (encoding, words) = steps.tokenize(normalized, |word| {
            tokens.clear();
            let cache = cache.as_deref_mut();
            search_or_look_up(&model, cache, word, (0, word.len()), scratch, tokens);
            let mut spelled = Vec::with_capacity(tokens.len());
            for_each_range(tokens, |id, begin, end| {
                let value = compiled.piece(id).unwrap_or_default().to_owned();
                spelled.push(tokenizers::Token::new(id, value, (begin, end)));
            });
            spelled
        })?;
        *words_found = words;
        let words = encoding.get_word_ids().iter().zip(encoding.get_offsets());
        let spelled = encoding.get_ids().iter().zip(encoding.get_tokens());
        for ((id, spelling), (word, offsets)) in spelled.zip(words) {
            // A piece has the spelling of the vocabulary, an added token that of the text.
            let is_piece = compiled.piece(*id) == Some(spelling);
            found.push(FoundToken {
                id: *id,
                word: word.unwrap_or_default(),
                range: ((start + offsets.0) as u32, (start + offsets.1) as u32),
                surface: (!is_piece).then(|| spelling.as_str().into()),
            });
        }
        Some(())
    }
}

/// Appends the tokens of a normalized word, given as a byte range of `text`, and caches them.
fn search_or_look_up(
    model: &Model<'_>,
    cache: Option<&mut WordCache>,
    text: &str,
    (start, end): (usize, usize),
    scratch: &mut ModelScratch,
    tokens: &mut Vec<Token>,
) {
    let known = cache.as_ref();
    if let Some(known) = known.and_then(|cache| cache.get(text.as_bytes(), start, end)) {
        let known = known.ids.iter().zip(known.ends);
        tokens.extend(known.map(|(id, end)| Token {
            id: *id,
            end: u32::from(*end),
        }));
        return;
    }
    let word = &text[start..end];
    model.search(word, scratch, tokens);
    if let Some(cache) = cache {
        let tokens = tokens.iter().map(|token| (token.id, token.end as usize));
        cache.set(word.as_bytes(), TokenStart::At(0), tokens);
    }
}
