//! What only ledgers declare: assets, state, events, entries and invariants.

use super::Checker;
use super::names::{Def, suggest};
use super::ty::{AssetTy, StructTy, Ty};
use super::typed::{
    AssetDef, Block, EntryDef, EventDef, ExprKind, InvariantDef, ParamTy, Signer, StateDef,
    Statement,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Item};
use crate::word::Span;
use std::sync::Arc;

/// The family of cells that holds each signer's next nonce; see [`crate::ledger`].
const NONCES: u16 = 0;

/// The most words of all keys of a map together.
const MAX_KEY_WORDS: usize = 64;

/// The most words of the arguments of an entry.
const MAX_ARGUMENT_WORDS: usize = 4_096;

/// Whether an item is one of a ledger.
fn is_ledgers(item: &Item) -> bool {
    matches!(
        item,
        Item::Assets(_) | Item::State(_) | Item::Event(_) | Item::Entry(_) | Item::Invariant(_)
    )
}

impl Checker {
    /// Whether the contract is a ledger. One that also settles a coin is an error.
    pub(super) fn is_ledger(&mut self, contract: &ast::Contract) -> bool {
        let ledger = contract.items.iter().any(is_ledgers);
        for item in contract.items.iter().filter(|_| ledger) {
            let (word, span) = match item {
                Item::Settle(settle) => ("settle", settle.span),
                Item::Coin(coin) => ("coin", coin.name.span),
                _ => continue,
            };
            let message = format!("a ledger has no `{word}`");
            self.report(Diagnostic::new(Code::TwoKinds, span, message).help(
                "a contract either settles a coin, or keeps a state that entries change; \
                 make it two contracts",
            ));
        }
        ledger
    }

    /// Assets come first: types name them.
    pub(super) fn assets(&mut self, contract: &ast::Contract) {
        for item in &contract.items {
            let Item::Assets(names) = item else { continue };
            for name in names {
                let asset = self.contract.assets.len();
                self.declare_item(name, Def::Asset(asset));
                let supply = self.contract.state.len();
                self.contract.assets.push(AssetDef {
                    name: name.text.clone(),
                    span: name.span,
                    supply,
                });
                let field = ast::Name {
                    text: format!("{}.supply", name.text),
                    span: name.span,
                };
                self.state_def(&field, Vec::new(), Ty::U64, true);
            }
        }
    }

    pub(super) fn vault_type(&mut self, name: &ast::Name) -> Ty {
        if let Some(Def::Asset(index)) = self.find(&name.text) {
            let name = name.text.clone();
            return Ty::Vault(Arc::new(AssetTy { name, index }));
        }
        let assets = self.contract.assets.iter();
        let known: Vec<String> = assets.map(|a| a.name.clone()).collect();
        let message = format!("there is no asset `{}`", name.text);
        let unknown = Diagnostic::new(Code::UnknownType, name.span, message);
        let mut unknown = suggest(unknown, &name.text, name.span, &known);
        if unknown.fix.is_none() {
            unknown = unknown.help(format!("declare it: `asset {}`", name.text));
        }
        self.report(unknown);
        Ty::Error
    }

    /// A field of the state, its cells after those of the fields before.
    fn state_def(&mut self, name: &ast::Name, keys: Vec<Ty>, ty: Ty, hidden: bool) {
        let last = self.contract.state.last();
        let family = last.map_or(NONCES.saturating_add(1), |last| {
            let leaves = last.ty.leaves().len().min(usize::from(u16::MAX)) as u16;
            last.family.saturating_add(leaves)
        });
        self.contract.state.push(StateDef {
            name: name.text.clone(),
            span: name.span,
            keys,
            ty,
            family,
            hidden,
        });
    }

