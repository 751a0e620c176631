//! Conversations as prompts: the messages of a chat, rendered by the template of the model.
//!
//! [`Chat`] finds the template of a model and renders conversations exactly as `apply_chat_template` of transformers
//! does. The engine bounds what a template may do.

mod attribution;
mod continuation;
mod conversation;
mod engine;
mod model_template;
mod prompt;
mod renderer;
mod rules;

pub use attribution::{TokenRanges, attribute};
pub use conversation::{Conversation, parse_tools};
pub use engine::Moment;
pub use prompt::Prompt;
pub use renderer::{Chat, ChatOptions};
pub use rules::Rules;
