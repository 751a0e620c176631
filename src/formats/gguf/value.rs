//! The values of the metadata.

use std::ops::Range;

use super::cursor::Cursor;
use crate::error::Result;

/// The deepest nesting of arrays. The writers of llama.cpp do not nest them at all.
const MAX_DEPTH: usize = 8;
/// The type numbers of texts and arrays. The other types have a fixed size.
pub const TEXT: u32 = 8;
const ARRAY: u32 = 9;

/// A value of the metadata.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    /// The byte range of a text in the file.
    Text(Range<u64>),
    Array(Array),
}

/// The place of an array in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// The type number of the elements.
    pub element: u32,
    /// The number of elements.
    pub length: u64,
    /// The bytes of the elements.
    pub bytes: Range<u64>,
}

impl Value {
    /// Reads a value of the type `kind`. Texts and arrays are checked and skipped.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`](crate::error::Error::Damaged) if the type is unknown, or the value is not within
    /// the file.
    pub fn read(cursor: &mut Cursor, kind: u32) -> Result<Self> {
        Ok(match kind {
            0 => Self::Unsigned(u8::from_le_bytes(cursor.array()?).into()),
            1 => Self::Signed(i8::from_le_bytes(cursor.array()?).into()),
            2 => Self::Unsigned(u16::from_le_bytes(cursor.array()?).into()),
            3 => Self::Signed(i16::from_le_bytes(cursor.array()?).into()),
            4 => Self::Unsigned(cursor.u32()?.into()),
            5 => Self::Signed(i32::from_le_bytes(cursor.array()?).into()),
            6 => Self::Float(f32::from_le_bytes(cursor.array()?).into()),
            7 => Self::Bool(cursor.array::<1>()? != [0]),
            TEXT => Self::Text(skip_text(cursor)?),
            ARRAY => Self::Array(skip_array(cursor, 1)?),
            10 => Self::Unsigned(cursor.u64()?),
            11 => Self::Signed(i64::from_le_bytes(cursor.array()?)),
            12 => Self::Float(f64::from_le_bytes(cursor.array()?)),
            _ => return Err(cursor.damaged(unknown_type(kind))),
        })
    }
}

/// Returns the size in bytes of a value of the type `kind`; `None` if the type has no fixed size.
fn fixed_size(kind: u32) -> Option<u64> {
    match kind {
        0 | 1 | 7 => Some(1),
        2 | 3 => Some(2),
        4..=6 => Some(4),
        10..=12 => Some(8),
        _ => None,
    }
}

fn skip_text(cursor: &mut Cursor) -> Result<Range<u64>> {
    let length = cursor.u64()?;
    let start = cursor.position();
    cursor.skip(length)?;
    Ok(start..cursor.position())
}

fn skip_array(cursor: &mut Cursor, depth: usize) -> Result<Array> {
    let element = cursor.u32()?;
    let length = cursor.u64()?;
    let start = cursor.position();
    match (element, fixed_size(element)) {
        (_, Some(size)) => cursor.skip(length.saturating_mul(size))?,
        // Every element takes bytes, so the file ends this and the loop below if the length lies.
        (TEXT, _) => cursor.skip_text_array(length)?,
        (ARRAY, _) if depth == MAX_DEPTH => {
            return Err(cursor.damaged(format!(
                "its metadata has arrays nested more than {MAX_DEPTH} deep"
            )));
        }
        (ARRAY, _) => {
            for _ in 0..length {
                skip_array(cursor, depth + 1)?;
            }
        }
        _ => return Err(cursor.damaged(unknown_type(element))),
    }
    let bytes = start..cursor.position();
    Ok(Array {
        element,
        length,
        bytes,
    })
}

fn unknown_type(kind: u32) -> String {
    format!("its metadata has a value of the unknown type {kind}")
}
