//! A valid access token: verified, from whom it says, for us, in its time.

mod written;

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use crate::databricks::scope_set::ScopeSet;
use crate::json_line::Members;
use crate::time::UnixTime;
use crate::token::bearer::BearerToken;
use crate::token::claims::{ClaimError, ClaimFault, Claims, Times};
use crate::token::fingerprint::Fingerprint;
use crate::token::json::{self, ALLOCATION, Json, Object};
use crate::token::jwk::Thumbprint;
use crate::token::prints::TokenPrints;
use crate::token::scope::Scope;

use super::Issuer;
use super::invalid_token::InvalidToken;
use super::issued_for::IssuedFor;

/// What a token says of its bearer. Only [`Issuer::validate`] makes one.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// `iss`, as configured.
    pub issuer: Rc<str>,
    /// Who it is about.
    pub subject: Option<Rc<str>>,
    /// To which client it was given.
    pub client: Option<Rc<str>>,
    /// `jti`.
    pub token_id: Option<Box<str>>,
    /// `exp`.
    pub expires_at: UnixTime,
    /// `nbf`.
    pub not_before: Option<UnixTime>,
    /// `iat`.
    pub issued_at: Option<UnixTime>,
    /// The ID of the key that signed it.
    pub key_id: Option<Box<str>>,
    /// What was granted, in the policy's spelling; `None` where the issuer grants no scopes and
    /// roles alone do.
    pub scopes: Option<ScopeSet>,
    /// Whether the issuer granted it `offline_access`, which is for refresh tokens and means
    /// nothing in an access token.
    pub offline_access: bool,
    /// In which workspaces it may be used.
    pub issued_for: IssuedFor,
    /// The groups of the subject.
    pub groups: Groups,
    /// The roles that the issuer itself assigns.
    pub roles: Vec<Box<str>>,
    /// The current actor (RFC 8693 §4.1): who acts for the subject.
    pub actor: Option<Box<str>>,
    /// Who acted before, the latest first. They take part in no decision (RFC 8693 §4.1).
    pub earlier_actors: Vec<Box<str>>,
    /// The certificate that its bearer must show (RFC 8705 §3.1).
    pub certificate: Option<Fingerprint>,
    /// The key that its bearer must prove to hold (RFC 9449 §6.1). Anybody may bear a token that is
    /// bound to neither.
    pub key: Option<Thumbprint>,
    /// Known once somebody needed them.
    prints: OnceCell<Box<TokenPrints>>,
    /// Those that a role may match.
    claims: Object,
    /// What records say of it.
    written: Members,
}

/// Group memberships, which some issuers leave out when there are too many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Groups {
    /// All of them.
    Known(Vec<Box<str>>),
    /// The token says that it does not say: Entra's group overage. Not the same as none.
    Unknown,
}

impl AccessToken {
    /// Reads the claims that the policy needs, each strictly: one of the wrong type refuses the
    /// token.
    pub(super) fn read(
        issuer: &Issuer,
        claims: &Claims,
        client: Option<Box<str>>,
    ) -> Result<Self, InvalidToken> {
        let dialect = &issuer.dialect;
        let mut offline_access = false;
        let scopes = if issuer.scopes.from_roles {
            None
        } else {
            let mut scopes = Vec::new();
            for scope in dialect.scopes(claims)? {
                offline_access |= scope.as_str() == OFFLINE_ACCESS;
                issuer.scopes.read(scope, &mut scopes);
            }
            Some(scopes.into_iter().collect())
        };
        let issued_for = if dialect.names_workspace {
            IssuedFor::read(&issuer.identifier, claims.audiences(), &issuer.audiences)
        } else {
            IssuedFor::Everywhere
        };
        let (actor, earlier_actors) = actors(claims)?;
        let (certificate, key) = confirmation(claims)?;
        let mut token = Self {
            issuer: Rc::clone(&issuer.identifier),
            subject: dialect.subject(claims)?.map(Into::into),
            client: client.map(Into::into),
            token_id: claims.token_id().map(Into::into),
            expires_at: claims.expires_at(),
            not_before: claims.not_before(),
            issued_at: claims.issued_at(),
            key_id: None,
            scopes,
            offline_access,
            issued_for,
            groups: dialect.groups(claims)?,
            roles: dialect.roles(claims)?,
            actor,
            earlier_actors,
            certificate,
            key,
            prints: OnceCell::new(),
            claims: claims.only(&issuer.kept_claims),
            written: Members::default(),
        };
        token.written = written::of(&token);
        Ok(token)
    }

    /// Notes the ID of the key that signed it.
    #[must_use]
    pub fn signed_by(self, key_id: Option<&str>) -> Self {
        Self {
            key_id: key_id.map(Into::into),
            ..self
        }
    }

    /// The members of a record that say whose token it is.
    pub(crate) const fn written(&self) -> &Members {
        &self.written
    }

    /// Its fingerprints, `bearer` being the text that it was read from.
    pub fn prints(&self, bearer: BearerToken<'_>) -> &TokenPrints {
        self.prints
            .get_or_init(|| Box::new(TokenPrints::of(bearer)))
    }

