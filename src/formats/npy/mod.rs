//! Reads the array files of NumPy (`.npy`), and writes their header.
//!
//! A file consists of `\x93NUMPY`, a version, the length of the header, the header (a Python dictionary with the keys
//! `descr`, `fortran_order`, and `shape`), and the elements. The format is described in `numpy/lib/format.py`, versions
//! 1.0 to 3.0. The header is parsed, never evaluated, and memory is allocated only for bytes that the file has.

#[cfg(test)]
mod tests;

use half::f16;

use crate::error::{Error, Result};
use crate::formats::checkpoint::Dtype;
use crate::formats::quote::quote;

/// The first bytes of an array file.
pub const MAGIC: &[u8] = b"\x93NUMPY";
/// Bytes of a header, as in NumPy. The header of an array of numbers has 118.
const MAX_HEADER: usize = 10_000;
/// The elements start at a multiple of this many bytes.
const ALIGNMENT: usize = 64;

/// The vectors in an array file, which holds a matrix of floating-point numbers or a single vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors<'b> {
    layout: Layout,
    elements: &'b [u8],
}

impl<'b> Vectors<'b> {
    /// Reads the array file called `name`.
    ///
    /// # Errors
    /// Fails with [`Error::BadArray`] if it is not an array file, or its array does not have one or two dimensions and
    /// elements of type float16, float32, or float64.
    pub fn parse(name: &str, bytes: &'b [u8]) -> Result<Self> {
        let layout = Layout::parse(bytes, bytes.len() as u64);
        let layout = layout.map_err(|problem| Error::BadArray {
            input: name.to_owned(),
            problem,
        })?;
        let elements = bytes.get(layout.start as usize..).unwrap_or_default();
        Ok(Self { layout, elements })
    }

    /// Returns the number of vectors.
    pub fn rows(&self) -> usize {
        self.layout.rows
    }

    /// Returns the number of values in each vector.
    pub fn columns(&self) -> usize {
        self.layout.columns
    }

    /// Returns a vector as float32, or `None` if there is no such vector. float64 values are rounded to the nearest
    /// float32.
    pub fn row(&self, row: usize) -> Option<Vec<f32>> {
        if row >= self.layout.rows {
            return None;
        }
        let value = |column| {
            let element = if self.layout.fortran_order {
                column * self.layout.rows + row
            } else {
                row * self.layout.columns + column
            };
            self.value(element)
        };
        (0..self.layout.columns).map(value).collect()
    }

