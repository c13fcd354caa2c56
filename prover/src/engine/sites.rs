//! Which cells a batch's calls touch: every call's signers' nonces and places, found in memory or
//! brought there.
//!
//! Places whose key depends on other cells are foreseen: computed from what those cells hold before
//! the batch. A call that finds another key when it runs says so.

use super::EngineError;
use super::cells::{Cells, Full, Missing, NOWHERE, Name, Spot};
use super::code::Code;
use super::machine::{Compiled, Machine};
use super::prepare::{Checked, Prepared};
use super::run::Frame;
use crate::backing::Backing;
use gavel_compiler::ledger::NONCES;
use rayon::prelude::*;

/// Calls that one thread looks at in one go.
const PIECE: usize = 128;

/// The cells of each call: first the nonces of its signers, then its places in order.
#[derive(Debug, Default)]
pub struct Sites {
    /// Where each call's spots begin, and one more for the end.
    first: Vec<u32>,
    /// Where each call's amounts begin, and one more for the end.
    first_amount: Vec<u32>,
    /// Spots of cells; once numbered, their numbers in the batch.
    pub spots: Vec<Spot>,
    /// The first two pairs of each cell's value.
    pub held: Vec<[u64; 2]>,
    /// For each change of a call, by how much; all ones if it isn't known or is that or more.
    pub amounts: Vec<u64>,
}

/// How far ahead keys are foreseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foresee {
    /// All keys.
    All,
    /// Only those that follow from the inputs: what runs in order finds the others as it goes.
    Inputs,
}

/// A piece of consecutive calls and what is filled in for them.
struct Piece<'a> {
    calls: std::ops::Range<usize>,
    /// Position of the first spot.
    offset: usize,
    spots: &'a mut [Spot],
    held: &'a mut [[u64; 2]],
    amounts: &'a mut [u64],
}

impl Sites {
    /// The range of a call's spots.
    pub fn of(&self, call: usize) -> std::ops::Range<usize> {
        range(&self.first, call)
    }

    /// The range of a call's amounts.
    pub fn amounts_of(&self, call: usize) -> std::ops::Range<usize> {
        range(&self.first_amount, call)
    }

    /// Finds the cells of all calls.
    pub fn find<B: Backing>(
        machine: &Machine,
        prepared: &Prepared,
        height: u32,
        foresee: Foresee,
        cells: &mut Cells,
        backing: &B,
    ) -> Result<Self, EngineError<B::Error>> {
        let mut sites = Self::sized(machine, prepared)?;
        let levels = match foresee {
            Foresee::All => machine.levels(),
            Foresee::Inputs => 0,
        };
        for level in 0..=levels {
            let missing = sites.fill(machine, prepared, height, level, cells);
            bring(cells, backing, missing, |site, spot, held| {
                if let (Some(slot), Some(own)) =
                    (sites.spots.get_mut(site), sites.held.get_mut(site))
                {
                    (*slot, *own) = (spot, held);
                }
            })?;
        }
        Ok(sites)
    }

    fn sized<E>(machine: &Machine, prepared: &Prepared) -> Result<Self, EngineError<E>> {
        let (mut spots, mut amounts) = (0usize, 0usize);
        let mut sites = Self::default();
        for checked in &prepared.checked {
            sites.first.push(small(spots)?);
            sites.first_amount.push(small(amounts)?);
            if let Some(compiled) = compiled(machine, checked) {
                spots += compiled.entry.signers.len() + compiled.code.places.len();
                amounts += compiled.code.changes.len();
            }
        }
        sites.first.push(small(spots)?);
        sites.first_amount.push(small(amounts)?);
        sites.spots = vec![NOWHERE; spots];
        sites.held = vec![[0; 2]; spots];
        sites.amounts = vec![u64::MAX; amounts];
        Ok(sites)
    }

