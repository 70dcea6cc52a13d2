//! Who may go upstream and who must not be refused, by what the world knows.

use databricks_oam_filter::gateway::host::StreamId;

use crate::action::{Call, Variant};
use crate::client::Client;
use crate::configuration::has_list;
use crate::planted::Planted;
use crate::servers;
use crate::token::Minted;
use crate::world::World;

use super::{Checks, PROPAGATION, SLACK, Violation};

impl Checks {
    /// Nothing goes upstream that the world knows to be wrong.
    pub(super) fn forwarded(
        world: &World,
        place: usize,
        stream: StreamId,
        client: &Client,
    ) -> Result<(), Violation> {
        let record = world.checks.noted.records.last();
        if record.is_none_or(|record| record.decision != "allow") {
            return Err(Violation::new(format!(
                "forwarded after the record {record:?}"
            )));
        }
        let variant = world.workers.get(place).and_then(|worker| worker.variant);
        let Some(variant) = variant else {
            return Err(Violation::new("forwarded without a configuration"));
        };
        let Some(token) = client.token.and_then(|token| world.tokens.get(token)) else {
            return if client.call == Call::TokenEndpoint {
                Ok(())
            } else {
                Err(Violation::new("forwarded without a token"))
            };
        };
        let is_foreign = token.issuer > 0 && variant == Variant::OneIssuer;
        if client.call == Call::TokenEndpoint && is_foreign {
            // A token of an issuer that is not configured is between its sender and the token
            // endpoint.
            return Ok(());
        }
        let wrong = wrong_of_token(world, place, token, variant)
            .or_else(|| wrong_of_call(client.call, token, variant))
            .or_else(|| wrong_of_exchange(world, stream, client, token, variant));
        match wrong {
            Some(wrong) => Err(Violation::new(format!("forwarded: {wrong} ({token:?})"))),
            None => Ok(()),
        }
    }

    /// Nobody is refused whom the world knows to be right.
    pub(super) fn refused(
        world: &World,
        place: usize,
        _: StreamId,
        client: &Client,
    ) -> Result<(), Violation> {
        let checks = &world.checks;
        let Some(record) = checks.noted.records.last() else {
            return Err(Violation::new("answered without a record"));
        };
        let Some(token) = client.token.and_then(|token| world.tokens.get(token)) else {
            return Ok(());
        };
        let variant = world.workers.get(place).and_then(|worker| worker.variant);
        if record.decision == "allow" || !Self::is_right(world, token, variant) {
            return Ok(());
        }
        let Some(issuer) = world.servers.issuers.get(token.issuer) else {
            return Ok(());
        };
        let mut published = issuer.published.iter();
        let Some((_, since)) = published.find(|(key, _)| *key == token.key) else {
            return Ok(());
        };
        let failing_since = checks.failing.get(&token.issuer).copied();
        let is_failing = failing_since
            .is_some_and(|since| world.now.saturating_sub(since) > PROPAGATION)
            && checks.is_calm(world.now, PROPAGATION);
        if is_failing && record.reason == "unknown_key" {
            return Err(Violation::new(format!(
                "a valid token is refused as `unknown_key` while its issuer's keys cannot be fetched ({token:?})"
            )));
        }
        let long_ago = |since: Option<u64>, millis: u64| {
            since.is_some_and(|since| world.now.saturating_sub(since) > millis)
        };
        let needs_list = has_list(variant);
        let needs_exchange = variant == Some(Variant::Exchange);
        let configured = checks.configured.get(&place).copied();
        let is_well = checks.is_calm(world.now, RECOVERY)
            && long_ago(Some(*since), RECOVERY)
            && long_ago(issuer.state.well_since, RECOVERY)
            && long_ago(configured, RECOVERY)
            && (!needs_list || long_ago(world.servers.list.well_since, RECOVERY))
            && (!needs_exchange || long_ago(world.servers.token_endpoint.well_since, RECOVERY));
        if is_well && (client.call == Call::Operation) {
            return Err(Violation::new(format!(
                "a valid token is refused as `{}` although all has been well for long ({token:?})",
                record.reason
            )));
        }
        Ok(())
    }

    fn is_right(world: &World, token: &Minted, variant: Option<Variant>) -> bool {
        let wall = world.process.borrow().wall;
        let is_covered = match variant {
            Some(Variant::Plain | Variant::Exchange) => true,
            Some(Variant::OneIssuer) => token.issuer == 0,
            Some(Variant::Denying | Variant::Refused) | None => false,
        };
        is_covered
            && !token.is_forged
            && token.has_scope
            && wall / 1000 < token.expires_at
            && !world.servers.revoked.contains(&token.id)
    }
}

fn wrong_of_token(
    world: &World,
    place: usize,
    token: &Minted,
    variant: Variant,
) -> Option<&'static str> {
    let checks = &world.checks;
    let wall = world.process.borrow().wall;
    if token.is_forged {
        return Some("forged");
    }
    if wall / 1000 >= token.expires_at.saturating_add(SKEW_SECONDS) {
        return Some("expired");
    }
    if token.issuer > 0 && variant == Variant::OneIssuer {
        return Some("its issuer is not configured");
    }
    let late = SLACK.saturating_add(checks.lost);
    if has_list(Some(variant))
        && let Some((list, since)) = checks.lists.get(&place)
    {
        if list.contains(&token.id) {
            return Some("revoked");
        }
        if world.now.saturating_sub(*since) > LIST_MAX_STALE.saturating_add(late) {
            return Some("the list of revoked tokens is too old");
        }
    }
    let issuer = world.servers.issuers.get(token.issuer)?;
    let mut served = issuer.served.iter();
    let served = served.find(|(key, _)| *key == token.key).map(|(_, at)| *at);
    let oldest = KEYS_MAX_STALE.saturating_add(late);
    served
        .is_none_or(|at| world.now.saturating_sub(at) > oldest)
        .then_some("by a key that its issuer has taken back")
}

fn wrong_of_call(call: Call, token: &Minted, variant: Variant) -> Option<&'static str> {
    if call == Call::TokenEndpoint {
        return None;
    }
    if variant == Variant::Denying {
        return Some("a rule denies it");
    }
    (!token.has_scope).then_some("without the scope")
}

fn wrong_of_exchange(
    world: &World,
    stream: StreamId,
    client: &Client,
    token: &Minted,
    variant: Variant,
) -> Option<&'static str> {
    if client.call != Call::Operation || variant != Variant::Exchange {
        return None;
    }
    let mut set = world.checks.noted.authorizations.iter();
    let set = set.find(|(of, _)| *of == stream).map(|(_, value)| value);
    let is_skipped = world.planted == Some(Planted::ExchangeSkipped);
    let is_exchanged = set.is_some_and(|set| servers::is_exchanged_for(set, &token.text));
    (is_skipped || !is_exchanged).then_some("not exchanged")
}

/// `clock_skew` of the configurations.
const SKEW_SECONDS: u64 = 30;

/// `max_stale` of the list.
const LIST_MAX_STALE: u64 = 60_000;

/// `max_stale` of keys.
const KEYS_MAX_STALE: u64 = 300_000;

/// After which a gateway has found out that all is well again: an early refresh is tried every 30
/// s.
const RECOVERY: u64 = 40_000;
