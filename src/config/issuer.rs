//! The `issuers` section: whose tokens are taken, and where their keys come from.

use std::time::Duration;

use crate::callout::uri::HttpsUri;
use crate::issuer::dialect::{ClaimPath, Dialect};
use crate::issuer::preset::Preset;
use crate::issuer::{Issuer, ScopeReading, is_other_token_type};
use crate::key_store::source::{KeySource, Remote, Schedule};
use crate::policy::role::Role;
use crate::token::algorithm::{Algorithm, AlgorithmSet};
use crate::token::jwk_set::JwkSet;
use crate::token::jws::short_media_type;
use crate::token::scope::Scope;

use super::code::ProblemCode;
use super::document::{ClaimsSection, IssuerSection, JwksSection, ScopeSource, ScopesSection};
use super::problem::{Place, Problems};
use super::value::{Bounded as _, ClaimName};

/// Every issuer with the source of its keys.
#[inline(never)]
pub(super) fn build(
    sections: Vec<IssuerSection>,
    roles: &[Role],
    problems: &mut Problems,
) -> Vec<(Issuer, KeySource)> {
    let place = Place::at("issuers");
    if sections.is_empty() {
        problems.absent(
            &place,
            ProblemCode::Empty,
            "empty: name at least one issuer, or no token can be accepted",
        );
    }
    let mut issuers: Vec<(Issuer, KeySource)> = Vec::new();
    for (position, section) in sections.into_iter().enumerate() {
        let place = place.item(position);
        if issuers
            .iter()
            .any(|(known, _)| *known.identifier == *section.issuer)
        {
            problems.add(
                &place.key("issuer"),
                ProblemCode::NamedTwice,
                format_args!("named twice: `{}`", section.issuer),
            );
        }
        issuers.extend(one(section, &place, roles, problems));
    }
    issuers
}

#[inline(never)]
fn one(
    section: IssuerSection,
    place: &Place,
    roles: &[Role],
    problems: &mut Problems,
) -> Option<(Issuer, KeySource)> {
    let preset = preset(&section.preset, &place.key("preset"), problems);
    check_identifier(&section.issuer, preset, &place.key("issuer"), problems);
    let source = key_source(section.jwks, &section.issuer, &place.key("jwks"), problems);
    let algorithms = algorithms(
        section.algorithms.as_deref(),
        preset,
        &place.key("algorithms"),
        problems,
    );
    let clock_skew = section.clock_skew.within(
        Duration::ZERO..=LONGEST_SKEW,
        &place.key("clock_skew"),
        problems,
    );
    let max_token_lifetime = match section.max_token_lifetime {
        Some(span) => Some(span.within(
            Duration::from_secs(1)..=LONGEST_LIFETIME,
            &place.key("max_token_lifetime"),
            problems,
        )?),
        None => None,
    };
    let preset = preset?;
    let dialect = dialect(preset, section.claims, &place.key("claims"), problems);
    let scopes = scope_reading(
        preset,
        &dialect,
        section.scopes,
        !roles.is_empty(),
        &place.key("scopes"),
        problems,
    );
    check_audiences(
        &section.audiences,
        &section.clients,
        &dialect,
        place,
        problems,
    );
    let token_type = token_type(
        section.token_type.as_deref(),
        preset,
        &place.key("token_type"),
        problems,
    );
    let issuer = Issuer {
        identifier: section.issuer.into(),
        algorithms,
        audiences: boxed(section.audiences),
        clients: boxed(section.clients),
        clock_skew: clock_skew?,
        max_token_lifetime,
        token_type,
        dialect,
        scopes,
        kept_claims: claims_of_members(roles),
    };
    Some((issuer, source?))
}

fn token_type(
    named: Option<&str>,
    preset: Preset,
    place: &Place,
    problems: &mut Problems,
) -> Option<Box<str>> {
    let text = named.or(preset.token_type())?;
    if is_other_token_type(text) {
        problems.add(
            place,
            ProblemCode::ValueUnknown,
            format_args!("no access token's type: write `at+jwt`, or leave it out: `{text}`"),
        );
    }
    Some(short_media_type(text).into())
}

