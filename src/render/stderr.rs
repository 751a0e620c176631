//! Standard error: notes, progress bars, and the error that ends a run.

use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::cells::wrap_message;
use super::escape::line;
use super::numbers::bytes;
use super::progress_bar;
use super::style::Style;
use super::width::{DEFAULT_WIDTH, terminal_width};
use crate::error::Error;
use crate::source::{Observer, Progress};

/// The minimum size of a download, in bytes, for a progress bar. Smaller downloads end before anyone could read it.
const SMALLEST_WITH_BAR: u64 = 1 << 20;

/// The time before a command gets a progress bar, and after each line that it writes to the terminal. Most commands end
/// earlier.
const WITHOUT_BAR: Duration = Duration::from_secs(1);

/// The minimum size of a text, in bytes, that gets a line of its own while it is worked on as a whole.
const LONG_TEXT: u64 = 8_000_000;

/// The verbosity of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Quiet,
    Normal,
    Verbose,
}

/// Standard error.
#[derive(Debug)]
pub struct Stderr {
    style: Style,
    level: Level,
    /// True if progress bars are shown.
    bars: bool,
    bar: Mutex<Option<ProgressBar>>,
    has_bar: AtomicBool,
    created: Instant,
    /// Milliseconds from the creation to the last line that the command wrote to the terminal.
    last_line: AtomicU64,
}

impl Stderr {
    pub fn new(style: Style, level: Level, bars: bool) -> Self {
        Self {
            style,
            level,
            bars: bars && level >= Level::Normal,
            bar: Mutex::new(None),
            has_bar: AtomicBool::new(false),
            created: Instant::now(),
            last_line: AtomicU64::new(0),
        }
    }

    /// Writes an error as one sentence, followed by its hint.
    pub fn error(&self, error: &anyhow::Error) {
        let sentence: Vec<String> = error
            .chain()
            .map(|cause| line(&cause.to_string()).into_owned())
            .collect();
        // The sentence of an `Error` already includes its source.
        let sentence = match error.downcast_ref::<Error>() {
            Some(_) => sentence[0].clone(),
            None => sentence.join(": "),
        };
        self.line(&format!("{} {sentence}", self.style.bad("error:")));
        if let Some(hint) = error.downcast_ref::<Error>().and_then(Error::hint) {
            self.line("");
            self.line(&format!("{} {}", self.style.note("hint:"), line(&hint)));
        }
    }

    /// Writes a line, broken at spaces to fit a terminal.
    fn line(&self, text: &str) {
        let wrapped = terminal_width(io::stderr()).map(|width| wrap_message(text, width));
        let text = wrapped.as_deref().unwrap_or(text);
        // A failed write to standard error cannot be reported anywhere.
        let write = || drop(writeln!(io::stderr().lock(), "{text}"));
        self.with_bar(|bar| match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        });
    }

    fn with_bar(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        if let Ok(mut bar) = self.bar.lock() {
            act(&mut bar);
            self.has_bar.store(bar.is_some(), Relaxed);
        }
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.created.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Observer for Stderr {
    fn note(&self, message: &str) {
        if self.level >= Level::Normal {
            self.line(&format!("{} {}", self.style.note("note:"), line(message)));
        }
    }

    fn detail(&self, message: &str) {
        if self.level >= Level::Verbose {
            self.line(&self.style.dim(&line(message)));
        }
    }

    fn download_started(&self, file: &str, total: u64) {
        self.detail(&format!("downloading {file}, {}", bytes(total)));
        if self.bars && total >= SMALLEST_WITH_BAR {
            self.with_bar(|slot| *slot = Some(progress_bar::of_download(file, total)));
        }
    }

    fn shows_progress(&self) -> bool {
        self.bars
    }

    fn progress(&self, progress: &Progress) {
        let since_line = self.millis().saturating_sub(self.last_line.load(Relaxed));
        if !self.bars || u128::from(since_line) < WITHOUT_BAR.as_millis() {
            return;
        }
        let width = terminal_width(io::stderr()).unwrap_or(DEFAULT_WIDTH);
        self.with_bar(|slot| {
            let bar = slot.get_or_insert_with(progress_bar::of_input);
            progress_bar::update(bar, progress, width);
        });
    }

    fn working(&self, size: u64) {
        if self.bars && size >= LONG_TEXT {
            self.progress_hidden();
            self.with_bar(|slot| *slot = Some(progress_bar::of_text(size)));
        }
    }

    fn progress_hidden(&self) {
        self.last_line.store(self.millis(), Relaxed);
        if self.has_bar.load(Relaxed) {
            self.download_finished("");
        }
    }

    fn download_progress(&self, _file: &str, done: u64) {
        self.with_bar(|slot| {
            if let Some(bar) = slot {
                bar.set_position(done);
            }
        });
    }

    fn download_finished(&self, _file: &str) {
        self.with_bar(|slot| {
            if let Some(bar) = slot.take() {
                bar.finish_and_clear();
            }
        });
    }
}
