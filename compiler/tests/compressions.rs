//! The compression functions' bodies against the crates `sha2` and `blake3`: official vectors,
//! block by block, and random blocks with any chaining value, counter, length and flags.
//!
//! A body checks a result rather than computing one: it has to accept the crate's, and to accuse
//! whoever writes a digit of it wrong.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "support/accepted/dice.rs"]
mod dice;
mod support;

use bitcoin::hex::DisplayHex;
use blake3::platform::Platform;
use dice::Dice;
use gavel_compiler::commit::words_to_digits;
use gavel_compiler::script::body::Job;
use gavel_compiler::segment::CommittedWord;
use gavel_compiler::word::interp::{IV, blake3_compress};
use gavel_compiler::word::{Author, Builder, InputElement, Op, Value};
use rayon::prelude::*;
use sha2::block_api::compress256;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use support::bodies::Alone;

/// A chaining value and a block.
type Input = ([u32; 8], [u32; 16]);

/// The body of one compression: 24 words are read, the result's 8 are checked.
fn body(function: impl Fn([Value; 8], [Value; 16]) -> Op) -> Alone {
    let mut builder = Builder::new();
    let inputs = builder.input(InputElement {
        name: "all".to_owned(),
        words: vec![8; 24],
        author: Author::Anyone,
        optional: false,
    });
    let state = std::array::from_fn(|n| inputs[n]);
    let block = std::array::from_fn(|n| inputs[8 + n]);
    let result = builder.compress(function(state, block));
    let program = builder.finish(result[0], vec!["any".into()]);
    let word = |value: &Value| CommittedWord {
        value: *value,
        digits: 8,
    };
    let reads: Vec<CommittedWord> = inputs.iter().map(word).collect();
    let writes: Vec<CommittedWord> = result.iter().map(word).collect();
    Alone::of_job(&Job {
        program: &program,
        bits: &program.bits(),
        insts: 0..program.insts.len(),
        reads: &reads,
        writes: &writes,
        claimed: None,
    })
}

fn sha256_body() -> Alone {
    body(|state, block| Op::Sha256 { state, block })
}

/// What follows the block in BLAKE3: the counter's words, the block's length and the flags.
type Tail = [u32; 4];

fn blake3_body([low, high, block_len, flags]: Tail) -> Alone {
    body(|cv, block| Op::Blake3 {
        cv,
        block,
        counter: [low, high],
        block_len,
        flags,
    })
}

/// A result is right, and with one digit changed it isn't.
fn check(body: &mut Alone, (state, block): &Input, result: &[u32; 8], change: Option<usize>) {
    let read = words_to_digits(&[&state[..], block].concat(), &[8; 24]);
    let mut written = words_to_digits(result, &[8; 8]);
    assert!(!body.accuses(&read, &written), "{state:x?} {block:x?}");
    if let Some(change) = change {
        written[change % 64] ^= 1 + (change / 64 % 15) as u8;
        assert!(body.accuses(&read, &written), "{change}");
    }
}

fn sha256_compress((state, block): &Input) -> [u32; 8] {
    let mut state = *state;
    let bytes: Vec<u8> = block.iter().flat_map(|word| word.to_be_bytes()).collect();
    compress256(&mut state, &[bytes.try_into().unwrap()]);
    state
}

fn blake3_in_place((cv, block): &Input, [low, high, block_len, flags]: Tail) -> [u32; 8] {
    let mut cv = *cv;
    let bytes: Vec<u8> = block.iter().flat_map(|word| word.to_le_bytes()).collect();
    let counter = u64::from(high) << 32 | u64::from(low);
    let bytes = bytes.try_into().unwrap();
    Platform::detect().compress_in_place(&mut cv, &bytes, block_len as u8, counter, flags as u8);
    cv
}

/// Random words, and words all of whose bits are equal or of which one differs.
fn some_input(dice: &mut Dice) -> Input {
    let kind = dice.below(8);
    let one = dice.below(24 * 32);
    let mut n = 0;
    let mut word = || {
        let bit = if n == one / 32 { 1 << (one % 32) } else { 0 };
        n += 1;
        match kind {
            0 => bit,
            1 => !bit,
            2 => [0, u32::MAX, 0x8000_0000, 0x7fff_ffff][dice.below(4)],
            _ => dice.word() as u32,
        }
    };
    (
        std::array::from_fn(|_| word()),
        std::array::from_fn(|_| word()),
    )
}

