//! Downloads through the library that break or bring wrong bytes: the files that they leave, and how they are resumed.

use std::fs;

use crate::hub::scene::{ID, Scene, content, names, weights};
use crate::loopback_hub::{Fault, sha256};

#[test]
fn an_encoded_file_is_refused() {
    for file in ["config.json", "w.bin"] {
        let scene = Scene::new();
        scene.hub.fault(Fault::BlobEncoded("gzip"), 1);
        let error = scene.failure(ID, file).to_string();
        let problem = "its answer is encoded (content-encoding: gzip), which was not asked for";
        assert!(error.ends_with(problem), "{error}");
        assert_eq!(scene.blobs(), [] as [&str; 0]);
        assert!(scene.open(ID).find(file).unwrap().is_some());
    }
}

#[test]
fn an_error_of_the_cdn_is_not_stored() {
    let scene = Scene::new();
    scene.hub.fault(Fault::BlobStatus(503), 100);
    let cdn = scene.hub.cdn();
    assert_eq!(
        scene.failure(ID, "w.bin").to_string(),
        format!("{cdn} answered 503 for w.bin of `o/n`")
    );
    assert_eq!(names(&scene.folder().join("snapshots")), [] as [&str; 0]);
}

#[test]
fn wrong_bytes_are_not_stored() {
    let scene = Scene::new();
    for (fault, file, problem) in [
        (
            Fault::BlobGarbage,
            "w.bin",
            "received 1200000 bytes with another digest",
        ),
        (
            Fault::BlobGarbage,
            "config.json",
            "received 27 bytes with another digest",
        ),
        (
            Fault::BlobPage,
            "w.bin",
            "received 37 bytes of a web page, expected 1200000",
        ),
    ] {
        scene.hub.fault(fault, 1);
        let error = scene.failure(ID, file);
        assert_eq!(error.code(), "wrong-download");
        assert!(error.to_string().ends_with(problem), "{error}");
        assert_eq!(scene.blobs(), [] as [&str; 0]);
        assert_eq!(names(&scene.folder().join("snapshots")), [] as [&str; 0]);
    }
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
}

#[test]
fn a_broken_download_is_resumed_by_the_next_call() {
    let scene = Scene::new();
    scene.hub.fault(Fault::BlobCut, 4);
    let error = scene.failure(ID, "w.bin");
    assert_eq!(error.code(), "download-broken");
    assert!(
        error.to_string().ends_with(": the connection broke"),
        "{error}"
    );
    let incomplete = format!("{}.incomplete", sha256(&weights()));
    assert_eq!(scene.blobs(), [incomplete.as_str()]);
    let length = scene
        .folder()
        .join("blobs")
        .join(incomplete)
        .metadata()
        .unwrap()
        .len();
    assert!(length > 0);
    scene.hub.served();
    scene.recorder.events();

    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
    assert_eq!(scene.blobs(), [sha256(&weights())]);
    let served = scene.hub.served();
    let last = served.last().unwrap();
    assert_eq!((last.status, last.cdn), (206, true));
    assert_eq!(last.range, Some(format!("bytes={length}-1199999")));
    assert_eq!(scene.recorder.events()[1], format!("w.bin: {length}"));
}

#[test]
fn a_broken_download_is_resumed_within_a_call() {
    let scene = Scene::new();
    scene.hub.fault(Fault::BlobCut, 2);
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
    let served = scene.hub.served();
    let fetched = served.iter().filter(|one| one.cdn && one.method == "GET");
    let statuses: Vec<_> = fetched.map(|one| one.status).collect();
    assert_eq!(statuses, [200, 206, 206]);
}

#[test]
fn a_useless_partial_download_is_discarded() {
    let blob = sha256(&weights());
    let mut longer = weights();
    longer.push(0);
    let mut other = weights();
    other[7] ^= 1;
    for beginning in [&b"upstream error"[..], &longer, &other] {
        let scene = Scene::new();
        let blobs = scene.folder().join("blobs");
        fs::create_dir_all(&blobs).unwrap();
        fs::write(blobs.join(format!("{blob}.incomplete")), beginning).unwrap();
        assert_eq!(content(&scene.open(ID), "w.bin"), weights());
        assert_eq!(scene.blobs(), [blob.as_str()]);
    }
    // The partial download is good, but the server does not support ranges.
    let scene = Scene::new();
    let blobs = scene.folder().join("blobs");
    fs::create_dir_all(&blobs).unwrap();
    fs::write(blobs.join(format!("{blob}.incomplete")), &weights()[..1000]).unwrap();
    scene.hub.fault(Fault::BlobWhole, 1);
    assert_eq!(content(&scene.open(ID), "w.bin"), weights());
}

#[test]
fn an_error_page_that_another_program_stored_is_replaced() {
    let scene = Scene::new();
    scene.open(ID).find("w.bin").unwrap();
    let blob = scene.folder().join("blobs").join(sha256(&weights()));
    fs::write(&blob, "upstream error").unwrap();
    scene.recorder.events();
    assert!(content(&scene.open(ID), "w.bin") == weights());
    assert_eq!(
        scene.recorder.events()[0],
        "w.bin of `o/n` is damaged in the Hub cache (its bytes do not match its digest): asking the Hub"
    );
}

#[test]
fn two_threads_fetch_a_file_once() {
    let scene = Scene::new();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| assert_eq!(content(&scene.open(ID), "w.bin"), weights()));
        }
    });
    let served = scene.hub.served();
    let fetched = served
        .iter()
        .filter(|served| served.cdn && served.method == "GET");
    assert_eq!(fetched.count(), 1);
    assert_eq!(scene.blobs(), [sha256(&weights())]);
}
