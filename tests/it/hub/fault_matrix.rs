//! Runs every kind of command against every fault of a Hub, once and permanently, with empty caches.
//!
//! Each call gives the right answer or an error with its exit code. Afterwards the cache holds no wrong byte, and the
//! healthy Hub gives the right answer.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::hub::scene::{check_blobs, names};
use crate::loopback_hub::Fault;
use crate::remote::{Remote, TENSOR, local, locally, without_cost};
use crate::support::Call;
use crate::support::checkpoints::checkpoint;

const PULL: &[&str] = &["pull", "--weights"];
const TOKENIZE: &[&str] = &["tokenize", "banco de madera", "--ids"];
const INFO: &[&str] = &["info", "--get", "rows"];
const EMBED: &[&str] = &["embed", "--id", "700", "--id", "1500", "--json"];
/// In the order of [`Codes`].
const COMMANDS: [&[&str]; 4] = [PULL, TOKENIZE, INFO, EMBED];
/// The longest a call may take, in seconds: four attempts of a second each and pauses of at most three seconds, with a
/// margin for a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// Exit codes of the commands, each for a fault that happens once and for a permanent one.
type Codes = [[i32; 2]; 4];
const WAITED_FOR: Codes = [[0, 3]; 4];

fn call(remote: &Remote, args: &[&str]) -> Call {
    remote
        .call("o/n", args)
        .env("HF_HUB_ETAG_TIMEOUT", "60")
        .env("HF_HUB_DOWNLOAD_TIMEOUT", "1")
}

/// Returns the output of the command without faults.
fn right(args: &[&str]) -> String {
    if args == PULL {
        return String::new();
    }
    let folder = local(&[("model.safetensors", checkpoint("safetensors", TENSOR))]);
    answer(args, &locally(folder.path(), args))
}

/// Returns the part of the output that is the same in every run.
fn answer(args: &[&str], stdout: &str) -> String {
    match args {
        args if args == PULL => String::new(),
        args if args == EMBED => without_cost(stdout),
        _ => stdout.to_owned(),
    }
}

fn snapshot(remote: &Remote) -> Vec<String> {
    let snapshots = remote.home.path().join("hub/models--o--n/snapshots");
    let commit = names(&snapshots).pop();
    names(&snapshots.join(commit.map(PathBuf::from).unwrap_or_default()))
}

/// Runs one command against one fault; if `warm`, with the tokenizer in the cache.
fn meet(fault: Fault, times: usize, args: &[&str], code: i32, warm: bool) {
    let case = format!("{} under {fault:?} x {times}", args[0]);
    let remote = Remote::with("safetensors", "model.safetensors");
    if warm {
        remote.warm("o/n");
    }
    remote.hub.fault(fault, times);
    let started = Instant::now();
    let met = call(&remote, args).run();
    let took = started.elapsed();
    assert_eq!(met.code, code, "{case}: {}", met.stderr);
    assert!(took < LIMIT, "{case}: {took:?}");
    check_blobs(remote.home.path());
    let right = right(args);
    match code {
        0 => assert!(answer(args, &met.stdout) == right, "{case}: {}", met.stdout),
        _ => {
            assert!(met.stderr.contains("error: "), "{case}: {}", met.stderr);
            // Only `pull` prints anything before the failure: the files fetched so far.
            assert!(
                args == PULL || met.stdout.is_empty(),
                "{case}: {}",
                met.stdout
            );
        }
    }
    remote.hub.heal();
    let after = call(&remote, args).exit(0);
    assert!(
        answer(args, &after.stdout) == right,
        "{case}, then healthy: {}",
        after.stdout
    );
    check_blobs(remote.home.path());
    if args == PULL {
        let all = [
            "config.json",
            "model.safetensors",
            "spm.model",
            "tokenizer_config.json",
        ];
        assert_eq!(snapshot(&remote), all, "{case}");
    }
}

/// Runs all commands in parallel, since they mostly wait.
fn matrix(fault: Fault, codes: Codes) {
    std::thread::scope(|scope| {
        for (args, codes) in COMMANDS.into_iter().zip(codes) {
            for (times, code) in [1, usize::MAX].into_iter().zip(codes) {
                scope.spawn(move || meet(fault, times, args, code, false));
            }
        }
    });
}

#[test]
fn the_api_answers_503() {
    matrix(Fault::ApiStatus(503), WAITED_FOR);
}

#[test]
fn the_headers_answer_503() {
    matrix(Fault::HeadStatus(503), WAITED_FOR);
}

#[test]
fn the_bytes_answer_503() {
    matrix(Fault::BlobStatus(503), WAITED_FOR);
}

#[test]
fn the_bytes_answer_408() {
    matrix(Fault::BlobStatus(408), WAITED_FOR);
}

#[test]
fn the_bytes_answer_429() {
    matrix(Fault::BlobLater("1"), WAITED_FOR);
}

#[test]
fn the_bytes_are_cut_off() {
    matrix(Fault::BlobCut, WAITED_FOR);
}

#[test]
fn the_bytes_stall() {
    matrix(Fault::BlobStalls, WAITED_FOR);
}

#[test]
fn the_bytes_never_begin() {
    matrix(Fault::BlobSilent, WAITED_FOR);
}

#[test]
fn the_bytes_are_slow() {
    matrix(Fault::BlobSlow, [[0, 0]; 4]);
}

/// Not retried, since the same bytes would come again.
#[test]
fn the_bytes_are_garbage() {
    matrix(Fault::BlobGarbage, [[3, 3]; 4]);
}

#[test]
fn the_bytes_are_a_web_page() {
    matrix(Fault::BlobPage, [[3, 3]; 4]);
}

/// The headers of a checkpoint have no digest of their own, so they are checked by parsing.
#[test]
fn the_headers_of_a_checkpoint_are_garbage() {
    std::thread::scope(|scope| {
        for args in [INFO, EMBED] {
            for times in [1, usize::MAX] {
                scope.spawn(move || meet(Fault::BlobGarbage, times, args, 4, true));
            }
        }
    });
}

/// Commands that need whole files do not request ranges.
#[test]
fn no_ranges_are_served() {
    matrix(Fault::BlobWhole, [[0, 0], [0, 0], [3, 3], [3, 3]]);
}

/// The first range begins at the start of the file, so it is right nevertheless.
#[test]
fn other_ranges_are_served() {
    matrix(Fault::RangeElsewhere, [[0, 0], [0, 0], [0, 0], [0, 3]]);
}

#[test]
fn longer_ranges_are_served() {
    matrix(Fault::RangeLonger, [[0, 0], [0, 0], [3, 3], [3, 3]]);
}
