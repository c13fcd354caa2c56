//! Everything that can ever happen in a setting: outputs, transactions, who can complete what.

use super::meaning::{self, Kind, Need, Way, kind};
use super::mind::{self, Joint, Signed};
use super::setting::Setting;
use crate::stage::Case;
use bitcoin::absolute::LockTime;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, Transaction, TxIn, TxOut, Wtxid};
use gavel_compiler::commit::Signature;
use gavel_compiler::segment::{ElementId, Trace};
use gavel_compiler::word::{Author, End};
use gavel_verifier::game::{Kit, find_lie};
use gavel_verifier::graph::{ClaimId, DisputeId, Held, Planned, Role, TxName};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

/// A transaction with its witness, by number.
pub type T = u32;
/// An output, by number.
pub type O = u32;

/// Ends the note of a false Claim.
const LIE: &str = "a lie";

/// An output that something can spend.
#[derive(Clone, Debug)]
pub struct Out {
    /// Where it is.
    pub outpoint: OutPoint,
    /// Which transaction makes it, and what for; absent for what Fund spends.
    pub of: Option<(TxName, Role)>,
    /// Its value in satoshis.
    pub value: u64,
    /// The deepest lock that anything may put on it.
    pub longest: u32,
    /// Who alone can spend it, sooner or later, without any lie.
    pub owner: Option<u8>,
}

/// A transaction that may be mined.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name.
    pub name: TxName,
    /// What distinguishes it from others of the name, for people.
    pub note: String,
    /// The transaction.
    pub tx: Rc<Transaction>,
    /// What it spends, and how deep that must be.
    pub ins: Vec<(O, u32)>,
    /// What it makes that can be spent.
    pub outs: Vec<O>,
    /// Inputs less outputs.
    pub fee: u64,
    /// Whether it shows one-time signatures.
    pub shows: bool,
    /// Whether it is a Claim of an outcome that its inputs don't give.
    pub lie: bool,
    /// How it is made.
    pub made: Made,
    /// Something of an honest party's that the coalition needs first.
    pub proof: Option<Proof>,
}

/// How a transaction is made, for whoever wants to make it again with real keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// Of the graph: with signatures only. Or an honest party's.
    Graph,
    /// A Claim with these input words.
    Claim(Vec<u32>),
    /// An Assert of these elements.
    Assert(Vec<Vec<u32>>),
    /// A spend of one output.
    Alone,
}

/// What the coalition can't make itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A lie in an honest party's claim.
    Lie(ClaimId),
    /// An honest claimer's one-time signatures.
    Revealed(u8),
}

/// Outputs and transactions of a setting.
pub struct World {
    /// The setting.
    pub setting: Setting,
    /// The n-of-n's signatures.
    pub joint: Joint,
    outs: Vec<Out>,
    numbers: HashMap<OutPoint, O>,
    items: RefCell<Items>,
    /// What the coalition can complete, by number.
    pub catalog: Vec<T>,
    proven: RefCell<HashMap<(ClaimId, Signed), bool>>,
}

#[derive(Default)]
struct Items {
    all: Vec<Rc<Item>>,
    known: HashMap<Wtxid, T>,
    /// A disproof that pays more is the same disproof.
    disproofs: HashMap<TxName, T>,
}

impl World {
    /// The world of a setting.
    pub fn new(setting: Setting) -> Self {
        let joint = mind::joint(&setting);
        let outs = outs(&setting);
        let numbers = (0..).zip(&outs).map(|(n, out)| (out.outpoint, n)).collect();
        let mut world = Self {
            setting,
            joint,
            outs,
            numbers,
            items: RefCell::default(),
            catalog: vec![],
            proven: RefCell::default(),
        };
        world.catalog = world.coalition();
        world
    }

    /// Leaves the coalition only transactions of these names.
    pub fn limit(&mut self, names: impl Fn(&TxName) -> bool) {
        let mut catalog = std::mem::take(&mut self.catalog);
        catalog.retain(|t| names(&self.item(*t).name));
        self.catalog = catalog;
    }

    /// An output.
    pub fn out(&self, o: O) -> Option<&Out> {
        self.outs.get(o as usize)
    }

