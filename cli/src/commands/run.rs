//! `gavel run`: runs calls in batches, and keeps the state in a folder.

mod feed;
mod ledger;
mod summary;
mod tally;
mod text;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use gavel_compiler::units::Height;
use gavel_prover::calls::Interface;
use gavel_prover::engine::Signatures;
use gavel_prover::{About, Settings};

use crate::call_input::{self, CallInput};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ledger_file;
use crate::output::Output;
use feed::Feed;
use summary::Summary;
use tally::Tally;

/// Run calls of a ledger in batches, and keep its state in a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The folder is made on first use, and belongs to one contract. Calls run in their order; a batch is
on the disk before it is counted. A call that makes no sense is refused and has a receipt that says
why; a line that is no call has one, too, and is left out. Neither stops the others.

Nothing is applied of a file that ends half-way, unless --partial says so. What comes from standard
input can't be looked at before: whole batches stand, the one that was cut off doesn't.

Examples:
  gavel run vouchers.gvl --state state --calls calls.jsonl
  gavel run vouchers.gvl --state state --calls calls.bin --receipts receipts.jsonl --explain
  gavel run vouchers.gvl --state state --calls - --height 880000 --json < calls.jsonl")]
pub struct Run {
    /// The source (.gvl)
    contract: PathBuf,
    /// The folder of the state
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The calls; `-` for standard input
    #[arg(long, value_name = "FILE|-")]
    calls: PathBuf,
    /// Calls of a batch
    #[arg(long, value_name = "N", default_value = "100000", value_parser = batch)]
    batch: NonZeroUsize,
    /// Threads to work with; as many as there are cores where absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How signatures are checked; what is valid is the same
    #[arg(long, value_name = "HOW", default_value = "bundles")]
    signatures: How,
    /// The height of the block that calls run at; that of the last batch, or 0, where absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32))]
    height: Option<u32>,
    /// Where to write receipts as lines of JSON; `-` for standard output
    #[arg(long, value_name = "FILE|-")]
    receipts: Option<PathBuf>,
    /// Apply what is whole of calls that end half-way
    #[arg(long)]
    partial: bool,
    /// Say how each batch was scheduled
    #[arg(long)]
    explain: bool,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
}

/// How signatures are checked.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum How {
    /// Many at once; those that don't hold together, one by one
    Bundles,
    /// Each alone, with libsecp256k1
    OneByOne,
}

impl From<How> for Signatures {
    fn from(how: How) -> Self {
        match how {
            How::Bundles => Self::Check,
            How::OneByOne => Self::OneByOne,
        }
    }
}

/// The most calls of a batch: more don't fit in memory anyway.
const MOST: usize = 10_000_000;

fn batch(text: &str) -> Result<NonZeroUsize, String> {
    let number = super::number(text)
        .ok()
        .and_then(|n| usize::try_from(n).ok());
    let number = number.filter(|n| *n <= MOST).and_then(NonZeroUsize::new);
    number.ok_or_else(|| format!("a whole number from 1 to {MOST} is needed"))
}

impl Run {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let contract = ledger_file::load(&self.contract, self.params.as_deref(), output)?;
        let about = About::from(&contract);
        let input = CallInput::open(&self.calls)?;
        let shown = input.shown.clone();
        if let Some(cut) = input.cut.as_ref().filter(|_| !self.partial) {
            return Err(call_input::cut_off(&shown, cut)
                .hint("Nothing was applied. --partial applies the calls before that."));
        }
        self.set_threads()?;
        let settings = Settings {
            threads: self.threads.unwrap_or(0).into(),
            signatures: self.signatures.into(),
            ..Settings::default()
        };
        let mut operator = ledger::open(&self.state, &contract, &about, settings)?;
        let height = ledger::height(&operator, self.height)?;
        let size = input.size.unwrap_or(0);
        let interface = Interface::from(&contract);
        let stream = input.stream(&interface, self.batch)?;
        let mut feed = Feed::new(stream, self.partial);
        let mut tally = Tally::new(&about, self.receipts.as_deref(), self.explain, output)?;
        tally.follow(feed.follow(), size);
        let started = Instant::now();
        let before = operator.root();
        let ran = run_all(&mut operator, &mut feed, height, &mut tally);
        let took = started.elapsed();
        // What was reported stands, whatever came after it.
        let finished = tally.finish();
        ran?;
        let totals = finished?;
        if let Some(error) = feed.failed() {
            return Err(call_input::failed(&shown, error));
        }
        let summary = Summary::new(&operator, &about, before, took, totals, &feed);
        ledger::close(operator)?;
        output.result(&summary, || text::text(&summary));
        match feed.cut() {
            Some(cut) if !self.partial => {
                let mut failure = call_input::cut_off(&shown, cut);
                let stand = summary.batches;
                failure.message.push_str(&format!(
                    "; the {stand} batches before stand, the calls after them were not applied"
                ));
                if !output.is_json() {
                    output.failure(&failure);
                }
                Ok(Exit::No)
            }
            _ => Ok(Exit::Good),
        }
    }

    /// Also calls are read on so many threads.
    fn set_threads(&self) -> Result<(), Failure> {
        let Some(threads) = self.threads else {
            return Ok(());
        };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.into());
        pool.build_global().map_err(|error| {
            let message = format!("no threads can be started: {error}");
            Failure::new(Exit::Environment, "threads", message)
        })
    }
}

/// Runs all calls. Where many lines in a row are no calls, those before are finished first, so
/// that receipts are in order and nothing piles up.
fn run_all<R: std::io::Read + Send>(
    operator: &mut gavel_prover::Operator,
    feed: &mut Feed<'_, R>,
    height: Height,
    tally: &mut Tally,
) -> Result<(), Failure> {
    loop {
        let stop = feed.stopper();
        let ran = operator.run_all(&mut *feed, height, |outcome, tag| {
            if tally.batch(&outcome, &tag).is_err() {
                stop.stop();
            }
        });
        ran.map_err(ledger::failed)?;
        tally.undecodable(feed.take_idle());
        if feed.has_ended() || tally.has_failed() {
            return Ok(());
        }
    }
}
