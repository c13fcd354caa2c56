//! First walk over a batch, in the order of the calls: nonces, numbers for cells, and what the
//! batch does to each.

use super::cells::{Cells, NOWHERE, Spot};
use super::machine::{Compiled, Machine};
use super::prepare::{Checked, Prepared};
use super::run::UNKNOWN;
use super::sites::{Sites, compiled};
use gavel_compiler::ledger::{Call, Refusal};

/// Calls whose cells are approached at once.
const AHEAD: u32 = 16;

/// What a batch does to one cell, by its number.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// Where the cell is.
    pub spot: Spot,
    /// Words of its value.
    pub words: u16,
    /// The first two pairs of its value before the batch, 0 beyond its words.
    pub held: [u64; 2],
    /// The first call that may touch it.
    pub first: u32,
    /// The last one.
    pub last: u32,
    /// Whether a call may read or store to it.
    pub ordered: bool,
    /// Whether a call may change it.
    pub written: bool,
    /// Bits of the number in it, if it is added to or subtracted from.
    pub bits: u8,
    /// At most this much is added, as far as is known before the calls run.
    pub added: u64,
    /// At most this much is subtracted, as far as is known.
    pub subtracted: u64,
}

impl Use {
    /// A cell that a call is the first to touch.
    pub fn new(spot: Spot, words: u16, held: [u64; 2], call: u32) -> Self {
        Self {
            spot,
            words,
            held,
            first: call,
            last: call,
            ordered: false,
            written: false,
            bits: 0,
            added: 0,
            subtracted: 0,
        }
    }
}

/// The nonce of a signer, by its number.
#[derive(Clone, Copy, Debug)]
pub struct Nonce {
    /// Where its cell is.
    pub spot: Spot,
    /// The next one.
    pub next: u64,
}

/// A batch whose cells have numbers.
#[derive(Debug, Default)]
pub struct Numbered {
    /// By the number of the cell.
    pub uses: Vec<Use>,
    /// The signers' nonces after the batch.
    pub nonces: Vec<Nonce>,
    /// The calls that run, in order.
    pub admitted: Vec<u32>,
    /// The calls that don't, in order.
    pub refused: Vec<(u32, Refusal)>,
}

impl Numbered {
    /// Walks over the calls; in `sites`, spots become numbers.
    pub fn new(
        machine: &Machine,
        prepared: &Prepared,
        sites: &mut Sites,
        cells: &mut Cells,
    ) -> Self {
        cells.begin_batch();
        let mut numbered = Self::default();
        numbered.admitted.reserve(prepared.len());
        for (call, checked) in (0u32..).zip(&prepared.checked) {
            if call % AHEAD == 0 {
                let begin = sites.of(call as usize).start;
                let end = sites.of((call + AHEAD) as usize).start.max(begin);
                let spots = sites.spots.get(begin..end).unwrap_or(&[]);
                cells.approach_numbers(spots.iter().copied());
                approach_nonces(prepared.calls.get(call as usize..).unwrap_or(&[]));
            }
            if let Checked::Refused(refusal) = checked {
                numbered.refused.push((call, refusal.clone()));
                continue;
            }
            let Some(compiled) = compiled(machine, checked) else {
                continue;
            };
            let range = sites.of(call as usize);
            let known = sites.amounts_of(call as usize);
            let held = sites.held.get(range.clone()).unwrap_or(&[]);
            let spots = sites.spots.get_mut(range).unwrap_or_default();
            let signers = compiled.entry.signers.len().min(spots.len());
            let (nonces, places) = spots.split_at_mut(signers);
            if let Err(refusal) = numbered.admit(prepared, call, checked, nonces, held, cells) {
                numbered.refused.push((call, refusal));
                continue;
            }
            numbered.admitted.push(call);
            let held = held.get(signers..).unwrap_or(&[]);
            numbered.touch(compiled, call, places, held, cells);
            let amounts = sites.amounts.get(known).unwrap_or(&[]);
            numbered.sum_up(compiled, places, amounts);
        }
        numbered
    }

