//! `oam init`, `permissions`, `completions`, `man`, and how one of several configurations is
//! chosen.

use std::fs;
use std::path::{Path, PathBuf};

use super::{file, oam, text};

/// A folder of this test run that is not there yet.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    path
}

#[test]
fn what_init_writes_is_valid_for_every_provider_and_platform() {
    for platform in ["envoy", "istio", "envoy-gateway"] {
        for (preset, issuer, keys) in PROVIDERS {
            let name = format!("init-{platform}-{preset}");
            let out = folder(&name);
            let ran = oam(&[
                "init",
                "--idp",
                preset,
                "--issuer",
                issuer,
                "--audience",
                "api",
                "--host",
                "dbc-7.cloud.databricks.com",
                "--name",
                "dbx.corp.example",
                "--for",
                platform,
                "--out",
                text(&out),
            ]);
            assert_eq!(
                (ran.code, ran.err.as_str()),
                (Some(0), ""),
                "{name}: {}",
                ran.out
            );
            assert!(ran.out.contains("valid, 0 warnings"), "{name}: {}", ran.out);
            let written = read(&out);
            for theirs in [
                "acme.okta.com",
                "dbc-a1b2c3d4",
                "databricks.example.com",
                "okta,",
            ] {
                let is_theirs = preset != "okta" || theirs != "okta,";
                assert!(!is_theirs || !written.contains(theirs), "{name}: {theirs}");
            }
            for ours in [
                issuer,
                keys,
                "dbx.corp.example",
                "dbc-7.cloud.databricks.com",
            ] {
                assert!(written.contains(ours), "{name}: {ours}");
            }
        }
    }
}

