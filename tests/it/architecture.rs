//! The tree is the data flow: a module uses only those above it in `lib.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::repository;

/// Modules in the order of the flow; `error` and `record` come first and use nothing.
const ORDER: &[&str] = &[
    "error",
    "record",
    "memory",
    "model_ref",
    "source",
    "formats",
    "tokenizer",
    "embedding",
    "commands",
    "render",
    "cli",
];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn lib_declares_the_modules_in_this_order() {
    let lib = fs::read_to_string(repository("src/lib.rs")).unwrap();
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(declared, ORDER);
}

#[test]
fn a_module_uses_only_those_above_it() {
    let mut files = Vec::new();
    rust_files(&repository("src"), &mut files);
    let mut checked = 0;
    for path in files {
        let relative = path.strip_prefix(repository("src")).unwrap();
        let module = relative
            .components()
            .next()
            .unwrap()
            .as_os_str()
            .to_str()
            .unwrap();
        let module = module.trim_end_matches(".rs");
        let Some(place) = ORDER.iter().position(|name| *name == module) else {
            assert!(
                ["lib", "main"].contains(&module),
                "{module} is in no place of the flow"
            );
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        for used in text.split("crate::").skip(1) {
            let used = used
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap();
            let Some(used_place) = ORDER.iter().position(|name| *name == used) else {
                continue;
            };
            checked += 1;
            assert!(
                used_place <= place,
                "{} uses {used}, which comes after it",
                relative.display()
            );
        }
    }
    assert!(checked > 50, "only {checked} uses were found");
}
