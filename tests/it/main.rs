//! The integration tests: one binary, one module a concern.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops at the first surprise, and says what it skips"
)]

mod architecture;
mod bad_input;
mod budgets;
mod checkpoints;
mod chunk;
mod cli;
mod containers;
mod contradictions;
mod convert;
mod damaged;
mod damaged_cache;
mod engines;
mod export;
mod families;
mod fault_matrix;
mod golden;
mod grep;
mod hostile;
mod hub;
mod hub_faults;
mod hub_lies;
mod hub_models;
mod hub_scene;
mod input;
mod json;
mod lesson;
mod locks;
mod neighbors;
mod own_cache;
mod peers;
mod properties;
mod pulls;
mod readme;
mod records;
mod remote;
mod remote_faults;
mod remote_kept;
mod remote_matrix;
mod remote_rows;
mod remote_standin;
mod rows;
mod secrets;
mod separated;
mod similarity;
mod standin;
mod stats;
mod supply_chain;
mod support;
mod trees;
mod unreachable;
