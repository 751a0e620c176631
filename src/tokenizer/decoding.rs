//! The parts of decoding before and after the decoder of a `tokenizer.json`, some of which depend on the class.

use std::borrow::Cow;
use std::collections::HashMap;

use regex::Regex;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::{NormalizedString, Normalizer};

use super::added_vocabulary::CrateVersion;
use super::class::Decoding;
use super::definition::Definition;
use super::pinned_unicode::PinnedNormalizer;

const PROMPT: &str = "<|startofprev|>";
const TRANSCRIPT: &str = "<|startoftranscript|>";

/// Returns the ids that the decoder of a class gets.
pub fn decoded_ids<'a>(
    definition: &Definition,
    ids: &'a [u32],
    skip_special_tokens: bool,
) -> Cow<'a, [u32]> {
    match definition.class.decoding() {
        Decoding::Grouped => Cow::Owned(grouped(definition, ids)),
        _ => Cow::Borrowed(without_prompt(definition, ids, skip_special_tokens)),
    }
}

/// Returns the ids that are decoded. Without special tokens, a transcript has no prompt.
fn without_prompt<'a>(
    definition: &Definition,
    ids: &'a [u32],
    skip_special_tokens: bool,
) -> &'a [u32] {
    if definition.class.decoding() != Decoding::Transcript || !skip_special_tokens {
        return ids;
    }
    // The reference takes the unknown token for a token that the vocabulary lacks.
    let unknown = || definition.find(definition.special_tokens.unk_token.given()?.text());
    let id_of = |text| definition.find(text).or_else(unknown);
    if ids.is_empty() || ids.first().copied() != id_of(PROMPT) {
        return ids;
    }
    let transcript = id_of(TRANSCRIPT);
    let start = ids.iter().position(|id| Some(*id) == transcript);
    start.map_or(&[], |start| &ids[start..])
}

/// Returns the piece of an id as it is decoded, and true if it is special. Version 0.23 of the crate decodes added tokens
/// in their normalized form, and looks for that among the special ones.
pub fn decoded_piece(definition: &Definition, id: u32) -> Option<(&str, bool)> {
    let added = &definition.added_vocabulary;
    if added.version() == CrateVersion::V23 {
        let decoded = definition.decoded.get_or_init(|| normalized(definition));
        if let Some(piece) = decoded.get(&id) {
            return Some((piece, added.is_special(piece)));
        }
    }
    definition.piece(id)
}

/// Returns the normalized forms of the added tokens that are matched in normalized text.
fn normalized(definition: &Definition) -> HashMap<u32, String> {
    let matched = definition.added_vocabulary.matched();
    let tokens = matched.iter().filter(|(token, _)| token.normalized);
    let normalizer = || {
        let normalizer = &definition.rest()?.normalizer;
        serde_json::from_value::<Option<NormalizerWrapper>>(normalizer.clone()).ok()?
    };
    let Some(normalizer) = tokens.clone().next().and_then(|_| normalizer()) else {
        return HashMap::new();
    };
    let form = |content: &str| {
        let mut text = NormalizedString::from(content);
        PinnedNormalizer(&normalizer).normalize(&mut text).ok()?;
        Some(text.get().to_owned())
    };
    tokens
        .filter_map(|(token, id)| Some((*id, form(&token.content)?)))
        .collect()
}

/// Returns the ids of a CTC model that are decoded: of equal ids in a row, one, and no padding.
fn grouped(definition: &Definition, ids: &[u32]) -> Vec<u32> {
    let padding = definition.special_tokens.pad_token.given();
    let padding = padding.and_then(|token| definition.find(token.text()));
    let mut ids = ids.to_vec();
    ids.dedup();
    ids.retain(|id| Some(*id) != padding);
    ids
}

/// Replaces the suffix of words by spaces, and strips the ends.
pub fn without_suffix(text: &str, suffix: Option<&str>) -> String {
    let text = match suffix {
        Some(suffix) => text.replace(suffix, " "),
        None => text.to_owned(),
    };
    // `str.strip` of Python also takes the four separators of ASCII for white space.
    let is_space =
        |character: char| character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}');
    text.trim_matches(is_space).to_owned()
}

/// Leaves out timestamps such as `<|0.42|>`.
pub fn without_timestamps(text: &str) -> String {
    match Regex::new(r"<\|\d+\.\d+\|>") {
        Ok(timestamp) => timestamp.replace_all(text, "").into_owned(),
        Err(_) => text.to_owned(),
    }
}

/// Removes the spaces that some decoders leave before punctuation, like `clean_up_tokenization` of the reference.
pub fn clean_up_spaces(text: &str) -> String {
    [
        (" .", "."),
        (" ?", "?"),
        (" !", "!"),
        (" ,", ","),
        (" ' ", "'"),
        (" n't", "n't"),
        (" 'm", "'m"),
        (" 's", "'s"),
        (" 've", "'ve"),
        (" 're", "'re"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_in_a_space_instead_of_their_suffix() {
        assert_eq!(without_suffix("a</w>cat</w>", Some("</w>")), "a cat");
        assert_eq!(without_suffix("\u{1f}\u{a0}a</w>\u{85}", None), "a</w>");
    }

    #[test]
    fn only_complete_timestamps_are_left_out() {
        let text = "<|0.00|>a<|12.3|> <|12|>b<|٣.٠|>";
        assert_eq!(without_timestamps(text), "a <|12|>b");
    }
}
