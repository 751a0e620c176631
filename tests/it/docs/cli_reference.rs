//! docs/reference/cli.md, generated from the definitions of the command line.

use std::fmt::Write as _;
use std::fs;

use clap::{Arg, ArgAction, Command};
use tokscope::cli::command;

use super::is_blessing;
use super::markdown::{blocks, cells, code_spans};
use crate::support::repository;

const PAGE: &str = "docs/reference/cli.md";

const HEAD: &str = "\
<!-- Generated from the definitions of the command line; `TOKSCOPE_BLESS=1 cargo test --test it docs::` writes it. -->

# Command line

Every command and every flag, as `tokscope COMMAND --help` and `tokscope man COMMAND` have them. The [guides](../index.md)
show them at work.
";

/// Returns the page.
fn reference(mut cli: Command) -> String {
    cli.build();
    let mut page = HEAD.to_owned();
    let _ = writeln!(
        page,
        "\n## Global options\n\nThey may stand before or after the command.\n"
    );
    write_options(&mut page, &cli);
    for command in commands(&cli) {
        let usage = command.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ").trim();
        let about = command.get_long_about().or(command.get_about());
        let about = about.map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(page, "\n## {}", command.get_name());
        for paragraph in paragraphs(&about) {
            let _ = writeln!(page, "\n{paragraph}.");
        }
        let _ = writeln!(page, "\n```text\n{usage}\n```\n");
        write_options(&mut page, command);
        if let Some(more) = command.get_after_long_help().or(command.get_after_help()) {
            let _ = writeln!(page, "\n```text\n{}\n```", more.to_string().trim());
        }
    }
    page.trim_end().to_owned() + "\n"
}

/// Returns the commands that users see.
fn commands(cli: &Command) -> impl Iterator<Item = &Command> {
    let all = cli.get_subcommands();
    all.filter(|command| !command.is_hide_set() && command.get_name() != "help")
}

/// Writes the table of a command's own arguments and options.
fn write_options(page: &mut String, command: &Command) {
    let is_command = command.get_name() != "tokscope";
    let is_left_out = |arg: &Arg| {
        let is_repeated = is_command && arg.is_global_set();
        arg.is_hide_set() || is_repeated || ["help", "version"].contains(&arg.get_id().as_str())
    };
    let args = command.get_arguments();
    let mut args: Vec<&Arg> = args.filter(|arg| !is_left_out(arg)).collect();
    if args.is_empty() {
        page.push_str("It has no options of its own.\n");
        return;
    }
    args.sort_by_key(|arg| !arg.is_positional());
    page.push_str("| argument | meaning |\n|---|---|\n");
    for arg in args {
        let _ = writeln!(page, "| {} | {} |", name(arg), meaning(arg));
    }
}

/// Returns the spellings of an argument with its value.
fn name(arg: &Arg) -> String {
    let value = arg.get_value_names().unwrap_or_default();
    let value: String = value.iter().map(|name| format!(" {name}")).collect();
    let takes_several = arg
        .get_num_args()
        .is_some_and(|range| range.max_values() > 1);
    if arg.is_positional() {
        let dots = if takes_several || matches!(arg.get_action(), ArgAction::Append) {
            "..."
        } else {
            ""
        };
        return format!("`{}{dots}`", value.trim());
    }
    let value = if arg.get_action().takes_values() {
        value
    } else {
        String::new()
    };
    let long = arg.get_long().map(|long| format!("`--{long}{value}`"));
    let short = arg.get_short().map(|short| match long {
        Some(_) => format!("`-{short}`"),
        None => format!("`-{short}{value}`"),
    });
    let spellings: Vec<String> = [short, long].into_iter().flatten().collect();
    spellings.join(", ")
}

/// Returns the paragraphs of a text, each on one line and without its final period.
fn paragraphs(text: &str) -> Vec<String> {
    let joined = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let paragraphs = text.split("\n\n").map(joined);
    let paragraphs = paragraphs.map(|paragraph| paragraph.trim_end_matches('.').to_owned());
    paragraphs
        .filter(|paragraph| !paragraph.is_empty())
        .collect()
}

