//! Whom two configurations are compared for: every way to hold roles that a member of either
//! describes, with each issuer's tokens.

use std::rc::Rc;

use databricks_oam_filter::authorize::Authorizer;
use databricks_oam_filter::comparison::{SampleBearer, Sides};
use databricks_oam_filter::issuer::Issuer;
use databricks_oam_filter::issuer::access_token::AccessToken;
use databricks_oam_filter::issuer::dialect::{ClaimPath, Distinction};
use databricks_oam_filter::policy::role::RoleMember;
use databricks_oam_filter::time::UnixTime;
use serde_json::{Map, Value, json};

use crate::cli::recorded::put;
use crate::cli::stand_in;

/// Somebody with a token, whatever its scopes.
pub(super) struct TokenHolder {
    /// The roles held, wherever they hold.
    pub(super) roles: Sides<Vec<Rc<str>>>,
    pub(super) issuer: Rc<str>,
    /// By what the roles are held, for people.
    pub(super) by: Vec<String>,
    /// Whether several members are described at once.
    pub(super) is_combined: bool,
    claims: Map<String, Value>,
}

/// Everybody to compare for, and why some could not be.
pub(super) struct People {
    pub(super) all: Vec<TokenHolder>,
    pub(super) not_compared: Vec<String>,
}

impl People {
    /// The callers of every issuer that either side knows.
    pub(super) fn of(sides: Sides<&Authorizer>, now: UnixTime) -> Self {
        let mut people = Self {
            all: Vec::new(),
            not_compared: Vec::new(),
        };
        let mut identifiers: Vec<&Rc<str>> = Vec::new();
        for issuer in sides.old.issuers.iter().chain(&sides.new.issuers) {
            if !identifiers.contains(&&issuer.identifier) {
                identifiers.push(&issuer.identifier);
            }
        }
        for identifier in identifiers {
            people.of_issuer(sides, identifier, now);
        }
        people
    }

    fn of_issuer(&mut self, sides: Sides<&Authorizer>, identifier: &Rc<str>, now: UnixTime) {
        let issuers = sides.map(|side| find(side, identifier));
        let base = base(issuers);
        for (side, name) in [(issuers.old, "OLD"), (issuers.new, "NEW")] {
            let tried = side.map(|issuer| stand_in::read(&base, issuer, now));
            if let Some(Err(reason)) = tried {
                let code = reason.code();
                self.not_compared.push(format!(
                    "callers of {identifier}: no example could be made that {name} takes ({code})"
                ));
                return;
            }
        }
        let mut add = |claims: Map<String, Value>, by: Option<String>, is_combined: bool| {
            let person = TokenHolder::new(sides, identifier, claims, is_combined, now);
            // Who holds the same roles may do the same.
            let mut known = self.all.iter_mut();
            let known =
                known.find(|known| known.issuer == person.issuer && known.roles == person.roles);
            match known {
                Some(known) => known.by.extend(by.filter(|by| !known.by.contains(by))),
                None => self.all.push(TokenHolder {
                    by: by.into_iter().collect(),
                    ..person
                }),
            }
        };
        add(base.clone(), None, false);
        let members = members(sides, identifier);
        for member in &members {
            let mut claims = base.clone();
            describe(member, issuers, &mut claims);
            add(claims, Some(member.to_string()), false);
        }
        for combined in combinations(sides, &members) {
            let mut claims = base.clone();
            for member in &combined {
                describe(member, issuers, &mut claims);
            }
            let by: Vec<String> = combined.iter().map(ToString::to_string).collect();
            add(claims, Some(by.join(" and ")), true);
        }
    }
}

