//! A real Bitcoin Core node on demand, on regtest: for tests, demonstrations and development.
//!
//! ```
//! use bitcoin::Amount;
//! use gavel_regtest::{Node, faucet};
//!
//! let node = Node::start()?; // its own folder and port; ended when dropped
//! let rpc = node.rpc();
//! let coin = rpc.fund(&faucet::script(), Amount::from_sat(100_000))?; // real, confirmed
//! assert_eq!(rpc.unspent(&coin.outpoint, true)?.map(|u| u.confirmations), Some(1));
//! # Ok::<(), gavel_regtest::Error>(())
//! ```
//!
//! | module or type | about |
//! |---|---|
//! | [`Bitcoind::find`] | which `bitcoind` to run |
//! | [`install`] | builds one from the source in a crates.io package, if there is none |
//! | [`Node`] | a process that ends with the value |
//! | [`Background`] | a process that stays, for the command line |
//! | [`Rpc`] | calls, typed; also to a node that somebody else started |
//! | [`faucet`] | money |
//!
//! **Invariants.** No policy flag is passed: a transaction that this node takes, a stock node
//! relays. No process is ended that we didn't start. Nothing prints. This crate knows nothing
//! of contracts.
//!
//! **If a signal ends the program**, nothing is dropped and its nodes keep running, unless the
//! program handles the signal and calls [`end_all`]. SIGKILL can't be handled.
#![forbid(unsafe_code)]

mod background;
mod error;
pub mod faucet;
mod find;
pub mod install;
mod node;
mod process;
mod rpc;
mod version;

pub use background::{Background, State};
pub use error::Error;
pub use faucet::Funded;
pub use find::{BITCOIND_ENV, Bitcoind, CACHE_ENV, Origin, built_bitcoind, cache_dir};
pub use install::{InstallError, Phase, Progress};
pub use node::{Config, Node, end_all};
pub use rpc::{
    Auth, Chain, Confirmation, MempoolInfo, PackageReport, PackageTx, Reject, Rpc, UnspentOutput,
    Verdict,
};
pub use version::Version;
