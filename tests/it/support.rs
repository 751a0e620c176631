//! What several tests need: models opened through the library, the shared data, the program itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokscope::model_ref::ModelRef;
use tokscope::source::{HubSettings, ModelFiles, SourceOptions, Unobserved};
use tokscope::tokenizer::Tokenizer;

/// The folder of real tokenizers and reference encodings, named by `TOKSCOPE_SHARED`.
///
/// Without it, a test that needs it says that it was skipped, and is.
pub fn shared(test: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("TOKSCOPE_SHARED").map(PathBuf::from) else {
        eprintln!("skipped: {test} needs TOKSCOPE_SHARED");
        return None;
    };
    let folder = std::path::absolute(&folder).unwrap();
    assert!(
        folder.join("golden").is_dir(),
        "TOKSCOPE_SHARED has no golden data: {}",
        folder.display()
    );
    Some(folder)
}

/// A file of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The files of a model, with no network and an empty environment.
pub fn files(model: &ModelRef) -> ModelFiles {
    let options = SourceOptions {
        offline: true,
        hub: HubSettings::from_env(|_| None).unwrap(),
        observer: Arc::new(Unobserved),
    };
    ModelFiles::open(model, options).unwrap()
}

/// The tokenizer of a directory.
pub fn tokenizer(folder: &Path) -> Tokenizer {
    Tokenizer::open(&files(&ModelRef::Directory(folder.to_owned()))).unwrap()
}

/// The objects of a JSON Lines file.
pub fn json_lines<T: serde::de::DeserializeOwned>(path: &Path) -> Vec<T> {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
