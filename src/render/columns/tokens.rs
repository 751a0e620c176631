//! The tokens of a text, and the text of ids.

use super::column::Column;
use super::table::Table;
use crate::record::{Decode, Tokenize};

/// A row per token.
pub static TOKENIZE: Table<Tokenize> = Table {
    records: &["tokenize"],
    columns: &[
        Column::text("path", |text, _| text.path.as_deref()),
        Column::integer("line", |text, _| text.line),
        Column::integer("window", |text, _| text.window.map(|window| window as u64)),
        Column::integer("position", |_, token| Some(token as u64)),
        Column::integer("id", |text, token| Some(text.ids[token].into())),
        Column::text("piece", |text, token| text.tokens.get(token)),
        Column::integer("start", |text, token| Some(text.offsets[token].0 as u64)),
        Column::integer("end", |text, token| Some(text.offsets[token].1 as u64)),
        Column::integer("type_id", |text, token| Some(text.type_ids[token].into())),
        Column::integer("special", |text, token| {
            Some(text.special_tokens_mask[token].into())
        }),
        Column::integer("word_id", |text, token| text.word_ids[token].map(u64::from)),
        Column::integer("message", |text, token| {
            let messages = text.chat.as_ref()?.message_ids.as_ref()?;
            messages.get(token)?.map(|message| message as u64)
        }),
        Column::integer("generated", |text, token| {
            let mask = text.chat.as_ref()?.generation_mask.as_ref()?;
            mask.get(token).copied().map(u64::from)
        }),
    ],
};

pub static DECODE: Table<Decode> = Table {
    records: &["decode"],
    columns: &[
        Column::integer("line", |decode, _| decode.line),
        Column::integers("ids", |decode, _| &decode.ids),
        Column::texts("pieces", |decode, _| {
            decode.tokens.iter().map(String::as_str).collect()
        }),
        Column::text("text", |decode, _| Some(&decode.text)),
    ],
};
