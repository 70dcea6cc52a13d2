use proptest::prelude::*;

use super::TemplateError::{
    BadName, BadSuffix, DotSegment, EmptySegment, Escape, IllegalCharacter, NotAbsolute, Query,
    RestNotLast, Star, StrayBrace, TooLong, TooManySegments,
};
use super::*;

#[test]
fn templates_are_segments() {
    use Segment::{Literal, Name, Rest, Verb};
    let literal = |text: &str| Literal(text.into());
    #[rustfmt::skip]
    let cases = [
        // name                 template                    want
        ("the root",            "/",                        vec![literal("")]),
        ("literals",            "/api/2.2/jobs",            vec![literal("api"), literal("2.2"), literal("jobs")]),
        ("a trailing slash",    "/sql/",                    vec![literal("sql"), literal("")]),
        ("a name",              "/a/{job_id}/b",            vec![literal("a"), Name, literal("b")]),
        ("a dotted name",       "/a/{alert.id}",            vec![literal("a"), Name]),
        ("a verb",              "/a/{name}:query",          vec![literal("a"), Verb(":query".into())]),
        ("a literal with one",  "/listings:batchGet",       vec![literal("listings:batchGet")]),
        ("the rest",            "/apps/etl/{path=**}",      vec![literal("apps"), literal("etl"), Rest]),
        ("the rest of all",     "/{path=**}",               vec![Rest]),
    ];
    for (name, text, want) in cases {
        let template = Template::parse(text);
        assert_eq!(
            template.as_ref().map(Template::segments),
            Ok(&*want),
            "{name}"
        );
        assert_eq!(
            template.map(|template| template.to_string()).as_deref(),
            Ok(text),
            "{name}"
        );
    }
}

#[test]
fn what_is_no_template_is_refused_with_its_place() {
    let too_long = format!("/{}", "a".repeat(Template::MAX_LEN));
    let too_many = "/a".repeat(Template::MAX_SEGMENTS + 1);
    let bad_name = |at, name: &str| BadName {
        at,
        name: name.into(),
    };
    let bad_suffix = |at, suffix: &str| BadSuffix {
        at,
        suffix: suffix.into(),
    };
    #[rustfmt::skip]
    let cases = [
        // name                     template            want
        ("empty",                   "",                 NotAbsolute),
        ("relative",                "api",              NotAbsolute),
        ("two slashes",             "/a//b",            EmptySegment(3)),
        ("a dot segment",           "/a/../b",          DotSegment(3)),
        ("a star",                  "/a/*",             Star(3)),
        ("a star inside",           "/a/b*",            Star(4)),
        ("two stars",               "/a/**",            Star(3)),
        ("a star in braces",        "/a/{*}",           Star(3)),
        ("one segment, other way",  "/a/{id=*}",        Star(3)),
        ("a pattern",               "/a/{n=x/*}",       StrayBrace(3)),
        ("no name",                 "/a/{}",            bad_name(3, "")),
        ("no name for the rest",    "/a/{=**}",         bad_name(3, "")),
        ("a bad name",              "/a/{b c}",         bad_name(3, "b c")),
        ("braces in braces",        "/a/{{b}}",         bad_name(3, "{b")),
        ("half a name",             "/a/{b",            StrayBrace(3)),
        ("the other half",          "/a/b}",            StrayBrace(4)),
        ("a prefix",                "/a/v{b}",          StrayBrace(4)),
        ("no verb",                 "/a/{b}:",          bad_suffix(3, ":")),
        ("two verbs",               "/a/{b}:c:d",       bad_suffix(3, ":c:d")),
        ("another suffix",          "/a/{b}.json",      bad_suffix(3, ".json")),
        ("two names",               "/a/{b}{c}",        bad_suffix(3, "{c}")),
        ("a suffix of the rest",    "/a/{b=**}:c",      bad_suffix(3, ":c")),
        ("the rest first",          "/{a=**}/b",        RestNotLast(1)),
        ("a slash after the rest",  "/{a=**}/",         RestNotLast(1)),
        ("an escape",               "/a%20b",           Escape(2)),
        ("a query",                 "/a?b",             Query(2)),
        ("a space",                 "/a b",             IllegalCharacter { at: 2, character: ' ' }),
        ("a parameter",             "/a;b",             IllegalCharacter { at: 2, character: ';' }),
        ("a letter past ASCII",     "/ä",               IllegalCharacter { at: 1, character: 'ä' }),
        ("one byte too many",       &too_long,          TooLong(Template::MAX_LEN + 1)),
        ("one segment too many",    &too_many,          TooManySegments(Template::MAX_SEGMENTS + 1)),
    ];
    for (name, text, want) in cases {
        assert_eq!(Template::parse(text), Err(want), "{name}");
    }
}

#[test]
fn an_error_says_what_to_write() {
    let message = |text: &str| Template::parse(text).map_err(|error| error.to_string());
    #[rustfmt::skip]
    let cases = [
        ("/a/*",     "`*` at byte 3: write `{path=**}` as the last segment for the rest of the path, `{name}` for one segment"),
        ("/a/{b c}", "`b c` at byte 3 is no name: write letters, digits, `_`, `-` or `.`, as in `{job_id}`, or `{path=**}`"),
        ("a",        "no leading slash: a path starts with `/`"),
        ("/a/\u{7}", "`\\u{7}` at byte 3, which no request holds unescaped: take the segment with `{path=**}`"),
    ];
    for (text, want) in cases {
        assert_eq!(message(text), Err(want.to_owned()), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "/?([a-c/{}=*:.%]|\\PC){0,24}") {
        if let Err(error) = Template::parse(&text) {
            prop_assert!(!error.to_string().contains('\n'));
        }
    }
}
