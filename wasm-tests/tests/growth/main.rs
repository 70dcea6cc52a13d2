//! What a request costs does not grow with groups, roles, grants, scopes, issuers, rules and lists:
//! in instructions of the built module, which are the same on every machine, however busy.

mod gateway;

use std::fmt::Write as _;

use serde_json::{Value, json};
use wasm_tests::keys::jwk_set;

use wasm_tests::scene::ISSUER;

use gateway::{Gateway, Request};

#[test]
fn a_token_that_is_known_costs_what_one_with_one_role_costs() {
    let mut report = Report::default();
    for (name, plain, grown) in cases() {
        let [plain, grown] =
            [plain, grown].map(|(sections, request)| Gateway::with(&sections).warm(&request));
        report.row(name, grown, plain, plain + plain / 2);
    }
    report.check();
}

#[test]
fn a_new_token_costs_twice_a_plain_one_at_most() {
    let mut report = Report::default();
    let plain = Gateway::with(&one_role()).new_token(&json!({ "groups": ["g0"] }));
    for (name, sections, claims) in new_tokens() {
        let grown = Gateway::with(&sections).new_token(&claims);
        // Ten times is the promise. The signature, verified in the module, is nearly all of a plain
        // one.
        report.row(name, grown, plain, 2 * plain);
    }
    report.check();
}

#[test]
fn a_token_that_is_refused_costs_its_signature_once() {
    let mut report = Report::default();
    let mut gateway = Gateway::with(&one_role());
    let plain = gateway.warm(&Request::by(&json!({ "groups": ["g0"] })));
    for (name, claims) in refused() {
        let request = Request {
            status: 401,
            ..Request::by(&claims)
        };
        let bytes = u64::try_from(request.token.len()).expect("few");
        // An answer besides, and a longer token to compare.
        let most = 2 * plain + PER_TOKEN_BYTE * bytes;
        report.row(name, gateway.warm(&request), plain, most);
    }
    report.check();
}

/// A request's head is read byte by byte, some of it several times: so many instructions for each
/// byte are allowed, and the second half of the bytes must cost what the first does.
#[test]
fn a_long_request_costs_so_much_for_each_byte() {
    let mut report = Report::default();
    let mut gateway = Gateway::with(&one_role());
    for (name, per_byte, lengthen) in long_requests() {
        let [none, half, whole] = [0, 1, 2].map(|halves| {
            let mut request = Request::by(&json!({ "groups": ["g0"] }));
            lengthen(&mut request, halves);
            let bytes = request.head().into_iter().map(|(_, value)| value.len());
            (gateway.warm(&request), bytes.sum::<usize>())
        });
        let bytes = u64::try_from(whole.1 - none.1).expect("some");
        report.row(name, whole.0, none.0, none.0 + per_byte * bytes);
        let (first, second) = (half.0 - none.0, whole.0 - half.0);
        report.row(
            "  its second half",
            second,
            first,
            first + first / 4 + 1_000,
        );
    }
    report.check();
}

/// Sections of a configuration, and a request.
type Side = (Value, Request);

/// What is compared, and with what.
fn cases() -> Vec<(&'static str, Side, Side)> {
    let of_g0 = || Request::by(&json!({ "groups": ["g0"] }));
    let one = || (one_role(), of_g0());
    let thousand_groups = Request::by(&json!({ "groups": names("g", 1_000) }));
    let others = |number: usize| match number {
        7 => own_group(number),
        number => json!([{ "group": format!("x{number}") }, { "group": "g7", "client": "x" }]),
    };
    let (scopes, granted) = two_hundred();
    let scopes = Request::by(&json!({ "groups": ["g0"], "scope": scopes }));
    let mine = || Request {
        path: "/mine/x".to_owned(),
        ..of_g0()
    };
    let at_host = || Request {
        host: "0.example.com".to_owned(),
        ..of_g0()
    };
    #[rustfmt::skip]
    let cases = vec![
        ("1,000 roles, one held",     one(),                           (with_roles(1_000, own_group), of_g0())),
        ("1,000 groups, 1,000 roles", one(),                           (with_roles(1_000, others), thousand_groups)),
        ("500 roles held",            one(),                           (with_roles(500, |_| own_group(0)), of_g0())),
        ("200 scopes, 200 grants",    one(),                           (granted, scopes)),
        ("100 issuers",               one(),                           (issuers(100), of_g0())),
        ("100 rules by issuer",       (by_issuer(2), mine()),          (by_issuer(100), mine())),
        ("1,000 rules by tool",       (by_tool(1), tool_call()),       (by_tool(1_000), tool_call())),
        ("99,999 withdrawals",        (withdrawn(1), of_g0()),         (withdrawn(33_333), of_g0())),
        ("10,000 workspaces",         (workspaces(1), at_host()),      (workspaces(10_000), at_host())),
    ];
    cases
}

