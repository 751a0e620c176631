//! Attacks by name: files, texts and circumstances that are meant to break the program, and what it says to each.
//!
//! What an attack meets in the library, without a process, is in `tests/fuzz/attacks.rs`.

mod contradictions;
mod damaged;
#[cfg(target_os = "linux")]
mod memory;
mod paths;
#[cfg(unix)]
mod shrinking;
#[cfg(unix)]
mod terminal;
mod user_files;
