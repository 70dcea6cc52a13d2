//! The lines of the demonstration, and what must come of each.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wasm_tests::client::Answer;
use wasm_tests::exchange::authorization;
use wasm_tests::paths;
use wasm_tests::token::Token;
use wasm_tests::workspace::Seen;

/// One request.
pub(crate) struct Call {
    pub(crate) title: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) body: &'static str,
    pub(crate) token: Option<String>,
    pub(crate) want: Want,
    name: &'static str,
}

/// What must come of it.
pub(crate) struct Want {
    pub(crate) status: u16,
    /// A piece of the challenge; empty for no challenge at all.
    challenge: &'static str,
    /// Whether the challenge names an error. Without credentials it must not.
    error: bool,
    /// A piece of the message; of an answer of the workspace none is asked for.
    message: &'static str,
    operation: &'static str,
}

impl Call {
    /// The request as a line for a shell.
    pub(crate) fn curl(&self, gateway: SocketAddr) -> String {
        let body = if self.body.is_empty() {
            String::new()
        } else {
            format!(" -d '{}'", self.body)
        };
        let token = self.token.as_ref().map_or_else(String::new, |_| {
            let file = from_here(&header_file(self.name));
            format!(" \\\n    -H @{}", file.display())
        });
        format!("curl -i http://{gateway}{}{body}{token}", self.path)
    }

    /// Everything that is not as it should be.
    pub(crate) fn faults(&self, answer: &Answer, record: &Value, seen: &[Seen]) -> Vec<String> {
        let permitted = self.want.status == 200;
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        let checks = [
            (
                answer.status == self.want.status,
                format!("want status {}", self.want.status),
            ),
            (
                seen.len() == usize::from(permitted),
                format!("the workspace saw {} requests", seen.len()),
            ),
            (
                seen.iter().all(|seen| self.is_exchanged(seen)),
                "want Databricks' token before the workspace, and not the caller's".to_owned(),
            ),
            (
                answer.json()["message"]
                    .as_str()
                    .unwrap_or_default()
                    .contains(self.want.message),
                format!("want `{}` in the message", self.want.message),
            ),
            (
                challenge.contains(self.want.challenge),
                format!("want `{}` in the challenge", self.want.challenge),
            ),
            (
                !self.want.challenge.is_empty() || challenge.is_empty(),
                "want no challenge".to_owned(),
            ),
            (
                challenge.contains("error=") == self.want.error,
                format!("an error in the challenge: {}", !self.want.error),
            ),
            (
                (record["decision"] != "deny") == permitted && !record["decision"].is_null(),
                "want the decision in the record".to_owned(),
            ),
            (
                record["path"] == self.path,
                format!("want the path {} in the record", self.path),
            ),
            (
                record["operation"] == self.want.operation,
                format!("want the operation {} in the record", self.want.operation),
            ),
        ];
        checks
            .into_iter()
            .filter(|(valid, _)| !valid)
            .map(|(_, fault)| fault)
            .collect()
    }
}

impl Call {
    /// Whether what the workspace saw has a token of Databricks' own, and nowhere the caller's.
    fn is_exchanged(&self, seen: &Seen) -> bool {
        let own = matches!(authorization(seen)[..], [one] if one.starts_with("Bearer databricks-"));
        let token = self.token.as_deref().unwrap_or_default();
        own && !seen.headers.iter().any(|(_, value)| value.contains(token))
    }
}

