//! The entry points, which `cargo test` runs too.

#[path = "../tests/fuzz/targets.rs"]
pub mod targets;

/// Enters a target by its name.
pub fn enter(name: &str, bytes: &[u8]) {
    targets::report_only_bugs();
    let target = targets::TARGETS.iter().find(|target| target.name == name);
    (target.expect("a name of the list").enter)(bytes);
}
