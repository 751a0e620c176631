//! The setting of the tests of budgets: a repository of prompts to count.

use std::fs;
use std::path::Path;

use crate::support::{Call, demo, tokscope};

/// A repository with four prompts, of 3, 4, 5 and 6 tokens.
pub fn repository_of_prompts() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, words) in [
        ("a/one.md", 1),
        ("a/two.txt", 2),
        ("b/three.md", 3),
        ("b/four.md", 4),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "banco ".repeat(words)).unwrap();
    }
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder
}

pub fn count(folder: &Path, args: &[&str]) -> Call {
    demo([&["count"], args].concat()).current_dir(folder)
}

/// Runs `count --ci` without a model from the environment, so that the configuration file must name it.
pub fn ci(folder: &Path, args: &[&str]) -> Call {
    tokscope([&["count", "--ci"], args].concat()).current_dir(folder)
}

pub fn configure(folder: &Path, text: &str) {
    fs::write(folder.join("tokscope.toml"), text).unwrap();
}
