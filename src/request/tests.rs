use std::borrow::Cow;

use proptest::prelude::*;

use super::credential::CredentialKind;
use super::target::QueryCredential;
use super::*;

fn headers(pairs: &[(&str, &[u8])]) -> Headers {
    Headers::new(
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.to_vec()))
            .collect(),
    )
}

fn read(pairs: &[(&str, &[u8])]) -> Result<(), RequestError> {
    RequestHead::read(&headers(pairs), 16_384).map(|_| ())
}

#[test]
fn heads_say_one_thing_only() {
    use RequestError::{Method, NoMethod, NoPath, Repeated, SecondCredential, Upgrade};
    const GET: (&str, &[u8]) = (":method", b"GET");
    const PATH: (&str, &[u8]) = (":path", b"/a");
    #[rustfmt::skip]
    let cases: [(&str, &[(&str, &[u8])], Result<(), RequestError>); 20] = [
        // name                     head
        // want
        ("plain",                   &[GET, PATH],                                                     Ok(())),
        ("an empty map",            &[],                                                              Err(NoMethod)),
        ("no path",                 &[(":method", b"GET")],                                           Err(NoPath)),
        ("a tunnel",                &[(":method", b"CONNECT")],                                       Err(Upgrade)),
        ("an upgrade",              &[(":method", b"GET"), (":path", b"/a"), ("upgrade", b"h2c")],    Err(Upgrade)),
        ("a method with a space",   &[(":method", b"G T"), PATH],                                     Err(Method)),
        ("a method past ASCII",     &[(":method", b"G\xff"), PATH],                                   Err(Method)),
        ("a method in small letters", &[(":method", b"post"), PATH],                                  Err(Method)),
        ("two methods",             &[GET, (":method", b"POST"), PATH],                               Err(Repeated(":method"))),
        ("two paths",               &[GET, PATH, (":path", b"/b")],                                   Err(Repeated(":path"))),
        ("two hosts, joined",       &[GET, PATH, (":authority", b"a,b")],                             Err(RequestError::Authority(AuthorityError::IllegalByte))),
        ("two hosts",               &[GET, PATH, (":authority", b"a"), ("host", b"b")],               Err(RequestError::Authority(AuthorityError::Conflict))),
        ("one host, twice",         &[GET, PATH, (":authority", b"a:80"), ("host", b"A")],            Ok(())),
        ("Azure's second bearer",   &[GET, PATH, ("X-Databricks-Azure-SP-Management-Token", b"t")],   Err(SecondCredential("x-databricks-azure-sp-management-token"))),
        ("Google's, underscored",   &[GET, PATH, ("x_databricks_gcp_sa_access_token", b"t")],         Err(SecondCredential("x-databricks-gcp-sa-access-token"))),
        ("a token in the query",    &[GET, (":path", b"/a?access_token=t")],                          Err(RequestError::QueryCredential(QueryCredential::Named("access_token")))),
        ("a token in metadata",     &[GET, PATH, ("x-token", b"dapi0123456789abcdef0123456789abcdef")], Err(RequestError::StrayCredential(CredentialKind::PersonalAccessToken))),
        ("a word like a token",     &[GET, PATH, ("x-token", b"dapifer")],                            Ok(())),
        ("any byte elsewhere",      &[GET, PATH, ("x-anything", b"\x01\xff\xfe")],                    Ok(())),
        ("repeats elsewhere",       &[GET, PATH, ("accept", b"a"), ("accept", b"b")],                 Ok(())),
    ];
    for (name, pairs, want) in cases {
        assert_eq!(read(pairs), want, "{name}");
    }
}

#[test]
fn no_caller_speaks_through_our_headers() {
    let headers = headers(&[
        (":path", b"/"),
        ("x-oam-subject", b"root"),
        ("x-oam-subject", b"root"),
        ("x_oam-roles", b"admin"),
        ("X-OAM-Anything", b"1"),
        ("x-oam.client", b"1"),
        ("x-forwarded-user", b"root"),
        ("x-auth-request-email", b"root@example.com"),
        ("x-forwarded-for", b"10.0.0.1"),
        ("authorization", b"Bearer a.b.c"),
        ("cookie", b"session=1"),
        ("dpop", b"a.b.c"),
        ("accept", b"*/*"),
    ]);
    let ours = [
        "x-oam-subject",
        "x_oam-roles",
        "X-OAM-Anything",
        "x-oam.client",
        "x-forwarded-user",
        "x-auth-request-email",
    ];
    assert_eq!(
        headers.to_remove(Kept::All),
        [&ours[..], &["authorization"]].concat()
    );
    assert_eq!(
        headers.to_remove(Kept::Cookies),
        [&ours[..], &["authorization", "dpop"]].concat()
    );
    assert_eq!(
        headers.to_remove(Kept::Token),
        [&ours[..], &["cookie", "dpop"]].concat()
    );
}

