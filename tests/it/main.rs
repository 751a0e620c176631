//! The integration tests: one binary, with one folder per concern.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says what it skips"
)]

mod architecture;
mod chat;
mod cli;
mod docs;
mod files;
mod hostile;
mod hub;
mod lesson;
mod loopback_hub;
mod model;
mod records;
mod remote;
mod rows;
mod supply_chain;
mod support;
mod text;
