//! The setting of the tests of lock files: a folder with a model in it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::remote::Remote;
use crate::support::{Call, folder_without_checkpoint, tokscope};

/// A folder to work in, with the demo model's files in `m`.
pub fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let model = folder_without_checkpoint();
    fs::create_dir(place.path().join("m")).unwrap();
    for entry in model.path().read_dir().unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), place.path().join("m").join(entry.file_name())).unwrap();
    }
    place
}

pub fn at(place: &Path, args: &[&str]) -> Call {
    tokscope(args).current_dir(place)
}

/// Like [`at`], with a Hub and a home without caches.
pub fn hub(remote: &Remote, place: &Path, args: &[&str]) -> Call {
    at(place, args)
        .env("HF_ENDPOINT", remote.hub.endpoint())
        .env("HF_HOME", remote.home.path())
}

pub fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, serde_json::to_vec_pretty(&value).unwrap()).unwrap();
}
