//! The fast path of the engine: runs of short words, looked up in the word cache in batches.

use super::chunk::ShortChunk;
use super::normalize::METASPACE;
use super::run::{Run, RunScratch};
use super::space_bytes::SpaceHandling;
use super::space_scan::{PaddedText, Separators};
use super::token::for_each_range;
use super::token_sink::TokenSink;
use super::trailing_marks;
use super::word_cache::{ShortWords, TokenStart};

/// The length of `▁` in bytes.
const METASPACE_LENGTH: usize = METASPACE.len_utf8();

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of short chunks from byte `at` on, up to the first chunk that is not a cached or plain word
    /// with at most one space before it. Returns the byte at which that chunk begins. Most chunks take this path.
    pub fn short_chunks(
        &mut self,
        text: &PaddedText<'_>,
        spaces: SpaceHandling,
        at: usize,
        sink: &mut impl TokenSink,
    ) -> usize {
        if spaces == SpaceHandling::Skipped {
            self.short_chunks_of::<true>(text, spaces, at, sink)
        } else {
            self.short_chunks_of::<false>(text, spaces, at, sink)
        }
    }

    /// Does the work of [`Run::short_chunks`]. With `SKIPS`, the space before a word does not belong to its chunk.
    fn short_chunks_of<const SKIPS: bool>(
        &mut self,
        text: &PaddedText<'_>,
        spaces: SpaceHandling,
        mut at: usize,
        sink: &mut impl TokenSink,
    ) -> usize {
        let space = self.segmenter.pipeline.space_bytes();
        let (bytes, end) = (text.bytes(), text.bytes().len());
        if at == end || !self.scratch.cache.is_used() {
            return at;
        }
        let mut separators = text.separators_after(at);
        let mut spaced = space.contains(bytes[at]);
        while at < end {
            let (count, next, continues) =
                self.look_up_batch::<SKIPS>(text, spaces, &mut separators, at, spaced);
            spaced = true;
            let mut done = 0;
            while let Some(new) = self.emit_cached(text, &mut done, count, sink) {
                if !self.emit_new(&new, sink) {
                    return new.start();
                }
            }
            at = next;
            if !continues {
                break;
            }
        }
        at
    }

    /// Starts looking up the chunks from byte `at` on, while they are short and the batch has room. `spaced` is false
    /// if the first chunk has no space before it.
    ///
    /// Returns the number of chunks, the end of the last one, and true if more short chunks may follow.
    #[inline]
    fn look_up_batch<const SKIPS: bool>(
        &mut self,
        text: &PaddedText<'_>,
        spaces: SpaceHandling,
        separators: &mut Separators<'_>,
        mut at: usize,
        mut spaced: bool,
    ) -> (usize, usize, bool) {
        let (bytes, end) = (text.bytes(), text.bytes().len());
        let marks = self.segmenter.marks(self.parse_special);
        let space = self.segmenter.pipeline.space_bytes();
        let RunScratch { cache, batch, .. } = &mut *self.scratch;
        let Some(words) = cache.short_words() else {
            return (0, at, false);
        };
        let mut count = 0;
        for slot in batch {
            let stop = loop {
                if at == end {
                    return (count, at, false);
                }
                let stop = separators.advance();
                let is_end = stop == end;
                if !is_end && !space.contains(bytes[stop]) {
                    return (count, at, false);
                }
                if stop - at > 1 || !spaced {
                    break stop;
                }
                match spaces {
                    SpaceHandling::Apart => break stop,
                    SpaceHandling::Kept => return (count, at, false),
                    _ if is_end => return (count, at, false),
                    _ => at = stop,
                }
            };
            at += usize::from(SKIPS & spaced);
            let length = stop - at;
            // The mark must follow a word, not directly the space.
            let marked = marks.contains(bytes[stop - 1])
                & (length > 2 - usize::from(SKIPS))
                & (SKIPS | spaced);
            let stem = length - usize::from(marked);
            // The longest stem, with `▁` before it and a mark after it, must be short enough to have trailing marks.
            const { assert!(ShortWords::LONGEST + METASPACE_LENGTH < trailing_marks::LONGEST) };
            if stem > ShortWords::LONGEST {
                return (count, at, false);
            }
            *slot = ShortChunk {
                lookup: words.look_up(text.words(at), stem),
                start: at as u32,
                stem_length: stem as u8,
                mark_count: u8::from(marked),
            };
            count += 1;
            spaced = true;
            at = stop;
        }
        (count, at, true)
    }

    /// Emits the tokens of chunks `done` to `count` of the batch. Stops at the first chunk that is not cached, and
    /// returns it.
    #[inline]
    fn emit_cached(
        &mut self,
        text: &PaddedText<'_>,
        done: &mut usize,
        count: usize,
        sink: &mut impl TokenSink,
    ) -> Option<ShortChunk> {
        let marks = self.segmenter.marks(self.parse_special);
        let RunScratch { cache, batch, .. } = &*self.scratch;
        let words = cache.short_words()?;
        let mut word = self.word;
        let mut chunks = batch.get(..count)?.get(*done..)?.iter();
        let new = chunks.find(|chunk| {
            let (start, stem_end) = (chunk.start(), chunk.stem_end());
            let known = match usize::from(chunk.stem_length) {
                ..=ShortWords::SHORT => words.short(&chunk.lookup),
                length => words.medium(text.words(start), length),
            };
            match known {
                Some(known) if known.serves(RANGES) & known.allows_marks(chunk.mark_count) => {
                    sink.cached_word(word, start, known);
                    sink.trailing_mark(chunk.mark_count > 0, word, || {
                        (marks.id(text.bytes()[stem_end]), stem_end)
                    });
                    word += 1;
                    false
                }
                _ => true,
            }
        });
        *done = count - chunks.len();
        self.word = word;
        new.copied()
    }

    /// Emits the tokens of a short chunk whose stem is not cached as a plain word. Returns false if the chunk must go
    /// through all steps.
    #[cold]
    fn emit_new(&mut self, chunk: &ShortChunk, sink: &mut impl TokenSink) -> bool {
        let (start, stem_end, end) = (chunk.start(), chunk.stem_end(), chunk.end());
        let (text, cache) = (self.text.as_bytes(), &self.scratch.cache);
        // A chunk that is not plain is cached together with its mark.
        if stem_end < end
            && let Some(known) = cache.get(text, start, end)
            && known.serves(RANGES)
        {
            sink.cached_word(self.word, start, known);
        } else if self.emit_plain_word(start, stem_end, sink) {
            let marks = self.segmenter.marks(self.parse_special);
            sink.trailing_mark(stem_end < end, self.word, || {
                (marks.id(text[stem_end]), stem_end)
            });
        } else {
            return false;
        }
        self.word += 1;
        true
    }

    /// Emits and caches the tokens of a chunk if it is a [plain word](super::pipeline::Pipeline::plain_word). Otherwise
    /// returns false.
    pub fn emit_plain_word(&mut self, start: usize, end: usize, sink: &mut impl TokenSink) -> bool {
        let chunk = &self.text[start..end];
        let RunScratch {
            cache,
            search,
            lowered,
            ..
        } = &mut *self.scratch;
        let pipeline = &self.segmenter.pipeline;
        let Some(word) = pipeline.plain_word(chunk, self.parse_special, lowered) else {
            return false;
        };
        let tokens = search.search_word(&self.model, word.text);
        if tokens
            .iter()
            .any(|token| (token.end as usize) < METASPACE_LENGTH)
        {
            // `▁` is spelled in bytes.
            return false;
        }
        // `▁` stands for a single byte of the text, the space, or is inserted.
        let mark = usize::from(word.spaced);
        let in_text = |end: usize| (end + mark).saturating_sub(METASPACE_LENGTH);
        // An inserted `▁` that is a token has the range of the first character of the word.
        let first = chunk.chars().next().map_or(0, char::len_utf8);
        let is_detached = |end: usize| !word.spaced && end == METASPACE_LENGTH;
        // Byte pieces have the range of their character.
        let splits = |end: u32| !chunk.is_char_boundary(in_text(end as usize));
        let adjacent = tokens.windows(2).all(|pair| pair[0].end < pair[1].end)
            && !tokens.iter().any(|token| splits(token.end));
        let begins = match tokens.first() {
            Some(token) if adjacent && !is_detached(token.end as usize) => TokenStart::Plain,
            _ => TokenStart::PlainUnknown,
        };
        let ends = tokens
            .iter()
            .map(|token| (token.id, in_text(token.end as usize)));
        cache.set(chunk.as_bytes(), begins, ends);
        for_each_range(tokens, |id, begin, end| {
            let begin = chunk.floor_char_boundary(in_text(begin));
            let detached = usize::from(is_detached(end)) * first;
            let end = chunk.ceil_char_boundary(in_text(end) + detached);
            sink.token(id, self.word, (start + begin, start + end));
        });
        true
    }
}
