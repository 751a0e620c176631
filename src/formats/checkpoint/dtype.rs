//! The element types of tensors, and their names in each container.

use std::fmt;

/// The element type of a tensor.
///
/// Includes the types that only other tensors of a checkpoint have, such as an integer `position_ids`, so that every
/// tensor can be listed. Only those for which [`Dtype::is_readable`] is true can be read as rows of a matrix.
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

/// The only table of dtypes. Columns: type, bytes per element, name in safetensors, storage class of torch, dtype of
/// torch.
#[rustfmt::skip]
pub const DTYPES: &[(Dtype, u64, &str, &str, &str)] = &[
    (Dtype::Bool, 1, "BOOL", "BoolStorage", "bool"),
    (Dtype::U8, 1, "U8", "ByteStorage", "uint8"),
    (Dtype::I8, 1, "I8", "CharStorage", "int8"),
    (Dtype::U16, 2, "U16", "UInt16Storage", "uint16"),
    (Dtype::I16, 2, "I16", "ShortStorage", "int16"),
    (Dtype::U32, 4, "U32", "UInt32Storage", "uint32"),
    (Dtype::I32, 4, "I32", "IntStorage", "int32"),
    (Dtype::U64, 8, "U64", "UInt64Storage", "uint64"),
    (Dtype::I64, 8, "I64", "LongStorage", "int64"),
    (Dtype::F8_E4M3, 1, "F8_E4M3", "Float8_e4m3fnStorage", "float8_e4m3fn"),
    (Dtype::F8_E5M2, 1, "F8_E5M2", "Float8_e5m2Storage", "float8_e5m2"),
    (Dtype::F16, 2, "F16", "HalfStorage", "float16"),
    (Dtype::BF16, 2, "BF16", "BFloat16Storage", "bfloat16"),
    (Dtype::F32, 4, "F32", "FloatStorage", "float32"),
    (Dtype::F64, 8, "F64", "DoubleStorage", "float64"),
    (Dtype::C64, 8, "C64", "ComplexFloatStorage", "complex64"),
    (Dtype::C128, 16, "C128", "ComplexDoubleStorage", "complex128"),
];

impl Dtype {
    #[allow(
        clippy::indexing_slicing,
        reason = "the table has a line for every variant, in their order, as a test checks"
    )]
    fn line(self) -> &'static (Self, u64, &'static str, &'static str, &'static str) {
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

    /// Returns true if elements of this type can be read as numbers.
    pub fn is_readable(self) -> bool {
        matches!(self, Self::F16 | Self::BF16 | Self::F32 | Self::F64)
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
