//! Gavel without one of its reasons: for each, the run in which an honest party loses.
//!
//! Each entry changes one thing, in the graph, in what a leaf wants, or in an honest machine,
//! and nothing else; `tests/tests/mutations.rs` finds the shortest losing run of each.

use super::meaning::{self, Kind, Need, Way};
use super::search::Limits;
use super::setting::{Rules, Setting};
use super::toy::Toy;
use super::world::World;
use crate::game::PlayError;
use bitcoin::{OutPoint, Sequence, Txid};
use gavel_compiler::units::{Blocks, Height};
use gavel_compiler::word::End;
use gavel_verifier::deploy::Deployment;
use gavel_verifier::game::{Event, View};
use gavel_verifier::graph::{ClaimId, DUST, DisputeId, Graph, Permit, Planned, Role, TxName};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A change of the protocol.
#[derive(Clone, Copy)]
pub struct Mutation {
    /// A short name.
    pub name: &'static str,
    /// The reason of `docs/protocol.md` that it takes away.
    pub reason: &'static str,
    /// Where it shows.
    pub toy: Toy,
    /// Makes the change.
    pub change: fn(&mut Setting) -> Result<(), PlayError>,
    /// The most that the coalition does.
    pub most: u8,
    /// What the coalition keeps to, where all that it can do is too much to look at.
    pub repertoire: fn(&TxName) -> bool,
    /// Whether honest transactions are also kept out of blocks, blocks disconnected,
    /// transactions only shown.
    pub bad_weather: bool,
}

impl Mutation {
    /// The world with this change.
    ///
    /// # Errors
    /// [`PlayError`] if the setting can't be deployed.
    pub fn world(&self) -> Result<World, PlayError> {
        let mut setting = self.toy.setting()?;
        (self.change)(&mut setting)?;
        let mut world = World::new(setting);
        world.limit(self.repertoire);
        Ok(world)
    }

    /// How far to look for a losing run.
    pub fn limits(&self) -> Limits {
        Limits {
            reorgs: self.bad_weather,
            delays: self.bad_weather,
            shows: self.bad_weather,
            ..Limits::default()
        }
    }
}

/// Three parties, of whom two are accomplices, and a program of two leaves.
const GANG: Toy = Toy { n: 3, ..Toy::LONG };
/// One leaf; a block may be disconnected, and a transaction be late by one.
const STORM: Toy = Toy { m: 1, ..Toy::TWO };

const fn plain(
    name: &'static str,
    reason: &'static str,
    toy: Toy,
    change: fn(&mut Setting) -> Result<(), PlayError>,
) -> Mutation {
    Mutation {
        name,
        reason,
        toy,
        change,
        most: 5,
        repertoire: |_| true,
        bad_weather: false,
    }
}

/// With accomplices, who claim, challenge, assert, disprove and are paid.
const fn gang(
    name: &'static str,
    reason: &'static str,
    change: fn(&mut Setting) -> Result<(), PlayError>,
) -> Mutation {
    Mutation {
        repertoire: |name| match name {
            TxName::Claim(id) => id.c != 0,
            TxName::Challenge(_) | TxName::Disprove(..) | TxName::Reclaim(_) => true,
            TxName::Payout(id) | TxName::PayoutLate(id) => id.c != 0,
            TxName::Assert(id) => id.claim.c != 0 && id.v == 0,
            _ => false,
        },
        ..plain(name, reason, GANG, change)
    }
}

/// Bob lies and carol, its accomplice, takes the bond, so that the honest challenger gets
/// nothing but its stake back.
fn bond_to_accomplice(name: &TxName) -> bool {
    match name {
        TxName::Claim(id) => id.c == 1,
        TxName::Challenge(id) | TxName::Disprove(id, _) => id.claim.c == 1 && id.v == 2,
        TxName::Assert(id) => id.claim.c == 1,
        TxName::Reclaim(_) => true,
        _ => false,
    }
}

