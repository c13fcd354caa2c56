//! One test, lowered, and how a case of it goes.
//!
//! What depends on no variable is folded in. The rest are [`Formula`]s whose inputs are the
//! case; where one can't be lowered so (say, because a loop runs up to a parameter), it is
//! lowered for each case with everything known.

use super::{Ran, TestFailure, show};
use crate::front::bind;
use crate::types::typed::{Claim, ConstDef, Contract, Expr, Input, TestAssert, TestDef, Variable};
use crate::types::{self, Ty};
use crate::word::Span;
use crate::word::lower::{Constants, Formula, Scope};

/// A test, lowered.
#[derive(Debug)]
pub(super) struct Trial<'a> {
    contract: &'a Contract,
    test: &'a TestDef,
    /// Words of the parameters that are the same in every case.
    known: Vec<Option<Vec<u32>>>,
    /// The parameters that aren't, in the order of `with`, and how they are computed.
    open: Vec<usize>,
    with: Vec<(Span, Option<Formula>, &'a Expr)>,
    /// The constants, bound if no parameter is open.
    consts: Vec<ConstDef>,
    /// What is wrong with the parameters, whatever the case.
    wrong: Vec<TestFailure>,
    lines: Vec<Line>,
    settle: Option<Formula>,
}

/// An assert, lowered: the inputs of `settle` or the condition, and the outcome.
#[derive(Debug)]
struct Line {
    values: Option<Formula>,
    outcome: Option<Formula>,
}

/// What a case knows so far.
struct Case<'a> {
    variables: &'a [Vec<u32>],
    /// The words of the variables, then of the open parameters.
    inputs: Vec<u32>,
    params: Vec<Option<Vec<u32>>>,
    consts: &'a [ConstDef],
}

impl<'a> Trial<'a> {
    pub fn new(contract: &'a Contract, test: &'a TestDef) -> Self {
        let mut trial = Self {
            contract,
            test,
            known: vec![None; contract.params.len()],
            open: Vec::new(),
            with: Vec::new(),
            consts: contract.consts.clone(),
            wrong: Vec::new(),
            lines: Vec::new(),
            settle: None,
        };
        for (n, value) in &test.with {
            trial.param(*n, value);
        }
        if trial.open.is_empty() {
            (trial.consts, trial.wrong) = trial.bound(&trial.known);
        }
        let lines = test.asserts.iter().map(|line| trial.line(line));
        trial.lines = lines.collect();
        trial.settle = Formula::settle(&trial.scope()).ok();
        trial
    }

    fn param(&mut self, n: usize, value: &'a Expr) {
        let formula = Formula::new(&self.scope(), std::slice::from_ref(value)).ok();
        let constant = formula.as_ref().filter(|formula| formula.is_constant());
        match (
            constant.map(|formula| formula.run(&[])),
            self.known.get_mut(n),
        ) {
            (Some(Ok(words)), Some(slot)) => *slot = Some(words),
            _ => {
                self.with.push((value.span, formula, value));
                self.open.push(n);
            }
        }
    }

    fn line(&self, line: &TestAssert) -> Line {
        let formula = |exprs: &[Expr]| Formula::new(&self.scope(), exprs).ok();
        let one = |expr: &Expr| formula(std::slice::from_ref(expr));
        match &line.claim {
            Claim::Gives(arguments, outcome) => Line {
                values: formula(arguments),
                outcome: one(outcome),
            },
            Claim::Fails(arguments, _) => Line {
                values: formula(arguments),
                outcome: None,
            },
            Claim::Holds(expr) | Claim::Aborts(expr, _) => Line {
                values: one(expr),
                outcome: None,
            },
        }
    }

