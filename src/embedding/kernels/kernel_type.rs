//! The element types that the kernels support.

use crate::formats::checkpoint::Dtype;

/// An element type that the kernels read as stored. Rows of other types are converted to float32 first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KernelType {
    F16,
    BF16,
    F32,
}

impl KernelType {
    /// Returns the kernel type for `dtype`, or `None` if no kernel reads it.
    pub fn of(dtype: Dtype) -> Option<Self> {
        match dtype {
            Dtype::F16 => Some(Self::F16),
            Dtype::BF16 => Some(Self::BF16),
            Dtype::F32 => Some(Self::F32),
            _ => None,
        }
    }

    /// Returns the number of bytes per element.
    pub fn size(self) -> usize {
        match self {
            Self::F16 | Self::BF16 => 2,
            Self::F32 => 4,
        }
    }
}
