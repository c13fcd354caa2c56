//! `gavel test`: the tests and properties that contracts carry.

mod report;

use std::path::PathBuf;

use gavel_compiler::testing::{self, Options};

use crate::contract_file::{draw, from_artifact, is_artifact, sources};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::Progress;
use report::{FileReport, Report};

/// Run the tests and properties that contracts and libraries carry
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A `test` is tried as it stands, a `prop` on many cases. A case that fails is made as small as it
can be and shown with the command that finds it again: the same seed draws the same cases, on any
machine and whichever others run. Exit code 1 if anything fails, or if a source has errors.

Examples:
  gavel test bet.gvl
  gavel test contracts/*.gvl --cases 10_000
  gavel test bet.gvl --only strike --seed 7
  gavel test bet.gvl --json | jq '.files[].tests[] | select(.ok | not)'")]
pub struct Test {
    /// Sources (.gvl) or artifacts (.json)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Decides the cases of every property
    #[arg(long, value_name = "N", default_value = "0", value_parser = super::number)]
    seed: u64,
    /// On how many cases each property is tried, 1 to 100_000_000
    #[arg(long, value_name = "N", default_value = "256", value_parser = cases)]
    cases: u32,
    /// Only tests and properties with this in their name
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// The most cases of a property.
const MAX_CASES: u32 = 100_000_000;

fn cases(text: &str) -> Result<u32, String> {
    let number = super::number(text).ok();
    let number = number.and_then(|n| u32::try_from(n).ok());
    number
        .filter(|n| (1..=MAX_CASES).contains(n))
        .ok_or_else(|| "a whole number from 1 to 100_000_000 is needed".to_owned())
}

impl Test {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        // A file that can't be read is known before anything runs.
        let mut all = Vec::new();
        for file in &self.files {
            all.push(if is_artifact(file) {
                from_artifact(file)?.sources
            } else {
                sources(file)?
            });
        }
        let options = Options {
            seed: self.seed,
            cases: self.cases,
            only: self.only.clone(),
        };
        let mut report = Report::new(&options);
        for (path, sources) in self.files.iter().zip(&all) {
            let mut progress = Progress::new();
            let ran = testing::run(sources, &options, &mut |name, done, of| {
                progress.show(name, u64::from(done), u64::from(of));
            });
            drop(progress);
            let file = FileReport::new(path, sources, &ran);
            let drawn = ran.map_or_else(
                |found| draw(&found, sources, output.style()),
                |_| String::new(),
            );
            // With `--only`, files without such a test are no news.
            if self.only.is_none() || !file.is_empty() {
                output.line(&format!("{drawn}{}", file.text(&options)));
            }
            report.files.push(file);
        }
        report.sum_up();
        if let Some(only) = self.only.filter(|_| report.is_empty()) {
            let message = format!("no test or property has `{only}` in its name");
            return Err(Failure::usage(message).hint("Without `--only`, all are run and listed."));
        }
        output.line(&report.summary());
        output.json_only(&report);
        Ok(if report.ok { Exit::Good } else { Exit::No })
    }
}
