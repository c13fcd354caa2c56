//! Cases: numbers within bounds, drawn with a taste for edges.
//!
//! A variable is a row of *atoms*, numbers that can be chosen and shrunk one by one: an
//! integer is one, bytes are one each, an option is a tag and what it may hold.

use crate::people;
use crate::types::Ty;
use crate::types::typed::{EnumDef, Variable};
use crate::value::pack;

/// A seeded generator (splitmix64, by Steele, Lea and Flood): not for secrets.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of `0..n`, 0 if there is none.
    fn below(&mut self, n: u64) -> u64 {
        self.next().checked_rem(n).unwrap_or(0)
    }
}

/// What an atom can be: `low..=high`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub low: u64,
    pub high: u64,
}

/// The atoms of all variables of a property, one variable after the other.
#[derive(Debug)]
pub(super) struct Atoms {
    variables: Vec<Ty>,
    bounds: Vec<Bounds>,
}

impl Atoms {
    pub fn new(variables: &[Variable], enums: &[EnumDef]) -> Self {
        let mut bounds = Vec::new();
        for variable in variables {
            match variable.range {
                Some([low, high]) => bounds.push(Bounds { low, high }),
                None => bounds_of(&variable.ty, enums, &mut bounds),
            }
        }
        let variables = variables.iter().map(|v| v.ty.clone()).collect();
        Self { variables, bounds }
    }

    pub fn is_empty(&self) -> bool {
        self.bounds.is_empty()
    }

    pub fn bounds(&self) -> &[Bounds] {
        &self.bounds
    }

    /// Case number `n`: the first has all at its least, the second all at its most.
    pub fn draw(&self, n: u32, random: &mut Random) -> Vec<u64> {
        let mut case: Vec<u64> = Vec::with_capacity(self.bounds.len());
        // Some cases are of one kind throughout: rows of zeros, of equal numbers.
        let mood = random.below(8);
        for bounds in &self.bounds {
            let Bounds { low, high } = *bounds;
            let atom = match (n, mood) {
                (0, _) => low,
                (1, _) => high,
                (_, 0) => random.choose(*bounds, &case, 2),
                (_, 1) => random.choose(*bounds, &[], 2),
                _ => random.choose(*bounds, &case, 8),
            };
            case.push(atom);
        }
        case
    }

    /// The words of each variable.
    pub fn words(&self, case: &[u64]) -> Vec<Vec<u32>> {
        let mut atoms = case.iter().copied();
        self.variables
            .iter()
            .map(|ty| {
                let mut words = Vec::new();
                words_of(ty, &mut atoms, &mut words);
                words
            })
            .collect()
    }
}

impl Random {
    /// One in `rarely` is an edge or a number from before; the others are near or far.
    fn choose(&mut self, bounds: Bounds, before: &[u64], rarely: u64) -> u64 {
        let Bounds { low, high } = bounds;
        let size = high.saturating_sub(low).saturating_add(1);
        if self.below(rarely) == 0 {
            let again = self.below(before.len() as u64) as usize;
            let again = before.get(again).copied().unwrap_or(low);
            let edges = [
                low,
                high,
                low.saturating_add(1),
                high.saturating_sub(1),
                again,
            ];
            let at = self.below(edges.len() as u64) as usize;
            return edges.get(at).copied().unwrap_or(low).clamp(low, high);
        }
        let offset = match self.below(4) {
            // As many digits as it likes.
            0 => self.next().checked_shr(self.below(64) as u32).unwrap_or(0) % size,
            1 => self.below(16) % size,
            _ => self.next() % size,
        };
        low.saturating_add(offset).min(high)
    }
}