/// The requests, with tokens that hold for an hour from `now`, and the files that hold them as
/// headers.
#[expect(clippy::too_many_lines, reason = "a table of requests, one row each")]
pub(crate) fn calls(now: i64) -> Vec<Call> {
    let [engineer, analyst] = ["engineer", "analyst"].map(|name| clients()[name].clone());
    let expired = engineer.with(&Token::new(
        "acme-rsa",
        &json!({ "iat": "now-7200", "exp": "now-3600" }),
    ));
    let forged = engineer.with(&forged());
    let ok = |operation| Want {
        status: 200,
        challenge: "",
        error: false,
        message: "",
        operation,
    };
    let refused = |status, challenge, error, message| Want {
        status,
        challenge,
        error,
        message,
        operation: RUN.2,
    };
    let rows = [
        (
            "a data engineer runs a job: the workspace gets Databricks' token",
            "engineer",
            RUN,
            Some(&engineer),
            ok(RUN.2),
        ),
        (
            "an analyst looks at it",
            "analyst",
            LOOK,
            Some(&analyst),
            ok(LOOK.2),
        ),
        (
            "an analyst runs it: the role lacks the scope",
            "analyst",
            RUN,
            Some(&analyst),
            refused(
                403,
                "",
                false,
                "jobs.run-now needs `jobs`. You hold the role `analyst`",
            ),
        ),
        (
            "an expired token",
            "expired",
            RUN,
            Some(&expired),
            refused(401, r#"error="invalid_token""#, true, "has expired"),
        ),
        (
            "a forged token",
            "forged",
            RUN,
            Some(&forged),
            refused(401, r#"error="invalid_token""#, true, "sign in again"),
        ),
        (
            "a personal access token: the answer says what to do instead",
            "static",
            RUN,
            None,
            refused(
                401,
                r#"error="invalid_token""#,
                true,
                "Send an OAuth access token of your identity provider",
            ),
        ),
        (
            "no token",
            "none",
            RUN,
            None,
            refused(401, "Bearer", false, "No credentials were sent"),
        ),
    ];
    rows.into_iter()
        .map(|(title, name, (method, path, _, body), token, want)| {
            let token = token
                .map(|token| token.mint(now))
                .or_else(|| (name == "static").then(|| STATIC_TOKEN.to_owned()));
            if let Some(token) = &token {
                write_header(name, token);
            }
            Call {
                title,
                method,
                path,
                body,
                token,
                want,
                name,
            }
        })
        .collect()
}

/// Who can get a token at the issuer.
pub(crate) fn clients() -> BTreeMap<String, Token> {
    let person = |subject: &str, group: &str| {
        Token::new(
            "acme-rsa",
            &json!({
                "iss": "https://issuer.example.com", "aud": "databricks", "sub": subject, "client_id": "demo", "jti": subject,
                "iat": "now", "exp": "now+3600", "scope": "jobs sql", "groups": [group],
            }),
        )
    };
    [
        ("engineer", person("erin@example.com", "data-eng")),
        ("analyst", person("alan@example.com", "analysts")),
    ]
    .map(|(name, token)| (name.to_owned(), token))
    .into()
}

/// Signed by a stranger who borrows the issuer's key ID.
fn forged() -> Token {
    let mut token = Token::new("stranger-rsa", &json!({}));
    token.header.insert("kid".to_owned(), json!("acme-rsa"));
    token
}

fn write_header(name: &str, token: &str) {
    let file = header_file(name);
    let folder = file.parent().expect("a file in a folder");
    std::fs::create_dir_all(folder).expect("a folder under target");
    std::fs::write(&file, format!("authorization: Bearer {token}\n")).expect("a file under target");
}

fn header_file(name: &str) -> PathBuf {
    paths::root().join("target/demo").join(name)
}

/// A path as short as it can be where the caller stands.
fn from_here(path: &Path) -> PathBuf {
    let here = std::env::var_os("OAM_CALLER").map(PathBuf::from);
    let short = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    short.unwrap_or_else(|| path.to_path_buf())
}

/// In the shape of Databricks' personal access tokens; nobody's.
const STATIC_TOKEN: &str = "dapi0123456789abcdef0123456789abcdef";

/// Method, path, operation, body.
type Line = (&'static str, &'static str, &'static str, &'static str);

const RUN: Line = (
    "POST",
    "/api/2.2/jobs/run-now",
    "jobs.run-now",
    r#"{"job_id": 7}"#,
);
const LOOK: Line = ("GET", "/api/2.2/jobs/get", "jobs.get", "");
