//! The workspace that a request selects.
//!
//! One Databricks host can serve many workspaces, and any of two headers, two query parameters and
//! three path forms picks one. A policy that judged one of them while the upstream obeyed another
//! would be no policy, so all of them must agree.

use std::fmt;

use crate::databricks::UNKNOWN;
use crate::path::Path;

use super::known::Known;
use super::target::{self, Query};
use super::{Headers, RequestError, one};

/// A workspace ID: a decimal number, written in one way.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct WorkspaceId(u64);

impl WorkspaceId {
    /// What older clients write where they mean "the one that this host serves".
    pub const UNSELECTED: Self = Self(0);

    /// Parses the digits of an ID; leading zeros are refused, since a server may or may not read
    /// past them.
    pub fn parse(text: &str) -> Option<Self> {
        let canonical = (text == "0" || !text.starts_with('0'))
            && text.bytes().all(|byte| byte.is_ascii_digit());
        canonical.then(|| text.parse().ok()).flatten().map(Self)
    }
}

impl fmt::Display for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Why the workspace of a request is unknown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SelectorError {
    /// Two selectors name two workspaces.
    Conflict,
    /// A selector that is not a workspace ID.
    Malformed,
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conflict => {
                "the request selects two workspaces: name one, in a header, the query or the path"
            }
            Self::Malformed => {
                "the request selects a workspace by something that is not a workspace ID"
            }
        })
    }
}

/// The workspaces that a request names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Named {
    /// The one that it is sent to.
    pub(super) selector: Option<WorkspaceId>,
    /// The one that it is about, whichever answers it: calls to the account name it in their path.
    pub(super) object: Option<WorkspaceId>,
}

/// Reads every selector of a request and holds them to one another.
pub(super) fn named(
    headers: &Headers,
    path: &Path<'_>,
    query: Query<'_>,
) -> Result<Named, RequestError> {
    let mut selected = Selection(None);
    let in_path = in_path(path);
    if let Some(InPath::Selector(id)) = in_path {
        selected.add(id)?;
    }
    for known in HEADERS {
        if one(headers, known)?.is_some() {
            let value = headers.plainly(known).unwrap_or_default();
            let value = value.and_then(|value| std::str::from_utf8(value).ok());
            selected.add(value.ok_or(SelectorError::Malformed)?)?;
        }
    }
    for part in query.parts() {
        for parameter in part.split(';') {
            let (name, value) = target::field(parameter);
            if PARAMETERS
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
            {
                // The same of one in capitals, or beside a `;`, where some servers end a parameter.
                let is_plain = parameter.len() == part.len() && PARAMETERS.contains(&&*name);
                selected.add(if is_plain { &value } else { "" })?;
            }
        }
    }
    let selector = selected.0;
    let Some(InPath::Object(id)) = in_path else {
        return Ok(Named {
            selector,
            object: None,
        });
    };
    // Whatever routes by a selector would have the call answered for another workspace than the one
    // that it names.
    if selector != Some(WorkspaceId::UNSELECTED) {
        selected.add(id)?;
    }
    let object = WorkspaceId::parse(id).ok_or(SelectorError::Malformed)?;
    Ok(Named {
        selector,
        object: Some(object),
    })
}

/// A path that names its workspace, as it may be spelled otherwise: where it says `0`, the name is
/// left open, since that is whichever workspace the host serves; where it names one, that may be
/// the host's own, for which others write `0`.
pub(crate) fn other_spelling(path: &Path<'_>) -> Option<String> {
    let Some(InPath::Selector(id)) = in_path(path) else {
        return None;
    };
    let other = if id == "0" { UNKNOWN } else { "0" };
    let mut text = String::new();
    for segment in path.segments() {
        text.push('/');
        // The very one, and not another that reads the same.
        text.push_str(if std::ptr::eq(segment, id) {
            other
        } else {
            segment
        });
    }
    Some(text)
}

/// What the selectors seen so far agree on.
struct Selection(Option<WorkspaceId>);

impl Selection {
    #[inline]
    fn add(&mut self, text: &str) -> Result<(), SelectorError> {
        let id = WorkspaceId::parse(text).ok_or(SelectorError::Malformed)?;
        match self.0.replace(id) {
            Some(known) if known != id => Err(SelectorError::Conflict),
            _ => Ok(()),
        }
    }
}

