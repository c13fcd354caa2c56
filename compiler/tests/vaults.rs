//! What vaults hold is neither lost nor there twice: whatever program is accepted keeps the sum
//! of all vaults equal to the supply, and programs with a move too few or too many are refused.

#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::check;
use gavel_compiler::diagnostic::Style;
use gavel_compiler::testing::run_tests;
use proptest::prelude::*;

/// A ledger with a body for its entry, and calls of it.
fn contract(body: &str) -> String {
    format!(
        "contract Vaults {{
    asset A
    struct Chest {{ of: u64, coins: vault<A> }}
    enum Side {{ Left, Right }}
    state {{
        pool: vault<A>
        w: map<u64, vault<A>>
        chests: map<u64, Chest>
        side: Side
        times: u64
    }}
    fn keep(v: vault<A>) -> vault<A> {{ v }}
    fn split(v: vault<A>, n: u64) -> (vault<A>, vault<A>) {{
        let mut v = v
        if v.amount < n {{ return (v.take_all(), v) }}
        let other = v.take(n)
        (v, other)
    }}
    fn stash(k: u64, v: vault<A>) changes {{ w[k].put(v) }}
    fn draw(n: u64) -> vault<A> changes {{ pool.take(n) }}
    entry turn() {{ side = if side == Left {{ Right }} else {{ Left }} }}
    entry all() mints A burns A {{
        pool.put(A.mint(1))
        A.burn(keep(draw(1)))
        let (v, other) = split(pool.take(1), 1)
        stash(1, v)
        chests[1].coins.put(other)
        chests[1].of = 1
    }}
    entry go(n: u64) mints A burns A {{
        times += 1
{body}
    }}
    test \"t\" {{
        with pool = 1_000_000, w[0] = 500, w[2] = 3, chests[1].coins = 7
        for n in 0..8 {{
            try call go(n)
            assert sum(w[_]) + sum(chests[_].coins) + (pool.amount as u128) == A.supply as u128
            call turn()
        }}
    }}
}}
"
    )
}

/// A statement. Variables are numbers.
#[derive(Clone, Debug)]
enum Step {
    /// `let mut v = source`
    Take(usize, String),
    /// Moves a variable on: text before and after its name.
    Move(String, usize, String),
    /// `let mut x = keep(v)`
    Rename(usize, usize),
    /// `x = source`, of a variable that was moved.
    Refill(usize, String),
    /// `let (mut x, y) = split(v, n)`
    Split([usize; 2], usize, u8),
    /// `place.put(v.take(n))`
    Part(usize, u8),
    /// `if` or `match`
    Fork(String, Vec<Step>, Vec<Step>),
    /// `for`
    Loop(u8, Vec<Step>),
    /// `return`, `break` or `continue`
    Jump(&'static str),
}

/// Choices of a generator: those that proptest drew, then zeros.
struct Choices<'a> {
    drawn: std::slice::Iter<'a, u8>,
    variables: usize,
}

