//! The integration tests: one binary, one module a concern.

mod architecture;
mod golden;
mod hub;
mod hub_models;
mod support;
