//! A refusal as its caller reads it: status, headers and body, for REST, gRPC and Thrift clients.
//!
//! The body is Databricks' own error shape, since its SDKs make their exceptions of it; `error`,
//! `detail`, `status` and `scimType` never stand at its top, because each of them changes how the
//! Python SDK reads the rest. The challenge is RFC 6750 §3's.

mod me;
pub mod message;

use std::borrow::Cow;
use std::rc::Rc;

use serde::Serialize;

use crate::authorize::evidence::Evidence;
use crate::authorize::form::OwnToken;
use crate::denial::{self, Denial, Kind};
use crate::issuer::ScopeReading;
use crate::issuer::invalid_token::InvalidToken;
use crate::json_line::to_text;
use crate::request::envelope::{Protocol, Recipient};
use crate::request::form::grant::JWT_TYPE;
use crate::resource::{Identifier, Metadata};
use crate::token::algorithm::Algorithm;

/// What the configuration adds to answers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Resource {
    /// The protected resource, whose metadata challenges name.
    pub identifier: Option<Identifier>,
    /// Where people request access; [`message::SCOPES`] and [`message::ROLES`] stand for what they
    /// lack.
    pub access_request_url: Option<Box<str>>,
    /// How each issuer spells scopes.
    pub spellings: Vec<(Rc<str>, ScopeReading)>,
    /// Whether tokens are taken that Databricks itself issues.
    pub takes_databricks_tokens: bool,
    /// Whether the gateway itself answers those who would exchange their token.
    pub exchanges: bool,
}

/// An answer of the gateway's own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, in order.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body: JSON, or for gRPC the message alone.
    pub body: String,
    /// The gRPC status, for gRPC callers.
    pub grpc_status: Option<u8>,
    /// Why, for the host's own log, in no more detail than the caller gets: some hosts show it
    /// to callers.
    pub reason: &'static str,
}

impl Answer {
    /// The answer to a caller who was refused.
    pub fn new(
        denial: &Denial,
        evidence: &Evidence<'_>,
        recipient: &Recipient<'_>,
        decision_id: &str,
        resource: &Resource,
    ) -> Self {
        let message = resource.message(denial, evidence, decision_id);
        let (kind, reason) = (denial.kind(), denial.public_code());
        if kind == Kind::InvalidGrant {
            return Self::invalid_grant(&message, reason);
        }
        let mut headers = Vec::with_capacity(4);
        if let Ok(error) = kind.challenge_error() {
            let common = parameters(kind, evidence, recipient, resource);
            headers.push((
                "www-authenticate",
                challenge("Bearer", error, &common).into(),
            ));
            if evidence.concerns_proofs() {
                headers.push((
                    "www-authenticate",
                    dpop_challenge(denial, error, common).into(),
                ));
            }
        }
        if kind == Kind::Unavailable {
            headers.push(("retry-after", RETRY_AFTER_SECONDS.into()));
        }
        if recipient.protocol == Protocol::Grpc {
            return Self {
                status: 200,
                headers,
                body: message,
                grpc_status: Some(kind.grpc_status()),
                reason,
            };
        }
        headers.push(("content-type", "application/json".into()));
        headers.push(("cache-control", "no-store".into()));
        if recipient.protocol == Protocol::Thrift {
            // The SQL drivers never look into the body. Of the two headers for messages this one,
            // since Python's shows both where both are.
            headers.push(("x-thriftserver-error-message", message.clone().into()));
            headers.push(("x-databricks-reason-phrase", kind.error_code().into()));
        }
        Self {
            status: kind.status(),
            headers,
            body: body(denial, evidence, resource, &message, decision_id),
            grpc_status: None,
            reason,
        }
    }

    /// The refusal of a token request as RFC 6749 §5.2 has it, for clients of a token endpoint read
    /// nothing else.
    fn invalid_grant(message: &str, reason: &'static str) -> Self {
        let body = InvalidGrant {
            error: "invalid_grant",
            error_description: message,
        };
        Self::of_token_endpoint(Kind::InvalidGrant.status(), to_text(&body), reason)
    }

