//! The template of a model: the special tokens it puts around texts.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::trim::Trim;

/// The parts of the encoding of a single text and of a pair, and the changes to offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    single: Vec<TemplatePart>,
    pair: Vec<TemplatePart>,
    trims: Vec<Trim>,
}

/// One part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// The first or the second text.
    Text { second: bool, type_id: u32 },
    /// A special token: usually one id with its piece.
    Special {
        ids: Vec<u32>,
        tokens: Vec<String>,
        type_id: u32,
    },
}

/// The fields of `TemplateProcessing` in `tokenizer.json`.
#[derive(Debug, Deserialize)]
struct TemplateFields {
    single: Vec<PartFields>,
    pair: Vec<PartFields>,
    special_tokens: HashMap<String, SpecialFields>,
}

#[derive(Debug, Deserialize)]
enum PartFields {
    Sequence { id: Sequence, type_id: u32 },
    SpecialToken { id: String, type_id: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Sequence {
    A,
    B,
}

#[derive(Debug, Deserialize)]
struct SpecialFields {
    ids: Vec<u32>,
    tokens: Vec<String>,
}

/// The fields of a post-processor that may trim offsets.
#[derive(Debug, Clone, Copy, Deserialize)]
struct TrimFields {
    add_prefix_space: bool,
    trim_offsets: bool,
}

fn text(second: bool, type_id: u32) -> TemplatePart {
    TemplatePart::Text { second, type_id }
}

/// Returns a special token, given as a list of its text and id.
fn special(post_processor: &Value, name: &str, type_id: u32) -> Option<TemplatePart> {
    let (token, id) = <(String, u32)>::deserialize(post_processor.get(name)?).ok()?;
    Some(TemplatePart::Special {
        ids: vec![id],
        tokens: vec![token],
        type_id,
    })
}

impl Template {
    /// Reads the post-processor of a `tokenizer.json`. Null stands for a template without special tokens. Returns
    /// `None` for a post-processor of an unknown type, or if the template for a single text contains a second one.
    ///
    /// Of a sequence, only the last processor may add special tokens.
    pub fn from_json(post_processor: &Value) -> Option<Self> {
        if post_processor.is_null() {
            return Some(Self::texts());
        }
        match post_processor.get("type")?.as_str()? {
            "TemplateProcessing" => Self::from_template(post_processor),
            "ByteLevel" => {
                let fields = TrimFields::deserialize(post_processor).ok()?;
                Some(Self::texts().with_trim(fields))
            }
            "RobertaProcessing" => {
                let [cls, sep] = ["cls", "sep"].map(|name| special(post_processor, name, 0));
                let (cls, sep, [first, second]) = (cls?, sep?, [false, true].map(|s| text(s, 0)));
                let single = vec![cls, first, sep];
                let pair = [&single[..], &[single[2].clone(), second, single[2].clone()]].concat();
                let fields = TrimFields::deserialize(post_processor).ok()?;
                Some(Self::new(single, pair).with_trim(fields))
            }
            "BertProcessing" => {
                let [cls, sep] = ["cls", "sep"].map(|name| special(post_processor, name, 0));
                let (cls, sep, [first, second]) =
                    (cls?, sep?, [false, true].map(|s| text(s, s.into())));
                let single = vec![cls, first, sep];
                let end = special(post_processor, "sep", 1)?;
                let pair = [&single[..], &[second, end]].concat();
                Some(Self::new(single, pair))
            }
            "Sequence" => {
                let processors = post_processor.get("processors")?.as_array()?;
                let (last, others) = processors.split_last()?;
                let mut template = Self::from_json(last)?;
                for other in others.iter().rev() {
                    if other.get("type")? != "ByteLevel" {
                        return None;
                    }
                    template.trims.splice(0..0, Self::from_json(other)?.trims);
                }
                Some(template)
            }
            _ => None,
        }
    }

    fn new(single: Vec<TemplatePart>, pair: Vec<TemplatePart>) -> Self {
        Self {
            single,
            pair,
            trims: Vec::new(),
        }
    }

    /// Returns the template without special tokens.
    fn texts() -> Self {
        let text = |second| text(second, u32::from(second));
        Self::new(vec![text(false)], vec![text(false), text(true)])
    }

    fn with_trim(mut self, fields: TrimFields) -> Self {
        let trim = Trim {
            add_prefix_space: fields.add_prefix_space,
        };
        self.trims.extend(fields.trim_offsets.then_some(trim));
        self
    }

    fn from_template(post_processor: &Value) -> Option<Self> {
        let fields = TemplateFields::deserialize(post_processor).ok()?;
        let parts = |parts: &[PartFields]| -> Option<Vec<TemplatePart>> {
            let part = |part: &PartFields| match part {
                PartFields::Sequence { id, type_id } => Some(text(*id == Sequence::B, *type_id)),
                PartFields::SpecialToken { id, type_id } => {
                    let token = fields.special_tokens.get(id)?;
                    (token.ids.len() == token.tokens.len()).then(|| TemplatePart::Special {
                        ids: token.ids.clone(),
                        tokens: token.tokens.clone(),
                        type_id: *type_id,
                    })
                }
            };
            parts.iter().map(part).collect()
        };
        let template = Self::new(parts(&fields.single)?, parts(&fields.pair)?);
        let of_one =
            |piece: &TemplatePart| !matches!(piece, TemplatePart::Text { second: true, .. });
        template.single.iter().all(of_one).then_some(template)
    }

    /// Returns the changes to offsets, in order.
    pub fn trims(&self) -> &[Trim] {
        &self.trims
    }

    /// Returns the parts for a single text or for a pair.
    pub fn parts(&self, pair: bool) -> &[TemplatePart] {
        if pair { &self.pair } else { &self.single }
    }

    /// Returns the number of special tokens that a single text gets, and the number of times that the text itself
    /// occurs.
    pub fn counts(&self) -> (usize, usize) {
        let mut counts = (0, 0);
        for piece in &self.single {
            match piece {
                TemplatePart::Text { .. } => counts.1 += 1,
                TemplatePart::Special { ids, .. } => counts.0 += ids.len(),
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_has_texts_and_special_tokens_with_their_ids() {
        let template = Template::from_json(&json!({
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 2}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [7], "tokens": ["</s>"]}},
        }))
        .unwrap();
        assert_eq!(template.counts(), (1, 1));
        assert_eq!(template.parts(true), [text(false, 0), text(true, 1)]);
        let end = TemplatePart::Special {
            ids: vec![7],
            tokens: vec!["</s>".to_owned()],
            type_id: 2,
        };
        assert_eq!(template.parts(false), [text(false, 0), end]);
    }

    #[test]
    fn other_post_processors_and_inconsistent_templates_are_refused() {
        for other in [
            json!({"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]}),
            json!({"type": "Sequence", "processors": [{"type": "TemplateProcessing"}, {"type": "ByteLevel"}]}),
            json!({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B", "type_id": 0}}], "pair": [], "special_tokens": {}}),
            json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}], "pair": [], "special_tokens": {}}),
        ] {
            assert_eq!(Template::from_json(&other), None);
        }
    }

    #[test]
    fn processors_of_pairs_are_templates() {
        let sep = |type_id| TemplatePart::Special {
            ids: vec![2],
            tokens: vec!["</s>".to_owned()],
            type_id,
        };
        let mut processor = json!({
            "type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["</s>", 2],
            "trim_offsets": true, "add_prefix_space": false,
        });
        let roberta = Template::from_json(&processor).unwrap();
        let [first, second] = [text(false, 0), text(true, 0)];
        let expected = [sep(0), first.clone(), sep(0), sep(0), second, sep(0)];
        assert_eq!(roberta.parts(true), expected);
        assert_eq!(roberta.counts(), (2, 1));
        processor["type"] = "BertProcessing".into();
        let bert = Template::from_json(&processor).unwrap();
        assert_eq!(
            bert.parts(true),
            [sep(0), first, sep(0), text(true, 1), sep(1)]
        );
        let bytes = |add_prefix_space: bool, trim_offsets: bool| json!({"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": trim_offsets});
        processor["type"] = "RobertaProcessing".into();
        let all = json!({"type": "Sequence", "processors": [bytes(true, true), bytes(true, false), processor]});
        let trims = [true, false].map(|add_prefix_space| Trim { add_prefix_space });
        assert_eq!(Template::from_json(&all).unwrap().trims(), trims);
    }
}
