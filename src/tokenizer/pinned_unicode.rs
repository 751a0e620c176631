//! The normalizers and pre-tokenizers of the `tokenizers` crate with the Unicode tables of the reference.
//!
//! Two steps use the tables of Rust's standard library, whose version is that of the compiler: lower case and digits. The
//! reference was compiled with Rust 1.88, which has Unicode 16. `tests/it/text/unicode.rs` compares all characters.

use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::{
    NormalizedString, Normalizer, PreTokenizedString, PreTokenizer, Result, SplitDelimiterBehavior,
};

/// Returns true for the 28 letters that Unicode 17 gave a lower-case letter.
pub fn is_lowered_since_unicode_17(character: char) -> bool {
    matches!(
        character,
        '\u{a7ce}' | '\u{a7d2}' | '\u{a7d4}' | '\u{16ea0}'..='\u{16eb8}'
    )
}

/// Returns the lower case of a character, as of Unicode 16.
pub fn lower_case(character: char) -> impl Iterator<Item = char> {
    let is_new = is_lowered_since_unicode_17(character);
    let lower = (!is_new).then(|| character.to_lowercase());
    is_new
        .then_some(character)
        .into_iter()
        .chain(lower.into_iter().flatten())
}

/// Returns true for the 13 numerals that Unicode 17 added.
fn is_numeric_since_unicode_17(character: char) -> bool {
    matches!(character, '\u{11de0}'..='\u{11de9}' | '\u{16ff4}'..='\u{16ff6}')
}

fn is_numeric(character: char) -> bool {
    character.is_numeric() && !is_numeric_since_unicode_17(character)
}

/// A normalizer of the crate, with the tables of Unicode 16.
#[derive(Debug, Clone, Copy)]
pub struct PinnedNormalizer<'a>(pub &'a NormalizerWrapper);

impl Normalizer for PinnedNormalizer<'_> {
    fn normalize(&self, text: &mut NormalizedString) -> Result<()> {
        match self.0 {
            NormalizerWrapper::Sequence(steps) => {
                let mut steps = steps.as_ref().iter();
                steps.try_for_each(|step| PinnedNormalizer(step).normalize(text))
            }
            NormalizerWrapper::Lowercase(_) => {
                lowercase(text);
                Ok(())
            }
            NormalizerWrapper::BertNormalizer(step) if step.lowercase => {
                let mut before = *step;
                before.strip_accents = Some(step.strip_accents.unwrap_or(true));
                before.lowercase = false;
                before.normalize(text)?;
                lowercase(text);
                Ok(())
            }
            other => other.normalize(text),
        }
    }
}

/// Converts a text to lower case, like the crate's `NormalizedString::lowercase`.
fn lowercase(text: &mut NormalizedString) {
    let mut characters: Vec<(char, isize)> = Vec::with_capacity(text.get().len());
    for character in text.get().chars() {
        if character.is_ascii() {
            characters.push((character.to_ascii_lowercase(), 0));
            continue;
        }
        let lower = lower_case(character).enumerate();
        characters.extend(lower.map(|(index, lower)| (lower, isize::from(index > 0))));
    }
    text.transform(characters, 0);
}

/// A pre-tokenizer of the crate, with the tables of Unicode 16.
#[derive(Debug, Clone, Copy)]
pub struct PinnedPreTokenizer<'a>(pub &'a PreTokenizerWrapper);

impl PreTokenizer for PinnedPreTokenizer<'_> {
    fn pre_tokenize(&self, text: &mut PreTokenizedString) -> Result<()> {
        match self.0 {
            PreTokenizerWrapper::Sequence(steps) => {
                let mut steps = steps.as_ref().iter();
                steps.try_for_each(|step| PinnedPreTokenizer(step).pre_tokenize(text))
            }
            PreTokenizerWrapper::Digits(Digits {
                individual_digits, ..
            }) => {
                let behavior = if *individual_digits {
                    SplitDelimiterBehavior::Isolated
                } else {
                    SplitDelimiterBehavior::Contiguous
                };
                text.split(|_, part| part.split(is_numeric, behavior))
            }
            other => other.pre_tokenize(text),
        }
    }
}
