//! What the caches of this machine hold.

use std::fs;
use std::path::Path;

use crate::records::{Cached, Record};
use crate::support::{Call, tokscope};

/// A home directory with something in each cache.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let write = |path: &str, bytes: &[u8]| {
        let path = home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    write(
        "hub/models--o--a-model-with-a-name-of-many-words/blobs/x",
        &[1; 9000],
    );
    write(
        "hub/models--o--a-model-with-a-name-of-many-words/snapshots/c/tokenizer.json",
        b"",
    );
    write("xdg/tokscope/vocabularies/x", &[1; 5000]);
    write(
        "tiktoken/9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        b"IQ== 0\n",
    );
    let manifest = br#"{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:0", "size": 7}]}"#;
    write("ollama/manifests/registry.ollama.ai/library/m/1b", manifest);
    home
}

fn models(home: &Path, arguments: &[&str]) -> Call {
    let arguments = ["models"].iter().chain(arguments);
    tokscope(arguments)
        .env("HF_HUB_CACHE", home.join("hub"))
        .env("XDG_CACHE_HOME", home.join("xdg"))
        .env("TIKTOKEN_CACHE_DIR", home.join("tiktoken"))
        .env("OLLAMA_MODELS", home.join("ollama"))
        .env("TOKSCOPE_NO_CACHE", "0")
}

fn cached(home: &Path, arguments: &[&str]) -> Vec<Cached> {
    let answer = models(home, arguments).exit(0).stdout;
    let records = answer.lines().map(|line| match serde_json::from_str(line) {
        Ok(Record::Cached(cached)) => cached,
        other => panic!("{line}: {other:?}"),
    });
    records.collect()
}

#[test]
fn models_lists_every_cache() {
    let home = home();
    let found = cached(home.path(), &["--json"]);
    let found: Vec<(&str, &str, &[String])> = (found.iter())
        .map(|cached| {
            (
                cached.cache.as_str(),
                cached.name.as_str(),
                &cached.holds[..],
            )
        })
        .collect();
    let texts = |text: &str| vec![text.to_owned()];
    assert_eq!(
        found,
        [
            (
                "hub",
                "o/a-model-with-a-name-of-many-words",
                &texts("tokenizer")[..]
            ),
            ("tokscope", "vocabularies", &[]),
            (
                "tiktoken",
                "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
                &texts("encoding")
            ),
            ("ollama", "ollama:m:1b", &texts("gguf")),
        ]
    );
    let csv = models(home.path(), &["--format", "csv"]).exit(0).stdout;
    assert!(
        csv.starts_with("type,cache,name,size,files,holds,path\n")
            || csv.starts_with("cache,name,size,files,holds,path\n"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 5, "{csv}");
    let table = models(home.path(), &[]).exit(0).stdout;
    assert!(table.contains("  ollama    ollama:m:1b  gguf\n"), "{table}");
}

#[test]
fn prune_frees_only_the_cache_of_tokscope() {
    let home = home();
    let answer = models(home.path(), &["--prune", "--json"]).exit(0);
    assert!(
        answer.stderr.starts_with("note: 1 file removed, "),
        "{}",
        answer.stderr
    );
    assert_eq!(answer.stdout.lines().count(), 3, "{}", answer.stdout);
    assert!(!home.path().join("xdg/tokscope/vocabularies").exists());
    assert!(
        home.path()
            .join("hub/models--o--a-model-with-a-name-of-many-words/blobs/x")
            .exists()
    );
    assert!(
        home.path()
            .join("tiktoken/9b5ad71b2ce5302211f9c61530b329a4922fc6a4")
            .exists()
    );
    let answer = models(home.path(), &["--prune", "--json"]).exit(0);
    assert!(
        answer
            .stderr
            .starts_with("note: 0 files removed, 0 bytes freed"),
        "{}",
        answer.stderr
    );
}
