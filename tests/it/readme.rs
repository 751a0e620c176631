//! The console blocks of README.md: each command is run, and prints what the block says.
//!
//! In a block fenced as `console`, a line that begins with `$ ` is a command for `sh`; a line `? N` right after it is its
//! exit code, 0 where there is none; what follows, up to the next command, is what it prints on both streams. `[..]`
//! stands for anything within a line, and a line `...` for any lines. Blocks fenced as `console real` are run on the
//! stand-in of the real model, where there is one; all others on nothing but this repository and without a network.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::standin::standin;
use crate::support::{NO_HUB, repository};

/// A fenced block.
#[derive(Debug, Default, PartialEq)]
struct Block {
    /// What stands after the fence.
    info: String,
    /// Line of the fence, from 1.
    line: usize,
    lines: Vec<String>,
}

/// A command and what it is to print.
#[derive(Debug, PartialEq)]
struct Step {
    line: usize,
    command: String,
    code: i32,
    expected: Vec<String>,
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                open = Some(Block {
                    info: info.trim().to_owned(),
                    line: index + 1,
                    lines: Vec::new(),
                });
            }
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => block.lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    assert_eq!(open, None, "a block that does not end");
    blocks
}

impl Block {
    /// The commands of the block; none where it shows how to set things up.
    fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let line_number = self.line + 1 + index;
            if let Some(command) = line.strip_prefix("$ ") {
                steps.push(Step {
                    line: line_number,
                    command: command.to_owned(),
                    code: 0,
                    expected: Vec::new(),
                });
                continue;
            }
            let step = steps.last_mut();
            let step =
                step.unwrap_or_else(|| panic!("line {line_number}: output without a command"));
            match line.strip_prefix("? ") {
                Some(code) if step.line + 1 == line_number => {
                    step.code = code.trim().parse().unwrap()
                }
                _ if step.command.ends_with('\\') => {
                    step.command.push('\n');
                    step.command
                        .push_str(line.strip_prefix("> ").unwrap_or(line));
                    step.line = line_number;
                }
                _ => step.expected.push(line.clone()),
            }
        }
        let sets_up = |step: &Step| {
            ["cargo ", "git "]
                .iter()
                .any(|word| step.command.starts_with(word))
        };
        if steps.iter().any(sets_up) {
            Vec::new()
        } else {
            steps
        }
    }
}

/// Whether a line is what a pattern with `[..]` describes.
fn line_matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("[..]");
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, inner)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in inner {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Whether lines are what patterns, with `...` for any lines, describe.
fn matches(patterns: &[String], lines: &[&str]) -> bool {
    match patterns.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line_matches(first, line) && matches(rest, lines)),
    }
}

/// A place to run commands in: the files of the repository that the README names, copied, and a home.
struct Place {
    folder: tempfile::TempDir,
    model: Option<std::path::PathBuf>,
}

