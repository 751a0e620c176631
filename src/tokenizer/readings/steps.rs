//! The steps of a reading, and in what those of two readings differ.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokenizers::normalizers::NormalizerWrapper;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::processors::PostProcessorWrapper;

use crate::source::Reading;
use crate::tokenizer::deberta;
use crate::tokenizer::definition::{Definition, Origin};
use crate::tokenizer::tokenizer::Tokenizer;

/// The longest value of a setting that is told, in characters.
const MAX_SHOWN: usize = 40;
/// The number of pieces whose ids are compared.
const SAMPLED: u32 = 64;

/// The steps of a `tokenizer.json`.
struct Steps {
    normalizer: Value,
    pre_tokenizer: Value,
    /// `None` if the template is known to be that of DeBERTa.
    post_processor: Option<Value>,
}

/// Returns the steps of a tokenizer. Returns `None` if SentencePiece takes them.
fn steps(definition: &Definition) -> Option<Steps> {
    if definition.runner.is_some() {
        return None;
    }
    if let Some(rest) = definition.rest() {
        return Some(Steps {
            normalizer: rest.normalizer.clone(),
            pre_tokenizer: rest.pre_tokenizer.clone(),
            post_processor: Some(rest.post_processor.clone()),
        });
    }
    let Origin::Compiled { compiled, .. } = &definition.origin else {
        return None;
    };
    let (name, charsmap) = (definition.file().name(), compiled.charsmap());
    let steps = deberta::steps_as_json(name, charsmap, &definition.config).ok();
    let [normalizer, pre_tokenizer] = steps?;
    let unknown = compiled.unknown_id()?;
    let template = deberta::template(name, |text| definition.find(text), unknown).ok();
    Some(Steps {
        normalizer,
        pre_tokenizer,
        post_processor: template.and_then(|template| serde_json::to_value(template).ok()),
    })
}

/// Returns the normalizer of a tokenizer. Returns `None` if SentencePiece normalizes.
pub fn normalizer(tokenizer: &Tokenizer) -> Option<Value> {
    Some(steps(&tokenizer.definition)?.normalizer)
}

/// Returns true if a normalizer applies a character map. `None` is that of SentencePiece.
pub fn has_charsmap(tokenizer: &Tokenizer, normalizer: Option<&Value>) -> bool {
    match (normalizer, &tokenizer.definition.origin) {
        (Some(normalizer), _) => parts("normalizers", normalizer)
            .iter()
            .any(|step| kind(step) == "Precompiled"),
        (None, Origin::Compiled { compiled, .. }) => !compiled.charsmap().is_empty(),
        (None, Origin::Json { .. }) => false,
    }
}

fn kind(step: &Value) -> &str {
    step.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// Returns the steps of a sequence one by one. `list` is the field that holds them.
fn parts<'s>(list: &str, step: &'s Value) -> Vec<&'s Value> {
    match step.get(list).and_then(Value::as_array) {
        Some(steps) => steps.iter().flat_map(|step| parts(list, step)).collect(),
        None if step.is_null() => Vec::new(),
        None => vec![step],
    }
}

/// Returns a step with all its settings, also those that the file leaves to the crate.
fn canonical<T: DeserializeOwned + Serialize>(step: &Value) -> Value {
    let read = serde_json::from_value::<T>(step.clone()).ok();
    let written = read.and_then(|read| serde_json::to_value(read).ok());
    written.unwrap_or_else(|| step.clone())
}

/// Describes a step in a few words.
fn described(step: &Value) -> String {
    let text = |name: &str| step.get(name).and_then(Value::as_str);
    let pattern = step.get("pattern").and_then(|pattern| {
        let text = pattern.get("Regex").or_else(|| pattern.get("String"));
        text?.as_str()
    });
    let quoted = |text: &str| match text.chars().count() > MAX_SHOWN {
        true => format!("`{}…`", text.chars().take(MAX_SHOWN).collect::<String>()),
        false => format!("`{text}`"),
    };
    match (kind(step), pattern) {
        ("Precompiled", _) => "the character map".to_owned(),
        ("Replace", Some(pattern)) => {
            let content = text("content").unwrap_or_default();
            format!("Replace {} by {}", quoted(pattern), quoted(content))
        }
        (kind, _) => {
            let fields = step.as_object().into_iter().flatten();
            let setting = |(name, value): (&String, &Value)| {
                let shown = match value {
                    Value::String(text) => quoted(text),
                    Value::Bool(_) | Value::Number(_) | Value::Null => value.to_string(),
                    Value::Object(fields) => quoted(fields.values().next()?.as_str()?),
                    Value::Array(_) => return None,
                };
                (name != "type").then(|| format!("{name}={shown}"))
            };
            let settings: Vec<String> = fields.filter_map(setting).collect();
            match settings.is_empty() {
                true => kind.to_owned(),
                false => format!("{kind}({})", settings.join(", ")),
            }
        }
    }
}

/// Describes the difference of two lists, if there is one.
fn lists(name: &str, ours: &[String], theirs: &[String]) -> Option<String> {
    if ours == theirs {
        return None;
    }
    let missing = |from: &[String], of: &[String]| -> Vec<String> {
        let missing = of.iter().filter(|one| !from.contains(one));
        missing.cloned().collect()
    };
    let (gone, new) = (missing(theirs, ours), missing(ours, theirs));
    let part = |word: &str, list: &[String]| {
        let first: Vec<&str> = list.iter().take(4).map(String::as_str).collect();
        let more = match list.len() - first.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!list.is_empty()).then(|| format!("{word} {}{more}", first.join(", ")))
    };
    let parts: Vec<String> = [part("without", &gone), part("with", &new)]
        .into_iter()
        .flatten()
        .collect();
    Some(match parts.is_empty() {
        true => format!("{name} in another order"),
        false => format!("{name} {}", parts.join(" and ")),
    })
}

