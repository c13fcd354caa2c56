//! Games of four and five parties on a real node: a contract built by hand, cut into several
//! segments that hand values on.

#![allow(
    clippy::type_complexity,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that can't go on should stop"
)]

mod support;

use gavel_tests::{Stage, scenario};
use support::Built;

fn stage(n: u8) -> Stage {
    let stage = Built {
        n,
        outcomes: 4,
        rounds: 24,
        weight: 8_000,
        ..Built::PLAIN
    }
    .stage();
    let (last, before) = stage.plan.segments.split_last().unwrap();
    assert!(before.len() >= 2, "three segments at least");
    assert!(before.iter().all(|segment| !segment.writes.is_empty()));
    assert!(!last.reads.is_empty() && last.writes.is_empty());
    stage
}

fn check(n: u8, name: &str, games: impl Fn(&Stage) -> usize) {
    let stage = stage(n);
    let scenario = scenario::find(name).unwrap();
    assert_eq!((scenario.unfit)(&stage), None);
    let mut lines = Vec::new();
    match (scenario.play)(&stage, &mut |line| lines.push(line.clone())) {
        Ok(reports) => {
            assert_eq!(reports.len(), games(&stage));
            for report in &reports {
                assert_eq!(report.sheet.rows.len(), usize::from(n));
            }
        }
        Err(error) => {
            for line in lines {
                println!("{:>6} {} {}", line.height, line.who, line.what);
            }
            panic!("{n} parties, {name}: {error}");
        }
    }
}

macro_rules! games {
    ($($parties:ident $n:literal)*) => {
        $(mod $parties {
            use super::check;

            #[test]
            fn honest() {
                check($n, "honest", |_| 1);
            }

            /// Every segment wrong in turn.
            #[test]
            fn lying_claimer() {
                check($n, "lying-claimer", |stage| stage.plan.segments.len());
            }

            #[test]
            fn silent_claimer() {
                check($n, "silent-claimer", |_| 1);
            }

            #[test]
            fn false_challenge() {
                check($n, "false-challenge", |_| 1);
            }

            #[test]
            fn accomplice_challenger() {
                check($n, "accomplice-challenger", |_| 1);
            }

            #[test]
            fn cooperative_close() {
                check($n, "cooperative-close", |_| 1);
            }
        })*
    };
}

games! { four 4 five 5 }
