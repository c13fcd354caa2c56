//! The inputs of `settle`: their elements, and the checks that their words are of their type.

use super::super::ir::{InputElement, Op, Span, Value};
use super::{Lowerer, Words};
use crate::types::typed::{EnumDef, Input};
use crate::types::{DataTy, Ty};

impl Lowerer<'_> {
    /// Declares all inputs, then checks them all; gives their values.
    pub(super) fn inputs(&mut self, inputs: &[Input], enums: &[EnumDef]) -> Vec<Words> {
        let raw: Vec<Words> = inputs
            .iter()
            .map(|input| self.input(input, enums))
            .collect();
        inputs
            .iter()
            .zip(raw)
            .map(|(input, words)| self.checked(&input.ty, &words, enums, input.span))
            .collect()
    }

    fn input(&mut self, input: &Input, enums: &[EnumDef]) -> Words {
        self.b.at(input.span);
        let element = |name: String, ty: &Ty| InputElement {
            name,
            words: ty.digits(enums),
            author: input.author,
            optional: matches!(ty, Ty::Option(_)),
        };
        match &input.ty {
            Ty::Array(ty, n) => (0..*n)
                .flat_map(|i| self.b.input(element(format!("{}[{i}]", input.name), ty)))
                .collect(),
            ty => self.b.input(element(input.name.clone(), ty)),
        }
    }

    /// Aborts unless the words are of the type; gives the value in its one form.
    fn checked(&mut self, ty: &Ty, words: &[Value], enums: &[EnumDef], span: Span) -> Words {
        let first = words.first().copied().unwrap_or(self.zero);
        match ty {
            Ty::Bool => vec![self.checked_bool(first, span)],
            Ty::Enum(e) => {
                let variants = enums.get(*e).map_or(1, |e| e.variants.len());
                let last = self.constant((variants as u32).saturating_sub(1));
                let beyond = self.push(Op::Lt(last, first));
                self.ill_typed(beyond, span);
                vec![first]
            }
            Ty::Option(inner) => {
                let tag = self.checked_bool(first, span);
                let payload = words.get(1..).unwrap_or_default();
                let blank = vec![self.zero; payload.len()];
                let payload = self.select(tag, payload, &blank);
                let mut all = vec![tag];
                all.extend(self.checked(inner, &payload, enums, span));
                all
            }
            Ty::Array(element, _) => {
                let size = element.words().max(1);
                words
                    .chunks(size)
                    .flat_map(|chunk| self.checked(element, chunk, enums, span))
                    .collect()
            }
            Ty::Struct(_) | Ty::Tuple(_) => {
                let mut rest = words;
                let mut all = Vec::new();
                for (_, part) in ty.parts() {
                    let (own, after) = rest.split_at_checked(part.words()).unwrap_or_default();
                    all.extend(self.checked(part, own, enums, span));
                    rest = after;
                }
                all
            }
            Ty::Data(of) => self.checked_data(of, words, enums, span),
            ty => {
                let digits = ty.digits(enums).into_iter();
                let pairs = words.iter().zip(digits);
                pairs
                    .map(|(word, d)| self.narrow_word(*word, d, span))
                    .collect()
            }
        }
    }

    /// An enum with data: the variant's number is in range, its data is of its type, and the
    /// words behind it are zero.
    fn checked_data(
        &mut self,
        of: &DataTy,
        words: &[Value],
        enums: &[EnumDef],
        span: Span,
    ) -> Words {
        let tag = words.first().copied().unwrap_or(self.zero);
        let last = self.constant((of.variants.len() as u32).saturating_sub(1));
        let beyond = self.push(Op::Lt(last, tag));
        self.ill_typed(beyond, span);
        let held = words.get(1..).unwrap_or_default();
        let mut all = vec![self.zero; held.len()];
        for (n, (_, data)) in of.variants.iter().enumerate() {
            let here = self.has_tag(tag, n as u32);
            let guarded = self.and(self.guard, here);
            let before = std::mem::replace(&mut self.guard, guarded);
            let (own, unused) = held.split_at_checked(data.words()).unwrap_or_default();
            let mut own = self.checked(data, own, enums, span);
            for word in unused {
                let set = self.nonzero(*word);
                self.ill_typed(set, span);
            }
            self.guard = before;
            own.resize(held.len(), self.zero);
            all = self.select(here, &own, &all);
        }
        all.insert(0, tag);
        all
    }

    /// A word of so many digits of 4 bits, if it may have more.
    fn narrow_word(&mut self, word: Value, digits: u8, span: Span) -> Value {
        let bits = 4 * u32::from(digits);
        match 1u32.checked_shl(bits) {
            Some(end) if u32::from(self.b.bits(word)) > bits => {
                let most = self.constant(end - 1);
                let beyond = self.push(Op::Lt(most, word));
                self.ill_typed(beyond, span);
                self.and(word, most)
            }
            _ => word,
        }
    }

    fn checked_bool(&mut self, word: Value, span: Span) -> Value {
        let beyond = self.push(Op::Lt(self.one, word));
        self.ill_typed(beyond, span);
        let unset = self.not(word);
        self.not(unset)
    }

    fn ill_typed(&mut self, condition: Value, span: Span) {
        // There are fewer inputs than places that can abort.
        let _ = self.abort_if(condition, "IllTyped", span);
    }
}