/// Checks random inputs in parallel, a changed digit in each eighth.
fn check_random(body: &Alone, cases: u64, seed: u64, compress: impl Fn(&Input) -> [u32; 8] + Sync) {
    (0..cases).into_par_iter().for_each_init(
        || body.clone(),
        |body, n| {
            let input = some_input(&mut Dice::seeded(seed << 32 | n));
            let change = n.is_multiple_of(8).then_some((n / 8 * 7 + seed) as usize);
            check(body, &input, &compress(&input), change);
        },
    );
}

#[test]
fn sha256_of_random_blocks() {
    let mut body = sha256_body();
    check_random(&body, 1_500, 1, sha256_compress);
    let input = some_input(&mut Dice::seeded(0));
    check(&mut body, &input, &sha256_compress(&input), Some(3));
    println!("SHA-256: 1500 random blocks, {} bytes", body.script().len());
    assert_eq!(body.seen, body.proven);
}

#[test]
fn blake3_of_random_blocks() {
    let mut dice = Dice::seeded(9);
    let mut tails: Vec<Tail> = vec![
        [0, 0, 64, 0],
        [0, 0, 64, 11],
        [0, 0, 0, 11],
        [u32::MAX, u32::MAX, 255, 255],
    ];
    tails.extend((0..20).map(|_| {
        let word = dice.word();
        let [len, flags] = [dice.below(65), dice.below(128)];
        [word as u32, (word >> 32) as u32, len as u32, flags as u32]
    }));
    let seeds: Vec<(u64, Tail)> = (0..).zip(tails).collect();
    seeds.par_iter().for_each(|(seed, tail)| {
        let body = blake3_body(*tail);
        check_random(&body, 100, seed + 2, |input| {
            let result = blake3_in_place(input, *tail);
            assert_eq!(result, blake3_compress(input.0, input.1, *tail));
            result
        });
    });
    println!("BLAKE3: {} random blocks", 100 * seeds.len());
}

/// The blocks of a message, padded as FIPS 180-4 says.
fn sha256_blocks(message: &[u8]) -> Vec<[u32; 16]> {
    let mut padded = message.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend((8 * message.len() as u64).to_be_bytes());
    let word = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().unwrap());
    let blocks = padded.chunks(64);
    blocks
        .map(|block| std::array::from_fn(|n| word(&block[4 * n..4 * n + 4])))
        .collect()
}

/// FIPS 180-2's examples and the empty message, each block checked by the body; of the million
/// letters each two hundredth.
#[test]
fn sha256_of_official_messages() {
    let million = "a".repeat(1_000_000);
    let vectors = [
        (
            "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            "abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq\
             klmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
        ),
        (
            &million,
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
        ),
    ];
    let mut body = sha256_body();
    let mut checked = 0;
    for (message, digest) in vectors {
        assert_eq!(Sha256::digest(message).to_lower_hex_string(), digest);
        let mut state = IV;
        for (n, block) in sha256_blocks(message.as_bytes()).into_iter().enumerate() {
            let input = (state, block);
            state = sha256_compress(&input);
            if n < 4 || n % 200 == 25 {
                check(&mut body, &input, &state, Some(n));
                checked += 1;
            }
        }
        let bytes: Vec<u8> = state.iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(bytes.to_lower_hex_string(), digest);
    }
    println!("SHA-256: {checked} blocks of official messages");
    assert!(checked > 80);
}

const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const PARENT: u32 = 4;
const ROOT: u32 = 8;
const KEYED_HASH: u32 = 16;

/// BLAKE3 as its paper has it, every compression noted.
struct Hasher {
    key: [u32; 8],
    flags: u32,
    done: Vec<(Tail, Input, [u32; 8])>,
}

