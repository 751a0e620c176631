//! A table of rows: sorted, limited to the largest, or summed by directory or extension.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::path::Path;

use clap::ValueEnum;

use crate::record::{Comparison, Count, Group, Record};
use crate::render::View;

/// What each row of the table stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    File,
    /// Directories, each with the files directly in it
    Dir,
    /// File name extensions
    Ext,
    Line,
}

/// The order of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// Largest first; rows of equal size by path
    Tokens,
    Path,
}

/// The rows of a table that is shown once everything is counted.
#[derive(Debug)]
pub struct Table {
    by: By,
    /// `None` keeps the order in which rows were added.
    sort: Option<Sort>,
    /// Show only this many of the largest rows.
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

    /// Adds a counted text.
    pub fn push(&mut self, count: Count) {
        let name = count.path.as_deref().unwrap_or("-");
        let (by, name) = match self.by {
            By::File | By::Line => {
                self.rows.push(count);
                return self.drop_small_rows();
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

    /// With `--top`, drops rows that can no longer be among the largest, to bound memory.
    fn drop_small_rows(&mut self) {
        if let Some(top) = self.top
            && self.rows.len() >= top.saturating_mul(2).saturating_add(1024)
        {
            self.keep_largest(top);
        }
    }

    fn keep_largest(&mut self, top: usize) {
        if self.rows.len() > top {
            // Rows of equal size are ordered by path, so the result does not depend on how often rows are dropped.
            self.rows.sort_by(by_tokens);
            self.rows.truncate(top);
        }
    }

    /// Returns the rows in order, each with its share of `all_tokens` and its size relative to the largest row.
    pub fn finish(
        self,
        all_tokens: usize,
        context_window: Option<u64>,
        model: &str,
    ) -> Vec<(Record, View)> {
        let compare = |tokens: usize| {
            Some(Comparison {
                share: ratio(tokens, all_tokens).map(|share| (share * 1e4).round() / 1e4),
                context_window,
            })
        };
        let bar = |tokens, largest| View::Bar(ratio(tokens, largest).unwrap_or(0.0));
        if matches!(self.by, By::File | By::Line) {
            let rows = self.sorted_rows();
            let largest = rows.iter().map(|row| row.tokens).max().unwrap_or(0);
            let shown = rows.into_iter().map(|mut row| {
                row.comparison = compare(row.tokens);
                row.model = model.to_owned();
                let view = bar(row.tokens, largest);
                (Record::Count(row), view)
            });
            return shown.collect();
        }
        let groups = self.sorted_groups();
        let largest = groups.iter().map(|group| group.tokens).max().unwrap_or(0);
        let shown = groups.into_iter().map(|mut group| {
            group.comparison = compare(group.tokens);
            group.model = model.to_owned();
            let view = bar(group.tokens, largest);
            (Record::Group(group), view)
        });
        shown.collect()
    }

    fn sorted_rows(mut self) -> Vec<Count> {
        if let Some(top) = self.top {
            self.keep_largest(top);
        }
        match self.sort {
            Some(Sort::Tokens) => self.rows.sort_by(by_tokens),
            Some(Sort::Path) => self.rows.sort_by(by_path),
            None => {}
        }
        self.rows
    }

    fn sorted_groups(self) -> Vec<Group> {
        let mut groups: Vec<Group> = self.groups.into_values().collect();
        if self.sort == Some(Sort::Tokens) || self.top.is_some() {
            groups.sort_by_key(|group| Reverse(group.tokens));
        }
        groups.truncate(self.top.unwrap_or(usize::MAX));
        if self.sort != Some(Sort::Tokens) {
            groups.sort_by(|a, b| Path::new(&a.name).cmp(Path::new(&b.name)));
        }
        groups
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn by_tokens(a: &Count, b: &Count) -> Ordering {
    b.tokens.cmp(&a.tokens).then_with(|| by_path(a, b))
}

/// Compares paths by component, as the walk does, so that the files of a directory stay together.
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
        table
            .finish(100, None, "demo")
            .into_iter()
            .map(row)
            .collect()
    }

    #[test]
    fn the_largest_rows_do_not_depend_on_how_often_small_ones_are_dropped() {
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
    fn groups_are_sorted_by_name_or_by_tokens() {
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
    fn an_extension_follows_the_last_dot() {
        let names = ["a/b.tar.gz", "Makefile", ".gitignore", "x.", "-"].map(extension);
        assert_eq!(names, ["gz", "", "", "", ""]);
    }
}
