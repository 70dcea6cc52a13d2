use crate::config::Configuration;

const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// The warnings about a configuration of these issuers and sections.
fn warnings(issuers: &[&str], more: &str) -> Vec<String> {
    let issuers: Vec<String> = issuers
        .iter()
        .map(|name| format!(r#"{{"issuer":"{name}","audiences":["a"],"jwks":{{"keys":{KEYS}}}}}"#))
        .collect();
    let text = format!(r#"{{"issuers":[{}],{more}}}"#, issuers.join(","));
    let configuration = Configuration::parse(text.as_bytes()).map_err(|error| error.to_string());
    let warnings = configuration.map(|configuration| configuration.warnings);
    warnings.unwrap().iter().map(ToString::to_string).collect()
}

fn role(member: &str, grant: &str) -> String {
    format!(r#""roles":[{{"name":"r","members":[{member}],"grants":["{grant}"]}}]"#)
}

fn rules(rules: &str) -> String {
    let role = role(r#"{"group":"g"}"#, "jobs");
    format!(r#"{role},"policy":{{"rules":[{rules}]}}"#)
}

/// The same, with a role of one issuer's.
fn of_a(rules: &str) -> String {
    let role = role(r#"{"group":"g","issuer":"https://a.example"}"#, "jobs");
    format!(r#"{role},"policy":{{"rules":[{rules}]}}"#)
}

#[test]
fn what_can_hardly_be_meant_is_told_with_its_place_and_a_remedy() {
    let (one, two) = (
        &["https://a.example"][..],
        &["https://a.example", "https://b.example"][..],
    );
    let group = r#"{"group":"g"}"#;
    let deny = r#"{"name":"d","effect":"deny","paths":["/a/{path=**}"],"methods":["POST","PUT"]}"#;
    #[rustfmt::skip]
    let cases = [
        // name                        issuers  sections
        // the one warning
        ("nothing odd",                one,     role(group, "jobs:read"),                                                                                             ""),
        ("nobody can hold it",         one,     role("", "jobs"),                                                                                                     "roles[0].members: empty: nobody can hold `r`"),
        ("a slip",                     one,     role(group, "job:read"),                                                                                              "roles[0].grants[0]: no area of Databricks and in no rule, so it grants nothing; did you mean `jobs:read`?: `job:read`"),
        ("data that are a slip",       one,     role(group, "fils:data"),                                                                                             "roles[0].grants[0]: no area of Databricks and in no rule, so it grants nothing; did you mean `files:data`?: `fils:data`"),
        ("data",                       one,     role(group, "files:data"),                                                                                            ""),
        ("no area at all",             one,     role(group, "bananas-galore"),                                                                                        "roles[0].grants[0]: no area of Databricks and in no rule, so it grants nothing; write an area of `oam catalogue`, or ask for it in a rule: `bananas-galore`"),
        ("a scope of Databricks Apps", one,     role(group, "catalog.tables:read"),                                                                                   ""),
        ("a scope of one's own",       one,     format!(r#"{},"policy":{{"rules":[{{"name":"x","effect":"require","paths":["/x"],"scopes":["own"]}}]}}"#, role(group, "own")), ""),
        ("a group of which issuer",    two,     role(group, "jobs"),                                                                                                  "roles[0].members[0]: holds for every configured issuer, and what one of them calls so may be somebody else's at another: name the `issuer`"),
        ("a group of this issuer",     two,     role(r#"{"group":"g","issuer":"https://b.example"}"#, "jobs"),                                                        ""),
        ("no ceiling",                 one,     r#""forward_identity":false"#.to_owned(),                                                                             "roles: none: a token with `all-apis`, which Databricks clients ask for unless told otherwise, may do everything; name functional roles with what each may do at most"),
        ("no records",                 one,     format!(r#"{},"audit":{{"log":false}}"#, role(group, "jobs")),                                                        "audit.log: `false` without `audit.otlp`: no decision leaves a record; set `audit.log: true`, or add `audit.otlp`"),
        ("records for a collector",    one,     format!(r#"{},"audit":{{"log":false,"otlp":{{"cluster":"c","uri":"https://c.example/v1/logs"}}}}"#, role(group, "jobs")), ""),
        ("the unknown let through",    one,     format!(r#"{},"policy":{{"unmatched":"all-apis"}}"#, role(group, "jobs")),                                            "policy.unmatched: `all-apis`: requests that nobody described are let through for whoever holds `all-apis`; write `deny`, and a rule for each that you need"),
        ("public, and the API",        one,     rules(r#"{"name":"x","effect":"public","paths":["/api/2.0/x"]}"#),                                                    "policy.rules[0].paths[0]: public, and part of the Databricks API: whoever reaches the gateway may call it: `/api/2.0/x`"),
        ("public, and everything",     one,     rules(r#"{"name":"x","effect":"public","paths":["/{path=**}"]}"#),                                                    "policy.rules[0].paths[0]: public, and part of the Databricks API: whoever reaches the gateway may call it: `/{path=**}`"),
        ("denied before",              one,     rules(&format!(r#"{deny},{{"name":"x","effect":"require","paths":["/a/{{id}}:go"],"methods":["PUT"],"scopes":["jobs"]}}"#)), "policy.rules[1].paths[0]: never applies: `d` denies all that it describes: remove one of the two: `/a/{id}:go`"),
        ("denied afterwards",          one,     rules(&format!(r#"{{"name":"x","effect":"require","paths":["/a/b"],"methods":["PUT"],"scopes":["jobs"]}},{deny}"#)), "policy.rules[0].paths[0]: never applies: `d` denies all that it describes: remove one of the two: `/a/b`"),
        ("another method",             one,     rules(&format!(r#"{deny},{{"name":"x","effect":"require","paths":["/a/b"],"methods":["GET"],"scopes":["jobs"]}}"#)),  ""),
        ("any method",                 one,     rules(&format!(r#"{deny},{{"name":"x","effect":"require","paths":["/a/b"],"scopes":["jobs"]}}"#)),                    ""),
        ("a wider path",               one,     rules(&format!(r#"{deny},{{"name":"x","effect":"require","paths":["/{{path=**}}"],"methods":["PUT"],"scopes":["jobs"]}}"#)), ""),
        ("one tool of those denied",   one,     rules(r#"{"name":"d","effect":"deny","paths":["/a"],"mcp":{"methods":["tools/call"]}},{"name":"x","effect":"require","paths":["/a"],"mcp":{"methods":["tools/call"],"names":["t"]},"scopes":["jobs"]}"#), "policy.rules[1].paths[0]: never applies: `d` denies all that it describes: remove one of the two: `/a`"),
        ("calls beside those denied",  one,     rules(r#"{"name":"d","effect":"deny","paths":["/a"],"mcp":{"methods":["tools/call"]}},{"name":"x","effect":"require","paths":["/a"],"scopes":["jobs"]}"#), ""),
        ("denied twice",               one,     rules(&format!(r#"{deny},{{"name":"x","effect":"deny","paths":["/a/b/c"],"methods":["PUT"]}}"#)),                     "policy.rules[1].paths[0]: never applies: `d` denies all that it describes: remove one of the two: `/a/b/c`"),
        ("an older version denied",    one,     rules(r#"{"name":"d","effect":"deny","paths":["/api/2.0/jobs/list"]}"#),                                             ""),
        ("one spelling denied",        one,     rules(r#"{"name":"d","effect":"deny","exact":true,"paths":["/api/2.0/jobs/list"]}"#),                                "policy.rules[0].paths[0]: `exact` holds for the path as written alone: this rule does not hold for `/api/2.0/jobs/list/`, `/api/2.2/jobs/list`; leave `exact` out to restrict the operation under every spelling: `/api/2.0/jobs/list`"),
        ("one path of two",            one,     rules(r#"{"name":"d","effect":"deny","exact":true,"paths":["/sql/1.0/warehouses/{id}"]}"#),                          "policy.rules[0].paths[0]: `exact` holds for the path as written alone: this rule does not hold for `/sql/1.0/warehouses/{id}/`, `/sql/1.0/endpoints/{id}`, `/sql/1.0/endpoints/{id}/`; leave `exact` out to restrict the operation under every spelling: `/sql/1.0/warehouses/{id}`"),
        ("one issuer's callers",       two,     of_a(r#"{"name":"r","effect":"require","paths":["/api/2.0/secrets/get"],"issuers":["https://a.example"],"scopes":["x"]}"#), "policy.rules[0].paths[0]: for these `issuers` alone: callers of `https://b.example` are not asked for these scopes, and `secrets` opens the path to them; write a rule for them too, or leave `issuers` out: `/api/2.0/secrets/get`"),
        ("and a rule for the others",  two,     of_a(r#"{"name":"r","effect":"require","paths":["/api/2.0/secrets/get"],"issuers":["https://a.example"],"scopes":["x"]},{"name":"o","effect":"require","paths":["/api/2.0/secrets/{path=**}"],"scopes":["y"]}"#), ""),
        ("one issuer's own path",      two,     of_a(r#"{"name":"r","effect":"require","paths":["/apps/x"],"issuers":["https://a.example"],"scopes":["x"]}"#),         ""),
        ("a path and all below it",    one,     rules(r#"{"name":"h","effect":"public","paths":["/h"]},{"name":"x","effect":"require","paths":["/h/{path=**}"],"scopes":["jobs"]}"#), "policy.rules[1].paths[0]: also holds for the path without its last segment, since a trailing slash makes no difference: what `h` asks for or opens there needs this too; write `exact: true` if the two differ: `/h/{path=**}`"),
        ("which ask for the same",     one,     rules(r#"{"name":"h","effect":"require","paths":["/h"],"scopes":["jobs"]},{"name":"x","effect":"require","paths":["/h/{path=**}"],"scopes":["jobs"]}"#), ""),
        ("the documented one",         one,     rules(r#"{"name":"d","effect":"deny","paths":["/api/2.0/token/create"]}"#),                                          ""),
        ("every version denied",       one,     rules(r#"{"name":"d","effect":"deny","paths":["/api/{version}/token/create"]}"#),                                    ""),
        ("a shadow denial",            one,     rules(r#"{"name":"d","effect":"deny","mode":"shadow","paths":["/a"]},{"name":"x","effect":"require","paths":["/a"],"scopes":["jobs"]}"#), ""),
        ("public before the issuer",   one,     rules(r#"{"name":"p","effect":"public","paths":["/a/{id}"]},{"name":"x","effect":"require","paths":["/a/b"],"scopes":["jobs"],"issuers":["https://a.example"]}"#), "policy.rules[1].paths[0]: never applies: `p` is public for all that it describes, and is asked before the issuer is known: remove one of the two: `/a/b`"),
    ];
    for (name, issuers, sections, want) in cases {
        let want: Vec<&str> = Some(want)
            .filter(|want| !want.is_empty())
            .into_iter()
            .collect();
        assert_eq!(warnings(issuers, &sections), want, "{name}");
    }
}
