use proptest::prelude::*;

use super::*;
use crate::audit::host_log::LogLevel;
use crate::audit::settings::RecordFormat;
use crate::policy::Unmatched;
use crate::policy::rule::{Effect, Mode};

const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// A configuration with one issuer and `more` sections.
pub(super) fn with(more: &str) -> String {
    format!(
        r#"{{"issuers":[{{"issuer":"https://i.example","audiences":["a"],"jwks":{{"keys":{KEYS}}}}}]{more}}}"#
    )
}

/// A configuration whose one issuer has these members besides its name.
fn issuer(members: &str) -> String {
    format!(r#"{{"issuers":[{{"issuer":"https://i.example",{members}}}]}}"#)
}

pub(super) fn problems(text: &str) -> Vec<String> {
    match Configuration::parse(text.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(error) => texts(&error),
    }
}

/// What a refusal says, a line for each problem.
pub(super) fn texts(error: &ConfigError) -> Vec<String> {
    error.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn the_smallest_configuration_has_every_default() {
    let configuration = Configuration::parse(with("").as_bytes()).unwrap();
    let issuer = &configuration.authorizer.issuers[0];
    assert_eq!(issuer.clock_skew, Duration::from_secs(30));
    assert_eq!(issuer.max_token_lifetime, None);
    assert_eq!(configuration.authorizer.max_token_bytes, 16_384);
    assert_eq!(configuration.authorizer.policy.mode, Mode::Enforce);
    assert_eq!(configuration.authorizer.policy.unmatched, Unmatched::Deny);
    assert_eq!(
        configuration.waiting,
        Waiting {
            requests: 1024,
            time: Duration::from_secs(5)
        }
    );
    assert_eq!(configuration.resource, Resource::default());
    let records = RecordSettings {
        format: RecordFormat::Compact,
        log: Some(LogLevel::Info),
        collector: None,
        required: true,
        inputs: false,
        access_log: false,
    };
    assert_eq!(configuration.records, records);
    assert!(!configuration.forward_identity && configuration.share_keys);
}

#[test]
fn every_section_is_read() {
    let text = format!(
        r#"{{
        "resource": {{"identifier": "https://db.example/api", "access_request_url": "https://idp.example/r?scope={{scopes}}"}},
        "issuers": [
            {{"issuer": "https://acme.okta.com/oauth2/aus1", "preset": "okta", "audiences": ["databricks"],
              "jwks": {{"cluster": "okta", "uri": "https://acme.okta.com/oauth2/aus1/v1/keys", "timeout": "5s", "refresh": "10m", "max_stale": "24h"}},
              "algorithms": ["RS256", "ES256"], "clients": [], "clock_skew": "30s", "max_token_lifetime": "1h", "token_type": "at+jwt",
              "claims": {{"scopes": ["scp", "scope"], "groups": ["groups"], "roles": [["realm_access", "roles"]], "client": ["cid"]}},
              "scopes": {{"source": "token", "prefix": "databricks:", "aliases": {{"dbx-jobs-read": ["jobs:read"]}}}}}},
            {{"issuer": "https://token.actions.githubusercontent.com", "preset": "github_actions", "audiences": ["databricks"], "jwks": {{"keys": {KEYS}}}}}
        ],
        "roles": [{{"name": "data-engineer", "members": [
            {{"group": "data-eng"}},
            {{"issuer": "https://token.actions.githubusercontent.com", "subject": "repo:acme/etl:ref:refs/heads/main"}},
            {{"claim": ["department"], "value": "data"}}],
            "grants": ["jobs", "unity-catalog:read"], "workspaces": ["1234567890123456"]}}],
        "workspaces": [{{"id": "1234567890123456", "hosts": ["databricks.example.com"]}}],
        "policy": {{"mode": "shadow", "unmatched": "all-apis", "rules": [
            {{"name": "no-token-minting", "effect": "deny", "paths": ["/api/2.0/token/create"], "methods": ["POST"]}},
            {{"name": "etl-app", "effect": "require", "paths": ["/apps/etl/{{path=**}}"], "scopes": ["jobs"], "mode": "shadow"}},
            {{"name": "partner", "effect": "require", "paths": ["/b/{{path=**}}"], "methods": ["GET"], "any_scope": ["b.read", "b.admin"], "issuers": ["https://acme.okta.com/oauth2/aus1"]}},
            {{"name": "health", "effect": "public", "paths": ["/healthz"], "methods": ["GET"]}}]}},
        "credentials": {{"personal_access_token": "deny", "basic": "deny", "opaque": "deny"}},
        "withdrawn": {{"token_ids": ["t-1"], "issued_before": [{{"issuer": "https://acme.okta.com/oauth2/aus1", "time": 1795435200.0}}],
            "list": {{"cluster": "security", "uri": "https://security.example.com/withdrawn.json", "poll": "10s", "max_stale": "1h", "when_stale": "refuse"}}}},
        "limits": {{"token_bytes": 16384.0, "waiting_requests": 10, "waiting_time": "2s", "cached_tokens": 10000, "cached_bytes": 16777216}},
        "audit": {{"format": "compact", "log": false}},
        "forward_identity": true, "share_keys": false
    }}"#
    );
    let configuration = Configuration::parse(text.as_bytes())
        .map_err(|error| error.to_string())
        .ok()
        .unwrap();
    let identifier = Identifier::parse("https://db.example/api").unwrap();
    assert_eq!(configuration.resource.identifier, Some(identifier));
    assert_eq!(
        configuration.waiting,
        Waiting {
            requests: 10,
            time: Duration::from_secs(2)
        }
    );
    assert!(configuration.forward_identity && !configuration.share_keys);
    assert_eq!(configuration.records.log, None);
    assert_eq!(configuration.authorizer.withdrawn.len(), 2);
    assert_eq!(
        configuration.authorizer.issuers[0].max_token_lifetime,
        Some(Duration::from_hours(1))
    );
    let policy = &configuration.authorizer.policy;
    assert_eq!(
        (policy.mode, policy.unmatched),
        (Mode::Shadow, Unmatched::AllApis)
    );
    assert_eq!(policy.rules.rules()[1].mode, Mode::Shadow);
    assert_eq!(policy.rules.rules()[3].effect, Effect::Public);
    assert_eq!(policy.roles.as_slice()[0].members.len(), 3);
}

