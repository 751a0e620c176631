//! The steps between raw text and model: normalization, added tokens, words.

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::added_tokens::AddedTokens;
use super::aligned_text::AlignedText;
use super::charsmap::Charsmap;
use super::hf_steps::{HfSteps, normalized_text};
use super::known_steps;
use super::normalize::{METASPACE, normalize};
use super::space_bytes::{SpaceBytes, SpaceHandling};
use super::trailing_marks::TrailingMarks;
use super::word_search::WordSearch;
use crate::formats::config::AddedTokenConfig;

/// The steps before the model, as a tokenizer file defines them.
#[derive(Debug, Clone, Copy)]
pub enum PipelineConfig<'a> {
    /// Strip, apply the character map of a SentencePiece file, collapse runs of spaces, and write `▁` for each space
    /// and before the first word.
    Deberta { charsmap: &'a [u8] },
    /// The `normalizer` and `pre_tokenizer` of a `tokenizer.json`.
    Json {
        normalizer: &'a Value,
        pre_tokenizer: &'a Value,
    },
}

/// The steps of one tokenizer.
#[derive(Debug)]
pub struct Pipeline {
    kind: PipelineKind,
    space_handling: Option<SpaceHandling>,
    space_bytes: SpaceBytes,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "a program has one of them")]
enum PipelineKind {
    Deberta {
        charsmap: Charsmap,
        /// Added tokens that are matched in the normalized text.
        normalized: AddedTokens,
    },
    Hf(HfSteps),
}

/// How the tokens of a byte range relate to the text in and around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeClass {
    /// True if the tokens are the same in any text, provided that the next range begins with white space.
    pub independent: bool,
    /// True if normalization leaves the text unchanged.
    pub unchanged: bool,
}

impl Pipeline {
    /// Creates the steps of a tokenizer. Returns `None` if one of them cannot be reproduced exactly.
    pub fn new(config: &PipelineConfig<'_>, added: &[(AddedTokenConfig, u32)]) -> Option<Self> {
        match config {
            PipelineConfig::Deberta { charsmap } => Self::deberta(charsmap, added),
            PipelineConfig::Json {
                normalizer,
                pre_tokenizer,
            } => match known_steps::deberta_charsmap(normalizer, pre_tokenizer) {
                Some(charsmap) => Self::deberta(&charsmap, added),
                None => Self::with_hf(HfSteps::new(normalizer, pre_tokenizer, added)?, added),
            },
        }
    }

    fn deberta(charsmap: &[u8], added: &[(AddedTokenConfig, u32)]) -> Option<Self> {
        let charsmap = Charsmap::parse(charsmap)?;
        let normalized = added.iter().filter(|(token, _)| token.normalized);
        let normalized = normalized.map(|(token, id)| {
            let mut aligned = AlignedText::default();
            normalize::<false>(&charsmap, token.content.trim(), 0, &mut aligned);
            let content = aligned.text;
            let token = AddedTokenConfig {
                content,
                ..token.clone()
            };
            (token, *id)
        });
        let normalized = AddedTokens::new(normalized.collect())?;
        let mut space_bytes = SpaceBytes::default();
        for byte in [b' ', b'\n', b'\t'] {
            let mut text = AlignedText::default();
            normalize::<false>(&charsmap, &format!("a{}b", char::from(byte)), 0, &mut text);
            if text.text == "a b" {
                space_bytes.insert(byte);
            }
        }
        Some(Self {
            space_handling: (normalized.are_local() && space_bytes.contains(b' '))
                .then_some(SpaceHandling::Merged),
            kind: PipelineKind::Deberta {
                charsmap,
                normalized,
            },
            space_bytes,
        })
    }

