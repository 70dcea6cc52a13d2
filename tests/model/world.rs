//! Random policies and requests, in a world small enough for them to meet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::paths::{PATHS, TEMPLATES};

pub(super) const NOW: u64 = 1_800_000_000;

pub(super) const ISSUERS: [&str; 2] = ["https://a.example", "https://b.example"];
pub(super) const METHODS: [&str; 4] = ["GET", "POST", "DELETE", "HEAD"];
const GROUPS: [&str; 3] = ["red", "green", "blue"];
const HOSTS: [&str; 3] = ["seven.example", "eight.example", "nine.example"];
const WORKSPACES: [(&str, &str); 2] = [("7", "seven.example"), ("8", "eight.example")];

/// Scopes of Databricks', of one's own, and of nobody's.
pub(super) const SCOPES: [&str; 16] = [
    "jobs",
    "jobs:read",
    "sql",
    "sql:read",
    "secrets",
    "secrets:read",
    "files",
    "files:data",
    "files:read",
    "all-apis",
    "own",
    "own:read",
    "jobs:data",
    "clusters",
    "bundle",
    "clusters:read",
];

const MCP_METHODS: [&str; 3] = ["tools/call", "tools/list", "prompts/get"];
const TOOLS: [&str; 2] = ["run_sql", "search"];

/// The key of both issuers.
pub(super) const KEYS: &str = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

impl Dice {
    pub(super) fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// Up to `most` of them, one at least.
    pub(super) fn some(&mut self, items: &[&'static str], most: usize) -> Vec<&'static str> {
        let count = self.below(most).saturating_add(1);
        let mut some: Vec<&str> = (0..count).map(|_| self.one_of(items)).collect();
        some.sort_unstable();
        some.dedup();
        some
    }
}

/// A policy, as lists of texts.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one setting of the configuration"
)]
pub(super) struct World {
    pub(super) roles: Vec<Role>,
    pub(super) rules: Vec<Rule>,
    pub(super) bound: bool,
    pub(super) shadow: bool,
    pub(super) unmatched_all_apis: bool,
    pub(super) from_roles: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) group: &'static str,
    pub(super) issuer: Option<&'static str>,
    pub(super) grants: Vec<&'static str>,
    pub(super) workspaces: Option<Vec<&'static str>>,
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) effect: &'static str,
    pub(super) paths: Vec<&'static str>,
    pub(super) methods: Option<Vec<&'static str>>,
    pub(super) issuers: Option<Vec<&'static str>>,
    pub(super) mcp: Option<Tools>,
    pub(super) all: Option<Vec<&'static str>>,
    pub(super) any: Option<Vec<&'static str>>,
    pub(super) shadow: bool,
    pub(super) exact: bool,
}

/// The MCP calls that a rule is for.
#[derive(Clone, Debug)]
pub(super) struct Tools {
    pub(super) methods: Option<Vec<&'static str>>,
    pub(super) names: Option<Vec<&'static str>>,
}

/// The MCP call that a request tells of.
#[derive(Clone, Copy, Debug)]
pub(super) struct McpHeaders {
    pub(super) method: &'static str,
    pub(super) name: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) host: &'static str,
    pub(super) mcp: Option<McpHeaders>,
    pub(super) caller: Option<Caller>,
}

#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) issuer: &'static str,
    pub(super) groups: Vec<&'static str>,
    pub(super) scopes: Vec<&'static str>,
}

impl World {
    pub(super) fn random(dice: &mut Dice) -> Self {
        let bound = dice.one_in(3);
        let from_roles = dice.one_in(5);
        let count = if from_roles {
            dice.below(4).saturating_add(1)
        } else {
            dice.below(4)
        };
        let held = (0..count)
            .map(|number| Role {
                name: format!("role-{number}"),
                group: dice.one_of(&GROUPS),
                issuer: dice.one_in(3).then(|| dice.one_of(&ISSUERS)),
                grants: dice.some(&SCOPES, 4),
                workspaces: (bound && dice.one_in(2))
                    .then(|| dice.some(&WORKSPACES.map(|(id, _)| id), 2)),
            })
            .collect();
        let rules = (0..dice.below(5))
            .map(|number| Rule::random(number, dice))
            .collect();
        Self {
            roles: held,
            rules,
            bound,
            shadow: dice.one_in(5),
            unmatched_all_apis: dice.one_in(4),
            from_roles,
        }
    }

    /// The configuration that says all this.
    pub(super) fn configuration(&self) -> String {
        let source = if self.from_roles { "roles" } else { "token" };
        let issuers = ISSUERS.map(|issuer| {
            json!({
                "issuer": issuer, "audiences": ["db"], "algorithms": ["EdDSA"], "scopes": {"source": source},
                "jwks": {"keys": serde_json::from_str::<Value>(KEYS).unwrap()}
            })
        });
        let workspaces = WORKSPACES.map(|(id, host)| json!({"id": id, "hosts": [host]}));
        let role_list: Vec<Value> = self.roles.iter().map(Role::json).collect();
        let rules: Vec<Value> = self.rules.iter().map(Rule::json).collect();
        json!({
            "issuers": issuers,
            "roles": role_list,
            "workspaces": if self.bound { workspaces.to_vec() } else { Vec::new() },
            "policy": {
                "mode": if self.shadow { "shadow" } else { "enforce" },
                "unmatched": if self.unmatched_all_apis { "all-apis" } else { "deny" },
                "rules": rules
            }
        })
        .to_string()
    }

