//! Calls as JSON, as records and as bytes for the log: there and back, and what is refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use gavel_compiler::ledger::{Call, Receipt, Refusal, State};
use gavel_compiler::units::Height;
use gavel_prover::calls::{
    BinaryError, BinaryWriter, Why, WriteError, decode_calls, encode_calls, read_json, read_record,
    write_json,
};
use proptest::prelude::*;
use serde_json::json;
use support::{call, contract, interface, key, keypair, pay, records};

#[test]
fn a_line_as_documented() {
    let interface = interface();
    let id = gavel_compiler::ledger::Root(interface.contract);
    let signature = "ab".repeat(64);
    let arguments = json!({"from": key(1), "to": key(2), "amount": 5});
    let line = format!(
        r#"{{"contract":"{id}","entry":"pay","arguments":{arguments},"signatures":[{{"nonce":7,"signature":"{signature}"}}]}}"#
    );
    let call = read_json(line.as_bytes(), &interface).unwrap();
    assert_eq!(call.entry, "pay");
    assert_eq!(call.signatures[0].nonce, 7);
    assert_eq!(call.arguments[16..], [5, 0]);
    assert_eq!(
        read_json(
            write_json(&call, &interface).unwrap().as_bytes(),
            &interface
        ),
        Ok(call)
    );
    // All but the entry may be left out.
    let ping = read_json(br#"{"entry": "ping"}"#, &interface).unwrap();
    assert_eq!(ping, Call::new(interface.contract, "ping", Vec::new()));
    let line = r#" {"entry": "ping", "signatures": [], "contract": "0xID"} "#;
    let line = line.replace("ID", &id.to_string());
    assert_eq!(read_json(line.as_bytes(), &interface), Ok(ping));
}

proptest! {
    #[test]
    fn what_is_written_is_read(calls in prop::collection::vec(call(), 0..8)) {
        let interface = interface();
        for call in &calls {
            let line = write_json(call, &interface).unwrap();
            prop_assert!(!line.contains('\n'));
            prop_assert_eq!(&read_json(line.as_bytes(), &interface).unwrap(), call);
        }
        prop_assert_eq!(&decode_calls(&encode_calls(&calls)).unwrap(), &calls);
    }

    /// Whatever a record says, it is a call or refused; and a call's record is read as it.
    #[test]
    fn records_are_read(call in call(), noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let interface = interface();
        let file = records(std::slice::from_ref(&call), &interface);
        let record = &file[45..file.len() - 12];
        prop_assert_eq!(read_record(record, interface.contract, &interface), Ok(call));
        let _ = read_record(&noise, interface.contract, &interface);
        let _ = read_json(&noise, &interface);
        let _ = decode_calls(&noise);
    }

    /// The log's form has one encoding for each list of calls.
    #[test]
    fn log_bytes_are_the_only_ones(calls in prop::collection::vec(call(), 1..4), at in any::<prop::sample::Index>(), bit in 0..8) {
        let bytes = encode_calls(&calls);
        for cut in 0..bytes.len() {
            prop_assert!(decode_calls(&bytes[..cut]).is_err(), "{} of {}", cut, bytes.len());
        }
        let mut wrong = bytes.clone();
        wrong[at.index(bytes.len())] ^= 1u8 << bit;
        if let Ok(others) = decode_calls(&wrong) {
            prop_assert_ne!(others, calls.clone());
        }
        prop_assert!(decode_calls(&[&bytes[..], &[0]].concat()).is_err());
    }
}

#[test]
fn lines_that_are_no_calls() {
    let interface = interface();
    let why = |line: &str| match read_json(line.as_bytes(), &interface) {
        Err(why) => why,
        Ok(call) => panic!("{line} is {call:?}"),
    };
    let signed = |signed: &str| format!(r#"{{"entry": "ping", "signatures": {signed}}}"#);
    let hex = "ab".repeat(64);
    for (line, says) in [
        ("", "EOF while parsing a value at column 0"),
        ("{", "EOF while parsing an object at column 1"),
        ("[]", "expected a JSON object"),
        (r#"["ping"]"#, "expected a JSON object"),
        (
            r#"{"entry": "ping"} {}"#,
            "trailing characters at column 19",
        ),
        (
            r#"{"entry": "ping", "entry": "pay"}"#,
            "`entry` stands there twice",
        ),
        ("{\"entry\": \"\u{0}\"}", "control character"),
        ("{}", "`entry`: it is missing"),
        (
            r#"{"entry": 3}"#,
            "`entry`: expected the entry's name, found 3",
        ),
        (
            r#"{"entry": "ping", "nonce": 3}"#,
            "there is no field `nonce`",
        ),
        (
            r#"{"entry": "ping", "contract": 3}"#,
            "`contract`: expected a hex string, found 3",
        ),
        (
            r#"{"entry": "ping", "contract": "abcd"}"#,
            "expected 32 bytes as hex, found 2",
        ),
        (
            r#"{"entry": "ping", "contract": "xyz"}"#,
            "expected 64 hex digits, found \"xyz\"",
        ),
        (
            r#"{"entry": "ping", "contract": null}"#,
            "expected a hex string, found null",
        ),
        (
            r#"{"entry": "ping", "arguments": []}"#,
            "expected an object by name, found a list of 0",
        ),
        (
            r#"{"entry": "ping", "arguments": {"x": 1}}"#,
            "there is no input `x`",
        ),
        (r#"{"entry": "pay"}"#, "input `from` has no value"),
        (
            &signed("{}"),
            "`signatures`: expected a list, found an object of 0",
        ),
        (
            &signed("[0]"),
            "`signatures[0]`: expected an object with nonce and signature, found 0",
        ),
        (&signed("[{}]"), "`signatures[0].nonce`: it is missing"),
        (
            &signed(r#"[{"nonce": 0}]"#),
            "`signatures[0].signature`: it is missing",
        ),
        (
            &signed(&format!(r#"[{{"nonce": -1, "signature": "{hex}"}}]"#)),
            "`signatures[0].nonce`: expected a whole number below 2^64, found -1",
        ),
        (
            &signed(&format!(
                r#"[{{"nonce": 18446744073709551616, "signature": "{hex}"}}]"#
            )),
            "expected a whole number below 2^64",
        ),
        (
            &signed(r#"[{"nonce": 0, "signature": "abcd"}]"#),
            "`signatures[0].signature`: expected 64 bytes as hex, found 2",
        ),
        (
            &signed(&format!(
                r#"[{{"nonce": 0, "signature": "{hex}", "key": 1}}]"#
            )),
            "there is no field `key`",
        ),
    ] {
        let said = why(line).to_string();
        assert!(said.contains(says), "{line}: {said}");
    }
    let many = vec![format!(r#"{{"nonce": 0, "signature": "{hex}"}}"#); 256].join(",");
    assert_eq!(why(&signed(&format!("[{many}]"))), Why::Signatures(256));
    assert!(read_json(b"{\"entry\": \"\xff\"}", &interface).is_err());
    assert!(read_json("[".repeat(100_000).as_bytes(), &interface).is_err());
}

/// What is kept of a line that is no call doesn't grow with it.
#[test]
fn reasons_are_short() {
    let interface = interface();
    let long = "x".repeat(500_000);
    for line in [
        format!(r#"{{"{long}": 1}}"#),
        format!(r#"{{"entry": "{long}"}}"#),
        format!(r#"{{"entry": "ping", "{long}": 1}}"#),
        format!(r#"{{"entry": "ping", "{long}": 1, "{long}": 1}}"#),
        format!(r#"{{"entry": "ping", "contract": "{long}"}}"#),
        format!(r#"{{"entry": "ping", "arguments": {{"{long}": 1}}}}"#),
        format!(r#"{{"entry": "ping", "arguments": "{long}"}}"#),
        format!(
            r#"{{"entry": "ping", "signatures": [{{"nonce": "{long}", "signature": "{long}"}}]}}"#
        ),
    ] {
        let why = read_json(line.as_bytes(), &interface).unwrap_err();
        assert!(why.to_string().len() < 600, "{why}");
        assert!(format!("{why:?}").len() < 600, "{why:?}");
    }
}

/// What can be read but makes no sense is a call, which the ledger refuses.
#[test]
fn calls_that_make_no_sense_are_refused_with_a_receipt() {
    let contract = contract();
    let interface = interface();
    let mut ledger = contract.ledger(State::new()).unwrap();
    let mut refusal = |call: &Call| match ledger.apply(call, Height(1)) {
        Receipt::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    };
    let line = |text: &str| read_json(text.as_bytes(), &interface).unwrap();
    let call = line(r#"{"entry": "gone", "arguments": {"x": [1, {"y": null}]}}"#);
    assert_eq!(refusal(&call), Refusal::Entry("gone".to_owned()));
    let other = format!(
        r#"{{"contract": "{}", "entry": "pay", "arguments": {{}}}}"#,
        "07".repeat(32)
    );
    assert_eq!(refusal(&line(&other)), Refusal::Contract);
    let record = |bytes: &[u8], id| read_record(bytes, id, &interface).unwrap();
    let call = record(&[17, 1, 0, 9, 0, 0, 0], interface.contract);
    assert_eq!(refusal(&call), Refusal::Entry("#273".to_owned()));
    assert_eq!(refusal(&record(&[2, 0, 0], [7; 32])), Refusal::Contract);
    assert!(matches!(
        refusal(&record(&[0, 0, 0], interface.contract)),
        Refusal::Arguments(_)
    ));
}

#[test]
fn records_that_are_no_calls() {
    let interface = interface();
    let read = |bytes: &[u8]| read_record(bytes, interface.contract, &interface);
    for short in [&[][..], &[0], &[0, 0]] {
        assert_eq!(read(short), Err(Why::Short(short.len())));
    }
    for (bytes, signatures) in [(4, 0), (6, 0), (3 + 71, 1), (3 + 73, 1), (3 + 72, 2)] {
        let mut record = vec![0; bytes];
        record[2] = signatures;
        assert_eq!(read(&record), Err(Why::Record { bytes, signatures }));
    }
}

#[test]
fn calls_that_cannot_be_written() {
    let interface = interface();
    let good = pay(&interface, 1, 2, 5, 0);
    let write = |call: &Call| {
        let mut writer = BinaryWriter::new(Vec::new(), &interface).unwrap();
        let written = writer.write(call);
        // What isn't written leaves no trace.
        writer.write(&good).unwrap();
        let after = writer.finish().unwrap();
        match written {
            Err(BinaryError::Call(error)) => {
                assert_eq!(after, records(std::slice::from_ref(&good), &interface));
                Some(error)
            }
            Err(BinaryError::Io(error)) => panic!("{error}"),
            Ok(()) => None,
        }
    };
    let gone = |entry: &str| Call::new(interface.contract, entry, vec![1]);
    assert_eq!(
        write(&gone("gone")),
        Some(WriteError::Entry("gone".to_owned()))
    );
    // The name of a number that isn't known stands for that number, and for no other.
    assert_eq!(write(&gone("#17")), None);
    for name in ["#1", "#017", "#+17", "#65536", "#"] {
        assert_eq!(write(&gone(name)), Some(WriteError::Entry(name.to_owned())));
    }
    assert_eq!(
        write_json(&gone("#17"), &interface),
        Err(WriteError::Entry("#17".to_owned()))
    );
    let other = Call {
        contract: [7; 32],
        ..good.clone()
    };
    assert_eq!(write(&other), Some(WriteError::Contract("07".repeat(32))));
    assert_eq!(
        write_json(&other, &interface),
        Err(WriteError::Entry("pay".to_owned()))
    );
    let many = vec![good.signatures[0]; 256];
    let signed = Call {
        signatures: many,
        ..good.clone()
    };
    assert_eq!(write(&signed), Some(WriteError::Signatures(256)));
    let long = Call {
        arguments: vec![0; 1 << 18],
        ..good.clone()
    };
    assert!(matches!(write(&long), Some(WriteError::TooLong(_))));
    // Words that no value has can be records, but no JSON.
    let mut note = vec![
        0;
        interface
            .entry("note")
            .unwrap()
            .arguments()
            .map(|(_, ty)| ty.words())
            .sum()
    ];
    let call = |words: &[u32]| Call::new(interface.contract, "note", words.to_vec());
    assert!(write_json(&call(&note), &interface).is_ok());
    note[0] = 2;
    assert_eq!(write(&call(&note)), None);
    assert!(matches!(
        write_json(&call(&note), &interface),
        Err(WriteError::Arguments { .. })
    ));
    assert!(matches!(
        write_json(&call(&[0]), &interface),
        Err(WriteError::Arguments { .. })
    ));
}

#[test]
fn a_signed_call_stays_valid() {
    let contract = contract();
    let interface = interface();
    let mut ledger = contract.ledger(State::new()).unwrap();
    let call = pay(&interface, 1, 2, 5, 0);
    let line = write_json(&call, &interface).unwrap();
    let call = read_json(line.as_bytes(), &interface).unwrap();
    assert!(matches!(
        ledger.apply(&call, Height(1)),
        Receipt::Done { .. }
    ));
    assert_eq!(ledger.next_nonce(&keypair(1).x_only_public_key().0), 1);
}
