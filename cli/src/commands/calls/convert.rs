//! `gavel calls convert`: lines of JSON to records of bytes, and back.

use std::io::Write;
use std::path::PathBuf;

use clap::ValueEnum;
use gavel_prover::calls::{BinaryError, BinaryWriter, Interface, WriteError, write_json};
use rayon::prelude::*;
use serde_json::json;

use super::sign::each_chunk;
use crate::call_input::CallInput;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ledger_file;
use crate::output::Output;
use crate::sink::Sink;

/// How calls are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum To {
    /// Records of bytes
    Binary,
    /// Lines of JSON
    Json,
}

/// Write calls in the other form.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gavel calls convert vouchers.gvl --calls calls.jsonl --out calls.bin
  gavel calls convert vouchers.gvl --calls calls.bin --to json")]
pub struct Convert {
    /// The source (.gvl)
    contract: PathBuf,
    /// The calls; `-` for standard input
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    calls: PathBuf,
    /// The form to write
    #[arg(long, value_enum, default_value_t = To::Binary)]
    to: To,
    /// Where to write them; `-` for standard output
    #[arg(long, value_name = "FILE|-", default_value = "-")]
    out: PathBuf,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
}

impl Convert {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let contract = ledger_file::load(&self.contract, self.params.as_deref(), output)?;
        let interface = Interface::from(&contract);
        let input = CallInput::open(&self.calls)?;
        let mut sink = Sink::new(&self.out, output)?;
        let calls = match self.to {
            To::Json => to_json(input, &interface, &mut sink)?,
            To::Binary => to_binary(input, &interface, &mut sink)?,
        };
        sink.finish()?;
        output.json_only(&json!({ "calls": calls }));
        output.aside(&format!("{calls} calls\n"));
        Ok(Exit::Good)
    }
}

fn to_json(input: CallInput, interface: &Interface, sink: &mut Sink) -> Result<u64, Failure> {
    each_chunk(input, interface, "converting", |calls| {
        let lines: Vec<_> = calls
            .par_iter()
            .map(|call| write_json(call, interface))
            .collect();
        for line in lines {
            let line = line.map_err(|error| unfit(&error))?;
            let written = writeln!(sink, "{line}");
            written.map_err(|error| sink.failed(&error))?;
        }
        Ok(())
    })
}

fn to_binary(input: CallInput, interface: &Interface, sink: &mut Sink) -> Result<u64, Failure> {
    let failed = |sink: &Sink, error| sink.failed(&error);
    let writer = BinaryWriter::new(Vec::new(), interface);
    let mut writer = writer.map_err(|error| failed(sink, error))?;
    let count = each_chunk(input, interface, "converting", |calls| {
        for call in &calls {
            writer.write(call).map_err(|error| match error {
                BinaryError::Call(error) => unfit(&error),
                BinaryError::Io(error) => failed(sink, error),
            })?;
        }
        let bytes = std::mem::take(writer.get_mut());
        sink.write_all(&bytes).map_err(|error| failed(sink, error))
    })?;
    let rest = writer.finish().map_err(|error| failed(sink, error))?;
    sink.write_all(&rest).map_err(|error| failed(sink, error))?;
    Ok(count)
}

fn unfit(error: &WriteError) -> Failure {
    Failure::new(Exit::No, "call", error.to_string())
}
