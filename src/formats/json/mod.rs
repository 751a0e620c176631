//! JSON with limits: size-limited files, values, and lists, and objects with distinct names.

pub mod limits;
mod optional_object;
mod ordered_map;
mod parse;
mod plain_words;
mod python;
pub mod unread;

pub use optional_object::OptionalObject;
pub use ordered_map::{OrderedMap, OrderedMapExcept};
pub use parse::{
    MAX_SETTINGS_BYTES, parse, parse_python, parse_settings, parse_three_settings, parse_value,
};
pub use python::JsonError;
