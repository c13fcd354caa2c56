//! Ledgers: contracts whose calls change state.
//!
//! A call runs one [`Routine`](crate::word::Routine) on the [`State`]. [`execute`] is the
//! reference: small, slow, obvious, and the law that every faster engine is compared with. It
//! changes nothing by itself: whoever calls it applies the writes.

mod execute;
mod state;

pub use execute::{Changes, Event, Executed, Failure, Write, execute};
pub use state::{CellId, State};
