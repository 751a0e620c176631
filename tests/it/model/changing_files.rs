//! Files that change or are replaced while they are read: the bytes that are hashed are those that are used and cached.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::hub::scene::names;
use crate::loopback_hub::sha256;
use crate::model::changes::{DIFFER, TOKENIZE, place_of_piece, renamed_piece};
use crate::remote::files_of;
use crate::support::{Call, folder_without_checkpoint, on, skipped, tokscope};

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