impl Choices<'_> {
    fn below(&mut self, n: usize) -> usize {
        usize::from(self.drawn.next().copied().unwrap_or(0)) % n
    }

    fn number(&mut self) -> u8 {
        self.below(9) as u8
    }

    fn new_variable(&mut self) -> usize {
        self.variables += 1;
        self.variables
    }

    fn source(&mut self) -> String {
        let n = self.number();
        match self.below(8) {
            0 => format!("pool.take({n})"),
            1 => format!("w[{}].take_all()", n % 3),
            2 => format!("A.mint({n} + n)"),
            3 => format!("draw({n})"),
            4 => format!("chests[1].coins.take({})", n % 3),
            5 => format!("if n > {n} {{ pool.take(1) }} else {{ w[0].take(n) }}"),
            6 => format!("keep(pool.take({n} + n))"),
            _ => format!("match side {{ Left => pool.take_all(), Right => w[{n}].take_all() }}"),
        }
    }

    fn sink(&mut self, v: usize, open: &[usize]) -> Step {
        let n = self.number();
        let others: Vec<usize> = open.iter().copied().filter(|x| *x != v).collect();
        let (before, after) = match self.below(7) {
            0 => ("pool.put(".to_owned(), ")"),
            1 => (format!("w[{n}].put("), ")"),
            2 => ("A.burn(".to_owned(), ")"),
            3 => (format!("stash({n}, "), ")"),
            4 => ("chests[n].coins.put(keep(".to_owned(), "))"),
            5 if !others.is_empty() => {
                let other = others[self.below(others.len())];
                (format!("v{other}.put("), ")")
            }
            _ => (format!("w[if n > {n} {{ 0 }} else {{ 2 }}].put("), ")"),
        };
        Step::Move(before, v, after.to_owned())
    }

    /// Statements that move on what `must` go, and all that they take themselves. `open` are all
    /// variables that hold a vault, `inner` those
    /// of the innermost loop's round that this block leaves alone.
    fn block(
        &mut self,
        mut must: Vec<usize>,
        open: &[usize],
        inner: Option<&[usize]>,
        depth: usize,
    ) -> Vec<Step> {
        let outside: Vec<usize> = open.iter().copied().filter(|v| !must.contains(v)).collect();
        let mut steps = Vec::new();
        for _ in 0..depth + self.below(6) {
            let pick = |c: &mut Self, must: &[usize]| must[c.below(must.len())];
            match self.below(11) {
                0..=2 => {
                    let v = self.new_variable();
                    steps.push(Step::Take(v, self.source()));
                    must.push(v);
                }
                3 if !must.is_empty() => {
                    let v = pick(self, &must);
                    steps.push(self.sink(v, &must));
                    must.retain(|x| *x != v);
                    if self.below(2) == 0 {
                        steps.push(Step::Refill(v, self.source()));
                        must.push(v);
                    }
                }
                4 if !must.is_empty() => {
                    let (v, x) = (pick(self, &must), self.new_variable());
                    steps.push(Step::Rename(x, v));
                    must.retain(|x| *x != v);
                    must.push(x);
                }
                5 if !must.is_empty() => {
                    let (v, x, y) = (pick(self, &must), self.new_variable(), self.new_variable());
                    steps.push(Step::Split([x, y], v, self.number()));
                    must.retain(|x| *x != v);
                    must.extend([x, y]);
                }
                6 => {
                    let all = [&outside[..], &must].concat();
                    if !all.is_empty() {
                        let v = all[self.below(all.len())];
                        steps.push(Step::Part(v, self.number()));
                    }
                }
                7 | 8 if depth > 0 => {
                    let gone = self.below(must.len() + 1);
                    let rest = must.split_off(must.len() - gone);
                    let open = [&outside[..], &must, &rest].concat();
                    let around = inner.map(|inner| [inner, &must].concat());
                    let condition = self.condition();
                    let mut then = self.block(rest.clone(), &open, around.as_deref(), depth - 1);
                    if self.below(2) == 0 {
                        let round = around.as_ref().map(|around| [&around[..], &rest].concat());
                        then = self.leave(&open, round.as_deref());
                    }
                    let otherwise = self.block(rest, &open, around.as_deref(), depth - 1);
                    steps.push(Step::Fork(condition, then, otherwise));
                }
                9 | 10 if depth > 0 => {
                    let open = [&outside[..], &must].concat();
                    let body = self.block(Vec::new(), &open, Some(&[]), depth - 1);
                    steps.push(Step::Loop(self.number() % 4, body));
                }
                _ => {}
            }
        }
        while let Some(v) = must.pop() {
            steps.push(self.sink(v, &must));
        }
        steps
    }

    /// Moves on what a jump would lose, and jumps.
    fn leave(&mut self, open: &[usize], inner: Option<&[usize]>) -> Vec<Step> {
        let (word, gone) = match (self.below(3), inner) {
            (0, _) | (_, None) => ("return", open),
            (1, Some(inner)) => ("break", inner),
            (_, Some(inner)) => ("continue", inner),
        };
        let mut steps: Vec<Step> = gone.iter().map(|v| self.sink(*v, &[])).collect();
        steps.push(Step::Jump(word));
        steps
    }

    fn condition(&mut self) -> String {
        let n = self.number();
        [
            "n > N",
            "side == Left",
            "pool.amount > 1N",
            "w[N].amount == 0",
            "n != N && times < 5",
        ][self.below(5)]
        .replace('N', &n.to_string())
    }
}

fn show(steps: &[Step], indent: usize, out: &mut String) {
    for step in steps {
        let line = match step {
            Step::Take(v, source) => format!("let mut v{v} = {source}"),
            Step::Move(before, v, after) => format!("{before}v{v}{after}"),
            Step::Rename(x, v) => format!("let mut v{x} = keep(v{v})"),
            Step::Refill(v, source) => format!("v{v} = {source}"),
            Step::Split([x, y], v, n) => format!("let (mut v{x}, mut v{y}) = split(v{v}, {n})"),
            Step::Part(v, n) => format!("w[{n}].put(v{v}.take({n}))"),
            Step::Jump(word) => (*word).to_owned(),
            Step::Fork(condition, ..) if condition == "side == Left" => "match side {".to_owned(),
            Step::Fork(condition, ..) => format!("if {condition} {{"),
            Step::Loop(n, _) => format!("for i in 0..{n} {{"),
        };
        let pad = "    ".repeat(indent);
        out.push_str(&format!("{pad}{line}\n"));
        match step {
            Step::Fork(condition, then, otherwise) if condition == "side == Left" => {
                out.push_str(&format!("{pad}Left => {{\n"));
                show(then, indent + 1, out);
                out.push_str(&format!("{pad}}},\n{pad}Right => {{\n"));
                show(otherwise, indent + 1, out);
                out.push_str(&format!("{pad}}} }}\n"));
            }
            Step::Fork(_, then, otherwise) => {
                show(then, indent + 1, out);
                out.push_str(&format!("{pad}}} else {{\n"));
                show(otherwise, indent + 1, out);
                out.push_str(&format!("{pad}}}\n"));
            }
            Step::Loop(_, body) => {
                show(body, indent + 1, out);
                out.push_str(&format!("{pad}}}\n"));
            }
            _ => {}
        }
    }
}

