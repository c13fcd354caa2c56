//! Entries do what a plain model of them does: drawn calls are written down as the test of a
//! ledger, with the errors, events and the final state that the model expects.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use gavel_compiler::check;
use gavel_compiler::diagnostic::Style;
use gavel_compiler::ledger::{State, execute};
use gavel_compiler::testing::run_tests;
use gavel_compiler::word::lower::lower_entry;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const SOURCE: &str = include_str!("ledgers/semantics.gvl");

/// Runs a test of a ledger.
fn passes(contract: &str, test: &str) {
    let source = contract.trim_end().strip_suffix('}').unwrap().to_owned();
    let source = format!("{source}\n    test \"t\" {{\n{test}    }}\n}}\n");
    match run_tests(&source) {
        Err(found) => {
            let drawn = found.iter().map(|d| d.draw(&source, "s.gvl", Style::Plain));
            panic!("{}", drawn.collect::<Vec<_>>().join("\n"));
        }
        Ok(reports) => {
            if let Some(failure) = reports.iter().find_map(|report| report.failures.first()) {
                let line = &source[failure.span.start as usize..failure.span.end as usize];
                panic!("{test}\n{line}: {}", failure.message);
            }
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Lot {
    n: u64,
    row: [u8; 3],
    on: bool,
    a: u16,
    b: u128,
}

#[derive(Clone, Debug, Default)]
struct Model {
    pool: u64,
    supply: u64,
    wallet: BTreeMap<u64, u64>,
    chests: BTreeMap<u64, (u64, u64)>,
    lots: BTreeMap<u64, Lot>,
    grid: BTreeMap<(u64, u8), u16>,
    total: u64,
    seen: u64,
    last: u32,
    events: Vec<(u64, u64)>,
}

const OVERFLOW: &str = "Overflow";
type Run<T = ()> = Result<T, &'static str>;

fn plus(place: &mut u64, n: u64) -> Run {
    *place = place.checked_add(n).ok_or(OVERFLOW)?;
    Ok(())
}

fn take(place: &mut u64, n: u64) -> Run<u64> {
    *place = place.checked_sub(n).ok_or("Insufficient")?;
    Ok(n)
}

/// A call of one of the entries.
#[derive(Clone, Debug)]
enum Call {
    Parts(u64, u64, u64),
    Wholes(u64, u64, u64),
    Grids(u64, u8, u16),
    Short(u64, u64),
    Early(u64, u64),
    Undone(u64, u64),
    Moves(u64, u64, u64),
    Mint(u64, u64),
    Calls(u64, u64),
    Wait(u32, u32),
}

impl Model {
    fn lot(&mut self, k: u64) -> &mut Lot {
        self.lots.entry(k).or_default()
    }

    fn purse(&mut self, k: u64) -> &mut u64 {
        self.wallet.entry(k).or_default()
    }

    fn reads(&mut self, k: u64) -> Run<u64> {
        let n = self.lot(k).n;
        self.purse(k).checked_add(n).ok_or(OVERFLOW)
    }

    fn bump(&mut self, k: u64, x: u64) -> Run<u64> {
        plus(&mut self.total, x.checked_mul(3).ok_or(OVERFLOW)?)?;
        if x > 3 {
            return Ok(self.total);
        }
        plus(&mut self.lot(k).n, x)?;
        self.total.checked_add(1).ok_or(OVERFLOW)
    }

    fn run(&mut self, call: &Call) -> Run {
        match *call {
            Call::Parts(k, j, x) => {
                self.lot(k).n = x;
                plus(&mut self.lot(j).n, 1)?;
                let part = &mut self.lot(k).row[(x % 3) as usize];
                *part = part.checked_add(100).ok_or(OVERFLOW)?;
                let (n, on) = (self.lot(k).n, self.lot(k).on);
                self.lot(j).b = u128::from(n) * 1_000_000_000_000;
                self.lot(j).on = !on;
                self.seen = n.checked_add(self.lot(j).n).ok_or(OVERFLOW)?;
            }
            Call::Wholes(k, j, x) => {
                let lot = *self.lot(k);
                *self.lot(j) = lot;
                *self.lot(k) = Lot {
                    n: x,
                    row: [1, 2, 3],
                    on: true,
                    ..lot
                };
                if x > 5 {
                    *self.lot(j) = Lot::default();
                }
                let (one, other) = (*self.lot(k), *self.lot(j));
                if k != j && one == other {
                    return Err("Low");
                }
            }
            Call::Grids(k, j, x) => {
                let cell = self.grid.entry((k, j)).or_default();
                *cell = cell.checked_add(x).ok_or(OVERFLOW)?;
                if x > 100 {
                    let cell = self.grid.entry((k, 7)).or_default();
                    *cell = cell.checked_sub(1).ok_or(OVERFLOW)?;
                }
                for i in (0..6).take_while(|i| *i != j).filter(|i| i % 2 == 0) {
                    let cell = self.grid.entry((k, i)).or_default();
                    *cell = cell.checked_add(10).ok_or(OVERFLOW)?;
                    plus(&mut self.total, 1)?;
                }
            }
            Call::Short(k, x) => {
                let row = [10, 20, 30];
                let at = row.get(x as usize).copied().filter(|_| x < 3);
                if let Some(n) = at.filter(|n| *n > 15) {
                    plus(&mut self.seen, n)?;
                }
                if at.is_none_or(|n| n == 10) {
                    plus(&mut self.total, 1)?;
                }
                if self.lot(k).on && self.seen.checked_div(x).ok_or("DivisionByZero")? > 2 {
                    plus(&mut self.total, 2)?;
                }
            }
            Call::Early(k, x) => {
                plus(&mut self.total, 1)?;
                if x == 1 {
                    self.events.push((1, self.total));
                    return Ok(());
                }
                for i in 0..4 {
                    if i == x {
                        return Ok(());
                    }
                    plus(&mut self.seen, i + k)?;
                    self.events.push((i, self.seen));
                }
                plus(&mut self.total, 100)?;
            }
            Call::Undone(k, x) => {
                plus(&mut self.total, 1)?;
                self.lot(k).n = 99;
                plus(&mut self.supply, x)?;
                plus(self.purse(k), x)?;
                self.events.push((k, x));
                if x % 2 == 1 {
                    return Err("Low");
                }
            }
            Call::Moves(a, b, x) => {
                let n = take(self.purse(a), x)?;
                plus(self.purse(b), n)?;
                if x > 5 {
                    let all = std::mem::take(self.purse(a));
                    plus(&mut self.pool, all)?;
                }
                let half = *self.purse(a) / 2;
                let v = take(&mut self.pool, half)?;
                let w = v / 2;
                let chest = self.chests.entry(b).or_default();
                plus(&mut chest.0, v - w)?;
                chest.1 = x;
                match x % 2 {
                    1 => self.supply -= w,
                    _ => plus(self.purse(a), w)?,
                }
                self.seen = self.supply;
                let held = *self.purse(b);
                self.events.push((held, self.supply));
            }
            Call::Mint(a, x) => {
                plus(&mut self.supply, x)?;
                plus(self.purse(a), x)?;
            }
            Call::Calls(k, x) => {
                self.seen = self.reads(k)?;
                let a = self.bump(k, x)?;
                let b = if x > 2 && self.bump(k, 1)? > 5 {
                    self.bump(k, 2)?
                } else {
                    0
                };
                let sum = self.reads(k)?.checked_add(a).ok_or(OVERFLOW)?;
                self.seen = sum.checked_add(b).ok_or(OVERFLOW)?;
            }
            Call::Wait(x, height) => {
                if height < self.last.checked_add(x).ok_or(OVERFLOW)? {
                    return Err("Low");
                }
                self.last = height;
            }
        }
        Ok(())
    }

    /// The line of a test for a call, which is made.
    fn line(&mut self, call: &Call, height: &mut u32) -> String {
        let written = match call {
            Call::Parts(k, j, x) => format!("parts({k}, {j}, {x})"),
            Call::Wholes(k, j, x) => format!("wholes({k}, {j}, {x})"),
            Call::Grids(k, j, x) => format!("grids({k}, {j}, {x})"),
            Call::Short(k, x) => format!("short({k}, {x})"),
            Call::Early(k, x) => format!("early({k}, {x})"),
            Call::Undone(k, x) => format!("undone({k}, {x})"),
            Call::Moves(a, b, x) => format!("moves({a}, {b}, {x})"),
            Call::Mint(a, x) => format!("mint({a}, {x})"),
            Call::Calls(k, x) => format!("calls({k}, {x})"),
            Call::Wait(x, 0) => format!("wait({x})"),
            Call::Wait(x, at) => {
                *height = *at;
                format!("wait({x}) at {at}")
            }
        };
        let call = match call {
            Call::Wait(x, _) => Call::Wait(*x, *height),
            call => call.clone(),
        };
        let before = self.clone();
        let ended = self.run(&call);
        let events = std::mem::take(&mut self.events);
        let told = events
            .iter()
            .map(|(at, what)| format!("Seen {{ at: {at}, what: {what} }}"));
        let told: Vec<String> = told.collect();
        match ended {
            Err(name) => {
                *self = before;
                format!("call {written} fails {name}\n")
            }
            Ok(()) if told.is_empty() => format!("call {written}\n"),
            Ok(()) => format!("call {written} emits {}\n", told.join(", ")),
        }
    }

    /// Asserts of all places.
    fn asserts(&self) -> String {
        let mut out = String::new();
        for (place, n) in [
            ("pool.amount", self.pool),
            ("A.supply", self.supply),
            ("total", self.total),
            ("seen", self.seen),
        ] {
            writeln!(out, "assert {place} == {n}").unwrap();
        }
        writeln!(out, "assert last == {}", self.last).unwrap();
        for k in 0..4u64 {
            let held = self.wallet.get(&k).copied().unwrap_or_default();
            writeln!(out, "assert wallet[{k}].amount == {held}").unwrap();
            let (coins, of) = self.chests.get(&k).copied().unwrap_or_default();
            writeln!(
                out,
                "assert chests[{k}].coins.amount == {coins} && chests[{k}].of == {of}"
            )
            .unwrap();
            let Lot { n, row, on, a, b } = self.lots.get(&k).copied().unwrap_or_default();
            writeln!(out, "assert lots[{k}].n == {n} && lots[{k}].on == {on}").unwrap();
            writeln!(
                out,
                "assert lots[{k}].row == {row:?} && lots[{k}].deep.a == {a}"
            )
            .unwrap();
            let b = wide(b);
            writeln!(out, "assert lots[{k}].deep.b == {b}").unwrap();
            for j in 0..8u8 {
                let cell = self.grid.get(&(k, j)).copied().unwrap_or_default();
                writeln!(out, "assert grid[{k}][{j}] == {cell}").unwrap();
            }
        }
        let sum: u128 = self.wallet.values().map(|n| u128::from(*n)).sum();
        let held = self.wallet.values().filter(|n| **n > 0).count();
        writeln!(
            out,
            "assert sum(wallet[_]) == {} && count(wallet[_]) == {held}",
            wide(sum)
        )
        .unwrap();
        let lots = self
            .lots
            .values()
            .filter(|lot| **lot != Lot::default())
            .count();
        writeln!(out, "assert count(lots[_]) == {lots}").unwrap();
        let row: u64 = (0..8)
            .filter_map(|j| self.grid.get(&(1, j)))
            .map(|n| u64::from(*n))
            .sum();
        writeln!(out, "assert sum(grid[1][_]) == {row}").unwrap();
        out
    }
}

/// A `u128` as the source can write it.
fn wide(n: u128) -> String {
    let (high, low) = (n >> 64, n as u64);
    format!("({high} as u128) * 4294967296 * 4294967296 + {low}")
}

fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..12u64, 1 => 90..110u64, 1 => Just(u64::MAX), 1 => any::<u64>()]
}

fn call() -> impl Strategy<Value = Call> {
    let key = || 0..4u64;
    let small = || prop_oneof![3 => 0..12u16, 1 => 99..110u16, 1 => 60_000..=65_535u16];
    let block = || prop_oneof![3 => 0..40u32, 1 => any::<u32>()];
    prop_oneof![
        (key(), key(), amount()).prop_map(|(k, j, x)| Call::Parts(k, j, x)),
        (key(), key(), amount()).prop_map(|(k, j, x)| Call::Wholes(k, j, x)),
        (key(), 0..8u8, small()).prop_map(|(k, j, x)| Call::Grids(k, j, x)),
        (key(), amount()).prop_map(|(k, x)| Call::Short(k, x)),
        (key(), amount()).prop_map(|(k, x)| Call::Early(k, x)),
        (key(), amount()).prop_map(|(k, x)| Call::Undone(k, x)),
        (key(), key(), amount()).prop_map(|(a, b, x)| Call::Moves(a, b, x)),
        (key(), amount()).prop_map(|(a, x)| Call::Mint(a, x)),
        (key(), amount()).prop_map(|(k, x)| Call::Calls(k, x)),
        (0..9u32, block()).prop_map(|(x, at)| Call::Wait(x, at)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn entries_do_what_the_model_does(calls in proptest::collection::vec(call(), 1..24)) {
        let mut model = Model { pool: 50, supply: 50, ..Model::default() };
        let mut test = "with step = 3, pool = 50\n".to_owned();
        let mut height = 0;
        for call in &calls {
            test.push_str(&model.line(call, &mut height));
        }
        test.push_str(&model.asserts());
        passes(SOURCE, &test);
    }

    /// `+=`, `-=` and `*=` of every number, in fields and in maps.
    #[test]
    fn numbers_stop_at_their_ends(
        calls in proptest::collection::vec((0..7usize, 0..3u8, 0..2u64, prop_oneof![0..20u64, Just(200), any::<u64>()]), 1..40),
    ) {
        const TYPES: [(&str, &str, u32); 7] = [
            ("u8", "u8", 8), ("u16", "u16", 16), ("u32", "u32", 32), ("u64", "u64", 64),
            ("u128", "u128", 128), ("sats", "sats", 64), ("height", "u32", 32),
        ];
        let mut fields = String::new();
        let mut entries = String::new();
        for (ty, by, _) in TYPES {
            writeln!(fields, "f_{ty}: {ty}\nm_{ty}: map<u64, {ty}>\na_{ty}: [{ty}; 2]").unwrap();
            writeln!(entries, "entry add_{ty}(k: u64, n: {by}) {{ f_{ty} += n; m_{ty}[k] += n; a_{ty}[k] += n }}").unwrap();
            writeln!(entries, "entry sub_{ty}(k: u64, n: {by}) {{ m_{ty}[k] -= n; f_{ty} -= n; a_{ty}[k] = m_{ty}[k] }}").unwrap();
            if ty != "sats" && ty != "height" {
                writeln!(entries, "entry mul_{ty}(k: u64, n: {by}) {{ m_{ty}[k] *= n; a_{ty}[k] = m_{ty}[k]; f_{ty} = 0 }}").unwrap();
            }
        }
        let source = format!("contract Numbers {{ state {{ {fields} }}\n{entries} }}");
        let mut held: BTreeMap<usize, (u128, [u128; 2], [u128; 2])> = BTreeMap::new();
        let mut test = String::new();
        for (which, how, k, n) in calls {
            let (ty, _, bits) = TYPES[which];
            let most = u128::MAX >> (128 - bits);
            let n = u128::from(n) & most;
            let how = if bits == 128 || which < 4 { how } else { how % 2 };
            let (field, map, array) = held.entry(which).or_default();
            let k = k as usize;
            let fits = |n: Option<u128>| n.filter(|n| *n <= most);
            let after = match how {
                0 => fits(field.checked_add(n)).zip(fits(map[k].checked_add(n))).zip(fits(array[k].checked_add(n))),
                1 => map[k].checked_sub(n).zip(field.checked_sub(n)).map(|(m, f)| ((f, m), m)),
                _ => fits(map[k].checked_mul(n)).map(|m| ((0, m), m)),
            };
            let name = ["add", "sub", "mul"][usize::from(how)];
            let unit = if ty == "sats" { " sats" } else { "" };
            write!(test, "call {name}_{ty}({k}, {n}{unit})").unwrap();
            match after {
                Some(((f, m), a)) => {
                    (*field, map[k], array[k]) = (f, m, a);
                    test.push('\n');
                }
                None => test.push_str(" fails Overflow\n"),
            }
        }
        for (which, (field, map, array)) in held {
            let (ty, ..) = TYPES[which];
            let show = |n: u128| match ty {
                "u128" => wide(n),
                "sats" => format!("{n} sats"),
                _ => n.to_string(),
            };
            writeln!(test, "assert f_{ty} == {}", show(field)).unwrap();
            for k in 0..2 {
                writeln!(test, "assert m_{ty}[{k}] == {}", show(map[k])).unwrap();
                writeln!(test, "assert a_{ty}[{k}] == {}", show(array[k])).unwrap();
            }
        }
        passes(&source, &test);
    }
}

/// Events come in the order in which they are told, with their fields in the order of
/// declaration, and those of ways not taken don't come.
#[test]
fn events_come_in_order() {
    let contract = check(SOURCE).contract;
    let entry = contract.entries.iter().find(|e| e.name == "early").unwrap();
    let routine = lower_entry(&contract, &[Some(vec![3, 0])], entry).unwrap();
    let told = |x: u32| -> Vec<Vec<u32>> {
        let ran = execute(&routine, &[5, 0, x, 0, 0], &State::new());
        let events = ran.result.unwrap().events;
        events.into_iter().map(|event| event.words).collect()
    };
    assert_eq!(told(1), [[1, 0, 1, 0]]);
    assert_eq!(told(2), [[0, 0, 5, 0], [1, 0, 11, 0]]);
    assert_eq!(told(0), [[0u32; 4]; 0]);
    assert_eq!(told(9).len(), 4);
}

#[test]
#[should_panic(expected = "this does not hold: 0 == 1")]
fn what_does_not_hold_is_noticed() {
    passes(SOURCE, "with step = 3, pool = 50\nassert total == 1\n");
}
