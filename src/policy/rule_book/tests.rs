use crate::databricks::Catalogue;
use crate::request::mcp::{Call, Tool};
use crate::token::scope::Scope;

use super::super::rule::Tools;
use super::*;

const A: &str = "https://a.example";
const B: &str = "https://b.example";

fn rule(name: &str, effect: Effect) -> Rule {
    Rule {
        name: name.into(),
        effect,
        methods: None,
        issuers: None,
        mcp: None,
        mode: Mode::Enforce,
        exact: false,
        websocket: false,
    }
}

fn require(name: &str) -> Rule {
    rule(name, Effect::RequireAll(vec![Scope::parse("s").unwrap()]))
}

#[expect(clippy::unnecessary_wraps, reason = "as a rule holds it")]
fn tools(method: Option<&str>, name: Option<&str>) -> Option<Tools> {
    let list = |text: &str| vec![Box::from(text)];
    Some(Tools {
        methods: method.map(list),
        names: name.map(list),
    })
}

fn book(rules: Vec<(Rule, &[&str])>) -> RuleBook {
    let mut book = RuleBook::default();
    for (rule, paths) in rules {
        let templates: Vec<Template> = paths
            .iter()
            .map(|path| Template::parse(path).unwrap())
            .collect();
        book.add(rule, &templates).unwrap();
    }
    book
}

fn applicable<'a>(
    book: &'a RuleBook,
    call: Call<'_>,
    path: &str,
    issuer: Option<&str>,
) -> Applicable<'a> {
    let path = Path::parse(path.as_bytes()).unwrap();
    book.applicable(&Readings::of(Catalogue::shared(), call, path), issuer)
}

fn names<'a>(found: &Few<AppliedRule<'a>>) -> Vec<&'a str> {
    found.iter().map(|found| &*found.rule.name).collect()
}

#[test]
fn the_most_specific_path_governs() {
    let book = book(vec![
        (require("everything"), &["/{path=**}"]),
        (require("one"), &["/a/{id}"]),
        (require("verb"), &["/a/{id}:run"]),
        (require("literal"), &["/a/b"]),
        (require("below"), &["/a/b/c/{path=**}"]),
        (
            Rule {
                methods: Some(vec!["POST".into()]),
                ..require("posted")
            },
            &["/a/c"],
        ),
        (
            Rule {
                issuers: Some(vec![B.into()]),
                ..require("partner")
            },
            &["/a/d"],
        ),
    ]);
    #[rustfmt::skip]
    let cases = [
        // name                       method  path          issuer   want
        ("a literal",                 "GET",  "/a/b",       Some(A), "literal"),
        ("a segment",                 "GET",  "/a/x",       Some(A), "one"),
        ("a verb",                    "GET",  "/a/x:run",   Some(A), "verb"),
        ("the rest",                  "GET",  "/a/b/c/d",   Some(A), "below"),
        ("everything",                "GET",  "/x/y",       Some(A), "everything"),
        ("its method",                "POST", "/a/c",       Some(A), "posted"),
        ("another method",            "GET",  "/a/c",       Some(A), "one"),
        ("a method in another case",  "post", "/a/c",       Some(A), "one"),
        ("its issuer",                "GET",  "/a/d",       Some(B), "partner"),
        ("another issuer",            "GET",  "/a/d",       Some(A), "one"),
        ("no issuer known",           "GET",  "/a/d",       None,    "one"),
        ("a path in another case",    "GET",  "/A/b",       Some(A), "everything"),
    ];
    for (name, method, text, issuer, want) in cases {
        let found = applicable(&book, Call::of(method), text, issuer);
        assert_eq!(names(&found.governing), [want], "{name}");
    }
    // Nobody knows whether it is the same operation, so both must be passed.
    let found = applicable(&book, Call::of("GET"), "/a/b/", Some(A));
    assert_eq!(names(&found.governing), ["everything", "literal"]);
}

#[test]
fn what_restricts_get_restricts_head_and_opens_nothing() {
    let of = |method: &str, rule| Rule {
        methods: Some(vec![method.into()]),
        ..rule
    };
    let book = book(vec![
        (of("GET", rule("denied", Effect::Deny)), &["/a"]),
        (of("GET", require("required")), &["/b", "/d"]),
        (of("GET", rule("open", Effect::Public)), &["/c"]),
        (of("HEAD", rule("open head", Effect::Public)), &["/d"]),
        (rule("rest", Effect::Public), &["/{path=**}"]),
    ]);
    #[rustfmt::skip]
    let cases: [(&str, &[&str], &[&str]); 5] = [
        // path                 denying         governing
        ("/a",                  &["denied"],    &["rest"]),
        ("/b",                  &[],            &["required", "rest"]),
        ("/c",                  &[],            &["rest"]),
        ("/d",                  &[],            &["open head"]),
        ("/e",                  &[],            &["rest"]),
    ];
    for (path, denying, governing) in cases {
        let found = applicable(&book, Call::of("HEAD"), path, None);
        assert_eq!(names(&found.denying), denying, "{path}");
        assert_eq!(names(&found.governing), governing, "{path}");
    }
}

