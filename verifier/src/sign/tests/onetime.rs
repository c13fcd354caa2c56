use super::*;
use gavel_compiler::commit::{Shape, hash_chain};

fn statement(role: Role, element: u16, digits: &[u8]) -> Statement {
    Statement {
        role,
        element,
        shape: Shape {
            message: digits.len(),
        },
        digits: digits.to_vec(),
        source: Source::Choice,
    }
}

#[test]
fn a_signature_verifies_under_the_public_key() {
    let keys = OneTimeKeys::new(&seed(1), &CONTRACT, &[2; 32]);
    let mut guard = MemoryGuard::new();
    for (role, element, digits) in [
        (Role::Claimer, 0, vec![0]),
        (Role::Claimer, 1, vec![15; 64]),
        (Role::Author, 1, vec![0; 64]),
        (Role::Author, u16::MAX, (0..16).collect()),
    ] {
        let statement = statement(role, element, &digits);
        let signature = keys.sign(&statement, &mut guard).unwrap();
        let key = keys.public_key(role, element, statement.shape);
        assert_eq!(signature.verify(&key, statement.shape), Some(digits));
        assert_eq!(keys.sign(&statement, &mut guard).unwrap(), signature);
    }
}

#[test]
fn keys_depend_on_everything_that_names_them() {
    let shape = Shape { message: 9 };
    let key = |s: u8, contract: u8, instance: u8, role, element, shape| {
        OneTimeKeys::new(&seed(s), &[contract; 32], &[instance; 32])
            .public_key(role, element, shape)
            .0
    };
    let base = key(1, 1, 1, Role::Claimer, 1, shape);
    assert_eq!(base, key(1, 1, 1, Role::Claimer, 1, shape));
    let others = [
        key(2, 1, 1, Role::Claimer, 1, shape),
        key(1, 2, 1, Role::Claimer, 1, shape),
        key(1, 1, 2, Role::Claimer, 1, shape),
        key(1, 1, 1, Role::Author, 1, shape),
        key(1, 1, 1, Role::Claimer, 256, shape),
        key(1, 1, 1, Role::Claimer, 1, Shape { message: 10 }),
    ];
    let mut all: Vec<_> = others.into_iter().flatten().chain(base).collect();
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "every chain differs from every other");
}

#[test]
fn many_keys_are_the_same_as_each() {
    let keys = OneTimeKeys::new(&seed(1), &CONTRACT, &[2; 32]);
    let elements: Vec<_> = (0..20u16)
        .map(|n| {
            let message = usize::from(n) + 1;
            (n, Shape { message })
        })
        .collect();
    let together = keys.public_keys(Role::Claimer, &elements);
    for ((element, shape), key) in elements.iter().zip(together) {
        assert_eq!(keys.public_key(Role::Claimer, *element, *shape), key);
        assert!(key.fits(*shape));
    }
}

#[test]
fn a_second_message_is_refused() {
    let keys = OneTimeKeys::new(&seed(1), &CONTRACT, &[2; 32]);
    let mut guard = MemoryGuard::new();
    let first = statement(Role::Claimer, 3, &[1, 2]);
    keys.sign(&first, &mut guard).unwrap();
    for other in [&[1, 3][..], &[1, 2, 0]] {
        assert!(matches!(
            keys.sign(&statement(Role::Claimer, 3, other), &mut guard),
            Err(OneTimeError::SecondMessage {
                role: Role::Claimer,
                element: 3
            })
        ));
    }
    // Another key isn't affected, and nothing of a refused batch is recorded.
    let fresh = statement(Role::Author, 3, &[1, 3]);
    let batch = [fresh, statement(Role::Claimer, 3, &[9, 9])];
    assert!(matches!(
        keys.sign_all(&batch, &mut guard),
        Err(OneTimeError::SecondMessage {
            role: Role::Claimer,
            element: 3
        })
    ));
    let batch = [statement(Role::Author, 3, &[4, 4]), first];
    assert_eq!(keys.sign_all(&batch, &mut guard).unwrap().len(), 2);
    // Two messages for one key in one batch.
    let batch = [
        statement(Role::Claimer, 4, &[1]),
        statement(Role::Claimer, 4, &[2]),
    ];
    assert!(matches!(
        keys.sign_all(&batch, &mut guard),
        Err(OneTimeError::SecondMessage { element: 4, .. })
    ));
}

