use super::*;
use crate::config::Configuration;
use crate::time::parse_moment;
use crate::token::claims::Claims;
use crate::token::jws::SignedPayload;

const BEARER: &str = "abc";
/// FIPS 180-4's example for `abc`.
const DIGEST: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const ISSUER: &str = "https://i.example";

/// 2027-01-15T08:00:00Z.
const ISSUED_AT: u64 = 1_800_000_000;

pub(super) fn bearer() -> BearerToken<'static> {
    BearerToken::parse(BEARER.as_bytes(), 10).unwrap()
}

fn token(more: &str) -> AccessToken {
    let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let text = format!(
        r#"{{"issuers":[{{"issuer":"{ISSUER}","audiences":["a"],"jwks":{{"keys":{{"keys":[{key}]}}}}}}]}}"#
    );
    let configuration = Configuration::parse(text.as_bytes()).unwrap();
    let issuer = &configuration.authorizer.issuers[0];
    let payload = format!(
        r#"{{"iss":"{ISSUER}","aud":"a","exp":{}{more}}}"#,
        ISSUED_AT + 600
    );
    let claims = Claims::parse(SignedPayload::unsigned(payload.as_bytes())).unwrap();
    let now = UnixTime::from_seconds(ISSUED_AT).unwrap();
    issuer
        .validate(None, &claims, now)
        .unwrap()
        .signed_by(Some("k"))
}

pub(super) fn valid() -> AccessToken {
    token(&format!(
        r#","sub":"ada","client_id":"etl","jti":"t-1","iat":{ISSUED_AT},"act":{{"sub":"agent"}}"#
    ))
}

#[test]
fn each_name_withdraws_what_has_it_and_nothing_else() {
    use Names::{Clients, KeyIds, Subjects, TokenIds, Tokens};
    #[rustfmt::skip]
    let cases = [
        // name                     list       entry      want
        ("its ID",                  TokenIds,  "t-1",     true),
        ("another ID",              TokenIds,  "t-10",    false),
        ("an ID in another case",   TokenIds,  "T-1",     false),
        ("its subject",             Subjects,  "ada",     true),
        ("who acts for it",         Subjects,  "agent",   true),
        ("a client as subject",     Subjects,  "etl",     false),
        ("its client",              Clients,   "etl",     true),
        ("a subject as client",     Clients,   "ada",     false),
        ("the key that signed it",  KeyIds,    "k",       true),
        ("another key",             KeyIds,    "t-1",     false),
        ("itself",                  Tokens,    DIGEST,    true),
    ];
    for (name, names, entry, want) in cases {
        let mut withdrawn = Withdrawn::default();
        assert_eq!(withdrawn.add(names, entry), Ok(()), "{name}");
        assert_eq!(withdrawn.has(&valid(), bearer()), want, "{name}");
    }
    assert!(!Withdrawn::default().has(&valid(), bearer()));
}

#[test]
fn a_fingerprint_withdraws_one_token() {
    let mut withdrawn = Withdrawn::default();
    withdrawn.add(Names::Tokens, DIGEST).unwrap();
    let other = BearerToken::parse(b"abd", 10).unwrap();
    assert!(!withdrawn.has(&valid(), other));
}

#[test]
fn what_a_token_does_not_say_matches_no_name() {
    let mut withdrawn = Withdrawn::default();
    for names in [Names::Clients, Names::Subjects, Names::TokenIds] {
        withdrawn.add(names, "ada").unwrap();
    }
    assert!(!withdrawn.has(&token(""), bearer()));
}

