//! What comes of a request: the verdict, the permit to go upstream, and what might change it.

use std::rc::Rc;

use crate::denial::Denial;
use crate::issuer::access_token::AccessToken;
use crate::key_store::IssuerIndex;
use crate::policy::Standing;
use crate::request::credential::{self, CredentialKind, Scheme};
use crate::request::{Headers, Kept};
use crate::resource::Metadata;

use super::evidence::Evidence;
use super::form::OwnToken;

/// What was decided, and what is known of why.
pub struct Decision<'a> {
    /// What happens.
    pub verdict: Verdict,
    /// What was established on the way. No decision reads it.
    pub evidence: Evidence<'a>,
    /// Keys that might change the decision if they came.
    pub awaited: Option<Awaited>,
}

impl Decision<'_> {
    /// The issuer of the token that goes upstream, unless it is exchanged for another.
    pub fn exchangeable(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Allow(Permit::Bearer(identity))
            | Verdict::Shadow(_, Permit::Bearer(identity)) => Some(&identity.issuer),
            Verdict::Allow(Permit::Discovery | Permit::Observed(_) | Permit::Public)
            | Verdict::Shadow(_, Permit::Discovery | Permit::Observed(_) | Permit::Public)
            | Verdict::Deny(_)
            | Verdict::Describe(_)
            | Verdict::Return(_) => None,
        }
    }

    /// The `Authorization` that goes upstream in place of the caller's, unless its token is exchanged: Databricks reads no proofs, and
    /// this one was for the gateway; and who knows what it makes of more spaces than one.
    pub fn authorization(&self, headers: &Headers) -> Option<String> {
        let is_plain = self.evidence.scheme == Scheme::Bearer && !credential::has_spaces(headers);
        if is_plain || self.exchangeable().is_none() {
            return None;
        }
        let token = credential::bearer_token(headers)?;
        Some(["Bearer ", token.as_str()].concat())
    }

    /// The leave to go upstream, where it has one.
    pub const fn permit(&self) -> Option<&Permit> {
        match &self.verdict {
            Verdict::Allow(permit) | Verdict::Shadow(_, permit) => Some(permit),
            Verdict::Deny(_) | Verdict::Describe(_) | Verdict::Return(_) => None,
        }
    }

    /// Why it would be refused if the policy, or the rule, were enforced.
    pub const fn shadowed(&self) -> Option<&Denial> {
        match &self.verdict {
            Verdict::Shadow(denial, _) => Some(denial),
            Verdict::Return(token) => token.shadowed(),
            Verdict::Allow(_) | Verdict::Deny(_) | Verdict::Describe(_) => None,
        }
    }

    /// Notes a refusal that is not enforced. The first one stands.
    pub(super) fn shadow(&mut self, denial: Denial) {
        self.evidence.shadowed();
        if let Verdict::Allow(permit) = &self.verdict {
            self.verdict = Verdict::Shadow(denial, permit.clone());
        }
    }

    /// Refuses after all, for a reason that showed after the decision. Whatever is on trial, this refusal is not.
    pub fn refuse(&mut self, denial: Denial) {
        self.evidence.enforced();
        self.verdict = Verdict::Deny(denial);
    }
}

/// What happens to a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It goes upstream.
    Allow(Permit),
    /// It is answered here.
    Deny(Denial),
    /// It is answered here with what it asks for: where to get tokens.
    Describe(Metadata),
    /// It is answered here with the token that its form shows, since the gateway itself exchanges that.
    Return(OwnToken),
    /// It would be refused, but goes upstream: the policy, or the rule, is on trial.
    Shadow(Denial, Permit),
}

/// Leave to go upstream, and as whom.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Permit {
    /// As nobody, by the catalogue: a call by which clients find out where to sign in, or do so.
    Discovery,
    /// As nobody, by a public rule.
    Public,
    /// As the bearer of a sound token.
    Bearer(Identity),
    /// As whoever the upstream takes the credential's sender for: a class of credentials that is only observed.
    Observed(CredentialKind),
}

/// Who a sound token says is calling.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Identity {
    /// The subject.
    pub subject: Option<Rc<str>>,
    /// The client.
    pub client: Option<Rc<str>>,
    /// The issuer.
    pub issuer: Rc<str>,
    /// The functional roles held, between commas.
    pub roles: Option<Rc<str>>,
}

/// Keys that a request may wait for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Awaited {
    /// The issuer's first, or its first usable ones since they grew too old.
    First(IssuerIndex),
    /// Newer ones: the token names a key that the issuer's set does not have.
    Newer(IssuerIndex),
}

impl Permit {
    /// Which of the caller's own credentials go upstream with the request.
    pub const fn kept(&self) -> Kept {
        match self {
            Self::Bearer(_) | Self::Observed(_) => Kept::Token,
            Self::Discovery => Kept::All,
            Self::Public => Kept::Cookies,
        }
    }
}

impl Awaited {
    /// Whose keys they are.
    pub const fn issuer(self) -> IssuerIndex {
        match self {
            Self::First(issuer) | Self::Newer(issuer) => issuer,
        }
    }
}

impl Identity {
    pub(super) fn of(token: &AccessToken, standing: &Standing) -> Self {
        Self {
            subject: token.subject.clone(),
            client: token.client.clone(),
            issuer: Rc::clone(&token.issuer),
            roles: standing.written.roles.clone(),
        }
    }
}
