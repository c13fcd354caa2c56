//! Plays a table to its end and reports what happened.

use crate::rogue::{Forgeries, Rogue};
use crate::sheet::{Due, Sheet, TxRow, sheet, tx_rows};
use crate::stage::Stage;
use crate::table::Table;
use bitcoin::Txid;
use gavel_compiler::segment::Plan;
use gavel_compiler::units::Height;
use gavel_regtest::{Auth, Node};
use gavel_verifier::chain::{Chain, ChainError, CoreRpc, Submitted};
use gavel_verifier::deploy::DeployError;
use gavel_verifier::game::{InputProof, KitError, Party, Player};
use gavel_verifier::graph::{Graph, Role, TxName};
use gavel_verifier::run::{Broadcast, RunError, Runner};
use gavel_verifier::setup::{FundingError, Ready, SetupError, StoreError};
use gavel_verifier::sign::{MemoryGuard, OneTimeError};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rounds after which a game must be over; a game takes some dozens.
const MAX_ROUNDS: usize = 2_000;

/// Why a game could not be played, as opposed to how it ended.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The node.
    #[error(transparent)]
    Node(#[from] gavel_regtest::Error),
    /// The chain seen through the verifier.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The contract can't be deployed.
    #[error(transparent)]
    Deploy(#[from] DeployError),
    /// The parties can't agree.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A party's money isn't where it said.
    #[error(transparent)]
    Funding(#[from] FundingError),
    /// A setup can't be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A transaction can't be made.
    #[error(transparent)]
    Kit(#[from] KitError),
    /// A party or the node failed in the game.
    #[error(transparent)]
    Run(#[from] RunError),
    /// An author can't sign.
    #[error(transparent)]
    OneTime(#[from] OneTimeError),
    /// The contract's files.
    #[error(transparent)]
    Load(#[from] crate::stage::LoadError),
    /// The choice of scenario.
    #[error("{0}")]
    Stage(String),
    /// The game did not end as it must.
    #[error("{0}")]
    Broken(String),
}

/// Something that happened, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Height of the tip when it happened.
    pub height: Height,
    /// Who, by name.
    pub who: String,
    /// What.
    pub what: String,
}

/// How a game went.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The contract's name.
    pub contract: String,
    /// The scenario's name.
    pub scenario: String,
    /// What happened, in order.
    pub events: Vec<Line>,
    /// Every transaction of the graph that was confirmed.
    pub transactions: Vec<TxRow>,
    /// Who paid and got what.
    pub sheet: Sheet,
    /// The outcome that was paid, if any: `None` after a refund.
    pub paid: Option<String>,
    /// The bitcoind that judged.
    pub node: String,
}

/// A table in play.
pub struct Game {
    /// The node of this game.
    pub node: Node,
    /// The graph.
    pub graph: Arc<Graph>,
    /// The parties, by index.
    pub players: Vec<Box<dyn Player>>,
    runner: Runner<CoreRpc>,
    honest: Vec<bool>,
    events: Vec<Line>,
    refused: BTreeMap<(u8, TxName), BTreeSet<String>>,
    accepted: BTreeSet<(u8, Txid)>,
    start: Height,
    /// Whether every time lock is also tried one block early.
    pub probe_locks: bool,
    /// The transactions whose lock was tried.
    pub probed: BTreeSet<TxName>,
    /// The outputs whose leaf refused a party's new signature under a shorter lock and under
    /// none.
    pub scripted: BTreeSet<Role>,
    forgeries: Forgeries,
}

impl Game {
    /// Begins a game: everybody is honest, `claims` say who claims which outcome with which
    /// proofs, and `seat` may put somebody else in a party's place.
    ///
    /// # Errors
    /// [`PlayError`] if the node can't be used.
    pub fn begin(
        table: Table,
        claims: &[(u8, u8, Vec<InputProof>)],
        mut seat: impl FnMut(u8, Party) -> Seat,
    ) -> Result<Self, PlayError> {
        let Table {
            node,
            graph,
            parties,
            fund,
            ..
        } = table;
        let runner = Runner::new(connect(&node)?)?;
        let start = Height(node.rpc().height()?);
        let mut players: Vec<Box<dyn Player>> = Vec::new();
        let mut honest = Vec::new();
        let forgeries = Forgeries::default();
        for ready in parties {
            let me = ready.me;
            let mut party = Party::new(Ready::into_kit(
                ready,
                Box::new(MemoryGuard::new()),
                graph.deployment.terms.relay_feerate,
            ));
            for (_, k, proofs) in claims.iter().filter(|(c, ..)| *c == me) {
                party.claim(*k, proofs.clone());
            }
            let seat = seat(me, party);
            players.push(Box::new(seat.player.forging(forgeries.clone())));
            honest.push(seat.honest);
        }
        let mut game = Self {
            node,
            graph,
            players,
            runner,
            honest,
            events: vec![],
            refused: BTreeMap::new(),
            accepted: BTreeSet::new(),
            start,
            probe_locks: false,
            probed: BTreeSet::new(),
            scripted: BTreeSet::new(),
            forgeries,
        };
        game.fund(&fund)?;
        Ok(game)
    }

    fn fund(&mut self, fund: &bitcoin::Transaction) -> Result<(), PlayError> {
        match self.runner.chain().submit(fund)? {
            Submitted::Refused(reason) => {
                return Err(PlayError::Broken(format!(
                    "the node refuses Fund: {reason}"
                )));
            }
            Submitted::Accepted | Submitted::Known => {}
        }
        self.note("all", format!("broadcast {}", TxName::Fund));
        self.node.rpc().mine(1)?;
        Ok(())
    }

    fn note(&mut self, who: &str, what: String) {
        let height = Height(self.node.rpc().height().unwrap_or_default());
        self.events.push(Line {
            height,
            who: who.to_owned(),
            what,
        });
    }

    /// One round: everybody acts, then blocks are mined: one if something new is in the pool,
    /// else as many as the next lock needs. Gives what was offered, or `None` at the end.
    ///
    /// # Errors
    /// [`PlayError`] if the node or a party fails.
    pub fn round(&mut self) -> Result<Option<Vec<Broadcast>>, PlayError> {
        let (offered, wake) = self.act()?;
        let rpc = self.node.rpc();
        let tip = rpc.height()?;
        if !rpc.mempool()?.is_empty() {
            rpc.mine(1)?;
        } else if let Some(wake) = wake.filter(|wake| wake.0 > tip) {
            rpc.mine(wake.0 - tip)?;
        } else {
            return Ok(None);
        }
        Ok(Some(offered))
    }

    /// Everybody acts; nothing is mined. Gives what was offered, and when somebody wants to be
    /// woken.
    ///
    /// # Errors
    /// [`PlayError`] if the node or a party fails.
    pub fn act(&mut self) -> Result<(Vec<Broadcast>, Option<Height>), PlayError> {
        let plan = self.graph.deployment.plan.clone();
        let prover = prover(&plan);
        let (offered, wake) = self.runner.step(&mut self.players, &prover)?;
        for broadcast in &offered {
            let new = self.record(broadcast);
            if new && self.probe_locks {
                self.probe(broadcast)?;
            }
        }
        Ok((offered, wake))
    }

    /// Plays until nobody has anything left to do.
    ///
    /// # Errors
    /// [`PlayError::Broken`] if it doesn't end.
    pub fn play(&mut self, watch: &mut dyn FnMut(&Line)) -> Result<(), PlayError> {
        let mut told = 0;
        for _ in 0..MAX_ROUNDS {
            let more = self.round()?.is_some();
            for line in self.events.get(told..).unwrap_or(&[]) {
                watch(line);
            }
            told = self.events.len();
            if !more {
                return Ok(());
            }
        }
        Err(PlayError::Broken(format!(
            "the game did not end in {MAX_ROUNDS} rounds"
        )))
    }

    /// If a lock of this accepted transaction has just ended: takes the last block back, has
    /// the node refuse the transaction by policy and in a block, and brings both back.
    fn probe(&mut self, broadcast: &Broadcast) -> Result<(), PlayError> {
        let rpc = self.node.rpc();
        let tip = rpc.height()?;
        let mut due = 0;
        for txin in &broadcast.tx.input {
            let lock = txin.sequence.to_relative_lock_time();
            let Some(bitcoin::relative::LockTime::Blocks(lock)) = lock else {
                continue;
            };
            let output = rpc.unspent(&txin.previous_output, false)?;
            let confirmations = output.map_or(0, |output| output.confirmations);
            due = due.max((tip + 1).saturating_sub(confirmations) + u32::from(lock.value()));
        }
        if due != tip + 1 {
            return Ok(());
        }
        let (_, hash) = rpc.rewind(1)?;
        let broken = |what: &str| PlayError::Broken(format!("{} {what}", broadcast.name));
        let verdict = rpc.test_accept(&broadcast.tx)?;
        let reason = verdict.reject.as_ref().map(|reject| reject.reason.clone());
        if verdict.allowed || !reason.is_some_and(|reason| reason.contains("non-BIP68-final")) {
            return Err(broken("was not refused for its lock one block early"));
        }
        if rpc
            .mine_block_with(std::slice::from_ref(&broadcast.tx))
            .is_ok()
        {
            return Err(broken("was mined one block early"));
        }
        let forged = self.forgeries.lock().map_err(|_| broken("has no lock"))?;
        for (role, forged) in forged
            .get(&broadcast.tx.compute_txid())
            .into_iter()
            .flatten()
        {
            script_refuses(rpc, forged, "Locktime requirement not satisfied")
                .map_err(|why| broken(&format!("of {role:?} with a shorter lock: {why}")))?;
            self.scripted.insert(*role);
        }
        drop(forged);
        rpc.reconsider(&hash)?;
        match self.runner.chain().submit(&broadcast.tx)? {
            Submitted::Refused(why) => Err(broken(&format!("is refused when due: {why}"))),
            Submitted::Accepted | Submitted::Known => {
                self.probed.insert(broadcast.name);
                Ok(())
            }
        }
    }

    /// Notes what was offered; tells whether it is new and accepted.
    fn record(&mut self, broadcast: &Broadcast) -> bool {
        let who = self.graph.deployment.party_name(broadcast.party).to_owned();
        match &broadcast.said {
            Submitted::Accepted => {
                let new = self
                    .accepted
                    .insert((broadcast.party, broadcast.tx.compute_txid()));
                if new {
                    self.note(
                        &who,
                        format!("broadcast {}", self.graph.label(broadcast.name)),
                    );
                }
                new
            }
            Submitted::Known => false,
            Submitted::Refused(reason) => {
                let reasons = self.refused.entry((broadcast.party, broadcast.name));
                let reasons = reasons.or_default();
                let first = reasons.is_empty();
                reasons.insert(reason.clone());
                if first {
                    let what = format!(
                        "offered {}, refused: {reason}",
                        self.graph.label(broadcast.name)
                    );
                    self.note(&who, what);
                }
                false
            }
        }
    }

    /// Whether a script refused this transaction when this party offered it.
    pub fn was_refused(&self, party: u8, name: impl Fn(TxName) -> bool) -> bool {
        let script = |reason: &String| reason.contains(SCRIPT_FAILED);
        let mut refused = self.refused.iter();
        refused.any(|((p, n), reasons)| *p == party && name(*n) && reasons.iter().any(script))
    }

    /// The report, with every transaction and the balance sheet; checks what must hold in
    /// every game: the vault spent as `due`, sizes and fees as predicted, balances as the
    /// protocol's rules give them, honest parties whole.
    ///
    /// # Errors
    /// [`PlayError::Broken`] names what doesn't hold.
    pub fn report(&self, stage: &Stage, scenario: &str, due: Due) -> Result<Report, PlayError> {
        let rows = tx_rows(&self.node, &self.graph, self.start)?;
        let sheet = sheet(
            &self.node,
            &self.graph,
            self.start,
            &rows,
            &self.honest,
            due,
        )?;
        let d = &self.graph.deployment;
        let paid = rows.iter().find_map(|row| match row.id {
            TxName::Payout(id) | TxName::PayoutLate(id) => Some(d.outcome_name(id.k).to_owned()),
            TxName::Close => {
                crate::sheet::closed(&self.graph, row.txid).map(|(k, _)| d.outcome_name(k).into())
            }
            _ => None,
        });
        for row in &rows {
            if row.predicted_vbytes != row.vbytes {
                return Err(PlayError::Broken(format!(
                    "{} has {}, predicted {}",
                    row.name, row.vbytes, row.predicted_vbytes
                )));
            }
        }
        sheet.check().map_err(PlayError::Broken)?;
        Ok(Report {
            contract: stage.contract.name.clone(),
            scenario: scenario.to_owned(),
            events: self.events.clone(),
            transactions: rows,
            sheet,
            paid,
            node: self.node.bitcoind().version.to_string(),
        })
    }
}

/// Who sits in a party's place.
pub struct Seat {
    player: Rogue,
    honest: bool,
}

impl From<Party> for Seat {
    fn from(party: Party) -> Self {
        Self {
            player: Rogue::new(party),
            honest: true,
        }
    }
}

impl From<Rogue> for Seat {
    fn from(rogue: Rogue) -> Self {
        Self {
            player: rogue,
            honest: false,
        }
    }
}

impl Seat {
    /// A player whose only deviation harms nobody: it is held to be honest in the sheet.
    pub fn still_honest(rogue: Rogue) -> Self {
        Self {
            player: rogue,
            honest: true,
        }
    }
}

/// What a node says when a script fails, by policy and in a block.
const SCRIPT_FAILED: &str = "script-verify-flag-failed";

/// Checks that a transaction is not relayed, for whatever reason, and that a script refuses it in
/// a block; there the node has to say `why`.
pub(crate) fn script_refuses(
    rpc: &gavel_regtest::Rpc,
    tx: &bitcoin::Transaction,
    why: &str,
) -> Result<(), PlayError> {
    let broken = |what: String| Err(PlayError::Broken(what));
    let fits = |said: &str| said.contains(SCRIPT_FAILED) && said.contains(why);
    let verdict = rpc.test_accept(tx)?;
    if verdict.allowed {
        return broken("it was relayed".to_owned());
    }
    match rpc.mine_block_with(std::slice::from_ref(tx)) {
        Ok(_) => broken("it was mined".to_owned()),
        Err(error) if fits(&format!("{error:?}")) => Ok(()),
        Err(error) => broken(format!("refused, but not by the script: {error:?}")),
    }
}

/// The prover, as the runner wants it.
pub fn prover(plan: &Plan) -> impl Fn(&[u32]) -> gavel_compiler::segment::Trace {
    |inputs| gavel_prover::trace(plan, inputs)
}

/// The node, as the verifier sees it.
///
/// # Errors
/// [`PlayError`] if it can't be used.
pub fn connect(node: &Node) -> Result<CoreRpc, PlayError> {
    let (user, password) = credentials(node.rpc().auth())?;
    let chain = CoreRpc::connect(node.rpc().url(), &user, &password, "regtest")?;
    Ok(chain)
}

/// What the node accepts as user and password.
fn credentials(auth: &Auth) -> Result<(String, String), PlayError> {
    match auth {
        Auth::UserPass { user, password } => Ok((user.clone(), password.clone())),
        Auth::Cookie(path) => {
            let unreadable =
                |e: &dyn std::fmt::Display| PlayError::Stage(format!("{}: {e}", path.display()));
            let cookie = std::fs::read_to_string(path).map_err(|e| unreadable(&e))?;
            let (user, password) = cookie
                .trim()
                .split_once(':')
                .ok_or_else(|| unreadable(&"not a cookie"))?;
            Ok((user.to_owned(), password.to_owned()))
        }
    }
}
