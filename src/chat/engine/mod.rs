//! The engine of chat templates: the dialect of jinja2 that transformers uses, bounded in time and memory.

mod attributes;
mod bodies;
mod call_args;
mod clock;
mod environment;
mod filters;
mod lexer;
mod methods;
mod printing;
mod python_text;
mod rewrite;
mod string_methods;
mod template;
mod to_json;
mod tracker;
mod values;

pub use clock::Moment;
pub use environment::Dialect;
pub use python_text::is_space;
pub use template::{Failure, Template};
