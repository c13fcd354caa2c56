//! Balance sheets: who paid and got what, twice: read off the chain's outputs, and computed
//! from the names of the confirmed transactions by the protocol's rules.

use crate::game::PlayError;
use bitcoin::{OutPoint, ScriptBuf, Transaction, Txid, Witness};
use gavel_compiler::units::{Height, Sats, VBytes, Weight};
use gavel_regtest::Node;
use gavel_verifier::graph::{DUST, DisputeId, Graph, Held, Permit, Planned, Role, TxName};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A confirmed transaction of a game.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TxRow {
    /// Its name, for people.
    pub name: String,
    /// Its name.
    pub id: TxName,
    /// Its id.
    pub txid: Txid,
    /// Virtual size as mined.
    pub vbytes: VBytes,
    /// Virtual size as predicted from the graph.
    pub predicted_vbytes: VBytes,
    /// What miners got.
    pub fee: Sats,
    /// Its block.
    pub height: Height,
}

/// One party's line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SheetRow {
    /// Its name.
    pub party: String,
    /// Whether it played by the rules.
    pub honest: bool,
    /// What Fund took from it.
    pub paid_in: Sats,
    /// What the game gave it, in outputs to its script.
    pub got: Sats,
    /// Fees and anchors of the transactions that were its to pay, its share of Fund's
    /// included.
    pub fees: Sats,
    /// What it should have got, by the rules, given which transactions were confirmed.
    pub expected: Sats,
    /// What the contract promises it of the pot, whatever was paid: under the true outcome,
    /// or the refund where no true claim was made.
    pub promised: Sats,
    /// The least an honest party may get: what it paid in and what it was promised, less what
    /// it staked on the pot and its fees.
    pub at_least: Sats,
}

/// How the vault must be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// To the arms of the true outcome.
    Outcome(u8),
    /// To the refund arms.
    Refund,
    /// To the arms of a lie, because nobody watched; the truth was due.
    Robbed {
        /// What was due.
        truth: u8,
        /// What is paid.
        lie: u8,
    },
}

impl Due {
    /// What is paid in the end.
    fn paid(self) -> Self {
        match self {
            Self::Robbed { lie, .. } => Self::Outcome(lie),
            other => other,
        }
    }

    /// What each party was promised of the pot.
    fn arms(self, graph: &Graph) -> BTreeMap<u8, u64> {
        let coin = &graph.deployment.contract.coin;
        let arms = match self {
            Self::Outcome(k) | Self::Robbed { truth: k, .. } => coin.pay.get(usize::from(k)),
            Self::Refund => Some(&coin.refund),
        };
        let mut sums = BTreeMap::new();
        for arm in arms.into_iter().flatten() {
            *sums.entry(arm.party).or_insert(0) += arm.amount.0;
        }
        sums
    }
}

/// All parties' lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sheet {
    /// By party index.
    pub rows: Vec<SheetRow>,
}

impl Sheet {
    /// What must hold in every game.
    ///
    /// # Errors
    /// A sentence about the first party for whom it doesn't.
    pub fn check(&self) -> Result<(), String> {
        for row in &self.rows {
            if row.got != row.expected {
                return Err(format!(
                    "{} got {}, the rules give {}",
                    row.party, row.got, row.expected
                ));
            }
            if row.honest && row.got < row.at_least {
                return Err(format!(
                    "{} is honest and got {}, less than the {} it was promised",
                    row.party, row.got, row.at_least
                ));
            }
        }
        Ok(())
    }

    /// A party's line, by name.
    pub fn of(&self, party: &str) -> Option<&SheetRow> {
        self.rows.iter().find(|row| row.party == party)
    }
}

impl SheetRow {
    /// Got minus paid in.
    pub fn net(&self) -> i64 {
        self.got.0 as i64 - self.paid_in.0 as i64
    }
}

/// The blocks of a game.
fn history(node: &Node, start: Height) -> Result<Vec<(Height, Transaction)>, PlayError> {
    let tip = node.rpc().height()?;
    let mut all = Vec::new();
    let mut from = start.0 + 1;
    while from <= tip {
        let to = tip.min(from + 499);
        for (height, block) in (from..).zip(node.rpc().blocks(from..=to)?) {
            all.extend(block.txdata.into_iter().map(|tx| (Height(height), tx)));
        }
        from = to + 1;
    }
    Ok(all)
}

