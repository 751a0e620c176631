//! Local files: model directories, the built-in model, memory maps, locks, and atomic writes.

pub(crate) mod atomic_file;
pub(crate) mod demo;
pub(crate) mod directory;
pub(crate) mod file_lock;
pub(crate) mod file_size_signal;
pub(crate) mod file_stamp;
#[cfg(target_os = "linux")]
mod file_system;
pub(crate) mod mapped_file;
pub(crate) mod ollama_store;
pub mod output_file;
pub mod read_limited;
pub(crate) mod regular_file;
pub(crate) mod sigbus;
pub(crate) mod temporary_name;