#[test]
fn escapes_pass_only_where_the_rest_is_taken() {
    let book = book(vec![
        (require("one"), &["/a/{id}"]),
        (require("rest"), &["/b/{path=**}"]),
    ]);
    let is_escaped = |path| {
        let found = applicable(&book, Call::of("GET"), path, None);
        let escaped: Vec<_> = found
            .governing
            .iter()
            .map(|found| found.has_escaped_name)
            .collect();
        (escaped, found.is_ambiguous)
    };
    assert_eq!(is_escaped("/a/x%20y"), (vec![true], false));
    assert_eq!(is_escaped("/b/x%20y/z"), (vec![false], false));
    assert_eq!(is_escaped("/a%3B/x"), (vec![], true));
}

#[test]
fn a_deny_rule_applies_however_general_and_escaped() {
    let book = book(vec![
        (rule("tokens", Effect::Deny), &["/api/{path=**}"]),
        (rule("names", Effect::Deny), &["/x/{id}"]),
        (
            Rule {
                mode: Mode::Shadow,
                ..rule("trial", Effect::Deny)
            },
            &["/api/a", "/y/{id}"],
        ),
    ]);
    #[rustfmt::skip]
    let cases = [
        // name                        path          want
        ("general",                    "/api/b",     Some("tokens")),
        ("enforced before shadow",     "/api/a",     Some("tokens")),
        ("in shadow mode",             "/y/a",       Some("trial")),
        ("escaped",                    "/x/a%20b",   Some("names")),
        ("none",                       "/z",         None),
    ];
    for (name, text, want) in cases {
        let found = applicable(&book, Call::of("GET"), text, None);
        let denying = found.denying.first().or(found.denying_in_shadow.first());
        assert_eq!(denying.map(|found| &*found.rule.name), want, "{name}");
    }
}

#[test]
fn ties_are_refused() {
    let methods =
        |methods: &[&str]| Some(methods.iter().map(|method| Box::from(*method)).collect());
    let issuers =
        |issuers: &[&str]| Some(issuers.iter().map(|issuer| Box::from(*issuer)).collect());
    let first = Rule {
        methods: methods(&["GET"]),
        issuers: issuers(&[A]),
        ..require("first")
    };
    #[rustfmt::skip]
    let cases = [
        // name                 second
        // path         tie
        ("the same",            first.clone(),                                                                 "/a/{x}",    true),
        ("any method",          Rule { methods: None, ..first.clone() },                                       "/a/{x}",    true),
        ("any issuer",          Rule { issuers: None, ..first.clone() },                                       "/a/{x}",    true),
        ("another method",      Rule { methods: methods(&["PUT"]), ..first.clone() },                          "/a/{x}",    false),
        ("another issuer",      Rule { issuers: issuers(&[B]), ..first.clone() },                              "/a/{x}",    false),
        ("an MCP tool",         Rule { mcp: tools(None, Some("t")), ..first.clone() },                         "/a/{x}",    false),
        ("a narrower path",     first.clone(),                                                                 "/a/b",      false),
        ("a deny rule",         Rule { effect: Effect::Deny, ..first.clone() },                                "/a/{x}",    false),
    ];
    for (name, second, text, tie) in cases {
        let mut book = book(vec![(first.clone(), &["/a/{id}"])]);
        let added = book.add(second, &[Template::parse(text).unwrap()]);
        assert_eq!(
            added,
            if tie {
                Err(Overlap { earlier: 0 })
            } else {
                Ok(())
            },
            "{name}"
        );
    }
}

#[test]
fn a_rule_for_a_tool_goes_before_one_for_a_method_and_that_before_one_for_all() {
    let of = |name, method, tool| Rule {
        mcp: tools(method, tool),
        ..require(name)
    };
    let rules = [
        (require("all"), &["/mcp"][..]),
        (of("calls", Some("tools/call"), None), &["/mcp"]),
        (of("one", Some("tools/call"), Some("t")), &["/mcp"]),
        (of("named", None, Some("u")), &["/mcp"]),
        (of("elsewhere", None, Some("t")), &["/{path=**}"]),
    ];
    let told = |method, name| Tool::Known { method, name };
    #[rustfmt::skip]
    let cases = [
        // name              path     call                                   want
        ("the tool",         "/mcp",  told("tools/call", Some("t")),         "one"),
        ("another tool",     "/mcp",  told("tools/call", Some("x")),         "calls"),
        ("a name alone",     "/mcp",  told("prompts/get", Some("u")),        "named"),
        ("another method",   "/mcp",  told("tools/list", None),              "all"),
        ("a tool elsewhere", "/x",    told("tools/call", Some("t")),         "elsewhere"),
        ("not told",         "/mcp",  Tool::Unknown,                          "one"),
    ];
    // Whichever comes first in the configuration.
    for reversed in [false, true] {
        let mut rules = rules.to_vec();
        if reversed {
            rules.reverse();
        }
        let book = book(rules);
        for (name, text, tool, want) in cases {
            let call = Call {
                method: "POST",
                tool,
            };
            let found = applicable(&book, call, text, None);
            let found = found.governing.first().unwrap();
            let is_named = &*found.rule.name == want
                || reversed && want == "one" && &*found.rule.name == "named";
            assert!(is_named, "{name}: {}", found.rule.name);
            assert_eq!(
                found.rule.is_left_guessing(call),
                tool == Tool::Unknown,
                "{name}"
            );
        }
    }
}

