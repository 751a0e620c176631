//! Readers of JSON files with limits on their size, and maps that refuse a name given twice.

pub mod limits;
mod parse;
mod unique_map;

pub use parse::{parse, parse_settings};
pub use unique_map::{UniqueMap, UniqueMapExcept};
