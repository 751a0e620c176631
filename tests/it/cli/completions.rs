//! Shell completions, run in the shells that are installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use clap::ValueHint;
use tokscope::cli::command;

use crate::support::{skipped, tokscope};

/// A folder with files to complete, a Hub cache, and the script of a shell.
fn place(shell: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    for file in ["notes.md", "my notes.md"] {
        fs::write(at(file), "").unwrap();
    }
    fs::create_dir(at("models-here")).unwrap();
    for (model, has_files) in [("o--n", true), ("gpt2", true), ("owner--empty", false)] {
        let snapshots = at("hub").join(format!("models--{model}/snapshots"));
        fs::create_dir_all(&snapshots).unwrap();
        if has_files {
            fs::create_dir(snapshots.join("0".repeat(40))).unwrap();
        }
    }
    fs::create_dir_all(at("hub/datasets--o--d/snapshots/x")).unwrap();
    let script = tokscope(["completions", shell]).ok();
    fs::write(at(&format!("script.{shell}")), script).unwrap();
    place
}

/// Returns the answers of bash to a command line that ends at the cursor.
fn in_bash(place: &Path, line: &str, words: &[&str]) -> Vec<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_tokscope"));
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source script.bash; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}; COMP_WORDS=({}); \
         COMP_CWORD={}; _tokscope; ((${{#COMPREPLY[@]}})) && printf '%s\\n' \"${{COMPREPLY[@]}}\"; exit 0",
        quoted.join(" "),
        words.len() - 1
    );
    let answer = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", &script])
        .current_dir(place)
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", program.parent().unwrap().display()),
        )
        .env("HOME", place)
        .env("HF_HUB_CACHE", place.join("hub"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&answer.stderr), "", "{line}");
    let shown = String::from_utf8(answer.stdout).unwrap();
    shown.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_files_models_and_values() {
    if Command::new("bash").arg("--version").output().is_err() {
        skipped("bash_completes_files_models_and_values needs bash");
        return;
    }
    let place = place("bash");
    let check = |line: &str, words: &[&str], expected: &[&str]| {
        let mut found = in_bash(place.path(), line, words);
        found.sort();
        assert_eq!(found, expected, "{line}");
    };
    // Files are completed as files; `-` is not inserted.
    check(
        "tokscope count n",
        &["tokscope", "count", "n"],
        &["notes.md"],
    );
    check(
        "tokscope count my",
        &["tokscope", "count", "my"],
        &["my notes.md"],
    );
    let all = in_bash(place.path(), "tokscope count ", &["tokscope", "count", ""]);
    assert!(
        all.contains(&"notes.md".to_owned()) && !all.contains(&"-".to_owned()),
        "{all:?}"
    );
    check(
        "tokscope tokenize -f n",
        &["tokscope", "tokenize", "-f", "n"],
        &["notes.md"],
    );
    check(
        "tokscope -m ",
        &["tokscope", "-m", ""],
        &["demo", "gpt2", "hub/", "models-here/", "o/n"],
    );
    check(
        "tokscope info -m o",
        &["tokscope", "info", "-m", "o"],
        &["o/n "],
    );
    check("tokscope pull g", &["tokscope", "pull", "g"], &["gpt2 "]);
    // Bash makes three words of an option with `=`, and replaces only the last.
    check(
        "tokscope --model=o",
        &["tokscope", "--model", "=", "o"],
        &["o/n "],
    );
    check(
        "tokscope --format=",
        &["tokscope", "--format", "="],
        &["csv", "human", "json", "tsv"],
    );
    check("tokscope emb", &["tokscope", "emb"], &["embed"]);
    check(
        "tokscope embed --proj",
        &["tokscope", "embed", "--proj"],
        &["--projector"],
    );
    check(
        "tokscope man neigh",
        &["tokscope", "man", "neigh"],
        &["neighbors"],
    );
    check("tokscope diff ban", &["tokscope", "diff", "ban"], &[]);
}

#[test]
fn a_shell_reads_its_script() {
    for shell in ["bash", "zsh", "fish"] {
        let checked = Command::new(shell)
            .arg("-n")
            .arg(format!("script.{shell}"))
            .current_dir(place(shell).path())
            .output();
        match checked {
            Ok(checked) => assert_eq!(String::from_utf8_lossy(&checked.stderr), "", "{shell}"),
            Err(_) => skipped(format_args!("a_shell_reads_its_script needs {shell}")),
        }
    }
}

#[test]
fn candidates_open_no_model_and_ignore_wrong_words() {
    for words in [
        &[][..],
        &["tokscope"],
        &["tokscope", "nothing", ""],
        &["tokscope", "-m"],
    ] {
        let answer = tokscope([&["__complete", "--"], words].concat()).run();
        assert!(
            answer.code == 0 || words.is_empty(),
            "{words:?}: {}",
            answer.stderr
        );
    }
    let answer = tokscope(["__complete", "--", "tokscope", "--color", ""]).ok();
    assert_eq!(answer.lines().next(), Some("words"));
    assert_eq!(answer.lines().count(), 4);
    assert!(!tokscope(["--help"]).ok().contains("__complete"));
}

#[test]
fn every_value_says_how_it_is_completed() {
    let mut command = command();
    command.build();
    let all = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    for command in all.filter(|command| command.get_name() != "help") {
        for arg in command
            .get_arguments()
            .filter(|arg| arg.get_action().takes_values())
        {
            let is_known =
                !arg.get_possible_values().is_empty() || arg.get_value_hint() != ValueHint::Unknown;
            assert!(is_known, "{} of {}", arg.get_id(), command.get_name());
        }
    }
}

#[test]
fn the_line_of_the_readme_works_in_a_fresh_home() {
    let guide =
        fs::read_to_string(crate::support::repository("docs/guide/input-and-output.md")).unwrap();
    let lines: Vec<&str> = guide
        .lines()
        .filter(|line| line.contains("tokscope completions "))
        .collect();
    assert!(lines.len() >= 3, "{lines:?}");
    for line in lines {
        let sandbox = crate::docs::sandbox::Sandbox::new(None);
        let line = line.split(" #").next().unwrap();
        assert_eq!(sandbox.run(line), (0, String::new()), "{line}");
    }
}

#[test]
fn completions_and_the_manual_are_generated() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = tokscope(["completions", shell]).ok();
        let (asks, lists) = (
            script.contains(" __complete "),
            script.contains("neighbors"),
        );
        assert!(script.contains("tokscope") && asks != lists, "{shell}");
        assert_eq!(asks, ["bash", "zsh", "fish"].contains(&shell), "{shell}");
    }
    assert!(tokscope(["man"]).ok().contains(".TH"));
    assert!(tokscope(["man", "tokenize"]).ok().contains("offset\\-unit"));
    tokscope(["man", "nothing"]).exit(2);
    tokscope(["completions", "dash"]).exit(2);
    // Neither reads a model, so an invalid one is ignored.
    let out = tokscope(["--model", "", "completions", "bash"]);
    assert!(out.env("HF_ENDPOINT", "nowhere").ok().contains("tokscope"));
}
