//! Checkpoint files. Opening one lists its tensors; locating a tensor finds the byte range of its elements.
//!
//! [`Checkpoint::open`] reads headers and no tensor data: a safetensors header, the directory and pickle of a torch
//! zip, the pickles at the start of a legacy torch file. Headers of a single tensor (the local header of its zip entry,
//! the element count before its storage) are read only by [`TensorHeader::locate`], so that reading one row of a mapped
//! or remote file takes only a few small reads.

mod container;
mod dtype;
mod gguf;
mod open;
mod pickle;
mod safetensors;
mod shard_index;
mod tensor;
#[cfg(test)]
mod tests;
mod torch_legacy;
mod torch_object;
mod torch_zip;

pub use container::Container;
pub use dtype::Dtype;
pub use open::{CONTAINERS, Checkpoint};
pub use shard_index::ShardIndex;
pub use tensor::{SkippedTensor, TensorHeader, TensorInfo};
