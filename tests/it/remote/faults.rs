//! Faults of ranged reads: the right answer or a clear error, and nothing wrong is cached.

use crate::cli::bad_input::fails;
use crate::loopback_hub::{Access, Fault};
use crate::remote::{Remote, TENSOR, local, locally, without_cost};
use crate::support::checkpoints::{CONTAINERS, checkpoint};
use crate::support::{Call, tiny_model};

const EMBED: [&str; 8] = [
    "embed", "--id", "700", "--id", "1500", "--id", "1100", "--json",
];
const DOWNLOAD: &str =
    "use `tokscope pull --weights` or `--download` to fetch the whole file and check its digest";

/// A Hub with a model whose tokenizer is cached, and the right rows.
fn scene(container: &str, file: &str) -> (Remote, String) {
    let remote = Remote::with(container, file);
    remote.warm("o/n");
    let folder = local(&[(file, checkpoint(container, TENSOR))]);
    let rows = without_cost(&locally(folder.path(), &EMBED));
    (remote, rows)
}

/// Reads rows with a long timeout, for a busy machine.
fn embed(remote: &Remote) -> Call {
    remote
        .call("o/n", &EMBED)
        .env("HF_HUB_DOWNLOAD_TIMEOUT", "60")
        .env("HF_HUB_ETAG_TIMEOUT", "60")
}

/// Reads rows with a short timeout, to test silence.
fn embed_soon(remote: &Remote) -> Call {
    embed(remote).env("HF_HUB_DOWNLOAD_TIMEOUT", "1")
}

/// Checks that a failure has cached nothing wrong: the next call gives the right rows.
fn recovers(remote: &Remote, rows: &str) {
    assert_eq!(without_cost(&embed(remote).ok()), rows);
}

#[test]
fn temporary_failures_are_retried() {
    for (container, file) in CONTAINERS {
        let (remote, rows) = scene(container, file);
        remote.hub.fault(Fault::HeadStatus(503), 1);
        remote.hub.fault(Fault::BlobStatus(503), 1);
        remote.hub.fault(Fault::BlobCut, 2);
        recovers(&remote, &rows);
        let (remote, rows) = scene(container, file);
        remote.hub.fault(Fault::BlobStalls, 1);
        let answer = embed_soon(&remote).exit(0);
        assert_eq!(without_cost(&answer.stdout), rows);
        let note = "note: no data for 1 s: trying again\n";
        assert_eq!(answer.stderr, note);
    }
}

#[test]
fn retry_after_is_honoured() {
    let (remote, rows) = scene("safetensors", "model.safetensors");
    remote.hub.fault(Fault::BlobLater("1"), 1);
    let answer = embed(&remote).exit(0);
    assert_eq!(without_cost(&answer.stdout), rows);
    assert_eq!(answer.stderr, "note: the Hub says to wait 1 s\n");
}

#[test]
fn permanent_failures_are_errors() {
    let statuses = [
        (Fault::HeadStatus(503), "answered 503 for model.safetensors"),
        (Fault::BlobStatus(503), "answered 503 for model.safetensors"),
        (Fault::BlobStatus(500), "answered 500 for model.safetensors"),
        (Fault::BlobStatus(451), "answered 451 for model.safetensors"),
        (Fault::BlobLater("1"), "answered 429 for model.safetensors"),
        (Fault::AddressExpired, "answered 403 for model.safetensors"),
        (Fault::BlobCut, "the connection broke"),
        (Fault::BlobStalls, "timed out"),
    ];
    // In parallel, since they mostly wait.
    std::thread::scope(|scope| {
        for (fault, problem) in statuses {
            scope.spawn(move || check_error(fault, problem));
        }
    });
}

fn check_error(fault: Fault, problem: &str) {
    let (remote, rows) = scene("safetensors", "model.safetensors");
    remote.hub.fault(fault, 100);
    let answer = embed_soon(&remote).exit(3);
    assert_eq!(answer.stdout, "", "{fault:?}");
    assert!(
        answer.stderr.contains(problem),
        "{fault:?}: {}",
        answer.stderr
    );
    assert_eq!(remote.cached_ranges().len(), 0, "{fault:?}");
    let remote = healed(remote);
    recovers(&remote, &rows);
}

/// The same Hub without faults, and the same caches.
fn healed(remote: Remote) -> Remote {
    remote.hub.heal();
    remote
}