    pub(super) fn request(dice: &mut Dice) -> Request {
        let caller = (!dice.one_in(8)).then(|| Caller {
            issuer: dice.one_of(&ISSUERS),
            groups: dice.some(&GROUPS, 3),
            scopes: dice.some(&SCOPES, 4),
        });
        let mcp = (!dice.one_in(4)).then(|| {
            let method = dice.one_of(&MCP_METHODS);
            let name = (method != "tools/list").then(|| dice.one_of(&TOOLS));
            McpHeaders { method, name }
        });
        Request {
            mcp,
            method: dice.one_of(&METHODS),
            path: dice.one_of(&PATHS),
            host: dice.one_of(&HOSTS),
            caller,
        }
    }

    /// The ID of the workspace that a host is for.
    pub(super) fn workspace(&self, host: &str) -> Option<&'static str> {
        let found = WORKSPACES
            .iter()
            .find(|(_, known)| self.bound && *known == host);
        found.map(|(id, _)| *id)
    }
}

impl Role {
    fn json(&self) -> Value {
        let mut member = json!({"group": self.group});
        if let Some(issuer) = self.issuer {
            member["issuer"] = json!(issuer);
        }
        let mut role = json!({"name": self.name, "members": [member], "grants": self.grants});
        if let Some(workspaces) = &self.workspaces {
            role["workspaces"] = json!(workspaces);
        }
        role
    }
}

impl Rule {
    pub(super) fn random(number: usize, dice: &mut Dice) -> Self {
        let effect = dice.one_of(&["deny", "public", "require", "require"]);
        let (mut all, mut any) = (None, None);
        if effect == "require" {
            let scopes = Some(dice.some(&SCOPES, 2));
            *(if dice.one_in(2) { &mut all } else { &mut any }) = scopes;
        }
        Self {
            name: format!("rule-{number}"),
            effect,
            paths: dice.some(&TEMPLATES, 2),
            methods: dice.one_in(2).then(|| dice.some(&METHODS, 2)),
            mcp: (effect != "public" && dice.one_in(3)).then(|| Tools::random(dice)),
            issuers: (effect != "public" && dice.one_in(3)).then(|| vec![dice.one_of(&ISSUERS)]),
            all,
            any,
            shadow: effect != "public" && dice.one_in(4),
            exact: dice.one_in(6),
        }
    }

    fn json(&self) -> Value {
        let mut rule = json!({"name": self.name, "effect": self.effect, "paths": self.paths});
        for (key, list) in [
            ("methods", &self.methods),
            ("issuers", &self.issuers),
            ("scopes", &self.all),
            ("any_scope", &self.any),
        ] {
            if let Some(list) = list {
                rule[key] = json!(list);
            }
        }
        if let Some(Tools { methods, names }) = &self.mcp {
            rule["mcp"] = json!({});
            for (key, list) in [("methods", methods), ("names", names)] {
                if let Some(list) = list {
                    rule["mcp"][key] = json!(list);
                }
            }
        }
        if self.exact {
            rule["exact"] = json!(true);
        }
        if self.shadow {
            rule["mode"] = json!("shadow");
        }
        rule
    }
}

impl Tools {
    fn random(dice: &mut Dice) -> Self {
        let methods = dice.one_in(2).then(|| dice.some(&MCP_METHODS, 2));
        let names = (methods.is_none() || dice.one_in(2)).then(|| dice.some(&TOOLS, 2));
        Self { methods, names }
    }
}

impl Request {
    pub(super) fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let mut headers: Vec<(String, Vec<u8>)> = [
            (":method", self.method),
            (":path", self.path),
            (":authority", self.host),
        ]
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .to_vec();
        if let Some(McpHeaders { method, name }) = self.mcp {
            let told = [
                ("mcp-protocol-version", Some("2026-07-28")),
                ("mcp-method", Some(method)),
                ("mcp-name", name),
            ];
            headers.extend(
                told.into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?.into()))),
            );
        }
        if let Some(caller) = &self.caller {
            let claims = json!({
                "iss": caller.issuer, "aud": "db", "exp": NOW + 60, "groups": caller.groups, "scope": caller.scopes.join(" ")
            });
            let parts = [
                br#"{"alg":"EdDSA"}"#.to_vec(),
                claims.to_string().into_bytes(),
                vec![0; 64],
            ];
            let token = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
            headers.push((
                "authorization".to_owned(),
                format!("Bearer {token}").into_bytes(),
            ));
        }
        headers
    }
}
