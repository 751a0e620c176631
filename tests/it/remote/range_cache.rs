//! The cache of ranges: enough to read the same rows without a network, nothing wrong, and apart from the Hub cache.

use std::fs;

use crate::loopback_hub::{Access, Fault, Hub, sha256};
use crate::remote::{Remote, TENSOR, TEXT, files_of, local, locally, split_cost, without_cost};
use crate::support::checkpoints::checkpoint;

#[test]
fn download_fetches_the_whole_file_for_later_calls() {
    let remote = Remote::with("torch-zip", "pytorch_model.bin");
    let content = checkpoint("torch-zip", TENSOR);
    let folder = local(&[("pytorch_model.bin", content.clone())]);
    let args = ["embed", TEXT, "--json"];
    let expected = locally(folder.path(), &args);
    let download = [&args[..], &["--download"]].concat();
    assert_eq!(
        remote.call("o/n", &download).ok(),
        expected,
        "no ranges, no cost"
    );
    assert!(remote.blobs("o/n").contains(&sha256(&content)));
    assert!(
        remote
            .served("pytorch_model.bin")
            .iter()
            .all(|one| one.range.is_none())
    );
    assert_eq!(remote.call("o/n", &args).ok(), expected);
    remote.call("o/n", &["neighbors", "--id", "5"]).ok();
    assert_eq!(remote.hub.served(), []);
    assert_eq!(remote.cached_ranges().len(), 0);
}

#[test]
fn no_cache_stores_nothing() {
    let remote = Remote::with("safetensors", "model.safetensors");
    remote.warm("o/n");
    let args = ["--no-cache", "embed", "--id", "1500", "--json"];
    let first = remote.call("o/n", &args).ok();
    assert!(!remote.hub.served().is_empty());
    assert_eq!(remote.call("o/n", &args).ok(), first, "at the same cost");
    assert!(!remote.hub.served().is_empty());
    let call = remote.call("o/n", &args[1..]).env("TOKSCOPE_NO_CACHE", "1");
    assert_eq!(call.ok(), first);
    assert_eq!(remote.cached_ranges().len(), 0);
    // An unwritable cache is ignored.
    let file = remote.home.path().join("file");
    fs::write(&file, "").unwrap();
    let call = remote.call("o/n", &args[1..]).env("XDG_CACHE_HOME", &file);
    assert_eq!(call.ok(), first);
}

#[test]
fn damaged_ranges_are_fetched_again() {
    let remote = Remote::with("safetensors", "model.safetensors");
    let args = ["embed", "--id", "1500", "--id", "700", "--json"];
    let rows = without_cost(&remote.call("o/n", &args).ok());
    let kept = remote.cached_ranges();
    assert_eq!(kept.len(), 2, "headers, rows: {kept:?}");
    for path in &kept {
        let whole = fs::read(path).unwrap();
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        for damaged in [&b""[..], &whole[..whole.len() / 2], &changed] {
            fs::write(path, damaged).unwrap();
            remote.hub.served();
            assert_eq!(without_cost(&remote.call("o/n", &args).ok()), rows);
            assert!(!remote.hub.served().is_empty());
            remote
                .cached_ranges()
                .iter()
                .filter(|other| !kept.contains(other))
                .for_each(|other| {
                    fs::remove_file(other).unwrap();
                });
        }
        fs::write(path, whole).unwrap();
        assert_eq!(remote.call("o/n", &args).ok(), rows);
        assert_eq!(remote.hub.served(), []);
    }
}

#[test]
fn parallel_processes_get_the_same_rows() {
    let remote = Remote::with("torch-zip", "pytorch_model.bin");
    let folder = local(&[("pytorch_model.bin", checkpoint("torch-zip", TENSOR))]);
    let args = ["embed", TEXT, "--json"];
    let expected = without_cost(&locally(folder.path(), &args));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let answer = remote.call("o/n", &args).exit(0);
                assert_eq!(without_cost(&answer.stdout), expected);
            });
        }
    });
    remote.hub.served();
    assert_eq!(remote.call("o/n", &args).ok(), expected);
    assert_eq!(remote.hub.served(), []);
}

