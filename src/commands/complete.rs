//! `__complete`: prints candidates for the last word of a command line, for the scripts of
//! [`completions`](super::completions). It opens no model and uses no network.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Args as ClapArgs, Command, ValueHint};

use super::session::Session;
use crate::error::{Exit, Result};
use crate::source::{HubSettings, cached_models};

/// Print candidates for the last of the words
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The words of the command line, from the name of the program to the one to complete, which may be empty
    #[arg(value_name = "WORD", last = true, num_args = 1..)]
    pub words: Vec<OsString>,
}

/// The value name of models.
pub const MODEL: &str = "REF";
/// The value name of commands.
pub const COMMAND: &str = "COMMAND";

/// What may follow in place of a word.
#[derive(Debug, Default, PartialEq, Eq)]
struct Candidates {
    /// The paths that the shell completes by itself.
    paths: Paths,
    /// Words, each with a description, which may be empty.
    words: Vec<(String, String)>,
}

/// A kind of paths.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Paths {
    #[default]
    None,
    Files,
    Directories,
}

impl Paths {
    /// Returns the name that the scripts know.
    fn name(self) -> &'static str {
        match self {
            Self::None => "words",
            Self::Files => "files",
            Self::Directories => "directories",
        }
    }
}

/// Runs the command. The first line is the kind of paths, and each line after it a word, a tab, and its description.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let mut program = (session.command_line)();
    program.build();
    let words = args
        .words
        .iter()
        .map(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = words.collect();
    let models = || cached_models(&HubSettings::from_process_env().cache_dir);
    let candidates = complete(&program, &words, models);
    let mut lines = format!("{}\n", candidates.paths.name());
    for (word, description) in candidates.words {
        lines.push_str(&format!("{word}\t{description}\n"));
    }
    session.raw(lines.as_bytes())?;
    Ok(Exit::Done)
}

/// Returns the candidates for the last word. `models` lists the models that need no network.
fn complete(program: &Command, words: &[String], models: impl Fn() -> Vec<String>) -> Candidates {
    let Some(([_, before @ ..], current)) = words.split_last().map(|(last, rest)| (rest, last))
    else {
        return Candidates::default();
    };
    let place = Place::after(program, before);
    let values = |arg: &Arg, start: &str| {
        let mut found = values(program, arg, &models);
        found.words.retain(|(word, _)| word.starts_with(start));
        found
    };
    if let Some(option) = place.option {
        return values(option, current);
    }
    if current.starts_with('-') && current != "-" && !place.only_positionals {
        let Some((flag, start)) = current.split_once('=') else {
            return flags(place.command, current);
        };
        let option = flag
            .strip_prefix("--")
            .and_then(|long| find_long(place.command, long));
        let mut found = option
            .map(|option| values(option, start))
            .unwrap_or_default();
        for (word, _) in &mut found.words {
            *word = format!("{flag}={word}");
        }
        return found;
    }
    if place.command.has_subcommands() {
        return Candidates {
            words: matching(commands(place.command), current),
            paths: Paths::None,
        };
    }
    let positionals: Vec<&Arg> = place.command.get_positionals().collect();
    let last_repeats = positionals.last().filter(|arg| takes_several(arg));
    let arg = positionals.get(place.positionals).or(last_repeats);
    let mut found = arg.map(|arg| values(arg, current)).unwrap_or_default();
    if current == "-" {
        found.words.extend(flags(place.command, current).words);
    }
    found
}

/// The place of a word: the command it belongs to, and the words before it.
struct Place<'c> {
    command: &'c Command,
    /// The option that the word is the value of.
    option: Option<&'c Arg>,
    /// The number of arguments before the word that belong to no flag.
    positionals: usize,
    /// True after `--`.
    only_positionals: bool,
}

impl<'c> Place<'c> {
    fn after(program: &'c Command, before: &[String]) -> Self {
        let mut place = Self {
            command: program,
            option: None,
            positionals: 0,
            only_positionals: false,
        };
        for word in before {
            place.pass(word);
        }
        place
    }

    /// Moves past a word.
    fn pass(&mut self, word: &str) {
        if self.option.take().is_some() {
            return;
        }
        if !self.only_positionals {
            if word == "--" {
                self.only_positionals = true;
                return;
            }
            if let Some(long) = word.strip_prefix("--") {
                self.option = find_long(self.command, long).filter(|arg| takes_value(arg));
                return;
            }
            if let Some(shorts) = word.strip_prefix('-').filter(|shorts| !shorts.is_empty()) {
                self.option = open_short(self.command, shorts);
                return;
            }
            if let Some(command) = self.command.find_subcommand(word) {
                self.command = command;
                self.positionals = 0;
                return;
            }
        }
        self.positionals += 1;
    }
}

/// Returns the option in a cluster of short flags whose value is the next word.
fn open_short<'c>(command: &'c Command, shorts: &str) -> Option<&'c Arg> {
    let (mut found, mut rest) = (None, shorts.chars());
    while found.is_none() {
        let short = rest.next()?;
        let mut args = command.get_arguments();
        found = args.find(|arg| arg.get_short() == Some(short) && takes_value(arg));
    }
    found.filter(|_| rest.as_str().is_empty())
}

fn find_long<'c>(command: &'c Command, long: &str) -> Option<&'c Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(long))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

fn takes_several(arg: &Arg) -> bool {
    let most = arg.get_num_args().map_or(1, |count| count.max_values());
    most > 1 || matches!(arg.get_action(), ArgAction::Append)
}

