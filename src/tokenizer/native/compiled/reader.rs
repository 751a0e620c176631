//! Opens a compiled file.

use std::fmt;
use std::sync::OnceLock;

use super::contents::Contents;
use super::layout::{CHECKSUM, HEADER_LENGTH, Header, Sections, checksum};
use super::writer;
use crate::source::MappedFile;

/// A compiled vocabulary, in memory or in a mapped file.
pub struct CompiledVocabulary {
    bytes: Bytes,
    pub(super) header: Header,
    pub(super) sections: Sections,
    /// A validated copy of the text section, made by [`CompiledVocabulary::cache_text`].
    pub(super) text: OnceLock<Option<Box<str>>>,
}

enum Bytes {
    /// 8-byte words, for alignment.
    Owned(Vec<u64>),
    Mapped(MappedFile),
}

impl fmt::Debug for CompiledVocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompiledVocabulary")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

impl CompiledVocabulary {
    /// Compiles the contents of a file. `source` is the sha256 of the file.
    ///
    /// If no double array can hold the vocabulary, it is compiled without one: see
    /// [`CompiledVocabulary::double_array`].
    pub fn new(contents: &Contents<'_>, source: [u8; 32]) -> Self {
        let (words, header) = writer::write(contents, source);
        Self::from_parts(Bytes::Owned(words), header, header.sections())
    }

    /// Opens a compiled file. Returns `None` if it is damaged, of another version, or compiled from another source.
    pub fn open(file: MappedFile, source: [u8; 32]) -> Option<Self> {
        let bytes = file.bytes();
        if bytes.get(CHECKSUM)? != checksum(bytes).to_le_bytes() {
            return None;
        }
        Self::reopen(file, source)
    }

    /// Opens a compiled file that [`Self::open`] has accepted before and that has not been written since. Reads only
    /// the header; the rest is read as it is used.
    pub fn reopen(file: MappedFile, source: [u8; 32]) -> Option<Self> {
        let bytes = file.bytes();
        let header = Header::read(bytes.get(..HEADER_LENGTH)?)?;
        let sections = header.sections();
        let whole = bytes.len() == sections.end && header.source == source;
        // Numbers are used in place, without conversion.
        let usable = cfg!(target_endian = "little") && bytes.as_ptr().cast::<u64>().is_aligned();
        if !whole || !usable {
            return None;
        }
        Some(Self::from_parts(Bytes::Mapped(file), header, sections))
    }

    fn from_parts(bytes: Bytes, header: Header, sections: Sections) -> Self {
        Self {
            bytes,
            header,
            sections,
            text: OnceLock::new(),
        }
    }

    /// Returns the bytes of the compiled file.
    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Owned(words) => bytemuck::cast_slice(words),
            Bytes::Mapped(file) => file.bytes(),
        }
    }

    /// Returns `length` elements from byte `start` on.
    #[inline]
    pub(super) fn section<T: bytemuck::AnyBitPattern>(&self, start: usize, length: usize) -> &[T] {
        // `reopen` and `new` ensure that the sections exist and are aligned.
        let bytes = self.bytes().get(start..start + length * size_of::<T>());
        bytes
            .and_then(|bytes| bytemuck::try_cast_slice(bytes).ok())
            .unwrap_or_default()
    }
}
