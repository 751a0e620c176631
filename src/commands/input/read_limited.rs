//! A file that is read whole, up to a limit: a path may lead to a device that never ends.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The bytes of a file that has at most `most` of them.
///
/// # Errors
/// Whatever reading fails with, and that there are more.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read_to_end(File::open(path)?, most)
}

/// As [`read`], for a file that begins with `magic`: where it does not, what it begins with instead is returned.
///
/// # Errors
/// As [`read`].
pub fn read_if_begun(path: &Path, magic: &[u8], most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    (&mut file)
        .take(magic.len() as u64)
        .read_to_end(&mut bytes)?;
    if bytes == magic {
        bytes.extend(read_to_end(file, most)?);
    }
    Ok(bytes)
}

fn read_to_end(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(io::Error::other(format!("it has more than {most} bytes"))),
        false => Ok(bytes),
    }
}
