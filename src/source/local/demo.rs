//! The built-in model: small files in the formats of a real one, compiled into the program.

use std::sync::Arc;

use crate::source::byte_source::{ByteSource, MemoryFile};
use crate::source::file_entry::FileEntry;

/// The files of the model, by name. The scripts in `demo/` generate them.
const FILES: [(&str, &[u8]); 4] = [
    (
        "config.json",
        include_bytes!("../../../demo/model/config.json"),
    ),
    (
        "pytorch_model.bin",
        include_bytes!("../../../demo/model/pytorch_model.bin"),
    ),
    ("spm.model", include_bytes!("../../../demo/model/spm.model")),
    (
        "tokenizer_config.json",
        include_bytes!("../../../demo/model/tokenizer_config.json"),
    ),
];

pub(crate) fn find(name: &str) -> Option<Arc<dyn ByteSource>> {
    let (name, bytes) = FILES.into_iter().find(|(file, _)| *file == name)?;
    Some(Arc::new(MemoryFile::new(name, bytes)))
}

pub(crate) fn list() -> Vec<FileEntry> {
    FILES
        .into_iter()
        .map(|(name, bytes)| FileEntry {
            name: name.to_owned(),
            size: Some(bytes.len() as u64),
            cached: true,
        })
        .collect()
}
