//! `lock` and `--locked`: which lock file is written, read, refused, or replaced.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::loopback_hub::Access;
use crate::model::place::{at, edit, hub, place};
use crate::remote::Remote;
use crate::support::gguf_writer::GgufWriter;
use crate::support::{Answer, demo};

#[test]
fn a_damaged_lock_file_is_refused() {
    let place = place();
    let here = place.path();
    let sentence = |args: &[&str]| {
        let answer = at(here, args).exit(2);
        assert_eq!(answer.stdout, "");
        answer.stderr
    };
    assert_eq!(
        sentence(&["check"]),
        "error: there is no lock file tokscope.lock\n\nhint: create it with `tokscope lock`\n"
    );
    at(here, &["lock", "-m", "m"]).ok();
    let sound = fs::read(here.join("tokscope.lock")).unwrap();
    let mut edited: Value = serde_json::from_slice(&sound).unwrap();
    edited["texts"][4]["ids"] = "1 2".into();
    let edited = serde_json::to_vec(&edited).unwrap();
    let cut = &sound[..sound.len() / 2];
    for bytes in [
        &b""[..],
        b"x",
        b"{}",
        b"\xff\xfe",
        b"[[[[",
        b"{\"version\":7}",
        cut,
        &edited,
    ] {
        fs::write(here.join("tokscope.lock"), bytes).unwrap();
        for args in [&["check"][..], &["tokenize", "hola", "--locked"]] {
            let said = sentence(args);
            let start = "error: tokscope.lock is not a lock file written by tokscope: ";
            assert!(said.starts_with(start), "{said}");
            assert_eq!(said.lines().count(), 3, "{said}");
        }
    }
}

#[test]
fn the_lock_of_another_model_is_not_replaced_in_silence() {
    let place = place();
    let here = place.path();
    at(here, &["lock", "-m", "m"]).ok();
    let sound = fs::read(here.join("tokscope.lock")).unwrap();
    let answer = at(here, &["lock", "-m", "demo"]).exit(2);
    assert_eq!(
        answer.stderr,
        "error: tokscope.lock locks `m`, not `demo`\n\n\
         hint: write another one with `--lock-file FILE`, or replace it with `--force`\n"
    );
    // The error comes before anything is fetched.
    at(here, &["lock"]).exit(2);
    assert_eq!(fs::read(here.join("tokscope.lock")).unwrap(), sound);
    // The same model can be locked again, also under another name of its folder.
    at(here, &["lock", "-m", "m"]).ok();
    at(here, &["lock", "-m", "./m"]).ok();
    at(here, &["lock", "-m", "demo", "--lock-file", "demo.lock"]).ok();
    at(here, &["lock", "-m", "demo", "--force"]).ok();
    assert!(at(here, &["check"]).ok().ends_with(" of demo\n"));

    // A file that is no lock file is not replaced either, unless it is empty.
    fs::write(here.join("notes.md"), "my notes\n").unwrap();
    let args = ["lock", "-m", "m", "--lock-file", "notes.md"];
    let answer = at(here, &args).exit(2);
    assert_eq!(
        answer.stderr,
        "error: notes.md is not a lock file\n\n\
         hint: name another file with `--lock-file FILE`, or replace it with `--force`\n"
    );
    assert_eq!(fs::read(here.join("notes.md")).unwrap(), b"my notes\n");
    at(here, &[&args[..], &["--force"]].concat()).ok();
    fs::write(here.join("notes.md"), "").unwrap();
    at(here, &args).ok();
    // A damaged lock file still tells its model.
    let mut damaged: Value = serde_json::from_slice(&sound).unwrap();
    damaged["ids_sha256"] = "x".into();
    fs::write(here.join("notes.md"), damaged.to_string()).unwrap();
    at(here, &args).ok();
}

/// Returns the last command between backticks in a hint.
fn hinted(answer: &Answer) -> String {
    let hint = answer.stderr.split_once("hint: ").unwrap().1;
    hint.rsplit('`').nth(1).unwrap().to_owned()
}

