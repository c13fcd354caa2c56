//! `gavel play`: a scenario on a real node, from funding to the balance sheet.

use std::path::PathBuf;

use gavel_compiler::Options;
use gavel_compiler::units::Weight;
use gavel_regtest::Config;
use gavel_tests::scenario::{self, Scenario};
use gavel_tests::{Case, PlayError, Report, Stage};
use gavel_verifier::deploy::Terms;
use serde::Serialize;

use crate::contract_file::{Loaded, load, terms};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt;
use crate::output::{Output, stderr_style};
use crate::progress::during;
use crate::table::{Table, grouped};

/// Over the lines that say who does what.
const HEAD: &str = " height  who         what";

/// Play a game on a regtest node of its own, under stock policy.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The parties' keys are made up for the game, and so is their money. Inputs come from NAME.play.json
beside NAME.gvl: its first case with an outcome is the truth. Every game checks that sizes are as
predicted, that everybody got what the rules give, and that no honest party lost; if not, the exit
code is 1.

Examples:
  gavel play contracts/price_bet.gvl --scenario lying-claimer
  gavel play contracts/merkle_raffle.gvl --scenario false-challenge --json
  gavel play contracts/price_bet.gvl --scenario all
  gavel play --list")]
pub struct Play {
    /// The source (.gvl), or an artifact (.json)
    #[arg(required_unless_present = "list")]
    file: Option<PathBuf>,
    /// How the game goes: a name from --list, or `all` that fit the contract
    #[arg(long, value_name = "NAME", default_value = "honest")]
    scenario: String,
    /// Show the scenarios
    #[arg(long)]
    list: bool,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// The case of the play file that is the truth
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// The most weight units that a transaction which spends a leaf may have: less makes more
    /// segments
    #[arg(long, value_name = "WU", value_parser = super::number, allow_negative_numbers = true)]
    max_leaf_weight: Option<u64>,
    /// Terms of the deployment, a JSON object
    #[arg(long, value_name = "FILE")]
    terms: Option<PathBuf>,
    /// Use this bitcoind instead of looking for one
    #[arg(long, value_name = "FILE", env = "GAVEL_BITCOIND")]
    bitcoind: Option<PathBuf>,
}

#[derive(Serialize)]
struct Played {
    reports: Vec<Report>,
}

#[derive(Serialize)]
struct List {
    scenarios: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    about: &'static str,
}

impl Play {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        if self.list {
            list(output);
            return Ok(Exit::Good);
        }
        let options = self.max_leaf_weight.map(|weight| Options {
            max_leaf_weight: Weight(weight),
        });
        let path = self.file.clone().unwrap_or_default();
        let loaded = load(&path, self.params.as_deref(), options.as_ref())?.with_cases()?;
        output.aside(&loaded.warnings(stderr_style()));
        let stage = self.stage(&loaded)?;
        interrupt::watch(*output)?;
        let mut reports = Vec::new();
        for scenario in self.scenarios(&stage)? {
            output.line(&heading(&stage, scenario));
            let mut last = None;
            let mut height = 0;
            let mut watch = |line: &gavel_tests::game::Line| {
                if line.height.0 < height {
                    output.line(&format!("\n{HEAD}")); // another game, on a chain of its own
                }
                height = line.height.0;
                // The same party acts at the same height in several lines: say both once.
                let at = format!("{:>7}  {:<10}", line.height.0, line.who);
                let shown = if last.as_ref() == Some(&at) {
                    " ".repeat(19)
                } else {
                    at.clone()
                };
                last = Some(at);
                output.line(&format!("{shown}  {}", line.what));
            };
            let mut play = || (scenario.play)(&stage, &mut watch).map_err(failure);
            // People see what happens; for others it would be silent for long.
            let played = match output.is_json() {
                true => during(&format!("playing {}", scenario.name), play),
                false => play(),
            }?;
            for report in &played {
                output.line(&text(report));
            }
            reports.extend(played);
        }
        output.json_only(&Played { reports });
        Ok(Exit::Good)
    }

    /// What to play, and that it fits.
    fn scenarios(&self, stage: &Stage) -> Result<Vec<&'static Scenario>, Failure> {
        if self.scenario == "all" {
            return Ok(scenario::ALL
                .iter()
                .filter(|s| (s.unfit)(stage).is_none())
                .collect());
        }
        let found = scenario::find(&self.scenario).ok_or_else(|| {
            let names = scenario::ALL.iter().map(|s| s.name);
            let meant = gavel_compiler::diagnostic::did_you_mean(&self.scenario, names);
            let failure = Failure::usage(format!("there is no scenario `{}`", self.scenario));
            match meant {
                Some(name) => failure.hint(format!("Did you mean `{name}`? --list shows all.")),
                None => failure.hint("`gavel play --list` shows all."),
            }
        })?;
        if let Some(why) = (found.unfit)(stage) {
            let name = &stage.contract.name;
            let message = format!("`{}` makes no sense for {name}: {why}", found.name);
            return Err(Failure::usage(message).hint("`--scenario all` plays those that fit."));
        }
        Ok(vec![found])
    }

    fn stage(&self, loaded: &Loaded) -> Result<Stage, Failure> {
        let mut cases: Vec<Case> = loaded
            .cases
            .iter()
            .map(|case| Case {
                name: case.name.clone(),
                words: case.words.clone(),
                outcome: case.outcome,
            })
            .collect();
        if cases.is_empty() {
            let beside = loaded.path.with_extension("play.json");
            let message = format!("there are no example inputs: no `{}`", beside.display());
            return Err(Failure::usage(message)
                .hint("`gavel new` writes one to start from: {\"cases\": [{\"name\", \"inputs\", \"expect\"}]}."));
        }
        if let Some(name) = &self.case {
            let at = cases
                .iter()
                .position(|case| case.name == *name && case.outcome.is_some());
            let at = at.ok_or_else(|| {
                let names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
                Failure::usage(format!("no case `{name}` with an outcome"))
                    .hint(format!("There are: {}.", names.join(", ")))
            })?;
            let case = cases.remove(at);
            cases.insert(0, case);
        }
        let node = self
            .bitcoind
            .iter()
            .fold(Config::default(), |node, path| node.bitcoind(path));
        let terms = self
            .terms
            .as_deref()
            .map_or_else(|| Ok(Terms::default()), terms)?;
        Ok(Stage {
            contract: loaded.contract().clone(),
            plan: loaded.plan().clone(),
            terms,
            cases,
            node,
        })
    }
}

