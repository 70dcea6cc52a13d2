//! What a configuration says that can hardly be meant. It is carried out all the same.

mod others;
mod spelling;

use std::fmt;

use crate::databricks::area::Area;
use crate::databricks::scope::{self, ALL_APIS};
use crate::path::Path;
use crate::path::index::Index;
use crate::path::template::{Segment, Template};

use super::code::ProblemCode;
use super::document::{
    Document, EffectName, MemberSection, ModeName, RoleSection, RuleSection, ToolsSection,
    UnmatchedName,
};
use super::problem::Place;

/// Something that can hardly be meant: where, what, and what to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Warning {
    place: Place,
    code: ProblemCode,
    text: String,
}

impl Warning {
    /// Its place in the configuration.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// What kind of warning it is.
    pub const fn code(&self) -> ProblemCode {
        self.code
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// Everything in a document that can hardly be meant.
#[inline(never)]
pub(super) fn all(document: &Document) -> Vec<Warning> {
    let mut warnings = Warnings(Vec::new());
    for (position, role) in document.roles.iter().enumerate() {
        warnings.role(role, &Place::at("roles").item(position), document);
    }
    warnings.ceiling(document);
    warnings.records(document);
    warnings.rules(document);
    warnings.0
}

struct Warnings(Vec<Warning>);

impl Warnings {
    fn add(&mut self, place: Place, code: ProblemCode, text: impl Into<String>) {
        let text = text.into();
        self.0.push(Warning { place, code, text });
    }

    #[inline(never)]
    fn role(&mut self, role: &RoleSection, place: &Place, document: &Document) {
        if role.members.is_empty() {
            self.add(
                place.key("members"),
                ProblemCode::RoleWithoutMembers,
                format!("empty: nobody can hold `{}`", role.name),
            );
        }
        if role.grants.is_empty() {
            self.add(
                place.key("grants"),
                ProblemCode::RoleWithoutGrants,
                format!("empty: `{}` allows nothing", role.name),
            );
        }
        for (position, member) in role.members.iter().enumerate() {
            if document.issuers.len() > 1 && member.issuer.is_none() && names_somebody(member) {
                self.add(
                    place.key("members").item(position), ProblemCode::RoleOfAnyIssuer,
                    "holds for every configured issuer, and what one of them calls so may be somebody else's at another: name the `issuer`",
                );
            }
        }
        for (position, grant) in role.grants.iter().enumerate() {
            if grant == ALL_APIS
                || scope::area(grant).is_some()
                || is_used_by_rules(grant, document)
            {
                continue;
            }
            let area = scope::without_reach(grant);
            let remedy = match Area::nearest(area) {
                Some(near) => format!("did you mean `{}`?", grant.replacen(area, near.name(), 1)),
                None => "write an area of `oam catalogue`, or ask for it in a rule".to_owned(),
            };
            self.add(
                place.key("grants").item(position), ProblemCode::GrantUnknown,
                format!("no area of Databricks and in no rule, so it grants nothing; {remedy}: `{grant}`"),
            );
        }
    }

    /// Where `all-apis`, which every Databricks client requests by default, meets no ceiling.
    fn ceiling(&mut self, document: &Document) {
        if document.roles.is_empty() {
            self.add(
                Place::at("roles"), ProblemCode::RolesMissing,
                "none: a token with `all-apis`, which Databricks clients ask for unless told otherwise, may do everything; \
                 name functional roles with what each may do at most",
            );
        }
        if document.policy.unmatched == UnmatchedName::AllApis {
            self.add(
                Place::at("policy.unmatched"), ProblemCode::UnmatchedOpen,
                "`all-apis`: requests that nobody described are let through for whoever holds `all-apis`; write `deny`, \
                 and a rule for each that you need",
            );
        }
    }

    fn records(&mut self, document: &Document) {
        if !document.audit.goes_somewhere() {
            self.add(
                Place::at("audit.log"), ProblemCode::RecordsOff,
                "`false` without `audit.otlp`: no decision leaves a record; set `audit.log: true`, or add `audit.otlp`",
            );
        }
    }

    #[inline(never)]
    fn rules(&mut self, document: &Document) {
        let rules = &document.policy.rules;
        let covers = Covers::of(rules);
        let compared = if rules.len() <= MAX_COMPARED_RULES {
            rules.as_slice()
        } else {
            &[]
        };
        for (position, rule) in rules.iter().enumerate() {
            let place = Place::at("policy.rules").item(position).key("paths");
            for (number, path) in rule.paths.iter().enumerate() {
                let Ok(template) = Template::parse(path) else {
                    continue;
                };
                let place = place.item(number);
                if let Some(other) = covers.covering(position, number, rule, &template) {
                    let (name, why) = (&other.name, reason(other));
                    self.add(
                        place.clone(),
                        ProblemCode::RuleNeverApplies,
                        format!("never applies: `{name}` {why}: remove one of the two: `{path}`"),
                    );
                }
                if rule.effect != EffectName::Public && rule.exact {
                    let others = spelling::others(&template).join("`, `");
                    self.add(
                        place.clone(), ProblemCode::RuleExact,
                        format!(
                            "`exact` holds for the path as written alone: this rule does not hold for `{others}`; \
                             leave `exact` out to restrict the operation under every spelling: `{path}`"
                        ),
                    );
                }
                if let Some(name) = others::sharing(rule, path, compared) {
                    self.add(
                        place.clone(), ProblemCode::RuleAbove,
                        format!(
                            "also holds for the path without its last segment, since a trailing slash makes no difference: \
                             what `{name}` asks for or opens there needs this too; write `exact: true` if the two differ: `{path}`"
                        ),
                    );
                }
                if !compared.is_empty()
                    && let Some(open) = others::left_open(rule, &template, document)
                {
                    self.add(
                        place.clone(),
                        ProblemCode::RuleLeavesIssuers,
                        format!("{open}: `{path}`"),
                    );
                }
                if rule.effect == EffectName::Public && may_be_api(&template) {
                    self.add(
                        place, ProblemCode::PublicApi,
                        format!("public, and part of the Databricks API: whoever reaches the gateway may call it: `{path}`"),
                    );
                }
            }
        }
    }
}

/// The paths by which one rule can keep others from ever applying.
struct Covers<'a> {
    rules: &'a [RuleSection],
    paths: Vec<Cover>,
    index: Index<usize>,
}

struct Cover {
    /// The positions of the rule, and of the path in it.
    place: (usize, usize),
    template: Template,
}

impl<'a> Covers<'a> {
    /// Deny rules that are enforced win over everything. Public rules are matched before anybody
    /// knows the issuer.
    fn of(rules: &'a [RuleSection]) -> Self {
        let (mut paths, mut index) = (Vec::new(), Index::new());
        for (rule, section) in rules.iter().enumerate() {
            let denies =
                section.effect == EffectName::Deny && section.mode != Some(ModeName::Shadow);
            if !denies && section.effect != EffectName::Public {
                continue;
            }
            for (path, text) in section.paths.iter().enumerate() {
                if let Ok(template) = Template::parse(text) {
                    index.insert(&template, paths.len());
                    paths.push(Cover {
                        place: (rule, path),
                        template,
                    });
                }
            }
        }
        Self {
            rules,
            paths,
            index,
        }
    }

