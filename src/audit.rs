//! The audit record: what was decided about which request, and why.
//!
//! Verified facts only, method and path aside; never a token, never a query string.

pub mod compact;
pub mod host_log;
