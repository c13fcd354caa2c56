//! The dispute game: each party is a machine without I/O. Events go in (blocks, transactions
//! seen, traces computed), duties come out (broadcast this, compute that).
//!
//! **Invariants:** duties are derived from what the chain shows, so they are idempotent and
//! survive a restart; evidence that was ever seen is kept, whatever the chain does.

mod evidence;
mod kit;
mod party;
mod view;

pub use evidence::{Evidence, Lie, find_lie};
pub use kit::{InputProof, Kit, KitError, Signer};
pub use party::Party;
pub use view::View;

use crate::graph::TxName;
use bitcoin::Transaction;
use gavel_compiler::segment::Trace;
use gavel_compiler::units::Height;

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A block joined the chain.
    Connected {
        /// Its height.
        height: Height,
        /// Its transactions.
        txs: Vec<Transaction>,
    },
    /// The block at this height left the chain.
    Disconnected {
        /// Its height.
        height: Height,
    },
    /// A transaction was seen outside a block.
    Seen(Transaction),
    /// The answer to [`Duty::Compute`].
    Traced {
        /// The input words.
        inputs: Vec<u32>,
        /// What they give.
        trace: Trace,
    },
}

/// Something to do.
#[derive(Clone, Debug)]
pub enum Duty {
    /// Have this transaction confirmed.
    Broadcast {
        /// Its name.
        name: TxName,
        /// Finished.
        tx: Transaction,
        /// By when, if a lock that helps a rival opens.
        deadline: Option<Height>,
    },
    /// Run `settle` on these input words and answer with [`Event::Traced`].
    Compute {
        /// The input words.
        inputs: Vec<u32>,
    },
}

/// A party's answer to what it knows.
#[derive(Debug, Default)]
pub struct Act {
    /// What to do now.
    pub duties: Vec<Duty>,
    /// The next tip height at which a lock lets the party do more.
    pub wake: Option<Height>,
    /// What it should have done and couldn't. One duty that fails never hides another.
    pub troubles: Vec<KitError>,
}

impl Act {
    /// Keeps what went wrong, and goes on.
    pub fn attempt(&mut self, done: Result<(), KitError>) {
        self.troubles.extend(done.err());
    }

    /// Wake up at a height, or earlier if something else asks for it.
    pub fn wake_at(&mut self, height: Height) {
        self.wake = Some(self.wake.map_or(height, |wake| wake.min(height)));
    }
}

/// A party at the table: the honest [`Party`], or somebody else's strategy.
pub trait Player {
    /// Its index.
    fn me(&self) -> u8;

    /// Takes note of an event.
    fn on(&mut self, event: &Event);

    /// What it wants done now.
    ///
    /// # Errors
    /// [`KitError`] if a transaction can't be finished.
    fn act(&mut self) -> Result<Act, KitError>;
}
