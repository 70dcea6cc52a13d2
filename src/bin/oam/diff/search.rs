//! The search for differences: every class of requests, for everybody, everywhere.

use std::collections::{BTreeMap, BTreeSet};

use databricks_oam_filter::authorize::passage::Passage;
use databricks_oam_filter::comparison::{
    Comparison, ForWorkspace, RequestClass, SampleAccess, SampleCaller, Sides,
};
use databricks_oam_filter::databricks::Area;
use databricks_oam_filter::databricks::scope::{self, ALL_APIS};
use databricks_oam_filter::request::credential::CredentialKind;
use databricks_oam_filter::time::UnixTime;

use super::callers::TokenHolder;
use super::places::Where;

/// What changes.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum ChangeKind {
    /// What was refused goes upstream.
    NewAccess,
    /// What went upstream is refused.
    LostAccess,
    /// What went upstream still does, and would be refused if everything were enforced.
    NewlyShadowed,
    /// What would have been refused is allowed.
    NoLongerShadowed,
}

/// Who sends a request.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Sender {
    /// A person, by the place among those who are compared.
    Person(usize),
    /// Nobody with a credential.
    Nobody,
    /// Somebody with a static token.
    Static(StaticClass),
}

/// A class of credentials that nothing here can verify.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum StaticClass {
    Basic,
    Opaque,
    PersonalAccessToken,
}

/// The same change of one caller at one place, for certain classes of requests.
pub(super) struct Found {
    pub(super) kind: ChangeKind,
    pub(super) who: Sender,
    pub(super) place: usize,
    /// The scopes of a token with which it comes about; as few as do.
    pub(super) scopes: Vec<String>,
    /// Whether a token with every scope makes no difference, so that it is about narrow ones.
    pub(super) is_narrow: bool,
    pub(super) class: usize,
    pub(super) passages: Sides<Passage>,
}

/// What is searched.
pub(super) struct Search<'s, 'a, 'r> {
    pub(super) comparison: &'s Comparison<'a>,
    pub(super) classes: &'s [RequestClass<'a, 'r>],
    pub(super) people: &'s [TokenHolder],
    pub(super) places: &'s [Where],
    pub(super) now: UnixTime,
}

impl ChangeKind {
    /// The change from one side to the other.
    pub(super) fn of(passages: Sides<Passage>) -> Option<Self> {
        use Passage::{Passes, Refused, Shadowed};
        match (passages.old, passages.new) {
            (Refused, Passes | Shadowed) => Some(Self::NewAccess),
            (Passes | Shadowed, Refused) => Some(Self::LostAccess),
            (Passes, Shadowed) => Some(Self::NewlyShadowed),
            (Shadowed, Passes) => Some(Self::NoLongerShadowed),
            (Refused, Refused) | (Shadowed, Shadowed) | (Passes, Passes) => None,
        }
    }

    /// The name for machines.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::NewAccess => "new-access",
            Self::LostAccess => "lost-access",
            Self::NewlyShadowed => "newly-shadowed",
            Self::NoLongerShadowed => "no-longer-shadowed",
        }
    }
}

impl StaticClass {
    const ALL: [Self; 3] = [Self::Basic, Self::Opaque, Self::PersonalAccessToken];

    pub(super) const fn kind(self) -> CredentialKind {
        match self {
            Self::Basic => CredentialKind::Basic,
            Self::Opaque => CredentialKind::Opaque,
            Self::PersonalAccessToken => CredentialKind::PersonalAccessToken,
        }
    }

    /// An example of one, which opens nothing.
    pub(super) const fn example(self) -> &'static str {
        match self {
            Self::Basic => "Basic ZXhhbXBsZTpleGFtcGxl",
            Self::Opaque => "Bearer example",
            Self::PersonalAccessToken => "Bearer dapi00000000000000000000000000000000",
        }
    }
}

