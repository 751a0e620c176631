//! Help and manual pages: groups of commands, examples that run, exit codes, and variables.

use std::fs;
use std::process::Command;

use tokscope::cli::command;
use tokscope::commands::topics::{self, PROGRAM, Topic};

use crate::docs::sandbox::Sandbox;
use crate::loopback_hub::Access;
use crate::remote::Remote;
use crate::support::{repository, tokscope};

/// Returns the topics of the program and of all commands.
fn all_topics() -> impl Iterator<Item = &'static Topic> {
    [&PROGRAM].into_iter().chain(topics::all())
}

/// Returns a model that lacks the words of the toy model that the default model lacks too, so that an example that
/// needs them must name the toy model.
fn default_model() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in fs::read_dir(repository("demo/model")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    let vocabulary = folder.path().join("spm.model");
    let mut bytes = fs::read(&vocabulary).unwrap();
    for word in ["▁banco", "▁madre", "▁padre"] {
        // With its length, as a field of the file.
        let piece = [&[10, word.len() as u8], word.as_bytes()].concat();
        let at = memchr::memmem::find(&bytes, &piece).unwrap();
        let last = at + piece.len() - 1;
        bytes[last] = b'#';
    }
    fs::write(vocabulary, bytes).unwrap();
    folder
}

#[test]
fn every_example_of_the_help_runs() {
    let remote = Remote::new();
    let model = default_model();
    remote.publish("microsoft/deberta-v3-xsmall", Access::Public, model.path());
    let sandbox = Sandbox::new(None);
    let endpoint = remote.hub.endpoint();
    let run = |line: &str| sandbox.run(&format!("export HF_ENDPOINT={endpoint}; {line}"));
    let made =
        run("mkdir prompts && cp README.md prompts && printf 'un banco\nhay 🙂\n' > words.txt");
    assert_eq!(made, (0, String::new()));
    let mut examples = 0;
    for topic in all_topics() {
        assert!((2..=4).contains(&topic.examples.len()), "{}", topic.command);
        for example in topic.examples {
            let (code, printed) = run(example.line);
            // The documented toy model has findings, and two words differ.
            let negative = [
                "tokscope diff banco bank -m demo",
                "tokscope diff --id 588,607 --stats -m demo",
            ];
            let over = [
                "tokscope info --strict --quiet",
                "tokscope count prompts --budget 8k",
            ];
            let expected = negative.contains(&example.line) || over[0] == example.line;
            assert_eq!(code, i32::from(expected), "{}\n{printed}", example.line);
            assert!(!printed.contains("error:"), "{}\n{printed}", example.line);
            let names = example
                .line
                .contains(&format!("tokscope {}", topic.command));
            assert!(names || topic.command == "tokscope", "{}", example.line);
            examples += 1;
        }
    }
    assert!(examples > 45, "{examples}");
}

#[test]
fn every_help_ends_with_examples_and_exit_codes() {
    for topic in all_topics() {
        let args: &[&str] = match topic.command {
            "tokscope" => &["--help"],
            command => &[command, "--help"],
        };
        let long = tokscope(args).ok();
        let end = topic.after_help();
        assert!(
            long.ends_with(&format!("{end}\n")),
            "{}: {long}",
            topic.command
        );
        assert!(end.contains("\n\nExit codes:\n  0  "), "{end}");
        for line in end.lines() {
            let width = line.chars().count();
            assert!(width <= 80, "{}: {width} columns: {line}", topic.command);
        }
    }
}

#[test]
fn commands_are_listed_in_groups() {
    let help = tokscope(["--help"]).env("COLUMNS", "60").ok();
    let list = help.split("Global options:").next().unwrap();
    assert!(
        list.lines().all(|line| line.chars().count() <= 60),
        "{list}"
    );
    let heads = help
        .lines()
        .filter(|line| !line.starts_with(' ') && line.ends_with(':'));
    let groups: Vec<&str> = heads.collect();
    assert_eq!(
        groups,
        [
            "Text:",
            "Rows of the embedding matrix:",
            "Model:",
            "Checks:",
            "Shell:",
            "Global options:",
            "Examples:",
            "Exit codes:"
        ]
    );
}

