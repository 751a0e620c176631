//! The steps of tokenizers that take a text for a single word, with `▁` in place of spaces, as SentencePiece does.

use memchr::memmem;
use serde_json::{Value, json};

use super::compiled::CompiledVocabulary;
use super::lazy_hf_steps::LazyHfSteps;
use super::normalize::METASPACE;
use super::step_list::steps_of;
use super::token::Token;
use crate::formats::config::AddedTokenConfig;

/// The steps of a byte-pair encoding of whole texts.
#[derive(Debug)]
pub struct SentencePieceSteps {
    prefix: Prefix,
    /// True if each space begins a word.
    pub splits: bool,
    /// The same steps of the crate, for texts that contain `▁`.
    hf: LazyHfSteps,
    /// The steps of the crate for a part after an added token, which the crate would take for the start of a text. `None`
    /// if all parts are alike.
    hf_after_token: Option<LazyHfSteps>,
}

/// Where a `▁` is inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Prefix {
    None,
    /// Before each part of a text between added tokens.
    Always,
    /// Before each part that does not begin with a space.
    UnlessSpaced,
    /// Before a text that does not begin with a space.
    FirstUnlessSpaced,
}

impl SentencePieceSteps {
    /// Reads the steps of a `tokenizer.json`. Returns `None` if one of them is unknown, if added tokens are matched in
    /// the normalized text, or if the vocabulary does not allow to split texts.
    pub fn new(
        normalizer: &Value,
        pre_tokenizer: &Value,
        added: &[(AddedTokenConfig, u32)],
        compiled: &CompiledVocabulary,
    ) -> Option<Self> {
        compiled.joins()?;
        if added.iter().any(|(token, _)| token.normalized) {
            return None;
        }
        let (prefix, splits) = prefix_of(normalizer, pre_tokenizer)?;
        let hf_after_token = (prefix == Prefix::FirstUnlessSpaced).then(|| {
            let mut step = pre_tokenizer.clone();
            step["prepend_scheme"] = "never".into();
            LazyHfSteps::new(normalizer, &step, added)
        });
        Some(Self {
            prefix,
            splits,
            hf: LazyHfSteps::new(normalizer, pre_tokenizer, added),
            hf_after_token,
        })
    }

    /// Returns the steps of the crate, which are the same, for the first part of a text or another one.
    pub fn hf(&self, is_first: bool) -> &LazyHfSteps {
        let after_token = self.hf_after_token.as_ref().filter(|_| !is_first);
        after_token.unwrap_or(&self.hf)
    }

    /// Returns true if a `▁` is inserted before a part of a text.
    pub fn prefixes(&self, part: &str, is_first: bool) -> bool {
        match self.prefix {
            Prefix::None => false,
            Prefix::Always => true,
            Prefix::UnlessSpaced => !part.starts_with(' '),
            Prefix::FirstUnlessSpaced => is_first && !part.starts_with(' '),
        }
    }

    /// Returns true if a text can be cut before a space.
    pub fn cuts_before_spaces(&self) -> bool {
        self.prefix != Prefix::Always
    }
}

/// Returns where a `▁` is inserted, and true if each space begins a word. Returns `None` for other steps.
fn prefix_of(normalizer: &Value, pre_tokenizer: &Value) -> Option<(Prefix, bool)> {
    let replace = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    let prepend = json!({"type": "Prepend", "prepend": "▁"});
    let split = json!({
        "type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": false,
    });
    let normalizers = steps_of(normalizer, "normalizers")?;
    if normalizers.is_empty() {
        return metaspace(pre_tokenizer);
    }
    // No space is left to split at.
    if !pre_tokenizer.is_null() && *pre_tokenizer != split {
        return None;
    }
    match &normalizers[..] {
        [first, second] if **first == prepend && **second == replace => {
            Some((Prefix::Always, false))
        }
        [only] if **only == replace => Some((Prefix::None, false)),
        _ => None,
    }
}

fn metaspace(step: &Value) -> Option<(Prefix, bool)> {
    let fields = step.as_object()?;
    let known = ["type", "replacement", "prepend_scheme", "split"];
    let all_known = fields.keys().all(|name| known.contains(&name.as_str()));
    if step.get("type")? != "Metaspace" || step.get("replacement")? != "▁" || !all_known {
        return None;
    }
    let prefix = match step.get("prepend_scheme")?.as_str()? {
        "always" => Prefix::UnlessSpaced,
        "first" => Prefix::FirstUnlessSpaced,
        "never" => Prefix::None,
        _ => return None,
    };
    Some((prefix, step.get("split")?.as_bool()?))
}

/// Converts the ends of tokens in a word with `▁` to ends in the same word with spaces.
pub fn with_spaces(word: &str, tokens: &mut [Token]) {
    /// The bytes of `▁` that a space lacks.
    const EXCESS: u32 = METASPACE.len_utf8() as u32 - 1;
    let mut marks = memmem::find_iter(word.as_bytes(), "▁").peekable();
    let mut excess = 0;
    for token in tokens {
        while marks.next_if(|mark| *mark < token.end as usize).is_some() {
            excess += EXCESS;
        }
        token.end -= excess;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_steps_tell_where_a_prefix_is_inserted() {
        let replace = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
        let prepend = json!({"type": "Prepend", "prepend": "▁"});
        let both = json!({"type": "Sequence", "normalizers": [prepend, replace]});
        let none = Value::Null;
        assert_eq!(prefix_of(&both, &none), Some((Prefix::Always, false)));
        assert_eq!(prefix_of(&replace, &none), Some((Prefix::None, false)));
        let reversed = json!({"type": "Sequence", "normalizers": [replace, prepend]});
        assert_eq!(prefix_of(&reversed, &none), None);
        let empty = json!({"type": "Sequence", "normalizers": []});
        assert_eq!(prefix_of(&none, &none), None);
        let metaspace = |scheme: &str, split: bool| json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split});
        let first = prefix_of(&none, &metaspace("first", false));
        assert_eq!(first, Some((Prefix::FirstUnlessSpaced, false)));
        assert_eq!(prefix_of(&empty, &metaspace("first", false)), first);
        let always = prefix_of(&none, &metaspace("always", true));
        assert_eq!(always, Some((Prefix::UnlessSpaced, true)));
        assert_eq!(prefix_of(&replace, &metaspace("never", true)), None);
    }
}
