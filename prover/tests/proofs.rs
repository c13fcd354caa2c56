//! Proofs of what a cell is: made, checked, and refused when anything is changed.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use gavel_compiler::ledger::{CellId, Root, State, path, root};
use gavel_prover::tree::{Found, Hex, Proof, ProofError, Tree};
use gavel_prover::{Changes, InMemory};
use proptest::prelude::*;

fn name(n: u32) -> CellId {
    let family = 1 + (n % 2) as u16;
    let key = vec![n; usize::from(family)];
    CellId { family, key }
}

/// Cells 0 up to here; the odd ones have long values.
fn state(cells: u32) -> State {
    let mut state = State::new();
    for n in 0..cells {
        let words = if n % 2 == 0 {
            vec![n + 1, 0]
        } else {
            (1..=10).collect()
        };
        state.set(name(n), words);
    }
    state
}

fn tree(state: &State, depth: u8) -> (Tree, InMemory) {
    let mut changes = Changes::new();
    for (cell, words) in state.cells() {
        changes.add(cell, &vec![0; words.len()], words);
    }
    changes.sort();
    let mut tree = Tree::new(depth);
    tree.update(&changes, &InMemory::default()).unwrap();
    let stored = InMemory::from(state);
    tree.forget(1);
    (tree, stored)
}

fn proofs(cells: u32, depth: u8, asked: u32) -> (Root, Vec<Proof>) {
    let state = state(cells);
    let (tree, stored) = tree(&state, depth);
    let prove = |n| tree.prove(&name(n), &stored, &stored).unwrap();
    (root(&state), (0..asked).map(prove).collect())
}

#[test]
fn what_is_there_and_what_is_not() {
    for depth in [0, 1, 5, 12] {
        for cells in [0, 1, 2, 3, 10, 100, 300] {
            let state = state(cells);
            let (root, proofs) = proofs(cells, depth, cells + 40);
            for (n, proof) in proofs.iter().enumerate() {
                let shown = proof.check(root).unwrap();
                assert_eq!(shown.cell, name(n as u32));
                assert_eq!(shown.words.is_empty(), n as u32 >= cells);
                assert_eq!(state.get(&shown.cell, shown.words.len()), shown.words);
                let text = serde_json::to_string(proof).unwrap();
                assert_eq!(&serde_json::from_str::<Proof>(&text).unwrap(), proof);
            }
        }
    }
}

#[test]
fn proofs_do_not_depend_on_the_cut() {
    let (root, expected) = proofs(200, 0, 250);
    for depth in [1, 4, 8, 11, 16] {
        assert_eq!(proofs(200, depth, 250), (root, expected.clone()));
    }
}

#[test]
fn proofs_of_what_batches_left() {
    let (mut tree, stored) = tree(&state(50), 4);
    let mut changes = Changes::new();
    changes.add(&name(4), &[5, 0], &[0, 0]);
    changes.add(&name(6), &[7, 0], &[8, 0]);
    changes.sort();
    tree.update(&changes, &stored).unwrap();
    let mut now = stored.clone();
    now.apply(&changes);
    let shown = |n| {
        let proof = tree.prove(&name(n), &now, &stored).unwrap();
        proof.check(tree.root()).unwrap().words
    };
    assert_eq!(
        (shown(4), shown(6), shown(8)),
        (vec![], vec![8, 0], vec![9, 0])
    );
    // The words of another state are refused.
    assert!(tree.prove(&name(6), &stored, &stored).is_err());
}

#[test]
fn no_proof_holds_for_another_root() {
    let (first, proofs_of_first) = proofs(60, 3, 80);
    let (second, _) = proofs(61, 3, 80);
    for proof in proofs_of_first {
        assert!(proof.check(first).is_ok());
        for other in [second, Root::EMPTY] {
            assert!(matches!(proof.check(other), Err(ProofError::Root(_))));
        }
    }
}

/// Every way to turn one bit of a field.
fn flipped(proof: &Proof) -> Vec<Proof> {
    let mut all = Vec::new();
    let mut flip = |bytes: usize, change: &dyn Fn(&mut Proof, usize, u8)| {
        for bit in 0..8 * bytes {
            let mut other = proof.clone();
            change(&mut other, bit / 8, 1 << (bit % 8));
            all.push(other);
        }
    };
    flip(2, &|proof, byte, bit| {
        proof.family ^= u16::from(bit) << (8 * byte)
    });
    flip(4 * proof.key.len(), &|proof, byte, bit| {
        proof.key[byte / 4].0[byte % 4] ^= bit
    });
    flip(32, &|proof, byte, bit| proof.path.0[byte] ^= bit);
    flip(32 * proof.siblings.len(), &|proof, byte, bit| {
        proof.siblings[byte / 32].0[byte % 32] ^= bit;
    });
    match &proof.found {
        Found::Nothing => {}
        Found::Value(words) => flip(4 * words.len(), &|proof, byte, bit| {
            let Found::Value(words) = &mut proof.found else {
                unreachable!()
            };
            words[byte / 4].0[byte % 4] ^= bit;
        }),
        Found::Other { .. } => flip(64, &|proof, byte, bit| {
            let Found::Other { path, value } = &mut proof.found else {
                unreachable!()
            };
            let bytes = if byte < 32 { path } else { value };
            bytes.0[byte % 32] ^= bit;
        }),
    }
    all
}