    /// A rule that takes every request which `rule` describes by this path.
    fn covering(
        &self,
        position: usize,
        number: usize,
        rule: &RuleSection,
        template: &Template,
    ) -> Option<&'a RuleSection> {
        let sample = sample(template);
        let path = Path::parse(sample.as_bytes()).ok()?;
        let other = |&cover: &usize| {
            let cover = self.paths.get(cover)?;
            let other = self.rules.get(cover.place.0)?;
            let covers = cover.place != (position, number)
                && takes_over(other, rule, cover.place < (position, number))
                && contains(other.methods.as_deref(), rule.methods.as_deref())
                && contains(other.issuers.as_deref(), rule.issuers.as_deref())
                && contains_tools(other.mcp.as_ref(), rule.mcp.as_ref())
                && is_wider(cover.template.segments(), template.segments());
            covers.then_some(other)
        };
        let found = self.index.find(&path, |cover| other(cover).is_some())?;
        other(found.value)
    }
}

/// Whether the effect of `other` comes before that of `rule`; among deny rules alike, that of the
/// `earlier` one.
fn takes_over(other: &RuleSection, rule: &RuleSection, earlier: bool) -> bool {
    match other.effect {
        EffectName::Deny if rule.effect == EffectName::Deny => {
            rule.mode == Some(ModeName::Shadow) || earlier
        }
        EffectName::Deny => true,
        EffectName::Public => rule.effect == EffectName::Require && rule.issuers.is_some(),
        EffectName::Require => false,
    }
}

