//! Tokenizes a text word by word with the steps of BERT.
//!
//! Words are looked up in the cache by their bytes in the text, in batches as in `short_chunks`.

use super::chars::NO_TOKEN;
use super::scan::{PendingWord, WordScan};
use super::scratch::{BATCH, BertScratch};
use super::steps::BertSteps;
use crate::tokenizer::native::model::{Model, ModelScratch};
use crate::tokenizer::native::run::Run;
use crate::tokenizer::native::space_scan::PaddedText;
use crate::tokenizer::native::token_sink::TokenSink;
use crate::tokenizer::native::word_cache::{ShortWords, TokenStart};
use crate::tokenizer::native::word_search::WordSearch;

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of a byte range of the text. Returns `None` if a step of the `tokenizers` crate fails.
    pub fn bert_words(
        &mut self,
        steps: &BertSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        let text = self.text;
        let padded = PaddedText::new(&text.as_bytes()[..end]);
        let model = self.model;
        let word_id = |word: &str| only_id(&model, word);
        let BertScratch {
            characters, ascii, ..
        } = &mut self.scratch.bert;
        ascii.get_or_insert_with(|| Box::new(characters.prepare(steps, word_id)));
        let mut scan = WordScan::new(text, &padded, steps, word_id, start);
        loop {
            let (count, pending) = self.look_up_words(&mut scan);
            let mut done = 0;
            while let Some(new) = self.emit_known_words(&padded, pending, &mut done, count, sink) {
                self.emit_unknown_word(steps, &new, sink)?;
            }
            if count < BATCH {
                return Some(());
            }
        }
    }

    /// Starts looking up the next words. Returns their number, which is less than a batch at the end of the text, and
    /// true if look-ups are pending: the tables of the cache may not be allocated yet.
    #[inline]
    fn look_up_words(
        &mut self,
        scan: &mut WordScan<'_, impl Fn(&str) -> Option<u32>>,
    ) -> (usize, bool) {
        let scratch = &mut *self.scratch;
        let BertScratch {
            characters,
            ascii: Some(ascii),
            batch,
            ..
        } = &mut scratch.bert
        else {
            return (0, false);
        };
        let words = scratch.cache.short_words();
        let mut count = 0;
        for slot in batch {
            let Some(word) = scan.next(characters, ascii) else {
                break;
            };
            slot.word = word;
            let length = word.end - word.start;
            if length > 0
                && let Some(words) = words
            {
                slot.lookup = words.look_up(scan.padded.words(word.start), length);
            }
            count += 1;
        }
        (count, words.is_some())
    }

    /// Emits the tokens of words `done` to `count` of the batch. Stops at the first word that is not cached, and
    /// returns it.
    #[inline]
    fn emit_known_words(
        &mut self,
        text: &PaddedText<'_>,
        pending: bool,
        done: &mut usize,
        count: usize,
        sink: &mut impl TokenSink,
    ) -> Option<PendingWord> {
        let scratch = &*self.scratch;
        let words = scratch.cache.short_words().filter(|_| pending);
        let mut number = self.word;
        let mut left = scratch.bert.batch.get(..count)?.get(*done..)?.iter();
        let new = left.find(|pending| {
            let word = &pending.word;
            let length = word.end - word.start;
            if length > 0 {
                let known = match words {
                    Some(words) if length <= ShortWords::SHORT => words.short(&pending.lookup),
                    _ => scratch.cache.get(text.bytes(), word.start, word.end),
                };
                match known {
                    Some(known) if known.serves(RANGES) => {
                        sink.cached_word(number, word.start, known);
                        number += 1;
                    }
                    _ => return true,
                }
            }
            number += emit_mark(pending, number, sink);
            false
        });
        *done = count - left.len();
        self.word = number;
        new.copied()
    }

    /// Emits the tokens of a word that is not cached, and of the mark after it. Returns `None` if a step of the
    /// `tokenizers` crate fails.
    #[cold]
    fn emit_unknown_word(
        &mut self,
        steps: &BertSteps,
        pending: &PendingWord,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        let (start, end) = (pending.word.start, pending.word.end);
        if pending.word.mixed {
            self.emit_mixed(steps, start, end, sink)?;
        } else {
            self.emit_new_word(start, end, sink);
        }
        self.word += emit_mark(pending, self.word, sink);
        Some(())
    }

    /// Emits and caches the tokens of a word whose characters each have their own form.
    fn emit_new_word(&mut self, start: usize, end: usize, sink: &mut impl TokenSink) {
        let word = &self.text[start..end];
        let scratch = &mut *self.scratch;
        let BertScratch {
            characters,
            aligned,
            tokens,
            model,
            ..
        } = &mut scratch.bert;
        characters.normalize(word, start, aligned);
        if aligned.text.is_empty() {
            return;
        }
        tokens.clear();
        self.model.search(&aligned.text, model, tokens);
        let mut begin = 0;
        let mut adjacent = true;
        let mut last = aligned.ranges[0].0;
        for token in &mut *tokens {
            let range = aligned.original::<true>(begin, token.end as usize);
            adjacent &= range.0 == last;
            last = range.1;
            begin = token.end as usize;
            token.end = range.1 - start as u32;
            sink.token(token.id, self.word, (range.0 as usize, range.1 as usize));
        }
        let token_start = if adjacent {
            TokenStart::At(aligned.ranges[0].0 as usize - start)
        } else {
            TokenStart::Unknown
        };
        let ends = tokens.iter().map(|token| (token.id, token.end as usize));
        scratch.cache.set(word.as_bytes(), token_start, ends);
        self.word += 1;
    }

    /// Emits the tokens of a part of the text with the steps of the `tokenizers` crate.
    fn emit_mixed(
        &mut self,
        steps: &BertSteps,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        let steps = steps.hf().get()?;
        let normalized = steps.normalize(&self.text[start..end], false, false)?;
        self.scratch.found.clear();
        let search = WordSearch {
            model: self.model,
            compiled: &self.segmenter.compiled,
            cache: None,
            scratch: &mut self.scratch.search,
            found: &mut self.scratch.found,
        };
        search.with_hf_words(steps, normalized, start)?;
        self.emit_found(sink);
        Some(())
    }
}

/// Emits the mark after a word, if the word has one. Returns the number of marks, 0 or 1.
#[inline]
fn emit_mark(pending: &PendingWord, number: u32, sink: &mut impl TokenSink) -> u32 {
    let word = &pending.word;
    let has_mark = word.mark != NO_TOKEN;
    if word.mark_end > word.end + 1 {
        if has_mark {
            sink.token(word.mark, number, (word.end, word.mark_end));
        }
    } else {
        sink.trailing_mark(has_mark, number, || (word.mark, word.end));
    }
    u32::from(has_mark)
}

/// Returns the token of a word. Returns `None` if it has more than one.
fn only_id(model: &Model<'_>, word: &str) -> Option<u32> {
    let mut tokens = Vec::new();
    model.search(word, &mut ModelScratch::default(), &mut tokens);
    match tokens[..] {
        [token] => Some(token.id),
        _ => None,
    }
}