/// The ID of a workspace in a path, as far as it is known without a catalogue: in every version,
/// with every method, and of operations that are yet to come. A test holds this to all that the
/// catalogue calls `{workspace_id}`.
enum InPath<'a> {
    /// Of the workspace that the call is about.
    Object(&'a str),
    /// Of the workspace that it is sent to.
    Selector(&'a str),
}

fn in_path<'a>(path: &Path<'a>) -> Option<InPath<'a>> {
    let rest = PATHS
        .iter()
        .find_map(|prefix| path.as_str().strip_prefix(prefix));
    if let Some(rest) = rest {
        let id = rest.split_once('/').map_or(rest, |(id, _)| id);
        return Some(InPath::Selector(id));
    }
    let mut segments = path.segments();
    if segments.next() != Some("api") {
        return None;
    }
    // Behind the version of the API.
    let _ = segments.next();
    let segments: [&str; 5] = std::array::from_fn(|_| segments.next().unwrap_or_default());
    match segments {
        ["ai-search", "workspaces", id, ..] if !id.is_empty() => Some(InPath::Selector(id)),
        ["workspace", id, "rest", ..] => Some(InPath::Selector(id)),
        ["identity", "accounts", _, "workspaces", id]
        | ["accounts", _, "workspaces", id, _]
        | ["unity-catalog", "workspaces", id, ..]
            if !id.is_empty() =>
        {
            Some(InPath::Object(id))
        }
        _ => None,
    }
}

const HEADERS: [Known; 2] = [Known::ORG_ID, Known::WORKSPACE_ID];

pub(super) const PARAMETERS: [&str; 2] = ["o", "w"];

/// Thrift on a cluster, and the two forms of the driver proxy.
const PATHS: [&str; 3] = [
    "/sql/protocolv1/o/",
    "/driver-proxy-api/o/",
    "/driver-proxy/o/",
];

#[cfg(test)]
mod tests {
    use crate::databricks::Catalogue;
    use crate::request::target::Target;

    use super::*;

    #[test]
    fn all_selectors_name_one_workspace() {
        let conflict = || Err(RequestError::Workspace(SelectorError::Conflict));
        let malformed = || Err(RequestError::Workspace(SelectorError::Malformed));
        #[rustfmt::skip]
        let cases: [(&str, &str, &[(&str, &str)], Result<Option<u64>, RequestError>); 27] = [
            // name                    target                          headers
            // want
            ("none",                   "/a?b=1",                       &[],                                                             Ok(None)),
            ("a header",               "/a",                           &[("x-databricks-org-id", "7")],                                 Ok(Some(7))),
            ("the other header",       "/a",                           &[("x-databricks-workspace-id", "7")],                           Ok(Some(7))),
            ("an underscore twin",     "/a",                           &[("x_databricks_org_id", "7")],                                 malformed()),
            ("a twin beside it",       "/a",                           &[("x-databricks-org-id", "7"), ("x_databricks_org_id", "7")],   Err(RequestError::Repeated("x-databricks-org-id"))),
            ("two that agree",         "/a?o=7",                       &[("x-databricks-org-id", "7")],                                 Ok(Some(7))),
            ("two that do not",        "/a?o=8",                       &[("x-databricks-org-id", "7")],                                 conflict()),
            ("two headers",            "/a",                           &[("x-databricks-org-id", "7"), ("x-databricks-workspace-id", "8")], conflict()),
            ("one header twice",       "/a",                           &[("x-databricks-org-id", "7"), ("x_databricks-org-id", "7")],   Err(RequestError::Repeated("x-databricks-org-id"))),
            ("two parameters",         "/a?w=7&o=8",                   &[],                                                             conflict()),
            ("an escaped parameter",   "/a?o=7&%6f=8",                 &[],                                                             conflict()),
            ("one that agrees",        "/a?o=7&%6f=%37",               &[],                                                             Ok(Some(7))),
            ("in capitals",            "/a?O=7",                       &[],                                                             malformed()),
            ("behind a semicolon",     "/a?b=1;o=7",                   &[],                                                             malformed()),
            ("before a semicolon",     "/a?o=7;b=1",                   &[],                                                             malformed()),
            ("a semicolon elsewhere",  "/a?o=7&b=1;c=2",               &[],                                                             Ok(Some(7))),
            ("without a value",        "/a?o",                         &[],                                                             malformed()),
            ("a path",                 "/sql/protocolv1/o/7/c",        &[],                                                             Ok(Some(7))),
            ("AI Search",              "/api/2.1/ai-search/workspaces/7/endpoints", &[],                                                Ok(Some(7))),
            ("no ID",                  "/api/2.0/ai-search/workspaces",             &[],                                                Ok(None)),
            ("Lakebase",               "/api/2.0/workspace/7/rest/d/s/t",           &[],                                                Ok(Some(7))),
            ("the workspace's files",  "/api/2.0/workspace/list",                   &[],                                                Ok(None)),
            ("a path and a parameter", "/driver-proxy-api/o/7/c?o=8",  &[],                                                             conflict()),
            ("not a number",           "/a?o=x",                       &[],                                                             malformed()),
            ("the host's own",         "/sql/protocolv1/o/0/c",        &[],                                                             Ok(Some(0))),
            ("a leading zero",         "/a?o=07",                      &[],                                                             malformed()),
            ("past 64 bits",           "/a?o=99999999999999999999",    &[],                                                             malformed()),
        ];
        for (name, target, headers, want) in cases {
            let target = Target::parse(target.as_bytes()).ok().unwrap();
            let pairs = headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
            let headers = Headers::new(pairs.collect());
            let want = want.map(|id| id.map(WorkspaceId));
            let got = named(&headers, &target.path, target.query).map(|named| named.selector);
            assert_eq!(got, want, "{name}");
        }
    }