impl TokenHolder {
    fn new(
        sides: Sides<&Authorizer>,
        identifier: &Rc<str>,
        claims: Map<String, Value>,
        is_combined: bool,
        now: UnixTime,
    ) -> Self {
        let mut person = Self {
            roles: Sides {
                old: Vec::new(),
                new: Vec::new(),
            },
            issuer: Rc::clone(identifier),
            by: Vec::new(),
            is_combined,
            claims,
        };
        let bearer = person.bearer(sides, &[], now);
        let held = sides.zip(bearer.token.as_ref()).map(|(side, token)| {
            let (_, token) = token.as_ref()?;
            let all = side.policy.roles.as_slice().iter();
            let held = all.filter(|role| role.has_member(token));
            Some(held.map(|role| Rc::clone(&role.name)).collect())
        });
        // Where a side does not know the issuer, it is no matter of roles.
        let either: Option<Vec<_>> = held.old.clone().or(held.new.clone());
        person.roles = held.map(|side| side.or(either.clone()).unwrap_or_default());
        person
    }

    /// The claims of a token with these scopes.
    pub(super) fn claims(&self, sides: Sides<&Authorizer>, scopes: &[&str]) -> Map<String, Value> {
        let mut claims = self.claims.clone();
        let issuers = sides.map(|side| find(side, &self.issuer));
        let mut spelled: Vec<String> = Vec::new();
        for issuer in [issuers.old, issuers.new].into_iter().flatten() {
            for scope in scopes.iter().filter_map(|scope| issuer.scopes.spell(scope)) {
                if !spelled.contains(&scope) {
                    spelled.push(scope);
                }
            }
        }
        let text = json!(spelled.join(" "));
        for issuer in [issuers.old, issuers.new].into_iter().flatten() {
            if !issuer.scopes.from_roles {
                put(&mut claims, issuer.dialect.scopes.first(), &text);
            }
        }
        claims
    }

    /// The bearer of such a token, as each side knows them.
    pub(super) fn bearer(
        &self,
        sides: Sides<&Authorizer>,
        scopes: &[&str],
        now: UnixTime,
    ) -> SampleBearer {
        let claims = self.claims(sides, scopes);
        let read = |side: &Authorizer| -> Option<(usize, AccessToken)> {
            let mut issuers = side.issuers.iter();
            let place = issuers.position(|known| known.identifier == self.issuer)?;
            let issuer = side.issuers.get(place)?;
            Some((place, stand_in::read(&claims, issuer, now).ok()?))
        };
        SampleBearer {
            token: sides.map(read),
        }
    }
}

fn find<'a>(side: &'a Authorizer, identifier: &str) -> Option<&'a Issuer> {
    let mut issuers = side.issuers.iter();
    issuers.find(|issuer| *issuer.identifier == *identifier)
}

/// The claims that every token of an issuer's has, for both sides at once.
fn base(issuers: Sides<Option<&Issuer>>) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut audiences: Vec<&str> = Vec::new();
    for issuer in [issuers.old, issuers.new].into_iter().flatten() {
        let dialect = &issuer.dialect;
        claims.insert("iss".to_owned(), json!(*issuer.identifier));
        let known = issuer
            .audiences
            .iter()
            .any(|name| audiences.contains(&&**name));
        audiences.extend(
            issuer
                .audiences
                .first()
                .filter(|_| !known)
                .map(|name| &**name),
        );
        // Times are filled in.
        for name in dialect.required.iter().filter(|name| !TIMES.contains(name)) {
            claims.insert((*name).to_owned(), json!("example"));
        }
        if let Distinction::Purpose(claim, values) = dialect.distinction {
            claims.insert(claim.to_owned(), json!(values.first()));
        }
        if let Distinction::AnyClaim(marks) = dialect.distinction
            && !marks.contains(&"scope")
            && let Some(mark) = marks.first()
        {
            claims.insert((*mark).to_owned(), json!("example"));
        }
        let client = issuer.clients.first().map_or("example", |name| &**name);
        if !issuer.scopes.from_roles {
            put(&mut claims, dialect.scopes.first(), &json!(""));
        }
        put(&mut claims, dialect.client.first(), &json!(client));
        put(&mut claims, dialect.subject.first(), &json!("example"));
    }
    claims.insert("aud".to_owned(), json!(audiences));
    claims
}

