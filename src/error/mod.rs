//! Errors: the sentence, the hint, the stable code, and the exit code.
//!
//! Every variant carries the values its sentence needs. A sentence starts in lower case, ends without a period, and
//! states one fact. If there is a remedy, [`Error::hint`] returns it.

mod code;
mod exit;
mod hint;
mod shell;
mod spelling;
mod variants;
mod wording;

pub use exit::Exit;
pub(crate) use shell::{shell_path, shell_word};
pub(crate) use spelling::closest;
pub use variants::{Error, Result, TokenUse};
pub(crate) use wording::reason;
