//! Display details that only the human format needs.

/// How the human format shows a record. Other formats ignore it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum View {
    #[default]
    Plain,
    /// All values of a vector or matrix, instead of the first few.
    Full,
    /// A row of a table, for records that are otherwise bare text.
    TableRow,
    /// One of several queries' answers, shown under the name of its query.
    OfSeveral,
    /// A row with a bar. The number is its fraction of the largest row, from 0 to 1.
    Bar(f64),
    /// A total of things of this kind, `file` or `text`.
    SumOf(&'static str),
    /// A difference between a model and the file that it is converted to, instead of one between the two engines.
    Converted,
    /// An occurrence with text around it. The flags are true if the line continues before or after the shown part.
    Excerpt { cut_before: bool, cut_after: bool },
}

impl View {
    /// Returns [`View::Full`] if `full`, else [`View::Plain`].
    pub fn full(full: bool) -> Self {
        if full { Self::Full } else { Self::Plain }
    }
}
