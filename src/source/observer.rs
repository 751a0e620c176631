//! Who is told what happens while files are fetched.

/// What happens while bytes are fetched. Implemented at the edge of the program; every method does nothing by itself.
pub trait Observer: Send + Sync {
    /// Something worth a line to a person: a whole sentence, lower case, without a period.
    fn note(&self, _message: &str) {}

    /// Something for a person who asked for more.
    fn detail(&self, _message: &str) {}

    /// A file of `total` bytes is about to arrive.
    fn download_started(&self, _file: &str, _total: u64) {}

    /// `done` bytes of it are here; what an earlier attempt left counts.
    fn download_progress(&self, _file: &str, _done: u64) {}

    /// It is stored and verified. A download that fails ends with its error instead.
    fn download_finished(&self, _file: &str) {}

    /// Of the files to be counted, `done` are; `found` so far.
    fn count_progress(&self, _done: usize, _found: usize) {}

    /// All are counted.
    fn count_finished(&self) {}
}

/// An observer that looks away.
#[derive(Debug)]
pub struct Unobserved;

impl Observer for Unobserved {}
