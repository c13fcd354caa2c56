//! Enums: their declarations, and values of their variants.

use super::Checker;
use super::names::{Def, suggest};
use super::ty::{DataTy, StructTy, Ty};
use super::typed::{Expr, ExprKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Data};
use crate::word::Span;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A variant of an enum.
pub(super) struct Variant {
    enum_def: Def,
    of: Ty,
    tag: usize,
    data: Ty,
}

/// What a variant is given in the source.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    Nothing,
    Fields(&'a [(ast::Name, ast::Expr)]),
    Values(&'a [ast::Expr]),
}

impl<'a> From<&'a Data<ast::Expr>> for Given<'a> {
    fn from(data: &'a Data<ast::Expr>) -> Self {
        match data {
            Data::None => Self::Nothing,
            Data::Named(fields) => Self::Fields(fields),
            Data::Tuple(values) => Self::Values(values),
        }
    }
}

/// Whether some variant of an enum holds data.
pub(super) fn holds_data(item: &ast::Enum) -> bool {
    item.variants.iter().any(|v| v.data != Data::None)
}

/// How a variant with its data is written.
pub(super) fn written(name: &str, data: &Ty) -> String {
    let parts = data.parts();
    let each = |show: fn(&str) -> String| {
        let all: Vec<String> = parts.iter().map(|(part, _)| show(part)).collect();
        all.join(", ")
    };
    match data {
        Ty::Struct(_) => format!("`{name} {{ {} }}`", each(|part| format!("{part}: .."))),
        Ty::Tuple(_) => format!("`{name}({})`", each(|_| "..".to_owned())),
        _ => "without data".to_owned(),
    }
}

