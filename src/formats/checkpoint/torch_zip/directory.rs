//! The central directory of a zip archive → its entries; the local header of an entry → where its bytes start.
//!
//! Only what torch writes is read: one disk, entries that are stored, not encrypted. Sizes come from the central
//! directory, since a local header may leave them to a data descriptor (bit 3 of the flags). Structures are those of
//! PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.3.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::formats::quote::quote;
use crate::source::bytes::ByteSource;

/// The end of central directory record without its comment, and the longest comment.
const END_LENGTH: u64 = 22;
const MAX_COMMENT: u64 = 0xffff;
const ZIP64_LOCATOR_LENGTH: u64 = 20;
const ZIP64_END_LENGTH: u64 = 56;
const CENTRAL_HEADER_LENGTH: usize = 46;
const LOCAL_HEADER_LENGTH: u64 = 30;
/// Bytes of a central directory: half a million entries with names as torch gives them.
const MAX_DIRECTORY: u64 = 64 << 20;
/// Stands for "see the zip64 extra field".
const IN_ZIP64: u64 = 0xffff_ffff;
const ZIP64_EXTRA: u16 = 1;

/// One file of the archive.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    /// Bytes of the entry, as stored.
    pub size: u64,
    /// Where the local header starts.
    header_at: u64,
    /// Where the next entry, or the central directory, starts: the entry must end before.
    limit: u64,
    method: u16,
    flags: u16,
    /// Bytes of the name in the file.
    name_length: u16,
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
    /// [`Error::Damaged`] for a directory that is not whole or lies: two entries of one name, entries that overlap or
    /// reach out of their place.
    pub fn read(file: &dyn ByteSource) -> Result<Self> {
        let damaged = |problem: String| Error::damaged(file.name(), problem);
        let place = find_directory(file)?;
        if place.length > MAX_DIRECTORY {
            return Err(damaged(format!(
                "its zip directory has {} bytes, and at most {MAX_DIRECTORY} are allowed",
                place.length
            )));
        }
        let end = place
            .start
            .checked_add(place.length)
            .filter(|&end| end <= place.limit)
            .ok_or_else(|| damaged("its zip directory reaches beyond its end".to_owned()))?;
        let bytes = file.read(place.start..end)?;
        let mut entries = parse_entries(&bytes).map_err(damaged)?;
        if entries.len() as u64 != place.count {
            return Err(damaged(format!(
                "its zip directory has {} entries and claims {}",
                entries.len(),
                place.count
            )));
        }

        entries.sort_by_key(|entry| entry.header_at);
        let mut limit = place.start;
        for entry in entries.iter_mut().rev() {
            entry.limit = limit;
            limit = entry.header_at;
            let fits = entry
                .limit
                .checked_sub(entry.header_at)
                .and_then(|room| {
                    room.checked_sub(LOCAL_HEADER_LENGTH + u64::from(entry.name_length))
                })
                .is_some_and(|room| entry.size <= room);
            if !fits {
                return Err(damaged(format!(
                    "{} with its {} bytes from byte {} on reaches over byte {}, where other things start",
                    quote(&entry.name),
                    entry.size,
                    entry.header_at,
                    entry.limit
                )));
            }
        }

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

    /// The entry `NAME/data.pkl` with the `NAME/` that all entries of the checkpoint share.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if there is none, [`Error::Damaged`] if there are several; both name `file`.
    pub fn pickle_entry(&self, file: &str) -> Result<(&str, &Entry)> {
        let mut found = self.entries.values().filter_map(|entry| {
            let prefix = entry.name.strip_suffix("data.pkl")?;
            prefix.ends_with('/').then_some((prefix, entry.as_ref()))
        });
        let first = found.next().ok_or_else(|| {
            Error::unsupported(
                file,
                "it is a zip archive without a `data.pkl`, so no torch checkpoint",
            )
        })?;
        match found.next() {
            None => Ok(first),
            Some(_) => Err(Error::damaged(file, "it has more than one `data.pkl`")),
        }
    }
}

