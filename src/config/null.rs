//! Keys and items without a value, which are errors wherever they stand.
//!
//! In YAML that is a key whose value was forgotten (`workspaces:`), and in Envoy's `Struct` a
//! `null_value`. `serde` reads it as a key that was left out, and here that often means the widest
//! setting there is: every workspace, any method, no limit.

use crate::token::json::Json;

use super::code::ProblemCode;
use super::located::DocumentStep;
use super::problem::{Place, Problems};
use super::shape;

/// Notes every `null` of a document. What is read in its place is no problem of its own.
pub(super) fn refuse(document: &Json, problems: &mut Problems) {
    let mut found = Vec::new();
    find(document, &mut Vec::new(), &mut found);
    for way in found {
        let place = Place::at(&shape::display(&way));
        problems.shape(&place, &place, ProblemCode::KeyWithoutValue, NO_VALUE);
        problems.mended(&place);
    }
}

/// The ways to every `null` below a value. The parsers have bounded how deep that goes.
fn find(value: &Json, way: &mut Vec<DocumentStep>, found: &mut Vec<Vec<DocumentStep>>) {
    let steps: Vec<(DocumentStep, &Json)> = match value {
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(position, item)| (DocumentStep::Item(position), item))
            .collect(),
        Json::Object(members) => members
            .iter()
            .map(|(key, member)| (DocumentStep::Key(key.into()), member))
            .collect(),
        Json::Null
        | Json::Bool(_)
        | Json::Unsigned(_)
        | Json::Negative(_)
        | Json::Decimal(_)
        | Json::Float(_)
        | Json::String(_) => return,
    };
    for (step, below) in steps {
        way.push(step);
        if *below == Json::Null {
            found.push(way.clone());
        }
        find(below, way, found);
        way.pop();
    }
}

const NO_VALUE: &str = "no value (null): write one, or leave it out";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{problems, texts, with};
    use super::super::wire::tests::encode_struct;
    use super::super::{Configuration, wire};
    use super::*;

    #[test]
    fn every_null_is_found() {
        let document = json!({
            "a": null, "b": [1, null, { "c": null, "d": [[null]] }], "e": { "f": { "g": null } }, "h": "null", "i": [], "": null,
        });
        let mut problems = Problems::default();
        let document = Json::parse(document.to_string().as_bytes());
        refuse(&document.unwrap(), &mut problems);
        let places = ["", "a", "b[1]", "b[2].c", "b[2].d[0][0]", "e.f.g"];
        let want: Vec<String> = places
            .iter()
            .map(|place| match *place {
                "" => NO_VALUE.to_owned(),
                place => format!("{place}: {NO_VALUE}"),
            })
            .collect();
        let error = problems.into_error().unwrap();
        assert_eq!(texts(&error), want);
    }

    /// Most of these meant the widest setting there is. More may be said of an object that lacks
    /// what was to stand there.
    #[test]
    fn a_key_without_a_value_is_an_error_in_whatever_it_comes() {
        let role_with = |members: &str| {
            format!(
                r#","roles":[{{"name":"r","members":[{{"group":"g"}}],"grants":["jobs"],{members}}}]"#
            )
        };
        let of_rule = |members: &str| {
            format!(
                r#","policy":{{"rules":[{{"name":"r","effect":"public","paths":["/a"],{members}}}]}}"#
            )
        };
        #[rustfmt::skip]
        let cases = [
            // more sections                                                    the first place
            (role_with(r#""workspaces":null"#),                                      "roles[0].workspaces"),
            (of_rule(r#""methods":null"#),                                         "policy.rules[0].methods"),
            (of_rule(r#""issuers":null"#),                                         "policy.rules[0].issuers"),
            (of_rule(r#""mode":null"#),                                            "policy.rules[0].mode"),
            (r#","exchange":null"#.to_owned(),                                  "exchange"),
            (r#","exchange":{"cluster":"c","token_endpoint":"https://d.example/t","issuers":null}"#.to_owned(), "exchange.issuers"),
            (r#","withdrawn":null"#.to_owned(),                                 "withdrawn"),
            (r#","withdrawn":{"clients":null}"#.to_owned(),                     "withdrawn.clients"),
            (r#","withdrawn":{"clients":["c",null]}"#.to_owned(),               "withdrawn.clients[1]"),
            (r#","withdrawn":{"issued_before":[{"time":1,"subject":null}]}"#.to_owned(), "withdrawn.issued_before[0].subject"),
            (r#","withdrawn":{"list":null}"#.to_owned(),                        "withdrawn.list"),
            (r#","workspaces":null"#.to_owned(),                                "workspaces"),
            (r#","policy":{"rules":null}"#.to_owned(),                          "policy.rules"),
            (r#","limits":null"#.to_owned(),                                    "limits"),
            (r#","credentials":{"basic":{"until":null}}"#.to_owned(),           "credentials.basic.until"),
            (r#","resource":{"identifier":null}"#.to_owned(),                   "resource.identifier"),
            (r#","forward_identity":null"#.to_owned(),                          "forward_identity"),
        ];
        for (more, place) in cases {
            let text = with(&more);
            let want = format!("{place}: {NO_VALUE}");
            assert_eq!(problems(&text).first(), Some(&want), "{text}");
            let document = Json::parse(text.as_bytes()).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            let bytes = encode_struct(value.as_object().unwrap());
            assert_eq!(wire::decode(&bytes), Some(document), "{text}");
            let of_struct = Configuration::parse(&bytes).err().unwrap();
            assert_eq!(texts(&of_struct), problems(&text), "{text}");
        }
    }

    #[test]
    fn a_key_of_an_issuer_without_a_value_is_an_error() {
        let valid: serde_json::Value = serde_json::from_str(&with("")).unwrap();
        for (pointer, key, place) in [
            (
                "/issuers/0",
                "max_token_lifetime",
                "issuers[0].max_token_lifetime",
            ),
            ("/issuers/0", "clients", "issuers[0].clients"),
            ("/issuers/0", "token_type", "issuers[0].token_type"),
            ("/issuers/0/jwks", "uri", "issuers[0].jwks.uri"),
            (
                "/issuers/0/jwks/keys/keys/0",
                "use",
                "issuers[0].jwks.keys.keys[0].use",
            ),
            ("", "issuers", "issuers"),
        ] {
            let mut document = valid.clone();
            document.pointer_mut(pointer).unwrap()[key] = json!(null);
            let want = format!("{place}: {NO_VALUE}");
            let said = problems(&document.to_string());
            assert_eq!(said.first(), Some(&want), "{place}");
        }
    }
}