    /// The answer that gives a caller's own token back (RFC 8693 §2.2.1).
    pub fn returning(token: &OwnToken) -> Self {
        let body = TokenResponse {
            access_token: token.text(),
            issued_token_type: JWT_TYPE,
            token_type: "Bearer",
            expires_in: token.lifetime().as_secs(),
        };
        Self::of_token_endpoint(200, to_text(&body), "public")
    }

    fn of_token_endpoint(status: u16, body: String, reason: &'static str) -> Self {
        Self {
            status,
            headers: vec![
                ("content-type", "application/json".into()),
                ("cache-control", "no-store".into()),
            ],
            body,
            grpc_status: None,
            reason,
        }
    }

    /// The answer to clients that look up where to get tokens. It is the same for everybody, and
    /// for pages of every origin.
    pub fn describing(metadata: &Metadata) -> Self {
        Self {
            status: 200,
            headers: vec![
                ("content-type", "application/json".into()),
                ("cache-control", METADATA_CACHE_CONTROL.into()),
                ("access-control-allow-origin", "*".into()),
            ],
            body: metadata.to_json(),
            grpc_status: None,
            reason: "metadata",
        }
    }
}

impl Kind {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidGrant | Self::InvalidRequest => 400,
            Self::RequestTimeout => 408,
            Self::InvalidToken | Self::MissingCredentials => 401,
            Self::Forbidden | Self::InsufficientScope => 403,
            Self::Internal => 500,
            // The SDKs send 503 again, and nothing else that we answer.
            Self::Unavailable => 503,
        }
    }

    /// Databricks' `error_code`.
    pub const fn error_code(self) -> &'static str {
        match self {
            Self::InvalidGrant | Self::InvalidRequest => "BAD_REQUEST",
            Self::RequestTimeout => "DEADLINE_EXCEEDED",
            Self::InvalidToken | Self::MissingCredentials => "UNAUTHENTICATED",
            Self::Forbidden | Self::InsufficientScope => "PERMISSION_DENIED",
            Self::Internal => "INTERNAL_ERROR",
            Self::Unavailable => "TEMPORARILY_UNAVAILABLE",
        }
    }

    /// The code of google.rpc.Code that has this meaning.
    pub const fn grpc_status(self) -> u8 {
        match self {
            Self::InvalidGrant | Self::InvalidRequest => 3,
            Self::RequestTimeout => 4,
            Self::Forbidden | Self::InsufficientScope => 7,
            Self::Internal => 13,
            Self::Unavailable => 14,
            Self::InvalidToken | Self::MissingCredentials => 16,
        }
    }

    /// The `error` of the challenge; `Err` where no challenge is sent, `Ok(None)` where it names no
    /// error.
    const fn challenge_error(self) -> Result<Option<&'static str>, ()> {
        match self {
            Self::InvalidRequest => Ok(Some("invalid_request")),
            Self::InvalidToken => Ok(Some("invalid_token")),
            Self::InsufficientScope => Ok(Some("insufficient_scope")),
            // RFC 6750 §3.1: no credentials, no error code.
            Self::MissingCredentials => Ok(None),
            Self::Forbidden
            | Self::Internal
            | Self::InvalidGrant
            | Self::RequestTimeout
            | Self::Unavailable => Err(()),
        }
    }
}

/// What challenges say besides their error. Every value put into it is free of quotes and
/// backslashes by its type.
fn parameters(
    kind: Kind,
    evidence: &Evidence<'_>,
    recipient: &Recipient<'_>,
    resource: &Resource,
) -> Vec<(&'static str, String)> {
    let mut parameters = Vec::new();
    if kind == Kind::InsufficientScope {
        let scopes = evidence.required_scopes();
        parameters.push(("scope", resource.spelled(evidence, scopes, " ")));
    }
    if let Some(identifier) = &resource.identifier {
        // An MCP server is a resource of its own. A call of the API is not: one token does for all
        // of them.
        let own = (recipient.protocol == Protocol::Mcp)
            .then(|| identifier.metadata_url_of(&recipient.path))
            .flatten();
        let url = own.unwrap_or_else(|| identifier.metadata_url());
        parameters.push(("resource_metadata", url));
    }
    parameters
}

