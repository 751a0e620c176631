//! The command line as a whole: output formats, streams, exit codes, and bad input.

pub mod bad_input;
mod commands;
mod completions;
mod count;
mod flags;
mod help;
mod json;
mod progress;
mod separated;
mod streams;
mod widths;
