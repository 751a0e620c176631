//! The tensors of a GGUF file.

#[cfg(test)]
mod tests;

use std::ops::Range;

use super::container::Container;
use super::dtype::Dtype;
use super::tensor::{SkippedTensor, TensorHeader, TensorListing, contiguous_strides};
use crate::error::{Error, Result};
use crate::formats::gguf::{Gguf, MAGIC, TensorEntry};
use crate::formats::quote::quote;
use crate::source::ByteSource;

pub const CONTAINER: Container = Container {
    name: "gguf",
    recognizes: |head| head.starts_with(MAGIC),
    list,
};

/// Types of ggml that cannot be read, by number.
const OTHER_TYPES: &[(u32, &str)] = &[
    (9, "Q8_1"),
    (15, "Q8_K"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (40, "NVFP4"),
    (41, "Q1_0"),
];

/// Lists the tensors of a GGUF file.
///
/// # Errors
/// Fails with [`Error::Damaged`] if the header is malformed, a tensor is not within the file or not aligned, or two
/// tensors overlap.
fn list(file: &dyn ByteSource) -> Result<TensorListing> {
    listing(file, &Gguf::read(file)?)
}

/// Lists the tensors of a GGUF file with this header.
///
/// # Errors
/// Fails like [`list`].
pub fn listing(file: &dyn ByteSource, gguf: &Gguf) -> Result<TensorListing> {
    let mut listing = TensorListing::default();
    let mut ranges = Vec::new();
    for (index, entry) in gguf.tensors.iter().enumerate() {
        let Some(dtype) = Dtype::from_ggml(entry.kind) else {
            listing.skipped.push(SkippedTensor {
                name: entry.name.clone(),
                reason: format!("is of the type {}", type_name(entry.kind)),
            });
            continue;
        };
        let tensor = tensor(file.len(), gguf, entry, dtype);
        let (tensor, range) = tensor.map_err(|problem| {
            let name = quote(&entry.name);
            Error::damaged(file.name(), format!("tensor {name} {problem}"))
        })?;
        listing.tensors.push(tensor);
        ranges.push((range, index));
    }
    check_overlaps(gguf, ranges).map_err(|problem| Error::damaged(file.name(), problem))?;
    Ok(listing)
}

/// Returns a tensor and its byte range in a file of `length` bytes.
///
/// # Errors
/// Fails with the end of the sentence "tensor NAME …".
fn tensor(
    length: u64,
    gguf: &Gguf,
    entry: &TensorEntry,
    dtype: Dtype,
) -> Result<(TensorHeader, Range<u64>), String> {
    let mut shape = entry.dimensions.clone();
    shape.reverse();
    let block = dtype.block_length();
    let columns = shape.last().copied().unwrap_or(1);
    if !columns.is_multiple_of(block) {
        return Err(format!(
            "has rows of {columns} elements, which is not a multiple of the {block} elements in a block of {dtype}"
        ));
    }
    let too_large = || format!("of shape {shape:?} is too large for 64-bit sizes");
    let elements = shape
        .iter()
        .try_fold(1, |elements: u64, size| elements.checked_mul(*size));
    let size = elements.and_then(|elements| (elements / block).checked_mul(dtype.size()));
    let (size, strides) = size.zip(contiguous_strides(&shape)).ok_or_else(too_large)?;
    if !entry.offset.is_multiple_of(gguf.alignment) {
        return Err(format!(
            "is at offset {}, which is not a multiple of the alignment {}",
            entry.offset, gguf.alignment
        ));
    }
    let start = gguf.data_start.checked_add(entry.offset);
    let end = start.and_then(|start| start.checked_add(size));
    let (start, end) = start.zip(end).ok_or_else(too_large)?;
    if end > length {
        return Err(format!(
            "is at bytes {start} to {end} of a file of {length}"
        ));
    }
    let header = TensorHeader {
        name: entry.name.clone(),
        dtype,
        shape,
        strides,
        location: Box::new(start..end),
    };
    Ok((header, start..end))
}

/// Checks that no two tensors have a byte in common. Each range comes with the index of its tensor.
fn check_overlaps(gguf: &Gguf, mut ranges: Vec<(Range<u64>, usize)>) -> Result<(), String> {
    ranges.retain(|(range, _)| !range.is_empty());
    ranges.sort_by_key(|(range, _)| range.start);
    let pairs = ranges.iter().zip(ranges.iter().skip(1));
    let overlap = pairs.into_iter().find(|((a, _), (b, _))| b.start < a.end);
    let Some(((_, first), (_, second))) = overlap else {
        return Ok(());
    };
    let name = |index: &usize| gguf.tensors.get(*index).map_or("", |entry| &entry.name);
    Err(format!(
        "tensors {} and {} overlap",
        quote(name(first)),
        quote(name(second))
    ))
}

fn type_name(kind: u32) -> String {
    match OTHER_TYPES.iter().find(|(number, _)| *number == kind) {
        Some((_, name)) => quote(name),
        None => format!("number {kind} of ggml, which is unknown"),
    }
}
