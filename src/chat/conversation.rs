//! Conversations as a user writes them: messages, tools, and documents in JSON.

use serde_json::Value;

use crate::formats::json::parse_value;

/// A conversation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Conversation {
    pub messages: Vec<Value>,
    pub tools: Option<Vec<Value>>,
    pub documents: Option<Vec<Value>>,
    /// Bytes of its JSON.
    pub size: usize,
    /// The line of the input, from 1, if each line is a conversation.
    pub line: Option<u64>,
}

/// Why an input is no conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadConversation {
    /// From 1.
    pub line: u64,
    pub problem: String,
}

impl Conversation {
    /// Parses an input: one value, or one value on each line. Without any value, there is no conversation.
    ///
    /// # Errors
    /// Fails if a value is not JSON, or no conversation.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, BadConversation> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = || {
            (1..)
                .zip(text.lines())
                .filter(|(_, line)| !line.trim().is_empty())
        };
        let is_lines = lines().nth(1).is_some()
            && lines()
                .next()
                .is_some_and(|(_, line)| parse_value(line.as_bytes()).is_ok());
        if is_lines {
            return lines()
                .map(|(line, json)| Self::parse_line(json, line))
                .collect();
        }
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let value = parse_value(text.as_bytes()).map_err(|error| BadConversation {
            line: error.line as u64,
            problem: format!("not JSON: {}", error.message),
        })?;
        let conversation = Self::from_value(value, text.len());
        let problem = |problem| BadConversation { line: 1, problem };
        conversation
            .map(|conversation| vec![conversation])
            .map_err(problem)
    }

    /// Parses one line of an input.
    ///
    /// # Errors
    /// Fails like [`Self::parse_all`].
    pub fn parse_line(json: &str, line: u64) -> Result<Self, BadConversation> {
        let problem = |problem| BadConversation { line, problem };
        let value = parse_value(json.as_bytes());
        let value = value.map_err(|error| {
            problem(format!(
                "not JSON: {} at column {}",
                error.message, error.column
            ))
        })?;
        let conversation = Self::from_value(value, json.len()).map_err(problem)?;
        Ok(Self {
            line: Some(line),
            ..conversation
        })
    }

    fn from_value(value: Value, size: usize) -> Result<Self, String> {
        let mut conversation = match value {
            Value::Array(messages) => Self {
                messages,
                ..Self::default()
            },
            Value::Object(mut fields) => {
                let Some(messages) = fields.remove("messages") else {
                    return Err("an object without `messages`".to_owned());
                };
                let messages = list("messages", messages)?;
                let mut optional = |name| match fields.remove(name) {
                    None | Some(Value::Null) => Ok(None),
                    Some(value) => list(name, value).map(Some),
                };
                Self {
                    messages: messages.into_iter().collect(),
                    tools: optional("tools")?,
                    documents: optional("documents")?,
                    ..Self::default()
                }
            }
            _ => return Err("neither a list of messages nor an object with `messages`".to_owned()),
        };
        if let Some(at) = conversation
            .messages
            .iter()
            .position(|message| !message.is_object())
        {
            return Err(format!("message {at} must be an object"));
        }
        if conversation.messages.is_empty() {
            return Err("a conversation without messages".to_owned());
        }
        check_tools(conversation.tools.as_deref())?;
        let documents = conversation.documents.iter().flatten();
        if documents.clone().any(|document| !document.is_object()) {
            return Err("each of the `documents` must be an object".to_owned());
        }
        conversation.size = size;
        Ok(conversation)
    }

    /// Returns the number of parts of messages that are not text: images, audio, video, files.
    pub fn media_parts(&self) -> usize {
        let contents = self
            .messages
            .iter()
            .filter_map(|message| message.get("content")?.as_array());
        let is_media = |part: &&Value| {
            let kind = part.get("type").and_then(Value::as_str);
            kind.is_some_and(|kind| {
                !matches!(kind, "text" | "input_text" | "output_text" | "refusal")
            })
        };
        contents.flatten().filter(is_media).count()
    }

    /// Returns the role of a message.
    pub fn role(&self, index: usize) -> Option<&str> {
        self.messages.get(index)?.get("role")?.as_str()
    }
}

/// Parses a list of tools.
///
/// # Errors
/// Fails with the problem if it is not JSON, or no list of tools.
pub fn parse_tools(json: &[u8]) -> Result<Vec<Value>, String> {
    let value = parse_value(json).map_err(|error| format!("it is not JSON: {error}"))?;
    let tools = match value {
        Value::Object(mut fields) if fields.contains_key("tools") => {
            list("tools", fields.remove("tools").unwrap_or_default())?
        }
        other => list("tools", other)?,
    };
    check_tools(Some(&tools))?;
    Ok(tools)
}

fn check_tools(tools: Option<&[Value]>) -> Result<(), String> {
    match tools.into_iter().flatten().find(|tool| !tool.is_object()) {
        Some(_) => Err("each of the `tools` must be an object: a JSON schema".to_owned()),
        None => Ok(()),
    }
}

fn list(name: &str, value: Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(items) => Ok(items),
        _ => Err(format!("`{name}` must be a list")),
    }
}
