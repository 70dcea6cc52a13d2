//! All readings of a request, and the rules that apply to any of them.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Mutex;

use databricks_oam_filter::databricks::{Catalogue, Operation};

use crate::templates::{compare, folded, ranks, same_version, takes, takes_open, version};
use crate::world::{Request, Rule, World};

/// What governs a request.
#[derive(Clone)]
pub(super) enum Governing<'a> {
    Nothing,
    Operation(&'static Operation),
    /// All of these, and what else must be passed.
    Rules(Vec<&'a Rule>, Besides),
}

/// What a request must pass beside rules.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Besides {
    Nothing,
    /// None of the rules is surely for the operation.
    Operation(&'static Operation),
    /// No rule opens the path.
    Unmatched,
}

/// The rules that apply to a request.
pub(super) struct Applied<'a> {
    pub(super) governing: Governing<'a>,
    pub(super) denying: Option<&'a Rule>,
    pub(super) in_shadow: Vec<&'a Rule>,
    pub(super) besides_in_shadow: Besides,
}

/// "Of one path, a rule for named MCP tools goes before one for MCP methods, and that before one
/// for all calls."
pub(super) fn narrowness(rule: &Rule) -> u8 {
    match &rule.mcp {
        None => 0,
        Some(tools) if tools.names.is_none() => 1,
        Some(_) => 2,
    }
}

/// "Otherwise your rules come first, the most specific path among them, and the catalogue judges
/// what none of them matches." "What restricts restricts every reading; what opens opens the path
/// as sent."
pub(super) fn apply<'a>(world: &'a World, request: &Request, issuer: Option<&str>) -> Applied<'a> {
    let operation = operation(request);
    let mut rules = applied(world, request, issuer, operation.is_some());
    let opened = |rules: &[Match<'_>], shadow: bool| {
        rules.iter().any(|found| {
            found.as_sent && found.rule.effect != "deny" && (shadow || !found.rule.shadow)
        })
    };
    if operation.is_none() && !rules.iter().any(says_version) {
        rules = applied(world, request, issuer, true);
    }
    let ignores_case = read_as(request).into_iter().any(ignores_case);
    let most_specific = |accept: &dyn Fn(&Rule) -> bool| {
        let accepted: Vec<&Match<'_>> = rules.iter().filter(|found| accept(found.rule)).collect();
        most_specific(&accepted, operation.is_some(), ignores_case)
    };
    let of = |kept: &[&Match<'a>]| kept.iter().map(|found| found.rule).collect::<Vec<_>>();
    let denying = most_specific(&|rule| rule.effect == "deny" && !rule.shadow)
        .first()
        .map(|found| found.rule);
    let denying = denying.or(most_specific(&|rule| rule.effect == "deny")
        .first()
        .map(|found| found.rule));
    let enforced = most_specific(&|rule| rule.effect != "deny" && !rule.shadow);
    let mut governing = of(&enforced);
    if governing.iter().any(|rule| rule.effect != "public") {
        governing.retain(|rule| rule.effect != "public");
    }
    let with_shadow = most_specific(&|rule| rule.effect != "deny");
    let mut in_shadow = of(&with_shadow);
    in_shadow.retain(|rule| rule.shadow);
    // A rule in shadow mode opens nothing that the catalogue knows by another method.
    let opens_in_shadow =
        opened(&rules, false) || opened(&rules, true) && read_as(request).is_empty();
    Applied {
        governing: match operation {
            _ if !governing.is_empty() => Governing::Rules(
                governing,
                besides(operation, &enforced, &rules, opened(&rules, false)),
            ),
            Some(operation) => Governing::Operation(operation),
            None => Governing::Nothing,
        },
        denying,
        in_shadow,
        besides_in_shadow: besides(operation, &with_shadow, &rules, opens_in_shadow),
    }
}

/// The rules that no other goes before, each by one of its paths.
fn most_specific<'m, 'a>(
    accepted: &[&'m Match<'a>],
    is_known: bool,
    ignores_case: bool,
) -> Vec<&'m Match<'a>> {
    let goes_before = |one: &Match<'_>, other: &Match<'_>| {
        let by_path = compare(one.template, other.template, ignores_case);
        let by_tools = narrowness(other.rule).cmp(&narrowness(one.rule));
        let by_method = one.for_get.cmp(&other.for_get);
        let may_displace = is_known || one.as_sent || !other.as_sent;
        may_displace
            && one.is_guess == other.is_guess
            && by_path.map(|path| path.then(by_tools).then(by_method)) == Some(Ordering::Less)
    };
    let mut kept: Vec<&Match<'_>> = Vec::new();
    for found in accepted {
        if !accepted.iter().any(|other| goes_before(other, found))
            && !kept.iter().any(|other| other.rule.name == found.rule.name)
        {
            kept.push(found);
        }
    }
    kept
}

