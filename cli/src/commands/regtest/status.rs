//! `gavel regtest status`: whether a node is up, and what it is at.

use bitcoin::BlockHash;
use gavel_regtest::{State, Version};
use serde::Serialize;

use super::place::Target;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Show whether a node is up, and what it is at.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exits with 3 if no node is up.

Examples:
  gavel regtest status
  gavel regtest status --json | jq .height")]
pub struct Status {
    #[command(flatten)]
    target: Target,
}

#[derive(Serialize)]
struct Report {
    up: bool,
    url: String,
    version: Version,
    height: u32,
    best: BlockHash,
    mempool_transactions: u64,
    mempool_vbytes: u64,
    faucet_sats: u64,
    #[serde(flatten)]
    process: Option<Process>,
}

#[derive(Serialize)]
struct Process {
    pid: u32,
    datadir: String,
    cookie: String,
}

#[derive(Serialize)]
struct Down {
    up: bool,
    dir: String,
}

impl Status {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let mut process = None;
        if let Some(place) = self.target.place() {
            let background = place.background()?;
            let Some(state) = background.state()? else {
                let down = Down {
                    up: false,
                    dir: background.dir().display().to_string(),
                };
                output.result(&down, || format!("no node is up in {}", down.dir));
                return Ok(Exit::Environment);
            };
            process = Some(Process::from(&state));
        }
        let rpc = self.target.connect()?;
        let (chain, mempool) = (rpc.chain()?, rpc.mempool_info()?);
        let report = Report {
            up: true,
            url: rpc.url().to_owned(),
            version: rpc.version()?,
            height: chain.height,
            best: chain.best,
            mempool_transactions: mempool.transactions,
            mempool_vbytes: mempool.vbytes,
            faucet_sats: rpc.faucet_balance()?.to_sat(),
            process,
        };
        output.result(&report, || text(&report));
        Ok(Exit::Good)
    }
}

impl From<&State> for Process {
    fn from(state: &State) -> Self {
        Self {
            pid: state.pid,
            datadir: state.datadir.display().to_string(),
            cookie: state.cookie.display().to_string(),
        }
    }
}

fn text(report: &Report) -> String {
    let mut text = format!(
        "node up at {} (Bitcoin Core {})\nheight:  {} ({})\nmempool: {} transactions, {} vB\n\
         faucet:  {} sat\n",
        report.url,
        report.version,
        report.height,
        report.best,
        report.mempool_transactions,
        report.mempool_vbytes,
        report.faucet_sats
    );
    if let Some(process) = &report.process {
        let Process {
            pid,
            datadir,
            cookie,
        } = process;
        text += &format!("pid:     {pid}\ndata:    {datadir}\ncookie:  {cookie}\n");
    }
    text
}