    /// Fills in the places of one level; those that aren't in memory are given back, with where
    /// their spots belong.
    fn fill(
        &mut self,
        machine: &Machine,
        prepared: &Prepared,
        height: u32,
        level: u8,
        cells: &Cells,
    ) -> Vec<(usize, Missing)> {
        let pieces = self.pieces(prepared.len());
        let tools = || (Frame::default(), Look::default());
        let found = pieces
            .into_par_iter()
            .map_init(tools, |(frame, look), piece| {
                let mut missing = Vec::new();
                let mut site = piece.offset;
                let mut amounts = piece.amounts;
                for n in piece.calls {
                    let (Some(call), Some(checked)) =
                        (prepared.calls.get(n), prepared.checked.get(n))
                    else {
                        continue;
                    };
                    let Some(compiled) = compiled(machine, checked) else {
                        continue;
                    };
                    let code = &compiled.code;
                    let (changes, other) = amounts.split_at_mut(code.changes.len());
                    if level == 0 {
                        look.nonces(site, compiled, &call.arguments);
                    }
                    site += compiled.entry.signers.len();
                    if level <= code.levels {
                        frame.begin(code, &call.arguments, height);
                        let own = site - piece.offset;
                        let held = |place: u32, n: usize| {
                            let spot = piece.spots.get(own + place as usize);
                            spot.map_or(0, |spot| cells.word(*spot, n))
                        };
                        let slice = code.slices.get(usize::from(level));
                        frame.run_slice(code, slice.map_or(&[], |slice| slice), held);
                        look.places(site, code, frame, level);
                        if level == 0 {
                            known_amounts(code, frame, changes);
                        }
                    }
                    site += code.places.len();
                    amounts = other;
                }
                look.find(cells, piece.offset, piece.spots, piece.held, &mut missing);
                missing
            });
        let found: Vec<Vec<(usize, Missing)>> = found.collect();
        found.into_iter().flatten().collect()
    }

    fn pieces(&mut self, calls: usize) -> Vec<Piece<'_>> {
        let mut pieces = Vec::with_capacity(calls / PIECE + 1);
        let (mut spots, mut held) = (&mut self.spots[..], &mut self.held[..]);
        let mut amounts = &mut self.amounts[..];
        let mut begin = 0;
        while begin < calls {
            let end = (begin + PIECE).min(calls);
            let length = |first: &[u32]| {
                let at = |n: usize| first.get(n).copied().unwrap_or(0) as usize;
                (at(begin), at(end) - at(begin))
            };
            let (offset, own) = length(&self.first);
            let (_, changes) = length(&self.first_amount);
            let (mine, rest) = spots.split_at_mut(own);
            let (my_held, rest_held) = held.split_at_mut(own);
            let (known, other) = amounts.split_at_mut(changes);
            (spots, held, amounts) = (rest, rest_held, other);
            pieces.push(Piece {
                calls: begin..end,
                offset,
                spots: mine,
                held: my_held,
                amounts: known,
            });
            begin = end;
        }
        pieces
    }
}

/// Brings cells into memory, and tells for each site where its cell is.
fn bring<B: Backing>(
    cells: &mut Cells,
    backing: &B,
    missing: Vec<(usize, Missing)>,
    mut found: impl FnMut(usize, Spot, [u64; 2]),
) -> Result<(), EngineError<B::Error>> {
    let mut by_path: Vec<&(usize, Missing)> = missing.iter().collect();
    by_path.par_sort_unstable_by(|(_, a), (_, b)| a.path.cmp(&b.path));
    by_path.dedup_by(|(_, a), (_, b)| a.path == b.path);
    let paths: Vec<[u8; 32]> = by_path.iter().map(|(_, missing)| missing.path).collect();
    // Only what was read is brought here: after an error nothing false is in memory.
    let values = backing.load(&paths).map_err(EngineError::Backing)?;
    for ((_, missing), value) in by_path.iter().zip(&values) {
        let spot = cells.insert(missing)?;
        cells.set(spot, value);
    }
    for (site, missing) in &missing {
        if let Some(spot) = cells.find_missing(missing) {
            found(*site, spot, cells.held(spot, missing.words));
        }
    }
    Ok(())
}

/// Brings one cell into memory.
pub fn bring_one<B: Backing>(
    cells: &mut Cells,
    backing: &B,
    name: Name<'_>,
    words: u16,
) -> Result<Spot, EngineError<B::Error>> {
    let hash = cells.hash(name);
    if let Some(spot) = cells.find(hash, name) {
        return Ok(spot);
    }
    let mut spot = NOWHERE;
    let missing = Cells::missing(hash, name, words);
    bring(cells, backing, vec![(0, missing)], |_, found, _| {
        spot = found
    })?;
    Ok(spot)
}

