//! Compiled vocabularies in the app cache: used, rebuilt, or not available, the answer is always right.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Call, on, shared, skipped};

const IDS: &str = "1 4797 1902 718 412 3608 2\n";

fn tokenize(model: &Path, cache: &Path) -> Call {
    on(model, ["tokenize", "banco de madera", "--ids"]).env("XDG_CACHE_HOME", cache)
}

/// Returns the compiled vocabularies in a cache.
fn vocabularies(cache: &Path) -> Vec<PathBuf> {
    let Ok(folder) = fs::read_dir(cache.join("tokscope/vocabularies")) else {
        return Vec::new();
    };
    folder.map(|entry| entry.unwrap().path()).collect()
}

/// Returns the name of the only compiled vocabulary in a cache.
fn vocabulary_name(cache: &Path) -> String {
    let files = vocabularies(cache);
    assert_eq!(files.len(), 1);
    files[0].file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_compiled_vocabulary_is_cached_used_and_rebuilt() {
    let Some(shared) = shared("a_compiled_vocabulary_is_cached_used_and_rebuilt") else {
        return;
    };
    let model = shared.join("models/deberta-v3-xsmall");
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(tokenize(&model, cache.path()).ok(), IDS);
    let files = vocabularies(cache.path());
    assert_eq!(files.len(), 1);
    let whole = fs::read(&files[0]).unwrap();
    assert_eq!(tokenize(&model, cache.path()).ok(), IDS);
    let mut damaged: Vec<Vec<u8>> = vec![b"garbage".to_vec()];
    // Truncated in every section. Nine tenths of the file are nodes and scores.
    damaged.extend((0..16).map(|part| whole[..whole.len() * part / 16].to_vec()));
    damaged.push(whole[..whole.len() - 1].to_vec());
    // Another version, another source, a changed byte in every section.
    for place in [8, 20, 40, 60]
        .into_iter()
        .chain((0..16).map(|part| whole.len() * part / 16))
    {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        damaged.push(bytes);
    }
    for damaged in damaged {
        fs::write(&files[0], damaged).unwrap();
        assert_eq!(tokenize(&model, cache.path()).ok(), IDS);
        assert!(fs::read(&files[0]).unwrap() == whole, "it is not rebuilt");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn files_written_after_the_note_are_read_again() {
    let Some(shared) = shared("files_written_after_the_note_are_read_again") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (model, cache) = (folder.path().join("model"), folder.path().join("cache"));
    fs::create_dir(&model).unwrap();
    for name in ["config.json", "tokenizer_config.json", "spm.model"] {
        // Linked, because nothing is noted about a file that was written just now.
        let real = shared.join("models/deberta-v3-xsmall").join(name);
        std::os::unix::fs::symlink(real, model.join(name)).unwrap();
    }
    assert_eq!(tokenize(&model, &cache).ok(), IDS);
    // The next call finds the compiled file right and settled, and writes the note.
    let call_until_noted = || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert_eq!(tokenize(&model, &cache).ok(), IDS);
        let note = format!("checked/{}", vocabulary_name(&cache));
        cache.join("tokscope").join(note).is_file()
    };
    if !call_until_noted() {
        skipped("the times of the folder for temporary files prove nothing");
        return;
    }
    let compiled = &vocabularies(&cache)[0];
    let whole = fs::read(compiled).unwrap();
    for place in (1..8).map(|part| whole.len() * part / 8) {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        fs::write(compiled, bytes).unwrap();
        assert!(call_until_noted());
        assert!(fs::read(compiled).unwrap() == whole, "it is not rebuilt");
    }
    let mut source = fs::read(model.join("spm.model")).unwrap();
    // The piece of id 4797 (field 1, six bytes), in a file of the same length.
    let piece = "\n\u{6}\u{2581}ban".as_bytes();
    let at = source.windows(piece.len()).position(|bytes| bytes == piece);
    source[at.unwrap() + piece.len() - 1] = b'q';
    fs::remove_file(model.join("spm.model")).unwrap();
    fs::write(model.join("spm.model"), source).unwrap();
    assert_ne!(tokenize(&model, &cache).ok(), IDS);
}

/// Nothing is noted about files in memory, whose times do not show every change.
#[cfg(target_os = "linux")]
#[test]
fn nothing_is_noted_about_files_in_memory() {
    let Some(shared) = shared("nothing_is_noted_about_files_in_memory") else {
        return;
    };
    let in_memory = Path::new("/dev/shm");
    let kind = rustix::fs::statfs(in_memory).map(|system| system.f_type);
    let Ok(folder) = tempfile::tempdir_in(in_memory) else {
        return skipped("there is no /dev/shm");
    };
    assert_eq!(kind.map(|kind| kind as u32), Ok(0x0102_1994), "tmpfs");
    let model = folder.path().join("model");
    fs::create_dir(&model).unwrap();
    for name in ["config.json", "tokenizer_config.json", "spm.model"] {
        let real = shared.join("models/deberta-v3-xsmall").join(name);
        fs::copy(real, model.join(name)).unwrap();
    }
    let cache = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        assert_eq!(tokenize(&model, cache.path()).ok(), IDS);
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    assert!(!cache.path().join("tokscope/sources").exists());
}

#[test]
fn the_answer_is_the_same_without_a_cache() {
    let Some(shared) = shared("the_answer_is_the_same_without_a_cache") else {
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
    assert_eq!(vocabularies(cache.path()).len(), 0);
    // A file in place of the folder.
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(tokenize(&model, file.path()).ok(), IDS);
}

#[test]
fn an_unusable_cache_is_reported_with_verbose_only() {
    let Some(shared) = shared("an_unusable_cache_is_reported_with_verbose_only") else {
        return;
    };
    let model = shared.join("models/deberta-v3-xsmall");
    let file = tempfile::NamedTempFile::new().unwrap();
    let args = ["-v", "tokenize", "banco de madera", "--ids"];
    let answer = on(&model, args).env("XDG_CACHE_HOME", file.path()).exit(0);
    assert_eq!(answer.stdout, IDS);
    assert!(answer.stderr.contains("cannot cache "), "{}", answer.stderr);
    // Without a home there is no cache, and nothing to report.
    let answer = on(&model, args).env("HOME", "").exit(0);
    assert_eq!(
        (
            answer.stdout.as_str(),
            answer.stderr.contains("cannot cache ")
        ),
        (IDS, false)
    );
}

#[test]
fn a_bad_cache_size_is_named_when_a_vocabulary_is_stored() {
    let Some(shared) = shared("a_bad_cache_size_is_named_when_a_vocabulary_is_stored") else {
        return;
    };
    let model = shared.join("models/deberta-v3-xsmall");
    let cache = tempfile::tempdir().unwrap();
    let call = || tokenize(&model, cache.path()).env("TOKSCOPE_CACHE_SIZE", "lots");
    let answer = call().exit(0);
    let note = "note: `TOKSCOPE_CACHE_SIZE` must be a number of bytes such as `500M` or `20G`, not `lots`: the limit is \
                10 GB\n";
    assert_eq!(
        (answer.stdout.as_str(), answer.stderr.as_str()),
        (IDS, note)
    );
    assert_eq!(call().ok(), IDS);
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_partial_file() {
    let Some(shared) = shared("a_full_disk_leaves_no_partial_file") else {
        return;
    };
    let cache = tempfile::tempdir().unwrap();
    // No file may grow beyond 100 blocks, as on a full disk.
    let script = "trap '' XFSZ; ulimit -f 100; exec \"$0\" tokenize 'banco de madera' --ids";
    let answer = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_tokscope")])
        .env("TOKSCOPE_MODEL", shared.join("models/deberta-v3-xsmall"))
        .env("XDG_CACHE_HOME", cache.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stdout), IDS);
    assert!(answer.status.success());
    assert_eq!(vocabularies(cache.path()).len(), 0);
}

#[test]
fn eight_concurrent_processes_on_a_cold_cache_agree() {
    let Some(shared) = shared("eight_concurrent_processes_on_a_cold_cache_agree") else {
        return;
    };
    let model = shared.join("models/deberta-v3-xsmall");
    let cache = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(tokenize(&model, cache.path()).ok(), IDS));
        }
    });
    assert_eq!(vocabularies(cache.path()).len(), 1);
    assert_eq!(tokenize(&model, cache.path()).ok(), IDS);
}

