//! A column: its name, its type, and the function that reads its values.

/// A column of a table of records `R`.
#[derive(Debug)]
pub struct Column<R: 'static> {
    pub name: &'static str,
    pub values: Values<R>,
    /// True for a column that only tables of rows compared with each other have.
    pub compared: bool,
}

/// The function that reads the values of a column, and their type. `None` is an empty cell.
///
/// The second argument is the number of the row within the record, from 0: a `tokenize` record has a row per token, and
/// every other record has one row.
#[derive(Debug)]
pub enum Values<R: 'static> {
    Integer(fn(&R, usize) -> Option<u64>),
    Float32(fn(&R, usize) -> Option<f32>),
    Float64(fn(&R, usize) -> Option<f64>),
    /// A float32, or a float64 beyond its range.
    WideFloat(fn(&R, usize) -> f64),
    Boolean(fn(&R, usize) -> Option<bool>),
    Text(fn(&R, usize) -> Option<&str>),
    IntegerList(fn(&R, usize) -> &[u32]),
    TextList(fn(&R, usize) -> Vec<&str>),
    /// A vector of the same length in every row of a table. Text formats write a column per element, numbered from 0.
    Float32Vector(fn(&R, usize) -> &[f32]),
    /// A vector whose elements may be absent.
    SparseFloat32Vector(fn(&R, usize) -> &[Option<f32>]),
}

impl<R> Values<R> {
    /// Returns the name of the type for the reference page.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Integer(_) => "integer",
            Self::Float32(_) => "float32",
            Self::Float64(_) => "float64",
            Self::WideFloat(_) => "float32",
            Self::Boolean(_) => "boolean",
            Self::Text(_) => "text",
            Self::IntegerList(_) => "list of integers",
            Self::TextList(_) => "list of texts",
            Self::Float32Vector(_) | Self::SparseFloat32Vector(_) => "float32 vector",
        }
    }

    /// Returns the number of columns in text formats if it depends on the record. Returns `None` for a single column.
    pub fn width(&self, record: &R) -> Option<usize> {
        match self {
            Self::Float32Vector(get) => Some(get(record, 0).len()),
            Self::SparseFloat32Vector(get) => Some(get(record, 0).len()),
            _ => None,
        }
    }
}

impl<R> Column<R> {
    const fn new(name: &'static str, values: Values<R>) -> Self {
        Self {
            name,
            values,
            compared: false,
        }
    }

    pub(super) const fn integer(name: &'static str, get: fn(&R, usize) -> Option<u64>) -> Self {
        Self::new(name, Values::Integer(get))
    }

    pub(super) const fn float32(name: &'static str, get: fn(&R, usize) -> Option<f32>) -> Self {
        Self::new(name, Values::Float32(get))
    }

    pub(super) const fn wide_float(name: &'static str, get: fn(&R, usize) -> f64) -> Self {
        Self::new(name, Values::WideFloat(get))
    }

    pub(super) const fn float64(name: &'static str, get: fn(&R, usize) -> Option<f64>) -> Self {
        Self::new(name, Values::Float64(get))
    }

    pub(super) const fn boolean(name: &'static str, get: fn(&R, usize) -> Option<bool>) -> Self {
        Self::new(name, Values::Boolean(get))
    }

    pub(super) const fn text(name: &'static str, get: fn(&R, usize) -> Option<&str>) -> Self {
        Self::new(name, Values::Text(get))
    }

    pub(super) const fn integers(name: &'static str, get: fn(&R, usize) -> &[u32]) -> Self {
        Self::new(name, Values::IntegerList(get))
    }

    pub(super) const fn texts(name: &'static str, get: fn(&R, usize) -> Vec<&str>) -> Self {
        Self::new(name, Values::TextList(get))
    }

    /// Creates a vector column. Text formats write it as columns called `name` and a number.
    pub(super) const fn vector(name: &'static str, get: fn(&R, usize) -> &[f32]) -> Self {
        Self::new(name, Values::Float32Vector(get))
    }

    pub(super) const fn sparse_vector(
        name: &'static str,
        get: fn(&R, usize) -> &[Option<f32>],
    ) -> Self {
        Self::new(name, Values::SparseFloat32Vector(get))
    }

    /// Restricts the column to tables whose rows are compared with each other.
    pub(super) const fn if_compared(mut self) -> Self {
        self.compared = true;
        self
    }
}
