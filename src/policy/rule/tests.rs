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

fn path(text: &str) -> Path<'_> {
    Path::parse(text.as_bytes()).unwrap()
}

#[test]
fn the_most_specific_path_governs() {
    let book = book(vec![
        (require("everything"), &["/{path=**}"]),
        (require("one"), &["/a/{id}"]),
        (require("verb"), &["/a/{id}:run"]),
        (require("literal"), &["/a/b"]),
        (require("below"), &["/a/b/{path=**}"]),
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
        ("a trailing slash",          "GET",  "/a/b/",      Some(A), "below"),
    ];
    for (name, method, text, issuer, want) in cases {
        let governed = book
            .find(Call::of(method), &path(text), issuer, Trials::Included)
            .unwrap();
        assert_eq!(
            (&*governed.rule.name, governed.ambiguous),
            (want, false),
            "{name}"
        );
    }
}

#[test]
fn escapes_pass_only_where_the_rest_is_taken() {
    let book = book(vec![
        (require("one"), &["/a/{id}"]),
        (require("rest"), &["/b/{path=**}"]),
    ]);
    assert!(
        book.find(Call::of("GET"), &path("/a/x%20y"), None, Trials::Included)
            .unwrap()
            .ambiguous
    );
    assert!(
        !book
            .find(Call::of("GET"), &path("/b/x%20y/z"), None, Trials::Included)
            .unwrap()
            .ambiguous
    );
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
        ("enforced before on trial",   "/api/a",     Some("tokens")),
        ("on trial",                   "/y/a",       Some("trial")),
        ("escaped",                    "/x/a%20b",   Some("names")),
        ("none",                       "/z",         None),
    ];
    for (name, text, want) in cases {
        let found = book
            .denying(Call::of("GET"), &path(text), None)
            .map(|rule| &*rule.name);
        assert_eq!(found, want, "{name}");
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
        // name                 second                                                                         path         tie
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
    let told = |method, name| Tool::Told { method, name };
    #[rustfmt::skip]
    let cases = [
        // name              path     call                                   want
        ("the tool",         "/mcp",  told("tools/call", Some("t")),         "one"),
        ("another tool",     "/mcp",  told("tools/call", Some("x")),         "calls"),
        ("a name alone",     "/mcp",  told("prompts/get", Some("u")),        "named"),
        ("another method",   "/mcp",  told("tools/list", None),              "all"),
        ("a tool elsewhere", "/x",    told("tools/call", Some("t")),         "elsewhere"),
        ("not told",         "/mcp",  Tool::Untold,                          "one"),
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
            let found = book
                .find(call, &path(text), None, Trials::Included)
                .unwrap();
            let is_named = &*found.rule.name == want
                || reversed && want == "one" && &*found.rule.name == "named";
            assert!(is_named, "{name}: {}", found.rule.name);
            assert_eq!(
                found.rule.is_left_guessing(call),
                tool == Tool::Untold,
                "{name}"
            );
        }
    }
}

#[test]
fn rules_for_the_same_tool_are_a_tie() {
    #[rustfmt::skip]
    let cases = [
        // name               one                                  other                                tie
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
