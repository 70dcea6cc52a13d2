//! The areas of the Databricks API, which are the names of its scopes.

use std::sync::OnceLock;

/// One area, e.g. `unity-catalog`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Area {
    name: &'static str,
    read: &'static str,
    data: &'static str,
    is_documented: bool,
}

impl Area {
    /// The area of this name. Names match exactly.
    pub fn parse(name: &str) -> Option<Self> {
        let place = areas().binary_search_by_key(&name, |area| area.name).ok()?;
        areas().get(place).copied()
    }

    /// Every area, in alphabetical order.
    pub fn all() -> impl Iterator<Item = Self> {
        areas().iter().copied()
    }

    fn read(line: &'static str) -> Option<Self> {
        let (read, documented) = line.split_once('\t')?;
        let name = read.strip_suffix(":read")?;
        Some(Self {
            name,
            read,
            // Once for each area: the list is read once.
            data: [name, ":data"].concat().leak(),
            is_documented: documented == "documented",
        })
    }

    /// The known area whose name is most like a text that names none.
    pub fn nearest(text: &str) -> Option<Self> {
        // One letter in three wrong is a slip of the keyboard; more is another word.
        let distance = |area: &Self| strsim::osa_distance(area.name, text);
        Self::all()
            .filter(|area| distance(area) <= 1.max(area.name.len() / 3))
            .min_by_key(distance)
    }

    /// The area's name, which is also the scope that covers all of it.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The scope that covers what only reads in the area, and hands out nothing but its answer.
    pub const fn read_scope(self) -> &'static str {
        self.read
    }

    /// The scope that covers what only reads in the area, and what gives access to its data.
    pub const fn data_scope(self) -> &'static str {
        self.data
    }

    /// Whether the name is one of Databricks' own scopes, rather than ours for operations whose
    /// scope is not documented.
    pub const fn is_documented(self) -> bool {
        self.is_documented
    }
}

/// The list, read once: requests look areas up by name.
fn areas() -> &'static [Area] {
    static SHARED: OnceLock<Vec<Area>> = OnceLock::new();
    SHARED.get_or_init(|| AREAS.lines().filter_map(Area::read).collect())
}

/// The area's read scope, and whether Databricks documents the area, by a tab.
const AREAS: &str = include_str!("areas.tsv");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_known_by_their_exact_names() {
        assert_eq!(
            Area::parse("unity-catalog").map(Area::read_scope),
            Some("unity-catalog:read")
        );
        assert_eq!(Area::parse("jobs").map(Area::is_documented), Some(true));
        for name in ["", "job", "Jobs", "jobs:read", "all-apis", "jobs "] {
            assert_eq!(Area::parse(name), None, "{name}");
        }
    }

    #[test]
    fn every_line_is_an_area_in_order() {
        let names: Vec<_> = Area::all().map(Area::name).collect();
        assert_eq!(names.len(), AREAS.lines().count());
        assert!(names.is_sorted());
    }

    #[test]
    fn a_slip_finds_the_area_that_was_meant() {
        #[rustfmt::skip]
        let cases = [
            // text             want
            ("job",             Some("jobs")),
            ("unity_catalog",   Some("unity-catalog")),
            ("unity-catlaog",   Some("unity-catalog")),
            ("secret",          Some("secrets")),
            ("squl",            Some("sql")),
            ("bananas-galore",  None),
            ("",                None),
        ];
        for (text, want) in cases {
            assert_eq!(Area::nearest(text).map(Area::name), want, "{text}");
        }
    }
}
