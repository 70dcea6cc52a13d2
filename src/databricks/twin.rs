//! One request under another path of the same operation.

use crate::path::Path;

/// The path that `other` makes of what a request names by `template`, which takes `path` with a
/// trailing slash or without.
pub(super) fn path(template: &str, path: &Path<'_>, other: &str) -> String {
    let mut names = Vec::new();
    let mut sent = path.segments();
    for part in segments(template) {
        let TemplatePart::Name { name, rest, verb } = TemplatePart::parse(part) else {
            sent.next();
            continue;
        };
        let mut value = sent.next().unwrap_or_default().to_owned();
        if rest {
            for segment in sent.by_ref() {
                value.push('/');
                value.push_str(segment);
            }
        }
        let value = value
            .strip_suffix(verb)
            .map(ToOwned::to_owned)
            .unwrap_or(value);
        names.push((name, value));
    }
    filled(other, names)
}

/// A template with nothing filled in.
pub(super) fn blank(template: &str) -> String {
    filled(template, Vec::new())
}

/// A path by a template, with these names as far as they are in it.
fn filled(template: &str, mut names: Vec<(&str, String)>) -> String {
    let mut path = String::new();
    for part in segments(template) {
        path.push('/');
        match TemplatePart::parse(part) {
            TemplatePart::Literal => path.push_str(part),
            TemplatePart::Name { name, verb, .. } => {
                // Names that come twice differ by their order.
                let place = names.iter().position(|(known, _)| *known == name);
                match place.map(|place| names.remove(place)) {
                    Some((_, value)) => path.push_str(&value),
                    None => path.push_str(UNKNOWN),
                }
                path.push_str(verb);
            }
        }
    }
    path
}

/// Whether a template names something that another one does not.
pub(super) fn names_more(template: &str, other: &str) -> bool {
    let names = |template| {
        segments(template).filter_map(|part| match TemplatePart::parse(part) {
            TemplatePart::Literal => None,
            TemplatePart::Name { name, .. } => Some(name),
        })
    };
    names(template).any(|name| !names(other).any(|known| known == name))
}

enum TemplatePart<'t> {
    Literal,
    Name {
        name: &'t str,
        rest: bool,
        verb: &'t str,
    },
}

impl<'t> TemplatePart<'t> {
    fn parse(text: &'t str) -> Self {
        let braced = text.strip_prefix('{').and_then(|text| text.split_once('}'));
        let Some((name, verb)) = braced else {
            return Self::Literal;
        };
        let rest = name.strip_suffix("=**");
        Self::Name {
            name: rest.unwrap_or(name),
            rest: rest.is_some(),
            verb,
        }
    }
}

fn segments(template: &str) -> impl Iterator<Item = &str> {
    template.strip_prefix('/').unwrap_or(template).split('/')
}

/// What stands for a name that a path does not hold: it may be any. No template has a literal with
/// braces.
pub const UNKNOWN: &str = "{}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_by_their_names() {
        #[rustfmt::skip]
        let cases = [
            // template                    path                        other
            // want
            ("/w/{id}/edit",               "/w/7/edit",                "/e/{id}/edit",                  "/e/7/edit"),
            ("/w/{id}",                    "/w/7/",                    "/e/{id}",                       "/e/7"),
            ("/p/{x}/{y}",                 "/p/1/2",                   "/q/{y}/{x}",                    "/q/2/1"),
            ("/p/{id}/o/{id}",             "/p/1/o/2",                 "/q/{id}/{id}",                  "/q/1/2"),
            ("/d-api/{o}/{path=**}",       "/d-api/1/a/b",             "/d/{o}/{path=**}",              "/d/1/a/b"),
            ("/x",                         "/x",                       "/accounts/{account_id}/x",      "/accounts/{}/x"),
            ("/accounts/{account_id}/x",   "/accounts/7/x",            "/x",                            "/x"),
            ("/n/{name}:run",              "/n/a:run",                 "/m/{name}:run",                 "/m/a:run"),
            ("/api/2.0/w/{id}",            "/api/2.1/w/7",             "/api/2.0/e/{id}",               "/api/2.0/e/7"),
        ];
        for (template, sent, other, want) in cases {
            let sent = Path::parse(sent.as_bytes()).unwrap();
            assert_eq!(path(template, &sent, other), want, "{template}");
        }
    }
}
