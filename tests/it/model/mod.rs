//! Files made from a model: lock files, converted tokenizers, compiled vocabularies.

mod app_cache;
mod context_window;
mod convert;
mod family;
mod locks;
#[cfg(unix)]
mod trust;