    #[test]
    fn the_hosts_own_workspace_has_two_names() {
        #[rustfmt::skip]
        let cases = [
            // path                                     want
            ("/sql/protocolv1/o/0/c",                   Some("/sql/protocolv1/o/{}/c")),
            ("/sql/protocolv1/o/7/0/",                  Some("/sql/protocolv1/o/0/0/")),
            ("/driver-proxy/o/0/0/22",                  Some("/driver-proxy/o/{}/0/22")),
            ("/driver-proxy-api/o/7",                   Some("/driver-proxy-api/o/0")),
            ("/api/2.0/workspace/0/rest/0",             Some("/api/2.0/workspace/{}/rest/0")),
            ("/api/0/ai-search/workspaces/0/endpoints", Some("/api/0/ai-search/workspaces/{}/endpoints")),
            ("/api/2.0/accounts/a/workspaces/0",        None),
            ("/api/2.2/jobs/get",                       None),
        ];
        for (path, want) in cases {
            let parsed = Path::parse(path.as_bytes()).unwrap();
            assert_eq!(other_spelling(&parsed).as_deref(), want, "{path}");
        }
    }

    #[test]
    fn calls_about_a_workspace_name_it() {
        let conflict = || Err(RequestError::Workspace(SelectorError::Conflict));
        let malformed = || Err(RequestError::Workspace(SelectorError::Malformed));
        #[rustfmt::skip]
        let cases = [
            // name                   target
            // want: selector, object
            ("the account's",         "/api/2.0/accounts/a/workspaces/7",                             Ok((None, Some(7)))),
            ("below it",              "/api/2.0/accounts/a/workspaces/7/permissionassignments",       Ok((None, Some(7)))),
            ("in another version",    "/api/2.9/accounts/a/workspaces/7/x/y/z",                       Ok((None, Some(7)))),
            ("of identities",         "/api/2.0/identity/accounts/a/workspaces/7/workspace-assignments", Ok((None, Some(7)))),
            ("of a metastore",        "/api/2.1/unity-catalog/workspaces/7/metastore",                Ok((None, Some(7)))),
            ("a slash behind",        "/api/2.0/accounts/a/workspaces/7/",                            Ok((None, Some(7)))),
            ("all of them",           "/api/2.0/accounts/a/workspaces",                               Ok((None, None))),
            ("all, with a slash",     "/api/2.0/accounts/a/workspaces/",                              Ok((None, None))),
            ("MLflow's, by name",     "/api/3.0/mlflow/workspaces/7",                                 Ok((None, None))),
            ("beside its selector",   "/api/2.0/accounts/a/workspaces/7?o=7",                         Ok((Some(7), Some(7)))),
            ("beside the host's own", "/api/2.0/accounts/a/workspaces/7?o=0",                         Ok((Some(0), Some(7)))),
            ("beside another's",      "/api/2.0/accounts/a/workspaces/7?o=8",                         conflict()),
            ("no number",             "/api/2.0/accounts/a/workspaces/x",                             malformed()),
            ("a leading zero",        "/api/2.0/accounts/a/workspaces/07",                            malformed()),
        ];
        for (name, target, want) in cases {
            let target = Target::parse(target.as_bytes()).ok().unwrap();
            let got = named(&Headers::default(), &target.path, target.query);
            let want = want.map(|(selector, object): (Option<u64>, Option<u64>)| Named {
                selector: selector.map(WorkspaceId),
                object: object.map(WorkspaceId),
            });
            assert_eq!(got, want, "{name}");
        }
    }

    #[test]
    fn every_workspace_that_the_catalogue_names_in_a_path_is_found() {
        let mut count = 0;
        for operation in Catalogue::shared().operations() {
            let template = operation.template.trim_end_matches("{path=**}");
            let is_workspace = |name: &str| name == "{workspace_id}" || name == "{workspace}";
            let names_one = template.split('/').any(is_workspace);
            count += usize::from(names_one);
            let path: Vec<&str> = template
                .split('/')
                .map(|segment| match segment {
                    name if is_workspace(name) => "7",
                    // A number, so that one that is no workspace's could be taken for it.
                    name if name.starts_with('{') => "1",
                    literal => literal,
                })
                .collect();
            let path = path.join("/");
            let target = Target::parse(path.as_bytes()).ok().unwrap();
            let got = named(&Headers::default(), &target.path, target.query).unwrap();
            let got = got.selector.or(got.object);
            let want = names_one.then_some(WorkspaceId(7));
            assert_eq!(got, want, "{} {}", operation.name, operation.template);
        }
        assert!(count > 40, "{count}");
    }
}
