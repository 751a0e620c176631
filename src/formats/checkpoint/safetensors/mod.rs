//! Reads the header of a safetensors file.
//!
//! A file consists of the header length (`u64`, little-endian), a JSON object of that many bytes, and the tensors'
//! bytes; `data_offsets` count from the end of the header. The format is described in the README of
//! <https://github.com/huggingface/safetensors>.
//!
//! A file is refused for the same reasons as by the `safetensors` library (`Metadata::validate` in its `tensor.rs`), and
//! the error names the library's own. There is one exception, for which this module has its own header types: the
//! library refuses a whole file if one tensor has a type that it does not know.

#[cfg(test)]
mod tests;

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::container::Container;
use super::dtype::Dtype;
use super::tensor::{
    MAX_DIMENSIONS, SkippedTensor, TensorHeader, TensorListing, contiguous_strides, element_span,
};
use crate::error::{Error, Result};
use crate::formats::json::{OrderedMap, OrderedMapExcept};
use crate::formats::quote::quote;
use crate::source::ByteSource;

pub const CONTAINER: Container = Container {
    name: "safetensors",
    recognizes: |head| head.get(LENGTH_BYTES as usize) == Some(&b'{'),
    list,
};

/// Largest header in bytes, as in the format's own library.
const MAX_HEADER: u64 = 100_000_000;
/// Bytes of the header length at the start of the file.
const LENGTH_BYTES: u64 = 8;

/// One tensor of the JSON header.
#[derive(Debug, Deserialize)]
struct Entry {
    dtype: String,
    shape: Shape,
    data_offsets: (u64, u64),
}

/// The header of a file, and the location of the tensors' bytes.
struct Header {
    entries: Vec<(String, Entry)>,
    data_start: u64,
    data_length: u64,
}

/// Reads the header of a safetensors file.
///
/// # Errors
/// Fails with [`Error::Damaged`], which names the file, if the header is malformed, a tensor's bytes are outside the
/// file or do not match its shape, or the tensors do not cover all bytes after the header exactly once.
fn list(file: &dyn ByteSource) -> Result<TensorListing> {
    let header = read_header(file)?;
    let damaged = |problem: String| Error::damaged(file.name(), problem);
    let mut listing = TensorListing::default();
    check_layout(&header).map_err(damaged)?;
    for (name, entry) in header.entries {
        let (begin, end) = entry.data_offsets;
        let Some(dtype) = Dtype::from_safetensors(&entry.dtype) else {
            listing.skipped.push(SkippedTensor {
                reason: format!("is of the type {}", quote(&entry.dtype)),
                name,
            });
            continue;
        };
        let shape = entry.shape.0;
        let strides = checked_strides(dtype, &shape, end.saturating_sub(begin))
            .map_err(|problem| damaged(format!("tensor {} {problem}", quote(&name))))?;
        listing.tensors.push(TensorHeader {
            name,
            dtype,
            shape,
            strides,
            location: Box::new(header.data_start + begin..header.data_start + end),
        });
    }
    Ok(listing)
}

/// Checks that the tensors cover the bytes after the header without gaps, overlaps, or trailing bytes.
fn check_layout(header: &Header) -> Result<(), String> {
    let length = header.data_length;
    let mut by_offset: Vec<&(String, Entry)> = header.entries.iter().collect();
    by_offset.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut covered = 0;
    for (name, entry) in by_offset {
        let (begin, end) = entry.data_offsets;
        let place = format!("tensor {} is at bytes {begin} to {end}", quote(name));
        if begin > end || end > length {
            return Err(format!("{place} of {length}"));
        }
        if begin != covered {
            return Err(format!(
                "{place}, but the tensors before it end at byte {covered} (`InvalidOffset` of safetensors)"
            ));
        }
        covered = end;
    }
    if covered != length {
        return Err(format!(
            "its tensors end at byte {covered} of {length} (`MetadataIncompleteBuffer` of safetensors)"
        ));
    }
    Ok(())
}

fn read_header(file: &dyn ByteSource) -> Result<Header> {
    let damaged = |problem: String| Error::damaged(file.name(), problem);
    let length = file.read(0..LENGTH_BYTES)?;
    let length = length
        .as_ref()
        .try_into()
        .map(u64::from_le_bytes)
        .map_err(|_| damaged("its header has no length".to_owned()))?;
    if length > MAX_HEADER {
        return Err(damaged(format!(
            "its header claims {length} bytes, but at most {MAX_HEADER} are allowed"
        )));
    }
    // Cannot overflow: `length` is within the limit.
    let data_start = LENGTH_BYTES + length;
    let Some(data_length) = file.len().checked_sub(data_start) else {
        return Err(damaged(format!(
            "its header claims {length} bytes, and the file has {}",
            file.len()
        )));
    };
    let json = file.read(LENGTH_BYTES..data_start)?;
    Ok(Header {
        entries: parse(&json).map_err(|error| damaged(format!("its header: {error}")))?,
        data_start,
        data_length,
    })
}

/// Returns the strides of a tensor whose elements fill exactly `length` bytes.
///
/// # Errors
/// Fails with the end of the sentence "tensor NAME …".
fn checked_strides(dtype: Dtype, shape: &[u64], length: u64) -> Result<Vec<u64>, String> {
    let strides = contiguous_strides(shape)
        .ok_or_else(|| format!("of shape {shape:?} is too large for 64-bit sizes"))?;
    let span = element_span(dtype, shape, &strides, 0, length)?;
    if span.end != length {
        return Err(format!(
            "of shape {shape:?} has {} bytes, and `data_offsets` gives it {length} (`TensorInvalidInfo` of safetensors)",
            span.end
        ));
    }
    Ok(strides)
}

fn parse(json: &[u8]) -> serde_json::Result<Vec<(String, Entry)>> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let entries = OrderedMapExcept::<Entry, Option<Strings>>::new("__metadata__");
    let OrderedMap(entries) = entries.deserialize(&mut deserializer)?;
    // Writers pad the header with spaces.
    deserializer.end()?;
    Ok(entries)
}

/// An object of strings, which are checked but not stored.
struct Strings;

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for Strings {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<String, String>()?.is_some() {}
        Ok(self)
    }
}

/// A shape of at most [`MAX_DIMENSIONS`] sizes. Longer ones are refused before they take memory.
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
