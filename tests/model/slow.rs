//! The model itself.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Mutex;

use databricks_oam_filter::databricks::{Access, Area, Catalogue, Mark, Operation, Requirement};

use crate::world::{Request, Role, Rule, World};

/// What comes of a request.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Answer {
    pub(super) reason: String,
    pub(super) passes: bool,
    pub(super) rule: Option<String>,
    pub(super) operation: Option<String>,
}

/// What governs a request.
#[derive(Clone, Copy)]
enum Governing<'a> {
    Nothing,
    Operation(&'static Operation),
    Rule(&'a Rule),
}

/// "Two equally specific rules that overlap are a configuration error."
pub(super) fn conflict(rules: &[Rule]) -> bool {
    let meet = |left: &Option<Vec<&str>>, right: &Option<Vec<&str>>| match (left, right) {
        (Some(left), Some(right)) => left.iter().any(|name| right.contains(name)),
        _ => true,
    };
    rules.iter().enumerate().any(|(position, one)| {
        rules[..position].iter().any(|other| {
            one.effect != "deny"
                && other.effect != "deny"
                && meet(&one.methods, &other.methods)
                && meet(&one.issuers, &other.issuers)
                && narrowness(one) == narrowness(other)
                && match (&one.mcp, &other.mcp) {
                    (Some(one), Some(other)) => {
                        meet(&one.methods, &other.methods) && meet(&one.names, &other.names)
                    }
                    _ => true,
                }
                && one
                    .paths
                    .iter()
                    .any(|path| other.paths.iter().any(|known| ranks(path) == ranks(known)))
        })
    })
}

/// "Of one path, a rule for named MCP tools goes before one for MCP methods, and that before one for all calls."
fn narrowness(rule: &Rule) -> u8 {
    match &rule.mcp {
        None => 0,
        Some(tools) if tools.names.is_none() => 1,
        Some(_) => 2,
    }
}

pub(super) fn judge(world: &World, request: &Request) -> Answer {
    let for_anyone = governing(world, request, None);
    let is_public = match for_anyone {
        Governing::Rule(rule) => rule.effect == "public",
        Governing::Operation(operation) => operation.requirement == Requirement::NoToken,
        Governing::Nothing => false,
    };
    // "Deny rules win over everything."; one on trial lets through and is recorded.
    if is_public {
        match denying(world, request, None) {
            None => return answer("public", true, for_anyone, None),
            Some(rule) if rule.shadow || world.shadow => {
                return answer(denied(request, rule), true, for_anyone, Some(rule));
            }
            Some(_) => {}
        }
    }
    let Some(caller) = &request.caller else {
        return answer("missing_credentials", false, for_anyone, None);
    };
    let governing = governing(world, request, Some(caller.issuer));
    let denying = denying(world, request, Some(caller.issuer));
    if let Some(rule) = denying.filter(|rule| !rule.shadow) {
        return answer(denied(request, rule), world.shadow, governing, Some(rule));
    }
    // A rule on trial opens nothing; where nothing else speaks of the request, it speaks alone.
    let trial = best_rule(world, request, request.path, Some(caller.issuer), true)
        .filter(|rule| rule.shadow);
    let stands = !matches!(governing, Governing::Nothing) || world.unmatched_all_apis;
    if (trial.is_none() || stands)
        && let Some(reason) = refusal(world, request, governing)
    {
        return answer(reason, world.shadow, governing, None);
    }
    if let Some(rule) = denying {
        return answer(denied(request, rule), true, governing, Some(rule));
    }
    let governing = trial.map_or(governing, Governing::Rule);
    match trial.and_then(|rule| refusal(world, request, Governing::Rule(rule))) {
        Some(reason) => answer(reason, true, governing, None),
        None => answer("permitted", true, governing, None),
    }
}

/// Why a request is refused to which a deny rule may apply: where it tells no MCP call, it may be any.
fn denied(request: &Request, rule: &Rule) -> &'static str {
    match (request.told, &rule.mcp) {
        (None, Some(_)) => "untold_mcp_call",
        _ => "denied_by_rule",
    }
}

