//! Ledgers: contracts whose calls change state.
//!
//! A call runs one [`Routine`](crate::word::Routine) on the [`State`]. [`execute`] is the
//! reference for that and [`Ledger`] for calls as a whole: small, slow, obvious, and the law
//! that every faster engine is compared with. [`root`] is the same for the state's root.
//!
//! [`LedgerContract`] is a ledger as its source declares it, with names.
//!
//! `docs/ledger.md` says what is signed and hashed, byte for byte, and why.

mod analysis;
mod apply;
mod call;
mod contract;
mod entry;
mod execute;
mod place;
mod root;
mod state;

pub use analysis::{
    AbortPlaces, AssetAnalysis, Deed, EntryAnalysis, FieldAnalysis, LedgerAnalysis, Locate, Touch,
};
pub use apply::{Ledger, Receipt, Refusal};
pub use call::{Call, Signed};
pub use contract::{
    DeclaredEntry, EventDecl, Family, LedgerContract, NamedCell, NamedEvent, ParamValue,
};
pub use entry::{ArgumentError, Entry, EntryError, NONCES, Signer};
pub use execute::{Changes, Event, Executed, Failure, Write, execute};
pub use root::{Root, branch, leaf, path, root};
pub use state::{CellId, State};
