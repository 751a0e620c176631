//! Rendered conversations.

use super::column::Column;
use super::table::Table;
use crate::record::{Chat, ChatMessage};

/// A row per message.
pub static CHAT: Table<Chat> = Table {
    records: &["chat"],
    columns: &[
        Column::text("path", |chat, _| chat.path.as_deref()),
        Column::integer("line", |chat, _| chat.line),
        Column::integer("message", |_, at| Some(at as u64)),
        Column::text("role", |chat, at| message(chat, at)?.role.as_deref()),
        Column::integer("tokens", |chat, at| Some(message(chat, at)?.tokens? as u64)),
        Column::integer("start", |chat, at| Some(message(chat, at)?.start? as u64)),
        Column::integer("end", |chat, at| Some(message(chat, at)?.end? as u64)),
        Column::text("text", |chat, at| {
            let message = message(chat, at)?;
            chat.text.get(message.start?..message.end?)
        }),
    ],
};

fn message(chat: &Chat, at: usize) -> Option<&ChatMessage> {
    chat.chat.messages.get(at)
}
