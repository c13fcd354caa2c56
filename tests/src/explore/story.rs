//! A run as people read it.

use super::search::Losing;
use super::state::{Move, State};
use super::world::{Item, World};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Tells a run: what was mined when, and who was hindered.
pub fn story(world: &World, losing: &Losing) -> String {
    let mut text = String::new();
    let setting = &world.setting;
    let d = setting.deployment();
    let names = |parties: Vec<u8>| -> String {
        let names: Vec<&str> = parties.iter().map(|p| d.party_name(*p)).collect();
        names.join(", ")
    };
    let _ = writeln!(
        text,
        "{} honest; {} not",
        names(setting.honest().collect()),
        names(setting.rogues().collect())
    );
    let Ok(mut state) = State::begin(world) else {
        return text;
    };
    let mut by_coalition = BTreeSet::new();
    for next in &losing.moves {
        match next {
            Move::Put(t) => drop(by_coalition.insert(*t)),
            Move::Leave(t) => {
                let label = label(world, &world.item(*t));
                let _ = writeln!(text, "  {:>4}  {label} is kept out", state.tip() + 1);
            }
            Move::Undo => {
                let _ = writeln!(text, "  {:>4}  the block is disconnected", state.tip());
            }
            Move::Show(t) => {
                let label = label(world, &world.item(*t));
                let _ = writeln!(text, "  {:>4}  seen, not mined: {label}", state.tip());
            }
            Move::Tell(p) => {
                let _ = writeln!(
                    text,
                    "  {:>4}  {} learns the inputs",
                    state.tip(),
                    d.party_name(*p)
                );
            }
            Move::Mine => {}
        }
        let Ok(after) = state.after(world, *next) else {
            break;
        };
        if *next == Move::Mine {
            for (t, at) in after.chain().iter().filter(|(_, at)| *at == after.tip()) {
                let item = world.item(*t);
                let whose = if by_coalition.contains(t) {
                    "coalition: "
                } else {
                    ""
                };
                let _ = writeln!(text, "  {at:>4}  {whose}{}", label(world, &item));
            }
        }
        state = after;
    }
    for wrong in &losing.wrong {
        let _ = writeln!(text, "  => {wrong}");
    }
    text
}

fn label(world: &World, item: &Item) -> String {
    let name = world.setting.graph.label(item.name);
    match item.note.as_str() {
        "" => name,
        note => format!("{name} ({note})"),
    }
}
