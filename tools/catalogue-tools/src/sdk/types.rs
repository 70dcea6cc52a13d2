//! The types of `databricks-sdk`: its data classes, with what each member holds and what its
//! documentation says of it.

use tree_sitter::Node;

use crate::answers::{Member, TypeName, Types};

/// Adds a class of a module.
pub(super) fn add(types: &mut Types, class: Node<'_>, source: &str, module: &str) {
    let text = |node: Node<'_>| node.utf8_text(source.as_bytes()).unwrap_or_default();
    let name = class.child_by_field_name("name").map(text);
    let (Some(name), Some(body)) = (name, class.child_by_field_name("body")) else {
        return;
    };
    let mut members: Vec<Member> = Vec::new();
    for statement in body.named_children(&mut body.walk()) {
        let Some(first) = statement.named_child(0) else {
            continue;
        };
        match first.kind() {
            "assignment" => members.extend(member(first, source, module)),
            // What follows a member is its documentation. What only goes in never comes back.
            "string" if is_input_only(text(first)) => _ = members.pop(),
            _ => {}
        }
    }
    let named = TypeName {
        module: module.to_owned(),
        name: name.to_owned(),
    };
    types.add(named, members);
}

fn member(assignment: Node<'_>, source: &str, module: &str) -> Option<Member> {
    let annotation = assignment.child_by_field_name("type")?;
    let name = assignment.child_by_field_name("left")?;
    let types = names(annotation, source, module);
    Some(Member {
        name: name.utf8_text(source.as_bytes()).ok()?.to_owned(),
        is_text: types.iter().any(|named| TEXT.contains(&&*named.name)),
        types,
    })
}

/// The types that an annotation names.
pub(super) fn names(annotation: Node<'_>, source: &str, module: &str) -> Vec<TypeName> {
    let mut found = Vec::new();
    let mut left = vec![annotation];
    let text = |node: Node<'_>| node.utf8_text(source.as_bytes()).unwrap_or_default();
    let named = |module: &str, name: &str| TypeName {
        module: module.to_owned(),
        name: name.to_owned(),
    };
    while let Some(node) = left.pop() {
        match node.kind() {
            "identifier" => found.push(named(module, text(node))),
            "attribute" => {
                let field = |name| node.child_by_field_name(name).map(text);
                if let (Some(module), Some(name)) = (field("object"), field("attribute")) {
                    found.push(named(module, name));
                }
            }
            // An annotation in quotes.
            "string_content" => {
                let words = text(node).split(|character: char| {
                    !character.is_alphanumeric() && !matches!(character, '_' | '.')
                });
                found.extend(words.map(|word| match word.rsplit_once('.') {
                    Some((module, name)) => named(module, name),
                    None => named(module, word),
                }));
            }
            _ => left.extend(node.named_children(&mut node.walk())),
        }
    }
    found
}

fn is_input_only(documentation: &str) -> bool {
    documentation
        .to_lowercase()
        .replace(['-', ' '], "_")
        .contains("input_only")
}

/// What text is annotated as.
const TEXT: [&str; 8] = [
    "str",
    "bytes",
    "Any",
    "dict",
    "Dict",
    "object",
    "BinaryIO",
    "JsonValue",
];
