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
/// Fails with the error of `work`, or with [`Error::Damaged`] if it panics.
pub fn guarded<T>(file: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_panic(work).unwrap_or_else(|| {
        Err(Error::damaged(
            file,
            "the `tokenizers` crate of the reference cannot use it",
        ))
    })
}

/// Runs `work`. Returns `None` if it panics.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = GUARDED.replace(true);
    // Unwind safe: values that the crate leaves half finished are not used again.
    let outcome = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(before);
    outcome.ok()
}
