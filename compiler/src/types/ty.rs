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
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `u128`
    U128,
    /// `sats`: an amount of bitcoin, laid out like a `u64`.
    Sats,
    /// `height`: the height of a block, laid out like a `u32`.
    Height,
    /// `hash`: 32 bytes.
    Hash,
    /// `pubkey`: a key of BIP 340, 32 bytes laid out like a hash.
    Pubkey,
    /// `signature`: one of BIP 340, 64 bytes.
    Signature,
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
    /// An enum with data: the variant's number, its data, and zeros up to the words of the
    /// largest variant.
    Data(Arc<DataTy>),
    /// `vault<A>`: how much of the asset it holds, laid out like a `u64`. Linear.
    Vault(Arc<AssetTy>),
    /// `map<K, V>`: a part of the state, never a value.
    Map(Box<Ty>, Box<Ty>),
}

/// Which asset a vault holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetTy {
    /// Its name.
    pub name: String,
    /// Its index.
    pub index: usize,
}

/// What a struct is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StructTy {
    /// Tells it from others with the same name and fields: libraries may have such.
    pub id: usize,
    /// Its name.
    pub name: String,
    /// Names and types of its fields, in order of declaration.
    pub fields: Vec<(String, Ty)>,
    /// Words of a value; at least one, so that structs within structs soon have too many.
    words: usize,
    spread: usize,
    depth: usize,
}

impl StructTy {
    /// A struct of these fields.
    pub fn new(id: usize, name: String, fields: Vec<(String, Ty)>) -> Self {
        let types = || fields.iter().map(|(_, ty)| ty);
        let words = types().map(Ty::words).fold(0, usize::saturating_add);
        let spread = types().map(Ty::spread).fold(0, usize::saturating_add);
        let depth = types().map(Ty::depth).max();
        Self {
            id,
            name,
            words: words.max(1),
            spread: spread.max(1),
            depth: depth.unwrap_or(0) + 1,
            fields,
        }
    }
}

/// The variants of an enum with data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataTy {
    /// The enum's name.
    pub name: String,
    /// Names of the variants, and what each holds: nothing (`Unit`), a struct of its name, or a
    /// tuple.
    pub variants: Vec<(String, Ty)>,
    words: usize,
    spread: usize,
    depth: usize,
}

impl DataTy {
    /// An enum with these variants.
    pub fn new(name: String, variants: Vec<(String, Ty)>) -> Self {
        let data = || variants.iter().map(|(_, ty)| ty);
        let most = data().map(Ty::words).max().unwrap_or(0);
        let all = data().fold(0, |sum: usize, ty| sum.saturating_add(ty.spread()));
        let depth = data().map(Ty::depth).max();
        Self {
            depth: depth.unwrap_or(0) + 1,
            words: most.saturating_add(1),
            spread: all.saturating_add(1),
            name,
            variants,
        }
    }
}

impl Ty {
    /// Words of a value.
    pub fn words(&self) -> usize {
        match self {
            Self::Error | Self::Never | Self::Unit | Self::Map(..) => 0,
            Self::Bool | Self::U8 | Self::U16 | Self::U32 | Self::Height | Self::Enum(_) => 1,
            Self::U64 | Self::Sats | Self::Vault(_) => 2,
            Self::U128 => 4,
            Self::Hash | Self::Pubkey => 8,
            Self::Signature => 16,
            Self::Bytes(n) => n.div_ceil(4) as usize,
            Self::Array(element, n) => element.words().saturating_mul(*n as usize),
            Self::Option(inner) => inner.words().saturating_add(1),
            Self::Data(of) => of.words,
            Self::Tuple(all) => all.iter().map(Self::words).fold(0, usize::saturating_add),
            Self::Struct(of) => of.words,
        }
    }

    /// The same if each variant had words of its own: it bounds the work that a type makes.
    pub fn spread(&self) -> usize {
        match self {
            Self::Data(of) => of.spread,
            Self::Struct(of) => of.spread,
            Self::Array(element, n) => element.spread().saturating_mul(*n as usize),
            Self::Option(inner) => inner.spread().saturating_add(1),
            Self::Tuple(_) => {
                let parts = self.parts().into_iter();
                parts.fold(0, |sum: usize, (_, ty)| sum.saturating_add(ty.spread()))
            }
            _ => self.words(),
        }
    }

    /// How deep declared types are nested in it.
    pub fn depth(&self) -> usize {
        let deepest = |types: &mut dyn Iterator<Item = &Ty>| types.map(Ty::depth).max();
        match self {
            Self::Array(inner, _) | Self::Option(inner) => inner.depth() + 1,
            Self::Data(of) => of.depth,
            Self::Struct(of) => of.depth,
            _ => deepest(&mut self.parts().into_iter().map(|(_, ty)| ty)).map_or(0, |n| n + 1),
        }
    }

    /// The variants of an enum or an option, and what each holds (`Unit` if nothing). None if it
    /// is neither.
    pub fn variants(&self, enums: &[EnumDef]) -> Vec<(String, Ty)> {
        match self {
            Self::Enum(e) => {
                let names = enums.get(*e).map_or(&[][..], |e| &e.variants);
                names.iter().map(|v| (v.clone(), Self::Unit)).collect()
            }
            Self::Data(of) => of.variants.clone(),
            Self::Option(inner) => vec![
                ("None".to_owned(), Self::Unit),
                ("Some".to_owned(), Self::Tuple(vec![(**inner).clone()])),
            ],
            _ => vec![],
        }
    }

