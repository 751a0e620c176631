//! A Hub that lies about sizes and digests, or answers endlessly: memory is bounded and nothing wrong is stored.

use std::time::{Duration, Instant};

use crate::hub::scene::{check_blobs, names};
use crate::loopback_hub::{Fault, Served};
use crate::remote::Remote;
use crate::support::Answer;

const PULL: &[&str] = &["pull", "--weights"];
const TOKENIZE: &[&str] = &["tokenize", "a"];
const EMBED: &[&str] = &["embed", "--id", "700", "--json"];
/// The limit on an answer, plus what may be in transit when it is cut off.
const LARGEST_ANSWER: usize = (32 << 20) + (16 << 20);

/// Runs the program against a Hub that always lies, which must fail with exit code 3, then against the healthy Hub.
/// Returns the first answer.
fn lied_to(remote: &Remote, fault: Fault, args: &[&str]) -> Answer {
    remote.hub.fault(fault, usize::MAX);
    let call = |args| {
        let call = remote.call("o/n", args);
        call.env("HF_HUB_ETAG_TIMEOUT", "120")
    };
    let answer = call(args).exit(3);
    assert!(answer.stderr.starts_with("error: "), "{}", answer.stderr);
    check_blobs(remote.home.path());
    remote.hub.heal();
    call(args).exit(0);
    check_blobs(remote.home.path());
    answer
}

fn remote() -> Remote {
    Remote::with("safetensors", "model.safetensors")
}

/// Waits for the Hub to log the requests of a client that has already exited.
fn served(remote: &Remote, matches: impl Fn(&Served) -> bool) -> Vec<Served> {
    let started = Instant::now();
    let mut served = Vec::new();
    loop {
        served.extend(remote.hub.served().into_iter().filter(&matches));
        if !served.is_empty() {
            return served;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "nothing was served"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_endless_answer_is_cut_off() {
    for args in [PULL, TOKENIZE] {
        let remote = remote();
        let answer = lied_to(&remote, Fault::ApiEndless, args);
        let problem = ": its answer has more than 33554432 bytes\n";
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
        for one in served(&remote, |one| one.bytes >= 1 << 20) {
            assert!(one.bytes < LARGEST_ANSWER, "{one:?}");
        }
    }
}

#[test]
fn endless_pages_are_cut_off() {
    let remote = remote();
    let answer = lied_to(&remote, Fault::ApiPages, PULL);
    let problem = ": its answer has more than 33554432 bytes\n";
    assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    let pages = served(&remote, |one| one.path.contains("/tree/"));
    assert!(pages.len() < 1100, "{}", pages.len());
}

#[cfg(target_os = "linux")]
#[test]
fn fields_that_are_not_needed_take_no_memory() {
    let remote = remote();
    remote.hub.fault(Fault::ApiBloat, usize::MAX);
    let call = remote.call("o/n", PULL);
    let call = call.env("HF_HUB_ETAG_TIMEOUT", "120");
    let answer = call.run_within(300 << 20);
    assert_eq!(answer.code, 0, "{}", answer.stderr);
    let sizes: Vec<usize> = (remote.hub.served().iter())
        .filter(|one| one.path.starts_with("/api/models/"))
        .map(|one| one.bytes)
        .collect();
    assert!(sizes.len() >= 2, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size > 30_000_000), "{sizes:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_list_of_too_many_files_is_refused() {
    for args in [PULL, TOKENIZE] {
        let remote = remote();
        let answer = lied_to(&remote, Fault::ApiManyFiles, args);
        let problem = ": its answer lists more than 524288 files\n";
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
    }
}

#[test]
fn endless_headers_are_cut_off() {
    let remote = remote();
    lied_to(&remote, Fault::ApiHeaders, TOKENIZE);
    let all = served(&remote, |one| one.bytes >= 1 << 16);
    for one in all {
        assert!(one.bytes < LARGEST_ANSWER, "{one:?}");
    }
}

#[test]
fn an_endless_file_is_cut_off_at_its_size() {
    let remote = remote();
    let answer = lied_to(&remote, Fault::BlobEndless, PULL);
    assert!(
        answer.stderr.contains(": received more than its "),
        "{}",
        answer.stderr
    );
    let served = served(&remote, |one| one.bytes >= 1 << 16);
    assert!(served.iter().all(|one| one.bytes < LARGEST_ANSWER));
}

#[test]
fn an_endless_error_page_is_not_read() {
    for args in [PULL, TOKENIZE, EMBED] {
        let remote = remote();
        lied_to(&remote, Fault::BlobErrorEndless, args);
        let served = served(&remote, |one| one.status == 451);
        assert!(served.iter().all(|one| one.bytes < LARGEST_ANSWER));
    }
}

#[test]
fn false_sizes_are_noticed() {
    for size in [0, 10, 1 << 40, u64::MAX] {
        for args in [PULL, TOKENIZE] {
            lied_to(&remote(), Fault::SizeLie(size), args);
        }
        let remote = remote();
        remote.warm("o/n");
        remote.hub.fault(Fault::SizeLie(size), usize::MAX);
        let answer = remote.call("o/n", EMBED).run();
        assert!([3, 4].contains(&answer.code), "{size}: {}", answer.stderr);
        assert_eq!(answer.stdout, "");
        check_blobs(remote.home.path());
    }
}

#[test]
fn a_malformed_digest_is_refused() {
    for args in [PULL, TOKENIZE] {
        let remote = remote();
        let answer = lied_to(&remote, Fault::EtagLie, args);
        let problem = ": it does not answer like a Hub\n";
        assert!(answer.stderr.contains(problem), "{}", answer.stderr);
        let beside = names(remote.home.path());
        assert!(
            beside.iter().all(|name| name == "hub" || name == "own"),
            "{beside:?}"
        );
    }
}