/// Every confirmed transaction that belongs to the graph or spends from it, in order.
pub fn tx_rows(node: &Node, graph: &Graph, start: Height) -> Result<Vec<TxRow>, PlayError> {
    let mut rows = Vec::new();
    for (height, tx) in history(node, start)? {
        let txid = tx.compute_txid();
        let named = graph.names.get(&txid).and_then(|name| graph.get(*name));
        let own = || own_tx(graph, &tx);
        let Some(planned) = named.cloned().or_else(own) else {
            continue;
        };
        let fee = planned.value_in().0.saturating_sub(
            tx.output
                .iter()
                .map(|output| output.value.to_sat())
                .sum::<u64>(),
        );
        let present = |input: usize, element: usize| present(&planned, &tx, input, element);
        let annexes: u64 = tx
            .input
            .iter()
            .map(|txin| annex_weight(&txin.witness))
            .sum();
        let broken = |what: String| PlayError::Broken(format!("{}: {what}", planned.name));
        if planned.tx.compute_txid() != txid {
            return Err(broken("differs from its plan".to_owned()));
        }
        let due = planned_fee(graph, &planned);
        if due != Some(Sats(fee)) {
            return Err(broken(format!("pays a fee of {fee} sats, planned {due:?}")));
        }
        rows.push(TxRow {
            name: graph.label(planned.name),
            id: planned.name,
            txid,
            vbytes: VBytes(tx.vsize() as u64),
            predicted_vbytes: Weight(planned.weight_with(&present).0 + annexes).vbytes(),
            fee: Sats(fee),
            height,
        });
    }
    Ok(rows)
}

/// The fee by the rules: its predicted size at the deployment's fee rate; Refund and Close spend
/// what the vault holds in reserve, and a disprover may have had to raise its fee.
fn planned_fee(graph: &Graph, planned: &Planned) -> Option<Sats> {
    let anchor = planned.output(Role::Anchor);
    match planned.name {
        TxName::Disprove(..) => {
            let least = planned.vsize().0 * graph.deployment.terms.relay_feerate;
            let fee = planned.fee().0;
            let times = fee.checked_div(least)?;
            // It doubles with each block that it waits.
            (fee == times * least && times.is_power_of_two()).then_some(Sats(fee))
        }
        TxName::Refund | TxName::Close => {
            let anchor = anchor.map_or(0, |(_, output)| output.value().0);
            graph.amounts.reserve.0.checked_sub(anchor).map(Sats)
        }
        _ => {
            let rate = graph.deployment.terms.relay_feerate;
            planned.vsize().0.checked_mul(rate).map(Sats)
        }
    }
}

/// A script path's annex (BIP 341).
fn annex(witness: &Witness) -> Option<&[u8]> {
    let last = witness.last()?;
    (witness.len() > 2 && last.first() == Some(&0x50)).then_some(last)
}

/// What an annex adds to a witness, its share of the item count included.
fn annex_weight(witness: &Witness) -> u64 {
    let size = |n: usize| bitcoin::VarInt::from(n).size() as u64;
    let items = witness.len();
    annex(witness).map_or(0, |annex| {
        size(annex.len()) + annex.len() as u64 + size(items) - size(items.saturating_sub(1))
    })
}

/// Whether an optional element of a Claim's group was present: its author signed in the
/// witness.
fn present(planned: &Planned, tx: &Transaction, input: usize, element: usize) -> bool {
    use gavel_verifier::connector::LeafKind;
    use gavel_verifier::graph::Spend;
    let shown = || {
        let Spend::Leaf(tap, leaf) = &planned.inputs.get(input)?.spend else {
            return None;
        };
        let LeafKind::ClaimReveal(reveal) = &tap.leaves.get(*leaf)?.kind else {
            return None;
        };
        let witness = &tx.input.get(input)?.witness;
        let annexed = usize::from(annex(witness).is_some());
        let items = witness.iter().take(witness.len() - annexed);
        let items: Vec<Vec<u8>> = items.map(<[u8]>::to_vec).collect();
        let [stack @ .., _script, _control] = items.as_slice() else {
            return None;
        };
        Some(reveal.parse(stack)?.get(element)?.author.is_some())
    };
    shown().unwrap_or(true)
}

