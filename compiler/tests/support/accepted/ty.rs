//! Types of generated programs.

/// A type, as the source names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
    Bool,
    U8,
    U32,
    U64,
    U128,
    Sats,
    Hash,
    /// Of ledgers only.
    Pubkey,
    Bytes(usize),
    Enum(usize),
    Array(Box<Ty>, usize),
    Option(Box<Ty>),
    Tuple(Vec<Ty>),
    Struct(usize),
}

/// The integers, narrow to wide.
pub const INTS: [Ty; 4] = [Ty::U8, Ty::U32, Ty::U64, Ty::U128];

impl Ty {
    pub fn is_int(&self) -> bool {
        INTS.contains(self)
    }

    /// Bits of an integer or amount.
    pub fn bits(&self) -> u32 {
        match self {
            Self::U8 => 8,
            Self::U32 => 32,
            Self::U128 => 128,
            _ => 64,
        }
    }
}

/// Everything that is declared and has a name.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Names and fields.
    pub structs: Vec<(String, Vec<(String, Ty)>)>,
    /// Names and variants.
    pub enums: Vec<(String, Vec<String>)>,
    pub errors: Vec<String>,
    pub fns: Vec<Function>,
}

#[derive(Clone, Debug)]
pub struct Function {
    pub name: String,
    pub arguments: Vec<Ty>,
    pub returns: Ty,
    /// What a call costs, roughly in instructions.
    pub cost: u64,
    /// How deep the calls within it go.
    pub depth: usize,
}

impl Declared {
    /// The type as it is written.
    pub fn show(&self, ty: &Ty) -> String {
        match ty {
            Ty::Bool => "bool".into(),
            Ty::U8 => "u8".into(),
            Ty::U32 => "u32".into(),
            Ty::U64 => "u64".into(),
            Ty::U128 => "u128".into(),
            Ty::Sats => "sats".into(),
            Ty::Hash => "hash".into(),
            Ty::Pubkey => "pubkey".into(),
            Ty::Bytes(n) => format!("bytes<{n}>"),
            Ty::Enum(n) => self.enums[*n].0.clone(),
            Ty::Array(element, n) => format!("[{}; {n}]", self.show(element)),
            Ty::Option(inner) => format!("Option<{}>", self.show(inner)),
            Ty::Tuple(all) => {
                let all: Vec<String> = all.iter().map(|ty| self.show(ty)).collect();
                format!("({})", all.join(", "))
            }
            Ty::Struct(n) => self.structs[*n].0.clone(),
        }
    }

    /// Words of a value: what copying one costs.
    pub fn words(&self, ty: &Ty) -> u64 {
        match ty {
            Ty::Bool | Ty::U8 | Ty::U32 | Ty::Enum(_) => 1,
            Ty::U64 | Ty::Sats => 2,
            Ty::U128 => 4,
            Ty::Hash | Ty::Pubkey => 8,
            Ty::Bytes(n) => n.div_ceil(4) as u64,
            Ty::Array(element, n) => self.words(element) * *n as u64,
            Ty::Option(inner) => 1 + self.words(inner),
            Ty::Tuple(all) => all.iter().map(|ty| self.words(ty)).sum(),
            Ty::Struct(n) => self.structs[*n]
                .1
                .iter()
                .map(|(_, ty)| self.words(ty))
                .sum(),
        }
    }
}