    /// The span for which it was issued; `None` where it does not say when that was.
    pub fn lifetime(&self) -> Option<Duration> {
        Some(self.expires_at.since(self.issued_at?))
    }

    /// The moments that it names.
    pub const fn times(&self) -> Times {
        Times {
            expires_at: self.expires_at,
            not_before: self.not_before,
            issued_at: self.issued_at,
        }
    }

    /// About the memory that it takes, rather too much than too little.
    pub fn bytes(&self) -> usize {
        let groups = match &self.groups {
            Groups::Known(groups) => groups.as_slice(),
            Groups::Unknown => &[],
        };
        let named = [
            self.subject.as_deref(),
            self.client.as_deref(),
            self.token_id.as_deref(),
            self.key_id.as_deref(),
            self.actor.as_deref(),
        ];
        let scopes = self.scopes.iter().flat_map(ScopeSet::as_slice);
        let listed = groups.iter().chain(&self.roles).chain(&self.earlier_actors);
        named
            .into_iter()
            .flatten()
            .chain([&*self.issuer, self.issued_for.host()])
            .map(|text| text.len().saturating_add(ALLOCATION))
            .chain([self.written.bytes().saturating_add(ALLOCATION)])
            .chain(scopes.map(|held| held.as_str().len().saturating_add(SCOPE_BYTES)))
            .chain(listed.map(|text| text.len().saturating_add(LISTED_BYTES)))
            .fold(
                OWN_BYTES.saturating_add(self.claims.bytes()),
                usize::saturating_add,
            )
    }

    /// The claims that a role may match.
    pub(crate) const fn kept_claims(&self) -> &Object {
        &self.claims
    }

    /// Whether the claim at `path` is `value`, or an array that has it. Only claims that the
    /// issuer's `kept_claims` name are known.
    pub fn claims(&self, path: &[Box<str>], value: &str) -> bool {
        self.claim_texts(path).any(|text| text == value)
    }

    /// The text that the claim at `path` is, or those of the array that it is.
    pub fn claim_texts(&self, path: &[Box<str>]) -> impl Iterator<Item = &str> {
        let found = json::at(&self.claims, path);
        let array = found.and_then(Json::as_array).unwrap_or_default();
        found.into_iter().chain(array).filter_map(Json::as_str)
    }
}

/// What every token takes, its fingerprints among it.
const OWN_BYTES: usize = size_of::<AccessToken>()
    .saturating_add(size_of::<TokenPrints>())
    .saturating_add(ALLOCATION);

/// What a text in a list takes besides itself; a list may have room for as many again.
const LISTED_BYTES: usize = ALLOCATION.saturating_add(size_of::<[Box<str>; 2]>());

/// What a scope takes besides its text.
const SCOPE_BYTES: usize = ALLOCATION.saturating_add(size_of::<Scope>());

/// The certificate and the key that a token is bound to.
///
/// RFC 7800 §3.1: a bound token is worth nothing without what it is bound to. So a `cnf` that names
/// anything else refuses it, and one that names something else besides.
fn confirmation(
    claims: &Claims,
) -> Result<(Option<Fingerprint>, Option<Thumbprint>), InvalidToken> {
    let Some(confirmation) = claims.at(&["cnf"]) else {
        return Ok((None, None));
    };
    let (mut certificate, mut key) = (None, None);
    for (name, value) in confirmation.as_object().into_iter().flat_map(Object::iter) {
        let known = match (name, value.as_str()) {
            ("jkt", Some(text)) => {
                key = Thumbprint::from_base64url(text);
                key.is_some()
            }
            ("x5t#S256", Some(text)) => {
                certificate = Fingerprint::from_base64url(text);
                certificate.is_some()
            }
            _ => false,
        };
        if !known {
            return Err(InvalidToken::SenderConstrained);
        }
    }
    if certificate.is_none() && key.is_none() {
        return Err(InvalidToken::SenderConstrained);
    }
    Ok((certificate, key))
}

/// The current actor, `act.sub`, and those nested in it.
fn actors(claims: &Claims) -> Result<(Option<Box<str>>, Vec<Box<str>>), ClaimError> {
    let (mut current, mut earlier) = (None, Vec::new());
    let mut path = Vec::new();
    let mut next = claims.at(&["act"]);
    while let Some(act) = next {
        path.push("act");
        let fault = if act.as_object().is_none() {
            Some(ClaimFault::WrongType)
        } else {
            (path.len() > MAX_ACTORS).then_some(ClaimFault::TooManyItems)
        };
        if let Some(fault) = fault {
            let name = path.join(".").into();
            return Err(ClaimError::Claim { name, fault });
        }
        let is_current = path.len() == 1;
        path.push("sub");
        let subject = claims.text(&path)?.map(Into::into);
        path.pop();
        if is_current {
            current = subject;
        } else {
            earlier.extend(subject);
        }
        next = act.get("act");
    }
    Ok((current, earlier))
}

/// Actors of one token, the current one among them. Nobody delegates through so many hands, and
/// each stands in every record.
const MAX_ACTORS: usize = 8;

/// OpenID Connect Core §11.
const OFFLINE_ACCESS: &str = "offline_access";
