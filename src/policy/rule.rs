//! One rule of the operator's own.

use crate::request::mcp::{Call, Tool};
use crate::token::scope::Scope;

/// A rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Its name, in records.
    pub name: Box<str>,
    /// What it does.
    pub effect: Effect,
    /// The methods that it is for; any, when absent.
    pub methods: Option<Vec<Box<str>>>,
    /// The issuers whose tokens it is for; any, when absent.
    pub issuers: Option<Vec<Box<str>>>,
    /// The MCP calls that it is for; any call at all, when absent.
    pub mcp: Option<Tools>,
    /// Whether its refusals are enforced.
    pub mode: Mode,
    /// Whether it holds for its paths as they are written alone.
    pub exact: bool,
    /// Whether what it lets through may become a web socket.
    pub websocket: bool,
}

/// Which MCP calls a rule is for: both must hold.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tools {
    /// Methods of JSON-RPC; any, when absent.
    pub methods: Option<Vec<Box<str>>>,
    /// Names of tools, prompts or resources; any, when absent.
    pub names: Option<Vec<Box<str>>>,
}

/// What a rule does with the requests that it governs.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Effect {
    /// Refuses them.
    Deny,
    /// Lets them through, whoever sends them.
    Public,
    /// Lets them through for callers who hold all of these scopes.
    RequireAll(Vec<Scope>),
    /// Lets them through for callers who hold one of these scopes.
    RequireAny(Vec<Scope>),
}

/// Whether refusals are enforced.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Mode {
    /// They are.
    #[default]
    Enforce,
    /// They are recorded only.
    Shadow,
}

impl Rule {
    /// Whether it is for MCP calls, and this request does not name its call.
    pub fn is_left_guessing(&self, call: Call<'_>) -> bool {
        self.mcp.is_some() && call.tool == Tool::Unknown
    }

    /// Whether it is for a request: `None` if not, otherwise whether only because a server answers
    /// `HEAD` as it would `GET` (RFC 9110 §9.3.2). Deny rules hold for `HEAD` always, others where
    /// `head_is_get` says that it has no meaning of its own.
    ///
    /// A request that does not name its MCP call may be any: what it is taken for, it must not get
    /// around.
    pub(super) fn is_for(
        &self,
        call: Call<'_>,
        issuer: Option<&str>,
        head_is_get: bool,
    ) -> Option<bool> {
        let methods = self.methods.as_deref();
        let restricts_head = match self.effect {
            Effect::Deny => call.method == "HEAD",
            Effect::Public => false,
            Effect::RequireAll(_) | Effect::RequireAny(_) => head_is_get,
        };
        let for_get = if names(methods, Some(call.method)) {
            false
        } else if restricts_head && names(methods, Some("GET")) {
            true
        } else {
            return None;
        };
        let issuer_holds = names(self.issuers.as_deref(), issuer);
        let tool_holds = match (&self.mcp, call.tool) {
            (None, _) | (Some(_), Tool::Unknown) => true,
            (Some(tools), Tool::Known { method, name }) => {
                names(tools.methods.as_deref(), Some(method)) && names(tools.names.as_deref(), name)
            }
        };
        (issuer_holds && tool_holds).then_some(for_get)
    }

    /// Whether some request could be for both.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let methods = meet(self.methods.as_deref(), other.methods.as_deref());
        let issuers = meet(self.issuers.as_deref(), other.issuers.as_deref());
        let tools = match (&self.mcp, &other.mcp) {
            (Some(tools), Some(others)) => {
                meet(tools.methods.as_deref(), others.methods.as_deref())
                    && meet(tools.names.as_deref(), others.names.as_deref())
            }
            (_, _) => true,
        };
        methods && issuers && tools && self.narrowness() == other.narrowness()
    }

    /// Whether it holds for its paths as they are written alone: what opens a path opens no other.
    pub(super) fn is_for_one_spelling(&self) -> bool {
        self.exact || self.effect == Effect::Public
    }

    /// Whether a request that does not name its MCP call is refused for one of two rules of one
    /// path as it is for the other.
    pub(super) fn is_alike_unknown(&self, other: &Self) -> bool {
        let denies = |rule: &Self| rule.effect == Effect::Deny;
        denies(self) == denies(other)
            && self.mode == other.mode
            && self.exact == other.exact
            && self.methods == other.methods
            && self.issuers == other.issuers
            && self.narrowness() == other.narrowness()
    }

    /// How much it says of MCP calls.
    pub(super) fn narrowness(&self) -> u8 {
        match &self.mcp {
            None => 0,
            Some(Tools { names: None, .. }) => 1,
            Some(Tools { names: Some(_), .. }) => 2,
        }
    }
}

/// Whether a list has what was found, an absent one having everything.
fn names(list: Option<&[Box<str>]>, found: Option<&str>) -> bool {
    list.is_none_or(|list| found.is_some_and(|found| list.iter().any(|known| &**known == found)))
}

/// Whether two lists have something in common, an absent one having everything.
fn meet(left: Option<&[Box<str>]>, right: Option<&[Box<str>]>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => left.iter().any(|name| right.contains(name)),
        (None, _) | (_, None) => true,
    }
}