/// What must be passed beside rules: one of several paths of a rule may be surely for an operation.
fn besides(
    operation: Option<&'static Operation>,
    kept: &[&Match<'_>],
    all: &[Match<'_>],
    opens: bool,
) -> Besides {
    let is_kept = |found: &&Match<'_>| kept.iter().any(|one| one.rule.name == found.rule.name);
    match operation {
        Some(operation) if all.iter().filter(is_kept).all(|found| found.is_guess) => {
            Besides::Operation(operation)
        }
        None if !opens => Besides::Unmatched,
        Some(_) | None => Besides::Nothing,
    }
}

/// Whether a rule that is enforced opens the path as it was sent, by its version of the API.
fn says_version(found: &Match<'_>) -> bool {
    found.as_sent
        && found.rule.effect != "deny"
        && !found.rule.shadow
        && version(found.template).is_some()
}

/// A rule that applies, and the path by which.
struct Match<'a> {
    rule: &'a Rule,
    template: &'a str,
    as_sent: bool,
    /// It names what the request leaves open.
    is_guess: bool,
    /// A server answers `HEAD` as it would `GET`, and the rule is for `GET` alone.
    for_get: bool,
}

/// "A request counts under every reading that a server might give it."
fn applied<'a>(
    world: &'a World,
    request: &Request,
    issuer: Option<&str>,
    any_version: bool,
) -> Vec<Match<'a>> {
    let read_as = read_as(request);
    let ignores_case = read_as.iter().copied().any(ignores_case);
    let any_version = any_version || !read_as.is_empty();
    let folded = |text: &str| folded(text, ignores_case);
    // What names something that the request leaves open may be meant, and something else may.
    let mut guesses: Vec<String> = of_the_hosts_workspace(request.path).into_iter().collect();
    let mut readings = vec![request.path.to_owned()];
    readings.extend(read_as.iter().flat_map(|known| twins(known, request.path)));
    for readings in [&mut readings, &mut guesses] {
        for reading in readings.clone() {
            readings.push(match reading.strip_suffix('/') {
                Some(trimmed) => trimmed.to_owned(),
                None => format!("{reading}/"),
            });
        }
        if any_version {
            let rules = world.rules.iter();
            let versioned: Vec<&str> = rules.flat_map(|rule| rule.paths.iter().copied()).collect();
            for reading in readings.clone() {
                readings.extend(versioned.iter().map(|other| same_version(&reading, other)));
            }
        }
    }
    let mut found = Vec::new();
    for rule in world
        .rules
        .iter()
        .filter(|rule| is_for(rule, request, issuer))
    {
        for template in &rule.paths {
            let for_get = !is_for_method(rule, request.method);
            let is_written = takes(template, request.path);
            let restricts = !rule.exact && rule.effect != "public";
            let is_known = |reading: &String| takes(&folded(template), &folded(reading));
            let is_read = |reading: &String| takes_open(&folded(template), &folded(reading));
            let is_known = is_written || readings.iter().any(is_known);
            let mut all = readings.iter().chain(&guesses);
            if is_written || restricts && all.any(is_read) {
                found.push(Match {
                    rule,
                    template,
                    as_sent: is_written && !for_get,
                    is_guess: !is_known,
                    for_get,
                });
            }
        }
    }
    found
}

/// Where a path selects the workspace that it is sent to: `0` stands for whichever the host serves,
/// so that it may be any, and any may be `0`.
fn of_the_hosts_workspace(path: &str) -> Option<String> {
    let mut segments: Vec<&str> = path.split('/').collect();
    let place = match segments.as_slice() {
        ["", "sql", "protocolv1", "o", _, ..]
        | ["", "api", _, "ai-search", "workspaces", _, ..]
        | ["", "api", _, "workspace", _, "rest", ..] => segments
            .iter()
            .position(|segment| ["o", "workspaces", "workspace"].contains(segment)),
        ["", "driver-proxy" | "driver-proxy-api", "o", _, ..] => Some(2),
        _ => None,
    }?;
    let id = segments.get_mut(place.saturating_add(1))?;
    *id = match *id {
        "" => return None,
        "0" => "{}",
        _ => "0",
    };
    Some(segments.join("/"))
}

