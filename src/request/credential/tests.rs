use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

#[test]
fn credentials_are_told_apart_by_shape() {
    use AuthorizationError::{Malformed, Repeated};
    use CredentialKind::{
        Basic, Jwt, None, OauthSecret, Opaque, PersonalAccessToken, RefreshToken, UnknownScheme,
    };
    let long = format!("Bearer {}", "a".repeat(41));
    #[rustfmt::skip]
    let cases: [(&str, &[&[u8]], Result<CredentialKind, AuthorizationError>); 45] = [
        // name                      Authorization
        // want
        ("absent",                   &[],                                                        Ok(None)),
        ("a JWT",                    &[b"Bearer a.b.c"],                                         Ok(Jwt)),
        ("in another case",          &[b"bEARER a.b.c"],                                         Ok(Jwt)),
        ("two parts",                &[b"Bearer a.b"],                                           Ok(Opaque)),
        ("five parts",               &[b"Bearer a.b.c.d.e"],                                     Ok(Opaque)),
        ("longer than the limit",    &[long.as_bytes()],                                         Ok(Opaque)),
        ("a static token",           &[b"Bearer dapi0123456789abcdef0123456789abcdef"],          Ok(PersonalAccessToken)),
        ("with a suffix",            &[b"Bearer dapi0123456789abcdef0123456789abcdef-3"],        Ok(PersonalAccessToken)),
        ("a static token, cut",      &[b"Bearer dapi0123"],                                      Ok(Opaque)),
        ("an OAuth secret",          &[b"Bearer dose0123456789abcdef0123456789abcdef"],          Ok(OauthSecret)),
        ("a refresh token",          &[b"Bearer doau0123456789abcdef0123456789abcdef"],          Ok(RefreshToken)),
        ("Basic",                    &[b"Basic dG9rZW46eA=="],                                   Ok(Basic)),
        ("Basic, not base64",        &[b"Basic %"],                                              Ok(Basic)),
        ("a static token in Basic",  &[b"Basic dG9rZW46ZGFwaTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"], Ok(PersonalAccessToken)),
        ("without padding",          &[b"Basic ZGFwaTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmOng"], Ok(PersonalAccessToken)),
        ("behind a line break",      &[b"Basic dG9rZW46CmRhcGkwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZgo="], Ok(PersonalAccessToken)),
        ("in the other alphabet",    &[b"Basic Pz8_OmRhcGkwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="], Ok(PersonalAccessToken)),
        ("alone in Basic",           &[b"Basic ZGFwaTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"], Ok(PersonalAccessToken)),
        ("a secret in Basic",        &[b"Basic aWQ6ZG9zZTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"], Ok(OauthSecret)),
        ("a JWT in Basic",           &[b"Basic dG9rZW46ZXlKaGJHY2lPaUpTVXpJMU5pSjkuZTMwLmMybG4="],  Ok(Jwt)),
        ("a JWT in another Basic",   &[b"Basic ZXlKaGJHY2lPaUpTVXpJMU5pSjkuZTMwLmMybG46"],       Ok(Jwt)),
        ("a JWT with a proof",       &[b"dPoP a.b.c"],                                           Ok(Jwt)),
        ("no JWT with a proof",      &[b"DPoP a.b"],                                             Ok(Opaque)),
        ("two spaces with a proof",  &[b"DPoP  a.b.c"],                                          Ok(Jwt)),
        ("another scheme",           &[b"Negotiate a.b.c"],                                      Ok(UnknownScheme)),
        ("twice",                    &[b"Bearer a.b.c", b"Bearer a.b.c"],                        Err(Repeated)),
        ("joined by a comma",        &[b"Bearer a.b.c,Bearer a.b.c"],                            Err(Repeated)),
        ("an empty value",           &[b""],                                                     Ok(None)),
        ("a scheme alone",           &[b"Bearer"],                                               Err(Malformed)),
        ("no token",                 &[b"Bearer "],                                              Err(Malformed)),
        ("two spaces",               &[b"Bearer  a.b.c"],                                        Ok(Jwt)),
        ("a tab",                    &[b"Bearer\ta.b.c"],                                        Err(Malformed)),
        ("a space behind",           &[b"Bearer a.b.c "],                                        Err(Malformed)),
        ("a byte past ASCII",        &[b"Bearer a.b.\xff"],                                      Err(Malformed)),
        ("no scheme",                &[b" a.b.c"],                                               Err(Malformed)),
        ("a token alone",            &[b"a.b.c"],                                                Err(Malformed)),
        ("empty, and then a token",  &[b"", b"Bearer a.b.c"],                                    Err(Repeated)),
        ("empty twice",              &[b"", b""],                                                Err(Repeated)),
        ("a space",                  &[b" "],                                                    Err(Malformed)),
        ("many spaces",              &[b"Bearer        a.b.c"],                                  Ok(Jwt)),
        ("spaces alone",             &[b"Bearer   "],                                            Err(Malformed)),
        ("a space and a tab",        &[b"Bearer \ta.b.c"],                                       Err(Malformed)),
        ("two tokens behind two",    &[b"Bearer  a.b.c a.b.c"],                                  Err(Malformed)),
        ("a static token behind two", &[b"Bearer  dapi0123456789abcdef0123456789abcdef"],        Ok(PersonalAccessToken)),
        ("one in Basic behind two",  &[b"Basic  ZGFwaTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm"], Ok(PersonalAccessToken)),
    ];
    for (name, values, want) in cases {
        let want = want.map_err(RequestError::Authorization);
        assert_eq!(kind_of(values), want, "{name}");
    }
}