fn claims_of_members(roles: &[Role]) -> Vec<Box<str>> {
    let mut names: Vec<&str> = roles
        .iter()
        .flat_map(|role| &role.members)
        .filter_map(|member| member.claim.as_ref()?.0.first().map(|name| &**name))
        .collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(Into::into).collect()
}

fn preset(name: &str, place: &Place, problems: &mut Problems) -> Option<Preset> {
    let preset = Preset::ALL
        .into_iter()
        .find(|preset| preset.as_str() == name);
    if preset.is_none() {
        let known = Preset::ALL.map(Preset::as_str).join(", ");
        problems.add(
            place,
            ProblemCode::ValueUnknown,
            format_args!("no preset of this name; there are {known}: `{name}`"),
        );
    }
    preset
}

fn check_identifier(issuer: &str, preset: Option<Preset>, place: &Place, problems: &mut Problems) {
    if issuer.is_empty() {
        problems.add(
            place,
            ProblemCode::Empty,
            "empty: write the `iss` of its tokens, byte for byte",
        );
    }
    let org_server = preset == Some(Preset::Okta)
        && issuer
            .strip_prefix("https://")
            .is_some_and(|rest| !rest.trim_end_matches('/').contains('/'));
    if org_server {
        problems.add(
            place, ProblemCode::IssuerUnsuitable,
            format_args!(
                "Okta's org authorization server, whose tokens only Okta can validate: use a custom one, as `https://…/oauth2/default`: `{issuer}`"
            ),
        );
    }
}

fn check_audiences(
    audiences: &[String],
    clients: &[String],
    dialect: &Dialect,
    place: &Place,
    problems: &mut Problems,
) {
    if audiences.is_empty() && (!dialect.audience_is_client || clients.is_empty()) {
        problems.absent(
            &place.key("audiences"), ProblemCode::AudiencesMissing,
            if dialect.audience_is_client {
                "empty: this provider's tokens have no `aud`, so name `clients` (or the audience that you configured there)"
            } else {
                "empty: name the `aud` that this gateway's tokens have, or tokens for other services would be accepted"
            },
        );
    }
}

fn algorithms(
    names: Option<&[String]>,
    preset: Option<Preset>,
    place: &Place,
    problems: &mut Problems,
) -> AlgorithmSet {
    let Some(names) = names else {
        return preset.map_or(AlgorithmSet::EMPTY, Preset::algorithms);
    };
    if names.is_empty() {
        problems.add(
            place,
            ProblemCode::Empty,
            "empty: leave it out for the preset's own, or name one",
        );
    }
    let mut set = AlgorithmSet::EMPTY;
    for (position, name) in names.iter().enumerate() {
        if let Some(algorithm) = problems.take(&place.item(position), name, Algorithm::parse(name))
        {
            set = set.with(algorithm);
        }
    }
    set
}

fn key_source(
    section: JwksSection,
    issuer: &str,
    place: &Place,
    problems: &mut Problems,
) -> Option<KeySource> {
    let schedule = schedule(&section, place, problems);
    if let Some(keys) = section.keys {
        if section.cluster.is_some() || section.uri.is_some() {
            problems.add(
                place,
                ProblemCode::KeysTwice,
                "both inline keys and an address: keep `keys`, or `cluster` with `uri`",
            );
        }
        let set = JwkSet::admit(&keys);
        return match set {
            Ok(set) => Some(KeySource::Inline(set)),
            Err(error) => {
                problems.add(&place.key("keys"), ProblemCode::KeysUnusable, error);
                None
            }
        };
    }
    let Some(cluster) = section.cluster.filter(|cluster| !cluster.is_empty()) else {
        problems.absent(
            &place.key("cluster"),
            ProblemCode::KeysMissing,
            "missing: name the cluster that leads to the issuer, or put its keys into `keys`",
        );
        return None;
    };
    let uri = match &section.uri {
        Some(uri) => Some(problems.take(&place.key("uri"), uri, HttpsUri::parse(uri))?),
        None => None,
    };
    match Remote::new(&cluster, issuer, uri, &schedule?) {
        Ok(remote) => Some(KeySource::Remote(remote)),
        Err(error) => {
            problems.absent(
                &place.key("uri"), ProblemCode::KeysMissing,
                format_args!("missing, and the issuer has no metadata to find it through, being {error}: `{issuer}`"),
            );
            None
        }
    }
}

