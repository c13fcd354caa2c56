//! Scripts as text, the way Bitcoin Core's vectors write them: numbers, opcodes' names, `'text'`
//! as a push, and `0x…` as bytes of the script itself.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use bitcoin::hex::FromHex;
use bitcoin::opcodes::Opcode;
use gavel_compiler::script::code::{number, push_bytes};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Opcodes by the name without `OP_`.
static OPCODES: LazyLock<HashMap<String, u8>> = LazyLock::new(|| {
    let name = |byte: u8| Opcode::from(byte).to_string().replacen("OP_", "", 1);
    (0x4f..=0xff).map(|byte| (name(byte), byte)).collect()
});

/// The bytes of a script.
pub fn assemble(text: &str) -> Vec<u8> {
    let mut script = Vec::new();
    for token in text.split_ascii_whitespace() {
        if let Ok(n) = token.parse::<i64>() {
            push_bytes(&number(n), &mut script);
        } else if let Some(hex) = token.strip_prefix("0x") {
            script.extend(Vec::<u8>::from_hex(hex).unwrap());
        } else if let Some(text) = token.strip_prefix('\'') {
            push_plainly(text.strip_suffix('\'').unwrap().as_bytes(), &mut script);
        } else {
            let name = token.strip_prefix("OP_").unwrap_or(token);
            let byte = OPCODES.get(name);
            script.push(*byte.unwrap_or_else(|| panic!("{token}: unknown")));
        }
    }
    script
}

/// A push by length, even where a number would be shorter.
fn push_plainly(data: &[u8], script: &mut Vec<u8>) {
    match data {
        [byte] => script.extend([1, *byte]),
        _ => push_bytes(data, script),
    }
}
