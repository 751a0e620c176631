//! The program: parses the command line, sets up a session, runs the command, and reports its outcome.

use std::borrow::Cow;
use std::ffi::OsString;
#[cfg(unix)]
use std::fs::{File, Metadata};
use std::io::{self, BufReader, BufWriter, ErrorKind, IsTerminal, Write};
use std::panic::PanicHookInfo;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use clap::ValueEnum;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue};

use crate::cli::{self, Cli, DEFAULT_MODEL, GlobalOptions};
use crate::commands::input::meter::{Meter, Metered};
use crate::commands::input::unicode_input::UnicodeInput;
use crate::commands::session::{ModelChoice, Session};
use crate::error::closest;
use crate::error::{Error, Exit};
use crate::formats::lock_file::LOCK_FILE;
use crate::memory;
use crate::render::stderr::{Level, Stderr};
use crate::render::style::{ColorChoice, Style};
use crate::render::width::terminal_width;
use crate::render::{self, Format, Output, Streams, escape};
use crate::source::{self, Observer, Reading};
use crate::tokenizer::is_guarded;

/// The size of the buffer for standard input, in bytes.
const STDIN_BUFFER: usize = 1 << 18;
/// The size of the buffer for standard output, in bytes.
const STDOUT_BUFFER: usize = 1 << 16;

/// Runs the program and returns its exit code. The first argument is the program's name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    std::panic::set_hook(Box::new(report_panic));
    source::ignore_file_size_signal();
    source::install_sigbus_handler(|name| escape::line(name).into_owned());
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let cli = match cli::parse(&arguments) {
        Ok(cli) => cli,
        Err(mut error) => {
            mend_tips(&mut error);
            return print_clap_message(&error, color_choice(&arguments));
        }
    };
    let stderr = Arc::new(open_stderr(&cli.global));
    match run_command(&cli, &stderr) {
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

/// Drops the tips of clap that do not help, and adds those for names that other commands or programs have.
fn mend_tips(error: &mut clap::Error) {
    let mut tips = match error.remove(ContextKind::Suggested) {
        Some(ContextValue::StyledStrs(tips)) => tips,
        _ => Vec::new(),
    };
    // For every unknown flag, clap says how to pass it as a value, which is never meant.
    tips.retain(|tip| !tip.to_string().contains("as a value"));
    let tip = tip_for_name(error);
    if tip.is_some() || suggests_another_flag(error) {
        for similar in [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand] {
            if error.remove(similar).is_some() {
                error.remove(ContextKind::Usage);
            }
        }
    }
    tips.extend(tip.map(StyledStr::from));
    if !tips.is_empty() {
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
}

/// Returns true if clap suggests a flag that is not spelled like the unknown one, such as `--locked` for `--token`.
fn suggests_another_flag(error: &clap::Error) -> bool {
    let name = |kind| match error.get(kind) {
        Some(ContextValue::String(name)) => Some(name.trim_start_matches('-')),
        _ => None,
    };
    let (Some(unknown), Some(flag)) = (
        name(ContextKind::InvalidArg),
        name(ContextKind::SuggestedArg),
    ) else {
        return false;
    };
    let is_close = unknown.contains(flag)
        || flag.contains(unknown)
        || closest(unknown, std::iter::once(flag)).is_some();
    !is_close
}

/// Returns a tip for a flag or a command that does not exist, or `None` if its name is not known from elsewhere.
fn tip_for_name(error: &clap::Error) -> Option<&'static str> {
    let name = |kind| match error.get(kind) {
        Some(ContextValue::String(name)) => name.as_str(),
        _ => "",
    };
    if name(ContextKind::InvalidSubcommand) == "compare" {
        return Some("'diff' compares two rows, 'similarity' several, 'verify' the two engines");
    }
    let unknown = name(ContextKind::InvalidArg);
    let usage = error.get(ContextKind::Usage)?.to_string();
    if !unknown.is_empty() && !unknown.starts_with('-') {
        return tip_for_argument(unknown, &usage);
    }
    if !matches!(unknown, "-f" | "--file") {
        return None;
    }
    if usage.contains("[PATH]...") || usage.contains("[FILE]...") {
        Some("files are named without a flag")
    } else if usage.contains("[TEXT]") {
        Some("a file is read from standard input: '< PATH'")
    } else {
        None
    }
}

/// Returns a tip for an argument that has no flag, where the command takes none or no further one.
fn tip_for_argument(argument: &str, usage: &str) -> Option<&'static str> {
    let is_number = argument.parse::<u64>().is_ok();
    if is_number && (usage.contains("[TEXT]") || usage.contains("[TOKEN]")) {
        Some("several ids are separated by commas, as in '--id 1,2'")
    } else if usage.contains(" vocab ") {
        Some("a piece is named with '--piece', an id with '--id', the model with '--model'")
    } else if usage.trim_end().ends_with("[OPTIONS]") {
        Some("the model is named with '--model'")
    } else {
        None
    }
}

