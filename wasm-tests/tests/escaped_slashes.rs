//! Databricks' command line escapes the slashes of the files that it uploads: refused as the
//! samples are, and judged as what goes on where Envoy unescapes them.

use serde_json::json;
use wasm_tests::client;
use wasm_tests::envoy::{Envoy, Setup};
use wasm_tests::keys::jwk_set;
use wasm_tests::scene::{fetched, token_with};
use wasm_tests::workspace::Workspace;

#[test]
fn what_is_unescaped_is_judged_as_it_goes_on() {
    let workspace = Workspace::start();
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["jwks"] = json!({ "keys": jwk_set(["acme-rsa"]) });
    let deny = json!({
        "name": "not-theirs", "effect": "deny",
        "paths": ["/api/2.0/workspace-files/import-file/Workspace/Users/eve/{path=**}"],
    });
    configuration["policy"]["rules"] = json!([deny]);
    let setup = Setup::new(configuration).cluster("workspace", workspace.address());
    let bearer = format!(
        "Bearer {}",
        token_with("acme-rsa", &json!({ "scope": "workspace" }))
    );
    let upload = |file: &str| format!("/api/2.0/workspace-files/import-file/{file}?overwrite=true");
    let plain = "/api/2.0/workspace-files/import-file/Workspace/Users/ada/a%20b.py";
    #[rustfmt::skip]
    let cases = [
        // what Envoy does        path
        // status, what goes on
        ("REJECT_REQUEST",        upload("Workspace%2FUsers%2Fada%2Fa%20b.py"),         400,    None),
        ("UNESCAPE_AND_FORWARD",  upload("Workspace%2FUsers%2Fada%2Fa%20b.py"),         200,    Some(plain)),
        ("UNESCAPE_AND_FORWARD",  upload("Workspace%2fUsers%2Feve%2Fa.py"),             403,    None),
        ("UNESCAPE_AND_FORWARD",  upload("Workspace%2FUsers%2Fada%2F..%2Feve%2Fa.py"),  400,    None),
        ("UNESCAPE_AND_FORWARD",  upload("Workspace%252FUsers%252Fada"),                400,    None),
        ("KEEP_UNCHANGED",        upload("Workspace%2FUsers%2Fada%2Fa%20b.py"),         400,    None),
    ];
    for (action, path, status, want) in cases {
        let mut bootstrap = setup.bootstrap();
        let filters = &mut bootstrap["static_resources"]["listeners"][0]["filter_chains"][0];
        let manager = &mut filters["filters"][0]["typed_config"];
        manager["path_with_escaped_slashes_action"] = json!(action);
        let envoy = Envoy::launch(&bootstrap, 1, None).unwrap_or_else(|log| panic!("{log}"));
        let headers = [("authorization", bearer.as_bytes())];
        let answer = client::exchange(envoy.address(), "POST", &path, &headers, b"print(1)");
        assert_eq!(answer.status, status, "{action} {path}: {answer:?}");
        let seen = workspace.take();
        let paths: Vec<&str> = seen.iter().map(|seen| seen.path.as_str()).collect();
        assert_eq!(paths, want.into_iter().collect::<Vec<_>>(), "{action}");
    }
}
