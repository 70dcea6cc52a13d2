//! The `roles`, `workspaces` and `policy` sections: who may do what, where.

use hashbrown::HashSet;

use crate::databricks::Catalogue;
use crate::path::template::Template;
use crate::policy::credential::{Treatment, Treatments};
use crate::policy::role::{Member, Role};
use crate::policy::roles::Roles;
use crate::policy::rule::{Effect, Mode, Rule, Tools};
use crate::policy::rule_book::RuleBook;
use crate::policy::workspace::{Workspace, WorkspaceSet, Workspaces};
use crate::policy::{Policy, Unmatched};
use crate::request::authority::Authority;
use crate::request::mcp;
use crate::request::workspace::WorkspaceId;

use super::document::{
    Credentials, EffectName, MemberSection, ModeName, PolicySection, RoleSection, RuleSection,
    ToolsSection, TreatmentName, UnmatchedName, WorkspaceSection,
};
use super::issuer::{boxed, scopes};
use super::problem::{Place, Problems};

/// The whole policy. `issuers` are the configured ones.
#[inline(never)]
pub(super) fn build(
    section: PolicySection,
    roles: Vec<RoleSection>,
    issuers: &[Box<str>],
    workspaces: &Workspaces,
    problems: &mut Problems,
) -> Policy {
    Policy {
        catalogue: Catalogue::shared(),
        rules: rules(section.rules, issuers, problems),
        roles: Roles::new(self::roles(roles, issuers, workspaces, problems)),
        mode: mode(section.mode),
        unmatched: match section.unmatched {
            UnmatchedName::AllApis => Unmatched::AllApis,
            UnmatchedName::Deny => Unmatched::Deny,
        },
    }
}

/// What becomes of credentials that nothing here can verify.
#[inline(never)]
pub(super) fn treatments(section: &Credentials, problems: &mut Problems) -> Treatments {
    let mut treatment = |name: &TreatmentName, class: &str| match name {
        TreatmentName::Deny => Treatment::Deny,
        TreatmentName::Observe => Treatment::Observe,
        TreatmentName::Until(day) => {
            let place = Place::at("credentials").key(class).key("until");
            day.end(&place, problems)
                .map_or(Treatment::Deny, Treatment::Until)
        }
    };
    Treatments {
        personal_access_token: treatment(&section.personal_access_token, "personal_access_token"),
        basic: treatment(&section.basic, "basic"),
        opaque: treatment(&section.opaque, "opaque"),
    }
}

/// The workspaces that the gateway stands before.
#[inline(never)]
pub(super) fn workspaces(sections: Vec<WorkspaceSection>, problems: &mut Problems) -> Workspaces {
    let mut workspaces = Workspaces::default();
    for (position, section) in sections.into_iter().enumerate() {
        let place = Place::at("workspaces").item(position);
        let id = WorkspaceId::parse(&section.id)
            .filter(|id| *id != WorkspaceId::UNSELECTED)
            .ok_or(NOT_AN_ID);
        let id = problems.take(&place.key("id"), &section.id, id);
        if section.hosts.is_empty() {
            problems.add(
                &place.key("hosts"),
                "empty: name the hosts under which the workspace is reached",
            );
        }
        let mut hosts = Vec::new();
        for (position, host) in section.hosts.iter().enumerate() {
            let place = place.key("hosts").item(position);
            let authority = problems.take(&place, host, Authority::parse(host.as_bytes()));
            hosts.extend(authority.map(|authority| authority.as_str().into()));
        }
        if let Some(id) = id
            && !workspaces.add(Workspace { id, hosts })
        {
            problems.add(&place.key("id"), format_args!("named twice: `{id}`"));
        }
    }
    workspaces
}

#[inline(never)]
fn roles(
    sections: Vec<RoleSection>,
    issuers: &[Box<str>],
    workspaces: &Workspaces,
    problems: &mut Problems,
) -> Vec<Role> {
    let mut roles: Vec<Role> = Vec::new();
    let mut names = HashSet::new();
    for (position, section) in sections.into_iter().enumerate() {
        let place = Place::at("roles").item(position);
        check_name(&section.name, &place.key("name"), problems);
        if !names.insert(Box::<str>::from(section.name.as_str())) {
            problems.add(
                &place.key("name"),
                format_args!("named twice: `{}`", section.name),
            );
        }
        let mut members = Vec::new();
        for (position, member) in section.members.into_iter().enumerate() {
            members.extend(self::member(
                member,
                issuers,
                &place.key("members").item(position),
                problems,
            ));
        }
        let grants = scopes(&section.grants, &place.key("grants"), problems);
        roles.push(Role {
            name: section.name.into(),
            members,
            grants: grants.into_iter().collect(),
            workspaces: section
                .workspaces
                .map(|ids| role_workspaces(&ids, workspaces, &place.key("workspaces"), problems)),
        });
    }
    roles
}