/// RFC 9449 §7.1. It stands beside that of bearer tokens, in a header of its own (§7.2).
fn dpop_challenge(
    denial: &Denial,
    error: Option<&'static str>,
    mut parameters: Vec<(&'static str, String)>,
) -> String {
    let is_proof = matches!(denial, Denial::InvalidToken(InvalidToken::Proof(_)));
    let error = if is_proof {
        Some(denial::INVALID_PROOF)
    } else {
        error
    };
    parameters.push(("algs", Algorithm::NAMES.join(" ")));
    challenge("DPoP", error, &parameters)
}

/// The whole of a `WWW-Authenticate`.
fn challenge(
    scheme: &str,
    error: Option<&'static str>,
    parameters: &[(&'static str, String)],
) -> String {
    let mut challenge = scheme.to_owned();
    let error = error.map(|error| ("error", error));
    let parameters = parameters.iter().map(|(name, value)| (*name, &**value));
    for (name, value) in error.into_iter().chain(parameters) {
        let separator = if challenge.ends_with('"') { ", " } else { " " };
        for piece in [separator, name, "=\"", value, "\""] {
            challenge.push_str(piece);
        }
    }
    challenge
}

fn body(
    denial: &Denial,
    evidence: &Evidence<'_>,
    resource: &Resource,
    message: &str,
    decision_id: &str,
) -> String {
    let names_scope = matches!(denial, Denial::InsufficientScope | Denial::RoleLacksScope);
    let scope = names_scope.then(|| resource.spelled(evidence, evidence.required_scopes(), " "));
    let operation = evidence.operation.filter(|_| scope.is_some());
    let operation = operation.map(|operation| operation.name);
    to_text(&ErrorBody {
        error_code: denial.kind().error_code(),
        message,
        details: [ErrorInfo {
            kind: ERROR_INFO,
            reason: denial.public_code(),
            domain: DOMAIN,
            metadata: ErrorMetadata {
                decision_id,
                operation,
                required_scopes: scope.as_deref(),
            },
        }],
    })
}

/// An error as Databricks writes it.
#[derive(Serialize)]
struct ErrorBody<'a> {
    error_code: &'static str,
    message: &'a str,
    details: [ErrorInfo<'a>; 1],
}

/// `google.rpc.ErrorInfo`.
#[derive(Serialize)]
struct ErrorInfo<'a> {
    #[serde(rename = "@type")]
    kind: &'static str,
    reason: &'static str,
    domain: &'static str,
    metadata: ErrorMetadata<'a>,
}

/// A map of strings.
#[derive(Serialize)]
struct ErrorMetadata<'a> {
    decision_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    required_scopes: Option<&'a str>,
}

/// RFC 6749 §5.2.
#[derive(Serialize)]
struct InvalidGrant<'a> {
    error: &'static str,
    error_description: &'a str,
}

/// RFC 8693 §2.2.1.
#[derive(Serialize)]
struct TokenResponse<'a> {
    access_token: &'a str,
    issued_token_type: &'static str,
    token_type: &'static str,
    expires_in: u64,
}

const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";

/// A new issuer is known everywhere within this time.
const METADATA_CACHE_CONTROL: &str = "public, max-age=300";

const DOMAIN: &str = "databricks-oam-filter";

/// Keys that are missing are tried again within this time. Whole seconds: the Python SDK reads no
/// dates.
const RETRY_AFTER_SECONDS: &str = "5";

#[cfg(test)]
mod tests;