    /// All outputs.
    pub fn outs(&self) -> impl Iterator<Item = (O, &Out)> {
        (0..).zip(&self.outs)
    }

    /// A transaction.
    #[allow(clippy::indexing_slicing, reason = "numbers come from `intern` alone")]
    pub fn item(&self, t: T) -> Rc<Item> {
        self.items.borrow().all[t as usize].clone()
    }

    /// A transaction's number. `planned` locks are in its sequences.
    pub fn intern(&self, name: TxName, note: &str, tx: Transaction) -> T {
        let known = self.items.borrow().disproofs.get(&name).copied();
        if let Some(t) = known {
            return t;
        }
        let t = self.intern_with(name, note, tx, Made::Graph, None, 0);
        if matches!(name, TxName::Disprove(..)) {
            self.items.borrow_mut().disproofs.insert(name, t);
        }
        t
    }

    fn intern_with(
        &self,
        name: TxName,
        note: &str,
        tx: Transaction,
        made: Made,
        proof: Option<Proof>,
        depth: u32,
    ) -> T {
        let wtxid = tx.compute_wtxid();
        let mut items = self.items.borrow_mut();
        if let Some(t) = items.known.get(&wtxid) {
            return *t;
        }
        let txid = tx.compute_txid();
        let spent = |txin: &TxIn| {
            let o = self.numbers.get(&txin.previous_output)?;
            let lock = txin
                .sequence
                .to_relative_lock_time()
                .map_or(0, |lock| match lock {
                    bitcoin::relative::LockTime::Blocks(blocks) => u32::from(blocks.value()),
                    bitcoin::relative::LockTime::Time(_) => u32::MAX,
                });
            Some((*o, lock.max(depth)))
        };
        let ins: Vec<(O, u32)> = tx.input.iter().filter_map(spent).collect();
        let outs = (0..tx.output.len() as u32)
            .filter_map(|vout| self.numbers.get(&OutPoint::new(txid, vout)).copied());
        let outs = outs.collect();
        let value = |(o, _): &(O, u32)| self.out(*o).map_or(0, |out| out.value);
        let paid_in: u64 = ins.iter().map(value).sum();
        let paid_out: u64 = tx.output.iter().map(|output| output.value.to_sat()).sum();
        let shows = matches!(
            name,
            TxName::Claim(_) | TxName::Assert(_) | TxName::Disprove(..)
        );
        let t = items.all.len() as T;
        items.known.insert(wtxid, t);
        items.all.push(Rc::new(Item {
            name,
            note: note.to_owned(),
            ins,
            outs,
            fee: paid_in.saturating_sub(paid_out),
            shows: shows && tx.input.iter().any(|txin| txin.witness.len() > 2),
            tx: Rc::new(tx),
            lie: note.ends_with(LIE),
            made,
            proof,
        }));
        t
    }

    /// Whether somebody can show a lie in an honest party's claim, from all that its one-time
    /// keys signed.
    pub fn proves(&self, id: ClaimId, signed: &Signed) -> bool {
        let key = (id, signed.clone());
        if let Some(known) = self.proven.borrow().get(&key) {
            return *known;
        }
        let proven = self.find_lie(id, signed);
        self.proven.borrow_mut().insert(key, proven);
        proven
    }

    fn find_lie(&self, id: ClaimId, signed: &Signed) -> bool {
        let plan = &self.setting.deployment().plan;
        let count = plan.program.inputs.len();
        let signature =
            |digits: &Vec<u8>| Signature(digits.iter().map(|d| ([0; 20], *d)).collect());
        // A digit list without its checksum is all that a disproof's meaning looks at.
        let lists = |id: ElementId| -> Vec<Signature> {
            let own = signed.get(&id.0).into_iter().flatten();
            let shape = plan.elements.get(id.index()).map(|e| e.shape());
            let full = own.filter_map(|digits| Some(padded(signature(digits), shape?.digits())));
            full.collect()
        };
        let frames: BTreeMap<ElementId, Vec<Signature>> = (0..plan.elements.len() as u16)
            .map(|n| (ElementId(n), lists(ElementId(n))))
            .collect();
        let none = Vec::new();
        let mut inputs: Vec<Vec<Signature>> = vec![vec![]];
        for n in 0..count {
            let id = ElementId(n as u16);
            let mut choices = frames.get(&id).unwrap_or(&none).clone();
            if self.setting.rules.reads_authors {
                choices.extend(self.authored(id));
            }
            inputs = inputs
                .iter()
                .flat_map(|set| {
                    choices.iter().map(|choice| {
                        let mut set = set.clone();
                        set.push(choice.clone());
                        set
                    })
                })
                .collect();
        }
        inputs.iter().any(|set| {
            let words = self.words(set);
            let mut trace = self.setting.trace(&words);
            if self.setting.rules.believes_hints {
                trace.end = End::Abort(0);
            }
            let shown = |id| frames.get(&id).unwrap_or(&none).as_slice();
            find_lie(plan, &trace, set, shown, id.k).is_some()
        })
    }