fn role_workspaces(
    ids: &[String],
    workspaces: &Workspaces,
    place: &Place,
    problems: &mut Problems,
) -> WorkspaceSet {
    let mut known = WorkspaceSet::default();
    for (position, id) in ids.iter().enumerate() {
        let place = place.item(position);
        let parsed = problems.take(&place, id, WorkspaceId::parse(id).ok_or(NOT_AN_ID));
        if let Some(parsed) = parsed {
            if !workspaces.all().contains(parsed) {
                problems.add(
                    &place,
                    format_args!("not among the configured `workspaces`: add it there: `{id}`"),
                );
            }
            known.insert(parsed);
        }
    }
    known
}

#[inline(never)]
fn member(
    section: MemberSection,
    issuers: &[Box<str>],
    place: &Place,
    problems: &mut Problems,
) -> Option<Member> {
    if let Some(issuer) = &section.issuer {
        check_issuer(issuer, issuers, &place.key("issuer"), problems);
    }
    let claim = match (section.claim, section.value) {
        (Some(path), Some(value)) => Some((path.0, value.into())),
        (None, None) => None,
        (Some(_), None) => {
            problems.absent(
                place,
                "`claim` without `value`: say which value the claim must have",
            );
            return None;
        }
        (None, Some(_)) => {
            problems.absent(
                place,
                "`value` without `claim`: say which claim must have it",
            );
            return None;
        }
    };
    let member = Member {
        actor: section.actor.map(Into::into),
        claim,
        client: section.client.map(Into::into),
        group: section.group.map(Into::into),
        issuer: section.issuer.map(Into::into),
        role: section.role.map(Into::into),
        subject: section.subject.map(Into::into),
    };
    if member == Member::default() {
        problems.absent(
            place,
            "no condition: name a group, role, client, subject, actor, issuer or claim",
        );
        return None;
    }
    Some(member)
}

#[inline(never)]
fn rules(sections: Vec<RuleSection>, issuers: &[Box<str>], problems: &mut Problems) -> RuleBook {
    let mut book = RuleBook::default();
    let mut added: Vec<(usize, Box<str>)> = Vec::new();
    let mut names = HashSet::new();
    for (position, section) in sections.into_iter().enumerate() {
        let place = Place::at("policy.rules").item(position);
        if !names.insert(Box::<str>::from(section.name.as_str())) {
            problems.add(
                &place.key("name"),
                format_args!("named twice: `{}`", section.name),
            );
        }
        let templates = templates(&section.paths, &place.key("paths"), problems);
        let Some(rule) = rule(section, issuers, &place, problems) else {
            continue;
        };
        let name = rule.name.clone();
        match book.add(rule, &templates) {
            Ok(()) => added.push((position, name)),
            Err(overlap) => {
                let (first, earlier) = added.get(overlap.earlier).cloned().unwrap_or_default();
                problems.add(
                    &place.key("paths"),
                    format_args!(
                        "`{name}` and `{earlier}` (policy.rules[{first}]) match the same requests and neither path is more specific: \
                         merge them, or give them different methods, issuers or paths"
                    ),
                );
            }
        }
    }
    book
}

#[inline(never)]
fn rule(
    section: RuleSection,
    issuers: &[Box<str>],
    place: &Place,
    problems: &mut Problems,
) -> Option<Rule> {
    check_name(&section.name, &place.key("name"), problems);
    for (position, issuer) in section.issuers.iter().flatten().enumerate() {
        check_issuer(
            issuer,
            issuers,
            &place.key("issuers").item(position),
            problems,
        );
    }
    for (key, empty) in [
        (
            "methods",
            section.methods.as_ref().is_some_and(Vec::is_empty),
        ),
        (
            "issuers",
            section.issuers.as_ref().is_some_and(Vec::is_empty),
        ),
    ] {
        if empty {
            problems.add(&place.key(key), "empty: leave it out for any");
        }
    }
    for (position, method) in section.methods.iter().flatten().enumerate() {
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let place = place.key("methods").item(position);
            problems.add(
                &place,
                format_args!("not a method in capital letters: `{method}`"),
            );
        }
    }
    let asks = section.issuers.is_some() || section.mcp.is_some() || section.mode.is_some();
    if section.effect == EffectName::Public && asks {
        problems.add(
            place,
            "a public rule asks nobody who they are: leave out `issuers`, `mcp` and `mode`",
        );
    }
    if section.effect != EffectName::Require && section.websocket {
        problems.add(
            &place.key("websocket"),
            "in a rule that asks nobody who they are, or lets nobody through: write `effect: require`, or leave it out",
        );
    }
    Some(Rule {
        effect: effect(&section, place, problems)?,
        mcp: section
            .mcp
            .map(|section| tools(section, &place.key("mcp"), problems)),
        name: section.name.into(),
        methods: section.methods.map(boxed),
        issuers: section.issuers.map(boxed),
        mode: section.mode.map(mode).unwrap_or_default(),
        exact: section.exact,
        websocket: section.websocket,
    })
}

