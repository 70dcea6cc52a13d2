//! Leave to go upstream, which the judgement alone can give.

use std::rc::Rc;

use crate::issuer::access_token::AccessToken;
use crate::policy::EffectiveAccess;
use crate::request::credential::{self, CredentialKind, Scheme};
use crate::request::{Headers, Kept};

/// Leave to go upstream, with what acting on it needs.
///
/// Invariant: made where a request was judged and permitted, and nowhere else.
#[derive(Clone, Debug)]
pub struct Permit {
    inner: Inner,
    /// The cookies that go upstream in place of the caller's.
    cookies: Option<Box<str>>,
}

#[derive(Clone, Debug)]
enum Inner {
    Bearer(Bearer),
    Unauthenticated(Grounds),
}

/// On what grounds a request goes upstream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Grounds {
    /// As the bearer of a valid token.
    Bearer,
    /// As nobody, by the catalogue: a call by which clients find out where to sign in, or do so.
    Discovery,
    /// As whoever the upstream takes the credential's sender for: a class of credentials that is
    /// only observed.
    Observed(CredentialKind),
    /// As nobody, by a public rule.
    Public,
}

/// The bearer of a valid token.
#[derive(Clone, Debug)]
pub struct Bearer {
    token: Rc<AccessToken>,
    effective_access: Rc<EffectiveAccess>,
    scheme: Scheme,
}

impl Permit {
    const fn on(inner: Inner) -> Self {
        Self {
            inner,
            cookies: None,
        }
    }

    pub(super) const fn bearer_of(
        token: Rc<AccessToken>,
        access: Rc<EffectiveAccess>,
        scheme: Scheme,
    ) -> Self {
        Self::on(Inner::Bearer(Bearer {
            token,
            effective_access: access,
            scheme,
        }))
    }

    pub(super) const fn discovery() -> Self {
        Self::on(Inner::Unauthenticated(Grounds::Discovery))
    }

    pub(super) const fn observed(kind: CredentialKind) -> Self {
        Self::on(Inner::Unauthenticated(Grounds::Observed(kind)))
    }

    pub(super) const fn public() -> Self {
        Self::on(Inner::Unauthenticated(Grounds::Public))
    }

    /// The same, with these cookies in place of the caller's where there are any.
    pub(super) fn with_cookies(self, cookies: Option<Box<str>>) -> Self {
        Self { cookies, ..self }
    }

    /// On what grounds.
    pub const fn grounds(&self) -> Grounds {
        match &self.inner {
            Inner::Bearer(_) => Grounds::Bearer,
            Inner::Unauthenticated(grounds) => *grounds,
        }
    }

    /// The bearer of the token by which it was given, where that is the ground.
    pub const fn bearer(&self) -> Option<&Bearer> {
        match &self.inner {
            Inner::Bearer(bearer) => Some(bearer),
            Inner::Unauthenticated(_) => None,
        }
    }

    /// Which of the caller's own credentials go upstream with the request.
    pub const fn kept(&self) -> Kept {
        match self.grounds() {
            Grounds::Bearer | Grounds::Observed(_) => Kept::Token,
            Grounds::Discovery => Kept::All,
            Grounds::Public => Kept::Cookies,
        }
    }

    /// The cookies that go upstream in place of the caller's, among which is a token that nobody
    /// verified; empty where none are left.
    pub fn cookies(&self) -> Option<&str> {
        self.cookies.as_deref()
    }

    /// The `Authorization` that goes upstream in place of the caller's, unless its token is
    /// exchanged: Databricks reads no proofs, and this one was for the gateway; and who knows what
    /// it makes of more spaces than one.
    pub fn authorization(&self, headers: &Headers) -> Option<String> {
        let bearer = self.bearer()?;
        if bearer.scheme == Scheme::Bearer && !credential::has_spaces(headers) {
            return None;
        }
        let token = credential::bearer_token(headers)?;
        Some(["Bearer ", token.as_str()].concat())
    }
}

impl Bearer {
    /// The token.
    pub fn token(&self) -> &AccessToken {
        &self.token
    }

    /// The functional roles held, between commas; absent where none are.
    pub fn roles(&self) -> Option<&str> {
        self.effective_access.written.roles.as_deref()
    }
}
