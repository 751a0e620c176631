//! Files of a locked model that are not what they seem: only bytes with the digest that was locked are used.

use std::fs;

use crate::loopback_hub::{Access, Hub, sha256};
use crate::model::changes::{DIFFER, TOKENIZE, changes};
use crate::remote::{Remote, files_of};
use crate::support::{Call, folder_without_checkpoint, shared, tokscope};

/// A folder with the lock file of a model on a Hub, and the model's commit.
struct Locked {
    remote: Remote,
    model: tempfile::TempDir,
    place: tempfile::TempDir,
    commit: String,
}

impl Locked {
    fn new() -> Self {
        let (remote, model) = (Remote::new(), folder_without_checkpoint());
        let commit = remote.publish("o/n", Access::Public, model.path());
        let locked = Self {
            remote,
            model,
            place: tempfile::tempdir().unwrap(),
            commit,
        };
        locked.call(&["lock", "-m", "o/n"]).exit(0);
        locked
    }

    fn call(&self, args: &[&str]) -> Call {
        tokscope(args)
            .current_dir(self.place.path())
            .env("HF_ENDPOINT", self.remote.hub.endpoint())
            .env("HF_HOME", self.remote.home.path())
            .env("XDG_CACHE_HOME", self.remote.home.path().join("own"))
    }

    /// Makes all calls fail with the lock's error.
    fn refuses(&self, case: &str, call: impl Fn(&[&str]) -> Call) {
        for args in [
            &TOKENIZE[..],
            &["count", "--text", "x", "--locked"],
            &["pull", "--locked"],
        ] {
            let answer = call(args).exit(2);
            let error = format!("error: the files of `o/n` {DIFFER}");
            assert!(
                answer.stderr.ends_with(&error),
                "{case} {args:?}: {}",
                answer.stderr
            );
            let has_ids = answer.stdout.contains("1 ");
            assert!(!has_ids || args[0] == "pull", "{case}: {}", answer.stdout);
        }
    }
}

#[test]
fn another_hub_that_serves_the_locked_commit_with_other_bytes_is_refused() {
    let locked = Locked::new();
    let right = locked.call(&TOKENIZE).ok();
    for (name, content) in changes() {
        let mut files = files_of(locked.model.path());
        files.retain(|(other, _)| other != name);
        files.push((name.to_owned(), content));
        let files: Vec<(&str, &[u8])> = files.iter().map(|(n, c)| (&**n, &**c)).collect();
        let hub = Hub::start();
        hub.publish_as(&locked.commit, "o/n", &files);
        let home = tempfile::tempdir().unwrap();
        let call = |args: &[&str]| {
            locked
                .call(args)
                .env("HF_ENDPOINT", hub.endpoint())
                .env("HF_HOME", home.path())
        };
        // Without a cache, then with what the first call has cached, then offline.
        locked.refuses(name, call);
        locked.refuses(name, |args| call(args).env("HF_HUB_OFFLINE", "1"));
        assert_eq!(call(&["check", "--offline"]).exit(1).code, 1);
    }
    assert_eq!(locked.call(&TOKENIZE).ok(), right);
}

#[test]
fn a_file_of_the_hub_cache_that_is_replaced_or_added_is_refused() {
    for (name, content) in changes() {
        let locked = Locked::new();
        let right = locked.call(&TOKENIZE).ok();
        let snapshot = locked.remote.home.path().join("hub/models--o--n/snapshots");
        let file = snapshot.join(&locked.commit).join(name);
        let before = fs::read_link(&file).ok();
        // A file instead of a link, as on systems without links; then a blob under its true digest.
        for is_link in [false, true] {
            let _ = fs::remove_file(&file);
            if is_link {
                let blob = format!("../../blobs/{}", sha256(&content));
                fs::write(snapshot.join(&blob[3..]), &content).unwrap();
                std::os::unix::fs::symlink(blob, &file).unwrap();
            } else {
                fs::write(&file, &content).unwrap();
            }
            locked.refuses(name, |args| locked.call(args).env("HF_HUB_OFFLINE", "1"));
        }
        fs::remove_file(&file).unwrap();
        if let Some(before) = before {
            std::os::unix::fs::symlink(before, &file).unwrap();
        }
        assert_eq!(locked.call(&TOKENIZE).ok(), right);
    }
}

/// The bytes of a blob are changed in place, so that its name no longer is their digest.
#[test]
fn a_blob_of_the_hub_cache_that_is_changed_is_refused_or_repaired() {
    for name in ["spm.model", "config.json", "tokenizer_config.json"] {
        let locked = Locked::new();
        let right = locked.call(&TOKENIZE).ok();
        let snapshots = "hub/models--o--n/snapshots";
        let file = locked.remote.home.path().join(snapshots);
        let blob = fs::canonicalize(file.join(&locked.commit).join(name)).unwrap();
        let modified = blob.metadata().unwrap().modified().unwrap();
        let mut bytes = fs::read(&blob).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&blob, bytes).unwrap();
        let file = fs::OpenOptions::new().write(true).open(&blob).unwrap();
        file.set_modified(modified).unwrap();
        for no_cache in ["0", "1"] {
            let offline = locked.call(&TOKENIZE).env("HF_HUB_OFFLINE", "1");
            let answer = offline.env("TOKSCOPE_NO_CACHE", no_cache).exit(2);
            assert!(answer.stderr.ends_with(DIFFER), "{}", answer.stderr);
        }
        assert_eq!(locked.call(&TOKENIZE).exit(0).stdout, right);
        assert_eq!(locked.call(&TOKENIZE).ok(), right);
    }
}

