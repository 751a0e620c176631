use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chat {
    pub model: String,
    pub commit: Option<String>,
    pub line: Option<u64>,
    pub path: Option<String>,
    pub text: String,
    pub count: usize,
    pub chat: ChatParts,
    pub reading: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatParts {
    pub template: String,
    pub messages: Vec<ChatMessage>,
    pub overhead_tokens: usize,
    pub message_ids: Option<Vec<Option<usize>>>,
    pub generation_mask: Option<Vec<u32>>,
    pub media_parts: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatMessage {
    pub role: Option<String>,
    pub tokens: Option<usize>,
    pub start: Option<usize>,
    pub end: Option<usize>,
}
