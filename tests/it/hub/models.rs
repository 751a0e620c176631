//! Models of the Hub, through the library: the requests made, and the contents of the cache.

use std::fs;
use std::path::PathBuf;

use tokscope::source::ModelFiles;

use crate::hub::scene::{CONFIG, ID, Scene, content, names, weights};
use crate::loopback_hub::{Access, git_blob, sha256};

#[test]
fn files_are_stored_in_the_common_layout() {
    let scene = Scene::new();
    let files = scene.open(ID);
    assert_eq!(files.commit(), None);
    assert!(scene.hub.served().is_empty(), "opening asks nothing");
    assert_eq!(content(&files, "config.json"), CONFIG);
    assert_eq!(content(&files, "onnx/w.bin"), weights());
    assert!(files.find("tokenizer.json").unwrap().is_none());
    assert_eq!(files.commit().as_deref(), Some(scene.commit.as_str()));

    let folder = scene.folder();
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap();
    assert_eq!(read("refs/main"), scene.commit);
    let mut blobs = vec![git_blob(CONFIG), sha256(&weights())];
    blobs.sort();
    assert_eq!(scene.blobs(), blobs);
    let snapshot = folder.join("snapshots").join(&scene.commit);
    assert_eq!(files.folder().unwrap(), snapshot);
    assert_eq!(
        names(&folder.join(".no_exist").join(&scene.commit)),
        ["tokenizer.json"]
    );
    #[cfg(unix)]
    for (name, target) in [
        ("config.json", format!("../../blobs/{}", git_blob(CONFIG))),
        (
            "onnx/w.bin",
            format!("../../../blobs/{}", sha256(&weights())),
        ),
    ] {
        assert_eq!(
            fs::read_link(snapshot.join(name)).unwrap(),
            PathBuf::from(target)
        );
    }
}

#[test]
fn a_cached_file_needs_no_network() {
    let mut scene = Scene::new();
    let names = ["config.json", "w.bin", "tokenizer.json"];
    let found = |files: &ModelFiles| names.map(|name| files.find(name).unwrap().is_some());
    assert_eq!(found(&scene.open(ID)), [true, true, false]);
    scene.recorder.events();
    scene.hub.served();

    assert_eq!(found(&scene.open(ID)), [true, true, false]);
    assert_eq!(scene.hub.served(), [], "the cache is asked first");
    scene.hub.stop();
    let files = scene.open(ID);
    assert_eq!(files.commit().as_deref(), Some(scene.commit.as_str()));
    assert_eq!(found(&files), [true, true, false]);
    scene.offline = true;
    assert_eq!(found(&scene.open(ID)), [true, true, false]);
    assert_eq!(scene.recorder.events(), [] as [&str; 0]);
}

#[test]
fn cached_content_is_not_fetched_again() {
    let scene = Scene::new();
    scene.open(ID).find("w.bin").unwrap();
    scene.hub.served();
    assert_eq!(content(&scene.open(ID), "onnx/w.bin"), weights());
    let served = scene.hub.served();
    assert!(served.iter().all(|served| !served.cdn), "{served:?}");
}

#[test]
fn a_revision_is_stored_beside_main() {
    let scene = Scene::new();
    for revision in ["refs/pr/1", scene.commit.as_str()] {
        let files = scene.open(&format!("{ID}@{revision}"));
        assert_eq!(content(&files, "config.json"), CONFIG);
        assert_eq!(files.commit().as_deref(), Some(scene.commit.as_str()));
        assert_eq!(files.model(), ID);
    }
    let noted = fs::read_to_string(scene.folder().join("refs/refs/pr/1")).unwrap();
    assert_eq!(noted, scene.commit);
    assert_eq!(names(&scene.folder().join("refs")), ["refs"]);
}

