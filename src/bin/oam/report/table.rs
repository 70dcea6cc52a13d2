//! Rows by key, no more than so many, whatever callers send.
//!
//! When a table is full, the quarter of its rows with the fewest records is left out, and what is
//! left out is counted. So a flood of keys that occur once leaves rows in place that occur often,
//! whenever they come.

use std::hash::Hash;

use hashbrown::HashMap;
use schemars::JsonSchema;
use serde::Serialize;

/// The rows.
pub(super) struct Table<K, V> {
    rows: HashMap<K, V>,
    most: usize,
    left_out: LeftOut,
}

/// What a table had no room for.
#[derive(Clone, Copy, Debug, Default, Eq, JsonSchema, PartialEq, Serialize)]
pub(super) struct LeftOut {
    /// Rows that were left out, each time that they were.
    pub(super) rows: u64,
    /// Records in them.
    pub(super) records: u64,
}

/// A row that knows how many records it stands for.
pub(super) trait Counted {
    fn records(&self) -> u64;
}

impl<K: Eq + Hash, V: Counted + Default> Table<K, V> {
    pub(super) fn of_at_most(most: usize) -> Self {
        Self {
            rows: HashMap::new(),
            most,
            left_out: LeftOut::default(),
        }
    }

    /// The row of a key, made where there is none.
    pub(super) fn row(&mut self, key: K) -> &mut V {
        if self.rows.len() >= self.most && !self.rows.contains_key(&key) {
            self.make_room();
        }
        self.rows.entry(key).or_default()
    }

    fn make_room(&mut self) {
        let mut counts: Vec<u64> = self.rows.values().map(Counted::records).collect();
        let mut quarter = counts.len().div_ceil(4);
        let (_, &mut limit, _) = counts.select_nth_unstable(quarter.saturating_sub(1));
        let left_out = &mut self.left_out;
        self.rows.retain(|_, row| {
            let stays = row.records() > limit || quarter == 0;
            if !stays {
                quarter = quarter.saturating_sub(1);
                left_out.rows = left_out.rows.saturating_add(1);
                left_out.records = left_out.records.saturating_add(row.records());
            }
            stays
        });
    }

    /// The rows, those with the most records first, and what was left out.
    pub(super) fn finish(self) -> (Vec<(K, V)>, LeftOut)
    where
        K: Ord,
    {
        let mut rows: Vec<(K, V)> = self.rows.into_iter().collect();
        rows.sort_by(|(a_key, a), (b_key, b)| {
            b.records().cmp(&a.records()).then_with(|| a_key.cmp(b_key))
        });
        (rows, self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Eq, PartialEq)]
    struct Count(u64);

    impl Counted for Count {
        fn records(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn a_flood_leaves_what_occurs_often() {
        let mut table = Table::<String, Count>::of_at_most(8);
        for number in 0..1000 {
            table.row(format!("flood {number}")).0 += 1;
            table.row("often".to_owned()).0 += 1;
        }
        let (rows, left_out) = table.finish();
        assert!(rows.len() <= 8, "{}", rows.len());
        assert_eq!(rows[0], ("often".to_owned(), Count(1000)));
        let kept = u64::try_from(rows.len()).unwrap() - 1;
        let want = LeftOut {
            rows: 1000 - kept,
            records: 1000 - kept,
        };
        assert_eq!(left_out, want);
    }
}
