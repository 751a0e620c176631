//! Rows that are held back until all are known: sorted, cut to the largest, or summed by directory or extension.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::path::Path;

use clap::ValueEnum;

use crate::record::{Comparison, Count, Group, Record, Summary};
use crate::render::View;

/// What a row of the table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    File,
    /// Directories, with the files that are directly in them.
    Dir,
    /// Extensions of file names.
    Ext,
    Line,
}

/// The order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// The largest first; equal ones by path.
    Tokens,
    Path,
}

/// Rows that are not shown yet. Of a count, its numbers and its path are held, and not its text.
#[derive(Debug)]
pub struct Table {
    by: By,
    /// None is the order of arrival.
    sort: Option<Sort>,
    /// How many of the largest are wanted.
    top: Option<usize>,
    rows: Vec<Count>,
    groups: BTreeMap<String, Group>,
}

impl Table {
    pub fn new(by: By, sort: Option<Sort>, top: Option<usize>) -> Self {
        Self {
            by,
            sort: sort.or(top.map(|_| Sort::Tokens)),
            top,
            rows: Vec::new(),
            groups: BTreeMap::new(),
        }
    }

    pub fn push(&mut self, count: Count) {
        let name = count.path.as_deref().unwrap_or("-");
        let (by, name) = match self.by {
            By::File | By::Line => {
                self.rows.push(count);
                return self.forget_small_rows();
            }
            By::Dir => ("dir", directory(name)),
            By::Ext => ("ext", extension(name)),
        };
        let group = self.groups.entry(name.clone()).or_insert_with(|| Group {
            by,
            name,
            ..Group::default()
        });
        group.add(&count);
    }

    /// Of a long stream of which the largest rows are wanted, no more is held than might be among them.
    fn forget_small_rows(&mut self) {
        if let Some(top) = self.top
            && self.rows.len() >= top.saturating_mul(2).saturating_add(1024)
        {
            self.keep_largest(top);
        }
    }

    fn keep_largest(&mut self, top: usize) {
        if self.rows.len() > top {
            // The first rows of equal ones are kept, so that it is the same ones whenever this happens.
            self.rows
                .sort_by(|a, b| b.tokens.cmp(&a.tokens).then_with(|| by_path(a, b)));
            self.rows.truncate(top);
        }
    }

    /// The rows in their order, each seen beside the others.
    pub fn finish(mut self, all_tokens: usize, context_window: Option<u64>) -> Vec<(Record, View)> {
        let comparison = |tokens: usize| {
            Some(Comparison {
                share: part(tokens, all_tokens).map(|part| (part * 1e4).round() / 1e4),
                context_window,
            })
        };
        let view = |tokens, largest| View::Bar(part(tokens, largest).unwrap_or(0.0));
        if matches!(self.by, By::File | By::Line) {
            if let Some(top) = self.top {
                self.keep_largest(top);
            }
            match self.sort {
                Some(Sort::Tokens) => self
                    .rows
                    .sort_by(|a, b| b.tokens.cmp(&a.tokens).then_with(|| by_path(a, b))),
                Some(Sort::Path) => self.rows.sort_by(by_path),
                None => {}
            }
            let largest = self.rows.iter().map(|row| row.tokens).max().unwrap_or(0);
            let row = |mut row: Count| {
                row.comparison = comparison(row.tokens);
                let view = view(row.tokens, largest);
                (Record::Count(row), view)
            };
            return self.rows.into_iter().map(row).collect();
        }
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        if self.sort == Some(Sort::Tokens) || self.top.is_some() {
            groups.sort_by_key(|group| Reverse(group.tokens));
        }
        groups.truncate(self.top.unwrap_or(usize::MAX));
        if self.sort != Some(Sort::Tokens) {
            groups.sort_by(|a, b| Path::new(&a.name).cmp(Path::new(&b.name)));
        }
        let largest = groups.iter().map(|group| group.tokens).max().unwrap_or(0);
        let row = |mut group: Group| {
            group.comparison = comparison(group.tokens);
            let view = view(group.tokens, largest);
            (Record::Group(group), view)
        };
        groups.into_iter().map(row).collect()
    }
}

fn part(of: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| of as f64 / whole as f64)
}

/// As trees are walked: by the parts of the path, so that a directory's files stand together.
fn by_path(a: &Count, b: &Count) -> Ordering {
    fn path(count: &Count) -> &Path {
        Path::new(count.path.as_deref().unwrap_or_default())
    }
    path(a).cmp(path(b)).then(a.line.cmp(&b.line))
}

fn directory(path: &str) -> String {
    match Path::new(path).parent() {
        _ if path == "-" => path.to_owned(),
        Some(parent) if parent.as_os_str().is_empty() => ".".to_owned(),
        Some(parent) => parent.display().to_string(),
        None => path.to_owned(),
    }
}

