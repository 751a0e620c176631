//! The element types of tensors, and their names in each container.

use std::fmt;

/// The element type of a tensor.
///
/// Includes types that no matrix has, such as the integers of `position_ids`, so that every tensor can be listed. Only
/// types for which [`Dtype::is_readable`] is true can be read as rows of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(non_camel_case_types, reason = "these are the names in safetensors")]
pub enum Dtype {
    Bool,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    F8_E4M3,
    F8_E5M2,
    F16,
    BF16,
    F32,
    F64,
    C64,
    C128,
}

/// A line of the table of dtypes: type, bytes per element, name in safetensors, storage class of torch, dtype of torch,
/// and whether the rows of a matrix can have it.
type Line = (Dtype, u64, &'static str, &'static str, &'static str, bool);

/// The only table of dtypes.
#[rustfmt::skip]
pub const DTYPES: &[Line] = &[
    (Dtype::Bool, 1, "BOOL", "BoolStorage", "bool", false),
    (Dtype::U8, 1, "U8", "ByteStorage", "uint8", false),
    (Dtype::I8, 1, "I8", "CharStorage", "int8", false),
    (Dtype::U16, 2, "U16", "UInt16Storage", "uint16", false),
    (Dtype::I16, 2, "I16", "ShortStorage", "int16", false),
    (Dtype::U32, 4, "U32", "UInt32Storage", "uint32", false),
    (Dtype::I32, 4, "I32", "IntStorage", "int32", false),
    (Dtype::U64, 8, "U64", "UInt64Storage", "uint64", false),
    (Dtype::I64, 8, "I64", "LongStorage", "int64", false),
    (Dtype::F8_E4M3, 1, "F8_E4M3", "Float8_e4m3fnStorage", "float8_e4m3fn", false),
    (Dtype::F8_E5M2, 1, "F8_E5M2", "Float8_e5m2Storage", "float8_e5m2", false),
    (Dtype::F16, 2, "F16", "HalfStorage", "float16", true),
    (Dtype::BF16, 2, "BF16", "BFloat16Storage", "bfloat16", true),
    (Dtype::F32, 4, "F32", "FloatStorage", "float32", true),
    (Dtype::F64, 8, "F64", "DoubleStorage", "float64", true),
    (Dtype::C64, 8, "C64", "ComplexFloatStorage", "complex64", false),
    (Dtype::C128, 16, "C128", "ComplexDoubleStorage", "complex128", false),
];

impl Dtype {
    #[allow(
        clippy::indexing_slicing,
        reason = "the table has one line per variant, in the same order, as a test checks"
    )]
    fn line(self) -> &'static Line {
        &DTYPES[self as usize]
    }

    /// Returns the number of bytes per element.
    pub fn size(self) -> u64 {
        self.line().1
    }

    /// Returns the name in safetensors, which records use as well.
    pub fn name(self) -> &'static str {
        self.line().2
    }

    /// Returns the type with this name in safetensors.
    pub fn from_safetensors(name: &str) -> Option<Self> {
        DTYPES.iter().find(|line| line.2 == name).map(|line| line.0)
    }

    /// Returns the element type of a storage class of torch, given without its module (`HalfStorage`).
    pub fn from_torch_storage(class: &str) -> Option<Self> {
        DTYPES
            .iter()
            .find(|line| line.3 == class)
            .map(|line| line.0)
    }

    /// Returns the type of a `torch.dtype`, given without its module (`float16`).
    pub fn from_torch_dtype(name: &str) -> Option<Self> {
        DTYPES.iter().find(|line| line.4 == name).map(|line| line.0)
    }

    /// Returns true if the rows of a matrix can be read in this type.
    pub fn is_readable(self) -> bool {
        self.line().5
    }

    /// Returns the types for which [`Dtype::is_readable`] is true.
    pub fn readable() -> impl Iterator<Item = Self> {
        DTYPES.iter().filter(|line| line.5).map(|line| line.0)
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, line) in DTYPES.iter().enumerate() {
            assert_eq!(line.0 as usize, index, "{}", line.2);
            assert_eq!(Dtype::from_safetensors(line.2), Some(line.0));
            assert_eq!(Dtype::from_torch_storage(line.3), Some(line.0));
            assert_eq!(Dtype::from_torch_dtype(line.4), Some(line.0));
        }
        assert_eq!(DTYPES.len(), Dtype::C128 as usize + 1);
    }
}
