//! Finds the storages and tensors in the unpickled object of a torch checkpoint.
//!
//! A state dict maps names to tensors. Training checkpoints nest it one or more levels deep, next to counters and
//! settings, so nested dictionaries are searched for tensors. A tensor is named by its keys, joined with `.`. A
//! top-level key of
//! [`walk::WRAPPERS`] that holds a dictionary is left out of the names, so that a tensor has the same name as in a
//! plain state dict. Numbers, strings, and lists are ignored; objects are listed as skipped.
//!
//! Tensors and storages are written by `torch/_utils.py` and `torch/serialization.py` of PyTorch.

mod foreign;
#[cfg(test)]
pub mod pickled;
mod storage;
#[cfg(test)]
mod tests;
mod walk;

use super::pickle::Pickle;
use super::tensor::SkippedTensor;
use crate::error::{Error, Result};
use crate::formats::quote::quote;
pub use storage::Storage;
use walk::{Found, StoredTensor};

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
            let kind = match foreign::class(pickle, pickle.root) {
                Some(class) => format!("an object of {class}"),
                None => pickle.root.kind().to_owned(),
            };
            let problem = format!("its pickle holds {kind}, not a dictionary of tensors");
            return Err(Error::unsupported(file, problem));
        }
        let (storages, views) = storage::read_all(file, pickle)?;
        let Found {
            tensors,
            skipped,
            objects,
        } = walk::find_tensors(file, pickle, &storages, &views)?;
        if let Some(first) = skipped.first()
            && tensors.is_empty()
            && objects == skipped.len()
        {
            return Err(Error::unsupported(
                file,
                format!(
                    "its pickle has no tensors: {} {}",
                    quote(&first.name),
                    first.reason
                ),
            ));
        }
        Ok(Self {
            storages,
            tensors,
            skipped,
        })
    }
}
