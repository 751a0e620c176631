//! The columns of one kind of record, and their description for the reference.

use super::column::{Column, Values};

/// The columns of a kind of record.
#[derive(Debug)]
pub struct Table<R: 'static> {
    /// Every `type` of record with these columns.
    pub records: &'static [&'static str],
    pub columns: &'static [Column<R>],
}

/// A table without the functions that read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub records: &'static [&'static str],
    pub columns: Vec<ColumnDescription>,
}

/// A column without the function that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDescription {
    /// The name in the header line. For a vector, `v0, v1, …`.
    pub name: String,
    pub type_name: &'static str,
    /// True for a column that only tables of rows compared with each other have.
    pub compared: bool,
}

impl<R> Table<R> {
    /// Describes the table.
    pub fn describe(&self) -> Description {
        let describe = |column: &Column<R>| ColumnDescription {
            name: match column.values {
                Values::Float32Vector(_) | Values::SparseFloat32Vector(_) => {
                    format!("{0}0, {0}1, …", column.name)
                }
                _ => column.name.to_owned(),
            },
            type_name: column.values.type_name(),
            compared: column.compared,
        };
        Description {
            records: self.records,
            columns: self.columns.iter().map(describe).collect(),
        }
    }
}
