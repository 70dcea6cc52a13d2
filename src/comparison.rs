//! Two policies side by side: which requests change hands between them.
//!
//! A policy tells endlessly many requests apart by few things: the rules that apply, the operation,
//! the scopes that are required. So [`samples`] has a request for everything that either of two
//! policies can tell apart, and [`Comparison::classes`] puts together those of which both say the
//! same. Whom to compare them for is the caller's choice.

mod needs;
mod pattern;
pub mod samples;
mod spelled;

use std::collections::BTreeSet;
use std::rc::Rc;

use hashbrown::HashMap;

use crate::authorize::Authorizer;
use crate::authorize::passage::{AssumedCaller, Passage, PolicyForRequest};
use crate::issuer::access_token::AccessToken;
use crate::path::Path;
use crate::policy::EffectiveAccess;
use crate::policy::workspace::WorkspaceError;
use crate::request::credential::CredentialKind;
use crate::request::workspace::WorkspaceId;
use crate::time::UnixTime;

use needs::Needs;
use samples::SampleRequest;

/// One thing of each side.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Sides<T> {
    /// Of the old configuration.
    pub old: T,
    /// Of the new one.
    pub new: T,
}

/// Two configurations' policies.
pub struct Comparison<'a> {
    sides: Sides<&'a Authorizer>,
    /// The places of each issuer that either knows.
    issuers: Vec<Sides<Option<usize>>>,
}

/// Requests of which each side says the same.
pub struct RequestClass<'a, 'r> {
    /// Their places among the samples, in order.
    pub members: Vec<usize>,
    /// What the sides say.
    pub requested: Sides<PolicyForRequest<'a, 'r>>,
    /// Whether both sides say the same.
    pub is_same: bool,
    /// The scopes of which either requires one, or for what one includes. No other one can make a
    /// difference.
    pub scopes: BTreeSet<Box<str>>,
}

/// The bearer of a token that is valid for one side at least.
pub struct SampleBearer {
    /// The token as each side reads it, and the place of its issuer there.
    pub token: Sides<Option<(usize, AccessToken)>>,
}

/// The effective access of a sample caller in a workspace.
pub struct SampleAccess(Sides<Option<(usize, EffectiveAccess)>>);

/// Who sends a sample request.
pub enum SampleCaller<'s> {
    /// The bearer of a token.
    Bearer(&'s SampleAccess),
    /// Somebody who shows nothing.
    Nobody,
    /// Somebody with a credential of a class that nothing here can verify.
    Unverifiable(CredentialKind),
}

/// The workspace that a request is for, by each side.
pub type ForWorkspace = Sides<Result<Option<WorkspaceId>, WorkspaceError>>;

impl<T> Sides<T> {
    /// Both, each put through the same.
    pub fn map<U>(self, mut of: impl FnMut(T) -> U) -> Sides<U> {
        Sides {
            old: of(self.old),
            new: of(self.new),
        }
    }

    /// Both, to look at.
    pub const fn as_ref(&self) -> Sides<&T> {
        Sides {
            old: &self.old,
            new: &self.new,
        }
    }

    /// Both, each with the other's of the same side.
    pub fn zip<U>(self, other: Sides<U>) -> Sides<(T, U)> {
        Sides {
            old: (self.old, other.old),
            new: (self.new, other.new),
        }
    }
}

impl<'a> Comparison<'a> {
    /// Puts two side by side.
    pub fn new(old: &'a Authorizer, new: &'a Authorizer) -> Self {
        let sides = Sides { old, new };
        let mut identifiers: Vec<&Rc<str>> = Vec::new();
        for issuer in old.issuers.iter().chain(&new.issuers) {
            if !identifiers.contains(&&issuer.identifier) {
                identifiers.push(&issuer.identifier);
            }
        }
        let place = |identifier: &str| sides.map(|side| place_of(side, identifier));
        Self {
            sides,
            issuers: identifiers.into_iter().map(|name| place(name)).collect(),
        }
    }

