use super::*;
use bitcoin::hashes::Hash;
use bitcoin::{OutPoint, ScriptBuf, Txid, WPubkeyHash};
use gavel_compiler::units::Sats;

pub(super) fn hello(party: u8) -> Hello {
    let script = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array([party; 20]));
    Hello {
        party,
        contract: CONTRACT,
        nonce: [party + 10; 32],
        key: party_keys(party + 1)[usize::from(party)].public(),
        payout: script.clone(),
        inputs: vec![FundingInput {
            outpoint: OutPoint::new(Txid::from_byte_array([party + 1; 32]), 1),
            amount: Sats(50_000),
            script: script.clone(),
        }],
        change: Some(script),
    }
}

#[test]
fn a_hello_proves_possession_of_its_key() {
    let keys = party_keys(2);
    let bytes = seal(&hello(0), &CONTRACT, &keys[0]).unwrap();
    assert_eq!(open_hello(&bytes, &CONTRACT, 0).unwrap(), hello(0));
    let forged = seal(&hello(0), &CONTRACT, &keys[1]).unwrap();
    assert!(matches!(
        open_hello(&forged, &CONTRACT, 0),
        Err(MessageError::Signature { party: 0, .. })
    ));
    assert!(matches!(
        open_hello(&bytes, &CONTRACT, 1),
        Err(MessageError::Party {
            expected: 1,
            got: 0,
            ..
        })
    ));
    for (_, flipped) in bit_flips(&bytes) {
        assert!(open_hello(&flipped, &CONTRACT, 0).is_err());
    }
}

#[test]
fn the_instance_depends_on_everything() {
    let base = [hello(0), hello(1)];
    let known = instance(&CONTRACT, b"options", &base).unwrap();
    assert_eq!(known, instance(&CONTRACT, b"options", &base).unwrap());
    assert_ne!(known, instance(&CONTRACT, b"other", &base).unwrap());
    let changes: [&dyn Fn(&mut Hello); 7] = [
        &|h| h.nonce[0] ^= 1,
        &|h| h.key = party_keys(3)[2].public(),
        &|h| h.payout = hello(5).payout,
        &|h| h.change = None,
        &|h| h.inputs[0].amount.0 += 1,
        &|h| h.inputs[0].outpoint.vout += 1,
        &|h| h.inputs.clear(),
    ];
    for change in changes {
        let mut hellos = base.clone();
        change(&mut hellos[1]);
        assert_ne!(known, instance(&CONTRACT, b"options", &hellos).unwrap());
    }
}

#[test]
fn unfit_hellos_are_refused() {
    let p2pkh = ScriptBuf::from_hex("76a914000000000000000000000000000000000000000088ac").unwrap();
    let outpoint = hello(1).inputs[0].outpoint;
    let party = 1;
    let script = |what| HelloError::Script { party, what };
    type Row<'a> = (&'a dyn Fn(&mut Hello), HelloError);
    let rows: [Row; 9] = [
        (&|h| h.party = 2, HelloError::Order { at: 1, party: 2 }),
        (&|h| h.contract = [1; 32], HelloError::Contract { party }),
        (&|h| h.payout = p2pkh.clone(), script("payout script")),
        (
            &|h| h.change = Some(ScriptBuf::new()),
            script("change script"),
        ),
        (
            &|h| h.inputs[0].script = p2pkh.clone(),
            script("funding input"),
        ),
        (
            &|h| h.inputs[0].amount = Sats(0),
            HelloError::Value {
                party,
                outpoint,
                amount: Sats(0),
            },
        ),
        (
            &|h| h.inputs.push(h.inputs[0].clone()),
            HelloError::Twice { party, outpoint },
        ),
        (
            &|h| h.key = hello(0).key,
            HelloError::Copied { party, what: "key" },
        ),
        (
            &|h| h.nonce = hello(0).nonce,
            HelloError::Copied {
                party,
                what: "nonce",
            },
        ),
    ];
    for (change, error) in rows {
        let mut hellos = [hello(0), hello(1)];
        change(&mut hellos[1]);
        assert_eq!(instance(&CONTRACT, b"", &hellos), Err(error));
    }
    assert_eq!(
        instance(&CONTRACT, b"", &[hello(0)]),
        Err(HelloError::Parties { got: 1 })
    );
}