    fn with_hf(steps: HfSteps, added: &[(AddedTokenConfig, u32)]) -> Option<Self> {
        // As they are found: normalization may turn a piece such as `▁x` into a space and a letter.
        let normalized = added.iter().filter(|(token, _)| token.normalized);
        let normalized: Option<Vec<_>> = normalized
            .map(|(token, id)| {
                let content = steps.normalized_content(&token.content)?;
                let token = AddedTokenConfig {
                    content,
                    ..token.clone()
                };
                Some((token, *id))
            })
            .collect();
        let local = AddedTokens::new(normalized?)?.are_local();
        let handling = steps.space_handling().filter(|_| local);
        let dropped = handling == Some(SpaceHandling::Dropped);
        let mut space_bytes = SpaceBytes::default();
        for byte in [b' ', b'\n', b'\t'] {
            let text = format!("a{}b", char::from(byte));
            let normalized = normalized_text(&steps.normalize(&text, false, false)?);
            if normalized == "a b" || (normalized == text && dropped) {
                space_bytes.insert(byte);
            }
        }
        Some(Self {
            kind: PipelineKind::Hf(steps),
            space_handling: handling.filter(|_| space_bytes.contains(b' ')),
            space_bytes,
        })
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

    /// Returns true if texts must be passed in whole, so that added tokens in the raw text are matched here too.
    pub fn takes_whole_texts(&self) -> bool {
        self.space_handling.is_none() && matches!(self.kind, PipelineKind::Hf(_))
    }

    /// Shrinks a byte range of a text by the white space at its ends that the first step would drop.
    #[inline]
    pub fn strip(&self, text: &str, start: usize, end: usize) -> (usize, usize) {
        match self.kind {
            PipelineKind::Deberta { .. } => {
                let stripped = text[start..end].trim_start();
                let start = end - stripped.len();
                (start, start + stripped.trim_end().len())
            }
            PipelineKind::Hf(_) => (start, end),
        }
    }

    /// Finds the tokens of a byte range of a text, either a stripped range between added tokens or some chunks of such
    /// a range.
    ///
    /// Returns `None` if a step fails.
    pub fn tokenize_range<const RANGES: bool>(
        &self,
        text: &str,
        start: usize,
        end: usize,
        parse_special: bool,
        search: WordSearch<'_>,
    ) -> Option<RangeClass> {
        let raw = &text[start..end];
        match &self.kind {
            PipelineKind::Deberta {
                charsmap,
                normalized,
            } => {
                let normalized = if parse_special {
                    normalized
                } else {
                    &AddedTokens::EMPTY
                };
                let mut search = search;
                let aligned = &mut search.scratch.aligned;
                aligned.clear();
                normalize::<RANGES>(charsmap, raw, start as u32, aligned);
                let class = self.classify(raw, &aligned.text);
                search.with_deberta_words::<RANGES>(normalized);
                Some(class)
            }
            PipelineKind::Hf(steps) => {
                let whole = self.takes_whole_texts();
                let normalized = steps.normalize(raw, parse_special, whole)?;
                let class = self.classify(raw, &normalized_text(&normalized));
                search.with_hf_words(steps, normalized, start)?;
                Some(class)
            }
        }
    }

    /// Returns true if a chunk is a space and a word of characters that no step of DeBERTa changes, with no added token
    /// in it.
    #[inline]
    pub fn is_plain_word(&self, chunk: &str, parse_special: bool) -> bool {
        let PipelineKind::Deberta {
            charsmap,
            normalized,
        } = &self.kind
        else {
            return false;
        };
        let mut characters = chunk.chars();
        characters.next() == Some(' ')
            && chunk.len() > 1
            && characters
                .all(|character| charsmap.is_plain_char(character) && character != METASPACE)
            && !(parse_special && normalized.are_in(chunk))
    }

    /// Returns the `candidates` of the vocabulary that are always separate tokens after a [plain
    /// word](Self::is_plain_word).
    pub fn trailing_marks(&self, candidates: &[(u8, u32)], parse_special: bool) -> TrailingMarks {
        let is_mark = |character: u8| match &self.kind {
            PipelineKind::Deberta {
                charsmap,
                normalized,
            } => charsmap.is_plain(character) && !(parse_special && normalized.contain(character)),
            PipelineKind::Hf(_) => false,
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
            PipelineKind::Hf(_) => true,
        }
    }

    fn classify(&self, raw: &str, normalized: &str) -> RangeClass {
        let begins_with_space = raw
            .bytes()
            .next()
            .is_some_and(|byte| self.space_bytes.contains(byte));
        let word = match self.space_handling {
            // White space within the normalized form separates words as it does elsewhere.
            Some(SpaceHandling::Dropped) => Some("word"),
            _ if begins_with_space => {
                let spaces = raw
                    .bytes()
                    .take_while(|byte| self.space_bytes.contains(*byte));
                let longest = if self.space_handling == Some(SpaceHandling::Kept) {
                    spaces.count()
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
            unchanged: raw == normalized,
        }
    }
}

/// Returns true if the last character of a text forms a grapheme with a following space.
fn joins_next_space(text: &str) -> bool {
    text.chars()
        .next_back()
        .is_some_and(|last| !last.is_ascii() && format!("{last} ").graphemes(true).count() == 1)
}