    /// Checks the nonces and then what is known of the signatures, as the reference does, and
    /// moves the nonces on.
    fn admit(
        &mut self,
        prepared: &Prepared,
        call: u32,
        checked: &Checked,
        nonces: &mut [Spot],
        held: &[[u64; 2]],
        cells: &mut Cells,
    ) -> Result<(), Refusal> {
        let signatures = prepared.calls.get(call as usize).map(|c| &c.signatures[..]);
        let signatures = signatures.unwrap_or(&[]);
        let signers = nonces.iter_mut().zip(held).zip(signatures);
        for (signer, ((spot, held), signed)) in signers.enumerate() {
            *spot = self.nonce(*spot, *held, cells);
            let nonce = self.nonces.get(*spot as usize);
            let wants = nonce.map_or(0, |nonce| nonce.next);
            let has = signed.nonce;
            // The very last nonce can't be used, for there would be no next one.
            if wants != has || wants == u64::MAX {
                return Err(Refusal::Nonce { signer, wants, has });
            }
        }
        if let Checked::Fits {
            unsigned: Some(signer),
            ..
        } = checked
        {
            let signer = *signer as usize;
            return Err(Refusal::Signature { signer });
        }
        for (number, signed) in nonces.iter().zip(signatures) {
            if let Some(nonce) = self.nonces.get_mut(*number as usize) {
                nonce.next = signed.nonce.saturating_add(1);
            }
        }
        Ok(())
    }

    fn nonce(&mut self, spot: Spot, held: [u64; 2], cells: &mut Cells) -> u32 {
        if let Some(number) = cells.number(spot) {
            return number;
        }
        let number = self.nonces.len() as u32;
        let [next, _] = held;
        self.nonces.push(Nonce { spot, next });
        cells.set_number(spot, number);
        number
    }

    /// Numbers the cells of a call, and remembers what it does to them.
    fn touch(
        &mut self,
        compiled: &Compiled,
        call: u32,
        spots: &mut [Spot],
        held: &[[u64; 2]],
        cells: &mut Cells,
    ) {
        let places = compiled.code.places.iter();
        for ((place, held), spot) in places.zip(held).zip(spots) {
            if *spot == NOWHERE {
                *spot = UNKNOWN;
                continue;
            }
            let number = self.number(*spot, place.words, *held, call, cells);
            *spot = number;
            if let Some(used) = self.uses.get_mut(number as usize) {
                used.last = call;
                used.ordered |= place.ordered;
                used.written |= place.written;
            }
        }
    }

    /// Adds up what a call is known to add to its cells and to subtract from them.
    fn sum_up(&mut self, compiled: &Compiled, numbers: &[u32], amounts: &[u64]) {
        for (change, amount) in compiled.code.changes.iter().zip(amounts) {
            let number = numbers.get(change.place as usize).copied();
            let used = number.and_then(|number| self.uses.get_mut(number as usize));
            if let Some(used) = used {
                used.bits = change.bits;
                // What isn't known is hoped to fit; the batch's end tells.
                let amount = if change.known { *amount } else { 0 };
                let sum = if change.adds {
                    &mut used.added
                } else {
                    &mut used.subtracted
                };
                *sum = sum.saturating_add(amount);
            }
        }
    }

    fn number(
        &mut self,
        spot: Spot,
        words: u16,
        held: [u64; 2],
        call: u32,
        cells: &mut Cells,
    ) -> u32 {
        if let Some(number) = cells.number(spot) {
            return number;
        }
        let number = self.uses.len() as u32;
        self.uses.push(Use::new(spot, words, held, call));
        cells.set_number(spot, number);
        number
    }
}

/// See [`Cells::approach`].
fn approach_nonces(calls: &[Call]) {
    let first = calls.iter().map(|call| call.signatures.first());
    let nonces = first.map(|signed| signed.map_or(0, |signed| signed.nonce));
    std::hint::black_box(
        nonces
            .take(AHEAD as usize)
            .fold(0, |all, nonce| all ^ nonce),
    );
}
