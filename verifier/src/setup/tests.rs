//! Setups in one process, without a node.

use super::store::digest;
use super::*;
use crate::deploy::Windows;
use crate::game::{Duty, Event, Party, Player};
use crate::sign::MemoryGuard;
use crate::sign::rand::{SeedableRng, rngs::StdRng};
use bitcoin::secp256k1::Secp256k1;
use bitcoin::{Amount, OutPoint, TxOut, Txid, hashes::Hash};
use gavel_compiler::segment::{Budget, plan};
use gavel_compiler::units::{Blocks, Height, Sats};
use std::path::Path;
use std::sync::OnceLock;

const SOURCE: &str = "
contract Tiny {
    param alice: party
    param bob: party
    enum Outcome { AliceWins, BobWins }
    settle(x: u8 from alice) -> Outcome {
        if x > 7 { AliceWins } else { BobWins }
    }
    coin pot {
        fund alice: 50_000 sats
        fund bob: 50_000 sats
        pay AliceWins { alice: rest }
        pay BobWins { bob: rest }
        refund after 4_032 blocks { alice: 50_000 sats, bob: rest }
    }
}
";
const EACH: u64 = 1 << 40;

fn contract() -> (Contract, Plan) {
    let params = serde_json::Map::new();
    let made = gavel_compiler::front::instantiate(SOURCE, &params);
    let (contract, _) = made.map_err(|found| format!("{found:?}")).unwrap();
    let plan = plan(&contract.program, &Budget::default()).unwrap();
    (contract, plan)
}

fn seed(party: u8) -> Seed {
    Seed::from_bytes(&[party + 1; 32])
}

fn entrant(contract: &Contract, me: u8) -> Entrant {
    let key = seed(me).party_key(&contract.id).public();
    let script = ScriptBuf::new_p2tr(&Secp256k1::new(), key, None);
    let input = |vout| FundingInput {
        outpoint: OutPoint::new(Txid::from_byte_array([me + 9; 32]), vout),
        amount: Sats(EACH),
        script: script.clone(),
    };
    Entrant {
        me,
        nonce: [me + 100; 32],
        payout: script.clone(),
        inputs: vec![input(0), input(1)],
    }
}

/// Two parties up to the exchange of partial signatures.
fn ready(terms: &Terms, randomness: u8) -> Vec<Ready> {
    let (contract, plan) = contract();
    let announced = (0..2).map(|me| {
        let entrant = entrant(&contract, me);
        let (contract, plan) = (contract.clone(), plan.clone());
        Announced::new(contract, plan, terms.clone(), seed(me), entrant).unwrap()
    });
    let (announced, hellos): (Vec<_>, Vec<_>) = announced.unzip();
    let keyed = announced.into_iter().map(|a| a.hellos(&hellos).unwrap());
    let (keyed, keys): (Vec<_>, Vec<_>) = keyed.unzip();
    let drawn = keyed.into_iter().zip([1, 2]).map(|(k, n)| {
        let mut rng = StdRng::from_seed([randomness + n; 32]);
        k.one_time_keys(&keys, &mut rng).unwrap()
    });
    let (drawn, nonces): (Vec<_>, Vec<_>) = drawn.unzip();
    let signed = drawn.into_iter().map(|d| d.nonces(&nonces).unwrap());
    let (signed, partials): (Vec<_>, Vec<_>) = signed.unzip();
    let ready = signed.into_iter().map(|s| s.partials(&partials).unwrap());
    ready.collect()
}

fn terms(fund_by: Option<u32>) -> Terms {
    Terms {
        fund_by: fund_by.map(Height),
        ..Terms::default()
    }
}

fn load(path: &Path, terms: Terms, by: u8) -> Result<(Ready, Stored), StoreError> {
    let (contract, plan) = contract();
    Ready::load(path, contract, plan, terms, &seed(by))
}

/// A setup's file.
fn file() -> &'static [u8] {
    static FILE: OnceLock<Vec<u8>> = OnceLock::new();
    FILE.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("setup");
        ready(&terms(None), 0)[0].store(&path).unwrap();
        std::fs::read(path).unwrap()
    })
}

