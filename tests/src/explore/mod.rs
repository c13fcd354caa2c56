//! Explores every order of events: the production graph and the production machines of the
//! honest parties, on a chain of which a coalition of all the others decides what it mines,
//! delays and disconnects, within the bounds of the promise in `docs/protocol.md`.
//!
//! `setting` says what is explored, `meaning` what each leaf wants, `world` what can happen at
//! all, `state` what can happen next, `judge` what must hold in the end, `search` how to look,
//! `story` how to tell.

pub mod judge;
pub mod meaning;
pub mod mind;
pub mod mutation;
pub mod replay;
pub mod search;
pub mod setting;
pub mod state;
pub mod story;
pub mod toy;
pub mod world;

pub use mutation::Mutation;
pub use replay::replay;
pub use search::{Found, Limits, Losing, exhaust, shortest, wander};
pub use setting::{Rules, Setting, Tell};
pub use state::{Move, State};
pub use story::story;
pub use toy::{Toy, least_windows};
pub use world::World;
