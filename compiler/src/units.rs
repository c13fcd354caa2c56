//! Newtypes for every unit that crosses a module boundary.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident($int:ty), $suffix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}", $suffix), self.0)
            }
        }

        impl $name {
            /// Sum, or `None` on overflow.
            pub fn checked_add(self, other: Self) -> Option<Self> {
                self.0.checked_add(other.0).map(Self)
            }

            /// Difference, or `None` below zero.
            pub fn checked_sub(self, other: Self) -> Option<Self> {
                self.0.checked_sub(other.0).map(Self)
            }
        }
    };
}

unit!(
    /// An amount of bitcoin in satoshis.
    Sats(u64), " sats"
);
unit!(
    /// A height of the chain: blocks since genesis.
    Height(u32), ""
);
unit!(
    /// A number of blocks: a relative lock (BIP 68 limits it to 65,535) or a margin.
    Blocks(u32), " blocks"
);
unit!(
    /// Weight units (BIP 141).
    Weight(u64), " WU"
);
unit!(
    /// Virtual bytes: weight units divided by four, rounded up (BIP 141).
    VBytes(u64), " vB"
);

impl Weight {
    /// The most that a standard transaction may weigh (Bitcoin Core's relay policy).
    pub const STANDARD: Self = Self(400_000);

    /// Virtual size, rounded up.
    pub fn vbytes(self) -> VBytes {
        VBytes(self.0.div_ceil(4))
    }
}

impl Blocks {
    /// The longest relative lock in blocks (BIP 68).
    pub const MAX_RELATIVE: Self = Self(65_535);

    /// Hours at ten minutes a block, for people.
    pub fn hours(self) -> f64 {
        f64::from(self.0) / 6.0
    }
}

/// Elements on stack plus altstack. Range: `0..=1000` (BIP 342).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StackDepth(pub u16);

impl StackDepth {
    /// The limit of consensus.
    pub const MAX: Self = Self(1_000);
}