/// All of them.
pub const ALL: &[Mutation] = &[
    plain(
        "outcome-chosen-at-payout",
        "The outcome is which Claim was broadcast",
        Toy::TWO,
        |s| {
            // Payout of either outcome spends the same claim.
            edit(s, |graph, txs| {
                for (name, planned) in txs {
                    let TxName::Payout(id) = *name else { continue };
                    let claim = TxName::Claim(ClaimId { k: 0, ..id });
                    if let Some((claimed, _)) = graph.output(claim, Role::Claimed) {
                        spend(planned, 0, claimed);
                    }
                }
            })
        },
    ),
    plain(
        "unsigned-challenge",
        "The challenger's own signature guards its stake",
        Toy::LONG,
        |s| {
            rules(s, |r| {
                r.ways = |d, name, role| {
                    without(d, name, role, |kind, need| {
                        kind == Kind::Challenge && matches!(need, Need::Party(_))
                    })
                }
            })
        },
    ),
    gang("one-stake-for-all", "One stake per ordered pair", |s| {
        edit(s, |graph, txs| {
            for (name, planned) in txs {
                let TxName::Challenge(id) = *name else {
                    continue;
                };
                let c = (0..graph.deployment.n()).find(|c| *c != id.v).unwrap_or(0);
                let stake = Role::Stake { v: id.v, c };
                if let Some((stake, _)) = graph.output(TxName::Fund, stake) {
                    spend(planned, 1, stake);
                }
            }
        })
    }),
    gang(
        "one-challenge-for-all",
        "All disputes about a claim run side by side, one per challenger",
        |s| {
            edit(s, |graph, txs| {
                for (name, planned) in txs {
                    let TxName::Challenge(id) = *name else {
                        continue;
                    };
                    let v = (0..graph.deployment.n()).find(|v| *v != id.claim.c);
                    let open = Role::Open { v: v.unwrap_or(0) };
                    if let Some((open, _)) = graph.output(TxName::Claim(id.claim), open) {
                        spend(planned, 0, open);
                    }
                }
            })
        },
    ),
    Mutation {
        repertoire: bond_to_accomplice,
        ..plain(
            "disproof-takes-the-stake",
            "Nobody's stake is taken by somebody else's disproof",
            GANG,
            |s| {
                rules(s, |r| {
                    r.ways = |d, name, role| {
                        let mut ways = meaning::ways(d, name, role);
                        if let (TxName::Assert(DisputeId { claim, .. }), Role::Staked) =
                            (name, role)
                        {
                            let needs = vec![Need::AnyBut(claim.c), Need::Lie(claim.c, claim.k)];
                            let kind = Kind::Disprove;
                            ways.push(Way { kind, needs });
                        }
                        ways
                    }
                })
            },
        )
    },
    plain(
        "unsigned-disproof",
        "A disprove leaf wants a challenger's signature",
        Toy::TWO,
        |s| {
            rules(s, |r| {
                r.ways = |d, name, role| {
                    without(d, name, role, |kind, need| {
                        kind == Kind::Disprove && matches!(need, Need::AnyBut(_))
                    })
                }
            })
        },
    ),
    plain(
        "stake-without-permit",
        "Stakes go to a claimer only through a connector that its payout or release creates",
        Toy::LONG,
        |s| {
            edit(s, |_, txs| {
                for (name, planned) in txs {
                    if matches!(name, TxName::Collect(..)) {
                        spend_less(planned, 0);
                    }
                }
            })
        },
    ),
    plain(
        "no-release",
        "`claimed` returns to its claimer after 2T",
        Toy::TWO,
        |s| refuse(s, |name| matches!(name, TxName::Release(_))),
    ),
    plain(
        "release-opens-no-collect",
        "Release opens Collect too",
        Toy::LONG,
        |s| {
            refuse(s, |name| {
                matches!(name, TxName::Collect(_, Permit::Freed, _))
            })
        },
    ),
    plain(
        "release-too-early",
        "Release waits for 2T, until honest challengers have killed a false claim",
        Toy::LONG,
        |s| {
            let lock = s.deployment().locks().payout;
            relock(s, |name| matches!(name, TxName::Release(_)), 0, lock)?;
            rules(s, |r| {
                r.ways = |d, name, role| {
                    let early = d.locks().payout;
                    let mut ways = meaning::ways(d, name, role);
                    for way in ways.iter_mut().filter(|way| way.kind == Kind::Release) {
                        shorten(way, early);
                    }
                    ways
                }
            })
        },
    ),
    plain(
        "duty-ends-with-the-vault",
        "An honest challenger's duty doesn't stop when the vault is spent",
        Toy::LONG,
        |s| {
            drop_duties(s, |view, name| {
                let spent = view.spender(TxName::Fund, Role::Vault).is_some();
                let disputes = matches!(
                    name,
                    TxName::Challenge(_) | TxName::NoAssert(_) | TxName::Disprove(..)
                );
                spent && disputes
            })
        },
    ),
    plain(
        "answers-only-in-time",
        "A claimer answers every challenge until `claimed` is spent, however late it came",
        Toy::LONG,
        |s| {
            drop_duties(s, |view, name| {
                let spent = view.spender(TxName::Fund, Role::Vault).is_some();
                spent && matches!(name, TxName::Assert(_))
            })
        },
    ),
    plain(
        "leaf-reads-authors",
        "Disprove leaves read only the claimer's one-time keys",
        Toy {
            author: 1,
            ..Toy::TWO
        },
        |s| rules(s, |r| r.reads_authors = true),
    ),
    Mutation {
        repertoire: bond_to_accomplice,
        ..plain(
            "stake-pays-for-assert",
            "`open` carries Assert's fee, so `staked` is the challenger's whole stake",
            GANG,
            |s| {
                edit(s, |_, txs| {
                    for (name, planned) in txs {
                        if matches!(name, TxName::Assert(_))
                            && let Some(staked) = planned.tx.output.first_mut()
                        {
                            staked.value -= bitcoin::Amount::from_sat(1_000);
                        }
                    }
                })
            },
        )
    },
    plain(
        "no-sweep",
        "Nothing is stranded: small outputs have an owner who may sweep",
        Toy::LONG,
        |s| refuse(s, |name| matches!(name, TxName::Sweep(_))),
    ),
    Mutation {
        repertoire: |name| matches!(name, TxName::Claim(_) | TxName::Payout(_)),
        ..plain(
            "payout-despite-challenge",
            "Payout needs every `open`, so only an unchallenged claim is paid early",
            Toy::LONG,
            |s| {
                edit(s, |_, txs| {
                    for (name, planned) in txs {
                        while matches!(name, TxName::Payout(_)) && planned.inputs.len() > 2 {
                            spend_less(planned, 2);
                        }
                    }
                })
            },
        )
    },
    plain(
        "payout-without-claimed",
        "Every payout of a claim spends its `claimed`",
        Toy::LONG,
        |s| {
            let late = s.deployment().locks().late;
            edit(s, |_, txs| {
                for (name, planned) in txs {
                    if matches!(name, TxName::PayoutLate(_)) {
                        // The permits go with the bond that pays for them.
                        let permits = |role| matches!(role, Role::Paid { .. });
                        planned.outputs.retain(|output| !permits(output.role));
                        planned
                            .tx
                            .output
                            .retain(|output| output.value.to_sat() != DUST.0);
                        spend_less(planned, 0);
                        lock(planned, 0, late);
                    }
                }
            })
        },
    ),
    plain(
        "payout-without-lock",
        "Time locks are enforced by the sequence of what is pre-signed",
        Toy::TWO,
        |s| relock(s, |name| matches!(name, TxName::Payout(_)), 0, Blocks(0)),
    ),
    plain(
        "sweep-without-lock",
        "A leaf that one key may spend has the lock in it",
        Toy::LONG,
        |s| {
            rules(s, |r| {
                r.ways = |d, name, role| {
                    without(d, name, role, |kind, need| {
                        kind == Kind::Timeout
                            && matches!(role, Role::Open { .. })
                            && matches!(need, Need::Depth(_))
                    })
                }
            })
        },
    ),
    plain(
        "unstake-too-early",
        "Unstake waits for U, until the claimer had time to collect",
        Toy::LONG,
        |s| {
            rules(s, |r| {
                r.ways = |d, name, role| {
                    let early = d.locks().payout;
                    let mut ways = meaning::ways(d, name, role);
                    for way in ways.iter_mut().filter(|way| way.kind == Kind::Timeout) {
                        if matches!(role, Role::Staked | Role::Challenged { .. }) {
                            shorten(way, early);
                        }
                    }
                    ways
                }
            })
        },
    ),
    plain(
        "group-without-joint",
        "Each group of frames also needs the n-of-n's signature, so none is spent alone",
        Toy::LONG,
        |s| {
            rules(s, |r| {
                r.ways = |d, name, role| {
                    without(d, name, role, |kind, need| {
                        kind == Kind::Frames && need == Need::Joint
                    })
                }
            })
        },
    ),
    plain(
        "group-without-claimer",
        "Each group of inputs also needs the claimer's signature",
        Toy {
            groups: true,
            ..Toy::LONG
        },
        |s| {
            rules(s, |r| {
                r.ways = |d, name, role| {
                    without(d, name, role, |kind, need| {
                        kind == Kind::Inputs && matches!(need, Need::Party(_))
                    })
                }
            })
        },
    ),
    plain(
        "odd-witnesses",
        "What a reveal leaf accepts, a disprove leaf can present under relay policy",
        Toy::LONG,
        |s| refuse(s, |name| matches!(name, TxName::Disprove(..))),
    ),
    plain(
        "ill-typed-inputs",
        "Inputs on which `settle` aborts prove no outcome",
        Toy {
            author: 1,
            ..Toy::TWO
        },
        |s| {
            s.others.retain(|case| case.outcome.is_none());
            rules(s, |r| {
                r.believes = |mut trace| {
                    if matches!(trace.end, End::Abort(_)) {
                        trace.end = End::Outcome(1);
                    }
                    trace
                }
            })
        },
    ),
    plain(
        "unchecked-hints",
        "No unsigned data in a disprove leaf beyond the signature",
        Toy::TWO,
        |s| rules(s, |r| r.believes_hints = true),
    ),
    plain(
        "somebody-holds-the-key",
        "Internal keys of connectors are provably nobody's",
        Toy::LONG,
        |s| {
            rules(s, |r| {
                r.ways = |d, name, role| {
                    let mut ways = meaning::ways(d, name, role);
                    if let Role::Stake { c, .. } = role {
                        let needs = vec![Need::Party(c)];
                        let kind = Kind::Key;
                        ways.push(Way { kind, needs });
                    }
                    ways
                }
            })
        },
    ),
    plain(
        "odd-payout-script",
        "Payout scripts are standard and every output is above dust",
        Toy::TWO,
        |s| {
            rules(s, |r| {
                r.relays = |graph, tx| {
                    let d = &graph.deployment;
                    let odd = d.parties.last().map(|party| &party.payout);
                    let settles = graph.names.get(&tx.compute_txid()).is_some_and(|name| {
                        matches!(
                            name,
                            TxName::Payout(_) | TxName::PayoutLate(_) | TxName::Refund
                        )
                    });
                    !settles || !tx.output.iter().any(|o| Some(&o.script_pubkey) == odd)
                }
            })
        },
    ),
    plain(
        "malleable-fund",
        "Fund spends native segwit outputs only, so nobody changes its id",
        Toy::TWO,
        |s| {
            s.before_fund = true;
            rules(s, |r| r.malleable = true)
        },
    ),
    plain(
        "no-withdraw",
        "A party takes its money back if Fund isn't confirmed by a height agreed in advance",
        Toy::TWO,
        |s| {
            fund_by(s)?;
            drop_duties(s, |_, name| matches!(name, TxName::Withdraw(_)))
        },
    ),
    plain(
        "nobody-refunds",
        "Everyone broadcasts Refund at R",
        Toy::TWO,
        |s| {
            s.claimers.clear();
            drop_duties(s, |_, name| *name == TxName::Refund)
        },
    ),
    Mutation {
        bad_weather: true,
        ..plain(
            "claims-at-the-last-moment",
            "Honest parties claim by R - (T + 4w + m)",
            Toy { w: 2, ..Toy::LONG },
            |s| {
                s.tell = super::setting::Tell::AnyTime;
                mistaken(s, |d| {
                    d.terms.windows.confirm = Blocks(0);
                    d.terms.windows.reorg = Blocks(0);
                })
            },
        )
    },
    Mutation {
        bad_weather: true,
        most: 4,
        ..plain(
            "reclaims-at-once",
            "No stake is reclaimed until the vault's spend is buried by m blocks",
            Toy { m: 1, ..Toy::LONG },
            |s| mistaken(s, |d| d.terms.windows.reorg = Blocks(0)),
        )
    },
    Mutation {
        bad_weather: true,
        most: 3,
        ..plain(
            "forgets-evidence",
            "Everything one-time-signed that was ever seen is kept",
            Toy { m: 1, ..Toy::LONG },
            |s| rules(s, |r| r.forgets = true),
        )
    },
    Mutation {
        bad_weather: true,
        ..plain(
            "sees-only-blocks",
            "Disprove is built from any frames seen, unconfirmed ones included",
            STORM,
            |s| rules(s, |r| r.hears = |event| !matches!(event, Event::Seen(_))),
        )
    },
    Mutation {
        bad_weather: true,
        ..plain(
            "short-challenge-window",
            "w + m < Δ1",
            Toy { w: 2, ..Toy::LONG },
            |s| {
                // With no honest claim in its way, a lie has all the time there is.
                s.claimers.clear();
                windows(s, |d| {
                    let w = &mut d.terms.windows;
                    w.challenge = Blocks(w.confirm.0 + w.reorg.0);
                    w.disprove = Blocks(w.disprove.0 + 1);
                })
            },
        )
    },
    Mutation {
        bad_weather: true,
        ..plain(
            "short-assert-window",
            "w + m < Δ2",
            Toy { w: 2, ..Toy::LONG },
            |s| {
                windows(s, |d| {
                    let w = &mut d.terms.windows;
                    w.assert = Blocks(w.confirm.0 + w.reorg.0);
                })
            },
        )
    },
    Mutation {
        bad_weather: true,
        most: 6,
        ..plain(
            "short-disprove-window",
            "3w + m < Δ1 + Δ3",
            Toy { w: 2, ..Toy::LONG },
            |s| {
                // With no honest claim in its way, a lie has all the time there is.
                s.claimers.clear();
                windows(s, |d| {
                    let w = &mut d.terms.windows;
                    // Equality would still do: the last Assert comes a block before NoAssert must.
                    let both = 3 * w.confirm.0 + w.reorg.0 - 1;
                    w.disprove = Blocks(both.saturating_sub(w.challenge.0));
                })
            },
        )
    },
];

