//! Files, flags and commands that the pages name are there.

use std::collections::BTreeSet;
use std::fs;

use clap::{Command, CommandFactory};
use tokscope::cli::Cli;

use super::markdown::{Block, blocks, cells, code_spans, prose};
use super::pages::pages;
use crate::support::repository;

/// Folders of the repository; a code span that begins with one of them names a file.
const FOLDERS: [&str; 7] = [
    "src/", "tests/", "docs/", "demo/", "fuzz/", "benches/", ".ci/",
];

/// Flags of clap itself.
const BUILT_IN: [&str; 2] = ["--help", "--version"];

/// Returns the code spans of a page outside blocks, each with its line, from 1.
fn spans(page: &str) -> Vec<(usize, String)> {
    let text = fs::read_to_string(repository(page)).unwrap();
    let of_line = |(number, line): (usize, &str)| {
        let spans = code_spans(line).into_iter();
        spans
            .map(|span| (number, span.to_owned()))
            .collect::<Vec<_>>()
    };
    prose(&text).into_iter().flat_map(of_line).collect()
}

#[test]
fn files_that_pages_name_exist() {
    let mut missing = Vec::new();
    for page in pages() {
        for (line, span) in spans(&page) {
            let is_path = FOLDERS.iter().any(|folder| span.starts_with(folder))
                && !span.contains([' ', '*', ':', '<'])
                && !span.contains("NAME");
            if is_path && !repository(&span).exists() {
                missing.push(format!("{page}:{line}: {span}"));
            }
        }
    }
    assert!(missing.is_empty(), "no such files:\n{}", missing.join("\n"));
}

/// Returns the folders below a folder of the repository, as paths that end in a slash.
fn folders_below(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(repository(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name());
    let folders = names.filter_map(|name| {
        let path = format!("{folder}{}/", name.to_str()?);
        repository(&path).is_dir().then_some(path)
    });
    folders
        .flat_map(|folder| [vec![folder.clone()], folders_below(&folder)].concat())
        .collect()
}

#[test]
fn the_architecture_describes_every_folder() {
    let page = fs::read_to_string(repository("docs/explanation/architecture.md")).unwrap();
    let rows: Vec<Vec<String>> = page.lines().filter_map(cells).collect();
    for folder in folders_below("src/") {
        let has_row = rows
            .iter()
            .any(|row| code_spans(&row[0]) == [folder.as_str()]);
        assert!(
            has_row,
            "docs/explanation/architecture.md: no row of {folder}"
        );
    }
}

#[test]
fn the_architecture_describes_every_layer_in_order() {
    let page = fs::read_to_string(repository("docs/explanation/architecture.md")).unwrap();
    let (_, layers) = page.split_once("\n## Layers\n").unwrap();
    let (layers, _) = layers.split_once("\n## ").unwrap();
    let rows: Vec<Vec<String>> = layers.lines().filter_map(cells).collect();
    let described: Vec<&str> = rows.iter().flat_map(|row| code_spans(&row[0])).collect();
    let lib = fs::read_to_string(repository("src/lib.rs")).unwrap();
    let declared = lib.lines().filter_map(|line| {
        let line = line.strip_prefix("pub ").unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';')
    });
    assert_eq!(described, declared.collect::<Vec<_>>());
}

/// Returns the string literals of Rust code that are spelled like variables of the environment.
fn variables(code: &str) -> BTreeSet<&str> {
    let is_variable = |text: &&str| {
        let is_name = text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        is_name && text.contains('_') && text.starts_with(|c: char| c.is_ascii_uppercase())
    };
    // Whether a quote opens or closes does not matter: text between two literals is not spelled like a variable.
    code.split('"').filter(is_variable).collect()
}

#[test]
fn every_variable_of_the_environment_has_its_entry() {
    let page = fs::read_to_string(repository("docs/reference/environment.md")).unwrap();
    let known: BTreeSet<&str> = page.lines().flat_map(code_spans).collect();
    let mut files = vec![repository("src")];
    let mut found = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(
                fs::read_dir(path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
            continue;
        }
        let code = fs::read_to_string(&path).unwrap_or_default();
        for variable in variables(&code) {
            if variable.starts_with("CARGO_") {
                continue;
            }
            found += 1;
            assert!(
                known.contains(variable),
                "docs/reference/environment.md: no entry for {variable} of {}",
                path.display()
            );
        }
    }
    assert!(found > 20, "only {found} variables were found");
}

/// Returns the long flags of a command and of its subcommands.
fn flags(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter_map(|arg| arg.get_long());
    let own = own.map(|long| format!("--{long}"));
    let below = command.get_subcommands().flat_map(flags);
    own.chain(below).collect()
}

#[test]
fn flags_that_pages_name_exist() {
    let cli = Cli::command();
    let mut known = flags(&cli);
    known.extend(BUILT_IN.map(str::to_owned));
    let commands: Vec<&str> = cli.get_subcommands().map(Command::get_name).collect();
    let mut unknown = Vec::new();
    for page in pages() {
        for (line, span) in spans(&page) {
            let mut words = span.split_whitespace();
            let first = words.next().unwrap_or_default();
            if first != "tokscope" && !first.starts_with("--") && !commands.contains(&first) {
                continue;
            }
            for word in span.split_whitespace() {
                let flag = word.split('=').next().unwrap_or_default();
                if flag.starts_with("--") && flag.len() > 2 && !known.contains(flag) {
                    unknown.push(format!("{page}:{line}: {flag}"));
                }
            }
        }
    }
    assert!(unknown.is_empty(), "no such flags:\n{}", unknown.join("\n"));
}

/// Returns the words of the calls of tokscope in a block of shell commands.
fn calls(block: &Block) -> Vec<Vec<String>> {
    let text = block.lines.join("\n").replace("\\\n", " ");
    let starts = text.match_indices("tokscope ").map(|(at, _)| at);
    let is_call = |at: &usize| {
        let before = text[..*at].chars().next_back();
        before.is_none_or(|c| matches!(c, '\n' | '(' | ' '))
    };
    let calls = starts.filter(is_call).map(|at| words(&text[at..]));
    // In a comment, or an argument: no command follows.
    calls.filter(|words| words.len() > 1).collect()
}

/// Returns the words of a shell command, up to a pipe, a redirection, a comment or the end of the line.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), _) if c == open => quote = None,
            (None, ' ') => words.extend(word.take()),
            (None, '\n' | '|' | '>' | '<' | ';' | ')') => break,
            (None, '#') if word.is_none() => break,
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn recipes_are_commands_that_the_program_accepts() {
    let mut problems = Vec::new();
    let mut checked = 0;
    for page in pages() {
        let text = fs::read_to_string(repository(&page)).unwrap();
        for block in blocks(&text).iter().filter(|block| block.info == "sh") {
            for call in calls(block) {
                checked += 1;
                if let Err(error) = Cli::command().try_get_matches_from(&call) {
                    let line = block.line;
                    problems.push(format!("{page}:{line}: {}\n{error}", call.join(" ")));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(checked > 20, "only {checked} calls were found");
}

#[test]
fn calls_are_read_from_shell_commands() {
    let block = Block {
        lines: [
            "tokscope a 'b c' | jq x # tokscope",
            "test \"$(tokscope d \"e\")\" = 1",
        ]
        .map(str::to_owned)
        .to_vec(),
        ..Block::default()
    };
    let expected = [vec!["tokscope", "a", "b c"], vec!["tokscope", "d", "e"]];
    assert_eq!(calls(&block), expected);
}