#[test]
fn errors_name_their_place_and_the_remedy() {
    let jwks = format!(r#""audiences":["a"],"jwks":{{"keys":{KEYS}}}"#);
    let rules = |rules: &str| with(&format!(r#","policy":{{"rules":[{rules}]}}"#));
    let role = |members: &str| {
        with(&format!(
            r#","roles":[{{"name":"r","grants":["jobs"],{members}}}]"#
        ))
    };
    #[rustfmt::skip]
    let cases = [
        // configuration
        // its one problem
        ("[".to_owned(),                                                                                          "the configuration is not JSON: EOF while parsing a list at line 1 column 1"),
        ("{}".to_owned(),                                                                                         "missing field `issuers`"),
        (r#"{"issuers":[]}"#.to_owned(),                                                                          "issuers: empty: name at least one issuer, or no token can be accepted"),
        (issuer(r#""audiences":["a"],"jwks":{"cluster":"c","uri":"htp://…"}"#),                                   "issuers[0].jwks.uri: not an https URL: `htp://…`"),
        (issuer(r#""audiences":["a"],"jwks":{"uri":"https://a.example/k"}"#),                                     "issuers[0].jwks.cluster: missing: name the cluster that leads to the issuer, or put its keys into `keys`"),
        (issuer(r#""audiences":["a"],"jwks":{"cluster":"c","timeout":"0s"}"#),                                    "issuers[0].jwks.timeout: must be between 50ms and 1m"),
        (issuer(r#""audiences":["a"],"jwks":{"cluster":"c","timeout":"5"}"#),                                     "issuers[0].jwks.timeout: a duration without a unit: write `ms`, `s`, `m` or `h` behind the number, as in `30s`: `5`"),
        (issuer(r#""audiences":["a"],"jwks":{"cluster":"c","timeout":5}"#),                                       "issuers[0].jwks.timeout: invalid type: integer `5`, expected a duration with its unit, as in `30s`"),
        (issuer(r#""audiences":["a"],"jwks":{"keys":{"keys":[]}}"#),                                              "issuers[0].jwks.keys: no usable key"),
        (issuer(&format!(r#""preset":"Okta",{jwks}"#)),                                                           "issuers[0].preset: no preset of this name; there are auth0, aws_iam, cognito, databricks, entra, entra_v1, generic, github_actions, google, keycloak, okta, pingone, rfc9068: `Okta`"),
        (issuer(&format!(r#""preset":"okta",{jwks}"#)),                                                           "issuers[0].issuer: Okta's org authorization server, whose tokens only Okta can validate: use a custom one, as `https://…/oauth2/default`: `https://i.example`"),
        (issuer(&format!(r#""preset":"aws_iam",{jwks}"#)),                                                        "issuers[0].scopes.source: `roles`, and no roles are configured: nobody would be granted anything"),
        (issuer(&format!(r#""audience":["a"],{jwks}"#)),                                                          "issuers[0].audience: unknown field `audience`, expected one of `issuer`, `preset`, `audiences`, `jwks`, `algorithms`, `clients`, `clock_skew`, `max_token_lifetime`, `token_type`, `claims`, `scopes`"),
        (issuer(&format!(r#""jwks":{{"keys":{KEYS}}}"#)),                                                         "issuers[0].audiences: empty: name the `aud` that this gateway's tokens have, or tokens for other services would be accepted"),
        (issuer(&format!(r#""token_type":"Application/LOGOUT+jwt",{jwks}"#)),                                     "issuers[0].token_type: no access token's type: write `at+jwt`, or leave it out: `Application/LOGOUT+jwt`"),
        (issuer(&format!(r#""clock_skew":"1h",{jwks}"#)),                                                         "issuers[0].clock_skew: must be between 0ms and 10m"),
        (role(r#""members":[{}]"#),                                                                               "roles[0].members[0]: no condition: name a group, role, client, subject, actor, issuer or claim"),
        (role(r#""members":[{"claim":"c"}]"#),                                                                    "roles[0].members[0]: `claim` without `value`: say which value the claim must have"),
        (role(r#""members":[{"issuer":"https://x.example","group":"g"}]"#),                                       "roles[0].members[0].issuer: not a configured issuer; write its `issuer`, byte for byte: `https://x.example`"),
        (role(r#""members":[{"group":"g"}],"workspaces":["7"]"#),                                                 "roles[0].workspaces[0]: not among the configured `workspaces`: add it there: `7`"),
        (with(r#","roles":[{"name":"a,b","members":[],"grants":[]}]"#),                                           "roles[0].name: a name has 1 to 128 letters, digits and `-_.:/`: `a,b`"),
        (with(r#","workspaces":[{"id":"x","hosts":["h"]}]"#),                                                     "workspaces[0].id: not a workspace ID, which is a number without leading zeros: `x`"),
        (rules(r#"{"name":"r","effect":"require","paths":["/a"]}"#),                                              "policy.rules[0]: a rule that requires needs either `scopes` (all of them) or `any_scope` (one of them), not empty"),
        (rules(r#"{"name":"r","effect":"deny","paths":["/a"],"scopes":["s"]}"#),                                  "policy.rules[0]: scopes in a rule that asks for none: write `effect: require`, or leave them out"),
        (rules(r#"{"name":"r","effect":"public","paths":["/a"],"mode":"shadow"}"#),                               "policy.rules[0]: a public rule asks nobody who they are: leave out `issuers`, `mcp` and `mode`"),
        (rules(r#"{"name":"r","effect":"public","paths":["/a"],"mcp":{"names":["t"]}}"#),                         "policy.rules[0]: a public rule asks nobody who they are: leave out `issuers`, `mcp` and `mode`"),
        (rules(r#"{"name":"r","effect":"deny","paths":["/a"],"mcp":{}}"#),                                        "policy.rules[0].mcp: no condition: name `methods`, `names` or both"),
        (rules(r#"{"name":"r","effect":"deny","paths":["/a"],"mcp":{"tools":["t"]}}"#),                           "policy.rules[0].mcp.tools: unknown field `tools`, expected `methods` or `names`"),
        (rules(r#"{"name":"r","effect":"deny","paths":["/a"],"mcp":{"names":[]}}"#),                              "policy.rules[0].mcp.names: empty: leave it out for any"),
        (rules(r#"{"name":"r","effect":"deny","paths":["/a"],"mcp":{"methods":["tools call"]}}"#),                "policy.rules[0].mcp.methods[0]: no text that a header has: write visible ASCII without a comma: `tools call`"),
        (rules(r#"{"name":"r","effect":"deny","paths":[]}"#),                                                     "policy.rules[0].paths: empty: name a path, or the rule matches nothing"),
        (rules(r#"{"name":"r","effect":"deny","paths":["/a"],"methods":["get"]}"#),                               "policy.rules[0].methods[0]: not a method in capital letters: `get`"),
        (rules(r#"{"name":"r","effect":"allow","paths":["/a"]}"#),                                                "policy.rules[0].effect: unknown variant `allow`, expected one of `deny`, `public`, `require`"),
        (with(r#","credentials":{"basic":"allow"}"#),                                                             "credentials.basic: unknown variant `allow`, expected one of `deny`, `observe`, `until`"),
        (with(r#","credentials":{"opaque":{"until":"2027-02-29"}}"#),                                             "credentials.opaque.until: not a date, as `2027-01-31`: `2027-02-29`"),
        (with(r#","audit":{"fingerprint_key":"short"}"#),                                                         "audit.fingerprint_key: shorter than 32 characters, so it could be guessed: write what `openssl rand -hex 32` prints"),
        (with(r#","audit":{"level":"warning"}"#),                                                                 "audit.level: unknown variant `warning`, expected one of `info`, `warn`, `error`, `critical`"),
        (with(r#","audit":{"format":"cef"}"#),                                                                    "audit.format: unknown variant `cef`, expected `compact` or `ocsf`"),
        (with(r#","limits":{"token_bytes":100}"#),                                                                "limits.token_bytes: must be between 512 and 61440"),
        (with(r#","limits":{"token_bytes":1024.5}"#),                                                             "limits.token_bytes: invalid value: a number with a fraction, expected a whole number"),
        (with(r#","resource":{"identifier":"http://db.example"}"#),                                               "resource.identifier: not an https URL: `http://db.example`"),
        (with(r#","forward_identity":1"#),                                                                        "forward_identity: invalid type: integer `1`, expected a boolean"),
    ];
    for (text, want) in cases {
        assert_eq!(problems(&text), [want], "{text}");
    }
}

#[test]
fn rules_that_tie_are_named_both() {
    let text = with(
        r#","policy":{"rules":[
            {"name":"one","effect":"require","paths":["/a/{id}"],"scopes":["s"],"methods":["GET","POST"]},
            {"name":"two","effect":"require","paths":["/b","/a/{name}"],"scopes":["t"],"methods":["POST"]},
            {"name":"three","effect":"require","paths":["/a/{x}"],"scopes":["t"],"methods":["PUT"]},
            {"name":"four","effect":"require","paths":["/a/b"],"scopes":["t"]}]}"#,
    );
    let want = "policy.rules[1].paths: `two` and `one` (policy.rules[0]) match the same requests and neither path is more specific: \
                merge them, or give them different methods, issuers or paths";
    assert_eq!(problems(&text), [want]);
}

#[test]
fn all_problems_are_told_at_once() {
    let text = r#"{"issuers":[{"issuer":"i","preset":"x","jwks":{"cluster":"c","uri":"u"}}],"limits":{"token_bytes":1},"exchange":{"cluster":"","token_endpoint":"x"}}"#;
    let places: Vec<String> = problems(text)
        .iter()
        .map(|problem| problem.split(':').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        places,
        [
            "limits.token_bytes",
            "exchange.cluster",
            "exchange.token_endpoint",
            "issuers[0].preset",
            "issuers[0].jwks.uri"
        ]
    );
}

#[test]
fn a_mistake_of_shape_hides_no_other() {
    let text = format!(
        r#"{{"issuers":[
            {{"issuer":"https://i.example","audience":["a"],"preset":"Okta","clock_skew":30,"jwks":{{"keys":{KEYS}}}}},
            {{"audiences":["a",5],"jwks":{{"cluster":"c","uri":"https://a.example/k","timeout":"5"}}}},
            "https://j.example"],
          "roles":[{{"members":[{{"claim":"c"}},7]}},{{"name":"r","members":[{{"group":1}}],"grants":"jobs"}}],
          "policy":{{"rules":[{{"name":"x","effect":"allow","paths":["/a//b"]}},{{"effect":"require","path":["/a"],"scopes":["s"]}}]}},
          "exchnge":{{}},"forward_identity":"yes"}}"#
    );
    #[rustfmt::skip]
    let want = [
        "exchnge: unknown field `exchnge`, expected one of `resource`, `issuers`, `roles`, `workspaces`, `policy`, `credentials`, `exchange`, `withdrawn`, `limits`, `audit`, `self_service`, `forward_identity`, `share_keys`",
        "issuers[0].audience: unknown field `audience`, expected one of `issuer`, `preset`, `audiences`, `jwks`, `algorithms`, `clients`, `clock_skew`, `max_token_lifetime`, `token_type`, `claims`, `scopes`",
        "issuers[0].clock_skew: invalid type: integer `30`, expected a duration with its unit, as in `30s`",
        "issuers[1]: missing field `issuer`",
        "issuers[1].audiences[1]: invalid type: integer `5`, expected a string",
        "issuers[1].jwks.timeout: a duration without a unit: write `ms`, `s`, `m` or `h` behind the number, as in `30s`: `5`",
        "issuers[2]: invalid type: a text, expected an object",
        "roles[0]: missing field `name`",
        "roles[0].members[1]: invalid type: integer `7`, expected an object",
        "roles[0]: missing field `grants`",
        "roles[1].members[0].group: invalid type: integer `1`, expected a string",
        "roles[1].grants: invalid type: a text, expected a list",
        "policy.rules[0].effect: unknown variant `allow`, expected one of `deny`, `public`, `require`",
        "policy.rules[1].path: unknown field `path`, expected one of `name`, `effect`, `paths`, `methods`, `scopes`, `any_scope`, `issuers`, `mcp`, `mode`, `exact`, `websocket`",
        "policy.rules[1]: missing field `name`",
        "policy.rules[1]: missing field `paths`",
        "forward_identity: invalid type: a text, expected a boolean",
        "policy.rules[0].paths[0]: an empty segment at byte 3, which no request can hold: write one slash: `/a//b`",
        "roles[0].members[0]: `claim` without `value`: say which value the claim must have",
        "issuers[0].preset: no preset of this name; there are auth0, aws_iam, cognito, databricks, entra, entra_v1, generic, github_actions, google, keycloak, okta, pingone, rfc9068: `Okta`",
    ];
    assert_eq!(problems(&text), want);
}

#[test]
fn the_digest_ignores_order_and_white_space() {
    let digest = |text: &str| {
        Configuration::parse(text.as_bytes())
            .map(|configuration| configuration.digest)
            .unwrap()
    };
    let one = digest(&with(r#","forward_identity":true,"audit":{"log":true}"#));
    let other = digest(&with(
        r#", "audit": {"log": true}, "forward_identity": true"#,
    ));
    assert_eq!(one, other);
    assert_ne!(one, digest(&with("")));
    assert_eq!(one.len(), 12);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = Configuration::parse(&bytes);
    }

    #[test]
    fn no_change_of_a_good_configuration_panics(offset in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut text = with(
            r#","roles":[{"name":"r","members":[{"group":"g"}],"grants":["jobs"]}],"policy":{"rules":[{"name":"x","effect":"deny","paths":["/a/{id}:go","/b/{p=**}"]}]}"#,
        ).into_bytes();
        let length = text.len();
        text[offset.index(length)] = byte;
        let _ = Configuration::parse(&text);
    }
}