    pub(super) fn state_item(&mut self, item: &ast::State) {
        for field in &item.fields {
            let mut keys = Vec::new();
            let mut ty = self.ty(&field.ty);
            while let Ty::Map(key, value) = ty {
                keys.push(*key);
                ty = *value;
            }
            let words: usize = keys.iter().map(Ty::words).sum();
            if words > MAX_KEY_WORDS {
                let message = format!("the keys have {words} words; at most {MAX_KEY_WORDS}");
                let long = Diagnostic::new(Code::BadSize, field.ty.span, message);
                self.report(long.help("use the hash of what is longer as the key"));
            }
            let n = self.contract.state.len();
            self.state_def(&field.name, keys, ty, false);
            self.declare_item(&field.name, Def::State(n));
        }
        if item.fields.is_empty() {
            let message = "the state has no field";
            self.report(Diagnostic::new(Code::BadSize, item.span, message));
        }
    }

    /// `map<K, V>`
    pub(super) fn map_type(&mut self, key: &ast::Type, value: &ast::Type) -> Ty {
        let (of, to) = (self.plain_type(key), self.ty(value));
        match (of, to) {
            (Ty::Error, _) | (_, Ty::Error) => Ty::Error,
            (of, to) => Ty::Map(Box::new(of), Box::new(to)),
        }
    }

    /// A type whose values can be copied and dropped, and are no part of the state.
    pub(super) fn plain_type(&mut self, ty: &ast::Type) -> Ty {
        let resolved = self.ty(ty);
        let resolved = self.no_vault(resolved, ty.span);
        self.no_map(resolved, ty.span)
    }

    /// A type without vaults.
    pub(super) fn no_vault(&mut self, ty: Ty, span: Span) -> Ty {
        if !ty.is_linear() {
            return ty;
        }
        let message = format!("a `{}` can't stand here", self.show(&ty));
        self.report(Diagnostic::new(Code::TypeNotAllowed, span, message).help(
            "what a vault holds never leaves the ledger: give its amount as a `u64`, and \
                 take that from a vault of the state",
        ));
        Ty::Error
    }

    /// The type of a variable, an argument of a function, or what one returns: vaults may be
    /// such, and parts of tuples.
    pub(super) fn local_type(&mut self, ty: &ast::Type) -> Ty {
        let resolved = self.ty(ty);
        if matches!(resolved, Ty::Struct(_)) && resolved.is_linear() {
            let message = format!(
                "`{}` holds vaults: only the state can",
                self.show(&resolved)
            );
            self.report(
                Diagnostic::new(Code::TypeNotAllowed, ty.span, message)
                    .help("give its parts on their own"),
            );
            return Ty::Error;
        }
        self.no_map(resolved, ty.span)
    }

    pub(super) fn no_map(&mut self, ty: Ty, span: Span) -> Ty {
        if !ty.is_map() {
            return ty;
        }
        let message = "a `map` can only be the type of a field of the state";
        self.report(Diagnostic::new(Code::TypeNotAllowed, span, message));
        Ty::Error
    }

    pub(super) fn event_item(&mut self, item: &ast::Event) {
        let fields = self.field_types(&item.fields);
        for ((_, ty), (_, written)) in fields.iter().zip(&item.fields) {
            self.no_vault(ty.clone(), written.span);
        }
        self.declare_item(&item.name, Def::Event(self.contract.events.len()));
        let (id, name) = (self.contract.events.len(), item.name.text.clone());
        self.contract.events.push(EventDef {
            span: item.name.span,
            of: Arc::new(StructTy::new(id, name, fields)),
        });
    }

    /// All entries and invariants.
    pub(super) fn entries(&mut self, contract: &ast::Contract) {
        let mut found = false;
        for item in &contract.items {
            match item {
                Item::Entry(item) => {
                    found = true;
                    self.entry_item(item);
                }
                Item::Invariant(item) => self.invariant_item(item),
                _ => {}
            }
        }
        if !found {
            let message = format!("`{}` has no entry", contract.name.text);
            self.report(
                Diagnostic::new(Code::NoEntry, contract.name.span, message)
                    .help("`entry f(..) signed by k { .. }` is how people change the state"),
            );
        }
        let params: Vec<_> = self.contract.params.clone();
        // One that settles a coin as well has parties for that.
        let mut items = contract.items.iter();
        let settles = items.any(|item| matches!(item, Item::Settle(_) | Item::Coin(_)));
        for param in params {
            if !settles && !matches!(param.ty, ParamTy::Value(_)) {
                let message = format!("`{}`: a ledger has no such parameter", param.name);
                self.report(
                    Diagnostic::new(Code::TypeNotAllowed, param.span, message).help(
                        "parties and attestors stand behind a coin; a ledger knows people by \
                         their `pubkey`",
                    ),
                );
            }
        }
    }

