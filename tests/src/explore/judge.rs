//! What must hold when nothing happens any more.

use super::state::State;
use super::world::{Item, World};
use crate::sheet::Books;
use gavel_compiler::units::Sats;
use gavel_verifier::graph::{ClaimId, DisputeId, Role, TxName};
use std::collections::BTreeSet;
use std::rc::Rc;

/// How the vault was spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Paid {
    Outcome(u8),
    Refund,
}

/// A game's end, as far as the chain tells it.
struct End<'a> {
    world: &'a World,
    state: &'a State,
    rows: Vec<Rc<Item>>,
    names: BTreeSet<TxName>,
}

/// What is wrong in an end state, as sentences; nothing if the promise was kept.
pub fn judge(world: &World, state: &State) -> Vec<String> {
    let rows: Vec<Rc<Item>> = state.chain().iter().map(|(t, _)| world.item(*t)).collect();
    let names = rows.iter().map(|item| item.name).collect();
    let end = End {
        world,
        state,
        rows,
        names,
    };
    let mut wrong = Vec::new();
    if !end.names.contains(&TxName::Fund) {
        end.unfunded(&mut wrong);
        return wrong;
    }
    end.payment(&mut wrong);
    end.money(&mut wrong);
    end.left(&mut wrong);
    end.justice(&mut wrong);
    end.conserved(&mut wrong);
    wrong
}

