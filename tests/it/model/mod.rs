//! Files made from a model: lock files, converted tokenizers, compiled vocabularies.

mod app_cache;
mod context_window;
mod convert;
mod drift;
mod family;
mod locks;
mod place;
#[cfg(unix)]
mod trust;
