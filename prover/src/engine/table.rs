//! Where cells are, by hash: one list with open addressing, so that a look costs one read from far
//! in memory.

use super::cells::{NOWHERE, Spot};

/// Spots by hash.
///
/// **Invariant:** a power of two of slots, more than half of them empty; an entry stands in the
/// first slot that was empty when it came, from the one that its hash names onwards, round the end.
#[derive(Debug, Default)]
pub struct Table {
    slots: Vec<Slot>,
    taken: usize,
}

/// The high half of a hash, and a spot. Those bits name the slot too, so a table can grow without
/// a look at the cells.
#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u32,
    spot: Spot,
}

const EMPTY: Slot = Slot {
    tag: 0,
    spot: NOWHERE,
};

/// Slots of the smallest table that isn't empty.
const LEAST: usize = 16;

impl Table {
    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        size_of::<Slot>() * self.slots.capacity()
    }

    /// The spots whose hash may be this one, first the one that almost always is it.
    #[inline]
    pub fn candidates(&self, hash: u64) -> impl Iterator<Item = Spot> {
        let tag = tag_of(hash);
        let mut at = self.first(tag);
        let slots = std::iter::from_fn(move || {
            let slot = self.slots.get(at).filter(|slot| slot.spot != NOWHERE)?;
            at = (at + 1) & (self.slots.len() - 1);
            Some(*slot)
        });
        slots
            .filter(move |slot| slot.tag == tag)
            .map(|slot| slot.spot)
    }

    /// Adds a spot.
    pub fn insert(&mut self, hash: u64, spot: Spot) {
        if 2 * (self.taken + 1) > self.slots.len() {
            let slots = vec![EMPTY; (2 * self.slots.len()).max(LEAST)];
            let before = std::mem::replace(&mut self.slots, slots);
            for slot in before.into_iter().filter(|slot| slot.spot != NOWHERE) {
                self.put(slot);
            }
        }
        let tag = tag_of(hash);
        self.put(Slot { tag, spot });
        self.taken += 1;
    }

    fn put(&mut self, new: Slot) {
        let mut at = self.first(new.tag);
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.spot == NOWHERE {
                *slot = new;
                return;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// The slot that a tag names. Tags are as good as random: with more slots than tags, they would
    /// only lie further apart.
    #[inline]
    fn first(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.slots.len() as u64) >> 32) as usize
    }
}

#[inline]
fn tag_of(hash: u64) -> u32 {
    (hash >> 32) as u32
}