/// Returns the flags of a command that begin with `start`: the long ones, and the short ones after a single dash.
fn flags(command: &Command, start: &str) -> Candidates {
    let visible = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !arg.is_positional());
    let mut words = Vec::new();
    for arg in visible {
        let help = first_line(arg.get_help().map(ToString::to_string));
        let short = arg.get_short().map(|short| format!("-{short}"));
        let long = arg.get_long().map(|long| format!("--{long}"));
        let short = short.filter(|short| short == start);
        words.extend(
            short
                .into_iter()
                .chain(long)
                .map(|name| (name, help.clone())),
        );
    }
    Candidates {
        words: matching(words, start),
        paths: Paths::None,
    }
}

fn commands(command: &Command) -> Vec<(String, String)> {
    let visible = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let described = visible.map(|command| {
        let about = first_line(command.get_about().map(ToString::to_string));
        (command.get_name().to_owned(), about)
    });
    described.collect()
}

/// Returns what a value may be.
fn values(program: &Command, arg: &Arg, models: &impl Fn() -> Vec<String>) -> Candidates {
    let name = arg.get_value_names().and_then(|names| names.first());
    match name.map(|name| name.as_str()) {
        Some(MODEL) => {
            let mut words = vec![("demo".to_owned(), "the built-in toy model".to_owned())];
            words.extend(
                models()
                    .into_iter()
                    .map(|model| (model, "in the Hub cache".to_owned())),
            );
            return Candidates {
                paths: Paths::Directories,
                words,
            };
        }
        Some(COMMAND) => {
            return Candidates {
                paths: Paths::None,
                words: commands(program),
            };
        }
        _ => {}
    }
    let possible = arg.get_possible_values();
    let possible = possible.iter().filter(|value| !value.is_hide_set());
    let words = possible.map(|value| {
        let help = first_line(value.get_help().map(ToString::to_string));
        (value.get_name().to_owned(), help)
    });
    Candidates {
        words: words.collect(),
        paths: match arg.get_value_hint() {
            ValueHint::AnyPath | ValueHint::FilePath => Paths::Files,
            ValueHint::DirPath => Paths::Directories,
            _ => Paths::None,
        },
    }
}

fn matching(words: Vec<(String, String)>, start: &str) -> Vec<(String, String)> {
    let matching = words
        .into_iter()
        .filter(|(word, _)| word.starts_with(start));
    matching.collect()
}

fn first_line(text: Option<String>) -> String {
    let text = text.unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::builder::PossibleValue;

    fn program() -> Command {
        let model = Arg::new("model")
            .long("model")
            .short('m')
            .value_name(MODEL)
            .global(true);
        let quiet = Arg::new("quiet")
            .long("quiet")
            .short('q')
            .action(ArgAction::SetTrue)
            .global(true);
        let json = PossibleValue::new("json").help("JSON Lines");
        let format = Arg::new("format")
            .long("format")
            .value_parser([json, PossibleValue::new("csv")]);
        let file = Arg::new("file")
            .long("file")
            .short('f')
            .value_hint(ValueHint::FilePath);
        let paths = Arg::new("paths")
            .num_args(0..)
            .value_hint(ValueHint::AnyPath);
        let count = Command::new("count")
            .about("Count\nmore")
            .alias("sum")
            .args([format, file, paths]);
        let page = Arg::new("command").value_name(COMMAND);
        let man = Command::new("man").arg(page);
        let hidden = Command::new("secret").hide(true);
        let mut program = Command::new("tokscope")
            .args([model, quiet])
            .subcommands([count, man, hidden]);
        program.build();
        program
    }

    fn completed(line: &str) -> (Paths, Vec<String>) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let models = || vec!["o/n".to_owned(), "other/name".to_owned()];
        let found = complete(&program(), &words, models);
        (
            found.paths,
            found.words.into_iter().map(|(word, _)| word).collect(),
        )
    }

    #[track_caller]
    fn check(line: &str, paths: Paths, words: &[&str]) {
        let words = words.iter().map(|&word| word.to_owned()).collect();
        assert_eq!(completed(line), (paths, words), "{line}");
    }

    #[test]
    fn commands_flags_and_values_are_completed() {
        check("tokscope ", Paths::None, &["count", "man", "help"]);
        check("tokscope c", Paths::None, &["count"]);
        check("tokscope -q co", Paths::None, &["count"]);
        check("tokscope count --f", Paths::None, &["--format", "--file"]);
        check("tokscope sum --format ", Paths::None, &["json", "csv"]);
        check("tokscope count --format=j", Paths::None, &["--format=json"]);
        check("tokscope man ", Paths::None, &["count", "man", "help"]);
        check("tokscope man count ", Paths::None, &[]);
        check("tokscope help c", Paths::None, &["count"]);
        let (_, dashed) = completed("tokscope count --");
        assert!(dashed.contains(&"--model".to_owned()) && dashed.contains(&"--help".to_owned()));
        check("tokscope count -q", Paths::None, &["-q"]);
        for nothing in ["", "tokscope", "count"] {
            check(nothing, Paths::None, &[]);
        }
    }

    #[test]
    fn files_and_models_are_completed() {
        check("tokscope count ", Paths::Files, &[]);
        check("tokscope count a.txt b", Paths::Files, &[]);
        check("tokscope count -f ", Paths::Files, &[]);
        check("tokscope count -qf ", Paths::Files, &[]);
        check("tokscope count --file=x", Paths::Files, &[]);
        check("tokscope count -- -x", Paths::Files, &[]);
        check(
            "tokscope -m ",
            Paths::Directories,
            &["demo", "o/n", "other/name"],
        );
        check(
            "tokscope count -m o",
            Paths::Directories,
            &["o/n", "other/name"],
        );
        check("tokscope --model=d", Paths::Directories, &["--model=demo"]);
        check("tokscope -mdemo count ", Paths::Files, &[]);
        check("tokscope -m count count ", Paths::Files, &[]);
    }
}
