//! Differences put together: what changes alike for several callers or at several places is one
//! line.

use std::collections::{BTreeMap, BTreeSet};

use databricks_oam_filter::comparison::samples::SampleRequest;
use databricks_oam_filter::comparison::{Comparison, RequestClass};
use databricks_oam_filter::databricks::Operation;

use super::callers::TokenHolder;
use super::items::{ClassContents, Requests};
use super::places::Where;
use super::search::{ChangeKind, Found, Sender, StaticClass};

/// One line.
pub(super) struct Line<'f> {
    pub(super) kind: ChangeKind,
    /// For whom, in words.
    pub(super) who: Vec<String>,
    /// With whose tokens; empty where with all.
    pub(super) issuers: Vec<String>,
    /// In which workspaces; empty where in all.
    pub(super) workspaces: Vec<String>,
    /// Whether it is about tokens that lack scopes.
    pub(super) is_narrow: bool,
    /// The scopes that these have at most.
    pub(super) scopes: Vec<String>,
    pub(super) items: Requests,
    /// What it was put together from.
    pub(super) found: Vec<&'f Found>,
}

/// What the lines are made from.
pub(super) struct Context<'s, 'a, 'r> {
    pub(super) comparison: &'s Comparison<'a>,
    /// The samples, each with its operation.
    pub(super) requests: &'s [(&'r SampleRequest, Option<&'static Operation>)],
    pub(super) classes: &'s [RequestClass<'a, 'r>],
    pub(super) people: &'s [TokenHolder],
    pub(super) places: &'s [Where],
}

/// What has to be the same in one line, whoever it is about.
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
struct Alike {
    kind: ChangeKind,
    is_narrow: bool,
    items: Requests,
    places: BTreeSet<usize>,
    issuers: BTreeSet<String>,
}

impl Context<'_, '_, '_> {
    /// All lines, in order.
    pub(super) fn lines<'f>(&self, found: &'f [Found]) -> Vec<Line<'f>> {
        let contents = self.classes.iter();
        let contents: Vec<ClassContents> = contents
            .map(|class| ClassContents::of(class, self.requests))
            .collect();
        let mut of_caller: BTreeMap<(ChangeKind, Sender, usize, bool), Vec<&Found>> =
            BTreeMap::new();
        for one in found {
            let key = (one.kind, one.who, one.place, one.is_narrow);
            of_caller.entry(key).or_default().push(one);
        }
        // First the places of one caller, then the issuers of one role, then the roles.
        let mut everywhere: BTreeMap<
            (ChangeKind, Sender, bool, Requests),
            (BTreeSet<usize>, Vec<&Found>),
        > = BTreeMap::new();
        for ((kind, who, place, is_narrow), found) in of_caller {
            let classes = found.iter().filter_map(|one| contents.get(one.class));
            let items = Requests::of(&classes.collect::<Vec<_>>());
            let (places, all) = everywhere.entry((kind, who, is_narrow, items)).or_default();
            places.insert(place);
            all.extend(found);
        }
        let mut of_label: BTreeMap<(String, ChangeKind, bool, Requests, BTreeSet<usize>), Vec<_>> =
            BTreeMap::new();
        for ((kind, who, is_narrow, items), (places, found)) in everywhere {
            let key = (self.label(who), kind, is_narrow, items, places);
            of_label
                .entry(key)
                .or_default()
                .push((self.issuer(who), found));
        }
        let all_issuers = self.people.iter().map(|person| &*person.issuer);
        let all_issuers: BTreeSet<&str> = all_issuers.collect();
        let mut alike: BTreeMap<Alike, (BTreeSet<String>, Vec<&Found>)> = BTreeMap::new();
        for ((label, kind, is_narrow, items, places), parts) in of_label {
            let issuers = parts.iter().filter_map(|(issuer, _)| issuer.clone());
            let issuers: BTreeSet<String> = issuers.collect();
            // Who shows no token has no issuer, and is alike with the callers of all of them.
            let is_anyones = issuers.len() == all_issuers.len();
            let key = Alike {
                kind,
                is_narrow,
                items,
                places,
                issuers: issuers.into_iter().filter(|_| !is_anyones).collect(),
            };
            let (labels, all) = alike.entry(key).or_default();
            labels.insert(label);
            all.extend(parts.into_iter().flat_map(|(_, found)| found));
        }
        let lines = alike.into_iter();
        lines
            .map(|(alike, (who, found))| self.line(alike, who, found))
            .collect()
    }

    fn line<'f>(&self, alike: Alike, who: BTreeSet<String>, found: Vec<&'f Found>) -> Line<'f> {
        let Alike {
            kind,
            is_narrow,
            items,
            places,
            issuers,
        } = alike;
        let is_everywhere = places.len() == self.places.len();
        let ids = places
            .iter()
            .filter_map(|place| self.places.get(*place)?.id.clone());
        let workspaces: BTreeSet<String> = ids.filter(|_| !is_everywhere).collect();
        let scopes = found.iter().flat_map(|one| one.scopes.iter().cloned());
        let scopes: BTreeSet<String> = scopes.filter(|_| is_narrow).collect();
        let people = self.people.iter().filter(|person| !person.is_combined);
        let people: BTreeSet<String> = people.map(|person| self.person(person)).collect();
        let (mut who, mut everybody) = (who, None);
        if people.len() > 1 && people.is_subset(&who) {
            who = who.difference(&people).cloned().collect();
            everybody = Some(EVERYBODY.to_owned());
        }
        let who = everybody.into_iter().chain(who);
        Line {
            kind,
            who: who.collect(),
            issuers: issuers.into_iter().collect(),
            workspaces: workspaces.into_iter().collect(),
            is_narrow,
            scopes: scopes.into_iter().collect(),
            items,
            found,
        }
    }

    fn issuer(&self, who: Sender) -> Option<String> {
        match who {
            Sender::Person(number) => Some(self.people.get(number)?.issuer.to_string()),
            Sender::Nobody | Sender::Static(_) => None,
        }
    }

    /// A caller in words.
    fn label(&self, who: Sender) -> String {
        match who {
            Sender::Nobody => "anybody, without a credential".to_owned(),
            Sender::Static(StaticClass::Basic) => "user names and passwords".to_owned(),
            Sender::Static(StaticClass::Opaque) => "opaque tokens".to_owned(),
            Sender::Static(StaticClass::PersonalAccessToken) => "personal access tokens".to_owned(),
            Sender::Person(number) => self
                .people
                .get(number)
                .map_or_else(String::new, |person| self.person(person)),
        }
    }

    fn person(&self, person: &TokenHolder) -> String {
        let sides = self.comparison.sides();
        let (old, new) = (&person.roles.old, &person.roles.new);
        let has_roles = !sides.old.policy.roles.is_empty() || !sides.new.policy.roles.is_empty();
        if old.is_empty() && new.is_empty() {
            return if has_roles {
                "callers without a role".to_owned()
            } else {
                EVERYBODY.to_owned()
            };
        }
        let names = |roles: &[_]| quoted(roles);
        if old == new {
            return names(old);
        }
        let by = person.by.join(" or ");
        match (old.is_empty(), new.is_empty()) {
            (true, _) => format!("new members of {} ({by})", names(new)),
            (_, true) => format!("former members of {} ({by})", names(old)),
            (false, false) => format!("members of {}, now of {} ({by})", names(old), names(new)),
        }
    }
}

const EVERYBODY: &str = "everybody with a token";

fn quoted(roles: &[std::rc::Rc<str>]) -> String {
    let names: Vec<String> = roles.iter().map(|name| format!("`{name}`")).collect();
    names.join(" and ")
}
