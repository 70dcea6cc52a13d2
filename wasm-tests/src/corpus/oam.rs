//! What `oam explain` says of a case, to be held against the gateway's record of it: the binary
//! itself, a process for each.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::Prepared;
use super::drivers::published;
use super::outcome::Outcome;
use crate::paths;

/// `oam explain` for one configuration.
pub struct Oam {
    directory: PathBuf,
    jwks: Vec<String>,
}

/// Why a request cannot be written on a command line.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Inexpressible {
    /// A byte of path, host or header is none of UTF-8, or is a zero.
    Bytes,
    /// The URL would not have this host or this path.
    Url,
    /// A header begins or ends with white space, which an argument does not keep.
    WhiteSpace,
}

impl fmt::Display for Inexpressible {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bytes => "bytes that no argument holds",
            Self::Url => "a host or a path that no URL has",
            Self::WhiteSpace => "white space around a header",
        })
    }
}

impl Oam {
    /// Writes the configuration to a file, and the keys that it fetches to others.
    pub fn start(name: &str, configuration: &Value) -> Self {
        // Before any token is minted, since it may take longer than a proof is fresh.
        binary();
        let directory = paths::root().join("target/oam-runs").join(name);
        std::fs::create_dir_all(&directory).expect("a scratch directory");
        write(
            &directory.join("config.json"),
            configuration.to_string().as_bytes(),
        );
        let issuers = configuration["issuers"].as_array().into_iter().flatten();
        let fetched = issuers.filter(|issuer| issuer["jwks"].get("cluster").is_some());
        let jwks = fetched.enumerate().map(|(position, issuer)| {
            let uri = issuer["jwks"]["uri"].as_str().unwrap_or_default();
            let path = uri.splitn(4, '/').nth(3).unwrap_or_default();
            let file = directory.join(format!("jwks-{position}.json"));
            write(&file, &published(&format!("/{path}")));
            let issuer = issuer["issuer"].as_str().unwrap_or_default();
            format!("{issuer}={}", file.display())
        });
        let jwks = jwks.collect();
        Self { directory, jwks }
    }

    /// What it says of a request, in the words of the audit record; with `status`, and the exit
    /// status as `exit`.
    pub fn explain(&self, request: &Prepared) -> Result<Value, Inexpressible> {
        let Line {
            url,
            headers,
            body,
            token,
        } = Line::of(request)?;
        let mut command = Command::new(binary());
        command.args(["explain", "--json", "--config"]);
        command.arg(self.directory.join("config.json"));
        for jwks in &self.jwks {
            command.args(["--jwks", jwks]);
        }
        for header in &headers {
            command.arg(format!("--header={header}"));
        }
        if !body.is_empty() {
            command.arg(format!("--data={body}"));
        }
        match token {
            Some(_) => command.args(["--token", "-"]),
            None => command.arg("--anonymous"),
        };
        command.args(["--", &request.method, &url]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("oam runs");
        let mut stdin = child.stdin.take().expect("a piped stdin");
        // Closed unread where no token is asked for.
        drop(stdin.write_all(token.unwrap_or_default().as_bytes()));
        drop(stdin);
        let output = child.wait_with_output().expect("a child");
        let said = String::from_utf8_lossy(&output.stdout);
        let mut said: Value = serde_json::from_str(&said)
            .unwrap_or_else(|_| panic!("oam: {said}{}", String::from_utf8_lossy(&output.stderr)));
        said["operation"] = said["operation"]["name"].take();
        said["exit"] = json!(output.status.code());
        let same = SAME.map(|name| (name.to_owned(), said[name].take()));
        Ok(Value::Object(Map::from_iter(same)))
    }
}

/// The schema of records, as it is printed.
pub fn record_schema() -> Value {
    let mut command = Command::new(binary());
    let output = command.args(["schema", "--record"]).output();
    serde_json::from_slice(&output.expect("oam runs").stdout).expect("JSON")
}

/// What the gateway did, in the same words.
pub fn of_gateway(outcome: &Outcome) -> Value {
    let same = SAME.map(|name| {
        let value = match name {
            // What the gateway answers by itself may be an answer and no refusal.
            "exit" => {
                let answered = outcome.body.get("access_token").is_some();
                let served = outcome.upstream.is_some() || answered;
                let refused = !served && outcome.audit["decision"] != "allow";
                json!(i32::from(refused))
            }
            "status" => json!(outcome.status),
            name => outcome.audit[name].clone(),
        };
        (name.to_owned(), value)
    });
    Value::Object(Map::from_iter(same))
}

/// A request as arguments.
struct Line<'a> {
    url: String,
    headers: Vec<String>,
    body: &'a str,
    /// The token, where it stands alone and plainly in `authorization`; beside a proof it would be
    /// taken for a bound one.
    token: Option<&'a str>,
}

impl<'a> Line<'a> {
    fn of(request: &'a Prepared) -> Result<Self, Inexpressible> {
        let target = text(&request.target)?;
        let authority = text(request.authority.as_bytes())?;
        if !target.starts_with('/')
            || authority.is_empty()
            || authority.contains(['/', '?', '#', '@'])
        {
            return Err(Inexpressible::Url);
        }
        let is_authorization = |name: &str| name.eq_ignore_ascii_case("authorization");
        let alone = request
            .headers
            .iter()
            .filter(|(name, _)| is_authorization(name))
            .count()
            == 1
            && !request
                .headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("dpop"));
        let (mut headers, mut token) = (Vec::new(), None);
        for (name, value) in &request.headers {
            let value = text(value)?;
            if value.trim() != value {
                return Err(Inexpressible::WhiteSpace);
            }
            match value.strip_prefix("Bearer ") {
                Some(shown) if alone && is_authorization(name) && shown.trim() == shown => {
                    token = Some(shown);
                }
                _ => headers.push(format!("{name}: {value}")),
            }
        }
        Ok(Self {
            url: format!("http://{authority}{target}"),
            headers,
            // No other body is judged.
            body: if target.starts_with("/oidc/") {
                text(&request.body)?
            } else {
                ""
            },
            token,
        })
    }
}

fn text(bytes: &[u8]) -> Result<&str, Inexpressible> {
    let text = std::str::from_utf8(bytes).map_err(|_| Inexpressible::Bytes)?;
    (!text.contains('\0'))
        .then_some(text)
        .ok_or(Inexpressible::Bytes)
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The binary, built first where it is not up to date.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args([
                "build",
                "--quiet",
                "--package",
                "databricks-oam-filter",
                "--bin",
                "oam",
            ])
            .current_dir(paths::root())
            .status()
            .expect("cargo runs");
        assert!(status.success(), "oam does not build");
        paths::root().join("target/debug/oam")
    })
}

/// What both must say alike.
const SAME: [&str; 10] = [
    "decision",
    "effective_scopes",
    "exit",
    "mode",
    "operation",
    "reason",
    "required_scopes",
    "roles",
    "rule",
    "status",
];