impl Place {
    fn new(model: Option<std::path::PathBuf>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["README.md", "demo", "src"] {
            copy(&repository(name), &folder.path().join("here").join(name));
        }
        for name in ["home", "tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder, model }
    }

    /// Runs a command; both streams come back in the order in which they were written.
    fn run(&self, command: &str) -> (i32, String) {
        let program = Path::new(env!("CARGO_BIN_EXE_tokscope")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(
            [program.to_owned()]
                .into_iter()
                .chain(std::env::split_paths(&path)),
        );
        let printed = self.folder.path().join("printed");
        let file = File::create(&printed).unwrap();
        let mut sh = Command::new("sh");
        sh.args(["-c", command])
            .current_dir(self.folder.path().join("here"))
            .env_clear()
            .env("PATH", path.unwrap())
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.folder.path().join("home"))
            .env("TMPDIR", self.folder.path().join("tmp"))
            .env("HF_ENDPOINT", NO_HUB)
            .stdin(Stdio::null())
            .stderr(file.try_clone().unwrap())
            .stdout(file);
        if let Some(model) = &self.model {
            sh.env("TOKSCOPE_MODEL", model);
        }
        let status = sh.status().unwrap();
        let mut text = String::new();
        File::open(printed)
            .unwrap()
            .read_to_string(&mut text)
            .unwrap();
        (status.code().unwrap_or(-1), text)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    if from.is_dir() {
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

/// Runs every block of this kind, and fails with all that differs.
fn run_blocks(info: &str, model: Option<std::path::PathBuf>) {
    let readme =
        fs::read_to_string(repository("README.md")).expect("README.md is there to be read");
    let blocks = blocks(&readme);
    let steps: Vec<Step> = blocks
        .iter()
        .filter(|block| block.info == info)
        .flat_map(Block::steps)
        .collect();
    assert!(
        !steps.is_empty(),
        "README.md has no block fenced as `{info}` with a command in it"
    );
    let place = Place::new(model);
    let mut differences = String::new();
    for step in &steps {
        let (code, printed) = place.run(&step.command);
        let lines: Vec<&str> = printed.lines().collect();
        if code == step.code && matches(&step.expected, &lines) {
            continue;
        }
        let _ = writeln!(differences, "\nREADME.md:{}: $ {}", step.line, step.command);
        if code != step.code {
            let _ = writeln!(
                differences,
                "  exit code {code}, and README.md says {}",
                step.code
            );
        }
        for (index, expected) in step.expected.iter().enumerate() {
            let same = lines
                .get(index)
                .is_some_and(|line| line_matches(expected, line));
            let _ = writeln!(
                differences,
                "  {} README  |{expected}",
                if same { ' ' } else { '-' }
            );
        }
        for (index, line) in lines.iter().enumerate() {
            let same = step
                .expected
                .get(index)
                .is_some_and(|expected| line_matches(expected, line));
            let _ = writeln!(
                differences,
                "  {} printed |{line}",
                if same { ' ' } else { '+' }
            );
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn the_readme_prints_what_the_program_prints() {
    run_blocks("console", None);
}

#[test]
fn the_readme_prints_what_the_real_model_gives() {
    let Some(standin) = standin("the_readme_prints_what_the_real_model_gives") else {
        return;
    };
    run_blocks("console real", Some(standin.as_on_the_hub()));
}

#[test]
fn every_block_of_the_readme_is_of_a_known_kind() {
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    for block in blocks(&readme) {
        let known = [
            "console",
            "console real",
            "sh",
            "text",
            "json",
            "python",
            "rust",
        ];
        assert!(
            known.contains(&block.info.as_str()),
            "README.md:{}: a block fenced as `{}`",
            block.line,
            block.info
        );
        let has_commands = block.lines.iter().any(|line| line.starts_with("$ "));
        assert!(
            !has_commands || block.info.starts_with("console"),
            "README.md:{}: commands that no test runs",
            block.line
        );
    }
}

#[test]
fn blocks_are_read_as_they_are_meant() {
    let markdown = "a\n```console\n$ one 'x' \\\n> two\n? 1\nout\n\nmore\n$ three\n```\n```sh\ncargo test\n```\n\
                    ```console\n$ cargo test\n$ four\n```\n";
    let blocks = blocks(markdown);
    let infos: Vec<&str> = blocks.iter().map(|block| block.info.as_str()).collect();
    assert_eq!(infos, ["console", "sh", "console"]);
    let step = |line, command: &str, code, expected: &[&str]| Step {
        line,
        command: command.to_owned(),
        code,
        expected: expected.iter().map(|&line| line.to_owned()).collect(),
    };
    let expected = [
        step(4, "one 'x' \\\ntwo", 1, &["out", "", "more"]),
        step(9, "three", 0, &[]),
    ];
    assert_eq!(blocks[0].steps(), expected);
    assert_eq!(blocks[2].steps(), []);
}

#[test]
fn patterns_match_what_they_describe_and_nothing_else() {
    assert!(
        line_matches("a[..]c[..]", "abcd") && line_matches("[..]", "") && line_matches("a", "a")
    );
    assert!(
        !line_matches("a[..]c", "abcd") && !line_matches("a", "ab") && !line_matches("a[..]a", "a")
    );
    let patterns = |lines: &[&str]| {
        lines
            .iter()
            .map(|&line| line.to_owned())
            .collect::<Vec<_>>()
    };
    assert!(matches(&patterns(&["...", "b", "..."]), &["a", "b"]));
    assert!(matches(&patterns(&["..."]), &[]));
    assert!(!matches(&patterns(&["...", "b"]), &["b", "c"]));
    assert!(!matches(&patterns(&["a"]), &["a", "b"]) && !matches(&patterns(&["a", "b"]), &["a"]));
}
