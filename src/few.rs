//! Lists of which there are thousands, and of which few hold more than one value.

/// A list that is most often empty or has one member, and then needs no allocation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Few<T> {
    /// Empty.
    #[default]
    None,
    /// One value.
    One(T),
    /// As many as there are.
    Many(Vec<T>),
}

impl<T> Few<T> {
    /// The values, in order.
    pub const fn as_slice(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values.as_slice(),
        }
    }

    /// The same, to be changed.
    pub const fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Self::None => &mut [],
            Self::One(value) => std::slice::from_mut(value),
            Self::Many(values) => values.as_mut_slice(),
        }
    }

    /// The first value.
    pub const fn first(&self) -> Option<&T> {
        self.as_slice().first()
    }

    /// The values, in order.
    #[inline]
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.as_slice().iter()
    }

    /// Whether there is no value.
    pub const fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// Adds a value behind all.
    pub fn push(&mut self, value: T) {
        self.insert(value, |_| false);
    }

    /// Adds a value before the first for which `later` holds, or else behind all.
    pub fn insert(&mut self, value: T, later: impl Fn(&T) -> bool) {
        let place = self.as_slice().iter().position(later);
        *self = match (std::mem::take(self), place) {
            (Self::None, _) => Self::One(value),
            (Self::One(first), None) => Self::Many(vec![first, value]),
            (Self::One(first), Some(_)) => Self::Many(vec![value, first]),
            (Self::Many(mut values), place) => {
                values.insert(place.unwrap_or(values.len()), value);
                Self::Many(values)
            }
        };
    }

    /// Keeps the values for which `stays` holds.
    pub fn retain(&mut self, stays: impl Fn(&T) -> bool) {
        match self {
            Self::None => {}
            Self::One(value) if stays(value) => {}
            Self::One(_) => *self = Self::None,
            Self::Many(values) => values.retain(stays),
        }
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut few = Self::None;
        for value in values {
            few.push(value);
        }
        few
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_the_order_that_they_are_given() {
        let mut few = Few::default();
        assert!(few.is_empty());
        few.push(2);
        assert_eq!(few, Few::One(2));
        few.insert(1, |other| *other > 1);
        few.push(3);
        assert_eq!(few.as_slice(), [1, 2, 3]);
        assert_eq!(few.first(), Some(&1));
        few.retain(|value| *value != 2);
        assert_eq!(few.iter().copied().collect::<Few<_>>().as_slice(), [1, 3]);
        let mut one = Few::One(1);
        one.retain(|_| true);
        assert_eq!(one, Few::One(1));
        one.retain(|_| false);
        assert_eq!(one, Few::None);
    }
}
