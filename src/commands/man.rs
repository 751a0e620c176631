//! `man`: prints manual pages, generated from the definition of the command line and the [topics](super::topics).

use clap::{Arg, ArgAction, Args as ClapArgs, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::session::{Session, stdout_failed};
use super::topics::{self, Example, Topic};
use crate::error::{Error, Exit, Result};

/// Print the manual page of tokscope or one of its commands, for `man -l -`
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The command; without it, print the page of tokscope itself
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// The environment variables, as in docs/reference/environment.md.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("TOKSCOPE_MODEL", "The model, if --model is not given."),
    (
        "TOKSCOPE_READING",
        "The reading, if --reading is not given.",
    ),
    ("TOKSCOPE_NO_CACHE", "Same as --no-cache."),
    ("TOKSCOPE_CACHE_SIZE", "Limit of tokscope's own cache."),
    ("OLLAMA_MODELS", "The store of Ollama."),
    (
        "TIKTOKEN_CACHE_DIR, DATA_GYM_CACHE_DIR",
        "The cache of Python's tiktoken.",
    ),
    ("HF_ENDPOINT", "Address of the Hub or of a mirror."),
    ("HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE", "The Hub cache."),
    ("HF_HOME", "Parent of the Hub cache and of the token file."),
    ("XDG_CACHE_HOME", "Parent of the caches."),
    (
        "HF_TOKEN, HUGGING_FACE_HUB_TOKEN",
        "Token for private and gated models.",
    ),
    ("HF_TOKEN_PATH", "The token file."),
    ("HF_HUB_DISABLE_IMPLICIT_TOKEN", "Send no token."),
    ("HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE", "Same as --offline."),
    (
        "HF_HUB_ETAG_TIMEOUT",
        "Longest wait for an answer about a model or file, in seconds.",
    ),
    (
        "HF_HUB_DOWNLOAD_TIMEOUT",
        "Longest silence within a download, in seconds.",
    ),
    ("HF_HUB_DISABLE_PROGRESS_BARS", "No progress bar."),
    (
        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
        "Proxies, and hosts that are reached without one.",
    ),
    (
        "REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE, SSL_CERT_DIR",
        "Root certificates.",
    ),
    ("RAYON_NUM_THREADS", "Same as --threads."),
    ("TMPDIR", "Folder of temporary files."),
    (
        "NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, CLICOLOR, TERM",
        "Color, if --color is auto.",
    ),
    (
        "GITHUB_ACTIONS, GITHUB_WORKSPACE",
        "Annotations, and the folder to which their paths are relative.",
    ),
];

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let mut program = (session.command_line)();
    program.build();
    let (command, topic) = match &args.command {
        None => (program.clone(), &topics::PROGRAM),
        Some(name) => {
            let found = program.find_subcommand(name).cloned();
            let topic =
                |command: &Command| topics::all().find(|topic| topic.command == command.get_name());
            let found = found.and_then(|command| topic(&command).map(|topic| (command, topic)));
            found.ok_or_else(|| {
                Error::usage_hint(
                    format!("there is no command `{name}`"),
                    "`tokscope --help` lists the commands",
                )
            })?
        }
    };
    let page = page(command, topic).map_err(stdout_failed)?;
    session.raw(&page)?;
    Ok(Exit::Done)
}

/// Returns a manual page.
fn page(command: Command, topic: &Topic) -> std::io::Result<Vec<u8>> {
    let synopsis = synopsis(&command);
    let is_program = command.has_subcommands();
    let man = Man::new(command).section("1");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]).text(synopsis);
    roff.to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if is_program {
        man.render_subcommands_section(&mut page)?;
    }
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in topic.exit_codes() {
        roff.control("TP", []).text([bold(code.to_string())]);
        roff.text([roman(meaning)]);
    }
    if topic.opens_model {
        roff.control("SH", ["ENVIRONMENT"]);
        for (names, meaning) in ENVIRONMENT {
            roff.control("TP", []).text([bold(*names)]);
            roff.text([roman(*meaning)]);
        }
    }
    roff.control("SH", ["EXAMPLES"]);
    for Example { line, meaning } in topic.examples {
        roff.control("TP", []).text([bold(*line)]);
        roff.text([roman(*meaning)]);
    }
    roff.to_writer(&mut page)?;
    Ok(page)
}

/// Returns the synopsis: the options of the command with their values, then its arguments.
fn synopsis(command: &Command) -> Vec<Inline> {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let mut line = vec![bold(name)];
    let is_program = command.has_subcommands();
    let options = command
        .get_arguments()
        .filter(|arg| !arg.is_positional() && !arg.is_hide_set());
    let own = options.filter(|arg| is_program || !arg.is_global_set());
    for arg in own.filter(|arg| !["help", "version"].contains(&arg.get_id().as_str())) {
        line.extend(option(arg));
    }
    if !is_program {
        line.push(roman(" [GLOBAL OPTIONS]"));
    }
    for arg in command.get_positionals().filter(|arg| !arg.is_hide_set()) {
        let dots = if is_repeated(arg) { "..." } else { "" };
        let (open, close) = brackets(arg);
        line.extend([roman(open), italic(value(arg)), roman(close), roman(dots)]);
    }
    if is_program {
        line.push(roman(" "));
        line.extend([italic("COMMAND"), roman(" ["), italic("ARGS"), roman("]")]);
    }
    line
}

/// Returns an option with its value, such as ` [-k|--limit K]`.
fn option(arg: &Arg) -> Vec<Inline> {
    let (open, close) = brackets(arg);
    let mut line = vec![roman(open)];
    if let Some(short) = arg.get_short() {
        line.extend([bold(format!("-{short}")), roman("|")]);
    }
    line.push(bold(format!("--{}", arg.get_long().unwrap_or_default())));
    if arg.get_action().takes_values() {
        line.extend([roman(" "), italic(value(arg))]);
    }
    line.push(roman(close));
    if is_repeated(arg) {
        line.push(roman("..."));
    }
    line
}

fn brackets(arg: &Arg) -> (&'static str, &'static str) {
    if arg.is_required_set() {
        (" ", "")
    } else {
        (" [", "]")
    }
}

fn value(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names
        .iter()
        .map(|name| name.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

fn is_repeated(arg: &Arg) -> bool {
    let takes_several = arg
        .get_num_args()
        .is_some_and(|count| count.max_values() > 1);
    takes_several || matches!(arg.get_action(), ArgAction::Append)
}
