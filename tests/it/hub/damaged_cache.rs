//! A Hub cache damaged by a crash, a full disk, or another program: damage is noticed, then repaired from the Hub or, if
//! it cannot be reached, reported.

use std::fs;
use std::path::{Path, PathBuf};

use crate::hub::scene::{check_blobs, names};
use crate::remote::{Remote, TENSOR, without_cost};
use crate::support::checkpoints::checkpoint;
use crate::support::{NO_HUB, make_pipe};

const TOKENIZE: &[&str] = &["tokenize", "banco de madera", "--ids"];
const EMBED: &[&str] = &["embed", "--id", "700", "--json"];

/// A way to damage a file, and how it is reported.
type Damage = (&'static str, fn(&Path), &'static str);

const WRONG: &str = "its bytes do not match its digest";
const DAMAGES: &[Damage] = &[
    (
        "emptied",
        |blob| fs::write(blob, "").unwrap(),
        "it is empty",
    ),
    ("cut off", cut, WRONG),
    ("changed in a byte", change, WRONG),
    (
        "replaced by an error page",
        |blob| fs::write(blob, "upstream error").unwrap(),
        WRONG,
    ),
    (
        "gone",
        |blob| fs::remove_file(blob).unwrap(),
        "its link points to a missing file",
    ),
];

fn cut(blob: &Path) {
    let length = blob.metadata().unwrap().len();
    let file = fs::OpenOptions::new().write(true).open(blob).unwrap();
    file.set_len(length - 1).unwrap();
}

/// Changes bytes in the middle of a file but keeps its times, like a bad copy.
fn change(blob: &Path) {
    let modified = blob.metadata().unwrap().modified().unwrap();
    let mut bytes = fs::read(blob).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(blob, bytes).unwrap();
    let file = fs::OpenOptions::new().write(true).open(blob).unwrap();
    file.set_modified(modified).unwrap();
}

fn folder(remote: &Remote) -> PathBuf {
    remote.home.path().join("hub/models--o--n")
}

fn snapshot(remote: &Remote) -> PathBuf {
    let snapshots = folder(remote).join("snapshots");
    snapshots.join(&names(&snapshots)[0])
}

/// A Hub with its model in the cache, and the output for `args`.
fn scene(args: &[&str]) -> (Remote, String) {
    let remote = Remote::with("safetensors", "model.safetensors");
    remote.call("o/n", &["pull", "--weights"]).exit(0);
    let right = without(args, &remote.call("o/n", args).ok());
    (remote, right)
}

fn without(args: &[&str], stdout: &str) -> String {
    match args == EMBED {
        true => without_cost(stdout),
        false => stdout.to_owned(),
    }
}

/// Damages a file that `args` reads in every way, with a Hub, without one, and offline.
fn met(file: &str, args: &[&str]) {
    // In parallel, since the calls partly wait for an unreachable Hub.
    std::thread::scope(|scope| {
        for damage in DAMAGES {
            scope.spawn(move || met_one(file, args, damage));
        }
    });
}

fn met_one(file: &str, args: &[&str], (what, damage, problem): &Damage) {
    let (remote, right) = scene(args);
    let case = format!("{file} {what}");
    damage(&fs::canonicalize(snapshot(&remote).join(file)).unwrap());
    let sentence = format!("{file} of `o/n` is damaged in the Hub cache");
    let named = format!("error: {sentence}: {problem}\n\nhint: run `tokscope pull o/n");
    let offline = [&["--offline"], args].concat();
    let calls = [
        remote.call("o/n", &offline),
        remote.call("o/n", args).env("HF_ENDPOINT", NO_HUB),
        remote.call("o/n", &offline).env("TOKSCOPE_NO_CACHE", "1"),
    ];
    for call in calls {
        let answer = call.exit(4);
        assert!(answer.stderr.contains(&named), "{case}: {}", answer.stderr);
        assert_eq!(answer.stdout, "", "{case}");
    }
    let answer = remote.call("o/n", args).exit(0);
    assert!(
        without(args, &answer.stdout) == right,
        "{case}: {}",
        answer.stdout
    );
    let note = format!("note: {sentence} ({problem}): asking the Hub\n");
    assert!(
        answer.stderr.starts_with(&note),
        "{case}: {}",
        answer.stderr
    );
    remote.call("o/n", &["pull", "--weights"]).exit(0);
    assert_eq!(check_blobs(remote.home.path()), 4, "{case}");
    assert!(
        without(args, &remote.call("o/n", &offline).ok()) == right,
        "{case}"
    );
}

#[test]
fn a_damaged_vocabulary_is_repaired_or_reported() {
    met("spm.model", TOKENIZE);
}

#[test]
fn a_damaged_configuration_is_repaired_or_reported() {
    met("tokenizer_config.json", TOKENIZE);
}

#[test]
fn a_damaged_checkpoint_is_bypassed_or_reported() {
    met("model.safetensors", EMBED);
}

#[test]
fn a_damaged_checkpoint_is_repaired_by_download() {
    for (what, damage, _) in DAMAGES {
        let (remote, right) = scene(TOKENIZE);
        damage(&fs::canonicalize(snapshot(&remote).join("spm.model")).unwrap());
        assert_eq!(remote.call("o/n", TOKENIZE).exit(0).stdout, right);
        assert_eq!(check_blobs(remote.home.path()), 4, "{what}");
        assert_eq!(remote.call("o/n", TOKENIZE).ok(), right, "{what}");
    }
}