    fn entry_item(&mut self, item: &ast::Entry) {
        let mut arguments: Vec<(String, Ty)> = Vec::new();
        for (name, ty) in &item.arguments {
            arguments.push((name.text.clone(), self.plain_type(ty)));
        }
        let words: usize = arguments.iter().map(|(_, ty)| ty.words()).sum();
        if words > MAX_ARGUMENT_WORDS {
            let message = format!("the arguments have {words} words; at most {MAX_ARGUMENT_WORDS}");
            self.report(Diagnostic::new(
                Code::TooManyInputs,
                item.name.span,
                message,
            ));
        }
        self.declare_item(&item.name, Def::Entry(self.contract.entries.len()));
        let before = self.enter(Some(Ty::Unit));
        self.frame.entry = true;
        for ((name, _), (_, ty)) in item.arguments.iter().zip(&arguments) {
            self.declare_argument(name, ty.clone());
        }
        self.named_once(&item.signers);
        let signers = item.signers.iter().filter_map(|name| self.signer(name));
        let signers = signers.collect();
        let body = self.procedure(&item.body);
        let mints = self.may_create(&item.mints);
        let burns = self.may_create(&item.burns);
        self.clauses(&item.name, [&item.mints, &item.burns], [&mints, &burns]);
        let frame = self.leave(before);
        self.linear(&frame, arguments.len(), &body);
        self.contract.entries.push(EntryDef {
            name: item.name.text.clone(),
            span: item.name.span,
            arguments,
            signers,
            mints,
            burns,
            locals: frame.locals,
            body,
        });
    }

    fn named_once(&mut self, names: &[ast::Name]) {
        for (n, name) in names.iter().enumerate() {
            let mut before = names.iter().take(n);
            if let Some(first) = before.find(|known| known.text == name.text) {
                let message = format!("`{}` is named twice", name.text);
                let twice = Diagnostic::new(Code::DeclaredTwice, name.span, message);
                self.report(twice.label(first.span, "first named here"));
            }
        }
    }

    /// The body of an entry, or of a function that returns nothing.
    pub(super) fn procedure(&mut self, body: &ast::Block) -> Block {
        let body = self.block(body, None);
        let Some(value) = &body.value else {
            return body;
        };
        if matches!(body.ty, Ty::Unit | Ty::Never | Ty::Error) || value.kind == ExprKind::Error {
            return body;
        }
        let message = "this returns nothing, but ends with a value";
        let unused = Diagnostic::new(Code::UnusedValue, value.span, message);
        self.report(unused.help(match body.ty.is_linear() {
            true => "put it into a vault of the state: `wallet[who].put(..)`",
            false => {
                "what a call tells is in its events: `emit Done { .. }`; a function says what it \
                 returns by `-> T` before `changes`"
            }
        }));
        body
    }

    fn signer(&mut self, name: &ast::Name) -> Option<Signer> {
        let (signer, ty) = if let Some(local) = self.find_local(&name.text) {
            let known = self.frame.locals.get(local)?;
            let ty = known.ty.clone();
            if let Some(used) = self.frame.used.get_mut(local) {
                *used = true;
            }
            (Signer::Argument(local), ty)
        } else {
            match self.find(&name.text) {
                Some(Def::Param(n)) => match self.contract.params.get(n).map(|p| &p.ty) {
                    Some(ParamTy::Value(ty)) => (Signer::Param(n), ty.clone()),
                    _ => (Signer::Param(n), Ty::Error),
                },
                Some(_) => {
                    let message = format!("`{}` can't sign", name.text);
                    let wrong = Diagnostic::new(Code::NotASigner, name.span, message);
                    self.report(wrong.help(
                        "signatures are checked before the state is read: take the key as an \
                         argument, and `require` that it is the one that the state names",
                    ));
                    return None;
                }
                None => {
                    self.unknown_name(&name.text, name.span);
                    return None;
                }
            }
        };
        if !matches!(ty, Ty::Pubkey | Ty::Error) {
            let message = format!("a `{}` can't sign: only a `pubkey`", self.show(&ty));
            self.report(Diagnostic::new(Code::NotASigner, name.span, message));
            return None;
        }
        Some(signer)
    }

