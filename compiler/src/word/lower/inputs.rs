//! The inputs of `settle`: their elements, and the checks that their words are of their type.

use super::super::ir::{InputElement, Op, Span, Value};
use super::{Lowerer, Words};
use crate::types::Ty;
use crate::types::typed::{EnumDef, Input};

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
            _ => words.to_vec(),
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
