//! The workspaces that the gateway stands before, and which of them a request is for.

use crate::by_name::ByName;
use crate::issuer::issued_for::IssuedFor;
use crate::request::authority::Authority;
use crate::request::workspace::WorkspaceId;

/// The configured workspaces; none means one workspace, not bound.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Workspaces {
    /// Those that are reached under a host.
    by_host: ByName<WorkspaceSet>,
    all: WorkspaceSet,
}

/// The IDs of workspaces, each once, in order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct WorkspaceSet(Vec<WorkspaceId>);

/// One workspace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Workspace {
    /// Its ID.
    pub id: WorkspaceId,
    /// The hosts under which it is reached, lower case.
    pub hosts: Vec<Box<str>>,
}

/// Why the workspace is unknown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WorkspaceError {
    /// The host is one workspace's, a selector names another.
    Conflict,
    /// The host is that of no configured workspace.
    Unknown,
}

impl Workspaces {
    /// Adds a workspace, unless there is one of this ID.
    pub fn add(&mut self, workspace: Workspace) -> bool {
        let is_new = self.all.insert(workspace.id);
        if is_new {
            for host in workspace.hosts {
                self.by_host
                    .update(&host, WorkspaceSet::default, |at_host| {
                        at_host.insert(workspace.id);
                    });
            }
        }
        is_new
    }

    /// Every one.
    pub const fn all(&self) -> &WorkspaceSet {
        &self.all
    }

    /// The workspace that host and selector name together; `None` where workspaces are not bound,
    /// or where one host serves several and the request selects none of them, as calls to the
    /// account do.
    pub fn resolve(
        &self,
        authority: Option<&Authority>,
        selected: Option<WorkspaceId>,
    ) -> Result<Option<WorkspaceId>, WorkspaceError> {
        if self.all.is_empty() {
            return Ok(None);
        }
        let selected = selected.filter(|selected| *selected != WorkspaceId::UNSELECTED);
        let at_host = authority
            .and_then(|authority| self.by_host.get(authority.as_str()))
            .ok_or(WorkspaceError::Unknown)?;
        match (&*at_host.0, selected) {
            (_, Some(selected)) if at_host.contains(selected) => Ok(Some(selected)),
            (_, Some(_)) => Err(WorkspaceError::Conflict),
            ([one], None) => Ok(Some(*one)),
            (_, None) => Ok(None),
        }
    }

    /// Whether a token that was issued so may be used in some workspace of a host, where a request
    /// selects none of several.
    pub fn admit_at(&self, issued_for: &IssuedFor, authority: Option<&Authority>) -> bool {
        let at_host = authority.and_then(|authority| self.by_host.get(authority.as_str()));
        at_host.is_none_or(|at_host| at_host.iter().any(|id| self.admit(issued_for, id)))
    }

    /// Whether a token that was issued so may be used in a workspace. One that names no workspace
    /// that is known may not: nothing says that it was meant for this one.
    pub fn admit(&self, issued_for: &IssuedFor, workspace: WorkspaceId) -> bool {
        match issued_for {
            IssuedFor::Everywhere => true,
            IssuedFor::Workspace { ids, .. } if !ids.is_empty() => ids.contains(&workspace),
            IssuedFor::Workspace { host, .. } => self
                .by_host
                .get(host)
                .is_some_and(|at_host| at_host.contains(workspace)),
        }
    }
}

impl FromIterator<Workspace> for Workspaces {
    fn from_iter<I: IntoIterator<Item = Workspace>>(workspaces: I) -> Self {
        let mut all = Self::default();
        for workspace in workspaces {
            all.add(workspace);
        }
        all
    }
}

impl WorkspaceSet {
    /// Adds one, unless it is there.
    pub fn insert(&mut self, id: WorkspaceId) -> bool {
        let place = self.0.binary_search(&id);
        if let Err(place) = place {
            self.0.insert(place, id);
        }
        place.is_err()
    }

