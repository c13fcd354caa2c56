//! The steps of a random routine, and how they are built.

use gavel_compiler::word::{Builder, Cell, Delta, Op, Span, Value};

/// A family of cells: the bits of a number, or 0 and words; words of the value and of the key.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    pub number: u16,
    pub bits: u8,
    pub words: usize,
    pub key: usize,
}

const fn family(number: u16, bits: u8, words: usize, key: usize) -> Family {
    Family {
        number,
        bits,
        words,
        key,
    }
}

/// All families. Whose value is a key of people is [`OWNERS`], whose key is one, [`WALLETS`].
pub const FAMILIES: [Family; 10] = [
    family(1, 8, 1, 0),
    family(2, 16, 1, 1),
    family(3, 32, 1, 1),
    family(4, 64, 2, 1),
    family(5, 128, 4, 1),
    family(6, 64, 2, 2),
    family(7, 0, 8, 1),
    family(8, 64, 2, 8),
    // Longer than what fits a leaf.
    family(9, 0, 10, 1),
    family(10, 32, 1, 0),
];
pub const OWNERS: usize = 6;
pub const WALLETS: usize = 7;

/// A word: something computed before, or a constant.
#[derive(Clone, Copy, Debug)]
pub enum Word {
    Pool(u32),
    Const(u32),
}

/// A word of a key. There are four different ones of each.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    Const(u32),
    /// An argument as it is, which is small more often than not.
    Input(u32),
    /// Two low bits of something.
    Low(Word),
    /// Two low bits of the first word of a cell at an input.
    Loaded(usize, u32),
    /// The same where the cell's key is loaded too.
    LoadedTwice(usize, usize, u32),
}

/// A cell. Only [`WALLETS`] has keys of eight words, and those are people.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub family: usize,
    pub key: [Key; 2],
}

/// Operations on two words, and the third.
const BINARY: [fn(Value, Value) -> Op; 14] = [
    Op::Add,
    Op::Sub,
    Op::MulLo,
    Op::MulHi,
    Op::Div,
    Op::Rem,
    Op::And,
    Op::Or,
    Op::Xor,
    Op::Eq,
    Op::Lt,
    |a, _| Op::Not(a),
    |a, _| Op::Rotr(a, 7),
    |a, _| Op::Bswap(a),
];

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    Binary(u32, Word, Word),
    Select(Word, Word, Word),
    Shift(bool, Word, u8),
    MulWide(Vec<Word>, Vec<Word>),
    DivWide(Vec<Word>, Vec<Word>),
    Hash(bool, Word, Word),
    Height,
    Load(Place),
    Store(Option<Word>, Place, Vec<Word>),
    Delta(bool, Option<Word>, Place, [Word; 4]),
    Emit(Option<Word>, u16, Vec<Word>),
    /// If both are equal.
    Abort(Word, Word),
    /// The message, key and signature among the arguments.
    Verify,
}

/// Where parts of the arguments are.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub words: usize,
    /// Words of keys of signers, eight each.
    pub people: usize,
    /// Small words follow them.
    pub small: usize,
    /// Where key, message and signature are, if they are.
    pub proof: Option<usize>,
}

/// Turns steps into operations.
pub struct Maker<'a> {
    pub builder: &'a mut Builder,
    pub inputs: Vec<Value>,
    pub layout: Layout,
    pub pool: Vec<Value>,
}