    /// The two.
    pub const fn sides(&self) -> Sides<&'a Authorizer> {
        self.sides
    }

    /// The requests by what the sides say of them. Those that cannot be read are left out.
    pub fn classes<'r>(&self, requests: &'r [SampleRequest]) -> Vec<RequestClass<'a, 'r>> {
        let mut classes: Vec<RequestClass<'a, 'r>> = Vec::new();
        let mut known: HashMap<Vec<Sides<Needs>>, usize> = HashMap::new();
        for (place, request) in requests.iter().enumerate() {
            let Ok(path) = Path::parse(request.path.as_bytes()) else {
                continue;
            };
            let requested = self.sides.map(|side| {
                let readings = side.policy.readings(request.call(), path);
                side.policy_for(readings)
            });
            let needs = self.needs(&requested);
            let is_same = needs.iter().all(|needs| needs.old == needs.new);
            let scopes = || {
                let needs = needs.iter().flat_map(|sides| [&sides.old, &sides.new]);
                needs.flat_map(Needs::scopes).map(Into::into).collect()
            };
            let scopes = if known.contains_key(&needs) {
                BTreeSet::new()
            } else {
                scopes()
            };
            let class = *known.entry(needs).or_insert(classes.len());
            match classes.get_mut(class) {
                Some(class) => class.members.push(place),
                None => classes.push(RequestClass {
                    members: vec![place],
                    requested,
                    is_same,
                    scopes,
                }),
            }
        }
        classes
    }

    /// What a request requires of unknown callers, and of each issuer's.
    fn needs(&self, requested: &Sides<PolicyForRequest<'_, '_>>) -> Vec<Sides<Needs>> {
        let of = |issuer: Sides<Option<usize>>| {
            let parts = requested.as_ref().zip(issuer);
            parts.map(|(requested, issuer)| Needs::of(requested, issuer))
        };
        let nobody = Sides {
            old: None,
            new: None,
        };
        let asks = |side: &Authorizer| side.policy.rules.depends_on_issuers();
        let issuers = self.issuers.iter().copied();
        let issuers = issuers.filter(|_| asks(self.sides.old) || asks(self.sides.new));
        std::iter::once(nobody).chain(issuers).map(of).collect()
    }

    /// The effective access of a caller in a workspace.
    pub fn effective_access(&self, bearer: &SampleBearer, at: &ForWorkspace) -> SampleAccess {
        let parts = self.sides.zip(bearer.token.as_ref()).zip(*at);
        SampleAccess(parts.map(|((side, token), workspace)| {
            let (issuer, token) = token.as_ref()?;
            let workspace = workspace.unwrap_or_default();
            let is_meant =
                workspace.is_none_or(|here| side.workspaces.admit(&token.issued_for, here));
            is_meant.then(|| (*issuer, side.policy.effective_access(token, workspace)))
        }))
    }

    /// What becomes of a class of requests when a caller sends them, where that is not the same on
    /// both sides.
    pub fn change(
        &self,
        class: &RequestClass<'a, '_>,
        caller: &SampleCaller<'_>,
        at: &ForWorkspace,
        now: UnixTime,
    ) -> Option<Sides<Passage>> {
        let is_same_caller = match caller {
            SampleCaller::Bearer(access) => access.is_same(),
            SampleCaller::Nobody => true,
            SampleCaller::Unverifiable(_) => self.sides.old.treatments == self.sides.new.treatments,
        };
        let is_same_mode = self.sides.old.policy.mode == self.sides.new.policy.mode;
        if class.is_same && is_same_caller && is_same_mode && at.old.is_ok() == at.new.is_ok() {
            return None;
        }
        let parts = self.sides.zip(class.requested.as_ref());
        let parts = parts.zip(caller.assumed().zip(*at));
        let passages = parts.map(|((side, requested), (caller, workspace))| {
            side.passage(requested, caller, workspace, now)
        });
        (passages.old != passages.new).then_some(passages)
    }
}

impl SampleCaller<'_> {
    fn assumed(&self) -> Sides<AssumedCaller<'_>> {
        let both = |caller| Sides {
            old: caller,
            new: caller,
        };
        match self {
            Self::Bearer(access) => access.assumed(),
            Self::Nobody => both(AssumedCaller::Nobody),
            Self::Unverifiable(kind) => both(AssumedCaller::Unverifiable(*kind)),
        }
    }
}

impl SampleAccess {
    fn assumed(&self) -> Sides<AssumedCaller<'_>> {
        self.0.as_ref().map(|side| match side {
            Some((issuer, access)) => AssumedCaller::Bearer(*issuer, access),
            None => AssumedCaller::Invalid,
        })
    }

    /// The caller's effective access, where the token is valid.
    pub fn sides(&self) -> Sides<Option<&EffectiveAccess>> {
        Sides {
            old: self.0.old.as_ref().map(|(_, access)| access),
            new: self.0.new.as_ref().map(|(_, access)| access),
        }
    }

    /// Whether the caller's effective access is the same on both sides, names of roles left out of
    /// account.
    pub fn is_same(&self) -> bool {
        match (&self.0.old, &self.0.new) {
            (Some((_, old)), Some((_, new))) => old.allows_the_same_as(new),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

fn place_of(side: &Authorizer, identifier: &str) -> Option<usize> {
    let mut issuers = side.issuers.iter();
    issuers.position(|issuer| *issuer.identifier == *identifier)
}