impl Search<'_, '_, '_> {
    /// Every difference.
    pub(super) fn all(&self) -> Vec<Found> {
        let sides = self.comparison.sides();
        let mut found = Vec::new();
        for (place, destination) in self.places.iter().enumerate() {
            let at = destination.at(sides);
            let without = std::iter::once((Sender::Nobody, SampleCaller::Nobody)).chain(
                StaticClass::ALL.map(|class| {
                    (
                        Sender::Static(class),
                        SampleCaller::Unverifiable(class.kind()),
                    )
                }),
            );
            for (who, caller) in without {
                self.of_caller(who, place, &caller, &at, &mut found);
            }
            for (number, person) in self.people.iter().enumerate() {
                self.of_person((number, person), place, &at, &mut found);
            }
        }
        self.without_explained(found)
    }

    fn of_caller(
        &self,
        who: Sender,
        place: usize,
        caller: &SampleCaller<'_>,
        at: &ForWorkspace,
        found: &mut Vec<Found>,
    ) {
        for (class, requests) in self.classes.iter().enumerate() {
            let change = self.comparison.change(requests, caller, at, self.now);
            if let Some(passages) = change
                && let Some(kind) = ChangeKind::of(passages)
            {
                found.push(Found {
                    kind,
                    who,
                    place,
                    scopes: Vec::new(),
                    is_narrow: false,
                    class,
                    passages,
                });
            }
        }
    }

    fn of_person(
        &self,
        (number, person): (usize, &TokenHolder),
        place: usize,
        at: &ForWorkspace,
        found: &mut Vec<Found>,
    ) {
        let sides = self.comparison.sides();
        let mut by_scopes: BTreeMap<Vec<String>, SampleAccess> = BTreeMap::new();
        let every = every_scope(self.classes);
        for (class, requests) in self.classes.iter().enumerate() {
            // For each change the tokens with which it comes about, the narrowest first.
            let mut seen: BTreeMap<ChangeKind, (Vec<String>, Sides<Passage>)> = BTreeMap::new();
            let mut with_every = None;
            for scopes in scope_lists(requests, &every) {
                let is_every = scopes == every;
                let access = by_scopes.entry(scopes.clone()).or_insert_with(|| {
                    let texts: Vec<&str> = scopes.iter().map(String::as_str).collect();
                    let bearer = person.bearer(sides, &texts, self.now);
                    self.comparison.effective_access(&bearer, at)
                });
                let caller = SampleCaller::Bearer(access);
                let change = self.comparison.change(requests, &caller, at, self.now);
                let kind = change.and_then(ChangeKind::of);
                if is_every {
                    with_every = kind;
                }
                if let (Some(kind), Some(passages)) = (kind, change) {
                    seen.entry(kind).or_insert((scopes, passages));
                }
            }
            for (kind, (scopes, passages)) in seen {
                found.push(Found {
                    kind,
                    who: Sender::Person(number),
                    place,
                    scopes,
                    is_narrow: with_every != Some(kind),
                    class,
                    passages,
                });
            }
        }
    }

    /// Leaves out what people with several roles gain or lose as people with one of these do.
    fn without_explained(&self, found: Vec<Found>) -> Vec<Found> {
        let person = |who: Sender| match who {
            Sender::Person(number) => self.people.get(number),
            Sender::Nobody | Sender::Static(_) => None,
        };
        let mut explained: BTreeSet<(ChangeKind, usize, usize, &str, &str)> = BTreeSet::new();
        let mut anyone: BTreeSet<(ChangeKind, usize, usize, &str)> = BTreeSet::new();
        for one in &found {
            let Some(person) = person(one.who).filter(|person| !person.is_combined) else {
                continue;
            };
            let roles = person.roles.old.iter().chain(&person.roles.new);
            for role in roles {
                explained.insert((one.kind, one.place, one.class, &person.issuer, role));
            }
            if person.roles.old.is_empty() && person.roles.new.is_empty() {
                anyone.insert((one.kind, one.place, one.class, &person.issuer));
            }
        }
        let is_news = |one: &Found| {
            let Some(person) = person(one.who).filter(|person| person.is_combined) else {
                return true;
            };
            let mut roles = person.roles.old.iter().chain(&person.roles.new);
            !anyone.contains(&(one.kind, one.place, one.class, &person.issuer))
                && !roles.any(|role| {
                    explained.contains(&(one.kind, one.place, one.class, &person.issuer, role))
                })
        };
        let news: Vec<bool> = found.iter().map(is_news).collect();
        let kept = found.into_iter().zip(news);
        kept.filter(|(_, is_news)| *is_news)
            .map(|(one, _)| one)
            .collect()
    }
}

/// All scopes that can matter at all.
fn every_scope(classes: &[RequestClass<'_, '_>]) -> Vec<String> {
    let named = classes.iter().flat_map(|class| &class.scopes);
    let named = named.map(ToString::to_string);
    let areas = Area::all().map(|area| area.name().to_owned());
    let all: BTreeSet<String> = named.chain(areas).chain([ALL_APIS.to_owned()]).collect();
    // Who holds an area holds what it includes.
    let is_included = |text: &String| scope::area(text).is_some_and(|area| area.name() != *text);
    all.into_iter().filter(|text| !is_included(text)).collect()
}

/// The scopes of tokens that can make a difference to a class of requests, narrow ones first: none,
/// each that is required, all of these, and every scope.
fn scope_lists(class: &RequestClass<'_, '_>, every: &[String]) -> Vec<Vec<String>> {
    let mut lists: Vec<Vec<String>> = vec![Vec::new()];
    let mut own: Vec<String> = class.scopes.iter().map(ToString::to_string).collect();
    own.sort_by_key(|scope| (scope == ALL_APIS, scope.len()));
    lists.extend(own.iter().map(|scope| vec![scope.clone()]));
    if own.len() > 1 {
        lists.push(own);
    }
    lists.push(every.to_vec());
    lists
}
