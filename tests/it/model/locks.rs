//! `lock`, `check`, and `--locked`: exactly the changes are reported.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::loopback_hub::Access;
use crate::records::{Drift, Lock, Record, records};
use crate::remote::Remote;
use crate::support::{Answer, Call, demo, folder_without_checkpoint, shared, tokscope};

/// A folder to work in, with the demo model's files in `m`.
fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let model = folder_without_checkpoint();
    fs::create_dir(place.path().join("m")).unwrap();
    for entry in model.path().read_dir().unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), place.path().join("m").join(entry.file_name())).unwrap();
    }
    place
}

fn at(place: &Path, args: &[&str]) -> Call {
    tokscope(args).current_dir(place)
}

/// Like [`at`], with a Hub and a home without caches.
fn hub(remote: &Remote, place: &Path, args: &[&str]) -> Call {
    at(place, args)
        .env("HF_ENDPOINT", remote.hub.endpoint())
        .env("HF_HOME", remote.home.path())
}

/// Returns the records of `check`, after comparing them with the exit code.
fn drifts(answer: &Answer) -> (Vec<Drift>, Lock) {
    let mut found = records(&answer.stdout);
    let Some(Record::Check(check)) = found.pop() else {
        panic!("{answer:?}");
    };
    let drifts: Vec<Drift> = found.into_iter().map(Record::drift).collect();
    assert_eq!(answer.code, i32::from(check.differences != Some(0)));
    (drifts, check)
}

fn check(place: &Path) -> Vec<Drift> {
    let (drifts, check) = drifts(&at(place, &["check", "--json", "--show", "9999"]).run());
    assert_eq!(check.differences, Some(drifts.len()));
    drifts
}

fn kinds(drifts: &[Drift]) -> Vec<&str> {
    let mut kinds: Vec<&str> = drifts.iter().map(|drift| drift.kind.as_str()).collect();
    kinds.dedup();
    kinds
}

fn edit(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, serde_json::to_vec_pretty(&value).unwrap()).unwrap();
}

#[test]
fn an_unchanged_model_has_no_drift() {
    let place = place();
    let here = place.path();
    fs::write(here.join("own.txt"), "hay dinero\nun banco\n").unwrap();
    let locked = at(here, &["lock", "-m", "m", "--texts", "own.txt"]).ok();
    assert_eq!(locked.lines().count(), 1);
    let before = fs::read(here.join("tokscope.lock")).unwrap();
    for offline in ["0", "1"] {
        let said = at(here, &["check"]).env("HF_HUB_OFFLINE", offline).ok();
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.starts_with("as locked: 3 files, 2,001 pieces, "),
            "{said}"
        );
    }
    assert_eq!(kinds(&check(here)), [""; 0]);
    // Locking again writes the same file, and `--lock-file` works in every command.
    at(
        here,
        &[
            "lock",
            "-m",
            "m",
            "--texts",
            "own.txt",
            "--lock-file",
            "b.lock",
        ],
    )
    .ok();
    assert_eq!(fs::read(here.join("b.lock")).unwrap(), before);
    at(here, &["check", "--lock-file", "b.lock"]).ok();
    at(here, &["check", "--engine", "reference"]).ok();
    let lock: Value = serde_json::from_slice(&before).unwrap();
    let last = lock["texts"].as_array().unwrap().last().unwrap();
    assert_eq!(last["text"], "un banco");
    assert_eq!(last["ids"], "1 328 364 2");
    assert_eq!(last["tokens"], "[CLS] ▁un ▁banco [SEP]");
}

#[test]
fn a_changed_vocabulary_is_reported_with_its_effect() {
    let place = place();
    let here = place.path();
    at(here, &["lock", "-m", "m"]).ok();
    let spm = here.join("m/spm.model");
    let mut bytes = fs::read(&spm).unwrap();
    let piece = "▁banco\u{15}".as_bytes();
    let found = bytes
        .windows(piece.len())
        .position(|window| window == piece);
    let score = found.unwrap() + piece.len();
    bytes[score..score + 4].copy_from_slice(&(-100_f32).to_le_bytes());
    fs::write(&spm, &bytes).unwrap();
    let found = check(here);
    assert_eq!(kinds(&found), ["file", "vocabulary", "text"]);
    assert_eq!(found[0].name.as_deref(), Some("spm.model"));
    assert_ne!(found[0].locked, found[0].found);
    let text = &found[2];
    assert_eq!(
        text.name.as_deref(),
        Some("banco de madera, banco donde hay dinero")
    );
    assert!(
        text.locked
            .as_ref()
            .unwrap()
            .starts_with("[CLS] ▁banco ▁de ")
    );
    assert!(!text.found.as_ref().unwrap().contains("▁banco"));
    assert_ne!(text.locked_ids, text.found_ids);
    let said = at(here, &["check", "--show", "1"]).exit(1).stdout;
    assert_eq!(said.matches("\n  text    ").count(), 1, "{said}");
    assert!(said.ends_with(" differences\n"), "{said}");
    // A damaged file and a missing one are reported, too.
    fs::write(&spm, &bytes[..1000]).unwrap();
    assert_eq!(kinds(&check(here)), ["file", "tokenizer"]);
    fs::remove_file(&spm).unwrap();
    let found = check(here);
    assert_eq!(kinds(&found), ["file", "tokenizer"]);
    assert_eq!(found[0].message, "spm.model was locked but is now missing");
    assert_eq!(found[0].found, None);
}