    /// Whether it is there.
    #[inline]
    pub fn contains(&self, id: WorkspaceId) -> bool {
        self.0.binary_search(&id).is_ok()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every one.
    pub fn iter(&self) -> impl Iterator<Item = WorkspaceId> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> WorkspaceId {
        WorkspaceId::parse(text).unwrap()
    }

    /// One workspace at a host of its own, and two that share another.
    fn bound() -> Workspaces {
        let workspace = |(number, host): (&str, &str)| Workspace {
            id: id(number),
            hosts: vec![host.into()],
        };
        [("7", "a.example"), ("8", "b.example"), ("9", "b.example")]
            .map(workspace)
            .into_iter()
            .collect()
    }

    #[test]
    fn host_and_selector_name_one_workspace() {
        use WorkspaceError::{Conflict, Unknown};
        let bound = bound();
        #[rustfmt::skip]
        let cases = [
            // name                         host               selector     want
            ("by host",                     Some("A.example"), None,        Ok(Some("7"))),
            ("both, agreeing",              Some("a.example"), Some("7"),   Ok(Some("7"))),
            ("both, not agreeing",          Some("a.example"), Some("8"),   Err(Conflict)),
            ("a selector of nobody's",      Some("a.example"), Some("1"),   Err(Conflict)),
            ("the host's own",              Some("a.example"), Some("0"),   Ok(Some("7"))),
            ("one of two at the host",      Some("b.example"), Some("9"),   Ok(Some("9"))),
            ("none of two at the host",     Some("b.example"), None,        Ok(None)),
            ("another host",                Some("c.example"), Some("7"),   Err(Unknown)),
            ("no host",                     None,              Some("7"),   Err(Unknown)),
        ];
        for (name, host, selector, want) in cases {
            let host = host.map(|host| Authority::parse(host.as_bytes()).unwrap());
            let got = bound.resolve(host.as_ref(), selector.map(id));
            assert_eq!(got, want.map(|number| number.map(id)), "{name}");
        }
        assert_eq!(
            Workspaces::default().resolve(None, Some(id("7"))),
            Ok(None),
            "not bound"
        );
    }

    #[test]
    fn a_token_is_for_some_workspace_of_a_host_that_serves_several() {
        let bound = bound();
        let seven = IssuedFor::Workspace {
            ids: vec![id("7")],
            host: "x.example".into(),
        };
        #[rustfmt::skip]
        let cases = [
            // issued for              host          want
            (&seven,                   "a.example",  true),
            (&seven,                   "b.example",  false),
            (&IssuedFor::Everywhere,   "b.example",  true),
            // Refused as unknown.
            (&seven,                   "c.example",  true),
        ];
        for (issued_for, host, want) in cases {
            let authority = Authority::parse(host.as_bytes()).ok();
            assert_eq!(
                bound.admit_at(issued_for, authority.as_ref()),
                want,
                "{host}"
            );
        }
    }

    #[test]
    fn a_token_is_for_the_workspace_that_it_was_issued_for() {
        let workspace = |number, hosts: &[&str]| Workspace {
            id: id(number),
            hosts: hosts.iter().map(|host| Box::from(*host)).collect(),
        };
        let bound = Workspaces::from_iter([
            workspace("7", &["a.example", "dbc-7.example"]),
            workspace("8", &["b.example"]),
        ]);
        let issued = |ids: &[&str], host: &str| IssuedFor::Workspace {
            ids: ids.iter().map(|text| id(text)).collect(),
            host: host.into(),
        };
        #[rustfmt::skip]
        let cases = [
            // name                     issued for                              at 7    at 8
            ("an account's",            IssuedFor::Everywhere,                  true,   true),
            ("by its ID",               issued(&["7"], "x.example"),            true,   false),
            ("by one of two",           issued(&["9", "8"], "x.example"),       false,  true),
            ("the ID goes before",      issued(&["8"], "dbc-7.example"),        false,  true),
            ("by the issuer's host",    issued(&[], "dbc-7.example"),           true,   false),
            ("by no host that is known", issued(&[], "x.example"),              false,  false),
        ];
        for (name, issued_for, at_seven, at_eight) in cases {
            let got = ["7", "8"].map(|workspace| bound.admit(&issued_for, id(workspace)));
            assert_eq!(got, [at_seven, at_eight], "{name}");
        }
    }
}