    /// What a rogue author can have signed for an input.
    fn authored(&self, id: ElementId) -> Vec<Signature> {
        let plan = &self.setting.deployment().plan;
        let Some(input) = plan.program.inputs.get(id.index()) else {
            return vec![];
        };
        if !matches!(input.author, Author::Party(p) if self.setting.rogue(p)) {
            return vec![];
        }
        let proofs = self
            .setting
            .provable()
            .map(|case| self.setting.proofs(case));
        proofs
            .filter_map(|proofs| proofs.get(id.index())?.author.clone())
            .collect()
    }

    fn words(&self, inputs: &[Signature]) -> Vec<u32> {
        let plan = &self.setting.deployment().plan;
        let mut words = Vec::new();
        for (element, signature) in plan.elements.iter().zip(inputs) {
            let digits = signature.message(element.shape());
            let read = gavel_compiler::commit::digits_to_words(&digits, &element.digits());
            words.extend(read.unwrap_or_default());
        }
        words
    }
}

/// A message without checksum, filled up to a signature's length.
fn padded(mut signature: Signature, digits: usize) -> Signature {
    signature.0.resize(digits, ([0; 20], 0));
    signature
}

/// Every output of the graph, and what Fund spends.
fn outs(setting: &Setting) -> Vec<Out> {
    let graph = &setting.graph;
    let d = setting.deployment();
    let mut all = Vec::new();
    if let Some(fund) = graph.get(TxName::Fund) {
        for (txin, input) in fund.tx.input.iter().zip(&fund.inputs) {
            all.push(Out {
                outpoint: txin.previous_output,
                of: None,
                value: input.prevout.value.to_sat(),
                longest: 0,
                owner: None,
            });
        }
    }
    let mut longest: BTreeMap<OutPoint, u32> = BTreeMap::new();
    for planned in graph.txs.values() {
        for txin in &planned.tx.input {
            if let Some(bitcoin::relative::LockTime::Blocks(lock)) =
                txin.sequence.to_relative_lock_time()
            {
                let deepest = longest.entry(txin.previous_output).or_default();
                *deepest = (*deepest).max(u32::from(lock.value()));
            }
        }
    }
    for (outpoint, (name, role)) in &graph.outputs {
        let ways = (setting.rules.ways)(d, *name, *role);
        if ways.is_empty() {
            continue;
        }
        let Some((_, output)) = graph.output(*name, *role) else {
            continue;
        };
        let real = meaning::ways(d, *name, *role);
        let timeouts = ways.iter().chain(&real).filter_map(Way::depth);
        let timeouts = timeouts.map(|lock| lock.0);
        let longest = longest.get(outpoint).copied().unwrap_or(0);
        all.push(Out {
            outpoint: *outpoint,
            of: Some((*name, *role)),
            value: output.value().0,
            longest: timeouts.fold(longest, u32::max),
            owner: owner(*name, *role),
        });
    }
    all
}

/// Whose an output is if nobody disputes it.
fn owner(name: TxName, role: Role) -> Option<u8> {
    match (name, role) {
        (_, Role::Bond { c, .. }) => Some(c),
        (_, Role::Stake { v, .. }) => Some(v),
        (TxName::Claim(id), _) => Some(id.c),
        (TxName::Challenge(id) | TxName::Assert(id), _) => Some(id.v),
        (TxName::PayoutLate(id) | TxName::Release(id), _) => Some(id.c),
        _ => None,
    }
}

