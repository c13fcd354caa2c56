//! Opcodes: their bytes, names and stack effects.

macro_rules! codes {
    ($($name:ident = $byte:literal, $text:literal, $pops:literal, $pushes:literal;)*) => {
        /// An opcode other than a push, with its byte in a script.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(missing_docs)] // each is documented by BIP 342 and its name
        pub enum Code {
            $($name = $byte),*
        }

        impl Code {
            /// The opcode of a byte, if it is one that we know.
            pub fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The opcode of a name, written as [`Self::name`] writes it.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// As printed by asm, without `OP_`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text),*
                }
            }

            /// Items of the main stack that it takes and that it leaves. Items which must be
            /// there but stay count as both. `TOALTSTACK` and its like move one; `IF` takes
            /// one; what a branch does is not counted.
            pub fn effect(self) -> (u8, u8) {
                match self {
                    $(Self::$name => ($pops, $pushes)),*
                }
            }
        }
    };
}

codes! {
    Nop = 0x61, "NOP", 0, 0;
    If = 0x63, "IF", 1, 0;
    NotIf = 0x64, "NOTIF", 1, 0;
    Else = 0x67, "ELSE", 0, 0;
    EndIf = 0x68, "ENDIF", 0, 0;
    Verify = 0x69, "VERIFY", 1, 0;
    Return = 0x6a, "RETURN", 0, 0;
    ToAlt = 0x6b, "TOALTSTACK", 1, 0;
    FromAlt = 0x6c, "FROMALTSTACK", 0, 1;
    Drop2 = 0x6d, "2DROP", 2, 0;
    Dup2 = 0x6e, "2DUP", 2, 4;
    Dup3 = 0x6f, "3DUP", 3, 6;
    Over2 = 0x70, "2OVER", 4, 6;
    Rot2 = 0x71, "2ROT", 6, 6;
    Swap2 = 0x72, "2SWAP", 4, 4;
    Depth = 0x74, "DEPTH", 0, 1;
    Drop = 0x75, "DROP", 1, 0;
    Dup = 0x76, "DUP", 1, 2;
    Nip = 0x77, "NIP", 2, 1;
    Over = 0x78, "OVER", 2, 3;
    Pick = 0x79, "PICK", 1, 1;
    Roll = 0x7a, "ROLL", 1, 0;
    Rot = 0x7b, "ROT", 3, 3;
    Swap = 0x7c, "SWAP", 2, 2;
    Tuck = 0x7d, "TUCK", 2, 3;
    Size = 0x82, "SIZE", 1, 2;
    Equal = 0x87, "EQUAL", 2, 1;
    EqualVerify = 0x88, "EQUALVERIFY", 2, 0;
    Add1 = 0x8b, "1ADD", 1, 1;
    Sub1 = 0x8c, "1SUB", 1, 1;
    Negate = 0x8f, "NEGATE", 1, 1;
    Abs = 0x90, "ABS", 1, 1;
    Not = 0x91, "NOT", 1, 1;
    NotEqual0 = 0x92, "0NOTEQUAL", 1, 1;
    Add = 0x93, "ADD", 2, 1;
    Sub = 0x94, "SUB", 2, 1;
    BoolAnd = 0x9a, "BOOLAND", 2, 1;
    BoolOr = 0x9b, "BOOLOR", 2, 1;
    NumEqual = 0x9c, "NUMEQUAL", 2, 1;
    NumEqualVerify = 0x9d, "NUMEQUALVERIFY", 2, 0;
    NumNotEqual = 0x9e, "NUMNOTEQUAL", 2, 1;
    LessThan = 0x9f, "LESSTHAN", 2, 1;
    GreaterThan = 0xa0, "GREATERTHAN", 2, 1;
    LessThanOrEqual = 0xa1, "LESSTHANOREQUAL", 2, 1;
    GreaterThanOrEqual = 0xa2, "GREATERTHANOREQUAL", 2, 1;
    Min = 0xa3, "MIN", 2, 1;
    Max = 0xa4, "MAX", 2, 1;
    Within = 0xa5, "WITHIN", 3, 1;
    Ripemd160 = 0xa6, "RIPEMD160", 1, 1;
    Sha256 = 0xa8, "SHA256", 1, 1;
    Hash160 = 0xa9, "HASH160", 1, 1;
    Hash256 = 0xaa, "HASH256", 1, 1;
    CheckSig = 0xac, "CHECKSIG", 2, 1;
    CheckSigVerify = 0xad, "CHECKSIGVERIFY", 2, 0;
    CheckSequenceVerify = 0xb2, "CHECKSEQUENCEVERIFY", 1, 1;
    CheckSigAdd = 0xba, "CHECKSIGADD", 3, 1;
}

