use proptest::prelude::*;

use super::*;

fn index(templates: &[&'static str]) -> Index<&'static str> {
    let mut index = Index::new();
    for text in templates {
        index.insert(&Template::parse(text).unwrap(), *text);
    }
    index
}

fn find<'i>(index: &'i Index<&'static str>, path: &str) -> Option<(&'i str, Escapes)> {
    let path = Path::parse(path.as_bytes()).unwrap();
    index
        .find(&path, |_| true)
        .map(|found| (*found.value, found.escapes))
}

#[test]
fn the_most_specific_template_wins() {
    let index = index(&[
        "/",
        "/apps/etl/{path=**}",
        "/apps/{id}",
        "/apps/{id}/start",
        "/apps/{name}:query",
        "/apps/list",
        "/apps/list/all/{path=**}",
        "/apps/{id}/{sub}/x",
        "/apps/a:b:query",
    ]);
    #[rustfmt::skip]
    let cases = [
        // name                             path                    want
        ("the root",                        "/",                    Some("/")),
        ("a literal before a name",         "/apps/list",           Some("/apps/list")),
        ("a name",                          "/apps/lists",          Some("/apps/{id}")),
        ("a verb before a name",            "/apps/a:query",        Some("/apps/{name}:query")),
        ("a literal before a verb",         "/apps/a:b:query",      Some("/apps/a:b:query")),
        ("a verb after another colon",      "/apps/b:c:query",      Some("/apps/{name}:query")),
        ("another verb is part of a name",  "/apps/a:stop",         Some("/apps/{id}")),
        ("a verb needs a name",             "/apps/:query",         Some("/apps/{id}")),
        ("back from a literal",             "/apps/list/start",     Some("/apps/{id}/start")),
        ("back to the rest",                "/apps/etl/start",      Some("/apps/etl/{path=**}")),
        ("back from both",                  "/apps/list/all/x",     Some("/apps/list/all/{path=**}")),
        ("two names",                       "/apps/list/some/x",    Some("/apps/{id}/{sub}/x")),
        ("the rest, one segment",           "/apps/etl/a",          Some("/apps/etl/{path=**}")),
        ("the rest, many segments",         "/apps/etl/a/b/c/",     Some("/apps/etl/{path=**}")),
        ("the rest, a trailing slash",      "/apps/etl/",           Some("/apps/etl/{path=**}")),
        ("the rest is not nothing",         "/apps/etl",            Some("/apps/{id}")),
        ("no name in a trailing slash",     "/apps/",               None),
        ("a trailing slash is more",        "/apps/list/",          None),
        ("too short",                       "/apps",                None),
        ("too long",                        "/apps/a/start/y",      None),
        ("another case",                    "/Apps/list",           None),
        ("a prefix of a literal",           "/app/list",            None),
    ];
    for (name, path, want) in cases {
        assert_eq!(find(&index, path).map(|(value, _)| value), want, "{name}");
    }
}

#[test]
fn escapes_are_reported_with_what_took_them() {
    use Escapes::{Ambiguous, InName, InRest, None as Nowhere};
    let index = index(&[
        "/files/{path=**}",
        "/files/a:b",
        "/names/{id}",
        "/names/{id}/x",
        "/names/{id}:query",
        "/names/list",
        "/mixed/{id}/{path=**}",
        "/deep/b/{id}",
        "/deep/{id}/c:d",
    ]);
    #[rustfmt::skip]
    let cases = [
        // name                                 path                        want
        ("none",                                "/files/a/b",               Nowhere),
        ("in the rest",                         "/files/a%20b",             InRest),
        ("deep in the rest",                    "/files/a/b/c%3Fd/e%23",    InRest),
        ("in a name",                           "/names/a%20b",             InName),
        ("in a name before more",               "/names/a%20b/x",           InName),
        ("in a name and the rest",              "/mixed/a%20b/c%20d",       InName),
        ("only the rest of both",               "/mixed/a/c%20d",           InRest),
        ("before a verb",                       "/names/a%20b:query",       InName),
        ("a literal, decoded",                  "/files/a%3Ab",             Ambiguous),
        ("a literal, decoded twice",            "/files/a%253Ab",           Ambiguous),
        ("a verb, decoded",                     "/names/x%3Aquery",         Ambiguous),
        ("a verb and a parameter, decoded",     "/names/x:query%3By",       Ambiguous),
        ("a literal before a parameter",        "/names/list%3By",          Ambiguous),
        ("a literal before a query",            "/names/list%3Fy",          Ambiguous),
        ("a literal before a fragment",         "/names/list%23",           Ambiguous),
        ("a query that would end the path",     "/names/a%3Fb/x",           Ambiguous),
        ("a query that would end the verb",     "/names/a%3Fb:query",       Ambiguous),
        ("a parameter that would end the verb", "/names/a%3Bb:query",       Ambiguous),
        ("a query that ends the name alone",    "/names/a%3Fb",             InName),
        ("a parameter in a name",               "/names/a%3Bb/x",           InName),
        ("another colon",                       "/names/x%3Astop",          InName),
        ("a less specific literal",             "/deep/b/c%3Ad",            InName),
        ("a literal on the other branch",       "/deep/a/c%3Ad",            Ambiguous),
    ];
    for (name, path, want) in cases {
        // Where only the decoded path has a template, nothing is found, and nothing passes.
        let escapes = find(&index, path).map_or(Ambiguous, |(_, escapes)| escapes);
        assert_eq!(escapes, want, "{name}");
    }
}

#[test]
fn values_that_are_not_accepted_make_way() {
    let index = index(&["/a/b", "/a/{id}", "/{path=**}"]);
    let path = Path::parse(b"/a/b").unwrap();
    let found = |refused: &[&str]| {
        index
            .find(&path, |value| !refused.contains(value))
            .map(|found| *found.value)
    };
    assert_eq!(found(&[]), Some("/a/b"));
    assert_eq!(found(&["/a/b"]), Some("/a/{id}"));
    assert_eq!(found(&["/a/b", "/a/{id}"]), Some("/{path=**}"));
    assert_eq!(found(&["/a/b", "/a/{id}", "/{path=**}"]), None);
}

#[test]
fn a_visit_sees_every_template_that_takes_the_path_with_either_slash() {
    let index = index(&[
        "/a/{id}",
        "/a/{name}",
        "/a/{name}:x",
        "/a/{rest=**}",
        "/a/b",
        "/a/b/{rest=**}",
        "/a/b/{id}",
        "/{rest=**}",
    ]);
    let visited = |text: &str| {
        let path = Path::parse(text.as_bytes()).unwrap();
        let mut values = Vec::new();
        let is_ambiguous = index.visit(&path, |value, escapes| values.push((*value, escapes)));
        (values, is_ambiguous)
    };
    let none = |values: &[&'static str]| {
        values
            .iter()
            .map(|value| (*value, Escapes::None))
            .collect::<Vec<_>>()
    };
    #[rustfmt::skip]
    let cases = [
        // path       values
        ("/a/b",      none(&["/a/b", "/a/b/{rest=**}", "/a/{id}", "/a/{name}", "/a/{rest=**}", "/{rest=**}"])),
        ("/a/c:x",    none(&["/a/{name}:x", "/a/{id}", "/a/{name}", "/a/{rest=**}", "/{rest=**}"])),
        ("/a",        none(&["/a/{rest=**}", "/{rest=**}"])),
        ("/",         none(&["/{rest=**}"])),
        ("/a/b/c",    none(&["/a/b/{id}", "/a/b/{rest=**}", "/a/{rest=**}", "/{rest=**}"])),
        ("/c%20d",    vec![("/{rest=**}", Escapes::InRest)]),
    ];
    for (text, want) in cases {
        assert_eq!(visited(text), (want, false), "{text}");
    }
    assert!(
        visited("/a%3B/b").1,
        "read as `/a` by a server that decodes"
    );
}

/// What [`Index::find`] should find, from one template at a time.
fn slow_find(
    templates: &[Template],
    segments: &[String],
    accept: impl Fn(usize) -> bool,
) -> Option<usize> {
    let takes = |template: &Template| {
        let wanted = template.segments();
        let ends_open = wanted.last() == Some(&Segment::Rest);
        let fits = |(wanted, segment): (&Segment, &String)| match wanted {
            Segment::Literal(text) => **text == **segment,
            Segment::Verb(suffix) => segment.len() > suffix.len() && segment.ends_with(&**suffix),
            Segment::Name => !segment.is_empty(),
            Segment::Rest => true,
        };
        (wanted.len() == segments.len() || ends_open && wanted.len() <= segments.len())
            && wanted.iter().zip(segments).all(fits)
    };
    let rank = |index: &usize| {
        templates[*index]
            .segments()
            .iter()
            .map(|segment| match segment {
                Segment::Literal(_) => 0,
                Segment::Verb(_) => 1,
                Segment::Name => 2,
                Segment::Rest => 3,
            })
    };
    (0..templates.len())
        .filter(|&index| takes(&templates[index]) && accept(index))
        .min_by(|left, right| rank(left).cmp(rank(right)).then(left.cmp(right)))
}

fn templates() -> impl Strategy<Value = Vec<Template>> {
    let segment = prop::sample::select(vec!["a", "b", "a:x", "b:y", "{i}", "{i}:x", "{i}:y"]);
    let end = prop::sample::select(vec!["", "/", "/{r=**}", "/a", "/{i}"]);
    let template = (prop::collection::vec(segment, 1..4), end).prop_map(|(segments, end)| {
        Template::parse(&format!("/{}{end}", segments.join("/"))).unwrap()
    });
    prop::collection::vec(template, 0..24)
}

fn path() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec![
        "a", "b", "c", "a:x", "b:y", "c:x", ":x", "a%3Ax", "c%3Ay", "a%20b", "a%253Ax", "a%3Fb",
        "b%3By",
    ]);
    (
        prop::collection::vec(segment, 1..5),
        prop::sample::select(vec!["", "/"]),
    )
        .prop_map(|(segments, end)| format!("/{}{end}", segments.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn the_walk_agrees_with_a_scan(templates in templates(), path in path(), refused in any::<u32>()) {
        let mut index = Index::new();
        for (value, template) in templates.iter().enumerate() {
            index.insert(template, value);
        }
        let accept = |value: usize| refused.rotate_left(u32::try_from(value).unwrap()) & 1 == 0;
        let path = Path::parse(path.as_bytes()).unwrap();
        let segments: Vec<_> = path.segments().map(str::to_owned).collect();
        let found = index.find(&path, |&value| accept(value));
        prop_assert_eq!(found.as_ref().map(|found| *found.value), slow_find(&templates, &segments, accept));

        // Whoever decodes first, once or twice, and then cuts off what he takes for a query, comes
        // to the same template.
        let Some(found) = found.filter(|found| found.escapes != Escapes::Ambiguous) else { return Ok(()) };
        // What `{path=**}` takes may hold an escaped `?`: it names files, and file names may.
        let template = templates[*found.value].segments();
        let before_rest = template.iter().take_while(|segment| **segment != Segment::Rest).count();
        let in_rest = segments.iter().skip(before_rest).any(|segment| segment.contains('%'));
        for reading in [decode(path.as_str(), 1), decode(path.as_str(), 2)] {
            let whole: Vec<_> = reading.split('/').skip(1).map(str::to_owned).collect();
            prop_assert_eq!(slow_find(&templates, &whole, accept), Some(*found.value), "{}", reading);
            let cut: Vec<_> = reading.split('?').next().unwrap().split('/').skip(1).map(str::to_owned).collect();
            if !in_rest {
                prop_assert_eq!(slow_find(&templates, &cut, accept), Some(*found.value), "{} cut", reading);
            }
        }
    }
}

fn decode(text: &str, times: usize) -> String {
    (0..times).fold(text.to_owned(), |text, _| {
        text.replace("%3A", ":")
            .replace("%20", " ")
            .replace("%3F", "?")
            .replace("%3B", ";")
            .replace("%25", "%")
    })
}