#[test]
fn a_damaged_ref_is_repaired_or_reported() {
    for noted in ["", "\n", "4b41", "not a commit at all", "\u{1b}[31m"] {
        let (remote, right) = scene(TOKENIZE);
        let reference = folder(&remote).join("refs/main");
        let commit = fs::read_to_string(&reference).unwrap();
        fs::write(&reference, noted).unwrap();
        let offline = [&["--offline"], TOKENIZE].concat();
        let answer = remote.call("o/n", &offline).exit(4);
        let sentence = "error: refs/main of `o/n` is damaged in the Hub cache: it ";
        assert!(answer.stderr.starts_with(sentence), "{}", answer.stderr);
        assert!(!answer.stderr.contains('\u{1b}'));
        let answer = remote.call("o/n", TOKENIZE).exit(0);
        assert_eq!(answer.stdout, right);
        let note = "note: refs/main of `o/n` is damaged in the Hub cache (it ";
        assert!(answer.stderr.starts_with(note), "{}", answer.stderr);
        assert_eq!(fs::read_to_string(&reference).unwrap(), commit);
        assert_eq!(remote.call("o/n", &offline).ok(), right);
    }
}

#[test]
fn a_false_note_of_a_missing_file_is_repaired_by_a_pull() {
    let (remote, right) = scene(TOKENIZE);
    let pointer = snapshot(&remote).join("spm.model");
    fs::remove_file(&pointer).unwrap();
    let commit = pointer.parent().unwrap().file_name().unwrap();
    let absent = folder(&remote).join(".no_exist").join(commit);
    fs::create_dir_all(&absent).unwrap();
    fs::write(absent.join("spm.model"), "").unwrap();
    remote.call("o/n", TOKENIZE).exit(2);
    remote.call("o/n", &["pull"]).exit(0);
    assert_eq!(remote.call("o/n", TOKENIZE).ok(), right);
}

#[test]
fn a_blob_of_another_revision_is_checked_before_it_is_used() {
    let remote = Remote::with("safetensors", "model.safetensors");
    remote.call("o/n", &["pull", "--weights"]).exit(0);
    let blob = fs::canonicalize(snapshot(&remote).join("model.safetensors")).unwrap();
    fs::remove_dir_all(folder(&remote).join("snapshots")).unwrap();
    change(&blob);
    let answer = remote.call("o/n", &["pull", "--weights"]).exit(0);
    assert_eq!(answer.stderr, "");
    assert_eq!(check_blobs(remote.home.path()), 4);
    assert!(fs::read(&blob).unwrap() == checkpoint("safetensors", TENSOR));
}

/// What may be in the place of a file, other than a file: a pipe that nobody writes to, and an endless device.
#[cfg(unix)]
fn put_no_file(path: &Path, is_pipe: bool) {
    let _ = fs::remove_file(path);
    if is_pipe {
        make_pipe(path);
    } else {
        std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_in_the_hub_cache_are_replaced() {
    for is_pipe in [true, false] {
        let (remote, right) = scene(TOKENIZE);
        let blobs = folder(&remote).join("blobs");
        for name in names(&blobs) {
            fs::remove_file(blobs.join(&name)).unwrap();
            put_no_file(&blobs.join(format!("{name}.incomplete")), is_pipe);
            let locks = remote.home.path().join("hub/.locks/models--o--n");
            put_no_file(&locks.join(format!("{name}.lock")), is_pipe);
        }
        remote.call("o/n", &["pull", "--weights"]).exit(0);
        assert_eq!(check_blobs(remote.home.path()), names(&blobs).len());
        let blob = blobs.join(&names(&blobs)[0]);
        put_no_file(&blob, is_pipe);
        put_no_file(&folder(&remote).join("refs/main"), is_pipe);
        put_no_file(&snapshot(&remote).join("spm.model"), is_pipe);
        let again = remote.call("o/n", TOKENIZE).exit(0);
        assert_eq!(again.stdout, right);
        remote.call("o/n", &["pull", "--weights"]).exit(0);
        assert_eq!(check_blobs(remote.home.path()), names(&blobs).len());
    }
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_in_the_cache_of_ranges_are_replaced() {
    const NEIGHBORS: &[&str] = &["neighbors", "--id", "700", "--json"];
    for is_pipe in [true, false] {
        let remote = Remote::with("safetensors", "model.safetensors");
        let first = without_cost(&remote.call("o/n", NEIGHBORS).exit(0).stdout);
        let matrix = remote.cached_ranges();
        let matrix = matrix.iter().find(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(|c: char| c.is_ascii_digit())
        });
        let matrix = matrix.unwrap();
        for path in [
            matrix.with_extension("part"),
            matrix.with_file_name("lock"),
            matrix.clone(),
        ] {
            put_no_file(&path, is_pipe);
        }
        let again = remote.call("o/n", NEIGHBORS).exit(0).stdout;
        assert_eq!(without_cost(&again), first);
        assert!(fs::symlink_metadata(matrix).unwrap().is_file());
    }
}
