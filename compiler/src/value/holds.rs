//! Whether words are a value of a type, in the one form that each value has.

use super::ValueType;

impl ValueType {
    /// Whether these words are a value of this type: whether what [`decode`](super::decode) shows
    /// for them is read by [`encode`](super::encode) as the same words.
    pub fn holds(&self, words: &[u32]) -> bool {
        if words.len() != self.words() {
            return false;
        }
        let first = words.first().copied().unwrap_or(0);
        let rest = words.get(1..).unwrap_or(&[]);
        match self {
            Self::U32 | Self::U64 | Self::U128 | Self::Sats | Self::Height => true,
            Self::Hash | Self::Pubkey | Self::Signature => true,
            Self::Bool => first < 2,
            Self::U8 => first < 1 << 8,
            Self::U16 => first < 1 << 16,
            Self::Enum(variants) => (first as usize) < variants.len(),
            // The last word of bytes holds what is left of them at its low end.
            Self::Bytes(n) => match (n % 4, words.last()) {
                (0, _) | (_, None) => true,
                (left, Some(last)) => last >> (8 * left) == 0,
            },
            Self::Option(inner) => match first {
                0 => is_zero(rest),
                1 => inner.holds(rest) && !inner.is_blank(rest),
                _ => false,
            },
            Self::Array(element, n) => {
                let size = element.words();
                size == 0 || *n == 0 || words.chunks(size).all(|part| element.holds(part))
            }
            Self::Struct(fields) => all_hold(fields.iter().map(|(_, ty)| ty), words),
            Self::Tuple(types) => all_hold(types.iter(), words),
            Self::Data(variants) => match variants.get(first as usize) {
                None => false,
                Some((_, None)) => is_zero(rest),
                Some((_, Some(data))) => {
                    let (own, unused) = rest.split_at_checked(data.words()).unwrap_or_default();
                    data.holds(own) && is_zero(unused)
                }
            },
        }
    }

    /// Whether words of this type are a blank option: inside another option it couldn't be told
    /// from that one's blank.
    fn is_blank(&self, words: &[u32]) -> bool {
        matches!(self, Self::Option(_)) && words.first() == Some(&0)
    }
}

fn is_zero(words: &[u32]) -> bool {
    words.iter().all(|word| *word == 0)
}

fn all_hold<'a>(types: impl Iterator<Item = &'a ValueType>, words: &[u32]) -> bool {
    let mut rest = words;
    let mut types = types;
    types.all(|ty| {
        let (own, after) = rest.split_at_checked(ty.words()).unwrap_or_default();
        rest = after;
        ty.holds(own)
    })
}
