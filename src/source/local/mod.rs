//! Local files: directories of the user, the built-in model, maps, locks, and files that are replaced in one step.

pub(crate) mod atomic_file;
pub(crate) mod demo;
pub(crate) mod directory;
pub(crate) mod file_lock;
pub(crate) mod file_stamp;
pub(crate) mod mapped_file;
pub mod output_file;
pub(crate) mod sigbus;
