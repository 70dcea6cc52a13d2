//! Lists of which there are thousands, and of which few hold more than one value.

/// A list that is most often empty or has one member, and then needs no allocation.
#[derive(Clone, Debug)]
pub(super) enum Few<T> {
    None,
    One(T),
    Many(Vec<T>),
}

impl<T> Few<T> {
    pub(super) const fn as_slice(&self) -> &[T] {
        match self {
            Self::None => &[],
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values.as_slice(),
        }
    }

    /// Adds a value before the first for which `later` holds, or else behind all.
    pub(super) fn insert(&mut self, value: T, later: impl Fn(&T) -> bool) {
        let place = self.as_slice().iter().position(later);
        *self = match (std::mem::replace(self, Self::None), place) {
            (Self::None, _) => Self::One(value),
            (Self::One(first), None) => Self::Many(vec![first, value]),
            (Self::One(first), Some(_)) => Self::Many(vec![value, first]),
            (Self::Many(mut values), place) => {
                values.insert(place.unwrap_or(values.len()), value);
                Self::Many(values)
            }
        };
    }
}
