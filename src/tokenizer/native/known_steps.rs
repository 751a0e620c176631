//! Classifies the steps of a `tokenizer.json`: are they DeBERTa's, and can a text be split at white space?

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::space_bytes::SpaceHandling;

/// Returns the character map if the steps are DeBERTa's: strip, apply the character map, collapse runs of spaces,
/// insert `▁`. Returns `None` for other steps.
pub fn deberta_charsmap(normalizer: &Value, pre_tokenizer: &Value) -> Option<Vec<u8>> {
    let [strip, map, runs] = sequence(normalizer, "normalizers")[..] else {
        return None;
    };
    let [metaspace] = sequence(pre_tokenizer, "pretokenizers")[..] else {
        return None;
    };
    let known = *strip == json!({"type": "Strip", "strip_left": true, "strip_right": true})
        && *runs == json!({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})
        && name(map) == "Precompiled"
        && marks_every_word(metaspace);
    let map = map.get("precompiled_charsmap")?.as_str()?;
    known.then(|| BASE64_STANDARD.decode(map).ok())?
}

/// Returns true for a Metaspace that writes `▁` for each space and before a first word without one, and splits there.
fn marks_every_word(step: &Value) -> bool {
    let field = |name: &str, value: Value, default: bool| match step.get(name) {
        Some(given) => *given == value,
        None => default,
    };
    name(step) == "Metaspace"
        && field("replacement", "▁".into(), false)
        && field("prepend_scheme", "always".into(), true)
        && field("add_prefix_space", true.into(), true)
        && field("split", true.into(), true)
}

/// Returns how the steps handle white space. Returns `None` if a step may look across it, in which case texts cannot be
/// split there.
///
/// Accepts normalizers that look at single characters, at characters that compose (white space never composes with a
/// preceding character), or at grapheme clusters, and pre-tokenizers that split by single characters.
pub fn space_handling(normalizer: &Value, pre_tokenizer: &Value) -> Option<SpaceHandling> {
    let mut splitters = sequence(pre_tokenizer, "pretokenizers");
    let splits = splitters.first().map(|step| name(step)) == Some("WhitespaceSplit");
    if splits {
        splitters.remove(0);
    }
    let isolates = json!({"type": "Punctuation", "behavior": "Isolated"});
    splitters.retain(|step| **step != isolates);
    let marked = matches!(splitters[..], [step] if marks_every_word(step));
    let local = |step: &&Value| match name(step) {
        "NFC" | "NFD" | "NFKC" | "NFKD" | "StripAccents" | "Lowercase" | "Precompiled" => true,
        "Strip" => splits,
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
    let known = sequence(normalizer, "normalizers").iter().all(local);
    (marked && known).then_some(if splits {
        SpaceHandling::Dropped
    } else {
        SpaceHandling::Kept
    })
}

/// Returns the steps of a nested sequence or a single step. Returns no steps for null.
pub fn sequence<'a>(step: &'a Value, list: &str) -> Vec<&'a Value> {
    if step.is_null() {
        return Vec::new();
    }
    match step.get(list).and_then(Value::as_array) {
        Some(steps) if name(step) == "Sequence" => {
            steps.iter().flat_map(|step| sequence(step, list)).collect()
        }
        _ => vec![step],
    }
}

fn name(step: &Value) -> &str {
    step.get("type").and_then(Value::as_str).unwrap_or_default()
}