type Txs = BTreeMap<TxName, Planned>;

fn rules(setting: &mut Setting, change: impl FnOnce(&mut Rules)) -> Result<(), PlayError> {
    change(&mut setting.rules);
    Ok(())
}

/// All ways, each without the needs that `gone` names.
fn without(
    d: &Deployment,
    name: TxName,
    role: Role,
    gone: impl Fn(Kind, Need) -> bool,
) -> Vec<Way> {
    let mut ways = meaning::ways(d, name, role);
    for way in &mut ways {
        let kind = way.kind;
        way.needs.retain(|need| !gone(kind, *need));
    }
    ways
}

/// A lock as short as `lock`.
fn shorten(way: &mut Way, lock: Blocks) {
    for need in &mut way.needs {
        if let Need::Depth(depth) = need {
            *depth = lock;
        }
    }
}

/// Nodes relay and mine no transaction of these names.
fn refuse(setting: &mut Setting, names: fn(&TxName) -> bool) -> Result<(), PlayError> {
    setting.refused = Some(names);
    Ok(())
}

/// Honest machines leave these duties undone.
fn drop_duties(
    setting: &mut Setting,
    dropped: fn(&View, &TxName) -> bool,
) -> Result<(), PlayError> {
    setting.rules.act = Some(dropped);
    Ok(())
}

