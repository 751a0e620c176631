//! A microscope for the input layer of language models: how text becomes token ids, and how ids become rows of the
//! word-embedding matrix.
//!
//! ```text
//! argv → Cli → ModelRef → ModelFiles → Tokenizer | EmbeddingMatrix → Record → bytes
//! ```
//!
//! Modules stand in the order of that flow, and a module uses only those above it; [`error`] and [`record`] use
//! nothing of this crate and serve all. [`memory`] ends the program where the system has none left.
//!
//! | module | turns | into |
//! |---|---|---|
//! | [`model_ref`] | what `--model` says | a model of the Hub, a directory, or the built-in one |
//! | [`source`] | that model | the bytes of its files, by range |
//! | [`formats`] | untrusted bytes | structure |
//! | [`tokenizer`] | text | ids, and back |
//! | [`embedding`] | ids | rows |
//! | [`render`] | records | bytes |
//! | [`commands`] | arguments | records |
//! | [`cli`] | argv | arguments |
//! | [`app`] | all of these | a program |

pub mod error;
pub mod record;

pub mod memory;

pub mod model_ref;
pub mod source;

pub mod formats;

pub mod tokenizer;

pub mod embedding;

pub mod render;

pub mod commands;

pub mod cli;

pub mod app;

pub use app::run;
