//! Explores one configuration for as long as it takes: every run, or runs at random.
//!
//! ```text
//! cargo run --release -p gavel-tests --bin explore -- n=3 honest=1 rounds w=1 m=0 actions=4
//! cargo run --release -p gavel-tests --bin explore -- n=5 honest=1 rounds w=2 m=1 walks=10000 seed=7
//! ```
//!
//! Words without a value: `rounds` (a program of several leaves), `groups` (inputs and frames in
//! several groups), `any-time` (claimers learn the inputs at any height), `before-fund`, `close`,
//! `late-refund` (R after 2T), `rogue-author` (the last party vouches), `all-moves` (pointless ones too), `no-reorgs`,
//! `no-delays`, `shows`, `nobody-claims`.
//!
//! `mutations [NAME ...]` tells the losing run of each mutation.

use gavel_tests::explore::{
    Found, Limits, Tell, Toy, World, exhaust, mutation, shortest, story, wander,
};
use std::process::ExitCode;
use std::time::Instant;

struct Args(Vec<String>);

impl Args {
    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|arg| arg == word)
    }

    fn number(&self, name: &str) -> Option<u64> {
        let arg = self
            .0
            .iter()
            .find_map(|arg| arg.strip_prefix(name)?.strip_prefix('='))?;
        arg.parse().ok()
    }
}

fn main() -> ExitCode {
    let args = Args(std::env::args().skip(1).collect());
    if args.has("mutations") {
        return mutations(&args);
    }
    let number = |name: &str, default: u64| args.number(name).unwrap_or(default);
    let toy = Toy {
        n: number("n", 2) as u8,
        honest: number("honest", 1) as u8,
        rounds: args.has("rounds"),
        w: number("w", 1) as u32,
        m: number("m", 0) as u32,
        author: if args.has("rogue-author") {
            number("n", 2) as u8 - 1
        } else {
            0
        },
        groups: args.has("groups"),
        late_refund: args.has("late-refund"),
    };
    let mut setting = match toy.setting() {
        Ok(setting) => setting,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    if args.has("any-time") {
        setting.tell = Tell::AnyTime;
    }
    setting.before_fund = args.has("before-fund");
    setting.close = args.has("close");
    if args.has("nobody-claims") {
        setting.claimers.clear();
    }
    setting.pruned = !args.has("all-moves");
    let limits = Limits {
        actions: args.number("actions").map(|most| most as u8),
        states: number("states", u64::MAX) as usize,
        reorgs: !args.has("no-reorgs"),
        shows: args.has("shows"),
        delays: !args.has("no-delays"),
        watch: |found| eprintln!("... {}", line(found)),
    };
    let d = setting.deployment();
    println!(
        "{toy:?}\n{:?}, {} segments",
        d.locks(),
        d.plan.segments.len()
    );
    let world = World::new(setting);
    println!("{} transactions of the coalition", world.catalog.len());
    let begun = Instant::now();
    let found = match args.number("walks") {
        Some(walks) => wander(&world, &limits, number("seed", 1), walks as usize),
        None => exhaust(&world, &limits),
    };
    println!("{} in {:.1?}", line(&found), begun.elapsed());
    if let Some(losing) = &found.losing {
        println!("{}", story(&world, losing));
        return ExitCode::from(1);
    }
    ExitCode::SUCCESS
}

/// Every mutation, with its story.
fn mutations(args: &Args) -> ExitCode {
    let named = mutation::ALL.iter().filter(|m| args.has(m.name));
    let named: Vec<&mutation::Mutation> = named.collect();
    let all: Vec<&mutation::Mutation> = mutation::ALL.iter().collect();
    for mutation in if named.is_empty() { all } else { named } {
        println!("{}: without \"{}\"", mutation.name, mutation.reason);
        let begun = Instant::now();
        let world = match mutation.world() {
            Ok(world) => world,
            Err(error) => {
                println!("  error: {error}");
                continue;
            }
        };
        if args.has("catalog") {
            for t in &world.catalog {
                let item = world.item(*t);
                println!(
                    "  {} {} {:?} {:?}",
                    item.name, item.note, item.ins, item.proof
                );
            }
        }
        let found = shortest(&world, &mutation.limits(), mutation.most);
        println!("  {} in {:.1?}", line(&found), begun.elapsed());
        match &found.losing {
            Some(losing) => println!("{}", story(&world, losing)),
            None => println!("  no losing run found"),
        }
    }
    ExitCode::SUCCESS
}

fn line(found: &Found) -> String {
    let cut = if found.cut { ", cut off" } else { "" };
    format!(
        "{} states, {} moves, {} ends, longest run {}{cut}",
        found.states, found.moves, found.ends, found.longest
    )
}
