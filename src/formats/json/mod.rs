//! JSON with limits: size-limited files, values, and lists, and objects without duplicate names.

pub mod limits;
mod parse;
mod unique_map;

pub use parse::{parse, parse_settings};
pub use unique_map::{UniqueMap, UniqueMapExcept};
