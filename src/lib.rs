//! A microscope for the input layer of language models: how text becomes token ids, and how ids become rows of the
//! word-embedding matrix.
//!
//! ```text
//! argv → Cli → ModelRef → ModelFiles → Tokenizer | EmbeddingMatrix → Record → bytes
//! ```
//!
//! Modules stand in the order of that flow, and a module uses only those above it; [`error`] and [`record`] use
//! nothing of this crate and serve all. [`memory`] ends the program where the system has none left.
//!
//! | module | turns | into |
//! |---|---|---|
//! | [`model_ref`] | what `--model` says | a model of the Hub, a directory, or the built-in one |
//! | [`source`] | that model | the bytes of its files, by range |
//! | [`formats`] | untrusted bytes | structure |
//! | [`tokenizer`] | text | ids, and back |
//! | [`embedding`] | ids | rows |
//! | [`commands`] | arguments | records |
//! | [`render`] | records | bytes |
//! | [`cli`] | argv | arguments |

pub mod error;
pub mod record;

pub mod memory;

pub mod model_ref;
pub mod source;

pub mod formats;

pub mod tokenizer;

pub mod embedding;

pub mod commands;

pub mod render;

pub mod cli;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, BufReader, BufWriter, ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};
use commands::{ModelChoice, Session, TextFormat};
use error::{Error, Exit};
use formats::lock_file::LOCK_FILE;
use record::Sink;
use render::stderr::{Level, Stderr};
use render::style::Style;
use render::{Format, Reader, Streams};

/// Bytes of standard input that are taken at a time, where so many are there.
const STDIN_BUFFER: usize = 1 << 18;

/// Runs the program: arguments in, answer on standard output, exit code back.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    report_panics_in_a_sentence();
    source::say_when_files_become_shorter(|name| render::escape::line(name).into_owned());
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let env = |name: &str| std::env::var(name).ok();
    let global = &cli.global;
    let err_style = Style::new(global.color.enabled(io::stderr().is_terminal(), env));
    let level = match (global.quiet, global.verbose) {
        (true, _) => Level::Quiet,
        (_, true) => Level::Verbose,
        _ => Level::Normal,
    };
    let bars_off = env("HF_HUB_DISABLE_PROGRESS_BARS").is_some_and(|value| source::is_true(&value));
    let stderr = Arc::new(Stderr::new(
        err_style,
        level,
        io::stderr().is_terminal() && !bars_off,
    ));
    match answer(&cli, &stderr) {
        Ok(exit) => exit,
        Err(error) if is_closed_pipe(&error) => Exit::Done,
        Err(error) => {
            stderr.error(&error);
            error
                .downcast_ref::<Error>()
                .map_or(Exit::Usage, Error::exit)
        }
    }
}

/// Prints what clap has to say: help and version to standard output, errors to standard error.
fn refuse(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        return match error.print() {
            Err(problem) if problem.kind() != ErrorKind::BrokenPipe => Exit::Usage,
            _ => Exit::Done,
        };
    }
    // Arguments are repeated in the message, and may hold what steers a terminal.
    let plain = error.render().to_string();
    match render::escape::safe(&plain) {
        Cow::Borrowed(_) => drop(error.print()),
        Cow::Owned(safe) => drop(io::stderr().write_all(safe.as_bytes())),
    }
    Exit::Usage
}

/// A panic is a bug of this program, and is said to be; one that is caught as a damaged file is not one.
fn report_panics_in_a_sentence() {
    std::panic::set_hook(Box::new(|panic| {
        if !tokenizer::reference::is_guarded() {
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            let payload = panic.payload();
            let text = payload.downcast_ref::<&str>().copied();
            let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
            let message = text.unwrap_or_default();
            let _ = writeln!(
                io::stderr(),
                "error: tokscope has a bug at {place}: {}",
                render::escape::line(message)
            );
        }
    }));
}

/// Bytes that are written at a time.
const OUT_BUFFER: usize = 1 << 16;

