//! Types, and how their values are laid out in words.

use super::typed::EnumDef;
use std::fmt;
use std::sync::Arc;

/// The most words that a value may have.
pub const MAX_WORDS: u64 = 4_096;

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ty {
    /// Stands for anything: its mistake has been reported.
    Error,
    /// Of what never ends normally: `return`, `break`.
    Never,
    /// Of what has no value.
    Unit,
    /// `bool`
    Bool,
    /// `u8`
    U8,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `u128`
    U128,
    /// `sats`: an amount of bitcoin, laid out like a `u64`.
    Sats,
    /// `hash`: 32 bytes.
    Hash,
    /// `bytes<N>`
    Bytes(u32),
    /// An enum, by its index.
    Enum(usize),
    /// `[T; N]`
    Array(Box<Ty>, u32),
    /// `Option<T>`
    Option(Box<Ty>),
    /// `(T, U)`: one after the other.
    Tuple(Vec<Ty>),
    /// A struct: its fields one after the other.
    Struct(Arc<StructTy>),
}

/// What a struct is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StructTy {
    /// Its name.
    pub name: String,
    /// Names and types of its fields, in order of declaration.
    pub fields: Vec<(String, Ty)>,
    /// Words of a value; at least one, so that structs within structs soon have too many.
    pub words: usize,
    /// How deep structs are nested in it, itself included.
    pub depth: usize,
}

impl StructTy {
    /// A struct of these fields.
    pub fn new(name: String, fields: Vec<(String, Ty)>) -> Self {
        let words = fields.iter().map(|(_, ty)| ty.words());
        let words = words.fold(0, usize::saturating_add).max(1);
        let depth = fields.iter().map(|(_, ty)| ty.struct_depth()).max();
        Self {
            name,
            words,
            depth: depth.unwrap_or(0) + 1,
            fields,
        }
    }
}

impl Ty {
    /// Words of a value.
    pub fn words(&self) -> usize {
        match self {
            Self::Error | Self::Never | Self::Unit => 0,
            Self::Bool | Self::U8 | Self::U32 | Self::Enum(_) => 1,
            Self::U64 | Self::Sats => 2,
            Self::U128 => 4,
            Self::Hash => 8,
            Self::Bytes(n) => n.div_ceil(4) as usize,
            Self::Array(element, n) => element.words().saturating_mul(*n as usize),
            Self::Option(inner) => inner.words().saturating_add(1),
            Self::Tuple(all) => all.iter().map(Self::words).fold(0, usize::saturating_add),
            Self::Struct(of) => of.words,
        }
    }

    /// How deep structs are nested in it.
    pub fn struct_depth(&self) -> usize {
        match self {
            Self::Struct(of) => of.depth,
            Self::Array(inner, _) | Self::Option(inner) => inner.struct_depth(),
            Self::Tuple(all) => all.iter().map(Self::struct_depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// Digits of 4 bits of each word of a value.
    pub fn digits(&self, enums: &[EnumDef]) -> Vec<u8> {
        match self {
            Self::Error | Self::Never | Self::Unit => vec![],
            Self::Bool => vec![1],
            Self::U8 => vec![2],
            Self::U32 => vec![8],
            Self::U64 | Self::Sats => vec![8; 2],
            Self::U128 => vec![8; 4],
            Self::Hash => vec![8; 8],
            Self::Enum(n) => {
                let variants = enums.get(*n).map_or(1, |e| e.variants.len());
                vec![if variants <= 16 { 1 } else { 2 }]
            }
            Self::Bytes(n) => {
                let mut digits = vec![8; (n / 4) as usize];
                digits.extend((n % 4 != 0).then_some((n % 4 * 2) as u8));
                digits
            }
            Self::Array(element, n) => element.digits(enums).repeat(*n as usize),
            Self::Option(inner) => {
                let mut digits = vec![1];
                digits.extend(inner.digits(enums));
                digits
            }
            Self::Tuple(_) | Self::Struct(_) => {
                let parts = self.parts().into_iter();
                parts.flat_map(|(_, ty)| ty.digits(enums)).collect()
            }
        }
    }

    /// The parts of a struct or a tuple: names (of a tuple's, positions) and types.
    pub fn parts(&self) -> Vec<(String, &Ty)> {
        match self {
            Self::Tuple(all) => {
                let all = all.iter().enumerate();
                all.map(|(n, ty)| (n.to_string(), ty)).collect()
            }
            Self::Struct(of) => {
                let fields = of.fields.iter();
                fields.map(|(name, ty)| (name.clone(), ty)).collect()
            }
            _ => vec![],
        }
    }

    /// A part by name: at which word it begins, and its type.
    pub fn part(&self, name: &str) -> Option<(usize, &Ty)> {
        let mut at = 0;
        for (known, ty) in self.parts() {
            if known == name {
                return Some((at, ty));
            }
            at += ty.words();
        }
        None
    }

    /// Whether it is `u8`, `u32`, `u64` or `u128`.
    pub fn is_int(&self) -> bool {
        matches!(self, Self::U8 | Self::U32 | Self::U64 | Self::U128)
    }

    /// Bits of an integer or amount.
    pub fn int_bits(&self) -> Option<u32> {
        match self {
            Self::U8 => Some(8),
            Self::U32 => Some(32),
            Self::U64 | Self::Sats => Some(64),
            Self::U128 => Some(128),
            _ => None,
        }
    }

    /// Whether a value of it is wanted nowhere in particular: mistakes and jumps.
    pub fn is_bottom(&self) -> bool {
        matches!(self, Self::Error | Self::Never)
    }

    /// How many bytes a value is as text for a hash function; `None` if it isn't text.
    /// Integers count as big-endian.
    pub fn byte_len(&self) -> Option<u32> {
        match self {
            Self::U8 => Some(1),
            Self::U32 => Some(4),
            Self::U64 => Some(8),
            Self::U128 => Some(16),
            Self::Hash => Some(32),
            Self::Bytes(n) => Some(*n),
            Self::Array(element, n) => element.byte_len()?.checked_mul(*n),
            _ => None,
        }
    }

    /// The type as a user writes it.
    pub fn show<'a>(&'a self, enums: &'a [EnumDef]) -> impl fmt::Display + 'a {
        Shown { ty: self, enums }
    }
}

struct Shown<'a> {
    ty: &'a Ty,
    enums: &'a [EnumDef],
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ty, enums } = self;
        match ty {
            Ty::Error => f.write_str("?"),
            Ty::Never => f.write_str("a jump"),
            Ty::Unit => f.write_str("no value"),
            Ty::Bool => f.write_str("bool"),
            Ty::U8 => f.write_str("u8"),
            Ty::U32 => f.write_str("u32"),
            Ty::U64 => f.write_str("u64"),
            Ty::U128 => f.write_str("u128"),
            Ty::Sats => f.write_str("sats"),
            Ty::Hash => f.write_str("hash"),
            Ty::Bytes(n) => write!(f, "bytes<{n}>"),
            Ty::Enum(n) => f.write_str(enums.get(*n).map_or("?", |e| e.name.as_str())),
            Ty::Array(element, n) => write!(f, "[{}; {n}]", element.show(enums)),
            Ty::Option(inner) => write!(f, "Option<{}>", inner.show(enums)),
            Ty::Struct(of) => f.write_str(&of.name),
            Ty::Tuple(all) => {
                f.write_str("(")?;
                for (n, ty) in all.iter().enumerate() {
                    let comma = if n > 0 { ", " } else { "" };
                    write!(f, "{comma}{}", ty.show(enums))?;
                }
                f.write_str(")")
            }
        }
    }
}
