//! The native engine of one tokenizer: encodes texts and pairs, lists ids, and counts tokens.

use std::fmt;
use std::sync::Arc;

use super::added_tokens::TextPart;
use super::compiled::CompiledVocabulary;
use super::pipeline_config::PipelineConfig;
use super::run::{Run, RunScratch};
use super::scratch_pool::ScratchPool;
use super::segmenter::Segmenter;
use super::template::{Template, TemplatePart};
use super::token_sink::{EncodingBuilder, TokenCount, TokenFinder, TokenIds, TokenSink};
use crate::formats::config::AddedTokenConfig;
use crate::tokenizer::encoding::Encoding;
use crate::tokenizer::options::EncodeOptions;

/// Offsets have 32 bits. Longer texts are left to the `tokenizers` crate.
const MAX_TEXT: usize = u32::MAX as usize;

/// The engine of one tokenizer.
pub struct NativeEngine {
    pub(super) segmenter: Segmenter,
    /// `None` if the tokenizer's post-processor is not a template.
    pub(super) template: Option<Template>,
    /// Unused scratch memory, separate for runs that take special tokens as text and runs that parse them: the cached
    /// tokens of a word depend on which it is.
    scratch: [ScratchPool<RunScratch>; 2],
}

impl fmt::Debug for NativeEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeEngine").finish_non_exhaustive()
    }
}

impl NativeEngine {
    /// Builds the engine for a vocabulary and its distinct added tokens with their ids.
    ///
    /// Returns `None` if the tokenizer has a part that this engine cannot reproduce exactly.
    pub fn new(
        compiled: Arc<CompiledVocabulary>,
        added: &[(AddedTokenConfig, u32)],
        config: &PipelineConfig<'_>,
        template: Option<Template>,
    ) -> Option<Self> {
        Some(Self {
            segmenter: Segmenter::new(compiled, added, config)?,
            template,
            scratch: Default::default(),
        })
    }

    /// Returns false if the steps before the model are those of the `tokenizers` crate.
    pub fn has_own_steps(&self) -> bool {
        self.segmenter.pipeline.has_own_steps()
    }

