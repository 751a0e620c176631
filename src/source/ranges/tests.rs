#![allow(
    clippy::single_range_in_vec_init,
    reason = "a list of one range is meant"
)]

use std::ops::Range;

use std::fs;
use std::path::PathBuf;

use super::content::{Content, MERGE_THRESHOLD};
use super::extents::{BLOCK, Extents};
use super::partial::{PartialRange, RangeDownload};
use super::store::RangeStore;
use crate::source::app_cache::AppCache;
use crate::source::hub::etag::Etag;
use crate::source::hub::file_identity::FileIdentity;

const ETAG: &str = "ce013625030ba8dba906f756967f9e9ca394464a";
const SIZE: u64 = 1_000_000;

fn identity() -> FileIdentity {
    FileIdentity {
        etag: Etag::parse(ETAG).unwrap(),
        size: SIZE,
    }
}

fn bytes(range: Range<u64>) -> Vec<u8> {
    range.map(|at| (at % 251) as u8).collect()
}

fn extents(range: Range<u64>) -> Extents {
    Extents::new(ETAG, SIZE, vec![(range.start, bytes(range))])
}

struct Scene {
    folder: tempfile::TempDir,
    cache: AppCache,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = AppCache::in_folder(folder.path());
        Self { folder, cache }
    }

    fn content(&self) -> Content {
        RangeStore::new(&self.cache, "hub", "o/n").content(&identity())
    }

    fn path(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join("ranges/hub/models--o--n/content");
        folder.join(ETAG).join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = self.path("").read_dir().unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn begun(download: RangeDownload<'_>) -> PartialRange<'_> {
    match download {
        RangeDownload::Begun(partial) => partial,
        RangeDownload::Complete(_) => panic!("it is complete"),
    }
}

#[test]
fn a_stored_identity_is_found_unless_it_is_damaged() {
    let scene = Scene::new();
    let store = RangeStore::new(&scene.cache, "hub", "o/n");
    let commit = "a".repeat(40);
    assert_eq!(store.identity(&commit, "x/w.bin"), None);
    store
        .store_identity(&commit, "x/w.bin", &identity())
        .unwrap();
    assert_eq!(store.identity(&commit, "x/w.bin"), Some(identity()));
    assert_eq!(store.identity(&commit, "w.bin"), None);
    assert_eq!(store.identity(&"b".repeat(40), "x/w.bin"), None);
    assert_eq!(
        RangeStore::new(&scene.cache, "hub", "o/m").identity(&commit, "x/w.bin"),
        None
    );

    let path = scene
        .folder
        .path()
        .join(store.identity_name(&commit, "x/w.bin"));
    let text = fs::read_to_string(&path).unwrap();
    for damaged in [
        "",
        "\n",
        &text[1..],
        &text.replace("1000000", "1000001"),
        text.trim_end(),
    ] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(store.identity(&commit, "x/w.bin"), None, "{damaged:?}");
    }
    AppCache::disabled().store("x", b"").unwrap();
    let disabled = AppCache::disabled();
    let store = RangeStore::new(&disabled, "hub", "o/n");
    store.store_identity(&commit, "w.bin", &identity()).unwrap();
    assert_eq!(store.identity(&commit, "w.bin"), None);
}

#[test]
fn many_small_files_are_merged() {
    let scene = Scene::new();
    let content = scene.content();
    assert_eq!(content.extents().len(), 0);
    for n in 0..MERGE_THRESHOLD as u64 {
        content.store(&extents(n * 100..n * 100 + 10)).unwrap();
        assert_eq!(content.extents().len() as u64, n + 1);
    }
    fs::write(scene.path(&scene.names()[0]), "damaged").unwrap();
    fs::write(scene.path(".tokscope-x"), "of a killed process").unwrap();
    assert_eq!(content.extents().len(), MERGE_THRESHOLD - 1);
    content.store(&extents(5..20)).unwrap();
    let stored = content.extents();
    assert_eq!(stored.len(), 1, "{:?}", scene.names());
    assert_eq!(stored[0].slice(&(5..20)), Some(&bytes(5..20)[..]));
    let intact =
        (0..MERGE_THRESHOLD as u64).filter(|n| stored[0].slice(&(n * 100..n * 100 + 10)).is_some());
    assert!(intact.count() >= MERGE_THRESHOLD - 1);
    let other = FileIdentity {
        size: SIZE + 1,
        ..identity()
    };
    assert_eq!(
        RangeStore::new(&scene.cache, "hub", "o/n")
            .content(&other)
            .extents()
            .len(),
        0
    );
}

#[test]
fn a_range_is_downloaded_resumed_and_found() {
    let scene = Scene::new();
    let content = scene.content();
    let range = 1000..1000 + 3 * BLOCK + 7;
    let unexpected = || panic!("the lock is free");
    let mut partial = begun(content.begin(&range, unexpected).unwrap());
    assert_eq!(partial.missing, std::slice::from_ref(&range));
    let second = 1000 + BLOCK..1000 + 2 * BLOCK;
    partial.write(second.start, &bytes(second.clone())).unwrap();
    drop(partial);
    assert_eq!(content.extents().len(), 0, "an unfinished file is not read");
    assert_eq!(
        scene.names(),
        [format!("1000-{}.part", range.end), "lock".to_owned()]
    );

    let mut partial = begun(content.begin(&range, unexpected).unwrap());
    let missing = partial.missing.clone();
    assert_eq!(missing, [1000..second.start, second.end..range.end]);
    let mut waits = 0;
    for part in missing {
        partial.write(part.start, &bytes(part)).unwrap();
    }
    let built = partial.finish().unwrap();
    assert_eq!(built.slice(&range), Some(&bytes(range.clone())[..]));
    let found = content.extents();
    assert_eq!(found[0].slice(&range), Some(&bytes(range.clone())[..]));
    let again = content.begin(&range, || waits += 1).unwrap();
    assert!(matches!(again, RangeDownload::Complete(_)));
    assert_eq!(waits, 0);
    let name = format!("1000-{}", range.end);
    assert_eq!(scene.names(), [name.clone(), "lock".to_owned()]);

    // Only the damaged block of a file is fetched again.
    let path = scene.path(&name);
    let mut damaged = fs::read(&path).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&path, damaged).unwrap();
    let partial = begun(content.begin(&range, unexpected).unwrap());
    assert_eq!(partial.missing, [range.end - 7..range.end]);
}

