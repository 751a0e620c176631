//! A lock between processes, held on a file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use super::regular_file::remove_unless_regular;

/// A lock that is released when it is dropped, or when the process ends.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Locks the file at `path`, creating it if necessary. Calls `wait` repeatedly while another process holds the
    /// lock.
    ///
    /// # Errors
    /// Fails if the file cannot be created or locked.
    pub(crate) fn acquire(path: &Path, mut wait: impl FnMut()) -> io::Result<Self> {
        remove_unless_regular(path)?;
        let file = File::create(path)?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => wait(),
                // A network file system without locks. Writes are still atomic.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    break;
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(Self { _file: file })
    }
}
