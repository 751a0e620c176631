//! The central directory of a zip archive.
//!
//! Only archives like those of torch are read: on one disk, with entries that are neither compressed nor encrypted.
//! Sizes come from the central directory, because a local header may defer them to a data descriptor (bit 3 of the
//! flags). The records are described in PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.3.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;

use super::fields::Fields;
use crate::error::{Error, Result};
use crate::formats::quote::quote;
use crate::source::ByteSource;

/// Bytes of the end-of-central-directory record without its comment.
const END_LENGTH: u64 = 22;
/// Bytes of the longest comment.
const MAX_COMMENT: u64 = 0xffff;
const ZIP64_LOCATOR_LENGTH: u64 = 20;
const ZIP64_END_LENGTH: u64 = 56;
const CENTRAL_HEADER_LENGTH: usize = 46;
pub const LOCAL_HEADER_LENGTH: u64 = 30;
/// The maximum size of a central directory in bytes: enough for half a million entries with names as long as torch's.
const MAX_DIRECTORY: u64 = 64 << 20;
/// The value of a 32-bit field whose actual number is in the zip64 extra field.
pub const SEE_ZIP64: u64 = 0xffff_ffff;
const ZIP64_EXTRA: u16 = 1;

/// One file of the archive.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    /// Bytes of the entry, as stored.
    pub size: u64,
    /// Offset of the local header.
    pub header_at: u64,
    /// Offset of the next entry or of the central directory, before which this entry must end.
    pub limit: u64,
    pub method: u16,
    pub flags: u16,
    /// Bytes of the name in the file. If they are not UTF-8, `name` may be longer.
    pub name_length: u16,
}

/// All entries of an archive, by name.
#[derive(Debug)]
pub struct Directory {
    entries: HashMap<String, Arc<Entry>>,
}

impl Directory {
    /// Reads the central directory of `file`, in two or three reads near its end.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if the directory is incomplete or contradicts itself, two entries have the same
    /// name, or entries overlap.
    pub fn read(file: &dyn ByteSource) -> Result<Self> {
        let damaged = |problem: String| Error::damaged(file.name(), problem);
        let location = find_directory(file)?;
        if location.length > MAX_DIRECTORY {
            return Err(damaged(format!(
                "its zip directory has {} bytes, but at most {MAX_DIRECTORY} are allowed",
                location.length
            )));
        }
        let end = location
            .start
            .checked_add(location.length)
            .filter(|&end| end <= location.limit)
            .ok_or_else(|| damaged("its zip directory overlaps the records after it".to_owned()))?;
        let bytes = file.read(location.start..end)?;
        let mut entries = parse_entries(&bytes).map_err(damaged)?;
        if entries.len() as u64 != location.count {
            return Err(damaged(format!(
                "its zip directory has {} entries, but claims {}",
                entries.len(),
                location.count
            )));
        }

        set_limits(&mut entries, location.start).map_err(damaged)?;

        let mut by_name = HashMap::with_capacity(entries.len());
        for entry in entries {
            match by_name.entry(entry.name.clone()) {
                Slot::Vacant(slot) => slot.insert(Arc::new(entry)),
                Slot::Occupied(_) => {
                    return Err(damaged(format!(
                        "two entries have the name {}",
                        quote(&entry.name)
                    )));
                }
            };
        }
        Ok(Self { entries: by_name })
    }

    pub fn find(&self, name: &str) -> Option<&Arc<Entry>> {
        self.entries.get(name)
    }

    /// Returns the entry `NAME/data.pkl`, and the prefix `NAME/` that all entries of the checkpoint share.
    ///
    /// # Errors
    /// Fails with [`Error::Unsupported`] if there is no such entry, and with [`Error::Damaged`] if there are several.
    /// Both name `file`.
    pub fn pickle_entry(&self, file: &str) -> Result<(&str, &Entry)> {
        let mut found = self.entries.values().filter_map(|entry| {
            let prefix = entry.name.strip_suffix("data.pkl")?;
            prefix.ends_with('/').then_some((prefix, entry.as_ref()))
        });
        let first = found.next().ok_or_else(|| {
            Error::unsupported(
                file,
                "it is a zip archive without a `data.pkl`, so it is not a torch checkpoint",
            )
        })?;
        match found.next() {
            None => Ok(first),
            Some(_) => Err(Error::damaged(file, "it has more than one `data.pkl`")),
        }
    }
}

/// Sets the limit of every entry, and sorts the entries by offset.
///
/// # Errors
/// Fails with the end of the sentence "FILE is damaged: …" if an entry does not end before its limit.
fn set_limits(entries: &mut [Entry], directory_start: u64) -> Result<(), String> {
    entries.sort_by_key(|entry| entry.header_at);
    let mut limit = directory_start;
    for entry in entries.iter_mut().rev() {
        entry.limit = limit;
        limit = entry.header_at;
        let fits = entry
            .limit
            .checked_sub(entry.header_at)
            .and_then(|room| room.checked_sub(LOCAL_HEADER_LENGTH + u64::from(entry.name_length)))
            .is_some_and(|room| entry.size <= room);
        if !fits {
            return Err(format!(
                "{} has {} bytes from byte {} on, but must end before byte {}",
                quote(&entry.name),
                entry.size,
                entry.header_at,
                entry.limit
            ));
        }
    }
    Ok(())
}