/// How many statements there are, in all blocks.
fn count(steps: &[Step]) -> usize {
    let inside = |step: &Step| match step {
        Step::Fork(_, then, otherwise) => count(then) + count(otherwise),
        Step::Loop(_, body) => count(body),
        _ => 0,
    };
    steps.iter().map(|step| 1 + inside(step)).sum()
}

/// Does something to the `at`-th statement, where it stands in its block; gives what it was.
fn change(
    steps: &mut Vec<Step>,
    at: &mut usize,
    how: &mut dyn FnMut(&mut Vec<Step>, usize),
) -> Option<Step> {
    for n in 0..steps.len() {
        if *at == 0 {
            let was = steps[n].clone();
            how(steps, n);
            return Some(was);
        }
        *at -= 1;
        let found = match &mut steps[n] {
            Step::Fork(_, then, otherwise) => {
                change(then, at, how).or_else(|| change(otherwise, at, how))
            }
            Step::Loop(_, body) => change(body, at, how),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn source(steps: &[Step]) -> String {
    let mut body = String::new();
    show(steps, 2, &mut body);
    contract(&body)
}

fn errors(source: &str) -> Vec<String> {
    let found = check(source)
        .diagnostics
        .into_iter()
        .filter(|d| d.is_error());
    found
        .map(|d| d.draw(source, "v.gvl", Style::Plain))
        .collect()
}

/// Whether it is accepted; if so, all calls of it keep what there is.
fn accepted_is_kept(source: &str) -> bool {
    if !errors(source).is_empty() {
        return false;
    }
    for report in run_tests(source).unwrap() {
        assert!(
            report.failures.is_empty(),
            "{source}\n{:?}",
            report.failures
        );
    }
    true
}

fn drawn() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..240)
}

fn program(drawn: &[u8]) -> Vec<Step> {
    let mut choices = Choices {
        drawn: drawn.iter(),
        variables: 0,
    };
    choices.block(Vec::new(), &[], None, 3)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn what_moves_everything_once_is_accepted(drawn in drawn()) {
        let text = source(&program(&drawn));
        let errors = errors(&text);
        prop_assert!(errors.is_empty(), "{text}\n{}", errors.join("\n"));
        prop_assert!(accepted_is_kept(&text));
    }

    #[test]
    fn a_move_too_few_or_too_many_is_refused(drawn in drawn(), at in any::<prop::sample::Index>(), twice: bool) {
        let mut steps = program(&drawn);
        let mut moves = Vec::new();
        for n in 0..count(&steps) {
            let was = change(&mut steps.clone(), &mut n.clone(), &mut |_, _| {});
            if matches!(was, Some(Step::Move(..))) {
                moves.push(n);
            }
        }
        if !moves.is_empty() {
            change(&mut steps, &mut at.get(&moves).clone(), &mut |block, n| {
                match twice {
                    true => block.insert(n, block[n].clone()),
                    false => drop(block.remove(n)),
                }
            });
            let text = source(&steps);
            let codes: Vec<_> = check(&text).diagnostics.iter().map(|d| d.code.id()).collect();
            let wanted = if twice { "E0808" } else { "E0807" };
            prop_assert!(codes.contains(&wanted), "{text}\n{codes:?}");
        }
    }

    #[test]
    fn whatever_is_accepted_keeps_what_there_is(
        drawn in drawn(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..4u8), 1..4),
    ) {
        let mut steps = program(&drawn);
        for (at, from, how) in changes {
            let size = count(&steps);
            if size == 0 {
                break;
            }
            let other = change(&mut steps.clone(), &mut from.index(size), &mut |_, _| {}).unwrap();
            change(&mut steps, &mut at.index(size), &mut |block, n| match how {
                0 => drop(block.remove(n)),
                1 => block.insert(n, block[n].clone()),
                2 => block[n] = other.clone(),
                _ => block.insert(n, other.clone()),
            });
        }
        accepted_is_kept(&source(&steps));
    }
}
