//! Numbers that are the same at every run (splitmix64).

/// Throws them.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// One of so many, from zero.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let sides = u64::try_from(sides).unwrap();
        usize::try_from((mixed ^ (mixed >> 31)).checked_rem(sides).unwrap()).unwrap()
    }
}
