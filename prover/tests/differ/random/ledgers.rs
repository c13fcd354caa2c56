//! Random entries, and states that they start from.

use super::steps::{FAMILIES, Family, Key, Layout, Maker, OWNERS, Place, Step, WALLETS, Word};
use super::{percent, person, pick};
use gavel_compiler::ledger::{CellId, Entry, Signer, State};
use gavel_compiler::value::ValueType;
use gavel_compiler::word::{Author, Builder, InputElement};
use gavel_prover::workload::Random;

/// What an entry is made from.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub name: String,
    /// Who signs: arguments first, then perhaps somebody by name.
    pub signers: usize,
    pub fixed: Option<u32>,
    /// Whether it takes something that somebody signed.
    pub proof: bool,
    pub steps: Vec<Step>,
}

impl Recipe {
    /// The types of its arguments.
    pub fn arguments(&self) -> Vec<(String, ValueType)> {
        let people = (0..self.signers).map(|_| ValueType::Pubkey);
        let rest = [
            ValueType::U32,
            ValueType::U32,
            ValueType::U32,
            ValueType::U64,
            ValueType::Bool,
        ];
        let proof = [ValueType::Pubkey, ValueType::Hash, ValueType::Signature];
        let proof = proof.into_iter().filter(|_| self.proof);
        let all = people.chain(rest).chain(proof).enumerate();
        all.map(|(n, ty)| (format!("a{n}"), ty)).collect()
    }

    /// Where they are.
    pub fn layout(&self) -> Layout {
        let words = 8 * self.signers + 6;
        Layout {
            words: words + if self.proof { 32 } else { 0 },
            people: self.signers,
            small: 3,
            proof: self.proof.then_some(words),
        }
    }

    pub fn entry(&self) -> Entry {
        let layout = self.layout();
        let mut builder = Builder::new();
        let inputs = builder.input(InputElement {
            name: "arguments".to_owned(),
            words: vec![8; layout.words],
            author: Author::Anyone,
            optional: false,
        });
        let begin = 8 * self.signers;
        let mut maker = Maker {
            pool: inputs[begin..begin + 6].to_vec(),
            builder: &mut builder,
            inputs,
            layout,
        };
        for step in &self.steps {
            maker.step(step);
        }
        let own = (0..self.signers).map(|n| Signer::Argument { first: 8 * n });
        let fixed = self.fixed.map(|n| Signer::Key(person(n)));
        Entry {
            name: self.name.clone(),
            arguments: self.arguments(),
            signers: own.chain(fixed).collect(),
            routine: builder.finish_routine(),
        }
    }
}

/// The entries of a ledger: all over a few families, so that they meet.
pub fn recipes(random: &mut Random) -> Vec<Recipe> {
    let mut own: Vec<usize> = (0..2 + random.below(3))
        .map(|_| random.below(FAMILIES.len() as u64) as usize)
        .collect();
    if percent(random, 30) {
        own.extend([OWNERS, WALLETS]);
    }
    // Whether changes of cells are mostly sums, which is what most ledgers do.
    let sums = percent(random, 40);
    let signed = percent(random, 60);
    let count = 1 + random.below(4);
    let recipe = |n| {
        let signers = if signed {
            pick(random, &[0, 1, 1, 2])
        } else {
            0
        };
        let fixed = (signed && percent(random, 15)).then(|| random.index(4));
        let proof = percent(random, 8);
        let length = 1 + random.below(if sums { 6 } else { 12 });
        let steps = (0..length).map(|_| step(random, &own, sums, proof));
        Recipe {
            name: format!("entry{n}"),
            signers,
            fixed,
            proof,
            steps: steps.collect(),
        }
    };
    (0..count).map(recipe).collect()
}

fn word(random: &mut Random) -> Word {
    match random.below(8) {
        0..5 => Word::Pool(random.index(64)),
        5 | 6 => Word::Const(random.index(3)),
        _ => Word::Const(random.word() as u32),
    }
}

