//! The `roles`, `workspaces` and `policy` sections: who may do what, where.

use hashbrown::HashSet;

use crate::databricks::Catalogue;
use crate::policy::credential::{Treatment, Treatments};
use crate::policy::role::{Role, RoleMember};
use crate::policy::roles::Roles;
use crate::policy::rule::Mode;
use crate::policy::workspace::{Workspace, WorkspaceSet, Workspaces};
use crate::policy::{Policy, Unmatched};
use crate::request::authority::Authority;
use crate::request::workspace::WorkspaceId;

use super::code::ProblemCode;
use super::document::{
    Credentials, MemberSection, ModeName, PolicySection, RoleSection, TreatmentName, UnmatchedName,
    WorkspaceSection,
};
use super::issuer::scopes;
use super::problem::{Place, Problems};
use super::rule;

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
        rules: rule::build(section.rules, issuers, problems),
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
                ProblemCode::Empty,
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
            problems.add(
                &place.key("id"),
                ProblemCode::NamedTwice,
                format_args!("named twice: `{id}`"),
            );
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
                ProblemCode::NamedTwice,
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
                    ProblemCode::WorkspaceUnknown,
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
) -> Option<RoleMember> {
    if let Some(issuer) = &section.issuer {
        check_issuer(issuer, issuers, &place.key("issuer"), problems);
    }
    let claim = match (section.claim, section.value) {
        (Some(path), Some(value)) => Some((path.0, value.into())),
        (None, None) => None,
        (Some(_), None) => {
            problems.absent(
                place,
                ProblemCode::ConditionMissing,
                "`claim` without `value`: say which value the claim must have",
            );
            return None;
        }
        (None, Some(_)) => {
            problems.absent(
                place,
                ProblemCode::ConditionMissing,
                "`value` without `claim`: say which claim must have it",
            );
            return None;
        }
    };
    let member = RoleMember {
        actor: section.actor.map(Into::into),
        claim,
        client: section.client.map(Into::into),
        group: section.group.map(Into::into),
        issuer: section.issuer.map(Into::into),
        role: section.role.map(Into::into),
        subject: section.subject.map(Into::into),
    };
    if member == RoleMember::default() {
        problems.absent(
            place,
            ProblemCode::ConditionMissing,
            "no condition: name a group, role, client, subject, actor, issuer or claim",
        );
        return None;
    }
    Some(member)
}

pub(super) fn check_issuer(
    issuer: &str,
    issuers: &[Box<str>],
    place: &Place,
    problems: &mut Problems,
) {
    if issuers.iter().all(|known| **known != *issuer) {
        problems.add(
            place,
            ProblemCode::IssuerUnknown,
            format_args!("not a configured issuer; write its `issuer`, byte for byte: `{issuer}`"),
        );
    }
}

/// Names go into records and headers, where commas separate them.
pub(super) fn check_name(name: &str, place: &Place, problems: &mut Problems) {
    let holds = !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/')
        });
    if !holds {
        problems.add(
            place,
            ProblemCode::NameInvalid,
            format_args!("a name has 1 to {MAX_NAME_BYTES} letters, digits and `-_.:/`: `{name}`"),
        );
    }
}

pub(super) const fn mode(name: ModeName) -> Mode {
    match name {
        ModeName::Enforce => Mode::Enforce,
        ModeName::Shadow => Mode::Shadow,
    }
}

const NOT_AN_ID: &str = "not a workspace ID, which is a number without leading zeros";

const MAX_NAME_BYTES: usize = 128;
