//! The rules of the `policy` section.

use hashbrown::HashSet;

use crate::path::template::Template;
use crate::policy::rule::{Effect, Rule, Tools};
use crate::policy::rule_book::RuleBook;
use crate::request::mcp;

use super::code::ProblemCode;
use super::document::{EffectName, RuleSection, ToolsSection};
use super::issuer::{boxed, scopes};
use super::policy::{check_issuer, check_name, mode};
use super::problem::{Place, Problems};

/// All of them. `issuers` are the configured ones.
#[inline(never)]
pub(super) fn build(
    sections: Vec<RuleSection>,
    issuers: &[Box<str>],
    problems: &mut Problems,
) -> RuleBook {
    let mut book = RuleBook::default();
    let mut added: Vec<(usize, Box<str>)> = Vec::new();
    let mut names = HashSet::new();
    for (position, section) in sections.into_iter().enumerate() {
        let place = Place::at("policy.rules").item(position);
        if !names.insert(Box::<str>::from(section.name.as_str())) {
            problems.add(
                &place.key("name"),
                ProblemCode::NamedTwice,
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
                    &place.key("paths"), ProblemCode::RulesOverlap,
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
    check_lists(&section, place, problems);
    let is_narrowed = section.issuers.is_some() || section.mcp.is_some() || section.mode.is_some();
    if section.effect == EffectName::Public && is_narrowed {
        problems.add(
            place,
            ProblemCode::RuleContradicts,
            "a public rule asks nobody who they are: leave out `issuers`, `mcp` and `mode`",
        );
    }
    if section.effect != EffectName::Require && section.websocket {
        problems.add(
            &place.key("websocket"), ProblemCode::RuleContradicts,
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

/// Lists that are there name something, and methods are written as requests have them.
fn check_lists(section: &RuleSection, place: &Place, problems: &mut Problems) {
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
            problems.add(
                &place.key(key),
                ProblemCode::Empty,
                "empty: leave it out for any",
            );
        }
    }
    for (position, method) in section.methods.iter().flatten().enumerate() {
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            let place = place.key("methods").item(position);
            problems.add(
                &place,
                ProblemCode::ValueMalformed,
                format_args!("not a method in capital letters: `{method}`"),
            );
        }
    }
}

/// The MCP calls that a rule is for.
fn tools(section: ToolsSection, place: &Place, problems: &mut Problems) -> Tools {
    if section.methods.is_none() && section.names.is_none() {
        problems.absent(
            place,
            ProblemCode::ConditionMissing,
            "no condition: name `methods`, `names` or both",
        );
    }
    let mut texts = |list: Option<Vec<String>>, key: &str| {
        let list = list?;
        let place = place.key(key);
        if list.is_empty() {
            problems.add(&place, ProblemCode::Empty, "empty: leave it out for any");
        }
        // Names may be encoded in their header, methods never are.
        let is_name = key == "names";
        let remedy = if is_name {
            "write what the server calls it"
        } else {
            "write visible ASCII without a comma"
        };
        for (position, text) in list.iter().enumerate() {
            let is_text = if is_name {
                mcp::is_name(text)
            } else {
                mcp::is_plain(text)
            };
            if !is_text {
                problems.add(
                    &place.item(position),
                    ProblemCode::ValueMalformed,
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
                ProblemCode::RuleContradicts,
                "scopes in a rule that asks for none: write `effect: require`, or leave them out",
            );
            None
        }
        (EffectName::Require, Some(all), None) if !all.is_empty() => Some(Effect::RequireAll(all)),
        (EffectName::Require, None, Some(any)) if !any.is_empty() => Some(Effect::RequireAny(any)),
        (EffectName::Require, _, _) => {
            problems.absent(place, ProblemCode::RuleWithoutScopes, "a rule that requires needs either `scopes` (all of them) or `any_scope` (one of them), not empty");
            None
        }
    }
}

fn templates(paths: &[String], place: &Place, problems: &mut Problems) -> Vec<Template> {
    if paths.is_empty() {
        problems.absent(
            place,
            ProblemCode::Empty,
            "empty: name a path, or the rule matches nothing",
        );
    }
    let mut templates = Vec::with_capacity(paths.len());
    for (position, path) in paths.iter().enumerate() {
        templates.extend(problems.take(&place.item(position), path, Template::parse(path)));
    }
    templates
}
