//! Calls from files and pipes: bounded chunks, what is no call, what isn't whole, garbage.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod support;

use gavel_compiler::ledger::Call;
use gavel_prover::calls::{
    CallStream, Chunk, Cut, Ending, Form, Interface, LONGEST, StreamError, Undecodable, Why,
    find_cut,
};
use proptest::prelude::*;
use std::io::{self, Cursor, Read};
use std::num::NonZeroUsize;
use support::{call, interface, lines, pay, records};

/// Gives so many bytes at a time, as pipes do.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(to.len()).min(self.0.len());
        to[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn chunks(from: impl Read, interface: &Interface, most: usize) -> Vec<Chunk> {
    let most = NonZeroUsize::new(most).unwrap();
    let mut stream = CallStream::new(from, interface, most).unwrap();
    let mut all = Vec::new();
    while let Some(chunk) = stream.chunk().unwrap() {
        assert_eq!(chunk.calls.len(), chunk.places.len());
        assert!(chunk.calls.len() <= most.get() && chunk.undecodable.len() <= most.get());
        all.push(chunk);
    }
    assert_eq!(stream.chunk().unwrap(), None, "the end stays the end");
    all
}

/// All of it at once: calls, what is none, and how it ends.
fn read(from: impl Read, interface: &Interface) -> (Vec<Call>, Vec<Undecodable>, Option<Cut>) {
    let chunks = chunks(from, interface, 1 << 30);
    let mut all = chunks.into_iter();
    let chunk = all.next().unwrap_or_default();
    assert!(all.next().is_none());
    (chunk.calls, chunk.undecodable, chunk.cut)
}

fn some(interface: &Interface, count: u64) -> Vec<Call> {
    (0..count).map(|n| pay(interface, 1, 2, n + 1, n)).collect()
}

proptest! {
    #[test]
    fn both_forms_are_read_in_chunks(
        calls in prop::collection::vec(call(), 0..12),
        most in 1usize..5,
        drip in 1usize..300,
    ) {
        let interface = interface();
        for bytes in [lines(&calls, &interface).into_bytes(), records(&calls, &interface)] {
            let dripped = chunks(Drip(&bytes, drip), &interface, most);
            let read: Vec<Call> = dripped.iter().flat_map(|chunk| chunk.calls.clone()).collect();
            prop_assert_eq!(&read, &calls);
            let full = calls.len() / most;
            prop_assert!(dripped.iter().take(full).all(|chunk| chunk.calls.len() == most));
            prop_assert!(dripped.iter().all(|c| c.cut.is_none() && c.undecodable.is_empty()));
            prop_assert_eq!(dripped, chunks(&bytes[..], &interface, most));
            prop_assert!(matches!(find_cut(&mut Cursor::new(bytes)), Ok(None)));
        }
    }

    /// Noise is read to its end: nothing panics, nothing is read twice.
    #[test]
    fn noise(noise in prop::collection::vec(any::<u8>(), 0..2_000), header in any::<bool>(), drip in 1usize..100) {
        let interface = interface();
        let mut bytes = if header { records(&[], &interface)[..41].to_vec() } else { Vec::new() };
        bytes.extend(noise);
        let (calls, undecodable, cut) = read(&bytes[..], &interface);
        prop_assert_eq!(read(Drip(&bytes, drip), &interface), (calls, undecodable, cut.clone()));
        prop_assert_eq!(find_cut(&mut Cursor::new(bytes)).unwrap(), cut);
    }
}

#[test]
fn what_is_no_call_is_reported_where_it_stands() {
    let interface = interface();
    let good = lines(&some(&interface, 3), &interface);
    let good: Vec<&str> = good.lines().collect();
    let text = format!(
        "{}\nrubbish\n\n  \r\n{}\r\n{{}}\n{}",
        good[0], good[1], good[2]
    );
    let whole = chunks(text.as_bytes(), &interface, 10);
    let [chunk] = &whole[..] else {
        panic!("{whole:?}")
    };
    assert_eq!(chunk.calls, some(&interface, 3));
    let numbers: Vec<u64> = chunk.places.iter().map(|place| place.number).collect();
    assert_eq!(numbers, [1, 5, 7]);
    let said: Vec<String> = chunk
        .undecodable
        .iter()
        .map(Undecodable::to_string)
        .collect();
    let at = good[0].len() + 1;
    assert_eq!(
        said[0],
        format!(
            "line 2 (byte {at}): no JSON object with each name once: expected value at column 1"
        )
    );
    let at = text.find("{}").unwrap();
    assert_eq!(
        said[1],
        format!("line 6 (byte {at}): `entry`: it is missing")
    );
    // Each chunk has its own.
    let ones = chunks(text.as_bytes(), &interface, 1);
    let shape = |c: &Chunk| (c.calls.len(), c.undecodable.len());
    assert_eq!(
        ones.iter().map(shape).collect::<Vec<_>>(),
        [(1, 0), (0, 1), (1, 0), (0, 1), (1, 0)]
    );
}

/// A record that is no call is left out, and the next is found.
#[test]
fn records_that_are_no_calls_are_left_out() {
    let interface = interface();
    let calls = some(&interface, 2);
    let mut bytes = records(&calls, &interface);
    let record = (bytes.len() - 41 - 12) / 2;
    bytes[41 + 6] = 200; // more signatures than there is room for
    let (read, undecodable, cut) = read(&bytes[..], &interface);
    assert_eq!((read, cut), (calls[1..].to_vec(), None));
    let bytes = record - 4;
    assert_eq!(
        undecodable[0].why,
        Why::Record {
            bytes,
            signatures: 200
        }
    );
    assert_eq!(
        undecodable[0].to_string().split(':').next(),
        Some("record 1 (byte 41)")
    );
}

/// Whatever is missing at the end is noticed, unless it is whole lines.
#[test]
fn files_that_end_half_way() {
    let interface = interface();
    let calls = some(&interface, 3);
    let check = |bytes: &[u8], wants: Option<&Ending>| {
        let (read_calls, undecodable, cut) = read(bytes, &interface);
        assert_eq!(
            find_cut(&mut Cursor::new(bytes)).unwrap(),
            cut,
            "{}",
            bytes.len()
        );
        assert_eq!(
            read(Drip(bytes, 7), &interface),
            (read_calls.clone(), undecodable.clone(), cut.clone())
        );
        assert_eq!(cut.map(|cut| cut.why).as_ref(), wants, "{}", bytes.len());
        assert!(undecodable.is_empty(), "{undecodable:?}");
        assert_eq!(read_calls, calls[..read_calls.len()]);
        read_calls.len()
    };
    let text = lines(&calls, &interface);
    for cut in 0..=text.len() {
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let whole = cut == 0 || ends.iter().any(|end| cut == *end || cut == end + 1);
        let read = check(
            &text.as_bytes()[..cut],
            Some(&Ending::Line).filter(|_| !whole),
        );
        assert_eq!(read, ends.iter().filter(|end| **end <= cut).count());
    }
    let bytes = records(&calls, &interface);
    let body = bytes.len() - 12;
    let record = (body - 41) / 3;
    for cut in 1..bytes.len() {
        let why = match cut {
            ..41 => Ending::Header,
            _ if cut <= body && (cut - 41) % record == 0 => Ending::NoTrailer,
            _ => Ending::Record,
        };
        let read = check(&bytes[..cut], Some(&why));
        assert_eq!(read, cut.saturating_sub(41).min(3 * record) / record);
    }
    assert_eq!(check(&bytes, None), 3);
    // The place is that of what isn't whole.
    let (_, _, cut) = read(&bytes[..41 + record + 9], &interface);
    let place = cut.unwrap().place;
    assert_eq!(
        (place.number, place.byte, place.form),
        (2, 41 + record as u64, Form::Binary)
    );
    // A trailer that doesn't fit.
    let mut wrong = bytes.clone();
    wrong[body + 4] = 2;
    check(&wrong, Some(&Ending::Count { says: 2, has: 3 }));
    check(&[&bytes[..], &[0]].concat(), Some(&Ending::Behind));
    check(&[&bytes[..], &bytes].concat(), Some(&Ending::Behind));
    let other = [&bytes[..8], &[2], &bytes[9..]].concat();
    assert!(matches!(
        find_cut(&mut Cursor::new(&other)),
        Err(StreamError::Version { has: 2 })
    ));
}

#[test]
fn a_last_line_that_is_whole_but_no_call_is_no_cut() {
    let interface = interface();
    for (text, calls, undecodable, cut) in [
        ("{\"entry\": \"ping\"}", 1, 0, false),
        ("{\"entry\": \"ping\"}\n  \t ", 1, 0, false),
        ("{\"entry\": \"ping\"}\n{\"entry\": 3}", 1, 1, false),
        ("{\"entry\": \"ping\"}\n{\"entry\": \"pi", 1, 0, true),
        ("{\"entry\": \"ping\"}\n{\"entry\": \"pi\n", 1, 1, false),
        ("\n\n\n", 0, 0, false),
        ("", 0, 0, false),
        ("x", 0, 0, true),
    ] {
        let read = read(text.as_bytes(), &interface);
        assert_eq!(
            (read.0.len(), read.1.len(), read.2.is_some()),
            (calls, undecodable, cut),
            "{text}"
        );
        let found = find_cut(&mut Cursor::new(text)).unwrap();
        assert_eq!(found.is_some(), cut, "{text}");
    }
}

#[test]
fn too_long_lines_and_records_are_left_out() {
    let interface = interface();
    let calls = some(&interface, 2);
    let text = lines(&calls, &interface);
    let (first, second) = text.split_at(text.find('\n').unwrap() + 1);
    for length in [LONGEST, LONGEST + 1, 5 * LONGEST + 3] {
        let long = "x".repeat(length);
        let file = format!("{first}{long}\n{second}");
        for drip in [1 << 30, 60_000] {
            let (read, undecodable, cut) = read(Drip(file.as_bytes(), drip), &interface);
            assert_eq!((read, cut), (calls.clone(), None));
            assert_eq!(undecodable[0].place.number, 2);
            assert_eq!(undecodable[0].place.byte, first.len() as u64);
            let bytes = length as u64 + 1;
            assert_eq!(undecodable[0].why, Why::TooLong(bytes));
        }
        let (read, undecodable, cut) = read(format!("{first}{long}").as_bytes(), &interface);
        assert_eq!((read.len(), undecodable.len()), (1, 0));
        assert_eq!(cut.unwrap().place.byte, first.len() as u64);
    }
    let bytes = records(&calls, &interface);
    let middle = (bytes.len() - 12 - 41) / 2 + 41;
    let long = (LONGEST as u32 + 9).to_le_bytes();
    let body = vec![7; LONGEST + 9];
    let mut file = [&bytes[..middle], &long, &body, &bytes[middle..]].concat();
    let end = file.len();
    file[end - 8] = 3;
    for drip in [1 << 30, 60_000] {
        let (read, undecodable, cut) = read(Drip(&file, drip), &interface);
        assert_eq!((read, cut), (calls.clone(), None));
        assert_eq!(undecodable[0].why, Why::TooLong(LONGEST as u64 + 9));
        assert_eq!(undecodable[0].place.number, 2);
    }
    let (_, undecodable, cut) = read(&file[..middle + 100], &interface);
    assert_eq!((undecodable.len(), cut.unwrap().place.number), (1, 2));
}

/// Much more than may be held. What is kept is small, so this ends soon and takes little.
#[test]
fn garbage_of_many_megabytes() {
    let interface = interface();
    let most = NonZeroUsize::new(1_000).unwrap();
    let garbage = |pattern: u8| io::repeat(pattern).take(300 << 20);
    let mut stream = CallStream::new(garbage(b'x'), &interface, most).unwrap();
    let chunk = stream.chunk().unwrap().unwrap();
    assert!(chunk.calls.is_empty() && chunk.cut.is_some());
    assert_eq!(stream.bytes_read(), 300 << 20);
    // A header, then lengths that are all too large.
    let header = records(&[], &interface)[..41].to_vec();
    let from = Cursor::new(header).chain(garbage(0xff));
    let mut stream = CallStream::new(from, &interface, most).unwrap();
    let mut undecodable = 0;
    while let Some(chunk) = stream.chunk().unwrap() {
        assert!(chunk.calls.is_empty());
        undecodable += chunk.undecodable.len();
    }
    assert_eq!(undecodable, 1, "one record of 4 GiB");
}

/// A read that fails is an error, not an end.
#[test]
fn a_read_that_fails() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let interface = interface();
    let most = NonZeroUsize::MIN;
    let text = lines(&some(&interface, 2), &interface);
    for bytes in [text.into_bytes(), records(&some(&interface, 2), &interface)] {
        let mut stream = CallStream::new(bytes.chain(Broken), &interface, most).unwrap();
        let mut calls = 0;
        let error = loop {
            match stream.chunk() {
                Ok(Some(chunk)) => calls += chunk.calls.len(),
                Ok(None) => panic!("it ended"),
                Err(error) => break error,
            }
        };
        assert_eq!(calls, 2);
        assert!(error.to_string().contains("the disk is gone"));
    }
}