/// Prints clap's message: help and version to standard output, errors to standard error.
fn print_clap_message(error: &clap::Error, color: ColorChoice) -> Exit {
    let message = error.render();
    let colored = |is_terminal| match color.enabled(is_terminal, variable) {
        true => message.ansi().to_string(),
        false => message.to_string(),
    };
    if !error.use_stderr() {
        let stdout = io::stdout();
        let text = colored(stdout.is_terminal());
        return match stdout.lock().write_all(text.as_bytes()) {
            Err(problem) if problem.kind() != ErrorKind::BrokenPipe => Exit::Usage,
            _ => Exit::Done,
        };
    }
    // The message quotes arguments, which may contain terminal control sequences.
    let text = match escape::safe(&message.to_string()) {
        Cow::Borrowed(_) => colored(io::stderr().is_terminal()),
        Cow::Owned(safe) => safe,
    };
    let _ = io::stderr().write_all(text.as_bytes());
    Exit::Usage
}

/// Returns the value of `--color` on a command line that clap does not accept, or that asks for help.
fn color_choice(arguments: &[OsString]) -> ColorChoice {
    let mut choice = ColorChoice::default();
    for (index, argument) in arguments.iter().enumerate() {
        let argument = argument.to_string_lossy();
        let value = match argument.split_once('=') {
            Some(("--color", value)) => Some(value.to_owned()),
            None if argument == "--color" => {
                let next = arguments.get(index + 1);
                next.map(|value| value.to_string_lossy().into_owned())
            }
            _ if argument == "--" => break,
            _ => None,
        };
        let parsed = value.and_then(|value| ColorChoice::from_str(&value, false).ok());
        choice = parsed.unwrap_or(choice);
    }
    choice
}

/// Reports a panic as a bug in tokscope, unless it will be caught and reported as a damaged file.
fn report_panic(panic: &PanicHookInfo<'_>) {
    if is_guarded() {
        return;
    }
    let location = panic
        .location()
        .map(ToString::to_string)
        .unwrap_or_default();
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = escape::line(text.unwrap_or_default());
    let _ = writeln!(
        io::stderr(),
        "error: tokscope has a bug at {location}: {message}"
    );
}

fn open_stderr(global: &GlobalOptions) -> Stderr {
    let is_terminal = io::stderr().is_terminal();
    let level = match (global.quiet, global.verbose) {
        (true, _) => Level::Quiet,
        (_, true) => Level::Verbose,
        _ => Level::Normal,
    };
    let is_set = |name| variable(name).is_some_and(|value| !value.is_empty() && value != "false");
    let bars_off = variable("HF_HUB_DISABLE_PROGRESS_BARS")
        .is_some_and(|value| source::is_true(&value))
        || is_set("CI")
        || variable("TERM").as_deref() == Some("dumb");
    Stderr::new(
        Style::new(global.color.enabled(is_terminal, variable)),
        level,
        is_terminal && !bars_off,
    )
}

fn run_command(cli: &Cli, stderr: &Arc<Stderr>) -> anyhow::Result<Exit> {
    let global = &cli.global;
    start_threads(global.threads);
    let format = if global.json {
        Format::Json
    } else {
        global.format
    };
    let stdout = io::stdout();
    let is_terminal = stdout.is_terminal();
    let output = Output {
        style: Style::new(global.color.enabled(is_terminal, variable)),
        is_terminal,
        width: is_terminal.then(|| terminal_width(&stdout)).flatten(),
    };
    let streams = Streams {
        out: Box::new(BufWriter::with_capacity(STDOUT_BUFFER, stdout.lock())),
        err: Box::new(io::stderr()),
    };
    let mut sink = render::renderer(format, output, streams);
    let observer = Arc::clone(stderr) as Arc<dyn Observer>;
    let meter = Meter::new(&observer);
    let stdin_size = stdin_size();
    let stdin = Metered::new(io::stdin(), meter.clone(), stdin_size);
    let mut session = Session {
        model: model_choice(global)?,
        observer,
        stdin: &mut BufReader::with_capacity(STDIN_BUFFER, Box::new(UnicodeInput::new(stdin))),
        stdin_is_terminal: io::stdin().is_terminal(),
        stdin_size,
        meter,
        stdout_is_terminal: is_terminal,
        format,
        sink: sink.as_mut(),
        has_records: false,
        stderr: Box::new(io::stderr()),
        command_line: cli::command,
    };
    let exit = cli.command.run(&mut session);
    stderr.progress_hidden();
    // Records written before a failure are kept.
    let finished = sink.finish().map_err(|source| Error::WriteOutput {
        output: "standard output".to_owned(),
        source,
    });
    let exit = exit?;
    finished?;
    Ok(exit)
}

/// Returns the number of bytes left in standard input if it is a file.
#[cfg(unix)]
fn stdin_size() -> Option<u64> {
    use std::io::Seek;
    use std::os::fd::AsFd;
    let mut file = File::from(io::stdin().as_fd().try_clone_to_owned().ok()?);
    let metadata = file.metadata().ok().filter(Metadata::is_file)?;
    metadata.len().checked_sub(file.stream_position().ok()?)
}

