//! A value of a document together with its place: what everything around a configuration is read
//! through.
//!
//! Envoy takes every field under its name and under that name's JSON form (`fail_open`,
//! `failOpen`), a null for an absent field, and an enumeration's value by name or by number. So
//! does this. What is unknown is skipped: other people's manifests have much in them.

use serde_json::Value;

use super::place::Place;

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) place: Place,
    pub(super) value: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) const fn root(document: usize, value: &'a Value) -> Self {
        Self {
            place: Place::root(document),
            value,
        }
    }

    /// A member, under this name or its JSON form.
    pub(super) fn get(&self, name: &str) -> Option<Self> {
        let members = self.value.as_object()?;
        let json_name = json_name(name);
        let (key, value) = members
            .get_key_value(name)
            .or_else(|| members.get_key_value(&json_name))?;
        (!value.is_null()).then(|| Self {
            place: self.place.key(key),
            value,
        })
    }

    /// A member of a member, and so on.
    pub(super) fn at(&self, names: &[&str]) -> Option<Self> {
        names
            .iter()
            .try_fold(self.clone(), |node, name| node.get(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The items of a member that is a list.
    pub(super) fn items(&self, name: &str) -> Vec<Self> {
        self.get(name)
            .map(|node| node.elements())
            .unwrap_or_default()
    }

    /// The items of this list.
    pub(super) fn elements(&self) -> Vec<Self> {
        let items = self.value.as_array().into_iter().flatten().enumerate();
        items
            .map(|(position, value)| Self {
                place: self.place.item(position),
                value,
            })
            .collect()
    }

    /// The members of this object, by name.
    pub(super) fn members(&self) -> Vec<(&'a str, Self)> {
        let members = self.value.as_object().into_iter().flatten();
        members
            .map(|(key, value)| {
                let place = self.place.key(key);
                (key.as_str(), Self { place, value })
            })
            .collect()
    }

    /// A member that is a text with something in it.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.get(name)?.value.as_str()?;
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let value = self.get(name)?.value;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|node| node.value == &Value::Bool(true))
    }

    /// A member that is one of an enumeration's values, which are given in the order of their
    /// numbers, from 0 on.
    pub(super) fn choice(&self, name: &str, choices: &[&'static str]) -> Option<&'static str> {
        let value = self.get(name)?.value;
        let number = value
            .as_u64()
            .and_then(|number| usize::try_from(number).ok());
        match number {
            Some(number) => choices.get(number).copied(),
            None => choices
                .iter()
                .find(|choice| value.as_str() == Some(**choice))
                .copied(),
        }
    }

    /// The place of a member, whether or not it is there.
    pub(super) fn place_of(&self, name: &str) -> Place {
        self.get(name)
            .map_or_else(|| self.place.key(name), |node| node.place)
    }

    /// The message in a `typed_config` or the like: its type's name, and it; also where a
    /// `TypedStruct` carries it.
    pub(super) fn message(&self) -> Option<(&'a str, Self)> {
        let name = type_name(self.value.get("@type")?.as_str()?);
        if name.ends_with(".TypedStruct") {
            let inner = type_name(self.text("type_url")?);
            return Some((inner, self.get("value").unwrap_or_else(|| self.clone())));
        }
        Some((name, self.clone()))
    }

    /// Whether this is a message of this type; its package may be left out.
    pub(super) fn is_message(&self, name: &str) -> bool {
        self.message()
            .is_some_and(|(found, _)| is_type(found, name))
    }

    /// Every object in this value, itself first, for which `found` has an answer; nothing is looked
    /// for in those.
    pub(super) fn find<T>(&self, found: &dyn Fn(&Self) -> Option<T>, into: &mut Vec<T>) {
        if let Some(answer) = found(self) {
            into.push(answer);
            return;
        }
        for (_, node) in self.members() {
            node.find(found, into);
        }
        for node in self.elements() {
            node.find(found, into);
        }
    }
}

/// Whether a type's full name is this one, or ends with it behind a dot.
pub(super) fn is_type(full: &str, name: &str) -> bool {
    full.strip_suffix(name)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn type_name(url: &str) -> &str {
    url.rsplit_once('/').map_or(url, |(_, name)| name)
}

fn json_name(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let (initial, rest) = word.split_at_checked(1).unwrap_or_default();
        name.push_str(&initial.to_ascii_uppercase());
        name + rest
    })
}
