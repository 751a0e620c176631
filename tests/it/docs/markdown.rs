//! The parts of a Markdown page that the tests look at: fenced blocks, commands, headings, links, tables.

use std::ops::Range;

/// A fenced block.
#[derive(Debug, Default, PartialEq)]
pub struct Block {
    /// The language after the fence.
    pub info: String,
    /// Line of the opening fence, from 1.
    pub line: usize,
    pub lines: Vec<String>,
}

/// A command of a `console` block and the output it must have.
#[derive(Debug, PartialEq)]
pub struct Step {
    /// Line of the command's first line, from 1.
    pub line: usize,
    pub command: String,
    /// Exit code, 0 unless a line `? N` follows the command.
    pub code: i32,
    pub expected: Vec<String>,
    /// Indices of the page's lines that hold the exit code and the output, from 0.
    pub answer: Range<usize>,
}

/// Returns the fenced blocks of a page.
pub fn blocks(markdown: &str) -> Vec<Block> {
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
    assert_eq!(open, None, "a block is not closed");
    blocks
}

/// Returns the lines outside fenced blocks, each with its number, from 1.
pub fn prose(markdown: &str) -> Vec<(usize, &str)> {
    let mut in_block = false;
    let mut lines = Vec::new();
    for (index, line) in markdown.lines().enumerate() {
        if line.starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            lines.push((index + 1, line));
        }
    }
    lines
}

impl Block {
    /// Returns the commands of a block; none if the block only shows how to build the program.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        // The lines of the block start on the line after the fence, whose index is the fence's number.
        for (index, line) in (self.line..).zip(&self.lines) {
            if let Some(command) = line.strip_prefix("$ ") {
                steps.push(Step {
                    line: index + 1,
                    command: command.to_owned(),
                    code: 0,
                    expected: Vec::new(),
                    answer: index + 1..index + 1,
                });
                continue;
            }
            let Some(step) = steps.last_mut() else {
                panic!("line {}: output without a command", index + 1)
            };
            step.answer.end = index + 1;
            match line.strip_prefix("? ") {
                Some(code) if step.answer.start == index => {
                    step.code = code.trim().parse().unwrap();
                }
                _ if step.command.ends_with('\\') => {
                    step.command.push('\n');
                    step.command
                        .push_str(line.strip_prefix("> ").unwrap_or(line));
                    step.answer.start = index + 1;
                }
                _ => step.expected.push(line.clone()),
            }
        }
        let builds = |step: &Step| {
            ["cargo ", "git "]
                .iter()
                .any(|word| step.command.starts_with(word))
        };
        if steps.iter().any(builds) {
            Vec::new()
        } else {
            steps
        }
    }
}

/// Returns the headings of a page: line, from 1, level, and text.
pub fn headings(markdown: &str) -> Vec<(usize, usize, &str)> {
    let mut headings = Vec::new();
    for (number, line) in prose(markdown) {
        let text = line.trim_start_matches('#');
        let level = line.len() - text.len();
        if let Some(text) = text.strip_prefix(' ')
            && (1..=6).contains(&level)
        {
            headings.push((number, level, text.trim()));
        }
    }
    headings
}

/// Returns a line without its inline code, which holds no links.
pub fn without_code(line: &str) -> String {
    let mut rest = line;
    let mut text = String::new();
    while let Some(at) = rest.find('`') {
        text.push_str(&rest[..at]);
        let ticks = rest[at..].chars().take_while(|&c| c == '`').count();
        let inner = &rest[at + ticks..];
        let fence = &rest[at..at + ticks];
        match inner.find(fence) {
            Some(end) => rest = &inner[end + ticks..],
            None => rest = inner,
        }
    }
    text + rest
}

/// Returns the targets of the links of a page, each with its line, from 1.
pub fn links(markdown: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(markdown) {
        let line = without_code(line);
        for part in line.split("](").skip(1) {
            let target = part.split(')').next().unwrap_or_default();
            links.push((number, target.to_owned()));
        }
        if let Some((_, target)) = line
            .split_once("]: ")
            .filter(|(label, _)| label.starts_with('['))
        {
            links.push((number, target.trim().to_owned()));
        }
    }
    links
}

/// Returns the cells of a table's row; `None` for other lines and for the line below a table's head.
pub fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    // A pipe inside a cell is written `\|`.
    let inner = inner.replace("\\|", "\u{0}");
    let cells: Vec<String> = inner
        .split('|')
        .map(|cell| cell.trim().replace('\u{0}', "|"))
        .collect();
    let is_rule = cells
        .iter()
        .all(|cell| !cell.is_empty() && cell.chars().all(|c| c == '-' || c == ':'));
    (!is_rule).then_some(cells)
}

/// Returns the inline code spans of a text.
pub fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn blocks_and_their_commands_are_read() {
    let markdown = "a\n```console\n$ one 'x' \\\n> two\n? 1\nout\n\nmore\n$ three\n```\n```sh\ncargo test\n```\n\
                    ```console\n$ cargo test\n$ four\n```\n";
    let blocks = blocks(markdown);
    let infos: Vec<&str> = blocks.iter().map(|block| block.info.as_str()).collect();
    assert_eq!(infos, ["console", "sh", "console"]);
    let step = |line, command: &str, code, expected: &[&str], answer| Step {
        line,
        command: command.to_owned(),
        code,
        expected: expected.iter().map(|&line| line.to_owned()).collect(),
        answer,
    };
    let expected = [
        step(3, "one 'x' \\\ntwo", 1, &["out", "", "more"], 4..8),
        step(9, "three", 0, &[], 9..9),
    ];
    assert_eq!(blocks[0].steps(), expected);
    assert_eq!(blocks[2].steps(), []);
}

#[test]
fn headings_and_links_are_read_outside_code() {
    let page = "# One `x`\n```sh\n# no heading [a](b)\n```\n#none\n### Three\n[a](b#c), `[x](y)` [d](e)\n[r]: f\n";
    assert_eq!(headings(page), [(1, 1, "One `x`"), (6, 3, "Three")]);
    let expected = [(7, "b#c"), (7, "e"), (8, "f")];
    let links = links(page);
    let links: Vec<(usize, &str)> = links.iter().map(|(at, to)| (*at, to.as_str())).collect();
    assert_eq!(links, expected);
}

#[test]
fn cells_of_tables_are_read() {
    let row = cells(r"| `a` | `b \| c` |").unwrap();
    assert_eq!(row, ["`a`", "`b | c`"]);
    assert_eq!(code_spans(&row[1]), ["b | c"]);
    assert_eq!((cells("|---|---:|"), cells("text")), (None, None));
}
