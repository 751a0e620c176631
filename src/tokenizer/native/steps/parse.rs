//! Reads the steps of a `tokenizer.json` that are implemented here.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use memchr::memmem::Finder;
use serde_json::Value;

use super::step::{Form, Step};
use super::words::{Metaspace, Prepends, Words};
use crate::tokenizer::native::charsmap::Charsmap;
use crate::tokenizer::native::step_list::{has_only, name, steps_of};

/// Reads the normalizers, in order. Returns `None` if one is not implemented here, has an unknown setting, or is one that
/// the `tokenizers` crate rejects.
pub fn normalizers(normalizer: &Value) -> Option<Vec<Step>> {
    let steps = steps_of(normalizer, "normalizers")?;
    steps.into_iter().map(step).collect()
}

/// Reads the pre-tokenizers. Returns `None` in the same cases as [`normalizers`].
pub fn words(pre_tokenizer: &Value) -> Option<Words> {
    words_of(&steps_of(pre_tokenizer, "pretokenizers")?)
}

/// Reads a list of pre-tokenizers. Returns `None` in the same cases as [`normalizers`].
pub fn words_of(steps: &[&Value]) -> Option<Words> {
    let (splits_at_spaces, rest) = match steps {
        [first, rest @ ..] if name(first) == "WhitespaceSplit" => {
            has_only(first, &[]).then_some((true, rest))?
        }
        _ => (false, steps),
    };
    let metaspace = match rest {
        [] => None,
        [step] => Some(metaspace(step)?),
        _ => return None,
    };
    Some(Words {
        splits_at_spaces,
        metaspace,
    })
}

fn step(step: &Value) -> Option<Step> {
    let text = |name: &str| Some(step.get(name)?.as_str()?.to_owned());
    let flag = |name: &str| step.get(name)?.as_bool();
    let (parsed, fields): (_, &[&str]) = match name(step) {
        "Strip" => {
            let (left, right) = (flag("strip_left")?, flag("strip_right")?);
            (Step::Strip { left, right }, &["strip_left", "strip_right"])
        }
        "Precompiled" => {
            let map = step.get("precompiled_charsmap")?.as_str()?;
            let map = BASE64_STANDARD.decode(map).ok()?;
            let map = Charsmap::parse(&map).filter(Charsmap::is_sound)?;
            (Step::Charsmap(Box::new(map)), &["precompiled_charsmap"])
        }
        "Replace" => {
            let pattern = step.get("pattern")?.as_object()?;
            (replace(pattern, text("content")?)?, &["pattern", "content"])
        }
        "Prepend" => {
            let content = text("prepend").filter(|content| !content.is_empty())?;
            (Step::Prepend(content), &["prepend"])
        }
        "NFC" => (Step::Form(Form::Nfc), &[]),
        "NFD" => (Step::Form(Form::Nfd), &[]),
        "NFKC" => (Step::Form(Form::Nfkc), &[]),
        "NFKD" => (Step::Form(Form::Nfkd), &[]),
        "Lowercase" => (Step::Lowercase, &[]),
        "StripAccents" => (Step::StripAccents, &[]),
        "Nmt" => (Step::Nmt, &[]),
        _ => return None,
    };
    has_only(step, fields).then_some(parsed)
}

fn replace(pattern: &serde_json::Map<String, Value>, content: String) -> Option<Step> {
    if pattern.len() != 1 {
        return None;
    }
    let kind = |kind: &str| pattern.get(kind).and_then(Value::as_str);
    match (kind("String"), kind("Regex")) {
        (Some(text), _) if !text.is_empty() => Some(Step::Replace {
            pattern: Box::new(Finder::new(text).into_owned()),
            content,
        }),
        (_, Some(" {2,}")) => Some(Step::CollapseSpaces { content }),
        (_, Some(r"\s+")) => Some(Step::ReplaceWhite { content }),
        (_, Some(r"\s{2,}|[\n\r\t]")) => Some(Step::CollapseWhite { content }),
        _ => None,
    }
}

fn metaspace(step: &Value) -> Option<Metaspace> {
    let known = &[
        "replacement",
        "add_prefix_space",
        "prepend_scheme",
        "split",
        "str_rep",
    ];
    let is_known = name(step) == "Metaspace" && has_only(step, known);
    if !is_known || step.get("replacement")? != "▁" {
        return None;
    }
    if let Some(spelled) = step.get("str_rep") {
        spelled.as_str()?;
    }
    let prepends = match step.get("prepend_scheme").map(Value::as_str) {
        None | Some(Some("always")) => Prepends::Always,
        Some(Some("first")) => Prepends::First,
        Some(Some("never")) => Prepends::Never,
        _ => return None,
    };
    // The crate rejects a false `add_prefix_space` with a scheme that inserts a space.
    let adds = step.get("add_prefix_space").map(Value::as_bool);
    match (adds, prepends) {
        (None | Some(Some(true)), _) | (Some(Some(false)), Prepends::Never) => {}
        _ => return None,
    }
    let splits = match step.get("split") {
        None => true,
        Some(splits) => splits.as_bool()?,
    };
    Some(Metaspace { prepends, splits })
}
