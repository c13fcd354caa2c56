use super::*;
use std::path::Path;

fn record(key: u8, message: u8) -> Record {
    Record {
        key: [key; 32],
        message: [message; 32],
        source: Source::Choice,
    }
}

fn frame(key: u8, message: u8) -> Record {
    Record {
        source: Source::Chain,
        ..record(key, message)
    }
}

fn open(path: &Path) -> Result<FileGuard, GuardError> {
    FileGuard::open(path, &seed(1))
}

/// A guard's file with keys 1, 2 and 3 bound, and its bytes.
fn sample(directory: &Path) -> (std::path::PathBuf, Vec<u8>) {
    let path = directory.join("guard");
    let mut guard = FileGuard::create(&path, &seed(1)).unwrap();
    guard.commit(&[record(1, 1)]).unwrap();
    guard.commit(&[record(2, 2), frame(3, 3)]).unwrap();
    drop(guard);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes.len(), 48 + 3 * 73);
    (path, bytes)
}

#[test]
fn survives_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let (path, bytes) = sample(directory.path());
    let mut guard = open(&path).unwrap();
    guard.commit(&[record(1, 1), frame(3, 3)]).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing written");
    let refused = guard.commit(&[record(4, 4), record(2, 1)]);
    assert!(matches!(refused, Err(GuardError::SecondMessage { at: 1 })));
    guard.commit(&[record(4, 5)]).unwrap();
    drop(guard);
    let refused = open(&path).unwrap().commit(&[record(4, 4)]);
    assert!(matches!(refused, Err(GuardError::SecondMessage { at: 0 })));
}

#[test]
fn a_torn_end_is_cut_off() {
    let directory = tempfile::tempdir().unwrap();
    let (path, bytes) = sample(directory.path());
    let two = 48 + 2 * 73;
    let zeros = [&bytes[..two], &[0; 73 * 5 + 9]].concat();
    let torn = (1..73).map(|n| bytes[..two + n].to_vec());
    for contents in torn.chain([zeros]) {
        std::fs::write(&path, &contents).unwrap();
        let mut guard = open(&path).unwrap();
        let refused = guard.commit(&[record(2, 1)]);
        assert!(matches!(refused, Err(GuardError::SecondMessage { .. })));
        guard.commit(&[record(3, 3)]).unwrap();
        drop(guard);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn a_flipped_bit_in_any_byte_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let (path, bytes) = sample(directory.path());
    // One bit of each byte: opening a file is slow.
    for (bit, flipped) in bit_flips(&bytes).filter(|(bit, _)| bit % 8 == bit / 8 % 8) {
        std::fs::write(&path, &flipped).unwrap();
        let record = (bit / 8).saturating_sub(48) / 73;
        let start = if bit / 8 < 48 { 0 } else { 48 + record * 73 };
        assert!(
            matches!(open(&path), Err(GuardError::Corrupted { offset, .. }) if offset == start),
            "bit {bit}"
        );
    }
}

#[test]
fn swapped_and_removed_records_are_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let (path, bytes) = sample(directory.path());
    let part = |n: usize| &bytes[48 + n * 73..48 + (n + 1) * 73];
    for order in [&[1, 0, 2][..], &[1, 2], &[0, 2], &[0, 0, 1]] {
        let mut contents = bytes[..48].to_vec();
        order
            .iter()
            .for_each(|n| contents.extend_from_slice(part(*n)));
        std::fs::write(&path, contents).unwrap();
        assert!(matches!(open(&path), Err(GuardError::Corrupted { .. })));
    }
    for length in 0..48 {
        std::fs::write(&path, &bytes[..length]).unwrap();
        assert!(matches!(open(&path), Err(GuardError::Corrupted { .. })));
    }
}

#[test]
fn is_locked_owned_and_never_made_by_accident() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("guard");
    assert!(matches!(open(&path), Err(GuardError::Io { .. })));
    let guard = FileGuard::create(&path, &seed(1)).unwrap();
    assert!(matches!(open(&path), Err(GuardError::Locked { .. })));
    drop(guard);
    assert!(matches!(
        FileGuard::create(&path, &seed(1)),
        Err(GuardError::Io { .. })
    ));
    assert!(matches!(
        FileGuard::open(&path, &seed(2)),
        Err(GuardError::WrongOwner { .. })
    ));
    assert!(open(&path).is_ok());
}

#[test]
fn after_a_restore_no_new_choice_is_signed() {
    let directory = tempfile::tempdir().unwrap();
    let (path, _) = sample(directory.path());
    let lost = directory.path().join("lost");
    for path in [path, lost] {
        drop(FileGuard::restored(&path, &seed(1)).unwrap());
        let mut guard = open(&path).unwrap();
        assert!(guard.is_restored());
        let refused = guard.commit(&[frame(9, 9), record(8, 8)]);
        assert!(matches!(refused, Err(GuardError::Restored { at: 1 })));
        guard.commit(&[frame(9, 9)]).unwrap();
        let refused = guard.commit(&[frame(9, 1)]);
        assert!(matches!(refused, Err(GuardError::SecondMessage { at: 0 })));
        guard.lift_restore().unwrap();
        guard.commit(&[record(8, 8)]).unwrap();
        drop(guard);
        let mut guard = open(&path).unwrap();
        assert!(!guard.is_restored());
        guard.commit(&[record(7, 7)]).unwrap();
    }
}

#[test]
fn an_author_always_chooses() {
    let directory = tempfile::tempdir().unwrap();
    let mut guard = FileGuard::restored(directory.path().join("guard"), &seed(1)).unwrap();
    let keys = OneTimeKeys::new(&seed(1), &CONTRACT, &[2; 32]);
    let statement = |role| Statement {
        role,
        element: 1,
        shape: gavel_compiler::commit::Shape { message: 1 },
        digits: vec![1],
        source: Source::Chain,
    };
    assert!(keys.sign(&statement(Role::Claimer), &mut guard).is_ok());
    assert!(matches!(
        keys.sign(&statement(Role::Author), &mut guard),
        Err(OneTimeError::Restored {
            role: Role::Author,
            element: 1
        })
    ));
}
