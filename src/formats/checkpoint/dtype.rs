//! The element types of tensors, and their names in each container.

use std::fmt;

/// The element type of a tensor.
///
/// Includes types that no matrix has, such as the integers of `position_ids`, so that every tensor can be listed. Only
/// types for which [`Dtype::is_readable`] is true can be read as rows of a matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(
    non_camel_case_types,
    reason = "these are the names in safetensors and in ggml"
)]
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
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    IQ4_NL,
    IQ4_XS,
    MXFP4,
}

/// A line of the table of dtypes.
pub struct Line {
    dtype: Dtype,
    /// Elements per block: 1, unless the type is quantized.
    block_length: u64,
    /// Bytes per block.
    size: u64,
    name: &'static str,
    /// The storage class and the dtype of torch. Quantized types have none, nor do they exist in safetensors.
    torch: Option<(&'static str, &'static str)>,
    /// The type number in ggml.
    ggml: Option<u32>,
    is_readable: bool,
}

const fn plain(
    dtype: Dtype,
    size: u64,
    name: &'static str,
    torch: (&'static str, &'static str),
    ggml: Option<u32>,
    is_readable: bool,
) -> Line {
    Line {
        dtype,
        block_length: 1,
        size,
        name,
        torch: Some(torch),
        ggml,
        is_readable,
    }
}

const fn quantized(
    dtype: Dtype,
    name: &'static str,
    ggml: u32,
    block_length: u64,
    size: u64,
) -> Line {
    Line {
        dtype,
        block_length,
        size,
        name,
        torch: None,
        ggml: Some(ggml),
        is_readable: true,
    }
}

/// The only table of dtypes.
#[rustfmt::skip]
pub const DTYPES: &[Line] = &[
    plain(Dtype::Bool, 1, "BOOL", ("BoolStorage", "bool"), None, false),
    plain(Dtype::U8, 1, "U8", ("ByteStorage", "uint8"), None, false),
    plain(Dtype::I8, 1, "I8", ("CharStorage", "int8"), Some(24), false),
    plain(Dtype::U16, 2, "U16", ("UInt16Storage", "uint16"), None, false),
    plain(Dtype::I16, 2, "I16", ("ShortStorage", "int16"), Some(25), false),
    plain(Dtype::U32, 4, "U32", ("UInt32Storage", "uint32"), None, false),
    plain(Dtype::I32, 4, "I32", ("IntStorage", "int32"), Some(26), false),
    plain(Dtype::U64, 8, "U64", ("UInt64Storage", "uint64"), None, false),
    plain(Dtype::I64, 8, "I64", ("LongStorage", "int64"), Some(27), false),
    plain(Dtype::F8_E4M3, 1, "F8_E4M3", ("Float8_e4m3fnStorage", "float8_e4m3fn"), None, false),
    plain(Dtype::F8_E5M2, 1, "F8_E5M2", ("Float8_e5m2Storage", "float8_e5m2"), None, false),
    plain(Dtype::F16, 2, "F16", ("HalfStorage", "float16"), Some(1), true),
    plain(Dtype::BF16, 2, "BF16", ("BFloat16Storage", "bfloat16"), Some(30), true),
    plain(Dtype::F32, 4, "F32", ("FloatStorage", "float32"), Some(0), true),
    plain(Dtype::F64, 8, "F64", ("DoubleStorage", "float64"), Some(28), true),
    plain(Dtype::C64, 8, "C64", ("ComplexFloatStorage", "complex64"), None, false),
    plain(Dtype::C128, 16, "C128", ("ComplexDoubleStorage", "complex128"), None, false),
    quantized(Dtype::Q4_0, "Q4_0", 2, 32, 18),
    quantized(Dtype::Q4_1, "Q4_1", 3, 32, 20),
    quantized(Dtype::Q5_0, "Q5_0", 6, 32, 22),
    quantized(Dtype::Q5_1, "Q5_1", 7, 32, 24),
    quantized(Dtype::Q8_0, "Q8_0", 8, 32, 34),
    quantized(Dtype::Q2_K, "Q2_K", 10, 256, 84),
    quantized(Dtype::Q3_K, "Q3_K", 11, 256, 110),
    quantized(Dtype::Q4_K, "Q4_K", 12, 256, 144),
    quantized(Dtype::Q5_K, "Q5_K", 13, 256, 176),
    quantized(Dtype::Q6_K, "Q6_K", 14, 256, 210),
    quantized(Dtype::IQ4_NL, "IQ4_NL", 20, 32, 18),
    quantized(Dtype::IQ4_XS, "IQ4_XS", 23, 256, 136),
    quantized(Dtype::MXFP4, "MXFP4", 39, 32, 17),
];

