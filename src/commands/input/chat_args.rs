//! Conversations as the input of a command.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use serde_json::{Map, Value};

use super::text_format::Text;
use crate::chat::{Chat, ChatOptions, Conversation, Moment, Prompt, Rules, attribute, parse_tools};
use crate::commands::session::Session;
use crate::error::{Error, Result};
use crate::formats::json::parse_value;
use crate::record::{ChatMessage, ChatParts};
use crate::source::ModelFiles;
use crate::tokenizer::{EncodeOptions, Encoding, Tokenizer};

/// How conversations are rendered.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Chat templates")]
pub struct TemplateArgs {
    /// End with the start of an answer, which the model continues
    #[arg(long)]
    pub add_generation_prompt: bool,
    /// End within the final message, which the model continues
    #[arg(long, conflicts_with = "add_generation_prompt")]
    pub continue_final_message: bool,
    /// JSON file with the tools of conversations that have none of their own
    #[arg(long, value_name = "FILE")]
    pub tools: Option<PathBuf>,
    /// Use the model's template of this name, or the template in this file
    #[arg(long, value_name = "TEMPLATE")]
    pub template: Option<String>,
    /// Further variables of the template, as a JSON object
    #[arg(long, value_name = "JSON")]
    pub template_kwargs: Option<String>,
    /// Date for templates that print one: YYYY-MM-DD, maybe with THH:MM:SS [default: now, in UTC]
    #[arg(long, value_name = "DATE")]
    pub date: Option<String>,
}

/// `--chat`, for commands that also read plain text.
#[derive(Debug, Clone, Default, Args)]
pub struct ChatArgs {
    /// Read conversations: messages in JSON, which the model's chat template renders
    #[arg(long, conflicts_with_all = ["no_parse_special", "lines"])]
    pub chat: bool,
    #[command(flatten)]
    pub template: TemplateArgs,
}

impl ChatArgs {
    /// Opens the chat templates of a model; `None` without `--chat`.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if a flag needs `--chat`, and like [`Chat::open`].
    pub fn open(&self, files: &ModelFiles, tokenizer: &Tokenizer) -> Result<Option<ChatInput>> {
        if self.chat {
            return self.template.open(files, tokenizer).map(Some);
        }
        match self.template.first_given() {
            Some(flag) => Err(Error::usage_hint(
                format!("{flag} is for conversations"),
                "add `--chat` to read conversations",
            )),
            None => Ok(None),
        }
    }
}

impl TemplateArgs {
    fn first_given(&self) -> Option<&'static str> {
        [
            (self.add_generation_prompt, "--add-generation-prompt"),
            (self.continue_final_message, "--continue-final-message"),
            (self.tools.is_some(), "--tools"),
            (self.template.is_some(), "--template"),
            (self.template_kwargs.is_some(), "--template-kwargs"),
            (self.date.is_some(), "--date"),
        ]
        .into_iter()
        .find_map(|(is_given, flag)| is_given.then_some(flag))
    }

    /// Opens the chat templates of a model.
    ///
    /// # Errors
    /// Fails with [`Error::Usage`] if an argument is invalid, and like [`Chat::open`].
    pub fn open(&self, files: &ModelFiles, tokenizer: &Tokenizer) -> Result<ChatInput> {
        let options = ChatOptions {
            add_generation_prompt: self.add_generation_prompt,
            continue_final_message: self.continue_final_message,
            template: self.template.clone(),
            kwargs: self.kwargs()?,
            tools: self.tools()?,
            now: self.now()?,
            rules: Rules::of(files.reading())
                .ok_or_else(|| Error::usage("`--reading sentencepiece` has no chat templates"))?,
        };
        let chat = Chat::open(files, tokenizer, options)?;
        Ok(ChatInput { chat })
    }

    fn kwargs(&self) -> Result<Map<String, Value>> {
        let Some(json) = &self.template_kwargs else {
            return Ok(Map::new());
        };
        match parse_value(json.as_bytes()) {
            Ok(Value::Object(kwargs)) => Ok(kwargs),
            Ok(_) => Err(Error::usage_hint(
                format!("--template-kwargs must be a JSON object, not `{json}`"),
                "write it like '{\"enable_thinking\": false}'",
            )),
            Err(error) => Err(Error::usage(format!(
                "--template-kwargs is not JSON: {error}"
            ))),
        }
    }

    fn tools(&self) -> Result<Option<Vec<Value>>> {
        let Some(path) = &self.tools else {
            return Ok(None);
        };
        let input = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|source| Error::ReadInput {
            input: input.clone(),
            source,
        })?;
        let tools = parse_tools(&bytes);
        tools
            .map(Some)
            .map_err(|problem| Error::usage(format!("{input} has no tools: {problem}")))
    }

    fn now(&self) -> Result<Moment> {
        match &self.date {
            Some(date) => Moment::parse(date).ok_or_else(|| {
                Error::usage(format!(
                    "--date must be a date like 2024-07-26 or 2024-07-26T09:30:00, not `{date}`"
                ))
            }),
            None => {
                let since = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                Ok(Moment::from_unix(
                    i64::try_from(since.as_secs()).unwrap_or(0),
                ))
            }
        }
    }
}

