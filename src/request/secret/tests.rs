use super::*;

#[test]
fn whole_texts_are_known_by_their_shape() {
    use CredentialKind::{Jwt, OauthSecret, PersonalAccessToken, RefreshToken};
    #[rustfmt::skip]
    let cases = [
        // name                    text                                              want
        ("nothing",                "",                                               None),
        ("a word",                 "token",                                          None),
        ("a static token",         "dapi0123456789abcdef0123456789abcdef",           Some(PersonalAccessToken)),
        ("with a suffix",          "dapi0123456789abcdef0123456789abcdef-2",         Some(PersonalAccessToken)),
        ("with another suffix",    "dapi0123456789abcdef0123456789abcdef-x",         None),
        ("a digit short",          "dapi0123456789abcdef0123456789abcde",            None),
        ("a digit more",           "dapi0123456789abcdef0123456789abcdef0",          None),
        ("an OAuth secret",        "dose0123456789abcdef0123456789abcdef",           Some(OauthSecret)),
        ("a refresh token",        "doau0123456789abcdef0123456789abcdef",           Some(RefreshToken)),
        ("behind its scheme",      "bEARER dapi0123456789abcdef0123456789abcdef",    Some(PersonalAccessToken)),
        ("a JWT",                  "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",                  Some(Jwt)),
        ("a JWT and more",         "eyJhbGciOiJSUzI1NiJ9.e30.c2ln x",                None),
        ("a JSON object alone",    "eyJhIjoxfQ",                                     None),
        ("white space around",     "\n eyJhbGciOiJSUzI1NiJ9.e30.c2ln\t",             Some(Jwt)),
        ("its header in lines",    "ew0KImFsZyI6IkVTMjU2In0.e30.c2ln",               Some(Jwt)),
        ("a line before it",       "Cgp7ImFsZyI6IkVTMjU2In0.e30.c2ln",               Some(Jwt)),
        ("a space before it",      "IHsiYWxnIjoiRVMyNTYifQ.e30.c2ln",                Some(Jwt)),
        ("a byte order mark",      "77u_eyJhbGciOiJFUzI1NiJ9.e30.c2ln",              Some(Jwt)),
        ("in the other alphabet",  "77u/eyJhbGciOiJFUzI1NiJ9.e30.c2ln",              Some(Jwt)),
        ("one that is encrypted",  "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..a.b.c",  Some(Jwt)),
        ("an array",               "WyJhbGciLCAiUlMyNTYiXQ.e30.c2ln",                None),
        ("a word that begins so",  "eyJar.of.eyes",                                  None),
        ("names with dots",        "main.sales.orders",                              None),
    ];
    for (name, text, want) in cases {
        assert_eq!(kind(text), want, "{name}");
    }
}

#[test]
fn static_tokens_are_found_anywhere() {
    let text = "é:dapi0123456789abcdef0123456789abcdef-2\n";
    let want = "dapi0123456789abcdef0123456789abcdef-2";
    assert_eq!(
        static_token_within(text),
        Some((CredentialKind::PersonalAccessToken, want))
    );
    assert_eq!(static_token_within("token:secret"), None);
}

#[test]
fn headers_hide_no_static_token() {
    use CredentialKind::{Jwt, OauthSecret, PersonalAccessToken};
    #[rustfmt::skip]
    let cases: [(&str, &str, &[u8], Option<CredentialKind>); 18] = [
        // name                header                     value
        // want
        ("alone",              "x-token",                 b"dapi0123456789abcdef0123456789abcdef",                     Some(PersonalAccessToken)),
        ("behind its scheme",  "x-token",                 b"Bearer dapi0123456789abcdef0123456789abcdef-2",            Some(PersonalAccessToken)),
        ("in a cookie",        "cookie",                  b"a=b; t=dose0123456789abcdef0123456789abcdef; c=d",         Some(OauthSecret)),
        ("escaped",            "cookie",                  b"a=b; t=%64ose0123456789abcdef0123456789abcdef; c=d",       Some(OauthSecret)),
        ("escaped twice",      "Cookie",                  b"t=%2564api%30123456789abcdef0123456789abcdef",             Some(PersonalAccessToken)),
        ("no token, escaped",  "cookie",                  b"a=%7B%22b%22%3A%201%7D; c=0123456789abcdef0123456789abcdef", None),
        ("a subprotocol",      "sec-websocket-protocol",  b"bearer, dapi0123456789abcdef0123456789abcdef",             Some(PersonalAccessToken)),
        ("beyond UTF-8",       "x-token",                 b"\xff\xfedapi0123456789abcdef0123456789abcdef\xff",        Some(PersonalAccessToken)),
        ("a digit short",      "x-token",                 b"x dapi0123456789abcdef0123456789abcde!",                   None),
        ("binary metadata",    "token-bin",               b"ZGFwaTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm",         Some(PersonalAccessToken)),
        ("within a message",   "token-bin",               b"CiRkYXBpMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",      Some(PersonalAccessToken)),
        ("the second of two",  "token-bin",               b"AAEC, ZGFwaTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm",   Some(PersonalAccessToken)),
        ("no base64",          "token-bin",               b"!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!",         None),
        ("base64 elsewhere",   "token",                   b"ZGFwaTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm",         None),
        ("a word",             "x-token",                 b"dapifer",                                                  None),
        ("a JWT for a socket", "sec-websocket-protocol",  b"bearer, eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl", Some(Jwt)),
        ("behind its scheme",  "sec-websocket-protocol",  b"v1, bearer.eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0", Some(Jwt)),
        ("a JWT elsewhere",    "x-trace",                 b"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",        None),
    ];
    for (name, header, value, want) in cases {
        assert_eq!(in_header(header.as_bytes(), value), want, "{name}");
    }
}

#[test]
fn every_beginning_of_a_jose_header_is_known() {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const WHITE_SPACE: [u8; 4] = *b" \t\r\n";
    let begins = |bytes: [u8; 3]| match URL_SAFE_NO_PAD.encode(bytes).as_bytes() {
        [first, second, third, _] => begins_jwt(*first, *second, *third),
        other => panic!("{other:?}"),
    };
    for next in 0..=u8::MAX {
        assert!(begins([b'{', b'"', next]), "{next}");
        for space in WHITE_SPACE {
            if next == b'"' || WHITE_SPACE.contains(&next) {
                assert!(begins([b'{', space, next]), "{space} {next}");
            }
        }
    }
    assert!(!begins(*b"{}."));
    assert!(!begins(*b"[\"a"));
}

#[test]
fn a_finder_reads_no_letter_for_every_other() {
    for piece in ["eyJ", "eyJhIn0.", "dapi", "ew0K.", "é"] {
        let text = piece.repeat(50_000);
        let mut finder = Finder::new(&text);
        let found = (0..text.len()).filter_map(|place| finder.at(place)).count();
        assert_eq!(found > 0, piece.contains('.'), "{piece}");
    }
}
