//! The header: metadata and descriptions of tensors.

use std::collections::HashSet;

use super::cursor::Cursor;
use super::text_places::TextPlaces;
use super::value::Value;
use crate::error::{Error, Result};
use crate::formats::quote::quote;
use crate::source::ByteSource;

/// The first bytes of a file.
pub const MAGIC: &[u8] = b"GGUF";
/// The most bytes of a header. That of a model with 262,144 pieces has 15 MB.
const MAX_HEADER: u64 = 100_000_000;
/// The most tensors, and the most entries of the metadata. llama.cpp writes a few thousand at most.
const MAX_TENSORS: u64 = 1 << 18;
const MAX_ENTRIES: u64 = 1 << 16;
/// The most bytes of the name of an entry or a tensor, as in the description of the format.
const MAX_NAME: u64 = 65_535;
/// The most dimensions of a tensor, as in ggml.
const MAX_DIMENSIONS: u32 = 4;
/// The alignment of tensors, unless the metadata gives another.
const DEFAULT_ALIGNMENT: u64 = 32;

/// The header of a file.
#[derive(Debug)]
pub struct Gguf {
    /// The metadata, in the order of the file. All names are distinct.
    metadata: Vec<(String, Value)>,
    /// In the order of the file. All names are distinct.
    pub tensors: Vec<TensorEntry>,
    /// The position of the tensors' bytes, from which their offsets count.
    pub data_start: u64,
    /// The start of every tensor is a multiple of this many bytes. A power of two.
    pub alignment: u64,
    /// The places of texts in its long arrays.
    pub(super) places: TextPlaces,
}

/// The description of a tensor. Nothing in it has been checked, except that the name is unlike all others.
#[derive(Debug)]
pub struct TensorEntry {
    pub name: String,
    /// Elements along each dimension, the innermost first.
    pub dimensions: Vec<u64>,
    /// The number of the element type in ggml.
    pub kind: u32,
    /// Bytes from the start of all tensors' bytes.
    pub offset: u64,
}

impl Gguf {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if a length or a count does not fit the file, two names are equal, or the alignment
    /// is not a power of two, and with [`Error::Unsupported`] if the version is not 2 or 3 or the file is big-endian.
    pub fn read(file: &dyn ByteSource) -> Result<Self> {
        Self::read_with(file, TextPlaces::default())
    }

    /// Reads the header of a file in which some places are known.
    ///
    /// # Errors
    /// Fails like [`Self::read`], and if the places are not those of the file.
    pub(super) fn read_with(file: &dyn ByteSource, places: TextPlaces) -> Result<Self> {
        let mut cursor = Cursor::new(file, MAX_HEADER);
        cursor.places = places;
        if cursor.bytes(MAGIC.len() as u64)? != MAGIC {
            return Err(cursor.damaged("it does not begin like a GGUF file".to_owned()));
        }
        check_version(file.name(), cursor.u32()?)?;
        let tensors = cursor.u64()?;
        let entries = cursor.u64()?;
        for (count, limit, what) in [
            (tensors, MAX_TENSORS, "tensors"),
            (entries, MAX_ENTRIES, "entries of metadata"),
        ] {
            if count > limit {
                return Err(cursor.damaged(format!(
                    "its header claims {count} {what}, but at most {limit} are allowed"
                )));
            }
        }
        let metadata = read_metadata(&mut cursor, entries)?;
        let tensors = read_tensors(&mut cursor, tensors)?;
        let alignment = alignment(&metadata).map_err(|problem| cursor.damaged(problem))?;
        let data_start = cursor.position().checked_next_multiple_of(alignment);
        Ok(Self {
            metadata,
            tensors,
            data_start: data_start.unwrap_or(u64::MAX),
            alignment,
            places: cursor.places,
        })
    }

    /// Returns the entry of the metadata with this name.
    pub fn value(&self, name: &str) -> Option<&Value> {
        let entry = self.metadata.iter().find(|(other, _)| other == name);
        entry.map(|(_, value)| value)
    }
}

/// Checks the version. Version 1 has lengths of 32 bits, and llama.cpp no longer reads it.
fn check_version(file: &str, version: u32) -> Result<()> {
    match version {
        2 | 3 => Ok(()),
        _ if matches!(version.swap_bytes(), 1..=3) => Err(Error::unsupported(
            file,
            "it is big-endian, but only little-endian GGUF files are supported",
        )),
        _ => Err(Error::unsupported(
            file,
            format!("it has version {version} of GGUF, but only versions 2 and 3 are supported"),
        )),
    }
}

/// Returns the alignment of the tensors' bytes.
fn alignment(metadata: &[(String, Value)]) -> Result<u64, String> {
    let mut entries = metadata.iter();
    match entries.find(|(name, _)| name == "general.alignment") {
        None => Ok(DEFAULT_ALIGNMENT),
        Some((_, Value::Unsigned(alignment))) if alignment.is_power_of_two() => Ok(*alignment),
        Some((_, Value::Unsigned(alignment))) => Err(format!(
            "its alignment must be a power of two, not {alignment}"
        )),
        Some(_) => Err("its alignment is not a number".to_owned()),
    }
}

fn read_metadata(cursor: &mut Cursor, count: u64) -> Result<Vec<(String, Value)>> {
    let mut metadata = Vec::new();
    let mut names = HashSet::new();
    for _ in 0..count {
        let name = read_name(cursor)?;
        if !names.insert(name.clone()) {
            return Err(cursor.damaged(format!("its metadata has {} twice", quote(&name))));
        }
        let kind = cursor.u32()?;
        metadata.push((name, Value::read(cursor, kind)?));
    }
    Ok(metadata)
}

fn read_tensors(cursor: &mut Cursor, count: u64) -> Result<Vec<TensorEntry>> {
    let mut tensors = Vec::new();
    let mut names = HashSet::new();
    for _ in 0..count {
        let name = read_name(cursor)?;
        if !names.insert(name.clone()) {
            return Err(cursor.damaged(format!("it has two tensors named {}", quote(&name))));
        }
        let dimensions = cursor.u32()?;
        if dimensions > MAX_DIMENSIONS {
            return Err(cursor.damaged(format!(
                "tensor {} has {dimensions} dimensions, but at most {MAX_DIMENSIONS} are allowed",
                quote(&name)
            )));
        }
        let dimensions = (0..dimensions)
            .map(|_| cursor.u64())
            .collect::<Result<_>>()?;
        let (kind, offset) = (cursor.u32()?, cursor.u64()?);
        tensors.push(TensorEntry {
            name,
            dimensions,
            kind,
            offset,
        });
    }
    Ok(tensors)
}

fn read_name(cursor: &mut Cursor) -> Result<String> {
    let length = cursor.u64()?;
    if length > MAX_NAME {
        return Err(cursor.damaged(format!(
            "its header has a name of {length} bytes, but at most {MAX_NAME} are allowed"
        )));
    }
    match std::str::from_utf8(cursor.bytes(length)?).map(str::to_owned) {
        Ok(name) => Ok(name),
        Err(_) => Err(cursor.damaged("its header has a name that is not UTF-8".to_owned())),
    }
}