/// Returns `None`: the size is not known.
#[cfg(not(unix))]
fn stdin_size() -> Option<u64> {
    None
}

fn model_choice(global: &GlobalOptions) -> Result<ModelChoice<'_>, Error> {
    // A blank variable counts as unset.
    let variable_is_blank =
        || variable("TOKSCOPE_MODEL").is_some_and(|value| value.trim().is_empty());
    let model = global.model.as_deref();
    let model = model.filter(|name| !name.trim().is_empty() || !variable_is_blank());
    Ok(ModelChoice {
        name: model.unwrap_or(DEFAULT_MODEL),
        chosen: model.is_some(),
        revision: global.revision.as_deref(),
        file: global.model_file.as_deref(),
        offline: global.offline,
        no_cache: global.no_cache,
        engine: global.engine,
        as_is: global.as_is,
        reading: match global.reading {
            None => reading_of_environment()?,
            chosen => chosen,
        },
        side: global.side,
        locked: global.locked || global.lock_file.is_some(),
        lock_file: global.lock_file.as_deref().unwrap_or(Path::new(LOCK_FILE)),
    })
}

/// Returns the reading of `TOKSCOPE_READING`. A blank variable counts as unset.
fn reading_of_environment() -> Result<Option<Reading>, Error> {
    let Some(name) = variable("TOKSCOPE_READING").filter(|name| !name.trim().is_empty()) else {
        return Ok(None);
    };
    let reading = Reading::from_name(&name);
    let names = Reading::ALL.map(Reading::name).join(", ");
    let problem = || format!("`TOKSCOPE_READING` must be one of {names}, not `{name}`");
    reading.map(Some).ok_or_else(|| Error::usage(problem()))
}

/// The maximum number of threads, unless [`MAX_THREADS_PER_CORE`] allows more. With too many, threads that look for work
/// slow down those that have some.
const MAX_THREADS: usize = 64;
/// The maximum number of threads per core, unless [`MAX_THREADS`] allows more.
const MAX_THREADS_PER_CORE: usize = 4;

/// Starts the thread pool, unless the default of one thread per core will do. If the system refuses a thread, this thread
/// does all the work.
fn start_threads(requested: Option<usize>) {
    let requested = requested.filter(|&threads| threads > 0);
    let Some(count) = thread_count(requested.or_else(threads_of_environment)) else {
        return;
    };
    // A pool that cannot start its threads cannot be replaced by a smaller one, so they are started first.
    let mut idle = idle_threads(count).unwrap_or_default().into_iter();
    // Fails only if this process already has a pool, from an earlier run; that pool stays in use.
    let _ = if idle.len() == 0 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1);
        pool.use_current_thread().build_global()
    } else {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(idle.len());
        let start = move |worker| {
            let thread = idle.next().ok_or(ErrorKind::Other)?;
            thread.send(worker).map_err(|_| ErrorKind::Other.into())
        };
        pool.spawn_handler(start).build_global()
    };
}

/// Returns threads that wait for the worker they run. Returns an empty list for a count of one, and `None` if the
/// system refuses a thread.
fn idle_threads(count: usize) -> Option<Vec<Sender<rayon::ThreadBuilder>>> {
    let (mut senders, mut threads) = (Vec::new(), Vec::<thread::JoinHandle<()>>::new());
    if count == 1 {
        return Some(senders);
    }
    for _ in 0..count {
        let (sender, worker) = channel::<rayon::ThreadBuilder>();
        let run = move || worker.recv().map_or((), rayon::ThreadBuilder::run);
        let Ok(thread) = thread::Builder::new().spawn(run) else {
            // The threads end, which makes room for others.
            drop(senders);
            for thread in threads {
                let _ = thread.join();
            }
            return None;
        };
        senders.push(sender);
        threads.push(thread);
    }
    Some(senders)
}

/// Returns the number of threads in the variable that `rayon` reads too.
fn threads_of_environment() -> Option<usize> {
    let threads = variable("RAYON_NUM_THREADS")?.parse().ok()?;
    (threads > 0).then_some(threads)
}

/// Returns the number of threads to use, or `None` for one per core, which the system surely allows.
fn thread_count(requested: Option<usize>) -> Option<usize> {
    let most = memory::threads_within_limit();
    if requested.is_none() && most.is_none() && !memory::threads_are_limited() {
        return None;
    }
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = requested.unwrap_or(cores);
    let useful = MAX_THREADS.max(cores.saturating_mul(MAX_THREADS_PER_CORE));
    Some(threads.min(most.unwrap_or(useful)).min(useful))
}

fn variable(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?;
    Some(value.to_string_lossy().into_owned())
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref::<Error>(),
        Some(Error::WriteOutput { source, .. }) if source.kind() == ErrorKind::BrokenPipe
    )
}