/// Loads the file after `change` was made to it; with the digest put right again if `repair`.
fn changed(repair: bool, change: impl FnOnce(&mut Vec<u8>)) -> StoreError {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("setup");
    let mut bytes = file().to_vec();
    if repair {
        bytes.truncate(bytes.len() - 32);
        change(&mut bytes);
        bytes.extend(digest(&bytes));
    } else {
        change(&mut bytes);
    }
    std::fs::write(&path, bytes).unwrap();
    load(&path, terms(None), 0).map(|_| ()).unwrap_err()
}

/// Where a message lies that contains `text` as its kind, by party.
fn find(text: &str, nth: usize) -> usize {
    let at = |from: usize| {
        let rest = &file()[from..];
        from + rest
            .windows(text.len())
            .position(|w| w == text.as_bytes())
            .unwrap()
    };
    (0..nth).fold(at(0), |found, _| at(found + 1))
}

#[test]
fn a_stored_setup_comes_back_and_signs_the_same() {
    let directory = tempfile::tempdir().unwrap();
    for ready in ready(&terms(None), 0) {
        let path = directory.path().join(format!("party-{}", ready.me));
        let stored = ready.store(&path).unwrap();
        assert_eq!(ready.store(&path).unwrap(), stored, "storing again is fine");
        let (again, token) = load(&path, terms(None), ready.me).unwrap();
        assert_eq!(token, stored);
        assert_eq!(again.me, ready.me);
        assert_eq!(again.joint, ready.joint);
        assert_eq!(again.graph.names, ready.graph.names);
        let signatures = ready.sign_fund(&stored).unwrap();
        assert_eq!(signatures.len(), 2);
        assert_eq!(again.sign_fund(&token).unwrap(), signatures);
        let words = [9];
        let vouch = |ready: &Ready| ready.vouch(ElementId(0), &words, &mut MemoryGuard::new());
        if ready.me == 0 {
            assert_eq!(vouch(&again).unwrap(), vouch(&ready).unwrap());
        }
    }
    let left: Vec<_> = std::fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(left.len(), 2, "no temporary file is left");
}

#[test]
fn the_file_holds_no_secret() {
    let has = |secret: &[u8]| file().windows(secret.len()).any(|w| w == secret);
    assert!(!has(seed(0).expose()));
    let hex = format!("{:?}", crate::sign::hex::Hex(*seed(0).expose()));
    assert!(!has(hex.as_bytes()));
}

#[test]
fn nothing_is_signed_for_another_setup_than_was_stored() {
    let directory = tempfile::tempdir().unwrap();
    let first = ready(&terms(None), 0);
    let other = ready(&terms(None), 50);
    let stored = first[0].store(directory.path().join("a")).unwrap();
    let refused = |ready: &Ready| {
        let signed = ready.sign_fund(&stored);
        assert!(matches!(signed, Err(SetupError::NotStored)), "{signed:?}");
    };
    refused(&first[1]);
    // Same instance, same txids, other nonces and so other signatures.
    assert_eq!(
        other[0].graph.deployment.instance,
        first[0].graph.deployment.instance
    );
    refused(&other[0]);
}

#[test]
fn a_file_that_is_there_is_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("setup");
    let parties = ready(&terms(None), 0);
    parties[0].store(&path).unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = parties[1].store(&path);
    assert!(
        matches!(refused, Err(StoreError::Exists { .. })),
        "{refused:?}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_leftover_of_a_crash_while_writing_is_no_setup_and_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("setup");
    std::fs::write(directory.path().join("setup.tmp"), &file()[..99]).unwrap();
    let missing = load(&path, terms(None), 0).map(|_| ());
    assert!(matches!(missing, Err(StoreError::Io { .. })), "{missing:?}");
    ready(&terms(None), 0)[0].store(&path).unwrap();
    load(&path, terms(None), 0).unwrap();
}

#[test]
fn a_disk_that_fails_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let parties = ready(&terms(None), 0);
    for path in [directory.path().join("none/setup"), directory.path().into()] {
        let failed = parties[0].store(&path);
        assert!(matches!(failed, Err(StoreError::Io { .. })), "{failed:?}");
    }
}

