//! The native engine: Unigram tokenization, exact and fast.
//!
//! It does what the reference engine does, step by step: added tokens on the raw text, normalization, added tokens on
//! the normalized text, words, pieces. The steps of DeBERTa are its own; those of other families are the `tokenizers`
//! crate's, around the same search. Where no step looks across white space, a text is taken apart there first, and a
//! word that came before is not tokenized again. Any tokenizer that has a part it does not know is left to the
//! reference engine as a whole.

mod added_tokens;
mod aligned_text;
mod charsmap;
pub mod compiled;
mod double_array;
mod hf_steps;
mod huge_pages;
mod json_steps;
mod normalize;
mod pipeline;
mod scratch_pool;
mod space_scan;
pub mod template;
mod trailing_marks;
mod unigram;
mod word_cache;
mod word_chunks;
mod word_table;

use std::fmt;
use std::sync::Arc;

use super::EncodeOptions;
use super::encoding::Encoding;
use crate::formats::config::AddedTokenConfig;
use crate::formats::sentencepiece::Algorithm;
use added_tokens::{AddedTokens, TextPart};
use compiled::CompiledVocabulary;
use pipeline::{FoundToken, Pipeline, PipelineScratch, WordSearch};
use scratch_pool::ScratchPool;
use template::{Template, TemplatePart};
use trailing_marks::TrailingMarks;
use unigram::Unigram;
use word_cache::{CachedTokens, WordCache};
use word_chunks::{LOOKUP_BATCH, ShortChunk};

pub use pipeline::PipelineConfig;

/// Offsets are kept in 32 bits: longer texts go to the reference engine.
const MAX_TEXT: usize = u32::MAX as usize;

/// The engine of one tokenizer.
pub struct NativeEngine {
    compiled: Arc<CompiledVocabulary>,
    unknown_score: f64,
    /// Added tokens that are matched on the raw text.
    raw: AddedTokens,
    steps: Pipeline,
    /// With added tokens taken as text, and parsed.
    marks: [TrailingMarks; 2],
    /// None if a text is finished by something else than a template.
    template: Option<Template>,
    /// Scratch memory that no text needs at the moment: with added tokens taken as text, and parsed. What is remembered
    /// of words depends on it.
    idle: [ScratchPool<RunScratch>; 2],
}

impl fmt::Debug for NativeEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeEngine").finish_non_exhaustive()
    }
}

/// What is kept from text to text.
#[derive(Debug, Default)]
struct RunScratch {
    /// Words as they stand in texts that can be taken apart; normalized words of others.
    cache: WordCache,
    asked: [ShortChunk; LOOKUP_BATCH],
    steps: PipelineScratch,
    found: Vec<FoundToken>,
}

/// Takes the tokens of a text, in order.
trait TokenSink {
    /// A token of a word: its id, the word's index, and the range it comes from.
    fn token(&mut self, id: u32, word: u32, range: (usize, usize));
    /// An added token, spelled as it was found.
    fn added(&mut self, id: u32, word: u32, range: (usize, usize), surface: &str);
    /// The tokens of one word, which begins at a byte of the text.
    fn cached_word(&mut self, word: u32, start: usize, tokens: CachedTokens<'_>);
    /// A character behind those, if it is there, with its id and its place in the text. Whether it is there cannot be
    /// guessed: where it does not matter what it is, nothing is to be decided.
    #[inline]
    fn trailing_mark(
        &mut self,
        is_there: bool,
        word: u32,
        id_place: impl FnOnce() -> (u32, usize),
    ) {
        if is_there {
            let (id, place) = id_place();
            self.token(id, word, (place, place + 1));
        }
    }
}

impl NativeEngine {
    /// Builds the engine for a vocabulary and its added tokens with their ids, of which the last of equal ones counts.
    ///
    /// None if the tokenizer has anything that this engine does not do exactly.
    pub fn new(
        compiled: Arc<CompiledVocabulary>,
        added: &[(AddedTokenConfig, u32)],
        steps: &PipelineConfig,
        template: Option<Template>,
    ) -> Option<Self> {
        if compiled.algorithm() != Algorithm::Unigram || compiled.array().is_none() {
            return None;
        }
        let last = added.iter().enumerate().filter(|(index, (_, id))| {
            let later = &added[index + 1..];
            !later.iter().any(|(_, other)| other == id)
        });
        let added: Vec<_> = last.map(|(_, token)| token.clone()).collect();
        let raw = added.iter().filter(|(token, _)| !token.normalized);
        let steps = Pipeline::new(steps, &added)?;
        let apart: Vec<_> = compiled.apart().collect();
        Some(Self {
            raw: AddedTokens::new(raw.cloned().collect())?,
            marks: [false, true].map(|parse_special| steps.marks(&apart, parse_special)),
            steps,
            unknown_score: unigram::unknown_score(compiled.min_score()),
            compiled,
            template,
            idle: Default::default(),
        })
    }