#[test]
fn whoever_acts_for_a_subject_is_meant_by_a_moment_too() {
    let acting = token(r#","sub":"bob","act":{"sub":"ada"},"iat":1800000000"#);
    for (subject, want) in [("ada", true), ("bob", true), ("eve", false)] {
        let mut withdrawn = Withdrawn::default();
        let time = parse_moment("2027-01-15T08:00:01Z").unwrap();
        withdrawn
            .add_issued_before(Some(ISSUER), Some(subject), time)
            .unwrap();
        assert_eq!(withdrawn.has(&acting, bearer()), want, "{subject}");
    }
}

#[test]
fn tokens_issued_before_a_moment_are_withdrawn() {
    type Entry<'a> = (Option<&'a str>, Option<&'a str>, &'a str);
    let (here, elsewhere) = (Some(ISSUER), Some("https://j.example"));
    let (ada, bob) = (Some("ada"), Some("bob"));
    let undated = token(r#","sub":"ada""#);
    #[rustfmt::skip]
    let cases: [(&str, &[Entry<'_>], bool, bool); 11] = [
        // name                            entries
        // dated  undated
        ("a second later",                 &[(None, None, "2027-01-15T08:00:01Z")],                                          true,  true),
        ("that very second",               &[(None, None, "2027-01-15T08:00:00Z")],                                          false, true),
        ("of its issuer",                  &[(here, None, "2027-01-16")],                                                    true,  true),
        ("of another issuer",              &[(elsewhere, None, "2027-01-16")],                                               false, false),
        ("of its subject",                 &[(None, ada, "2027-01-16")],                                                     true,  true),
        ("of another subject",             &[(None, bob, "2027-01-16")],                                                     false, false),
        ("of its subject and issuer",      &[(here, ada, "2027-01-16")],                                                     true,  true),
        ("of its subject elsewhere",       &[(elsewhere, ada, "2027-01-16")],                                                false, false),
        ("the later of two holds",         &[(here, ada, "2027-01-16"), (here, ada, "2027-01-14")],                          true,  true),
        ("the wider of two holds",         &[(here, ada, "2027-01-14"), (None, None, "2027-01-16")],                         true,  true),
        ("none of several reaches it",     &[(here, ada, "2027-01-14"), (None, None, "2027-01-13"), (here, bob, "2027-01-16")], false, true),
    ];
    for (name, entries, want, want_undated) in cases {
        let mut withdrawn = Withdrawn::default();
        for (issuer, subject, time) in entries {
            let time = parse_moment(time).unwrap();
            withdrawn
                .add_issued_before(*issuer, *subject, time)
                .unwrap();
        }
        assert_eq!(withdrawn.has(&valid(), bearer()), want, "{name}");
        assert_eq!(
            withdrawn.has(&undated, bearer()),
            want_undated,
            "{name}, without `iat`"
        );
    }
}

#[test]
fn entries_that_no_token_can_match_are_refused() {
    use EntryError::{Fingerprint, Text};
    let long = "a".repeat(text::MAX_CLAIM_BYTES + 1);
    #[rustfmt::skip]
    let cases = [
        // name              list               entry             want
        ("empty",            Names::TokenIds,   "",               Text(TextError::Empty)),
        ("a line break",     Names::Subjects,   "a\nb",           Text(TextError::ControlCharacter)),
        ("too long",         Names::Clients,    long.as_str(),    Text(TextError::TooLong(2049))),
        ("a token",          Names::Tokens,     "eyJ.eyJ.c2ln",   Fingerprint(FingerprintError)),
    ];
    for (name, names, entry, want) in cases {
        assert_eq!(Withdrawn::default().add(names, entry), Err(want), "{name}");
    }
}

#[test]
fn the_number_of_entries_is_bounded() {
    let mut withdrawn = Withdrawn {
        entries: MAX_ENTRIES - 1,
        ..Withdrawn::default()
    };
    assert_eq!(withdrawn.add(Names::TokenIds, "t"), Ok(()));
    assert_eq!(
        withdrawn.add(Names::TokenIds, "u"),
        Err(EntryError::TooMany)
    );
    assert_eq!(
        withdrawn.add_issued_before(None, None, UnixTime::MAX),
        Err(EntryError::TooMany)
    );
    assert_eq!(withdrawn.len(), MAX_ENTRIES);
}