#[test]
fn damaged_blocks_are_not_resumed() {
    let scene = Scene::new();
    let content = scene.content();
    let range = 0..2 * BLOCK;
    let mut partial = begun(content.begin(&range, || {}).unwrap());
    partial.write(0, &bytes(0..2 * BLOCK)).unwrap();
    drop(partial);
    let part = scene.path(&format!("0-{}.part", range.end));
    let whole = fs::read(&part).unwrap();
    let mut other = whole.clone();
    *other.last_mut().unwrap() ^= 1;
    fs::write(&part, &other).unwrap();
    let partial = begun(content.begin(&range, || {}).unwrap());
    assert_eq!(partial.missing, [BLOCK..2 * BLOCK], "the damaged block");
    drop(partial);
    for garbage in [&b""[..], b"garbage", &whole[..whole.len() - 1]] {
        fs::write(&part, garbage).unwrap();
        let partial = begun(content.begin(&range, || {}).unwrap());
        assert_eq!(partial.missing, std::slice::from_ref(&range));
    }
}

#[test]
fn without_a_cache_a_range_goes_to_a_temporary_file() {
    let disabled = AppCache::disabled();
    let file = tempfile::NamedTempFile::new().unwrap();
    let unwritable = AppCache::in_folder(file.path());
    for cache in [&disabled, &unwritable] {
        let content = RangeStore::new(cache, "hub", "o/n").content(&identity());
        assert!(content.begin(&(0..u64::MAX), || {}).is_err());
        let mut partial = begun(content.begin(&(5..25), || {}).unwrap());
        partial.write(5, &bytes(5..25)).unwrap();
        let built = partial.finish().unwrap();
        assert_eq!(built.slice(&(7..9)), Some(&bytes(7..9)[..]));
        assert_eq!(content.extents().len(), 0);
    }
    let content = RangeStore::new(&disabled, "hub", "o/n").content(&identity());
    assert!(content.store(&extents(0..10)).is_ok());
    let content = RangeStore::new(&unwritable, "hub", "o/n").content(&identity());
    assert!(content.store(&extents(0..10)).is_err());
}
