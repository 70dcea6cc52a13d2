//! Tables from names to values.

use hashbrown::HashMap;

/// What stands under a name, of which there may be thousands.
///
/// The values stand in a list beside the table, so that the module has one kind of table for all of
/// them: each further one is 2 KB.
#[derive(Clone, Debug)]
pub struct ByName<T> {
    places: HashMap<Box<str>, usize>,
    values: Vec<T>,
}

/// Names alone.
pub type NameSet = ByName<()>;

impl<T> ByName<T> {
    /// What stands under this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.values.get(*self.places.get(name)?)
    }

    /// Changes what stands under this name; `new`, where nothing does.
    pub fn update(&mut self, name: &str, new: impl FnOnce() -> T, change: impl FnOnce(&mut T)) {
        let known = self.places.get(name).copied();
        let place = known.unwrap_or_else(|| {
            let next = self.values.len();
            self.places.insert(name.into(), next);
            self.values.push(new());
            next
        });
        if let Some(value) = self.values.get_mut(place) {
            change(value);
        }
    }

    /// Every name and what stands under it, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        let places = self.places.iter();
        places.filter_map(|(name, place)| Some((&**name, self.values.get(*place)?)))
    }

    /// Every value, in the order in which the names came.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.values.iter()
    }

    /// Whether there is no name.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl NameSet {
    /// Adds a name.
    pub fn add(&mut self, name: &str) {
        self.update(name, || (), |()| ());
    }
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self {
            places: HashMap::new(),
            values: Vec::new(),
        }
    }
}

impl<T: Eq> Eq for ByName<T> {}

impl<T: PartialEq> PartialEq for ByName<T> {
    fn eq(&self, other: &Self) -> bool {
        self.values.len() == other.values.len()
            && self
                .iter()
                .all(|(name, value)| other.get(name) == Some(value))
    }
}

impl<S: AsRef<str>, T> FromIterator<(S, T)> for ByName<T> {
    /// Of several values under one name the first stays.
    fn from_iter<I: IntoIterator<Item = (S, T)>>(entries: I) -> Self {
        let mut all = Self::default();
        for (name, value) in entries {
            all.update(name.as_ref(), || value, |_| ());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_value() {
        let mut numbers = ByName::default();
        assert!(numbers.is_empty());
        for (name, number) in [("a", 1), ("b", 2), ("a", 3)] {
            numbers.update(name, || 0, |value| *value += number);
        }
        assert!(!numbers.is_empty());
        let of = |name| numbers.get(name).copied();
        assert_eq!(["a", "b", "c"].map(of), [Some(4), Some(2), None]);
        assert_eq!(numbers.values().copied().collect::<Vec<_>>(), [4, 2]);
        let mut all: Vec<_> = numbers.iter().collect();
        all.sort_unstable();
        assert_eq!(all, [("a", &4), ("b", &2)]);
    }

    #[test]
    fn the_order_of_names_is_no_difference() {
        let table = |entries: &[(&str, u8)]| entries.iter().copied().collect::<ByName<u8>>();
        let ours = table(&[("a", 1), ("b", 2)]);
        #[rustfmt::skip]
        let cases = [
            // name              table                                    same
            ("the other order",  table(&[("b", 2), ("a", 1)]),            true),
            ("a name twice",     table(&[("a", 1), ("b", 2), ("a", 3)]),  true),
            ("another value",    table(&[("a", 2), ("b", 1)]),            false),
            ("another name",     table(&[("a", 1), ("c", 2)]),            false),
            ("a name less",      table(&[("a", 1)]),                      false),
            ("a name more",      table(&[("a", 1), ("b", 2), ("c", 3)]),  false),
        ];
        for (name, other, same) in cases {
            assert_eq!(ours == other, same, "{name}");
        }
    }
}
