//! `gavel proof make`: proves what stands at a place.

use std::path::PathBuf;

use gavel_prover::store::{Options, StoreError};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Existing};
use crate::output::Output;
use crate::state_dir::{self, StateDir, place};

/// Prove what stands at a place of the state, or that nothing does.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A proof is about one cell: of a place of several parts, name one. It is an object of JSON on
standard output, unless --out names a file; the root is what `gavel state root` shows.

Examples:
  gavel proof make state 'held[shop]' --out proof.json
  gavel proof make state 'lots[7].owner' | gavel proof check - --root 3f..")]
pub struct Make {
    /// The folder of the state
    dir: PathBuf,
    /// The place, such as `lots[7].owner`
    place: String,
    /// The file to write the proof to
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Make {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let state = StateDir::open(&self.dir, None, Options::default())?;
        let located = place(&state.about, &self.place)?;
        let (cell, _) = located.only().map_err(|parts| {
            let message = format!(
                "`{}` has several parts, and a proof is about one",
                self.place
            );
            Failure::usage(message).hint(format!("Add one of {}.", parts.join(", ")))
        })?;
        let reader = &state.store.reader;
        let proof = state.store.tree.prove(cell, reader, reader);
        let proof = proof.map_err(|error| state_dir::failed(StoreError::from(error)))?;
        let text = serde_json::to_string(&proof)
            .map_err(|error| Failure::new(Exit::No, "proof", error.to_string()))?;
        let Some(out) = &self.out else {
            output.raw_json(&text);
            return Ok(Exit::Good);
        };
        file::write(out, format!("{text}\n").as_bytes(), Existing::Replace)?;
        let (root, shown) = (
            state.store.tree.root().to_string(),
            out.display().to_string(),
        );
        output.result(&json!({ "file": shown, "root": root }), || {
            format!("wrote {shown}; the root is {root}")
        });
        Ok(Exit::Good)
    }
}