/// Why the scopes that the caller holds are not enough.
fn refusal(world: &World, request: &Request, governing: Governing<'_>) -> Option<&'static str> {
    let caller = request.caller.as_ref()?;
    if let (Governing::Rule(Rule { mcp: Some(_), .. }), None) = (governing, request.told) {
        return Some("untold_mcp_call");
    }
    let workspace = world.workspace(request.host);
    let member = |role: &&Role| {
        caller.groups.contains(&role.group)
            && role.issuer.is_none_or(|issuer| issuer == caller.issuer)
    };
    let here = |role: &&Role| match (&role.workspaces, workspace) {
        (None, _) => true,
        (Some(workspaces), Some(workspace)) => workspaces.contains(&workspace),
        (Some(_), None) => false,
    };
    let held: Vec<&Role> = world.roles.iter().filter(member).filter(here).collect();
    let elsewhere = world.roles.iter().filter(member).any(|role| !here(&role));
    // "Effective scopes = scopes in the token ∩ grants of the roles the caller holds." "`all-apis` ∩ x is x"; of any other pair each must do.
    let grants = |needed: &dyn Fn(&str) -> bool| {
        let from_token = || caller.scopes.iter().copied();
        let from_roles = || held.iter().flat_map(|role| role.grants.iter().copied());
        if world.from_roles {
            return from_roles().any(needed);
        }
        if world.roles.is_empty() {
            return from_token().any(needed);
        }
        from_token().any(|scope| {
            from_roles().any(|grant| {
                (scope == "all-apis" || needed(scope))
                    && (grant == "all-apis" || needed(grant))
                    && (needed(scope) || needed(grant))
            })
        })
    };
    let met = match governing {
        Governing::Nothing if world.unmatched_all_apis => grants(&|scope| scope == "all-apis"),
        Governing::Nothing => return Some("unmatched"),
        Governing::Operation(operation) => {
            matches!(
                operation.requirement,
                Requirement::AnyToken | Requirement::NoToken
            ) || grants(&|scope| covers_operation(scope, operation))
        }
        Governing::Rule(Rule {
            effect: "public", ..
        }) => true,
        Governing::Rule(Rule { all: Some(all), .. }) => all
            .iter()
            .all(|needed| grants(&|scope| covers(scope, needed))),
        Governing::Rule(rule) => rule
            .any
            .iter()
            .flatten()
            .any(|needed| grants(&|scope| covers(scope, needed))),
    };
    match met {
        true => None,
        false if elsewhere && held.is_empty() => Some("workspace_not_granted"),
        false => Some("insufficient_scope"),
    }
}

fn answer(reason: &str, passes: bool, governing: Governing<'_>, denying: Option<&Rule>) -> Answer {
    let (rule, operation) = match governing {
        Governing::Nothing => (None, None),
        Governing::Operation(operation) => (None, Some(operation.name.to_owned())),
        Governing::Rule(rule) => (Some(rule.name.clone()), None),
    };
    Answer {
        reason: reason.to_owned(),
        passes,
        rule: denying.map(|rule| rule.name.clone()).or(rule),
        operation,
    }
}

/// "`<area>` covers every operation of the area, `<area>:read` only those that read. `all-apis` covers every operation whose scope
/// Databricks documents." A read that hands out a secret or a credential is not covered by `<area>:read`.
fn covers_operation(scope: &str, operation: &Operation) -> bool {
    let marked = |mark| operation.marks.iter().any(|known| known == mark);
    let reads = operation.access == Access::Read
        && !marked(Mark::MintsCredentials)
        && !marked(Mark::VendsDataAccess);
    if scope == "all-apis" {
        return !marked(Mark::Undocumented);
    }
    scope == operation.area() || reads && scope == format!("{}:read", operation.area())
}

/// Whether a scope is worth the one that a rule names. "Rules may name scopes of your own; they are matched exactly."
fn covers(scope: &str, needed: &str) -> bool {
    let area = needed.strip_suffix(":read").unwrap_or(needed);
    let known = Area::all().find(|known| known.name() == area);
    scope == needed
        || known.is_some_and(|known| scope == area || scope == "all-apis" && known.is_documented())
}

/// "Otherwise your rules come first, the most specific path among them, and the catalogue judges what none of them matches." A rule for an
/// operation's documented path is also for the other paths under which the catalogue knows the operation, unless it is public.
fn governing<'a>(world: &'a World, request: &Request, issuer: Option<&str>) -> Governing<'a> {
    if let Some(rule) = best_rule(world, request, request.path, issuer, false) {
        return Governing::Rule(rule);
    }
    let Some(operation) = operation(request) else {
        return Governing::Nothing;
    };
    documented(operation, request.path)
        .and_then(|path| best_rule(world, request, &path, issuer, false))
        .filter(|rule| rule.effect != "public")
        .map_or(Governing::Operation(operation), Governing::Rule)
}

/// The most specific rule for a path, deny rules apart.
fn best_rule<'a>(
    world: &'a World,
    request: &Request,
    path: &str,
    issuer: Option<&str>,
    trials: bool,
) -> Option<&'a Rule> {
    let candidates = world.rules.iter().filter(|rule| {
        rule.effect != "deny" && (trials || !rule.shadow) && is_for(rule, request, issuer)
    });
    candidates
        .flat_map(|rule| rule.paths.iter().map(move |template| (rule, template)))
        .filter(|(_, template)| takes(template, path))
        .min_by_key(|(rule, template)| (ranks(template), Reverse(narrowness(rule))))
        .map(|(rule, _)| rule)
}

