//! Ledgers: contracts whose calls change state.
//!
//! A call runs one [`Routine`](crate::word::Routine) on the [`State`]. [`execute`] is the
//! reference for that and [`Ledger`] for calls as a whole: small, slow, obvious, and the law
//! that every faster engine is compared with. [`root`] is the same for the state's root.
//!
//! `docs/ledger.md` says what is signed and hashed, byte for byte, and why.

mod apply;
mod call;
mod entry;
mod execute;
mod root;
mod state;

pub use apply::{Ledger, Receipt, Refusal};
pub use call::{Call, Signed};
pub use entry::{ArgumentError, Entry, EntryError, NONCES, Signer};
pub use execute::{Changes, Event, Executed, Failure, Write, execute};
pub use root::{Root, branch, leaf, path, root};
pub use state::{CellId, State};
