//! Classifies the steps of a `tokenizer.json`: are they DeBERTa's, and can a text be split at white space?

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::space_bytes::SpaceHandling;
use super::step_list::{name, steps_of};
use super::steps::{Words, words_of};

/// Returns the character map if the steps are DeBERTa's: strip, apply the character map, collapse runs of spaces,
/// insert `▁`. Returns `None` for other steps.
pub fn deberta_charsmap(normalizer: &Value, pre_tokenizer: &Value) -> Option<Vec<u8>> {
    let [strip, map, runs] = steps_of(normalizer, "normalizers")?[..] else {
        return None;
    };
    let words = words_of(&steps_of(pre_tokenizer, "pretokenizers")?);
    let known = *strip == json!({"type": "Strip", "strip_left": true, "strip_right": true})
        && *runs == json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})
        && name(map) == "Precompiled"
        && words == Some(Words::AT_SPACES);
    let map = map.get("precompiled_charsmap")?.as_str()?;
    known.then(|| BASE64_STANDARD.decode(map).ok())?
}

/// Returns how the steps handle white space. Returns `None` if a step may look across it, in which case texts cannot be
/// split there.
///
/// Accepts normalizers that look at single characters, at characters that compose (white space never composes with a
/// preceding character), or at grapheme clusters, and pre-tokenizers that split by single characters.
pub fn space_handling(normalizer: &Value, pre_tokenizer: &Value) -> Option<SpaceHandling> {
    let mut splitters = steps_of(pre_tokenizer, "pretokenizers")?;
    let isolates = json!({"type": "Punctuation", "behavior": "Isolated"});
    splitters.retain(|step| **step != isolates);
    let Words {
        splits_at_spaces,
        metaspace,
    } = words_of(&splitters)?;
    let local = |step: &&Value| match name(step) {
        "NFC" | "NFD" | "NFKC" | "NFKD" | "StripAccents" | "Lowercase" | "Precompiled" => true,
        "Strip" => splits_at_spaces,
        "Replace" => {
            let pattern = step.get("pattern");
            let kind = |name| pattern.and_then(|pattern| pattern.get(name)?.as_str());
            let content = step.get("content").and_then(Value::as_str);
            let spaced = |text: &str| text.contains(char::is_whitespace);
            match (kind("String"), kind("Regex")) {
                (Some(text), None) => !text.is_empty() && !spaced(text),
                (None, Some(" {2,}")) => content == Some(" "),
                _ => false,
            }
        }
        _ => false,
    };
    let known = steps_of(normalizer, "normalizers")?.iter().all(local)
        && metaspace == Words::AT_SPACES.metaspace;
    known.then_some(if splits_at_spaces {
        SpaceHandling::Dropped
    } else {
        SpaceHandling::Kept
    })
}
