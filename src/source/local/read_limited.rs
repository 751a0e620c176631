//! Reads whole files up to a size limit, because a path may name an endless device.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

/// Reads a file of at most `max_bytes`. A pipe in a folder is refused, since opening it would wait for a writer that may
/// never come; a pipe that is open in this process, such as `/dev/stdin`, is read.
///
/// # Errors
/// Fails if the file cannot be read, is such a pipe, or is larger.
pub fn read(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    if is_named_pipe(path)? {
        return Err(io::Error::other("it is a pipe"));
    }
    read_to_end(File::open(path)?, max_bytes)
}

#[cfg(unix)]
fn is_named_pipe(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::FileTypeExt;
    // The path of a pipe without a name cannot be resolved.
    Ok(fs::metadata(path)?.file_type().is_fifo() && fs::canonicalize(path).is_ok())
}

#[cfg(not(unix))]
fn is_named_pipe(path: &Path) -> io::Result<bool> {
    fs::metadata(path).map(|_| false)
}

/// Reads a file like [`read`] if it begins with `magic`. Otherwise reads and returns only the first `magic.len()`
/// bytes.
///
/// # Errors
/// Fails if the file cannot be read, or is larger.
pub fn read_with_magic(path: &Path, magic: &[u8], max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    (&mut file)
        .take(magic.len() as u64)
        .read_to_end(&mut bytes)?;
    if bytes == magic {
        bytes.extend(read_to_end(file, max_bytes)?);
    }
    Ok(bytes)
}

fn read_to_end(file: File, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        let problem = format!("it has more than {max_bytes} bytes");
        return Err(io::Error::other(problem));
    }
    Ok(bytes)
}
