use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Number, Value};

use super::*;

#[test]
fn every_kind_of_value_is_read() {
    #[rustfmt::skip]
    let cases = [
        // name                    text                       want
        ("null",                   "null",                    Json::Null),
        ("a boolean",              " true\n",                 Json::Bool(true)),
        ("zero",                   "0",                       Json::Unsigned(0)),
        ("the largest integer",    "18446744073709551615",    Json::Unsigned(u64::MAX)),
        ("one more",               "18446744073709551616",    Json::Float(18_446_744_073_709_551_616.0)),
        ("a negative integer",     "-1",                      Json::Negative(-1)),
        ("minus zero",             "-0",                      Json::Float(-0.0)),
        ("a fraction of nothing",  "1.0",                     Json::Decimal(1.0)),
        ("a fraction",             "0.25",                    Json::Decimal(0.25)),
        ("below 0",                "-0.25",                   Json::Float(-0.25)),
        ("with an exponent too",   "0.25e1",                  Json::Float(2.5)),
        ("an exponent",            "1e3",                     Json::Float(1000.0)),
        ("an escaped string",      r#""a\u0062\n\ud83d\ude00""#, Json::String("ab\n😀".into())),
        ("an array",               "[1,[]]",                  Json::Array(vec![Json::Unsigned(1), Json::Array(vec![])])),
        ("an object",              r#"{"a":{"a":1}}"#,        object("a", object("a", Json::Unsigned(1)))),
    ];
    for (name, text, want) in cases {
        assert_eq!(Json::parse(text.as_bytes()), Ok(want), "{name}");
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    use JsonError::{DuplicateMember, Malformed, NotUtf8, TooDeep};
    let at_limit = nested(MAX_DEPTH);
    let deeper = nested(MAX_DEPTH + 1);
    let object_deeper = r#"{"a":"#.repeat(MAX_DEPTH + 1) + "1" + &"}".repeat(MAX_DEPTH + 1);
    let unclosed = "[".repeat(10_000);
    let far_too_deep = nested(10_000);
    #[rustfmt::skip]
    let cases: [(&str, &[u8], Option<JsonError>); 31] = [
        // name                               bytes                                     want
        ("as deep as allowed",                at_limit.as_bytes(),                      None),
        ("one deeper",                        deeper.as_bytes(),                        Some(TooDeep)),
        ("objects, one deeper",               object_deeper.as_bytes(),                 Some(TooDeep)),
        ("10,000 deep",                       far_too_deep.as_bytes(),                  Some(TooDeep)),
        ("10,000 deep and never closed",      unclosed.as_bytes(),                      Some(TooDeep)),
        ("a repeated member",                 br#"{"a":1,"a":1}"#,                      Some(DuplicateMember)),
        ("repeated through an escape",        br#"{"alg":1,"\u0061lg":1}"#,             Some(DuplicateMember)),
        ("repeated far inside",               br#"{"a":[{"b":{"c":1,"d":2,"c":3}}]}"#,  Some(DuplicateMember)),
        ("an empty name repeated",            br#"{"":1,"":1}"#,                        Some(DuplicateMember)),
        ("names that differ in case",         br#"{"a":1,"A":1}"#,                      None),
        ("one name at two depths",            br#"{"a":{"a":1}}"#,                      None),
        ("nothing",                           b"",                                      Some(Malformed)),
        ("spaces alone",                      b" ",                                     Some(Malformed)),
        ("two values",                        b"1 2",                                   Some(Malformed)),
        ("a NUL behind",                      b"{}\0",                                  Some(Malformed)),
        ("a byte order mark",                 b"\xef\xbb\xbf{}",                        Some(Malformed)),
        ("a lone high surrogate",             br#""\ud800""#,                           Some(Malformed)),
        ("a lone low surrogate",              br#""\udc00""#,                           Some(Malformed)),
        ("surrogates the wrong way round",    br#""\ude00\ud83d""#,                     Some(Malformed)),
        ("a lone surrogate as a name",        br#"{"\ud800":1}"#,                       Some(Malformed)),
        ("a control character in a string",   b"\"\x01\"",                              Some(Malformed)),
        ("a number beyond a double",          b"1e999",                                 Some(Malformed)),
        ("a leading zero",                    b"01",                                    Some(Malformed)),
        ("a plus sign",                       b"+1",                                    Some(Malformed)),
        ("not a number",                      b"NaN",                                   Some(Malformed)),
        ("a trailing comma",                  b"[1,]",                                  Some(Malformed)),
        ("a comment",                         b"{}//",                                  Some(Malformed)),
        ("single quotes",                     b"{'a':1}",                               Some(Malformed)),
        ("not UTF-8 in a string",             b"\"\xff\"",                              Some(NotUtf8)),
        ("an overlong slash",                 b"\"\xc0\xaf\"",                          Some(NotUtf8)),
        ("a surrogate in UTF-8",              b"\"\xed\xa0\x80\"",                      Some(NotUtf8)),
    ];
    for (name, bytes, want) in cases {
        assert_eq!(Json::parse(bytes).err(), want, "{name}");
    }
}

#[test]
fn a_repeated_member_is_found_among_any_number() {
    for count in 1..40 {
        let members: Vec<String> = (0..count).map(|name| format!(r#""{name}":0"#)).collect();
        for repeated in [0, count - 1] {
            let text = format!(r#"{{{},"{repeated}":0}}"#, members.join(","));
            let want = Err(JsonError::DuplicateMember);
            assert_eq!(Json::parse(text.as_bytes()), want, "{text}");
        }
    }
}

proptest! {
    /// What is read is what `serde_json` reads; what is not, it does not read either, but for
    /// repeated members and depth.
    #[test]
    fn others_read_the_same(text in prop_oneof![json_text(), changed(json_text()), scraps()]) {
        let theirs = serde_json::from_slice::<Value>(&text).ok();
        match Json::parse(&text) {
            Ok(json) => prop_assert_eq!(Some(value(&json)), theirs),
            Err(JsonError::DuplicateMember | JsonError::TooDeep) => {}
            Err(JsonError::Malformed | JsonError::NotUtf8) => prop_assert_eq!(None, theirs),
        }
    }
}

/// As `serde_json` has it.
fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Unsigned(number) => Value::from(*number),
        Json::Negative(number) => Value::from(*number),
        Json::Decimal(number) | Json::Float(number) => {
            Number::from_f64(*number).map_or(Value::Null, Value::Number)
        }
        Json::String(text) => Value::from(&**text),
        Json::Array(items) => items.iter().map(value).collect(),
        Json::Object(members) => {
            let members = members
                .iter()
                .map(|(name, json)| (name.to_owned(), value(json)));
            Value::Object(members.collect())
        }
    }
}

fn json_text() -> impl Strategy<Value = Vec<u8>> {
    let string = r#""([a-c é😀]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4}|\\ud83[d-f]\\ude0[0-9]){0,20}""#;
    let number = r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?";
    let leaf = prop_oneof![
        string,
        number,
        select(&["null", "true", "false"][..]).prop_map(str::to_owned),
    ];
    let tree = leaf.prop_recursive(4, 60, 20, move |inner| {
        let member = (string, inner.clone()).prop_map(|(name, value)| format!("{name} :{value}"));
        prop_oneof![
            vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(" , "))),
            vec(member, 0..30).prop_map(|members| format!("{{{}}}", members.join(",\n"))),
        ]
    });
    tree.prop_map(String::into_bytes)
}

fn changed(texts: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (texts, any::<Index>(), any::<u8>()).prop_map(|(mut text, place, byte)| {
        let place = place.index(text.len());
        text[place] = byte;
        text
    })
}

fn scraps() -> impl Strategy<Value = Vec<u8>> {
    let scraps = [
        "{", "}", "[", "]", ",", ":", " ", "\t", "\"", "\"a\"", "\\", "\\u", "d800", "0", "1", "-",
        "+", ".", "e", "true", "null", "/", "\u{1}", "\u{a0}",
    ];
    vec(select(scraps.to_vec()), 0..12).prop_map(|scraps| scraps.concat().into_bytes())
}

/// The module has a stack of 1 MiB for everything; frames are largest in an unoptimised build, such
/// as a test's.
#[test]
fn depth_costs_no_stack() {
    let parse = || {
        let texts = [
            nested(MAX_DEPTH),
            nested(1_000_000),
            r#"{"a":"#.repeat(100_000),
        ];
        texts.map(|text| Json::parse(text.as_bytes()).map(drop))
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(parse);
    let want = [Ok(()), Err(JsonError::TooDeep), Err(JsonError::TooDeep)];
    assert_eq!(thread.unwrap().join().unwrap(), want);
}

/// A quadratic search for repeats would take minutes here.
#[test]
fn many_members_cost_little() {
    let members: Vec<String> = (0..100_000)
        .map(|number| format!("\"{number}\":0"))
        .collect();
    let text = format!("{{{}}}", members.join(","));
    assert_eq!(
        Json::parse(text.as_bytes()).map(|json| json.as_object().map(Object::len)),
        Ok(Some(100_000))
    );
}

#[test]
fn accessors_answer_for_their_own_kind_alone() {
    let json = Json::parse(br#"{"text":"a","number":1,"float":1.0,"list":[true]}"#).unwrap();
    assert_eq!(json.get("text").and_then(Json::as_str), Some("a"));
    assert_eq!(json.get("number").and_then(Json::as_u64), Some(1));
    assert_eq!(json.get("float").and_then(Json::as_u64), None);
    assert_eq!(
        json.get("list").and_then(Json::as_array),
        Some(&[Json::Bool(true)][..])
    );
    assert_eq!(json.get("absent"), None);
    assert_eq!(json.get("text").and_then(|text| text.get("text")), None);
    assert_eq!(json.as_str(), None);
    assert_eq!(Json::Bool(true).as_bool(), Some(true));
}

fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

fn object(name: &str, value: Json) -> Json {
    Json::Object(Object::from_iter([(name.into(), value)]))
}
