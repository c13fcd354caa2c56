//! What a party knows of the chain: a fold of events.

use super::Event;
use super::evidence::Evidence;
use crate::graph::{Graph, Output, Role, TxName};
use bitcoin::{OutPoint, Transaction, Txid};
use gavel_compiler::units::Height;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The chain as far as a graph is concerned.
#[derive(Clone, Debug)]
pub struct View {
    graph: Arc<Graph>,
    /// What Fund spends.
    funding: BTreeSet<OutPoint>,
    tip: Height,
    confirmed: BTreeMap<Txid, Height>,
    spent: BTreeMap<OutPoint, (Txid, Height)>,
    /// Everything one-time-signed that was ever seen.
    pub evidence: Evidence,
}

impl View {
    /// Knows nothing yet.
    pub fn new(graph: Arc<Graph>) -> Self {
        let fund = graph.get(TxName::Fund);
        let funding = fund.into_iter().flat_map(|fund| &fund.tx.input);
        let funding = funding.map(|txin| txin.previous_output).collect();
        Self {
            graph,
            funding,
            tip: Height(0),
            confirmed: BTreeMap::new(),
            spent: BTreeMap::new(),
            evidence: Evidence::default(),
        }
    }

    /// Takes note of an event.
    pub fn on(&mut self, event: &Event) {
        match event {
            Event::Connected { height, txs } => {
                self.tip = *height;
                for tx in txs {
                    self.connect(tx, *height);
                }
            }
            Event::Disconnected { height } => {
                self.tip = Height(height.0.saturating_sub(1));
                self.confirmed.retain(|_, at| *at < *height);
                self.spent.retain(|_, (_, at)| *at < *height);
            }
            Event::Seen(tx) => self.evidence.collect(&self.graph, tx),
            Event::Traced { .. } => {}
        }
    }

    fn connect(&mut self, tx: &Transaction, height: Height) {
        let txid = tx.compute_txid();
        let ours = self.graph.names.contains_key(&txid);
        let spends = |txin: &bitcoin::TxIn| {
            let spent = &txin.previous_output;
            self.graph.outputs.contains_key(spent) || self.funding.contains(spent)
        };
        if !ours && !tx.input.iter().any(spends) {
            return;
        }
        self.confirmed.insert(txid, height);
        for txin in &tx.input {
            self.spent.insert(txin.previous_output, (txid, height));
        }
        self.evidence.collect(&self.graph, tx);
    }

    /// The graph.
    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// Height of the best block seen.
    pub fn tip(&self) -> Height {
        self.tip
    }

    /// When a transaction of the graph was confirmed.
    pub fn confirmed(&self, name: TxName) -> Option<Height> {
        self.confirmed.get(self.graph.txids.get(&name)?).copied()
    }

    /// An output of a confirmed transaction that nothing confirmed has spent, and the height
    /// of its confirmation.
    pub fn unspent(&self, name: TxName, role: Role) -> Option<(OutPoint, &Output, Height)> {
        let at = self.confirmed(name)?;
        let (outpoint, output) = self.graph.output(name, role)?;
        (!self.spent.contains_key(&outpoint)).then_some((outpoint, output, at))
    }

    /// What spent an output, if the spender is confirmed: its name if the graph has it, and
    /// the height.
    pub fn spender(&self, name: TxName, role: Role) -> Option<(Option<TxName>, Height)> {
        let (outpoint, _) = self.graph.output(name, role)?;
        let (txid, at) = self.spent.get(&outpoint)?;
        Some((self.graph.names.get(txid).copied(), *at))
    }

    /// Whether an outpoint is spent by a confirmed transaction.
    pub fn is_spent(&self, outpoint: &OutPoint) -> bool {
        self.spent.contains_key(outpoint)
    }
}
