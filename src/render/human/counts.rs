//! Numbers of tokens, for people: plain lines like those of `wc`, and tables that compare rows with bars.

use std::io::{self, Write};

use super::renderer::Human;
use crate::record::{Comparison, Count, Group, Summary, Total};
use crate::render::cells::pad;
use crate::render::escape::cell;
use crate::render::numbers::{decimals, percent, quantity, thousands};
use crate::render::style::Style;
use crate::render::view::View;
use crate::render::width::DEFAULT_WIDTH;

/// The width of the longest bar, in columns. A terminal that is narrower than others has shorter bars.
const BAR: usize = 20;
/// The width of the shortest longest bar.
const MIN_BAR: usize = 6;
/// In a narrower terminal, there is no column of context windows.
const MIN_WIDTH_WITH_WINDOW: usize = 54;

impl Human<'_> {
    pub(super) fn count(&mut self, record: &Count, view: View) -> io::Result<()> {
        let name = match (&record.path, record.line) {
            (Some(path), Some(line)) => format!("{}:{line}", cell(path)),
            (Some(path), None) => cell(path).into_owned(),
            (None, Some(line)) => format!("line {line}"),
            (None, None) => String::new(),
        };
        let verdict = verdict(self.output.style, record.tokens, record.budget, false);
        let line = match &record.comparison {
            Some(comparison) => {
                let layout = Layout::new(self.output.columns());
                let compared = layout.compared(comparison, view, record.tokens);
                let kind = if record.path.is_some() {
                    "path"
                } else {
                    "text"
                };
                let head = layout.head(comparison, "", kind);
                self.head("count", &head)?;
                format!(
                    "{:>9}{compared}{name}{verdict}",
                    thousands(record.tokens as u64)
                )
            }
            None => format!("{:>8} {name}{verdict}", thousands(record.tokens as u64)),
        };
        writeln!(self.out, "{}", line.trim_end())
    }

    pub(super) fn group(&mut self, record: &Group, view: View) -> io::Result<()> {
        let name = match (record.by, record.name.as_str()) {
            ("ext", "") => "(no extension)".to_owned(),
            ("ext", name) => format!(".{}", cell(name)),
            (_, name) => cell(name).into_owned(),
        };
        let shows_kept = record.by == "glob";
        let verdict = verdict(self.output.style, record.tokens, record.budget, shows_kept);
        let number = quantity(record.files as u64, "file");
        let line = match &record.comparison {
            Some(comparison) => {
                let layout = Layout::new(self.output.columns());
                let compared = layout.compared(comparison, view, record.tokens);
                let head = layout.head(comparison, &format!("{:>8}", "files"), record.by);
                self.head("group", &head)?;
                let tokens = thousands(record.tokens as u64);
                let files = thousands(record.files as u64);
                format!("{tokens:>9}{files:>8}{compared}{name}{verdict}")
            }
            None => {
                let tokens = thousands(record.tokens as u64);
                format!("{tokens:>8} {name} in {number}{verdict}")
            }
        };
        writeln!(self.out, "{}", line.trim_end())
    }

    pub(super) fn total(&mut self, record: &Total, view: View) -> io::Result<()> {
        let style = self.output.style;
        let verdict = verdict(style, record.tokens, record.budget, true);
        let sum = thousands(record.tokens as u64);
        let View::SumOf(unit) = view else {
            return self.wrapped(9, &format!("{sum:>8} total{verdict}"));
        };
        let over = match record.over_budget {
            None => String::new(),
            Some(0) => format!(", {}", style.good("none over its budget")),
            Some(over) => {
                let over = format!("{} over budget", thousands(over as u64));
                format!(", {}", style.bad(&over))
            }
        };
        let tokens = match self.table {
            Some("count" | "group") => format!("{sum:>9}  total"),
            _ => format!("{sum:>8} total"),
        };
        let number = quantity(record.files as u64, unit);
        self.wrapped(11, &format!("{tokens} of {number}{over}{verdict}"))
    }

    pub(super) fn summary(&mut self, record: &Summary) -> io::Result<()> {
        let facts = [
            ("min", record.min),
            ("p50", record.p50),
            ("p90", record.p90),
            ("p99", record.p99),
            ("max", record.max),
        ];
        for (name, tokens) in facts {
            writeln!(self.out, "{:>9}  {name}", thousands(tokens as u64))?;
        }
        writeln!(self.out, "{:>9}  mean", decimals(record.mean, 1))?;
        if let (Some(window), Some(over)) = (record.context_window, record.over_context_window) {
            let (over, window) = (thousands(over as u64), thousands(window));
            self.wrapped(
                11,
                &format!("{over:>9}  over the context window of {window}"),
            )?;
        }
        Ok(())
    }
}

