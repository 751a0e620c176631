#![allow(
    clippy::single_range_in_vec_init,
    reason = "a list of one range is meant"
)]

use std::ops::Range;

use std::fs;
use std::path::PathBuf;

use super::content::{Content, MANY};
use super::extents::{BLOCK, Extents};
use super::partial::{Build, PartialRange};
use super::store::RangeStore;
use crate::source::app_cache::AppCache;
use crate::source::hub::etag::{Etag, FileIdentity};

const ETAG: &str = "ce013625030ba8dba906f756967f9e9ca394464a";
const SIZE: u64 = 1_000_000;

fn known() -> FileIdentity {
    FileIdentity {
        etag: Etag::parse(ETAG).unwrap(),
        size: SIZE,
    }
}

fn bytes(range: Range<u64>) -> Vec<u8> {
    range.map(|at| (at % 251) as u8).collect()
}

fn pieces(range: Range<u64>) -> Extents {
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
        RangeStore::new(&self.cache, "o/n").content(&known())
    }

    fn path(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join("ranges/models--o--n/content");
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

fn begun(build: Build<'_>) -> PartialRange<'_> {
    match build {
        Build::Begun(building) => building,
        Build::Done(_) => panic!("it is done"),
    }
}

#[test]
fn what_is_known_of_a_file_is_noted() {
    let scene = Scene::new();
    let store = RangeStore::new(&scene.cache, "o/n");
    let commit = "a".repeat(40);
    assert_eq!(store.known(&commit, "x/w.bin"), None);
    store.note_known(&commit, "x/w.bin", &known()).unwrap();
    assert_eq!(store.known(&commit, "x/w.bin"), Some(known()));
    assert_eq!(store.known(&commit, "w.bin"), None);
    assert_eq!(store.known(&"b".repeat(40), "x/w.bin"), None);
    assert_eq!(
        RangeStore::new(&scene.cache, "o/m").known(&commit, "x/w.bin"),
        None
    );

    let path = scene.folder.path().join(store.note(&commit, "x/w.bin"));
    let text = fs::read_to_string(&path).unwrap();
    for damaged in [
        "",
        "\n",
        &text[1..],
        &text.replace("1000000", "1000001"),
        text.trim_end(),
    ] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(store.known(&commit, "x/w.bin"), None, "{damaged:?}");
    }
    AppCache::none().keep("x", b"").unwrap();
    let none = AppCache::none();
    let store = RangeStore::new(&none, "o/n");
    store.note_known(&commit, "w.bin", &known()).unwrap();
    assert_eq!(store.known(&commit, "w.bin"), None);
}

#[test]
fn pieces_are_kept_and_become_one_when_they_are_many() {
    let scene = Scene::new();
    let content = scene.content();
    assert_eq!(content.pieces().len(), 0);
    for n in 0..MANY as u64 {
        content.keep(&pieces(n * 100..n * 100 + 10)).unwrap();
        assert_eq!(content.pieces().len() as u64, n + 1);
    }
    fs::write(scene.path(&scene.names()[0]), "damaged").unwrap();
    fs::write(scene.path(".new-x"), "of a process that was ended").unwrap();
    assert_eq!(content.pieces().len(), MANY - 1);
    content.keep(&pieces(5..20)).unwrap();
    let kept = content.pieces();
    assert_eq!(kept.len(), 1, "{:?}", scene.names());
    assert_eq!(kept[0].slice(&(5..20)), Some(&bytes(5..20)[..]));
    let there = (0..MANY as u64).filter(|n| kept[0].slice(&(n * 100..n * 100 + 10)).is_some());
    assert!(there.count() >= MANY - 1);
    let other = FileIdentity {
        size: SIZE + 1,
        ..known()
    };
    assert_eq!(
        RangeStore::new(&scene.cache, "o/n")
            .content(&other)
            .pieces()
            .len(),
        0
    );
}

#[test]
fn a_range_is_built_resumed_and_found() {
    let scene = Scene::new();
    let content = scene.content();
    let range = 1000..1000 + 3 * BLOCK + 7;
    let unexpected = || panic!("nobody has the lock");
    let mut building = begun(content.build(&range, unexpected).unwrap());
    assert_eq!(building.missing, std::slice::from_ref(&range));
    let second = 1000 + BLOCK..1000 + 2 * BLOCK;
    building.put(second.start, &bytes(second.clone())).unwrap();
    drop(building);
    assert_eq!(content.pieces().len(), 0, "what is on its way is not read");
    assert_eq!(
        scene.names(),
        [format!("1000-{}.part", range.end), "lock".to_owned()]
    );

    let mut building = begun(content.build(&range, unexpected).unwrap());
    let missing = building.missing.clone();
    assert_eq!(missing, [1000..second.start, second.end..range.end]);
    let mut waits = 0;
    for part in missing {
        building.put(part.start, &bytes(part)).unwrap();
    }
    let built = building.finish().unwrap();
    assert_eq!(built.slice(&range), Some(&bytes(range.clone())[..]));
    let found = content.pieces();
    assert_eq!(found[0].slice(&range), Some(&bytes(range.clone())[..]));
    let again = content.build(&range, || waits += 1).unwrap();
    assert!(matches!(again, Build::Done(_)));
    assert_eq!(waits, 0);
    let name = format!("1000-{}", range.end);
    assert_eq!(scene.names(), [name.clone(), "lock".to_owned()]);

    // Of one that is damaged, the block that is gone is fetched anew.
    let path = scene.path(&name);
    let mut damaged = fs::read(&path).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    fs::write(&path, damaged).unwrap();
    let building = begun(content.build(&range, unexpected).unwrap());
    assert_eq!(building.missing, [range.end - 7..range.end]);
}

#[test]
fn a_beginning_that_is_damaged_is_not_gone_on_with() {
    let scene = Scene::new();
    let content = scene.content();
    let range = 0..2 * BLOCK;
    let mut building = begun(content.build(&range, || {}).unwrap());
    building.put(0, &bytes(0..2 * BLOCK)).unwrap();
    drop(building);
    let part = scene.path(&format!("0-{}.part", range.end));
    let whole = fs::read(&part).unwrap();
    let mut other = whole.clone();
    *other.last_mut().unwrap() ^= 1;
    fs::write(&part, &other).unwrap();
    let building = begun(content.build(&range, || {}).unwrap());
    assert_eq!(
        building.missing,
        [BLOCK..2 * BLOCK],
        "the block that is damaged"
    );
    drop(building);
    for garbage in [&b""[..], b"garbage", &whole[..whole.len() - 1]] {
        fs::write(&part, garbage).unwrap();
        let building = begun(content.build(&range, || {}).unwrap());
        assert_eq!(building.missing, std::slice::from_ref(&range));
    }
}

#[test]
fn without_a_cache_a_range_is_in_a_temporary_file() {
    let none = AppCache::none();
    let file = tempfile::NamedTempFile::new().unwrap();
    let unwritable = AppCache::in_folder(file.path());
    for cache in [&none, &unwritable] {
        let content = RangeStore::new(cache, "o/n").content(&known());
        assert!(content.build(&(0..u64::MAX), || {}).is_err());
        let mut building = begun(content.build(&(5..25), || {}).unwrap());
        building.put(5, &bytes(5..25)).unwrap();
        let built = building.finish().unwrap();
        assert_eq!(built.slice(&(7..9)), Some(&bytes(7..9)[..]));
        assert_eq!(content.pieces().len(), 0);
    }
    let content = RangeStore::new(&none, "o/n").content(&known());
    assert!(content.keep(&pieces(0..10)).is_ok());
    let content = RangeStore::new(&unwritable, "o/n").content(&known());
    assert!(content.keep(&pieces(0..10)).is_err());
}
