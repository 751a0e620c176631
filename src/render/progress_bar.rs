//! The progress bars of standard error.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use unicode_width::UnicodeWidthStr;

use super::escape::cell;
use super::numbers::{bytes, duration, quantity, thousands};
use crate::source::{Progress, ProgressUnit};

const WITH_TOTAL: &str = "{wide_bar} {msg}";
const WITHOUT_TOTAL: &str = "{wide_msg}";

/// The narrowest bar worth showing, in columns.
const MIN_BAR: usize = 8;

/// Returns a bar for the download of a file.
pub fn of_download(file: &str, total: u64) -> ProgressBar {
    let template = "{msg} {wide_bar} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
    bar(template, total).with_message(cell(file).into_owned())
}

/// Returns a bar for the input of a command, which is shown with the first update.
pub fn of_input() -> ProgressBar {
    bar(WITHOUT_TOTAL, 0)
}

/// Returns a line for a text that is worked on as a whole, with a clock.
pub fn of_text(size: u64) -> ProgressBar {
    let bar = bar("{spinner} {msg}, {elapsed}", 0);
    bar.set_message(format!("a text of {}", bytes(size)));
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// Shows how far a command has got, on a terminal of this width.
pub fn update(bar: &ProgressBar, progress: &Progress, width: usize) {
    let room = match progress.total {
        Some(_) => width.saturating_sub(MIN_BAR + 1),
        None => width,
    };
    if let Some(total) = progress.total {
        bar.set_length(total);
        bar.set_position(progress.done.min(total));
    }
    // The total may have become known since the last update.
    bar.set_style(style(match progress.total {
        Some(_) => WITH_TOTAL,
        None => WITHOUT_TOTAL,
    }));
    bar.set_message(sentence(progress, room));
    bar.tick();
}

/// Returns the facts about the progress that fit: the amount before the rate, and that before the files.
fn sentence(progress: &Progress, room: usize) -> String {
    let amount = |amount| match progress.unit {
        ProgressUnit::Bytes => bytes(amount),
        ProgressUnit::Rows => thousands(amount),
    };
    let done = match (progress.total, progress.unit) {
        (Some(total), ProgressUnit::Bytes) => {
            format!("{} of {}", amount(progress.done), amount(total))
        }
        (Some(total), ProgressUnit::Rows) => {
            format!("{} of {}", amount(progress.done), quantity(total, "row"))
        }
        (None, ProgressUnit::Bytes) => amount(progress.done),
        (None, ProgressUnit::Rows) => quantity(progress.done, "row"),
    };
    let seconds = progress.elapsed.as_secs_f64();
    let rate = progress.done as f64 / seconds;
    let left = progress.total.filter(|_| progress.done > 0).map(|total| {
        let left = total.saturating_sub(progress.done) as f64 / rate;
        // A rate near zero gives a time that no duration can hold.
        let left = Duration::try_from_secs_f64(left.ceil()).unwrap_or(Duration::MAX);
        format!("{} left", duration(left))
    });
    let rate = (seconds > 0.0).then(|| format!("{}/s", amount(rate as u64)));
    let files = progress
        .files
        .map(|(done, found)| format!("{} of {}", thousands(done), quantity(found, "file")));
    let mut facts = done;
    for fact in [left, rate, files].into_iter().flatten() {
        if facts.width() + 2 + fact.width() <= room {
            facts = format!("{facts}, {fact}");
        }
    }
    facts
}

fn bar(template: &str, total: u64) -> ProgressBar {
    ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr())
        .with_style(style(template))
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out() {
        let progress = Progress {
            done: 500_000_000,
            total: Some(1_000_000_000),
            unit: ProgressUnit::Bytes,
            files: Some((3, 1_200)),
            elapsed: Duration::from_secs(13),
        };
        let shown = |room| sentence(&progress, room);
        let amount = "500 MB of 1.00 GB";
        assert_eq!(
            shown(80),
            format!("{amount}, 13 s left, 38.5 MB/s, 3 of 1,200 files")
        );
        assert_eq!(shown(45), format!("{amount}, 13 s left, 38.5 MB/s"));
        assert_eq!(shown(30), format!("{amount}, 13 s left"));
        assert_eq!(shown(5), amount);
        let unknown = Progress {
            total: None,
            files: None,
            ..progress
        };
        assert_eq!(sentence(&unknown, 80), "500 MB, 38.5 MB/s");
        let rows = Progress {
            unit: ProgressUnit::Rows,
            done: 1_000,
            total: Some(128_100),
            files: None,
            ..progress
        };
        assert_eq!(
            sentence(&rows, 80),
            "1,000 of 128,100 rows, 27 min 33 s left, 76/s"
        );
        let started = Progress {
            done: 0,
            elapsed: Duration::ZERO,
            ..rows
        };
        assert_eq!(sentence(&started, 80), "0 of 128,100 rows");
    }
}
