//! The steps of a tokenizer that are all implemented here.

use serde_json::Value;

use super::parse;
use super::plain_words::{PlainWord, PlainWords};
use super::spaces;
use super::step::Step;
use super::transform::StepScratch;
use super::words::{Metaspace, Prepends, Words};
use crate::formats::config::AddedTokenConfig;
use crate::tokenizer::native::added_tokens::AddedTokens;
use crate::tokenizer::native::aligned_text::AlignedText;
use crate::tokenizer::native::normalize::METASPACE;
use crate::tokenizer::native::space_bytes::{SpaceBytes, SpaceHandling};

/// The normalizers, the added tokens that are found in normalized text, and the pre-tokenizers.
#[derive(Debug)]
pub struct OwnSteps {
    /// The sides of a text that are stripped before `steps`.
    strips: Sides,
    steps: Vec<Step>,
    pub normalized: AddedTokens,
    pub words: Words,
    plain: PlainWords,
    space_handling: Option<SpaceHandling>,
    space_bytes: SpaceBytes,
    marks_spaces: bool,
}

/// The effects of normalizing a part of a text on its neighbors.
#[derive(Debug, Clone, Copy, Default)]
pub struct Normalized {
    /// True if the ranges of all the text after a removed character are wrong, as they then are in the reference.
    pub loses_count: bool,
    /// True if white space was dropped because nothing follows it.
    pub depends_on_end: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sides {
    left: bool,
    right: bool,
}

impl OwnSteps {
    /// Reads the steps of a `tokenizer.json`, and the added tokens. Returns `None` if a step is not implemented here, or
    /// if two added tokens have the same normalized form or one is empty.
    pub fn new(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
    ) -> Option<Self> {
        let mut steps = parse::normalizers(normalizer)?;
        let words = parse::words(pre_tokenizer)?;
        let mut own = Self {
            strips: take_strip(&mut steps),
            plain: PlainWords::new(&steps),
            space_handling: spaces::space_handling(&steps, words),
            marks_spaces: spaces::marks_spaces(&steps),
            normalized: AddedTokens::default(),
            space_bytes: SpaceBytes::default(),
            steps,
            words,
        };
        // As they are found: normalization may turn a piece such as `▁x` into a space and a letter.
        let normalized = added.iter().filter(|(token, _)| token.normalized);
        let normalized = normalized.map(|(token, id)| {
            let content = own.normalized_text(&token.content, true).into();
            let token = AddedTokenConfig {
                content,
                ..token.clone()
            };
            (token, *id)
        });
        own.normalized = AddedTokens::new(normalized.collect())?;
        for byte in [b' ', b'\n', b'\t'] {
            let text = format!("a{}b", char::from(byte));
            let normalized = own.normalized_text(&text, false);
            if normalized == "a b" || (normalized == text && words.splits_at_spaces) {
                own.space_bytes.insert(byte);
            }
        }
        let splits = own.normalized.are_local() && own.space_bytes.contains(b' ');
        own.space_handling = own.space_handling.filter(|_| splits);
        Some(own)
    }

    fn normalized_text(&self, text: &str, at_end: bool) -> String {
        let (start, end) = self.strip(text, 0, text.len());
        let mut aligned = AlignedText::default();
        let scratch = &mut StepScratch::default();
        self.normalize::<false>(&text[start..end], 0, at_end, &mut aligned, scratch);
        aligned.text
    }

    #[cfg(test)]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    pub fn space_handling(&self) -> Option<SpaceHandling> {
        self.space_handling
    }

    pub fn space_bytes(&self) -> SpaceBytes {
        self.space_bytes
    }

    /// Returns true if a word becomes `▁` and the word only if it does not begin at the very start of a text.
    pub fn marks_first_word(&self) -> bool {
        let first = |metaspace: Metaspace| metaspace.prepends == Prepends::First;
        self.words.metaspace.is_some_and(first)
    }

