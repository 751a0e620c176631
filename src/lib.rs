//! Tokenizes texts and reads word-embedding rows of Hugging Face models, exactly and in milliseconds.
//!
//! [`Tokenizer`] turns text into token ids and back; [`EmbeddingMatrix`] turns ids into rows. Both open a model by its
//! name, in one line:
//!
//! ```
//! use tokscope::Tokenizer;
//!
//! let tokenizer = Tokenizer::open("demo")?;
//! assert_eq!(tokenizer.count("banco de madera")?, 5);
//! # Ok::<(), tokscope::Error>(())
//! ```
//!
//! This page lists the library's public API. The modules behind the `tokscope` program are public but hidden here: the
//! program, its tests, and its benchmarks use them, and they may change in any release.
//!
//! A local checkpoint is mapped into memory. If another process truncates the file while it is being read, the
//! operating system kills this process with SIGBUS. The program installs a handler that reports the cause; the library
//! does not. Nor does it ignore SIGXFSZ, which ends a process that writes beyond a limit on file sizes.

// Modules are listed from the lowest layer up: each imports only from the ones listed before it.
// `tests/it/architecture` enforces this.

#[doc(hidden)]
pub mod error;

#[doc(hidden)]
pub mod record;

#[doc(hidden)]
pub mod memory;

#[doc(hidden)]
pub mod model_ref;

#[doc(hidden)]
pub mod source;

#[doc(hidden)]
pub mod formats;

#[doc(hidden)]
pub mod tokenizer;

#[doc(hidden)]
pub mod chat;

#[doc(hidden)]
pub mod embedding;

mod library;

#[doc(hidden)]
pub mod render;

#[doc(hidden)]
pub mod commands;

#[doc(hidden)]
pub mod cli;

#[doc(hidden)]
pub mod app;

#[doc(hidden)]
pub use app::run;
#[doc(inline)]
pub use embedding::metric::Metric;
#[doc(inline)]
pub use error::{Error, Result};
pub use library::{EmbeddingMatrix, Neighbor, OpenOptions, Tokenizer};
#[doc(inline)]
pub use record::PackedStrings;
#[doc(inline)]
pub use source::Reading;
#[doc(inline)]
pub use tokenizer::{EncodeOptions, Encoded, Encoding, OffsetUnit, Truncation};
