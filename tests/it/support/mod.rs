//! Shared helpers: open models through the library, find the shared data, and run the program.

pub mod checkpoints;
pub mod families;
pub mod gguf_writer;
pub mod standin;

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokscope::model_ref::ModelRef;
use tokscope::source::{AppCache, HubSettings, ModelFiles, SourceOptions, Unobserved};
use tokscope::tokenizer::Tokenizer;

/// Prints why a test is skipped. Bypasses the capture of test output, so that every run names its skipped tests.
pub fn skipped(reason: impl Display) {
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

/// Returns the folder named by `TOKSCOPE_SHARED`, which holds real tokenizers and reference encodings.
///
/// If the variable is not set, prints that `test` is skipped and returns `None`.
pub fn shared(test: &str) -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("TOKSCOPE_SHARED").map(PathBuf::from) else {
        skipped(format_args!("{test} needs TOKSCOPE_SHARED"));
        return None;
    };
    let folder = std::path::absolute(&folder).unwrap();
    assert!(
        folder.join("golden").is_dir(),
        "TOKSCOPE_SHARED has no golden data: {}",
        folder.display()
    );
    Some(folder)
}

/// Returns the path of a file of this repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Opens the files of a model without network, cache, or environment variables.
pub fn files(model: &ModelRef) -> ModelFiles {
    let options = SourceOptions {
        offline: true,
        hub: HubSettings::from_env(|_| None),
        cache: AppCache::disabled(),
        observer: Arc::new(Unobserved),
    };
    ModelFiles::open(model, options).unwrap()
}

/// Opens the tokenizer of a directory.
pub fn tokenizer(folder: &Path) -> Tokenizer {
    Tokenizer::open(&files(&ModelRef::Directory(folder.to_owned()))).unwrap()
}

/// Opens the tokenizer of a file that is a model by itself.
pub fn file_tokenizer(file: &Path) -> Tokenizer {
    Tokenizer::open(&files(&ModelRef::File(file.to_owned()))).unwrap()
}

/// Parses the objects of a JSON Lines file.
pub fn json_lines<T: serde::de::DeserializeOwned>(path: &Path) -> Vec<T> {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// An endpoint that refuses every connection.
pub const NO_HUB: &str = "http://127.0.0.1:1";

/// A call of the program that inherits no environment variables.
pub struct Call {
    command: Command,
    stdin: Vec<u8>,
    stdout: Option<File>,
}

/// The result of a call.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Prepares a call of the program without network access. The caller should choose a model.
pub fn tokscope<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Call {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-home");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokscope"));
    command
        .args(args)
        .env_clear()
        .env("HOME", &home)
        .env("HF_HOME", home.join("huggingface"))
        .env("HF_ENDPOINT", NO_HUB);
    Call {
        command,
        stdin: Vec::new(),
        stdout: None,
    }
}

/// Prepares a call of the program with the built-in model.
pub fn demo<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Call {
    tokscope(args).env("TOKSCOPE_MODEL", "demo")
}

/// Prepares a call of the program with the model in a directory.
pub fn on<S: AsRef<OsStr>>(folder: &Path, args: impl IntoIterator<Item = S>) -> Call {
    tokscope(args).env("TOKSCOPE_MODEL", folder)
}

impl Call {
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Sets the bytes of standard input, which is empty by default.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Runs the program as user `nobody`. Only root can do this.
    pub fn run_by_nobody(mut self) -> Self {
        use std::os::unix::process::CommandExt;
        self.command.uid(65_534).gid(65_534);
        self
    }

    /// Sends standard output to a file.
    pub fn stdout(mut self, file: File) -> Self {
        self.stdout = Some(file);
        self
    }