#[test]
fn every_flipped_bit_is_found() {
    let length = file().len();
    let near = (0..120).chain(length - 40..length);
    let positions = near.chain((120..length - 40).step_by(length / 400 + 1));
    for (n, at) in positions.enumerate() {
        let error = changed(false, |bytes| bytes[at] ^= 1 << (n % 8));
        let corrupted = matches!(error, StoreError::Corrupted { .. });
        assert!(corrupted, "byte {at}: {error}");
    }
    for length in [0, 31, 32, 100, length - 1] {
        let error = changed(false, |bytes| bytes.truncate(length));
        assert!(matches!(error, StoreError::Corrupted { .. }), "{error}");
    }
}

#[test]
fn what_someone_changed_with_care_is_found_too() {
    let corrupted = |change: fn(&mut Vec<u8>)| {
        let error = changed(true, change);
        assert!(matches!(error, StoreError::Corrupted { .. }), "{error}");
    };
    corrupted(|bytes| bytes[0] ^= 1);
    corrupted(|bytes| bytes.push(0));
    corrupted(|bytes| bytes.truncate(bytes.len() - 1));
    // An absurd number of messages, an absurd length.
    corrupted(|bytes| bytes[79] = 0xff);
    corrupted(|bytes| bytes[87] = 0xff);
    let seed = changed(true, |bytes| bytes[8] ^= 1);
    assert!(matches!(seed, StoreError::Seed { .. }), "{seed}");
    let nobody = changed(true, |bytes| bytes[8] = 9);
    assert!(matches!(nobody, StoreError::Seed { .. }), "{nobody}");
    let contract = changed(true, |bytes| bytes[9] ^= 1);
    assert!(
        matches!(contract, StoreError::Contract { .. }),
        "{contract}"
    );
    let instance = changed(true, |bytes| bytes[41] ^= 1);
    assert!(
        matches!(instance, StoreError::Instance { .. }),
        "{instance}"
    );
    for (text, nth) in [("hello", 0), ("hello", 1), ("one-time-keys", 1)] {
        let at = find(text, nth) + 80;
        let message = changed(true, |bytes| bytes[at] ^= 1);
        assert!(matches!(message, StoreError::Setup { .. }), "{message}");
    }
    let at = find("one-time-keys", 0) + 200;
    let own = changed(true, |bytes| bytes[at] ^= 1);
    assert!(matches!(own, StoreError::OwnKeys { .. }), "{own}");
}

#[test]
fn every_signature_is_verified_again() {
    let parties = ready(&terms(None), 0);
    let n = parties[0].joint.len();
    let end = file().len() - 32;
    for (back, (name, input)) in (1..=n).zip(parties[0].joint.keys().rev()) {
        let error = changed(true, |bytes| bytes[end - back * 64 + back] ^= 1);
        let StoreError::Signature {
            name: bad,
            input: at,
            ..
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!((bad, at), (name, input));
    }
    // Two signatures in each other's place, and one too few.
    let swapped = changed(true, |bytes| bytes[end - 128..].rotate_left(64));
    assert!(matches!(swapped, StoreError::Signature { .. }), "{swapped}");
    let few = changed(true, |bytes| {
        bytes.truncate(end - 64);
        let count = end - n * 64 - 8;
        bytes[count] -= 1;
    });
    assert!(matches!(few, StoreError::Signatures { .. }), "{few}");
}

#[test]
fn other_terms_contracts_seeds_and_plans_are_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("setup");
    std::fs::write(&path, file()).unwrap();
    let error = |result: Result<(Ready, Stored), StoreError>| result.map(|_| ()).unwrap_err();
    let later = error(load(&path, terms(Some(900)), 0));
    assert!(matches!(later, StoreError::Instance { .. }), "{later}");
    let windows = Windows {
        challenge: Blocks(0),
        ..Windows::default()
    };
    let bad = Terms {
        windows,
        ..Terms::default()
    };
    let unsafe_terms = error(load(&path, bad, 0));
    assert!(
        matches!(unsafe_terms, StoreError::Setup { .. }),
        "{unsafe_terms}"
    );
    let other = error(load(&path, terms(None), 1));
    assert!(matches!(other, StoreError::Seed { .. }), "{other}");
    let (mut contract, mut plan) = contract();
    plan.elements.pop();
    let cut = error(Ready::load(
        &path,
        contract.clone(),
        plan.clone(),
        terms(None),
        &seed(0),
    ));
    assert!(matches!(cut, StoreError::OwnKeys { .. }), "{cut}");
    contract.id[0] ^= 1;
    let renamed = error(Ready::load(&path, contract, plan, terms(None), &seed(0)));
    assert!(matches!(renamed, StoreError::Contract { .. }), "{renamed}");
}

