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
const PIECE: usize = 512;

/// The cells of each call: first the nonces of its signers, then its places in order.
#[derive(Debug, Default)]
pub struct Sites {
    /// Where each call's spots begin, and one more for the end.
    first: Vec<u32>,
    /// Where each call's amounts begin, and one more for the end.
    first_amount: Vec<u32>,
    /// Spots of cells; once numbered, their numbers in the batch.
    pub spots: Vec<Spot>,
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
            bring(cells, backing, missing, &mut sites.spots)?;
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
        let found = pieces
            .into_par_iter()
            .map_init(Frame::default, |frame, piece| {
                let mut missing = Vec::new();
                let mut spots = piece.spots;
                let mut amounts = piece.amounts;
                let mut offset = piece.offset;
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
                    let signers = compiled.entry.signers.len();
                    let (own, rest) = spots.split_at_mut(signers + code.places.len());
                    let (changes, other) = amounts.split_at_mut(code.changes.len());
                    let (nonces, places) = own.split_at_mut(signers);
                    let mut look = Look {
                        cells,
                        missing: &mut missing,
                        offset,
                    };
                    if level == 0 {
                        look.nonces(compiled, &call.arguments, nonces);
                    }
                    if level <= code.levels() {
                        frame.begin(code, &call.arguments, height);
                        look.offset = offset + signers;
                        look.places(code, frame, level, places);
                        if level == 0 {
                            known_amounts(code, frame, changes);
                        }
                    }
                    offset += signers + places.len();
                    (spots, amounts) = (rest, other);
                }
                missing
            });
        let found: Vec<Vec<(usize, Missing)>> = found.collect();
        found.into_iter().flatten().collect()
    }

    fn pieces(&mut self, calls: usize) -> Vec<Piece<'_>> {
        let mut pieces = Vec::with_capacity(calls / PIECE + 1);
        let (mut spots, mut amounts) = (&mut self.spots[..], &mut self.amounts[..]);
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
            let (known, other) = amounts.split_at_mut(changes);
            (spots, amounts) = (rest, other);
            pieces.push(Piece {
                calls: begin..end,
                offset,
                spots: mine,
                amounts: known,
            });
            begin = end;
        }
        pieces
    }
}

/// Brings cells into memory, and fills in where they are.
fn bring<B: Backing>(
    cells: &mut Cells,
    backing: &B,
    missing: Vec<(usize, Missing)>,
    spots: &mut [Spot],
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
        if let Some(slot) = spots.get_mut(*site) {
            *slot = cells.find_missing(missing).unwrap_or(NOWHERE);
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
    let mut spot = [NOWHERE];
    let missing = Cells::missing(hash, name, words);
    bring(cells, backing, vec![(0, missing)], &mut spot)?;
    let [spot] = spot;
    Ok(spot)
}

/// Looks cells up for one call.
struct Look<'a> {
    cells: &'a Cells,
    missing: &'a mut Vec<(usize, Missing)>,
    offset: usize,
}

impl Look<'_> {
    fn nonces(&mut self, compiled: &Compiled, arguments: &[u32], spots: &mut [Spot]) {
        let keys = compiled.entry.keys(arguments);
        for (n, (key, spot)) in keys.iter().zip(spots).enumerate() {
            let name = Name {
                family: NONCES,
                key,
            };
            *spot = self.find(name, 2, n);
        }
    }

    fn places(&mut self, code: &Code, frame: &mut Frame, level: u8, spots: &mut [Spot]) {
        if let Some(slice) = code.slices.get(usize::from(level)) {
            let held = |place: u32, n: usize| {
                let spot = spots.get(place as usize).copied().unwrap_or(NOWHERE);
                self.cells.value(spot).get(n).copied().unwrap_or(0)
            };
            frame.run_slice(code, slice, held);
        }
        for (n, (place, spot)) in code.places.iter().zip(spots).enumerate() {
            if place.level == level {
                let key = frame.words(&place.key);
                let name = Name {
                    family: place.family,
                    key: &key,
                };
                *spot = self.find(name, place.words, n);
            }
        }
    }

    fn find(&mut self, name: Name<'_>, words: u16, n: usize) -> Spot {
        let hash = self.cells.hash(name);
        let found = self.cells.find(hash, name);
        found.unwrap_or_else(|| {
            let missing = Cells::missing(hash, name, words);
            self.missing.push((self.offset + n, missing));
            NOWHERE
        })
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