/// A transaction that a party built when it needed it, as the graph would have planned it.
pub(crate) fn own_tx(graph: &Graph, tx: &Transaction) -> Option<Planned> {
    let d = &graph.deployment;
    let spent: BTreeSet<OutPoint> = tx.input.iter().map(|txin| txin.previous_output).collect();
    let first = graph.outputs.get(&tx.input.first()?.previous_output)?;
    let to = tx.output.first()?.script_pubkey.clone();
    let payee = |script: &ScriptBuf| d.parties.iter().position(|p| p.payout == *script);
    let party = payee(&to)? as u8;
    let fit = |all: Vec<gavel_verifier::graph::Spendable>| {
        all.into_iter()
            .filter(|s| spent.contains(&s.outpoint()))
            .collect::<Vec<_>>()
    };
    let rate = d.terms.relay_feerate;
    match *first {
        (TxName::Fund, Role::Vault) => closed(graph, tx.compute_txid()).map(|(_, close)| close),
        (TxName::Claim(claim), Role::Claimed) => {
            let id = DisputeId { claim, v: party };
            let control = tx.input.first()?.witness.iter().last()?.to_vec();
            let (_, claimed) = graph.get(TxName::Claim(claim))?.output(Role::Claimed)?;
            let tap = claimed.tap.as_ref()?;
            let place = (0..tap.leaves.len()).find(|n| tap.control(*n).as_ref() == Some(&control));
            let segment = place?.checked_sub(1)?;
            // At the fee rate it was made with.
            let paid = claimed
                .value()
                .0
                .checked_sub(tx.output.first()?.value.to_sat())?;
            let size = graph.disprove_weight(claim, segment).ok()?.vbytes().0;
            let rate = paid.checked_div(size)?;
            graph.disprove(id, segment, rate).ok()
        }
        (TxName::Claim(claim), Role::Open { v }) => {
            let id = DisputeId { claim, v };
            graph
                .take(
                    TxName::Sweep(id),
                    party,
                    &fit(graph.sweepable(id).ok()?),
                    rate,
                )
                .ok()
        }
        (TxName::Assert(id), _) => {
            let outputs = fit(graph.unstakeable(id, Held::Staked).ok()?);
            graph
                .take(TxName::Unstake(id, Held::Staked), party, &outputs, rate)
                .ok()
        }
        (TxName::Challenge(id), _) => {
            let outputs = fit(graph.unstakeable(id, Held::Challenged).ok()?);
            graph
                .take(TxName::Unstake(id, Held::Challenged), party, &outputs, rate)
                .ok()
        }
        (TxName::Fund | TxName::PayoutLate(_) | TxName::Release(_), _) => {
            let mut outputs = graph.reclaimable(party).ok()?;
            for name in graph.txs.keys() {
                outputs.extend(graph.leftovers(*name, party, |_| false).ok()?);
            }
            graph
                .take(TxName::Reclaim(party), party, &fit(outputs), rate)
                .ok()
        }
        _ => None,
    }
}

/// Which outcome a Close pays, and the Close.
pub(crate) fn closed(graph: &Graph, txid: Txid) -> Option<(u8, Planned)> {
    let closes = (0..graph.deployment.outcomes()).filter_map(|k| Some((k, graph.close(k).ok()?)));
    let mut closes = closes.filter(|(_, close)| close.tx.compute_txid() == txid);
    closes.next()
}

/// The balance sheet of a finished game; `due` is how it must have ended.
pub fn sheet(
    node: &Node,
    graph: &Graph,
    start: Height,
    rows: &[TxRow],
    honest: &[bool],
    due: Due,
) -> Result<Sheet, PlayError> {
    let d = &graph.deployment;
    let got = received(node, graph, start)?;
    let fees: Vec<(TxName, Sats)> = rows.iter().map(|row| (row.id, row.fee)).collect();
    let books = Books::new(graph, &fees);
    let paid = paid(graph, rows);
    if paid != Some(due.paid()) {
        let what = format!("the vault was paid to {paid:?}, due is {due:?}");
        return Err(PlayError::Broken(what));
    }
    let (pot, due) = (due.paid().arms(graph), due.arms(graph));
    let row = |party: u8| {
        let index = usize::from(party);
        let promised = due.get(&party).copied().unwrap_or(0);
        let paid = pot.get(&party).copied().unwrap_or(0);
        let (paid_in, fees) = (books.paid_in(party), books.fees(party));
        let expected = books.credits.get(&party).copied().unwrap_or(0) + paid;
        SheetRow {
            party: d.party_name(party).to_owned(),
            honest: honest.get(index).copied().unwrap_or(true),
            paid_in: Sats(paid_in),
            got: Sats(got.get(index).copied().unwrap_or(0)),
            fees: Sats(fees),
            expected: Sats(expected),
            promised: Sats(promised),
            at_least: books.at_least(party, promised),
        }
    };
    Ok(Sheet {
        rows: (0..d.n()).map(row).collect(),
    })
}