impl Maker<'_> {
    pub fn step(&mut self, step: &Step) {
        match step {
            Step::Binary(op, a, b) => {
                let (a, b) = (self.word(*a), self.word(*b));
                let op = BINARY[*op as usize % BINARY.len()](a, b);
                self.push(op);
            }
            Step::Select(a, b, c) => {
                let op = Op::Select(self.word(*a), self.word(*b), self.word(*c));
                self.push(op);
            }
            Step::Shift(left, a, by) => {
                let shift = if *left { Op::Shl } else { Op::Shr };
                let op = shift(self.word(*a), *by % 32);
                self.push(op);
            }
            Step::MulWide(a, b) => self.wide(Op::MulWide, a, b),
            Step::DivWide(a, b) => self.wide(Op::DivWide, a, b),
            Step::Hash(sha, a, b) => self.hash(*sha, *a, *b),
            Step::Height => {
                let height = self.builder.height();
                self.pool.push(height);
            }
            Step::Load(place) => {
                let loaded = self.load(*place);
                self.pool.extend(loaded);
            }
            Step::Store(when, place, value) => self.store(*when, *place, value),
            Step::Delta(up, when, place, by) => self.delta(*up, *when, *place, by),
            Step::Emit(when, event, words) => {
                let (when, words) = (self.when(*when), self.all(words));
                self.builder.emit(when, *event, words);
            }
            Step::Abort(a, b) => {
                let equal = Op::Eq(self.word(*a), self.word(*b));
                let equal = self.builder.push(equal);
                let code = self.builder.abort_code("Asked", Span::default());
                self.builder.abort_if(equal, code);
            }
            Step::Verify => self.verify(),
        }
    }

    fn push(&mut self, op: Op) {
        let value = self.builder.push(op);
        self.pool.push(value);
    }

    fn word(&mut self, word: Word) -> Value {
        match word {
            Word::Pool(n) => self.pool[n as usize % self.pool.len()],
            Word::Const(word) => self.builder.constant(word),
        }
    }

    fn all(&mut self, words: &[Word]) -> Vec<Value> {
        words.iter().map(|word| self.word(*word)).collect()
    }

    fn low(&mut self, value: Value, mask: u32) -> Value {
        let mask = self.builder.constant(mask);
        self.builder.push(Op::And(value, mask))
    }

    fn when(&mut self, when: Option<Word>) -> Value {
        match when {
            None => self.builder.constant(1),
            Some(word) => {
                let word = self.word(word);
                self.low(word, 1)
            }
        }
    }

    fn wide(&mut self, op: fn(Vec<Value>, Vec<Value>) -> Op, a: &[Word], b: &[Word]) {
        let op = op(self.all(a), self.all(b));
        let results = self.builder.wide(op);
        self.pool.extend(results);
    }

    fn hash(&mut self, sha: bool, a: Word, b: Word) {
        let (a, b) = (self.word(a), self.word(b));
        let op = match sha {
            true => Op::Sha256 {
                state: [a; 8],
                block: [b; 16],
            },
            false => Op::Blake3 {
                cv: [a; 8],
                block: [b; 16],
                counter: [1, 2],
                block_len: 64,
                flags: 11,
            },
        };
        let words = self.builder.compress(op);
        self.pool.extend(words);
    }

    /// An argument that is small more often than not.
    fn small(&self, n: u32) -> Value {
        let first = self.layout.people * 8;
        self.inputs[first + n as usize % self.layout.small]
    }

    fn key(&mut self, key: Key) -> Value {
        match key {
            Key::Const(word) => self.builder.constant(word % 4),
            Key::Input(n) => self.small(n),
            Key::Low(word) => {
                let word = self.word(word);
                self.low(word, 3)
            }
            Key::Loaded(family, n) => {
                let key = self.small(n);
                self.loaded(family, key)
            }
            Key::LoadedTwice(first, second, n) => {
                let key = self.small(n);
                let key = self.loaded(first, key);
                self.loaded(second, key)
            }
        }
    }

    /// Two low bits of a cell's first word.
    fn loaded(&mut self, family: usize, key: Value) -> Value {
        let family = match FAMILIES[family % FAMILIES.len()] {
            family if family.key < 2 => family,
            _ => FAMILIES[3],
        };
        let cell = Cell {
            family: family.number,
            key: vec![key; family.key],
        };
        let words = self.builder.load(cell, family.words as u16);
        self.low(words[0], 3)
    }

    fn cell(&mut self, place: Place) -> Cell {
        let family = FAMILIES[place.family];
        let key = match family.key {
            8 => self.somebody(place.key[0]),
            n => place.key[..n].iter().map(|key| self.key(*key)).collect(),
        };
        Cell {
            family: family.number,
            key,
        }
    }

    /// A signer, or whoever owns something.
    fn somebody(&mut self, key: Key) -> Vec<Value> {
        let people = self.layout.people;
        if let Key::Input(n) | Key::Const(n) = key
            && people > 0
        {
            let first = n as usize % people * 8;
            return self.inputs[first..first + 8].to_vec();
        }
        let cell = Cell {
            family: FAMILIES[OWNERS].number,
            key: vec![self.key(key)],
        };
        self.builder.load(cell, 8)
    }

    fn load(&mut self, place: Place) -> Vec<Value> {
        let cell = self.cell(place);
        let words = FAMILIES[place.family].words as u16;
        self.builder.load(cell, words)
    }

    /// Numbers are kept within their bits, as every routine from a source does.
    fn store(&mut self, when: Option<Word>, place: Place, value: &[Word]) {
        let family = FAMILIES[place.family];
        let (when, cell) = (self.when(when), self.cell(place));
        let value = value.iter().cycle().take(family.words);
        let value = value.map(|word| {
            let word = self.word(*word);
            match family.bits {
                8 => self.low(word, 0xff),
                16 => self.low(word, 0xffff),
                _ => word,
            }
        });
        let value = value.collect();
        self.builder.store(when, cell, value);
    }

    fn delta(&mut self, up: bool, when: Option<Word>, place: Place, by: &[Word; 4]) {
        let family = FAMILIES[place.family];
        if family.bits == 0 {
            return;
        }
        let name = if up { "Over" } else { "Under" };
        let delta = Delta {
            when: self.when(when),
            cell: self.cell(place),
            amount: self.all(&by[..family.words]),
            bits: family.bits,
            code: self.builder.abort_code(name, Span::default()),
        };
        match up {
            true => self.builder.add(delta),
            false => self.builder.sub(delta),
        }
    }

    fn verify(&mut self) {
        let Some(at) = self.layout.proof else { return };
        let words = |n: usize| self.inputs[at + n];
        let (key, message) = (
            std::array::from_fn(words),
            std::array::from_fn(|n| words(8 + n)),
        );
        let signature = std::array::from_fn(|n| words(16 + n));
        let valid = self.builder.verify(key, message, signature);
        self.pool.push(valid);
    }
}
