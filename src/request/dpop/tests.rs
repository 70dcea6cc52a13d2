use proptest::prelude::*;

use super::*;
use crate::time::UnixTime;
use crate::token::fingerprint::Fingerprint;

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pairs = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
    Headers::new(pairs.collect())
}

fn proof(method: &str, uri: &str) -> Proof {
    Proof {
        method: method.into(),
        uri: uri.into(),
        token: Fingerprint::parse(&"0".repeat(64)).unwrap(),
        issued_at: UnixTime::EPOCH,
        expires_at: None,
        id: "p".into(),
    }
}

#[test]
fn a_request_brings_one_proof() {
    use InvalidProof::{Missing, Repeated};
    #[rustfmt::skip]
    let cases: [(&str, &[(&str, &str)], Result<&[u8], InvalidProof>); 6] = [
        // name                headers                             want
        ("one",                &[("dpop", "a.b.c")],               Ok(b"a.b.c")),
        ("in capitals",        &[("DPoP", "a.b.c")],               Ok(b"a.b.c")),
        ("none",               &[("authorization", "DPoP a.b.c")], Err(Missing)),
        ("two",                &[("dpop", "a.b.c"), ("dpop", "a.b.c")], Err(Repeated)),
        ("joined",             &[("dpop", "a.b.c,a.b.c")],         Err(Repeated)),
        ("an empty one",       &[("dpop", "")],                    Ok(b"")),
    ];
    for (name, pairs, want) in cases {
        assert_eq!(sent(&headers(pairs)), want, "{name}");
    }
}

#[test]
fn a_proof_is_for_one_method_and_one_uri() {
    use InvalidProof::{Method, Uri};
    const HOST: &str = "db.example";
    #[rustfmt::skip]
    let cases: [(&str, (&str, &str), (&str, &str), Result<(), InvalidProof>); 43] = [
        // name                        htm, htu                                       authority,
        // path           want
        ("the very one",               ("GET",  "https://db.example/a/b"),            (HOST, "/a/b"),           Ok(())),
        ("another method",             ("POST", "https://db.example/a/b"),            (HOST, "/a/b"),           Err(Method)),
        ("another case of it",         ("get",  "https://db.example/a/b"),            (HOST, "/a/b"),           Err(Method)),
        ("a query, asked for",         ("GET",  "https://db.example/a"),              (HOST, "/a?b=c"),         Ok(())),
        ("a query, signed",            ("GET",  "https://db.example/a?x"),            (HOST, "/a?b=c"),         Ok(())),
        ("a fragment, signed",         ("GET",  "https://db.example/a#x"),            (HOST, "/a"),             Ok(())),
        ("a slash in the query",       ("GET",  "https://db.example?/a"),             (HOST, "/a"),             Err(Uri)),
        ("no path",                    ("GET",  "https://db.example"),                (HOST, "/"),              Ok(())),
        ("no path, but a query",       ("GET",  "https://db.example?x"),              (HOST, "/"),              Ok(())),
        ("another path",               ("GET",  "https://db.example/b"),              (HOST, "/a"),             Err(Uri)),
        ("another case of it",         ("GET",  "https://db.example/A"),              (HOST, "/a"),             Err(Uri)),
        ("a slash behind",             ("GET",  "https://db.example/a/"),             (HOST, "/a"),             Err(Uri)),
        ("two slashes",                ("GET",  "https://db.example//a"),             (HOST, "/a"),             Err(Uri)),
        ("the beginning of it",        ("GET",  "https://db.example/a"),              (HOST, "/a/b"),           Err(Uri)),
        ("an escape",                  ("GET",  "https://db.example/%c3%a9"),         (HOST, "/%C3%A9"),        Ok(())),
        ("an escape of a plain one",   ("GET",  "https://db.example/%61%2Db"),        (HOST, "/a-b"),           Ok(())),
        ("an escaped slash",           ("GET",  "https://db.example/a%2fb"),          (HOST, "/a/b"),           Err(Uri)),
        ("an escaped escape",          ("GET",  "https://db.example/%2561"),          (HOST, "/%61"),           Err(Uri)),
        ("half an escape",             ("GET",  "https://db.example/%2"),             (HOST, "/%2"),            Ok(())),
        ("an escaped percent sign",    ("GET",  "https://db.example/%25"),            (HOST, "/%"),             Err(Uri)),
        ("another host",               ("GET",  "https://db2.example/a"),             (HOST, "/a"),             Err(Uri)),
        ("in capitals",                ("GET",  "HTTPS://DB.Example/a"),              (HOST, "/a"),             Ok(())),
        ("asked for in capitals",      ("GET",  "https://db.example/a"),              ("DB.EXAMPLE", "/a"),     Ok(())),
        ("the port of the scheme",     ("GET",  "https://db.example:443/a"),          (HOST, "/a"),             Ok(())),
        ("asked for with it",          ("GET",  "https://db.example/a"),              ("db.example:443", "/a"), Ok(())),
        ("an empty port",              ("GET",  "https://db.example:/a"),             (HOST, "/a"),             Ok(())),
        ("the other scheme's port",    ("GET",  "https://db.example:80/a"),           (HOST, "/a"),             Err(Uri)),
        ("a port",                     ("GET",  "https://db.example:8443/a"),         ("db.example:8443", "/a"), Ok(())),
        ("another port",               ("GET",  "https://db.example:8443/a"),         ("db.example:9443", "/a"), Err(Uri)),
        ("a port left out",            ("GET",  "https://db.example/a"),              ("db.example:8443", "/a"), Err(Uri)),
        ("an address",                 ("GET",  "https://[::1]/a"),                   ("[::1]:443", "/a"),      Ok(())),
        ("an address and a port",      ("GET",  "https://[::1]:44/a"),                ("[::1]:44", "/a"),       Ok(())),
        ("its last group as a port",   ("GET",  "https://[fe80::44]/a"),              ("[fe80::44]:44", "/a"),  Err(Uri)),
        ("a user",                     ("GET",  "https://x@db.example/a"),            (HOST, "/a"),             Err(Uri)),
        ("a user that is the host",    ("GET",  "https://db.example@evil.example/a"), (HOST, "/a"),             Err(Uri)),
        ("a backslash",                ("GET",  "https://db.example\\@evil/a"),       (HOST, "/a"),             Err(Uri)),
        ("no scheme",                  ("GET",  "db.example/a"),                      (HOST, "/a"),             Err(Uri)),
        ("a path alone",               ("GET",  "/a"),                                (HOST, "/a"),             Err(Uri)),
        ("another scheme",             ("GET",  "wss://db.example/a"),                (HOST, "/a"),             Err(Uri)),
        ("a scheme and something",     ("GET",  "xhttps://db.example/a"),             (HOST, "/a"),             Err(Uri)),
        ("no host",                    ("GET",  "https:///a"),                        (HOST, "/a"),             Err(Uri)),
        ("none asked for",             ("GET",  "https://db.example/a"),              ("", "/a"),               Err(Uri)),
        ("a space",                    ("GET",  "https://db.example/a "),             (HOST, "/a"),             Err(Uri)),
    ];
    for (name, (method, uri), (authority, path), want) in cases {
        let asked = headers(&[
            (":method", "GET"),
            (":authority", authority),
            (":path", path),
        ]);
        let got = check(&proof(method, uri), &asked, &|| false);
        assert_eq!(got, want, "{name}");
    }
}