/// Returns the help of an argument, with its values, default, and variable.
fn meaning(arg: &Arg) -> String {
    let help = arg.get_long_help().or(arg.get_help());
    let help = help.map(ToString::to_string).unwrap_or_default();
    let mut parts = paragraphs(&help);
    let may_repeat = matches!(arg.get_action(), ArgAction::Append) && !arg.is_positional();
    if may_repeat && !help.contains("(repeatable") {
        parts.push("Repeatable".to_owned());
    }
    if arg.get_action().takes_values() {
        let values = arg.get_possible_values();
        let values = values.iter().filter(|value| !value.is_hide_set());
        let values: Vec<String> = values
            .map(|value| match value.get_help() {
                Some(help) => format!("`{}` ({help})", value.get_name()),
                None => format!("`{}`", value.get_name()),
            })
            .collect();
        if !values.is_empty() {
            parts.push(format!("Values: {}", values.join(", ")));
        }
        if let [default, ..] = arg.get_default_values() {
            parts.push(format!("Default: `{}`", default.to_string_lossy()));
        }
    }
    if let Some(variable) = arg.get_env() {
        parts.push(format!("Variable: `{}`", variable.to_string_lossy()));
    }
    parts.join(". ").replace('|', "\\|")
}

#[test]
fn the_command_line_reference_is_generated() {
    let generated = reference(command());
    let path = repository(PAGE);
    if is_blessing() {
        fs::write(path, generated).unwrap();
        return;
    }
    let page = fs::read_to_string(path).unwrap_or_default();
    let differs = page
        .lines()
        .zip(generated.lines())
        .position(|(old, new)| old != new);
    if let Some(index) = differs {
        let line = generated.lines().nth(index).unwrap_or_default();
        panic!(
            "{PAGE}:{}: it is out of date, the definitions say:\n{line}\n\
             TOKSCOPE_BLESS=1 cargo test --test it docs:: writes it",
            index + 1
        );
    }
    assert_eq!(page.len(), generated.len(), "{PAGE} is out of date");
}

#[test]
fn every_command_has_a_row_in_the_readme_and_a_guide_that_shows_it() {
    let readme = fs::read_to_string(repository("README.md")).unwrap();
    let rows: Vec<Vec<String>> = readme.lines().filter_map(cells).collect();
    let mut cli = command();
    cli.build();
    for command in commands(&cli) {
        let name = command.get_name();
        let row = rows
            .iter()
            .find(|row| code_spans(&row[0]).contains(&name) && row[0].contains("]("));
        let row = row.unwrap_or_else(|| panic!("README.md: no row of the table links `{name}`"));
        let link = format!("`{name}`](");
        let (_, rest) = row[0].split_once(&link).unwrap();
        let target = rest.split([')', '#']).next().unwrap_or_default();
        let guide = fs::read_to_string(repository(target))
            .unwrap_or_else(|error| panic!("README.md: `{name}` links {target}: {error}"));
        let shows = |line: &String| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.contains(&"tokscope") && words.contains(&name)
        };
        assert!(
            blocks(&guide)
                .iter()
                .any(|block| block.lines.iter().any(shows)),
            "{target}, the guide of `{name}`, has no block with `tokscope {name}`"
        );
    }
}

#[test]
fn a_reference_has_values_defaults_and_repeats() {
    let command = Command::new("tokscope").subcommand(
        Command::new("cut")
            .about("Cut text")
            .long_about("Cut text\n\nIt goes on\nhere.")
            .arg(Arg::new("TEXT").value_name("TEXT").num_args(0..))
            .arg(
                Arg::new("unit")
                    .long("unit")
                    .short('u')
                    .value_name("UNIT")
                    .value_parser(["byte", "char"])
                    .default_value("byte")
                    .help("Unit a|b"),
            )
            .arg(
                Arg::new("id")
                    .long("id")
                    .value_name("N")
                    .action(ArgAction::Append),
            ),
    );
    let page = reference(command);
    for line in [
        "## cut",
        "Cut text.",
        "It goes on here.",
        "| `TEXT...` |  |",
        r"| `-u`, `--unit UNIT` | Unit a\|b. Values: `byte`, `char`. Default: `byte` |",
        "| `--id N` | Repeatable |",
    ] {
        assert!(page.lines().any(|other| other == line), "{line} in {page}");
    }
}
