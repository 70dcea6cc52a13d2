use super::*;
use crate::path::template::Template;

fn find(method: &str, path: &str) -> Lookup {
    Catalogue::shared().find(method, &Path::parse(path.as_bytes()).unwrap())
}

#[test]
fn a_request_finds_its_operation() {
    #[rustfmt::skip]
    let cases = [
        // name                     method      path
        // want
        ("a call",                  "POST",     "/api/2.2/jobs/run-now",                            Some("jobs.run-now")),
        ("an old version",          "POST",     "/api/2.0/jobs/run-now",                            Some("jobs.run-now")),
        ("a version to come",       "POST",     "/api/2.11/jobs/run-now",                           Some("jobs.run-now")),
        ("a name",                  "GET",      "/api/2.1/unity-catalog/tables/main.default.t",     Some("tables.get")),
        ("a file",                  "GET",      "/api/2.0/fs/files/Volumes/c/s/v/f.csv",            Some("files.download")),
        ("a file with a space",     "GET",      "/api/2.0/fs/files/Volumes/c/s/v/a%20b.csv",        Some("files.download")),
        ("a name with a space",     "POST",     "/serving-endpoints/my%20model/invocations",        Some("serving-endpoints.query")),
        ("a path without version",  "GET",      "/.well-known/databricks-config",                   Some("discovery.config")),
        ("another method",          "GET",      "/api/2.2/jobs/run-now",                            None),
        ("a method in lower case",  "post",     "/api/2.2/jobs/run-now",                            None),
        ("no method",               "*",        "/api/2.2/jobs/run-now",                            None),
        ("no version",              "POST",     "/api/jobs/run-now",                                None),
        ("a word for a version",    "POST",     "/api/latest/jobs/run-now",                         None),
        ("half a version",          "POST",     "/api/2./jobs/run-now",                             None),
        ("three parts",             "POST",     "/api/2.2.0/jobs/run-now",                          None),
        ("a long version",          "POST",     "/api/2.222/jobs/run-now",                          None),
        ("another case",            "POST",     "/API/2.2/jobs/run-now",                            None),
        ("a trailing slash",        "POST",     "/api/2.2/jobs/run-now/",                           None),
        ("a segment more",          "POST",     "/api/2.2/jobs/run-now/x",                          None),
        ("a segment less",          "POST",     "/api/2.2/jobs",                                    None),
        ("the root",                "GET",      "/",                                                None),
    ];
    for (name, method, path, want) in cases {
        let found = match find(method, path) {
            Lookup::Found(operation) => Some(operation.name),
            Lookup::Unknown => None,
            Lookup::Ambiguous => panic!("{name}"),
        };
        assert_eq!(found, want, "{name}");
    }
}

#[test]
fn a_trailing_slash_leads_to_the_same_operation() {
    let found = |method, path: &str| {
        let path = Path::parse(path.as_bytes()).unwrap();
        match Catalogue::shared().operation(method, &path) {
            Lookup::Found(operation) => operation.name,
            Lookup::Ambiguous => "ambiguous",
            Lookup::Unknown => "unknown",
        }
    };
    #[rustfmt::skip]
    let cases = [
        // name                         method  path                                          want
        ("without",                     "GET",  "/api/2.2/jobs/list",                         "jobs.list"),
        ("with",                        "GET",  "/api/2.2/jobs/list/",                        "jobs.list"),
        ("behind a name",               "GET",  "/api/2.0/sql/warehouses/7/",                 "warehouses.get"),
        ("both are listed",             "POST", "/api/2.0/sql/statements/",                   "statement-execution.execute-statement"),
        ("two that ask the same",       "GET",  "/.well-known/oauth-protected-resource/",     "discovery.protected-resource"),
        ("the one without",             "GET",  "/api/2.0/mlflow-artifacts/artifacts",        "mlflow-artifacts.list-artifacts"),
        ("neither",                     "GET",  "/nothing/",                                  "unknown"),
        ("escapes that nothing takes",  "GET",  "/api/2.2/jobs/a%20b",                        "unknown"),
        ("an escaped version",          "POST", "/api/2%202/jobs/run-now",                    "unknown"),
    ];
    for (name, method, path, want) in cases {
        assert_eq!(found(method, path), want, "{name}");
    }
}

#[test]
fn what_could_lead_elsewhere_is_ambiguous() {
    #[rustfmt::skip]
    let cases = [
        ("a verb, decoded",             "GET",  "/api/2.1/marketplace-consumer/listings%3AbatchGet"),
        ("the alias of the pages",      "POST", "/ajax-api/2.2/jobs/run-now"),
        ("the alias alone",             "GET",  "/ajax-api"),
    ];
    for (name, method, path) in cases {
        assert_eq!(find(method, path), Lookup::Ambiguous, "{name}");
    }
}

#[test]
fn every_line_of_the_list_is_found_by_its_own_path() {
    let catalogue = Catalogue::shared();
    assert!(
        catalogue
            .operations()
            .is_sorted_by_key(|operation| (operation.template, operation.method))
    );
    for operation in catalogue.operations() {
        assert!(
            Template::parse(operation.template).is_ok(),
            "{}",
            operation.template
        );
        let request = request(operation.template);
        assert_eq!(
            find(operation.method, &request),
            Lookup::Found(operation),
            "{request}"
        );
    }
}

#[test]
fn operations_have_the_scope_that_databricks_documents() {
    for line in include_str!("documented_scopes.tsv").lines() {
        let fields: Vec<_> = line.split('\t').collect();
        let [method, template, scope] = fields[..] else {
            panic!("{line}")
        };
        let Lookup::Found(operation) = find(method, &request(template)) else {
            panic!("{line}")
        };
        assert_eq!(operation.area(), scope, "{line}");
        assert!(!operation.marks.has(Mark::Undocumented), "{line}");
    }
}

/// A path that a template takes.
fn request(template: &str) -> String {
    let segments = template
        .split('/')
        .map(|segment| match segment.split_once('}') {
            Some((_, suffix)) => format!("zz{suffix}"),
            None => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn no_two_operations_answer_to_one_request() {
    let catalogue = Catalogue::shared();
    for operation in catalogue.operations() {
        let template = template::segments(operation.template).map(|segment| match segment {
            Segment::Literal(text) => text.to_owned(),
            Segment::Verb(suffix) => format!("{{name}}{suffix}"),
            Segment::Name => "{name}".to_owned(),
            Segment::Rest => "{path=**}".to_owned(),
        });
        let mut template: Vec<_> = template.collect();
        if versioned(operation.template).is_some() {
            "{version}".clone_into(&mut template[1]);
        }
        let template = Template::parse(&format!("/{}", template.join("/"))).unwrap();
        let segments = template.segments().iter().map(Segment::as_ref);
        let rivals = catalogue.index.at(segments).iter().filter(|&&position| {
            let rival = &catalogue.operations[position];
            rival.method_is(operation.method) || operation.method_is(rival.method)
        });
        assert_eq!(
            rivals.count(),
            1,
            "{} {}",
            operation.method,
            operation.template
        );
    }
}

#[test]
fn the_index_has_room_and_not_much_more() {
    let nodes = Catalogue::shared().index.node_count();
    assert!((NODES / 2..=NODES).contains(&nodes), "{nodes} nodes");
}