#[test]
fn changed_added_tokens_are_reported() {
    let place = place();
    let here = place.path();
    let added = here.join("m/added_tokens.json");
    fs::write(&added, r#"{"[MASK]": 2000, "<hay>": 2001}"#).unwrap();
    at(here, &["lock", "-m", "m"]).ok();
    fs::write(&added, r#"{"[MASK]": 2000, "<oro>": 2001, "<ent>": 2002}"#).unwrap();
    let found = check(here);
    assert_eq!(kinds(&found), ["file", "vocabulary", "added-token"]);
    let messages: Vec<&str> = found[2..].iter().map(|drift| &*drift.message).collect();
    assert_eq!(
        messages,
        [
            "added token 2001 was `<hay>`, and is now `<oro>`",
            "added token 2002 `<ent>` is new"
        ]
    );
    fs::remove_file(&added).unwrap();
    let found = check(here);
    assert!(
        found
            .iter()
            .any(|drift| drift.message == "added token 2001 `<hay>` is gone")
    );
    // A new added token that changes texts.
    at(here, &["lock", "-m", "m"]).ok();
    fs::write(&added, r#"{"[MASK]": 2000, "banco": 2001}"#).unwrap();
    let found = check(here);
    assert!(
        found
            .iter()
            .any(|drift| drift.message == "added_tokens.json is new")
    );
    assert!(found.iter().any(|drift| drift.kind == "text"));
}

#[test]
fn an_upgraded_reference_is_reported() {
    let place = place();
    let here = place.path();
    at(here, &["lock", "-m", "m"]).ok();
    edit(&here.join("tokscope.lock"), |lock| {
        lock["engine"]["tokenizers"] = "0.22.0".into();
    });
    let found = check(here);
    assert_eq!(kinds(&found), ["engine"]);
    let message = &found[0].message;
    assert!(message.starts_with("the reference was tokenizers 0.22.0 when locked, and is now 0."));
}

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
fn check_annotates_changes_for_github() {
    let place = place();
    let here = place.path();
    fs::create_dir_all(here.join(".git")).unwrap();
    fs::create_dir(here.join("sub")).unwrap();
    at(here, &["lock", "-m", "m"]).ok();
    let check = |args: &[&str]| at(here, &[&["check", "--annotate", "github"], args].concat());
    assert!(!check(&[]).ok().contains("::"));
    fs::write(
        here.join("m/added_tokens.json"),
        r#"{"[MASK]": 2000, "banco": 2001}"#,
    )
    .unwrap();
    let plain = at(here, &["check", "--show", "1"]).exit(1).stdout;
    let answer = check(&["--show", "1"]).exit(1).stdout;
    let annotations = answer.strip_prefix(&plain).unwrap();
    let lines: Vec<&str> = annotations.lines().collect();
    assert_eq!(lines.len(), 4, "{annotations}");
    let start = "::error file=tokscope.lock,title=Tokenizer changed::";
    assert_eq!(lines[0], format!("{start}added_tokens.json is new"));
    assert_eq!(
        lines[3],
        format!(
            "{start}a text of 39 bytes is tokenized differently\
             %0Atext: banco de madera, banco donde hay dinero\
             %0Alocked: [CLS] ▁banco ▁de ▁madera , ▁banco ▁do nd e ▁ha y ▁dinero [SEP]\
             %0Afound: [CLS] banco ▁de ▁madera , ▁ banco ▁do nd e ▁ha y ▁dinero [SEP]"
        )
    );
    // Records stay records; the annotations follow on standard error. Paths are those of the repository.
    let answer = at(
        &here.join("sub"),
        &[
            "check",
            "--lock-file",
            "../tokscope.lock",
            "-m",
            "../m",
            "--annotate",
            "github",
            "--json",
        ],
    )
    .exit(1);
    assert!(records(&answer.stdout).len() > 3);
    assert!(answer.stderr.starts_with(start), "{}", answer.stderr);
    let lines = answer.stderr.lines();
    assert!(lines.clone().count() > 3 && lines.clone().all(|line| line.starts_with("::error ")));
    let missing = check(&["--lock-file", "none.lock"]).exit(2);
    assert_eq!(
        missing.stdout,
        "::error file=none.lock,title=Tokenizer not checked::there is no lock file none.lock\n"
    );
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
fn a_moved_branch_is_reported_and_not_followed() {
    let place = place();
    let here = place.path();
    let mut remote = Remote::new();
    let first = remote.publish("o/n", Access::Public, &here.join("m"));
    let run = |remote: &Remote, args: &[&str]| hub(remote, here, args);
    run(&remote, &["lock", "-m", "o/n"]).ok();
    let lock: Value =
        serde_json::from_slice(&fs::read(here.join("tokscope.lock")).unwrap()).unwrap();
    assert_eq!(lock["commit"], *first);
    assert_eq!(lock["revision"], "main");
    let said = run(&remote, &["check"]).ok();
    assert!(said.starts_with("as locked: "), "{said}");

    fs::write(
        here.join("m/added_tokens.json"),
        r#"{"[MASK]": 2000, "banco": 2001}"#,
    )
    .unwrap();
    let second = remote.publish("o/n", Access::Public, &here.join("m"));
    let ids = |remote: &Remote, args: &[&str]| {
        let args = [&["tokenize", "un banco", "--ids"], args].concat();
        run(remote, &args).ok()
    };
    let (old, new) = ("1 328 364 2\n", "1 328 262 2001 2\n");
    // Offline, or if the Hub does not answer, only the cache is compared.
    let offline = run(&remote, &["check", "--offline"]).ok();
    assert!(offline.starts_with("as locked: "), "{offline}");
    let (found, sum) = drifts(&run(&remote, &["check", "--json", "--show", "99"]).run());
    assert_eq!(
        kinds(&found),
        ["revision", "file", "vocabulary", "added-token", "text"]
    );
    assert_eq!(found[0].locked.as_deref(), Some(first.as_str()));
    assert_eq!(found[0].found.as_deref(), Some(second.as_str()));
    assert_eq!(sum.commit.as_deref(), Some(second.as_str()));
    assert_eq!(ids(&remote, &["-m", "o/n"]), old, "a check moves nothing");
    run(&remote, &["pull", "-m", "o/n"]).ok();
    assert_eq!(ids(&remote, &["-m", "o/n"]), new);
    assert_eq!(ids(&remote, &["--locked"]), old);
    assert_eq!(ids(&remote, &["--locked", "-m", "o/n@main"]), old);
    run(&remote, &["tokenize", "x", "--locked", "-m", "o/n@other"]).exit(2);
    run(
        &remote,
        &["tokenize", "x", "--locked", "--revision", "other"],
    )
    .exit(2);
    run(&remote, &["pull", "--locked"]).ok();
    assert_eq!(
        ids(&remote, &["-m", "o/n"]),
        new,
        "a locked pull moves nothing"
    );
    let answer = run(&remote, &["check", "--json", "--revision", &second]).exit(1);
    assert_eq!(kinds(&drifts(&answer).0)[0], "file");
    run(&remote, &["check", "--revision", &first]).ok();
    // Now the cache has the new commit of the branch.
    remote.hub.stop();
    let (found, _) = drifts(&run(&remote, &["check", "--json", "--offline"]).run());
    assert_eq!(kinds(&found)[0], "revision");
    assert_eq!(ids(&remote, &["--locked", "--offline"]), old);
    let answer = run(&remote, &["check"]).exit(1);
    assert!(
        answer
            .stderr
            .starts_with("note: cannot ask the Hub whether main of `o/n` has moved")
    );
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
fn every_golden_text_can_be_a_locked_text() {
    let Some(shared) = shared("every_golden_text_can_be_a_locked_text") else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let model = shared.join("models/deberta-v3-xsmall");
    let golden = shared.join("golden/deberta-v3-xsmall.jsonl");
    let (model, golden) = (model.to_str().unwrap(), golden.to_str().unwrap());
    let locked = at(
        place.path(),
        &["lock", "-m", model, "--texts", golden, "--json"],
    )
    .ok();
    let Some(Record::Lock(lock)) = records(&locked).pop() else {
        panic!("{locked}");
    };
    assert_eq!(lock.vocabulary_size, 128_001);
    assert!(lock.texts > 1695 + 50);
    assert_eq!(kinds(&check(place.path())), [""; 0]);
}
