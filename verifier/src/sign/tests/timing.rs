//! Measures, on request: `cargo test -p gavel-verifier timing -- --ignored --nocapture`.

use super::musig::{ID, jobs, start};
use super::*;
use gavel_compiler::commit::Shape;
use std::time::Instant;

#[test]
#[ignore = "measures"]
fn timing() {
    for n in [1_000, 10_000] {
        let keys = party_keys(3);
        let jobs = jobs(n);
        let agg = key_agg(&keys);
        let clock = Instant::now();
        let (mut sessions, nonces) = start(&keys, &jobs);
        println!("{n} jobs: start ×3 {:?}", clock.elapsed());
        let mut lap = Instant::now();
        let mut print = |what: &str| {
            println!("  party 0: {what} {:?}", lap.elapsed());
            lap = Instant::now();
        };
        let rng = &mut rng(5);
        let (_, _) = Session::start(&agg, 0, &keys[0], jobs.clone(), &ID, rng).unwrap();
        print("start");
        let bytes = seal(&nonces[1], &CONTRACT, &keys[1]).unwrap();
        print("seal");
        let read: NoncesMessage = open(&bytes, &CONTRACT, 1, &keys[1].public()).unwrap();
        print(&format!("open {} bytes", bytes.len()));
        let session = sessions
            .remove(0)
            .receive_nonces(1, &read)
            .unwrap()
            .receive_nonces(2, &nonces[2])
            .unwrap();
        print("receive nonces of 2");
        let (round, mine) = session.sign().unwrap();
        print("sign");
        let mut nonces = nonces;
        let rest: Vec<_> = sessions
            .into_iter()
            .enumerate()
            .map(|(n, session)| {
                let other = &nonces[2 - n];
                let session = session.receive_nonces(0, &nonces[0]).unwrap();
                session
                    .receive_nonces((2 - n) as u8, other)
                    .unwrap()
                    .sign()
                    .unwrap()
                    .1
            })
            .collect();
        nonces.clear();
        print("(the others sign)");
        let round = round
            .receive_partials(1, &rest[0])
            .unwrap()
            .receive_partials(2, &rest[1])
            .unwrap();
        print("verify partials of 2");
        assert_eq!(round.finish().unwrap().len(), mine.partials.len());
        print("finish");
    }
    let clock = Instant::now();
    let one_time = OneTimeKeys::new(&seed(1), &CONTRACT, &[1; 32]);
    let shape = Shape { message: 64 };
    let elements: Vec<_> = (0..500).map(|n| (n, shape)).collect();
    one_time.public_keys(Role::Claimer, &elements);
    println!(
        "500 one-time keys of {} digits: {:?}",
        shape.digits(),
        clock.elapsed()
    );
}