#[test]
fn fund_by_is_part_of_the_instance() {
    let of = |by| terms(by).canonical();
    assert_ne!(of(None), of(Some(0)));
    assert_ne!(of(Some(1)), of(Some(2)));
}

#[test]
fn money_that_is_not_where_it_was_announced_is_named() {
    let parties = ready(&terms(None), 0);
    let d = &parties[0].graph.deployment;
    let bad = d.parties[1].inputs[1].outpoint;
    let check = |change: &dyn Fn(TxOut) -> Option<(TxOut, u32)>| {
        check_funding(d, |outpoint| {
            let inputs = d.parties.iter().flat_map(|hello| &hello.inputs);
            let input = inputs.clone().find(|input| input.outpoint == *outpoint)?;
            let value = Amount::from_sat(input.amount.0);
            let script_pubkey = input.script.clone();
            let output = TxOut {
                value,
                script_pubkey,
            };
            if *outpoint == bad {
                change(output)
            } else {
                Some((output, 1))
            }
        })
    };
    assert_eq!(check(&|output| Some((output, 1))), Ok(()));
    let (party, outpoint) = (1, bad);
    let missing = FundingError::Missing { party, outpoint };
    assert_eq!(check(&|_| None), Err(missing));
    let unconfirmed = FundingError::Unconfirmed { party, outpoint };
    assert_eq!(check(&|output| Some((output, 0))), Err(unconfirmed));
    for found in [EACH - 1, EACH + 1] {
        let amount = check(&|output| {
            let value = Amount::from_sat(found);
            Some((TxOut { value, ..output }, 1))
        });
        let (announced, found) = (Sats(EACH), Sats(found));
        let expected = FundingError::Amount {
            party,
            outpoint,
            announced,
            found,
        };
        assert_eq!(amount, Err(expected));
    }
    let script = check(&|output| {
        let script_pubkey = ScriptBuf::new();
        Some((
            TxOut {
                script_pubkey,
                ..output
            },
            1,
        ))
    });
    assert_eq!(script, Err(FundingError::Script { party, outpoint }));
}

#[test]
fn only_taproot_outputs_fund() {
    let (contract, plan) = contract();
    let key = |me| seed(me).party_key(&contract.id);
    let hellos = (0..2).map(|me| {
        let mut entrant = entrant(&contract, me);
        if me == 1 {
            let hash = bitcoin::WPubkeyHash::from_byte_array([1; 20]);
            entrant.inputs[1].script = ScriptBuf::new_p2wpkh(&hash);
        }
        let (contract, plan) = (contract.clone(), plan.clone());
        Announced::new(contract, plan, terms(None), seed(me), entrant).unwrap()
    });
    let (announced, hellos): (Vec<_>, Vec<_>) = hellos.unzip();
    let bad = entrant(&contract, 1).inputs[1].outpoint;
    for announced in announced {
        let refused = announced.hellos(&hellos).map(|_| ());
        let Err(SetupError::Deploy(DeployError::NotTaproot { party, outpoint })) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((party, outpoint), (1, bad));
    }
    assert_ne!(key(0).public(), key(1).public());
}

fn party(fund_by: Option<u32>, feerate: u64) -> Party {
    let ready = ready(&terms(fund_by), 0).remove(0);
    Party::new(ready.into_kit(Box::new(MemoryGuard::new()), feerate))
}

fn block(height: u32, txs: Vec<Transaction>) -> Event {
    let height = Height(height);
    Event::Connected { height, txs }
}

fn offered(party: &mut Party) -> Vec<(TxName, Transaction)> {
    let duties = party.act().unwrap().duties.into_iter();
    duties
        .map(|duty| match duty {
            Duty::Broadcast { name, tx, .. } => (name, tx),
            Duty::Compute { inputs } => panic!("{inputs:?}"),
        })
        .collect()
}