    /// Encodes a text or a pair, without truncation. None if a text is too long for this engine, or is finished by
    /// something else than a template.
    pub fn encode(
        &self,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Option<Encoding> {
        let mut encoding = Encoding::default();
        encoding.reserve_for(text.len() + pair.map_or(0, str::len));
        for piece in self.template.as_ref()?.parts(pair.is_some()) {
            match piece {
                TemplatePart::Text { second, type_id } => {
                    let text = if *second { pair? } else { text };
                    self.encode_into(&mut encoding, text, usize::from(*second), *type_id, options)?;
                }
                TemplatePart::Special {
                    ids,
                    tokens,
                    type_id,
                } if options.special_tokens => {
                    for (id, token) in ids.iter().zip(tokens) {
                        encoding.push_special(*id, token, *type_id);
                    }
                }
                TemplatePart::Special { .. } => {}
            }
        }
        Some(encoding)
    }

    /// The tokens of one text of a pair, as `tokenizers` has them before anything is put around them.
    pub fn encode_sequence(
        &self,
        text: &str,
        sequence: usize,
        options: &EncodeOptions,
    ) -> Option<Encoding> {
        let mut encoding = Encoding::default();
        encoding.reserve_for(text.len());
        self.encode_into(&mut encoding, text, sequence, sequence as u32, options)?;
        Some(encoding)
    }

    /// The ids of a text. None as in [`NativeEngine::encode`].
    pub fn ids(&self, text: &str, options: &EncodeOptions) -> Option<Vec<u32>> {
        struct Ids(Vec<u32>);

        impl TokenSink for Ids {
            #[inline]
            fn token(&mut self, id: u32, _: u32, _: (usize, usize)) {
                self.0.push(id);
            }

            fn added(&mut self, id: u32, _: u32, _: (usize, usize), _: &str) {
                self.0.push(id);
            }

            #[inline]
            fn cached_word(&mut self, _: u32, _: usize, tokens: CachedTokens<'_>) {
                self.0.extend_from_slice(tokens.ids);
            }
        }

        let mut all = Ids(Vec::with_capacity(text.len() / 3));
        for piece in self.template.as_ref()?.parts(false) {
            match piece {
                TemplatePart::Text { .. } => {
                    self.run::<false>(text, options.parse_special, &mut all)?;
                }
                TemplatePart::Special { ids, .. } if options.special_tokens => {
                    all.0.extend_from_slice(ids);
                }
                TemplatePart::Special { .. } => {}
            }
        }
        Some(all.0)
    }

    /// The number of tokens of a text. None as in [`NativeEngine::encode`].
    pub fn count(&self, text: &str, options: &EncodeOptions) -> Option<usize> {
        struct Count(usize);

        impl TokenSink for Count {
            #[inline]
            fn token(&mut self, _: u32, _: u32, _: (usize, usize)) {
                self.0 += 1;
            }

            fn added(&mut self, _: u32, _: u32, _: (usize, usize), _: &str) {
                self.0 += 1;
            }

            #[inline]
            fn cached_word(&mut self, _: u32, _: usize, tokens: CachedTokens<'_>) {
                self.0 += tokens.ids.len();
            }

            #[inline]
            fn trailing_mark(&mut self, is_there: bool, _: u32, _: impl FnOnce() -> (u32, usize)) {
                self.0 += usize::from(is_there);
            }
        }

        let (special, times) = self.template.as_ref()?.counts();
        let mut count = Count(0);
        self.run::<false>(text, options.parse_special, &mut count)?;
        let special = if options.special_tokens { special } else { 0 };
        Some(count.0 * times + special)
    }

    /// Appends the tokens of a text.
    fn encode_into(
        &self,
        encoding: &mut Encoding,
        text: &str,
        sequence: usize,
        type_id: u32,
        options: &EncodeOptions,
    ) -> Option<()> {
        struct Collect<'a> {
            encoding: &'a mut Encoding,
            compiled: &'a CompiledVocabulary,
        }

        impl Collect<'_> {
            #[inline]
            fn push(&mut self, id: u32, word: u32, range: (usize, usize)) {
                self.encoding.ids.push(id);
                self.encoding.offsets.push(range);
                self.encoding.word_ids.push(Some(word));
            }
        }

