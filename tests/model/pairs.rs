//! What two policies say of the same requests: the comparison of `oam diff` against the slow model,
//! asked once for each side.

use std::collections::BTreeMap;

use databricks_oam_filter::authorize::Authorizer;
use databricks_oam_filter::authorize::passage::Passage;
use databricks_oam_filter::comparison::samples::{self, SampleRequest, SampleTool};
use databricks_oam_filter::comparison::{
    Comparison, RequestClass, SampleBearer, SampleCaller, Sides,
};
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::databricks::{Catalogue, Lookup, Operation};
use databricks_oam_filter::issuer::access_token::AccessToken;
use databricks_oam_filter::path::Path;
use databricks_oam_filter::request::authority::Authority;
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::token::bearer::BearerToken;
use databricks_oam_filter::token::claims::Claims;
use databricks_oam_filter::token::jwk_set::JwkSet;
use databricks_oam_filter::token::jws::Jws;

use crate::Any;
use crate::dice::Dice;
use crate::paths::PATHS;
use crate::slow;
use crate::world::{self, Request, Rule, World};

/// Pairs of policies, and requests and callers to each.
const PAIRS: u64 = 10_000;
const REQUESTS: usize = 6;
const CALLERS: usize = 3;

/// Pairs whose samples are held against all that the world asks for.
const SAMPLED: u64 = 150;
const ASKED: usize = 24;

#[test]
fn a_comparison_finds_every_difference_and_no_other() {
    let mut seen: BTreeMap<(Passage, Passage), u64> = BTreeMap::new();
    let mut pairs = 0;
    for seed in 0.. {
        if pairs == PAIRS {
            break;
        }
        let mut dice = Dice(seed);
        let Some((worlds, configurations)) = pair(&mut dice) else {
            continue;
        };
        pairs += 1;
        let comparison = Comparison::new(
            &configurations.old.authorizer,
            &configurations.new.authorizer,
        );
        let asked: Vec<Request> = (0..REQUESTS).map(|_| World::request(&mut dice)).collect();
        let sent: Vec<SampleRequest> = asked.iter().map(sample).collect();
        for class in comparison.classes(&sent) {
            for request in class.members.iter().map(|member| &asked[*member]) {
                for by in asked.iter().take(CALLERS) {
                    let request = Request {
                        caller: by.caller.clone(),
                        host: by.host,
                        ..request.clone()
                    };
                    let found = change(&comparison, &class, &request);
                    let slow = worlds.as_ref().map(|world| slowly(world, &request));
                    let want = (slow.old != slow.new).then_some(slow);
                    assert_eq!(found, want, "seed {seed}: {request:?}\n{worlds:?}");
                    *seen.entry((slow.old, slow.new)).or_default() += 1;
                }
            }
        }
    }
    // A comparison that finds nothing agrees with a model that does not either.
    let all = [Passage::Refused, Passage::Shadowed, Passage::Passes];
    for (old, new) in all.into_iter().flat_map(|old| all.map(|new| (old, new))) {
        let count = seen.get(&(old, new));
        assert!(
            count.is_some_and(|count| *count > 100),
            "{old:?}, {new:?}: {seen:?}"
        );
    }
}

#[test]
fn there_is_a_sample_of_everything_that_policies_tell_apart() {
    let operations = operations();
    let mut held = 0;
    for seed in 0..SAMPLED {
        let mut dice = Dice(seed);
        let Some((worlds, configurations)) = pair(&mut dice) else {
            continue;
        };
        let comparison = Comparison::new(
            &configurations.old.authorizer,
            &configurations.new.authorizer,
        );
        let mut requests = samples::of(comparison.sides(), operations.iter().copied());
        let made = requests.len();
        let asked = (0..ASKED).map(|_| sample(&World::request(&mut dice)));
        requests.extend(asked);
        for class in comparison.classes(&requests) {
            assert!(
                class.members.iter().any(|member| *member < made),
                "seed {seed}: nothing of the kind of {:?}\n{worlds:?}",
                class.members.first().map(|member| &requests[*member])
            );
            held += 1;
        }
    }
    assert!(held >= 1_500, "{held}");
}

/// Two policies of which one may have come about from the other.
fn pair(dice: &mut Dice) -> Option<(Sides<World>, Sides<Configuration>)> {
    let old = World::random(dice);
    let new = if dice.one_in(3) {
        World::random(dice)
    } else {
        old.changed(dice)
    };
    let worlds = Sides { old, new };
    let parse = |world: &World| Configuration::parse(world.configuration().as_bytes()).ok();
    let Sides { old, new } = worlds.as_ref().map(parse);
    let configurations = Sides {
        old: old?,
        new: new?,
    };
    Some((worlds, configurations))
}

