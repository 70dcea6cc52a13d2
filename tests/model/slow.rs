//! The model itself.

use databricks_oam_filter::databricks::{Access, Area, Mark, Operation, OperationRequirement};

use crate::readings::{Applied, Besides, Governing, apply, narrowness, read_as};
use crate::templates::ranks;
use crate::world::{Caller, ISSUERS, Request, Role, Rule, World};

/// What comes of a request.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Answer {
    pub(super) reason: String,
    pub(super) passes: bool,
    pub(super) rule: Option<String>,
    pub(super) operation: Option<String>,
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

pub(super) fn judge(world: &World, request: &Request) -> Answer {
    let for_anyone = apply(world, request, None);
    let is_public = needs_no_caller(&for_anyone.governing);
    if is_public && let Some(answer) = without_caller(world, request, &for_anyone) {
        return answer;
    }
    let Some(caller) = &request.caller else {
        // What a rule denies that would be public asks who calls: the record names that rule.
        let deciding = for_anyone.denying.filter(|_| is_public);
        return answer(
            "missing_credentials",
            false,
            &for_anyone.governing,
            deciding,
        );
    };
    let Applied {
        governing,
        denying,
        in_shadow,
        besides_in_shadow,
    } = apply(world, request, Some(caller.issuer));
    if is_unknown(world, request) {
        return unknown(world, &governing);
    }
    if let Some(rule) = denying.filter(|rule| !rule.shadow) {
        return answer(denied(request, rule), world.shadow, &governing, Some(rule));
    }
    // A shadow rule opens nothing; where nothing else speaks of the request, it speaks alone.
    let stands = world.unmatched_all_apis
        || match governing {
            Governing::Nothing => false,
            // Rules also where they do not open the path: they were written for it.
            Governing::Operation(_) | Governing::Rules(..) => true,
        };
    let speaks_alone = !in_shadow.is_empty() && besides_in_shadow != Besides::Unmatched && !stands;
    if !speaks_alone && let Err((reason, rule)) = refusal(world, request, &governing) {
        return answer(reason, world.shadow, &governing, rule);
    }
    if let Some(rule) = denying {
        return answer(denied(request, rule), true, &governing, Some(rule));
    }
    // Who was asked only because a deny rule might be for their issuer goes on as nobody.
    let passed = if needs_no_caller(&governing) {
        "public"
    } else {
        "permitted"
    };
    if in_shadow.is_empty() {
        return answer(passed, true, &governing, None);
    }
    let governing = Governing::Rules(in_shadow, besides_in_shadow);
    match refusal(world, request, &governing) {
        Err((reason, rule)) => answer(reason, true, &governing, rule),
        Ok(()) => answer(passed, true, &governing, None),
    }
}

/// What comes of a request that needs no caller, whoever sends it; nothing, where a deny rule asks
/// who that is.
fn without_caller(world: &World, request: &Request, for_anyone: &Applied<'_>) -> Option<Answer> {
    // "Deny rules win over everything."; one in shadow mode lets through and is recorded.
    // A token that is shown is judged where a deny rule may be for its issuer.
    let denies = |issuer: &&str| {
        let denying = apply(world, request, Some(issuer)).denying;
        denying.is_some_and(|rule| !rule.shadow)
    };
    let asks = request.caller.is_some() && !world.shadow && ISSUERS.iter().any(denies);
    let governing = &for_anyone.governing;
    let is_unknown = is_unknown(world, request);
    match for_anyone.denying {
        None if asks => None,
        Some(rule) if !rule.shadow && !world.shadow => None,
        _ if is_unknown => Some(unknown(world, governing)),
        Some(rule) => Some(answer(denied(request, rule), true, governing, Some(rule))),
        None => Some(answer("public", true, governing, None)),
    }
}

/// "A host that is not listed is refused", whoever calls.
fn is_unknown(world: &World, request: &Request) -> bool {
    world.bound && world.workspace(request.host).is_none()
}

fn unknown(world: &World, governing: &Governing<'_>) -> Answer {
    answer("unknown_workspace", world.shadow, governing, None)
}

/// Whether what governs a request opens it to everybody.
fn needs_no_caller(governing: &Governing<'_>) -> bool {
    match governing {
        Governing::Rules(rules, besides) => {
            *besides != Besides::Unmatched && rules.iter().all(|rule| rule.effect == "public")
        }
        Governing::Operation(operation) => operation.requirement == OperationRequirement::NoToken,
        Governing::Nothing => false,
    }
}

/// Why a request is refused to which a deny rule may apply: where it tells no MCP call, it may be
/// any.
fn denied(request: &Request, rule: &Rule) -> &'static str {
    match (request.mcp, &rule.mcp) {
        (None, Some(_)) => "mcp_headers_required",
        _ => "denied_by_rule",
    }
}

