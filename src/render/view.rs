//! Details of a record that only the human table needs.

/// How the human table shows a record; the other formats ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum View {
    #[default]
    Plain,
    /// All values of a vector or matrix, instead of the first few.
    Full,
    /// A row of a table, for records that are bare text otherwise.
    TableRow,
    /// One of the answers to several queries, under the name of its query.
    OfSeveral,
    /// A row with a bar; the number is its part of the largest row, 0 to 1.
    Bar(f64),
    /// A sum of this unit, `file` or `text`.
    SumOf(&'static str),
    /// An occurrence on a line that continues before or after the quoted part.
    Excerpt { cut_before: bool, cut_after: bool },
}

impl View {
    /// Returns [`View::Full`] if `full`, else [`View::Plain`].
    pub fn full(full: bool) -> Self {
        if full { Self::Full } else { Self::Plain }
    }
}
