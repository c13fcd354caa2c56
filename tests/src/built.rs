//! Contracts built by hand, without source: as small or as long as a test wants them.

use crate::stage::{Case, Stage};
use gavel_compiler::contract::{Arm, Coin, Contract};
use gavel_compiler::segment::{Budget, SegmentError, plan};
use gavel_compiler::units::{Blocks, Sats, Weight};
use gavel_compiler::word::{Author, Builder, End, InputElement, Op, Span, run};

/// Names of the parties.
const NAMES: [&str; 5] = ["alice", "bob", "carol", "dave", "erin"];
/// Above this, an input makes `settle` abort.
const LIMIT: u32 = 200;
/// What each party stakes on the outcome.
const STAKE: u64 = 20_000;

/// A contract of `n` parties and `outcomes` outcomes: inputs, rounds of mixing, the outcome.
#[derive(Clone, Copy, Debug)]
pub struct Built {
    /// Parties, 2 to 5.
    pub n: u8,
    /// Outcomes, a power of two.
    pub outcomes: u8,
    /// Rounds of mixing between inputs and outcome.
    pub rounds: u32,
    /// What a leaf may weigh.
    pub weight: u64,
    /// Whether there is an input that nobody vouches for.
    pub free: bool,
    /// How many inputs, of one byte each, `author` vouches for. Above 200 each aborts.
    pub vouched: u8,
    /// The party that vouches.
    pub author: u8,
    /// Words revealed by one leaf, at most.
    pub group_words: usize,
    /// The refund lock.
    pub refund_after: Blocks,
}

impl Built {
    /// Two parties, two outcomes, one leaf; the second party vouches for one of two inputs.
    pub const PLAIN: Self = Self {
        n: 2,
        outcomes: 2,
        rounds: 4,
        weight: 400_000,
        free: true,
        vouched: 1,
        author: 1,
        group_words: usize::MAX,
        refund_after: Blocks(1_008),
    };

    /// The contract, cut into leaves, with cases for every outcome and an abort.
    ///
    /// # Errors
    /// [`SegmentError`] if it can't be cut within `weight`.
    pub fn try_stage(&self) -> Result<Stage, SegmentError> {
        let contract = self.contract();
        let mut budget = Budget {
            max_leaf_weight: Weight(self.weight),
            ..Budget::default()
        };
        budget.group_words = budget.group_words.min(self.group_words);
        let plan = plan(&contract.program, &budget)?;
        let words = |x: u32, m: u32| {
            let free = self.free.then_some(x);
            let vouched = (0..u32::from(self.vouched)).map(|n| m + n);
            free.into_iter().chain(vouched).collect::<Vec<u32>>()
        };
        let case = |x: u32, m: u32| {
            let words = words(x, m);
            let outcome = match run(&contract.program, &words).end {
                End::Outcome(k) => Some(k as u8),
                End::Abort(_) => None,
            };
            let name = format!("{x} {m}");
            Case {
                name,
                words,
                outcome,
            }
        };
        let usual = (0..20).map(|x| case(x, if self.free { 100 } else { 100 + x }));
        let cases = std::iter::once(case(5, LIMIT + 50)).chain(usual).collect();
        Ok(Stage {
            contract,
            plan,
            terms: Default::default(),
            cases,
            node: Default::default(),
        })
    }

    /// As [`Self::try_stage`].
    ///
    /// # Panics
    /// If it can't be cut within `weight`.
    #[allow(clippy::panic, reason = "a test's own contract")]
    pub fn stage(&self) -> Stage {
        match self.try_stage() {
            Ok(stage) => stage,
            Err(error) => panic!("{self:?}: {error}"),
        }
    }

    fn contract(&self) -> Contract {
        let mut b = Builder::new();
        let input = |name: String, digits, author| InputElement {
            name,
            words: vec![digits],
            author,
            optional: false,
        };
        let mut words = Vec::new();
        if self.free {
            words.extend(b.input(input("x".into(), 8, Author::Anyone)));
        }
        let mut vouched = Vec::new();
        for n in 0..self.vouched {
            let name = if n == 0 { "m".into() } else { format!("m{n}") };
            vouched.extend(b.input(input(name, 2, Author::Party(self.author))));
        }
        let code = b.abort_code("TooBig", Span::default());
        let limit = b.constant(LIMIT);
        for word in &vouched {
            let big = b.push(Op::Lt(limit, *word));
            b.abort_if(big, code);
        }
        words.extend(vouched);
        let mut words = words.into_iter();
        let mut v = words.next().unwrap_or_else(|| b.constant(0));
        for word in words {
            v = b.push(Op::Xor(v, word));
        }
        for i in 0..self.rounds {
            let r = b.push(Op::Rotr(v, 7));
            let c = b.constant(0x9e37_79b9_u32.wrapping_add(i));
            let a = b.push(Op::Add(r, c));
            v = b.push(Op::Xor(a, v));
        }
        // The outcome: the top bits, where there are enough outcomes for all their values.
        let bits = self.outcomes.ilog2() as u8;
        let k = b.push(Op::Shr(v, 32 - bits));
        let names = (0..self.outcomes).map(|k| format!("K{k}")).collect();
        let program = b.finish(k, names);
        let parties = NAMES.iter().take(usize::from(self.n));
        Contract {
            name: format!("Built{}x{}", self.n, self.outcomes),
            id: [self.n; 32],
            parties: parties.map(|name| (*name).to_owned()).collect(),
            attestors: vec![],
            coin: self.coin(),
            inputs: vec![],
            program,
        }
    }

    fn coin(&self) -> Coin {
        let pot = STAKE * u64::from(self.n);
        let arm = |party, amount| Arm {
            party,
            amount: Sats(amount),
        };
        let pay = |k: u8| {
            let (first, second) = (k % self.n, (k + 1) % self.n);
            vec![arm(first, pot - 6_000), arm(second, 6_000)]
        };
        Coin {
            name: "pot".into(),
            fund: (0..self.n).map(|_| Sats(STAKE)).collect(),
            pay: (0..self.outcomes).map(pay).collect(),
            refund_after: self.refund_after,
            refund: (0..self.n).map(|party| arm(party, STAKE)).collect(),
        }
    }
}
