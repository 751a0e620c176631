//! Rows that are computed from the bytes of a file, as a byte source of little-endian float32 values.

use std::borrow::Cow;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::formats::checkpoint::{Dtype, TensorInfo};
use crate::source::{ByteSource, outside};

/// A rule that computes rows from the bytes of a file.
pub trait ComputeRows: Debug + Send + Sync {
    /// Returns the file with the bytes.
    fn file(&self) -> &Arc<dyn ByteSource>;

    /// Appends the values of consecutive rows. All of them exist.
    ///
    /// # Errors
    /// Fails if the bytes are damaged or cannot be read.
    fn append(&self, rows: Range<u64>, values: &mut Vec<f32>) -> Result<()>;

    /// Returns the bytes of the file that a row is computed from. The row exists.
    fn bytes_of(&self, row: u64) -> Range<u64>;

    /// Returns the bytes of the file that all rows are computed from.
    fn bytes(&self) -> Range<u64>;
}

/// A matrix of float32 values that a rule computes, in row-major order.
#[derive(Debug)]
pub struct ComputedRows {
    rule: Box<dyn ComputeRows>,
    rows: u64,
    /// Bytes of a row as float32.
    width: u64,
}

impl ComputedRows {
    /// Returns the matrix, and its description as a tensor. Returns `None` if its size overflows.
    pub fn new(
        rule: Box<dyn ComputeRows>,
        tensor: &str,
        rows: u64,
        columns: u64,
    ) -> Option<(Self, TensorInfo)> {
        let width = columns.checked_mul(Dtype::F32.size())?;
        let info = TensorInfo {
            name: tensor.to_owned(),
            dtype: Dtype::F32,
            shape: vec![rows, columns],
            strides: vec![columns, 1],
            byte_range: 0..rows.checked_mul(width)?,
        };
        Some((Self { rule, rows, width }, info))
    }

    /// Returns the rows that a range of bytes touches.
    fn rows(&self, range: &Range<u64>) -> Range<u64> {
        let width = self.width.max(1);
        range.start / width..range.end.div_ceil(width).min(self.rows)
    }

    fn compute(&self, range: &Range<u64>, bytes: &mut Vec<u8>) -> Result<()> {
        let rows = self.rows(range);
        let first = rows.start * self.width;
        let count = (rows.end - rows.start) * self.width / Dtype::F32.size();
        let mut values = Vec::new();
        self.rule.append(rows, &mut values)?;
        if values.len() as u64 != count {
            let problem = format!("{} values were read from it, not {count}", values.len());
            return Err(Error::damaged(self.name(), problem));
        }
        bytes.clear();
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        // Ranges nearly always are whole rows.
        bytes.truncate((range.end - first) as usize);
        bytes.drain(..(range.start - first) as usize);
        Ok(())
    }
}

impl ByteSource for ComputedRows {
    fn name(&self) -> &str {
        self.rule.file().name()
    }

    fn len(&self) -> u64 {
        self.rows * self.width
    }

    fn read(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>> {
        let mut bytes = Vec::new();
        self.read_once(range, &mut bytes)?;
        Ok(Cow::Owned(bytes))
    }

    fn read_once<'b>(&'b self, range: Range<u64>, buffer: &'b mut Vec<u8>) -> Result<&'b [u8]> {
        if range.start > range.end || range.end > self.len() {
            return Err(outside(self.name(), &range, self.len()));
        }
        self.compute(&range, buffer)?;
        Ok(buffer)
    }

    fn prefetch(&self, ranges: &[Range<u64>]) -> Result<()> {
        let rows = ranges.iter().flat_map(|range| self.rows(range));
        let ranges: Vec<Range<u64>> = rows.map(|row| self.rule.bytes_of(row)).collect();
        self.rule.file().prefetch(&ranges)
    }

    fn make_local(&self, _range: Range<u64>) -> Result<()> {
        self.rule.file().make_local(self.rule.bytes())
    }

    fn approve(&self) {
        self.rule.file().approve();
    }
}