/// A token as the provider's page has it made passes under what is written for that provider.
#[test]
fn what_init_writes_fits_what_the_pages_say() {
    #[rustfmt::skip]
    let cases = [
        ("okta",     r#"{"cid": "c", "scp": ["databricks:jobs"], "groups": ["dbx-data-engineers"]}"#),
        ("keycloak", r#"{"azp": "c", "typ": "Bearer", "scope": "databricks:jobs", "realm_access": {"roles": ["data-engineer"]}}"#),
        ("auth0",    r#"{"azp": "c", "scope": "databricks:jobs", "permissions": ["data-engineer"]}"#),
        ("entra",    r#"{"ver": "2.0", "azp": "c", "oid": "o", "scp": "Databricks.Use", "roles": ["Databricks.Operator"]}"#),
    ];
    for (preset, claims) in cases {
        let (_, issuer, _) = PROVIDERS.iter().find(|(name, ..)| *name == preset).unwrap();
        let out = folder(&format!("init-page-{preset}"));
        let names = ["--audience", "api", "--host", "dbc-7.cloud.databricks.com"];
        let rest = ["--name", "dbx.corp.example", "--out", text(&out)];
        let arguments = ["init", "--idp", preset, "--issuer", issuer];
        let ran = oam(&[&arguments[..], &names, &rest].concat());
        assert_eq!(ran.code, Some(0), "{preset}: {}", ran.err);
        let mut claims: serde_json::Value = serde_json::from_str(claims).unwrap();
        claims["sub"] = "ada".into();
        let claims = file(&format!("init-page-{preset}.json"), &claims.to_string());
        let config = out.join("production/listeners.yaml");
        let arguments = [
            "explain",
            "--json",
            "--config",
            text(&config),
            "--claims",
            text(&claims),
        ];
        let call = ["POST", "https://dbx.corp.example/api/2.2/jobs/run-now"];
        let ran = oam(&[&arguments[..], &call].concat());
        let said: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let said = [&said["reason"], &said["roles"]].map(ToString::to_string);
        assert_eq!(
            said,
            ["\"permitted\"", "[\"data-engineer\"]"],
            "{preset}: {}",
            ran.out
        );
    }
}

/// All that is in a folder.
fn read(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        text.push_str(&if path.is_dir() {
            read(&path)
        } else {
            fs::read_to_string(path).unwrap()
        });
    }
    text
}

#[test]
fn init_writes_nothing_over_and_nothing_that_cannot_be() {
    let out = folder("init-twice");
    let mut arguments = vec![
        "init",
        "--idp",
        "okta",
        "--issuer",
        "https://a.example/oauth2/default",
        "--audience",
        "api",
        "--host",
        "w.example",
        "--out",
        text(&out),
    ];
    assert_eq!(oam(&arguments).code, Some(0));
    let again = oam(&arguments);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("is there already"), "{}", again.err);
    let elsewhere = folder("init-never");
    *arguments.last_mut().unwrap() = text(&elsewhere);
    #[rustfmt::skip]
    let cases = [
        // place  value                                          what it says
        (2,       "ockta",                                        "Did you mean `okta`?"),
        (4,       "http://a.example",                             "not an https URL"),
        (6,       "a\"b",                                         "--audience is not valid"),
        (8,       "https://w.example",                            "--host is not valid"),
    ];
    for (place, value, want) in cases {
        let mut arguments = arguments.clone();
        arguments[place] = value;
        let ran = oam(&arguments);
        assert_eq!(ran.code, Some(2), "{value}");
        assert!(ran.err.contains(want), "{value}: {}", ran.err);
    }
    arguments[2] = "entra";
    arguments[4] = "https://login.microsoftonline.com/common/v2.0";
    assert!(oam(&arguments).err.contains("write your tenant's ID"));
    assert!(!elsewhere.exists());
}

#[test]
fn permissions_name_what_is_missing() {
    let config = file("permissions.json", PERMISSIONS);
    let claims = file(
        "permissions-claims.json",
        r#"{"groups":["ana"],"scope":"jobs"}"#,
    );
    let fixed = [
        "permissions",
        "--config",
        text(&config),
        "--claims",
        text(&claims),
        "--json",
    ];
    #[rustfmt::skip]
    let cases = [
        // workspace  operation        allowed  missing           reason                   roles
        (None,        "jobs.list",     true,    None,             "permitted",             &[][..]),
        (None,        "jobs.run-now",  false,   Some("role"),     "role_lacks_scope",      &["engineer"]),
        (None,        "jobs.delete",   false,   Some("rule"),     "denied_by_rule",        &[]),
        (None,        "warehouses.list", false, Some("scope"),    "insufficient_scope",    &[]),
        (Some("8"),   "jobs.list",     false,   Some("role"),     "workspace_not_granted", &["engineer"]),
    ];
    for (workspace, operation, allowed, missing, reason, roles) in cases {
        let workspace: Vec<&str> = workspace
            .into_iter()
            .flat_map(|id| ["--workspace", id])
            .collect();
        let ran = oam(&[&fixed[..], &workspace].concat());
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        let rows: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let rows = rows.as_array().unwrap();
        let row = rows
            .iter()
            .find(|row| row["operation"] == operation)
            .unwrap();
        let got = (
            &row["allowed"],
            &row["missing"],
            &row["reason"],
            &row["roles"],
        );
        let want = (
            &allowed.into(),
            &missing.into(),
            &reason.into(),
            &roles.into(),
        );
        assert_eq!(got, want, "{operation}");
    }
}

#[test]
fn permissions_need_a_workspace_and_a_token_that_are_known() {
    let config = file("permissions-known.json", PERMISSIONS);
    let known = file("permissions-known-claims.json", r#"{"groups":["ana"]}"#);
    let fixed = ["permissions", "--config", text(&config), "--claims"];
    let unknown = oam(&[&fixed[..], &[text(&known), "--workspace", "9"]].concat());
    assert_eq!(unknown.code, Some(2));
    let dead = file("permissions-dead.json", r#"{"groups":["ana"],"exp":1}"#);
    let ran = oam(&[
        "permissions",
        "--config",
        text(&config),
        "--claims",
        text(&dead),
    ]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(1), "token_expired: nothing is valid to judge by\n")
    );
}

#[test]
fn one_of_several_configurations_is_chosen_by_its_number() {
    let one = |audience: &str| {
        format!(
            r#"{{"issuers":[{{"issuer":"https://i.example","audiences":["{audience}"],"jwks":{{"cluster":"c","uri":"https://i.example/k"}}}}]}}"#
        )
    };
    let config = file(
        "several.yaml",
        &format!("{}\n---\n{}\n", one("first"), one("second")),
    );
    let claims = file("several-claims.json", r#"{"aud":"second","scope":"jobs"}"#);
    let explain = |config: &str| {
        oam(&[
            "explain",
            "--config",
            config,
            "--claims",
            text(&claims),
            "GET",
            "/api/2.2/jobs/list",
        ])
    };
    let several = explain(text(&config));
    assert_eq!(several.code, Some(2));
    assert!(
        several.err.contains("several.yaml#1") && several.err.contains("several.yaml#2"),
        "{}",
        several.err
    );
    assert_eq!(explain(&format!("{}#1", text(&config))).code, Some(1));
    assert_eq!(explain(&format!("{}#2", text(&config))).code, Some(0));
    assert_eq!(explain(&format!("{}#3", text(&config))).code, Some(2));
}

#[test]
fn shells_and_manuals_know_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = oam(&["completions", shell]);
        assert_eq!(ran.code, Some(0), "{shell}");
        assert!(ran.out.contains("permissions"), "{shell}");
    }
    let out = folder("man");
    let ran = oam(&["man", text(&out)]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let page = fs::read_to_string(out.join("oam-explain.1")).unwrap();
    assert!(page.contains(".TH") && page.contains("jwks"), "{page}");
    assert!(ran.out.contains("oam-permissions.1"));
}

#[test]
fn a_record_is_judged_again() {
    let config = file(
        "recorded.json",
        r#"{"issuers":[{"issuer":"https://i.example/oauth2/x","preset":"okta","audiences":["db"],"scopes":{"prefix":"dbx:"},"jwks":{"cluster":"c","uri":"https://i.example/k"}}],
            "roles":[{"name":"analyst","members":[{"group":"ana"}],"grants":["jobs:read"]}]}"#,
    );
    let record = |inputs: &str| {
        format!(
            "[2026-11-23 12:00:00.123][9][info][wasm] wasm log: {{\"time\":\"2026-11-23T12:00:00.123Z\",\"decision\":\"deny\",\"mode\":\"enforce\",\"reason\":\"role_lacks_scope\",\"decision_id\":\"d\",\"method\":\"POST\",\"host\":\"db.example\",\"path\":\"/api/2.2/jobs/run-now\",\"effective_scopes\":[\"jobs:read\"],\"token_scopes\":[\"jobs\"],\"roles\":[\"analyst\"],\"issuer\":\"https://i.example/oauth2/x\",\"subject\":\"ada\",\"client\":\"etl\",\"token_id\":\"t\",\"token_expires_at\":1795436400,\"token_lifetime\":3600,\"credential\":\"jwt\"{inputs}}}\n"
        )
    };
    let explain = |name: &str, inputs: &str| {
        let record = file(name, &record(inputs));
        let ran = oam(&[
            "explain",
            "--config",
            text(&config),
            "--record",
            text(&record),
            "--json",
        ]);
        serde_json::from_str::<serde_json::Value>(&ran.out)
            .unwrap_or_else(|_| panic!("{}", ran.err))
    };
    let whole = explain("recorded-1.log", r#","inputs":{"groups":["ana"]}"#);
    assert_eq!(whole["reason"], "role_lacks_scope");
    assert_eq!(whole["token_scopes"], serde_json::json!(["jobs"]));
    assert_eq!(whole["facts"]["subject"], "ada");
    assert_eq!(whole["facts"]["at"], "2026-11-23T12:00:00.123Z");
    assert_eq!(whole["not_recorded"], serde_json::json!(["the query"]));
    let without = explain("recorded-2.log", "");
    assert_eq!(without["roles"], serde_json::json!([]));
    // Without groups nobody can say again which roles they are, and what was decided stands beside.
    assert_eq!(
        without["facts"]["recorded"],
        "deny, role_lacks_scope, held by the caller: analyst"
    );
    assert_eq!(
        without["not_recorded"][1],
        "groups and other claims (`audit.inputs: true` would record them)"
    );
    let none = oam(&[
        "explain",
        "--config",
        text(&config),
        "--record",
        text(&config),
    ]);
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("holds no audit record"), "{}", none.err);
}

/// A provider's preset, an issuer of it, and the host that has its keys.
#[rustfmt::skip]
const PROVIDERS: [(&str, &str, &str); 13] = [
    ("auth0",          "https://acme.eu.auth0.com/",                                           "acme.eu.auth0.com"),
    ("aws_iam",        "https://abc.tokens.sts.global.api.aws",                                "abc.tokens.sts.global.api.aws"),
    ("cognito",        "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A",              "cognito-idp.eu-west-1.amazonaws.com"),
    ("databricks",     "https://dbc-7.cloud.databricks.com/oidc",                              "dbc-7.cloud.databricks.com"),
    ("entra",          "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0", "login.microsoftonline.com"),
    ("entra_v1",       "https://sts.windows.net/11111111-2222-3333-4444-555555555555/",        "login.microsoftonline.com"),
    ("generic",        "https://idp.example.com",                                              "idp.example.com"),
    ("github_actions", "https://token.actions.githubusercontent.com",                          "token.actions.githubusercontent.com"),
    ("google",         "https://accounts.google.com",                                          "www.googleapis.com"),
    ("keycloak",       "https://sso.example.com/realms/acme",                                  "sso.example.com"),
    ("okta",           "https://corp.okta.com/oauth2/default",                                 "corp.okta.com"),
    ("pingone",        "https://auth.pingone.eu/aaaa/as",                                      "auth.pingone.eu"),
    ("rfc9068",        "https://as.example.com",                                               "as.example.com"),
];

const PERMISSIONS: &str = r#"{"issuers":[{"issuer":"https://i.example","audiences":["db"],"jwks":{"cluster":"c","uri":"https://i.example/k"}}],
            "workspaces":[{"id":"7","hosts":["a.example"]},{"id":"8","hosts":["b.example"]}],
            "roles":[{"name":"analyst","members":[{"group":"ana"}],"grants":["jobs:read"],"workspaces":["7"]},
                     {"name":"engineer","members":[{"group":"eng"}],"grants":["jobs"]}],
            "policy":{"rules":[{"name":"no","effect":"deny","paths":["/api/2.2/jobs/delete"]}]}}"#;