/// What each party's script holds at the end, less what it had as Fund's change.
fn received(node: &Node, graph: &Graph, start: Height) -> Result<Vec<u64>, PlayError> {
    let d = &graph.deployment;
    let fund = graph.get(TxName::Fund).map(|fund| fund.tx.compute_txid());
    let mut unspent: BTreeMap<OutPoint, (usize, u64)> = BTreeMap::new();
    for (_, tx) in history(node, start)? {
        for txin in &tx.input {
            unspent.remove(&txin.previous_output);
        }
        let txid = tx.compute_txid();
        if Some(txid) == fund {
            continue;
        }
        for (vout, output) in (0u32..).zip(&tx.output) {
            let payee = d
                .parties
                .iter()
                .position(|p| p.payout == output.script_pubkey);
            if let Some(party) = payee {
                unspent.insert(OutPoint::new(txid, vout), (party, output.value.to_sat()));
            }
        }
    }
    let mut got = vec![0; d.parties.len()];
    for (party, value) in unspent.into_values() {
        if let Some(sum) = got.get_mut(party) {
            *sum += value;
        }
    }
    Ok(got)
}

/// How the vault was spent; `None` if it lies there still.
fn paid(graph: &Graph, rows: &[TxRow]) -> Option<Due> {
    rows.iter().find_map(|row| match row.id {
        TxName::Payout(id) | TxName::PayoutLate(id) => Some(Due::Outcome(id.k)),
        TxName::Refund => Some(Due::Refund),
        TxName::Close => Some(Due::Outcome(closed(graph, row.txid)?.0)),
        _ => None,
    })
}

/// The protocol's rules as bookkeeping: from which transactions were confirmed to who owns
/// what, without a look at their outputs.
pub(crate) struct Books<'a> {
    graph: &'a Graph,
    /// Fees and anchors by who bears them.
    costs: BTreeMap<u8, u64>,
    /// Bonds, stakes and connectors that went to each party, fees taken off.
    credits: BTreeMap<u8, u64>,
    fund_fee: u64,
}

impl<'a> Books<'a> {
    /// The books of confirmed transactions, with their fees.
    pub(crate) fn new(graph: &'a Graph, rows: &[(TxName, Sats)]) -> Self {
        let fund = rows.iter().find(|(name, _)| *name == TxName::Fund);
        let fund_fee = fund.map_or(0, |(_, fee)| fee.0);
        let mut books = Self {
            graph,
            costs: BTreeMap::new(),
            credits: BTreeMap::new(),
            fund_fee,
        };
        let names: BTreeSet<TxName> = rows.iter().map(|(name, _)| *name).collect();
        for (name, fee) in rows {
            books.enter(*name, fee.0, &names);
        }
        books
    }

    /// Fees and anchors that a party bears, its share of Fund's and of the reserve included.
    fn fees(&self, party: u8) -> u64 {
        self.costs.get(&party).copied().unwrap_or(0) + self.shared(party)
    }

    /// The least that an honest party may get, if `promised` is its part of the pot.
    pub(crate) fn at_least(&self, party: u8, promised: u64) -> Sats {
        let fund = &self.graph.deployment.contract.coin.fund;
        let fund = fund.get(usize::from(party)).copied().unwrap_or_default().0;
        let all = self.paid_in(party) + promised;
        Sats(all.saturating_sub(fund + self.fees(party)))
    }

    fn n(&self) -> u64 {
        u64::from(self.graph.deployment.n())
    }

    /// A party's share of Fund's fee and of the vault's reserve.
    fn shared(&self, party: u8) -> u64 {
        let shared = self.fund_fee + self.graph.amounts.reserve.0;
        shared / self.n() + u64::from(u64::from(party) < shared % self.n())
    }

    fn paid_in(&self, party: u8) -> u64 {
        let coin = &self.graph.deployment.contract.coin;
        let fund = coin.fund.get(usize::from(party)).copied();
        let a = &self.graph.amounts;
        fund.unwrap_or_default().0 + a.claim.0 + a.stake.0 * (self.n() - 1) + self.shared(party)
    }

    /// Credits a party with `value`, less the transaction's cost, which it bears.
    fn credit(&mut self, party: u8, value: u64, cost: u64) {
        *self.costs.entry(party).or_insert(0) += cost;
        *self.credits.entry(party).or_insert(0) += value.saturating_sub(cost);
    }