fn schedule(section: &JwksSection, place: &Place, problems: &mut Problems) -> Option<Schedule> {
    let timeout = section.timeout.within(
        SHORTEST_TIMEOUT..=LONGEST_TIMEOUT,
        &place.key("timeout"),
        problems,
    );
    let refresh = section.refresh.within(
        SHORTEST_REFRESH..=LONGEST_REFRESH,
        &place.key("refresh"),
        problems,
    );
    Some(Schedule {
        timeout: timeout?,
        refresh: refresh?,
        max_stale: section.max_stale.0,
    })
}

fn dialect(
    preset: Preset,
    claims: ClaimsSection,
    place: &Place,
    problems: &mut Problems,
) -> Dialect {
    let mut dialect = preset.dialect();
    let mut replace = |paths: &mut Vec<ClaimPath>, given: Option<Vec<ClaimName>>, key: &str| {
        if let Some(given) = given {
            if given.is_empty() {
                problems.add(
                    &place.key(key),
                    ProblemCode::Empty,
                    "empty: leave it out for the preset's own, or name a claim",
                );
            }
            *paths = given.into_iter().map(|name| name.0).collect();
        }
    };
    replace(&mut dialect.scopes, claims.scopes, "scopes");
    replace(&mut dialect.groups, claims.groups, "groups");
    replace(&mut dialect.roles, claims.roles, "roles");
    replace(&mut dialect.client, claims.client, "client");
    dialect
}

fn scope_reading(
    preset: Preset,
    dialect: &Dialect,
    section: ScopesSection,
    has_roles: bool,
    place: &Place,
    problems: &mut Problems,
) -> ScopeReading {
    let from_roles = match section.source {
        Some(source) => source == ScopeSource::Roles,
        None => preset.grants_no_scopes() && dialect.scopes.is_empty(),
    };
    if from_roles && !has_roles {
        problems.add(
            &place.key("source"),
            ProblemCode::ScopesMissing,
            "`roles`, and no roles are configured: nobody would be granted anything",
        );
    }
    if !from_roles && dialect.scopes.is_empty() {
        problems.add(&place.key("source"), ProblemCode::ScopesMissing, "`token`, and this provider's tokens carry no scopes: name their claim in `claims.scopes`");
    }
    let mut reading = ScopeReading {
        from_roles,
        prefix: section
            .prefix
            .filter(|prefix| !prefix.is_empty())
            .map(Into::into),
        ..ScopeReading::default()
    };
    for (alias, meaning) in section.aliases.0 {
        let place = place.key(&format!("aliases.{alias}"));
        let scopes = scopes(&meaning, &place, problems);
        reading
            .aliases
            .update(&alias, Vec::new, |meaning| *meaning = scopes);
    }
    reading
}

/// Scopes, each at its place.
pub(super) fn scopes(texts: &[String], place: &Place, problems: &mut Problems) -> Vec<Scope> {
    let mut scopes = Vec::with_capacity(texts.len());
    for (position, text) in texts.iter().enumerate() {
        scopes.extend(problems.take(&place.item(position), text, Scope::parse(text)));
    }
    scopes
}

pub(super) fn boxed(texts: Vec<String>) -> Vec<Box<str>> {
    texts.into_iter().map(Into::into).collect()
}

/// Further apart, a clock is broken, and dead tokens would live on.
const LONGEST_SKEW: Duration = Duration::from_mins(10);

/// A token that lives longer is no access token.
const LONGEST_LIFETIME: Duration = Duration::from_hours(366 * 24);

/// Below, not even a local answer arrives. Zero must not pass: Envoy takes it for "for ever".
pub(super) const SHORTEST_TIMEOUT: Duration = Duration::from_millis(50);

pub(super) const LONGEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Below, the gateway is its issuer's load.
const SHORTEST_REFRESH: Duration = Duration::from_secs(1);

/// Above, a withdrawn key is trusted for too long.
const LONGEST_REFRESH: Duration = Duration::from_hours(24);
