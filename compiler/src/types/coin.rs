//! The coin: who funds it, who is paid, and whether that adds up.

use super::names::{Def, suggest};
use super::ty::Ty;
use super::typed::{ArmDef, ArmList, CoinDef, Contract, Expr, ParamTy};
use super::{Checker, items::const_error};
use crate::contract::{Arm, Coin};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Item};
use crate::units::{Blocks, Sats};
use crate::word::Span;
use crate::word::lower::{Constants, EvalError, evaluate};

/// The smallest output that the network relays: dust of a taproot output (Bitcoin Core's
/// policy at its default rate).
const DUST: u64 = 330;

/// All bitcoin there will ever be, in satoshis.
const MAX_MONEY: u64 = 21_000_000 * 100_000_000;

impl Checker {
    pub(super) fn coin_item(&mut self, contract: &ast::Contract) {
        let mut coins = contract.items.iter().filter_map(|item| match item {
            Item::Coin(coin) => Some(coin),
            _ => None,
        });
        let Some(item) = coins.next() else {
            let message = format!("`{}` has no coin", contract.name.text);
            self.report(
                Diagnostic::new(Code::NoCoin, contract.name.span, message)
                    .help("`coin pot { fund .. pay .. refund .. }` says what is at stake"),
            );
            return;
        };
        for other in coins {
            let message = "more than one coin is not yet supported in this version";
            self.report(Diagnostic::new(
                Code::NotYetSupported,
                other.name.span,
                message,
            ));
        }
        let before = self.enter(None);
        self.declare_item(&item.name, Def::Coin);
        let fund = self.fund(item);
        let pay = self.pay(item);
        let refund = self.refund(item);
        self.leave(before);
        if !item.broken {
            self.everybody_appears(&fund, &pay, refund.as_ref());
        }
        let (refund_after, refund) = refund.unwrap_or_else(|| {
            let arms = Vec::new();
            let span = item.name.span;
            let complete = false;
            let list = ArmList {
                span,
                arms,
                complete,
            };
            (Self::error(span), list)
        });
        let coin = CoinDef {
            name: item.name.text.clone(),
            span: item.name.span,
            funded: !item.broken && !fund.is_empty() && fund.len() == item.fund.len(),
            fund,
            pay,
            refund_after,
            refund,
        };
        self.contract.coin = Some(coin);
        // Functions without end can't be computed.
        if !self.diagnostics.iter().any(|d| d.code == Code::Recursion) {
            let params = vec![None; self.contract.params.len()];
            let (_, found) = coin_with(&self.contract, &params);
            self.diagnostics.extend(found);
        }
    }

    fn party(&mut self, name: &ast::Name) -> Option<u8> {
        if let Some(Def::Param(n)) = self.find(&name.text)
            && let Some(ParamTy::Party(party)) = self.contract.params.get(n).map(|p| &p.ty)
        {
            return Some(*party);
        }
        let mut known = Vec::new();
        for n in &self.contract.parties {
            known.extend(self.contract.params.get(*n).map(|p| p.name.clone()));
        }
        let message = format!("there is no party `{}`", name.text);
        let unknown = Diagnostic::new(Code::UnknownParty, name.span, message);
        self.report(suggest(unknown, &name.text, name.span, &known));
        None
    }

    fn fund(&mut self, item: &ast::Coin) -> Vec<(u8, Expr)> {
        let mut fund: Vec<(u8, Expr, Span)> = Vec::new();
        for (name, amount) in &item.fund {
            let amount = self.expect(amount, &Ty::Sats);
            if let Some(party) = self.party(name) {
                let first = fund.iter().find(|(known, ..)| *known == party);
                if let Some(first) = first.map(|(.., span)| *span) {
                    let message = format!("`{}` funds the coin twice", name.text);
                    self.report(
                        Diagnostic::new(Code::ArmTwice, name.span, message)
                            .label(first, "the first time"),
                    );
                }
                fund.push((party, amount, name.span));
            }
        }
        if item.fund.is_empty() && !item.broken {
            let message = format!("nobody funds `{}`", item.name.text);
            self.report(
                Diagnostic::new(Code::NotFunded, item.name.span, message)
                    .help("`fund alice: 50_000 sats`"),
            );
        }
        fund.into_iter()
            .map(|(party, amount, _)| (party, amount))
            .collect()
    }

