//! Numbers of tokens, for people: plain lines like those of `wc`, and tables that compare rows with bars.

use std::io::{self, Write};

use super::cells::{pad, thousands};
use super::renderer::Human;
use crate::record::{Comparison, Count, Group, Summary, Total};
use crate::render::escape::cell;
use crate::render::style::Style;
use crate::render::view::View;

/// The width of the longest bar, in columns.
const BAR: usize = 20;

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
                let compared = compared(comparison, view, record.tokens);
                let kind = if record.path.is_some() {
                    "path"
                } else {
                    "text"
                };
                let head = head(comparison, "", kind);
                self.head("count", &head)?;
                format!(
                    "{:>9}{compared}{name}{verdict}",
                    thousands(record.tokens as u64)
                )
            }
            None => format!("{:>8} {name}{verdict}", record.tokens),
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
        let number = quantity(record.files, "file");
        let line = match &record.comparison {
            Some(comparison) => {
                let compared = compared(comparison, view, record.tokens);
                let head = head(comparison, &format!("{:>8}", "files"), record.by);
                self.head("group", &head)?;
                let tokens = thousands(record.tokens as u64);
                let files = thousands(record.files as u64);
                format!("{tokens:>9}{files:>8}{compared}{name}{verdict}")
            }
            None => format!("{:>8} {name} in {number}{verdict}", record.tokens),
        };
        writeln!(self.out, "{}", line.trim_end())
    }

    pub(super) fn total(&mut self, record: &Total, view: View) -> io::Result<()> {
        let style = self.output.style;
        let verdict = verdict(style, record.tokens, record.budget, true);
        let View::SumOf(unit) = view else {
            return writeln!(self.out, "{:>8} total{verdict}", record.tokens);
        };
        let over = match record.over_budget {
            None => String::new(),
            Some(0) => format!(", {}", style.good("none over its budget")),
            Some(over) => format!(", {}", style.bad(&format!("{over} over budget"))),
        };
        let tokens = match self.table {
            Some("count" | "group") => format!("{:>9}  total", thousands(record.tokens as u64)),
            _ => format!("{:>8} total", record.tokens),
        };
        let number = quantity(record.files, unit);
        writeln!(self.out, "{tokens} of {number}{over}{verdict}")
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
        writeln!(self.out, "{:>9}  mean", record.mean)?;
        if let (Some(window), Some(over)) = (record.context_window, record.over_context_window) {
            let over = thousands(over as u64);
            writeln!(self.out, "{over:>9}  over the context window of {window}")?;
        }
        Ok(())
    }
}

/// Returns the header of a table with bars.
fn head(comparison: &Comparison, more: &str, name: &str) -> String {
    let window = match comparison.context_window {
        Some(_) => format!("{:>10}", "window"),
        None => String::new(),
    };
    let share = format!("{:>9}", "share");
    format!(
        "{:>9}{more}{share}{window}  {}  {name}",
        "tokens",
        " ".repeat(BAR)
    )
}

/// Returns the columns between the number of tokens and the name: share, context windows, and bar.
fn compared(comparison: &Comparison, view: View, tokens: usize) -> String {
    let bar = match view {
        View::Bar(part) => bar(part),
        _ => String::new(),
    };
    let bar = pad(&bar, BAR);
    let share = match comparison.share {
        Some(share) => format!("{:>7.1} %", share * 100.0),
        None => " ".repeat(9),
    };
    let window = match comparison.context_window {
        Some(window) => windows(tokens as u64, window),
        None => String::new(),
    };
    format!("{share}{window}  {bar}  ")
}

/// Formats a number of tokens as a percentage of the context window, or as a number of windows if there are ten or
/// more.
fn windows(tokens: u64, window: u64) -> String {
    match tokens / window.max(1) {
        0..10 => format!("{:>8.1} %", tokens as f64 * 100.0 / window as f64),
        windows => format!("{:>8} x", thousands(windows)),
    }
}

/// Draws a bar for a fraction of the longest bar, in eighths of a column.
fn bar(part: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (part.clamp(0.0, 1.0) * (BAR * 8) as f64).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

/// Returns the verdict on a budget. Says nothing about a budget that was kept unless `shows_kept`.
fn verdict(style: Style, tokens: usize, budget: Option<u64>, shows_kept: bool) -> String {
    match budget {
        Some(budget) if tokens as u64 > budget => {
            let by = tokens as u64 - budget;
            format!("  {}", style.bad(&format!("over {budget} by {by}")))
        }
        Some(budget) if shows_kept => format!("  {}", style.good(&format!("within {budget}"))),
        _ => String::new(),
    }
}

fn quantity(number: usize, unit: &str) -> String {
    match number {
        1 => format!("1 {unit}"),
        number => format!("{} {unit}s", thousands(number as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_bar_is_its_part() {
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(1.0), "█".repeat(BAR));
        assert_eq!(bar(0.5), "█".repeat(BAR / 2));
        assert_eq!(bar(0.031), "▋");
        assert_eq!(bar(f64::NAN), "");
    }

    #[test]
    fn many_windows_are_shown_as_their_number() {
        assert_eq!(windows(5_119, 512), "   999.8 %");
        assert_eq!(windows(5_120, 512), "      10 x");
        assert_eq!(windows(74_685_970, 512), " 145,871 x");
    }
}
