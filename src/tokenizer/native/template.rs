//! The template of a model: the special tokens it puts around texts.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

/// The parts of the encoding of a single text and of a pair, like `TemplateProcessing` of the `tokenizers` crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    single: Vec<TemplatePart>,
    pair: Vec<TemplatePart>,
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

impl Template {
    /// Reads the post-processor of a `tokenizer.json`. Null stands for a template without special tokens. Returns
    /// `None` for a post-processor of another type, or if the template for a single text contains a second one.
    pub fn from_json(post_processor: &Value) -> Option<Self> {
        if post_processor.is_null() {
            let text = |second| TemplatePart::Text {
                second,
                type_id: u32::from(second),
            };
            return Some(Self {
                single: vec![text(false)],
                pair: vec![text(false), text(true)],
            });
        }
        if post_processor.get("type")? != "TemplateProcessing" {
            return None;
        }
        let fields = TemplateFields::deserialize(post_processor).ok()?;
        let parts = |parts: &[PartFields]| -> Option<Vec<TemplatePart>> {
            let part = |part: &PartFields| match part {
                PartFields::Sequence { id, type_id } => Some(TemplatePart::Text {
                    second: *id == Sequence::B,
                    type_id: *type_id,
                }),
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
        let template = Self {
            single: parts(&fields.single)?,
            pair: parts(&fields.pair)?,
        };
        let of_one =
            |piece: &TemplatePart| !matches!(piece, TemplatePart::Text { second: true, .. });
        template.single.iter().all(of_one).then_some(template)
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
        let text = |second, type_id| TemplatePart::Text { second, type_id };
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
            json!({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "B", "type_id": 0}}], "pair": [], "special_tokens": {}}),
            json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}], "pair": [], "special_tokens": {}}),
        ] {
            assert_eq!(Template::from_json(&other), None);
        }
    }
}
