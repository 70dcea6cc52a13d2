//! On what terms tokens are exchanged: where, whose, as whom, and for what scope.

use std::time::Duration;

use crate::callout::uri::HttpsUri;
use crate::callout::{self, form};
use crate::databricks::Catalogue;
use crate::databricks::operation::{Mark, OperationRequirement};
use crate::databricks::scope::ALL_APIS;
use crate::path::Path;
use crate::policy::Readings;
use crate::request::Headers;
use crate::request::form::grant::{JWT_TYPE, TOKEN_EXCHANGE};
use crate::request::mcp::{Call, Tool};

/// How tokens are exchanged, as configured.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Terms {
    /// The gateway's cluster that leads to the token endpoint.
    pub cluster: Box<str>,
    /// The token endpoint.
    pub token_endpoint: HttpsUri,
    /// For what scope.
    pub scope: ScopeWanted,
    /// The service principal of workload identity federation; account-wide federation, when absent.
    pub client_id: Option<Box<str>>,
    /// The group that callers become.
    pub assume_group: Option<Box<str>>,
    /// Whose tokens are exchanged.
    pub issuers: Vec<Box<str>>,
    /// How long the token endpoint may take.
    pub timeout: Duration,
}

/// For what scope a token is exchanged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ScopeWanted {
    /// `all-apis`, whatever the request.
    AllApis,
    /// The area of the request's operation, where Databricks has a scope of that name; `all-apis`
    /// otherwise.
    Operation,
}

impl Terms {
    /// Whether tokens of this issuer are exchanged.
    pub fn takes(&self, issuer: &str) -> bool {
        self.issuers.iter().any(|known| **known == *issuer)
    }

    /// The scope to request on behalf of a request.
    ///
    /// It follows the catalogue also where a rule of the operator's governs: what Databricks will
    /// require of the exchanged token does not depend on what the gateway requires of the caller's.
    pub fn scope_for(&self, headers: &Headers) -> &'static str {
        match self.scope {
            ScopeWanted::AllApis => ALL_APIS,
            ScopeWanted::Operation => narrowest(headers).unwrap_or(ALL_APIS),
        }
    }

    pub(super) fn call(&self, subject: &str, scope: &str) -> callout::CalloutRequest {
        let mut fields = vec![
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", subject),
            ("subject_token_type", JWT_TYPE),
            ("scope", scope),
        ];
        let optional = [
            ("client_id", &self.client_id),
            ("assume_group", &self.assume_group),
        ];
        for (name, value) in optional {
            fields.extend(value.as_deref().map(|value| (name, value)));
        }
        callout::CalloutRequest {
            cluster: self.cluster.clone(),
            method: "POST",
            uri: self.token_endpoint.clone(),
            accept: callout::JSON,
            headers: vec![(
                "content-type".into(),
                "application/x-www-form-urlencoded".into(),
            )],
            body: form::encode(&fields).into_bytes(),
            timeout: self.timeout,
        }
    }
}

/// The area of the operation that a request is, in whichever spelling, where Databricks documents
/// it as a scope. There are no `:read` scopes to request.
fn narrowest(headers: &Headers) -> Option<&'static str> {
    let method = std::str::from_utf8(headers.first(":method")?).ok()?;
    let path = headers.first(":path")?.split(|&byte| byte == b'?').next()?;
    let path = Path::parse(path).ok()?;
    let tool = Tool::Unknown;
    let known = |method| Readings::of(Catalogue::shared(), Call { method, tool }, path).operation();
    // RFC 9110 §9.3.2: a `HEAD` is for what the `GET` beside it answers.
    let operation = known(method).or_else(|| known("GET").filter(|_| method == "HEAD"))?;
    let OperationRequirement::Scope(area) = operation.requirement else {
        return None;
    };
    let documented = area.is_documented() && !operation.marks.has(Mark::Undocumented);
    documented.then(|| area.name())
}
