//! Files made from a model: lock files, converted tokenizers, compiled vocabularies.

mod convert;
mod locks;
mod own_cache;
