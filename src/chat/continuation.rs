//! Prompts whose final message is to be continued.

use serde_json::Value;

use super::conversation::Conversation;
use super::engine::is_space;
use super::rules::Rules;

/// The mark after the text that is continued. Its last character is a space.
const MARK: &str = "CONTINUE_FINAL_MESSAGE_TAG ";
/// The field that is continued.
const FIELD: &str = "content";

/// The text of a final message, which ends the prompt.
#[derive(Debug)]
pub struct Continuation {
    text: String,
    rules: Rules,
}

impl Continuation {
    /// Prepares the final message of a conversation.
    ///
    /// # Errors
    /// Fails with the problem if it has no text.
    pub fn prepare(conversation: &mut Conversation, rules: Rules) -> Result<Self, String> {
        let no_text = || "the final message has no text to continue".to_owned();
        let message = conversation.messages.last_mut().ok_or_else(no_text)?;
        let field = message.get_mut(FIELD).ok_or_else(no_text)?;
        let text = match field {
            Value::Array(parts) if rules.marks_final_message() => {
                parts.iter_mut().rev().find_map(|part| part.get_mut("text"))
            }
            Value::Array(parts) => parts.last_mut().and_then(|part| part.get_mut("text")),
            other => Some(other),
        };
        let Some(Value::String(text)) = text else {
            return Err(no_text());
        };
        let original = text.clone();
        if rules.marks_final_message() {
            text.push_str(MARK);
        }
        Ok(Self {
            text: original,
            rules,
        })
    }

    /// Returns the length of the prompt that ends with the final message.
    ///
    /// # Errors
    /// Fails with the problem if the prompt does not have the message.
    pub fn length(&self, prompt: &str) -> Result<usize, String> {
        let missing = || "the final message does not appear in the rendered text".to_owned();
        let stripped = self.text.trim_matches(is_space);
        if !self.rules.marks_final_message() {
            let found = [&*self.text, stripped].into_iter().find_map(|text| {
                let at = prompt.rfind(text)?;
                Some(at + text.len())
            });
            return found.ok_or_else(missing);
        }
        let mark = MARK.trim_end();
        let at = prompt
            .rfind(mark)
            .filter(|_| prompt.contains(stripped))
            .ok_or_else(missing)?;
        let before = prompt.get(..at).unwrap_or_default();
        Ok(
            match prompt.get(at..).is_some_and(|rest| rest.starts_with(MARK)) {
                true => at,
                false => before.trim_end_matches(is_space).len(),
            },
        )
    }
}
