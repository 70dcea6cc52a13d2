//! Calls of `databricks-sdk`: every `….do("METHOD", "path")` in its source, with the class and
//! function around it, and what the type that the function returns can hold.

mod types;

use tree_sitter::{Node, Parser};

use crate::answers::{TypeName, Types};
use crate::call::Call;
use crate::wheel::Module;

/// The calls of all modules, in order.
pub fn calls(modules: &[Module]) -> Vec<Call> {
    let mut parser = Parser::new();
    if parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .is_err()
    {
        return Vec::new();
    }
    let mut types = Types::default();
    let mut calls = Vec::new();
    for module in modules {
        let Some(tree) = parser.parse(&module.source, None) else {
            continue;
        };
        let name = module.path.rsplit('/').next().unwrap_or(&module.path);
        let mut reader = Reader {
            source: &module.source,
            module: name.trim_end_matches(".py"),
            types: &mut types,
            calls: &mut calls,
        };
        reader.visit(tree.root_node(), &Place::default());
    }
    let complete = |(mut call, returned): (Call, Vec<TypeName>)| {
        call.answers = types.telling(&returned);
        call
    };
    calls.into_iter().map(complete).collect()
}

/// The class and function that a node stands in.
#[derive(Clone, Default)]
struct Place {
    class: String,
    function: String,
    documentation: String,
    returned: Vec<TypeName>,
}

struct Reader<'a> {
    source: &'a str,
    module: &'a str,
    types: &'a mut Types,
    calls: &'a mut Vec<(Call, Vec<TypeName>)>,
}

impl Reader<'_> {
    fn visit(&mut self, node: Node<'_>, place: &Place) {
        let mut place = place.clone();
        match node.kind() {
            "class_definition" => {
                place.class = self.field(node, "name");
                types::add(self.types, node, self.source, self.module);
            }
            "function_definition" if place.function.is_empty() => {
                place.function = self.field(node, "name");
                place.documentation = self.documentation(node);
                place.returned = node
                    .child_by_field_name("return_type")
                    .map(|returned| types::names(returned, self.source, self.module))
                    .unwrap_or_default();
            }
            "call" => self.read_call(node, &place),
            _ => {}
        }
        for child in node.children(&mut node.walk()) {
            self.visit(child, &place);
        }
    }

    fn read_call(&mut self, node: Node<'_>, place: &Place) {
        let is_do = node
            .child_by_field_name("function")
            .and_then(|function| function.child_by_field_name("attribute"))
            .is_some_and(|attribute| self.text(attribute) == "do");
        let Some(arguments) = node.child_by_field_name("arguments") else {
            return;
        };
        if !is_do {
            return;
        }
        let values: Vec<_> = arguments
            .named_children(&mut arguments.walk())
            .filter_map(|argument| self.value(argument))
            .collect();
        let [method, path, ..] = &*values else {
            return;
        };
        // A host in front is the client's own.
        let path = path.strip_prefix("{self._hostname}").unwrap_or(path);
        if method.bytes().all(|byte| byte.is_ascii_uppercase()) && path.starts_with('/') {
            let call = Call {
                source: format!("{}.{}", place.class, place.function),
                method: method.clone(),
                path: path.to_owned(),
                documentation: place.documentation.clone(),
                ..Call::default()
            };
            self.calls.push((call, place.returned.clone()));
        }
    }

    /// The text of a string, or of the value of a `method` or `url` argument; an interpolation
    /// becomes a name in braces.
    fn value(&self, argument: Node<'_>) -> Option<String> {
        match argument.kind() {
            "keyword_argument"
                if matches!(
                    self.field(argument, "name").as_str(),
                    "method" | "path" | "url"
                ) =>
            {
                self.value(argument.child_by_field_name("value")?)
            }
            "string" => {
                let mut text = String::new();
                for part in argument.named_children(&mut argument.walk()) {
                    match part.kind() {
                        "string_content" | "interpolation" => text.push_str(self.text(part)),
                        _ => {}
                    }
                }
                Some(text)
            }
            _ => None,
        }
    }

    fn documentation(&self, function: Node<'_>) -> String {
        let statement = function
            .child_by_field_name("body")
            .and_then(|body| body.named_child(0));
        statement
            .and_then(|statement| statement.named_child(0))
            .filter(|first| first.kind() == "string")
            .map(|string| self.text(string).to_owned())
            .unwrap_or_default()
    }

    fn field(&self, node: Node<'_>, name: &str) -> String {
        node.child_by_field_name(name)
            .map(|child| self.text(child).to_owned())
            .unwrap_or_default()
    }

    fn text(&self, node: Node<'_>) -> &str {
        node.utf8_text(self.source.as_bytes()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_with_all_that_they_hold() {
        let source = r#"
from databricks.sdk.service import shared
@dataclass
class Token:
    token_value: Optional[str] = None
    """The token."""
    password: Optional[str] = None
    """[Input-Only] A password."""
    token_count: Optional[int] = None
    owner: Optional[shared.Owner] = None
    def as_dict(self) -> dict:
        secret: str = "none"
class Wait:
    secret: Secret
class TokensAPI:
    def create(self) -> CreateResponse:
        return self._api.do("POST", "/api/2.0/token/create")
    def list(self) -> Iterator[Token]:
        return self._api.do("GET", "/api/2.0/token/list")
    def delete(self):
        self._api.do("POST", "/api/2.0/token/delete")
"#;
        let shared = "@dataclass\nclass Owner:\n    page_url: str\n    next_page_token: str\n    key: 'Dict[str, Token]'\n";
        let module = |path: &str, source: &str| Module {
            path: path.to_owned(),
            source: source.to_owned(),
        };
        let calls = calls(&[
            module("service/settings.py", source),
            module("service/shared.py", shared),
        ]);
        let answers: Vec<Vec<_>> = calls
            .iter()
            .map(|call| call.answers.iter().map(String::as_str).collect())
            .collect();
        let want = [
            vec![],
            vec!["Owner.key", "Owner.page_url", "Token.token_value"],
            vec![],
        ];
        assert_eq!(answers, want);
    }

    #[test]
    fn calls_are_read_with_their_place() {
        let source = r#"
class JobsAPI:
    def list(self, limit):
        """Lists jobs."""
        while True:
            json = self._api.do("GET", "/api/2.2/jobs/list", query=query)

    def delete(self, job_id):
        headers = {}
        self._api.do(
            "DELETE", f"/api/2.2/jobs/{job_id}", headers=headers
        )

    def upload(self):
        self._api.do(method="PUT", url=f"{self._hostname}/api/2.0/fs/files{path(x)}", data=data)

    def elsewhere(self):
        self._api.do("POST", url=info.endpoint_url)
        self.undo("POST", "/api/2.0/x")
"#;
        let module = Module {
            path: "jobs.py".to_owned(),
            source: source.to_owned(),
        };
        let calls = calls(&[module]);
        let found: Vec<_> = calls
            .iter()
            .map(|call| (&*call.source, &*call.method, &*call.path))
            .collect();
        let want = [
            ("JobsAPI.list", "GET", "/api/2.2/jobs/list"),
            ("JobsAPI.delete", "DELETE", "/api/2.2/jobs/{job_id}"),
            ("JobsAPI.upload", "PUT", "/api/2.0/fs/files{path(x)}"),
        ];
        assert_eq!(found, want);
        assert_eq!(
            calls.first().map(|call| &*call.documentation),
            Some("\"\"\"Lists jobs.\"\"\"")
        );
    }
}
