//! The entry points for untrusted bytes, which `cargo test --test fuzz` runs as well.

#[path = "../tests/fuzz/targets.rs"]
pub mod targets;

/// Runs the target with this name.
pub fn enter(name: &str, bytes: &[u8]) {
    targets::report_only_bugs();
    let target = targets::TARGETS.iter().find(|target| target.name == name);
    (target.expect("a target with this name").enter)(bytes);
}