/// Cells that a piece of calls touches, on their way to be found: each step is done for all of
/// them, so that many reads of memory are under way at once.
#[derive(Default)]
struct Look {
    wanted: Vec<Wanted>,
    keys: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Wanted {
    site: u32,
    key: u32,
    length: u16,
    family: u16,
    words: u16,
    hash: u64,
}

impl Look {
    fn want(&mut self, site: usize, family: u16, words: u16, key: impl Iterator<Item = u32>) {
        let begin = self.keys.len();
        self.keys.extend(key);
        self.wanted.push(Wanted {
            site: site as u32,
            key: begin as u32,
            length: (self.keys.len() - begin) as u16,
            family,
            words,
            hash: 0,
        });
    }

    fn nonces(&mut self, site: usize, compiled: &Compiled, arguments: &[u32]) {
        for (n, key) in compiled.entry.keys(arguments).into_iter().enumerate() {
            self.want(site + n, NONCES, 2, key.into_iter());
        }
    }

    fn places(&mut self, site: usize, code: &Code, frame: &Frame, level: u8) {
        let places = code.places.iter().enumerate();
        for (n, place) in places.filter(|(_, place)| place.level == level) {
            let key = place.key.iter().map(|register| frame.get(*register));
            self.want(site + n, place.family, place.words, key);
        }
    }

    /// Finds all of them; `spots` begin at site `offset`. Those that aren't in memory are added
    /// to `missing`.
    fn find(
        &mut self,
        cells: &Cells,
        offset: usize,
        spots: &mut [Spot],
        held: &mut [[u64; 2]],
        missing: &mut Vec<(usize, Missing)>,
    ) {
        for wanted in &mut self.wanted {
            wanted.hash = cells.hash(name(&self.keys, wanted));
        }
        let slot = |wanted: &Wanted| (wanted.site as usize).wrapping_sub(offset);
        for wanted in &self.wanted {
            if let Some(spot) = spots.get_mut(slot(wanted)) {
                *spot = cells.candidate(wanted.hash);
            }
        }
        cells.approach(spots.iter().copied());
        for wanted in &self.wanted {
            let name = name(&self.keys, wanted);
            let at = slot(wanted);
            let (Some(spot), Some(held)) = (spots.get_mut(at), held.get_mut(at)) else {
                continue;
            };
            if *spot == NOWHERE || !cells.is(*spot, name) {
                *spot = cells.find(wanted.hash, name).unwrap_or(NOWHERE);
            }
            if *spot == NOWHERE {
                let found = Cells::missing(wanted.hash, name, wanted.words);
                missing.push((wanted.site as usize, found));
            } else {
                *held = cells.held(*spot, wanted.words);
            }
        }
        self.wanted.clear();
        self.keys.clear();
    }
}

fn name<'a>(keys: &'a [u32], wanted: &Wanted) -> Name<'a> {
    let begin = wanted.key as usize;
    let key = keys.get(begin..begin + usize::from(wanted.length));
    Name {
        family: wanted.family,
        key: key.unwrap_or(&[]),
    }
}

fn known_amounts(code: &Code, frame: &Frame, amounts: &mut [u64]) {
    for (change, slot) in code.changes.iter().zip(amounts) {
        if change.known {
            let amount = frame.number(code.list(change.amount));
            *slot = u64::try_from(amount).unwrap_or(u64::MAX);
        }
    }
}

pub fn compiled<'a>(machine: &'a Machine, checked: &Checked) -> Option<&'a Compiled> {
    match checked {
        Checked::Fits { entry, .. } => machine.compiled(*entry),
        Checked::Refused(_) => None,
    }
}

fn range(first: &[u32], call: usize) -> std::ops::Range<usize> {
    let at = |n: usize| first.get(n).copied().unwrap_or(0) as usize;
    at(call)..at(call + 1)
}

fn small<E>(n: usize) -> Result<u32, EngineError<E>> {
    u32::try_from(n).map_err(|_| EngineError::TooLarge)
}

impl<E> From<Full> for EngineError<E> {
    fn from(_: Full) -> Self {
        Self::TooLarge
    }
}
