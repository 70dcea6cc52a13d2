//! Every call of the packages as far as made-up arguments carry it: none of them is unknown to the
//! gateway.

use serde_json::Value;
use wasm_tests::python::Python;
use wasm_tests::workspace::Workspace;

use crate::gateway::Gateway;

#[test]
fn no_call_of_the_clients_is_unmatched() {
    let workspace = Workspace::start();
    let gateway = Gateway::before(workspace.address());
    // Fewer requests mean that a script broke, not that the clients shrank.
    for (packages, script, least) in [
        ("published", "published.py", 60),
        ("published", "every_call.py", 600),
        ("oldest", "every_call.py", 250),
    ] {
        let python = Python::with(packages);
        let mark = gateway.envoy.log().mark();
        let said = gateway.run(&python, script, "admin");
        let sent = said["sent"]
            .as_u64()
            .and_then(|sent| usize::try_from(sent).ok());
        let sent = sent.unwrap_or_default();
        assert!(sent >= least, "{packages}, {script}: {sent} requests");
        let records = gateway.envoy.log().wait_for_audit(mark, sent);
        assert!(
            records.len() >= least,
            "{packages}, {script}: {} records",
            records.len()
        );
        let unmatched: Vec<_> = records
            .iter()
            .filter(|record| record["reason"] == "unmatched")
            .map(|record| [&record["method"], &record["path"]])
            .collect();
        assert_eq!(unmatched, Vec::<[&Value; 2]>::new(), "{packages}, {script}");
    }
}
