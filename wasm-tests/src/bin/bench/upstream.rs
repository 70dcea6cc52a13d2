//! A stand-in for a workspace that answers with a body, by HTTP/2 and TLS as a real one does: one
//! more Envoy, whose time nobody counts.

use serde_json::{Value, json};
use wasm_tests::certificate::Certificate;
use wasm_tests::envoy::{Envoy, cluster};

use crate::row::{bootstrap, manager};

/// A running one.
pub(crate) struct Upstream {
    envoy: Envoy,
    certificate: Certificate,
}

impl Upstream {
    /// Starts it.
    pub(crate) fn start() -> Self {
        let certificate = Certificate::issue();
        let mut bootstrap = bootstrap(&[]);
        let routes = &mut manager(&mut bootstrap)["route_config"]["virtual_hosts"][0]["routes"];
        let body = String::from_utf8_lossy(&BODY);
        routes[0]["direct_response"]["body"]["inline_string"] = json!(body);
        let listener = &mut bootstrap["static_resources"]["listeners"][0];
        listener["filter_chains"][0]["transport_socket"] = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                "common_tls_context": {
                    "alpn_protocols": ["h2"],
                    "tls_certificates": [{
                        "certificate_chain": { "filename": certificate.chain() },
                        "private_key": { "filename": certificate.key() },
                    }],
                },
            },
        });
        let envoy = Envoy::launch(&bootstrap, 1, None)
            .unwrap_or_else(|log| panic!("the upstream did not start:\n{log}"));
        Self { envoy, certificate }
    }

    /// The cluster that leads to it.
    pub(crate) fn cluster(&self) -> Value {
        let mut cluster = cluster(UPSTREAM, self.envoy.address());
        cluster["transport_socket"] = json!({
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context": {
                    "alpn_protocols": ["h2"],
                    "validation_context": { "trusted_ca": { "filename": self.certificate.authority() } },
                },
            },
        });
        cluster["typed_extension_protocol_options"] = json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": { "http2_protocol_options": {} },
            },
        });
        cluster
    }
}

/// The cluster's name.
pub(crate) const UPSTREAM: &str = "upstream";

/// What goes either way: as much as a query or a page of its result.
pub(crate) const BODY: [u8; 1024] = [b'x'; 1024];
