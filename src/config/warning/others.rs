//! What one rule means for the callers and the paths of others.

use crate::databricks::scope::{self, ALL_APIS};
use crate::path::template::Template;

use super::super::document::{Document, EffectName, ModeName, RuleSection, UnmatchedName};
use super::{contains, contains_tools, is_wider, spelling};

/// Another rule, for the very path below which this one takes everything, and so the empty segment
/// too.
pub(super) fn sharing<'d>(
    rule: &RuleSection,
    path: &str,
    rules: &'d [RuleSection],
) -> Option<&'d str> {
    let (above, last) = path.rsplit_once('/')?;
    let restricts = rule.effect == EffectName::Require && !rule.exact && last.ends_with("=**}");
    let is_there = |other: &&RuleSection| {
        let asks_the_same = other.scopes == rule.scopes && other.any_scope == rule.any_scope;
        other.effect != EffectName::Deny
            && (other.effect == EffectName::Public || !asks_the_same)
            && other.paths.iter().any(|path| path == above)
    };
    let other = rules.iter().filter(|_| restricts).find(is_there)?;
    Some(&other.name)
}

/// What a rule for certain issuers leaves to the callers of all others, where the catalogue, or
/// nothing but `all-apis`, then decides in its place.
pub(super) fn left_open(
    rule: &RuleSection,
    template: &Template,
    document: &Document,
) -> Option<String> {
    let issuers = rule.issuers.as_ref()?;
    if rule.effect != EffectName::Require || rule.mode == Some(ModeName::Shadow) {
        return None;
    }
    let restricts = |other: &RuleSection, issuer: &String| {
        let paths = other
            .paths
            .iter()
            .filter_map(|path| Template::parse(path).ok());
        other.effect != EffectName::Public
            && other.mode != Some(ModeName::Shadow)
            && other
                .issuers
                .as_ref()
                .is_none_or(|issuers| issuers.contains(issuer))
            && contains(other.methods.as_deref(), rule.methods.as_deref())
            && contains_tools(other.mcp.as_ref(), rule.mcp.as_ref())
            && paths
                .into_iter()
                .any(|path| is_wider(path.segments(), template.segments()))
    };
    let rules = &document.policy.rules;
    let others = document.issuers.iter().map(|section| &section.issuer);
    let left = others
        .filter(|issuer| !issuers.contains(issuer))
        .find(|issuer| !rules.iter().any(|other| restricts(other, issuer)))?;
    let asked = match spelling::operation(template, rule.methods.as_deref()) {
        Some(operation) => scope::required(operation).unwrap_or("no scope"),
        None if document.policy.unmatched == UnmatchedName::AllApis => ALL_APIS,
        None => return None,
    };
    Some(format!(
        "for these `issuers` alone: callers of `{left}` are not asked for these scopes, and `{asked}` opens the path to them; \
         write a rule for them too, or leave `issuers` out"
    ))
}
