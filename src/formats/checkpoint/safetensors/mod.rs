//! A safetensors header → the tensors it lists.
//!
//! A file is `u64` header length (little-endian), a JSON object of that many bytes, and the tensors' bytes;
//! `data_offsets` count from the end of the header. The format is described in the README of
//! <https://github.com/huggingface/safetensors>.
//!
//! The header is read with structures of this module: the `safetensors` crate refuses a whole file for one tensor of a
//! type it does not know, and takes the last of two tensors of one name.

#[cfg(test)]
mod tests;

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, SeqAccess, Visitor};

use crate::error::{Error, Result};
use crate::formats::checkpoint::dtype::Dtype;
use crate::formats::checkpoint::{
    Listing, MAX_DIMENSIONS, Place, SkippedTensor, TensorHeader, contiguous_strides, element_span,
};
use crate::formats::json::{UniqueMap, UniqueMapExcept};
use crate::formats::quote::quote;
use crate::source::bytes::ByteSource;

/// Bytes of a header; the limit of the format's own library.
const MAX_HEADER: u64 = 100_000_000;
/// Bytes of the header's length.
const LENGTH_BYTES: u64 = 8;

/// One tensor of the JSON header.
#[derive(Debug, Deserialize)]
struct Entry {
    dtype: String,
    shape: Shape,
    data_offsets: (u64, u64),
}

/// Reads the header of a safetensors file.
///
/// # Errors
/// [`Error::Damaged`], naming the file: a header that is not one, two tensors of one name, a tensor whose bytes are
/// outside the file, overlap those of another or are not as many as its shape needs. Bytes that belong to no tensor
/// are let be: no tensor is read wrong for them.
pub fn tensors(file: &dyn ByteSource) -> Result<Listing> {
    let damaged = |problem: String| Error::damaged(file.name(), problem);

    let length = file.read(0..LENGTH_BYTES)?;
    let length = length
        .as_ref()
        .try_into()
        .map(u64::from_le_bytes)
        .map_err(|_| damaged("its header has no length".to_owned()))?;
    if length > MAX_HEADER {
        return Err(damaged(format!(
            "its header claims {length} bytes, and at most {MAX_HEADER} are allowed"
        )));
    }
    // Below the limit, so that the sum does not overflow.
    let data_start = LENGTH_BYTES + length;
    let Some(data_length) = file.len().checked_sub(data_start) else {
        return Err(damaged(format!(
            "its header claims {length} bytes, and the file has {}",
            file.len()
        )));
    };
    let json = file.read(LENGTH_BYTES..data_start)?;
    let entries = parse(&json).map_err(|error| damaged(format!("its header: {error}")))?;

    check_overlaps(&entries).map_err(damaged)?;
    let mut listing = Listing::default();
    for (name, entry) in entries {
        let (begin, end) = entry.data_offsets;
        if begin > end || end > data_length {
            return Err(damaged(format!(
                "tensor {} is at bytes {begin} to {end} of {data_length}",
                quote(&name)
            )));
        }
        let Some(dtype) = Dtype::from_safetensors(&entry.dtype) else {
            listing.skipped.push(SkippedTensor {
                reason: format!("is of the type {}", quote(&entry.dtype)),
                name,
            });
            continue;
        };
        let shape = entry.shape.0;
        let tensor = |problem: String| damaged(format!("tensor {} {problem}", quote(&name)));
        let strides = contiguous_strides(&shape).ok_or_else(|| {
            tensor(format!(
                "of shape {shape:?} is larger than 64 bits can count"
            ))
        })?;
        let span = element_span(dtype, &shape, &strides, 0, end - begin).map_err(tensor)?;
        if span.end != end - begin {
            return Err(tensor(format!(
                "of shape {shape:?} has {} bytes, and its place has {}",
                span.end,
                end - begin
            )));
        }
        listing.tensors.push(TensorHeader {
            name,
            dtype,
            shape,
            strides,
            place: Place::File(data_start + begin..data_start + end),
        });
    }
    Ok(listing)
}

fn parse(json: &[u8]) -> serde_json::Result<Vec<(String, Entry)>> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let UniqueMap(entries) = UniqueMapExcept::new("__metadata__").deserialize(&mut deserializer)?;
    // Writers pad the header with spaces.
    deserializer.end()?;
    Ok(entries)
}

/// Two tensors that share bytes are an error of the format.
fn check_overlaps(entries: &[(String, Entry)]) -> Result<(), String> {
    let mut by_start: Vec<&(String, Entry)> = entries
        .iter()
        .filter(|(_, entry)| entry.data_offsets.0 < entry.data_offsets.1)
        .collect();
    by_start.sort_by_key(|(_, entry)| entry.data_offsets);
    for pair in by_start.windows(2) {
        if let [(first, before), (second, after)] = pair
            && after.data_offsets.0 < before.data_offsets.1
        {
            return Err(format!(
                "the tensors {} and {} share bytes",
                quote(first),
                quote(second)
            ));
        }
    }
    Ok(())
}

/// A shape of at most [`MAX_DIMENSIONS`] sizes: longer ones are refused before they take memory.
#[derive(Debug)]
struct Shape(Vec<u64>);

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ShapeVisitor).map(Self)
    }
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Vec<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of sizes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sizes: A) -> Result<Self::Value, A::Error> {
        let mut shape = Vec::new();
        while let Some(size) = sizes.next_element()? {
            if shape.len() >= MAX_DIMENSIONS {
                return Err(A::Error::custom(format_args!(
                    "a shape has more than {MAX_DIMENSIONS} sizes"
                )));
            }
            shape.push(size);
        }
        Ok(shape)
    }
}
