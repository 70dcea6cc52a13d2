//! The policies of the cookbook: each is valid, warns of nothing, and does what its cases say,
//! which reach all of it.

use super::oam;

const POLICIES: [&str; 7] = [
    "agents",
    "auth0",
    "aws-iam",
    "entra",
    "github-actions",
    "keycloak",
    "okta",
];

#[test]
fn every_policy_has_its_cases_here() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/envoy/policies");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut want: Vec<String> = POLICIES
        .iter()
        .flat_map(|name| [format!("{name}.cases.yaml"), format!("{name}.yaml")])
        .collect();
    want.sort();
    assert_eq!(names, want);
}

#[test]
fn every_policy_is_valid_and_keeps_its_word() {
    for name in POLICIES {
        let checked = oam(&["check", &format!("envoy/policies/{name}.yaml")]);
        assert_eq!(checked.code, Some(0), "{}", checked.out);
        assert!(checked.out.contains("valid, 0 warnings"), "{}", checked.out);
        let tested = oam(&["test", &format!("envoy/policies/{name}.cases.yaml")]);
        assert_eq!(tested.code, Some(0), "{}", tested.out);
        assert!(
            tested.out.contains("100 % of roles, grants and rules"),
            "{}",
            tested.out
        );
    }
}
