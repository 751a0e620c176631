//! Finds the storages and tensors in the unpickled object of a torch checkpoint.
//!
//! A state dict maps names to tensors. Training checkpoints nest it one or more levels deep, next to counters and
//! settings, so nested dictionaries are searched for tensors. A tensor is named by its keys, joined with `.`. A
//! top-level key of
//! [`walk::WRAPPERS`] that holds a dictionary is left out of the names, so that a tensor has the same name as in a
//! plain state dict. Values other than dictionaries and tensors are ignored.
//!
//! Tensors and storages are written by `torch/_utils.py` and `torch/serialization.py` of PyTorch.

mod storage;
#[cfg(test)]
pub mod tests;
mod walk;

use super::pickle::Pickle;
use super::tensor::SkippedTensor;
use crate::error::{Error, Result};
pub use storage::Storage;
use walk::StoredTensor;

/// The storages and tensors of one checkpoint file.
#[derive(Debug)]
pub struct TorchObject<'a> {
    /// Every storage of the pickle once, in the order of first use.
    pub storages: Vec<Storage<'a>>,
    pub tensors: Vec<StoredTensor>,
    pub skipped: Vec<SkippedTensor>,
}

impl<'a> TorchObject<'a> {
    /// Finds the tensors of an unpickled object.
    ///
    /// # Errors
    /// Fails with [`Error::Damaged`] if a storage or tensor contradicts itself, and with [`Error::Unsupported`] if the
    /// object is not a dictionary. Both name `file`.
    pub fn read(file: &str, pickle: &Pickle<'a>) -> Result<Self> {
        if pickle.entries(pickle.root).is_none() {
            return Err(Error::unsupported(
                file,
                format!(
                    "its pickle holds {}, not a dictionary of tensors",
                    pickle.root.kind()
                ),
            ));
        }
        let (storages, views) = storage::read_all(file, pickle)?;
        let (tensors, skipped) = walk::find_tensors(file, pickle, &storages, &views)?;
        Ok(Self {
            storages,
            tensors,
            skipped,
        })
    }
}