#[test]
fn manual_pages_have_the_usual_sections() {
    for topic in all_topics() {
        let args: &[&str] = match topic.command {
            "tokscope" => &["man"],
            command => &["man", command],
        };
        let page = tokscope(args).ok();
        let sections: Vec<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        let common = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"];
        assert_eq!(sections[..4], common, "{}", topic.command);
        assert!(
            sections.contains(&"\"EXIT STATUS\"") && sections.contains(&"EXAMPLES"),
            "{sections:?}"
        );
        assert_eq!(sections.contains(&"ENVIRONMENT"), topic.opens_model);
        assert!(!sections.contains(&"EXTRA"), "{sections:?}");
    }
    let page = tokscope(["man", "vocab"]).ok();
    let synopsis = page
        .split(".SH ")
        .find(|section| section.starts_with("SYNOPSIS"))
        .unwrap();
    assert!(
        synopsis.contains(r"[\fB\-k\fR|\fB\-\-limit\fR \fIK\fR]"),
        "{synopsis}"
    );
    assert!(
        synopsis.contains(r"[\fB\-\-id\fR \fIN\fR]..."),
        "{synopsis}"
    );
    let page = tokscope(["man", "count"]).ok();
    assert!(page.contains(r"[\fIPATH\fR]..."), "{page}");
}

#[test]
fn the_manual_names_every_variable_of_the_reference() {
    let page = tokscope(["man"]).ok();
    let reference = fs::read_to_string(repository("docs/reference/environment.md")).unwrap();
    let table = reference
        .split("\nThese are for `cargo test` only")
        .next()
        .unwrap();
    let mut names = 0;
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.split('|').nth(1).unwrap();
        for name in cell.split('`').skip(1).step_by(2) {
            let name = name.split('=').next().unwrap();
            assert!(page.contains(name), "{name} is not in the manual");
            names += 1;
        }
    }
    assert!(names > 25, "{names}");
}

#[test]
fn manual_pages_are_accepted_by_groff() {
    let Ok(version) = Command::new("groff").arg("--version").output() else {
        crate::support::skipped("manual_pages_are_accepted_by_groff needs groff");
        return;
    };
    assert!(version.status.success());
    for topic in all_topics().filter(|topic| topic.command != "tokscope") {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.1");
        fs::write(&path, tokscope(["man", topic.command]).ok()).unwrap();
        let checked = Command::new("groff")
            .args(["-man", "-Kutf8", "-Tutf8", "-ww", "-z"])
            .arg(&path)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8_lossy(&checked.stderr),
            "",
            "{}",
            topic.command
        );
    }
}

#[test]
fn help_and_version_succeed_and_no_command_fails() {
    assert_eq!(
        tokscope(["--version"]).ok(),
        format!("tokscope {}\n", env!("CARGO_PKG_VERSION"))
    );
    for command in [
        "tokenize",
        "decode",
        "count",
        "info",
        "vocab",
        "embed",
        "diff",
        "neighbors",
        "pull",
    ] {
        assert!(
            tokscope([command, "--help"])
                .ok()
                .contains("Global options"),
            "{command}"
        );
    }
    assert_eq!(tokscope([] as [&str; 0]).exit(2).stdout, "");
    tokscope(["nothing"]).exit(2);
    tokscope(["--format", "yaml", "info"]).exit(2);
    tokscope(["--json", "--format", "csv", "info"]).exit(2);
}

#[test]
fn help_texts_have_no_final_period() {
    let mut command = command();
    command.build();
    for command in command.get_subcommands() {
        let name = command.get_name();
        let about = command.get_about().map(ToString::to_string);
        let helps = command
            .get_arguments()
            .filter_map(|argument| argument.get_help());
        for help in helps.map(ToString::to_string).chain(about) {
            assert!(!help.ends_with('.'), "`{name}`: {help}");
        }
    }
}