fn kind_of(values: &[&[u8]]) -> Result<CredentialKind, RequestError> {
    let pairs = values
        .iter()
        .map(|value| ("authorization".to_owned(), value.to_vec()));
    let headers = Headers::new(pairs.collect());
    Credential::read(&headers, TokenReader::afresh(40)).map(|credential| credential.kind())
}

#[test]
fn every_kind_is_at_its_place() {
    let places = CredentialKind::ALL.map(CredentialKind::place);
    assert_eq!(places, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn recipients_of_shares_are_known_by_the_path() {
    use CredentialKind::{DeltaSharingRecipient, Jwt, Opaque, PersonalAccessToken};
    const SHARES: &str = "/api/2.0/delta-sharing/metastores/m/shares";
    #[rustfmt::skip]
    let cases: [(&[u8], &str, CredentialKind); 4] = [
        // Authorization                                        path                     want
        (b"Bearer opaque",                                      SHARES,                  DeltaSharingRecipient),
        (b"Bearer opaque",                                      "/api/2.2/jobs/list",    Opaque),
        (b"Bearer dapi0123456789abcdef0123456789abcdef",        SHARES,                  PersonalAccessToken),
        (b"Bearer a.b.c",                                       SHARES,                  Jwt),
    ];
    for (value, path, want) in cases {
        let headers = Headers::new(vec![("authorization".to_owned(), value.to_vec())]);
        let got = Credential::read(&headers, TokenReader::afresh(40))
            .map(|found| found.sent_to(path).kind());
        assert_eq!(got, Ok(want), "{path}");
    }
}

#[test]
fn no_token_hides_another() {
    use CredentialKind::{Basic, Jwt, OauthSecret, Opaque, PersonalAccessToken, RefreshToken};
    let spelled = |text: &str| {
        let text = text.replace('#', "0123456789abcdef0123456789abcdef");
        text.replace('$', "eyJhbGciOiJSUzI1NiJ9.e30.c2ln")
    };
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(spelled(pair)));
    let bearer = |token: &str| format!("Bearer {}", spelled(token));
    #[rustfmt::skip]
    let cases = [
        // name                          Authorization                            kind                 form           token
        ("one secret",                   basic("id:dose#"),                       OauthSecret,         CredentialForm::Basic,   Some("dose#")),
        ("a secret and a token",         basic("dose#:dapi#"),                    OauthSecret,         CredentialForm::Other,   Some("dose#")),
        ("the other way round",          basic("dapi#:dose#"),                    OauthSecret,         CredentialForm::Other,   Some("dose#")),
        ("a secret and a refresh token", basic("dose#:doau#"),                    RefreshToken,        CredentialForm::Other,   Some("doau#")),
        ("side by side",                 basic("id:dose#dapi#"),                  OauthSecret,         CredentialForm::Other,   Some("dose#")),
        ("the same twice",               basic("dose#:dose#"),                    OauthSecret,         CredentialForm::Other,   Some("dose#")),
        ("a secret and a JWT",           basic("dose#:$"),                        Jwt,                 CredentialForm::Other,   None),
        ("a JWT and a token",            basic("$:dapi#"),                        Jwt,                 CredentialForm::Other,   None),
        ("a JWT in a word",              basic("id:x$"),                          Jwt,                 CredentialForm::Basic,   None),
        ("a JWT without a signature",    basic("id:eyJhbGciOiJSUzI1NiJ9.e30"),    Jwt,                 CredentialForm::Basic,   None),
        ("an escaped token",             basic("token:%64api#"),                  PersonalAccessToken, CredentialForm::Basic,   Some("dapi#")),
        ("for a user",                   basic("%64api#:x"),                      PersonalAccessToken, CredentialForm::Basic,   Some("dapi#")),
        ("an escaped secret",            basic("id:d%6Fse#"),                     OauthSecret,         CredentialForm::Basic,   Some("dose#")),
        ("an escaped refresh token",     basic("id:d%6Fau#"),                     RefreshToken,        CredentialForm::Basic,   Some("doau#")),
        ("an escaped JWT",               basic("id:eyJhbGciOiJSUzI1NiJ9%2Ee30%2ec2ln"), Jwt,           CredentialForm::Basic,   None),
        ("one more escaped",             basic("dose#:%64ose#"),                  OauthSecret,         CredentialForm::Other,   Some("dose#")),
        ("escaped twice",                basic("token:%2564api#"),                PersonalAccessToken, CredentialForm::Basic,   Some("dapi#")),
        ("behind a plus",                basic("token:+dapi#"),                   PersonalAccessToken, CredentialForm::Basic,   Some("dapi#")),
        ("a JWT behind its scheme",      basic("token:Bearer+$"),                 Jwt,                 CredentialForm::Basic,   None),
        ("a password with escapes",      basic("ada:100%25%zz+"),                 Basic,               CredentialForm::Basic,   None),
        ("a JWT and a dot",              bearer("$."),                            Jwt,                 CredentialForm::Bearer,  None),
        ("a dot and a JWT",              bearer(".$"),                            Jwt,                 CredentialForm::Bearer,  None),
        ("a JWT behind another text",    bearer("a.b~$"),                         Jwt,                 CredentialForm::Bearer,  None),
        ("a JWT that is encrypted",      bearer("$.a.b"),                         Jwt,                 CredentialForm::Bearer,  None),
        ("a token and a dot",            bearer("dapi#."),                        PersonalAccessToken, CredentialForm::Bearer,  Some("dapi#")),
        ("two tokens",                   bearer("dapi#.dose#"),                   OauthSecret,         CredentialForm::Other,   Some("dose#")),
        ("nothing of the kind",          bearer("eyJar.of.eyes.x"),               Opaque,              CredentialForm::Bearer,  None),
    ];
    for (name, value, kind, form, token) in cases {
        let headers = Headers::new(vec![("authorization".to_owned(), value.into_bytes())]);
        let got = Credential::read(&headers, TokenReader::afresh(400));
        let got = match got.ok().unwrap() {
            Credential::Unverifiable(found) => (found.kind, found.form, found.token),
            Credential::Jwt(..) => (Jwt, CredentialForm::Bearer, None),
            Credential::Oversized | Credential::None => panic!("{name}"),
        };
        assert_eq!(got, (kind, form, token.map(spelled)), "{name}");
    }
}
