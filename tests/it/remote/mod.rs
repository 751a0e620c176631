//! Rows of checkpoints on the Hub, read by ranges. The setting: a Hub with a model that has a large checkpoint, a home
//! without caches, and the program.

mod cost;
mod faults;
mod gguf;
mod matrix;
mod range_cache;
mod rows;
mod tiktoken;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::loopback_hub::{Access, Hub, Served};
use crate::support::checkpoints::checkpoint;
use crate::support::standin::MODEL_FILES;
use crate::support::{Call, on, repository, tokscope};

/// The name of DeBERTa's matrix.
pub const TENSOR: &str = "deberta.embeddings.word_embeddings.weight";
/// A text whose rows lie partly close together and partly far apart, some of them repeated.
pub const TEXT: &str = "banco de madera, banco donde hay dinero";

pub struct Remote {
    pub hub: Hub,
    pub home: tempfile::TempDir,
}

/// Returns the files of a folder with their contents.
pub fn files_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect()
}

impl Remote {
    pub fn new() -> Self {
        Self {
            hub: Hub::start(),
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// A Hub with the model `o/n`: the built-in tokenizer and a made checkpoint.
    pub fn with(container: &str, file: &str) -> Self {
        let remote = Self::new();
        let folder = local(&[(file, checkpoint(container, TENSOR))]);
        remote.publish("o/n", Access::Public, folder.path());
        remote
    }

    /// Publishes the files of a folder and returns their commit.
    pub fn publish(&self, id: &str, access: Access, folder: &Path) -> String {
        let files = files_of(folder);
        let files: Vec<(&str, &[u8])> = files
            .iter()
            .map(|(name, content)| (name.as_str(), content.as_slice()))
            .collect();
        self.hub.publish(id, access, &files)
    }

    pub fn call(&self, model: &str, args: &[&str]) -> Call {
        tokscope([&["-m", model], args].concat())
            .env("HF_ENDPOINT", self.hub.endpoint())
            .env("HF_HOME", self.home.path())
            .env("XDG_CACHE_HOME", self.home.path().join("own"))
    }

    /// Fetches the tokenizer of a model, so that later requests concern only its checkpoint.
    pub fn warm(&self, model: &str) {
        self.call(model, &["tokenize", "a"]).ok();
        self.hub.served();
    }

    /// Returns the requests since the last call for files with this ending.
    pub fn served(&self, ending: &str) -> Vec<Served> {
        let served = self.hub.served().into_iter();
        served.filter(|one| one.path.ends_with(ending)).collect()
    }

    /// Returns the files of the app cache that hold ranges of checkpoints.
    pub fn cached_ranges(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.home.path().join("own/tokscope/ranges")];
        while let Some(folder) = folders.pop() {
            let entries = folder.read_dir().into_iter().flatten();
            for path in entries.map(|entry| entry.unwrap().path()) {
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(path),
                }
            }
        }
        found.retain(|path| path.components().any(|part| part.as_os_str() == "content"));
        found.sort();
        found
    }

    /// Returns the blobs of the Hub cache.
    pub fn blobs(&self, model: &str) -> Vec<String> {
        let folder = format!("hub/models--{}/blobs", model.replace('/', "--"));
        crate::hub::scene::names(&self.home.path().join(folder))
    }
}

/// Returns a model folder with the built-in tokenizer and `files`.
pub fn local<N: AsRef<Path>>(files: &[(N, Vec<u8>)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in MODEL_FILES {
        fs::copy(
            repository("demo/model").join(name),
            folder.path().join(name),
        )
        .unwrap();
    }
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

/// Returns the JSON output of the program for a local model folder.
pub fn locally(folder: &Path, args: &[&str]) -> String {
    on(folder, args).exit(0).stdout
}

/// Splits JSON Lines into the records without their cost, and that cost, which is the same in all lines.
pub fn split_cost(stdout: &str) -> (String, Option<(u64, u64)>) {
    let mut lines = String::new();
    let mut costs = Vec::new();
    for line in stdout.lines() {
        let mut record: Value = serde_json::from_str(line).unwrap();
        let fields = record.as_object_mut().unwrap();
        let mut take = |name| fields.remove(name).and_then(|value| value.as_u64());
        costs.push(take("bytes_fetched").zip(take("requests")));
        lines.push_str(&format!("{record}\n"));
    }
    assert!(costs.windows(2).all(|pair| pair[0] == pair[1]), "{costs:?}");
    (lines, costs.into_iter().next().flatten())
}

/// Removes the cost from JSON Lines.
pub fn without_cost(stdout: &str) -> String {
    split_cost(stdout).0
}
