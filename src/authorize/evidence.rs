//! What was established on the way to a decision.
//!
//! Written as it is established and read by nobody who decides, so that a mistake in a record never
//! becomes a wrong answer.

mod requested_operation;

use std::rc::Rc;

use crate::databricks::Operation;
use crate::few::Few;
use crate::issuer::access_token::{AccessToken, Groups};
use crate::json_line::Members;
use crate::policy::rule::{Mode, Rule};
use crate::policy::{EffectiveAccess, Governing, Requirement};
use crate::request::RequestError;
use crate::request::credential::{CredentialKind, Scheme};
use crate::request::workspace::WorkspaceId;
use crate::token::jws::UnverifiedClaims;

pub(crate) use requested_operation::{RequestedOperation, WrittenBefore};

/// The facts behind a decision. What is absent was not reached, or does not apply.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// Whether a refusal is enforced.
    pub mode: Mode,
    /// The operation that the request is.
    pub operation: Option<&'static Operation>,
    /// The rule that governed it.
    pub rule: Option<&'a Rule>,
    /// What it needs its caller to hold, all of it.
    pub requirements: Few<Requirement<'a>>,
    /// The kind of credential that came with it.
    pub credential: Option<CredentialKind>,
    /// How its token was shown.
    pub scheme: Scheme,
    /// The name of the static token that came with it.
    pub fingerprint: Option<String>,
    /// Whether the credential was shown where it has no business, so that it must be taken for
    /// known to others.
    pub leaked: bool,
    /// What a token says of itself that nobody verified: its issuer is not configured.
    pub unverified: Option<Rc<UnverifiedClaims>>,
    /// The valid token that came with it.
    pub token: Option<Rc<AccessToken>>,
    /// The caller's roles and effective scopes.
    pub effective_access: Option<Rc<EffectiveAccess>>,
    /// The roles that would grant what those that are held do not.
    pub granting_roles: Vec<Rc<str>>,
    /// The workspace that it is for.
    pub workspace: Option<WorkspaceId>,
    /// The requested operation as the record has it, where that was written before.
    pub(crate) written_operation: WrittenBefore,
    /// The scope for which its token was exchanged.
    pub exchanged_scope: Option<&'static str>,
}

impl<'a> Evidence<'a> {
    pub(crate) const fn new(mode: Mode) -> Self {
        Self {
            mode,
            operation: None,
            rule: None,
            requirements: Few::None,
            credential: None,
            scheme: Scheme::Bearer,
            fingerprint: None,
            leaked: false,
            unverified: None,
            token: None,
            effective_access: None,
            granting_roles: Vec::new(),
            workspace: None,
            written_operation: WrittenBefore(None),
            exchanged_scope: None,
        }
    }

    /// The scopes that the request needs.
    pub fn required_scopes(&self) -> impl Iterator<Item = &'a str> {
        let requirements = self.requirements.iter().copied();
        requirements.flat_map(Requirement::scopes)
    }

    /// Those of them that its caller does not hold.
    pub fn missing_scopes(&self) -> Vec<&'a str> {
        let access = self.effective_access.as_deref();
        let requirements = self.requirements.iter().copied();
        match access {
            Some(access) => requirements
                .flat_map(|requirement| access.lacks(requirement))
                .collect(),
            None => self.required_scopes().collect(),
        }
    }

    /// Whether the token says that it does not list its subject's groups.
    pub fn groups_unknown(&self) -> bool {
        self.token
            .as_ref()
            .is_some_and(|token| token.groups == Groups::Unknown)
    }

    /// Whether the caller has to do with proofs of possession: shows one, or a token that requires
    /// one.
    pub fn concerns_proofs(&self) -> bool {
        let bound = |token: &Rc<AccessToken>| token.key.is_some();
        self.scheme == Scheme::Dpop || self.token.as_ref().is_some_and(bound)
    }

    pub(super) fn credential(&mut self, kind: CredentialKind) {
        self.credential = Some(kind);
    }

    /// Notes a JWT that does not stand in the head. Where it stands, it hides nothing that the head
    /// brought.
    pub(super) fn shows_jwt(&mut self) {
        if matches!(self.credential, None | Some(CredentialKind::None)) {
            self.credential = Some(CredentialKind::Jwt);
        }
    }

    /// Notes what a token says of itself that nobody has vouched for. The first one stands.
    pub(super) fn unverified(&mut self, claims: Rc<UnverifiedClaims>) {
        self.unverified.get_or_insert(claims);
    }

    pub(super) fn scheme(&mut self, scheme: Scheme) {
        self.scheme = scheme;
    }

    pub(super) fn fingerprint(&mut self, fingerprint: Option<String>) {
        self.fingerprint = fingerprint;
    }

    pub(super) fn leaked(&mut self) {
        self.leaked = true;
    }

    /// A head that is refused for a credential in the wrong place still says which.
    pub(super) fn refused_head(&mut self, error: &RequestError) {
        self.credential = error.credential();
        self.leaked = error.is_leak();
    }

    /// Notes what governs the request and what that requires.
    pub(super) fn governing(
        &mut self,
        governing: &Governing<'a>,
        requirements: Option<&Few<Requirement<'a>>>,
    ) {
        (self.operation, self.rule) = match governing {
            Governing::Operation(operation) => (Some(*operation), None),
            Governing::Rules(rules) => (None, rules.iter().next()),
            Governing::Ambiguous | Governing::Unmatched => (None, None),
        };
        self.requirements = requirements.cloned().unwrap_or_default();
        self.written_operation = WrittenBefore::default();
    }

    pub(super) fn rule(&mut self, rule: &'a Rule) {
        self.rule = Some(rule);
    }

    pub(super) fn token(&mut self, token: Rc<AccessToken>) {
        self.token = Some(token);
    }

    pub(super) fn effective_access(&mut self, access: Rc<EffectiveAccess>) {
        self.effective_access = Some(access);
    }

    pub(super) fn workspace(&mut self, workspace: Option<WorkspaceId>) {
        self.workspace = workspace;
    }

    /// Notes what was written before of what governs the request.
    pub(super) fn written_operation(&mut self, written: Option<&Rc<Members>>) {
        self.written_operation = WrittenBefore(written.cloned());
    }

    pub(super) fn enforced(&mut self) {
        self.mode = Mode::Enforce;
    }

    pub(super) fn shadowed(&mut self) {
        self.mode = Mode::Shadow;
    }
}
