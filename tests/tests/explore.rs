//! Every order of events, for small contracts: no honest party loses. Each test prints how much
//! it saw (`cargo test -p gavel-tests --test explore -- --nocapture`); longer searches are made
//! by `cargo run --release -p gavel-tests --bin explore`.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

use gavel_tests::explore::replay::{Replayed, sample};
use gavel_tests::explore::{
    Found, Limits, Setting, Tell, Toy, World, exhaust, mutation, replay, story, wander,
};
use gavel_verifier::graph::TxName;
use std::collections::BTreeSet;

/// Everything, within the limits.
fn all(what: &str, setting: Setting, limits: Limits) -> (World, Found) {
    let world = World::new(setting);
    let found = exhaust(&world, &limits);
    kept(what, &world, &found);
    assert!(!found.cut, "{what}: cut off");
    (world, found)
}

fn kept(what: &str, world: &World, found: &Found) {
    let Found {
        states,
        moves,
        ends,
        longest,
        ..
    } = found;
    println!("{what}: {states} states, {moves} moves, {ends} ends, longest run {longest}");
    if let Some(losing) = &found.losing {
        panic!("{what}: {}", story(world, losing));
    }
    assert!(*ends > 1, "{what}: nothing came to an end");
}

fn setting(toy: Toy) -> Setting {
    toy.setting().unwrap()
}

/// The last party vouches for the input, and is not honest.
fn rogue_author(toy: Toy) -> Toy {
    Toy {
        author: toy.n - 1,
        ..toy
    }
}

/// With transactions that are broadcast, but mined late or never.
fn shown() -> Limits {
    Limits {
        shows: true,
        ..Limits::default()
    }
}

#[test]
fn two_parties_and_one_leaf() {
    for (w, m) in [(1, 0), (2, 0), (1, 1), (2, 1), (3, 1)] {
        let toy = Toy { w, m, ..Toy::TWO };
        all(&format!("w={w} m={m}"), setting(toy), shown());
    }
    let toy = rogue_author(Toy::TWO);
    all("a rogue vouches", setting(toy), shown());
    let toy = rogue_author(Toy { m: 1, ..Toy::TWO });
    all("m=1, a rogue vouches", setting(toy), Limits::default());
}

#[test]
fn two_parties_and_several_leaves() {
    for (w, m) in [(1, 0), (2, 0)] {
        for late_refund in [false, true] {
            let toy = Toy {
                w,
                m,
                late_refund,
                ..Toy::LONG
            };
            let what = format!("w={w} m={m} late refund {late_refund}");
            all(&what, setting(toy), Limits::default());
        }
    }
    all("transactions shown", setting(Toy::LONG), shown());
    let toy = rogue_author(Toy::LONG);
    all("a rogue vouches", setting(toy), Limits::default());
    let toy = Toy {
        groups: true,
        ..Toy::LONG
    };
    all("several groups", setting(toy), Limits::default());
}

#[test]
fn blocks_are_disconnected_in_long_disputes() {
    let toy = Toy { m: 1, ..Toy::LONG };
    let limits = Limits {
        actions: Some(4),
        ..Limits::default()
    };
    all("m=1, 4 actions", setting(toy), limits);
}

#[test]
fn inputs_come_when_they_come_or_never() {
    let late_refund = Toy {
        late_refund: true,
        ..Toy::LONG
    };
    for toy in [
        Toy::TWO,
        Toy { w: 2, ..Toy::LONG },
        rogue_author(late_refund),
    ] {
        let mut late = setting(toy);
        late.tell = Tell::AnyTime;
        all("told at any time", late, Limits::default());
        let mut silent = setting(toy);
        silent.claimers.clear();
        all("never told", silent, Limits::default());
    }
}

#[test]
fn a_close_that_all_signed_may_be_used_or_not() {
    for toy in [Toy { m: 1, ..Toy::TWO }, Toy::LONG] {
        let mut closing = setting(toy);
        closing.close = true;
        all("a signed Close", closing, Limits::default());
    }
}

#[test]
fn fund_is_confirmed_when_others_like() {
    let mut waiting = setting(Toy { m: 1, ..Toy::TWO });
    mutation::fund_by(&mut waiting).unwrap();
    all("before Fund", waiting, Limits::default());
}

#[test]
fn three_parties() {
    let toy = Toy { n: 3, ..Toy::TWO };
    all("one leaf, two rogues", setting(toy), Limits::default());
    let toy = Toy {
        n: 3,
        honest: 2,
        m: 1,
        ..Toy::TWO
    };
    all("one leaf, one rogue, m=1", setting(toy), Limits::default());
    let limits = Limits {
        actions: Some(3),
        ..Limits::default()
    };
    for honest in [1, 2] {
        let toy = Toy {
            n: 3,
            honest,
            ..Toy::LONG
        };
        let what = format!("several leaves, {honest} honest, 3 actions");
        all(&what, setting(toy), limits);
    }
}

/// Four and five parties, at random, with delays and reorganisations.
#[test]
fn more_parties_at_random() {
    for (n, honest, seed) in [(4, 1, 1), (4, 2, 2), (5, 1, 3), (5, 3, 4), (5, 4, 5)] {
        let toy = Toy {
            n,
            honest,
            w: 2,
            m: 1,
            author: (seed % u64::from(n)) as u8,
            ..Toy::LONG
        };
        let mut setting = setting(toy);
        setting.pruned = false;
        let world = World::new(setting);
        let found = wander(&world, &Limits::default(), seed, 60);
        kept(&format!("{honest} of {n} honest"), &world, &found);
    }
}

/// The model's runs, on a real node.
#[test]
fn explored_runs_come_true_on_a_real_node() {
    let mut replayed = 0;
    let mut kinds = BTreeSet::new();
    let mut settings = [
        Toy { m: 1, ..Toy::TWO },
        rogue_author(Toy::TWO),
        Toy { w: 2, ..Toy::LONG },
        rogue_author(Toy::LONG),
        Toy {
            groups: true,
            ..Toy::LONG
        },
        Toy {
            n: 3,
            honest: 2,
            m: 1,
            ..Toy::TWO
        },
    ]
    .map(setting)
    .to_vec();
    let mut silent = setting(Toy::TWO);
    silent.claimers.clear();
    settings.push(silent);
    for (n, setting) in settings.into_iter().enumerate() {
        let what = format!("setting {n}");
        let (world, found) = all(&what, setting, Limits::default());
        for run in sample(&world, &found, 6) {
            match replay(&world, &run) {
                Ok(Replayed {
                    blocks,
                    undone,
                    txs,
                }) => {
                    println!(
                        "  {blocks} blocks, {undone} undone, {} transactions",
                        txs.len()
                    );
                    let kind = |name: TxName| name.to_string().replace(['[', '('], " ");
                    let first = |name: String| name.split(' ').next().map(str::to_owned);
                    kinds.extend(txs.into_iter().filter_map(|name| first(kind(name))));
                }
                Err(error) => {
                    let wrong = vec![error.to_string()];
                    let losing = gavel_tests::explore::Losing { moves: run, wrong };
                    panic!("{}", story(&world, &losing));
                }
            }
            replayed += 1;
        }
    }
    println!("replayed {replayed} runs: {kinds:?}");
    assert!(replayed >= 30, "only {replayed} runs");
    let all = "Assert Challenge Claim Collect Disprove Fund NoAssert Payout PayoutLate Reclaim Refund \
               Release Sweep Unstake";
    assert_eq!(kinds, all.split(' ').map(str::to_owned).collect());
}
