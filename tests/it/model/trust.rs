//! Files that are not what they seem: `--locked` and the caches use only bytes with the digest that was checked.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::hub::scene::names;
use crate::loopback_hub::{Access, Hub, sha256};
use crate::remote::{Remote, files_of};
use crate::support::{Call, folder_without_checkpoint, on, repository, shared, skipped, tokscope};

/// The part of the lock's error that is the same for directories and the Hub.
const DIFFER: &str =
    "differ from those in tokscope.lock\n\nhint: `tokscope check` shows what changed\n";
const TOKENIZE: [&str; 4] = ["tokenize", "banco de madera", "--ids", "--locked"];

/// The ways to change what a model tokenizes to: the name of a file, and its new content.
fn changes() -> Vec<(&'static str, Vec<u8>)> {
    let demo = |name: &str| fs::read(repository("demo/model").join(name)).unwrap();
    let edited = |name: &str, from: &str, to: &str| {
        let text = String::from_utf8(demo(name)).unwrap();
        assert!(text.contains(from), "{name}: {text}");
        text.replacen(from, to, 1).into_bytes()
    };
    vec![
        ("spm.model", renamed_piece(&demo("spm.model"))),
        (
            "added_tokens.json",
            br#"{"[MASK]": 2000, "banco": 2001}"#.to_vec(),
        ),
        (
            "special_tokens_map.json",
            br#"{"sep_token": "[PAD]"}"#.to_vec(),
        ),
        ("config.json", edited("config.json", "{", "{ ")),
        (
            "tokenizer_config.json",
            edited(
                "tokenizer_config.json",
                "\"do_lower_case\": false",
                "\"do_lower_case\": true ",
            ),
        ),
    ]
}

/// Returns an `spm.model` in which a piece of the demo is another one of the same length.
fn renamed_piece(spm: &[u8]) -> Vec<u8> {
    let mut bytes = spm.to_vec();
    bytes[place_of_piece(spm)] = b'x';
    bytes
}

/// Returns the place of the last byte of the piece `▁banco`.
fn place_of_piece(spm: &[u8]) -> usize {
    let piece = "▁banco\u{15}".as_bytes();
    let found = spm.windows(piece.len()).position(|bytes| bytes == piece);
    found.unwrap() + piece.len() - 2
}

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

/// A model whose `spm.model` is changed in place all the time, between two versions that differ in one piece.
struct Restless {
    folder: tempfile::TempDir,
    /// The two versions of `spm.model`.
    versions: [Vec<u8>; 2],
}

impl Restless {
    fn new() -> Self {
        let folder = folder_without_checkpoint();
        let mut first = fs::read(folder.path().join("spm.model")).unwrap();
        // An unknown field (number 100) of a mebibyte, so that the vocabulary is cached.
        first.extend([0xA2, 0x06, 0x80, 0x80, 0x40]);
        first.resize(first.len() + (1 << 20), 0);
        let second = renamed_piece(&first);
        fs::write(folder.path().join("spm.model"), &first).unwrap();
        Self {
            folder,
            versions: [first, second],
        }
    }

    /// Calls `work` repeatedly while the file changes.
    fn while_changing(&self, times: usize, mut work: impl FnMut(usize)) {
        let [first, second] = &self.versions;
        let place = place_of_piece(first);
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let path = self.folder.path().join("spm.model");
                let file = fs::OpenOptions::new().write(true).open(path).unwrap();
                for version in [second, first].into_iter().cycle() {
                    let byte = &version[place..=place];
                    file.write_all_at(byte, place as u64).unwrap();
                    if done.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                (0..times).for_each(&mut work);
            }));
            done.store(true, Ordering::Relaxed);
            if let Err(panic) = ended {
                std::panic::resume_unwind(panic);
            }
        });
    }

    /// Returns the ids and the compiled vocabulary of each version when nothing changes, in a cold cache.
    fn alone(&self) -> [(String, Vec<u8>); 2] {
        self.versions.clone().map(|version| {
            let folder = folder_without_checkpoint();
            fs::write(folder.path().join("spm.model"), &version).unwrap();
            let cache = tempfile::tempdir().unwrap();
            let ids = tokenize(folder.path(), cache.path()).ok();
            let [compiled] = &vocabularies(cache.path())[..] else {
                panic!("it is not cached");
            };
            (ids, fs::read(compiled).unwrap())
        })
    }
}

fn tokenize(model: &Path, cache: &Path) -> Call {
    on(model, ["tokenize", "banco de madera", "--ids"]).env("XDG_CACHE_HOME", cache)
}

fn vocabularies(cache: &Path) -> Vec<PathBuf> {
    let folder = cache.join("tokscope/vocabularies");
    names(&folder)
        .iter()
        .map(|name| folder.join(name))
        .collect()
}

/// A compiled vocabulary is never stored under the digest of other bytes than those that it was made of.
#[test]
fn a_file_that_changes_during_cold_runs_does_not_poison_the_cache() {
    let restless = Restless::new();
    let alone = restless.alone();
    assert_ne!(alone[0].0, alone[1].0);
    let mut stored = [0, 0];
    restless.while_changing(100, |_| {
        let cache = tempfile::tempdir().unwrap();
        let ids = tokenize(restless.folder.path(), cache.path()).ok();
        let [compiled] = &vocabularies(cache.path())[..] else {
            panic!("one vocabulary is cached");
        };
        let name = compiled.file_name().unwrap().to_str().unwrap();
        let of_version = |content: &Vec<u8>| name.starts_with(&sha256(content));
        let version = restless.versions.iter().position(of_version).unwrap();
        stored[version] += 1;
        assert!(fs::read(compiled).unwrap() == alone[version].1, "poisoned");
        assert_eq!(ids, alone[version].0);
    });
    assert!(stored.iter().all(|count| *count > 0), "{stored:?}");
}

