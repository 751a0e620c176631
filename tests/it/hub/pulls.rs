//! Killed pulls and parallel pulls: no wrong byte in the cache, and no byte fetched twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::hub::scene::{check_blobs, names, weights};
use crate::loopback_hub::{Access, Fault, LARGE};
use crate::remote::{Remote, files_of, local};
use crate::support::Call;

/// Number of kills, unless `TOKSCOPE_KILLS` sets another.
const KILLS: usize = 25;
/// Kills happen within this time, which is shorter than a pull.
const LAST_MOMENT: u64 = 1500;
const FILES: [&str; 4] = [
    "config.json",
    "model.safetensors",
    "spm.model",
    "tokenizer_config.json",
];

/// A slow Hub with a model that has a large checkpoint.
fn scene() -> (Remote, tempfile::TempDir) {
    let remote = Remote::new();
    let folder = local(&[("model.safetensors", weights())]);
    remote.publish("o/n", Access::Public, folder.path());
    remote.hub.fault(Fault::BlobSlow, usize::MAX);
    (remote, folder)
}

fn pull(remote: &Remote) -> Call {
    remote
        .call("o/n", &["pull", "--weights"])
        .env("HF_HUB_ETAG_TIMEOUT", "60")
        .env("HF_HUB_DOWNLOAD_TIMEOUT", "60")
}

fn check_snapshot(remote: &Remote, published: &Path) {
    assert_eq!(check_blobs(remote.home.path()), FILES.len());
    let snapshots = remote.home.path().join("hub/models--o--n/snapshots");
    let snapshot = snapshots.join(&names(&snapshots)[0]);
    assert_eq!(names(&snapshot), FILES);
    for (name, content) in files_of(published) {
        assert!(fs::read(snapshot.join(&name)).unwrap() == content, "{name}");
    }
}

/// Returns the next pseudo-random number, the same in every run (Marsaglia's xorshift).
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn a_killed_pull_leaves_the_cache_intact() {
    let kills = std::env::var("TOKSCOPE_KILLS").ok();
    let kills = kills.map_or(KILLS, |kills| kills.parse().unwrap());
    let (remote, folder) = scene();
    let mut state = 0x7075_6c6c;
    let (mut killed, mut finished, mut resumed) = (0, 0, 0);
    while killed < kills {
        let moment = Duration::from_millis(random(&mut state) % LAST_MOMENT);
        let started = Instant::now();
        let mut child = pull(&remote).spawn();
        let ended = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if started.elapsed() >= moment {
                break None;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        match ended {
            None => {
                // SIGKILL, so the program cannot clean up.
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
                check_blobs(remote.home.path());
            }
            Some(status) => {
                assert!(status.success());
                check_snapshot(&remote, folder.path());
                finished += 1;
                // Start over, so that there is something to kill.
                fs::remove_dir_all(remote.home.path().join("hub")).unwrap();
            }
        }
        let partial = |one: &crate::loopback_hub::Served| one.status == 206;
        resumed += usize::from(remote.hub.served().iter().any(partial));
    }
    remote.hub.heal();
    pull(&remote).ok();
    check_snapshot(&remote, folder.path());
    println!("{killed} pulls killed, {finished} finished before, {resumed} went on with a file");
}

#[test]
fn eight_parallel_pulls_fetch_each_file_once() {
    let (remote, folder) = scene();
    let answers: Vec<_> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| pull(&remote).exit(0)))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    for answer in &answers {
        for name in FILES {
            assert!(answer.stdout.contains(name), "{}", answer.stdout);
        }
        let waits = answer.stderr.lines().filter(|line| !line.is_empty());
        let waits = waits.filter(|line| !line.starts_with("note: waiting for another process "));
        assert_eq!(waits.count(), 0, "{}", answer.stderr);
    }
    check_snapshot(&remote, folder.path());
    let mut fetched = BTreeMap::new();
    let contents: BTreeMap<_, _> = files_of(folder.path()).into_iter().collect();
    for one in remote.hub.served() {
        let is_file = one.cdn || one.path.starts_with("/api/resolve-cache/");
        if one.method == "GET" && is_file {
            let name = one.path.rsplit('/').next().unwrap().to_owned();
            assert_eq!(one.cdn, contents[&name].len() >= LARGE);
            *fetched.entry(name).or_insert(0) += 1;
        }
    }
    let once = FILES.map(|name| (name.to_owned(), 1));
    assert_eq!(fetched, BTreeMap::from(once), "each file, once");
}
