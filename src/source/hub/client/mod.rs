//! Requests to the Hub: questions to its API, the headers of files, whole files, and byte ranges.
//!
//! ureq makes the connections. This module decides on deadlines, retries, the longest accepted answer, the redirects that
//! are followed, and the requests that carry the token.

mod agent;
mod announcement;
mod answer;
mod api;
mod content_range;
mod failure;
mod forward_proxy;
mod headers;
mod hub_client;
mod hub_file;
mod ranges;
mod redirect;
mod transfer;

pub(crate) use hub_client::HubClient;
pub(crate) use hub_file::HubFile;
