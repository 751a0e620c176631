//! The embedding matrix as a whole, for people.

use std::io::{self, Write};

use super::renderer::Human;
use crate::record::{Norms, RowNorm, Stats};
use crate::render::cells::pad;
use crate::render::escape::cell;
use crate::render::numbers::{number, quantity, ranges, thousands};

/// The width of the longest bar, in columns.
const BAR: usize = 40;
/// The width of the columns before the bar.
const BEFORE_BAR: usize = 35;
/// The width of the column of pieces.
const PIECE_WIDTH: usize = 14;
/// The maximum number of groups of equal rows to list.
const LISTED_GROUPS: usize = 3;
/// The maximum number of ids or ranges to list per line or group.
const LISTED_IDS: usize = 8;

impl Human<'_> {
    pub(super) fn stats(&mut self, record: &Stats) -> io::Result<()> {
        self.fact("model", cell(&record.model))?;
        if let Some(commit) = &record.commit {
            self.fact("commit", commit)?;
        }
        let (rows, columns, dtype) = (record.rows, record.columns, &record.dtype);
        let (tensor, file) = (cell(&record.tensor), cell(&record.file));
        let (rows, columns) = (thousands(rows), thousands(columns));
        let matrix = format!("{rows} x {columns} {dtype}, {tensor} in {file}");
        self.fact("embedding", matrix)?;
        self.fact("values", values(record))?;
        if let (Some(min), Some(max), Some(mean), Some(std)) =
            (record.min, record.max, record.mean, record.std)
        {
            let [min, max] = [min, max].map(number);
            let [mean, std] = [mean, std].map(number);
            self.fact("range", format!("{min} to {max}, mean {mean}, std {std}"))?;
        }
        if let Some(share) = record.share_within_one {
            self.fact("in [-1, 1]", within(record, share))?;
        }
        self.fact("rows of zeros", listed(&record.zero_rows))?;
        self.fact("equal rows", groups(&record.duplicate_rows))?;
        self.fact("without token", listed(&record.rows_without_token))?;
        let Some(norms) = &record.norms else {
            return Ok(());
        };
        self.norms(norms)?;
        self.extremes("smallest norms", &record.smallest)?;
        self.extremes("largest norms", &record.largest)
    }

    fn norms(&mut self, norms: &Norms) -> io::Result<()> {
        let [min, max, mean] = [norms.min, norms.max, norms.mean].map(number);
        self.fact("norms", format!("{min} to {max}, mean {mean}"))?;
        let head = format!("{:>11} {:>11} {:>9}", "norm from", "to", "rows");
        writeln!(self.out, "{}", self.output.style.head(&head))?;
        let most = norms.histogram.iter().map(|bin| bin.rows).max();
        for bin in &norms.histogram {
            let [from, to] = [bin.from, bin.to].map(number);
            let rows = thousands(bin.rows);
            let width = BAR.min(self.output.columns().saturating_sub(BEFORE_BAR));
            let bar = bar(bin.rows, most.unwrap_or(0), width as u64);
            let text = format!("{from:>11} {to:>11} {rows:>9}  {bar}");
            self.line(text.trim_end())?;
        }
        Ok(())
    }

    fn extremes(&mut self, title: &str, rows: &[RowNorm]) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "{}", self.output.style.head(title))?;
        for row in rows {
            let piece = cell(row.piece.as_deref().unwrap_or("(no token)"));
            let piece = pad(&self.cell_in(&piece, PIECE_WIDTH), PIECE_WIDTH);
            let norm = number(row.norm);
            self.line(&format!("{:>11}  {piece}  {norm:>9}", row.id))?;
        }
        Ok(())
    }
}

fn values(stats: &Stats) -> String {
    let count = thousands(stats.values);
    match (stats.nan, stats.infinite) {
        (0, 0) => format!("{count}, all finite"),
        (nan, infinite) => format!(
            "{count} finite, {} NaN, {} infinite",
            thousands(nan),
            thousands(infinite)
        ),
    }
}

fn within(stats: &Stats, share: f64) -> String {
    if stats.within_one == stats.values {
        return "all".to_owned();
    }
    let outside = thousands(stats.values - stats.within_one);
    // Round down, so that 100 % always means all.
    let percent = (share * 1e6).floor() / 1e4;
    format!("{percent} %, all but {outside}")
}

fn listed(list: &[(u64, u64)]) -> String {
    let count: u64 = list.iter().map(|(first, last)| last - first + 1).sum();
    let shown = &list[..list.len().min(LISTED_IDS)];
    let more = if shown.len() < list.len() {
        ", …"
    } else {
        ""
    };
    match count {
        0 => "none".to_owned(),
        count => format!("{}: {}{more}", thousands(count), ranges(shown)),
    }
}

fn groups(groups: &[Vec<u64>]) -> String {
    let count: usize = groups.iter().map(Vec::len).sum();
    if groups.is_empty() {
        return "none".to_owned();
    }
    let list = |ids: &Vec<u64>| {
        let more = if ids.len() > LISTED_IDS { " = …" } else { "" };
        let ids = ids.iter().take(LISTED_IDS).map(u64::to_string);
        format!("{}{more}", ids.collect::<Vec<_>>().join(" = "))
    };
    let shown: Vec<String> = groups.iter().take(LISTED_GROUPS).map(list).collect();
    let more = if groups.len() > LISTED_GROUPS {
        ", …"
    } else {
        ""
    };
    format!(
        "{} in {}: {}{more}",
        thousands(count as u64),
        quantity(groups.len() as u64, "group"),
        shown.join(", ")
    )
}

/// Draws a bar for a number of rows. The bar for `most` is the longest, and even a single row gets the shortest bar.
fn bar(rows: u64, most: u64, width: u64) -> String {
    let eighths = u128::from(rows) * u128::from(width) * 8 / u128::from(most.max(1));
    let eighths = if rows > 0 { eighths.max(1) } else { 0 };
    let mut bar = "█".repeat((eighths / 8) as usize);
    bar.extend(['▏', '▎', '▍', '▌', '▋', '▊', '▉'].get((eighths % 8).wrapping_sub(1) as usize));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_bar_is_its_share() {
        assert_eq!(bar(80, 80, 40).chars().count(), 40);
        assert_eq!(bar(40, 80, 40), "█".repeat(20));
        assert_eq!(bar(1, 1_000_000, 40), "▏");
        assert_eq!(bar(0, 80, 40), "");
        assert_eq!(bar(0, 0, 40), "");
        assert_eq!(bar(81, 8 * 81, 40), "█████");
    }

    #[test]
    fn a_share_is_not_rounded_up_to_all() {
        let stats = Stats {
            values: 10_000_000,
            within_one: 9_999_999,
            ..Stats::default()
        };
        assert_eq!(within(&stats, 0.999_999_9), "99.9999 %, all but 1");
    }
}