    fn variables(&self) -> &'a [Variable] {
        self.test.variables.as_deref().unwrap_or_default()
    }

    /// Variables and some parameters are inputs.
    fn scope(&self) -> Scope<'_> {
        Scope {
            contract: self.contract,
            constants: Constants {
                consts: &self.consts,
                fns: &self.contract.fns,
                params: &self.known,
            },
            variables: self.variables(),
            locals: self.test.locals,
            values: None,
            open: &self.open,
        }
    }

    /// Everything that a case knows is folded in.
    fn scope_of<'c>(&'c self, case: &'c Case<'_>) -> Scope<'c> {
        Scope {
            constants: Constants {
                consts: case.consts,
                fns: &self.contract.fns,
                params: &case.params,
            },
            values: Some(case.variables),
            open: &[],
            ..self.scope()
        }
    }

    /// The constants with these parameters, and what is wrong with them.
    fn bound(&self, params: &[Option<Vec<u32>>]) -> (Vec<ConstDef>, Vec<TestFailure>) {
        let mut consts = self.contract.consts.clone();
        let mut found = Vec::new();
        bind(self.contract, &mut consts, params, &mut found);
        let failures = found.into_iter().map(|diagnostic| TestFailure {
            span: diagnostic.span,
            message: diagnostic.message,
            invariant: None,
            step: None,
        });
        (consts, failures.collect())
    }

    /// Runs it with these words of its variables.
    pub fn run(&self, variables: &[Vec<u32>]) -> Ran {
        let mut case = Case {
            variables,
            inputs: variables.concat(),
            params: self.known.clone(),
            consts: &self.consts,
        };
        for ((span, formula, value), n) in self.with.iter().zip(&self.open) {
            let value = std::slice::from_ref(*value);
            match self.words(formula.as_ref(), value, &case) {
                Ok(words) => {
                    case.inputs.extend(&words);
                    if let Some(slot) = case.params.get_mut(*n) {
                        *slot = Some(words);
                    }
                }
                Err(why) => {
                    let failures = vec![TestFailure {
                        span: *span,
                        message: format!("computing this value {why}"),
                        invariant: None,
                        step: None,
                    }];
                    let params = case.params;
                    let refused = false;
                    return Ran {
                        failures,
                        refused,
                        params,
                    };
                }
            }
        }
        let (consts, mut failures) = if self.open.is_empty() {
            (Vec::new(), self.wrong.clone())
        } else {
            self.bound(&case.params)
        };
        let refused = self.test.draws_params && !failures.is_empty();
        if refused {
            failures.clear();
        } else if failures.is_empty() {
            if !self.open.is_empty() {
                case.consts = &consts;
            }
            let lines = self.test.asserts.iter().zip(&self.lines);
            failures.extend(lines.filter_map(|(line, lowered)| {
                let message = self.claim(&line.claim, lowered, &case).err()?;
                let span = line.span;
                Some(TestFailure {
                    span,
                    message,
                    invariant: None,
                    step: None,
                })
            }));
        }
        let params = case.params;
        Ran {
            failures,
            refused,
            params,
        }
    }

    /// The words of expressions, or why they have none.
    fn words(
        &self,
        formula: Option<&Formula>,
        exprs: &[Expr],
        case: &Case<'_>,
    ) -> Result<Vec<u32>, String> {
        let ran = match formula {
            Some(formula) => formula.run(&case.inputs),
            None => Formula::new(&self.scope_of(case), exprs)
                .map_err(|error| {
                    let span = exprs.first().map_or(self.test.span, |e| e.span);
                    let reason = types::const_error(&error, "it", span).message;
                    format!("is impossible: {reason}")
                })?
                .run(&[]),
        };
        ran.map_err(|abort| format!("aborts: `{}`", abort.name))
    }

    /// How `settle` ends on these words: the outcome's index, or the error's name.
    fn settle(&self, words: &[u32], case: &Case<'_>) -> Result<Result<u32, String>, String> {
        let ran = match &self.settle {
            Some(formula) => formula.run(&[case.inputs.as_slice(), words].concat()),
            None => Formula::settle(&self.scope_of(case))
                .map_err(|error| types::const_error(&error, "`settle`", self.test.span).message)?
                .run(words),
        };
        Ok(match ran {
            Ok(words) => Ok(words.first().copied().unwrap_or(0)),
            Err(abort) => Err(abort.name),
        })
    }

    /// Why a claim doesn't hold.
    fn claim(&self, claim: &Claim, line: &Line, case: &Case<'_>) -> Result<(), String> {
        let values = line.values.as_ref();
        let (arguments, wanted) = match claim {
            Claim::Holds(condition) => return self.holds(condition, values, case),
            Claim::Aborts(call, error) => return self.aborts(call, error, values, case),
            Claim::Gives(arguments, outcome) => {
                let expected = std::slice::from_ref(outcome);
                let words = self
                    .words(line.outcome.as_ref(), expected, case)
                    .map_err(|why| format!("computing the expected outcome {why}"))?;
                (arguments, Ok(words.first().copied().unwrap_or(0)))
            }
            Claim::Fails(arguments, error) => (arguments, Err(error.clone())),
        };
        let words = self
            .words(values, arguments, case)
            .map_err(|why| format!("computing the inputs {why}"))?;
        let ended = self.settle(&words, case)?;
        if ended == wanted {
            return Ok(());
        }
        Err(format!(
            "{} gave {}, expected {}",
            self.show_call(&words),
            self.show_end(&ended),
            self.show_end(&wanted)
        ))
    }

    fn aborts(
        &self,
        call: &Expr,
        error: &str,
        formula: Option<&Formula>,
        case: &Case<'_>,
    ) -> Result<(), String> {
        let wanted = format!("aborts: `{error}`");
        match self.words(formula, std::slice::from_ref(call), case) {
            Err(why) if why == wanted => Ok(()),
            Err(why) => Err(format!("this call {why}, expected the error `{error}`")),
            Ok(words) => {
                let shown = show::value(&call.ty, &words, &self.contract.enums);
                Err(format!(
                    "this call gave {shown}, expected the error `{error}`"
                ))
            }
        }
    }

    fn holds(
        &self,
        condition: &Expr,
        formula: Option<&Formula>,
        case: &Case<'_>,
    ) -> Result<(), String> {
        let words = self
            .words(formula, std::slice::from_ref(condition), case)
            .map_err(|why| format!("this condition {why}"))?;
        if words.first() == Some(&1) {
            return Ok(());
        }
        let mut message = "this does not hold".to_owned();
        if let Some((left, op, right)) = show::compared(condition) {
            let side = |side: &Expr| {
                let words = self.words(None, std::slice::from_ref(side), case);
                words.map(|words| show::value(&side.ty, &words, &self.contract.enums))
            };
            if let (Ok(left), Ok(right)) = (side(left), side(right)) {
                message.push_str(&format!(": {left} {} {right}", op.symbol()));
            }
        }
        Err(message)
    }

    /// `settle(a = 1, b = 2)`
    fn show_call(&self, words: &[u32]) -> String {
        let mut rest = words;
        let inputs = self.contract.settle.iter().flat_map(|s| &s.inputs);
        let shown: Vec<String> = inputs
            .map(|Input { name, ty, .. }| {
                let (own, after) = rest.split_at_checked(ty.words()).unwrap_or((rest, &[]));
                rest = after;
                format!("{name} = {}", show::value(ty, own, &self.contract.enums))
            })
            .collect();
        format!("settle({})", shown.join(", "))
    }

    fn show_end(&self, end: &Result<u32, String>) -> String {
        match end {
            Ok(n) => {
                let outcomes = self.contract.settle.as_ref().map_or(0, |s| s.outcomes);
                let shown = show::value(&Ty::Enum(outcomes), &[*n], &self.contract.enums);
                format!("`{shown}`")
            }
            Err(name) => format!("the error `{name}`"),
        }
    }

    /// The variables with these words, by name.
    pub fn show_variables(&self, words: &[Vec<u32>]) -> Vec<(String, String)> {
        let shown = self.variables().iter().zip(words).map(|(variable, words)| {
            let shown = show::value(&variable.ty, words, &self.contract.enums);
            (variable.name.clone(), shown)
        });
        shown.collect()
    }
}
