//! The bytes of a model's files, wherever they are: a [`ModelRef`](crate::model_ref::ModelRef) in, [`ByteSource`]s out.
//!
//! ```text
//! ModelRef::Demo ─────► local::demo ────────────────────────────────► MemoryFile ─┐
//! ModelRef::Directory ► local::directory ───────────────────────────┐             ├─► dyn ByteSource
//! ModelRef::File, ModelRef::Ollama ─► local::directory, one file ────┤             │
//! ModelRef::Tiktoken ─► published ─► a cache, or hub::client ───────┼► MappedFile, MemoryFile
//! ModelRef::Hub ─► hub::files ─┬─ in the Hub cache: hub::cache_entry ┴► MappedFile ┤
//!                              ├─ whole files:  hub::client ─► hub::download ─► hub::cache_layout
//!                              └─ byte ranges:  hub::client ─► ranges::remote_file ─► RemoteFile
//!                                                              └► ranges::store (in the app cache)
//! ```
//!
//! Files are looked up one at a time, on demand: first in the cache, then on the network. Nothing here prints; an
//! [`Observer`] receives messages and progress.

mod app_cache;
mod byte_source;
mod cache_sweep;
pub mod caches;
pub mod digest;
mod file_entry;
mod file_kind;
mod file_name;
mod file_notes;
mod file_start;
mod frozen_file;
mod gguf_shard;
mod hashed_file;
mod hub;
mod local;
mod model_files;
mod observer;
mod options;
mod published;
mod ranges;
mod reading;

pub use app_cache::AppCache;
pub(crate) use byte_source::outside;
pub use byte_source::{ByteSource, MemoryFile};
pub use caches::CachedItem;
pub use file_entry::FileEntry;
pub use file_kind::FileKind;
pub use file_start::FileStart;
pub use gguf_shard::GgufShard;
pub use hub::cache_layout::cached_models;
pub use hub::cost::Fetched;
pub use hub::proxies::ProxySettings;
pub use hub::settings::{HubSettings, Token, is_true};
pub use local::file_size_signal::ignore_file_size_signal;
#[cfg(target_os = "linux")]
#[cfg(test)]
pub(crate) use local::file_stamp::turn_clock;
pub use local::file_stamp::{FileStamp, Writer};
pub use local::mapped_file::MappedFile;
pub use local::sigbus::install_sigbus_handler;
pub use local::{output_file, read_limited};
pub use model_files::ModelFiles;
pub use observer::{Observer, Progress, ProgressUnit, Unobserved};
pub use options::SourceOptions;
pub use reading::Reading;