/// What the coalition can put into a block.
impl World {
    fn coalition(&self) -> Vec<T> {
        let setting = &self.setting;
        let mut all = BTreeSet::new();
        let kits: BTreeMap<u8, RefCell<Kit>> = setting
            .rogues()
            .filter_map(|p| Some((p, RefCell::new(mind::rogue(setting, &self.joint, p)?))))
            .collect();
        for planned in setting.graph.txs.values() {
            if !self.completable(planned) || (setting.pruned && self.pointless(planned.name)) {
                continue;
            }
            match planned.name {
                TxName::Fund if !setting.before_fund => {}
                TxName::Claim(id) if setting.rogue(id.c) => {
                    let Some(kit) = kits.get(&id.c) else { continue };
                    for case in setting.provable() {
                        let proofs = setting.proofs(case);
                        if let Ok(tx) = kit.borrow_mut().claim(id.k, &proofs) {
                            let (note, made) =
                                (self.about(id, case), Made::Claim(case.words.clone()));
                            all.insert(self.intern_with(planned.name, &note, tx, made, None, 0));
                        }
                    }
                }
                TxName::Assert(id) if setting.rogue(id.claim.c) => {
                    let Some(kit) = kits.get(&id.claim.c) else {
                        continue;
                    };
                    for (note, trace) in self.lies() {
                        if let Ok(tx) = kit.borrow_mut().assert(id, &trace.elements) {
                            let made = Made::Assert(trace.elements);
                            all.insert(self.intern_with(planned.name, &note, tx, made, None, 0));
                        }
                    }
                }
                _ => {
                    all.insert(self.intern(planned.name, "", self.finished(planned)));
                }
            }
        }
        if setting.close
            && let Some(k) = setting.truth.outcome
            && let Ok(close) = setting.graph.close(k)
        {
            all.insert(self.intern(TxName::Close, "", close.tx));
        }
        if setting.rules.malleable
            && let Some(fund) = setting.graph.get(TxName::Fund)
        {
            let mut other = fund.tx.clone();
            other.lock_time = LockTime::from_consensus(1);
            all.insert(self.intern(TxName::Fund, "with another id", other));
        }
        for (_, out) in self.outs() {
            all.extend(self.grabs(out));
        }
        all.into_iter().collect()
    }

    /// A claim's inputs in words.
    fn about(&self, id: ClaimId, case: &Case) -> String {
        let truth = if case.outcome == Some(id.k) {
            "true"
        } else {
            LIE
        };
        format!("inputs {:?}, {truth}", case.words)
    }

    /// A transaction of the graph with something for a witness.
    fn finished(&self, planned: &Planned) -> Transaction {
        planned.tx.clone()
    }

    /// Whether the coalition has or gets all that a transaction of the graph wants.
    fn completable(&self, planned: &Planned) -> bool {
        let graph = &self.setting.graph;
        (0..).zip(&planned.tx.input).all(|(n, txin)| {
            let Some((name, role)) = graph.outputs.get(&txin.previous_output) else {
                // Funding inputs: honest parties sign Fund.
                return true;
            };
            let ways = (self.setting.rules.ways)(self.setting.deployment(), *name, *role);
            let kind = kind(planned, n);
            let way = ways.iter().find(|way| Some(way.kind) == kind);
            let shown = |need: &Need| match need {
                // What an honest party signed is put on offer whole, by itself.
                Need::Inputs(c) | Need::Frames(c) => self.setting.rogue(*c),
                _ => true,
            };
            let can = |need: &Need| self.can(*need) && shown(need);
            way.is_some_and(|way| way.needs.iter().all(can))
        })
    }

    /// Whether the coalition can meet a need at all.
    fn can(&self, need: Need) -> bool {
        let setting = &self.setting;
        match need {
            Need::Joint | Need::Depth(_) => true,
            Need::Party(p) => setting.rogue(p),
            Need::AnyBut(c) => setting.rogues().any(|v| v != c),
            // Of its own member anything; of an honest claimer it has to be seen first.
            Need::Inputs(_) | Need::Frames(_) | Need::Lie(..) => true,
        }
    }

