//! Remote files that are read by byte ranges, and the cache of those ranges.

mod append_list;
mod content;
mod extents;
mod partial;
mod plan;
pub(crate) mod remote_file;
pub(crate) mod store;

#[cfg(test)]
mod tests;