/// A lock file has the digests of the files that its texts were encoded with.
#[test]
fn a_lock_of_a_file_that_changes_agrees_with_itself() {
    let restless = Restless::new();
    let alone = restless.alone();
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("own.txt"), "banco de madera\n").unwrap();
    restless.while_changing(25, |_| {
        let lock = ["lock", "--texts", "own.txt", "--no-cache"];
        let call = on(restless.folder.path(), lock).current_dir(place.path());
        call.ok();
        let lock = fs::read(place.path().join("tokscope.lock")).unwrap();
        let lock: serde_json::Value = serde_json::from_slice(&lock).unwrap();
        let files = lock["files"].as_array().unwrap().iter();
        let digest = files
            .filter(|file| file["name"] == "spm.model")
            .map(|file| file["sha256"].as_str().unwrap())
            .next();
        let version = restless
            .versions
            .iter()
            .position(|one| Some(&*sha256(one)) == digest);
        let texts = lock["texts"].as_array().unwrap();
        let ids = texts.last().unwrap()["ids"].as_str().unwrap();
        assert_eq!(ids, alone[version.unwrap()].0.trim());
    });
}

/// Under `--locked`, the answer is the locked one or the lock's error.
#[test]
fn a_locked_file_that_changes_is_never_used() {
    let restless = Restless::new();
    let right = restless.alone()[0].0.clone();
    let place = tempfile::tempdir().unwrap();
    let model = restless.folder.path().to_str().unwrap();
    let call = |args: &[&str]| {
        let call = tokscope(args).current_dir(place.path());
        call.env("XDG_CACHE_HOME", place.path().join("own"))
    };
    call(&["lock", "-m", model]).ok();
    let mut seen = [0, 0];
    restless.while_changing(60, |run| {
        let engine = ["native", "reference"][run % 2];
        let answer = call(&[&TOKENIZE[..], &["--engine", engine]].concat()).run();
        match answer.code {
            0 => assert_eq!(answer.stdout, right),
            2 => assert!(answer.stderr.ends_with(DIFFER), "{}", answer.stderr),
            _ => panic!("{answer:?}"),
        }
        seen[usize::from(answer.code == 0)] += 1;
    });
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}

/// `verify` compares two engines that are made of the same bytes.
#[test]
fn engines_that_are_compared_have_the_same_file() {
    let restless = Restless::new();
    restless.while_changing(30, |_| {
        let call = on(restless.folder.path(), ["verify", "--no-cache"]);
        call.stdin("banco de madera\n").ok();
    });
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

/// Two images of a file system with the same inodes, lengths, and times are mounted one after the other in the same
/// place. Everything happens in a mount namespace of its own.
#[cfg(target_os = "linux")]
#[test]
fn images_mounted_one_after_the_other_have_their_own_vocabularies() {
    const SCRIPT: &str = r#"
        set -e
        cd "$1"; mkdir mnt; truncate -s 8M a.img; mke2fs -q -t ext4 -d model a.img
        for time in ctime mtime; do
            debugfs -w -R "set_inode_field spm.model $time 20260101000000" a.img
            debugfs -w -R "set_inode_field spm.model ${time}_extra 0x1d6f3454" a.img
        done
        cp a.img b.img
        piece=$(grep -aboF "$4" b.img | head -n 1 | cut -d : -f 1)
        printf x | dd of=b.img bs=1 seek=$((piece + $5)) conv=notrunc
        device=$(losetup --find --show a.img); trap 'losetup -d "$device" || true' EXIT
        for way in rw ro; do
            rm -rf own
            for image in a a a b b a; do
                losetup -d "$device"; losetup "$device" $image.img
                mount -o $way "$device" mnt
                XDG_CACHE_HOME="$1/own" "$2" -m "$1/mnt" tokenize "$3" --ids >&3
                umount mnt
                sleep 0.1
            done
        done
    "#;
    let restless = Restless::new();
    let [first, second] = restless.alone();
    let place = tempfile::tempdir().unwrap();
    let model = place.path().join("model");
    fs::create_dir(&model).unwrap();
    for (name, content) in files_of(restless.folder.path()) {
        fs::write(model.join(name), content).unwrap();
    }
    let ran = std::process::Command::new("unshare")
        .args([
            "-m",
            "bash",
            "-c",
            &format!("exec 3>&1 >/dev/null; {SCRIPT}"),
            "bash",
        ])
        .arg(place.path())
        .args([env!("CARGO_BIN_EXE_tokscope"), "banco de madera"])
        .args(["▁banco\u{15}", &("▁banco".len() - 1).to_string()])
        .env("LC_ALL", "C")
        .output();
    let ran = match ran {
        Ok(ran) if ran.status.success() => ran,
        Ok(ran) => return skipped(String::from_utf8_lossy(&ran.stderr)),
        Err(error) => return skipped(error),
    };
    let ids = [&first.0, &second.0];
    let expected = [0, 0, 0, 1, 1, 0]
        .repeat(2)
        .into_iter()
        .map(|image| ids[image].as_str());
    assert_eq!(
        String::from_utf8(ran.stdout).unwrap(),
        expected.collect::<String>()
    );
}
