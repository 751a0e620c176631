//! Counts conversations.

use std::io::Read;

use super::counting::Counting;
use super::sizes::Sizes;
use crate::commands::input::chat_args::ChatInput;
use crate::commands::input::text_format::{Text, Utf8Args};
use crate::commands::session::Session;
use crate::error::{Error, Result};
use crate::record::ChatParts;
use crate::tokenizer::Tokenizer;

/// A counted conversation.
pub struct CountedChat {
    pub line: Option<u64>,
    pub sizes: Sizes,
    /// `None` if only the number of tokens is needed.
    pub parts: Option<ChatParts>,
    pub media_parts: usize,
}

/// Counts the conversations of an input. Without `has_parts`, attributes no tokens to messages.
///
/// # Errors
/// Fails like [`ChatInput::render`].
pub fn count(
    tokenizer: &Tokenizer,
    chat: &ChatInput,
    text: &Text<'_>,
    has_parts: bool,
) -> Result<Vec<CountedChat>> {
    let rendered = chat.render(text)?.into_iter();
    let counted = rendered.map(|rendered| {
        let prompt = &rendered.prompt.text;
        let parts = match has_parts {
            true => {
                let encoded = tokenizer.encode(prompt, None, &ChatInput::OPTIONS)?;
                Some(chat.parts(&rendered, &encoded.into_first()))
            }
            false => None,
        };
        Ok(CountedChat {
            line: rendered.conversation.line,
            sizes: Sizes::of_text(tokenizer, prompt, &ChatInput::OPTIONS)?,
            parts,
            media_parts: rendered.conversation.media_parts(),
        })
    });
    counted.collect()
}

/// Reads a whole file of conversations.
///
/// # Errors
/// Fails with [`Error::ReadInput`] or [`Error::NotUtf8`].
pub fn read(name: &str, mut reader: impl Read, utf8: Utf8Args) -> Result<Text<'static>> {
    let mut bytes = Vec::new();
    reader
        .read_to_end(&mut bytes)
        .map_err(|source| Error::ReadInput {
            input: name.to_owned(),
            source,
        })?;
    Ok(Text {
        text: utf8.decode(name, bytes, 0)?.into(),
        line: None,
        path: Some(name.to_owned()),
    })
}

impl Counting<'_> {
    /// Adds counted conversations.
    pub fn add_chats(
        &mut self,
        session: &mut Session,
        path: Option<String>,
        chats: Vec<CountedChat>,
    ) -> Result<()> {
        chats.into_iter().try_for_each(|chat| {
            self.media_parts += chat.media_parts;
            self.add_counted(session, path.clone(), chat.line, (chat.sizes, chat.parts))
        })
    }
}