/// Changes transactions, and everything that descends from them.
fn edit(setting: &mut Setting, change: impl FnOnce(&Graph, &mut Txs)) -> Result<(), PlayError> {
    let old = &setting.graph;
    let mut txs = old.txs.clone();
    change(old, &mut txs);
    for planned in txs.values_mut() {
        for (output, txout) in planned.outputs.iter_mut().zip(&planned.tx.output) {
            output.txout = txout.clone();
        }
    }
    relink(old, &mut txs);
    let graph = Arc::new(rebuild(setting, |_| ())?.altered(txs));
    setting.known = graph.clone();
    setting.graph = graph;
    Ok(())
}

/// Changes the lock of an input.
fn relock(
    setting: &mut Setting,
    which: fn(&TxName) -> bool,
    input: usize,
    lock: Blocks,
) -> Result<(), PlayError> {
    edit(setting, |_, txs| {
        for (_, planned) in txs.iter_mut().filter(|(name, _)| which(name)) {
            self::lock(planned, input, lock);
        }
    })
}

fn lock(planned: &mut Planned, input: usize, lock: Blocks) {
    if let Some(txin) = planned.tx.input.get_mut(input) {
        txin.sequence = match lock.0 {
            0 => Sequence::ENABLE_RBF_NO_LOCKTIME,
            _ => Sequence::from_height(lock.0 as u16),
        };
    }
}