fn words(random: &mut Random, most: u64) -> Vec<Word> {
    (0..=random.below(most)).map(|_| word(random)).collect()
}

fn when(random: &mut Random) -> Option<Word> {
    percent(random, 30).then(|| word(random))
}

fn key(random: &mut Random, own: &[usize]) -> Key {
    match random.below(20) {
        0..6 => Key::Const(random.index(4)),
        6..14 => Key::Input(random.index(3)),
        14..17 => Key::Low(word(random)),
        17 | 18 => Key::Loaded(pick(random, own), random.index(3)),
        _ => Key::LoadedTwice(pick(random, own), pick(random, own), random.index(3)),
    }
}

fn place(random: &mut Random, own: &[usize]) -> Place {
    Place {
        family: pick(random, own),
        key: [key(random, own), key(random, own)],
    }
}

/// Amounts that often lead near a bound, and seldom over it.
fn amount(random: &mut Random) -> [Word; 4] {
    let small = Word::Const(random.index(4));
    let zero = Word::Const(0);
    match random.below(12) {
        0..5 => [small, zero, zero, zero],
        // The last but one argument: a number of 64 bits.
        5..9 => [Word::Pool(3), Word::Pool(4), zero, zero],
        9 => [zero, small, zero, zero],
        // What was loaded before, if anything was: the amount isn't known before.
        10 => [Word::Pool(6 + random.index(12)), zero, zero, zero],
        _ => match random.below(3) {
            0 => [Word::Const(u32::MAX); 4],
            1 => [word(random), word(random), zero, zero],
            _ => [word(random), zero, zero, word(random)],
        },
    }
}

fn step(random: &mut Random, own: &[usize], sums: bool, proof: bool) -> Step {
    let kind = match sums {
        true => pick(random, &[3, 4, 8, 8, 8, 8, 8, 8, 9, 6, 0]),
        false => random.below(13),
    };
    match kind {
        0 | 1 => Step::Binary(random.index(14), word(random), word(random)),
        2 => match random.below(6) {
            0 => Step::MulWide(words(random, 4), words(random, 4)),
            1 => Step::DivWide(words(random, 4), words(random, 4)),
            2 => Step::Hash(random.below(2) == 0, word(random), word(random)),
            3 => Step::Select(word(random), word(random), word(random)),
            4 => Step::Shift(random.below(2) == 0, word(random), random.below(32) as u8),
            _ => Step::Height,
        },
        3 if proof => Step::Verify,
        3..6 => Step::Load(place(random, own)),
        6 | 7 => Step::Store(when(random), place(random, own), words(random, 10)),
        8..11 => Step::Delta(
            percent(random, 60),
            when(random),
            place(random, own),
            amount(random),
        ),
        11 => Step::Emit(when(random), random.index(3) as u16, words(random, 5)),
        _ => Step::Abort(word(random), Word::Const(random.index(30))),
    }
}

/// A state in which numbers are small, or near their most.
pub fn state(random: &mut Random) -> State {
    let mut state = State::new();
    for (n, family) in FAMILIES.iter().enumerate() {
        for _ in 0..random.below(7) {
            let key = match family.key {
                8 => person(random.index(4)).to_vec(),
                n => (0..n).map(|_| random.index(4)).collect(),
            };
            let value = match n {
                OWNERS => person(random.index(4)).to_vec(),
                _ => value(random, family),
            };
            let family = family.number;
            state.set(CellId { family, key }, value);
        }
    }
    state
}

fn value(random: &mut Random, family: &Family) -> Vec<u32> {
    if family.bits == 0 {
        return (0..family.words).map(|_| random.index(5)).collect();
    }
    let most = u128::MAX >> (128 - u32::from(family.bits));
    let number = match random.below(4) {
        0 => u128::from(random.below(4)),
        1 => most - u128::from(random.below(20)),
        2 => u128::from(random.below(200)),
        _ => most / 2,
    };
    let words = (0..family.words).map(|n| (number >> (32 * n)) as u32);
    words.collect()
}
