//! What a reading makes of single characters and white space before it divides a text into tokens.

use serde::Deserialize as _;
use serde_json::Value;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::{NormalizedString, Normalizer as _};

use super::steps::{has_charsmap, normalizer};
use crate::error::Result;
use crate::tokenizer::encoding::covered;
use crate::tokenizer::options::EncodeOptions;
use crate::tokenizer::pinned_unicode::PinnedNormalizer;
use crate::tokenizer::tokenizer::Tokenizer;

/// The mark of SentencePiece that stands for a space.
pub const MARK: char = '▁';
/// A character that no normalizer changes, between which others are looked at.
const BESIDE: &str = "a";

/// The normalizer of a reading.
pub struct Probe<'t> {
    tokenizer: &'t Tokenizer,
    /// `None` if SentencePiece normalizes.
    steps: Option<Option<NormalizerWrapper>>,
    pub has_charsmap: bool,
    /// The unknown token.
    pub unknown: Option<u32>,
    /// True if spaces become marks.
    marks_spaces: bool,
}

impl<'t> Probe<'t> {
    pub fn new(tokenizer: &'t Tokenizer) -> Self {
        let json = normalizer(tokenizer);
        let parsed = |json: &Value| {
            Option::<NormalizerWrapper>::deserialize(json)
                .ok()
                .flatten()
        };
        let mut probe = Self {
            tokenizer,
            has_charsmap: has_charsmap(tokenizer, json.as_ref()),
            steps: json.as_ref().map(parsed),
            unknown: tokenizer.unknown_token(),
            marks_spaces: false,
        };
        probe.marks_spaces = probe.between(" ").is_ok_and(|space| space.contains(MARK));
        probe
    }

    fn normalized(&self, text: &str) -> Result<String> {
        let normalized = match &self.steps {
            Some(None) => text.to_owned(),
            Some(Some(normalizer)) => {
                let mut normalized = NormalizedString::from(text);
                let done = PinnedNormalizer(normalizer).normalize(&mut normalized);
                done.map_or_else(|_| text.to_owned(), |()| normalized.get().to_owned())
            }
            None => self.spelled(text)?,
        };
        Ok(match self.marks_spaces {
            true => normalized.replace(MARK, " "),
            false => normalized,
        })
    }

    /// Returns the pieces of a text, with the characters that stand for bytes or that are unknown.
    fn spelled(&self, text: &str) -> Result<String> {
        let options = EncodeOptions::default();
        let encoding = self.tokenizer.encode(text, None, &options)?.into_first();
        let mut spelled = Vec::new();
        for (index, piece) in encoding.tokens.iter().enumerate() {
            if let Some(byte) = byte(piece) {
                spelled.push(byte);
            } else if Some(encoding.ids[index]) == self.unknown {
                spelled.extend(&text.as_bytes()[covered(text, encoding.offsets[index])]);
            } else {
                spelled.extend(piece.as_bytes());
            }
        }
        Ok(String::from_utf8_lossy(&spelled).into_owned())
    }

    /// Returns what a part of a text becomes within a word.
    pub fn between(&self, part: &str) -> Result<String> {
        let normalized = self.normalized(&format!("{BESIDE}{part}{BESIDE}"))?;
        let inner = normalized
            .find(BESIDE)
            .zip(normalized.rfind(BESIDE))
            .and_then(|(first, last)| normalized.get(first + BESIDE.len()..last));
        Ok(inner.unwrap_or_default().to_owned())
    }

    /// Returns what a part of a text becomes at the beginning of a text, without a mark that every text gets.
    pub fn at_start(&self, part: &str) -> Result<String> {
        let always = self.normalized(BESIDE)?;
        let always = always.split(BESIDE).next().unwrap_or_default();
        let normalized = self.normalized(&format!("{part}{BESIDE}"))?;
        let first = normalized.split(BESIDE).next().unwrap_or_default();
        Ok(first.strip_prefix(always).unwrap_or(first).to_owned())
    }

    /// Returns what a part of a text becomes at the end of a text.
    pub fn at_end(&self, part: &str) -> Result<String> {
        let normalized = self.normalized(&format!("{BESIDE}{part}"))?;
        let after = normalized.rsplit(BESIDE).next().unwrap_or_default();
        Ok(after.to_owned())
    }

    /// Returns what a text of nothing but this part becomes.
    pub fn alone(&self, part: &str) -> Result<String> {
        self.normalized(part)
    }
}

/// Returns the byte that a piece stands for.
pub fn byte(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok())?
}
