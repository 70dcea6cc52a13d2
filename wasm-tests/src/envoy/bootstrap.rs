//! The sample bootstrap, and parts to put into it.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::paths;

/// The sample bootstrap, as JSON.
pub fn sample() -> Value {
    let file = paths::root().join("envoy/envoy.yaml");
    let text = std::fs::read_to_string(&file).expect("the sample");
    serde_norway::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

pub(super) fn set_address(place: &mut Value, address: SocketAddr) {
    *place = json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } });
}

/// A cluster of one address.
pub fn cluster(name: &str, address: SocketAddr) -> Value {
    let mut endpoint = json!({});
    set_address(&mut endpoint["address"], address);
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [{ "endpoint": endpoint }] }] },
    })
}

pub(super) fn tls([chain, key]: &[PathBuf; 2]) -> Value {
    json!({ "name": "envoy.transport_sockets.tls", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": { "tls_certificates": [{
            "certificate_chain": { "filename": chain }, "private_key": { "filename": key },
        }] },
    } })
}
