//! `gavel new`: a contract to start from, with parameters and example inputs.

use std::fs;
use std::path::PathBuf;

use serde::Serialize;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Existing};
use crate::output::Output;

/// What is written: a name that the contract's takes the place of, files and what comes next.
struct Template {
    name: &'static str,
    /// Endings, texts and what they are; the source first.
    files: &'static [(&'static str, &'static str, &'static str)],
    /// Commands; `FILE` is the source.
    next: &'static [&'static str],
}

const BET: Template = Template {
    name: "RainBet",
    files: &[
        ("gvl", include_str!("new/bet.gvl"), "the contract"),
        (
            "params.json",
            include_str!("new/bet.params.json"),
            "its parameters",
        ),
        (
            "play.json",
            include_str!("new/bet.play.json"),
            "inputs that `gavel play` plays",
        ),
    ],
    next: &[
        "gavel check FILE",
        "gavel compile FILE",
        "gavel cost FILE",
        "gavel play FILE --scenario lying-claimer",
    ],
};

const LEDGER: Template = Template {
    name: "Vouchers",
    files: &[
        ("gvl", include_str!("new/vouchers.gvl"), "the contract"),
        (
            "params.json",
            include_str!("new/vouchers.params.json"),
            "its parameters; the key is a test's, put in your own",
        ),
    ],
    next: &["gavel test FILE", "gavel check FILE --explain"],
};

/// The longest name that is taken.
const LONGEST: usize = 64;

/// Write a contract to start from, with parameters and example inputs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Writes NAME.gvl, NAME.params.json and NAME.play.json, and overwrites nothing. The contract is
a bet that compiles and can be played as it is. With --ledger it is one whose entries change a
state, with a test, a property and an invariant; there is no play file then.

Examples:
  gavel new rain_bet
  gavel new vouchers --ledger
  gavel new rain_bet --dir contracts")]
pub struct New {
    /// Lower-case letters, digits and underscores, a letter first
    name: String,
    /// The folder to write to; made if it doesn't exist
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// A ledger, whose calls change a state, instead of a contract over a coin
    #[arg(long)]
    ledger: bool,
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
        let template = if self.ledger { LEDGER } else { BET };
        let files: Vec<(PathBuf, &str)> = template
            .files
            .iter()
            .map(|(ending, text, _)| (self.place(ending), *text))
            .collect();
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
            let text = text.replace(template.name, &contract);
            file::write(path, text.as_bytes(), Existing::Keep)?;
        }
        let names: Vec<String> = files.iter().map(|f| f.0.display().to_string()).collect();
        let source = names.first().cloned().unwrap_or_default();
        let next = template.next.iter();
        let made = Made {
            contract,
            next: next
                .map(|command| command.replace("FILE", &source))
                .collect(),
            files: names,
        };
        output.result(&made, || made.text(&template));
        Ok(Exit::Good)
    }

    /// The file with this ending.
    fn place(&self, ending: &str) -> PathBuf {
        let name = format!("{}.{ending}", self.name);
        match self.dir.as_os_str().to_str() {
            Some(".") => PathBuf::from(name),
            _ => self.dir.join(name),
        }
    }
}

impl Made {
    fn text(&self, template: &Template) -> String {
        let files = self.files.iter().zip(template.files);
        let files: Vec<String> = files
            .map(|(path, (_, _, about))| format!("wrote {path}: {about}"))
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