    fn pay(&mut self, item: &ast::Coin) -> Vec<Option<ArmList>> {
        let Some(outcomes) = self.contract.settle.as_ref().map(|s| s.outcomes) else {
            return Vec::new();
        };
        let def = self.contract.enums.get(outcomes);
        let variants = def.map(|def| def.variants.clone()).unwrap_or_default();
        let mut all: Vec<Option<ArmList>> = vec![None; variants.len()];
        for pay in &item.pay {
            let arms = self.arms(&pay.arms, pay.span);
            for name in &pay.outcomes {
                let Some(outcome) = self.outcome(name, outcomes) else {
                    continue;
                };
                let Some(slot) = all.get_mut(outcome) else {
                    continue;
                };
                if let Some(first) = slot.as_ref().map(|list| list.span) {
                    let message = format!("`{}` is paid twice", name.text);
                    self.report(
                        Diagnostic::new(Code::ArmTwice, name.span, message)
                            .label(first, "the first time"),
                    );
                } else {
                    *slot = Some(arms.clone());
                }
            }
        }
        let missing: Vec<String> = variants
            .iter()
            .zip(&all)
            .filter(|(_, list)| list.is_none())
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        if !missing.is_empty() && !item.broken {
            let message = format!("`{}` doesn't pay {}", item.name.text, missing.join(", "));
            let mut found = Diagnostic::new(Code::MissingArm, item.name.span, message)
                .help("every outcome needs a `pay OUTCOME { .. }`");
            if let Some(def) = self.contract.enums.get(outcomes) {
                found = found.label(def.span, "the outcomes are declared here");
            }
            self.report(found);
        }
        all
    }

    fn refund(&mut self, item: &ast::Coin) -> Option<(Expr, ArmList)> {
        let mut refunds = item.refund.iter();
        let Some(refund) = refunds.next() else {
            if item.broken {
                return None;
            }
            let message = format!("`{}` has no refund", item.name.text);
            self.report(
                Diagnostic::new(Code::NoRefund, item.name.span, message)
                    .help("`refund after 4_032 blocks { .. }` pays when nobody settles the coin"),
            );
            return None;
        };
        for other in refunds {
            let message = "a second refund";
            self.report(
                Diagnostic::new(Code::ArmTwice, other.span, message)
                    .label(refund.span, "the first"),
            );
        }
        let after = self.expect(&refund.after, &Ty::U32);
        Some((after, self.arms(&refund.arms, refund.span)))
    }

    fn arms(&mut self, arms: &[ast::Arm], span: Span) -> ArmList {
        let mut all: Vec<ArmDef> = Vec::new();
        for arm in arms {
            let amount = arm
                .amount
                .as_ref()
                .map(|amount| self.expect(amount, &Ty::Sats));
            let Some(party) = self.party(&arm.party) else {
                continue;
            };
            if let Some(first) = all.iter().find(|known| known.party == party) {
                let message = format!("`{}` is paid twice in one list", arm.party.text);
                let twice = Diagnostic::new(Code::ArmTwice, arm.span, message)
                    .label(first.span, "the first time");
                self.report(twice);
                continue;
            }
            let rest = all.iter().find(|known| known.amount.is_none());
            if let (None, Some(first)) = (&amount, rest) {
                let twice = Diagnostic::new(Code::RestTwice, arm.span, "a second `rest`")
                    .label(first.span, "the first");
                self.report(twice);
                continue;
            }
            let span = arm.span;
            all.push(ArmDef {
                party,
                amount,
                span,
            });
        }
        ArmList {
            span,
            complete: all.len() == arms.len(),
            arms: all,
        }
    }

    fn everybody_appears(
        &mut self,
        fund: &[(u8, Expr)],
        pay: &[Option<ArmList>],
        refund: Option<&(Expr, ArmList)>,
    ) {
        let lists = pay.iter().flatten().chain(refund.map(|(_, list)| list));
        let mut seen: Vec<u8> = lists
            .flat_map(|list| &list.arms)
            .map(|arm| arm.party)
            .collect();
        seen.extend(fund.iter().map(|(party, _)| *party));
        let absent: Vec<(String, Span)> = self
            .contract
            .parties
            .iter()
            .enumerate()
            .filter(|(n, _)| !seen.iter().any(|party| usize::from(*party) == *n))
            .filter_map(|(_, param)| self.contract.params.get(*param))
            .map(|param| (param.name.clone(), param.span))
            .collect();
        for (name, span) in absent {
            let message = format!("`{name}` neither funds the coin nor is ever paid");
            self.report(Diagnostic::new(Code::NotFunded, span, message));
        }
    }
}

/// Computes the coin's amounts. Whatever depends on a parameter without a value is left
/// unchecked, and then there is no coin.
pub fn coin_with(
    contract: &Contract,
    params: &[Option<Vec<u32>>],
) -> (Option<Coin>, Vec<Diagnostic>) {
    let Some(def) = &contract.coin else {
        return (None, Vec::new());
    };
    let mut amounts = Amounts {
        constants: Constants {
            consts: &contract.consts,
            fns: &contract.fns,
            params,
        },
        parties: contract
            .parties
            .iter()
            .map(|n| contract.params.get(*n).map_or("?", |p| p.name.as_str()))
            .collect(),
        diagnostics: Vec::new(),
    };
    let coin = amounts.coin(def);
    (coin, amounts.diagnostics)
}

struct Amounts<'a> {
    constants: Constants<'a>,
    parties: Vec<&'a str>,
    diagnostics: Vec<Diagnostic>,
}

