//! Games of a contract built by hand, without the front end.
use gavel_compiler::contract::*;
use gavel_compiler::segment::{Budget, plan};
use gavel_compiler::units::*;
use gavel_compiler::word::*;
use gavel_tests::*;

fn stage(weight: u64) -> Stage {
    let mut b = Builder::new();
    let s = Span::default();
    let x = b.input(InputElement {
        name: "x".into(),
        words: vec![8],
        author: Author::Anyone,
        optional: false,
    });
    let m = b.input(InputElement {
        name: "m".into(),
        words: vec![2],
        author: Author::Party(1),
        optional: false,
    });
    let code = b.abort_code("TooBig", s);
    let limit = b.constant(200);
    let big = b.push(Op::Lt(limit, m[0]));
    b.abort_if(big, code);
    let mut v = b.push(Op::Xor(x[0], m[0]));
    for i in 0..6 {
        let r = b.push(Op::Rotr(v, 7));
        let c = b.constant(0x9e3779b9 + i);
        let a = b.push(Op::Add(r, c));
        v = b.push(Op::Xor(a, v));
    }
    let half = b.constant(1 << 31);
    let k = b.push(Op::Lt(v, half));
    let program = b.finish(k, vec!["A".into(), "B".into()]);
    let arm = |party, amount| Arm {
        party,
        amount: Sats(amount),
    };
    let contract = Contract {
        name: "Smoke".into(),
        id: [7; 32],
        parties: vec!["alice".into(), "bob".into(), "carol".into()],
        attestors: vec![],
        coin: Coin {
            name: "pot".into(),
            fund: vec![Sats(50_000), Sats(50_000), Sats(0)],
            pay: vec![vec![arm(0, 100_000)], vec![arm(1, 60_000), arm(2, 40_000)]],
            refund_after: Blocks(1_008),
            refund: vec![arm(0, 50_000), arm(1, 50_000)],
        },
        inputs: vec![],
        program,
    };
    let budget = Budget {
        max_leaf_weight: Weight(weight),
        ..Budget::default()
    };
    let plan = plan(&contract.program, &budget).unwrap();
    eprintln!("segments {}", plan.segments.len());
    let case = |name: &str, x: u32, m: u32| {
        let end = run(&contract.program, &[x, m]).end;
        let outcome = match end {
            End::Outcome(k) => Some(k as u8),
            End::Abort(_) => None,
        };
        Case {
            name: name.into(),
            words: vec![x, m],
            outcome,
        }
    };
    let mut cases = vec![case("bad", 5, 250)];
    for x in 0..20 {
        cases.push(case("c", x, 100));
    }
    Stage {
        contract: contract.clone(),
        plan,
        terms: Default::default(),
        cases,
        node: Default::default(),
    }
}

fn all(stage: &Stage) {
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut bad = 0;
    for scenario in scenario::ALL {
        if !scenario.name.contains(&only) {
            continue;
        }
        if let Some(why) = (scenario.unfit)(stage) {
            eprintln!("-- {}: {why}", scenario.name);
            continue;
        }
        let t = std::time::Instant::now();
        let mut lines = vec![];
        match (scenario.play)(stage, &mut |l| lines.push(l.clone())) {
            Ok(reports) => eprintln!(
                "ok {} {} games {:?}",
                scenario.name,
                reports.len(),
                t.elapsed()
            ),
            Err(e) => {
                bad += 1;
                eprintln!("FAILED {}: {e:?}", scenario.name);
                for l in lines {
                    eprintln!("   {} {} {}", l.height, l.who, l.what)
                }
            }
        }
    }
    assert_eq!(bad, 0);
}

#[test]
fn one_leaf() {
    all(&stage(400_000))
}
#[test]
fn many() {
    all(&stage(40_000))
}
