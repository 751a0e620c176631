//! JSON with limits: size-limited files, values, and lists, and objects with distinct names.

pub mod limits;
pub mod loose;
mod ordered_map;
mod parse;
mod python;
pub mod unread;

pub use ordered_map::{OrderedMap, OrderedMapExcept};
pub use parse::{parse, parse_python, parse_settings};
