//! Rows of a checkpoint on the Hub: the same as those of a local file, for a handful of requests.

use std::fs;

use crate::loopback_hub::{Access, GOOD_TOKEN, sha256};
use crate::records::one;
use crate::remote::{Remote, TENSOR, TEXT, local, locally, split_cost, without_cost};
use crate::support::checkpoints::{COLUMNS, CONTAINERS, ROWS, SIZE, WIDTH, checkpoint};
use crate::support::tiny_model;

/// Ids far apart, ids close together, and the first and last.
const IDS: [&str; 14] = [
    "--id", "0", "--id", "700", "--id", "710", "--id", "1100", "--id", "1500", "--id", "2063",
    "--id", "700",
];

fn embed_ids() -> Vec<&'static str> {
    [&["embed", "--json"], &IDS[..]].concat()
}

#[test]
fn rows_of_every_container_are_those_of_the_file() {
    for (container, file) in CONTAINERS {
        let content = checkpoint(container, TENSOR);
        let folder = local(&[(file, content.clone())]);
        let remote = Remote::with(container, file);
        remote.warm("o/n");
        for args in [vec!["embed", TEXT, "--json"], embed_ids()] {
            let expected = without_cost(&locally(folder.path(), &args));
            let (rows, cost) = split_cost(&remote.call("o/n", &args).ok());
            assert_eq!(rows, expected, "{container}");

            let served = remote.served(file);
            let bytes: usize = served.iter().map(|one| one.bytes).sum();
            let said = cost.map(|(bytes, requests)| (bytes as usize, requests as usize));
            assert_eq!(said, Some((bytes, served.len())), "{container}: {served:?}");
            for one in &served {
                assert_eq!(one.cdn, one.method == "GET", "{one:?}");
                assert_eq!(one.status, if one.cdn { 206 } else { 302 }, "{one:?}");
            }
            let questions = served.iter().filter(|one| one.method == "HEAD").count();
            assert_eq!(questions, 1, "one address serves all: {served:?}");
            assert!(
                served.len() <= 10 && bytes < 200_000,
                "{container}: {served:?}"
            );
            assert!(bytes < content.len() / 10);

            // The second call makes no requests, so it works without a network.
            assert_eq!(remote.call("o/n", &args).ok(), expected);
            let offline = [&["--offline"], &args[..]].concat();
            assert_eq!(remote.call("o/n", &offline).ok(), expected);
            assert_eq!(remote.hub.served(), []);
        }
        let blobs = remote.blobs("o/n");
        assert!(!blobs.contains(&sha256(&content)), "{blobs:?}");
    }
}

#[test]
fn close_rows_share_a_request_and_others_are_fetched_in_parallel() {
    let remote = Remote::with("safetensors", "model.safetensors");
    remote.warm("o/n");
    remote.call("o/n", &["embed", "--id", "0"]).ok();
    remote.hub.served();
    let header = checkpoint("safetensors", TENSOR).len() - SIZE - 300_000;
    let range = |first: usize, last: usize| {
        let start = header + first * WIDTH;
        format!("bytes={start}-{}", header + (last + 1) * WIDTH - 1)
    };
    remote.call("o/n", &embed_ids()).ok();
    let served = remote.served("model.safetensors");
    let mut ranges: Vec<String> = served.into_iter().filter_map(|one| one.range).collect();
    ranges.sort();
    let mut expected = [
        range(700, 710),
        range(1100, 1100),
        range(1500, 1500),
        range(2063, 2063),
    ];
    expected.sort();
    assert_eq!(ranges, expected);

    // The rows between them were fetched, too.
    remote.call("o/n", &["embed", "--id", "705"]).ok();
    assert_eq!(remote.hub.served(), []);
    let args = ["embed", "--id", "1101", "--id", "1102", "--id", "710"];
    remote.call("o/n", &args).ok();
    let served = remote.served("model.safetensors");
    assert_eq!(served[1].range, Some(range(1101, 1102)), "{served:?}");
    assert_eq!(served.len(), 2, "{served:?}");
}

#[test]
fn info_reads_headers_and_no_weights() {
    for (container, file) in CONTAINERS {
        let remote = Remote::with(container, file);
        let info = one(&remote.call("o/n", &["info", "--json"]).ok()).info();
        let matrix = info.embedding.unwrap();
        assert_eq!((matrix.rows, matrix.columns), (ROWS as u64, COLUMNS as u64));
        assert_eq!(
            (matrix.container.as_str(), matrix.file.as_str()),
            (container, file)
        );
        let listed = info.files.iter().find(|entry| entry.name == file);
        assert!(!listed.unwrap().cached);
        let served = remote.served(file);
        assert!(served.len() <= 5, "{served:?}");
        let bytes: usize = served.iter().map(|one| one.bytes).sum();
        assert_eq!(info.bytes_fetched, Some(bytes as u64));
        assert_eq!(info.requests, Some(served.len() as u64));
        assert!(bytes < 150_000, "{served:?}");

        let args = ["info", "--get", "rows"];
        assert_eq!(remote.call("o/n", &args).ok(), format!("{ROWS}\n"));
        assert_eq!(remote.served(file), []);
        let args = ["--offline", "info", "--get", "columns"];
        assert_eq!(remote.call("o/n", &args).ok(), format!("{COLUMNS}\n"));
    }
}