/// The MCP calls that a rule is for.
fn tools(section: ToolsSection, place: &Place, problems: &mut Problems) -> Tools {
    if section.methods.is_none() && section.names.is_none() {
        problems.absent(place, "no condition: name `methods`, `names` or both");
    }
    let mut texts = |list: Option<Vec<String>>, key: &str| {
        let list = list?;
        let place = place.key(key);
        if list.is_empty() {
            problems.add(&place, "empty: leave it out for any");
        }
        // Names may be encoded in their header, methods never are.
        let is_name = key == "names";
        let remedy = if is_name {
            "write what the server calls it"
        } else {
            "write visible ASCII without a comma"
        };
        for (position, text) in list.iter().enumerate() {
            let is_told = if is_name {
                mcp::is_name(text)
            } else {
                mcp::is_plain(text)
            };
            if !is_told {
                problems.add(
                    &place.item(position),
                    format_args!("no text that a header has: {remedy}: `{text}`"),
                );
            }
        }
        Some(boxed(list))
    };
    Tools {
        methods: texts(section.methods, "methods"),
        names: texts(section.names, "names"),
    }
}

#[inline(never)]
fn effect(section: &RuleSection, place: &Place, problems: &mut Problems) -> Option<Effect> {
    let all = section
        .scopes
        .as_deref()
        .map(|texts| scopes(texts, &place.key("scopes"), problems));
    let any = section
        .any_scope
        .as_deref()
        .map(|texts| scopes(texts, &place.key("any_scope"), problems));
    let given = all.is_some() || any.is_some();
    match (section.effect, all, any) {
        (EffectName::Deny, _, _) if !given => Some(Effect::Deny),
        (EffectName::Public, _, _) if !given => Some(Effect::Public),
        (EffectName::Deny | EffectName::Public, _, _) => {
            problems.add(
                place,
                "scopes in a rule that asks for none: write `effect: require`, or leave them out",
            );
            None
        }
        (EffectName::Require, Some(all), None) if !all.is_empty() => Some(Effect::RequireAll(all)),
        (EffectName::Require, None, Some(any)) if !any.is_empty() => Some(Effect::RequireAny(any)),
        (EffectName::Require, _, _) => {
            problems.absent(place, "a rule that requires needs either `scopes` (all of them) or `any_scope` (one of them), not empty");
            None
        }
    }
}

fn templates(paths: &[String], place: &Place, problems: &mut Problems) -> Vec<Template> {
    if paths.is_empty() {
        problems.absent(place, "empty: name a path, or the rule matches nothing");
    }
    let mut templates = Vec::with_capacity(paths.len());
    for (position, path) in paths.iter().enumerate() {
        templates.extend(problems.take(&place.item(position), path, Template::parse(path)));
    }
    templates
}

fn check_issuer(issuer: &str, issuers: &[Box<str>], place: &Place, problems: &mut Problems) {
    if issuers.iter().all(|known| **known != *issuer) {
        problems.add(
            place,
            format_args!("not a configured issuer; write its `issuer`, byte for byte: `{issuer}`"),
        );
    }
}

/// Names go into records and headers, where commas separate them.
fn check_name(name: &str, place: &Place, problems: &mut Problems) {
    let holds = !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/')
        });
    if !holds {
        problems.add(
            place,
            format_args!("a name has 1 to {MAX_NAME_BYTES} letters, digits and `-_.:/`: `{name}`"),
        );
    }
}

const fn mode(name: ModeName) -> Mode {
    match name {
        ModeName::Enforce => Mode::Enforce,
        ModeName::Shadow => Mode::Shadow,
    }
}

const NOT_AN_ID: &str = "not a workspace ID, which is a number without leading zeros";

const MAX_NAME_BYTES: usize = 128;
