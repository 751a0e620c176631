//! Models on the Hub: files in the Hub cache, and files fetched over the network.

pub(crate) mod address;
mod blob_digest;
mod cache_entry;
pub(crate) mod cache_layout;
pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod cost;
mod download;
mod endpoint;
mod errors;
pub(crate) mod etag;
pub(crate) mod expansion;
pub(crate) mod file_identity;
pub(crate) mod files;
mod lookup;
pub(crate) mod proxies;
mod ranged;
pub(crate) mod settings;