#[test]
fn a_proof_for_a_request_in_the_clear_is_for_no_other() {
    use InvalidProof::Uri;
    let (http, https) = ("http://db.example/a", "https://db.example/a");
    let forwarded = |value| ("x-forwarded-proto", value);
    #[rustfmt::skip]
    let cases: [(&str, &str, bool, &[(&str, &str)], Result<(), InvalidProof>); 10] = [
        // name                    htu    TLS    headers
        // want
        ("in the clear",           http,  false, &[(":scheme", "http"), forwarded("http")],       Ok(())),
        ("nothing said",           http,  false, &[],                                             Ok(())),
        ("over TLS",               http,  true,  &[(":scheme", "http"), forwarded("http")],       Err(Uri)),
        ("over TLS, as it says",   http,  false, &[(":scheme", "https")],                         Err(Uri)),
        ("as nobody writes it",    http,  false, &[(":scheme", "HTTP")],                          Err(Uri)),
        ("as a proxy says",        http,  false, &[(":scheme", "http"), forwarded("https")],      Err(Uri)),
        ("as one of two says",     http,  false, &[forwarded("http"), forwarded("https")],        Err(Uri)),
        ("as one of a list says",  http,  false, &[forwarded("https, http")],                     Err(Uri)),
        ("TLS that ended before",  https, false, &[(":scheme", "http"), forwarded("http")],       Ok(())),
        ("TLS",                    https, true,  &[(":scheme", "https")],                         Ok(())),
    ];
    for (name, uri, encrypted, more, want) in cases {
        let mut pairs = vec![
            (":method", "GET"),
            (":path", "/a"),
            (":authority", "db.example"),
        ];
        pairs.extend(more);
        let got = check(&proof("GET", uri), &headers(&pairs), &|| encrypted);
        assert_eq!(got, want, "{name}");
    }
    let port = headers(&[
        (":method", "GET"),
        (":path", "/a"),
        ("host", "db.example:80"),
    ]);
    assert_eq!(check(&proof("GET", http), &port, &|| false), Ok(()));
    assert_eq!(check(&proof("GET", https), &port, &|| false), Err(Uri));
}

#[test]
fn codes_are_distinct() {
    let signature = crate::token::signature::SignatureError::Mismatch;
    let mut codes = [
        InvalidProof::AnotherToken,
        InvalidProof::Expired,
        InvalidProof::InFuture,
        InvalidProof::Method,
        InvalidProof::Missing,
        InvalidProof::Repeated,
        InvalidProof::Replayed,
        InvalidProof::Invalid(ProofError::AnotherKey),
        InvalidProof::Invalid(ProofError::Signature(signature)),
        InvalidProof::Invalid(ProofError::Type),
        InvalidProof::Uri,
    ]
    .map(InvalidProof::code)
    .to_vec();
    let all = codes.len();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all);
}

proptest! {
    /// Also of what nobody would sign.
    #[test]
    fn any_uri_has_an_answer(uri in ".{0,60}", authority in ".{0,30}", path in ".{0,30}") {
        let asked = headers(&[(":method", "GET"), (":authority", &authority), (":path", &path)]);
        let _ = check(&proof("GET", &uri), &asked, &|| false);
        let url = format!("https://{authority}{path}");
        let _ = check(&proof("GET", &url), &asked, &|| true);
    }
}