/// Where the bytes of an entry start; they are checked to end within the entry's place.
///
/// # Errors
/// [`Error::Damaged`] if the local header is not there or contradicts the directory, [`Error::Unsupported`] if the
/// entry is compressed or encrypted.
pub fn data_start(file: &dyn ByteSource, entry: &Entry) -> Result<u64> {
    let name = quote(&entry.name);
    if entry.flags & 1 != 0 {
        let problem = format!("{name} is encrypted");
        return Err(Error::unsupported(file.name(), problem));
    }
    if entry.method != 0 {
        let problem = format!(
            "{name} is compressed (zip method {}), and torch stores entries as they are",
            entry.method
        );
        return Err(Error::unsupported(file.name(), problem));
    }
    let damaged = |problem: &str| {
        Error::damaged(file.name(), format!("the local header of {name} {problem}"))
    };
    // Checked by `Directory::read`: header and name end before `limit`.
    let fixed_end = entry.header_at + LOCAL_HEADER_LENGTH;
    let bytes = file.read(entry.header_at..fixed_end + u64::from(entry.name_length))?;
    let header = Fields(&bytes);
    let (Some(flags), Some(size), Some(name_length), Some(extra_length)) = (
        header.u16(6),
        header.u32(22),
        header.u16(26),
        header.u16(28),
    ) else {
        return Err(damaged("is cut off"));
    };
    if !bytes.starts_with(b"PK\x03\x04") {
        return Err(damaged("is not where the directory says"));
    }
    let local_name = bytes
        .get(LOCAL_HEADER_LENGTH as usize..)
        .unwrap_or_default();
    if name_length != entry.name_length || String::from_utf8_lossy(local_name) != entry.name {
        return Err(damaged("has another name"));
    }
    let size = u64::from(size);
    let size_follows = flags & 8 != 0 || size == IN_ZIP64;
    if !size_follows && size != entry.size {
        return Err(damaged(&format!(
            "says {size} bytes, and the directory {}",
            entry.size
        )));
    }
    let start = fixed_end + u64::from(name_length) + u64::from(extra_length);
    match start.checked_add(entry.size) {
        Some(end) if end <= entry.limit => Ok(start),
        _ => Err(damaged(&format!(
            "leaves no room for {} bytes before byte {}",
            entry.size, entry.limit
        ))),
    }
}

/// What the records at the end of an archive say of its central directory.
struct DirectoryPlace {
    start: u64,
    length: u64,
    count: u64,
    /// Where those records start.
    limit: u64,
}

/// Searches the end of central directory record from the end of the file, and follows it to its zip64 form.
fn find_directory(file: &dyn ByteSource) -> Result<DirectoryPlace> {
    let not_whole = || {
        Error::damaged(
            file.name(),
            "it is a zip archive without a directory at its end, as a broken download leaves it",
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
        .ok_or_else(not_whole)?;
    let at = tail_start + at as u64;
    let end = Fields(end);
    let (Some(disk), Some(count), Some(length), Some(start)) =
        (end.u16(4), end.u16(10), end.u32(12), end.u32(16))
    else {
        return Err(not_whole());
    };
    if disk != 0 && disk != 0xffff {
        return Err(Error::unsupported(
            file.name(),
            "it is a part of a zip archive of several disks",
        ));
    }
    if let Some(place) = zip64_place(file, at)? {
        return Ok(place);
    }
    Ok(DirectoryPlace {
        start: start.into(),
        length: length.into(),
        count: count.into(),
        limit: at,
    })
}

/// The directory's place by the zip64 records before the one at `end_at`, if there are such.
fn zip64_place(file: &dyn ByteSource, end_at: u64) -> Result<Option<DirectoryPlace>> {
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
            "its zip64 directory record is not where it says",
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
    Ok(Some(DirectoryPlace {
        start,
        length,
        count,
        limit: record_at,
    }))
}

/// The entries of a central directory, without their limits.
fn parse_entries(mut bytes: &[u8]) -> Result<Vec<Entry>, String> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (entry, length) = parse_entry(bytes)
            .ok_or_else(|| format!("entry {} of its zip directory is none", entries.len()))?;
        entries.push(entry);
        bytes = bytes.get(length..).unwrap_or_default();
    }
    Ok(entries)
}

/// The entry that `bytes` begin with, and the length of its header.
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
    // The zip64 field holds those of these three that do not fit, in this order.
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

/// The numbers of a zip64 extra field that are not used yet.
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

    /// `value`, or the next number of this field if `value` stands for it.
    fn or(&mut self, value: u32) -> Option<u64> {
        if u64::from(value) != IN_ZIP64 {
            return Some(value.into());
        }
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }
}

/// Little-endian numbers at fixed places of a record.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn u16(&self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    fn u64(&self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..)?.first_chunk().copied()
    }
}