fn reason(other: &RuleSection) -> &'static str {
    match other.effect {
        EffectName::Deny => "denies all that it describes",
        EffectName::Public | EffectName::Require => {
            "is public for all that it describes, and is asked before the issuer is known"
        }
    }
}

/// Whether one list has all that another has, an absent one having everything.
fn contains(wide: Option<&[String]>, narrow: Option<&[String]>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => narrow.iter().all(|name| wide.contains(name)),
    }
}

/// The same of MCP calls. A request that does not name its call is refused for either rule, so the
/// wider one comes first all the same.
fn contains_tools(wide: Option<&ToolsSection>, narrow: Option<&ToolsSection>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(wide), Some(narrow)) => {
            contains(wide.methods.as_deref(), narrow.methods.as_deref())
                && contains(wide.names.as_deref(), narrow.names.as_deref())
        }
    }
}

/// Whether every path that `narrow` takes is taken by `wide`.
fn is_wider(wide: &[Segment], narrow: &[Segment]) -> bool {
    match (wide, narrow) {
        ([Segment::Rest], [_, ..]) | ([], []) => true,
        ([one, wide @ ..], [other, narrow @ ..]) => {
            let holds = match (one, other) {
                (Segment::Name, Segment::Literal(text)) => !text.is_empty(),
                (Segment::Name, Segment::Name | Segment::Verb(_)) => true,
                (Segment::Verb(verb), Segment::Literal(text)) => {
                    text.len() > verb.len() && text.ends_with(&**verb)
                }
                (one, other) => one == other,
            };
            holds && is_wider(wide, narrow)
        }
        _ => false,
    }
}

/// A path that the template takes.
fn sample(template: &Template) -> String {
    let mut path = String::new();
    for segment in template.segments() {
        path.push('/');
        match segment {
            Segment::Literal(text) => path.push_str(text),
            Segment::Name | Segment::Rest => path.push('x'),
            Segment::Verb(verb) => {
                path.push('x');
                path.push_str(verb);
            }
        }
    }
    path
}

fn may_be_api(template: &Template) -> bool {
    match template.segments().first() {
        Some(Segment::Literal(text)) => &**text == "api",
        Some(Segment::Name | Segment::Rest) => true,
        Some(Segment::Verb(_)) | None => false,
    }
}

/// Whether the member is described by a name that its issuer gave, which another issuer may give to
/// somebody else.
const fn names_somebody(member: &MemberSection) -> bool {
    member.group.is_some()
        || member.role.is_some()
        || member.client.is_some()
        || member.subject.is_some()
}

fn is_used_by_rules(scope: &str, document: &Document) -> bool {
    document.policy.rules.iter().any(|rule| {
        let used = rule.scopes.iter().chain(&rule.any_scope).flatten();
        used.into_iter().any(|used| used == scope)
    })
}

/// Rules of which each is compared with each other: a worker reads its configuration while requests
/// wait, and longer lists are written by programs.
const MAX_COMPARED_RULES: usize = 256;

#[cfg(test)]
mod tests;
