//! How an identity provider spells what it says: which claims hold scopes, groups, roles and
//! client, and in which shapes.

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
    /// What distinguishes its access tokens from its other tokens.
    pub distinction: Distinction,
}

/// What distinguishes a provider's access tokens from the other tokens that it signs with the same
/// keys.
///
/// RFC 9068 §2.1 has the type `at+jwt` for that, which is enough for each of these but
/// [`Self::Purpose`] that says otherwise.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Distinction {
    /// Any of these claims, which no other token of the provider's has.
    AnyClaim(&'static [&'static str]),
    /// The provider is unknown. A token that has what OpenID Connect puts into ID tokens is taken
    /// for one, unless it also has a claim of an access token's.
    Appearance,
    /// Nothing: the provider signs no other JWTs, except for people who sign in with a client whose
    /// ID ends so.
    OnlyKind(Option<&'static str>),
    /// A claim that says what a token is for, and the values that it has in access tokens.
    Purpose(&'static str, &'static [&'static str]),
}

impl Dialect {
    /// Refuses ID tokens and whatever else a provider signs with the same key, `is_typed` telling
    /// whether the type is `at+jwt`.
    ///
    /// RFC 8725 §3.12 requires rules that exclude one another. So each provider's access tokens
    /// have to show what only they have; where that is not known, any claim that OpenID Connect
    /// Core §2 and §3 put into ID tokens alone is taken for one's.
    pub(super) fn check_access_token(
        &self,
        is_typed: bool,
        claims: &Claims,
    ) -> Result<(), InvalidToken> {
        let text = |name: &str| claims.at(&[name]).and_then(Json::as_str);
        let has = |name: &&str| claims.at(&[*name]).is_some_and(|json| *json != Json::Null);
        let is_hint = |name: &&str| text(name).is_some_and(is_another_purpose);
        // Before a scope, or whatever else access tokens have, is looked for: refresh tokens have
        // it too.
        if PURPOSE_CLAIMS.iter().any(is_hint) {
            return Err(InvalidToken::IdToken);
        }
        if let Distinction::Purpose(claim, values) = self.distinction
            && claims.at(&[claim]).is_some()
        {
            let is_listed = text(claim).is_some_and(|value| values.contains(&value));
            return is_listed.then_some(()).ok_or(InvalidToken::IdToken);
        }
        let has_mark = || match self.distinction {
            Distinction::AnyClaim(marks) => is_typed || marks.iter().any(has),
            Distinction::Appearance => {
                is_typed || ACCESS_TOKEN_CLAIMS.iter().any(has) || !looks_like_id_token(claims)
            }
            Distinction::OnlyKind(None) => true,
            Distinction::OnlyKind(Some(of_people)) => {
                !text("azp").is_some_and(|client| client.ends_with(of_people))
            }
            Distinction::Purpose(..) => is_typed,
        };
        if OTHER_TOKENS_CLAIMS
            .iter()
            .any(|name| claims.at(&[*name]).is_some())
            || !has_mark()
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
        first_name(&self.client, claims)
    }

    pub(super) fn subject(&self, claims: &Claims) -> Result<Option<Box<str>>, ClaimError> {
        first_name(&self.subject, claims)
    }

    /// The scopes, from a space-separated string or an array of strings. A list with a token in it
    /// that is no scope grants nothing; one of another JSON type refuses the token.
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

fn first_name(paths: &[ClaimPath], claims: &Claims) -> Result<Option<Box<str>>, ClaimError> {
    for path in paths.iter().filter(|path| is_there(path, claims)) {
        if let Some(name) = claims.name(path)? {
            return Ok(Some(name.into()));
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

/// Whether a text says of a token that it is for something else, however that is spelled:
/// `Refresh`, `refresh_token`, `id+jwt`.
fn is_another_purpose(text: &str) -> bool {
    OTHER_PURPOSES.iter().any(|purpose| {
        let rest = text
            .split_at_checked(purpose.len())
            .filter(|(start, _)| start.eq_ignore_ascii_case(purpose))
            .map(|(_, rest)| rest);
        rest.is_some_and(|rest| {
            let rest = rest.strip_prefix(['_', '-', '+', ' ']).unwrap_or(rest);
            ["", "token", "jwt"]
                .iter()
                .any(|known| rest.eq_ignore_ascii_case(known))
        })
    })
}

/// Whether a token that shows nothing of an access token has what describes the user who signed in,
/// or names its client as audience.
fn looks_like_id_token(claims: &Claims) -> bool {
    let is_for_its_client = |client: &str| claims.audiences().iter().any(|name| **name == *client);
    let client = claims.at(&["azp"]).and_then(Json::as_str);
    client.is_some_and(is_for_its_client)
        || SIGN_IN_CLAIMS
            .iter()
            .any(|name| claims.at(&[*name]).is_some())
}

/// What no access token has: `nonce` and the hashes of ID tokens (OpenID Connect Core §2,
/// §3.3.2.11, Financial-grade API part 2 §5.1), and the contents of security events and logout
/// tokens (RFC 8417 §2.2), of status lists and of answers to introspection (RFC 9701 §5).
const OTHER_TOKENS_CLAIMS: [&str; 7] = [
    "at_hash",
    "c_hash",
    "events",
    "nonce",
    "s_hash",
    "status_list",
    "token_introspection",
];

/// The claims by which issuers and their libraries say what a token is for: Keycloak's `typ`,
/// Cognito's `token_use`, and what JWT libraries for web frameworks write.
const PURPOSE_CLAIMS: [&str; 4] = ["typ", "token_use", "token_type", "type"];

/// Purposes that are not an access token's, in lower case and without `token` behind them.
const OTHER_PURPOSES: [&str; 4] = ["id", "logout", "offline", "refresh"];

/// What access tokens have and ID tokens have not, with nearly every provider: RFC 9068 §2.2.
const ACCESS_TOKEN_CLAIMS: [&str; 4] = ["client_id", "scope", "scp", "cid"];

/// What ID tokens say of a sign-in and of who signed in: OpenID Connect Core §2 and §5.1,
/// Front-Channel Logout §3.
const SIGN_IN_CLAIMS: [&str; 12] = [
    "acr",
    "amr",
    "auth_time",
    "email",
    "email_verified",
    "family_name",
    "given_name",
    "name",
    "nickname",
    "picture",
    "preferred_username",
    "sid",
];
