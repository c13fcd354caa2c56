//! Prints what each segment of a contract costs: `cargo run --example costs -- FILE.gvl`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let start = std::time::Instant::now();
        let stage = gavel_tests::Stage::load(&path)?;
        let budget = gavel_compiler::segment::Budget::default();
        let costs = gavel_compiler::segment::costs(&stage.plan, &budget)?;
        println!("{path}: {} segments, {:?}", costs.len(), start.elapsed());
        for c in costs {
            println!(
                "  {:>3} body {:>7} leaf {:>7} {:>10} peak {:>4} reads {:>3} writes {:>3}",
                c.segment,
                c.body_bytes,
                c.leaf_bytes,
                c.weight.to_string(),
                c.peak.0,
                c.read_words,
                c.written_words
            );
        }
        println!(
            "  elements {} input groups {} frame groups {}",
            stage.plan.elements.len(),
            stage.plan.input_groups.len(),
            stage.plan.frame_groups.len()
        );
    }
    Ok(())
}
