//! Requests to the Hub: answers within limits of time and length, and the bytes of a file as they arrive.
//!
//! ureq makes the connections. What keeps a program out of trouble is decided here: deadlines, `Retry-After`, the most
//! bytes of an answer, where a redirect may lead, and who gets the token.

mod agent;
mod announcement;
mod answer;
mod api;
mod content_range;
mod failure;
mod hub_client;
mod hub_file;
mod ranges;
mod redirect;
mod transfer;

pub(crate) use hub_client::HubClient;
pub(crate) use hub_file::HubFile;
