//! The tokenizers of transformers 5.24, which most classes build anew from the pieces of a file.
//!
//! In version 4, a class changes some steps of a `tokenizer.json` ([`super::class`]). In version 5, it takes nothing but
//! the pieces, merges, character map and post-processor, and builds the steps itself. [`lookup`] finds the class of a
//! model, [`table`] says what each class builds, and [`arguments`] and [`tokens`] are its special tokens.

mod arguments;
mod builds;
mod ending;
mod kinds;
mod languages;
mod lookup;
mod names;
mod pieces;
mod recipe;
mod steps;
mod table;
mod tokens;

/// The version of transformers whose tokenizers these are.
pub const TRANSFORMERS_5_VERSION: &str = "5.24.0";
/// The version of the `tokenizers` library that it uses.
pub const TOKENIZERS_5_VERSION: &str = "0.23.3";

pub use arguments::Arguments;
pub use ending::Source as Ending;
pub use kinds::{Build, Class, FileKind};
pub use lookup::{Clues, Found};
pub use recipe::RebuildRecipe;
pub use tokens::ClassTokens;