#[test]
fn rows_are_compared_and_exported_as_those_of_a_file() {
    let (container, file) = CONTAINERS[1];
    let folder = local(&[(file, checkpoint(container, TENSOR))]);
    let remote = Remote::with(container, file);
    remote.warm("o/n");
    let args = ["diff", "--id", "700", "--id", "1500", "--json"];
    let here = crate::support::on(folder.path(), args).exit(1).stdout;
    let answer = remote.call("o/n", &args).exit(1).stdout;
    assert_eq!(without_cost(&answer), without_cost(&here));
    let diff = one(&answer).diff();
    assert_eq!(diff.requests, Some(remote.served(file).len() as u64));
    assert!(diff.bytes_fetched.is_some());
    let args = ["diff", "--id", "700", "--id", "700", "--json"];
    let diff = one(&remote.call("o/n", &args).ok()).diff();
    assert!(diff.identical && diff.requests.is_none(), "{diff:?}");

    for name in ["rows.npy", "rows.safetensors"] {
        let (here, there) = (folder.path().join(name), remote.home.path().join(name));
        let write = |path: &std::path::Path| -> Vec<String> {
            let path = path.to_str().unwrap();
            let args = ["embed", "-q", "-o", path].into_iter().chain(IDS);
            args.map(str::to_owned).collect()
        };
        crate::support::on(folder.path(), write(&here)).ok();
        let args = write(&there);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        remote.call("o/n", &args).ok();
        assert!(
            fs::read(here).unwrap() == fs::read(there).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn every_fixture_is_read_remotely_as_it_is_locally() {
    let fixtures = [
        "bf16.safetensors",
        "f16.safetensors",
        "f32.safetensors",
        "legacy_f16.bin",
        "sharded_bin",
        "sharded_safetensors",
        "zip_f16.bin",
        "zip_f16_nested.bin",
        "zip_f16_no_prefix.bin",
        "zip_f16_storage_offset.bin",
        "zip_f16_transposed.bin",
        "zip_f32_parameter.bin",
        "zip_f64.bin",
    ];
    let remote = Remote::new();
    let args = ["embed", "--id", "1", "--id", "150", "--id", "299", "--json"];
    for (index, fixture) in fixtures.into_iter().enumerate() {
        let folder = tiny_model(fixture);
        let id = format!("o/tiny-{index}");
        remote.publish(&id, Access::Public, folder.path());
        let rows = without_cost(&remote.call(&id, &args).ok());
        assert_eq!(
            rows,
            without_cost(&locally(folder.path(), &args)),
            "{fixture}"
        );
        let offline = [&["--offline"], &args[..]].concat();
        assert_eq!(remote.call(&id, &offline).ok(), rows, "{fixture}");
    }
}

#[test]
fn a_transposed_matrix_is_read_in_few_requests() {
    // Elements of a row lie 600 bytes apart, close enough to share requests.
    let remote = Remote::new();
    remote.publish(
        "o/n",
        Access::Public,
        tiny_model("zip_f16_transposed.bin").path(),
    );
    remote.call("o/n", &["embed", "--id", "150"]).ok();
    assert!(remote.served(".bin").len() <= 3);
}

#[test]
fn only_one_shard_of_a_sharded_model_is_read() {
    let remote = Remote::new();
    let shard = checkpoint("safetensors", TENSOR);
    let other = checkpoint("safetensors", "lm_head.weight");
    let index = format!(
        r#"{{"weight_map": {{"lm_head.weight": "model-1.safetensors", "{TENSOR}": "model-2.safetensors"}}}}"#
    );
    let folder = local(&[
        ("model-1.safetensors", other),
        ("model-2.safetensors", shard.clone()),
        ("model.safetensors.index.json", index.into_bytes()),
    ]);
    remote.publish("o/n", Access::Public, folder.path());
    let args = embed_ids();
    let rows = without_cost(&remote.call("o/n", &args).ok());
    assert_eq!(rows, without_cost(&locally(folder.path(), &args)));
    let served = remote.hub.served();
    let about = |name: &str| served.iter().filter(|one| one.path.ends_with(name)).count();
    assert_eq!(about("model-1.safetensors"), 0);
    assert!(
        (2..=8).contains(&about("model-2.safetensors")),
        "{served:?}"
    );
    assert!(about("model.safetensors.index.json") > 0);
    let blobs = remote.blobs("o/n");
    assert!(!blobs.contains(&sha256(&shard)), "{blobs:?}");
    let offline = [&["--offline"], &args[..]].concat();
    assert_eq!(remote.call("o/n", &offline).ok(), rows);
}

#[test]
fn models_of_other_families_are_read() {
    for tensor in [
        "model.embed_tokens.weight",
        "transformer.wte.weight",
        "shared.weight",
    ] {
        let remote = Remote::new();
        let folder = local(&[("model.safetensors", checkpoint("safetensors", tensor))]);
        remote.publish("o/n", Access::Public, folder.path());
        let args = ["embed", "--id", "1500", "--json"];
        let rows = without_cost(&remote.call("o/n", &args).ok());
        assert_eq!(
            rows,
            without_cost(&locally(folder.path(), &args)),
            "{tensor}"
        );
    }
}

#[test]
fn a_revision_is_pinned_to_its_commit() {
    let remote = Remote::with("safetensors", "model.safetensors");
    let first = checkpoint("safetensors", TENSOR);
    let args = ["embed", "--id", "1500", "--json"];
    let old = without_cost(&remote.call("o/n", &args).ok());
    let mut newer = first.clone();
    let row = first.len() - 300_000 - (ROWS - 1500) * WIDTH;
    newer[row..row + 4].copy_from_slice(&7.0_f32.to_le_bytes());
    let folder = local(&[("model.safetensors", newer)]);
    let commit = remote.publish("o/n", Access::Public, folder.path());
    remote.hub.served();

    // The cache still has `main` at the old commit, so another row comes from that commit.
    let other = ["embed", "--id", "1499", "--json"];
    remote.call("o/n", &other).ok();
    for one in remote.served("model.safetensors") {
        assert!(!one.path.contains(&commit), "{one:?}");
    }
    assert_eq!(remote.call("o/n", &args).ok(), old);

    let new = without_cost(&locally(folder.path(), &args));
    assert_ne!(new, old);
    for model in ["o/n@refs/pr/1", &format!("o/n@{commit}")] {
        assert_eq!(
            without_cost(&remote.call(model, &args).ok()),
            new,
            "{model}"
        );
        for one in remote.served("model.safetensors") {
            assert!(one.path.contains(&commit), "{one:?}");
        }
    }
    remote.call("o/n", &["pull"]).ok();
    assert_eq!(
        remote.call("o/n", &args).ok(),
        new,
        "and it is kept already"
    );
}

#[test]
fn a_gated_model_needs_a_token_that_the_cdn_never_gets() {
    let remote = Remote::new();
    let folder = local(&[("pytorch_model.bin", checkpoint("torch-zip", TENSOR))]);
    remote.publish("o/g", Access::Gated, folder.path());
    let args = ["embed", "--id", "1500", "--json"];
    for token in ["", "hf_bad"] {
        let answer = remote.call("o/g", &args).env("HF_TOKEN", token).exit(3);
        assert!(
            answer.stderr.contains("`o/g` is gated: "),
            "{}",
            answer.stderr
        );
    }
    remote.hub.served();
    let answer = remote.call("o/g", &args).env("HF_TOKEN", GOOD_TOKEN).ok();
    assert_eq!(
        without_cost(&answer),
        without_cost(&locally(folder.path(), &args))
    );
    let served = remote.served("pytorch_model.bin");
    assert!(served.iter().any(|one| one.cdn));
    for one in served {
        assert_eq!(one.token, !one.cdn, "{one:?}");
    }
    // The tokenizer is cached but the checkpoint is not, so the token is still needed.
    let args = ["embed", "--id", "1100"];
    let answer = remote.call("o/g", &args).exit(3);
    assert!(
        answer.stderr.contains("`o/g` is gated: "),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_small_checkpoint_is_read_from_the_hub_with_the_token() {
    // Too small for the CDN, so the Hub itself serves it.
    let remote = Remote::new();
    let header = format!(r#"{{"{TENSOR}":{{"dtype":"F32","shape":[3,4],"data_offsets":[0,48]}}}}"#);
    let mut small = (header.len() as u64).to_le_bytes().to_vec();
    small.extend(header.as_bytes());
    small.extend((0..12).flat_map(|n| (n as f32).to_le_bytes()));
    let folder = local(&[("model.safetensors", small)]);
    remote.publish("o/g", Access::Gated, folder.path());
    let args = ["embed", "--id", "2", "--json"];
    let answer = remote.call("o/g", &args).env("HF_TOKEN", GOOD_TOKEN).ok();
    assert_eq!(
        without_cost(&answer),
        without_cost(&locally(folder.path(), &args))
    );
    let served = remote.served("model.safetensors");
    assert!(served.iter().all(|one| one.token && !one.cdn), "{served:?}");
    assert_eq!(served.last().unwrap().status, 206);
}

#[test]
fn verbose_reports_requests_and_bytes() {
    let remote = Remote::with("safetensors", "model.safetensors");
    let args = ["-v", "embed", "--id", "1500", "--id", "900", "--json"];
    let answer = remote.call("o/n", &args).exit(0);
    let (_, cost) = split_cost(&answer.stdout);
    let (bytes, requests) = cost.unwrap();
    let line = format!(
        "model.safetensors of `o/n`: {} bytes in 2 requests, {bytes} bytes in {requests} requests so far\n",
        2 * WIDTH
    );
    assert!(answer.stderr.ends_with(&line), "{}", answer.stderr);
    let answer = remote.call("o/n", &args).exit(0);
    assert!(!answer.stderr.contains("requests"), "{}", answer.stderr);
}
