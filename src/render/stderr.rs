//! Standard error: notes, progress bars, and the error that ends a run.

use std::io::{self, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::escape::{cell, line};
use super::style::Style;
use crate::error::Error;
use crate::source::Observer;

/// The minimum size of a download, in bytes, for a progress bar. Smaller downloads end before anyone could read it.
const SMALLEST_WITH_BAR: u64 = 1 << 20;

/// The time before a count gets a progress bar. Most counts end earlier.
const COUNT_WITHOUT_BAR: Duration = Duration::from_secs(1);

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
    created: Instant,
}

impl Stderr {
    pub fn new(style: Style, level: Level, bars: bool) -> Self {
        Self {
            style,
            level,
            bars: bars && level >= Level::Normal,
            bar: Mutex::new(None),
            created: Instant::now(),
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
            self.line(&format!("\n{} {}", self.style.note("hint:"), line(&hint)));
        }
    }

    fn line(&self, text: &str) {
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
        }
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
        self.detail(&format!("downloading {file}, {total} bytes"));
        if !self.bars || total < SMALLEST_WITH_BAR {
            return;
        }
        let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr())
            .with_style(style)
            .with_message(cell(file).into_owned());
        self.with_bar(|slot| *slot = Some(bar));
    }

    fn count_progress(&self, done: usize, found: usize) {
        if !self.bars || self.created.elapsed() < COUNT_WITHOUT_BAR {
            return;
        }
        self.with_bar(|slot| {
            let bar = slot.get_or_insert_with(|| {
                let template = "{wide_bar} {human_pos}/{human_len} files {eta}";
                let style = ProgressStyle::with_template(template)
                    .unwrap_or_else(|_| ProgressStyle::default_bar());
                ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr())
                    .with_style(style)
            });
            bar.set_length(found as u64);
            bar.set_position(done as u64);
        });
    }

    fn count_finished(&self) {
        self.download_finished("");
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