/// Some proofs of each kind: of short and long values, of another cell, of nothing.
fn samples() -> (Root, Vec<Proof>) {
    let (root, proofs) = proofs(40, 3, 70);
    let kind = |proof: &Proof| match &proof.found {
        Found::Value(words) => words.len(),
        Found::Other { .. } => 100,
        Found::Nothing => 101,
    };
    let of = |wanted| {
        proofs
            .iter()
            .filter(move |proof| kind(proof) == wanted)
            .take(3)
            .cloned()
    };
    let samples: Vec<_> = [2, 10, 100, 101].into_iter().flat_map(of).collect();
    assert_eq!(samples.len(), 12);
    (root, samples)
}

#[test]
fn no_bit_may_be_turned() {
    let (root, samples) = samples();
    for proof in samples {
        assert!(proof.check(root).is_ok());
        for flipped in flipped(&proof) {
            assert!(flipped.check(root).is_err(), "{flipped:?}");
        }
        for bit in 0..256 {
            let mut other = root;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert!(proof.check(other).is_err());
        }
    }
}

#[test]
fn no_digit_of_the_text_may_change() {
    let (root, samples) = samples();
    for proof in samples {
        let text = serde_json::to_string(&proof).unwrap();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut bytes = text.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(bytes) else {
                    continue;
                };
                // What reads as the same proof is the same proof: blanks between its parts.
                let read = serde_json::from_str::<Proof>(&changed);
                let valid = read.is_ok_and(|read| read != proof && read.check(root).is_ok());
                assert!(!valid, "{changed}");
                let is_digit = text.as_bytes()[at].is_ascii_hexdigit();
                let read = serde_json::from_str::<Proof>(&changed);
                assert!(
                    !(is_digit && read.is_ok_and(|read| read == proof)),
                    "{changed}"
                );
            }
        }
    }
}

#[test]
fn parts_may_not_be_added_or_taken() {
    let (root, samples) = samples();
    for proof in samples {
        let changed = |change: &dyn Fn(&mut Proof)| {
            let mut other = proof.clone();
            change(&mut other);
            other.check(root)
        };
        assert!(changed(&|proof| proof.siblings.push(Hex([0; 32]))).is_err());
        assert!(
            changed(&|proof| proof
                .siblings
                .truncate(proof.siblings.len().saturating_sub(1)))
            .is_err()
        );
        assert!(changed(&|proof| proof.siblings.insert(0, Hex([0; 32]))).is_err());
        assert!(changed(&|proof| proof.key.push(Hex([0; 4]))).is_err());
        let long = changed(&|proof| proof.siblings.resize(257, Hex([0; 32])));
        assert_eq!(long, Err(ProofError::Long(257)));
        if matches!(proof.found, Found::Nothing) {
            assert!(changed(&|proof| proof.found = Found::Value(vec![Hex([1; 4])])).is_err());
        } else {
            assert!(changed(&|proof| proof.found = Found::Nothing).is_err());
        }
    }
}

/// A leaf shown as "another cell" must hang where the cell would, and not be the cell itself.
#[test]
fn a_cell_cannot_be_denied() {
    let (root, proofs) = proofs(40, 3, 40);
    for proof in &proofs {
        let Found::Value(words) = &proof.found else {
            panic!()
        };
        let words: Vec<u32> = words.iter().map(|word| word.word()).collect();
        let mut value = [0; 32];
        for (slot, byte) in value
            .iter_mut()
            .zip(words.iter().flat_map(|word| word.to_le_bytes()))
        {
            *slot = byte;
        }
        let (path, value) = (proof.path, Hex(value));
        let denied = Proof {
            found: Found::Other { path, value },
            ..proof.clone()
        };
        assert_eq!(denied.check(root), Err(ProofError::Other));
        // In another cell's name: it doesn't hang there, or it does and that one isn't there.
        for n in 40..200 {
            let cell = name(n);
            let other = Proof {
                family: cell.family,
                key: cell.key.iter().copied().map(Hex::from).collect(),
                path: Hex(self::path(&cell)),
                ..denied.clone()
            };
            assert!(
                other.check(root).is_ok_and(|shown| shown.words.is_empty())
                    || other.check(root).is_err()
            );
        }
        let zeros = Proof {
            found: Found::Value(vec![Hex([0; 4]); 2]),
            ..proof.clone()
        };
        assert_eq!(zeros.check(root), Err(ProofError::Zeros));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn any_state(cells in prop::collection::btree_map(0u32..80, 1u32..5, 0..50), depth in 0u8..10) {
        let mut state = State::new();
        for (n, value) in &cells {
            state.set(name(*n), vec![*value; 1 + *n as usize % 12]);
        }
        let (tree, stored) = tree(&state, depth);
        for n in 0..80 {
            let shown = tree.prove(&name(n), &stored, &stored).unwrap().check(root(&state)).unwrap();
            let words = cells.get(&n).map_or(vec![], |value| vec![*value; 1 + n as usize % 12]);
            prop_assert_eq!(shown.words, words);
        }
    }
}
