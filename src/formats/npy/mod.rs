//! NumPy's array files: `.npy` → vectors, and the header of one that is written.
//!
//! A file is `\x93NUMPY`, a version, the length of a header, a header that is a Python dictionary with the keys `descr`,
//! `fortran_order` and `shape`, and the elements. Described in `numpy/lib/format.py`, versions 1.0 to 3.0. The header
//! is parsed, never evaluated, and nothing is allocated that the file does not fill.

#[cfg(test)]
mod tests;

use half::f16;

use crate::error::{Error, Result};
use crate::formats::checkpoint::Dtype;
use crate::formats::quote::quote;

/// What an array file begins with.
pub const MAGIC: &[u8] = b"\x93NUMPY";
/// Bytes of a header. That of an array of numbers has 118; NumPy itself trusts no header above 10,000.
const MAX_HEADER: usize = 10_000;
/// The array's elements begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// The vectors of an array file: a matrix of floating-point numbers, or a single vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors<'b> {
    dtype: Dtype,
    big_endian: bool,
    /// Columns, rather than rows, lie together.
    fortran_order: bool,
    rows: usize,
    columns: usize,
    elements: &'b [u8],
}

impl<'b> Vectors<'b> {
    /// Reads an array file; `name` is what error messages call it.
    ///
    /// # Errors
    /// [`Error::BadArray`] for what is no array file, or not one of one or two dimensions of float16, float32 or float64.
    pub fn parse(name: &str, bytes: &'b [u8]) -> Result<Self> {
        parse(bytes).map_err(|problem| Error::BadArray {
            input: name.to_owned(),
            problem,
        })
    }

    /// How many there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Values of each.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// A vector as float32; float64 is rounded to the nearest. None beyond the last.
    pub fn row(&self, row: usize) -> Option<Vec<f32>> {
        if row >= self.rows {
            return None;
        }
        let value = |column| {
            let element = if self.fortran_order {
                column * self.rows + row
            } else {
                row * self.columns + column
            };
            self.value(element)
        };
        (0..self.columns).map(value).collect()
    }

    fn value(&self, element: usize) -> Option<f32> {
        let size = self.dtype.size() as usize;
        let bytes = self.elements.get(element * size..(element + 1) * size)?;
        fn read<const N: usize>(bytes: &[u8], big_endian: bool) -> Option<[u8; N]> {
            let mut bytes: [u8; N] = bytes.try_into().ok()?;
            if big_endian {
                bytes.reverse();
            }
            Some(bytes)
        }
        let big = self.big_endian;
        match self.dtype {
            Dtype::F16 => read(bytes, big).map(|bytes| f16::from_le_bytes(bytes).to_f32()),
            Dtype::F32 => read(bytes, big).map(f32::from_le_bytes),
            _ => read(bytes, big).map(|bytes| f64::from_le_bytes(bytes) as f32),
        }
    }
}

/// The bytes of an array file before its elements: `shape` numbers of `dtype` in C order, little-endian.
///
/// None for a type that NumPy does not have, bfloat16 above all.
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

fn parse(bytes: &[u8]) -> Result<Vectors<'_>, String> {
    let rest = bytes
        .strip_prefix(MAGIC)
        .ok_or("it does not begin as an .npy file does")?;
    let ends = || "it ends within its header".to_owned();
    let (version, rest) = rest.split_first_chunk::<2>().ok_or_else(ends)?;
    let (length, rest) = match version {
        [1, 0] => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(ends)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        [2 | 3, 0] => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(ends)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        [major, minor] => return Err(format!("its version is {major}.{minor}, not 1.0 to 3.0")),
    };
    if length > MAX_HEADER {
        return Err(format!(
            "its header claims {length} bytes, and at most {MAX_HEADER} are allowed"
        ));
    }
    let (header, elements) = rest.split_at_checked(length).ok_or_else(ends)?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not UTF-8")?;
    let header = Header::parse(header)?;
    let (dtype, big_endian) = element_type(&header.descr)?;
    let (rows, columns) = match header.shape[..] {
        [columns] => (1, columns),
        [rows, columns] => (rows, columns),
        _ => {
            return Err(format!(
                "it has {} dimensions, and one or two are wanted",
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
    if expected != Some(elements.len()) {
        return Err(format!(
            "its shape {:?} does not go with its {} bytes of elements",
            header.shape,
            elements.len()
        ));
    }
    Ok(Vectors {
        dtype,
        big_endian,
        fortran_order: header.fortran_order,
        rows,
        columns,
        elements,
    })
}

/// `<f4` and its kin.
fn element_type(descr: &str) -> Result<(Dtype, bool), String> {
    let of_another = || {
        format!(
            "its elements are {}, and f2, f4 or f8 are wanted",
            quote(descr)
        )
    };
    let (order, kind) = descr.split_at_checked(1).ok_or_else(of_another)?;
    let dtype = match kind {
        "f2" => Dtype::F16,
        "f4" => Dtype::F32,
        "f8" => Dtype::F64,
        _ => return Err(of_another()),
    };
    match order {
        "<" => Ok((dtype, false)),
        ">" => Ok((dtype, true)),
        "=" => Ok((dtype, cfg!(target_endian = "big"))),
        _ => Err(of_another()),
    }
}

/// The dictionary of a header.
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
        while !literal.take('}') {
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
            if !literal.take(',') {
                literal.expect('}')?;
                break;
            }
        }
        if !literal.0.is_empty() {
            return Err(literal.unexpected("nothing"));
        }
        let lacks = |key: &str| format!("its header lacks the key `{key}`");
        Ok(Self {
            descr: descr.ok_or_else(|| lacks("descr"))?,
            fortran_order: fortran_order.ok_or_else(|| lacks("fortran_order"))?,
            shape: shape.ok_or_else(|| lacks("shape"))?,
        })
    }
}

/// What is left of a Python literal.
struct Literal<'t>(&'t str);

impl<'t> Literal<'t> {
    fn take(&mut self, sign: char) -> bool {
        self.0 = self.0.trim_start();
        let rest = self.0.strip_prefix(sign);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.take(sign) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{sign}`")))
    }

    fn unexpected(&self, wanted: &str) -> String {
        let found: String = self.0.chars().take(20).collect();
        format!("its header has {} where {wanted} is wanted", quote(&found))
    }

    fn string(&mut self) -> Result<&'t str, String> {
        for sign in ['\'', '"'] {
            if self.take(sign)
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
        while !self.take(')') {
            self.0 = self.0.trim_start();
            let end = self.0.find(|c: char| !c.is_ascii_digit());
            let (digits, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
            let size = digits.parse();
            sizes.push(size.map_err(|_| self.unexpected("a size"))?);
            // Python 2 wrote long integers so.
            self.0 = rest.strip_prefix('L').unwrap_or(rest);
            if !self.take(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(sizes)
    }
}