#[test]
fn many_calls_leave_few_files() {
    let remote = Remote::with("safetensors", "model.safetensors");
    for id in 0..20 {
        let id = (id * 100).to_string();
        remote.call("o/n", &["embed", "--id", &id]).ok();
    }
    let kept = remote.cached_ranges();
    assert!(kept.len() < 17, "{kept:?}");
    remote.hub.served();
    let ids: Vec<String> = (0..20).map(|id| (id * 100).to_string()).collect();
    let args = ids.iter().flat_map(|id| ["--id", id]);
    let args: Vec<&str> = ["embed", "--json"].into_iter().chain(args).collect();
    let (_, cost) = split_cost(&remote.call("o/n", &args).ok());
    assert_eq!(cost, None, "all of them are here");
}

#[test]
fn offline_a_row_outside_the_cache_is_an_error() {
    let mut remote = Remote::with("safetensors", "model.safetensors");
    remote.call("o/n", &["embed", "--id", "1500"]).ok();
    let args = ["--offline", "embed", "--id", "900"];
    let answer = remote.call("o/n", &args).exit(3);
    assert_eq!(
        answer.stderr,
        "error: `o/n` is not in the cache (model.safetensors), and the network is off\n\n\
         hint: run `tokscope pull o/n --weights` once with the network on, or try the built-in model with \
         `--model demo`\n"
    );
    let endpoint = remote.hub.endpoint();
    remote.hub.stop();
    let answer = remote.call("o/n", &args[1..]).exit(3);
    let sentence = format!("error: cannot reach {endpoint} for `o/n`: connection refused\n");
    assert!(answer.stderr.starts_with(&sentence), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("part of the model is in the cache"),
        "{}",
        answer.stderr
    );
    // Cached rows need no network.
    remote.call("o/n", &["embed", "--id", "1500"]).ok();
}

#[test]
fn content_cached_for_another_commit_is_used() {
    let remote = Remote::with("torch-zip", "pytorch_model.bin");
    remote.call("o/n", &["pull", "--weights"]).ok();
    let folder = local(&[("pytorch_model.bin", checkpoint("torch-zip", TENSOR))]);
    fs::write(folder.path().join("README.md"), "another commit").unwrap();
    let commit = remote.publish("o/n", Access::Public, folder.path());
    remote.call("o/n", &["pull"]).ok();
    remote.hub.served();
    let args = ["embed", TEXT, "--json"];
    assert_eq!(
        remote.call("o/n", &args).ok(),
        locally(folder.path(), &args)
    );
    let served = remote.served("pytorch_model.bin");
    assert!(served.iter().all(|one| one.method == "HEAD"), "{served:?}");
    let snapshot = format!("hub/models--o--n/snapshots/{commit}/pytorch_model.bin");
    assert!(remote.home.path().join(snapshot).is_file());
}

/// A mirror announces the same file, and sends other bytes by ranges, which no digest covers.
#[test]
fn ranges_of_one_endpoint_are_not_used_for_another() {
    let remote = Remote::with("safetensors", "model.safetensors");
    let mirror = Hub::start();
    let folder = local(&[("model.safetensors", checkpoint("safetensors", TENSOR))]);
    let files = files_of(folder.path());
    let files: Vec<(&str, &[u8])> = files.iter().map(|(n, c)| (&**n, &**c)).collect();
    mirror.publish("o/n", Access::Public, &files);
    let args = ["embed", "--id", "1500", "--json"];
    let right = without_cost(&locally(folder.path(), &args));
    remote.call("o/n", &["tokenize", "a"]).ok();
    let at_mirror = |args: &[&str]| {
        let call = remote.call("o/n", args);
        call.env("HF_ENDPOINT", mirror.endpoint())
    };
    at_mirror(&["info"]).ok();
    mirror.fault(Fault::BlobGarbage, 1);
    let wrong = without_cost(&at_mirror(&args).ok());
    assert_ne!(wrong, right, "the mirror lies");
    remote.hub.served();
    assert_eq!(without_cost(&remote.call("o/n", &args).ok()), right);
    assert!(!remote.hub.served().is_empty(), "the Hub was asked");
    // Both are cached apart from each other.
    let offline = ["--offline", "embed", "--id", "1500", "--json"];
    assert_eq!(without_cost(&at_mirror(&offline).ok()), wrong);
    assert_eq!(without_cost(&remote.call("o/n", &offline).ok()), right);
}