fn list(output: &Output) {
    let scenarios = scenario::ALL
        .iter()
        .map(|s| Listed {
            name: s.name,
            about: s.about,
        })
        .collect();
    let all = List { scenarios };
    output.result(&all, || {
        let mut table = Table::new(&["scenario", "<what happens"]);
        for scenario in &all.scenarios {
            table.row([scenario.name.to_owned(), scenario.about.to_owned()]);
        }
        table.text()
    });
}

fn heading(stage: &Stage, scenario: &Scenario) -> String {
    let parties = stage.contract.parties.join(", ");
    let segments = match stage.plan.segments.len() {
        1 => "one leaf decides".to_owned(),
        n => format!("{n} segments"),
    };
    format!(
        "{} · {}: {}\n{parties}; {segments}; starting a node and signing the graph\n\n{HEAD}",
        stage.contract.name, scenario.name, scenario.about
    )
}

/// A game for people.
fn text(report: &Report) -> String {
    let mut txs = Table::new(&["transaction", "vB", "predicted", "fee", "block", "<txid"]);
    for row in &report.transactions {
        txs.row([
            row.name.clone(),
            grouped(row.vbytes.0),
            grouped(row.predicted_vbytes.0),
            grouped(row.fee.0),
            row.height.to_string(),
            row.txid.to_string(),
        ]);
    }
    let mut sheet = Table::new(&[
        "party",
        "<",
        "paid in",
        "got",
        "by the rules",
        "its fees",
        "pot share",
        "net",
    ]);
    for row in &report.sheet.rows {
        let net = row.net();
        let sign = if net < 0 { "-" } else { "+" };
        sheet.row([
            row.party.clone(),
            if row.honest { "honest" } else { "rogue" }.to_owned(),
            grouped(row.paid_in.0),
            grouped(row.got.0),
            grouped(row.expected.0),
            grouped(row.fees.0),
            grouped(row.promised.0),
            format!("{sign}{}", grouped(net.unsigned_abs())),
        ]);
    }
    let paid = match &report.paid {
        Some(outcome) => format!("The pot was paid as {outcome}."),
        None => "The pot was refunded.".to_owned(),
    };
    format!(
        "\n{}\n{}\n{paid} Sizes as predicted; all got what the rules give; no honest party lost \
         (bitcoind {}, stock policy; amounts in sats).\n",
        txs.text(),
        sheet.text(),
        report.node
    )
}

fn failure(error: PlayError) -> Failure {
    let message = error.to_string();
    match error {
        PlayError::Node(error) => error.into(),
        PlayError::Chain(_) | PlayError::Run(gavel_verifier::run::RunError::Chain(_)) => {
            Failure::new(Exit::Environment, "node", message)
                .hint("The node of this game is gone; nothing but its own folder was touched.")
        }
        PlayError::Stage(_) => Failure::usage(message),
        PlayError::Deploy(_) => Failure::new(Exit::No, "deploy", message)
            .hint("`gavel cost` shows what the terms ask for."),
        PlayError::Broken(_) => Failure::new(Exit::No, "game", message),
        PlayError::Load(_) => Failure::new(Exit::No, "contract", message),
        _ => Failure::new(Exit::No, "game", message),
    }
}
