//! The class of a tokenizer, which changes what its `tokenizer.json` says.
//!
//! `AutoTokenizer` of transformers 4.48.3 does not take a `tokenizer.json` as it stands: the class of the model adds
//! special tokens and changes steps, by its own defaults and by the settings in `tokenizer_config.json`. The [`table`]
//! says what each class sets. [`lookup`] finds the class of a model, [`defaults`] fills in its special tokens, and
//! [`rewrite`] changes the steps.

mod defaults;
mod followed;
mod kinds;
mod language_codes;
mod lookup;
mod names;
mod refusals;
mod rewrite;
mod table;
mod template;
mod token_default;

pub use defaults::{fill_named, whole_number};
pub use followed::Followed;
pub use kinds::{CodePlace, Decoding};
pub use language_codes::{M2M100, MBART, MBART50, NLLB, WMT21};
pub use lookup::{Found, by_name, find};
pub use template::Ids;
pub use token_default::{NONE, TokenDefault, mask, plain, raw, ruled, text};
