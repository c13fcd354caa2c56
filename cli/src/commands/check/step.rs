//! A call in a test of a ledger, with the state before and after it.

use std::collections::{BTreeMap, BTreeSet};

use gavel_compiler::testing;
use serde::Serialize;

/// A call of an entry, and the places of the state that aren't zero before and after it.
#[derive(Debug, Serialize)]
pub(in super::super) struct Step {
    call: String,
    before: BTreeMap<String, String>,
    /// Absent if the call failed: that changes nothing.
    after: Option<BTreeMap<String, String>>,
}

/// The most places of a state that are shown as text.
const MAX_PLACES: usize = 24;

impl Step {
    pub fn new(step: &testing::Step) -> Self {
        Self {
            call: step.call.clone(),
            before: step.before.iter().cloned().collect(),
            after: step.after.as_ref().map(|all| all.iter().cloned().collect()),
        }
    }

    /// The state before, the call, and what it changed.
    pub fn text(&self) -> Vec<String> {
        let mut lines = vec!["the state before, as far as it isn't zero:".to_owned()];
        let shown = self.before.iter().take(MAX_PLACES);
        lines.extend(shown.map(|(place, value)| format!("  {place} = {value}")));
        match self.before.len() {
            0 => lines.push("  nothing".to_owned()),
            n if n > MAX_PLACES => {
                lines.push(format!("  and {} more (--json shows all)", n - MAX_PLACES));
            }
            _ => {}
        }
        lines.push(format!("the last call: {}", self.call));
        let Some(after) = &self.after else {
            lines.push("it failed, so it changed nothing".to_owned());
            return lines;
        };
        lines.push("what it changed:".to_owned());
        let places: BTreeSet<&String> = self.before.keys().chain(after.keys()).collect();
        let zero = "0".to_owned();
        let mut changed = 0;
        for place in places {
            let (old, new) = (self.before.get(place), after.get(place));
            if old != new {
                let (old, new) = (old.unwrap_or(&zero), new.unwrap_or(&zero));
                lines.push(format!("  {place}: {old} -> {new}"));
                changed += 1;
            }
        }
        if changed == 0 {
            lines.push("  nothing".to_owned());
        }
        lines
    }
}
