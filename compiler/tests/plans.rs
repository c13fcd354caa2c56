//! Plans of the contracts in `contracts/`: that there is one, and what it costs.
#![allow(clippy::unwrap_used, clippy::panic)]

use gavel_compiler::instantiate;
use gavel_compiler::segment::{Budget, costs, plan};
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