/// One instruction of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A push of data.
    Push(Vec<u8>),
    /// An opcode.
    Code(Code),
    /// A byte that is no opcode we know, or a push that runs past the end.
    Bad(u8),
}

/// The minimal encoding of a script number.
pub fn number(n: i64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = n.unsigned_abs();
    while rest > 0 {
        bytes.push((rest & 0xff) as u8);
        rest >>= 8;
    }
    match bytes.last_mut() {
        Some(top) if *top & 0x80 != 0 => bytes.push(if n < 0 { 0x80 } else { 0 }),
        Some(top) if n < 0 => *top |= 0x80,
        _ => {}
    }
    bytes
}

/// The value of a script number of at most 4 bytes, minimal or not.
pub fn parse_number(bytes: &[u8]) -> Option<i64> {
    if bytes.len() > 4 {
        return None;
    }
    let Some((top, low)) = bytes.split_last() else {
        return Some(0);
    };
    let high = i64::from(top & 0x7f) << (8 * low.len());
    let size = low
        .iter()
        .rev()
        .fold(0i64, |acc, byte| (acc << 8) | i64::from(*byte));
    let value = high | size;
    Some(if top & 0x80 != 0 { -value } else { value })
}

/// The minimal push of some data.
pub fn push_bytes(data: &[u8], out: &mut Vec<u8>) {
    match data {
        [] => out.push(0),
        [n @ 1..=16] => out.push(0x50 + n),
        [0x81] => out.push(0x4f),
        _ => {
            let len = data.len();
            match len {
                0..=75 => out.push(len as u8),
                76..=255 => out.extend([0x4c, len as u8]),
                _ => {
                    out.push(0x4d);
                    out.extend((len as u16).to_le_bytes());
                }
            }
            out.extend(data);
        }
    }
}

/// How many bytes the push of a number takes.
pub fn number_len(n: i64) -> usize {
    match n {
        -1..=16 => 1,
        _ => 1 + number(n).len(),
    }
}

/// Walks a script; gives each instruction with the offset where it starts.
pub fn items(script: &[u8]) -> impl Iterator<Item = (usize, Item)> + '_ {
    raw(script).map(|(at, byte, data)| {
        let item = match (byte, data) {
            (_, None) => Item::Bad(byte),
            (0..=0x4e, Some(data)) => Item::Push(data.to_vec()),
            (0x4f, _) => Item::Push(vec![0x81]),
            (0x51..=0x60, _) => Item::Push(vec![byte - 0x50]),
            _ => Code::from_byte(byte).map_or(Item::Bad(byte), Item::Code),
        };
        (at, item)
    })
}

/// Walks a script; gives the offset and the first byte of each instruction and the data that
/// follows, `None` for a push that runs past the end.
fn raw(script: &[u8]) -> impl Iterator<Item = (usize, u8, Option<&[u8]>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let byte = *script.get(at)?;
        let (width, len) = match byte {
            0..=75 => (0, usize::from(byte)),
            0x4c..=0x4e => {
                let width = 1 << (byte - 0x4c);
                let len = script.get(at + 1..at + 1 + width).map(|bytes| {
                    bytes
                        .iter()
                        .rev()
                        .fold(0, |acc, b| (acc << 8) | usize::from(*b))
                });
                (width, len.unwrap_or(usize::MAX))
            }
            _ => (0, 0),
        };
        let from = at + 1 + width;
        let data = from.checked_add(len).and_then(|end| script.get(from..end));
        at = from.saturating_add(len).min(script.len());
        Some((start, byte, data))
    })
}

/// Where a script has an opcode that makes it succeed whatever else it says (BIP 342's
/// `OP_SUCCESSx`), if every instruction before that one is whole.
pub fn succeeds_at(script: &[u8]) -> Option<usize> {
    let whole = raw(script).take_while(|(_, _, data)| data.is_some());
    let mut bytes = whole.map(|(at, byte, _)| (at, byte));
    let found = bytes.find(|(_, byte)| {
        matches!(
            byte,
            80 | 98 | 126..=129 | 131..=134 | 137..=138 | 141..=142 | 149..=153 | 187..=254
        )
    });
    found.map(|(at, _)| at)
}

/// A script as text: opcode names, numbers in decimal, longer data in hex.
pub fn asm(script: &[u8]) -> String {
    use bitcoin::hex::DisplayHex;
    let words: Vec<String> = items(script)
        .map(|(_, item)| match item {
            Item::Code(code) => code.name().to_owned(),
            Item::Bad(byte) => format!("[bad {byte:02x}]"),
            Item::Push(data) => match parse_number(&data) {
                Some(n) if number(n) == data => n.to_string(),
                _ => format!("<{}>", data.to_lower_hex_string()),
            },
        })
        .collect();
    words.join(" ")
}