    /// Moves among accomplices that only return their own money to them.
    fn pointless(&self, name: TxName) -> bool {
        match name {
            TxName::Assert(id) | TxName::Collect(id, ..) => {
                self.setting.rogue(id.claim.c) && self.setting.rogue(id.v)
            }
            _ => false,
        }
    }

    /// Spends of single outputs that the coalition can make besides the graph's.
    fn grabs(&self, out: &Out) -> Vec<T> {
        let Some((name, role)) = out.of else {
            return vec![];
        };
        let setting = &self.setting;
        let ways = (setting.rules.ways)(setting.deployment(), name, role);
        let free = ways.into_iter().filter(|way| {
            let own = out.owner.is_some_and(|p| setting.rogue(p));
            // Its own bond, stake or permit, spent elsewhere, is only lost to it.
            let harmless = own
                && (matches!(role, Role::Bond { .. } | Role::Stake { .. })
                    || matches!(role, Role::Paid { .. } | Role::Freed { .. }));
            let useless = setting.pruned && harmless;
            !way.wants(Need::Joint) && !useless && way.needs.iter().all(|need| self.can(*need))
        });
        free.map(|way| self.grab(out, name, &way)).collect()
    }

    fn grab(&self, out: &Out, name: TxName, way: &Way) -> T {
        let taker = self.setting.rogues().next().unwrap_or(0);
        let named = match (way.kind, name) {
            (Kind::Disprove, TxName::Claim(claim)) => {
                let accomplice = self.setting.rogues().find(|v| *v != claim.c);
                let v = accomplice.unwrap_or(taker);
                TxName::Disprove(DisputeId { claim, v }, 0)
            }
            (Kind::Timeout, TxName::Challenge(id)) => TxName::Unstake(id, Held::Challenged),
            (Kind::Timeout, TxName::Assert(id)) => TxName::Unstake(id, Held::Staked),
            (Kind::Timeout, TxName::Claim(claim)) => match out.of {
                Some((_, Role::Open { v })) => TxName::Sweep(DisputeId { claim, v }),
                _ => TxName::Reclaim(taker),
            },
            _ => TxName::Reclaim(taker),
        };
        let proof = way.needs.iter().find_map(|need| match need {
            Need::Lie(c, k) if self.setting.is_honest(*c) => {
                Some(Proof::Lie(ClaimId { c: *c, k: *k }))
            }
            Need::Inputs(c) | Need::Frames(c) if self.setting.is_honest(*c) => {
                Some(Proof::Revealed(*c))
            }
            _ => None,
        });
        let payout = self.setting.deployment().parties.get(usize::from(taker));
        let script_pubkey = payout.map(|p| p.payout.clone()).unwrap_or_default();
        let tx = Transaction {
            version: Version(2),
            // Different ways make different transactions.
            lock_time: LockTime::from_consensus(way.kind as u32),
            input: vec![TxIn {
                previous_output: out.outpoint,
                ..TxIn::default()
            }],
            output: vec![TxOut {
                value: Amount::from_sat(out.value / 2),
                script_pubkey,
            }],
        };
        let depth = way.depth().map_or(0, |lock| lock.0);
        let role = out.of.map(|(_, role)| role);
        let note = format!("{role:?} alone, by {:?}", way.kind);
        self.intern_with(named, &note, tx, Made::Alone, proof, depth)
    }

    /// What a rogue may assert: the truth, and one wrong element in each segment; for every
    /// set of inputs.
    fn lies(&self) -> Vec<(String, Trace)> {
        let plan = &self.setting.deployment().plan;
        let mut all = Vec::new();
        for case in self.setting.provable() {
            let trace = self.setting.trace(&case.words);
            for (n, segment) in plan.segments.iter().enumerate() {
                let Some(wrong) = segment.writes.first() else {
                    continue;
                };
                let mut lie = trace.clone();
                if let Some(word) = lie
                    .elements
                    .get_mut(wrong.index())
                    .and_then(|words| words.first_mut())
                {
                    *word ^= 1;
                }
                // Later segments go on from the lie where they can; the first counts.
                all.push((format!("inputs {:?}, segment {n} wrong", case.words), lie));
            }
            all.push((format!("inputs {:?}, frames true", case.words), trace));
        }
        all
    }
}
