//! How fast a node is, seen through this crate:
//! `cargo run --release -p gavel-regtest --example measure`.

use std::time::Instant;

use bitcoin::Amount;
use gavel_regtest::{Error, Node, faucet};

fn main() -> Result<(), Error> {
    let clock = Instant::now();
    let node = Node::start()?;
    println!("start: {:.2} s", clock.elapsed().as_secs_f64());
    let rpc = node.rpc();
    rpc.fund(&faucet::script(), Amount::from_sat(100_000))?;

    let clock = Instant::now();
    rpc.mine(1_000)?;
    println!("mine 1,000 blocks: {:.2} s", clock.elapsed().as_secs_f64());
    let clock = Instant::now();
    rpc.mine(3_000)?;
    println!("mine 3,000 more: {:.2} s", clock.elapsed().as_secs_f64());

    let clock = Instant::now();
    for height in 1..=1_000 {
        rpc.block_at(height)?;
    }
    let each = clock.elapsed().as_secs_f64();
    println!("block by height, two calls each: {each:.3} ms");
    let clock = Instant::now();
    for _ in 0..1_000 {
        rpc.height()?;
    }
    println!("getblockcount: {:.3} ms", clock.elapsed().as_secs_f64());
    let clock = Instant::now();
    rpc.blocks(1..=4_000)?;
    println!(
        "4,000 blocks, batched: {:.2} s",
        clock.elapsed().as_secs_f64()
    );

    let clock = Instant::now();
    for _ in 0..100 {
        rpc.fund(&faucet::script(), Amount::from_sat(100_000))?;
    }
    println!(
        "fund and confirm: {:.1} ms",
        clock.elapsed().as_secs_f64() * 10.0
    );
    let clock = Instant::now();
    node.stop();
    println!("clean stop: {:.2} s", clock.elapsed().as_secs_f64());
    Ok(())
}
