use super::access_token::Groups;
use super::preset::Preset;
use super::*;
use crate::databricks::scope_set::ScopeSet;
use crate::token::jws::SignedPayload;

const NOW: u64 = 1_800_000_000;

const ISS: &str = "https://i.example/";

/// An issuer as the preset has it, for the audience `databricks`.
pub(super) fn issuer(preset: Preset) -> Issuer {
    Issuer {
        identifier: "https://i.example/".into(),
        algorithms: preset.algorithms(),
        audiences: vec!["databricks".into()],
        clients: Vec::new(),
        clock_skew: Duration::from_secs(30),
        max_token_lifetime: None,
        token_type: preset.token_type().map(Into::into),
        dialect: preset.dialect(),
        scopes: ScopeReading {
            from_roles: preset.grants_no_scopes(),
            ..ScopeReading::default()
        },
        kept_claims: Vec::new(),
    }
}

/// Claims that every issuer takes, with `more` members.
pub(super) fn payload(more: &str) -> String {
    format!(
        r#"{{"iss":"https://i.example/","aud":"databricks","exp":{},"sub":"s"{more}}}"#,
        NOW + 600
    )
}

pub(super) fn validate(
    issuer: &Issuer,
    token_type: Option<&str>,
    payload: &str,
) -> Result<AccessToken, InvalidToken> {
    let claims = Claims::parse(SignedPayload::unsigned(payload.as_bytes()))?;
    issuer.validate(token_type, &claims, UnixTime::from_seconds(NOW).unwrap())
}

/// What a validated token says, in a form that tables can hold.
fn summary(token: &AccessToken) -> String {
    let scopes = match &token.scopes {
        Some(scopes) => scopes
            .iter()
            .map(Scope::as_str)
            .collect::<Vec<_>>()
            .join(" "),
        None => "from roles".to_owned(),
    };
    let groups = match &token.groups {
        Groups::Known(groups) => groups.join(" "),
        Groups::Unknown => "unknown".to_owned(),
    };
    let text = |text: &Option<Rc<str>>| text.as_deref().unwrap_or("-").to_owned();
    format!(
        "{} | {} | {scopes} | {groups} | {}",
        text(&token.subject),
        text(&token.client),
        token.roles.join(" ")
    )
}

