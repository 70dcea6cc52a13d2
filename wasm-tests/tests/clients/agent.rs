//! `databricks-mcp`: tools over streamable HTTP, and the way from a refusal to the authorization
//! server.

use serde_json::{Value, json};
use wasm_tests::python::Python;
use wasm_tests::python::service::Service;

use crate::gateway::Gateway;

#[test]
fn agents_call_tools_and_find_the_way_to_a_token() {
    let python = Python::with("agent");
    let tools = Service::start(&python, "tools.py");
    let gateway = Gateway::before(tools.address());
    let resource = format!(
        "https://{}/api/2.0/mcp/functions/main/tools",
        gateway.authority()
    );
    let document = json!({
        "resource": resource, "authorization_servers": ["https://issuer.example.com"],
        "bearer_methods_supported": ["header"], "scopes_supported": ["unity-catalog"],
        "dpop_signing_alg_values_supported": ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"],
    });
    let returned = |value: Value| json!({ "returned": value });
    // What the client makes of a challenge once it has fetched the document that the challenge
    // names: the package does not tell it which server it talks to, so it takes every document for
    // another server's.
    let found = json!({ "raised": [format!(
        "mcp.client.auth.exceptions.OAuthFlowError: Protected resource {resource} does not match expected "
    )] });
    let served = json!({
        "list_tools": returned(json!(["main__tools__add"])), "call_tool": returned(json!("42")),
        "get_databricks_resources": returned(json!(["main.tools.add"])), "discover": returned(document.clone()),
    });
    let refused = json!({
        "list_tools": found, "call_tool": found,
        "get_databricks_resources": returned(json!([])), "discover": returned(document),
    });
    for (caller, want, reason) in [
        ("agent", &served, "permitted"),
        ("guest", &refused, "insufficient_scope"),
        ("expired", &refused, "token_expired"),
        ("static", &refused, "personal_access_token_refused"),
    ] {
        let mark = gateway.envoy.log().mark();
        assert_eq!(&gateway.run(&python, "agent.py", caller), want, "{caller}");
        let records = gateway.envoy.log().wait_for_audit(mark, 4);
        let is = |record: &Value, path: &str, reason: &str| {
            record["path"] == path && record["reason"] == reason
        };
        let has = |path, reason| records.iter().any(|record| is(record, path, reason));
        assert!(has(SERVER, reason), "{caller}: {records:#?}");
        assert!(has(DOCUMENT, "metadata"), "{caller}: {records:#?}");
    }
    let seen = tools.take();
    let calls = seen.iter().filter(|request| request["path"] == SERVER);
    assert!(calls.clone().count() >= 4, "{seen:#?}");
    for call in calls {
        let authorization = call["authorization"].as_array();
        let authorization = authorization.into_iter().flatten();
        let authorization: Vec<&str> = authorization.filter_map(Value::as_str).collect();
        gateway.assert_exchanged(&authorization);
    }
}

const SERVER: &str = "/api/2.0/mcp/functions/main/tools";
const DOCUMENT: &str = "/.well-known/oauth-protected-resource/api/2.0/mcp/functions/main/tools";
