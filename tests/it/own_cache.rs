//! The compiled vocabulary that is kept between runs: used, rebuilt, done without; never a wrong answer.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Call, on, shared};

const IDS: &str = "1 4797 1902 718 412 3608 2\n";

fn tokenize(model: &Path, cache: &Path) -> Call {
    on(model, ["tokenize", "banco de madera", "--ids"]).env("XDG_CACHE_HOME", cache)
}

fn kept(cache: &Path) -> Vec<PathBuf> {
    let Ok(folder) = fs::read_dir(cache.join("tokscope/vocabularies")) else {
        return Vec::new();
    };
    folder.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_compiled_vocabulary_is_kept_used_and_rebuilt() {
    let Some(shared) = shared("a_compiled_vocabulary_is_kept_used_and_rebuilt") else {
        return;
    };
    let model = shared.join("models/deberta-v3-xsmall");
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(tokenize(&model, cache.path()).ok(), IDS);
    let files = kept(cache.path());
    assert_eq!(files.len(), 1);
    let whole = fs::read(&files[0]).unwrap();
    assert_eq!(tokenize(&model, cache.path()).ok(), IDS);
    for damaged in [&b""[..], b"garbage", &whole[..whole.len() / 2]] {
        fs::write(&files[0], damaged).unwrap();
        assert_eq!(tokenize(&model, cache.path()).ok(), IDS);
        assert!(fs::read(&files[0]).unwrap() == whole, "it is not rebuilt");
    }
}

#[test]
fn without_a_cache_the_answer_is_the_same() {
    let Some(shared) = shared("without_a_cache_the_answer_is_the_same") else {
        return;
    };
    let model = shared.join("models/deberta-v3-xsmall");
    let cache = tempfile::tempdir().unwrap();
    let call = tokenize(&model, cache.path()).env("TOKSCOPE_NO_CACHE", "1");
    assert_eq!(call.ok(), IDS);
    let call = on(
        &model,
        ["--no-cache", "tokenize", "banco de madera", "--ids"],
    );
    assert_eq!(call.env("XDG_CACHE_HOME", cache.path()).ok(), IDS);
    assert_eq!(kept(cache.path()).len(), 0);
    // A file where the folder should be.
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(tokenize(&model, file.path()).ok(), IDS);
}
