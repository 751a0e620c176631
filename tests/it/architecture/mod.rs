//! The architecture: layers import in one direction, and no files import in a circle.

mod graph;
mod imports;
mod tokens;

use std::fs;
use std::path::Path;

use crate::support::repository;
use graph::Graph;

/// The top-level modules, lowest first. A module imports only from those before it.
const LAYERS: &[&str] = &[
    "error",
    "record",
    "memory",
    "model_ref",
    "source",
    "formats",
    "tokenizer",
    "chat",
    "embedding",
    "library",
    "render",
    "commands",
    "cli",
    "app",
];

/// Returns the files under `src` as name and source.
fn sources() -> Vec<(String, String)> {
    let root = repository("src");
    let mut sources = Vec::new();
    read_folder(&root, &root, &mut sources);
    sources.sort();
    sources
}

fn read_folder(folder: &Path, root: &Path, sources: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(&path, root, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            let name = name.replace(std::path::MAIN_SEPARATOR, "/");
            sources.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Returns the layer of a file, counted from the lowest; `lib.rs` is above all.
fn layer(file: &str) -> usize {
    let module = file.split('/').next().unwrap_or_default();
    let module = module.trim_end_matches(".rs");
    if module == "lib" {
        return LAYERS.len();
    }
    let layer = LAYERS.iter().position(|name| *name == module);
    layer.unwrap_or_else(|| panic!("{file} is in no layer"))
}

#[test]
fn the_crate_declares_its_modules_from_the_lowest_layer_up() {
    let lib = fs::read_to_string(repository("src/lib.rs")).unwrap();
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            line.strip_prefix("mod ")?.strip_suffix(';')
        })
        .collect();
    assert_eq!(declared, LAYERS);
}

#[test]
fn a_layer_imports_only_from_lower_ones() {
    let graph = Graph::new(&sources());
    let mut checked = 0;
    let mut wrong = String::new();
    for (file, target, edge) in graph.imports() {
        checked += 1;
        if layer(target) > layer(file) {
            let path = edge.path.join("::");
            wrong += &format!("    {file}:{} uses crate::{path}\n", edge.line);
        }
    }
    assert!(wrong.is_empty(), "imports from a higher layer:\n{wrong}");
    assert!(checked > 300, "only {checked} imports were found");
}

#[test]
fn no_files_import_in_a_circle() {
    let mut found = String::new();
    for circle in Graph::new(&sources()).circles() {
        let files: Vec<&str> = circle.files.iter().map(String::as_str).collect();
        found += &format!("{}:\n{}", files.join(", "), circle.shortest);
    }
    assert!(found.is_empty(), "files import in a circle:\n{found}");
}

#[test]
fn a_folder_is_a_module_by_its_mod_file() {
    for (file, _) in sources() {
        let folder = repository("src").join(file.trim_end_matches(".rs"));
        assert!(
            !folder.is_dir(),
            "{file} stands beside a folder of its name"
        );
    }
}
