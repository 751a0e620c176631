//! The observer of long-running work: messages, downloads, and the progress of commands.

use std::time::Duration;

/// How far a command has got.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    pub done: u64,
    /// `None` if the end is not known, as for a pipe.
    pub total: Option<u64>,
    pub unit: ProgressUnit,
    /// The numbers of files done and found, if there are several. More may be found.
    pub files: Option<(u64, u64)>,
    /// The time since the command began.
    pub elapsed: Duration,
}

/// What is counted as progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressUnit {
    /// Bytes of the input.
    Bytes,
    /// Rows of the matrix.
    Rows,
}

/// Receives events while files are fetched and inputs are read. Every method does nothing by default.
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

    /// Returns true if progress is shown, so that it is worth measuring.
    fn shows_progress(&self) -> bool {
        false
    }

    /// A command has got this far.
    fn progress(&self, _progress: &Progress) {}

    /// A text of `size` bytes, which is long, is worked on as a whole.
    fn working(&self, _size: u64) {}

    /// The command is about to write to the terminal, or has ended.
    fn progress_hidden(&self) {}
}

/// An observer that ignores all events.
#[derive(Debug)]
pub struct Unobserved;

impl Observer for Unobserved {}
