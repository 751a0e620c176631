//! Catches panics of the `tokenizers` crate, which some self-contradictory tokenizer files cause.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, Result};

thread_local! {
    /// True while this thread is inside [`catch_panic`].
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Returns true if a panic on this thread will be caught here and must not be reported.
pub fn is_guarded() -> bool {
    GUARDED.get()
}

/// Runs `work` and turns a panic into an error about `file`.
///
/// # Errors
/// Fails with the error of `work`, or if it panics: with [`Error::Unsupported`] if a regular expression takes more steps
/// than Oniguruma allows, or else with [`Error::Damaged`].
pub fn guarded<T>(file: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(work).unwrap_or_else(|message| Err(explained(file, &message)))
}

/// Runs `work`. Returns `None` if it panics.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    caught(work).ok()
}

/// Runs `work`. Fails with the message of its panic.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let before = GUARDED.replace(true);
    // Unwind safe: values that the crate leaves half finished are not used again.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    outcome.map_err(|payload| match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(_) => String::new(),
    })
}

/// Returns the error for a panic with this message.
fn explained(file: &str, message: &str) -> Error {
    match message.strip_prefix("Onig: Regex search error: ") {
        Some(problem) => Error::unsupported(
            file,
            format!("one of its regular expressions gives up on this text ({problem})"),
        ),
        None => Error::damaged(
            file,
            "the `tokenizers` crate of the reference cannot use it",
        ),
    }
}