/// Runs a command of a hint, in a shell as a reader would.
fn paste(place: &Path, line: &str) {
    let program = Path::new(env!("CARGO_BIN_EXE_tokscope")).parent().unwrap();
    let mut sh = std::process::Command::new("sh");
    let path = format!("{}:/usr/bin:/bin", program.display());
    sh.args(["-c", line]).current_dir(place).env_clear();
    let ran = sh.env("PATH", path).env("HOME", place).output().unwrap();
    assert!(ran.status.success(), "{line}: {ran:?}");
}

#[test]
fn a_hint_about_a_lock_file_can_be_pasted() {
    let place = place();
    let here = place.path();
    at(here, &["lock", "-m", "m"]).ok();
    let default = fs::read(here.join("tokscope.lock")).unwrap();
    let file = ["--lock-file", "it's mine.lock"];
    let quoted = r"--lock-file 'it'\''s mine.lock'";

    // There is no such lock file.
    let none = at(here, &[&["check", "-m", "demo"], &file[..]].concat()).exit(2);
    let line = hinted(&none);
    assert_eq!(line, format!("tokscope lock --model demo {quoted}"));
    paste(here, &line);
    at(here, &[&["check"], &file[..]].concat()).ok();
    let plain = at(here, &["check", "--lock-file", "none.lock"]).exit(2);
    assert_eq!(hinted(&plain), "tokscope lock --lock-file none.lock");

    // It is damaged, in a way that leaves the name of the model.
    edit(&here.join(file[1]), |lock| lock["ids_sha256"] = "x".into());
    let damaged = at(here, &[&["check"], &file[..]].concat()).exit(2);
    let line = hinted(&damaged);
    assert_eq!(line, format!("tokscope lock --model demo {quoted} --force"));
    paste(here, &line);
    at(here, &[&["check"], &file[..]].concat()).ok();
    fs::write(here.join("bad.lock"), "x").unwrap();
    let damaged = at(here, &["check", "-m", "m", "--lock-file", "bad.lock"]).exit(2);
    let line = hinted(&damaged);
    assert_eq!(line, "tokscope lock --model m --lock-file bad.lock --force");
    paste(here, &line);

    // It locks another model.
    let args = ["tokenize", "hola", "--locked", "-m", "m"];
    let other = at(here, &[&args, &file[..]].concat()).exit(2);
    let line = hinted(&other);
    assert_eq!(line, format!("tokscope lock --model m {quoted} --force"));
    paste(here, &line);
    at(here, &[&args, &file[..]].concat()).ok();

    // It locks the model in another way.
    let args = [&args[..], &file, &["--as-is"]].concat();
    let line = hinted(&at(here, &args).exit(2));
    assert_eq!(line, format!("tokscope lock --model m {quoted} --as-is"));

    // The files differ.
    let config = here.join("m/config.json");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n")).unwrap();
    let differ = at(
        here,
        &[&["tokenize", "hola", "--locked"], &file[..]].concat(),
    )
    .exit(2);
    assert_eq!(hinted(&differ), format!("tokscope check {quoted}"));

    // None of them wrote the default lock file.
    assert_eq!(fs::read(here.join("tokscope.lock")).unwrap(), default);
}

#[test]
fn locked_commands_use_only_the_locked_model() {
    let place = place();
    let here = place.path();
    at(here, &["lock", "-m", "m"]).ok();
    let ids = at(here, &["tokenize", "hay dinero", "--ids", "--locked"]).ok();
    assert_eq!(ids, demo(["tokenize", "hay dinero", "--ids"]).ok());
    at(here, &["count", "--text", "x", "--locked", "-m", "m"]).ok();
    let answer = at(here, &["count", "--text", "x", "--locked", "-m", "demo"]).exit(2);
    assert!(
        answer
            .stderr
            .starts_with("error: `demo` is requested, but tokscope.lock locks `m`"),
        "{}",
        answer.stderr
    );
    let locked = at(here, &["count", "--text", "x", "--locked"]);
    locked.env("TOKSCOPE_MODEL", "demo").exit(2);
    fs::write(here.join("m/added_tokens.json"), "{}").unwrap();
    let answer = at(here, &["tokenize", "x", "--locked"]).exit(2);
    assert_eq!(
        answer.stderr,
        "error: the files of directory m differ from those in tokscope.lock\n\n\
         hint: `tokscope check` shows what changed\n"
    );
    // A copy of the model that `--model` names is compared with the lock.
    at(here, &["check", "-m", "demo"]).ok();
}