/// Leaves out an input; the first output is so much smaller.
fn spend_less(planned: &mut Planned, input: usize) {
    planned.tx.input.remove(input);
    let gone = planned.inputs.remove(input).prevout.value;
    if let Some(to) = planned.tx.output.first_mut() {
        to.value = to.value.checked_sub(gone).unwrap_or_default();
    }
}

fn spend(planned: &mut Planned, input: usize, outpoint: OutPoint) {
    if let Some(txin) = planned.tx.input.get_mut(input) {
        txin.previous_output = outpoint;
    }
}

/// Has every transaction spend what its parents now are.
fn relink(old: &Graph, txs: &mut Txs) {
    let mut moved: BTreeMap<Txid, Txid> = BTreeMap::new();
    // Parents are at most six deep: Fund, Claim, Challenge, Assert, PayoutLate, Collect.
    for _ in 0..6 {
        for (name, planned) in txs.iter_mut() {
            for txin in &mut planned.tx.input {
                if let Some(new) = moved.get(&txin.previous_output.txid) {
                    txin.previous_output.txid = *new;
                }
            }
            if let Some(was) = old.txids.get(name) {
                let is = planned.tx.compute_txid();
                // From every id that it had on the way.
                for earlier in moved.values_mut().filter(|id| *id == was) {
                    *earlier = is;
                }
                let before = moved.insert(*was, is);
                if let Some(before) = before.filter(|before| *before != is) {
                    moved.insert(before, is);
                }
            }
        }
    }
}

