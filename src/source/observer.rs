//! The observer of work that takes a while: notes, downloads, and counting.

/// Receives events while files are fetched and counted. Every method does nothing by default.
pub trait Observer: Send + Sync {
    /// A message for the user: a sentence in lower case, without a final period.
    fn note(&self, _message: &str) {}

    /// A message that is shown under `--verbose`.
    fn detail(&self, _message: &str) {}

    /// The download of a file of `total` bytes has started.
    fn download_started(&self, _file: &str, _total: u64) {}

    /// `done` bytes of the file are here, including those of earlier attempts.
    fn download_progress(&self, _file: &str, _done: u64) {}

    /// The file is stored and verified. A failed download ends with its error instead.
    fn download_finished(&self, _file: &str) {}

    /// `done` files are counted, of the `found` files so far.
    fn count_progress(&self, _done: usize, _found: usize) {}

    /// All files are counted.
    fn count_finished(&self) {}
}

/// An observer that ignores all events.
#[derive(Debug)]
pub struct Unobserved;

impl Observer for Unobserved {}
