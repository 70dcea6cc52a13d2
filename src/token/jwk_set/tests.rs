use serde_json::{Value, json};

use super::*;
use crate::token::json::JsonError;

#[test]
fn a_bad_entry_is_ignored_alone() {
    let good = key(P256, json!({}));
    let weak = key(RSA, json!({"n": "AQAB"}));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    #[rustfmt::skip]
    let cases: [(&str, String, JwkError); 12] = [
        // name                      entry                                        want
        ("null",                     "null".into(),                               JwkError::NotObject),
        ("a number",                 "1e999".into(),                              JwkError::Json(JsonError::Malformed)),
        ("a string",                 r#""\ud800""#.into(),                        JwkError::Json(JsonError::Malformed)),
        ("an unknown kind",          r#"{"kty":"AKP"}"#.into(),                   JwkError::UnsupportedKeyType),
        ("a kind that is a number",  r#"{"kty":1}"#.into(),                       JwkError::WrongType("kty")),
        ("a symmetric key",          r#"{"kty":"oct","alg":"HS256"}"#.into(),     JwkError::Symmetric),
        ("a numeric key ID",         key(P256, json!({"kid": 1})),                JwkError::WrongType("kid")),
        ("operations as a string",   key(P256, json!({"key_ops": "verify"})),     JwkError::WrongType("key_ops")),
        ("members twice",            r#"{"kty":"EC","kty":"EC"}"#.into(),         JwkError::Json(JsonError::DuplicateMember)),
        ("10,000 deep",              deep,                                        JwkError::Json(JsonError::TooDeep)),
        ("a private key",            key(P256, json!({"d": "AA"})),               JwkError::Private),
        ("a weak key",               weak,                                        JwkError::RsaModulusSize(17)),
    ];
    for (name, entry, reason) in cases {
        let set = JwkSet::parse(format!(r#"{{"keys":[{entry},{good}]}}"#).as_bytes()).unwrap();
        assert_eq!(set.keys().len(), 1, "{name}");
        assert_eq!(
            set.ignored(),
            [IgnoredKey {
                position: 0,
                reason
            }],
            "{name}"
        );
        let alone = JwkSet::parse(format!(r#"{{"keys":[{entry}]}}"#).as_bytes()).map(drop);
        assert_eq!(
            alone,
            Err(JwkSetError::NoUsableKey(vec![IgnoredKey {
                position: 0,
                reason
            }])),
            "{name}"
        );
    }
}

#[test]
fn a_set_is_an_object_with_one_array_of_keys() {
    use JwkSetError::{Malformed, NoUsableKey, TooLarge, TooManyKeys};
    let good = key(P256, json!({}));
    let entries = |count: usize| format!(r#"{{"keys":[{}{good}]}}"#, "null,".repeat(count - 1));
    let spaces = |total: usize| {
        let set = format!(r#"{{"keys":[{good}]}}"#);
        " ".repeat(total - set.len()) + &set
    };
    let unclosed = r#"{"keys":["#.to_owned() + &"[".repeat(100_000);
    #[rustfmt::skip]
    let cases: [(&str, String, Result<(), JwkSetError>); 19] = [
        // name                    document                                        want
        ("a set",                  format!(r#"{{"keys":[{good}]}}"#),              Ok(())),
        ("other members",          format!(r#"{{"a":[{{}}],"keys":[{good}]}}"#),   Ok(())),
        ("as many as allowed",     entries(MAX_KEYS),                              Ok(())),
        ("one key too many",       entries(MAX_KEYS + 1),                          Err(TooManyKeys)),
        ("a megabyte of entries",  entries(200_000),                               Err(TooManyKeys)),
        ("as large as allowed",    spaces(MAX_BYTES),                              Ok(())),
        ("one byte too many",      spaces(MAX_BYTES + 1),                          Err(TooLarge(MAX_BYTES + 1))),
        ("no keys",                r#"{"keys":[]}"#.into(),                        Err(NoUsableKey(vec![]))),
        ("nothing",                String::new(),                                  Err(Malformed)),
        ("an HTML page",           "<html>".into(),                                Err(Malformed)),
        ("a bare array",           format!("[{good}]"),                            Err(Malformed)),
        ("a bare key",             good.clone(),                                   Err(Malformed)),
        ("keys by name",           format!(r#"{{"keys":{{"a":{good}}}}}"#),        Err(Malformed)),
        ("null keys",              r#"{"keys":null}"#.into(),                      Err(Malformed)),
        ("keys twice",             format!(r#"{{"keys":[{good}],"keys":[]}}"#),    Err(Malformed)),
        ("half a document",        format!(r#"{{"keys":[{good}"#),                 Err(Malformed)),
        ("something behind",       format!(r#"{{"keys":[{good}]}}x"#),             Err(Malformed)),
        ("a byte order mark",      format!("\u{feff}{{\"keys\":[{good}]}}"),       Err(Malformed)),
        ("deep and never closed",  unclosed,                                       Err(Malformed)),
    ];
    for (name, document, want) in cases {
        assert_eq!(JwkSet::parse(document.as_bytes()).map(drop), want, "{name}");
    }
    assert_eq!(
        JwkSet::parse(b"{\"keys\":[\"\xff\"]}").map(drop),
        Err(Malformed)
    );
}

#[test]
fn a_key_id_and_an_algorithm_name_one_key() {
    let again = json!({"x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "a"});
    let (one, other) = (key(ED25519, json!({"kid": "a"})), key(ED25519, again));
    let nameless = key(ED25519, json!({"kid": null})).replace(r#""kid":null,"#, "");
    let (rsa, rs, ps) = (
        key(RSA, json!({"kid": "a"})),
        key(RSA, json!({"kid": "a", "alg": "RS256"})),
        key(RSA, json!({"kid": "a", "alg": "PS256"})),
    );
    #[rustfmt::skip]
    let cases: [(&str, Vec<&String>, usize, Vec<usize>); 6] = [
        // name                                 entries                        kept   ambiguous
        ("the same key twice",                  vec![&one, &one],              1,     vec![]),
        ("two keys of one name",                vec![&one, &rsa, &other],      1,     vec![0, 2]),
        ("of two kinds",                        vec![&one, &rsa],              2,     vec![]),
        ("one key for two algorithms",          vec![&rs, &ps],                2,     vec![]),
        ("once with a name and once without",   vec![&one, &nameless],         2,     vec![]),
        ("without a name, twice",               vec![&nameless, &nameless],    1,     vec![]),
    ];
    for (name, entries, kept, ambiguous) in cases {
        let entries: Vec<&str> = entries.into_iter().map(String::as_str).collect();
        let set =
            JwkSet::parse(format!(r#"{{"keys":[{}]}}"#, entries.join(",")).as_bytes()).unwrap();
        let ignored = ambiguous.into_iter().map(|position| IgnoredKey {
            position,
            reason: JwkError::RepeatedKeyId,
        });
        assert_eq!(
            (set.keys().len(), set.ignored().to_vec()),
            (kept, ignored.collect()),
            "{name}"
        );
    }
}

#[test]
fn candidates_have_the_key_id_or_none() {
    let named = |kid: &str| key(P256, json!({ "kid": kid }));
    let nameless = key(ED25519, json!({"kid": null})).replace(r#""kid":null,"#, "");
    let nameless_ec = named("z").replace(r#""kid":"z","#, "");
    let entries = [
        nameless_ec,
        named("a"),
        named("b"),
        nameless,
        key(P384, json!({"kid": "a"})),
    ];
    let set = JwkSet::parse(format!(r#"{{"keys":[{}]}}"#, entries.join(",")).as_bytes()).unwrap();
    #[rustfmt::skip]
    let cases = [
        // name                       key ID      algorithm            want
        ("by its name, then none",    Some("a"),  Algorithm::Es256,    vec![Some("a"), None]),
        ("of another curve",          Some("a"),  Algorithm::Es384,    vec![Some("a")]),
        ("an unknown name",           Some("c"),  Algorithm::Es256,    vec![None]),
        ("no name in the token",      None,       Algorithm::Es256,    vec![None, Some("a"), Some("b")]),
        ("no name on either side",    None,       Algorithm::EdDsa,    vec![None]),
        ("no key of that kind",       Some("a"),  Algorithm::Rs256,    vec![]),
    ];
    for (name, key_id, algorithm, want) in cases {
        let candidates: Vec<_> = set.candidates(key_id, algorithm).map(Jwk::key_id).collect();
        assert_eq!(candidates, want, "{name}");
    }
}

#[test]
fn a_token_costs_a_bounded_number_of_signatures() {
    let entries: Vec<_> = (0..MAX_KEYS)
        .map(|number| key(ED25519, json!({"kid": number.to_string()})))
        .collect();
    let set = JwkSet::parse(format!(r#"{{"keys":[{}]}}"#, entries.join(",")).as_bytes()).unwrap();
    assert_eq!(set.keys().len(), MAX_KEYS);
    assert_eq!(
        set.candidates(None, Algorithm::EdDsa).count(),
        MAX_CANDIDATES
    );
    assert_eq!(set.candidates(Some("7"), Algorithm::EdDsa).count(), 1);
}

#[test]
fn depth_costs_no_stack() {
    let brackets = MAX_BYTES / 2 - 500;
    let parse = move || {
        let deep = "[".repeat(brackets) + &"]".repeat(brackets);
        let beside = format!(r#"{{"keys":[{}],"a":{deep}}}"#, key(P256, json!({})));
        let inside = format!(r#"{{"keys":[{},{deep}]}}"#, key(P256, json!({})));
        [beside, inside]
            .map(|document| JwkSet::parse(document.as_bytes()).map(|set| set.ignored().to_vec()))
    };
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(parse);
    let reason = JwkError::TooLarge(brackets * 2);
    let want = [
        Ok(vec![]),
        Ok(vec![IgnoredKey {
            position: 1,
            reason,
        }]),
    ];
    assert_eq!(thread.unwrap().join().unwrap(), want);
}

#[test]
fn errors_say_which_entry_and_why() {
    let error = JwkSet::parse(br#"{"keys":[null,{"kty":"oct"}]}"#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no usable key: keys[0]: not a JSON object; keys[1]: a symmetric key"
    );
}

/// A test key, its private members removed, with members added or replaced.
fn key(text: &str, changes: Value) -> String {
    let mut key: Value = serde_json::from_str(text).unwrap();
    let members = key.as_object_mut().unwrap();
    members.retain(|name, _| !["d", "p", "q"].contains(&name.as_str()));
    if let Value::Object(changes) = changes {
        members.extend(changes);
    }
    key.to_string()
}

const ED25519: &str = include_str!("../../../tests/keys/ed25519.json");
const P256: &str = include_str!("../../../tests/keys/p-256.json");
const P384: &str = include_str!("../../../tests/keys/p-384.json");
const RSA: &str = include_str!("../../../tests/keys/rsa.json");