#[test]
fn rules_for_the_same_tool_are_a_tie() {
    #[rustfmt::skip]
    let cases = [
        // name               one                                  other
        // tie
        ("the same",          tools(Some("tools/call"), Some("t")), tools(Some("tools/call"), Some("t")), true),
        ("any method",        tools(None, Some("t")),               tools(Some("tools/call"), Some("t")), true),
        ("another tool",      tools(None, Some("t")),               tools(None, Some("u")),               false),
        ("another method",    tools(Some("tools/call"), None),      tools(Some("tools/list"), None),      false),
        ("one method",        tools(Some("tools/call"), None),      tools(Some("tools/call"), None),      true),
        ("a tool of it",      tools(Some("tools/call"), None),      tools(Some("tools/call"), Some("t")), false),
        ("no tools",          None,                                 tools(Some("tools/call"), None),      false),
    ];
    for (name, one, other, tie) in cases {
        let mut book = book(vec![(
            Rule {
                mcp: one,
                ..require("one")
            },
            &["/mcp"],
        )]);
        let other = Rule {
            mcp: other,
            ..require("other")
        };
        let added = book.add(other, &[Template::parse("/mcp").unwrap()]);
        assert_eq!(added.is_err(), tie, "{name}");
    }
}

#[test]
fn a_rule_is_for_an_operation_under_every_spelling_of_its_path() {
    let exact = Rule {
        exact: true,
        ..require("exact")
    };
    let book = book(vec![
        (require("broad"), &["/api/{path=**}"]),
        (require("secret"), &["/api/2.0/secrets/get"]),
        (require("older"), &["/api/2.1/secrets/{path=**}"]),
        (require("driver"), &["/sql/1.0/warehouses/{id}"]),
        (
            require("volume"),
            &["/api/2.0/fs/files/Volumes/Secret/{path=**}"],
        ),
        (rule("public", Effect::Public), &["/apps/etl/{path=**}"]),
        (require("admin"), &["/apps/etl/admin"]),
        (exact, &["/api/2.0/jobs/list"]),
        (require("root"), &["/"]),
        (
            rule("no-lists", Effect::Deny),
            &["/{any}/2.0/clusters/list"],
        ),
    ]);
    #[rustfmt::skip]
    let cases: [(&str, &str, &str, &[&str]); 20] = [
        // name                       method  path                                        want
        ("as documented",             "GET",  "/api/2.0/secrets/get",                     &["secret", "older"]),
        ("a slash",                   "GET",  "/api/2.0/secrets/get/",                    &["secret", "older"]),
        ("a version",                 "GET",  "/api/2.1/secrets/get",                     &["secret", "older"]),
        ("a version and a slash",     "GET",  "/api/1.2/secrets/get/",                    &["secret", "older"]),
        ("a method that it has not",  "PUT",  "/api/2.1/secrets/get",                     &["secret", "older"]),
        ("the same, a version",       "PUT",  "/api/2.2/secrets/get",                     &["broad", "secret", "older"]),
        ("one of two paths",          "POST", "/sql/1.0/warehouses/7",                    &["driver"]),
        ("the other path",            "POST", "/sql/1.0/endpoints/7",                     &["driver"]),
        ("the other path, a slash",   "POST", "/sql/1.0/endpoints/7/",                    &["driver"]),
        ("another method",            "GET",  "/sql/1.0/endpoints/7",                     &["driver"]),
        ("a name in another case",    "GET",  "/api/2.0/fs/files/Volumes/SECRET/x",       &["volume"]),
        ("another name",              "GET",  "/api/2.0/fs/files/Volumes/secrets/x",      &["broad"]),
        ("public",                    "GET",  "/apps/etl/x",                              &["public"]),
        ("and what is not",           "GET",  "/apps/etl/admin/",                         &["public", "admin"]),
        ("another case of one's own", "GET",  "/apps/etl/Admin",                          &["public"]),
        ("public for one spelling",   "GET",  "/apps/etl",                                &[]),
        ("the root",                  "GET",  "/",                                          &["root"]),
        ("nothing else",              "GET",  "/x",                                         &[]),
        ("exact",                     "GET",  "/api/2.0/jobs/list",                       &["exact"]),
        ("and nothing else",          "GET",  "/api/2.2/jobs/list",                       &["broad"]),
    ];
    for (name, method, path, want) in cases {
        let found = applicable(&book, Call::of(method), path, None);
        assert_eq!(names(&found.governing), want, "{name}");
    }
    let found = applicable(&book, Call::of("GET"), "/api/2.1/clusters/list", None);
    assert_eq!(
        names(&found.denying),
        ["no-lists"],
        "behind a name, in another version"
    );
}
