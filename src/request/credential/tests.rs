use super::*;

#[test]
fn credentials_are_told_apart_by_shape() {
    use AuthorizationError::{Malformed, Repeated};
    use CredentialKind::{
        Basic, Jwt, None, OauthSecret, Opaque, PersonalAccessToken, RefreshToken, UnknownScheme,
    };
    let long = format!("Bearer {}", "a".repeat(41));
    #[rustfmt::skip]
    let cases: [(&str, &[&[u8]], Result<CredentialKind, AuthorizationError>); 36] = [
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
    ];
    for (name, values, want) in cases {
        let pairs = values
            .iter()
            .map(|value| ("authorization".to_owned(), value.to_vec()));
        let headers = Headers::new(pairs.collect());
        let got =
            Credential::read(&headers, TokenReader::afresh(40)).map(|credential| credential.kind());
        assert_eq!(got, want.map_err(RequestError::Authorization), "{name}");
    }
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