#[test]
fn every_provider_is_read_in_its_own_dialect() {
    #[rustfmt::skip]
    let cases = [
        // preset                 claims besides iss, aud, exp, sub
        // subject | client | scopes | groups | roles
        (Preset::Auth0,         r#","azp":"c","scope":"jobs sql","permissions":["p"]"#,                          "s | c | jobs sql |  | p"),
        (Preset::AwsIam,        r#","https://sts.amazonaws.com/":{"aws_account":"1"}"#,                          "s | - | from roles |  | "),
        (Preset::Databricks,    r#","client_id":"c","scope":"all-apis""#,                                        "s | c | all-apis |  | "),
        (Preset::Entra,         r#","azp":"c","oid":"o","scp":"jobs sql","roles":["r"],"groups":["g","h"]"#,     "o | c | jobs sql | g h | r"),
        (Preset::Entra,         r#","azp":"c","oid":"o","roles":["r"]"#,                                         "o | c |  |  | r"),
        (Preset::Entra,         r#","azp":"c","oid":"o","_claim_names":{"groups":"src1"}"#,                      "o | c |  | unknown | "),
        (Preset::Entra,         r#","azp":"c","oid":"o","hasgroups":true"#,                                      "o | c |  | unknown | "),
        (Preset::EntraV1,       r#","appid":"c","oid":"o","scp":"user_impersonation""#,                          "o | c | user_impersonation |  | "),
        (Preset::Generic,       r#","client_id":"c","scope":"jobs","groups":"one""#,                             "s | c | jobs | one | "),
        (Preset::Generic,       r#","azp":"c","scp":["jobs","sql"]"#,                                            "s | c | jobs sql |  | "),
        (Preset::GithubActions, r#","repository":"acme/etl""#,                                                   "s | - | from roles |  | "),
        (Preset::Google,        r#","azp":"c","email":"a@example.com""#,                                         "s | c | from roles |  | "),
        (Preset::Keycloak,      r#","azp":"c","typ":"Bearer","nonce":"n","scope":"jobs","realm_access":{"roles":["r"]},"groups":["/g"]"#, "s | c | jobs | /g | r"),
        (Preset::Okta,          r#","cid":"c","uid":"u","scp":["jobs","sql"],"groups":["g"]"#,                   "s | c | jobs sql | g | "),
        (Preset::Pingone,       r#","client_id":"c","scope":"jobs""#,                                            "s | c | jobs |  | "),
    ];
    for (preset, more, want) in cases {
        let token = validate(&issuer(preset), None, &payload(more)).unwrap();
        assert_eq!(summary(&token), want, "{}", preset.as_str());
    }
    let rfc9068 = payload(r#","client_id":"c","iat":1800000000,"jti":"j","scope":"jobs""#);
    let token = validate(&issuer(Preset::Rfc9068), Some("at+jwt"), &rfc9068).unwrap();
    assert_eq!(summary(&token), "s | c | jobs |  | ");
}

#[test]
fn cognito_tokens_name_a_client_in_place_of_an_audience() {
    let claims = |more: &str| {
        format!(
            r#"{{"iss":"https://i.example/","exp":{},"sub":"s"{more}}}"#,
            NOW + 600
        )
    };
    let mut cognito = issuer(Preset::Cognito);
    cognito.audiences.clear();
    cognito.clients.push("c".into());
    #[rustfmt::skip]
    let cases = [
        // name                 claims besides iss, exp, sub
        // want
        ("its client",          r#","token_use":"access","client_id":"c","cognito:groups":["g"]"#, Ok("s | c |  | g | ")),
        ("another client",      r#","token_use":"access","client_id":"d""#,                       Err(InvalidToken::Audience)),
        ("no client",           r#","token_use":"access""#,                                       Err(InvalidToken::Audience)),
        ("another audience",    r#","token_use":"access","client_id":"c","aud":"d""#,             Err(InvalidToken::Audience)),
        ("an ID token",         r#","token_use":"id","aud":"c""#,                                 Err(InvalidToken::IdToken)),
        ("no purpose",          r#","client_id":"c""#,                                            Err(InvalidToken::IdToken)),
    ];
    for (name, more, want) in cases {
        let got = validate(&cognito, None, &claims(more)).map(|token| summary(&token));
        assert_eq!(got, want.map(str::to_owned), "{name}");
    }
}

#[test]
fn tokens_are_held_to_issuer_audience_and_time() {
    use InvalidToken::{
        Audience, Claims as Malformed, Expired, IssuedInFuture, Issuer as Other, NotYetValid,
    };
    let claims =
        |iss: &str, aud: &str, times: &str| format!(r#"{{"iss":"{iss}","aud":{aud},{times}}}"#);
    let exp = |at: u64| format!(r#""exp":{at}"#);
    let times = |name: &str, at: u64| format!(r#""exp":{},"{name}":{at}"#, NOW + 600);
    #[rustfmt::skip]
    let cases = [
        // name                             iss                   aud                         times
        // want
        ("valid",                           ISS,                  r#""databricks""#,          exp(NOW + 1),            Ok(())),
        ("one audience of several",         ISS,                  r#"["a","databricks"]"#,    exp(NOW + 1),            Ok(())),
        ("without the slash",               "https://i.example",  r#""databricks""#,          exp(NOW + 1),            Err(Other)),
        ("in another case",                 "https://I.example/", r#""databricks""#,          exp(NOW + 1),            Err(Other)),
        ("another audience",                ISS,                  r#""other""#,               exp(NOW + 1),            Err(Audience)),
        ("an audience that begins so",      ISS,                  r#""databricks-2""#,        exp(NOW + 1),            Err(Audience)),
        ("an audience in another case",     ISS,                  r#""Databricks""#,          exp(NOW + 1),            Err(Audience)),
        ("the last second of the skew",     ISS,                  r#""databricks""#,          exp(NOW - 29),           Ok(())),
        ("expired at the second",           ISS,                  r#""databricks""#,          exp(NOW - 30),           Err(Expired)),
        ("not before, within the skew",     ISS,                  r#""databricks""#,          times("nbf", NOW + 30),  Ok(())),
        ("not before, past the skew",       ISS,                  r#""databricks""#,          times("nbf", NOW + 31),  Err(NotYetValid)),
        ("issued within the skew",          ISS,                  r#""databricks""#,          times("iat", NOW + 30),  Ok(())),
        ("issued past the skew",            ISS,                  r#""databricks""#,          times("iat", NOW + 31),  Err(IssuedInFuture)),
    ];
    for (name, iss, aud, times, want) in cases {
        let got = validate(&issuer(Preset::Generic), None, &claims(iss, aud, &times)).map(|_| ());
        assert_eq!(got, want, "{name}");
    }
    let without_audience = format!(r#"{{"iss":"{ISS}","exp":{}}}"#, NOW + 1);
    assert_eq!(
        validate(&issuer(Preset::Generic), None, &without_audience).unwrap_err(),
        Audience
    );
    let without_expiry = format!(r#"{{"iss":"{ISS}","aud":"databricks"}}"#);
    let refusal = validate(&issuer(Preset::Generic), None, &without_expiry).unwrap_err();
    assert!(matches!(refusal, Malformed(_)), "{refusal}");
}

#[test]
fn what_is_typed_as_something_else_is_refused() {
    use InvalidToken::TokenType;
    #[rustfmt::skip]
    let cases = [
        // name                      typ                          want
        ("no type",                  None,                        Ok(())),
        ("a JWT",                    Some("JWT"),                 Ok(())),
        ("an access token",          Some("at+jwt"),              Ok(())),
        ("its media type",           Some("application/AT+JWT"),  Ok(())),
        ("a logout token",           Some("logout+jwt"),          Err(TokenType)),
        ("its media type in capitals", Some("APPLICATION/LOGOUT+JWT"), Err(TokenType)),
        ("a grant",                  Some("oauth-id-jag+jwt"),    Err(TokenType)),
        ("a security event",         Some("secevent+jwt"),        Err(TokenType)),
        ("a status list",            Some("statuslist+jwt"),      Err(TokenType)),
        ("an answer to introspection", Some("token-introspection+jwt"), Err(TokenType)),
        ("a proof",                  Some("dpop+jwt"),            Err(TokenType)),
        ("another kind of media",    Some("text/at+jwt"),         Err(TokenType)),
        ("twice the prefix",         Some("application/application/at+jwt"), Err(TokenType)),
    ];
    for (name, token_type, want) in cases {
        let got = validate(&issuer(Preset::Generic), token_type, &payload("")).map(|_| ());
        assert_eq!(got, want, "{name}");
    }
    let mut strict = issuer(Preset::Generic);
    strict.token_type = Some("at+jwt".into());
    for other in [None, Some("JWT"), Some("text/at+jwt")] {
        let refusal = validate(&strict, other, &payload("")).unwrap_err();
        assert_eq!(refusal, TokenType, "{other:?}");
    }
    for same in [
        "at+jwt",
        "AT+JWT",
        "application/at+jwt",
        "Application/At+Jwt",
    ] {
        assert!(
            validate(&strict, Some(same), &payload("")).is_ok(),
            "{same}"
        );
    }
}

#[test]
fn what_is_no_access_token_is_refused() {
    use InvalidToken::{IdToken, SenderConstrained};
    #[rustfmt::skip]
    let cases = [
        // name                      claims besides iss, aud, exp, sub     want
        ("a status list by content", r#","status_list":{}"#,               Err(IdToken)),
        ("introspection by content", r#","token_introspection":{}"#,       Err(IdToken)),
        ("s_hash",                   r#","s_hash":"h""#,                   Err(IdToken)),
        ("a refresh token",          r#","typ":"Refresh""#,                Err(IdToken)),
        ("nonce",                    r#","nonce":"n""#,                    Err(IdToken)),
        ("at_hash",                  r#","at_hash":"h""#,                  Err(IdToken)),
        ("c_hash",                   r#","c_hash":"h""#,                   Err(IdToken)),
        ("token_use",                r#","token_use":"id""#,               Err(IdToken)),
        ("typ in the claims",        r#","typ":"ID""#,                     Err(IdToken)),
        ("events",                   r#","events":{}"#,                    Err(IdToken)),
        ("bound to no thumbprint",   r#","cnf":{"jkt":"k"}"#,              Err(SenderConstrained)),
        ("bound to two things",      r#","cnf":{"jkt":"k","x5t#S256":"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"}"#, Err(SenderConstrained)),
        ("bound to a key",           r#","cnf":{"jkt":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"}"#, Ok(())),
        ("bound to a certificate",   r#","cnf":{"x5t#S256":"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"}"#, Ok(())),
        ("bound to both",            r#","cnf":{"jkt":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","x5t#S256":"ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"}"#, Ok(())),
        ("bound to more",            r#","cnf":{"jkt":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k","jwk":{}}"#, Err(SenderConstrained)),
        ("bound to nothing",         r#","cnf":{}"#,                       Err(SenderConstrained)),
        ("bound to a number",        r#","cnf":{"jkt":1}"#,                Err(SenderConstrained)),
        ("bound to no digest",       r#","cnf":{"x5t#S256":"ungW"}"#,      Err(SenderConstrained)),
        ("bound to anything",        r#","cnf":null"#,                     Err(SenderConstrained)),
    ];
    for (name, more, want) in cases {
        let got = validate(&issuer(Preset::Generic), None, &payload(more)).map(|_| ());
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn clients_and_lifetimes_are_held_to_the_configuration() {
    let mut issuer = issuer(Preset::Generic);
    issuer.clients.push("c".into());
    issuer.max_token_lifetime = Some(Duration::from_hours(1));
    let claims = |client: &str, iat: &str| payload(&format!(r#","client_id":"{client}"{iat}"#));
    let at_issue = |before: u64| format!(r#","iat":{}"#, NOW + 600 - before);
    #[rustfmt::skip]
    let cases = [
        // name                     claims                         want
        ("as configured",           claims("c", &at_issue(3600)),    Ok(())),
        ("a second too long",       claims("c", &at_issue(3601)),    Err(InvalidToken::Lifetime)),
        ("no iat",                  claims("c", ""),               Err(InvalidToken::MissingClaim("iat"))),
        ("another client",          claims("d", &at_issue(3600)),    Err(InvalidToken::Client)),
        ("no client",               payload(&at_issue(3600)),        Err(InvalidToken::Client)),
    ];
    for (name, payload, want) in cases {
        assert_eq!(
            validate(&issuer, None, &payload).map(|_| ()),
            want,
            "{name}"
        );
    }
}

#[test]
fn rfc_9068_names_what_must_be_there() {
    let issuer = issuer(Preset::Rfc9068);
    let members = [
        r#","client_id":"c""#,
        r#","iat":1800000000"#,
        r#","jti":"j""#,
    ];
    assert!(validate(&issuer, Some("at+jwt"), &payload(&members.concat())).is_ok());
    for (left_out, name) in ["client_id", "iat", "jti"].iter().enumerate() {
        let rest: String = members
            .iter()
            .enumerate()
            .filter(|(position, _)| *position != left_out)
            .map(|(_, text)| *text)
            .collect();
        let refusal = validate(&issuer, Some("at+jwt"), &payload(&rest)).unwrap_err();
        assert_eq!(refusal, InvalidToken::MissingClaim(name), "{name}");
    }
}

#[test]
fn claims_of_a_wrong_type_refuse_the_token() {
    for more in [
        r#","scope":1"#,
        r#","scope":{"a":1}"#,
        r#","scope":["jobs",1]"#,
        r#","groups":1"#,
        r#","groups":[1]"#,
        r#","roles":{}"#,
        r#","client_id":[]"#,
        r#","act":1"#,
        r#","act":{"sub":1}"#,
    ] {
        let got =
            validate(&issuer(Preset::Generic), None, &payload(more)).map(|token| summary(&token));
        assert!(
            matches!(got, Err(InvalidToken::Claims(_))),
            "{more}: {got:?}"
        );
    }
}

#[test]
fn a_list_with_a_token_that_is_no_scope_grants_nothing() {
    for more in [
        r#","scope":"jobs\tsql""#,
        r#","scope":"jobs\u00a0sql""#,
        r#","scope":"jobs\u0000""#,
        r#","scp":["jobs sql"]"#,
    ] {
        let token = validate(&issuer(Preset::Generic), None, &payload(more)).unwrap();
        assert_eq!(token.scopes, Some(ScopeSet::default()), "{more}");
    }
}

#[test]
fn scopes_are_read_through_prefix_and_aliases() {
    let scope = |text: &str| Scope::parse(text).unwrap();
    let mut issuer = issuer(Preset::Generic);
    issuer.scopes.prefix = Some("databricks:".into());
    let aliases = [
        ("dbx-read", vec![scope("jobs:read"), scope("sql:read")]),
        ("files-all", vec![scope("files")]),
    ];
    issuer.scopes.aliases = aliases.into_iter().collect();
    #[rustfmt::skip]
    let cases = [
        // name                       scope claim                        want
        ("the prefix is removed",     "databricks:jobs",                 "jobs"),
        ("without it, ignored",       "jobs",                            ""),
        ("the prefix alone",          "databricks:",                     ""),
        ("twice the prefix",          "databricks:databricks:jobs",      "databricks:jobs"),
        ("an alias",                  "dbx-read",                        "jobs:read sql:read"),
        ("an alias behind a prefix",  "databricks:files-all",            "files"),
        ("several",                   "openid databricks:sql dbx-read",  "sql jobs:read sql:read"),
    ];
    for (name, claim, want) in cases {
        let token = validate(&issuer, None, &payload(&format!(r#","scope":"{claim}""#))).unwrap();
        let want = want.split_whitespace().map(scope).collect();
        assert_eq!(token.scopes, Some(want), "{name}");
    }
}

#[test]
fn the_current_actor_is_the_outermost() {
    let nested = |depth: usize| {
        let (open, close) = (r#"{"sub":"a","act":"#.repeat(depth - 1), "}".repeat(depth));
        format!(r#","act":{open}{{"sub":"a"{close}"#)
    };
    let (most, too_many) = (nested(8), nested(9));
    #[rustfmt::skip]
    let cases: [(&str, &str, Option<(Option<&str>, &[&str])>); 7] = [
        // name              claims                                                          want
        ("none",             "",                                                             Some((None, &[]))),
        ("one",              r#","act":{"sub":"agent","iss":"https://a.example"}"#,          Some((Some("agent"), &[]))),
        ("one before it",    r#","act":{"sub":"agent","act":{"sub":"earlier"}}"#,            Some((Some("agent"), &["earlier"]))),
        ("a nameless one",   r#","act":{"act":{"sub":"earlier"}}"#,                          Some((None, &["earlier"]))),
        ("a wrong type",     r#","act":{"sub":"agent","act":"earlier"}"#,                    None),
        ("as many as go",    &most,                                                          Some((Some("a"), &["a"; 7]))),
        ("too many",         &too_many,                                                      None),
    ];
    for (name, more, want) in cases {
        let token = validate(&issuer(Preset::Generic), None, &payload(more)).ok();
        let got = token.map(|token| (token.actor, token.earlier_actors));
        let want = want.map(|(actor, earlier)| {
            let earlier = earlier.iter().map(|actor| Box::from(*actor)).collect();
            (actor.map(Box::from), earlier)
        });
        assert_eq!(got, want, "{name}");
    }
}
