//! A lock that processes share, by a file that stands for it.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

/// Held while a file is written; dropping it, or the end of the process, lets go.
#[derive(Debug)]
pub(crate) struct FileLock {
    _file: File,
}

impl FileLock {
    /// Takes the lock that the file at `path` stands for; `wait` is called again and again while another process has it.
    pub(crate) fn take(path: &Path, mut wait: impl FnMut()) -> io::Result<Self> {
        let file = File::create(path)?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => wait(),
                // A network file system without locks: files still get their name in one step.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    break;
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(Self { _file: file })
    }
}
