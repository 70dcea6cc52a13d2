//! Every call of the published clients whose sources no program reads: each line of
//! `published_calls.tsv` finds an operation.

use databricks_oam_filter::databricks::{Catalogue, Lookup};
use databricks_oam_filter::path::Path;

#[test]
fn every_call_is_known() {
    let calls = include_str!("published_calls.tsv").lines();
    let mut wrong = Vec::new();
    for line in calls.filter(|line| !line.starts_with('#')) {
        let fields: Vec<_> = line.split('\t').collect();
        let [_, method, path] = fields[..] else {
            panic!("three fields: {line}");
        };
        let request = path.replace("{}", "zz.9-a");
        let path =
            Path::parse(request.as_bytes()).unwrap_or_else(|error| panic!("{line}: {error}"));
        if !matches!(Catalogue::shared().find(method, &path), Lookup::Found(_)) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