impl Checker {
    /// The variants that an enum declares, each name once.
    pub(super) fn variants<'a>(&mut self, item: &'a ast::Enum, def: Def) -> Vec<&'a ast::Variant> {
        let mut variants: Vec<&ast::Variant> = Vec::new();
        let mut known: BTreeMap<&str, Span> = BTreeMap::new();
        for variant in &item.variants {
            let name = &variant.name;
            if let Some(first) = known.get(name.text.as_str()) {
                self.declared_twice(name, *first);
                continue;
            }
            known.insert(&name.text, name.span);
            let named = self.names.variants.entry(name.text.clone());
            named.or_default().push((def, variants.len()));
            variants.push(variant);
        }
        if variants.is_empty() || variants.len() > 256 {
            let message = "an enum has 1 to 256 variants";
            self.report(Diagnostic::new(Code::BadSize, item.name.span, message));
        }
        variants
    }

    /// An enum with data. As with structs, its data can have the types declared above it only.
    pub(super) fn data_item(&mut self, item: &ast::Enum) {
        let def = Def::Data(self.data.len());
        let mut variants = Vec::new();
        for variant in self.variants(item, def) {
            let name = variant.name.text.clone();
            let empty = match &variant.data {
                Data::None => false,
                Data::Named(fields) => fields.is_empty(),
                Data::Tuple(types) => types.is_empty(),
            };
            if empty {
                let message = format!("`{name}` has no data: leave the brackets out");
                self.report(Diagnostic::new(Code::BadSize, variant.name.span, message));
            }
            let data = match &variant.data {
                Data::None => Ty::Unit,
                Data::Named(fields) => {
                    let fields = self.field_types(fields);
                    let fields = fields.into_iter().map(|(name, ty)| {
                        let ty = self.no_vault(ty, variant.name.span);
                        (name, ty)
                    });
                    let fields = fields.collect();
                    let name = name.clone();
                    let id = self.data.len();
                    Ty::Struct(Arc::new(StructTy::new(id, name, fields)))
                }
                Data::Tuple(types) => {
                    Ty::Tuple(types.iter().map(|ty| self.plain_type(ty)).collect())
                }
            };
            variants.push((name, data));
        }
        self.names.coming.remove(&item.name.text);
        self.declare_item(&item.name, def);
        let of = Arc::new(DataTy::new(item.name.text.clone(), variants));
        self.data.push((of, item.name.span));
    }

    /// Names of all enums that have names here.
    pub(super) fn enum_names(&self) -> Vec<String> {
        self.names
            .of_kind(|def| matches!(def, Def::Enum(_) | Def::Data(_)))
    }

    /// The type of an enum.
    pub(super) fn enum_ty(&self, def: Def) -> Option<Ty> {
        match def {
            Def::Enum(e) => Some(Ty::Enum(e)),
            Def::Data(n) => self.data.get(n).map(|(of, _)| Ty::Data(of.clone())),
            _ => None,
        }
    }

    /// A variant of an enum by its name.
    fn variant_of(&self, of: &Ty, name: &str) -> Option<Variant> {
        let enum_def = match of {
            Ty::Enum(e) => Def::Enum(*e),
            Ty::Data(of) => Def::Data(self.data.iter().position(|(known, _)| known == of)?),
            _ => return None,
        };
        let variants = of.variants(&self.contract.enums);
        let tag = variants.iter().position(|(known, _)| known == name)?;
        let data = variants.into_iter().nth(tag).map(|(_, data)| data)?;
        Some(Variant {
            enum_def,
            of: of.clone(),
            tag,
            data,
        })
    }

    /// The variants of a name: of one enum, or of all that have it.
    fn variants_named(&self, name: &str, of: Option<Def>) -> Vec<Variant> {
        let known = self.names.variants.get(name).into_iter().flatten();
        let known = known.filter(|(def, _)| of.is_none_or(|of| of == *def));
        let variant = |(enum_def, tag): &(Def, usize)| {
            let (enum_def, tag) = (*enum_def, *tag);
            let of = self.enum_ty(enum_def)?;
            let data = match &of {
                Ty::Data(of) => of.variants.get(tag).map(|(_, data)| data.clone())?,
                _ => Ty::Unit,
            };
            Some(Variant {
                enum_def,
                of,
                tag,
                data,
            })
        };
        known.filter_map(variant).collect()
    }

    /// A variant by its bare name: of the enum that is expected, else of the only one that has
    /// it. `None` if no enum has it.
    pub(super) fn bare_variant(
        &mut self,
        name: &ast::Name,
        given: Given<'_>,
        span: Span,
        hint: Option<&Ty>,
    ) -> Option<Expr> {
        let having = self.variants_named(&name.text, None);
        // What is expected may be of an enum that has no name here.
        let hinted = hint.and_then(|ty| self.variant_of(ty, &name.text));
        match (hinted, having.as_slice()) {
            (Some(variant), _) => Some(self.make_variant(&variant, name, given, span)),
            (None, [variant]) => Some(self.make_variant(variant, name, given, span)),
            (None, []) => None,
            (None, [first, ..]) => {
                let message = format!("more than one enum has a variant `{}`", name.text);
                let fix = format!("{}::{}", self.show(&first.of), name.text);
                let unclear = Diagnostic::new(Code::NeedsType, name.span, message);
                self.report(unclear.fix(name.span, fix, "say which"));
                self.check_given(given);
                Some(Self::error(span))
            }
        }
    }

    /// `E::A`, `E::A { x: a }` or `E::A(a)`
    pub(super) fn path_expr(
        &mut self,
        of: &ast::Name,
        name: &ast::Name,
        data: &Data<ast::Expr>,
        span: Span,
    ) -> Expr {
        if let Some((def, of)) = self.enum_named(of) {
            if let [variant] = self.variants_named(&name.text, Some(def)).as_slice() {
                return self.make_variant(variant, name, data.into(), span);
            }
            self.no_variant(name, &of);
        }
        self.check_given(data.into());
        Self::error(span)
    }

    /// Checks what is given to something unknown.
    pub(super) fn check_given(&mut self, given: Given<'_>) {
        match given {
            Given::Nothing => {}
            Given::Fields(fields) => {
                for (_, value) in fields {
                    self.expr(value, None);
                }
            }
            Given::Values(values) => {
                for value in values {
                    self.expr(value, None);
                }
            }
        }
    }

    fn make_variant(
        &mut self,
        variant: &Variant,
        name: &ast::Name,
        given: Given<'_>,
        span: Span,
    ) -> Expr {
        self.names.used.insert(variant.enum_def);
        if let Def::Enum(e) = variant.enum_def {
            self.names.variants_used.insert((e, variant.tag));
        }
        let ty = variant.of.clone();
        let data = match (&variant.data, given) {
            (Ty::Unit, Given::Nothing) => Some(ExprKind::Words(vec![])),
            (Ty::Struct(of), Given::Fields(fields)) => {
                let given = self.fields_given(of, fields, name);
                given.map(ExprKind::Fields)
            }
            (Ty::Tuple(types), Given::Values(values)) if types.len() == values.len() => {
                let pairs = values.iter().zip(types);
                let values: Vec<Expr> = pairs.map(|(e, ty)| self.expect(e, ty)).collect();
                let good = values.iter().all(|e| !e.ty.is_bottom());
                good.then_some(ExprKind::Join(values))
            }
            (data, given) => {
                self.check_given(given);
                let message = format!("`{}` is written {}", name.text, written(&name.text, data));
                self.report(Diagnostic::new(Code::WrongArguments, span, message));
                None
            }
        };
        let Some(data) = data else {
            let kind = ExprKind::Error;
            return Expr { ty, span, kind };
        };
        let part = |ty: Ty, kind: ExprKind| Expr { ty, span, kind };
        let tag = ExprKind::Words(vec![variant.tag as u32]);
        if let Ty::Enum(_) = ty {
            return part(ty, tag);
        }
        let left = ty.words().saturating_sub(1 + variant.data.words());
        let zeros = part(Ty::Unit, ExprKind::Words(vec![0; left]));
        let parts = vec![part(Ty::U8, tag), part(variant.data.clone(), data), zeros];
        part(ty, ExprKind::Join(parts))
    }

    /// Fields of a struct or variant by name, each once and all of them; `None` if not.
    pub(super) fn fields_given(
        &mut self,
        of: &Arc<StructTy>,
        fields: &[(ast::Name, ast::Expr)],
        name: &ast::Name,
    ) -> Option<Vec<(usize, Expr)>> {
        let mut given: Vec<(usize, Expr)> = Vec::new();
        let mut names: Vec<&ast::Name> = Vec::new();
        for (field, value) in fields {
            if let Some(first) = names.iter().find(|known| known.text == field.text) {
                self.declared_twice(field, first.span);
                continue;
            }
            names.push(field);
            let known = of.fields.iter().position(|(known, _)| *known == field.text);
            match known.and_then(|n| Some((n, of.fields.get(n)?))) {
                Some((n, (_, ty))) => given.push((n, self.expect(value, ty))),
                None => {
                    self.part(&Ty::Struct(of.clone()), field);
                    self.expr(value, None);
                }
            }
        }
        self.all_given(of, &names, name, None);
        let whole = given.len() == of.fields.len();
        (whole && given.iter().all(|(_, e)| e.ty != Ty::Error)).then_some(given)
    }

    /// Reports the fields that aren't named.
    pub(super) fn all_given(
        &mut self,
        of: &StructTy,
        names: &[&ast::Name],
        name: &ast::Name,
        help: Option<&str>,
    ) {
        let missing: Vec<String> = of
            .fields
            .iter()
            .filter(|(field, _)| !names.iter().any(|name| name.text == *field))
            .map(|(field, _)| format!("`{field}`"))
            .collect();
        if !missing.is_empty() {
            let message = format!("this `{}` lacks {}", of.name, missing.join(", "));
            let lacks = Diagnostic::new(Code::MissingField, name.span, message);
            self.report(match help {
                Some(help) => lacks.help(help),
                None => lacks,
            });
        }
    }

    /// Reports a name that is neither a struct nor a variant.
    pub(super) fn no_struct(&mut self, name: &ast::Name) {
        let mut known: Vec<String> = self.structs.iter().map(|(s, _)| s.name.clone()).collect();
        let data = self.data.iter().flat_map(|(of, _)| &of.variants);
        let named = data.filter(|(_, data)| matches!(data, Ty::Struct(_)));
        known.extend(named.map(|(name, _)| name.clone()));
        let message = format!("there is no struct `{}`", name.text);
        let unknown = Diagnostic::new(Code::UnknownType, name.span, message);
        self.report(suggest(unknown, &name.text, name.span, &known));
    }
}
