//! Warnings about what nothing uses.

use super::Checker;
use super::names::Def;
use super::typed::ParamTy;
use crate::diagnostic::{Code, Diagnostic};
use crate::word::Span;

impl Checker {
    /// Of a contract: what a library declares is for others.
    pub(super) fn unused_items(&mut self) {
        let mut found: Vec<(Span, String)> = Vec::new();
        let unused = |def: Def, name: &str| {
            !self.names.used.contains(&def)
                && !name.starts_with('_')
                && self.names.declares(name, def)
        };
        for (n, param) in self.contract.params.iter().enumerate() {
            let value = !matches!(param.ty, ParamTy::Party(_));
            if value && unused(Def::Param(n), &param.name) {
                found.push((
                    param.span,
                    format!("parameter `{}` is never used", param.name),
                ));
            }
        }
        for (n, item) in self.contract.consts.iter().enumerate() {
            if unused(Def::Const(n), &item.name) {
                found.push((item.span, format!("constant `{}` is never used", item.name)));
            }
        }
        for (n, item) in self.contract.fns.iter().enumerate() {
            if unused(Def::Function(n), &item.name) {
                found.push((item.span, format!("function `{}` is never used", item.name)));
            }
        }
        for (n, item) in self.contract.errors.iter().enumerate() {
            if unused(Def::Error(n), &item.name) {
                found.push((item.span, format!("error `{}` is never used", item.name)));
            }
        }
        for (n, item) in self.contract.enums.iter().enumerate() {
            if unused(Def::Enum(n), &item.name) {
                found.push((item.span, format!("enum `{}` is never used", item.name)));
            }
        }
        for (n, (item, span)) in self.data.iter().enumerate() {
            if unused(Def::Data(n), &item.name) {
                found.push((*span, format!("enum `{}` is never used", item.name)));
            }
        }
        for (n, (item, span)) in self.structs.iter().enumerate() {
            if unused(Def::Struct(n), &item.name) {
                found.push((*span, format!("struct `{}` is never used", item.name)));
            }
        }
        self.unused_state(&mut found);
        for (span, message) in found {
            self.report(Diagnostic::new(Code::UnusedName, span, message));
        }
        self.outcomes_reached();
    }

    fn unused_state(&self, found: &mut Vec<(Span, String)>) {
        let unused =
            |def: Def, name: &str| !self.names.used.contains(&def) && !name.starts_with('_');
        for (n, item) in self.contract.state.iter().enumerate() {
            if !item.hidden && unused(Def::State(n), &item.name) {
                found.push((item.span, format!("state `{}` is never used", item.name)));
            }
        }
        for (n, item) in self.contract.events.iter().enumerate() {
            if unused(Def::Event(n), &item.of.name) {
                found.push((item.span, format!("event `{}` is never told", item.of.name)));
            }
        }
        for (n, item) in self.contract.assets.iter().enumerate() {
            if unused(Def::Asset(n), &item.name) {
                found.push((item.span, format!("asset `{}` is never used", item.name)));
            }
        }
    }

    fn outcomes_reached(&mut self) {
        let Some(settle) = &self.contract.settle else {
            return;
        };
        let Some(def) = self.contract.enums.get(settle.outcomes) else {
            return;
        };
        let reached = |v: usize| self.names.variants_used.contains(&(settle.outcomes, v));
        let never: Vec<String> = def
            .variants
            .iter()
            .enumerate()
            .filter(|(v, _)| !reached(*v))
            .map(|(_, name)| format!("`{name}`"))
            .collect();
        if !never.is_empty() {
            let message = format!("`settle` never returns {}", never.join(", "));
            let span = def.span;
            self.report(Diagnostic::new(Code::OutcomeNeverReached, span, message));
        }
    }
}
