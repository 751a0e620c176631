//! The pages, and a test for each of them that has commands to run.

use std::fs;
use std::path::Path;

use super::markdown::blocks;
use super::run::run_page;
use crate::support::repository;

/// Declares a test for each page, which `cargo test` runs in parallel.
macro_rules! pages_with_commands {
    ($($test:ident: $page:literal,)*) => {
        const PAGES_WITH_COMMANDS: &[&str] = &[$($page),*];

        $(#[test]
        fn $test() {
            run_page($page);
        })*
    };
}

pages_with_commands! {
    readme: "README.md",
    lesson: "docs/lesson.md",
    leccion: "docs/leccion.md",
    chat: "docs/guide/chat.md",
    chunking: "docs/guide/chunking.md",
    convert_and_verify: "docs/guide/convert-and-verify.md",
    count_and_budgets: "docs/guide/count-and-budgets.md",
    input_and_output: "docs/guide/input-and-output.md",
    lock_and_check: "docs/guide/lock-and-check.md",
    models: "docs/guide/models.md",
    neighbors: "docs/guide/neighbors.md",
    rows: "docs/guide/rows.md",
    search: "docs/guide/search.md",
    tokenize: "docs/guide/tokenize.md",
    which_transformers: "docs/guide/which-transformers.md",
    exit_codes: "docs/reference/exit-codes.md",
}

/// Returns the pages, as paths from the root of the repository, sorted.
pub fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    add_pages("", &mut pages);
    add_pages("docs", &mut pages);
    add_pages("demo", &mut pages);
    pages.sort();
    pages
}

/// Adds the pages of a folder; those of its folders too, unless it is the root of the repository.
fn add_pages(folder: &str, pages: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(repository(folder)) else {
        return;
    };
    for entry in entries {
        let path = Path::new(folder).join(entry.unwrap().file_name());
        let name = path.to_str().unwrap().to_owned();
        if repository(&name).is_dir() {
            if !folder.is_empty() {
                add_pages(&name, pages);
            }
        } else if name.ends_with(".md") {
            pages.push(name);
        }
    }
}

#[test]
fn every_page_with_commands_has_its_test() {
    let has_commands = |page: &String| {
        let text = fs::read_to_string(repository(page)).unwrap();
        let blocks = blocks(&text);
        let console = blocks
            .iter()
            .filter(|block| block.info.starts_with("console"));
        console.flat_map(|block| block.steps()).next().is_some()
    };
    let mut found: Vec<String> = pages().into_iter().filter(has_commands).collect();
    let mut tested: Vec<String> = PAGES_WITH_COMMANDS
        .iter()
        .map(|&page| page.to_owned())
        .collect();
    found.sort();
    tested.sort();
    assert_eq!(
        found, tested,
        "left: pages with commands; right: pages with a test in tests/it/docs/pages.rs"
    );
}

#[test]
fn both_lessons_have_the_same_blocks() {
    let blocks_of = |page| blocks_without_lines(&fs::read_to_string(repository(page)).unwrap());
    assert_eq!(blocks_of("docs/lesson.md"), blocks_of("docs/leccion.md"));
}

/// Returns the blocks of a page without the numbers of their lines.
fn blocks_without_lines(markdown: &str) -> Vec<(String, Vec<String>)> {
    let blocks = blocks(markdown).into_iter();
    blocks.map(|block| (block.info, block.lines)).collect()
}