    fn enter(&mut self, name: TxName, fee: u64, names: &BTreeSet<TxName>) {
        let a = self.graph.amounts;
        let others = if self.graph.deployment.rounds() {
            self.n() - 1
        } else {
            0
        };
        // An anchor is left for whoever wants to bump; who has a keyed one may take it back.
        let anchor = self.graph.get(name).and_then(|p| p.output(Role::Anchor));
        let cost = fee + anchor.map_or(0, |(_, output)| output.value().0);
        let held = |held| match held {
            Held::Staked => a.stake.0,
            Held::Challenged => a.stake.0 + a.assert_cost.0,
        };
        match name {
            // Out of the vault's reserve, which all paid in.
            TxName::Fund | TxName::Refund | TxName::Close => {}
            // Instead of Fund: outside the game.
            TxName::Withdraw(_) => {}
            // Out of what the bond holds beyond `claimed`.
            TxName::Claim(id) => *self.costs.entry(id.c).or_insert(0) += cost,
            TxName::Challenge(id) | TxName::Assert(id) => {
                *self.costs.entry(id.claim.c).or_insert(0) += cost;
            }
            TxName::Payout(id) => {
                let value = a.bond.0 + a.open.0 * others + a.reserve.0;
                self.credit(id.c, value, cost);
            }
            TxName::PayoutLate(id) => {
                self.credit(id.c, a.bond.0 + a.reserve.0 - DUST.0 * others, cost);
            }
            TxName::Release(id) => self.credit(id.c, a.bond.0 - DUST.0 * others, cost),
            TxName::Collect(id, _, at) => self.credit(id.claim.c, held(at) + DUST.0, cost),
            TxName::NoAssert(id) => {
                self.credit(id.v, a.bond.0 + a.stake.0 + a.assert_cost.0, cost);
            }
            TxName::Disprove(id, _) => self.credit(id.v, a.bond.0, cost),
            TxName::Unstake(id, at) => self.credit(id.v, held(at), cost),
            TxName::Sweep(id) => self.credit(id.claim.c, a.open.0, cost),
            TxName::Reclaim(party) => {
                self.credit(party, self.reclaimed(party, names), cost);
                // Keyed anchors were booked as costs; whoever takes them back bore none.
                let keyed = self.keyed(party, names);
                let costs = self.costs.entry(party).or_insert(0);
                *costs = costs.saturating_sub(keyed);
            }
        }
    }

    /// The anchors of a game that only this party can spend.
    fn keyed(&self, party: u8, names: &BTreeSet<TxName>) -> u64 {
        let own = self
            .graph
            .connectors
            .own
            .get(usize::from(party))
            .map(|tap| tap.script_pubkey());
        let anchors = names
            .iter()
            .filter_map(|name| self.graph.get(*name)?.output(Role::Anchor));
        let keyed = anchors.filter(|(_, anchor)| Some(&anchor.txout.script_pubkey) == own);
        keyed.map(|(_, anchor)| anchor.value().0).sum()
    }

    /// What a party had left in bond, stakes and permits.
    fn reclaimed(&self, party: u8, names: &BTreeSet<TxName>) -> u64 {
        let a = self.graph.amounts;
        let d = &self.graph.deployment;
        let claimed = names
            .iter()
            .any(|n| matches!(n, TxName::Claim(id) if id.c == party));
        let bond = if claimed { 0 } else { a.claim.0 };
        let challenged = |c: u8| {
            names
                .iter()
                .any(|n| matches!(n, TxName::Challenge(id) if id.claim.c == c && id.v == party))
        };
        let stakes = d.others(party).filter(|c| !challenged(*c)).count() as u64 * a.stake.0;
        let permits = names.iter().filter_map(|name| match name {
            TxName::PayoutLate(id) if id.c == party => Some((id, Permit::Paid)),
            TxName::Release(id) if id.c == party => Some((id, Permit::Freed)),
            _ => None,
        });
        let unused = |(id, permit): (&gavel_verifier::graph::ClaimId, Permit)| {
            let used = |v: &u8| {
                let dispute = DisputeId { claim: *id, v: *v };
                [Held::Staked, Held::Challenged]
                    .into_iter()
                    .any(|held| names.contains(&TxName::Collect(dispute, permit, held)))
            };
            let others = d.others(party).filter(|v| !used(v)).count() as u64;
            if d.rounds() { others * DUST.0 } else { 0 }
        };
        let keyed = self.keyed(party, names);
        bond + stakes + permits.map(unused).sum::<u64>() + keyed
    }
}