#[test]
fn a_truncated_range_is_reported() {
    let (remote, _) = scene("safetensors", "model.safetensors");
    remote.hub.fault(Fault::BlobCut, 100);
    fails(
        embed(&remote),
        3,
        "the transfer of bytes 0 to 65536 of model.safetensors of `o/n` stopped after 61440 bytes: the connection broke",
        "",
    );
}

#[test]
fn a_server_without_ranges_is_reported() {
    for (container, file) in CONTAINERS {
        let (remote, rows) = scene(container, file);
        remote.hub.fault(Fault::BlobWhole, 1);
        let sentence = format!(
            "cannot read byte ranges of {file} of `o/n`: requested bytes 0 to 65536, but the server sends the whole file"
        );
        fails(embed(&remote), 3, &sentence, DOWNLOAD);
        assert_eq!(remote.cached_ranges().len(), 0);
        recovers(&remote, &rows);
    }
    let (remote, rows) = scene("safetensors", "model.safetensors");
    remote.hub.fault(Fault::BlobWhole, 100);
    let download = [&EMBED[..], &["--download"]].concat();
    assert_eq!(remote.call("o/n", &download).ok(), rows);
}

#[test]
fn a_wrong_range_is_reported() {
    for fault in [Fault::RangeElsewhere, Fault::RangeLonger] {
        let (remote, rows) = scene("safetensors", "model.safetensors");
        // The headers are cached, so the fault hits the rows.
        remote.call("o/n", &["info"]).ok();
        let kept = remote.cached_ranges();
        remote.hub.fault(fault, 3);
        let answer = embed(&remote).exit(3);
        let sentence =
            "error: cannot read byte ranges of model.safetensors of `o/n`: requested bytes ";
        assert!(answer.stderr.starts_with(sentence), "{}", answer.stderr);
        assert!(
            answer.stderr.contains(", but the server sends \"bytes "),
            "{}",
            answer.stderr
        );
        assert_eq!(answer.stdout, "");
        assert_eq!(remote.cached_ranges(), kept);
        let remote = healed(remote);
        recovers(&remote, &rows);
    }
}

#[test]
fn wrong_bytes_in_headers_are_refused_and_not_cached() {
    for (container, file) in CONTAINERS {
        for times in [1, 100] {
            let (remote, _) = scene(container, file);
            remote.hub.fault(Fault::BlobGarbage, times);
            let answer = embed(&remote).exit(4);
            assert!(
                answer.stderr.contains(&format!("{file} of `o/n` is ")),
                "{}",
                answer.stderr
            );
            assert_eq!(remote.cached_ranges().len(), 0, "{container}");
        }
        let (remote, rows) = scene(container, file);
        remote.hub.fault(Fault::BlobGarbage, 1);
        embed(&remote).exit(4);
        recovers(&remote, &rows);
        let (remote, rows) = scene(container, file);
        remote.hub.fault(Fault::BlobPage, 1);
        embed(&remote).exit(3);
        recovers(&remote, &rows);
    }
}

#[test]
fn a_file_fetched_whole_is_checked_by_its_digest() {
    // A small file is fetched in one range.
    let remote = Remote::new();
    let folder = tiny_model("f32.safetensors");
    remote.publish("o/n", Access::Public, folder.path());
    remote.warm("o/n");
    let args = ["embed", "--id", "1", "--json"];
    remote.hub.fault(Fault::BlobGarbage, 1);
    let sentence = "the download of model.safetensors of `o/n` does not match what the Hub announced: received 10240 bytes \
                    with another digest";
    fails(remote.call("o/n", &args), 3, sentence, "");
    let rows = without_cost(&remote.call("o/n", &args).ok());
    assert_eq!(rows, without_cost(&locally(folder.path(), &args)));

    let remote = Remote::new();
    let folder = tiny_model("sharded_safetensors");
    remote.publish("o/n", Access::Public, folder.path());
    remote.warm("o/n");
    remote.hub.fault(Fault::BlobGarbage, 1);
    let answer = remote.call("o/n", &args).exit(3);
    let sentence = "error: the download of model.safetensors.index.json of `o/n` does not match what the Hub announced: ";
    assert!(answer.stderr.starts_with(sentence), "{}", answer.stderr);
    let rows = without_cost(&remote.call("o/n", &args).ok());
    assert_eq!(rows, without_cost(&locally(folder.path(), &args)));

    let (remote, _) = scene("safetensors", "model.safetensors");
    remote.hub.fault(Fault::BlobGarbage, 1);
    let download = [&EMBED[..], &["--download"]].concat();
    let answer = remote.call("o/n", &download).exit(3);
    assert!(
        answer
            .stderr
            .contains("does not match what the Hub announced"),
        "{}",
        answer.stderr
    );
}