impl Amounts<'_> {
    fn coin(&mut self, def: &CoinDef) -> Option<Coin> {
        let mut fund = vec![Sats(0); self.parties.len()];
        let mut pot = def.funded.then_some(0u64);
        for (party, amount) in &def.fund {
            let value = self.amount(amount);
            if let Some(value) = value {
                self.dust(value, amount.span, "this");
                if let Some(slot) = fund.get_mut(usize::from(*party)) {
                    *slot = Sats(value);
                }
            }
            pot = pot
                .zip(value)
                .and_then(|(pot, value)| pot.checked_add(value));
        }
        if pot.is_some_and(|pot| pot > MAX_MONEY) {
            let message = "the coin holds more bitcoin than will ever exist";
            self.diagnostics
                .push(Diagnostic::new(Code::BadAmount, def.span, message));
            pot = None;
        }
        let mut pay = Some(Vec::new());
        let mut seen: Vec<Span> = Vec::new();
        for list in &def.pay {
            // A list that pays several outcomes is reported once.
            let again = list.as_ref().is_some_and(|list| seen.contains(&list.span));
            let known = self.diagnostics.len();
            let arms = list.as_ref().and_then(|list| self.arms(list, pot));
            if again {
                self.diagnostics.truncate(known);
            }
            seen.extend(list.as_ref().map(|list| list.span));
            pay = pay.zip(arms).map(|(mut pay, arms)| {
                pay.push(arms);
                pay
            });
        }
        let refund = self.arms(&def.refund, pot);
        let refund_after = self.blocks(&def.refund_after);
        let valid = !self.diagnostics.iter().any(Diagnostic::is_error);
        pot.filter(|_| valid)?;
        Some(Coin {
            name: def.name.clone(),
            fund,
            pay: pay?,
            refund_after: refund_after?,
            refund: refund?,
        })
    }

    fn words(&mut self, expr: &Expr, what: &str) -> Option<Vec<u32>> {
        if expr.ty == Ty::Error {
            return None;
        }
        match evaluate(&self.constants, expr) {
            Ok(words) => Some(words),
            Err(EvalError::NeedsParam) => None,
            Err(error) => {
                self.diagnostics.push(const_error(&error, what, expr.span));
                None
            }
        }
    }

    fn amount(&mut self, expr: &Expr) -> Option<u64> {
        let words = self.words(expr, "this amount")?;
        let low = words.first().copied().unwrap_or(0);
        let high = words.get(1).copied().unwrap_or(0);
        Some(u64::from(low) | (u64::from(high) << 32))
    }

    fn blocks(&mut self, expr: &Expr) -> Option<Blocks> {
        let words = self.words(expr, "this number of blocks")?;
        let blocks = Blocks(words.first().copied().unwrap_or(0));
        if blocks.0 == 0 || blocks > Blocks::MAX_RELATIVE {
            let message = format!("a refund after {} blocks", blocks.0);
            self.diagnostics.push(
                Diagnostic::new(Code::BadRefundTime, expr.span, message)
                    .help("a relative lock holds for 1 to 65,535 blocks (BIP 68)"),
            );
            return None;
        }
        Some(blocks)
    }

    fn dust(&mut self, amount: u64, span: Span, what: &str) {
        if amount < DUST {
            let message = format!("{what} is {amount} sats, below dust ({DUST} sats)");
            self.diagnostics
                .push(Diagnostic::new(Code::BelowDust, span, message).help(
                "the network doesn't relay smaller outputs; leave the party out to pay it nothing",
            ));
        }
    }

    fn arms(&mut self, list: &ArmList, pot: Option<u64>) -> Option<Vec<Arm>> {
        let mut amounts: Vec<Option<u64>> = Vec::new();
        let mut sum = list.complete.then_some(0u64);
        let mut rest = None;
        for arm in &list.arms {
            let value = match &arm.amount {
                Some(expr) => {
                    let value = self.amount(expr);
                    sum = sum
                        .zip(value)
                        .and_then(|(sum, value)| sum.checked_add(value));
                    value
                }
                None => {
                    rest = Some(arm.span);
                    None
                }
            };
            amounts.push(value);
        }
        let (pot, sum) = (pot?, sum?);
        let left = match (pot.checked_sub(sum), rest) {
            (Some(left), Some(_)) => left,
            (Some(0), None) => 0,
            (left, _) => {
                let (words, difference) = match left {
                    Some(left) => ("less", left),
                    None => ("more", sum.saturating_sub(pot)),
                };
                let message = format!(
                    "this pays {sum} sats, {difference} {words} than the coin's {pot} sats"
                );
                let wrong = Diagnostic::new(Code::WrongSum, list.span, message);
                self.diagnostics.push(match left {
                    Some(_) => wrong.help("give one party `rest`"),
                    None => wrong,
                });
                return None;
            }
        };
        let mut arms = Vec::new();
        for (arm, amount) in list.arms.iter().zip(amounts) {
            let amount = amount.unwrap_or(left);
            let what = match (&arm.amount, self.parties.get(usize::from(arm.party))) {
                (None, Some(name)) => format!("what rests for `{name}`"),
                (Some(_), Some(name)) => format!("what `{name}` is paid"),
                _ => "this".to_owned(),
            };
            self.dust(amount, arm.span, &what);
            arms.push(Arm {
                party: arm.party,
                amount: Sats(amount),
            });
        }
        Some(arms)
    }
}
