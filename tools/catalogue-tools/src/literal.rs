//! Paths in the source of clients that have no list of their calls: every string that looks like
//! the path of an API, with the method where the call or the table around it names one.

use regex::Regex;
use tree_sitter::{Node, Parser};

use crate::wheel::Module;

/// One path as it stands in the source.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Literal {
    /// The method, where something tells it.
    pub method: Option<String>,
    /// The path, in which `{}` is what the program fills in.
    pub path: String,
    /// The module that it stands in.
    pub module: String,
}

/// Where paths stand that are not written out from `/api/` on: what they begin with, and what that
/// stands for.
pub type Bases = Vec<(String, String)>;

/// The paths of Python modules, in order.
pub fn in_python(modules: &[Module], bases: &Bases) -> Vec<Literal> {
    let mut parser = Parser::new();
    if parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .is_err()
    {
        return Vec::new();
    }
    let mut found = Vec::new();
    for module in modules {
        let Some(tree) = parser.parse(&module.source, None) else {
            continue;
        };
        let mut left = vec![tree.root_node()];
        while let Some(node) = left.pop() {
            if node.kind() == "string"
                && let Some(path) = path(&string(node, &module.source), bases)
            {
                found.push(Literal {
                    method: method(node, &module.source),
                    path,
                    module: module.path.clone(),
                });
            }
            left.extend(node.named_children(&mut node.walk()));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The paths of JavaScript modules, in order.
pub fn in_javascript(modules: &[Module], bases: &Bases) -> Vec<Literal> {
    let (Ok(quoted), Ok(filled)) = (Regex::new(QUOTED), Regex::new(r"\$\{[^}]*\}")) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for module in modules {
        for captures in quoted.captures_iter(&module.source) {
            let text = captures.iter().skip(1).flatten().next();
            let text = text.map_or("", |text| text.as_str());
            if let Some(path) = path(&filled.replace_all(text, "{}"), bases) {
                found.push(Literal {
                    method: None,
                    path,
                    module: module.path.clone(),
                });
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// A Python string, with `{}` for what is filled in.
fn string(node: Node<'_>, source: &str) -> String {
    let mut text = String::new();
    for part in node.named_children(&mut node.walk()) {
        match part.kind() {
            "string_content" => {
                text.push_str(part.utf8_text(source.as_bytes()).unwrap_or_default());
            }
            "interpolation" => text.push_str("{}"),
            _ => {}
        }
    }
    text
}

/// The path of the API in a string, without host and query.
fn path(text: &str, bases: &Bases) -> Option<String> {
    let text = text.split('?').next().unwrap_or(text);
    if text.is_empty()
        || text.contains(|character: char| {
            character.is_whitespace() || "<>()[]|^\\,".contains(character)
        })
    {
        return None;
    }
    let base = bases
        .iter()
        .find_map(|(beginning, base)| Some(format!("{base}{}", text.strip_prefix(&**beginning)?)));
    let path = base.or_else(|| {
        let start = text.find("/api/")?;
        let rest = text.get(start..)?;
        let version = rest.strip_prefix("/api/")?;
        version
            .starts_with(|digit: char| digit.is_ascii_digit())
            .then(|| rest.to_owned())
    })?;
    // A parameter by name is one that `format` fills in.
    let named = Regex::new(r"\{[^{}]*\}|%s").ok()?;
    let plain = named.replace_all(&path, "{}");
    let segments = plain.split('/').map(|segment| {
        let (Some((before, _)), Some((_, after))) =
            (segment.split_once("{}"), segment.rsplit_once("{}"))
        else {
            return segment.to_owned();
        };
        // `files{path}`: the value brings its slashes along. `{catalog}.{schema}`: one segment.
        // What follows the last name is a verb.
        if before.is_empty() {
            format!("{{}}{after}")
        } else {
            format!("{before}/{{}}")
        }
    });
    Some(segments.collect::<Vec<_>>().join("/"))
}

/// The method in the call or the pair that a string stands in: `do("GET", path)`, `method="GET"`,
/// `session.get(path)`.
fn method(node: Node<'_>, source: &str) -> Option<String> {
    let text = |node: Node<'_>| node.utf8_text(source.as_bytes()).unwrap_or_default();
    let is_method = |word: &str| METHODS.contains(&word);
    let mut around = node.parent();
    while let Some(place) = around {
        match place.kind() {
            "argument_list" | "tuple" => {
                for child in place.named_children(&mut place.walk()) {
                    let value = match child.kind() {
                        "keyword_argument" => child.child_by_field_name("value"),
                        _ => Some(child),
                    };
                    let word = value.map(|value| string(value, source)).unwrap_or_default();
                    if is_method(&word) {
                        return Some(word);
                    }
                }
            }
            "call" => {
                let called = place
                    .child_by_field_name("function")
                    .and_then(|function| function.child_by_field_name("attribute"))
                    .map(|attribute| text(attribute).to_uppercase());
                if let Some(called) = called.filter(|called| is_method(called)) {
                    return Some(called);
                }
            }
            "function_definition" | "module" => return None,
            _ => {}
        }
        around = place.parent();
    }
    None
}

const METHODS: [&str; 6] = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];

/// A string in one of JavaScript's three kinds of quotes.
const QUOTED: &str = r#""([^"\\\n]*)"|'([^'\\\n]*)'|`([^`\\\n]*)`"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_with_the_method_that_stands_by_them() {
        let source = r#"
BASE = "/api/2.0/jobs"
TABLE = {"get": ("/store/tables/get", "GET")}
class Client:
    """See https://example.com/api/docs and /api/2.0/some text."""
    def list(self, name):
        self._issue(url=f"{self.host}/api/2.0/x/{name}/items?limit=5", token=self.token("a"), method="GET")
        session.post(self.url("/store/ask"), json={"kind": "PUT"})
        client.do("PATCH", "/api/2.0/x/%s" % name)
        client.do("PUT", f"/api/2.0/x/{catalog}.{schema}/{n}:go")
"#;
        let bases = vec![("/store/".to_owned(), "/api/2.0/store/".to_owned())];
        let found = in_python(&[module(source)], &bases);
        let found: Vec<_> = found
            .iter()
            .map(|literal| (literal.method.as_deref(), &*literal.path))
            .collect();
        let want = [
            (None, "/api/2.0/jobs"),
            (Some("GET"), "/api/2.0/store/tables/get"),
            (Some("GET"), "/api/2.0/x/{}/items"),
            (Some("PATCH"), "/api/2.0/x/{}"),
            (Some("POST"), "/api/2.0/store/ask"),
            (Some("PUT"), "/api/2.0/x/{}/{}:go"),
        ];
        assert_eq!(found, want);
    }

    #[test]
    fn javascript_is_read_too() {
        let source = "const a = `${host}/api/2.0/fs/files${path}`, b = '/api/2.0/sql/warehouses', c = \"/api/docs\";";
        let found = in_javascript(&[module(source)], &Vec::new());
        let found: Vec<_> = found.iter().map(|literal| &*literal.path).collect();
        assert_eq!(found, ["/api/2.0/fs/files/{}", "/api/2.0/sql/warehouses"]);
    }

    fn module(source: &str) -> Module {
        Module {
            path: "client".to_owned(),
            source: source.to_owned(),
        }
    }
}