/// Why the scopes that the caller holds are not enough, and for which rule.
fn refusal<'a>(
    world: &World,
    request: &Request,
    governing: &Governing<'a>,
) -> Result<(), (&'static str, Option<&'a Rule>)> {
    let Some(caller) = request.caller.as_ref() else {
        return Ok(());
    };
    let (held, elsewhere) = roles(world, request, caller);
    // "Effective scopes = scopes in the token ∩ grants of the roles the caller holds": each side
    // must do, read by itself.
    let grants = |needed: &dyn Fn(&str) -> bool| {
        let token_does = caller.scopes.iter().any(|scope| needed(scope));
        let roles_do = held
            .iter()
            .any(|role| role.grants.iter().any(|grant| needed(grant)));
        (world.from_roles || token_does)
            && (world.roles.is_empty() && !world.from_roles || roles_do)
    };
    let token_grants = |needed: &dyn Fn(&str) -> bool| {
        world.from_roles || caller.scopes.iter().any(|scope| needed(scope))
    };
    // "The token has the scope, the caller's roles do not grant it": another token would not help.
    let judged = |is_met: &dyn Fn(&Grants<'_>) -> bool| {
        if is_met(&grants) {
            Ok(())
        } else if held.is_empty() && elsewhere {
            Err("workspace_not_granted")
        } else if is_met(&token_grants) {
            Err("role_lacks_scope")
        } else {
            Err("insufficient_scope")
        }
    };
    let covered = |operation: &'static Operation| {
        let free = is_free(operation);
        judged(&|grants| free || grants(&|scope| covers_operation(scope, operation)))
    };
    let unmatched = || {
        world.unmatched_all_apis.then_some(()).ok_or("unmatched")?;
        judged(&|grants| grants(&|scope| scope == "all-apis"))?;
        // A server may answer it as an operation of its path whose scope nobody documents.
        read_as(request).into_iter().try_for_each(covered)
    };
    match governing {
        Governing::Nothing => unmatched().map_err(|reason| (reason, None)),
        Governing::Operation(operation) => covered(operation).map_err(|reason| (reason, None)),
        Governing::Rules(rules, besides) => {
            if *besides == Besides::Unmatched && !world.unmatched_all_apis {
                return Err(("unmatched", None));
            }
            for rule in rules {
                if rule.mcp.is_some() && request.mcp.is_none() {
                    return Err(("mcp_headers_required", Some(rule)));
                }
                judged(&|grants| is_met(rule, grants)).map_err(|reason| (reason, Some(*rule)))?;
            }
            let more = match *besides {
                Besides::Nothing => Ok(()),
                Besides::Operation(operation) => covered(operation),
                Besides::Unmatched => unmatched(),
            };
            more.map_err(|reason| (reason, None))
        }
    }
}

/// Whether an operation needs no scope.
const fn is_free(operation: &Operation) -> bool {
    matches!(
        operation.requirement,
        OperationRequirement::AnyToken | OperationRequirement::NoToken
    )
}

/// The roles that a caller holds here, and whether others are held elsewhere.
fn roles<'w>(world: &'w World, request: &Request, caller: &Caller) -> (Vec<&'w Role>, bool) {
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
    (held, elsewhere)
}

/// Whether some scope that is granted is one that is asked about.
type Grants<'a> = dyn Fn(&dyn Fn(&str) -> bool) -> bool + 'a;

/// Whether what is granted is what a rule requires.
fn is_met(rule: &Rule, grants: &Grants<'_>) -> bool {
    let granted = |needed: &&str| grants(&|scope| covers(scope, needed));
    match &rule.all {
        _ if rule.effect == "public" => true,
        Some(all) => all.iter().all(granted),
        None => rule.any.iter().flatten().any(granted),
    }
}

fn answer(reason: &str, passes: bool, governing: &Governing<'_>, denying: Option<&Rule>) -> Answer {
    let (rule, operation) = match governing {
        Governing::Nothing => (None, None),
        Governing::Operation(operation) => (None, Some(operation.name.to_owned())),
        Governing::Rules(rules, _) => (rules.first().map(|rule| rule.name.clone()), None),
    };
    Answer {
        reason: reason.to_owned(),
        passes,
        rule: denying.map(|rule| rule.name.clone()).or(rule),
        operation,
    }
}

/// "`<area>` covers every operation of the area, `<area>:read` only those that read. `all-apis`
/// covers every operation whose scope Databricks documents. `<area>:data` covers what `:read` does
/// and the operations that hand out access to the data itself. No `:read` ever yields a credential
/// or a link that works outside the gateway."
fn covers_operation(scope: &str, operation: &Operation) -> bool {
    let marked = |mark| operation.marks.iter().any(|known| known == mark);
    let reads = operation.access == Access::Read && !marked(Mark::MintsCredentials);
    let (name, suffix) = split(scope);
    match suffix {
        "" if scope == "all-apis" => !marked(Mark::Undocumented),
        "" => name == operation.area(),
        "read" => name == operation.area() && reads && !marked(Mark::VendsDataAccess),
        _ => name == operation.area() && reads,
    }
}

/// Whether a scope is worth the one that a rule names. "Rules may name scopes of your own; they are
/// matched exactly."
fn covers(scope: &str, needed: &str) -> bool {
    let (area, needs) = split(needed);
    let (name, has) = split(scope);
    let known = Area::all().find(|known| known.name() == area);
    let worth = |suffix| {
        ["read", "data", ""]
            .iter()
            .position(|known| *known == suffix)
    };
    scope == needed
        || known.is_some_and(|known| {
            name == area && worth(has) >= worth(needs)
                || scope == "all-apis" && known.is_documented()
        })
}

/// A scope without `:read` or `:data`, and which of them it had.
fn split(scope: &str) -> (&str, &str) {
    match scope.rsplit_once(':') {
        Some((name, suffix @ ("read" | "data"))) => (name, suffix),
        _ => (scope, ""),
    }
}