    fn value(&self, element: usize) -> Option<f32> {
        let size = self.layout.dtype.size() as usize;
        let bytes = self.elements.get(element * size..(element + 1) * size)?;
        fn read<const N: usize>(bytes: &[u8], big_endian: bool) -> Option<[u8; N]> {
            let mut bytes: [u8; N] = bytes.try_into().ok()?;
            if big_endian {
                bytes.reverse();
            }
            Some(bytes)
        }
        let big = self.layout.big_endian;
        match self.layout.dtype {
            Dtype::F16 => read(bytes, big).map(|bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::F32 => read(bytes, big).map(f32::from_le_bytes),
            _ => read(bytes, big).map(|bytes| f64::from_le_bytes(bytes) as f32),
        }
    }
}

/// Returns the bytes before the elements of an array file with elements of type `dtype`, in row-major order and
/// little-endian.
///
/// Returns `None` for a type that NumPy does not have, such as bfloat16.
pub fn header(dtype: Dtype, shape: &[u64]) -> Option<Vec<u8>> {
    let descr = match dtype {
        Dtype::F16 => "<f2",
        Dtype::F32 => "<f4",
        Dtype::F64 => "<f8",
        _ => return None,
    };
    let sizes: Vec<String> = shape.iter().map(u64::to_string).collect();
    let comma = if shape.len() == 1 { "," } else { "" };
    let shape = format!("({}{comma})", sizes.join(", "));
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let mut bytes = [MAGIC, &[1, 0]].concat();
    let unpadded = bytes.len() + 2 + text.len() + 1;
    let length = text.len() + 1 + (unpadded.next_multiple_of(ALIGNMENT) - unpadded);
    bytes.extend(u16::try_from(length).ok()?.to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(bytes.len() + length - text.len() - 1, b' ');
    bytes.push(b'\n');
    Some(bytes)
}

/// The elements of an array file and their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub dtype: Dtype,
    pub big_endian: bool,
    /// The elements are stored column by column rather than row by row.
    pub fortran_order: bool,
    pub rows: usize,
    pub columns: usize,
    /// The offset of the first element.
    pub start: u64,
}

/// The most bytes before the elements.
pub const MAX_HEAD: u64 = MAX_HEADER as u64 + 12;

impl Layout {
    /// Reads the header of an array file of `file_length` bytes. `bytes` are its first ones, at most [`MAX_HEAD`] of which are
    /// looked at.
    ///
    /// # Errors
    /// Fails with the end of a sentence if the header is malformed, or does not match the length.
    pub fn parse(bytes: &[u8], file_length: u64) -> Result<Self, String> {
        let rest = bytes
            .strip_prefix(MAGIC)
            .ok_or("it does not begin like an .npy file")?;
        let truncated = || "it ends within its header".to_owned();
        let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(truncated)?;
        let (length, rest) = match version {
            [1, 0] => {
                let (length, rest) = rest.split_first_chunk().ok_or_else(truncated)?;
                (usize::from(u16::from_le_bytes(*length)), rest)
            }
            [2 | 3, 0] => {
                let (length, rest) = rest.split_first_chunk().ok_or_else(truncated)?;
                (u32::from_le_bytes(*length) as usize, rest)
            }
            [major, minor] => {
                return Err(format!(
                    "its version must be 1.0 to 3.0, not {major}.{minor}"
                ));
            }
        };
        if length > MAX_HEADER {
            return Err(format!(
                "its header claims {length} bytes, but at most {MAX_HEADER} are allowed"
            ));
        }
        let (header, _) = rest.split_at_checked(length).ok_or_else(truncated)?;
        let start = (bytes.len() - rest.len() + length) as u64;
        let elements = file_length.saturating_sub(start);
        let header = std::str::from_utf8(header).map_err(|_| "its header is not UTF-8")?;
        let header = Header::parse(header)?;
        let (dtype, big_endian) = element_type(&header.descr)?;
        let (rows, columns) = match header.shape[..] {
            [columns] => (1, columns),
            [rows, columns] => (rows, columns),
            _ => {
                return Err(format!(
                    "it must have one or two dimensions, not {}",
                    header.shape.len()
                ));
            }
        };
        if rows == 0 || columns == 0 {
            return Err(format!("it is empty: its shape is {:?}", header.shape));
        }
        let expected = rows
            .checked_mul(columns)
            .and_then(|count| count.checked_mul(dtype.size() as usize));
        if expected.map(|size| size as u64) != Some(elements) {
            return Err(format!(
                "its shape {:?} does not match its {elements} bytes of elements",
                header.shape
            ));
        }
        Ok(Self {
            dtype,
            big_endian,
            fortran_order: header.fortran_order,
            rows,
            columns,
            start,
        })
    }
}

/// Parses an element type such as `<f4`. The flag returned with it is true if elements are big-endian.
fn element_type(descr: &str) -> Result<(Dtype, bool), String> {
    let unsupported = || format!("its elements must be f2, f4 or f8, not {}", quote(descr));
    let (order, kind) = descr.split_at_checked(1).ok_or_else(unsupported)?;
    let dtype = match kind {
        "f2" => Dtype::F16,
        "f4" => Dtype::F32,
        "f8" => Dtype::F64,
        _ => return Err(unsupported()),
    };
    match order {
        "<" => Ok((dtype, false)),
        ">" => Ok((dtype, true)),
        "=" => Ok((dtype, cfg!(target_endian = "big"))),
        _ => Err(unsupported()),
    }
}

/// The dictionary in a header.
struct Header {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Header {
    fn parse(text: &str) -> Result<Self, String> {
        let mut literal = Literal(text.trim());
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        literal.expect('{')?;
        while !literal.skip('}') {
            let key = literal.string()?;
            literal.expect(':')?;
            let twice = match key {
                "descr" => descr.replace(literal.string()?.to_owned()).is_some(),
                "fortran_order" => fortran_order.replace(literal.boolean()?).is_some(),
                "shape" => shape.replace(literal.sizes()?).is_some(),
                _ => return Err(format!("its header has the key {}", quote(key))),
            };
            if twice {
                return Err(format!("its header has the key {} twice", quote(key)));
            }
            if !literal.skip(',') {
                literal.expect('}')?;
                break;
            }
        }
        if !literal.0.is_empty() {
            return Err(literal.unexpected("the end"));
        }
        let lacks = |key: &str| format!("its header lacks the key `{key}`");
        Ok(Self {
            descr: descr.ok_or_else(|| lacks("descr"))?,
            fortran_order: fortran_order.ok_or_else(|| lacks("fortran_order"))?,
            shape: shape.ok_or_else(|| lacks("shape"))?,
        })
    }
}

/// The rest of a Python literal that is being parsed.
struct Literal<'t>(&'t str);

impl<'t> Literal<'t> {
    /// Skips white space, and then `sign` if it comes next. Returns true if `sign` was skipped.
    fn skip(&mut self, sign: char) -> bool {
        self.0 = self.0.trim_start();
        let rest = self.0.strip_prefix(sign);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.skip(sign) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{sign}`")))
    }

    fn unexpected(&self, expected: &str) -> String {
        let found: String = self.0.chars().take(20).collect();
        format!("its header has {}, expected {expected}", quote(&found))
    }

    fn string(&mut self) -> Result<&'t str, String> {
        for sign in ['\'', '"'] {
            if self.skip(sign)
                && let Some((text, rest)) = self.0.split_once(sign)
            {
                self.0 = rest;
                return Ok(text);
            }
        }
        Err(self.unexpected("a string"))
    }

    fn boolean(&mut self) -> Result<bool, String> {
        self.0 = self.0.trim_start();
        for (word, value) in [("False", false), ("True", true)] {
            if let Some(rest) = self.0.strip_prefix(word) {
                self.0 = rest;
                return Ok(value);
            }
        }
        Err(self.unexpected("True or False"))
    }

    fn sizes(&mut self) -> Result<Vec<usize>, String> {
        self.expect('(')?;
        let mut sizes = Vec::new();
        while !self.skip(')') {
            self.0 = self.0.trim_start();
            let end = self.0.find(|c: char| !c.is_ascii_digit());
            let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
            let size = digits.parse();
            sizes.push(size.map_err(|_| self.unexpected("a size"))?);
            // The suffix of long integers in Python 2.
            self.0 = rest.strip_prefix('L').unwrap_or(rest);
            if !self.skip(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(sizes)
    }
}
