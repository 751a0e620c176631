//! The steps between raw text and model: normalization, added tokens, words.

use unicode_segmentation::UnicodeSegmentation;

use super::added_tokens::AddedTokens;
use super::bert::BertSteps;
use super::charsmap::Charsmap;
use super::hf_steps::{HfSteps, normalized_text};
use super::lazy_hf_steps::LazyHfSteps;
use super::normalize::{METASPACE, normalize};
use super::normalized_steps::NormalizedSteps;
use super::scanned_steps::ScannedSteps;
use super::sentencepiece::SentencePieceSteps;
use super::space_bytes::{SpaceBytes, SpaceHandling};
use super::steps::{OwnSteps, PlainWord, Words};
use super::trailing_marks::TrailingMarks;
use super::word_search::WordSearch;

/// The steps of one tokenizer.
#[derive(Debug)]
pub struct Pipeline {
    pub(super) kind: PipelineKind,
    pub(super) space_handling: Option<SpaceHandling>,
    pub(super) space_bytes: SpaceBytes,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a program has one of them")]
pub(super) enum PipelineKind {
    Deberta {
        charsmap: Charsmap,
        /// Added tokens that are matched in the normalized text.
        normalized: AddedTokens,
    },
    Scanned(Box<ScannedSteps>),
    Normalized(Box<NormalizedSteps>),
    SentencePiece(Box<SentencePieceSteps>),
    Own(Box<OwnSteps>),
    Bert(BertSteps),
    Hf(HfSteps),
}

/// How the tokens of a byte range relate to the text in and around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeClass {
    /// True if the tokens are the same in any text, provided that the next range begins with white space.
    pub independent: bool,
    /// True if normalization may give wrong ranges to all the text after the range, as the reference does if it drops
    /// the first character of a text.
    pub loses_count: bool,
}

impl Pipeline {
    /// Returns the steps of a byte-level tokenizer. Returns `None` if the steps are others.
    #[inline]
    pub fn scanned(&self) -> Option<&ScannedSteps> {
        match &self.kind {
            PipelineKind::Scanned(steps) => Some(steps),
            _ => None,
        }
    }

    /// Returns the steps of a tokenizer that scans the normalized text. Returns `None` if the steps are others.
    #[inline]
    pub fn normalized(&self) -> Option<&NormalizedSteps> {
        match &self.kind {
            PipelineKind::Normalized(steps) => Some(steps),
            _ => None,
        }
    }

    /// Returns the steps of a tokenizer that takes a text for a single word. Returns `None` if the steps are others.
    #[inline]
    pub fn sentencepiece(&self) -> Option<&SentencePieceSteps> {
        match &self.kind {
            PipelineKind::SentencePiece(steps) => Some(steps),
            _ => None,
        }
    }

    /// Returns the steps if they are those of BERT, where a text can be split at any [space](Self::space_bytes).
    #[inline]
    pub fn bert(&self) -> Option<&BertSteps> {
        match &self.kind {
            PipelineKind::Bert(steps) => Some(steps),
            _ => None,
        }
    }

    /// Returns how the steps handle white space. Returns `None` if texts cannot be split there.
    #[inline]
    pub fn space_handling(&self) -> Option<SpaceHandling> {
        self.space_handling
    }

    /// Returns the bytes at which a text can be split.
    #[inline]
    pub fn space_bytes(&self) -> SpaceBytes {
        self.space_bytes
    }

    /// Returns true if normalized words are cached, since neither chunks nor words of the raw text are.
    pub fn caches_normalized_words(&self) -> bool {
        let is_known = matches!(
            self.kind,
            PipelineKind::Scanned(_) | PipelineKind::Normalized(_) | PipelineKind::SentencePiece(_)
        );
        self.space_handling.is_none() && !is_known
    }

    /// Returns false if the steps are those of the `tokenizers` crate.
    pub fn has_own_steps(&self) -> bool {
        !matches!(self.kind, PipelineKind::Hf(_))
    }

    /// Returns true if texts must be passed in whole, so that added tokens in the raw text are matched here too.
    pub fn takes_whole_texts(&self) -> bool {
        self.space_handling.is_none() && matches!(self.kind, PipelineKind::Hf(_))
    }

