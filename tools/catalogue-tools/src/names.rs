//! Resource names of several segments (`{name}` for `projects/p/branches/b`), made into the paths
//! that they stand for.
//!
//! Taken as one segment such a name matches no real path; taken as the rest of the path it swallows
//! the whole API (`/api/2.0/{name}`). What forms a name takes stands in the call's documentation,
//! and for the few calls that say nothing, in a list kept by hand.

use std::collections::BTreeSet;

use regex::Regex;

use crate::call::Call;
use crate::rules::Rules;

/// The templates of a call: one for each form that its names take.
pub fn templates(call: &Call, rules: &Rules) -> Result<Vec<String>, String> {
    let mut templates = vec![plain(&call.path)];
    for parameter in parameters(&call.path) {
        let forms = forms(call, parameter, rules);
        if forms.is_empty() {
            continue;
        }
        let name = format!("{{{parameter}}}");
        templates = templates
            .iter()
            .flat_map(|template| forms.iter().map(|form| template.replacen(&name, form, 1)))
            .collect();
    }
    match templates.iter().find(|template| swallows(template)) {
        Some(template) => Err(unknown_forms(call, template)),
        None => Ok(templates),
    }
}

/// Calls that say nothing of the forms of a name, where other calls say that what stands there has
/// several segments.
pub fn unsaid(calls: &[Call], rules: &Rules) -> Vec<String> {
    let mut said = BTreeSet::new();
    let mut unsaid = Vec::new();
    for call in calls {
        for parameter in parameters(&call.path) {
            let before = call
                .path
                .split_once(&format!("{{{parameter}}}"))
                .map_or("", |(before, _)| before);
            if forms(call, parameter, rules).is_empty() {
                unsaid.push((before, call));
            } else {
                said.insert(before);
            }
        }
    }
    unsaid.retain(|(before, _)| said.contains(before));
    unsaid
        .into_iter()
        .map(|(_, call)| unknown_forms(call, &call.path))
        .collect()
}

fn unknown_forms(call: &Call, template: &str) -> String {
    format!(
        "{} {template} ({}): nothing says which names it takes: add them to `rules/names.tsv`",
        call.method, call.source
    )
}

/// The forms of a name that several segments make up; none for a name of one segment.
fn forms(call: &Call, parameter: &str, rules: &Rules) -> Vec<String> {
    let by_hand = rules.forms(&call.source, parameter).map(<[String]>::to_vec);
    by_hand.unwrap_or_else(|| documented_forms(&call.documentation, parameter))
}

/// The names in braces of a path.
fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'))
        .map(|(name, _)| name)
}

/// The forms of a resource name in the documentation of a parameter:
/// `projects/{project_id}/branches/{branch_id}`.
fn documented_forms(documentation: &str, parameter: &str) -> Vec<String> {
    let Some((_, section)) = documentation.split_once(&format!(":param {parameter}: ")) else {
        return Vec::new();
    };
    let section = section.split(":param ").next().unwrap_or(section);
    let section = section.split(":returns").next().unwrap_or(section);
    let Ok(pattern) = Regex::new(FORM) else {
        return Vec::new();
    };
    let mut forms: Vec<String> = Vec::new();
    for found in pattern
        .captures_iter(section)
        .filter_map(|captures| captures.get(1))
    {
        let form = plain(found.as_str());
        if form.contains('{') && !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

/// A path with each name reduced to letters: `{catalog}.{schema}` is one segment, and what it is
/// called helps nobody match.
fn plain(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let Some((before, rest)) = segment.split_once(['{', '[', '<']) else {
            return if segment == "*" {
                "{id}".to_owned()
            } else {
                segment.to_owned()
            };
        };
        let Some((names, after)) = rest.rsplit_once(['}', ']', '>']) else {
            return segment.to_owned();
        };
        // A verb follows the last name of a segment; `.` or `:` between two names is part of the
        // value, which the last name tells best.
        let name = names.rsplit(['{', '[', '<']).next().unwrap_or(names);
        if name.ends_with("=**") {
            return "{path=**}".to_owned();
        }
        // `files{file_path}`: the value brings its slashes along.
        if !before.is_empty() {
            return format!("{before}/{{path=**}}");
        }
        // An expression is named after its last word: `self._api.account_id`, `object_type.value`.
        let name = name
            .trim_end_matches(".value")
            .rsplit(['.', '('])
            .next()
            .unwrap_or(name);
        let name: String = name
            .trim_end_matches(')')
            .chars()
            .map(|character| {
                if character.is_ascii_alphanumeric() {
                    character
                } else {
                    '_'
                }
            })
            .collect();
        format!("{{{}}}{after}", name.trim_matches('_'))
    });
    segments.collect::<Vec<_>>().join("/")
}