#[test]
fn an_expired_address_is_requested_again() {
    for (container, file) in CONTAINERS {
        let (remote, rows) = scene(container, file);
        remote.hub.fault(Fault::AddressExpired, 1);
        let answer = embed(&remote).ok();
        assert_eq!(without_cost(&answer), rows);
        let served = remote.served(file);
        let asked = served.iter().filter(|one| one.method == "HEAD").count();
        assert_eq!(asked, 2, "{served:?}");
    }
    // An address that expires between rows: the refused ranges are fetched with the new one.
    let (remote, rows) = scene("safetensors", "model.safetensors");
    remote.call("o/n", &["info"]).ok();
    remote.hub.served();
    remote.hub.fault(Fault::AddressExpired, 2);
    assert_eq!(without_cost(&embed(&remote).ok()), rows);
    let served = remote.served("model.safetensors");
    let count = |method: &str, status: u16| {
        let is = |one: &&crate::loopback_hub::Served| one.method == method && one.status == status;
        served.iter().filter(is).count()
    };
    assert_eq!(
        (count("HEAD", 302), count("GET", 206)),
        (2, 3),
        "{served:?}"
    );
}

#[test]
fn info_says_why_it_has_no_matrix() {
    let (remote, _) = scene("safetensors", "model.safetensors");
    remote.hub.fault(Fault::BlobWhole, 3);
    let answer = remote.call("o/n", &["info"]).exit(3);
    let reason = "cannot read byte ranges of model.safetensors of `o/n`: ";
    let note = format!("note: the matrix is not described: {reason}");
    assert!(answer.stdout.contains(&note), "{}", answer.stdout);
    assert!(
        answer.stderr.starts_with(&format!("error: {reason}")),
        "{}",
        answer.stderr
    );
    let args = ["info", "--get", "vocabulary_size"];
    assert_eq!(remote.call("o/n", &args).ok(), "2001\n");
    let answer = remote.call("o/n", &["info", "--get", "rows"]).exit(3);
    assert!(answer.stderr.contains(reason), "{}", answer.stderr);
    assert_eq!(
        remote.call("o/n", &["info", "--get", "rows"]).ok(),
        "2064\n"
    );

    let (mut remote, _) = scene("torch-zip", "pytorch_model.bin");
    remote.hub.fault(Fault::BlobGarbage, 1);
    remote.call("o/n", &["info"]).exit(4);
    // Offline nobody knows what the checkpoint is.
    let answer = remote
        .call("o/n", &["--offline", "info", "--get", "rows"])
        .exit(3);
    assert!(
        answer.stderr.contains("is not in the cache"),
        "{}",
        answer.stderr
    );
    // Without a network, everything else is still reported.
    remote.call("o/n", &["--offline", "info"]).ok();
    remote.hub.stop();
    assert!(
        remote
            .call("o/n", &["info"])
            .exit(0)
            .stdout
            .contains("so there is no matrix")
    );
}

#[test]
fn an_encoded_range_is_refused() {
    for encoding in ["gzip", "br", "identity, zstd", "unheard-of"] {
        let (remote, rows) = scene("safetensors", "model.safetensors");
        remote.hub.fault(Fault::BlobEncoded(encoding), 1);
        let answer = embed(&remote).exit(3);
        let problem = format!(
            "its answer is encoded (content-encoding: {encoding}), which was not asked for"
        );
        assert!(answer.stderr.contains(&problem), "{}", answer.stderr);
        assert_eq!(answer.stdout, "");
        assert_eq!(remote.cached_ranges().len(), 0);
        recovers(&remote, &rows);
    }
    let (remote, rows) = scene("safetensors", "model.safetensors");
    remote.hub.fault(Fault::BlobEncoded("identity"), 3);
    recovers(&remote, &rows);
}