    /// Shrinks a byte range of a text by the white space at its ends that the first step would drop.
    #[inline]
    pub fn strip(&self, text: &str, start: usize, end: usize) -> (usize, usize) {
        match &self.kind {
            PipelineKind::Deberta { .. } => {
                let stripped = text[start..end].trim_start();
                let start = end - stripped.len();
                (start, start + stripped.trim_end().len())
            }
            PipelineKind::Own(steps) => steps.strip(text, start, end),
            _ => (start, end),
        }
    }

    /// Returns true if a word at byte `at` of a text, without a space before it, has other tokens than elsewhere.
    pub fn is_first_word(&self, at: usize) -> bool {
        at == 0 && matches!(&self.kind, PipelineKind::Own(steps) if steps.marks_first_word())
    }

    /// Finds the tokens of a byte range of a text, either a stripped range between added tokens or some chunks of such
    /// a range. `at_end` is true if the range ends where a stripped range does.
    ///
    /// Returns `None` if a step fails, or if the steps are those of [BERT](Self::bert) or scan the
    /// [normalized text](Self::normalized).
    pub fn tokenize_range<const RANGES: bool>(
        &self,
        text: &str,
        start: usize,
        end: usize,
        at_end: bool,
        parse_special: bool,
        search: WordSearch<'_>,
    ) -> Option<RangeClass> {
        let raw = &text[start..end];
        match &self.kind {
            PipelineKind::Deberta {
                charsmap,
                normalized,
            } => {
                let mut search = search;
                let aligned = &mut search.scratch.aligned;
                aligned.clear();
                normalize::<RANGES>(charsmap, raw, start as u32, aligned);
                let class = self.classify(raw, &aligned.text);
                search.with_own_words::<RANGES>(normalized, parse_special, Words::AT_SPACES)?;
                Some(class)
            }
            // The first word of a text is known by its range.
            PipelineKind::Own(steps) if !RANGES && start == 0 && steps.marks_first_word() => {
                self.tokenize_range::<true>(text, start, end, at_end, parse_special, search)
            }
            PipelineKind::Own(steps) => {
                let mut search = search;
                let (aligned, scratch) = search.scratch.for_steps();
                let normal = steps.normalize::<RANGES>(raw, start, at_end, aligned, scratch);
                let class = RangeClass {
                    independent: !normal.depends_on_end
                        && self.is_independent(steps, raw, &aligned.text),
                    loses_count: normal.loses_count,
                };
                search.with_own_words::<RANGES>(&steps.normalized, parse_special, steps.words)?;
                Some(class)
            }
            PipelineKind::Scanned(steps) => with_hf(steps.hf(), raw, start, parse_special, search),
            PipelineKind::SentencePiece(steps) => {
                with_hf(steps.hf(start == 0), raw, start, parse_special, search)
            }
            PipelineKind::Bert(_) | PipelineKind::Normalized(_) => None,
            PipelineKind::Hf(steps) => {
                let whole = self.takes_whole_texts();
                let normalized = steps.normalize(raw, parse_special, whole)?;
                let class = self.classify(raw, &normalized_text(&normalized));
                search.with_hf_words(steps, normalized, start)?;
                Some(class)
            }
        }
    }

