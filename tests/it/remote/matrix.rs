//! A whole matrix of a checkpoint on the Hub: only its bytes are fetched, and only once.

use std::fs;

use crate::loopback_hub::{Access, Fault};
use crate::records::{one, records};
use crate::remote::{Remote, TENSOR, TEXT, files_of, local, locally, split_cost, without_cost};
use crate::support::checkpoints::{CONTAINERS, SIZE, checkpoint};

const NEIGHBORS: [&str; 6] = ["neighbors", "--id", "1500", "-k", "5", "--json"];

#[test]
fn a_search_fetches_the_matrix_and_nothing_else() {
    for (container, file) in CONTAINERS {
        let folder = local(&[(file, checkpoint(container, TENSOR))]);
        let expected = locally(folder.path(), &NEIGHBORS);
        let remote = Remote::with(container, file);
        remote.warm("o/n");
        let answer = remote.call("o/n", &NEIGHBORS).exit(0);
        assert_eq!(answer.stdout, expected, "{container}");
        let note = "note: fetching 2.1 MB of the 2.";
        assert!(answer.stderr.starts_with(note), "{}", answer.stderr);
        let served = remote.served(file);
        let bytes: usize = served.iter().map(|one| one.bytes).sum();
        assert!(
            (SIZE..SIZE + 150_000).contains(&bytes),
            "{container}: {served:?}"
        );
        assert!(served.len() < 12, "{served:?}");

        assert_eq!(remote.call("o/n", &NEIGHBORS).ok(), expected);
        // Every row is cached now.
        let args = ["--offline", "embed", "--id", "3", "--id", "1234", "--json"];
        assert_eq!(
            remote.call("o/n", &args).ok(),
            locally(folder.path(), &args[1..])
        );
        assert_eq!(remote.hub.served(), []);
        assert!(
            remote
                .cached_ranges()
                .iter()
                .all(|path| path.extension().is_none())
        );
    }
}

#[test]
fn a_few_rows_are_searched_without_the_rest() {
    let folder = local(&[("model.safetensors", checkpoint("safetensors", TENSOR))]);
    for args in [
        &["similarity", "banco de madera", "--id", "1500", "--json"][..],
        &[
            "neighbors",
            "--id",
            "1500",
            "--among",
            "banco de madera",
            "--json",
        ],
        &[
            "neighbors",
            "banco",
            "--plus",
            "madera",
            "--grep",
            "^▁mon",
            "--json",
        ],
    ] {
        let remote = Remote::with("safetensors", "model.safetensors");
        remote.warm("o/n");
        let expected = locally(folder.path(), args);
        assert_eq!(remote.call("o/n", args).ok(), expected);
        let served = remote.served("model.safetensors");
        let bytes: usize = served.iter().map(|one| one.bytes).sum();
        assert!(served.len() <= 10 && bytes < 200_000, "{served:?}");
    }
}

#[test]
fn commands_that_read_every_row_fetch_the_matrix_once() {
    let folder = local(&[("model.safetensors", checkpoint("safetensors", TENSOR))]);
    let out = tempfile::tempdir().unwrap();
    let paths = ["here.npy", "there.npy"].map(|name| out.path().join(name));
    let [here, there] = paths.each_ref().map(|path| path.to_str().unwrap());
    for args in [
        &["stats", "--format", "csv"][..],
        &["embed", "--all", "--stats", "--format", "csv"],
        &["embed", "--all", "-q", "-o"],
    ] {
        let remote = Remote::with("safetensors", "model.safetensors");
        remote.warm("o/n");
        let to = |path| match args.last() {
            Some(&"-o") => [args, &[path]].concat(),
            _ => args.to_vec(),
        };
        let local = locally(folder.path(), &to(here));
        let answer = remote.call("o/n", &to(there)).exit(0);
        // The records name the model differently.
        let lines = |text: &str| {
            let lines = text.lines().map(str::to_owned);
            let named = |line: &String| line.starts_with("model,") || line.starts_with("commit,");
            lines.filter(|line| !named(line)).collect::<Vec<_>>()
        };
        assert_eq!(lines(&answer.stdout), lines(&local));
        let served = remote.served("model.safetensors");
        let bytes: usize = served.iter().map(|one| one.bytes).sum();
        assert!((SIZE..SIZE + 150_000).contains(&bytes), "{served:?}");
    }
    assert_eq!(fs::read(here).unwrap(), fs::read(there).unwrap());
}

#[test]
fn pull_matrix_fetches_the_matrix() {
    let remote = Remote::with("torch-zip", "pytorch_model.bin");
    let args = ["pull", "--matrix", "--json"];
    let file = |stdout: &str| records(stdout).pop().unwrap().file();
    let pulled = file(&remote.call("o/n", &args).exit(0).stdout);
    assert_eq!(pulled.name, "pytorch_model.bin");
    assert_eq!(pulled.tensor.as_deref(), Some(TENSOR));
    assert_eq!((pulled.size, pulled.cached), (SIZE as u64, false));
    remote.hub.served();
    assert!(file(&remote.call("o/n", &args).ok()).cached);
    assert_eq!(remote.served(".bin"), []);
    let table = remote.call("o/n", &["pull", "--matrix"]).ok();
    assert!(
        table.ends_with(&format!("cached  of it {TENSOR}\n")),
        "{table}"
    );
    let offline = [&["--offline"], &NEIGHBORS[..]].concat();
    remote.call("o/n", &offline).ok();
    remote
        .call("o/n", &["pull", "--matrix", "--weights"])
        .exit(2);

    // A whole checkpoint in the cache contains it.
    let remote = Remote::with("torch-zip", "pytorch_model.bin");
    remote.call("o/n", &["pull", "--weights"]).ok();
    assert!(file(&remote.call("o/n", &args).ok()).cached);
    assert_eq!(remote.cached_ranges().len(), 0);
}

