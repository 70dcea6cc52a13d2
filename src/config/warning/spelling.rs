//! The operations that a rule's path is for, and their other spellings.

use crate::databricks::{self, Catalogue, Operation};
use crate::path::template::{self, Segment, Template};

/// Other paths of the operations that a template is for: with the other slash, in the version of
/// the API that the catalogue has, and under the other paths that it has for them.
pub(super) fn others(template: &Template) -> Vec<String> {
    let text = template.as_str();
    let mut others: Vec<String> = Vec::new();
    if template.segments().last() != Some(&Segment::Rest) {
        others.push(match text.strip_suffix('/') {
            Some(text) => text.to_owned(),
            None => format!("{text}/"),
        });
    }
    let names: Vec<&str> = operations(template).map(|found| found.name).collect();
    for operation in Catalogue::shared().operations() {
        let is_another =
            *operation.template != *text && !others.iter().any(|other| other == operation.template);
        if is_another && names.contains(&operation.name) && others.len() < MAX_OTHERS {
            others.push(operation.template.to_owned());
        }
    }
    others
}

/// An operation that a template is for, by one of these methods; the one that requires least comes
/// first.
pub(super) fn operation(
    template: &Template,
    methods: Option<&[String]>,
) -> Option<&'static Operation> {
    let is_for = |operation: &&Operation| {
        methods.is_none_or(|methods| methods.iter().any(|method| operation.method_is(method)))
    };
    let asks_for = |operation: &&Operation| operation.access == databricks::Access::Write;
    operations(template).filter(is_for).min_by_key(asks_for)
}

fn operations(template: &Template) -> impl Iterator<Item = &'static Operation> {
    let wanted = template.segments();
    Catalogue::shared()
        .operations()
        .iter()
        .filter(move |operation| meet(wanted, operation.template))
}

/// Whether some path fits both, whatever version of the API it has.
fn meet(wanted: &[Segment], other: &str) -> bool {
    let mut others = template::segments(other);
    for (position, segment) in wanted.iter().enumerate() {
        let Some(other) = others.next() else {
            return false;
        };
        let holds = match (segment, other) {
            (Segment::Rest, _) | (_, Segment::Rest) => return true,
            (Segment::Literal(one), Segment::Literal(other)) => {
                **one == *other
                    || position == 1 && databricks::is_version(one) && databricks::is_version(other)
            }
            (Segment::Verb(one), Segment::Verb(other)) => **one == *other,
            (Segment::Verb(verb), Segment::Literal(text)) => text.ends_with(&**verb),
            (Segment::Literal(text), Segment::Verb(verb)) => text.ends_with(verb),
            (Segment::Name, _) | (_, Segment::Name) => true,
        };
        if !holds {
            return false;
        }
    }
    others.next().is_none()
}

/// Enough to show what is meant.
const MAX_OTHERS: usize = 6;
