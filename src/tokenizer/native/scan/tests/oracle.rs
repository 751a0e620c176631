//! A pre-tokenizer of the crate and its scanner.

use serde_json::Value;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer as _};

use super::super::{PreTokenizer, Scanner, Words};
use crate::tokenizer::native::space_scan::PaddedText;
use crate::tokenizer::pinned_unicode::PinnedPreTokenizer;

/// A pre-tokenizer of the crate and its scanner.
pub struct Pair {
    pub name: String,
    pub step: PreTokenizerWrapper,
    pub recognized: PreTokenizer,
}

impl Pair {
    pub fn new(name: &str, step: &Value) -> Self {
        let recognized = PreTokenizer::from_json(step);
        Self {
            name: name.to_owned(),
            step: serde_json::from_value(step.clone()).unwrap(),
            recognized: recognized.unwrap_or_else(|| panic!("{name} is not recognized")),
        }
    }

    /// Compares the words of a text.
    pub fn compare(&self, text: &str) {
        let mut split = PreTokenizedString::from(text);
        PinnedPreTokenizer(&self.step)
            .pre_tokenize(&mut split)
            .unwrap();
        let splits = split.get_splits(OffsetReferential::Original, OffsetType::Byte);
        // Falcon splits characters, and a space before the text is not in it. Both drop nothing, and each mapped
        // character is a byte.
        let prefixed = self.recognized.add_prefix_space;
        let mut expected: Vec<_> = match prefixed || self.name == "Falcon" {
            true => splits
                .into_iter()
                .scan(0, |end, (mapped, ..)| {
                    let start = *end;
                    *end += mapped.chars().count();
                    Some((start, *end))
                })
                .collect(),
            false => splits.into_iter().map(|(_, range, _)| range).collect(),
        };
        // Without a step, the crate has a word for an empty text.
        expected.retain(|(start, end)| start < end);
        // It adds nothing to an empty text.
        let text = match prefixed && !text.starts_with(' ') && !text.is_empty() {
            true => format!(" {text}"),
            false => text.to_owned(),
        };
        assert_eq!(
            words(&self.recognized.scanner, &text),
            expected,
            "{} {text:?}",
            self.name
        );
    }

    /// Cuts a text wherever words always end, compares the words, and returns the number of cuts.
    pub fn compare_cuts(&self, text: &str) -> usize {
        let scanner = &self.recognized.scanner;
        let pairs = text.as_bytes().windows(2).enumerate();
        let cuts = pairs.filter(|(_, pair)| {
            pair[0].is_ascii() && pair[1].is_ascii() && scanner.always_splits(pair[0], pair[1])
        });
        let whole = words(scanner, text);
        let mut count = 0;
        for (before, _) in cuts {
            let (left, right) = text.split_at(before + 1);
            let mut parts = words(scanner, left);
            let shifted = words(scanner, right).into_iter();
            parts.extend(shifted.map(|(start, end)| (before + 1 + start, before + 1 + end)));
            assert_eq!(parts, whole, "{} {left:?} {right:?}", self.name);
            count += 1;
        }
        count
    }
}

/// Returns the words of a text, which are in order and not empty.
pub fn words(scanner: &Scanner, text: &str) -> Vec<(usize, usize)> {
    let padded = PaddedText::new(text.as_bytes());
    let words: Vec<_> = Words::new(scanner, &padded, 0).collect();
    let mut at = 0;
    for &(start, end) in &words {
        assert!(
            at <= start && start < end && end <= text.len(),
            "{at} {start} {end} {text:?}"
        );
        at = end;
    }
    words
}