/// Returns what the second of two readings of a model has other than the first, as parts of a sentence.
pub fn differences(ours: &Tokenizer, theirs: &Tokenizer) -> Vec<String> {
    let [first, second] = [ours, theirs].map(|tokenizer| &tokenizer.definition);
    let (Some(own), Some(other)) = (steps(first), steps(second)) else {
        return of_sentencepiece(ours, theirs);
    };
    let normalizers = [&own, &other].map(|steps| {
        let whole = canonical::<NormalizerWrapper>(&steps.normalizer);
        let steps = parts("normalizers", &whole);
        steps.into_iter().map(described).collect::<Vec<_>>()
    });
    let pre_tokenizers = [&own, &other].map(|steps| {
        let whole = canonical::<PreTokenizerWrapper>(&steps.pre_tokenizer);
        let steps = parts("pretokenizers", &whole);
        steps.into_iter().map(described).collect::<Vec<_>>()
    });
    let mut found = Vec::new();
    found.extend(lists("the normalizer", &normalizers[0], &normalizers[1]));
    found.extend(lists(
        "the pre-tokenizer",
        &pre_tokenizers[0],
        &pre_tokenizers[1],
    ));
    let [template, other_template] =
        [&own, &other].map(|steps| steps.post_processor.as_ref().map(template));
    if template != other_template {
        found.push("other special tokens around a text".to_owned());
    }
    let added = [first, second].map(|definition| {
        let matched = definition.added_vocabulary.matched();
        let mut matched: Vec<_> = matched.into_iter().map(|(token, id)| (id, token)).collect();
        matched.sort_by_key(|(id, _)| *id);
        matched
    });
    if added[0] != added[1] {
        let differ = added[1]
            .iter()
            .filter(|token| !added[0].contains(token))
            .count()
            + added[0]
                .iter()
                .filter(|(id, _)| added[1].iter().all(|(other, _)| other != id))
                .count();
        let tokens = if differ == 1 {
            "added token"
        } else {
            "added tokens"
        };
        found.push(format!("{differ} other {tokens}"));
    }
    if settings(first) != settings(second) {
        found.push("other settings of the model".to_owned());
    }
    found
}

/// Returns the settings of a model, as far as they are known.
fn settings(definition: &Definition) -> Option<Value> {
    let Origin::Compiled { compiled, .. } = &definition.origin else {
        return None;
    };
    let own = (
        compiled.unknown_id(),
        compiled.byte_fallback() && definition.rest().is_some(),
    );
    serde_json::to_value(own).ok()
}

/// Returns what a post-processor puts around a text and around a pair, or the post-processor itself if that is not known.
fn template(processor: &Value) -> Value {
    let canonical = canonical::<PostProcessorWrapper>(processor);
    let token = |name: &str| canonical.get(name).and_then(|token| token.get(0)).cloned();
    let parts_of = |parts: &Value| -> Option<Vec<Value>> {
        let part = |part: &Value| {
            let token = part.get("SpecialToken").and_then(|token| token.get("id"));
            Some(token.or_else(|| part.get("Sequence")?.get("id"))?.clone())
        };
        parts.as_array()?.iter().map(part).collect()
    };
    let (a, b): (Value, Value) = ("A".into(), "B".into());
    match (kind(&canonical), token("cls"), token("sep")) {
        ("BertProcessing", Some(cls), Some(sep)) => {
            let single = vec![cls.clone(), a.clone(), sep.clone()];
            serde_json::json!([single, [cls, a, sep, b, sep]])
        }
        ("RobertaProcessing", Some(cls), Some(sep)) => {
            let single = vec![cls.clone(), a.clone(), sep.clone()];
            serde_json::json!([single, [cls, a, sep, sep, b, sep]])
        }
        ("TemplateProcessing", ..) => {
            let sides = ["single", "pair"].map(|side| canonical.get(side).and_then(parts_of));
            serde_json::json!(sides)
        }
        // It puts nothing around a text.
        ("ByteLevel" | "", ..) => serde_json::json!([[a], [a, b]]),
        _ => canonical,
    }
}

/// Returns in what the reading of SentencePiece differs from another.
fn of_sentencepiece(ours: &Tokenizer, theirs: &Tokenizer) -> Vec<String> {
    let (own, other) = match ours.reading() {
        Reading::SentencePiece => (ours, theirs),
        _ => (theirs, ours),
    };
    let Some(steps) = steps(&other.definition) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let maps = [
        has_charsmap(own, None),
        has_charsmap(other, Some(&steps.normalizer)),
    ];
    if maps[0] != maps[1] {
        found.push("the character map of the file".to_owned());
    }
    let processor = steps.post_processor.as_ref().map(template);
    if processor.is_some_and(|template| template != serde_json::json!([["A"], ["A", "B"]])) {
        found.push("no special tokens around a text".to_owned());
    }
    if other.ignores_byte_fallback() {
        found.push("byte fallback".to_owned());
    }
    let last = own.vocabulary().last_id();
    let mut sample = (0..=last).step_by((last / SAMPLED).max(1) as usize);
    let is_same = |id: u32| {
        let piece = own.piece(id);
        piece.is_none_or(|piece| other.definition.find(piece) == Some(id))
    };
    if !sample.all(is_same) {
        found.push("other ids of the same pieces".to_owned());
    }
    found
}