#[test]
fn a_refresh_finds_a_new_commit() {
    let scene = Scene::new();
    scene.open(ID).find("w.bin").unwrap();
    let config = b"{\"model_type\":\"bert\"}";
    let new = scene.hub.publish(
        ID,
        Access::Public,
        &[("config.json", config), ("w.bin", &weights())],
    );

    let mut files = scene.open(ID);
    assert_eq!(
        content(&files, "config.json"),
        CONFIG,
        "of the commit in the cache"
    );
    files.refresh().unwrap();
    scene.hub.served();
    assert_eq!(files.commit(), Some(new.clone()));
    assert_eq!(content(&files, "config.json"), config);
    assert_eq!(content(&files, "w.bin"), weights());
    let served = scene.hub.served();
    assert!(
        served.iter().all(|served| !served.cdn),
        "the weights are the same: {served:?}"
    );
    assert_eq!(scene.open(ID).commit(), Some(new));
    let old = scene.open(&format!("{ID}@{}", scene.commit));
    assert_eq!(content(&old, "config.json"), CONFIG);
}

#[test]
fn all_files_are_listed_with_their_sizes() {
    let mut scene = Scene::new();
    let files = scene.open(ID);
    files.find("config.json").unwrap();
    let list = |files: &ModelFiles| -> Vec<_> {
        let list = files.list().unwrap().into_iter();
        list.map(|file| (file.name, file.size, file.cached))
            .collect()
    };
    let weights = Some(weights().len() as u64);
    let config = ("config.json".to_owned(), Some(CONFIG.len() as u64), true);
    assert_eq!(
        list(&files),
        [
            config.clone(),
            ("onnx/w.bin".to_owned(), weights, false),
            ("w.bin".to_owned(), weights, false)
        ]
    );
    assert_eq!(scene.blobs().len(), 1);
    scene.hub.stop();
    assert_eq!(list(&scene.open(ID)), std::slice::from_ref(&config));
    assert_eq!(scene.recorder.events().len(), 4, "a download, and one note");
    scene.offline = true;
    assert_eq!(list(&scene.open(ID)), [config]);
    assert_eq!(
        scene.open("o/other").list().unwrap_err().code(),
        "not-cached"
    );
}

#[test]
fn downloads_are_observed() {
    let scene = Scene::new();
    let size = weights().len();
    scene.open(ID).find("w.bin").unwrap();
    let events = scene.recorder.events();
    assert_eq!(events[0], format!("w.bin: 0 of {size}"));
    assert_eq!(events[events.len() - 2], format!("w.bin: {size}"));
    assert_eq!(events[events.len() - 1], "w.bin: finished");
}

#[test]
fn offline_makes_no_requests() {
    let mut scene = Scene::new();
    scene.offline = true;
    let error = scene.failure(ID, "config.json");
    assert_eq!(
        error.to_string(),
        "`o/n` is not in the cache (config.json), and the network is off"
    );
    scene.offline = false;
    scene.settings.offline = true;
    assert_eq!(scene.failure(ID, "config.json").code(), "not-cached");
    scene.open(ID).refresh().unwrap();
    assert_eq!(scene.hub.served(), []);
}

#[test]
fn without_network_the_cache_answers() {
    let mut scene = Scene::new();
    scene.open(ID).find("config.json").unwrap();
    scene.recorder.events();
    scene.hub.stop();
    let files = scene.open(ID);
    assert!(files.find("tokenizer.json").unwrap().is_none());
    assert!(files.find("w.bin").unwrap().is_none());
    let endpoint = &scene.settings.endpoint;
    assert_eq!(
        scene.recorder.events(),
        [format!(
            "cannot reach {endpoint} (connection refused): using the cached files of `o/n`"
        )]
    );
    assert_eq!(
        files.missing("checkpoint", &["w.bin"]).code(),
        "hub-unreachable"
    );
    let absent = names(&scene.folder().join(".no_exist"));
    assert_eq!(absent, [] as [&str; 0], "not known to be absent");

    scene.offline = true;
    let files = scene.open(ID);
    assert!(files.find("w.bin").unwrap().is_none());
    assert_eq!(files.missing("checkpoint", &["w.bin"]).code(), "not-cached");
}

#[test]
fn a_missing_file_is_remembered() {
    let scene = Scene::new();
    let files = scene.open(ID);
    assert!(files.find("tokenizer.json").unwrap().is_none());
    let error = files.missing("tokenizer", &["tokenizer.json"]);
    assert_eq!(error.to_string(), "`o/n` has no tokenizer");
}