#[test]
fn a_tokenizer_json_is_cached_too() {
    let Some(shared) = shared("a_tokenizer_json_is_cached_too") else {
        return;
    };
    let model = shared.join("models/t5-small");
    let cache = tempfile::tempdir().unwrap();
    let call = || on(&model, ["tokenize", "banco", "--ids"]).env("XDG_CACHE_HOME", cache.path());
    let first = call().ok();
    assert_eq!(vocabularies(cache.path()).len(), 1);
    assert_eq!(call().ok(), first);
    let reference = on(
        &model,
        ["--engine", "reference", "tokenize", "banco", "--ids"],
    );
    assert_eq!(reference.ok(), first);
}

/// A model of two files, and what is cached: nothing new if nothing changed, and another vocabulary if a file or a setting
/// did.
#[test]
fn a_converted_vocabulary_is_found_by_all_its_files_and_settings() {
    let folder = tempfile::tempdir().unwrap();
    let (model, cache) = (folder.path().join("model"), folder.path().join("cache"));
    fs::create_dir(&model).unwrap();
    let fillers: String = (5..9000)
        .map(|id| format!(", \"a long piece {id}\": {id}"))
        .collect();
    let vocabulary = format!(r#"{{"a": 0, "b": 1, "ab": 2, "<|endoftext|>": 3, "Ġ": 4{fillers}}}"#);
    let steps = [
        (
            "tokenizer_config.json",
            r#"{"tokenizer_class": "GPT2Tokenizer"}"#,
            "2 4 2\n",
        ),
        ("merges.txt", "#version: 0.2\n", "0 1 4 0 1\n"),
        (
            "tokenizer_config.json",
            r#"{"tokenizer_class": "GPT2Tokenizer", "add_bos_token": true}"#,
            "3 0 1 4 0 1\n",
        ),
        (
            "vocab.json",
            &vocabulary.replace("\"b\": 1", "\"b\": 9000"),
            "3 0 9000 4 0 9000\n",
        ),
    ];
    fs::write(model.join("vocab.json"), &vocabulary).unwrap();
    fs::write(model.join("merges.txt"), "#version: 0.2\na b\n").unwrap();
    let call = || {
        let args = ["tokenize", "ab ab", "--ids", "-v"];
        on(&model, args).env("XDG_CACHE_HOME", &cache).exit(0)
    };
    for (number, (name, content, ids)) in steps.into_iter().enumerate() {
        fs::write(model.join(name), content).unwrap();
        let first = call();
        assert_eq!(first.stdout, ids);
        assert!(
            first.stderr.contains("caching vocabularies/"),
            "{}",
            first.stderr
        );
        let second = call();
        assert_eq!(second.stdout, ids);
        assert!(
            !second.stderr.contains("caching vocabularies/"),
            "{}",
            second.stderr
        );
        assert_eq!(vocabularies(&cache).len(), number + 1);
    }
}
