use proptest::prelude::*;

use super::FormError::{Kind, Malformed, Repeated, TooLong};
use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

fn head(pairs: &[(&str, &str)]) -> Headers {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    Headers::new(pairs.collect())
}

#[test]
fn a_form_has_one_reading() {
    let long = format!("a={}", "b".repeat(MAX_BYTES - 2));
    let longer = format!("{long}b");
    let many: Vec<String> = (0..=MAX_FIELDS).map(|n| format!("f{n}=1")).collect();
    let (many, too_many) = (many[..MAX_FIELDS].join("&"), many.join("&"));
    #[rustfmt::skip]
    let cases: [(&str, &[u8], Option<FormError>); 32] = [
        // name                     body                                        refused
        ("fields",                  b"grant_type=client_credentials&scope=sql", None),
        ("nothing",                 b"",                                        None),
        ("a value with a space",    b"scope=sql offline_access",                None),
        ("JSON in a value",         b"authorization_details=%5B%7B%22a%22%3A%0A1%7D%5D", None),
        ("the same, unescaped",     b"authorization_details=[{\"a\":1}]",       None),
        ("beyond ASCII, escaped",   b"a=%C3%A9",                                None),
        ("empty fields",            b"&a=1&&b",                                 None),
        ("two audiences",           b"audience=a&audience=b",                   None),
        ("two resources",           b"resource=a&resource=b",                   None),
        ("two of another",          b"scope=a&scope=b",                         Some(Repeated)),
        ("one of them empty",       b"scope=&scope=b",                          Some(Repeated)),
        ("one of them escaped",     b"scope=a&s%63ope=b",                       Some(Repeated)),
        ("one in another case",     b"scope=a&Scope=b",                         Some(Repeated)),
        ("a semicolon",             b"a=1;subject_token=x",                     Some(Malformed)),
        ("an escape cut off",       b"a=%6",                                    Some(Malformed)),
        ("an escape of nothing",    b"a=%zz",                                   Some(Malformed)),
        ("a zero",                  b"a=dapi%00",                               Some(Malformed)),
        ("another character set",   b"a=%e9",                                   Some(Malformed)),
        ("beyond ASCII",            b"a=\xc3\xa9",                              Some(Malformed)),
        ("a line",                  b"a=b\n",                                   Some(Malformed)),
        ("a name without a value",  b"a",                                       None),
        ("a value without a name",  b"=a",                                      Some(Malformed)),
        ("a name with a space",     b"a+b=c",                                   Some(Malformed)),
        ("a name beyond ASCII",     b"%C3%A9=c",                                Some(Malformed)),
        ("names with other letters", b"a-b.c_D1=c",                             None),
        ("JSON",                    br#"{"subject_token":"x"}"#,                Some(Malformed)),
        ("JSON, escaped",           b"%7B%22subject_token%22%3A%22x%22%7D",     Some(Malformed)),
        ("JSON as a field",         br#"{"a":"b=c&d=e"}"#,                      Some(Malformed)),
        ("as long as can be",       long.as_bytes(),                            None),
        ("longer",                  longer.as_bytes(),                          Some(TooLong)),
        ("as many as can be",       many.as_bytes(),                            None),
        ("more",                    too_many.as_bytes(),                        Some(Malformed)),
    ];
    let head = head(&[("content-type", FORM)]);
    for (name, body, refused) in cases {
        assert_eq!(Form::parse(&head, body).err(), refused, "{name}");
    }
}

#[test]
fn a_form_is_announced_as_one() {
    #[rustfmt::skip]
    let cases: [(&str, &[(&str, &str)], Option<FormError>); 20] = [
        // name                   head
        // refused
        ("a form",                &[("content-type", FORM)],                                                        None),
        ("in another case",       &[("content-type", "Application/X-WWW-Form-URLEncoded")],                         None),
        ("with a character set",  &[("content-type", "application/x-www-form-urlencoded; charset=UTF-8")],          None),
        ("a quoted character set", &[("content-type", "application/x-www-form-urlencoded; charset=\"utf-8\"")],    None),
        ("no semicolon",          &[("content-type", "application/x-www-form-urlencodedcharset=utf-8")],            Some(Kind)),
        ("a longer name",         &[("content-type", "application/x-www-form-urlencoded+json")],                      Some(Kind)),
        ("another one",           &[("content-type", "application/x-www-form-urlencoded; charset=utf-16")],         Some(Kind)),
        ("two parameters",        &[("content-type", "application/x-www-form-urlencoded; charset=utf-8; a=b")],     Some(Kind)),
        ("coded somehow",         &[("content-type", FORM), ("content-encoding", "identity")],                      Some(Kind)),
        ("compressed",            &[("content-type", FORM), ("content-encoding", "gzip")],                          Some(Kind)),
        ("compressed, underscored", &[("content-type", FORM), ("content_encoding", "gzip")],                        Some(Kind)),
        ("compressed, dotted",    &[("content-type", FORM), ("Content.Encoding", "gzip")],                          Some(Kind)),
        ("twice, underscored",    &[("content-type", FORM), ("content_type", "application/json")],                  Some(Kind)),
        ("twice, dotted",         &[("content.type", "application/json"), ("content-type", FORM)],                  Some(Kind)),
        ("underscored alone",     &[("content_type", FORM)],                                                        Some(Kind)),
        ("JSON",                  &[("content-type", "application/json")],                                          Some(Kind)),
        ("in parts",              &[("content-type", "multipart/form-data; boundary=x")],                           Some(Kind)),
        ("not at all",            &[],                                                                              Some(Kind)),
        ("twice",                 &[("content-type", FORM), ("content-type", "application/json")],                  Some(Kind)),
        ("twice, joined",         &[("content-type", "application/x-www-form-urlencoded,application/json")],        Some(Kind)),
    ];
    for (name, pairs, refused) in cases {
        assert_eq!(Form::parse(&head(pairs), b"a=b").err(), refused, "{name}");
        assert_eq!(Form::parse(&head(pairs), b"").err(), None, "{name}, empty");
    }
}

#[test]
fn credentials_are_told_by_place_and_shape() {
    use CredentialKind::{Basic, OauthSecret, Opaque, PersonalAccessToken, RefreshToken};
    const DAPI: &str = "dapi0123456789abcdef0123456789abcdef";
    const DOSE: &str = "dose0123456789abcdef0123456789abcdef";
    const DOAU: &str = "doau0123456789abcdef0123456789abcdef";
    const EXCHANGE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
    const PERSONAL: &str =
        "_type=urn%3Adatabricks%3Aparams%3Aoauth%3Atoken-type%3Apersonal-access-token";
    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    #[rustfmt::skip]
    let cases = [
        // name                      form
        // want
        ("a code and its verifier",  "grant_type=authorization_code&code=dcode&code_verifier=abc&client_id=cli".to_owned(), vec![]),
        ("another party's secret",   "grant_type=client_credentials&client_id=a&client_secret=s".to_owned(), vec![]),
        ("a client's secret",        format!("grant_type=client_credentials&client_secret={DOSE}"),      vec![(OauthSecret, Some(DOSE), true)]),
        ("a refresh token",          format!("grant_type=refresh_token&refresh_token={DOAU}"),           vec![(RefreshToken, Some(DOAU), true)]),
        ("an exchange",              format!("{EXCHANGE}&subject_token={JWT}"),                          vec![]),
        ("an assertion",             format!("assertion={JWT}"),                                         vec![]),
        ("a personal access token",  format!("{EXCHANGE}&subject_token={DAPI}&subject_token{PERSONAL}"), vec![(PersonalAccessToken, Some(DAPI), false)]),
        ("by its type alone",        format!("{EXCHANGE}&subject_token=x&subject_token{PERSONAL}"),      vec![(PersonalAccessToken, Some("x"), false)]),
        ("by an actor's type",       format!("actor_token{PERSONAL}&actor_token=x"),                     vec![(PersonalAccessToken, Some("x"), false)]),
        ("by its type in capitals",  format!("{EXCHANGE}&subject_token=x&subject_token{}+", PERSONAL.to_uppercase()), vec![(PersonalAccessToken, Some("x"), false)]),
        ("in a field in capitals",   format!("Subject_Token=x&subject_token{PERSONAL}"),                 vec![(PersonalAccessToken, Some("x"), false)]),
        ("an opaque token",          format!("{EXCHANGE}&subject_token=ya29.abc"),                       vec![(Opaque, None, false)]),
        ("of an actor",              "Actor_token=abc".to_owned(),                                       vec![(Opaque, None, false)]),
        ("an opaque assertion",      "assertion=PHNhbWw-".to_owned(),                                    vec![(Opaque, None, false)]),
        ("of a client",              "client_assertion=abc".to_owned(),                                  vec![(Opaque, None, false)]),
        ("no token in the field",    "actor_token=&subject_token=+".to_owned(),                          vec![]),
        ("for a name",               format!("{DAPI}=x"),                                                vec![(PersonalAccessToken, Some(DAPI), false)]),
        ("for a name, alone",        DOAU.to_owned(),                                                    vec![(RefreshToken, Some(DOAU), false)]),
        ("for name and value",       format!("x{DOSE}={DAPI}"),                                          vec![(OauthSecret, Some(DOSE), false), (PersonalAccessToken, Some(DAPI), false)]),
        ("by its shape alone",       format!("{EXCHANGE}&subject_token={DAPI}"),                         vec![(PersonalAccessToken, Some(DAPI), false)]),
        ("as a secret",              format!("client_secret={DAPI}"),                                    vec![(PersonalAccessToken, Some(DAPI), false)]),
        ("escaped",                  "token=%64api0123456789abcdef0123456789abcdef".to_owned(),                              vec![(PersonalAccessToken, Some(DAPI), false)]),
        ("amid other text",          format!("assertion=+x{DAPI}-2%0A"),                                 vec![(PersonalAccessToken, Some("dapi0123456789abcdef0123456789abcdef-2"), false)]),
        ("behind what belongs",      format!("client_secret={DOSE}&x={DAPI}"),                           vec![(OauthSecret, Some(DOSE), true), (PersonalAccessToken, Some(DAPI), false)]),
        ("a secret out of place",    format!("subject_token={DOSE}"),                                    vec![(OauthSecret, Some(DOSE), false)]),
        ("a secret and more",        format!("client_secret={DOSE}+x"),                                  vec![(OauthSecret, Some(DOSE), false)]),
        ("a refresh token elsewhere", format!("token={DOAU}"),                                           vec![(RefreshToken, Some(DOAU), false)]),
        ("a secret as refresh token", format!("refresh_token={DOSE}"),                                   vec![(OauthSecret, Some(DOSE), false)]),
        ("a password in capitals",   "grant_type=password&username=ada&PASSWORD=x".to_owned(),           vec![(Basic, None, false)]),
        ("a password",               "grant_type=password&username=ada&password=x".to_owned(),           vec![(Basic, None, false)]),
    ];
    for (name, form, want) in cases {
        let form = Form::parse(&head(&[("content-type", FORM)]), form.as_bytes());
        let form = form.unwrap_or_else(|error| panic!("{name}: {error}"));
        let got: Vec<_> = form
            .credentials()
            .map(|shown| (shown.kind, shown.token, shown.belongs))
            .collect();
        assert_eq!(got, want, "{name}");
    }
    let two = format!("x={DAPI}+{DOSE}");
    let refused = Form::parse(&head(&[("content-type", FORM)]), two.as_bytes()).err();
    assert_eq!(refused, Some(Malformed), "two in one value");
}

#[test]
fn tokens_are_found_in_every_field() {
    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln";
    let four = format!("a={JWT}&b={JWT}&c={JWT}&d={JWT}");
    #[rustfmt::skip]
    let cases = [
        // name               form                                          want
        ("none",              "grant_type=authorization_code&code=x.y.z".to_owned(), Ok(vec![])),
        ("a subject's",       format!("subject_token={JWT}"),               Ok(vec![("subject_token", true)])),
        ("behind its scheme", format!("x=Bearer+{JWT}"),                    Ok(vec![("x", false)])),
        ("with white space",  format!("x={JWT}%0A"),                        Ok(vec![("x", false)])),
        ("two",               format!("audience={JWT}&audience={JWT}"),     Ok(vec![("audience", true); 2])),
        ("four",              four.clone(),                                 Ok(["a", "b", "c", "d"].map(|name| (name, true)).into())),
        ("five",              format!("{four}&e={JWT}"),                    Err(Malformed)),
        ("amid other text",   format!("x=a+{JWT}"),                         Err(Malformed)),
        ("for a name",        format!("{JWT}=x"),                           Err(Malformed)),
    ];
    let head = head(&[("content-type", FORM)]);
    for (name, form, want) in cases {
        let form = Form::parse(&head, form.as_bytes());
        let got = form.as_ref().map_err(|error| *error).map(|form| {
            let tokens = form
                .tokens()
                .inspect(|shown| assert_eq!(shown.text, JWT, "{name}"));
            tokens
                .map(|shown| (shown.field, shown.is_plain))
                .collect::<Vec<_>>()
        });
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn token_endpoints_are_known_by_their_path() {
    #[rustfmt::skip]
    let cases = [
        // path                                   is one
        ("/oidc/v1/token",                        true),
        ("/oidc/accounts/0a1b/v1/token",          true),
        ("/oidc/oauth2/v2.0/token",               true),
        ("/oidc/v1/token?x=/y",                   true),
        ("/oidc/v1/token/",                       true),
        ("/OIDC/v1/TOKEN",                        true),
        ("/oidc/v1/authorize",                    false),
        ("/oidc/v1/token/x",                      false),
        ("/oidc/",                                false),
        ("/oidc",                                 false),
        ("/api/2.0/token/create",                 false),
        ("/api/2.0/oidc/token",                   false),
    ];
    for (path, want) in cases {
        assert_eq!(
            goes_to_token_endpoint(&head(&[(":path", path)])),
            want,
            "{path}"
        );
    }
    assert!(!goes_to_token_endpoint(&head(&[])));
}

proptest! {
    #[test]
    fn no_form_panics(body in proptest::collection::vec(any::<u8>(), 0..96)) {
        let _ = Form::parse(&head(&[("content-type", FORM)]), &body).map(|form| form.credentials().count());
    }

    #[test]
    fn no_form_made_of_telling_pieces_panics(pieces in proptest::collection::vec(prop::sample::select(PIECES), 0..16)) {
        let text = pieces.concat();
        let _ = Form::parse(&head(&[("content-type", FORM)]), text.as_bytes()).map(|form| form.credentials().count());
    }
}

/// What decides how a form is read.
const PIECES: &[&str] = &[
    "&",
    "=",
    "%",
    "%2",
    "%64",
    "%c3%a9",
    "%ff",
    "+",
    ";",
    "dapi",
    "dose",
    "0123456789abcdef0123456789abcdef",
    "-2",
    "client_secret",
    "subject_token",
    "subject_token_type=urn:databricks:params:oauth:token-type:personal-access-token",
    "é",
];