    /// Encodes a text or a pair without truncation. Returns `None` if a text is too long for this engine, a step fails,
    /// or there is no template or it trims other spaces than those of ASCII.
    pub fn encode(
        &self,
        text: &str,
        pair: Option<&str>,
        options: &EncodeOptions,
    ) -> Option<Encoding> {
        let mut encoding = Encoding::default();
        encoding.reserve_for(text.len() + pair.map_or(0, str::len));
        let template = self.template.as_ref()?;
        for part in template.parts(pair.is_some()) {
            match part {
                TemplatePart::Text { second, type_id } => {
                    let text = if *second { pair? } else { text };
                    let first = encoding.len();
                    self.encode_into(&mut encoding, text, usize::from(*second), *type_id, options)?;
                    for trim in template.trims() {
                        trim.apply(&mut encoding, first, text)?;
                    }
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

    /// Encodes one text of a pair to the state that the `tokenizers` crate has before truncation and post-processing.
    /// Returns `None` if the text is too long or a step fails.
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

    /// Returns the ids of a text. Returns `None` in the same cases as [`NativeEngine::encode`].
    pub fn ids(&self, text: &str, options: &EncodeOptions) -> Option<Vec<u32>> {
        let mut all = TokenIds(Vec::with_capacity(text.len() / 3));
        for part in self.template.as_ref()?.parts(false) {
            match part {
                TemplatePart::Text { .. } => {
                    self.run::<false, _>(text, options.parse_special, &mut all)?;
                }
                TemplatePart::Special { ids, .. } if options.special_tokens => {
                    all.0.extend_from_slice(ids);
                }
                TemplatePart::Special { .. } => {}
            }
        }
        Some(all.0)
    }

    /// Returns the tokens of a text that have one of `ids`, with their byte ranges, not counting special tokens of the
    /// template. Returns `None` in the same cases as [`NativeEngine::encode`], and if the template trims offsets.
    pub fn find(
        &self,
        text: &str,
        ids: &[u32],
        options: &EncodeOptions,
    ) -> Option<Vec<(u32, (usize, usize))>> {
        let template = self.template.as_ref()?;
        if !template.trims().is_empty() {
            return None;
        }
        let mut finder = TokenFinder {
            text,
            ids,
            found: Vec::new(),
        };
        let parts = template.parts(false).iter();
        for _ in parts.filter(|part| matches!(part, TemplatePart::Text { .. })) {
            self.run::<true, _>(text, options.parse_special, &mut finder)?;
        }
        Some(finder.found)
    }

    /// Returns the number of tokens of a text. Returns `None` in the same cases as [`NativeEngine::encode`].
    pub fn count(&self, text: &str, options: &EncodeOptions) -> Option<usize> {
        let (special, times) = self.template.as_ref()?.counts();
        let mut count = TokenCount(0);
        self.run::<false, _>(text, options.parse_special, &mut count)?;
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
        let mut builder = EncodingBuilder {
            text,
            encoding,
            compiled: &self.segmenter.compiled,
        };
        self.run::<true, _>(text, options.parse_special, &mut builder)?;
        let length = encoding.ids.len();
        encoding.type_ids.resize(length, type_id);
        encoding.special_tokens_mask.resize(length, 0);
        encoding.sequence_ids.resize(length, Some(sequence));
        Some(())
    }

    /// Passes the tokens of a text to `sink`. Without `RANGES`, their ranges are meaningless.
    fn run<const RANGES: bool, S: TokenSink>(
        &self,
        text: &str,
        parse_special: bool,
        sink: &mut S,
    ) -> Option<()> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let pool = self.scratch[usize::from(parse_special)].of_this_thread();
        let mut scratch = pool.take();
        let mut run = Run::<RANGES> {
            segmenter: &self.segmenter,
            model: self.segmenter.model()?,
            text,
            parse_special,
            scratch: &mut scratch,
            word: 0,
        };
        if S::NEEDS_PIECES && run.scratch.cache.is_used() {
            self.segmenter.compiled.cache_text();
        }
        let done = run.text(sink);
        if scratch.has_failed() {
            // The error is that of the reference.
            return None;
        }
        pool.put_back(scratch);
        done
    }
}

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of the text.
    fn text(&mut self, sink: &mut impl TokenSink) -> Option<()> {
        let (segmenter, text) = (self.segmenter, self.text);
        if segmenter.pipeline.takes_whole_texts() {
            self.tokenize_range(0, text.len(), true)?;
            self.emit_found(sink);
            return Some(());
        }
        let mut done = Some(());
        let raw = &segmenter.raw;
        raw.split(text, self.parse_special, |part, start, end| match part {
            TextPart::Added(id) => {
                sink.added(id, self.word, (start, end), &text[start..end]);
                self.word += 1;
            }
            TextPart::Words => done = done.and_then(|()| self.words(start, end, sink)),
        })?;
        done
    }

    /// Emits the tokens of a byte range between added tokens.
    fn words(&mut self, start: usize, end: usize, sink: &mut impl TokenSink) -> Option<()> {
        if let Some(steps) = self.segmenter.pipeline.scanned() {
            return self.scanned(steps, start, end, sink);
        }
        if let Some(steps) = self.segmenter.pipeline.normalized() {
            return self.normalized(steps, start, end, sink);
        }
        if let Some(steps) = self.segmenter.pipeline.sentencepiece() {
            return self.sentencepiece(steps, start, end, sink);
        }
        if let Some(steps) = self.segmenter.pipeline.bert() {
            return self.bert_words(steps, start, end, sink);
        }
        let (start, end) = self.segmenter.pipeline.strip(self.text, start, end);
        match self.segmenter.pipeline.space_handling() {
            Some(spaces) => self.chunks(spaces, start, end, sink),
            None => {
                self.tokenize_range(start, end, true)?;
                self.emit_found(sink);
                Some(())
            }
        }
    }
}
