//! How an identity provider spells what it says: which claims hold scopes, groups, roles and client, and in which shapes.

use crate::token::claims::{ClaimError, ClaimFault, Claims};
use crate::token::json::Json;
use crate::token::scope::{Scope, ScopeListError};

use super::access_token::Groups;
use super::invalid_token::InvalidToken;

/// A claim's place: one name, or the names from the outermost object inwards.
pub type ClaimPath = Box<[Box<str>]>;

/// One provider's spelling.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dialect {
    /// Where scopes are; the first that is there counts.
    pub scopes: Vec<ClaimPath>,
    /// Where groups are; all of them count.
    pub groups: Vec<ClaimPath>,
    /// Where roles are; all of them count.
    pub roles: Vec<ClaimPath>,
    /// Where the client is; the first that is there counts.
    pub client: Vec<ClaimPath>,
    /// Where the subject is; the first that is there counts.
    pub subject: Vec<ClaimPath>,
    /// Tokens come without `aud`, and the client stands in for it.
    pub audience_is_client: bool,
    /// Claims without which a token is refused, besides `iss`, `exp` and an audience.
    pub required: &'static [&'static str],
    /// Its tokens are for one workspace, or for a whole account.
    pub names_workspace: bool,
    /// A claim that says what a token is for, and the value that access tokens have.
    pub purpose: Option<Purpose>,
}

/// A claim by which a provider tells its access tokens from its other tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Purpose {
    /// The claim.
    pub claim: &'static str,
    /// Its value in an access token.
    pub value: &'static str,
    /// Whether a token without the claim is refused.
    pub required: bool,
}

impl Dialect {
    /// Refuses ID tokens and whatever else a provider signs with the same key.
    ///
    /// RFC 8725 §3.12 asks for rules that exclude one another. ID tokens have no common mark, so any claim that OpenID Connect Core §2
    /// and §3 put into them alone is taken for one, unless the provider says outright what the token is.
    pub(super) fn check_access_token(&self, claims: &Claims) -> Result<(), InvalidToken> {
        let text = |name: &str| claims.at(&[name]).and_then(Json::as_str);
        if let Some(purpose) = self.purpose {
            match text(purpose.claim) {
                Some(value) if value == purpose.value => return Ok(()),
                None if !purpose.required && claims.at(&[purpose.claim]).is_none() => {}
                Some(_) | None => return Err(InvalidToken::IdToken),
            }
        }
        let says_so = text("token_use") == Some("id")
            || text("typ").is_some_and(|typ| typ.eq_ignore_ascii_case("id"));
        if says_so
            || ID_TOKEN_CLAIMS
                .iter()
                .any(|name| claims.at(&[*name]).is_some())
        {
            return Err(InvalidToken::IdToken);
        }
        Ok(())
    }

    /// Refuses tokens without a claim that the provider's profile requires.
    pub(super) fn check_required(
        &self,
        claims: &Claims,
        client: Option<&str>,
    ) -> Result<(), InvalidToken> {
        for name in self.required {
            let present = match *name {
                "client_id" => client.is_some(),
                name => claims.at(&[name]).is_some(),
            };
            if !present {
                return Err(InvalidToken::MissingClaim(name));
            }
        }
        Ok(())
    }

    pub(super) fn client(&self, claims: &Claims) -> Result<Option<Box<str>>, ClaimError> {
        first_text(&self.client, claims)
    }

    pub(super) fn subject(&self, claims: &Claims) -> Result<Option<Box<str>>, ClaimError> {
        first_text(&self.subject, claims)
    }

    /// The scopes, from a space-separated string or an array of strings. A list with a token in it that is no scope grants nothing; one
    /// of another JSON type refuses the token.
    pub(super) fn scopes(&self, claims: &Claims) -> Result<Vec<Scope>, ClaimError> {
        for path in &self.scopes {
            match claims.scopes(path) {
                Ok(Some(scopes)) => return Ok(scopes),
                Ok(None) => {}
                Err(ClaimError::Claim {
                    fault: ClaimFault::Scopes(ScopeListError::Scope(_)),
                    ..
                }) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        Ok(Vec::new())
    }

    pub(super) fn roles(&self, claims: &Claims) -> Result<Vec<Box<str>>, ClaimError> {
        all_names(&self.roles, claims)
    }

    pub(super) fn groups(&self, claims: &Claims) -> Result<Groups, ClaimError> {
        let overage = claims.at(&["_claim_names", "groups"]).is_some()
            || claims
                .at(&["hasgroups"])
                .is_some_and(|json| *json != Json::Bool(false));
        let groups = all_names(&self.groups, claims)?;
        Ok(if overage && groups.is_empty() {
            Groups::Unknown
        } else {
            Groups::Known(groups)
        })
    }
}

fn first_text(paths: &[ClaimPath], claims: &Claims) -> Result<Option<Box<str>>, ClaimError> {
    for path in paths.iter().filter(|path| is_there(path, claims)) {
        if let Some(text) = claims.text(path)? {
            return Ok(Some(text.into()));
        }
    }
    Ok(None)
}

/// Every name at any of the places, a single string counting as one name.
fn all_names(paths: &[ClaimPath], claims: &Claims) -> Result<Vec<Box<str>>, ClaimError> {
    let mut names: Vec<Box<str>> = Vec::new();
    for path in paths.iter().filter(|path| is_there(path, claims)) {
        names.extend(claims.texts(path)?.into_iter().flatten().map(Box::from));
    }
    Ok(names)
}

/// Serialisers of some issuers write `null` or an empty string for what a token does not say.
fn is_there(path: &[Box<str>], claims: &Claims) -> bool {
    claims
        .at(path)
        .is_some_and(|json| *json != Json::Null && json.as_str() != Some(""))
}

/// `nonce`, `at_hash` and `c_hash` (OpenID Connect Core §2, §3.3.2.11), and `events` of logout tokens (Back-Channel Logout §2.4).
const ID_TOKEN_CLAIMS: [&str; 4] = ["at_hash", "c_hash", "events", "nonce"];
