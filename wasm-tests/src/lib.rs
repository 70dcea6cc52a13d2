//! Drives the built module in a small host and in a real Envoy.
//!
//! The servers and clients of the tests ([`issuer`], [`workspace`], [`client`], [`python`]), the
//! makers of tokens ([`keys`], [`token`]), the two places in which the module runs (`host`,
//! [`envoy`]), and the corpus of whole-product cases that both and the core must answer alike
//! (`corpus`). Code here stops the test at the first thing that is not as it should be.

pub mod capabilities;
pub mod certificate;
pub mod client;
pub mod collector;
pub mod corpus;
pub mod each_worker;
pub mod envoy;
pub mod exchange;
pub mod header_map;
#[cfg(feature = "host")]
pub mod host;
pub mod inlining;
pub mod issuer;
pub mod keys;
pub mod paths;
pub mod python;
pub mod reply;
pub mod scene;
pub mod secrets;
pub mod serve;
pub mod token;
pub mod token_endpoint;
pub mod withdrawals;
pub mod workspace;
