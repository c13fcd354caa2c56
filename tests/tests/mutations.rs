//! Without each of its reasons the protocol loses somebody's money: the shortest run in which
//! it does, as a story. What can be left out without a loss is named, too.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

use gavel_tests::explore::{Mutation, mutation, shortest, story};

/// Reasons without which the explorer finds no losing run; `docs/protocol.md` says why each is
/// kept all the same.
const HARMLESS: [&str; 3] = ["reclaims-at-once", "forgets-evidence", "sees-only-blocks"];

fn find(mutation: &Mutation) {
    let world = mutation.world().unwrap();
    let found = shortest(&world, &mutation.limits(), mutation.most);
    assert!(!found.cut);
    if HARMLESS.contains(&mutation.name) {
        if let Some(losing) = &found.losing {
            panic!("it is needed after all: {}", story(&world, losing));
        }
        return;
    }
    let losing = found.losing.unwrap_or_else(|| {
        let Mutation { name, reason, .. } = mutation;
        panic!("{name}: no losing run without \"{reason}\"")
    });
    let told = format!("Without: {}\n\n{}", mutation.reason, story(&world, &losing));
    insta::assert_snapshot!(mutation.name, told);
}

/// A test for each, so that they run side by side.
macro_rules! each {
    ($($name:ident $number:expr;)*) => {
        $(#[test]
        fn $name() {
            find(&mutation::ALL[$number]);
        })*

        #[test]
        fn all_mutations_are_tried() {
            let names = [$((stringify!($name), $number)),*];
            assert_eq!(names.len(), mutation::ALL.len());
            for (name, number) in names {
                assert_eq!(name.replace('_', "-"), mutation::ALL[number].name);
            }
        }

        #[test]
        fn the_docs_list_them() {
            let docs = include_str!("../../docs/protocol.md");
            for Mutation { name, reason, .. } in mutation::ALL {
                let row = format!("| `{name}` | {reason} | ");
                let found = docs.lines().find_map(|line| line.strip_prefix(&row));
                let told = found.unwrap_or_else(|| panic!("docs/protocol.md lacks: {row}"));
                assert_eq!(told.starts_with("no losing run"), HARMLESS.contains(name));
            }
        }
    };
}

each! {
    outcome_chosen_at_payout 0;
    unsigned_challenge 1;
    one_stake_for_all 2;
    one_challenge_for_all 3;
    disproof_takes_the_stake 4;
    unsigned_disproof 5;
    stake_without_permit 6;
    no_release 7;
    release_opens_no_collect 8;
    release_too_early 9;
    duty_ends_with_the_vault 10;
    answers_only_in_time 11;
    leaf_reads_authors 12;
    stake_pays_for_assert 13;
    no_sweep 14;
    payout_despite_challenge 15;
    payout_without_claimed 16;
    payout_without_lock 17;
    sweep_without_lock 18;
    unstake_too_early 19;
    group_without_joint 20;
    group_without_claimer 21;
    odd_witnesses 22;
    ill_typed_inputs 23;
    unchecked_hints 24;
    somebody_holds_the_key 25;
    odd_payout_script 26;
    malleable_fund 27;
    no_withdraw 28;
    nobody_refunds 29;
    claims_at_the_last_moment 30;
    reclaims_at_once 31;
    forgets_evidence 32;
    sees_only_blocks 33;
    short_challenge_window 34;
    short_assert_window 35;
    short_disprove_window 36;
}