fn answer(cli: &Cli, stderr: &Arc<Stderr>) -> anyhow::Result<Exit> {
    let global = &cli.global;
    if let Some(threads) = threads(global.threads) {
        // Fails only if there is a pool already, which a second run in one process keeps.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        let _ = match threads {
            // It is this one.
            1 => pool.use_current_thread().build_global(),
            _ => pool.build_global(),
        };
    }
    let format = if global.json {
        Format::Json
    } else {
        global.format
    };
    let stdout = io::stdout();
    let is_terminal = stdout.is_terminal();
    let reader = Reader {
        style: Style::new(
            global
                .color
                .enabled(is_terminal, |name| std::env::var(name).ok()),
        ),
        is_terminal,
    };
    let streams = Streams {
        out: Box::new(BufWriter::with_capacity(OUT_BUFFER, stdout.lock())),
        err: Box::new(io::stderr()),
    };
    let mut sink = render::renderer(format, reader, streams);
    let is_blank = |name: &&str| name.trim().is_empty() && blank_variable("TOKSCOPE_MODEL");
    let model = global.model.as_deref().filter(|name| !is_blank(name));
    let mut session = Session {
        model: ModelChoice {
            name: model.unwrap_or(cli::DEFAULT_MODEL),
            chosen: model.is_some(),
            revision: global.revision.as_deref(),
            offline: global.offline,
            no_cache: global.no_cache,
            engine: global.engine,
            locked: global.locked || global.lock_file.is_some(),
            lock_file: (global.lock_file.as_deref()).unwrap_or(Path::new(LOCK_FILE)),
        },
        observer: Arc::clone(stderr) as Arc<dyn source::Observer>,
        stdin: &mut BufReader::with_capacity(STDIN_BUFFER, Box::new(io::stdin())),
        stdin_is_terminal: io::stdin().is_terminal(),
        stdout_is_terminal: is_terminal,
        sink: sink.as_mut(),
        human: format == Format::Human,
        open_sink,
        command_line: Cli::command,
    };
    let exit = dispatch(&cli.command, &mut session);
    // What was answered before a failure is an answer still.
    let finished = sink.finish().map_err(|source| Error::WriteOutput {
        output: "standard output".to_owned(),
        source,
    });
    let exit = exit?;
    finished?;
    Ok(exit)
}

fn dispatch(command: &Command, session: &mut Session) -> error::Result<Exit> {
    match command {
        Command::Tokenize(args) => commands::tokenize::run(args, session),
        Command::Decode(args) => commands::decode::run(args, session),
        Command::Count(args) => commands::count::run(args, session),
        Command::Info(args) => commands::info::run(args, session),
        Command::Vocab(args) => commands::vocab::run(args, session),
        Command::Embed(args) => commands::embed::run(args, session),
        Command::Diff(args) => commands::diff::run(args, session),
        Command::Neighbors(args) => commands::neighbors::run(args, session),
        Command::Similarity(args) => commands::similarity::run(args, session),
        Command::Stats(args) => commands::stats::run(args, session),
        Command::Pull(args) => commands::pull::run(args, session),
        Command::Verify(args) => commands::verify::run(args, session),
        Command::Grep(args) => commands::grep::run(args, session),
        Command::Lock(args) => commands::lock::run(args, session),
        Command::Check(args) => commands::check::run(args, session),
        Command::Chunk(args) => commands::chunk::run(args, session),
        Command::Head(args) => commands::head::run(args, session),
        Command::Tail(args) => commands::tail::run(args, session),
        Command::Convert(args) => commands::convert::run(args, session),
        Command::Completions(args) => commands::completions::run(args, session),
        Command::Man(args) => commands::man::run(args, session),
    }
}

/// How many threads are to work, where that is not one a core.
fn threads(wanted: Option<usize>) -> Option<usize> {
    let Some(most) = memory::threads_within_limit() else {
        return wanted;
    };
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = wanted.unwrap_or_else(cores);
    (wanted.is_some() || threads > most).then(|| threads.min(most))
}

/// Whether a variable of the environment is set to nothing, which counts as unset.
fn blank_variable(name: &str) -> bool {
    std::env::var(name).is_ok_and(|value| value.trim().is_empty())
}

/// The renderer of a file that holds records as text.
fn open_sink<'w>(format: TextFormat, out: Box<dyn Write + 'w>) -> Box<dyn Sink + 'w> {
    let reader = Reader {
        style: Style::new(false),
        is_terminal: false,
    };
    let format = match format {
        TextFormat::JsonLines => Format::Json,
        TextFormat::Csv => Format::Csv,
        TextFormat::Tsv => Format::Tsv,
    };
    let err = Box::new(io::sink());
    render::renderer(format, reader, Streams { out, err })
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<Error>(),
        Some(Error::WriteOutput { source, .. }) if source.kind() == ErrorKind::BrokenPipe
    )
}