fn bounds_of(ty: &Ty, enums: &[EnumDef], all: &mut Vec<Bounds>) {
    let high = match ty {
        Ty::Error | Ty::Never | Ty::Unit | Ty::Vault(_) | Ty::Map(..) => return,
        Ty::Bool => 1,
        Ty::U8 => u64::from(u8::MAX),
        Ty::U16 => u64::from(u16::MAX),
        Ty::U32 | Ty::Height => u64::from(u32::MAX),
        Ty::U64 | Ty::Sats => u64::MAX,
        // In two halves.
        Ty::U128 => {
            let half = Bounds {
                low: 0,
                high: u64::MAX,
            };
            all.extend([half; 2]);
            return;
        }
        Ty::Enum(e) => {
            let variants = enums.get(*e).map_or(1, |e| e.variants.len());
            (variants as u64).saturating_sub(1)
        }
        // The people of tests, so that two keys are often the same.
        Ty::Pubkey => (people::PEOPLE.len() as u64).saturating_sub(1),
        Ty::Hash | Ty::Signature | Ty::Bytes(_) => {
            let length = ty.byte_len().unwrap_or(0) as usize;
            let byte = Bounds { low: 0, high: 255 };
            all.extend(std::iter::repeat_n(byte, length));
            return;
        }
        Ty::Array(element, n) => {
            for _ in 0..*n {
                bounds_of(element, enums, all);
            }
            return;
        }
        Ty::Option(inner) => {
            all.push(Bounds { low: 0, high: 1 });
            return bounds_of(inner, enums, all);
        }
        Ty::Struct(_) | Ty::Tuple(_) => {
            for (_, part) in ty.parts() {
                bounds_of(part, enums, all);
            }
            return;
        }
        // Each variant has atoms of its own.
        Ty::Data(of) => {
            let high = (of.variants.len() as u64).saturating_sub(1);
            all.push(Bounds { low: 0, high });
            for (_, data) in &of.variants {
                bounds_of(data, enums, all);
            }
            return;
        }
    };
    all.push(Bounds { low: 0, high });
}

fn words_of(ty: &Ty, atoms: &mut impl Iterator<Item = u64>, words: &mut Vec<u32>) {
    let mut atom = || atoms.next().unwrap_or(0);
    match ty {
        Ty::Error | Ty::Never | Ty::Unit | Ty::Vault(_) | Ty::Map(..) => {}
        Ty::Bool | Ty::U8 | Ty::U16 | Ty::U32 | Ty::Height | Ty::Enum(_) => {
            words.push(atom() as u32);
        }
        Ty::U64 | Ty::Sats => {
            let n = atom();
            words.extend([n as u32, (n >> 32) as u32]);
        }
        Ty::U128 => {
            for half in [atom(), atom()] {
                words.extend([half as u32, (half >> 32) as u32]);
            }
        }
        Ty::Struct(_) | Ty::Tuple(_) => {
            for (_, part) in ty.parts() {
                words_of(part, atoms, words);
            }
        }
        Ty::Pubkey => {
            let name = people::PEOPLE.get(atom() as usize);
            let key = name.and_then(|name| people::key(name));
            words.extend(key.unwrap_or_default());
        }
        Ty::Hash | Ty::Signature | Ty::Bytes(_) => {
            let length = ty.byte_len().unwrap_or(0);
            let bytes: Vec<u8> = (0..length).map(|_| atom() as u8).collect();
            words.extend(pack(&bytes));
        }
        Ty::Data(of) => {
            let tag = atom() as u32;
            let mut whole = vec![tag];
            for (n, (_, data)) in of.variants.iter().enumerate() {
                let mut held = Vec::new();
                words_of(data, atoms, &mut held);
                if n == tag as usize {
                    whole.extend(held);
                }
            }
            whole.resize(ty.words(), 0);
            words.extend(whole);
        }
        Ty::Array(element, n) => (0..*n).for_each(|_| words_of(element, atoms, words)),
        Ty::Option(inner) => {
            let tag = atom() as u32;
            let mut held = Vec::new();
            words_of(inner, atoms, &mut held);
            words.push(tag);
            // A blank option has one form.
            words.extend(held.iter().map(|word| word * tag));
        }
    }
}
