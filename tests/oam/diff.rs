//! `oam diff`: what changes for whom.

use serde_json::{Value, json};

use super::{file, oam, text};

const ISSUER: &str = r#"{ issuer: "https://a.example", audiences: [db], algorithms: [EdDSA], jwks: { keys: { keys: [{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }] } } }"#;

/// A configuration with these further lines.
fn configuration(name: &str, lines: &str) -> std::path::PathBuf {
    file(name, &format!("issuers: [{ISSUER}]\n{lines}"))
}

/// What the comparison of two configurations says, in JSON.
fn changes(name: &str, old: &str, new: &str) -> Value {
    let old = configuration(&format!("diff-{name}-old.yaml"), old);
    let new = configuration(&format!("diff-{name}-new.yaml"), new);
    let ran = oam(&["diff", "--json", text(&old), text(&new)]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{name}");
    let said: Value = serde_json::from_str(&ran.out).unwrap();
    for change in said["changes"].as_array().unwrap() {
        confirmed(change, text(&old), text(&new));
    }
    said
}

/// Holds the example of a change against what `oam explain` says of it.
fn confirmed(change: &Value, old: &str, new: &str) {
    let example = &change["example"];
    let claims = file(
        &format!("diff-claims-{:?}.json", std::thread::current().id()),
        &example["claims"].to_string(),
    );
    let part = |name: &str| example[name].as_str().unwrap();
    for (config, side) in [(old, "old"), (new, "new")] {
        let mut arguments = vec!["explain", "--json", "--config", config];
        if example.get("claims").is_some() {
            arguments.extend(["--claims", text(&claims)]);
        } else {
            arguments.push("--anonymous");
        }
        for header in example["headers"].as_array().unwrap() {
            arguments.extend(["--header", header.as_str().unwrap()]);
        }
        arguments.extend([part("method"), part("url")]);
        let ran = oam(&arguments);
        let said: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(
            (&said["decision"], &said["reason"]),
            (&example[side]["decision"], &example[side]["reason"]),
            "{side}: {change}"
        );
    }
}

/// The lines of a comparison: kind, who, what, where, and whether narrow tokens are meant.
fn lines(said: &Value) -> Value {
    let changes = said["changes"].as_array().unwrap().iter();
    let line = |change: &Value| {
        json!([
            change["kind"],
            change["who"],
            change["what"],
            change["workspaces"],
            change["lacks_scopes"]
        ])
    };
    Value::Array(changes.map(line).collect())
}

#[test]
fn a_change_of_a_role_is_one_line() {
    let roles = |analyst: &str, engineer: &str| {
        format!(
            "workspaces: [{{ id: \"7\", hosts: [seven.example] }}, {{ id: \"8\", hosts: [eight.example] }}]\nroles:\n  - {{ name: analyst, members: [{{ group: red }}], grants: [{analyst}] }}\n  - {{ name: engineer, members: [{engineer}], grants: [clusters], workspaces: [\"7\"] }}\n"
        )
    };
    #[rustfmt::skip]
    let cases = [
        // name            old
        // new
        // want
        ("nothing",        roles("jobs", "{ group: blue }"),
                           roles("jobs", "{ group: blue }"),
                           json!([])),
        ("an area more",   roles("sql", "{ group: blue }"),
                           roles("jobs, sql", "{ group: blue }"),
                           json!([["new-access", ["`analyst`"], ["`jobs` (23 operations)"], [], false]])),
        ("reads alone",    roles("jobs", "{ group: blue }"),
                           roles("\"jobs:read\"", "{ group: blue }"),
                           json!([["lost-access", ["`analyst`"], ["`jobs` beyond `jobs:read` (14 operations)"], [], false]])),
        ("one for another", roles("\"files:data\"", "{ group: blue }"),
                           roles("alerts", "{ group: blue }"),
                           json!([["new-access", ["`analyst`"], ["`alerts` (9 operations)"], [], false],
                                  ["lost-access", ["`analyst`"], ["`files:data` (13 operations)"], [], false]])),
        ("a member more",  roles("jobs", "{ group: blue }"),
                           roles("jobs", "{ group: blue }, { group: navy }"),
                           json!([["new-access", ["new members of `engineer` (group `navy`)"], ["`clusters` (38 operations)"], ["7"], false]])),
    ];
    for (name, old, new, want) in cases {
        let said = changes(&name.replace(' ', "-"), &old, &new);
        assert_eq!(lines(&said), want, "{name}");
    }
}

#[test]
fn rules_tokens_and_modes_are_compared() {
    let roles = "roles: [{ name: analyst, members: [{ group: red }], grants: [jobs, own] }]\n";
    let rule = |rule: &str| format!("{roles}policy: {{ rules: [{rule}] }}\n");
    let app = "{ name: app, effect: require, paths: [\"/app/{path=**}\"], methods: [GET], scopes: [own] }";
    let jobs = "{ name: all, effect: require, paths: [\"/api/2.2/jobs/list\"], methods: [GET], any_scope: [jobs] }";
    let tool = |names: &str| {
        rule(&format!(
            "{{ name: mcp, effect: require, paths: [/mcp/a], scopes: [own], mcp: {{ names: [{names}] }} }}"
        ))
    };
    #[rustfmt::skip]
    let cases = [
        // name            old
        // new
        // want
        ("an own path",    roles.to_owned(), rule(app),
                           json!([["new-access", ["`analyst`"], ["GET `/app/{path=**}`"], [], false]])),
        ("renamed",        rule(app), rule(&app.replace("name: app", "name: web")),
                           json!([])),
        ("a health check", roles.to_owned(), rule("{ name: health, effect: public, paths: [/healthz] }"),
                           json!([["new-access", ["everybody with a token", "anybody, without a credential", "opaque tokens", "personal access tokens", "user names and passwords"], ["`/healthz`"], [], false]])),
        ("a wider scope",  roles.to_owned(), rule(jobs),
                           json!([["lost-access", ["`analyst`"], ["1 operation of `jobs`: jobs.list"], [], true]])),
        ("in shadow mode", rule(app), rule(&app.replace("scopes", "mode: shadow, scopes")),
                           json!([["new-access", ["callers without a role"], ["GET `/app/{path=**}`"], [], false],
                                  ["new-access", ["`analyst`"], ["GET `/app/{path=**}`"], [], true]])),
        ("tried out",      roles.to_owned(), rule(&jobs.replace("any_scope: [jobs]", "mode: shadow, scopes: [sql]")),
                           json!([["newly-shadowed", ["`analyst`"], ["1 operation of `jobs`: jobs.list"], [], false]])),
        ("one tool more",  tool("a"), tool("a, b"),
                           json!([["new-access", ["`analyst`"], ["`/mcp/a` (ping b, tools/call b)"], [], false]])),
        ("static tokens",  roles.to_owned(), format!("{roles}credentials: {{ opaque: observe }}\n"),
                           json!([["new-access", ["opaque tokens"], ["1994 of 1994 operations"], [], false]])),
    ];
    for (name, old, new, want) in cases {
        let said = changes(&name.replace(' ', "-"), &old, &new);
        assert_eq!(lines(&said), want, "{name}");
    }
}

/// What the page shows, and the comment that the pull request gets.
#[test]
fn a_review_is_told_as_its_page_has_it() {
    let files = [
        "tests/oam/review/before.yaml",
        "tests/oam/review/after.yaml",
    ];
    let texts = oam(&[&["diff"], &files[..]].concat());
    assert_eq!(texts.out, include_str!("review/said.txt"));
    let markdown = oam(&[&["diff", "--markdown"], &files[..]].concat());
    assert_eq!(markdown.out, include_str!("review/said.md"));
    assert_eq!((texts.code, markdown.code), (Some(0), Some(0)));
    let same = oam(&["diff", "--markdown", files[0], files[0]]);
    let want = "## Access changes\n\nNo difference: the same requests pass for the same callers, and every other setting is the same.\n";
    assert_eq!((same.code, same.out.as_str()), (Some(0), want));
}
