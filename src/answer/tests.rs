use super::*;
use crate::few::Few;
use crate::issuer::invalid_token::InvalidToken;
use crate::policy::rule::Mode;
use crate::policy::{EffectiveAccess, Requirement};
use crate::request::credential::{CredentialKind, Scheme};
use crate::request::dpop::InvalidProof;
use crate::request::form::FormError;
use crate::request::{AuthorizationError, RequestError};
use crate::token::scope::Scope;

fn evidence(required: &[&'static str]) -> Evidence<'static> {
    let scopes = required.iter().map(|scope| Scope::parse(scope).unwrap());
    Evidence {
        requirements: Few::One(Requirement::AllOf(scopes.collect::<Vec<_>>().leak())),
        ..Evidence::new(Mode::Enforce)
    }
}

fn resource() -> Resource {
    Resource {
        identifier: Some(Identifier::parse("https://db.example").unwrap()),
        access_request_url: Some("https://idp.example/request?scope={scopes}".into()),
        ..Resource::default()
    }
}

fn recipient(protocol: Protocol, path: &str) -> Recipient<'_> {
    Recipient {
        path: path.into(),
        protocol,
    }
}

fn answer(denial: &Denial, protocol: Protocol, resource: &Resource) -> Answer {
    let recipient = recipient(protocol, "/");
    Answer::new(denial, &evidence(&["jobs"]), &recipient, "d1", resource)
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer
        .headers
        .iter()
        .find(|(candidate, _)| *candidate == name)
        .map(|(_, value)| &**value)
}

#[test]
fn each_kind_of_refusal_has_its_status_and_challenge() {
    let malformed = Denial::Request(RequestError::Authorization(AuthorizationError::Malformed));
    let basic = Denial::UnsupportedCredential(CredentialKind::Basic);
    let static_token = Denial::UnsupportedCredential(CredentialKind::PersonalAccessToken);
    let no_method = Denial::Request(RequestError::NoMethod);
    let late = Denial::Request(RequestError::Form(FormError::Late));
    #[rustfmt::skip]
    let cases = [
        // denial                                        status  error_code                  gRPC
        // challenge
        (Denial::MissingCredentials,                     401,    "UNAUTHENTICATED",          16,   Some("Bearer")),
        (basic,                                          401,    "UNAUTHENTICATED",          16,   Some("Bearer")),
        (static_token,                                   401,    "UNAUTHENTICATED",          16,   Some("Bearer error=\"invalid_token\"")),
        (Denial::InvalidToken(InvalidToken::Expired),    401,    "UNAUTHENTICATED",          16,   Some("Bearer error=\"invalid_token\"")),
        (malformed,                                      400,    "BAD_REQUEST",              3,    Some("Bearer error=\"invalid_request\"")),
        (Denial::AmbiguousPath,                          400,    "BAD_REQUEST",              3,    Some("Bearer error=\"invalid_request\"")),
        (Denial::McpHeadersRequired,                          400,    "BAD_REQUEST",              3,    Some("Bearer error=\"invalid_request\"")),
        (Denial::InsufficientScope,                      403,    "PERMISSION_DENIED",        7,    Some("Bearer error=\"insufficient_scope\", scope=\"jobs\"")),
        (Denial::DeniedByRule,                           403,    "PERMISSION_DENIED",        7,    None),
        (Denial::Unmatched,                              403,    "PERMISSION_DENIED",        7,    None),
        (Denial::WorkspaceNotGranted,                    403,    "PERMISSION_DENIED",        7,    None),
        (Denial::KeysUnavailable,                        503,    "TEMPORARILY_UNAVAILABLE",  14,   None),
        (Denial::NoRole,                                 403,    "PERMISSION_DENIED",        7,    None),
        (Denial::RoleLacksScope,                         403,    "PERMISSION_DENIED",        7,    None),
        (late,                                           408,    "DEADLINE_EXCEEDED",        4,    None),
        (no_method,                                      500,    "INTERNAL_ERROR",           13,   None),
    ];
    for (denial, status, error_code, grpc_status, challenge) in cases {
        let name = denial.code();
        let rest = answer(&denial, Protocol::Rest, &Resource::default());
        assert_eq!(rest.status, status, "{name}");
        assert_eq!(header(&rest, "www-authenticate"), challenge, "{name}");
        assert_eq!(
            header(&rest, "retry-after"),
            (status == 503).then_some("5"),
            "{name}"
        );
        assert!(
            rest.body
                .starts_with(&format!(r#"{{"error_code":"{error_code}","#)),
            "{name}: {}",
            rest.body
        );
        let grpc = answer(&denial, Protocol::Grpc, &Resource::default());
        assert_eq!(
            (grpc.status, grpc.grpc_status),
            (200, Some(grpc_status)),
            "{name}"
        );
        assert_eq!(header(&grpc, "www-authenticate"), challenge, "{name}");
    }
}

#[test]
fn clients_of_a_token_endpoint_are_refused_in_their_words() {
    let refused = Denial::InvalidGrant(Box::new(Denial::InvalidToken(InvalidToken::Expired)));
    assert_eq!(refused.code(), "token_expired");
    let want = Answer {
        status: 400,
        headers: vec![
            ("content-type", "application/json".into()),
            ("cache-control", "no-store".into()),
        ],
        body: r#"{"error":"invalid_grant","error_description":"The access token has expired: get a new one from your identity provider. (decision d1)"}"#.to_owned(),
        grpc_status: None,
        reason: "token_expired",
    };
    for protocol in [Protocol::Grpc, Protocol::Mcp, Protocol::Rest] {
        assert_eq!(answer(&refused, protocol, &resource()), want);
    }
}

#[test]
fn a_missing_scope_is_explained_whole() {
    let answer = answer(&Denial::InsufficientScope, Protocol::Rest, &resource());
    let want = Answer {
        status: 403,
        headers: vec![
            (
                "www-authenticate",
                "Bearer error=\"insufficient_scope\", scope=\"jobs\", \
                 resource_metadata=\"https://db.example/.well-known/oauth-protected-resource\""
                    .into(),
            ),
            ("content-type", "application/json".into()),
            ("cache-control", "no-store".into()),
        ],
        body: concat!(
            r#"{"error_code":"PERMISSION_DENIED","#,
            r#""message":"The access token does not grant what this call needs. This call needs `jobs`. "#,
            r#"Ask for access at https://idp.example/request?scope=jobs. (decision d1)","#,
            r#""details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"insufficient_scope","#,
            r#""domain":"databricks-oam-filter","metadata":{"decision_id":"d1","required_scopes":"jobs"}}]}"#,
        )
        .into(),
        grpc_status: None,
        reason: "insufficient_scope",
    };
    assert_eq!(answer, want);
}

#[test]
fn a_missing_role_is_explained_whole() {
    let held = |names: &[&str]| Some(Rc::new(EffectiveAccess::holding(names)));
    let told = |denial: &Denial, held, granting: &[&str], url: Option<&str>| {
        let evidence = Evidence {
            effective_access: held,
            granting_roles: granting.iter().map(|role| Rc::from(*role)).collect(),
            ..evidence(&["jobs"])
        };
        let resource = Resource {
            access_request_url: url.map(Into::into),
            ..Resource::default()
        };
        resource.message(denial, &evidence, "d1")
    };
    let url = "https://idp.example/r?s={scopes}&r={roles}";
    let lacks = "The access token grants what this call needs, and your roles do not. This call needs `jobs`.";
    let elsewhere = "Your roles do not hold in this workspace. You hold no role here.";
    let ask = "Ask whoever runs this gateway for a role that does";
    #[rustfmt::skip]
    let cases = [
        // denial                     held                  granting            URL        want
        (Denial::RoleLacksScope,      held(&["analyst"]),   &["engineer"][..],  None,      format!("{lacks} You hold the role `analyst`. {ask}: `engineer`. (decision d1)")),
        (Denial::RoleLacksScope,      held(&["a", "b"]),    &["c", "d"],        None,      format!("{lacks} You hold the roles `a`, `b`. {ask}: `c`, `d`. (decision d1)")),
        (Denial::RoleLacksScope,      held(&[]),            &[],                None,      format!("{lacks} You hold no role here. {ask}. (decision d1)")),
        (Denial::RoleLacksScope,      held(&["a"]),         &["c d", "e"],      Some(url), format!("{lacks} You hold the role `a`. Ask for access at https://idp.example/r?s=jobs&r=c%20d%20e. (decision d1)")),
        (Denial::WorkspaceNotGranted, held(&[]),            &["c"],             Some(url), format!("{elsewhere} Ask for access at https://idp.example/r?s=jobs&r=c. (decision d1)")),
        (Denial::NoRole,              held(&[]),            &[],                None,      format!("You hold none of the roles that this gateway knows. {ask}. (decision d1)")),
        (Denial::DeniedByRule,        held(&["a"]),         &[],                Some(url), "A rule of this gateway denies this call, whoever makes it. (decision d1)".to_owned()),
        (Denial::Unmatched,           held(&["a"]),         &[],                Some(url), "This gateway knows no Databricks operation by this method and path. (decision d1)".to_owned()),
    ];
    for (denial, held, granting, url, want) in cases {
        assert_eq!(told(&denial, held, granting, url), want);
    }
}

#[test]
fn what_to_do_instead_works_with_the_configuration_at_hand() {
    let token =
        "Send an OAuth access token of your identity provider as `Authorization: Bearer <token>`.";
    let sign_in = "People sign in with `databricks auth login --host https://db.example`.";
    let federate =
        "Workloads exchange their identity provider's token (workload identity federation).";
    let refused = "Personal access tokens are not accepted here.";
    let ask = "Ask for access at https://idp.example/request?scope=. (decision d1)";
    #[rustfmt::skip]
    let cases = [
        // Databricks' tokens  exchange  want
        (false,                false,    format!("{refused} {token} {ask}")),
        (false,                true,     format!("{refused} {token} {federate} {ask}")),
        (true,                 false,    format!("{refused} {sign_in} {federate} {ask}")),
        (true,                 true,     format!("{refused} {sign_in} {federate} {ask}")),
    ];
    let denial = Denial::UnsupportedCredential(CredentialKind::PersonalAccessToken);
    for (takes_databricks_tokens, exchanges, want) in cases {
        let resource = Resource {
            takes_databricks_tokens,
            exchanges,
            ..resource()
        };
        let got = resource.message(&denial, &evidence(&["jobs"]), "d1");
        assert_eq!(got, want, "{takes_databricks_tokens} {exchanges}");
    }
}

#[test]
fn no_credentials_means_no_error_code() {
    let answer = answer(&Denial::MissingCredentials, Protocol::Rest, &resource());
    let want =
        "Bearer resource_metadata=\"https://db.example/.well-known/oauth-protected-resource\"";
    assert_eq!(header(&answer, "www-authenticate"), Some(want));
}

#[test]
fn mcp_callers_are_sent_to_the_metadata_of_the_server_that_they_called() {
    let well_known = "https://db.example/.well-known/oauth-protected-resource";
    let secret = "/api/2.0/mcp/dapi0123456789abcdef0123456789abcdef";
    #[rustfmt::skip]
    let cases = [
        // protocol         path                    want
        (Protocol::Mcp,     "/api/2.0/mcp/sql",     "/api/2.0/mcp/sql"),
        (Protocol::Mcp,     "/mcp",                 "/mcp"),
        (Protocol::Mcp,     "/api/2.0/mcp/a\"b",    ""),
        (Protocol::Mcp,     secret,                 ""),
        (Protocol::Rest,    "/api/2.2/jobs/list",   ""),
        (Protocol::Thrift,  "/sql/1.0/warehouses/a", ""),
        (Protocol::Grpc,    "/spark.connect.S/Config", ""),
    ];
    for (protocol, path, want) in cases {
        let answer = Answer::new(
            &Denial::MissingCredentials,
            &evidence(&[]),
            &recipient(protocol, path),
            "d1",
            &resource(),
        );
        let want = format!("Bearer resource_metadata=\"{well_known}{want}\"");
        assert_eq!(header(&answer, "www-authenticate"), Some(&*want), "{path}");
    }
}

#[test]
fn thrift_callers_read_headers() {
    let answer = answer(&Denial::Unmatched, Protocol::Thrift, &Resource::default());
    let message = format!("{} (decision d1)", Denial::Unmatched);
    assert_eq!(
        header(&answer, "x-thriftserver-error-message"),
        Some(message.as_str())
    );
    assert_eq!(
        header(&answer, "x-databricks-error-or-redirect-message"),
        None,
        "or Python's driver tells the same twice"
    );
    assert_eq!(
        header(&answer, "x-databricks-reason-phrase"),
        Some("PERMISSION_DENIED")
    );
}

#[test]
fn which_check_of_a_token_failed_is_not_told() {
    let tokens = [
        InvalidToken::Audience,
        InvalidToken::Issuer,
        InvalidToken::UnknownKey,
        InvalidToken::TokenType,
    ];
    for reason in tokens {
        let answer = answer(
            &Denial::InvalidToken(reason.clone()),
            Protocol::Rest,
            &Resource::default(),
        );
        assert!(
            answer.body.contains(r#""reason":"invalid_token""#),
            "{}",
            reason.code()
        );
        assert!(
            !answer.body.contains(reason.code()) || reason.code() == "invalid_token",
            "{}",
            reason.code()
        );
    }
}

#[test]
fn scopes_are_escaped_in_the_url_to_ask_at() {
    let evidence = evidence(&["unity-catalog:read", "a&b"]);
    let answer = Answer::new(
        &Denial::InsufficientScope,
        &evidence,
        &recipient(Protocol::Rest, "/"),
        "d1",
        &resource(),
    );
    assert!(
        answer.body.contains("?scope=unity-catalog%3Aread%20a%26b."),
        "{}",
        answer.body
    );
}

#[test]
fn no_answer_makes_a_client_try_again_for_nothing() {
    // Words at which the Python SDK sends any request again, whatever the status.
    let words = [
        "Unexpected error",
        "Please try again later or try a faster operation.",
        "RPC token bucket limit has been exceeded",
        "ClusterNotReadyException",
        "Unknown worker environment",
    ];
    let denials = [
        Denial::MissingCredentials,
        Denial::Unmatched,
        Denial::InsufficientScope,
        Denial::KeysUnavailable,
    ];
    for denial in denials {
        let body = answer(&denial, Protocol::Rest, &resource()).body;
        assert!(words.iter().all(|word| !body.contains(word)), "{body}");
    }
}

/// RFC 9449 §7.1 and §7.2.
#[test]
fn callers_with_proofs_are_challenged_for_proofs_too() {
    let algorithms = r#"algs="RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 EdDSA""#;
    let proof = Denial::from(InvalidProof::Missing);
    let scope = r#"error="insufficient_scope", scope="jobs""#;
    #[rustfmt::skip]
    let cases = [
        // denial                                        scheme          challenges, but for the
        // algorithms
        (proof,                                          Scheme::Dpop,   vec![r#"Bearer error="invalid_token""#.to_owned(), r#"DPoP error="invalid_dpop_proof""#.to_owned()]),
        (Denial::InvalidToken(InvalidToken::Expired),    Scheme::Dpop,   vec![r#"Bearer error="invalid_token""#.to_owned(), r#"DPoP error="invalid_token""#.to_owned()]),
        (Denial::InvalidToken(InvalidToken::Expired),    Scheme::Bearer, vec![r#"Bearer error="invalid_token""#.to_owned()]),
        (Denial::InsufficientScope,                      Scheme::Dpop,   vec![format!("Bearer {scope}"), format!("DPoP {scope}")]),
        (Denial::DeniedByRule,                           Scheme::Dpop,   vec![]),
        (Denial::ProofsUnremembered,                     Scheme::Dpop,   vec![]),
    ];
    for (denial, scheme, want) in cases {
        let evidence = Evidence {
            scheme,
            ..evidence(&["jobs"])
        };
        let recipient = recipient(Protocol::Rest, "/");
        let answer = Answer::new(&denial, &evidence, &recipient, "d1", &Resource::default());
        let got: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| *name == "www-authenticate")
            .map(|(_, value)| value.replace(&format!(", {algorithms}"), ""))
            .collect();
        assert_eq!(got, want, "{}", denial.code());
        assert_eq!(
            answer
                .headers
                .iter()
                .any(|(_, value)| value.contains(algorithms)),
            got.len() > 1
        );
    }
}
