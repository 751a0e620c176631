//! `check`: exactly the changes of a locked model are reported.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::loopback_hub::Access;
use crate::model::place::{at, edit, hub, place};
use crate::records::{Drift, Lock, Record, records};
use crate::remote::Remote;
use crate::support::{Answer, shared};

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
