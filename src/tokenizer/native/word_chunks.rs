//! Tokenizes a text chunk by chunk: each word with the white space before it.
//!
//! This is exact if no step looks across white space; other tokenizers never get here. Two kinds of chunk still depend
//! on their neighbors: a chunk whose normalized form contains additional white space, which may merge with a
//! neighbor's, and a chunk that ends in a character that forms a grapheme with the following space. Such a chunk is
//! tokenized together with the chunks after it, up to and including the next independent one.

use super::chunk::Chunk;
use super::pipeline::joins_space_before;
use super::run::Run;
use super::space_bytes::SpaceHandling;
use super::space_scan::PaddedText;
use super::token_sink::TokenSink;
use super::word_cache::{TokenStart, WordCache};

/// Where the next chunk is, and what may be done with it.
#[derive(Debug, Clone, Copy)]
struct NextChunk {
    start: usize,
    end: usize,
    /// True if the tokens may be cached: the chunk has at most one space, or none if spaces are skipped.
    is_cacheable: bool,
    /// True if the chunk is one of several spaces that are words of their own.
    is_lone_space: bool,
}

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of a byte range of the text. Returns `None` if a step fails.
    pub fn chunks(
        &mut self,
        spaces: SpaceHandling,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        let padded = PaddedText::new(&self.text.as_bytes()[..end]);
        let mut at = start;
        loop {
            let is_first_word = at == start && self.is_first_word(at, end);
            if !is_first_word {
                at = self.short_chunks(&padded, spaces, at, sink);
            }
            if at == end {
                return Some(());
            }
            let mut chunk = self.next_chunk(&padded, spaces, start, at);
            chunk.is_cacheable &= !is_first_word;
            at = chunk.end;
            if chunk.is_cacheable && self.emit_known(chunk, sink) {
                continue;
            }
            if chunk.start == chunk.end {
                // Only white space that is dropped.
                continue;
            }
            let mut class = self.tokenize_range(chunk.start, chunk.end, chunk.end == end)?;
            if class.loses_count {
                if RANGES && chunk.start == start && !self.begins_with_space(chunk.start) {
                    // In the reference, dropping a character at the very beginning shifts the ranges of everything
                    // after it.
                    self.tokenize_range(start, end, true)?;
                    self.emit_found(sink);
                    return Some(());
                }
                if spaces == SpaceHandling::Skipped && chunk.start > start {
                    // There is a space before the dropped character.
                    chunk.start -= 1;
                    chunk.is_cacheable = false;
                    class = self.tokenize_range(chunk.start, chunk.end, chunk.end == end)?;
                }
            }
            if class.independent || chunk.is_lone_space {
                if chunk.is_cacheable {
                    self.cache_found(chunk.start, chunk.end);
                }
            } else {
                at = self.join_chunks(&padded, spaces, (start, end), chunk)?;
            }
            self.emit_found(sink);
        }
    }

    /// Emits the tokens of a chunk that is cached or a plain word. Returns false if it is neither.
    fn emit_known(&mut self, chunk: NextChunk, sink: &mut impl TokenSink) -> bool {
        let NextChunk { start, end, .. } = chunk;
        let known = self.scratch.cache.get(self.text.as_bytes(), start, end);
        if let Some(known) = known
            && known.serves(RANGES)
        {
            sink.cached_word(self.word, start, known);
        } else if !self.emit_plain_word(start, end, sink) {
            return false;
        }
        self.word += 1;
        true
    }

    /// Tokenizes a chunk together with the chunks after it, up to and including the next independent one. Returns where
    /// that ends.
    fn join_chunks(
        &mut self,
        text: &PaddedText<'_>,
        spaces: SpaceHandling,
        (start, end): (usize, usize),
        chunk: NextChunk,
    ) -> Option<usize> {
        let mut at = chunk.end;
        while at < end {
            let next = self.next_chunk(text, spaces, start, at);
            at = next.end;
            if next.start < next.end
                && self
                    .tokenize_range(next.start, next.end, next.end == end)?
                    .independent
            {
                break;
            }
        }
        self.tokenize_range(chunk.start, at, at == end)?;
        Some(at)
    }

    /// Returns the chunk that begins at byte `at` of a range from byte `start` on.
    fn next_chunk(
        &self,
        text: &PaddedText<'_>,
        spaces: SpaceHandling,
        start: usize,
        at: usize,
    ) -> NextChunk {
        let space = self.segmenter.pipeline.space_bytes();
        let is_space = |at: usize| {
            let byte = text.bytes().get(at);
            byte.is_some_and(|byte| space.contains(*byte))
        };
        if spaces == SpaceHandling::Apart && is_space(at) && is_space(at + 1) {
            return NextChunk {
                start: at,
                end: at + 1,
                is_cacheable: true,
                is_lone_space: true,
            };
        }
        let chunk = Chunk::at(text, space, at);
        let next = NextChunk {
            start: chunk.last_space,
            end: chunk.end,
            is_cacheable: true,
            is_lone_space: false,
        };
        match spaces {
            SpaceHandling::Kept => NextChunk {
                start: chunk.start,
                is_cacheable: chunk.start == chunk.last_space,
                ..next
            },
            SpaceHandling::Skipped => {
                let word = chunk.last_space + usize::from(is_space(chunk.last_space));
                // The same word without a space before it may have other tokens.
                let joins = joins_space_before(&self.text[word..chunk.end]);
                NextChunk {
                    start: if joins && word > start {
                        word - 1
                    } else {
                        word
                    },
                    is_cacheable: word < chunk.end && !joins,
                    ..next
                }
            }
            _ => next,
        }
    }

    /// Returns true if the text at byte `at` is a word that has other tokens elsewhere.
    fn is_first_word(&self, at: usize, end: usize) -> bool {
        at < end && self.segmenter.pipeline.is_first_word(at) && !self.begins_with_space(at)
    }

    fn begins_with_space(&self, at: usize) -> bool {
        let space = self.segmenter.pipeline.space_bytes();
        space.contains(self.text.as_bytes()[at])
    }

    /// Caches the tokens that [`Run::tokenize_range`] found in a chunk.
    fn cache_found(&mut self, start: usize, end: usize) {
        if end - start > WordCache::LONGEST {
            return;
        }
        let found = &self.scratch.found;
        let adjacent = found
            .windows(2)
            .all(|pair| pair[0].range.1 == pair[1].range.0);
        let one_word = found
            .iter()
            .all(|token| token.word == 0 && token.surface.is_none());
        let begin = found
            .first()
            .filter(|_| RANGES && adjacent && one_word)
            .and_then(|first| (first.range.0 as usize).checked_sub(start))
            .map_or(TokenStart::Unknown, TokenStart::At);
        // If the start is unknown, the ends are never used, so they need not be valid.
        let tokens = found
            .iter()
            .map(|token| (token.id, (token.range.1 as usize).saturating_sub(start)));
        let word = &self.text.as_bytes()[start..end];
        self.scratch.cache.set(word, begin, tokens);
    }
}
