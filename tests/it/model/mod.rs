//! Files made from a model: lock files, converted tokenizers, compiled vocabularies.

mod app_cache;
mod caches;
#[cfg(unix)]
mod changes;
#[cfg(unix)]
mod changing_files;
mod context_window;
mod convert;
mod drift;
mod family;
mod locks;
mod place;
mod single_files;
#[cfg(unix)]
mod trust;