#[test]
fn without_a_cache_the_matrix_is_a_temporary_file() {
    let remote = Remote::with("safetensors", "model.safetensors");
    let expected = remote.call("o/n", &NEIGHBORS).exit(0).stdout;
    let tmp = remote.home.path().join("tmp");
    fs::create_dir(&tmp).unwrap();
    let args = [&["--no-cache"], &NEIGHBORS[..]].concat();
    let answer = remote.call("o/n", &args).env("TMPDIR", &tmp).exit(0);
    assert_eq!(answer.stdout, expected);
    assert_eq!(tmp.read_dir().unwrap().count(), 0, "it is gone");
    let file = remote.home.path().join("file");
    fs::write(&file, "").unwrap();
    let call = remote.call("o/n", &NEIGHBORS).env("XDG_CACHE_HOME", &file);
    assert_eq!(call.exit(0).stdout, expected);
}

#[test]
fn a_broken_download_of_the_matrix_is_resumed() {
    let remote = Remote::with("safetensors", "model.safetensors");
    // Caches the headers, so that the fault hits the matrix.
    remote.call("o/n", &["info"]).ok();
    remote.hub.fault(Fault::BlobStatus(503), 4);
    let answer = remote.call("o/n", &NEIGHBORS).exit(0);
    assert!(answer.stderr.contains("fetching"), "{}", answer.stderr);

    let remote = Remote::with("safetensors", "model.safetensors");
    remote.call("o/n", &["info"]).ok();
    remote.hub.fault(Fault::BlobStatus(503), 100);
    let answer = remote.call("o/n", &NEIGHBORS).exit(3);
    assert!(
        answer
            .stderr
            .contains(" answered 503 for model.safetensors")
    );
    let parts = |remote: &Remote| {
        let kept = remote.cached_ranges().into_iter();
        kept.filter(|path| path.extension().is_some()).count()
    };
    assert_eq!(parts(&remote), 1);
    // A row is not read from the partial download.
    remote.call("o/n", &["embed", "--id", "1500"]).exit(3);

    // The same Hub: the ranges of another one are cached apart.
    remote.hub.heal();
    let folder = local(&[("model.safetensors", checkpoint("safetensors", TENSOR))]);
    let answer = remote.call("o/n", &NEIGHBORS).exit(0).stdout;
    assert_eq!(answer, locally(folder.path(), &NEIGHBORS));
    assert_eq!(parts(&remote), 0);
}

#[test]
fn a_damaged_matrix_is_repaired() {
    let remote = Remote::with("safetensors", "model.safetensors");
    let expected = remote.call("o/n", &NEIGHBORS).exit(0).stdout;
    let is_matrix = |path: &&std::path::PathBuf| path.metadata().unwrap().len() > SIZE as u64;
    let kept = remote.cached_ranges();
    let matrix = kept.iter().find(is_matrix).unwrap();
    let mut bytes = fs::read(matrix).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(matrix, bytes).unwrap();
    remote.hub.served();
    assert_eq!(remote.call("o/n", &NEIGHBORS).exit(0).stdout, expected);
    let served = remote.served("model.safetensors");
    let bytes: usize = served.iter().map(|one| one.bytes).sum();
    assert_eq!(bytes, 64 << 10, "one block: {served:?}");
}

#[test]
fn two_processes_fetch_the_matrix_once() {
    let remote = Remote::with("safetensors", "model.safetensors");
    remote.call("o/n", &["info"]).ok();
    remote.hub.served();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| remote.call("o/n", &NEIGHBORS).exit(0));
        }
    });
    let served = remote.served("model.safetensors");
    let bytes: usize = served.iter().map(|one| one.bytes).sum();
    assert_eq!(bytes, SIZE, "{served:?}");
    one(&remote.call("o/n", &["embed", "--id", "9", "--json"]).ok()).row();
}

#[test]
fn the_folder_that_modules_json_names_is_found_on_the_hub() {
    let remote = Remote::new();
    let model = local(&[("model.safetensors", checkpoint("safetensors", TENSOR))]);
    let modules = br#"[{"idx": 0, "name": "0", "path": "0_Transformer", "type": "t"}]"#;
    let inner: Vec<_> = files_of(model.path())
        .into_iter()
        .map(|(name, content)| (format!("0_Transformer/{name}"), content))
        .collect();
    let mut files: Vec<(&str, &[u8])> = inner
        .iter()
        .map(|(name, content)| (name.as_str(), content.as_slice()))
        .collect();
    files.push(("modules.json", modules));
    files.push(("config.json", br#"{"__version__": "0.2.0"}"#));
    remote.hub.publish("o/n", Access::Public, &files);
    let args = ["embed", TEXT, "--json"];
    let expected = without_cost(&locally(model.path(), &args));
    let (rows, _) = split_cost(&remote.call("o/n", &args).ok());
    assert_eq!(rows, expected);
    let info = remote.call("o/n", &["info", "--json"]).ok();
    assert!(
        info.contains(r#""file":"0_Transformer/model.safetensors""#),
        "{info}"
    );
    remote.hub.served();
    assert_eq!(remote.call("o/n", &args).ok(), expected);
    assert_eq!(
        remote
            .call("o/n", &["--offline", "embed", TEXT, "--json"])
            .ok(),
        expected
    );
    assert_eq!(remote.hub.served(), []);
}