#[test]
fn a_locked_model_outside_the_cache_is_unreachable_offline() {
    let place = place();
    let here = place.path();
    let remote = Remote::new();
    remote.publish("o/n", Access::Public, &here.join("m"));
    hub(&remote, here, &["lock", "-m", "o/n"]).ok();
    let elsewhere = tempfile::tempdir().unwrap();
    for args in [
        &["check", "--offline"][..],
        &["tokenize", "x", "--locked", "--offline"],
    ] {
        let call = at(here, args).env("HF_HUB_CACHE", elsewhere.path());
        let answer = call.exit(3);
        assert!(
            answer.stderr.contains("is not in the cache"),
            "{}",
            answer.stderr
        );
    }
}

#[test]
fn a_large_gguf_file_is_locked_in_constant_memory() {
    let place = tempfile::tempdir().unwrap();
    let here = place.path();
    fs::create_dir(here.join("m")).unwrap();
    let path = here.join("m/m.gguf");
    let writer = GgufWriter::default()
        .text("model", "gpt2")
        .text("pre", "gpt-2")
        .texts("tokens", &["a", "b", "ab"])
        .texts("merges", &["a b"]);
    let bytes = writer.finish(3);
    let token = bytes
        .windows(10)
        .position(|bytes| bytes == b"\x02\0\0\0\0\0\0\0ab");
    fs::write(&path, &bytes).unwrap();
    let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    // The rest of the file is sparse.
    let size = 600_000_000;
    file.set_len(size).unwrap();
    let run = |args: &[&str]| at(here, args).run_within(300_000_000);
    for model in ["m", "m/m.gguf"] {
        let answer = run(&["lock", "-m", model, "--force"]);
        assert_eq!(answer.code, 0, "{}", answer.stderr);
        assert!(
            answer.stdout.starts_with("locked 1 file, 3 pieces, "),
            "{}",
            answer.stdout
        );
    }
    let lock = fs::read(here.join("tokscope.lock")).unwrap();
    let lock: Value = serde_json::from_slice(&lock).unwrap();
    let mut digest = Sha256::new_with_prefix(&bytes);
    let zeros = vec![0; 1 << 20];
    let mut rest = size as usize - bytes.len();
    while rest > 0 {
        let count = rest.min(zeros.len());
        digest.update(&zeros[..count]);
        rest -= count;
    }
    let digest: String = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let expected = serde_json::json!([{"name": "m.gguf", "size": size, "sha256": digest}]);
    assert_eq!(lock["files"], expected);
    let ids = run(&["tokenize", "abb", "--ids", "--locked"]);
    assert_eq!(ids.stdout, "2 1\n", "{}", ids.stderr);
    let row = run(&["embed", "--id", "2", "--locked", "--json"]);
    assert_eq!(row.code, 0, "{}", row.stderr);
    file.seek(SeekFrom::Start(token.unwrap() as u64 + 8))
        .unwrap();
    file.write_all(b"ba").unwrap();
    assert_eq!(run(&["tokenize", "abb", "--ids", "--locked"]).code, 2);
    let changes = run(&["check"]);
    assert_eq!(changes.code, 1, "{}", changes.stderr);
    assert!(
        changes.stdout.starts_with("file  m.gguf"),
        "{}",
        changes.stdout
    );
}