/// Scopes of one's own and one of Databricks', and a role that grants them all.
fn two_hundred() -> (Value, Value) {
    let mut scopes = names("own-", 199);
    scopes.as_array_mut().expect("a list").push(json!("jobs"));
    let role = json!({ "name": "all", "members": own_group(0), "grants": scopes });
    (scopes, json!({ "roles": [role] }))
}

/// So many issuers, the usual one among them.
fn issuers(count: usize) -> Value {
    let more = (1..count).map(|number| issuer(&issuer_name(number)));
    json!({ "roles": roles(1, own_group), "issuers": more.collect::<Value>() })
}

/// A rule for each of so many issuers.
fn by_issuer(count: usize) -> Value {
    let rule = |number| {
        json!({
            "name": format!("rule-{number}"), "effect": "require", "paths": ["/mine/{path=**}"], "scopes": ["jobs"],
            "issuers": [issuer_name(number)]
        })
    };
    let mut sections = issuers(count);
    sections["policy"] = json!({ "rules": (0..count).map(rule).collect::<Value>() });
    sections
}

/// A rule for each of so many MCP tools.
fn by_tool(count: usize) -> Value {
    let rule = |number| {
        json!({
            "name": format!("rule-{number}"), "effect": "require", "paths": ["/mcp/{path=**}"], "scopes": ["jobs"],
            "mcp": { "methods": ["tools/call"], "names": [format!("tool-{number}")] }
        })
    };
    let rules: Value = (0..count).map(rule).collect();
    json!({ "roles": roles(1, own_group), "policy": { "rules": rules } })
}

fn tool_call() -> Request {
    let more = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "tool-0"),
    ];
    Request {
        path: "/mcp/x".to_owned(),
        method: "POST",
        more: more
            .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
            .into(),
        ..Request::by(&json!({ "groups": ["g0"] }))
    }
}

/// Three lists of so many names that are refused.
fn withdrawn(count: usize) -> Value {
    json!({ "roles": roles(1, own_group), "withdrawn": {
        "token_ids": names("token-", count), "subjects": names("subject-", count), "clients": names("client-", count)
    } })
}

/// So many workspaces with two hosts each.
fn workspaces(count: usize) -> Value {
    let workspace = |number: usize| {
        let hosts = [
            format!("{number}.example.com"),
            format!("dbc-{number}.example.com"),
        ];
        json!({ "id": (number + 1).to_string(), "hosts": hosts })
    };
    json!({ "roles": roles(1, own_group), "workspaces": (0..count).map(workspace).collect::<Value>() })
}

fn new_tokens() -> Vec<(&'static str, Value, Value)> {
    let one = || json!({ "groups": ["g0"] });
    let thousand = || json!({ "groups": names("g", 1_000) });
    let others = |number: usize| match number {
        0 => own_group(0),
        number => json!([{ "group": format!("x{number}") }]),
    };
    #[rustfmt::skip]
    let cases = vec![
        ("1,000 roles, one held",                      with_roles(1_000, own_group),        one()),
        ("1,000 groups",                               one_role(),                          thousand()),
        ("1,000 groups, 1,000 roles, one of them held", with_roles(1_000, others),           thousand()),
        ("1,000 groups, 1,000 roles, all of them held", with_roles(1_000, own_group),        thousand()),
        ("500 roles held",                             with_roles(500, |_| own_group(0)),   one()),
    ];
    cases
}