/// The members of roles of either side that callers of an issuer can be, each once.
fn members<'a>(sides: Sides<&'a Authorizer>, identifier: &str) -> Vec<&'a RoleMember> {
    let mut members: Vec<&RoleMember> = Vec::new();
    for side in [sides.old, sides.new] {
        for member in side
            .policy
            .roles
            .as_slice()
            .iter()
            .flat_map(|role| &role.members)
        {
            let issuer = member.issuer.as_deref();
            let is_possible = issuer.is_none_or(|issuer| issuer == identifier);
            if is_possible && !members.contains(&member) {
                members.push(member);
            }
        }
    }
    members
}

/// Members that one caller can be at the same time: each two of them, and all. They matter where
/// something is needed that no role grants alone.
fn combinations<'a>(
    sides: Sides<&Authorizer>,
    members: &[&'a RoleMember],
) -> Vec<Vec<&'a RoleMember>> {
    let lists = members.iter().copied().filter(|member| {
        let RoleMember {
            actor,
            claim,
            client,
            group: _,
            issuer: _,
            role: _,
            subject,
        } = member;
        actor.is_none() && claim.is_none() && client.is_none() && subject.is_none()
    });
    let lists: Vec<&RoleMember> = lists.collect();
    let mut combinations = Vec::new();
    let has_rules = [sides.old, sides.new]
        .iter()
        .any(|side| !side.policy.rules.is_empty());
    if has_rules && lists.len() <= MOST_IN_PAIRS {
        for (place, one) in lists.iter().enumerate() {
            let others = lists.iter().skip(place.saturating_add(1));
            combinations.extend(others.map(|other| vec![*one, *other]));
        }
    }
    if lists.len() > 2 {
        combinations.push(lists);
    }
    combinations
}

/// Puts into claims what makes their bearer a member.
fn describe(member: &RoleMember, issuers: Sides<Option<&Issuer>>, claims: &mut Map<String, Value>) {
    for issuer in [issuers.old, issuers.new].into_iter().flatten() {
        let dialect = &issuer.dialect;
        let group = dialect.groups.first();
        let role = dialect.roles.first();
        put_text(claims, dialect.client.first(), member.client.as_deref());
        put_text(claims, dialect.subject.first(), member.subject.as_deref());
        add_text(claims, group, member.group.as_deref());
        add_text(claims, role, member.role.as_deref());
    }
    if let Some((path, value)) = &member.claim {
        put(claims, Some(path), &json!(value));
    }
    if let Some(actor) = &member.actor {
        claims.insert("act".to_owned(), json!({ "sub": actor }));
    }
}

/// The same for the callers of one issuer.
pub(super) fn describe_all(
    members: &[&RoleMember],
    issuer: &Issuer,
    claims: &mut Map<String, Value>,
) {
    let issuers = Sides {
        old: Some(issuer),
        new: None,
    };
    for member in members {
        describe(member, issuers, claims);
    }
}

fn put_text(claims: &mut Map<String, Value>, path: Option<&ClaimPath>, text: Option<&str>) {
    if let Some(text) = text {
        put(claims, path, &json!(text));
    }
}

/// Adds a text to the list where a path leads.
fn add_text(claims: &mut Map<String, Value>, path: Option<&ClaimPath>, text: Option<&str>) {
    let (Some(path), Some(text)) = (path, text) else {
        return;
    };
    let mut here = path.iter().try_fold(None, |here: Option<&Value>, name| {
        Some(Some(match here {
            None => claims.get(&**name)?,
            Some(value) => value.get(&**name)?,
        }))
    });
    let known = here.take().flatten().and_then(Value::as_array).cloned();
    let mut texts = known.unwrap_or_default();
    if !texts.contains(&json!(text)) {
        texts.push(json!(text));
    }
    put(claims, Some(path), &Value::Array(texts));
}

/// Members of which each two are tried out together: more would be more than anybody reads.
const MOST_IN_PAIRS: usize = 24;

const TIMES: [&str; 3] = ["exp", "iat", "nbf"];
