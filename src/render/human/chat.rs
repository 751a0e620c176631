//! Rendered conversations, for people.

use std::io;

use super::renderer::Human;
use crate::record::{Chat, ChatParts};
use crate::render::escape::cell;
use crate::render::numbers::{quantity, thousands};
use crate::render::streams::write_bare;

impl Human<'_> {
    pub(super) fn chat(&mut self, record: &Chat) -> io::Result<()> {
        write_bare(&mut self.out, self.output, &record.text)
    }

    /// Writes a table of the messages of a conversation.
    pub(super) fn messages(&mut self, chat: &ChatParts) -> io::Result<()> {
        let head = format!("{:>5}  {:>7}  {:<12}  bytes", "#", "tokens", "message");
        let head = self.output.style.head(&head);
        self.line(&head)?;
        for (index, message) in chat.messages.iter().enumerate() {
            let role = message.role.as_deref().map_or("".into(), cell);
            let tokens = message.tokens.map(|tokens| thousands(tokens as u64));
            let range = match (message.start, message.end) {
                (Some(start), Some(end)) => format!("{start}..{end}"),
                _ => "not rendered by itself".to_owned(),
            };
            let tokens = tokens.unwrap_or_default();
            self.line(&format!("{index:>5}  {tokens:>7}  {role:<12}  {range}"))?;
        }
        let overhead = quantity(chat.overhead_tokens as u64, "token");
        self.wrapped(
            0,
            &format!("{overhead} of the template, outside of messages"),
        )
    }
}