impl End<'_> {
    fn name(&self, party: u8) -> &str {
        self.world.setting.deployment().party_name(party)
    }

    /// A game that never began: an honest party's money must be its own again, else whoever
    /// holds Fund back has an option on the outcome.
    fn unfunded(&self, wrong: &mut Vec<String>) {
        let terms = &self.world.setting.deployment().terms;
        let Some(by) = terms.fund_by else { return };
        if self.state.tip() < by.0 + terms.windows.confirm.0 {
            return;
        }
        for p in self.world.setting.honest() {
            if !self.names.contains(&TxName::Withdraw(p)) {
                wrong.push(format!(
                    "{}'s money waits for a Fund that others can confirm when they like",
                    self.name(p)
                ));
            }
        }
    }

    fn paid(&self) -> Option<Paid> {
        self.rows.iter().find_map(|item| match item.name {
            TxName::Payout(id) | TxName::PayoutLate(id) => Some(Paid::Outcome(id.k)),
            TxName::Close => Some(Paid::Outcome(self.world.setting.truth.outcome.unwrap_or(0))),
            TxName::Refund => Some(Paid::Refund),
            _ => None,
        })
    }

    /// How the vault may be spent.
    fn due(&self) -> BTreeSet<Paid> {
        let setting = &self.world.setting;
        let mut due: BTreeSet<Paid> = setting
            .provable()
            .filter_map(|case| Some(Paid::Outcome(case.outcome?)))
            .collect();
        if self.state.told().is_empty() {
            due.insert(Paid::Refund);
        }
        due
    }

    fn payment(&self, wrong: &mut Vec<String>) {
        let (paid, due) = (self.paid(), self.due());
        match paid {
            None => wrong.push("the pot is frozen".to_owned()),
            Some(paid) if !due.contains(&paid) => {
                let say = |paid: Paid| match paid {
                    Paid::Outcome(k) => self.world.setting.deployment().outcome_name(k).to_owned(),
                    Paid::Refund => "the refund".to_owned(),
                };
                let due: Vec<String> = due.into_iter().map(say).collect();
                wrong.push(format!(
                    "the pot was paid to {}, due was {}",
                    say(paid),
                    due.join(" or ")
                ));
            }
            Some(_) => {}
        }
    }

    /// What a party got, in outputs that are its own.
    fn got(&self, party: u8) -> u64 {
        let d = self.world.setting.deployment();
        let payout = d.parties.get(usize::from(party)).map(|p| &p.payout);
        let games = self.rows.iter().filter(|item| item.name != TxName::Fund);
        let outputs = games.flat_map(|item| &item.tx.output);
        let paid = outputs
            .filter(|output| Some(&output.script_pubkey) == payout)
            .map(|output| output.value.to_sat());
        let permits = self.state.unspent().keys().filter_map(|o| {
            let out = self.world.out(*o)?;
            let (_, role) = out.of?;
            let permit = matches!(role, Role::Paid { .. } | Role::Freed { .. });
            (permit && out.owner == Some(party)).then_some(out.value)
        });
        paid.sum::<u64>() + permits.sum::<u64>()
    }

    fn money(&self, wrong: &mut Vec<String>) {
        let setting = &self.world.setting;
        let coin = &setting.deployment().contract.coin;
        let fees: Vec<(TxName, Sats)> = self
            .rows
            .iter()
            .map(|item| (item.name, Sats(item.fee)))
            .collect();
        let books = Books::new(&setting.graph, &fees);
        let arms = match self.paid() {
            Some(Paid::Outcome(k)) => coin.pay.get(usize::from(k)).cloned(),
            Some(Paid::Refund) => Some(coin.refund.clone()),
            None => None,
        };
        let arms = arms.unwrap_or_default();
        for party in setting.honest() {
            let own = arms.iter().filter(|arm| arm.party == party);
            let promised = own.map(|arm| arm.amount.0).sum();
            let (least, got) = (books.at_least(party, promised), self.got(party));
            if got < least.0 {
                let name = self.name(party);
                wrong.push(format!(
                    "{name} got {got}, of at least {least}: {} are lost",
                    least.0 - got
                ));
            }
        }
    }

    /// Nothing of an honest party's lies anywhere, and none of its transactions waits.
    fn left(&self, wrong: &mut Vec<String>) {
        for o in self.state.unspent().keys() {
            let Some(out) = self.world.out(*o) else {
                continue;
            };
            let (Some((name, role)), Some(owner)) = (out.of, out.owner) else {
                continue;
            };
            let permit = matches!(role, Role::Paid { .. } | Role::Freed { .. });
            if self.world.setting.is_honest(owner) && !permit {
                let name = self.world.setting.graph.label(name);
                wrong.push(format!(
                    "{}'s {role:?} of {name} is frozen",
                    self.name(owner)
                ));
            }
        }
        for wanted in self.state.wanted() {
            let name = self.world.item(wanted.t).name;
            let name = self.world.setting.graph.label(name);
            wrong.push(format!(
                "{} offers {name} for ever",
                self.name(wanted.party)
            ));
        }
    }

    /// False challenges and lies must cost: who challenged an honest claim pays the claimer, and
    /// a liar without accomplices loses its bond.
    fn justice(&self, wrong: &mut Vec<String>) {
        let setting = &self.world.setting;
        for name in &self.names {
            if let TxName::Challenge(DisputeId { claim, v }) = *name
                && setting.is_honest(claim.c)
                && setting.rogue(v)
            {
                let collected = |name: &TxName| matches!(name, TxName::Collect(id, ..) if id.claim == claim && id.v == v);
                if !self.names.iter().any(collected) {
                    let (c, v) = (self.name(claim.c), self.name(v));
                    wrong.push(format!("{v}'s false challenge of {c} cost it nothing"));
                }
            }
            if let TxName::Claim(id) = *name {
                self.liar(id, wrong);
            }
            if let TxName::Collect(DisputeId { claim, v }, ..) = *name
                && setting.is_honest(v)
            {
                let (c, v) = (self.name(claim.c), self.name(v));
                wrong.push(format!("{v}'s stake went to {c}"));
            }
        }
    }

    fn liar(&self, id: ClaimId, wrong: &mut Vec<String>) {
        let setting = &self.world.setting;
        if setting.rogues().count() != 1 || !self.state.guilty().contains(&id) {
            return;
        }
        let kept = |name: &TxName| match *name {
            TxName::Release(of) | TxName::Payout(of) | TxName::PayoutLate(of) => of == id,
            TxName::Disprove(of, _) => of.claim == id && setting.rogue(of.v),
            _ => false,
        };
        if self.names.iter().any(kept) {
            wrong.push(format!("{} lied and kept its bond", self.name(id.c)));
        }
    }

    fn conserved(&self, wrong: &mut Vec<String>) {
        for item in &self.rows {
            let spent: u64 = item
                .ins
                .iter()
                .filter_map(|(o, _)| self.world.out(*o))
                .map(|out| out.value)
                .sum();
            let made: u64 = item.tx.output.iter().map(|o| o.value.to_sat()).sum();
            if made > spent {
                wrong.push(format!("{} makes {made} out of {spent}", item.name));
            }
        }
    }
}
