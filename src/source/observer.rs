//! The observer of long-running work: messages, downloads, and counting.

/// Receives events while files are fetched and counted. Every method does nothing by default.
pub trait Observer: Send + Sync {
    /// A message for the user: a sentence in lower case, without a final period.
    fn note(&self, _message: &str) {}

    /// A message that is shown only with `--verbose`.
    fn detail(&self, _message: &str) {}

    /// The download of a file of `total` bytes has started.
    fn download_started(&self, _file: &str, _total: u64) {}

    /// `done` bytes of the file have arrived, including those of earlier attempts.
    fn download_progress(&self, _file: &str, _done: u64) {}

    /// The file is stored and verified. A failed download ends with its error instead.
    fn download_finished(&self, _file: &str) {}

    /// `done` of the `found` files have been counted. `found` may still grow.
    fn count_progress(&self, _done: usize, _found: usize) {}

    /// All files have been counted.
    fn count_finished(&self) {}
}

/// An observer that ignores all events.
#[derive(Debug)]
pub struct Unobserved;

impl Observer for Unobserved {}