fn extension(path: &str) -> String {
    let extension = Path::new(path).extension().unwrap_or_default();
    extension.display().to_string()
}

/// How often each number of tokens came: all that a distribution needs, however many texts there are.
#[derive(Debug, Default)]
pub struct Distribution {
    texts_by_tokens: BTreeMap<usize, usize>,
}

impl Distribution {
    pub fn add(&mut self, tokens: usize) {
        *self.texts_by_tokens.entry(tokens).or_default() += 1;
    }

    /// None if nothing was counted.
    pub fn summary(&self, context_window: Option<u64>) -> Option<Summary> {
        let all = &self.texts_by_tokens;
        let (min, max) = (*all.first_key_value()?.0, *all.last_key_value()?.0);
        let texts: usize = all.values().sum();
        let tokens: usize = all.iter().map(|(tokens, texts)| tokens * texts).sum();
        let percentile = |percent: usize| {
            let rank = (texts * percent).div_ceil(100);
            let mut seen = 0;
            let reaches = |(_, texts): &(&usize, &usize)| {
                seen += **texts;
                seen >= rank
            };
            all.iter().find(reaches).map_or(max, |(tokens, _)| *tokens)
        };
        let over = |window: u64| {
            let longer = all.iter().filter(|(tokens, _)| **tokens as u64 > window);
            longer.map(|(_, texts)| texts).sum()
        };
        Some(Summary {
            files: texts,
            tokens,
            min,
            p50: percentile(50),
            p90: percentile(90),
            p99: percentile(99),
            max,
            mean: (tokens as f64 * 10.0 / texts as f64).round() / 10.0,
            context_window,
            over_context_window: context_window.map(over),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, tokens: usize) -> Count {
        Count {
            path: Some(path.to_owned()),
            tokens,
            ..Count::default()
        }
    }

    fn rows(table: Table) -> Vec<(String, usize)> {
        let row = |(record, _)| match record {
            Record::Count(row) => (row.path.unwrap_or_default(), row.tokens),
            Record::Group(row) => (row.name, row.tokens),
            other => panic!("{other:?}"),
        };
        table.finish(100, None).into_iter().map(row).collect()
    }

    #[test]
    fn the_largest_are_the_same_however_many_were_forgotten() {
        for pushed in [100, 5_000] {
            let mut table = Table::new(By::File, None, Some(3));
            for number in 0..pushed {
                // Every tenth is large, and the large ones are equal.
                table.push(count(
                    &format!("{number:05}"),
                    usize::from(number % 10 == 0),
                ));
            }
            let names: Vec<String> = rows(table).into_iter().map(|row| row.0).collect();
            assert_eq!(names, ["00000", "00010", "00020"]);
        }
    }

    #[test]
    fn groups_are_in_the_order_of_their_names_or_their_tokens() {
        let fill = |sort, top| {
            let mut table = Table::new(By::Dir, sort, top);
            for (path, tokens) in [("b/x", 1), ("a/y", 2), ("b/z", 4), ("top.txt", 3)] {
                table.push(count(path, tokens));
            }
            rows(table)
        };
        let row = |name: &str, tokens| (name.to_owned(), tokens);
        let by_name = [row(".", 3), row("a", 2), row("b", 5)];
        assert_eq!(fill(None, None), by_name);
        assert_eq!(fill(Some(Sort::Path), Some(2)), [row(".", 3), row("b", 5)]);
        assert_eq!(fill(None, Some(2)), [row("b", 5), row(".", 3)]);
        assert_eq!(
            fill(Some(Sort::Tokens), None),
            [row("b", 5), row(".", 3), row("a", 2)]
        );
    }

    #[test]
    fn extensions_are_what_follows_the_last_dot() {
        let names = ["a/b.tar.gz", "Makefile", ".gitignore", "x.", "-"].map(extension);
        assert_eq!(names, ["gz", "", "", "", ""]);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut distribution = Distribution::default();
        assert_eq!(distribution.summary(None), None);
        for tokens in 1..=200 {
            distribution.add(tokens);
        }
        let summary = distribution.summary(Some(150)).unwrap();
        let percentiles = [summary.p50, summary.p90, summary.p99];
        assert_eq!(percentiles, [100, 180, 198]);
        assert_eq!((summary.min, summary.max, summary.mean), (1, 200, 100.5));
        assert_eq!(summary.over_context_window, Some(50));
        let mut one = Distribution::default();
        one.add(7);
        let one = one.summary(None).unwrap();
        assert_eq!([one.min, one.p50, one.p99, one.max], [7; 4]);
    }
}
