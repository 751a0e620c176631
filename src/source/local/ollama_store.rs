//! Ollama's store of models: manifests, which name the files of a model by their digests, and these files.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::directory::Directory;
use super::read_limited;
use crate::error::{Error, Result};
use crate::model_ref::{ModelRef, OllamaModel};

/// The most bytes of a manifest.
const MAX_MANIFEST: u64 = 1 << 20;
/// The media type of the GGUF file of a model.
const MODEL: &str = "application/vnd.ollama.image.model";
/// The store of the service that Ollama's installer sets up on Linux.
const OF_SERVICE: &str = "/usr/share/ollama/.ollama/models";

/// The folders that may be Ollama's store.
#[derive(Debug)]
pub(crate) struct OllamaStore {
    folders: Vec<PathBuf>,
}

/// The part of a manifest that names files.
#[derive(Deserialize)]
struct Manifest {
    layers: Vec<Layer>,
}

#[derive(Deserialize)]
struct Layer {
    #[serde(rename = "mediaType")]
    media_type: String,
    digest: String,
    size: u64,
}

impl OllamaStore {
    /// Returns the store that `OLLAMA_MODELS` names or, without it, those of the user and of the service.
    pub(crate) fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Self {
        let variable = lookup("OLLAMA_MODELS").filter(|value| !value.is_empty());
        let folders = match variable {
            Some(folder) => vec![folder.into()],
            None => {
                let home = lookup("HOME").map(PathBuf::from);
                let own = home.map(|home| home.join(".ollama/models"));
                own.into_iter().chain([OF_SERVICE.into()]).collect()
            }
        };
        Self { folders }
    }

    /// Lists the models: for each the name that `--model` takes, its manifest, and the bytes of its files.
    pub(crate) fn models(&self) -> Vec<(String, PathBuf, u64)> {
        let children = |path: &PathBuf| {
            let entries = path.read_dir().into_iter().flatten().flatten();
            let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
            paths.sort_unstable();
            paths
        };
        let roots = self.folders.iter().map(|folder| folder.join("manifests"));
        // The host, the namespace, the name, and the tag.
        let mut paths: Vec<PathBuf> = roots.collect();
        for _ in 0..4 {
            paths = paths.iter().flat_map(children).collect();
        }
        let models = paths.into_iter().filter_map(|path| {
            let mut parts = path.iter().rev().take(4).map(|part| part.to_str());
            let (tag, name) = (parts.next()??, parts.next()??);
            let (namespace, host) = (parts.next()??, parts.next()??);
            let given = format!("ollama:{host}/{namespace}/{name}:{tag}");
            let Ok(ModelRef::Ollama(model)) = given.parse() else {
                return None;
            };
            let bytes = read_limited::read(&path, MAX_MANIFEST).ok()?;
            let manifest: Manifest = serde_json::from_slice(&bytes).ok()?;
            let sizes = manifest.layers.iter().map(|layer| layer.size);
            let size = sizes.fold(0, u64::saturating_add);
            Some((model.to_string(), path, size))
        });
        models.collect()
    }

    /// Finds the GGUF file of a model. Returns its directory and its name.
    ///
    /// # Errors
    /// Fails with [`Error::BadModelRef`] if the store does not have the model, with [`Error::Damaged`] if its manifest
    /// is malformed or names a file that is missing or has another size, with [`Error::Unsupported`] if it names no GGUF
    /// file, and with [`Error::ReadModel`] if a file cannot be read.
    pub(crate) fn find(&self, model: &OllamaModel) -> Result<(Directory, String)> {
        for folder in &self.folders {
            let path =
                (model.path().iter()).fold(folder.join("manifests"), |path, part| path.join(part));
            match read_limited::read(&path, MAX_MANIFEST) {
                Ok(bytes) => return find_file(folder, &path.display().to_string(), &bytes),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(source) => {
                    let file = path.display().to_string();
                    return Err(Error::ReadModel { file, source });
                }
            }
        }
        let folders = self
            .folders
            .iter()
            .map(|folder| folder.display().to_string());
        let folders: Vec<String> = folders.collect();
        Err(Error::BadModelRef {
            given: model.to_string(),
            problem: format!(
                "Ollama's store at {} does not have it",
                folders.join(" or ")
            ),
        })
    }
}