/// The deny rule that counts most: for the path as it is written, for the documented one, for the one without a trailing slash; enforced
/// before on trial.
fn denying<'a>(world: &'a World, request: &Request, issuer: Option<&str>) -> Option<&'a Rule> {
    let written = best_denial(world, request, request.path, issuer);
    let documented = operation(request)
        .and_then(|operation| documented(operation, request.path))
        .and_then(|path| best_denial(world, request, &path, issuer));
    let trimmed = request.path.strip_suffix('/');
    let other = documented.or_else(|| best_denial(world, request, trimmed?, issuer));
    match (written, other) {
        (Some(written), Some(other)) if written.shadow && !other.shadow => Some(other),
        (written, other) => written.or(other),
    }
}

/// Among deny rules for a path: enforced before on trial, and then the most specific, of which the first is named.
fn best_denial<'a>(
    world: &'a World,
    request: &Request,
    path: &str,
    issuer: Option<&str>,
) -> Option<&'a Rule> {
    let candidates = world
        .rules
        .iter()
        .filter(|rule| rule.effect == "deny" && is_for(rule, request, issuer));
    candidates
        .flat_map(|rule| rule.paths.iter().map(move |template| (rule, template)))
        .filter(|(_, template)| takes(template, path))
        .min_by_key(|(rule, template)| (rule.shadow, ranks(template), Reverse(narrowness(rule))))
        .map(|(rule, _)| rule)
}

/// The path under the version that the operation's template has, without a trailing slash; `None` where that is the path itself.
fn documented(operation: &Operation, path: &str) -> Option<String> {
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let documented = same_version(trimmed, operation.template);
    let versioned = documented != trimmed || same_version(trimmed, "/api/0.0/x") != trimmed;
    (versioned && documented != path).then_some(documented)
}

fn is_for(rule: &Rule, request: &Request, issuer: Option<&str>) -> bool {
    rule.methods
        .as_ref()
        .is_none_or(|methods| methods.contains(&request.method))
        && rule
            .issuers
            .as_ref()
            .is_none_or(|issuers| issuer.is_some_and(|issuer| issuers.contains(&issuer)))
        && match (&rule.mcp, request.told) {
            (Some(tools), Some(told)) => {
                let method = tools.methods.as_ref();
                let name = tools.names.as_ref();
                method.is_none_or(|methods| methods.contains(&told.method))
                    && name.is_none_or(|names| told.name.is_some_and(|told| names.contains(&told)))
            }
            _ => true,
        }
}

/// The catalogue's operation, whatever version of the API the path names. Requests repeat, so answers are kept.
fn operation(request: &Request) -> Option<&'static Operation> {
    static KNOWN: Mutex<Option<HashMap<(&str, &str), Option<&Operation>>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap();
    *known
        .get_or_insert_default()
        .entry((request.method, request.path))
        .or_insert_with(|| {
            let mut best: Option<(Vec<String>, &Operation)> = None;
            for operation in Catalogue::shared().operations() {
                let method = operation.method == request.method || operation.method == "*";
                let template = same_version(operation.template, request.path);
                if method
                    && takes(&template, request.path)
                    && best
                        .as_ref()
                        .is_none_or(|(known, _)| ranks(&template) < *known)
                {
                    best = Some((ranks(&template), operation));
                }
            }
            best.map(|(_, operation)| operation)
        })
}

/// The template with the version of the path, where both have one.
fn same_version(template: &str, path: &str) -> String {
    let version = |text: &str| {
        let word = text.strip_prefix("/api/")?.split('/').next()?.to_owned();
        (word.contains('.')
            && word
                .bytes()
                .all(|byte| byte == b'.' || byte.is_ascii_digit()))
        .then_some(word)
    };
    match (version(template), version(path)) {
        (Some(old), Some(new)) => template.replacen(&old, &new, 1),
        _ => template.to_owned(),
    }
}

/// "`{id}` is one segment, `{name}:verb` a segment with a suffix, `{path=**}` the rest."
fn takes(template: &str, path: &str) -> bool {
    let mut segments = path.split('/').skip(1).peekable();
    for part in template.split('/').skip(1) {
        if part.ends_with("=**}") {
            return segments.peek().is_some();
        }
        let Some(segment) = segments.next() else {
            return false;
        };
        let fits = match part.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            Some((_, suffix)) => segment.len() > suffix.len() && segment.ends_with(suffix),
            None => segment == part,
        };
        if !fits {
            return false;
        }
    }
    segments.next().is_none()
}

/// How specific a template is, segment by segment: a literal before a name with a verb, that before a name, and the rest last. Names
/// do not matter, texts do.
fn ranks(template: &str) -> Vec<String> {
    let rank = |part: &str| match part.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        _ if part.ends_with("=**}") => "4".to_owned(),
        Some((_, "")) => "3".to_owned(),
        Some((_, verb)) => format!("2{verb}"),
        None => format!("1{part}"),
    };
    template.split('/').skip(1).map(rank).collect()
}
