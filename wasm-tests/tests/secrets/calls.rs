//! Requests with every class of credential, valid and not, in every place.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use wasm_tests::exchange::JOB;
use wasm_tests::scene::token_with;
use wasm_tests::secrets;

/// A request with secrets in it.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    /// The secrets that its answer is meant to hold, whoever the gateway is.
    pub(crate) meant: Vec<String>,
    /// Those that go upstream where nothing is exchanged.
    pub(crate) shown: Vec<String>,
}

impl Call {
    fn new(name: &'static str, target: &str, headers: Vec<(&'static str, String)>) -> Self {
        let (meant, shown) = (Vec::new(), Vec::new());
        let (method, target, body) = ("GET", target.to_owned(), String::new());
        Self {
            name,
            method,
            target,
            headers,
            body,
            meant,
            shown,
        }
    }

    pub(crate) fn bearing(name: &'static str, token: &str) -> Self {
        let headers = vec![("authorization", format!("Bearer {token}"))];
        let call = Self::new(name, JOB, headers);
        Self {
            shown: vec![token.to_owned()],
            ..call
        }
    }

    fn posting(name: &'static str, form: String) -> Self {
        let kind = "application/x-www-form-urlencoded".to_owned();
        let call = Self::new(name, "/oidc/v1/token", vec![("content-type", kind)]);
        Self {
            method: "POST",
            body: form,
            ..call
        }
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// Every class of credential, valid and not, in every place.
pub(crate) fn calls() -> Vec<Call> {
    let token = valid("ada");
    let (pat, secret, refresh) = (
        secrets::static_token("dapi"),
        secrets::static_token("dose"),
        secrets::static_token("doau"),
    );
    let mut calls = vec![
        Call::bearing("a valid token", &token),
        Call::bearing("the same again", &token),
        Call::bearing(
            "an expired token",
            &token_with("acme-rsa", &json!({ "exp": "now-600" })),
        ),
        Call::bearing("a forged token", &token_with("stranger-rsa", &json!({}))),
        Call::bearing(
            "for another audience",
            &token_with("acme-rsa", &json!({ "aud": "other" })),
        ),
        Call::bearing(
            "of too little scope",
            &token_with("acme-rsa", &json!({ "scope": "sql" })),
        ),
        Call::bearing("a personal access token", &pat),
        Call::bearing("an OAuth secret", &secret),
        Call::bearing("a refresh token", &refresh),
        Call::bearing("an opaque token", &secrets::opaque()),
        Call::bearing("two tokens", &format!("{token},Bearer {token}")),
    ];
    let password = secrets::opaque();
    for (name, user, password) in [
        ("a password", "ada", &password),
        ("a token for a password", "token", &pat),
        ("a JWT for a password", "token", &token),
    ] {
        let basic = secrets::basic(user, password);
        let pair = basic.trim_start_matches("Basic ").to_owned();
        let call = Call::new(name, JOB, vec![("authorization", basic)]);
        calls.push(Call {
            shown: vec![pair, password.clone()],
            ..call
        });
    }
    calls.extend(in_other_places(&token, &pat));
    calls.extend(in_forms(&token, &pat, &secret, &refresh));
    calls
}

#[expect(clippy::too_many_lines, reason = "a table of requests, one row each")]
fn in_other_places(token: &str, pat: &str) -> Vec<Call> {
    let bearing = |name| Call::bearing(name, token);
    let at = |name, target: String| Call {
        target,
        ..Call::bearing(name, token)
    };
    let metadata = STANDARD.encode(secrets::static_token("dapi"));
    secrets::keep(&metadata);
    vec![
        bearing("in a header").with("x-token", format!("Bearer {pat}")),
        bearing("in binary metadata").with("x-token-bin", metadata),
        bearing("in a cookie").with("cookie", format!("t={pat}")),
        bearing("a JWT in a cookie").with("cookie", format!("t={}", valid("cookie"))),
        bearing("in an API key").with("x-api-key", secrets::opaque()),
        bearing("in a proxy's credential").with(
            "proxy-authorization",
            secrets::basic("p", &secrets::opaque()),
        ),
        bearing("in a second bearer")
            .with("x-databricks-azure-sp-management-token", valid("azure")),
        bearing("in a web socket's").with(
            "sec-websocket-protocol",
            format!("bearer.{}", valid("socket")),
        ),
        bearing("in the user agent").with("user-agent", format!("x/1 {}", valid("agent"))),
        bearing("in the request's ID").with("x-request-id", valid("id")),
        at(
            "in the query",
            format!("/api/2.2/jobs/get?access_token={token}"),
        ),
        at(
            "in the query of another name",
            format!("/api/2.2/jobs/get?x={pat}"),
        ),
        at("in the path", format!("/api/2.2/jobs/{}/x", valid("path"))),
        at("a static token in the path", format!("/api/2.2/{pat}")),
        at("on a public path", "/healthz".to_owned()),
        at("over Thrift", "/sql/1.0/warehouses/abc".to_owned())
            .with("content-type", "application/x-thrift".to_owned()),
        at(
            "over gRPC",
            "/spark.connect.SparkConnectService/Config".to_owned(),
        )
        .with("content-type", "application/grpc".to_owned()),
    ]
    .into_iter()
    .map(|call| {
        // The upstream is shown what it is sent; where the path or a header of no account goes
        // there, so does what stands in it.
        let sent = call
            .headers
            .iter()
            .map(|(_, value)| value)
            .chain([&call.target, &call.body]);
        let all: Vec<String> = sent.flat_map(|text| secrets::within(text, &[])).collect();
        Call {
            meant: all
                .iter()
                .filter(|_| goes_on_with_it(call.name))
                .cloned()
                .collect(),
            shown: all,
            ..call
        }
    })
    .collect()
}

/// Whether the secret stands in what goes upstream as it came: a user agent, an ID, a path.
fn goes_on_with_it(name: &str) -> bool {
    ["in the user agent", "in the request's ID"].contains(&name)
}

fn in_forms(token: &str, pat: &str, secret: &str, refresh: &str) -> Vec<Call> {
    let exchange = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange";
    let of_jwt = "subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";
    let back = format!(
        "{exchange}&subject_token={token}&{of_jwt}&return_original_token_if_authenticated=true"
    );
    let basic = secrets::basic("sp", secret);
    let pair = basic.trim_start_matches("Basic ").to_owned();
    vec![
        Call::posting(
            "a personal access token",
            format!("{exchange}&subject_token={pat}"),
        ),
        Call::posting(
            "a client's secret",
            format!("grant_type=client_credentials&client_secret={secret}"),
        ),
        Call::posting(
            "a secret out of place",
            format!("{exchange}&subject_token={secret}"),
        ),
        Call::posting(
            "a refresh token",
            format!("grant_type=refresh_token&refresh_token={refresh}"),
        ),
        Call {
            // A gateway that exchanges answers it with the token itself.
            meant: vec![token.to_owned()],
            ..Call::posting(
                "an exchange",
                format!("{exchange}&subject_token={token}&{of_jwt}"),
            )
        },
        Call::posting(
            "twice",
            format!("subject_token={token}&subject_token={pat}"),
        ),
        Call::posting("not to be read", format!("%%{pat};{token}")),
        Call {
            meant: vec![token.to_owned()],
            ..Call::posting("a driver's", back)
        },
        Call {
            meant: vec![pair],
            ..Call::posting(
                "a secret by Basic",
                "grant_type=client_credentials".to_owned(),
            )
            .with("authorization", basic)
        },
    ]
}

/// A valid token of this subject.
pub(crate) fn valid(subject: &str) -> String {
    token_with("acme-rsa", &json!({ "sub": subject }))
}