/// The sample's graph once more, with another deployment.
fn rebuild(setting: &Setting, change: impl FnOnce(&mut Deployment)) -> Result<Graph, PlayError> {
    let mut d = setting.deployment().clone();
    change(&mut d);
    let keys = setting.graph.connectors.keys().to_vec();
    Ok(Graph::build(d, keys)?)
}

/// Another deployment, which the tools would refuse.
fn windows(setting: &mut Setting, change: fn(&mut Deployment)) -> Result<(), PlayError> {
    let graph = Arc::new(rebuild(setting, change)?);
    setting.known = graph.clone();
    setting.graph = graph;
    Ok(())
}

/// Honest machines believe something else about the deployment than what is on chain.
fn mistaken(setting: &mut Setting, change: fn(&mut Deployment)) -> Result<(), PlayError> {
    let mut graph = rebuild(setting, |_| ())?;
    change(&mut graph.deployment);
    setting.known = Arc::new(graph);
    Ok(())
}

/// A game that begins before Fund is confirmed, with a deadline for it.
pub fn fund_by(setting: &mut Setting) -> Result<(), PlayError> {
    let stage = &mut setting.stage;
    stage.terms.fund_by = Some(Height(super::state::START + 3));
    *setting = Setting::new(stage.clone(), &setting.honest)?;
    setting.before_fund = true;
    Ok(())
}