    /// The assets after `mints` or `burns`.
    pub(super) fn may_create(&mut self, names: &[ast::Name]) -> Vec<usize> {
        let mut all = Vec::new();
        for name in names {
            if let Ty::Vault(asset) = self.vault_type(name) {
                all.push(asset.index);
            }
        }
        all
    }

    /// What the body mints and burns must be what its head says, in names and resolved.
    pub(super) fn clauses(
        &mut self,
        of: &ast::Name,
        [mints, burns]: [&[ast::Name]; 2],
        [may_mint, may_burn]: [&[usize]; 2],
    ) {
        self.named_once(mints);
        self.named_once(burns);
        let minted = std::mem::take(&mut self.frame.minted);
        let burned = std::mem::take(&mut self.frame.burned);
        for (word, said, done, names) in [
            ("mints", may_mint, minted, mints),
            ("burns", may_burn, burned, burns),
        ] {
            for (asset, span) in &done {
                if self.frame.entry && !said.contains(asset) {
                    let name = self.asset_name(*asset);
                    let message = format!("`{}` doesn't say that it {word} `{name}`", of.text);
                    let here = format!("write `{word} {name}` before its `{{`");
                    let unsaid = Diagnostic::new(Code::NotDeclared, *span, message);
                    self.report(
                        unsaid.label(of.span, here).help(
                            "so that readers see who can change how much of an asset there is",
                        ),
                    );
                }
            }
            for (asset, name) in said.iter().zip(names) {
                if !done.iter().any(|(known, _)| known == asset) {
                    let message = format!("`{}` never {word} `{}`", of.text, name.text);
                    self.report(Diagnostic::new(Code::UnusedName, name.span, message));
                }
            }
        }
    }

    pub(super) fn asset_name(&self, asset: usize) -> String {
        let def = self.contract.assets.get(asset);
        def.map(|def| def.name.clone()).unwrap_or_default()
    }

    fn invariant_item(&mut self, item: &ast::Invariant) {
        // To be constrained isn't to be used.
        let used = self.names.used.clone();
        let before = self.enter(None);
        self.frame.whole_state = true;
        let condition = self.expect(&item.condition, &Ty::Bool);
        let frame = self.leave(before);
        self.linear_expr(&frame.locals, frame.known, &condition);
        let here = std::mem::replace(&mut self.names.used, used);
        let helps = |def: &Def| matches!(def, Def::Function(_) | Def::Const(_));
        self.names.used.extend(here.into_iter().filter(helps));
        self.contract.invariants.push(InvariantDef {
            condition,
            locals: frame.locals.len(),
            span: item.span,
        });
    }

    pub(super) fn event_named(&mut self, name: &ast::Name) -> Option<(usize, EventDef)> {
        if let Some(Def::Event(n)) = self.find(&name.text) {
            return Some((n, self.contract.events.get(n)?.clone()));
        }
        let events = self.contract.events.iter();
        let known: Vec<String> = events.map(|e| e.of.name.clone()).collect();
        let message = format!("there is no event `{}`", name.text);
        let unknown = Diagnostic::new(Code::UnknownName, name.span, message);
        self.report(suggest(unknown, &name.text, name.span, &known));
        None
    }

    /// `emit E { a, b: c }`
    pub(super) fn emit(
        &mut self,
        name: &ast::Name,
        fields: &[(ast::Name, ast::Expr)],
        span: Span,
    ) -> Statement {
        if !self.frame.entry {
            let message = "only entries tell events";
            self.report(Diagnostic::new(Code::NotInEntry, span, message));
        }
        let Some((n, event)) = self.event_named(name) else {
            for (_, value) in fields {
                self.expr(value, None);
            }
            return Statement::Expr(Self::error(span));
        };
        match self.fields_given(&event.of, fields, name) {
            Some(given) => Statement::Emit(n, given, span),
            None => Statement::Expr(Self::error(span)),
        }
    }
}