/// Tokens that are signed as they should be, and refused.
fn refused() -> Vec<(&'static str, Value)> {
    vec![
        ("another audience", json!({ "aud": "another" })),
        ("no scopes that can be read", json!({ "scope": 5 })),
        ("5,000 groups", json!({ "groups": vec!["g"; 5_000] })),
        ("not yet valid", json!({ "nbf": "now+3000" })),
    ]
}

/// What is longer, how many instructions each byte may take, and how it is made so: not at all, by
/// half, wholly.
type Long = (&'static str, u64, fn(&mut Request, usize));

fn long_requests() -> [Long; 5] {
    [
        ("60 KiB in few headers", 12, |request, halves| {
            let long = |number| (format!("x-long-{number}"), vec![b'x'; 6 * 1024]);
            request.more.extend((0..5 * halves).map(long));
        }),
        ("60 KiB in many headers", 40, |request, halves| {
            let short = |number| (format!("x-short-{number}"), vec![b'x'; 100]);
            request.more.extend((0..300 * halves).map(short));
        }),
        ("a path of 8 KiB in one segment", 120, |request, halves| {
            request.path = format!(
                "/api/2.0/fs/files/Volumes/a/b/c/{}",
                "x".repeat(4096 * halves)
            );
        }),
        (
            "a path of 8 KiB in many segments",
            120,
            |request, halves| {
                request.path = format!(
                    "/api/2.0/fs/files/Volumes/a/b/c/x{}",
                    "/x".repeat(2048 * halves)
                );
            },
        ),
        ("500 parameters", 250, |request, halves| {
            let parameters = "&parameter-100=value".repeat(250 * halves);
            request.path = format!("/api/2.2/jobs/get?job_id=1{parameters}");
        }),
    ]
}

/// What was measured, and what was too much.
#[derive(Default)]
struct Report {
    text: String,
    slow: Vec<&'static str>,
}

impl Report {
    fn row(&mut self, name: &'static str, grown: u64, plain: u64, most: u64) {
        writeln!(
            self.text,
            "{grown:>9} instructions, {plain:>9} without, {most:>9} at most: {name}"
        )
        .expect("a String");
        if grown > most {
            self.slow.push(name);
        }
    }

    fn check(self) {
        println!("{}", self.text);
        assert!(
            self.slow.is_empty(),
            "too many: {:?}\n{}",
            self.slow,
            self.text
        );
    }
}

fn one_role() -> Value {
    with_roles(1, own_group)
}

fn with_roles(count: usize, members: impl Fn(usize) -> Value) -> Value {
    json!({ "roles": roles(count, members) })
}

/// So many roles, with these members.
fn roles(count: usize, members: impl Fn(usize) -> Value) -> Value {
    let role = |number| json!({ "name": format!("role-{number}"), "members": members(number), "grants": ["jobs", "files", format!("own-{number}")] });
    (0..count).map(role).collect()
}

/// Whoever is in the group of the same number.
fn own_group(number: usize) -> Value {
    json!([{ "group": format!("g{number}") }])
}

/// The usual issuer, and others.
fn issuer_name(number: usize) -> String {
    match number {
        0 => ISSUER.to_owned(),
        number => format!("https://{number}.example.com"),
    }
}

fn issuer(identifier: &str) -> Value {
    json!({
        "issuer": identifier, "preset": "generic", "audiences": ["databricks"],
        "claims": { "groups": ["groups"] }, "jwks": { "keys": jwk_set(["acme-rsa"]) },
    })
}

fn names(of: &str, count: usize) -> Value {
    (0..count).map(|number| format!("{of}{number}")).collect()
}

/// Members with others laid over them.
fn over(mut below: Value, above: &Value) -> Value {
    for (name, value) in above.as_object().into_iter().flatten() {
        below[name] = value.clone();
    }
    below
}

/// A token comes with each request, and is compared with what is remembered.
const PER_TOKEN_BYTE: u64 = 1;
