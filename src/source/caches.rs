//! What the caches of this machine hold: the Hub cache, tokscope's own, that of Python's tiktoken, Ollama's store.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::app_cache::AppCache;
use super::cache_sweep::size_on_disk;
use super::file_kind::FileKind;
use super::hub::cache_layout::cached_models;
use super::local::ollama_store::OllamaStore;

/// The most files that are looked at in one model or group. A cache with more is not one.
const MAX_FILES: usize = 1_000_000;

/// A model in a cache, or a group of files of tokscope's own cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedItem {
    /// The name of the cache: `hub`, `tokscope`, `tiktoken`, `ollama`.
    pub cache: &'static str,
    /// The model as `--model` names it, or the name of the group or file.
    pub name: String,
    pub path: PathBuf,
    /// Bytes on the disk.
    pub size: u64,
    pub files: u64,
    /// What the files are: `tokenizer`, `checkpoint`, `encoding`, …, sorted.
    pub holds: Vec<&'static str>,
}

/// Lists the models in the Hub cache, by name.
pub fn in_hub_cache(folder: &Path) -> Vec<CachedItem> {
    let models = cached_models(folder).into_iter().map(|name| {
        let path = folder.join(format!("models--{}", name.replace('/', "--")));
        let mut size = 0;
        walk(&path.join("blobs"), |_, metadata| {
            size += size_on_disk(metadata)
        });
        let (mut names, mut holds) = (BTreeSet::new(), BTreeSet::new());
        for snapshot in children(&path.join("snapshots")) {
            walk(&snapshot, |file, metadata| {
                // A link to a blob, or on some systems the file itself.
                size += if metadata.is_symlink() {
                    0
                } else {
                    size_on_disk(metadata)
                };
                let name = file
                    .strip_prefix(&snapshot)
                    .unwrap_or(file)
                    .to_string_lossy()
                    .into_owned();
                holds.extend(part(&name));
                names.insert(name);
            });
        }
        CachedItem {
            cache: "hub",
            name,
            path,
            size,
            files: names.len() as u64,
            holds: holds.into_iter().collect(),
        }
    });
    models.collect()
}

/// Returns the part of a model that a file with this name is, if it is one that is worth a word.
fn part(name: &str) -> Option<&'static str> {
    let name = name.rsplit('/').next().unwrap_or(name);
    match FileKind::of_name(name)? {
        FileKind::Checkpoint => Some("checkpoint"),
        FileKind::Gguf => Some("gguf"),
        FileKind::Vectors | FileKind::Other => None,
        FileKind::VocabTxt if !name.ends_with("vocab.txt") => None,
        _ => Some("tokenizer"),
    }
}

/// Lists the groups of files in tokscope's own cache, by name.
pub fn in_app_cache(cache: &AppCache) -> Vec<CachedItem> {
    let Some(folder) = cache.path("") else {
        return Vec::new();
    };
    let groups = children(&folder).into_iter().filter(|path| path.is_dir());
    let groups = groups.map(|path| item("tokscope", file_name(&path), path, Vec::new()));
    groups.filter(|group| group.files > 0).collect()
}

/// Lists the encodings in the cache of Python's tiktoken. `lookup` reads the environment.
pub fn in_tiktoken_cache(lookup: impl Fn(&str) -> Option<OsString>) -> Vec<CachedItem> {
    let named = ["TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"];
    let named = named.iter().find_map(|name| lookup(name));
    let folder = match named {
        // An empty value switches the cache off.
        Some(folder) if folder.is_empty() => return Vec::new(),
        Some(folder) => PathBuf::from(folder),
        None => std::env::temp_dir().join("data-gym-cache"),
    };
    let is_digest = |path: &PathBuf| {
        let name = file_name(path);
        name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let files = children(&folder).into_iter().filter(is_digest);
    files
        .map(|path| item("tiktoken", file_name(&path), path, vec!["encoding"]))
        .collect()
}

/// Lists the models in Ollama's store. `lookup` reads the environment.
pub fn in_ollama_store(lookup: impl Fn(&str) -> Option<OsString>) -> Vec<CachedItem> {
    let models = OllamaStore::from_env(lookup).models().into_iter();
    let models = models.map(|(name, path, size)| CachedItem {
        cache: "ollama",
        name,
        path,
        size,
        files: 1,
        holds: vec!["gguf"],
    });
    models.collect()
}

fn item(cache: &'static str, name: String, path: PathBuf, holds: Vec<&'static str>) -> CachedItem {
    let (mut size, mut files) = (0, 0);
    walk(&path, |_, metadata| {
        size += size_on_disk(metadata);
        files += 1;
    });
    CachedItem {
        cache,
        name,
        path,
        size,
        files,
        holds,
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Returns the paths in a folder, sorted; none if it cannot be read.
fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort_unstable();
    paths
}

/// Calls `each` with every file at or below a path, and its own metadata. Links are not followed.
fn walk(path: &Path, mut each: impl FnMut(&Path, &Metadata)) {
    let (mut open, mut seen) = (vec![path.to_owned()], 0);
    while let Some(path) = open.pop() {
        let Ok(metadata) = path.symlink_metadata() else {
            continue;
        };
        seen += 1;
        if seen > MAX_FILES {
            return;
        }
        if metadata.is_dir() {
            open.extend(children(&path));
        } else {
            each(&path, &metadata);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_models_of_the_hub_cache_are_listed_with_their_parts() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("models--o--n");
        let snapshot = model.join("snapshots/0123");
        fs::create_dir_all(model.join("blobs")).unwrap();
        fs::create_dir_all(snapshot.join("onnx")).unwrap();
        fs::write(model.join("blobs/a"), vec![1; 100_000]).unwrap();
        for name in ["tokenizer.json", "config.json", "model.safetensors"] {
            fs::write(snapshot.join(name), "").unwrap();
        }
        fs::write(snapshot.join("onnx/m.onnx"), "").unwrap();
        fs::create_dir_all(folder.path().join("models--empty--n/snapshots")).unwrap();
        let items = in_hub_cache(folder.path());
        assert_eq!(items.len(), 1);
        assert_eq!((items[0].name.as_str(), items[0].files), ("o/n", 4));
        assert_eq!(items[0].holds, ["checkpoint", "tokenizer"]);
        assert!(items[0].size >= 100_000);
        assert!(in_hub_cache(&folder.path().join("nowhere")).is_empty());
    }

    #[test]
    fn the_cache_of_tiktoken_is_found_and_may_be_off() {
        let folder = tempfile::tempdir().unwrap();
        let name = "9b5ad71b2ce5302211f9c61530b329a4922fc6a4";
        fs::write(folder.path().join(name), "IQ== 0\n").unwrap();
        fs::write(folder.path().join("other"), "").unwrap();
        let path: OsString = folder.path().into();
        let items =
            in_tiktoken_cache(|variable| (variable == "TIKTOKEN_CACHE_DIR").then(|| path.clone()));
        assert_eq!(items.len(), 1);
        assert_eq!(
            (items[0].name.as_str(), &items[0].holds[..]),
            (name, &["encoding"][..])
        );
        assert!(in_tiktoken_cache(|_| Some(OsString::new())).is_empty());
    }
}