#[test]
fn a_locked_file_that_is_gone_is_refused_or_unreachable() {
    let locked = Locked::new();
    let hub = Hub::start();
    let mut files = files_of(locked.model.path());
    files.retain(|(name, _)| name != "tokenizer_config.json");
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, c)| (&**n, &**c)).collect();
    hub.publish_as(&locked.commit, "o/n", &files);
    let home = tempfile::tempdir().unwrap();
    let elsewhere = |args: &[&str]| {
        let call = locked.call(args).env("HF_HOME", home.path());
        call.env("HF_ENDPOINT", hub.endpoint())
    };
    locked.refuses("gone", elsewhere);
    // Offline, the file may exist, but it cannot be fetched.
    let link = format!(
        "hub/models--o--n/snapshots/{}/tokenizer_config.json",
        locked.commit
    );
    fs::remove_file(locked.remote.home.path().join(link)).unwrap();
    let answer = locked.call(&TOKENIZE).env("HF_HUB_OFFLINE", "1").exit(3);
    assert!(
        answer.stderr.contains("(tokenizer_config.json)"),
        "{}",
        answer.stderr
    );
}

#[test]
fn another_commit_in_answer_to_a_commit_is_refused() {
    let locked = Locked::new();
    let other = "f".repeat(40);
    let hub = Hub::start();
    let files = files_of(locked.model.path());
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, c)| (&**n, &**c)).collect();
    hub.publish_as(&other, "o/n", &files);
    // The Hub has the locked commit, and says that it is another one.
    hub.publish("o/n", Access::Public, &files);
    let answer = locked
        .call(&["pull", "--locked"])
        .env("HF_ENDPOINT", hub.endpoint())
        .exit(3);
    let problem = format!("it answers commit {other} for commit {}", locked.commit);
    assert!(answer.stderr.contains(&problem), "{}", answer.stderr);
}

#[test]
fn a_changed_file_of_a_locked_directory_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let model = place.path().join("m");
    let demo = files_of(folder_without_checkpoint().path());
    let restore = || {
        let _ = fs::remove_dir_all(&model);
        fs::create_dir(&model).unwrap();
        for (name, content) in &demo {
            fs::write(model.join(name), content).unwrap();
        }
    };
    restore();
    let call = |args: &[&str]| {
        let call = tokscope(args).current_dir(place.path());
        call.env("XDG_CACHE_HOME", place.path().join("own"))
    };
    call(&["lock", "-m", "m"]).ok();
    let right = call(&TOKENIZE).ok();
    for (name, content) in changes() {
        let file = model.join(name);
        let modified = file.metadata().and_then(|file| file.modified()).ok();
        fs::write(&file, content).unwrap();
        if let Some(modified) = modified {
            let file = fs::OpenOptions::new().write(true).open(&file).unwrap();
            file.set_modified(modified).unwrap();
        }
        let answer = call(&TOKENIZE).exit(2);
        assert_eq!(
            answer.stderr,
            format!("error: the files of directory m {DIFFER}"),
            "{name}"
        );
        restore();
        assert_eq!(call(&TOKENIZE).ok(), right, "{name}");
    }
}

/// The fast path: a locked file with a note is not read, and a replaced one is noticed.
#[test]
fn a_locked_file_with_a_note_is_still_compared() {
    let Some(shared) = shared("a_locked_file_with_a_note_is_still_compared") else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let real = shared.join("models/deberta-v3-xsmall");
    fs::create_dir(place.path().join("m")).unwrap();
    for name in ["config.json", "tokenizer_config.json", "spm.model"] {
        // Linked, because a file that was written just now has no note.
        let link = place.path().join("m").join(name);
        std::os::unix::fs::symlink(real.join(name), link).unwrap();
    }
    let call = |args: &[&str]| {
        let call = tokscope(args).current_dir(place.path());
        call.env("XDG_CACHE_HOME", place.path().join("own"))
    };
    call(&["lock", "-m", "m"]).ok();
    let right = call(&TOKENIZE).ok();
    assert_eq!(call(&TOKENIZE).ok(), right);
    let spm = place.path().join("m/spm.model");
    let mut bytes = fs::read(&spm).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(&spm).unwrap();
    fs::write(&spm, bytes).unwrap();
    let answer = call(&TOKENIZE).exit(2);
    assert!(answer.stderr.ends_with(DIFFER), "{}", answer.stderr);
}
