//! `gavel`: smart contracts on Bitcoin as it is, from a shell.
//!
//! One file per command under `commands/`. A command turns raw arguments into checked ones,
//! does its work through the libraries, and returns an [`Exit`] or a [`Failure`]; only
//! [`Output`] and [`progress`] write. With `--json`, standard output holds exactly one JSON
//! object, also when something fails.
#![forbid(unsafe_code)]

mod call_input;
mod commands;
mod contract_file;
mod exit;
mod failure;
mod file;
mod interrupt;
mod ledger_file;
mod output;
mod progress;
mod receipt_line;
mod secret_key;
mod sink;
mod state_dir;
mod state_lines;
mod table;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use exit::Exit;
use failure::Failure;
use output::Output;

/// Smart contracts on Bitcoin as it is today: written as programs, run off-chain, enforced
/// on-chain only when somebody lies.
#[derive(Debug, Parser)]
#[command(name = "gavel", version, propagate_version = true, after_help = AFTER_HELP)]
struct Cli {
    /// Write one JSON object to standard output, for scripts.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: commands::Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 good, 1 the contract or the game says no, 2 usage, 3 environment.

Examples:
  gavel new bet                a contract to start from
  gavel check bet.gvl          everything that is wrong with it
  gavel explain E0301          what the code of a problem means
  gavel test bet.gvl           the tests and properties that it carries
  gavel fmt bet.gvl            lay it out
  gavel compile bet.gvl        scripts, trees, an artifact
  gavel inspect bet.gvl        its leaves, and what their bytes do
  gavel debug bet.gvl segment:1/Yes  runs a leaf step by step
  gavel cost bet.gvl           what it costs, before any money moves
  gavel calls key alice.key    a key that signs calls of a ledger
  gavel run vouchers.gvl --state state --calls calls.jsonl  runs calls, keeps the state
  gavel state get state out    what a ledger's state holds
  gavel proof make state out   proves it, against the state's root
  gavel bench --quick          how fast ledgers run
  gavel regtest install        build a Bitcoin Core node, once
  gavel regtest up             start it in the background
  gavel completions bash       completions for your shell";

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let output = Output::new(cli.json);
    let ran = cli.command.run(&output);
    interrupt::hold();
    let exit = ran.unwrap_or_else(|failure| {
        output.failure(&failure);
        failure.exit
    });
    if output.is_whole() {
        exit.into()
    } else {
        Exit::Environment.into()
    }
}

/// Help and version are no errors; the rest is, and in JSON if that was asked for.
fn refuse(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = error.print(); // a closed pipe is no error
            return Exit::Good.into();
        }
        _ => {}
    }
    if std::env::args_os().any(|word| word == "--json") {
        Output::new(true).failure(&usage(&error.render().to_string()));
    } else {
        let _ = error.print();
    }
    Exit::Usage.into()
}

/// What clap would show to people, as a failure: everything above "Usage", tips as a hint.
fn usage(text: &str) -> Failure {
    let shown = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .filter(|line| !line.is_empty());
    let (tips, message): (Vec<&str>, Vec<&str>) = shown.partition(|line| line.starts_with("tip: "));
    let message = message.join(" ");
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    let tips = tips.iter().map(|tip| tip.trim_start_matches("tip: "));
    let hint: Vec<&str> = tips.chain(["See `gavel --help`."]).collect();
    Failure::usage(message).hint(hint.join("; "))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn usage_errors_name_what_is_missing() {
        let failure = super::usage(
            "error: the following required arguments were not provided:\n  <A>\n  <B>\n\n\
             Usage: gavel x <A> <B>\n\nFor more information, try '--help'.\n",
        );
        let message = "the following required arguments were not provided: <A> <B>";
        assert_eq!(failure.message, message);
        let failure = super::usage("error: no 'chek'\n\n  tip: there is 'check'\n\nUsage: x\n");
        assert_eq!(failure.message, "no 'chek'");
        let hint = "there is 'check'; See `gavel --help`.";
        assert_eq!(failure.hint.as_deref(), Some(hint));
    }

    #[test]
    fn arguments_are_consistent() {
        super::Cli::command().debug_assert();
    }
}
