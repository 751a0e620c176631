//! The manifests of the dependencies.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use crate::support::{repository, skipped};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    rust_version: Option<String>,
}

fn version(text: &str) -> Vec<u32> {
    let parts = text.split('.').map(|part| part.parse().unwrap());
    let mut version: Vec<u32> = parts.collect();
    version.resize(3, 0);
    version
}

/// Clippy checks that the code itself keeps to `rust-version` (`incompatible_msrv`).
#[test]
fn no_dependency_needs_a_newer_compiler_than_this_package() {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let host = Command::new("rustc")
        .args(["--print", "host-tuple"])
        .output();
    let (true, Ok(host)) = (Path::new(cargo).exists(), host) else {
        skipped(
            "no_dependency_asks_for_a_newer_compiler_than_this_package_does needs the compiler that built it",
        );
        return;
    };
    let host = String::from_utf8(host.stdout).unwrap();
    let output = Command::new(cargo)
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", host.trim()])
        .current_dir(repository(""))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let Metadata { packages } = serde_json::from_slice(&output.stdout).unwrap();
    let ours = packages.iter().find(|package| package.name == "tokscope");
    let ours = version(ours.unwrap().rust_version.as_deref().unwrap());
    let mut asking = 0;
    for package in &packages {
        let Some(theirs) = &package.rust_version else {
            continue;
        };
        asking += 1;
        assert!(version(theirs) <= ours, "{} wants {theirs}", package.name);
    }
    assert!(asking > 100, "{asking}");
}