    /// Digits of 4 bits of each word of a value.
    pub fn digits(&self, enums: &[EnumDef]) -> Vec<u8> {
        match self {
            Self::Error | Self::Never | Self::Unit | Self::Map(..) => vec![],
            Self::Bool => vec![1],
            Self::U8 => vec![2],
            Self::U16 => vec![4],
            Self::U32 | Self::Height => vec![8],
            Self::U64 | Self::Sats | Self::Vault(_) => vec![8; 2],
            Self::U128 => vec![8; 4],
            Self::Hash | Self::Pubkey => vec![8; 8],
            Self::Signature => vec![8; 16],
            Self::Enum(n) => {
                let variants = enums.get(*n).map_or(1, |e| e.variants.len());
                vec![tag_digits(variants)]
            }
            Self::Data(of) => {
                let mut digits = vec![1; of.words];
                for (_, data) in &of.variants {
                    let places = digits.iter_mut().skip(1);
                    for (most, own) in places.zip(data.digits(enums)) {
                        *most = own.max(*most);
                    }
                }
                if let Some(tag) = digits.first_mut() {
                    *tag = tag_digits(of.variants.len());
                }
                digits
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

    /// The parts that are cells of their own in the state, all structs and tuples taken apart:
    /// the word at which each begins, and its type.
    pub fn leaves(&self) -> Vec<(usize, &Self)> {
        let parts = self.parts();
        if parts.is_empty() {
            return vec![(0, self)];
        }
        let mut all = Vec::new();
        let mut at = 0;
        for (_, ty) in parts {
            all.extend(ty.leaves().into_iter().map(|(n, leaf)| (at + n, leaf)));
            at += ty.words();
        }
        all
    }

    /// The same leaves in the same order, each with the way to it: `.debt`, or nothing if it is
    /// the whole.
    pub fn leaf_names(&self) -> Vec<(String, &Self)> {
        let parts = self.parts();
        if parts.is_empty() {
            return vec![(String::new(), self)];
        }
        let mut all = Vec::new();
        for (name, part) in parts {
            let leaves = part.leaf_names().into_iter();
            all.extend(leaves.map(|(rest, leaf)| (format!(".{name}{rest}"), leaf)));
        }
        all
    }

    /// Whether such a type is it or within it.
    pub fn any(&self, such: &dyn Fn(&Self) -> bool) -> bool {
        such(self)
            || match self {
                Self::Option(inner) | Self::Array(inner, _) => inner.any(such),
                Self::Data(of) => of.variants.iter().any(|(_, data)| data.any(such)),
                Self::Map(key, value) => key.any(such) || value.any(such),
                _ => self.parts().into_iter().any(|(_, ty)| ty.any(such)),
            }
    }

    /// Whether a value of it can be neither copied nor dropped.
    pub fn is_linear(&self) -> bool {
        self.any(&|ty| matches!(ty, Self::Vault(_)))
    }

    /// Whether it is a map or has one in it.
    pub fn is_map(&self) -> bool {
        self.any(&|ty| matches!(ty, Self::Map(..)))
    }

    /// Whether it is `u8`, `u16`, `u32`, `u64` or `u128`.
    pub fn is_int(&self) -> bool {
        matches!(
            self,
            Self::U8 | Self::U16 | Self::U32 | Self::U64 | Self::U128
        )
    }

    /// Whether number literals can be of this type.
    pub fn is_written_as_number(&self) -> bool {
        self.is_int() || *self == Self::Height
    }

    /// Whether it counts something: an amount or a height.
    pub fn is_quantity(&self) -> bool {
        matches!(self, Self::Sats | Self::Height)
    }

    /// The name of what makes it out of bytes, and how many, if it is bytes that stand for
    /// something.
    pub fn named_bytes(&self) -> Option<(&'static str, u32)> {
        match self {
            Self::Hash => Some(("hash", 32)),
            Self::Pubkey => Some(("pubkey", 32)),
            Self::Signature => Some(("signature", 64)),
            _ => None,
        }
    }

    /// Bits of an integer, amount or height.
    pub fn int_bits(&self) -> Option<u32> {
        match self {
            Self::U8 => Some(8),
            Self::U16 => Some(16),
            Self::U32 | Self::Height => Some(32),
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
            Self::U16 => Some(2),
            Self::U32 => Some(4),
            Self::U64 => Some(8),
            Self::U128 => Some(16),
            Self::Hash | Self::Pubkey => Some(32),
            Self::Signature => Some(64),
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

/// Digits of 4 bits that number so many variants.
fn tag_digits(variants: usize) -> u8 {
    if variants <= 16 { 1 } else { 2 }
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
            Ty::U16 => f.write_str("u16"),
            Ty::U32 => f.write_str("u32"),
            Ty::U64 => f.write_str("u64"),
            Ty::U128 => f.write_str("u128"),
            Ty::Sats => f.write_str("sats"),
            Ty::Height => f.write_str("height"),
            Ty::Hash => f.write_str("hash"),
            Ty::Pubkey => f.write_str("pubkey"),
            Ty::Signature => f.write_str("signature"),
            Ty::Bytes(n) => write!(f, "bytes<{n}>"),
            Ty::Enum(n) => f.write_str(enums.get(*n).map_or("?", |e| e.name.as_str())),
            Ty::Array(element, n) => write!(f, "[{}; {n}]", element.show(enums)),
            Ty::Option(inner) => write!(f, "Option<{}>", inner.show(enums)),
            Ty::Struct(of) => f.write_str(&of.name),
            Ty::Data(of) => f.write_str(&of.name),
            Ty::Vault(asset) => write!(f, "vault<{}>", asset.name),
            Ty::Map(key, value) => {
                write!(f, "map<{}, {}>", key.show(enums), value.show(enums))
            }
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
