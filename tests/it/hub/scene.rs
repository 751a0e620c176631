//! The setting of the tests that use the library: a Hub with one model, and an empty cache.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokscope::error::Error;
use tokscope::source::{AppCache, HubSettings, ModelFiles, Observer, ProxySettings, SourceOptions};

use crate::loopback_hub::{Access, Hub, Served, git_blob, sha256};

pub const CONFIG: &[u8] = b"{\"model_type\":\"deberta-v2\"}";
pub const ID: &str = "o/n";

/// A large file.
pub fn weights() -> Vec<u8> {
    (0..300_000_u32).flat_map(u32::to_le_bytes).collect()
}

#[derive(Default)]
pub struct Recorder(Mutex<Vec<String>>);

impl Recorder {
    fn record(&self, event: String) {
        self.0.lock().unwrap().push(event);
    }

    pub fn events(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Recorder {
    fn note(&self, message: &str) {
        self.record(message.to_owned());
    }

    fn download_started(&self, file: &str, total: u64) {
        self.record(format!("{file}: 0 of {total}"));
    }

    fn download_progress(&self, file: &str, done: u64) {
        self.record(format!("{file}: {done}"));
    }

    fn download_finished(&self, file: &str) {
        self.record(format!("{file}: finished"));
    }
}

/// A Hub with one model, and the settings of a caller with an empty cache.
pub struct Scene {
    pub hub: Hub,
    pub cache: tempfile::TempDir,
    pub settings: HubSettings,
    pub offline: bool,
    pub recorder: Arc<Recorder>,
    pub commit: String,
}

impl Scene {
    pub fn new() -> Self {
        Self::with_access(Access::Public)
    }

    pub fn with_access(access: Access) -> Self {
        let hub = Hub::start();
        let commit = hub.publish(
            ID,
            access,
            &[
                ("config.json", CONFIG),
                ("onnx/w.bin", &weights()),
                ("w.bin", &weights()),
            ],
        );
        let cache = tempfile::tempdir().unwrap();
        let settings = HubSettings {
            endpoint: hub.endpoint(),
            cache_dir: cache.path().join("hub"),
            token: None,
            offline: false,
            etag_timeout: Duration::from_secs(20),
            download_timeout: Duration::from_secs(20),
            proxies: ProxySettings::default(),
            ca_bundles: Vec::new(),
            invalid: None,
        };
        Self {
            hub,
            cache,
            settings,
            offline: false,
            recorder: Arc::default(),
            commit,
        }
    }

    pub fn open(&self, model: &str) -> ModelFiles {
        let options = SourceOptions {
            offline: self.offline,
            hub: self.settings.clone(),
            cache: AppCache::disabled(),
            observer: Arc::clone(&self.recorder) as Arc<dyn Observer>,
        };
        ModelFiles::open(&model.parse().unwrap(), options).unwrap()
    }

    /// Returns the error of finding the file `name`.
    pub fn failure(&self, model: &str, name: &str) -> Error {
        self.open(model)
            .find(name)
            .map(|file| file.is_some())
            .unwrap_err()
    }

    pub fn folder(&self) -> PathBuf {
        self.settings.cache_dir.join("models--o--n")
    }

    pub fn blobs(&self) -> Vec<String> {
        names(&self.folder().join("blobs"))
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = folder.read_dir() else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub fn content(files: &ModelFiles, name: &str) -> Vec<u8> {
    let file = files.find(name).unwrap().expect(name);
    file.read_all().unwrap().into_owned()
}

/// Checks that every blob of the Hub cache below a home matches the digest in its name. Returns the number of blobs.
pub fn check_blobs(home: &Path) -> usize {
    let mut checked = 0;
    for model in names(&home.join("hub")) {
        let blobs = home.join("hub").join(model).join("blobs");
        for name in names(&blobs) {
            if name.ends_with(".incomplete") {
                continue;
            }
            let content = fs::read(blobs.join(&name)).unwrap();
            assert!(
                [git_blob(&content), sha256(&content)].contains(&name),
                "{name}"
            );
            checked += 1;
        }
    }
    checked
}

pub fn methods(served: &[Served]) -> Vec<(&str, u16, bool)> {
    served
        .iter()
        .map(|served| (served.method.as_str(), served.status, served.cdn))
        .collect()
}
