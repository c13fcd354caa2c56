//! Plans of the contracts in `contracts/`: that there is one, and what it costs.
#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::instantiate;
use gavel_compiler::script::body;
use gavel_compiler::segment::{Budget, costs, plan};
use gavel_compiler::units::Weight;
use gavel_compiler::word::{Author, Builder, InputElement, Op};
use std::path::Path;

#[test]
fn every_contract_has_a_plan() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".gvl").map(str::to_owned))
        .collect();
    names.sort();
    for name in names {
        let source = std::fs::read_to_string(folder.join(format!("{name}.gvl"))).unwrap();
        let params = std::fs::read_to_string(folder.join(format!("{name}.params.json"))).unwrap();
        let params = serde_json::from_str(&params).unwrap();
        let (contract, _) = instantiate(&source, &params).unwrap_or_else(|_| panic!("{name}"));
        let budget = Budget::default();
        let plan = plan(&contract.program, &budget).unwrap_or_else(|e| panic!("{name}: {e}"));
        let costs = costs(&plan, &budget).unwrap();
        println!(
            "{name}: {} ops, {} segments, {} input groups, {} frame groups, {} elements",
            plan.program.insts.len(),
            costs.len(),
            plan.input_groups.len(),
            plan.frame_groups.len(),
            plan.elements.len(),
        );
        for cost in costs {
            println!("  {cost:?}");
            assert!(cost.weight <= budget.max_leaf_weight && cost.peak <= budget.max_stack);
        }
    }
}

/// Leaves of other outcomes than the first are a little longer: they count too.
#[test]
fn leaves_of_every_outcome_keep_the_budget() {
    let mut builder = Builder::new();
    let element = InputElement {
        name: "x".into(),
        words: vec![1],
        author: Author::Anyone,
        optional: false,
    };
    let x = builder.input(element)[0];
    let one = builder.constant(1);
    let odd = builder.push(Op::And(x, one));
    let program = builder.finish(odd, vec!["even".into(), "odd".into()]);
    let roomy = Budget::default();
    let needed = costs(&plan(&program, &roomy).unwrap(), &roomy).unwrap()[0].weight;
    let lengths = |budget: &Budget| {
        let plan = plan(&program, budget).ok()?;
        let body = |claimed| body(&plan, 0, Some(claimed)).unwrap().script.len();
        Some((body(0), body(1)))
    };
    let (first, second) = lengths(&roomy).unwrap();
    let more = Weight(second.saturating_sub(first) as u64);
    let with = |max_leaf_weight| Budget {
        max_leaf_weight,
        ..Budget::default()
    };
    assert!(lengths(&with(Weight(needed.0 + more.0))).is_some());
    if more > Weight(0) {
        assert_eq!(lengths(&with(Weight(needed.0 + more.0 - 1))), None);
    }
}
