//! The built module under a configuration, with a meter.

use serde_json::{Value, json};
use wasm_tests::host::{CalloutAnswer, Headers, Host, Verdict, metered_module};
use wasm_tests::scene::{ISSUER, fetched, token_with};

use crate::{issuer, over};

/// A request of somebody's.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) host: String,
    pub(crate) token: String,
    pub(crate) more: Headers,
    /// The status of the answer, or 200 where it goes upstream.
    pub(crate) status: u16,
}

impl Request {
    /// With a token of these claims, which allow it to read files and to look at jobs.
    pub(crate) fn by(claims: &Value) -> Self {
        Self {
            method: "GET",
            path: "/api/2.2/jobs/get".to_owned(),
            host: "databricks.example.com".to_owned(),
            token: token_with("acme-rsa", &over(json!({ "scope": "jobs files" }), claims)),
            more: Headers::new(),
            status: 200,
        }
    }

    pub(crate) fn head(&self) -> Headers {
        let mut head: Headers = [
            (":method", self.method.to_owned()),
            (":path", self.path.clone()),
            (":authority", self.host.clone()),
            ("authorization", format!("Bearer {}", self.token)),
        ]
        .map(|(name, value)| (name.to_owned(), value.into_bytes()))
        .into();
        head.extend(self.more.iter().cloned());
        head
    }
}

/// The module under a configuration.
pub(crate) struct Gateway(Host);

impl Gateway {
    /// With these sections laid over one with a single issuer.
    pub(crate) fn with(sections: &Value) -> Self {
        let mut configuration = fetched(&json!({}));
        configuration["issuers"] = json!([issuer(ISSUER)]);
        configuration["limits"] = json!({ "token_bytes": 61_440 });
        configuration["forward_identity"] = json!(true);
        for (name, section) in sections.as_object().into_iter().flatten() {
            match (name.as_str(), section) {
                ("issuers", Value::Array(more)) => {
                    let issuers = configuration["issuers"].as_array_mut();
                    issuers.expect("a list").extend(more.iter().cloned());
                }
                (name, section) => configuration[name] = section.clone(),
            }
        }
        let answers = Box::new(|_: &_| CalloutAnswer::Never);
        let text = configuration.to_string();
        let mut host = Host::start_module(metered_module(), &text, &["issuer"], answers);
        assert!(host.configured(), "{:?}", host.take_log());
        Self(host)
    }

    /// The instructions that a request takes when it comes once more.
    pub(crate) fn warm(&mut self, request: &Request) -> u64 {
        for _ in 0..2 {
            self.send(request);
        }
        self.send(request)
    }

    /// The instructions that the first request with a token of these claims takes, others having
    /// come before.
    pub(crate) fn new_token(&mut self, claims: &Value) -> u64 {
        for number in 0..2 {
            self.send(&Request::by(&over(
                claims.clone(),
                &json!({ "jti": format!("before-{number}") }),
            )));
        }
        self.send(&Request::by(claims))
    }

    fn send(&mut self, request: &Request) -> u64 {
        let before = self.0.instructions().expect("a meter");
        let verdict = self.0.request(&request.head(), b"");
        let status = match &verdict {
            Verdict::Forward(_) => 200,
            Verdict::Reply(reply) => reply.status,
            Verdict::Waiting => panic!("{} waits", request.path),
        };
        let log = self.0.take_log();
        assert_eq!(status, request.status, "{}: {:?}", request.path, log.last());
        self.0.instructions().expect("a meter") - before
    }
}