        impl TokenSink for Collect<'_> {
            #[inline]
            fn token(&mut self, id: u32, word: u32, range: (usize, usize)) {
                self.push(id, word, range);
                let piece = self.compiled.piece(id).unwrap_or_default();
                self.encoding.tokens.push(piece);
            }

            fn added(&mut self, id: u32, word: u32, range: (usize, usize), surface: &str) {
                if id == self.compiled.unknown_id() {
                    return self.token(id, word, range);
                }
                self.push(id, word, range);
                self.encoding.tokens.push(surface);
            }

            #[inline]
            fn cached_word(&mut self, word: u32, start: usize, tokens: CachedTokens<'_>) {
                let encoding = &mut *self.encoding;
                encoding.ids.extend_from_slice(tokens.ids);
                let words = encoding.word_ids.len() + tokens.ids.len();
                encoding.word_ids.resize(words, Some(word));
                let mut begin = start + tokens.start().unwrap_or_default();
                encoding.offsets.extend(tokens.ends.iter().map(|end| {
                    let range = (begin, start + usize::from(*end));
                    begin = range.1;
                    range
                }));
                for id in tokens.ids {
                    let piece = self.compiled.piece(*id).unwrap_or_default();
                    encoding.tokens.push(piece);
                }
            }
        }

        let mut collect = Collect {
            encoding,
            compiled: &self.compiled,
        };
        self.run::<true>(text, options.parse_special, &mut collect)?;
        let length = encoding.ids.len();
        encoding.type_ids.resize(length, type_id);
        encoding.special_tokens_mask.resize(length, 0);
        encoding.sequence_ids.resize(length, Some(sequence));
        Some(())
    }

    /// The last place at which a text, given as its bytes so far, can be cut: its two parts have the tokens of the
    /// whole between them, special tokens apart. None if there is no such place near the end.
    ///
    /// It is a single white space between printable ASCII characters, behind a word that is the same in any text.
    pub fn last_cut(&self, bytes: &[u8], parse_special: bool) -> Option<usize> {
        /// Bytes from the end, and places among them, that are looked at.
        const NEAR: usize = 1 << 16;
        const TRIES: usize = 64;
        self.steps.spaces()?;
        self.template.as_ref()?;
        if parse_special && !self.raw.are_local() {
            return None;
        }
        let space = self.steps.space_bytes();
        let near = bytes.len().saturating_sub(NEAR);
        let can_be = |at: &usize| {
            let (before, behind) = (bytes[at - 1], [bytes[at + 1], bytes[at + 2]]);
            space.contains(bytes[*at])
                && before.is_ascii_graphic()
                && behind[0].is_ascii_graphic()
                && self.steps.can_begin(behind)
        };
        let places = (near.max(1)..bytes.len().saturating_sub(2)).rev();
        places.filter(can_be).take(TRIES).find(|&at| {
            let word = bytes[..at].rsplitn(2, |byte| space.contains(*byte)).next();
            let word = word.and_then(|word| str::from_utf8(word).ok());
            word.is_some_and(|word| self.is_clean(word))
        })
    }

    fn is_clean(&self, word: &str) -> bool {
        let Some(model) = self.model() else {
            return false;
        };
        let mut run = Run::<false> {
            engine: self,
            model,
            text: word,
            parse_special: false,
            scratch: &mut RunScratch::default(),
            word: 0,
        };
        run.region(0, word.len()).is_some_and(|region| region.clean)
    }

    fn model(&self) -> Option<Unigram<'_>> {
        let compiled = &self.compiled;
        let unknown_id = compiled.unknown_id();
        Some(Unigram::new(
            compiled.array()?,
            unknown_id,
            self.unknown_score,
        ))
    }

    /// Gives the tokens of a text, and with `RANGES` where they come from; without, ranges are not to be used.
    fn run<const RANGES: bool>(
        &self,
        text: &str,
        parse_special: bool,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let idle = self.idle[usize::from(parse_special)].of_this_thread();
        let mut scratch = idle.take();
        let mut run = Run::<RANGES> {
            engine: self,
            model: self.model()?,
            text,
            parse_special,
            scratch: &mut scratch,
            word: 0,
        };
        if RANGES && run.scratch.cache.is_used() {
            self.compiled.cache_text();
        }
        let done = run.text(sink);
        idle.put_back(scratch);
        done
    }
}