/// Finds the GGUF file that a manifest names.
fn find_file(store: &Path, manifest: &str, bytes: &[u8]) -> Result<(Directory, String)> {
    let Manifest { layers } =
        serde_json::from_slice(bytes).map_err(|problem| Error::damaged(manifest, problem))?;
    let Some(layer) = layers.iter().find(|layer| layer.media_type == MODEL) else {
        return Err(Error::unsupported(manifest, "it names no GGUF file"));
    };
    let digest = layer.digest.strip_prefix("sha256:").filter(|digest| {
        digest.len() == 64
            && digest
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    });
    let Some(digest) = digest else {
        let problem = format!("{:?} is not a digest", layer.digest);
        return Err(Error::damaged(manifest, problem));
    };
    let name = format!("sha256-{digest}");
    let path = store.join("blobs").join(&name);
    match path.metadata() {
        Ok(metadata) if metadata.len() == layer.size => {
            let (directory, name) = Directory::of_file(&path)?;
            Ok((directory, name))
        }
        Ok(metadata) => Err(Error::damaged(
            path.display().to_string(),
            format!(
                "it has {} bytes, and its manifest says {}",
                metadata.len(),
                layer.size
            ),
        )),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let problem = format!("its file {} does not exist", path.display());
            Err(Error::damaged(manifest, problem))
        }
        Err(source) => {
            let file = path.display().to_string();
            Err(Error::ReadModel { file, source })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn model(given: &str) -> OllamaModel {
        match given.parse() {
            Ok(ModelRef::Ollama(model)) => model,
            other => panic!("{other:?}"),
        }
    }

    /// Finds `ollama:m` in a store with this manifest and a file of 3 bytes.
    fn find(manifest: &str) -> Result<(Directory, String)> {
        let store = tempfile::tempdir().unwrap();
        let folder = store.path().join("manifests/registry.ollama.ai/library/m");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("latest"), manifest).unwrap();
        fs::create_dir(store.path().join("blobs")).unwrap();
        fs::write(
            store.path().join("blobs").join(format!("sha256-{DIGEST}")),
            "abc",
        )
        .unwrap();
        let folder = store.path().as_os_str().to_owned();
        OllamaStore::from_env(|_| Some(folder.clone())).find(&model("ollama:m"))
    }

    fn manifest(kind: &str, digest: &str, size: u64) -> String {
        format!(
            r#"{{"schemaVersion": 2, "layers": [{{"mediaType": "application/vnd.ollama.image.template", "digest": "", "size": 1}}, {{"mediaType": "{kind}", "digest": "{digest}", "size": {size}}}]}}"#
        )
    }

    #[test]
    fn a_manifest_names_the_file_of_a_model() {
        let digest = format!("sha256:{DIGEST}");
        let (directory, name) = find(&manifest(MODEL, &digest, 3)).unwrap();
        assert!(directory.path().ends_with("blobs"));
        assert_eq!(name, format!("sha256-{DIGEST}"));
        for (manifest, problem) in [
            (
                manifest(MODEL, &digest, 4),
                "it has 3 bytes, and its manifest says 4",
            ),
            (manifest(MODEL, "sha256:../../x", 3), "is not a digest"),
            (
                manifest(MODEL, &digest.to_uppercase(), 3),
                "is not a digest",
            ),
            (
                manifest(MODEL, &digest.replace('0', "1"), 3),
                "does not exist",
            ),
            (
                manifest("application/other", &digest, 3),
                "it names no GGUF file",
            ),
            ("{".to_owned(), "is damaged"),
            (r#"{"layers": 1}"#.to_owned(), "is damaged"),
        ] {
            let error = find(&manifest).unwrap_err();
            assert!(error.to_string().contains(problem), "{error}");
        }
    }

    #[test]
    fn the_store_is_that_of_the_variable_or_of_the_user_and_the_service() {
        let store = OllamaStore::from_env(|name| (name == "HOME").then(|| "/home/me".into()));
        let error = store.find(&model("ollama:me/m:q8")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`ollama:me/m:q8` is not a model: Ollama's store at /home/me/.ollama/models or \
             /usr/share/ollama/.ollama/models does not have it"
        );
        let store = OllamaStore::from_env(|_| Some("/store".into()));
        assert_eq!(store.folders, [Path::new("/store")]);
    }
}