#[test]
fn malformed_digits_are_refused_before_the_guard_hears_of_them() {
    let keys = OneTimeKeys::new(&seed(1), &CONTRACT, &[2; 32]);
    let mut guard = MemoryGuard::new();
    assert!(matches!(
        keys.sign(&statement(Role::Claimer, 1, &[3, 16]), &mut guard),
        Err(OneTimeError::Digit {
            at: 1,
            digit: 16,
            ..
        })
    ));
    let mut short = statement(Role::Claimer, 1, &[3]);
    short.shape.message = 2;
    assert!(matches!(
        keys.sign(&short, &mut guard),
        Err(OneTimeError::Length {
            got: 1,
            need: 2,
            ..
        })
    ));
    keys.sign(&statement(Role::Claimer, 1, &[3, 15]), &mut guard)
        .unwrap();
}

#[test]
fn the_guard_knows_before_a_secret_is_revealed() {
    struct Refuses;
    impl Guard for Refuses {
        fn commit(&mut self, _: &[Record]) -> Result<(), GuardError> {
            Err(GuardError::Poisoned {
                path: "guard".into(),
            })
        }
    }
    let keys = OneTimeKeys::new(&seed(1), &CONTRACT, &[2; 32]);
    assert!(matches!(
        keys.sign(&statement(Role::Claimer, 1, &[1]), &mut Refuses),
        Err(OneTimeError::Guard(GuardError::Poisoned { .. }))
    ));
}

#[test]
fn an_attestor_attests_once() {
    let mut guard = MemoryGuard::new();
    let words = [8, 1];
    let key = AttestorKey::new(&seed(1), "price at noon", &words);
    let shape = Shape::of_words(&words);
    let signature = key.attest(&[0xffff_ffff, 3], &mut guard).unwrap();
    let digits = signature.verify(&key.public_key(), shape).unwrap();
    assert_eq!(digits, [15, 15, 15, 15, 15, 15, 15, 15, 3]);
    assert!(matches!(
        key.attest(&[5, 3], &mut guard),
        Err(AttestError::Guard(GuardError::SecondMessage { .. }))
    ));
    assert!(matches!(
        key.attest(&[5, 16], &mut guard),
        Err(AttestError::Width { at: 1, .. })
    ));
    assert!(matches!(
        key.attest(&[5], &mut guard),
        Err(AttestError::Words { got: 1, need: 2 })
    ));
    let other = AttestorKey::new(&seed(1), "price at one", &words);
    assert_ne!(other.public_key(), key.public_key());
    assert!(other.attest(&[5, 3], &mut guard).is_ok());
}

#[test]
fn the_demo_attestor_is_the_documented_formula() {
    use bitcoin::hashes::{Hash, sha256};
    let attestor = DemoAttestor { index: 2 };
    let words = [8; 32];
    let key = attestor.public_key(&words);
    for digit in [0u16, 1, 258] {
        let mut preimage = b"gavel/demo-attestor\x02".to_vec();
        preimage.extend(digit.to_le_bytes());
        let secret = &sha256::Hash::hash(&preimage).to_byte_array()[..20];
        assert_eq!(hash_chain(secret, 15), key.0[usize::from(digit)]);
    }
    let value = [0xdead_beef; 32];
    let signature = attestor.attest(&value, &words).unwrap();
    assert!(signature.verify(&key, Shape::of_words(&words)).is_some());
}