#[test]
fn a_late_fund_is_withdrawn_from_and_only_then() {
    let mut party = party(Some(100), 1);
    party.on(&block(99, vec![]));
    let act = party.act().unwrap();
    assert!(act.duties.is_empty());
    assert_eq!(act.wake, Some(Height(100)));
    party.on(&block(100, vec![]));
    let mut duties = offered(&mut party);
    let (name, tx) = duties.pop().unwrap();
    assert!(duties.is_empty());
    assert_eq!(name, TxName::Withdraw(0));
    let graph = party.kit().graph.clone();
    let info = &graph.deployment.parties[0];
    let spent: Vec<OutPoint> = tx.input.iter().map(|i| i.previous_output).collect();
    let announced: Vec<OutPoint> = info.inputs.iter().map(|i| i.outpoint).collect();
    assert_eq!(spent, announced);
    assert_eq!(tx.output.len(), 1);
    assert_eq!(tx.output[0].script_pubkey, info.payout);
    // It replaces a Fund in the mempool.
    let fee = 2 * EACH - tx.output[0].value.to_sat();
    let planned = graph.withdraw(0, 1).unwrap();
    assert_eq!(planned.vsize().0, tx.vsize() as u64);
    let fund = graph.get(TxName::Fund).unwrap();
    assert_eq!(fee, fund.fee().0 + tx.vsize() as u64);
    // Done once it is confirmed; due again once it isn't.
    party.on(&block(101, vec![tx]));
    assert!(offered(&mut party).is_empty());
    let height = Height(101);
    party.on(&Event::Disconnected { height });
    assert_eq!(offered(&mut party).len(), 1);
}

#[test]
fn a_fund_in_time_or_without_a_deadline_is_left_alone() {
    let mut late = party(None, 1);
    late.on(&block(1_000_000, vec![]));
    let act = late.act().unwrap();
    assert!(act.duties.is_empty() && act.wake.is_none());
    let mut confirmed = party(Some(100), 1);
    let fund = confirmed.kit().graph.get(TxName::Fund).unwrap().tx.clone();
    confirmed.on(&block(100, vec![fund]));
    confirmed.on(&block(200, vec![]));
    assert!(offered(&mut confirmed).is_empty());
}

#[test]
fn a_withdrawal_pays_the_fee_rate_it_is_told_or_says_that_it_cannot() {
    let parties = ready(&terms(Some(100)), 0);
    let graph = &parties[0].graph;
    let planned = graph.withdraw(0, 500).unwrap();
    assert_eq!(planned.fee().0, 500 * planned.vsize().0);
    let poor = graph.withdraw(0, EACH);
    assert!(matches!(poor, Err(DeployError::Amount { .. })), "{poor:?}");
    let nobody = graph.withdraw(7, 1);
    assert!(matches!(nobody, Err(DeployError::Script(_))), "{nobody:?}");
}

#[test]
fn inputs_of_a_wallet_are_the_wallets_to_withdraw() {
    let (contract, plan) = contract();
    let hellos = (0..2).map(|me| {
        let mut entrant = entrant(&contract, me);
        if me == 0 {
            let key = seed(7).party_key(&contract.id).public();
            let script = ScriptBuf::new_p2tr(&Secp256k1::new(), key, None);
            for input in &mut entrant.inputs {
                input.script = script.clone();
            }
        }
        Hello {
            party: me,
            contract: contract.id,
            nonce: entrant.nonce,
            key: seed(me).party_key(&contract.id).public(),
            payout: entrant.payout,
            inputs: entrant.inputs,
            change: None,
        }
    });
    let hellos: Vec<Hello> = hellos.collect();
    let d = Deployment::new(contract, plan, terms(Some(100)), hellos).unwrap();
    let keys = (0..2).map(|me| {
        let key = seed(me).party_key(&d.contract.id);
        own_keys(&d, me, &seed(me), &key).unwrap().1
    });
    let keys: Vec<Vec<u8>> = keys.collect();
    let graph = build(d, &keys).unwrap();
    assert!(graph.withdrawable(0).is_empty());
    assert_eq!(graph.withdrawable(1).len(), 2);
    let nothing = graph.withdraw(0, 1);
    assert!(matches!(nothing, Err(DeployError::Script(_))));
}
