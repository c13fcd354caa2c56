//! `gavel calls key`: makes a secret key.

use std::path::PathBuf;

use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::secret_key::SecretKey;

/// Make a new secret key, and print the public one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The file is for its owner only, and nothing is overwritten. Who has it can sign as this key; keep a
copy where nobody else looks.

Examples:
  gavel calls key alice.key")]
pub struct Key {
    /// The file to write the secret key to
    file: PathBuf,
}

impl Key {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let key = SecretKey::create(&self.file)?;
        let public = key.public().to_string();
        let file = self.file.display().to_string();
        output.result(&json!({ "public": public, "file": file }), || {
            public.clone()
        });
        Ok(Exit::Good)
    }
}
