//! Checks the documentation: the output of its commands, its links, and that its references are complete.
//!
//! The pages are all `*.md` files of the repository's root and of `docs/`. With `TOKSCOPE_BLESS=1` in the environment,
//! the tests rewrite the expected output and the generated reference in place instead of failing; read the diff.

mod bless;
mod cli_reference;
mod codes;
mod columns;
mod links;
mod markdown;
mod names;
mod pages;
mod pattern;
mod records_reference;
mod run;
pub mod sandbox;
mod slug;
mod style;

/// Returns true if expected output should be rewritten.
fn is_blessing() -> bool {
    std::env::var("TOKSCOPE_BLESS").is_ok_and(|value| value == "1")
}