/// The columns of a table with bars.
struct Layout {
    /// The width of the longest bar; 0 if there are no bars.
    bar: usize,
    has_window: bool,
}

impl Layout {
    /// Makes room for names: by shorter bars, then no bars, then no context windows.
    fn new(columns: usize) -> Self {
        let bar = BAR.saturating_sub(DEFAULT_WIDTH.saturating_sub(columns));
        Self {
            bar: if bar < MIN_BAR { 0 } else { bar },
            has_window: columns >= MIN_WIDTH_WITH_WINDOW,
        }
    }

    /// Returns the header.
    fn head(&self, comparison: &Comparison, more: &str, name: &str) -> String {
        let window = match comparison.context_window {
            Some(_) if self.has_window => format!("{:>10}", "window"),
            _ => String::new(),
        };
        let (share, bar) = (format!("{:>9}", "share"), self.bar_column(""));
        format!("{:>9}{more}{share}{window}{bar}  {name}", "tokens")
    }

    /// Returns the columns between the number of tokens and the name: share, context windows, and bar.
    fn compared(&self, comparison: &Comparison, view: View, tokens: usize) -> String {
        let bar = match view {
            View::Bar(part) => bar(part, self.bar),
            _ => String::new(),
        };
        let bar = self.bar_column(&bar);
        let share = match comparison.share {
            Some(share) => format!("{:>9}", percent(share)),
            None => " ".repeat(9),
        };
        let window = match comparison.context_window {
            Some(window) if self.has_window => windows(tokens as u64, window),
            _ => String::new(),
        };
        format!("{share}{window}{bar}  ")
    }

    fn bar_column(&self, bar: &str) -> String {
        match self.bar {
            0 => String::new(),
            width => format!("  {}", pad(bar, width)),
        }
    }
}

/// Formats a number of tokens as a percentage of the context window, or as a number of windows if there are ten or
/// more.
fn windows(tokens: u64, window: u64) -> String {
    match tokens / window.max(1) {
        0..10 => format!("{:>10}", percent(tokens as f64 / window as f64)),
        windows => format!("{:>8} x", thousands(windows)),
    }
}

/// Draws a bar for a fraction of the longest bar, in eighths of a column.
fn bar(part: f64, width: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (part.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// Returns the verdict on a budget. Says nothing about a budget that was kept unless `shows_kept`.
fn verdict(style: Style, tokens: usize, budget: Option<u64>, shows_kept: bool) -> String {
    match budget {
        Some(budget) if tokens as u64 > budget => {
            let (by, budget) = (thousands(tokens as u64 - budget), thousands(budget));
            format!("  {}", style.bad(&format!("over {budget} by {by}")))
        }
        Some(budget) if shows_kept => {
            let verdict = format!("within {}", thousands(budget));
            format!("  {}", style.good(&verdict))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_bar_is_its_part() {
        assert_eq!(bar(0.0, BAR), "");
        assert_eq!(bar(1.0, BAR), "█".repeat(BAR));
        assert_eq!(bar(0.5, BAR), "█".repeat(BAR / 2));
        assert_eq!(bar(0.031, BAR), "▋");
        assert_eq!(bar(f64::NAN, BAR), "");
    }

    #[test]
    fn many_windows_are_shown_as_their_number() {
        assert_eq!(windows(5_119, 512), "   999.8 %");
        assert_eq!(windows(5_120, 512), "      10 x");
        assert_eq!(windows(74_685_970, 512), " 145,871 x");
    }
}
