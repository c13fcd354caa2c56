//! Explores a configuration for as long as it takes.

use gavel_compiler::units::Blocks;
use gavel_tests::Built;
use gavel_tests::explore::{Limits, Setting, World, exhaust, least_windows, story, wander};

fn main() {
    let arg = |n: usize, default: u64| {
        let given = std::env::args().nth(n);
        given.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (n, honest, rounds, w, m) = (arg(1, 2), arg(2, 1), arg(3, 1), arg(4, 1), arg(5, 0));
    let actions = arg(6, 255);
    let walks = arg(7, 0);
    let windows = least_windows(w as u32, m as u32);
    let mut stage = Built {
        n: n as u8,
        outcomes: 2,
        rounds: rounds as u32,
        weight: if rounds > 1 { 8_000 } else { 400_000 },
        free: false,
        vouched: 1,
        author: 0,
        ..Built::PLAIN
    }
    .stage();
    stage.terms.windows = windows;
    let late = if stage.plan.segments.len() > 1 {
        windows.challenge.0 + windows.assert.0 + windows.disprove.0
    } else {
        windows.challenge.0
    };
    stage.contract.coin.refund_after = Blocks(late + 4 * w as u32 + m as u32 + 1);
    let honest: Vec<bool> = (0..n).map(|p| p < honest).collect();
    let setting = Setting::new(stage, &honest).expect("deploys");
    println!("{:?} segments {} elements {}", setting.deployment().locks(), setting.deployment().plan.segments.len(), setting.deployment().plan.elements.len());
    let world = World::new(setting);
    println!("catalog {}", world.catalog.len());
    let limits = Limits {
        actions: (actions < 255).then_some(actions as u8),
        shows: std::env::var_os("SHOWS").is_some(),
        reorgs: std::env::var_os("NOREORG").is_none(),
        delays: std::env::var_os("NODELAY").is_none(),
        states: arg(8, u64::MAX) as usize,
        watch: |found| eprintln!("states {} moves {} ends {} longest {}", found.states, found.moves, found.ends, found.longest),
        ..Limits::default()
    };
    let begun = std::time::Instant::now();
    let found = if walks > 0 { wander(&world, &limits, 1, walks as usize) } else { exhaust(&world, &limits) };
    println!("states {} moves {} ends {} longest {} cut {} in {:?}", found.states, found.moves, found.ends, found.longest, found.cut, begun.elapsed());
    if let Some(losing) = found.losing {
        println!("{}", story(&world, &losing));
    }
}