#[test]
fn what_is_quoted_of_a_head_is_all_that_records_and_answers_read() {
    let head = headers(&[
        (":method", b"POST"),
        (":path", b"/api/2.2/jobs/run-now?x=1"),
        (":authority", b"databricks.example.com"),
        ("authorization", b"Bearer a.b.c"),
        ("content-type", b"application/grpc"),
        ("user-agent", b"cli"),
        ("x-request-id", b"r-1"),
        ("x-anything", b"a"),
    ]);
    let quoted = head.quoted();
    let quote = |headers: &Headers| {
        let envelope = envelope::Envelope::of(headers, None);
        let texts = [Some(envelope.method()), Some(envelope.path())];
        let texts = texts
            .into_iter()
            .chain([envelope.request_id(), envelope.user_agent()]);
        texts
            .map(|text| text.map(Cow::into_owned))
            .collect::<Vec<_>>()
    };
    let recipient = |headers: &Headers| format!("{:?}", envelope::Recipient::of(headers));
    assert_eq!(quote(&quoted), quote(&head));
    assert_eq!(recipient(&quoted), recipient(&head));
    assert_eq!(quoted.first("authorization"), None);
    assert_eq!(quoted.first("x-anything"), None);
}

#[test]
fn trailers_say_nothing_that_a_head_is_judged_by() {
    use CredentialKind::{Jwt, OauthSecret, PersonalAccessToken};
    let stray = |kind| Err(RequestError::StrayCredential(kind));
    #[rustfmt::skip]
    let cases: [(&str, &[(&str, &[u8])], Result<Vec<&str>, RequestError>); 14] = [
        // name                      trailers
        // want
        ("none",                     &[],                                                               Ok(vec![])),
        ("a checksum",               &[("x-checksum", b"0a1b")],                                        Ok(vec![])),
        ("gRPC's",                   &[("grpc-status", b"0"), ("x-trace-bin", b"AAEC")],                Ok(vec![])),
        ("a credential",             &[("authorization", b"Bearer a.b.c"), ("x-checksum", b"0a1b")],    Ok(vec!["authorization"])),
        ("in another spelling",      &[("Authorization", b"x"), ("x_databricks_org_id", b"7")],         Ok(vec!["Authorization", "x_databricks_org_id"])),
        ("twice",                    &[("cookie", b"a=b"), ("cookie", b"c=d")],                         Ok(vec!["cookie"])),
        ("a proof",                  &[("dpop", b"a.b.c"), ("proxy-authorization", b"x")],              Ok(vec!["dpop", "proxy-authorization"])),
        ("other workspaces",         &[("x-databricks-org-id", b"7"), ("x-databricks-workspace-id", b"8"), ("x-databricks-azure-workspace-resource-id", b"/s")], Ok(vec!["x-databricks-org-id", "x-databricks-workspace-id", "x-databricks-azure-workspace-resource-id"])),
        ("second credentials",       &[("x-databricks-azure-sp-management-token", b"t"), ("x-databricks-gcp-sa-access-token", b"t"), ("x-api-key", b"t")], Ok(vec!["x-databricks-azure-sp-management-token", "x-databricks-gcp-sa-access-token", "x-api-key"])),
        ("ours and other gateways'", &[("x-oam-subject", b"root"), ("x_oam.roles", b"admin"), ("x-forwarded-user", b"root"), ("x-original-url", b"/")], Ok(vec!["x-oam-subject", "x_oam.roles", "x-forwarded-user", "x-original-url"])),
        ("MCP's, and a host",        &[("mcp-name", b"drop"), ("host", b"a"), ("content-type", b"a/b")], Ok(vec!["mcp-name", "host", "content-type"])),
        ("a static token",           &[("x-anything", b"is dapi0123456789abcdef0123456789abcdef")],     stray(PersonalAccessToken)),
        ("one in its own place",     &[("authorization", b"Bearer dose0123456789abcdef0123456789abcdef")], stray(OauthSecret)),
        ("a subprotocol",            &[("sec-websocket-protocol", b"bearer.eyJhbGciOiJSUzI1NiJ9.e30.c2ln")], stray(Jwt)),
    ];
    for (name, pairs, want) in cases {
        assert_eq!(read_trailers(&headers(pairs)), want, "{name}");
    }
}

proptest! {
    #[test]
    fn no_target_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Target::parse(&bytes).map(|target| target.query.credential());
    }

    #[test]
    fn no_target_made_of_telling_pieces_panics(pieces in proptest::collection::vec(prop::sample::select(PIECES), 0..12)) {
        let text = pieces.concat();
        let _ = read(&[(":method", b"GET"), (":path", text.as_bytes())]);
    }

    #[test]
    fn no_head_panics(pairs in proptest::collection::vec((prop::sample::select(NAMES), proptest::collection::vec(any::<u8>(), 0..48)), 0..8)) {
        let pairs: Vec<(&str, &[u8])> = pairs.iter().map(|(name, value)| (*name, value.as_slice())).collect();
        let _ = read(&pairs);
        let headers = headers(&pairs);
        let envelope = envelope::Envelope::of(&headers, None);
        let _ = (envelope.method(), envelope.path(), envelope.request_id(), envelope.user_agent());
        let _ = headers.to_remove(Kept::All);
    }
}

/// What decides how a target is read.
const PIECES: &[&str] = &[
    "/",
    "/api/2.0/",
    "a",
    ".",
    "..",
    ";",
    "%",
    "%2",
    "%2f",
    "%2e",
    "%25",
    "%00",
    "%c3%a9",
    "%ff",
    "?",
    "&",
    "=",
    "#",
    "\\",
    "o=7",
    "w=8",
    "access_token=",
    "+",
    ":",
    "{",
    "/o/7/",
];

/// Headers that are looked at.
const NAMES: &[&str] = &[
    ":method",
    ":path",
    ":authority",
    "host",
    "authorization",
    "x-databricks-org-id",
    "x_databricks_workspace_id",
    "content-type",
    "user-agent",
    "x-request-id",
    "x-oam-subject",
    "cookie",
    "x-anything",
];
