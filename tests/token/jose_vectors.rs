//! JOSE vectors made by others, against the verdicts that an edge should give on them.

use std::collections::BTreeMap;
use std::path::Path;

use databricks_oam_filter::token::{BearerToken, JwkSet, Jws, RustCrypto};
use serde_json::Value;

#[test]
fn verdicts_are_the_expected_ones() {
    let Some(rows) =
        load("EXPECTED.json").map(|document| document["rows"].as_array().unwrap().clone())
    else {
        return;
    };
    let exceptions: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../jose/exceptions.json")).unwrap();
    let mut deviating = Vec::new();
    for row in &rows {
        let accepted = verifies(&row["jws"], &row["jwks"]);
        match row["expect_signature_stage"].as_str().unwrap() {
            "accept" if !accepted => deviating.push(name(row)),
            "reject" if accepted => deviating.push(name(row)),
            "accept" | "reject" | "either" => {}
            other => panic!("{other}"),
        }
    }
    deviating.sort();
    // Both ways: an exception that is no longer one has to go.
    assert_eq!(deviating, exceptions.into_keys().collect::<Vec<_>>());
    assert!(rows.len() >= 500, "{}", rows.len());
}

/// The cookbook publishes its keys with their private halves, which is why those rows are
/// exceptions; the signatures are good.
#[test]
fn private_members_alone_make_the_exceptions() {
    let Some(rows) =
        load("EXPECTED.json").map(|document| document["rows"].as_array().unwrap().clone())
    else {
        return;
    };
    let exceptions: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../jose/exceptions.json")).unwrap();
    let from_cookbook = |row: &&Value| {
        exceptions.contains_key(&name(row)) && name(row).starts_with("rfc7520-cookbook/")
    };
    for row in rows.iter().filter(from_cookbook) {
        let mut jwks = row["jwks"].clone();
        for key in jwks["keys"].as_array_mut().unwrap() {
            let members = key.as_object_mut().unwrap();
            members.retain(|name, _| !["d", "p", "q", "dp", "dq", "qi"].contains(&name.as_str()));
        }
        assert!(verifies(&row["jws"], &jwks), "{}", name(row));
    }
}

/// Most of these sets are broken on purpose; each is either refused or gives keys.
#[test]
fn broken_sets_are_survived() {
    let Some(tink) = load("tink/tink_go_jwt_strings.json") else {
        return;
    };
    let sets = tink["jwk_sets"].as_array().unwrap();
    let usable = sets
        .iter()
        .filter(|set| JwkSet::parse(set["text"].as_str().unwrap().as_bytes()).is_ok())
        .count();
    assert!(
        usable > 10 && usable < sets.len(),
        "{usable} of {}",
        sets.len()
    );
}

fn verifies(token: &Value, keys: &Value) -> bool {
    // One row holds the JSON serialisation as JSON.
    let token = token
        .as_str()
        .map_or_else(|| token.to_string(), str::to_owned);
    let Ok(Ok(jws)) = BearerToken::parse(token.as_bytes(), 65_536).map(|token| Jws::parse(&token))
    else {
        return false;
    };
    let Ok(set) = JwkSet::parse(keys.to_string().as_bytes()) else {
        return false;
    };
    set.candidates(jws.key_id(), jws.algorithm())
        .any(|key| jws.verify(key, &RustCrypto).is_ok())
}

fn name(row: &Value) -> String {
    format!(
        "{} {}",
        row["source"].as_str().unwrap(),
        row["id"].as_str().unwrap()
    )
}

#[expect(
    clippy::print_stderr,
    reason = "a skipped test that says nothing looks like a passed one"
)]
fn load(file: &str) -> Option<Value> {
    let path = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/vectors/jose"
    ))
    .join(file);
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}
