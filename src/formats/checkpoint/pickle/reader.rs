//! The bytes of a pickle, read from front to back.

use super::error::{PickleError, too_many};
use super::limits::{MAX_GLOBAL_NAME, MAX_PICKLE};

type Result<T> = std::result::Result<T, PickleError>;

pub struct Reader<'a> {
    bytes: &'a [u8],
    next: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, next: 0 }
    }

    /// Returns the offset of the next byte.
    pub fn position(&self) -> usize {
        self.next
    }

    pub fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn i32(&mut self) -> Result<i32> {
        self.array().map(i32::from_le_bytes)
    }

    /// Reads a float, the only number that pickles store in big-endian order.
    pub fn f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_be_bytes)
    }

    /// Reads a string of `length` bytes. It is borrowed, so its length takes no memory.
    pub fn string(&mut self, length: u64) -> Result<&'a [u8]> {
        if length > MAX_PICKLE {
            return Err(PickleError::TooMany {
                what: "bytes in one string",
                limit: MAX_PICKLE,
            });
        }
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    /// Reads the bytes up to the next line feed, and skips the line feed.
    pub fn line(&mut self) -> Result<&'a [u8]> {
        let rest = self.bytes.get(self.next..).unwrap_or_default();
        let window = rest.get(..MAX_GLOBAL_NAME).unwrap_or(rest);
        match window.iter().position(|&byte| byte == b'\n') {
            Some(length) => {
                let line = self.take(length)?;
                self.u8()?;
                Ok(line)
            }
            None if window.len() < MAX_GLOBAL_NAME => Err(self.truncated()),
            None => Err(too_many("bytes in the name of a global", MAX_GLOBAL_NAME)),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        taken.try_into().map_err(|_| self.truncated())
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let taken = self
            .bytes
            .get(self.next..)
            .and_then(|rest| rest.get(..length))
            .ok_or_else(|| self.truncated())?;
        self.next += length;
        Ok(taken)
    }

    fn truncated(&self) -> PickleError {
        PickleError::Truncated {
            length: self.bytes.len(),
        }
    }
}