impl World {
    /// The policy after somebody worked at it: one or two things are no longer as they were.
    fn changed(&self, dice: &mut Dice) -> Self {
        let mut changed = self.clone();
        for _ in 0..=dice.below(2) {
            changed.change(dice);
        }
        changed
    }

    fn change(&mut self, dice: &mut Dice) {
        match dice.below(8) {
            0 => self.shadow = !self.shadow,
            1 => self.unmatched_all_apis = !self.unmatched_all_apis,
            2 if !self.rules.is_empty() => {
                self.rules.remove(dice.below(self.rules.len()));
            }
            3 if !self.rules.is_empty() => {
                let place = dice.below(self.rules.len());
                self.rules[place].shadow = self.rules[place].effect != "public";
            }
            4 if self.roles.len() > 1 => {
                self.roles.remove(dice.below(self.roles.len()));
            }
            5 | 6 if !self.roles.is_empty() => {
                let place = dice.below(self.roles.len());
                self.roles[place].grants = dice.some(&world::SCOPES, 4);
            }
            _ => {
                let number = self.rules.len().saturating_add(7);
                self.rules.push(Rule::random(number, dice));
            }
        }
    }
}

/// What the comparison says of a request.
fn change(
    comparison: &Comparison<'_>,
    class: &RequestClass<'_, '_>,
    request: &Request,
) -> Option<Sides<Passage>> {
    let authority = Authority::parse(request.host.as_bytes()).unwrap();
    let at = comparison
        .sides()
        .map(|side| side.workspaces.resolve(Some(&authority), None));
    let now = UnixTime::from_seconds(world::NOW).unwrap();
    if request.caller.is_none() {
        return comparison.change(class, &SampleCaller::Nobody, &at, now);
    }
    let bearer = SampleBearer {
        token: comparison.sides().map(|side| token(side, request, now)),
    };
    let access = comparison.effective_access(&bearer, &at);
    comparison.change(class, &SampleCaller::Bearer(&access), &at, now)
}

/// The caller's token, as a side reads it.
fn token(side: &Authorizer, request: &Request, now: UnixTime) -> Option<(usize, AccessToken)> {
    let issuer = request.caller.as_ref()?.issuer;
    let mut issuers = side.issuers.iter();
    let place = issuers.position(|known| *known.identifier == *issuer)?;
    let headers = request.headers();
    let (_, shown) = headers.iter().find(|(name, _)| name == "authorization")?;
    let bearer = BearerToken::parse(shown.strip_prefix(b"Bearer ")?, 16_384).ok()?;
    let jws = Jws::parse(&bearer).ok()?;
    let keys = JwkSet::parse(world::KEYS.as_bytes()).unwrap();
    let key = keys.candidates(None, jws.algorithm()).next()?;
    let claims = Claims::parse(jws.verify(key, &Any).ok()?).ok()?;
    let token = side.issuers[place].validate(None, &claims, now).ok()?;
    Some((place, token))
}

fn slowly(world: &World, request: &Request) -> Passage {
    let answer = slow::judge(world, request);
    match (answer.passes, answer.reason.as_str()) {
        (false, _) => Passage::Refused,
        (true, "permitted" | "public") => Passage::Passes,
        (true, _) => Passage::Shadowed,
    }
}

fn sample(request: &Request) -> SampleRequest {
    SampleRequest {
        method: request.method.into(),
        path: request.path.into(),
        tool: request.mcp.map(|told| SampleTool {
            method: told.method.into(),
            name: told.name.map(Into::into),
        }),
        is_plain: false,
        template: None,
    }
}

/// The operations that the paths of this world lead to, under each of their paths.
fn operations() -> Vec<&'static Operation> {
    let all = Catalogue::shared();
    let mut names = Vec::new();
    for (method, path) in world::METHODS
        .iter()
        .flat_map(|method| PATHS.iter().map(move |path| (method, path)))
    {
        let path = Path::parse(path.as_bytes()).unwrap();
        if let Lookup::Found(operation) = all.operation(method, &path) {
            names.push(operation.name);
        }
    }
    let operations = all.operations().iter();
    operations
        .filter(|operation| names.contains(&operation.name))
        .collect()
}
