//! The binary files of word2vec: a line of two counts, and for each word its bytes, a space, and float32 values.

use memchr::memchr;

use super::index::Builder;
use super::limits::{MAX_WORD, Place, check_rows, counted, with_wrong_counts};
use super::text::counts;
use super::window::Window;
use crate::error::{Error, Result};
use crate::source::ByteSource;

/// Bytes of the first line: two numbers of 20 digits.
const MAX_HEADER: usize = 48;

/// Recognizes the format from the first bytes of a file. Returns the number of columns, and the place of the first vector.
pub fn recognize(head: &[u8]) -> Option<(u64, Place)> {
    let end = memchr(b'\n', head.get(..head.len().min(MAX_HEADER))?)?;
    let (rows, columns) = counts(head.get(..end)?)?;
    let start = (end + 1) as u64;
    Some((
        columns,
        Place {
            start,
            rows: Some(rows),
            line: 0,
        },
    ))
}

/// Finds the words.
pub fn scan(
    file: &dyn ByteSource,
    columns: u64,
    place: &Place,
    builder: &mut Builder,
) -> Result<()> {
    let width = columns * 4;
    let mut window = Window::new(file);
    let mut start = place.start;
    let claimed = place.rows.unwrap_or_default();
    let wrong = |problem: String| {
        let (rows, values) = (counted(claimed, "vector"), counted(columns, "value"));
        let problem = format!("line 1 claims {rows} of {values}, but {problem}");
        with_wrong_counts(Error::damaged(file.name(), problem))
    };
    while builder.rows() < claimed {
        let bytes = window.from(start, MAX_WORD as u64 + 2)?;
        // The C program writes the end of a line after each vector.
        let skipped = bytes.iter().take_while(|byte| **byte == b'\n').count();
        let bytes = bytes.get(skipped..).unwrap_or_default();
        let end = memchr(
            b' ',
            bytes.get(..bytes.len().min(MAX_WORD + 1)).unwrap_or(bytes),
        );
        start += skipped as u64;
        let last = end.and_then(|end| (start + end as u64 + 1).checked_add(width));
        let Some((end, last)) = end.zip(last.filter(|last| *last <= file.len())) else {
            let row = builder.rows();
            return Err(wrong(format!("vector {row} is cut off or has no word")));
        };
        builder.add(bytes.get(..end).unwrap_or_default(), start..last);
        start = last;
    }
    let rest = window.from(start, 2)?;
    if !rest.iter().all(|byte| *byte == b'\n') {
        let length = file.len();
        return Err(wrong(format!("they end at byte {start} of {length}")));
    }
    check_rows(file, builder.rows(), place.rows)
}

/// Splits an entry into its word and the bytes of its vector.
pub fn split(entry: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr(b' ', entry)?;
    Some((entry.get(..end)?, entry.get(end + 1..)?))
}