    /// Shrinks a byte range of a text by the white space that the first step drops.
    #[inline]
    pub fn strip(&self, text: &str, start: usize, end: usize) -> (usize, usize) {
        let mut stripped = &text[start..end];
        if self.strips.right {
            stripped = stripped.trim_end();
        }
        let end = start + stripped.len();
        if self.strips.left {
            stripped = stripped.trim_start();
        }
        (end - stripped.len(), end)
    }

    /// Writes the normalized form of a part of a text that begins at byte `start` to `aligned`. `at_end` is true if
    /// nothing follows the part.
    pub fn normalize<const RANGES: bool>(
        &self,
        part: &str,
        start: usize,
        at_end: bool,
        aligned: &mut AlignedText,
        scratch: &mut StepScratch,
    ) -> Normalized {
        aligned.set::<RANGES>(part, start);
        let mut normalized = Normalized::default();
        for step in &self.steps {
            let strips = matches!(step, Step::Strip { .. });
            if at_end || !strips {
                let length = aligned.text.len();
                normalized.loses_count |= step.apply::<RANGES>(aligned, scratch);
                normalized.depends_on_end |= strips && aligned.text.len() < length;
            }
        }
        normalized
    }

    /// Returns a chunk as a plain word, or `None` if it is not one. A plain word has no added token in it.
    ///
    /// A chunk is a word with at most one space before it. Without a space, it is at the beginning of a text, or spaces
    /// do not belong to chunks.
    #[inline]
    pub fn plain_word<'t>(
        &self,
        chunk: &'t str,
        parse_special: bool,
        buffer: &'t mut String,
    ) -> Option<PlainWord<'t>> {
        let first = *chunk.as_bytes().first()?;
        let spaced = self.space_bytes.contains(first);
        let word = if spaced { &chunk[1..] } else { chunk };
        let is_word = if spaced {
            !word.is_empty() || self.space_handling == Some(SpaceHandling::Apart)
        } else {
            let metaspace = self.words.metaspace?;
            metaspace.prepends == Prepends::Always
        };
        if !is_word {
            return None;
        }
        let text = self.plain.normalized(&self.steps, word, buffer)?;
        let has_added = self.normalized.matched(parse_special).are_in(text);
        (!has_added).then_some(PlainWord { text, spaced })
    }

    /// Returns true if a character is a token of its own wherever a piece ends before it.
    pub fn keeps_mark(&self, byte: u8, parse_special: bool) -> bool {
        self.plain.keeps_mark(byte) && !self.normalized.matched(parse_special).contain(byte)
    }

    /// Returns true if a part of a text may begin with a space followed by these bytes.
    pub fn can_start_part(&self, bytes: [u8; 2]) -> bool {
        let always = |metaspace: Metaspace| metaspace.prepends == Prepends::Always;
        !self.strips.left
            || (self.words.metaspace.is_some_and(always)
                && self.plain.keeps_mark(bytes[0])
                && bytes[1].is_ascii()
                && !self.normalized.begin_with(bytes[0]))
    }

    /// Returns true if a normalized chunk is a single word. `spaces` is the number of spaces that it may begin with.
    pub fn is_one_word(&self, normalized: &str, spaces: usize) -> bool {
        let word = normalized.trim_start_matches(' ');
        let leading = normalized.len() - word.len();
        let has_its_spaces = if spaces == 0 {
            leading == 0
        } else {
            (1..=spaces).contains(&leading)
        };
        let is_space = |character: char| {
            character.is_whitespace() || (character == METASPACE && self.marks_spaces)
        };
        has_its_spaces && !word.is_empty() && !word.contains(is_space)
    }
}

/// Takes out the first step if it strips the text. A step before it that only changes the case makes no difference.
fn take_strip(steps: &mut Vec<Step>) -> Sides {
    let lowers = |step: &&Step| matches!(step, Step::Lowercase);
    let first = steps.iter().take_while(lowers).count();
    if let Some(&Step::Strip { left, right }) = steps.get(first) {
        steps.remove(first);
        return Sides { left, right };
    }
    Sides::default()
}