/// The tokenization of one text.
struct Run<'a, const RANGES: bool> {
    engine: &'a NativeEngine,
    model: Unigram<'a>,
    text: &'a str,
    parse_special: bool,
    scratch: &'a mut RunScratch,
    /// The number of words so far.
    word: u32,
}

impl<const RANGES: bool> Run<'_, RANGES> {
    fn text(&mut self, sink: &mut impl TokenSink) -> Option<()> {
        let (engine, text) = (self.engine, self.text);
        if engine.steps.takes_whole_texts() {
            self.region(0, text.len())?;
            self.emit_found(sink);
            return Some(());
        }
        let raw = if self.parse_special {
            &engine.raw
        } else {
            &AddedTokens::EMPTY
        };
        let mut done = Some(());
        raw.split(text, |part, start, end| match part {
            TextPart::Added(id) => {
                sink.added(id, self.word, (start, end), &text[start..end]);
                self.word += 1;
            }
            TextPart::Words => done = done.and_then(|()| self.part(start, end, sink)),
        });
        done
    }

    /// A part of the text without added tokens of the raw text.
    fn part(&mut self, start: usize, end: usize, sink: &mut impl TokenSink) -> Option<()> {
        let (start, end) = self.engine.steps.strip(self.text, start, end);
        match self.engine.steps.spaces() {
            Some(spaces) => self.chunks(spaces, start, end, sink),
            None => {
                self.region(start, end)?;
                self.emit_found(sink);
                Some(())
            }
        }
    }

    /// Finds the tokens of a part of the text, by all steps.
    fn region(&mut self, start: usize, end: usize) -> Option<pipeline::Region> {
        self.scratch.found.clear();
        let remember = self.engine.steps.spaces().is_none();
        let search = WordSearch {
            model: self.model,
            compiled: &self.engine.compiled,
            cache: remember.then_some(&mut self.scratch.cache),
            scratch: &mut self.scratch.steps,
            found: &mut self.scratch.found,
        };
        let steps = &self.engine.steps;
        steps.region::<RANGES>(self.text, start, end, self.parse_special, search)
    }

    /// Gives what [`Run::region`] found.
    fn emit_found(&mut self, sink: &mut impl TokenSink) {
        let mut words = 0;
        for found in &self.scratch.found {
            let word = self.word + found.word;
            let range = (found.range.0 as usize, found.range.1 as usize);
            match &found.surface {
                Some(surface) => sink.added(found.id, word, range, surface),
                None => sink.token(found.id, word, range),
            }
            words = found.word + 1;
        }
        self.word += words;
    }
}
