//! Tokenizes a text chunk by chunk: each word with the white space before it.
//!
//! This is exact if no step looks across white space; other tokenizers never get here. Two kinds of chunk still depend
//! on their neighbors: a chunk whose normalized form contains additional white space, which may merge with a
//! neighbor's, and a chunk that ends in a character that forms a grapheme with the following space. Such a chunk is
//! tokenized together with the chunks after it, up to and including the next independent one.

use super::chunk::Chunk;
use super::run::Run;
use super::space_bytes::SpaceHandling;
use super::space_scan::PaddedText;
use super::token_sink::TokenSink;
use super::word_cache::{TokenStart, WordCache};

impl<const RANGES: bool> Run<'_, RANGES> {
    /// Emits the tokens of a byte range of the text. Returns `None` if a step fails.
    pub fn chunks(
        &mut self,
        spaces: SpaceHandling,
        start: usize,
        end: usize,
        sink: &mut impl TokenSink,
    ) -> Option<()> {
        let bytes = &self.text.as_bytes()[..end];
        let space = self.segmenter.pipeline.space_bytes();
        let begin = |chunk: Chunk| match spaces {
            SpaceHandling::Merged | SpaceHandling::Dropped => chunk.last_space,
            SpaceHandling::Kept => chunk.start,
        };
        let padded = PaddedText::new(bytes);
        let merges = spaces != SpaceHandling::Kept;
        let mut at = start;
        loop {
            at = self.short_chunks(&padded, space, merges, at, sink);
            if at == end {
                return Some(());
            }
            let chunk = Chunk::at(&padded, space, at);
            let first = begin(chunk);
            // Cache only chunks with at most one space.
            let cacheable = first == chunk.last_space;
            if cacheable {
                let known = self.scratch.cache.get(bytes, first, chunk.end);
                if let Some(known) = known
                    && known.serves(RANGES)
                {
                    sink.cached_word(self.word, first, known);
                    self.word += 1;
                    at = chunk.end;
                    continue;
                }
                if self.emit_plain_word(first, chunk.end, sink) {
                    self.word += 1;
                    at = chunk.end;
                    continue;
                }
            }
            let class = self.tokenize_range(first, chunk.end)?;
            if RANGES && at == start && !class.unchanged && !space.contains(bytes[at]) {
                // In the reference, dropping a character at the very beginning shifts the ranges of everything after
                // it.
                self.tokenize_range(start, end)?;
                self.emit_found(sink);
                return Some(());
            }
            at = chunk.end;
            if class.independent {
                if cacheable {
                    self.cache_found(first, chunk.end);
                }
            } else {
                while at < end {
                    let next = Chunk::at(&padded, space, at);
                    at = next.end;
                    if self.tokenize_range(begin(next), next.end)?.independent {
                        break;
                    }
                }
                self.tokenize_range(first, at)?;
            }
            self.emit_found(sink);
        }
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
