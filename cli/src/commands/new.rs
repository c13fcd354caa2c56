//! `gavel new`: a contract to start from, with parameters and example inputs.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Existing};
use crate::output::Output;

const SOURCE: &str = include_str!("new/bet.gvl");
const PARAMS: &str = include_str!("new/bet.params.json");
const PLAY: &str = include_str!("new/bet.play.json");
/// The longest name that is taken.
const LONGEST: usize = 64;

/// Write a contract to start from, with parameters and example inputs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes NAME.gvl, NAME.params.json and NAME.play.json, and overwrites nothing. The contract is
a bet that compiles and can be played as it is.

Examples:
  gavel new rain_bet
  gavel new rain_bet --dir contracts")]
pub struct New {
    /// Lower-case letters, digits and underscores, a letter first
    name: String,
    /// The folder to write to; made if it doesn't exist
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

#[derive(Debug, Serialize)]
struct Made {
    contract: String,
    files: Vec<String>,
    next: Vec<String>,
}

impl New {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let contract = contract_name(&self.name)?;
        let files = [
            (format!("{}.gvl", self.name), SOURCE),
            (format!("{}.params.json", self.name), PARAMS),
            (format!("{}.play.json", self.name), PLAY),
        ]
        .map(|(name, text)| match self.dir.as_os_str().to_str() {
            Some(".") => (PathBuf::from(name), text),
            _ => (self.dir.join(name), text),
        });
        if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
            return Err(file::exists(path).hint("Choose another name, or move the file away."));
        }
        if self.dir.exists() && !self.dir.is_dir() {
            let shown = self.dir.display();
            return Err(Failure::usage(format!("`{shown}` is no folder")));
        }
        fs::create_dir_all(&self.dir).map_err(|error| {
            let shown = self.dir.display();
            Failure::new(
                Exit::Environment,
                "unwritable",
                format!("folder `{shown}` can't be made: {error}"),
            )
        })?;
        for (path, text) in &files {
            let text = text.replace("RainBet", &contract);
            file::write(path, text.as_bytes(), Existing::Keep)?;
        }
        let names = files.map(|(path, _)| path.display().to_string());
        let [source, ..] = &names;
        let made = Made {
            contract,
            next: [
                format!("gavel check {source}"),
                format!("gavel compile {source}"),
                format!("gavel cost {source}"),
                format!("gavel play {source} --scenario lying-claimer"),
            ]
            .to_vec(),
            files: names.to_vec(),
        };
        output.result(&made, || made.text());
        Ok(Exit::Good)
    }
}

impl Made {
    fn text(&self) -> String {
        const ABOUT: [&str; 3] = [
            "the contract",
            "its parameters",
            "inputs that `gavel play` plays",
        ];
        let files = self.files.iter().zip(ABOUT);
        let files: Vec<String> = files
            .map(|(path, about)| format!("wrote {path}: {about}"))
            .collect();
        format!(
            "{}\n\nnext:\n  {}",
            files.join("\n"),
            self.next.join("\n  ")
        )
    }
}

/// `rain_bet` → `RainBet`.
fn contract_name(name: &str) -> Result<String, Failure> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let sound = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(letters)
        && name.len() <= LONGEST;
    if !sound {
        return Err(Failure::usage(format!(
            "`{}` is no name for a contract: use lower-case letters, digits and underscores, a \
             letter first, {LONGEST} at most",
            name.escape_debug()
        )));
    }
    let parts = name.split('_').map(|part| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    Ok(parts.collect())
}
