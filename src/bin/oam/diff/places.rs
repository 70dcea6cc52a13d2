//! Where two configurations are compared: the workspaces that either knows.

use databricks_oam_filter::authorize::Authorizer;
use databricks_oam_filter::comparison::{ForWorkspace, Sides};
use databricks_oam_filter::request::authority::Authority;
use databricks_oam_filter::request::workspace::WorkspaceId;
use serde_json::Value;

/// A workspace, and the host by which it is reached.
#[derive(Clone, Debug)]
pub(super) struct Where {
    /// Absent where neither side binds requests to workspaces.
    pub(super) id: Option<String>,
    pub(super) host: Option<String>,
    /// Whether the host serves others too, so that requests have to select.
    pub(super) is_selected: bool,
}

impl Where {
    /// Every workspace of both configurations, given as JSON.
    pub(super) fn all(sides: Sides<&Value>) -> Vec<Self> {
        let hosts = sides.map(hosts);
        let mut ids: Vec<&str> = Vec::new();
        for (id, _) in hosts.old.iter().chain(&hosts.new) {
            if !ids.contains(&id.as_str()) {
                ids.push(id);
            }
        }
        let mut all = Vec::new();
        for id in ids {
            let of = |side: &[(String, String)]| -> Vec<String> {
                let own = side.iter().filter(|(known, _)| known == id);
                own.map(|(_, host)| host.clone()).collect()
            };
            let own = hosts.as_ref().map(|side| of(side));
            let common = own.old.iter().find(|host| own.new.contains(host));
            // A host that only one side knows is another way in.
            let chosen: Vec<&String> = match common {
                Some(common) => vec![common],
                None => own.old.first().into_iter().chain(own.new.first()).collect(),
            };
            all.extend(chosen.into_iter().map(|host| {
                Self {
                    id: Some(id.to_owned()),
                    host: Some(host.clone()),
                    is_selected: hosts
                        .old
                        .iter()
                        .chain(&hosts.new)
                        .any(|(other, known)| known == host && other != id),
                }
            }));
        }
        if all.is_empty() {
            all.push(Self {
                id: None,
                host: None,
                is_selected: false,
            });
        }
        all
    }

    /// The workspace as each side takes it.
    pub(super) fn at(&self, sides: Sides<&Authorizer>) -> ForWorkspace {
        let host = self.host.as_deref();
        let authority = host.and_then(|host| Authority::parse(host.as_bytes()).ok());
        let selected = self.id.as_deref().filter(|_| self.is_selected);
        let selected = selected.and_then(WorkspaceId::parse);
        sides.map(|side| side.workspaces.resolve(authority.as_ref(), selected))
    }

    /// A URL here. `path` may have the ID of a workspace in it.
    pub(super) fn url(&self, path: &str) -> String {
        match &self.host {
            Some(host) => format!("https://{host}{path}"),
            None => path.to_owned(),
        }
    }

    /// The headers by which a request selects the workspace.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let id = self.id.iter().filter(|_| self.is_selected);
        id.map(|id| ("x-databricks-org-id".to_owned(), id.clone()))
            .collect()
    }
}

/// The hosts of a configuration, each with its workspace.
fn hosts(configuration: &Value) -> Vec<(String, String)> {
    let workspaces = configuration.get("workspaces").and_then(Value::as_array);
    let mut all = Vec::new();
    for workspace in workspaces.into_iter().flatten() {
        let id = match workspace.get("id") {
            Some(Value::String(id)) => id.clone(),
            Some(other) => other.to_string(),
            None => continue,
        };
        let hosts = workspace.get("hosts").and_then(Value::as_array);
        let hosts = hosts.into_iter().flatten().filter_map(Value::as_str);
        all.extend(hosts.map(|host| (id.clone(), host.to_ascii_lowercase())));
    }
    all
}
