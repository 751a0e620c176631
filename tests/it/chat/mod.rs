//! Chats: rendered text against transformers, messages and their tokens, and templates that misbehave.

mod cli;
mod golden;