/// The path under the other paths that the catalogue has for an operation, names filled in by their
/// names.
fn twins(operation: &Operation, path: &str) -> Vec<String> {
    let sent: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let parts: Vec<&str> = operation.template.split('/').collect();
    let others = Catalogue::shared().operations().iter();
    others
        .filter(|other| other.name == operation.name && other.template != operation.template)
        .map(|other| {
            let mut left: Vec<(&str, &str)> = parts
                .iter()
                .copied()
                .zip(sent.iter().copied())
                .filter(|(part, _)| part.starts_with('{'))
                .collect();
            let filled = other.template.split('/').map(|part| {
                let place = left.iter().position(|(name, _)| *name == part);
                match place.map(|place| left.remove(place).1) {
                    Some(text) => text.to_owned(),
                    None if part.starts_with('{') => "{}".to_owned(),
                    None => part.to_owned(),
                }
            });
            filled.collect::<Vec<_>>().join("/")
        })
        .collect()
}

/// Unity Catalog's names ignore case.
fn ignores_case(operation: &Operation) -> bool {
    ["files", "unity-catalog"].contains(&operation.area())
}

fn is_for(rule: &Rule, request: &Request, issuer: Option<&str>) -> bool {
    let restricts_head = request.method == "HEAD"
        && match rule.effect {
            "deny" => true,
            "public" => false,
            _ => operation(request).is_none(),
        };
    (is_for_method(rule, request.method) || restricts_head && is_for_method(rule, "GET"))
        && rule
            .issuers
            .as_ref()
            .is_none_or(|issuers| issuer.is_some_and(|issuer| issuers.contains(&issuer)))
        && match (&rule.mcp, request.mcp) {
            (Some(tools), Some(told)) => {
                let method = tools.methods.as_ref();
                let name = tools.names.as_ref();
                method.is_none_or(|methods| methods.contains(&told.method))
                    && name.is_none_or(|names| told.name.is_some_and(|told| names.contains(&told)))
            }
            _ => true,
        }
}

fn is_for_method(rule: &Rule, method: &str) -> bool {
    let methods = rule.methods.as_ref();
    methods.is_none_or(|methods| methods.contains(&method))
}

/// The operations whose versions, other paths and names count: the one that the request is, or all
/// of its path where the catalogue does not know the method.
pub(super) fn read_as(request: &Request) -> Vec<&'static Operation> {
    if let Some(known) = operation(request) {
        return vec![known];
    }
    let at = |path: &'static str| {
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
            .map(|method| operation_at(method, path));
        let known: Vec<_> = methods.into_iter().flatten().collect();
        let best = known
            .iter()
            .map(|operation| ranks(&same_version(operation.template, path)))
            .min();
        let is_best =
            |operation: &&Operation| Some(ranks(&same_version(operation.template, path))) == best;
        known.into_iter().filter(is_best).collect::<Vec<_>>()
    };
    let written = at(request.path);
    if !written.is_empty() {
        return written;
    }
    match request.path.strip_suffix('/') {
        Some(trimmed) => at(trimmed),
        None => Vec::new(),
    }
}

/// The catalogue's operation, whatever version of the API the path names, with a trailing slash or
/// without.
fn operation(request: &Request) -> Option<&'static Operation> {
    operation_of(request.method, request.path)
}

fn operation_of(method: &'static str, path: &'static str) -> Option<&'static Operation> {
    operation_at(method, path).or_else(|| operation_at(method, path.strip_suffix('/')?))
}

/// The catalogue's operation at a path. Requests repeat, so answers are kept.
fn operation_at(method: &'static str, path: &'static str) -> Option<&'static Operation> {
    static KNOWN: Mutex<Option<HashMap<(&str, &str), Option<&Operation>>>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap();
    *known
        .get_or_insert_default()
        .entry((method, path))
        .or_insert_with(|| {
            let mut best: Option<(Vec<String>, &Operation)> = None;
            for operation in Catalogue::shared().operations() {
                let method = operation.method == method || operation.method == "*";
                let template = same_version(operation.template, path);
                if method
                    && takes(&template, path)
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
