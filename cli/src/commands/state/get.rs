//! `gavel state get`: what stands at a place.

use std::path::PathBuf;

use gavel_prover::store::Options;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::state_dir::{self, StateDir, place};

/// Show what stands at a place of the state, as JSON.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Places are written as in the source; a key is a number, hex digits, a variant's name, a parameter's
name, or JSON. A place of several parts is shown as an object; one that nobody wrote is zero.

Examples:
  gavel state get state pool_a
  gavel state get state 'lots[7].owner'
  gavel state get state 'held[shop]' --json")]
pub struct Get {
    /// The folder of the state
    dir: PathBuf,
    /// The place, such as `lots[7].owner`
    place: String,
}

impl Get {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let state = StateDir::open(&self.dir, None, Options::default())?;
        let located = place(&state.about, &self.place)?;
        let reader = &state.store.reader;
        let cells = located.cells().iter();
        let words = cells
            .map(|(cell, _)| reader.cell(cell))
            .collect::<Result<Vec<_>, _>>();
        let value = located.value(&words.map_err(state_dir::failed)?);
        let text = value.to_string();
        output.result(&json!({ "place": self.place, "value": value }), || text);
        Ok(Exit::Good)
    }
}
