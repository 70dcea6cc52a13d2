use super::*;

#[test]
fn a_request_is_its_method_and_resource() {
    #[rustfmt::skip]
    let cases = [
        ("/api/2.2/jobs/list",              Some("/jobs/list")),
        ("/api/2.0/apps/{name}/start",      Some("/apps/{}/start")),
        ("/api/2.0/x/{name}:query",         Some("/x/{}:query")),
        ("/api/2.0/fs/files/{path=**}",     Some("/fs/files/**")),
        ("/api/warehouses/v1/x",            Some("/api/warehouses/v1/x")),
        ("/sql/1.0/warehouses/{id}",        Some("/sql/1.0/warehouses/{}")),
        ("/api/2.0/v{name}",                None),
    ];
    for (template, want) in cases {
        let want = want.map(|shape| ("GET".to_owned(), shape.to_owned()));
        assert_eq!(key("GET", template), want, "{template}");
    }
}

#[test]
fn the_first_of_several_calls_names_the_operation() {
    let calls = vec![
        call(
            "MlflowService.searchRuns",
            "POST",
            "/api/2.0/mlflow/runs/search",
        ),
        call(
            "ExperimentsAPI.search_runs",
            "POST",
            "/api/2.0/mlflow/runs/search",
        ),
        call(
            "GroupsV2API.get",
            "GET",
            "/api/2.0/preview/scim/v2/Groups/{id}",
        ),
        call(
            "GroupsAPI.get",
            "GET",
            "/api/2.0/preview/scim/v2/Groups/{id}",
        ),
    ];
    let rows = derive(calls, &Rules::new()).rows;
    let named = |template: &str| {
        rows.iter()
            .find(|row| row.template == template)
            .map(|row| &*row.name)
    };
    assert_eq!(
        named("/api/2.0/mlflow/runs/search"),
        Some("experiments.search-runs")
    );
    assert_eq!(
        named("/api/2.0/preview/scim/v2/Groups/{id}"),
        Some("groups.get")
    );
}

#[test]
fn what_cannot_be_placed_is_an_error() {
    let calls = vec![call("NewAPI.get", "GET", "/api/2.0/unheard-of/{id}")];
    let errors = derive(calls, &Rules::new()).errors;
    let want = "GET /api/2.0/unheard-of/{id} (NewAPI.get): add its area to `rules/areas.tsv`";
    assert!(errors.iter().any(|error| error == want), "{errors:?}");
}

#[test]
fn what_is_not_named_as_a_read_writes() {
    #[rustfmt::skip]
    let cases = [
        // source                               method  path
        // want
        ("TokensAPI.list",                      "GET",  "/api/2.0/token/list",                                   "read"),
        ("TokensAPI.list_or_create",            "POST", "/api/2.0/token/list-or-create",                         "write"),
        ("TokensAPI.search",                    "POST", "/api/2.0/token/search",                                 "write"),
        ("ExperimentsAPI.search_runs",          "POST", "/api/2.0/mlflow/runs/search",                           "read"),
        ("WorkspaceIamV2API.resolve_user_proxy", "POST", "/api/2.0/identity/users/resolve-by-external-id",       "write"),
    ];
    for (source, method, path, want) in cases {
        let rows = derive(vec![call(source, method, path)], &Rules::new()).rows;
        let row = rows.iter().find(|row| row.template == path);
        assert_eq!(row.map(|row| &*row.access), Some(want), "{source}");
    }
}

fn call(source: &str, method: &str, path: &str) -> Call {
    Call {
        source: source.to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        ..Call::default()
    }
}