    /// Returns a chunk as a plain word: a word of characters that no step changes but for their case, with no added token
    /// in it, and at most one space before it. Returns `None` if it is not one.
    #[inline]
    pub fn plain_word<'t>(
        &self,
        chunk: &'t str,
        parse_special: bool,
        buffer: &'t mut String,
    ) -> Option<PlainWord<'t>> {
        let (charsmap, normalized) = match &self.kind {
            PipelineKind::Deberta {
                charsmap,
                normalized,
            } => (charsmap, normalized),
            PipelineKind::Own(steps) => return steps.plain_word(chunk, parse_special, buffer),
            _ => return None,
        };
        let word = chunk.strip_prefix(' ');
        let text = word.unwrap_or(chunk);
        let is_plain = !text.is_empty()
            && text
                .chars()
                .all(|character| charsmap.is_plain_char(character) && character != METASPACE)
            && !normalized.matched(parse_special).are_in(text);
        let spaced = word.is_some();
        is_plain.then_some(PlainWord { text, spaced })
    }

    /// Returns the `candidates` of the vocabulary that are always separate tokens after a [plain
    /// word](Self::plain_word).
    pub fn trailing_marks(&self, candidates: &[(u8, u32)], parse_special: bool) -> TrailingMarks {
        let is_mark = |character: u8| match &self.kind {
            PipelineKind::Deberta {
                charsmap,
                normalized,
            } => {
                charsmap.is_plain(character)
                    && !normalized.matched(parse_special).contain(character)
            }
            PipelineKind::Own(steps) => steps.keeps_mark(character, parse_special),
            _ => false,
        };
        let candidates = candidates.iter().copied();
        TrailingMarks::new(candidates.filter(|(character, _)| is_mark(*character)))
    }

    /// Returns true if a part of a text may begin with a space followed by these bytes.
    ///
    /// With DeBERTa's steps, no part may begin with a space and an added token: there the space is a separate token,
    /// but at the start of a part it would be stripped.
    pub fn can_start_part(&self, bytes: [u8; 2]) -> bool {
        match &self.kind {
            PipelineKind::Deberta {
                charsmap,
                normalized,
            } => {
                charsmap.is_plain(bytes[0])
                    && bytes[1].is_ascii()
                    && !normalized.begin_with(bytes[0])
            }
            PipelineKind::Own(steps) => steps.can_start_part(bytes),
            _ => true,
        }
    }

    fn is_independent(&self, steps: &OwnSteps, raw: &str, normalized: &str) -> bool {
        let spaces = self.spaces_before(raw);
        let is_one_word = match self.space_handling {
            // White space within the normalized form separates words as it does elsewhere.
            Some(SpaceHandling::Skipped) => true,
            Some(SpaceHandling::Kept) => steps.is_one_word(normalized, spaces),
            _ => steps.is_one_word(normalized, spaces.min(1)),
        };
        is_one_word && !joins_next_space(raw)
    }

    fn classify(&self, raw: &str, normalized: &str) -> RangeClass {
        let spaces = self.spaces_before(raw);
        let word = match self.space_handling {
            // White space within the normalized form separates words as it does elsewhere.
            Some(SpaceHandling::Dropped) => Some("word"),
            _ if spaces > 0 => {
                let longest = if self.space_handling == Some(SpaceHandling::Kept) {
                    spaces
                } else {
                    1
                };
                let word = normalized.trim_start_matches(' ');
                (1..=longest)
                    .contains(&(normalized.len() - word.len()))
                    .then_some(word)
            }
            _ => Some(normalized),
        };
        let is_one_word = word.is_some_and(|word| !word.is_empty() && !word.contains(' '));
        RangeClass {
            independent: is_one_word && !joins_next_space(raw),
            loses_count: raw != normalized,
        }
    }

    fn spaces_before(&self, raw: &str) -> usize {
        let is_space = |byte: &u8| self.space_bytes.contains(*byte);
        raw.bytes().take_while(is_space).count()
    }
}

/// Returns true if the first character of a word may form a grapheme with the space before it.
pub fn joins_space_before(word: &str) -> bool {
    word.chars()
        .next()
        .is_some_and(|first| !first.is_ascii() && format!(" {first}").graphemes(true).count() == 1)
}

/// Finds the tokens of a part of a text between raw added tokens with the steps of the crate.
fn with_hf(
    steps: &LazyHfSteps,
    raw: &str,
    start: usize,
    parse_special: bool,
    search: WordSearch<'_>,
) -> Option<RangeClass> {
    let steps = steps.get()?;
    let normalized = steps.normalize(raw, parse_special, false)?;
    search.with_hf_words(steps, normalized, start)?;
    Some(RangeClass {
        independent: false,
        loses_count: false,
    })
}

/// Returns true if the last character of a text forms a grapheme with a following space.
fn joins_next_space(text: &str) -> bool {
    text.chars()
        .next_back()
        .is_some_and(|last| !last.is_ascii() && format!("{last} ").graphemes(true).count() == 1)
}