    /// Starts the program with all standard streams discarded.
    pub fn spawn(mut self) -> Child {
        let command = self.command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs the program to its end.
    pub fn run(mut self) -> Answer {
        let stdout = self.stdout.take().map_or_else(Stdio::piped, Stdio::from);
        let spawned = self.command.stdin(Stdio::piped()).stdout(stdout);
        let mut child = spawned.stderr(Stdio::piped()).spawn().unwrap();
        let (mut stdin, bytes) = (child.stdin.take().unwrap(), self.stdin);
        // Write in a thread, so that neither side blocks. An error is fine: the program need not read all of its input.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap();
        let answer = Answer {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for trace in ["panicked", "RUST_BACKTRACE"] {
            assert!(!answer.stderr.contains(trace), "{}", answer.stderr);
        }
        answer
    }

    /// Runs the program and returns its standard output. The program must succeed and print nothing to stderr.
    pub fn ok(self) -> String {
        let answer = self.run();
        assert_eq!((answer.code, answer.stderr.as_str()), (0, ""));
        answer.stdout
    }

    /// Runs the program with both output streams in one file, as a terminal interleaves them.
    pub fn run_on_one_stream(mut self) -> String {
        let mut file = tempfile::tempfile().unwrap();
        self.command.stderr(file.try_clone().unwrap());
        self.command.stdout(file.try_clone().unwrap());
        let mut child = self.command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&self.stdin).unwrap();
        drop(stdin);
        child.wait().unwrap();
        let mut text = String::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_string(&mut text).unwrap();
        text
    }

    /// Runs the program with its output on a pseudo-terminal. Returns the exit code and the output.
    #[cfg(unix)]
    pub fn run_on_terminal(self) -> (i32, String) {
        self.run_on_terminal_of(0)
    }

    /// Runs the program with its output on a pseudo-terminal of this width; 0 if the terminal does not tell.
    #[cfg(unix)]
    pub fn run_on_terminal_of(mut self, columns: u16) -> (i32, String) {
        let (screen, name) = terminal(columns);
        let side = || File::options().write(true).open(&name).unwrap();
        let (stdout, stderr) = (side(), side());
        let mut child = (self.command.stdin(Stdio::piped()))
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        // Close the command's ends of the terminal, so that the read below can end.
        drop(std::mem::replace(&mut self.command, Command::new("true")));
        let (mut stdin, bytes) = (child.stdin.take().unwrap(), self.stdin);
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&bytes)));
        let mut shown = Vec::new();
        // On Linux, the end of a pseudo-terminal is reported as an error.
        let _ = File::from(screen).read_to_end(&mut shown);
        feeder.join().unwrap();
        let code = child.wait().unwrap().code().unwrap_or(-1);
        let shown = String::from_utf8(shown).unwrap();
        assert!(!shown.contains("panicked"), "{shown}");
        // The terminal turns `\n` into `\r\n`.
        (code, shown.replace("\r\n", "\n"))
    }

    /// Runs the program with its standard error on a pseudo-terminal of this width. Half of the input is written, and the
    /// output is read, only after more than a second. Returns the exit code and what the terminal shows.
    #[cfg(unix)]
    pub fn run_slowly(mut self, columns: u16) -> (i32, String) {
        const SECOND: Duration = Duration::from_millis(1_300);
        let (screen, name) = terminal(columns);
        let stderr = File::options().write(true).open(name).unwrap();
        let mut child = (self.command.stdin(Stdio::piped()))
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .unwrap();
        drop(std::mem::replace(&mut self.command, Command::new("true")));
        let (mut stdin, bytes) = (child.stdin.take().unwrap(), self.stdin);
        let feeder = std::thread::spawn(move || {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            let _ = stdin.write_all(first);
            std::thread::sleep(SECOND);
            let _ = stdin.write_all(second);
        });
        let mut stdout = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            std::thread::sleep(SECOND);
            stdout.read_to_end(&mut Vec::new()).unwrap();
        });
        let mut shown = Vec::new();
        // On Linux, the end of a pseudo-terminal is reported as an error.
        let _ = File::from(screen).read_to_end(&mut shown);
        feeder.join().unwrap();
        reader.join().unwrap();
        let code = child.wait().unwrap().code().unwrap_or(-1);
        (code, String::from_utf8(shown).unwrap())
    }

    /// Runs the program with a pseudo-terminal as its standard input. Returns the exit code and its standard error.
    #[cfg(unix)]
    pub fn run_at_terminal(mut self) -> (i32, String) {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let stdin = File::open(Path::new(name.to_str().unwrap())).unwrap();
        let output = self.command.stdin(stdin).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap_or(-1), stderr)
    }

    /// Runs the program with its address space limited to `bytes`.
    #[cfg(target_os = "linux")]
    pub fn run_within(self, bytes: u64) -> Answer {
        self.limited(&format!("--as={bytes}")).run()
    }

    /// Runs the program under `prlimit` with this option.
    pub fn limited(mut self, limit: &str) -> Self {
        let mut limited = Command::new("prlimit");
        limited.arg(limit);
        limited.arg(self.command.get_program());
        limited.args(self.command.get_args()).env_clear();
        for (name, value) in self.command.get_envs() {
            limited.env(name, value.unwrap_or_default());
        }
        if let Some(path) = std::env::var_os("PATH") {
            limited.env("PATH", path);
        }
        if let Some(folder) = self.command.get_current_dir() {
            limited.current_dir(folder);
        }
        self.command = limited;
        self
    }

    /// Starts the program with all standard streams piped.
    pub fn start(mut self) -> std::process::Child {
        (self.command.stdin(Stdio::piped()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs the program, which must exit with `code`.
    pub fn exit(self, code: i32) -> Answer {
        let answer = self.run();
        assert_eq!(answer.code, code, "{}{}", answer.stdout, answer.stderr);
        answer
    }
}

/// Opens a pseudo-terminal of this width. Returns its screen, and the path of the side that programs write to.
#[cfg(unix)]
fn terminal(columns: u16) -> (std::os::fd::OwnedFd, PathBuf) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcsetwinsize};
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&screen).unwrap();
    unlockpt(&screen).unwrap();
    let size = Winsize {
        ws_row: 30,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&screen, size).unwrap();
    let name = ptsname(&screen, Vec::new()).unwrap();
    let name = PathBuf::from(name.to_str().unwrap());
    (screen, name)
}

/// Returns a directory with the built-in model's tokenizer but no checkpoint.
pub fn folder_without_checkpoint() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "spm.model", "tokenizer_config.json"] {
        let from = repository("demo/model").join(name);
        fs::copy(from, folder.path().join(name)).unwrap();
    }
    folder
}

/// Returns a directory with the built-in model's tokenizer and a checkpoint from `tests/fixtures/tiny`, whole or in
/// shards.
pub fn tiny_model(fixture: &str) -> tempfile::TempDir {
    let folder = folder_without_checkpoint();
    let from = repository("tests/fixtures/tiny").join(fixture);
    if from.is_dir() {
        for entry in from.read_dir().unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
        return folder;
    }
    let name = match fixture.rsplit_once('.') {
        Some((_, "safetensors")) => "model.safetensors",
        Some((_, "gguf")) => "model.gguf",
        _ => "pytorch_model.bin",
    };
    fs::copy(from, folder.path().join(name)).unwrap();
    folder
}

/// Makes a named pipe, from which a reader would wait for ever.
pub fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success(), "mkfifo makes a pipe");
}
