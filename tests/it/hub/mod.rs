//! Models of the Hub, against a loopback Hub: downloads, faults, false answers, the Hub cache, and the token.

mod damaged_cache;
mod downloads;
mod false_answers;
mod fault_matrix;
mod faults;
mod models;
mod proxies;
mod pulls;
mod retries;
pub mod scene;
mod secrets;
mod settings;
mod tls;
mod unreachable;