/// Conversations as texts.
pub struct ChatInput {
    chat: Chat,
}

/// A conversation and its rendered text.
pub struct RenderedChat {
    pub conversation: Conversation,
    pub prompt: Prompt,
}

impl ChatInput {
    /// The options that rendered text is encoded with: its special tokens are spelled out.
    pub const OPTIONS: EncodeOptions = EncodeOptions {
        special_tokens: false,
        parse_special: true,
        truncation: None,
    };

    /// Renders the conversations of an input.
    ///
    /// # Errors
    /// Fails with [`Error::BadJsonLine`] if it is not JSON, or like [`Chat::render`].
    pub fn render(&self, text: &Text<'_>) -> Result<Vec<RenderedChat>> {
        let conversations = match text.line {
            Some(line) => Conversation::parse_line(&text.text, line).map(|one| vec![one]),
            None => Conversation::parse_all(&text.text),
        };
        let conversations = conversations.map_err(|bad| Error::BadJsonLine {
            input: text.path.clone().unwrap_or_else(|| "the input".to_owned()),
            line: bad.line,
            problem: bad.problem,
            hint: Some(
                "a conversation is a list of messages, or an object with `messages`, in JSON"
                    .to_owned(),
            ),
        })?;
        conversations
            .into_iter()
            .map(|conversation| {
                let prompt = self.chat.render(&conversation)?;
                Ok(RenderedChat {
                    conversation,
                    prompt,
                })
            })
            .collect()
    }

    /// Returns the parts of a rendered conversation whose text has these tokens, with the message of each token.
    pub fn parts_with_ids(&self, rendered: &RenderedChat, encoding: &Encoding) -> ChatParts {
        let tokens = attribute(&rendered.prompt, &encoding.offsets, self.chat.rules());
        ChatParts {
            message_ids: Some(tokens.owners.clone()),
            ..self.parts(rendered, encoding)
        }
    }

    /// Returns the parts of a rendered conversation whose text has these tokens.
    pub fn parts(&self, rendered: &RenderedChat, encoding: &Encoding) -> ChatParts {
        let RenderedChat {
            conversation,
            prompt,
        } = rendered;
        let tokens = attribute(prompt, &encoding.offsets, self.chat.rules());
        let count = |message: Option<usize>| {
            let owners = tokens.owners.iter();
            owners.filter(|owner| **owner == message).count()
        };
        let messages = prompt
            .messages
            .iter()
            .enumerate()
            .map(|(index, range)| ChatMessage {
                role: conversation.role(index).map(str::to_owned),
                tokens: range.as_ref().map(|_| count(Some(index))),
                start: range.as_ref().map(|range| range.start),
                end: range.as_ref().map(|range| range.end),
            });
        ChatParts {
            template: prompt.template.clone(),
            messages: messages.collect(),
            overhead_tokens: count(None),
            generation_mask: tokens.generated,
            message_ids: None,
            media_parts: Some(conversation.media_parts()).filter(|parts| *parts > 0),
        }
    }
}

/// Says that parts of messages that are not text cost the model something else.
///
/// # Errors
/// Fails with the error of writing the note.
pub fn note_media(session: &mut Session, parts: usize) -> Result<()> {
    if parts == 0 {
        return Ok(());
    }
    let what = match parts {
        1 => "1 part of a message is not text: its placeholder is counted".to_owned(),
        _ => format!("{parts} parts of messages are not text: their placeholders are counted"),
    };
    session.note(&format!(
        "{what}, not the tokens that the model makes of it"
    ))
}
