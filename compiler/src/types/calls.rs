//! Calls: functions of the contract, built-in functions and methods.

use super::Checker;
use super::data::Given;
use super::names::{Def, suggest};
use super::ty::Ty;
use super::typed::{Aggregate, Builtin, Expr, ExprKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::word::Span;

/// The most bytes that SHA-256 takes here.
const MAX_SHA256: u32 = 4_096;
/// The most bytes that BLAKE3 takes here: one chunk.
const MAX_BLAKE3: u32 = 1_024;

pub(super) const BUILTINS: &[&str] = &[
    "sha256",
    "blake3",
    "tag_hash",
    "concat",
    "pad32",
    "min",
    "max",
    "mul_div",
    "wide_mul",
    "hash",
    "pubkey",
    "signature",
    "bytes",
    "verify",
    "Some",
    "height",
];

impl Checker {
    pub(super) fn call(
        &mut self,
        name: &ast::Name,
        arguments: &[ast::Expr],
        span: Span,
        hint: Option<&Ty>,
    ) -> Expr {
        let own = matches!(
            self.names.items.get(&name.text),
            Some((Def::Function(_), _))
        );
        match name.text.as_str() {
            _ if own => self.function_call(name, arguments, span, hint),
            "sha256" => self.hash_call(Builtin::Sha256, MAX_SHA256, name, arguments, span),
            "blake3" => self.hash_call(Builtin::Blake3, MAX_BLAKE3, name, arguments, span),
            "concat" => self.concat(arguments, name, span),
            "pad32" => self.pad32(arguments, name, span),
            "min" => self.min_max(Builtin::Min, arguments, name, span, hint),
            "max" => self.min_max(Builtin::Max, arguments, name, span, hint),
            "hash" => self.named_bytes(Ty::Hash, arguments, name, span),
            "pubkey" => self.named_bytes(Ty::Pubkey, arguments, name, span),
            "signature" => self.named_bytes(Ty::Signature, arguments, name, span),
            "bytes" => self.plain_bytes(arguments, name, span),
            "settle" if self.frame.test && !self.ledger => self.settle_call(name, arguments, span),
            "sign" if self.frame.test => self.sign(arguments, name, span),
            "sum" => self.aggregate(Aggregate::Sum, name, arguments, span),
            "count" => self.aggregate(Aggregate::Count, name, arguments, span),
            "height" => self.height(name, arguments, span),
            "Some" => self.some(arguments, name, span, hint),
            "verify" => self.verify(arguments, name, span),
            "tag_hash" => self.tag_hash(arguments, name, span),
            "wide_mul" => self.words_call(Builtin::WideMul, 2, Ty::U128, arguments, name, span),
            "mul_div" => self.words_call(Builtin::MulDiv, 3, Ty::U64, arguments, name, span),
            _ => self.function_call(name, arguments, span, hint),
        }
    }

    fn function_call(
        &mut self,
        name: &ast::Name,
        arguments: &[ast::Expr],
        span: Span,
        hint: Option<&Ty>,
    ) -> Expr {
        let def = match self.find(&name.text) {
            Some(Def::Function(n)) => self
                .contract
                .fns
                .get(n)
                .map(|f| (n, f.arguments.clone(), f.returns.clone(), f.span)),
            Some(Def::Entry(_)) => {
                self.unknown_function(name);
                None
            }
            Some(_) => {
                let message = format!("`{}` is not a function", name.text);
                self.report(Diagnostic::new(Code::NotAFunction, name.span, message));
                None
            }
            None => {
                let given = Given::Values(arguments);
                if let Some(variant) = self.bare_variant(name, given, span, hint) {
                    return variant;
                }
                self.unknown_function(name);
                None
            }
        };
        let Some((n, types, returns, declared)) = def else {
            for argument in arguments {
                self.expr(argument, None);
            }
            return Self::error(span);
        };
        if types.len() != arguments.len() {
            self.wrong_count(name, types.len(), arguments.len(), Some(declared));
            return Expr {
                ty: returns,
                span,
                kind: ExprKind::Error,
            };
        }
        let pairs = arguments.iter().zip(&types);
        let arguments = pairs
            .map(|(argument, ty)| self.expect(argument, ty))
            .collect();
        self.effects_of(n, span);
        self.frame.calls.push((n, name.span));
        Expr {
            ty: returns,
            span,
            kind: ExprKind::Call(n, arguments),
        }
    }

    /// What a function that changes the state does is done by its caller.
    fn effects_of(&mut self, function: usize, span: Span) {
        let Some(def) = self.contract.fns.get(function) else {
            return;
        };
        let (changes, mints, burns) = (def.changes, def.mints.clone(), def.burns.clone());
        if changes {
            self.changes_state(span);
        }
        self.frame
            .minted
            .extend(mints.into_iter().map(|asset| (asset, span)));
        self.frame
            .burned
            .extend(burns.into_iter().map(|asset| (asset, span)));
    }

    fn unknown_function(&mut self, name: &ast::Name) {
        if self.frame.constant {
            let message = format!("`{}` can't be called here", name.text);
            self.report(
                Diagnostic::new(Code::NotConstant, name.span, message).help(
                    "constants, lengths and `where` use operators and built-in functions only",
                ),
            );
            return;
        }
        let mut known: Vec<String> = BUILTINS.iter().map(|b| (*b).to_owned()).collect();
        known.extend(self.names.of_kind(|def| matches!(def, Def::Function(_))));
        known.extend(self.names.variants.keys().cloned());
        if self.names.entries.contains(&name.text) {
            let message = format!(
                "`{}` is an entry: people call it, programs don't",
                name.text
            );
            let wrong = Diagnostic::new(Code::NotAFunction, name.span, message);
            self.report(wrong.help("put what both do into a function"));
            return;
        }
        let message = format!("there is no function `{}`", name.text);
        let unknown = Diagnostic::new(Code::UnknownName, name.span, message);
        self.report(suggest(unknown, &name.text, name.span, &known));
    }

    pub(super) fn wrong_count(
        &mut self,
        name: &ast::Name,
        wants: usize,
        has: usize,
        at: Option<Span>,
    ) {
        let s = if wants == 1 { "" } else { "s" };
        let message = format!("`{}` takes {wants} argument{s}, not {has}", name.text);
        let mut wrong = Diagnostic::new(Code::WrongArguments, name.span, message);
        if let Some(at) = at {
            wrong = wrong.label(at, "declared here");
        }
        self.report(wrong);
    }

    /// `height()`: of the block that the batch of calls builds on.
    fn height(&mut self, name: &ast::Name, arguments: &[ast::Expr], span: Span) -> Expr {
        if !arguments.is_empty() {
            self.wrong_count(name, 0, arguments.len(), None);
        }
        if self.frame.returns.is_none() {
            let message = "`height()` is known in calls only";
            self.report(Diagnostic::new(Code::NotConstant, span, message));
            return Self::error(span);
        }
        Expr {
            ty: Ty::Height,
            span,
            kind: ExprKind::Height,
        }
    }

    /// Exactly one argument.
    pub(super) fn one<'a>(
        &mut self,
        arguments: &'a [ast::Expr],
        name: &ast::Name,
    ) -> Option<&'a ast::Expr> {
        match arguments {
            [one] => Some(one),
            _ => {
                self.wrong_count(name, 1, arguments.len(), None);
                None
            }
        }
    }

    /// An argument that is text for a hash function.
    fn text(&mut self, argument: &ast::Expr) -> Option<(Expr, u32)> {
        let value = self.expr(argument, None);
        if value.ty.is_bottom() {
            return None;
        }
        let Some(n) = value.ty.byte_len() else {
            let message = format!("`{}` has no fixed bytes", self.show(&value.ty));
            self.report(
                Diagnostic::new(Code::Mismatch, value.span, message)
                    .help("bytes, hashes and integers (big-endian) do, and arrays of them"),
            );
            return None;
        };
        Some((value, n))
    }

    fn hash_call(
        &mut self,
        builtin: Builtin,
        most: u32,
        name: &ast::Name,
        arguments: &[ast::Expr],
        span: Span,
    ) -> Expr {
        let known = Expr {
            ty: Ty::Hash,
            span,
            kind: ExprKind::Error,
        };
        let Some(argument) = self.one(arguments, name) else {
            return known;
        };
        let Some((value, n)) = self.text(argument) else {
            return known;
        };
        if n > most {
            let message = format!("`{}` takes at most {most} bytes here, not {n}", name.text);
            self.report(Diagnostic::new(Code::BytesTooLong, value.span, message));
            return known;
        }
        Expr {
            kind: ExprKind::Builtin(builtin, vec![value]),
            ..known
        }
    }

    /// `tag_hash(tag, a, ..)`
    fn tag_hash(&mut self, arguments: &[ast::Expr], name: &ast::Name, span: Span) -> Expr {
        let known = Expr {
            ty: Ty::Hash,
            span,
            kind: ExprKind::Error,
        };
        if arguments.len() < 2 {
            self.wrong_count(name, 2, arguments.len(), None);
            return known;
        }
        let mut values = Vec::new();
        let mut length = 0u32;
        for argument in arguments {
            let Some((value, n)) = self.text(argument) else {
                return known;
            };
            length = length.saturating_add(n);
            values.push(value);
        }
        if length > MAX_SHA256 {
            let message = format!("`tag_hash` takes at most {MAX_SHA256} bytes, not {length}");
            self.report(Diagnostic::new(Code::BytesTooLong, span, message));
            return known;
        }
        Expr {
            kind: ExprKind::Builtin(Builtin::TagHash, values),
            ..known
        }
    }

    /// A built-in function of so many `u64`s.
    fn words_call(
        &mut self,
        builtin: Builtin,
        count: usize,
        ty: Ty,
        arguments: &[ast::Expr],
        name: &ast::Name,
        span: Span,
    ) -> Expr {
        if arguments.len() != count {
            self.wrong_count(name, count, arguments.len(), None);
            let kind = ExprKind::Error;
            return Expr { ty, span, kind };
        }
        let values = arguments.iter().map(|e| self.expect(e, &Ty::U64));
        let kind = ExprKind::Builtin(builtin, values.collect());
        Expr { ty, span, kind }
    }

    fn concat(&mut self, arguments: &[ast::Expr], name: &ast::Name, span: Span) -> Expr {
        let mut values = Vec::new();
        let mut length = Some(0u32);
        for argument in arguments {
            match self.text(argument) {
                Some((value, n)) => {
                    values.push(value);
                    length = length.and_then(|length| length.checked_add(n));
                }
                None => length = None,
            }
        }
        if arguments.is_empty() {
            self.wrong_count(name, 1, 0, None);
            return Self::error(span);
        }
        match length {
            Some(n) => {
                let kind = ExprKind::Builtin(Builtin::Concat, values);
                self.sized(Ty::Bytes(n), kind, span)
            }
            None => Self::error(span),
        }
    }

    fn pad32(&mut self, arguments: &[ast::Expr], name: &ast::Name, span: Span) -> Expr {
        let known = Expr {
            ty: Ty::Bytes(32),
            span,
            kind: ExprKind::Error,
        };
        let Some(argument) = self.one(arguments, name) else {
            return known;
        };
        let Some((value, n)) = self.text(argument) else {
            return known;
        };
        if n > 32 {
            let message = format!("`pad32` takes at most 32 bytes, not {n}");
            self.report(Diagnostic::new(Code::BytesTooLong, value.span, message));
            return known;
        }
        Expr {
            kind: ExprKind::Builtin(Builtin::Pad32, vec![value]),
            ..known
        }
    }

    fn min_max(
        &mut self,
        builtin: Builtin,
        arguments: &[ast::Expr],
        name: &ast::Name,
        span: Span,
        hint: Option<&Ty>,
    ) -> Expr {
        let [left, right] = arguments else {
            self.wrong_count(name, 2, arguments.len(), None);
            return Self::error(span);
        };
        // The same rules as for a comparison.
        let compared = self.binary(ast::BinaryOp::Lt, name.span, (left, right), span, hint);
        let ExprKind::Binary(_, left, right) = compared.kind else {
            return Self::error(span);
        };
        Expr {
            ty: left.ty.clone(),
            span,
            kind: ExprKind::Builtin(builtin, vec![*left, *right]),
        }
    }

    /// Bytes as a hash, a key or a signature.
    fn named_bytes(
        &mut self,
        ty: Ty,
        arguments: &[ast::Expr],
        name: &ast::Name,
        span: Span,
    ) -> Expr {
        let length = ty.byte_len().unwrap_or(0);
        let value = self.one(arguments, name).map(|argument| {
            let value = self.expr(argument, None);
            if value.ty == ty {
                value
            } else {
                self.coerce(value, &Ty::Bytes(length))
            }
        });
        same_words(value, ty, span)
    }

    /// The bytes of a hash, a key or a signature.
    fn plain_bytes(&mut self, arguments: &[ast::Expr], name: &ast::Name, span: Span) -> Expr {
        let value = self.one(arguments, name).map(|argument| {
            let value = self.expr(argument, None);
            match value.ty {
                Ty::Bytes(32) | Ty::Pubkey | Ty::Signature => value,
                _ => self.coerce(value, &Ty::Hash),
            }
        });
        let length = value.as_ref().and_then(|value| value.ty.byte_len());
        same_words(value, Ty::Bytes(length.unwrap_or(32)), span)
    }

    /// `verify(key, message, signature)`
    fn verify(&mut self, arguments: &[ast::Expr], name: &ast::Name, span: Span) -> Expr {
        if !self.ledger {
            let message = "`verify` can't be enforced by a dispute over `settle` yet";
            let later = Diagnostic::new(Code::NotYetSupported, name.span, message);
            self.report(later.help(
                "take the value as an input `from` the party instead: its one-time signature is \
                 checked on chain",
            ));
        }
        let types = [Ty::Pubkey, Ty::Hash, Ty::Signature];
        let ty = Ty::Bool;
        if arguments.len() != types.len() {
            self.wrong_count(name, types.len(), arguments.len(), None);
            let kind = ExprKind::Error;
            return Expr { ty, span, kind };
        }
        let pairs = arguments.iter().zip(&types);
        let values = pairs.map(|(e, ty)| self.expect(e, ty)).collect();
        let kind = ExprKind::Builtin(Builtin::Verify, values);
        Expr { ty, span, kind }
    }

    /// `sign(ALICE, message)`: the signature of a person, in tests.
    fn sign(&mut self, arguments: &[ast::Expr], name: &ast::Name, span: Span) -> Expr {
        let ty = Ty::Signature;
        let [key, message] = arguments else {
            self.wrong_count(name, 2, arguments.len(), None);
            let kind = ExprKind::Error;
            return Expr { ty, span, kind };
        };
        let key = self.expect(key, &Ty::Pubkey);
        let message = self.expect(message, &Ty::Hash);
        let kind = ExprKind::Builtin(Builtin::Sign, vec![key, message]);
        Expr { ty, span, kind }
    }

    fn some(
        &mut self,
        arguments: &[ast::Expr],
        name: &ast::Name,
        span: Span,
        hint: Option<&Ty>,
    ) -> Expr {
        let Some(argument) = self.one(arguments, name) else {
            return Self::error(span);
        };
        let mut value = match hint {
            Some(Ty::Option(inner)) => self.expr(argument, Some(inner)),
            _ => self.expr(argument, None),
        };
        if let Some(Ty::Option(inner)) = hint {
            value = self.coerce(value, inner);
        }
        if value.ty.is_bottom() || value.ty == Ty::Unit {
            return Self::error(span);
        }
        let tag = Expr {
            ty: Ty::Bool,
            span,
            kind: ExprKind::Words(vec![1]),
        };
        Expr {
            ty: Ty::Option(Box::new(value.ty.clone())),
            span,
            kind: ExprKind::Join(vec![tag, value]),
        }
    }

    pub(super) fn method(
        &mut self,
        of: &ast::Expr,
        name: &ast::Name,
        arguments: &[ast::Expr],
        span: Span,
        hint: Option<&Ty>,
    ) -> Expr {
        if let Some(asset) = self.asset_named(of) {
            return self.asset_method(asset, name, arguments, span);
        }
        let wrapped = hint.map(|ty| Ty::Option(Box::new(ty.clone())));
        let wrapped = wrapped.filter(|_| name.text == "unwrap_or");
        let of = self.expr(of, wrapped.as_ref());
        if matches!(of.ty, Ty::Vault(_)) {
            return self.vault_method(of, name, arguments, span);
        }
        let known: &[&str] = match &of.ty {
            Ty::Error | Ty::Never => return Self::error(span),
            Ty::Option(_) => &["is_some", "is_none", "unwrap_or"],
            Ty::Array(..) | Ty::Bytes(_) | Ty::Hash => &["len"],
            _ => &[],
        };
        let wants = usize::from(name.text == "unwrap_or");
        if known.contains(&name.text.as_str()) && arguments.len() != wants {
            self.wrong_count(name, wants, arguments.len(), None);
            return Self::error(span);
        }
        let (ty, kind) = match (&of.ty, name.text.as_str()) {
            (Ty::Option(_), "is_some") => (Ty::Bool, ExprKind::Builtin(Builtin::IsSome, vec![of])),
            (Ty::Option(_), "is_none") => (Ty::Bool, ExprKind::Builtin(Builtin::IsNone, vec![of])),
            (Ty::Option(inner), "unwrap_or") => {
                let inner = (**inner).clone();
                let Some(other) = arguments.first() else {
                    return Self::error(span);
                };
                let other = self.expect(other, &inner);
                (inner, ExprKind::Builtin(Builtin::UnwrapOr, vec![of, other]))
            }
            (Ty::Array(_, n) | Ty::Bytes(n), "len") => (Ty::U32, ExprKind::Words(vec![*n])),
            (Ty::Hash, "len") => (Ty::U32, ExprKind::Words(vec![32])),
            (ty, other) => {
                let message = format!("`{}` has no method `{other}`", self.show(ty));
                let known: Vec<String> = known.iter().map(|m| (*m).to_owned()).collect();
                let unknown = Diagnostic::new(Code::UnknownMethod, name.span, message);
                let mut unknown = suggest(unknown, other, name.span, &known);
                if other == "unwrap" {
                    unknown = unknown.help("say what happens when it is blank: `.unwrap_or(..)`");
                }
                self.report(unknown);
                return Self::error(span);
            }
        };
        Expr { ty, span, kind }
    }
}

/// The same words under another type.
fn same_words(value: Option<Expr>, ty: Ty, span: Span) -> Expr {
    let kind = match value {
        Some(value) if !value.ty.is_bottom() => ExprKind::Convert(Box::new(value)),
        _ => ExprKind::Error,
    };
    Expr { ty, span, kind }
}
