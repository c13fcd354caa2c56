//! What `gavel check --explain` says of a contract that is right: what it costs to run, where
//! it may abort, what stands behind each input, and who is paid.

use std::collections::BTreeSet;

use gavel_compiler::artifact::Payment;
use gavel_compiler::contract::{Arm, Contract};
use gavel_compiler::word::ir::{BUILT_IN_ABORTS, Op};
use gavel_compiler::word::{Author, Program};
use serde::Serialize;

use crate::commands::compile::payments;
use crate::table::grouped;

#[derive(Debug, Serialize)]
pub(super) struct Analyses {
    /// Operations of the word IR: loops unrolled, functions inlined, both arms of branches.
    operations: usize,
    may_abort: Vec<MayAbort>,
    inputs: Vec<Vouched>,
    pays: Vec<Pays>,
    refund: Refund,
}

/// A line whose arithmetic may abort.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct MayAbort {
    line: usize,
    error: String,
}

#[derive(Debug, Serialize)]
struct Vouched {
    name: String,
    from: String,
    means: String,
}

#[derive(Debug, Serialize)]
struct Pays {
    outcome: String,
    payments: Vec<Payment>,
}

#[derive(Debug, Serialize)]
struct Refund {
    after: u32,
    payments: Vec<Payment>,
}

impl Analyses {
    pub(super) fn of(contract: &Contract, source: &str) -> Self {
        let paid = |arms: &[Arm]| paid(contract, arms);
        let outcomes = contract.program.outcomes.iter().zip(&contract.coin.pay);
        Self {
            operations: contract.program.insts.len(),
            may_abort: may_abort(&contract.program, source),
            inputs: vouched(contract),
            pays: outcomes
                .map(|(outcome, arms)| Pays {
                    outcome: outcome.clone(),
                    payments: paid(arms),
                })
                .collect(),
            refund: Refund {
                after: contract.coin.refund_after.0,
                payments: paid(&contract.coin.refund),
            },
        }
    }

    /// One line for each, a newline at the end of each.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, text: String| {
            out.push_str(&format!("  {name:<10}{text}\n"));
        };
        let operations = grouped(self.operations as u64);
        line("program", format!("{operations} operations at most"));
        for input in &self.inputs {
            line("input", format!("{}: {}", input.name, input.means));
        }
        for abort in &self.may_abort {
            line("may abort", format!("line {}: {}", abort.line, abort.error));
        }
        for pays in &self.pays {
            line(
                "pays",
                format!("{} {}", pays.outcome, payments(&pays.payments)),
            );
        }
        let after = grouped(u64::from(self.refund.after));
        let refund = payments(&self.refund.payments);
        line("refund", format!("after {after} blocks {refund}"));
        out
    }
}

/// Checks that the language makes by itself. `IllTyped` is left out: it is about what a claimer
/// writes, not about the program.
fn may_abort(program: &Program, source: &str) -> Vec<MayAbort> {
    let mut all = BTreeSet::new();
    for inst in &program.insts {
        let Op::AbortIf(_, code) = inst.op else {
            continue;
        };
        let Some(abort) = program.aborts.get(usize::from(code)) else {
            continue;
        };
        if BUILT_IN_ABORTS.contains(&abort.name.as_str()) && abort.name != "IllTyped" {
            all.insert(MayAbort {
                line: super::line(source, abort.span),
                error: abort.name.clone(),
            });
        }
    }
    all.into_iter().collect()
}

fn vouched(contract: &Contract) -> Vec<Vouched> {
    let optional = |name: &str| {
        let elements = contract.program.inputs.iter();
        let own = |element: &str| {
            let rest = element.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        };
        elements.filter(|e| own(&e.name)).any(|e| e.optional)
    };
    let inputs = contract.inputs.iter();
    inputs
        .map(|input| {
            let (from, mut means) = match input.author {
                Author::Anyone => {
                    let means = "the claimer chooses it, within what the program checks";
                    ("anyone".to_owned(), means.to_owned())
                }
                Author::Party(n) => signed(contract.parties.get(usize::from(n))),
                Author::Attestor(n) => {
                    let attestor = contract.attestors.get(usize::from(n));
                    signed(attestor.map(|attestor| &attestor.name))
                }
            };
            if optional(&input.name) {
                means.push_str("; the claimer may leave it blank");
            } else if input.author != Author::Anyone {
                means.push_str("; without it nobody can claim");
            }
            Vouched {
                name: input.name.clone(),
                from,
                means,
            }
        })
        .collect()
}

fn signed(by: Option<&String>) -> (String, String) {
    let name = by.map_or("?", String::as_str);
    (name.to_owned(), format!("only {name} can sign it"))
}

fn paid(contract: &Contract, arms: &[Arm]) -> Vec<Payment> {
    let name = |n: u8| contract.parties.get(usize::from(n)).cloned();
    arms.iter()
        .map(|arm| Payment {
            party: name(arm.party).unwrap_or_default(),
            sats: arm.amount,
        })
        .collect()
}
