use super::*;
use crate::issuer::invalid_token::InvalidToken;
use crate::issuer::tests::{issuer, payload, validate};
use Preset::{
    Auth0, AwsIam, Cognito, Databricks, Entra, EntraV1, Generic, GithubActions, Google, Keycloak,
    Okta, Pingone, Rfc9068,
};

/// What a token says besides `iss`, `aud`, `exp` and `sub`, and its type; once with the scopes of
/// the token and once with the roles alone.
fn is_taken(preset: Preset, token_type: Option<&str>, more: &str) -> Vec<bool> {
    let taken = |from_roles| {
        let mut issuer = issuer(preset);
        issuer.scopes.from_roles = from_roles;
        match validate(&issuer, token_type, &payload(more)) {
            Ok(_) => true,
            Err(InvalidToken::IdToken) => false,
            Err(other) => panic!("{} {more}: {other}", preset.as_str()),
        }
    };
    vec![taken(preset.grants_no_scopes()), taken(true)]
}

#[test]
fn every_kind_of_access_token_is_taken() {
    const AT: Option<&str> = Some("at+jwt");
    const JWT: Option<&str> = Some("JWT");
    const JTI: &str = r#","client_id":"c","iat":1800000000,"jti":"j""#;
    #[rustfmt::skip]
    let cases = [
        // name                                       preset         typ   claims
        ("a user's",                                  Okta,          None, r#","cid":"c","uid":"u","scp":["jobs"],"auth_time":1799999000"#),
        ("an application's",                          Okta,          None, r#","cid":"c","scp":["jobs"]"#),
        ("a user's",                                  Entra,         JWT,  r#","azp":"c","azpacr":"1","scp":"jobs","oid":"o","name":"Ada","preferred_username":"ada@example.com","ver":"2.0""#),
        ("an application's, without a role",          Entra,         JWT,  r#","azp":"c","azpacr":"1","oid":"o","ver":"2.0""#),
        ("an application's",                          Entra,         JWT,  r#","azp":"c","azpacr":"2","oid":"o","roles":["r"],"idtyp":"app","ver":"2.0""#),
        ("the API calling itself",                    Entra,         JWT,  r#","azp":"databricks","oid":"o","roles":["r"],"ver":"2.0""#),
        ("a user's",                                  EntraV1,       JWT,  r#","appid":"c","appidacr":"1","scp":"user_impersonation","unique_name":"ada@example.com","ver":"1.0""#),
        ("an application's",                          EntraV1,       JWT,  r#","appid":"c","appidacr":"1","roles":["r"],"ver":"1.0""#),
        ("a user's",                                  Cognito,       None, r#","token_use":"access","client_id":"c","scope":"jobs","auth_time":1799999000"#),
        ("an application's",                          Cognito,       None, r#","token_use":"access","client_id":"c""#),
        ("a role's",                                  AwsIam,        JWT,  r#","https://sts.amazonaws.com/":{"aws_account":"1"},"jti":"j""#),
        ("a workflow's",                              GithubActions, JWT,  r#","repository":"acme/etl","actor":"ada","jti":"j""#),
        ("a service account's",                       Google,        JWT,  r#","azp":"107","email":"etl@acme.iam.gserviceaccount.com","email_verified":true"#),
        ("a machine's",                               Google,        JWT,  r#","azp":"107","google":{"compute_engine":{"project_id":"acme"}}"#),
        ("one without the party",                     Google,        JWT,  ""),
        ("a user's",                                  Auth0,         JWT,  r#","azp":"c","scope":"openid jobs""#),
        ("a user's, with permissions alone",          Auth0,         JWT,  r#","azp":"c","permissions":[]"#),
        ("an application's, without scopes",          Auth0,         JWT,  r#","azp":"c","gty":"client-credentials""#),
        ("one of RFC 9068's profile",                 Auth0,         AT,   r#","client_id":"c","jti":"j""#),
        ("a user's",                                  Keycloak,      JWT,  r#","typ":"Bearer","azp":"c","sid":"s","acr":"1","scope":"openid","email":"ada@example.com""#),
        ("of an older release",                       Keycloak,      JWT,  r#","typ":"Bearer","azp":"c","nonce":"n","auth_time":1799999000"#),
        ("bound to a key",                            Keycloak,      JWT,  r#","typ":"DPoP","azp":"c""#),
        ("one of RFC 9068's type",                    Keycloak,      AT,   r#","typ":"Bearer","azp":"c","client_id":"c""#),
        ("that type alone",                           Keycloak,      AT,   r#","azp":"c""#),
        ("a user's",                                  Pingone,       None, r#","client_id":"c","scope":"openid jobs","sid":"s","acr":"Single_Factor""#),
        ("an application's",                          Pingone,       None, r#","client_id":"c""#),
        ("with the type to come",                     Pingone,       AT,   r#","client_id":"c","scope":"jobs""#),
        ("a user's",                                  Databricks,    AT,   r#","client_id":"databricks-cli","scope":"all-apis offline_access""#),
        ("one for which no scope was asked",          Databricks,    AT,   r#","client_id":"c","scope":"""#),
        ("one without a type",                        Databricks,    None, r#","client_id":"c","scope":"all-apis""#),
        ("the profile's",                             Rfc9068,       AT,   JTI),
        ("nothing but what must be there",            Generic,       None, ""),
        ("a user's",                                  Generic,       JWT,  r#","scope":"jobs","email":"ada@example.com","auth_time":1799999000"#),
        ("an application's",                          Generic,       JWT,  r#","client_id":"c","name":"etl""#),
        ("with groups alone",                         Generic,       JWT,  r#","groups":["g"],"jti":"j""#),
        ("the party is no audience",                  Generic,       JWT,  r#","azp":"c","groups":["g"]"#),
        ("typed, and about a sign-in",                Generic,       AT,   r#","acr":"1","amr":["pwd"],"auth_time":1799999000"#),
        ("one that says that it is one",              Generic,       JWT,  r#","token_use":"access","token_type":"access_token","type":"Bearer","scope":"jobs""#),
        ("got by a refresh token",                    Auth0,         JWT,  r#","azp":"c","gty":"refresh_token","scope":"jobs""#),
        ("a purpose that begins like another",        Generic,       JWT,  r#","type":"identity","typ":"refreshed","scope":"jobs""#),
    ];
    for (name, preset, token_type, more) in cases {
        let name = format!("{}: {name}", preset.as_str());
        assert_eq!(is_taken(preset, token_type, more), [true; 2], "{name}");
    }
}

#[test]
fn no_other_token_of_a_provider_is_taken() {
    const JWT: Option<&str> = Some("JWT");
    const AT: Option<&str> = Some("at+jwt");
    /// What a code flow's ID token may come down to, whoever issued it.
    const PLAIN: &str = r#","iat":1799999900,"auth_time":1799999000,"groups":["g"],"roles":["r"]"#;
    #[rustfmt::skip]
    let cases = [
        // name                                       preset         typ   claims
        ("an ID token",                               Okta,          None, r#","idp":"00o","amr":["pwd"],"auth_time":1799999000,"ver":1,"groups":["g"]"#),
        ("one without a sign-in",                     Okta,          None, r#","jti":"j","groups":["g"],"uid":"u""#),
        ("an empty client",                           Okta,          None, r#","cid":null,"groups":["g"]"#),
        ("an ID token",                               Entra,         JWT,  r#","oid":"o","tid":"t","rh":"r","uti":"u","roles":["r"],"groups":["g"],"ver":"2.0""#),
        ("one with its user",                         Entra,         JWT,  r#","oid":"o","preferred_username":"ada@example.com","roles":["r"]"#),
        ("a token of version 1",                      Entra,         JWT,  r#","appid":"c","roles":["r"]"#),
        ("an ID token",                               EntraV1,       JWT,  r#","oid":"o","amr":["pwd"],"unique_name":"ada@example.com","roles":["r"],"ver":"1.0""#),
        ("an ID token",                               Cognito,       None, r#","token_use":"id","cognito:groups":["g"]"#),
        ("no purpose",                                Cognito,       None, r#","client_id":"c","scope":"jobs""#),
        ("no text for a purpose",                     Cognito,       AT,   r#","token_use":["access"]"#),
        ("a person's",                                Google,        JWT,  r#","azp":"1-a.apps.googleusercontent.com","email":"ada@example.com","hd":"example.com""#),
        ("of a code flow",                            Google,        JWT,  r#","azp":"1-a.apps.googleusercontent.com","at_hash":"h""#),
        ("an ID token",                               Auth0,         JWT,  r#","sid":"s","name":"Ada","org_id":"o""#),
        ("one that names its client",                 Auth0,         JWT,  r#","azp":"databricks","roles":["r"]"#),
        ("an ID token",                               Keycloak,      JWT,  r#","typ":"ID","azp":"c","sid":"s","scope":"openid""#),
        ("a refresh token",                           Keycloak,      JWT,  r#","typ":"Refresh","azp":"c","scope":"openid""#),
        ("a logout token",                            Keycloak,      JWT,  r#","typ":"Logout","sid":"s""#),
        ("no purpose",                                Keycloak,      JWT,  r#","azp":"c","scope":"openid""#),
        ("an ID token of a false type",               Keycloak,      AT,   r#","typ":"ID","azp":"c""#),
        ("an ID token",                               Pingone,       None, r#","sid":"s","acr":"Single_Factor","auth_time":1799999000"#),
        ("an ID token",                               Databricks,    JWT,  r#","email":"ada@example.com""#),
        ("one with its client",                       Databricks,    None, r#","client_id":"c""#),
        ("an ID token",                               Generic,       JWT,  r#","email":"ada@example.com","email_verified":true"#),
        ("one that says how long ago",                Generic,       JWT,  r#","auth_time":1799999000"#),
        ("one of a session",                          Generic,       None, r#","sid":"s","groups":["g"]"#),
        ("one for its client",                        Generic,       None, r#","azp":"databricks","groups":["g"]"#),
        ("typed, with a nonce",                       Generic,       AT,   r#","nonce":"n","scope":"jobs""#),
        ("a refresh token with a scope",              Generic,       JWT,  r#","token_use":"refresh","client_id":"c","scope":"jobs""#),
        ("a refresh token of the type",               Generic,       AT,   r#","token_use":"refresh_token","client_id":"c","scope":"jobs""#),
        ("a refresh token of a framework",            Generic,       JWT,  r#","token_type":"refresh","scope":"jobs""#),
        ("a refresh token of another",                Generic,       JWT,  r#","type":"Refresh-Token","scope":"jobs""#),
        ("a refresh token with its type",             Generic,       JWT,  r#","typ":"refresh+jwt","scope":"jobs""#),
        ("a refresh token with a scope",              Okta,          None, r#","token_use":"refresh","cid":"c","scp":["jobs"]"#),
        ("a refresh token with a client",             Entra,         JWT,  r#","token_use":"refresh_token","azp":"c","scp":"jobs""#),
        ("two purposes",                              Keycloak,      JWT,  r#","typ":"Bearer","token_use":"refresh","azp":"c""#),
        ("a refresh token",                           Cognito,       None, r#","token_use":"refresh","client_id":"c","scope":"jobs""#),
        ("a refresh token of a workload's issuer",    AwsIam,        JWT,  r#","token_use":"refresh""#),
        ("an ID token with a scope",                  Generic,       JWT,  r#","token_type":"id_token","scope":"jobs""#),
        ("the barest",                                Okta,          JWT,  PLAIN),
        ("the barest",                                Entra,         JWT,  PLAIN),
        ("the barest",                                EntraV1,       JWT,  PLAIN),
        ("the barest",                                Cognito,       JWT,  PLAIN),
        ("the barest",                                Auth0,         JWT,  PLAIN),
        ("the barest",                                Keycloak,      JWT,  PLAIN),
        ("the barest",                                Pingone,       JWT,  PLAIN),
        ("the barest",                                Databricks,    JWT,  PLAIN),
        ("the barest",                                Generic,       JWT,  PLAIN),
    ];
    for (name, preset, token_type, more) in cases {
        let name = format!("{}: {name}", preset.as_str());
        assert_eq!(is_taken(preset, token_type, more), [false; 2], "{name}");
    }
}

#[test]
fn hashes_of_a_sign_in_mark_every_providers_id_tokens() {
    for preset in Preset::ALL
        .into_iter()
        .filter(|preset| *preset != Keycloak && *preset != Cognito)
    {
        for claim in ["nonce", "at_hash", "c_hash", "s_hash"] {
            let more = format!(
                r#","{claim}":"x","scope":"jobs","scp":"jobs","client_id":"c","iat":1800000000,"jti":"j""#
            );
            let taken = is_taken(preset, Some("at+jwt"), &more);
            assert_eq!(taken, [false; 2], "{} {claim}", preset.as_str());
        }
    }
}
