//! The audit record: what was decided about which request, and why.
//!
//! Verified facts only, method, path, host and user agent aside; never a token, never a query
//! string. What a refused token says of itself stands apart, under `unverified`.

pub mod compact;
pub mod host_log;
mod inputs;
mod list;
pub mod ocsf;
pub mod otlp;
pub mod record;
pub mod settings;
