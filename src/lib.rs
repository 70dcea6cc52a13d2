//! OAuth Access Management for Databricks, judged at the gateway.
//!
//! A decision is a pure function of (configuration, keys, request, `now`). It is total: every input
//! yields a decision. Around it sits a thin skin, `filter`, that copies headers in, copies the
//! verdict out, and fetches keys.
//!
//! # Modules
//!
//! A module names only itself and modules to its left:
//!
//! ```text
//! by_name · bytes · few · json_line · time · path · token · databricks · request · issuer · callout · key_store · resource · policy · exchange · denial · withdrawn · authorize · audit · answer · config · comparison · gateway · filter, bin
//! ```
//!
//! Only `filter` knows proxy-wasm, through `host-calls`; that exists on `wasm32` alone, so that a
//! core file which names it does not compile natively.

pub mod answer;
pub mod audit;
pub mod authorize;
pub mod by_name;
mod bytes;
pub mod callout;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub mod comparison;
pub mod config;
pub mod databricks;
pub mod denial;
pub mod exchange;
pub mod few;
#[cfg(target_arch = "wasm32")]
mod filter;
pub mod gateway;
pub mod issuer;
mod json_line;
pub mod key_store;
pub mod path;
pub mod policy;
pub mod request;
pub mod resource;
pub mod time;
pub mod token;
pub mod withdrawn;
