//! Requests to the Hub: questions to its API, the headers of files, whole files, and byte ranges.
//!
//! ureq makes the connections. This module sets deadlines, retries, and size limits, and decides which redirects are
//! followed and which requests carry the token.

mod agent;
mod announcement;
mod answer;
mod api;
mod bounded_list;
mod content_range;
mod failure;
mod forward_proxy;
mod headers;
mod http_date;
mod hub_client;
mod hub_file;
mod ranges;
mod redirect;
mod transfer;
mod whole_file;

pub(crate) use hub_client::HubClient;
pub(crate) use hub_file::HubFile;
