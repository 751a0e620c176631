//! Files, texts, and conditions that attack the program, each with the answer or error it must cause.
//!
//! Attacks that need no process are in `tests/fuzz/tokenizer_attacks.rs` and `tests/fuzz/checkpoint_attacks.rs`.

#[cfg(target_os = "linux")]
mod amplification;
mod contradictions;
mod damaged;
#[cfg(target_os = "linux")]
mod memory;
mod paths;
#[cfg(unix)]
mod shrinking;
#[cfg(target_os = "linux")]
mod signals;
mod slow_files;
#[cfg(unix)]
mod terminal;
mod unusual;
mod user_files;
