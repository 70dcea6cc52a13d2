//! What answers can hold: the members of a call's answer, lists and nested types included, that
//! sound like a credential or a link.
//!
//! This module knows types and names alone. Which of these members are harmless is decided by hand,
//! in `rules/harmless.tsv`.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

/// The types that a package's answers are made of.
#[derive(Default)]
pub struct Types {
    classes: BTreeMap<String, Vec<Class>>,
}

struct Class {
    module: String,
    members: Vec<Member>,
}

/// One member of a type.
pub struct Member {
    /// Its name.
    pub name: String,
    /// Whether it holds text, and not only numbers, times, words of a list or other types.
    pub is_text: bool,
    /// The types that it holds.
    pub types: Vec<TypeName>,
}

/// A type as a package refers to it.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct TypeName {
    /// The module that it is looked for in first.
    pub module: String,
    /// The type's name.
    pub name: String,
}

impl Types {
    /// Adds a type.
    pub fn add(&mut self, named: TypeName, members: Vec<Member>) {
        let class = Class {
            module: named.module,
            members,
        };
        self.classes.entry(named.name).or_default().push(class);
    }

    /// The members that sound like a credential or a link, as `Type.member`, of these types and all
    /// that they hold.
    pub fn telling(&self, from: &[TypeName]) -> BTreeSet<String> {
        let mut telling = BTreeSet::new();
        let Ok(sound) = Regex::new(SOUND) else {
            return telling;
        };
        let mut seen = BTreeSet::new();
        let mut left = from.to_vec();
        while let Some(named) = left.pop() {
            for class in self.find(&named) {
                if !seen.insert((class.module.clone(), named.name.clone())) {
                    continue;
                }
                for member in &class.members {
                    if member.is_text && sounds(&sound, &named.name, &member.name) {
                        telling.insert(format!("{}.{}", named.name, member.name));
                    }
                    left.extend(member.types.iter().cloned());
                }
            }
        }
        telling
    }

    /// The type of the module named, or those of this name in any other.
    fn find(&self, named: &TypeName) -> Vec<&Class> {
        let classes = self.classes.get(&named.name).map_or(&[][..], Vec::as_slice);
        let here: Vec<_> = classes
            .iter()
            .filter(|class| class.module == named.module)
            .collect();
        if here.is_empty() {
            classes.iter().collect()
        } else {
            here
        }
    }
}

fn sounds(sound: &Regex, class: &str, member: &str) -> bool {
    let member = member.to_lowercase();
    let holds_secrets = ["Secret", "Token", "Credential", "Password"]
        .iter()
        .any(|word| class.contains(word));
    !member.ends_with("page_token")
        && (sound.is_match(&member)
            || holds_secrets && (member.ends_with("value") || member.ends_with("content")))
}

/// Parts of names: a link is told from another by nothing but what its documentation says, so that
/// every link is looked at.
const SOUND: &str = r"token|secret|passw|passphrase|credential|bearer|jwt|plaintext|signed|signature|certificate|cookie|header|(?:^|_)(?:sas|pem|keys?|urls?|uris?|links?|href)(?:_|$)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_wherever_they_stand_in_an_answer() {
        let mut types = Types::default();
        let text = |name: &str| member(name, true, &[]);
        types.add(named("a", "List"), vec![member("items", false, &["Item"])]);
        types.add(
            named("a", "Item"),
            vec![
                text("name"),
                text("next_page_token"),
                text("activation_url"),
                member("token_count", false, &[]),
                member("parent", false, &["Item"]),
                member("secret", false, &["Elsewhere"]),
            ],
        );
        types.add(named("b", "Item"), vec![text("bearer_token")]);
        types.add(
            named("b", "Elsewhere"),
            vec![text("password"), text("task_key")],
        );
        types.add(named("b", "SecretInfo"), vec![text("effective_value")]);
        #[rustfmt::skip]
        let cases: &[(&str, &str, &str, &[&str])] = &[
            // name                     module  type          want
            ("lists and nested types",  "a",    "List",       &["Elsewhere.password", "Elsewhere.task_key", "Item.activation_url"]),
            ("of its own module",       "b",    "Item",       &["Item.bearer_token"]),
            ("of another module",       "c",    "Elsewhere",  &["Elsewhere.password", "Elsewhere.task_key"]),
            ("the value of a secret",   "b",    "SecretInfo", &["SecretInfo.effective_value"]),
            ("unknown",                 "a",    "Other",      &[]),
        ];
        for (name, module, from, want) in cases {
            let telling = types.telling(&[named(module, from)]);
            let telling: Vec<_> = telling.iter().map(String::as_str).collect();
            assert_eq!(telling, *want, "{name}");
        }
    }

    fn named(module: &str, name: &str) -> TypeName {
        TypeName {
            module: module.to_owned(),
            name: name.to_owned(),
        }
    }

    fn member(name: &str, is_text: bool, types: &[&str]) -> Member {
        Member {
            name: name.to_owned(),
            is_text,
            types: types.iter().map(|name| named("a", name)).collect(),
        }
    }
}
