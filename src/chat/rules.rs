//! The versions of transformers that read chats differently.

use serde_json::{Map, Value};

use crate::source::Reading;

/// The version of transformers whose treatment of chats is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rules {
    /// 4.48.3
    #[default]
    Transformers4,
    /// 5.24.0
    Transformers5,
}

/// The names of a message's reasoning, the first of which templates read.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

impl Rules {
    /// Returns the rules of a reading. Returns `None` for SentencePiece, which has no chat templates.
    pub fn of(reading: Reading) -> Option<Self> {
        match reading {
            Reading::Transformers4 => Some(Self::Transformers4),
            Reading::Transformers5 => Some(Self::Transformers5),
            Reading::SentencePiece => None,
        }
    }

    /// Returns true if templates in `additional_chat_templates/` belong to the model.
    pub fn has_additional_templates(self) -> bool {
        self == Self::Transformers5
    }

    /// Returns true if a template gets the list of additional special tokens.
    pub fn shows_additional_tokens(self) -> bool {
        self == Self::Transformers4
    }

    /// Returns true if names of a namespace may not begin with an underscore.
    pub fn refuses_private_names(self) -> bool {
        self == Self::Transformers5
    }

    /// Returns true if generated text is noted even where nothing precedes it.
    pub fn notes_first_generation(self) -> bool {
        self == Self::Transformers5
    }

    /// Returns true if a mask has every token that shares a byte with generated text. Otherwise it has the tokens from
    /// that of the first byte to that of the last one, or to the end if that token is the first one, or there is none.
    pub fn masks_by_overlap(self) -> bool {
        self == Self::Transformers5
    }

    /// Returns true if a final message is found by a mark at its end, and not by its text.
    pub fn marks_final_message(self) -> bool {
        self == Self::Transformers5
    }

    /// Changes a message to what a template gets.
    pub fn normalize(self, message: &mut Value) {
        let Some(fields) = message.as_object_mut() else {
            return;
        };
        if self == Self::Transformers4 {
            return;
        }
        fields.retain(|_, value| !value.is_null());
        let reasoning = REASONING.iter().find_map(|name| fields.get(*name)).cloned();
        if let Some(reasoning) = reasoning {
            let mut renamed = Map::new();
            renamed.insert("thinking".to_owned(), reasoning.clone());
            renamed.append(fields);
            renamed.insert(REASONING[0].to_owned(), reasoning);
            *fields = renamed;
        }
    }

    /// Returns the fields of a message that hold the same text as the field `name`.
    pub fn copies<'f>(self, message: &Value, name: &'f str) -> Vec<&'f str> {
        if self == Self::Transformers4 || !REASONING.contains(&name) {
            return vec![name];
        }
        let same = |other: &&&str| message.get(**other) == message.get(name);
        REASONING.iter().filter(same).copied().collect()
    }
}
