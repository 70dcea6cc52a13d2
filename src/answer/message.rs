//! What a refused person reads: what is wrong, what was needed, what to do here, and the decision
//! by which it can be looked up.

use std::rc::Rc;

use crate::authorize::evidence::Evidence;
use crate::callout::form;
use crate::denial::Denial;
use crate::issuer::Issuer;
use crate::request::credential::CredentialKind;

use super::Resource;

impl Resource {
    /// Learns of these issuers how they spell scopes, those left out that say them as they are, and
    /// which ways to a token there are.
    pub(crate) fn know(&mut self, issuers: &[Issuer], exchanges: bool) {
        let differs =
            |issuer: &&Issuer| issuer.scopes.prefix.is_some() || !issuer.scopes.aliases.is_empty();
        let spelling = |issuer: &Issuer| (Rc::clone(&issuer.identifier), issuer.scopes.clone());
        self.spellings = issuers.iter().filter(differs).map(spelling).collect();
        // They alone are for one workspace.
        let is_databricks = |issuer: &Issuer| issuer.dialect.names_workspace;
        self.takes_databricks_tokens = issuers.iter().any(is_databricks);
        self.exchanges = exchanges;
    }

    /// What a refused person reads; without a decision where nobody recorded one.
    pub fn message(&self, denial: &Denial, evidence: &Evidence<'_>, decision_id: &str) -> String {
        let denial = denial.cause();
        let mut message = denial.to_string();
        if matches!(denial, Denial::InsufficientScope | Denial::RoleLacksScope) {
            self.needs(evidence, &mut message);
        }
        if let Denial::UnsupportedCredential(kind) | Denial::Unidentified(kind, _) = denial {
            self.instead_of(*kind, &mut message);
        }
        // Who holds none has just read so.
        if lacks_role(denial) && !matches!(denial, Denial::NoRole) {
            held(evidence, &mut message);
        }
        self.where_to_ask(denial, evidence, &mut message);
        if !decision_id.is_empty() {
            push(&mut message, &[" (decision ", decision_id, ")"]);
        }
        message
    }

    /// The scopes of these that a call needs, as the issuer of its token spells them.
    pub(super) fn spelled<'s>(
        &self,
        evidence: &Evidence<'_>,
        scopes: impl Iterator<Item = &'s str>,
        joiner: &str,
    ) -> String {
        let issuer = evidence.token.as_ref().map_or("", |token| &*token.issuer);
        let spell = |scope: &str| self.spelled_by(issuer, scope);
        scopes.map(spell).collect::<Vec<_>>().join(joiner)
    }

    /// A scope as an issuer spells it.
    pub(super) fn spelled_by(&self, issuer: &str, scope: &str) -> String {
        let known = self.spellings.iter().find(|(known, _)| **known == *issuer);
        let spelled = known.and_then(|(_, reading)| reading.spell(scope));
        spelled.unwrap_or_else(|| scope.to_owned())
    }

    fn needs(&self, evidence: &Evidence<'_>, message: &mut String) {
        let needed = self.spelled(evidence, evidence.required_scopes(), "`, `");
        let call = evidence
            .operation
            .map_or("This call", |operation| operation.name);
        push(message, &[" ", call, " needs `", &needed, "`."]);
        if evidence.groups_unknown() {
            message.push_str(
                " The token does not list your groups, because there are too many of them: ask for app roles or for filtered groups.",
            );
        }
    }

    /// The ways to a token that lead through this gateway.
    fn instead_of(&self, kind: CredentialKind, message: &mut String) {
        match kind {
            CredentialKind::DeltaSharingRecipient
            | CredentialKind::Jwt
            | CredentialKind::OauthSecret => return,
            CredentialKind::Basic
            | CredentialKind::None
            | CredentialKind::Opaque
            | CredentialKind::PersonalAccessToken
            | CredentialKind::RefreshToken
            | CredentialKind::UnknownScheme => {}
        }
        if self.takes_databricks_tokens {
            let host = self.identifier.as_ref().map(super::Identifier::origin);
            let host = host.as_deref().unwrap_or("<host>");
            push(
                message,
                &[
                    " People sign in with `databricks auth login --host ",
                    host,
                    "`.",
                ],
            );
        } else {
            message.push_str(
                " Send an OAuth access token of your identity provider as `Authorization: Bearer <token>`.",
            );
        }
        if self.takes_databricks_tokens || self.exchanges {
            message.push_str(
                " Workloads exchange their identity provider's token (workload identity federation).",
            );
        }
    }

    /// Where missing access may be requested.
    fn where_to_ask(&self, denial: &Denial, evidence: &Evidence<'_>, message: &mut String) {
        let lacks_something = lacks_role(denial) || matches!(denial, Denial::InsufficientScope);
        let is_of_class = matches!(
            denial,
            Denial::UnsupportedCredential(_) | Denial::Unidentified(..)
        );
        let roles = || evidence.granting_roles.iter().map(|role| &**role);
        if let Some(url) = &self.access_request_url
            && (lacks_something || is_of_class)
        {
            let (mut scopes, mut named) = (String::new(), String::new());
            // Which scope the call needs is for those alone who showed who they are.
            if lacks_something {
                let missing = evidence.missing_scopes().into_iter();
                form::escape(&self.spelled(evidence, missing, " "), &mut scopes);
                form::escape(&roles().collect::<Vec<_>>().join(" "), &mut named);
            }
            let url = url.replace(SCOPES, &scopes).replace(ROLES, &named);
            push(message, &[" Ask for access at ", &url, "."]);
        } else if lacks_role(denial) {
            message.push_str(" Ask whoever runs this gateway for a role that does");
            let names = roles().collect::<Vec<_>>().join("`, `");
            if names.is_empty() {
                message.push('.');
            } else {
                push(message, &[": `", &names, "`."]);
            }
        }
    }
}

/// Whether a role would have helped, and nothing else.
const fn lacks_role(denial: &Denial) -> bool {
    matches!(
        denial,
        Denial::NoRole | Denial::RoleLacksScope | Denial::WorkspaceNotGranted
    )
}

/// The roles that a caller holds here.
fn held(evidence: &Evidence<'_>, message: &mut String) {
    let Some(access) = evidence.effective_access.as_ref() else {
        return;
    };
    let names: Vec<&str> = access.roles.iter().map(|role| &**role).collect();
    match *names {
        [] => message.push_str(" You hold no role here."),
        [one] => push(message, &[" You hold the role `", one, "`."]),
        _ => push(
            message,
            &[" You hold the roles `", &names.join("`, `"), "`."],
        ),
    }
}

fn push(message: &mut String, pieces: &[&str]) {
    for piece in pieces {
        message.push_str(piece);
    }
}

/// What stands for the missing scopes in the address for requests for access.
pub const SCOPES: &str = "{scopes}";

/// What stands there for the roles that would grant them.
pub const ROLES: &str = "{roles}";