impl Dtype {
    #[allow(
        clippy::indexing_slicing,
        reason = "the table has one line per variant, in the same order, as a test checks"
    )]
    fn line(self) -> &'static Line {
        &DTYPES[self as usize]
    }

    /// Returns the number of elements per block, which are stored together: 1, unless the type is quantized.
    pub fn block_length(self) -> u64 {
        self.line().block_length
    }

    /// Returns the number of bytes per block. For all types but the quantized ones, this is the size of an element.
    pub fn size(self) -> u64 {
        self.line().size
    }

    /// Returns true if the elements are stored in blocks, with integers and the scales to multiply them with.
    pub fn is_quantized(self) -> bool {
        self.block_length() > 1
    }

    /// Returns the name in safetensors or, for a quantized type, in ggml. Records use it as well.
    pub fn name(self) -> &'static str {
        self.line().name
    }

    /// Returns the type with this name in safetensors.
    pub fn from_safetensors(name: &str) -> Option<Self> {
        Self::find(|line| line.name == name && line.torch.is_some())
    }

    /// Returns the element type of a storage class of torch, given without its module (`HalfStorage`).
    pub fn from_torch_storage(class: &str) -> Option<Self> {
        Self::find(|line| line.torch.is_some_and(|(storage, _)| storage == class))
    }

    /// Returns the type of a `torch.dtype`, given without its module (`float16`).
    pub fn from_torch_dtype(name: &str) -> Option<Self> {
        Self::find(|line| line.torch.is_some_and(|(_, dtype)| dtype == name))
    }

    /// Returns the type with this number in ggml.
    pub fn from_ggml(number: u32) -> Option<Self> {
        Self::find(|line| line.ggml == Some(number))
    }

    fn find(is_found: impl Fn(&Line) -> bool) -> Option<Self> {
        let line = DTYPES.iter().find(|line| is_found(line));
        line.map(|line| line.dtype)
    }

    /// Returns true if the rows of a matrix can be read in this type.
    pub fn is_readable(self) -> bool {
        self.line().is_readable
    }

    /// Returns the types for which [`Dtype::is_readable`] is true.
    pub fn readable() -> impl Iterator<Item = Self> {
        let lines = DTYPES.iter().filter(|line| line.is_readable);
        lines.map(|line| line.dtype)
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
            let (name, dtype) = (line.name, Some(line.dtype));
            assert_eq!(line.dtype as usize, index, "{name}");
            assert_eq!(line.dtype.is_quantized(), line.torch.is_none(), "{name}");
            if let Some((storage, torch)) = line.torch {
                assert_eq!(Dtype::from_safetensors(name), dtype);
                assert_eq!(Dtype::from_torch_storage(storage), dtype);
                assert_eq!(Dtype::from_torch_dtype(torch), dtype);
            } else {
                assert_eq!(Dtype::from_safetensors(name), None);
            }
            if let Some(number) = line.ggml {
                assert_eq!(Dtype::from_ggml(number), dtype);
            }
        }
        assert_eq!(DTYPES.len(), Dtype::MXFP4 as usize + 1);
    }
}
