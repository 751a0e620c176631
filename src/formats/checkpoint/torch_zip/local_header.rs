//! The local header of a zip entry, which precedes the entry's bytes.

use super::directory::{Entry, LOCAL_HEADER_LENGTH, SEE_ZIP64};
use super::fields::Fields;
use crate::error::{Error, Result};
use crate::formats::quote::quote;
use crate::source::ByteSource;

/// Returns the offset of an entry's bytes, and checks that they end before the next entry starts.
///
/// # Errors
/// Fails with [`Error::Damaged`] if the local header is missing or contradicts the directory, and with
/// [`Error::Unsupported`] if the entry is compressed or encrypted.
pub fn data_start(file: &dyn ByteSource, entry: &Entry) -> Result<u64> {
    let name = quote(&entry.name);
    if entry.flags & 1 != 0 {
        let problem = format!("{name} is encrypted");
        return Err(Error::unsupported(file.name(), problem));
    }
    if entry.method != 0 {
        let problem = format!(
            "{name} is compressed (zip method {}), but torch does not compress entries",
            entry.method
        );
        return Err(Error::unsupported(file.name(), problem));
    }
    let damaged = |problem: &str| {
        Error::damaged(file.name(), format!("the local header of {name} {problem}"))
    };
    // Cannot overflow: `Directory::read` has checked that the header and the name end before `limit`.
    let fixed_end = entry.header_at + LOCAL_HEADER_LENGTH;
    let bytes = file.read(entry.header_at..fixed_end + u64::from(entry.name_length))?;
    let header = Fields(&bytes);
    let (Some(flags), Some(size), Some(name_length), Some(extra_length)) = (
        header.u16(6),
        header.u32(22),
        header.u16(26),
        header.u16(28),
    ) else {
        return Err(damaged("is incomplete"));
    };
    if !bytes.starts_with(b"PK\x03\x04") {
        return Err(damaged("is not at the offset that the directory gives"));
    }
    let local_name = bytes
        .get(LOCAL_HEADER_LENGTH as usize..)
        .unwrap_or_default();
    if name_length != entry.name_length || String::from_utf8_lossy(local_name) != entry.name {
        return Err(damaged("has a different name"));
    }
    let size = u64::from(size);
    let size_follows = flags & 8 != 0 || size == SEE_ZIP64;
    if !size_follows && size != entry.size {
        return Err(damaged(&format!(
            "gives a size of {size} bytes, but the directory gives {}",
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