impl Hasher {
    fn compress(&mut self, cv: [u32; 8], block: [u32; 16], tail: Tail) -> [u32; 8] {
        let result = blake3_in_place(&(cv, block), tail);
        self.done.push((tail, (cv, block), result));
        result
    }

    fn chunk(&mut self, bytes: &[u8], counter: u32, root: u32) -> [u32; 8] {
        let mut blocks: Vec<&[u8]> = bytes.chunks(64).collect();
        if blocks.is_empty() {
            blocks.push(&[]);
        }
        let last = blocks.len() - 1;
        let mut cv = self.key;
        for (n, bytes) in blocks.into_iter().enumerate() {
            let mut flags = self.flags;
            flags |= if n == 0 { CHUNK_START } else { 0 };
            flags |= if n == last { CHUNK_END | root } else { 0 };
            let mut padded = bytes.to_vec();
            padded.resize(64, 0);
            let block = std::array::from_fn(|n| {
                u32::from_le_bytes(padded[4 * n..4 * n + 4].try_into().unwrap())
            });
            cv = self.compress(cv, block, [counter, 0, bytes.len() as u32, flags]);
        }
        cv
    }

    fn tree(&mut self, bytes: &[u8], counter: u32, root: u32) -> [u32; 8] {
        if bytes.len() <= 1024 {
            return self.chunk(bytes, counter, root);
        }
        let chunks = bytes.len().div_ceil(1024);
        let left = (chunks.next_power_of_two() / 2) * 1024;
        let one = self.tree(&bytes[..left], counter, 0);
        let two = self.tree(&bytes[left..], counter + (left / 1024) as u32, 0);
        let block = std::array::from_fn(|n| if n < 8 { one[n] } else { two[n - 8] });
        self.compress(self.key, block, [0, 0, 64, PARENT | self.flags | root])
    }
}

fn hash(key: [u32; 8], flags: u32, bytes: &[u8]) -> (Vec<u8>, Hasher) {
    let mut hasher = Hasher {
        key,
        flags,
        done: Vec::new(),
    };
    let words = hasher.tree(bytes, 0, ROOT);
    (
        words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        hasher,
    )
}

/// The inputs of BLAKE3's `test_vectors.json`: bytes that count to 250 again and again, hashed
/// and hashed with a key; every compression on the way is checked by its body.
#[test]
fn blake3_of_official_inputs() {
    let known = [
        (
            0,
            "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        ),
        (
            1,
            "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
        ),
        (
            1024,
            "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
        ),
    ];
    let lengths = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025, 2048, 2049, 3072,
        3073, 4096, 4097,
    ];
    let key = b"whats the Elvish word for friend";
    let word = |n: usize| u32::from_le_bytes(key[4 * n..4 * n + 4].try_into().unwrap());
    let mut by_tail: BTreeMap<Tail, Vec<(Input, [u32; 8])>> = BTreeMap::new();
    for length in lengths {
        let bytes: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        let (digest, plain) = hash(IV, 0, &bytes);
        assert_eq!(digest, blake3::hash(&bytes).as_bytes());
        if let Some((_, known)) = known.iter().find(|(known, _)| *known == length) {
            assert_eq!(digest.to_lower_hex_string(), *known);
        }
        let (digest, keyed) = hash(std::array::from_fn(word), KEYED_HASH, &bytes);
        assert_eq!(digest, blake3::keyed_hash(key, &bytes).as_bytes());
        // Those with a key differ in their flags only: a few lengths will do.
        let keyed = if length < 130 { keyed.done } else { vec![] };
        for (tail, input, result) in plain.done.into_iter().chain(keyed) {
            by_tail.entry(tail).or_default().push((input, result));
        }
    }
    for done in by_tail.values_mut() {
        done.sort_unstable();
        done.dedup();
    }
    let checked: usize = by_tail
        .par_iter()
        .map(|(tail, done)| {
            let mut body = blake3_body(*tail);
            for (n, (input, result)) in done.iter().enumerate() {
                check(&mut body, input, result, Some(7 * n));
            }
            done.len()
        })
        .sum();
    println!(
        "BLAKE3: {checked} blocks of official inputs, {} bodies",
        by_tail.len()
    );
    assert!(checked > 100 && by_tail.len() > 40);
}
