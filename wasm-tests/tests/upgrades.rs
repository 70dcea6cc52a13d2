//! Requests to leave HTTP, in an Envoy that is told to let them: what follows one is bytes that
//! nobody judges.

use std::time::Duration;

use serde_json::{Value, json};
use wasm_tests::client::Connection;
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{fetched, token_with};
use wasm_tests::workspace::Workspace;

/// The second request behind the first one's head reached the workspace without a record.
#[test]
fn nothing_follows_an_upgrade_unseen() {
    let workspace = Workspace::start();
    let envoy = start(&workspace, &["foo", "websocket", "CONNECT"]);
    let bearer = token_with("acme-rsa", &json!({ "scope": "jobs clusters" }));
    let socket = "/driver-proxy-api/o/1/0101-abc/2222/ssh";
    #[rustfmt::skip]
    let cases = [
        // name                         method and target                     its upgrade   refused
        ("another protocol",            "GET /api/2.2/jobs/get",              "foo",        true),
        ("a web socket that is none",   "GET /api/2.2/jobs/get",              "websocket",  true),
        ("another one where there is",  &*format!("GET {socket}"),            "foo",        true),
        ("by POST",                     "POST /driver-proxy-api/o/1/0101-abc/2222/x", "websocket", true),
        ("a web socket",                &*format!("GET {socket}"),            "websocket",  false),
    ];
    for (name, target, upgrade, is_refused) in cases {
        let mark = envoy.log().mark();
        let mut connection = Connection::open(envoy.address());
        let request = format!(
            "{target} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\nconnection: upgrade\r\nupgrade: {upgrade}\r\n\r\n\
             GET /api/2.0/secrets/get HTTP/1.1\r\nhost: x\r\n\r\n"
        );
        connection.send(request.as_bytes());
        if is_refused {
            assert_eq!(connection.answer(false).status, 400, "{name}");
        }
        let records = envoy.log().wait_for_audit(mark, 1);
        let reason = if is_refused {
            "upgrade_refused"
        } else {
            "permitted"
        };
        assert_eq!(records[0]["reason"], reason, "{name}");
        std::thread::sleep(Duration::from_millis(300));
        let seen = workspace.take();
        let paths: Vec<&str> = seen.iter().map(|seen| seen.path.as_str()).collect();
        // Envoy keeps back what follows until the workspace has agreed, which this one does not.
        let want: &[&str] = if is_refused { &[] } else { &[socket] };
        assert_eq!(paths, want, "{name}");
    }
}

#[test]
fn a_tunnel_is_refused() {
    let workspace = Workspace::start();
    let envoy = start(&workspace, &["CONNECT"]);
    let mark = envoy.log().mark();
    let mut connection = Connection::open(envoy.address());
    connection.send(
        b"CONNECT databricks.example.com:443 HTTP/1.1\r\nhost: databricks.example.com:443\r\n\r\n",
    );
    assert_eq!(connection.answer(false).status, 400);
    let records = envoy.log().wait_for_audit(mark, 1);
    assert_eq!(records[0]["reason"], "upgrade_refused");
    assert_eq!(workspace.connections(), 0);
}

/// An Envoy whose listener takes these.
fn start(workspace: &Workspace, upgrades: &[&str]) -> Envoy {
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["jwks"] = json!({ "keys": jwk_set(["acme-rsa"]) });
    let mut bootstrap = Setup::new(configuration)
        .cluster("workspace", workspace.address())
        .bootstrap();
    let filters = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0]["filters"];
    let manager = &mut filters[0]["typed_config"];
    let configs = upgrades
        .iter()
        .map(|upgrade| json!({ "upgrade_type": upgrade }));
    manager["upgrade_configs"] = configs.collect();
    if upgrades.contains(&"CONNECT") {
        let routes = manager["route_config"]["virtual_hosts"][0]["routes"]
            .as_array_mut()
            .expect("routes");
        let route: Value =
            json!({ "match": { "connect_matcher": {} }, "route": { "cluster": "workspace" } });
        routes.insert(0, route);
    }
    Envoy::launch(&bootstrap, 1, None).expect("Envoy starts")
}