/// The location of the central directory, from the records at the end of an archive.
struct DirectoryLocation {
    start: u64,
    length: u64,
    /// Number of entries.
    count: u64,
    /// Offset of those records, before which the directory must end.
    limit: u64,
}

/// Searches backward from the end of the file for the end-of-central-directory record, and follows it to the zip64
/// record if there is one.
fn find_directory(file: &dyn ByteSource) -> Result<DirectoryLocation> {
    let incomplete = || {
        Error::damaged(
            file.name(),
            "it is a zip archive without a directory at its end, like an incomplete download",
        )
    };
    let tail_start = file.len().saturating_sub(END_LENGTH + MAX_COMMENT);
    let tail = file.read(tail_start..file.len())?;
    let (at, end) = tail
        .windows(END_LENGTH as usize)
        .enumerate()
        .rev()
        .find(|&(at, window)| {
            window.starts_with(b"PK\x05\x06")
                && Fields(window).u16(20).is_some_and(|comment| {
                    at + END_LENGTH as usize + usize::from(comment) == tail.len()
                })
        })
        .ok_or_else(incomplete)?;
    let at = tail_start + at as u64;
    let end = Fields(end);
    let (Some(disk), Some(count), Some(length), Some(start)) =
        (end.u16(4), end.u16(10), end.u32(12), end.u32(16))
    else {
        return Err(incomplete());
    };
    if disk != 0 && disk != 0xffff {
        return Err(Error::unsupported(
            file.name(),
            "it is one part of a multi-disk zip archive",
        ));
    }
    if let Some(location) = zip64_location(file, at)? {
        return Ok(location);
    }
    Ok(DirectoryLocation {
        start: start.into(),
        length: length.into(),
        count: count.into(),
        limit: at,
    })
}

/// Returns the directory's location from the zip64 records before the record at `end_at`; `None` if there are none.
fn zip64_location(file: &dyn ByteSource, end_at: u64) -> Result<Option<DirectoryLocation>> {
    let Some(locator_at) = end_at.checked_sub(ZIP64_LOCATOR_LENGTH) else {
        return Ok(None);
    };
    let locator = file.read(locator_at..end_at)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let damaged = || {
        Error::damaged(
            file.name(),
            "its zip64 directory record is not at the offset that its locator gives",
        )
    };
    let record_at = Fields(&locator).u64(8).ok_or_else(damaged)?;
    let record_end = record_at
        .checked_add(ZIP64_END_LENGTH)
        .filter(|&end| end <= locator_at)
        .ok_or_else(damaged)?;
    let record = file.read(record_at..record_end)?;
    if !record.starts_with(b"PK\x06\x06") {
        return Err(damaged());
    }
    let record = Fields(&record);
    let (Some(count), Some(length), Some(start)) = (record.u64(32), record.u64(40), record.u64(48))
    else {
        return Err(damaged());
    };
    Ok(Some(DirectoryLocation {
        start,
        length,
        count,
        limit: record_at,
    }))
}

/// Parses the entries of a central directory. Their limits are still 0.
fn parse_entries(mut bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (entry, length) = parse_entry(bytes)
            .ok_or_else(|| format!("entry {} of its zip directory is malformed", entries.len()))?;
        entries.push(entry);
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(entries)
}

/// Parses the entry at the start of `bytes`. Returns it with the length of its header, or `None` if it is malformed.
fn parse_entry(bytes: &[u8]) -> Option<(Entry, usize)> {
    let header = Fields(bytes);
    if !bytes.starts_with(b"PK\x01\x02") {
        return None;
    }
    let name_length = header.u16(28)?;
    let name_end = CENTRAL_HEADER_LENGTH + usize::from(name_length);
    let extra_end = name_end + usize::from(header.u16(30)?);
    let length = extra_end + usize::from(header.u16(32)?);
    bytes.get(..length)?;
    let name = bytes.get(CENTRAL_HEADER_LENGTH..name_end)?;
    let mut zip64 = Zip64Extra::find(bytes.get(name_end..extra_end)?);

    let method = header.u16(10)?;
    let stored_size = header.u32(20)?;
    // The zip64 field holds whichever of these three numbers do not fit in 32 bits, in this order.
    let size = zip64.or(header.u32(24)?)?;
    let stored_size = zip64.or(stored_size)?;
    let header_at = zip64.or(header.u32(42)?)?;
    if method == 0 && stored_size != size {
        return None;
    }
    let entry = Entry {
        name: String::from_utf8_lossy(name).into_owned(),
        size: stored_size,
        header_at,
        limit: 0,
        method,
        flags: header.u16(8)?,
        name_length,
    };
    Some((entry, length))
}

/// The numbers of a zip64 extra field that have not been used yet.
struct Zip64Extra<'a>(&'a [u8]);

impl<'a> Zip64Extra<'a> {
    fn find(mut extra: &'a [u8]) -> Self {
        while let (Some(id), Some(length)) = (Fields(extra).u16(0), Fields(extra).u16(2)) {
            let field_end = 4 + usize::from(length);
            if id == ZIP64_EXTRA {
                return Self(extra.get(4..field_end).unwrap_or_default());
            }
            extra = extra.get(field_end..).unwrap_or_default();
        }
        Self(&[])
    }

    /// Returns `value`, or the next number of this field if `value` refers to it.
    fn or(&mut self, value: u32) -> Option<u64> {
        if u64::from(value) != SEE_ZIP64 {
            return Some(value.into());
        }
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }
}
