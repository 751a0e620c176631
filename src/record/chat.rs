//! Conversations rendered by the template of a model.

use serde::Serialize;

/// A rendered conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Chat {
    pub model: String,
    /// Commit of the repository, 40 hexadecimal digits; absent for directories and the built-in model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Line of the input, from 1; present if each line is a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// File of the conversation; absent if it is an argument or standard input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The rendered text.
    pub text: String,
    /// Number of tokens of the rendered text.
    pub count: usize,
    pub chat: ChatParts,
    /// The reading, unless it is the default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reading: Option<&'static str>,
}

/// The parts of a rendered conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ChatParts {
    /// The template: `default`, another name, or a file.
    pub template: String,
    pub messages: Vec<ChatMessage>,
    /// Number of tokens that belong to no message.
    pub overhead_tokens: usize,
    /// For each token, the number of its message, from 0; null for a token that belongs to none. Present in records with
    /// tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_ids: Option<Vec<Option<usize>>>,
    /// For each token, 1 if it is in a generation block of the template. Absent if the template has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation_mask: Option<Vec<u32>>,
    /// Number of images and other parts of messages that are not text, whose placeholders are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_parts: Option<usize>,
}

/// A message of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ChatMessage {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Number of tokens that begin in its range. Absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<usize>,
    /// Half-open byte range in the rendered text. Absent if the place of the message is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<usize>,
}
