//! Tests in the source.

use super::Checker;
use super::names::{Def, suggest};
use super::typed::{Expected, ParamTy, TestAssert, TestDef};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::word::ir::BUILT_IN_ABORTS;

impl Checker {
    pub(super) fn test_item(&mut self, item: &ast::Test) {
        let before = self.enter(None);
        let used = self.names.used.clone();
        let mut with = Vec::new();
        for (name, value) in &item.with {
            let param = match self.find(&name.text) {
                Some(Def::Param(n)) => self.contract.params.get(n).map(|p| (n, p.ty.clone())),
                _ => None,
            };
            match param {
                Some((n, ParamTy::Value(ty))) => with.push((n, self.expect(value, &ty))),
                Some(_) => {
                    let message = format!("`{}` needs no value in a test", name.text);
                    self.report(Diagnostic::new(Code::NotAValue, name.span, message));
                }
                None => {
                    let known: Vec<String> = self
                        .contract
                        .params
                        .iter()
                        .map(|p| p.name.clone())
                        .collect();
                    let message = format!("there is no parameter `{}`", name.text);
                    let unknown = Diagnostic::new(Code::UnknownName, name.span, message);
                    self.report(suggest(unknown, &name.text, name.span, &known));
                }
            }
        }
        let missing: Vec<String> = self
            .contract
            .params
            .iter()
            .enumerate()
            .filter(|(n, p)| {
                matches!(p.ty, ParamTy::Value(_)) && !with.iter().any(|(known, _)| known == n)
            })
            .map(|(_, p)| format!("`{}`", p.name))
            .collect();
        // A name that was meant to be one of them is reported already.
        if !missing.is_empty() && with.len() == item.with.len() {
            let message = format!("this test gives no value for {}", missing.join(", "));
            let incomplete = Diagnostic::new(Code::TestIncomplete, item.span, message);
            self.report(incomplete.help("write `with name = value, ..` at its start"));
        }
        let asserts = item
            .asserts
            .iter()
            .filter_map(|a| self.test_assert(a))
            .collect();
        // To be tested isn't to be used.
        self.names.used = used;
        self.leave(before);
        self.contract.tests.push(TestDef {
            name: item.name.clone(),
            span: item.span,
            with,
            asserts,
        });
    }

    fn test_assert(&mut self, item: &ast::TestAssert) -> Option<TestAssert> {
        let settle = self.contract.settle.as_ref()?;
        let outcomes = settle.outcomes;
        let types: Vec<_> = settle.inputs.iter().map(|input| input.ty.clone()).collect();
        if types.len() != item.arguments.len() {
            let message = format!(
                "`settle` takes {} inputs, not {}",
                types.len(),
                item.arguments.len()
            );
            self.report(Diagnostic::new(Code::WrongArguments, item.settle, message));
            return None;
        }
        let pairs = item.arguments.iter().zip(&types);
        let arguments = pairs
            .map(|(argument, ty)| self.expect(argument, ty))
            .collect();
        let name = &item.expected;
        let expected = if item.fails {
            if !BUILT_IN_ABORTS.contains(&name.text.as_str()) {
                self.error_name(name);
            }
            Expected::Fails(name.text.clone())
        } else {
            self.outcome(name, outcomes)?;
            Expected::Outcome(name.text.clone())
        };
        Some(TestAssert {
            span: item.span,
            arguments,
            expected,
        })
    }

    /// The index of an outcome.
    pub(super) fn outcome(&mut self, name: &ast::Name, outcomes: usize) -> Option<usize> {
        let def = self.contract.enums.get(outcomes)?;
        let known = def.variants.clone();
        let found = known.iter().position(|v| *v == name.text);
        if found.is_none() {
            let message = format!("there is no outcome `{}`", name.text);
            let unknown = Diagnostic::new(Code::UnknownOutcome, name.span, message)
                .label(def.span, "the outcomes are declared here");
            self.report(suggest(unknown, &name.text, name.span, &known));
        }
        found
    }
}