/// Whether a template would take the place of a whole API: a name right behind the version.
fn swallows(template: &str) -> bool {
    let mut segments = template.split('/').skip(1);
    let is_api = segments.next() == Some("api");
    let is_name = |segment: Option<&str>| segment.is_some_and(|segment| segment.starts_with('{'));
    is_api && (is_name(segments.next()) || is_name(segments.next()))
}

/// Words and names with slashes between them, beginning with a word.
const FORM: &str = r"(?:^|[^\w/{}.<-])([A-Za-z][\w-]*(?:/(?:[A-Za-z][\w-]*|\{[^{}\s]*\}(?:[.:]\{[^{}\s]*\})*|<[^<>\s]*>|\[[^\]\s]*\]|\*))+)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_the_paths_that_they_stand_for() {
        let two = ":param name: str\n Format: ``a/{a}`` or ``a/{a}/b/{b}``.\n:param c: Format: ``c/{c}``\n:returns: x/{x}";
        #[rustfmt::skip]
        let cases: &[(&str, &str, &str, &[&str])] = &[
            // name                 path                            documentation
            // want
            ("one segment",         "/api/2.0/apps/{name}",         ":param name: str\n The app's name.",   &["/api/2.0/apps/{name}"]),
            ("two forms",           "/api/2.0/x/{name}/go",         two,        &["/api/2.0/x/a/{a}/go", "/api/2.0/x/a/{a}/b/{b}/go"]),
            ("before a verb",       "/api/2.0/x/{name}:query",      ":param name: str\n a/{a}",             &["/api/2.0/x/a/{a}:query"]),
            ("dots in a value",     "/api/2.0/x/{name}",            ":param name: str\n t/{c}.{s}.{t}",     &["/api/2.0/x/t/{t}"]),
            ("an example",          "/api/2.0/x/{name}",            ":param name: str\n e.g. ``a/b``",      &["/api/2.0/x/{name}"]),
            ("an expression",       "/api/2.0/a/{self._api.account_id}/b", "",                              &["/api/2.0/a/{account_id}/b"]),
            ("a value of an enum",  "/api/2.0/a/{kind.value}",      "",                                     &["/api/2.0/a/{kind}"]),
            ("a value with slashes", "/api/2.0/files{f(path)}",     "",                                     &["/api/2.0/files/{path=**}"]),
            ("by hand",             "/api/2.0/x/{workspace_object_type}/{id}", "",
                &["/api/2.0/x/dashboards/{id}", "/api/2.0/x/directories/{id}", "/api/2.0/x/files/{id}", "/api/2.0/x/notebooks/{id}",
                  "/api/2.0/x/repos/{id}"]),
        ];
        for (name, path, documentation, want) in cases {
            let call = call("WorkspaceAPI.x", path, documentation);
            assert_eq!(templates(&call, &Rules::new()).unwrap(), *want, "{name}");
        }
    }

    #[test]
    fn a_name_may_not_swallow_the_api() {
        for path in [
            "/api/2.0/{name}",
            "/api/2.1/{parent}/examples",
            "/api/{version}/x",
        ] {
            assert!(
                templates(&call("XAPI.get", path, ""), &Rules::new()).is_err(),
                "{path}"
            );
        }
    }

    #[test]
    fn a_name_without_forms_beside_names_with_forms_is_reported() {
        let said = call("XAPI.get", "/api/2.0/x/{name}", ":param name: a/{a}");
        let unsaid_one = call("XAPI.delete", "/api/2.0/x/{name}", "");
        let elsewhere = call("YAPI.delete", "/api/2.0/y/{name}", "");
        assert_eq!(
            unsaid(&[said.clone(), elsewhere.clone()], &Rules::new()).len(),
            0
        );
        assert_eq!(
            unsaid(&[said, unsaid_one, elsewhere], &Rules::new()).len(),
            1
        );
    }

    fn call(source: &str, path: &str, documentation: &str) -> Call {
        Call {
            source: source.to_owned(),
            method: "GET".to_owned(),
            path: path.to_owned(),
            documentation: documentation.to_owned(),
            ..Call::default()
        }
    }
}
