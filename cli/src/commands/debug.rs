//! `gavel debug`: runs a leaf step by step, forwards and backwards.

mod command;
mod cursor;
mod frames;
mod screen;
mod view;

use std::io::IsTerminal;
use std::path::PathBuf;

use gavel_compiler::Options;
use gavel_compiler::script::vm::Rules;
use gavel_compiler::units::Weight;
use serde_json::json;

use super::leaf::{self, Which};
use crate::contract_file::load;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::file;
use crate::output::{Output, stderr_style};
use command::{Command, parse};
use cursor::Cursor;

/// Run a segment's leaf step by step, forwards and backwards: stack beside source.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The leaf (`segment:N`, or `segment:N/OUTCOME` of the last segment) is run as a challenger runs it:
on what the claimer committed to, signed with keys that everybody can compute. By default that is
an honest run of --inputs, or of the first example in NAME.play.json; --frame and --corrupt change
what is committed. The words of an element go little end first, and so do the digits of a word.

On a terminal the leaf is shown with keys to move: n p a step, N P a source line, space ten steps,
g an offset, / a text, . the next place with it, b a line to stop at, c to the next such line,
s e the start and the end, + - more or fewer stack items, q quits. Without a terminal, or with
--script, commands are read, separated by `;` or by lines:

  step [N]    back [N]       N instructions forwards, backwards
  next        prev           to the next source line, the one before
  line LINE                  forwards to what is done for a line, `12` or `std/math:12`
  goto OFFSET                to the instruction at a byte
  find TEXT                  forwards to what has it in its description or opcodes
  break LINE  continue       a line to stop at; forwards to the next such line
  start       end            before the first instruction, after the last
  print       stack [N]      where it is and the stack; N items of it
  screen                     what a terminal would show
  quit

At the end stands the verdict: whether the leaf can be spent, and why.

Examples:
  gavel debug bet.gvl segment:1/Yes --inputs '{\"price\": \"1234\"}'
  gavel debug bet.gvl segment:2 --corrupt 5.0.3=7
  gavel debug bet.gvl segment:2 --script 'step 10; line 33; print; back 2; end'
  gavel debug bet.gvl segment:2 --frame '{\"5\": [17, 0]}' --json < commands.txt")]
pub struct Debug {
    /// The source (.gvl), or an artifact (.json)
    file: PathBuf,
    /// Which leaf: `segment:N` or `segment:N/OUTCOME`
    leaf: String,
    /// Parameters, a JSON object by name
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,
    /// The most weight units that a transaction which spends a leaf may have, at most 400000
    #[arg(long, value_name = "WU", value_parser = super::number, allow_negative_numbers = true)]
    max_leaf_weight: Option<u64>,
    /// Inputs of `settle`, a JSON object by name, or a file with one
    #[arg(long, value_name = "JSON|FILE", conflicts_with = "case")]
    inputs: Option<String>,
    /// A case of the play file, instead of --inputs
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// Words that are committed instead: a JSON object of lists by element, or a file with one
    #[arg(long, value_name = "JSON|FILE")]
    frame: Option<String>,
    /// A digit that is committed instead, e.g. `5.0.3=7`; the element by number or name
    #[arg(long, value_name = "ELEMENT.WORD.DIGIT=VALUE")]
    corrupt: Vec<String>,
    /// Commands instead of a terminal
    #[arg(long, value_name = "COMMANDS")]
    script: Option<String>,
    /// How many stack items to show
    #[arg(long, value_name = "N", default_value_t = 8)]
    items: usize,
}

impl Debug {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        let commands = self.commands(output)?;
        let options = self.max_leaf_weight.map(|weight| Options {
            max_leaf_weight: Weight(weight),
        });
        let loaded = load(&self.file, self.params.as_deref(), options.as_ref())?;
        output.aside(&loaded.warnings(stderr_style()));
        let (segment, claimed) = match leaf::find(&loaded, &self.leaf)? {
            Which::Segment(segment, claimed) => (segment, claimed),
            Which::Sample => {
                leaf::sample_listing(&loaded, &self.leaf)?;
                let message = format!("`{}` computes nothing to step through", self.leaf);
                return Err(Failure::usage(message).hint(
                    "Leaves of segments can be run: `segment:1`. `gavel inspect` shows the others.",
                ));
            }
        };
        let (listing, disprove) = leaf::segment_listing(&loaded, segment, claimed)?;
        let committed = frames::committed(&self, &loaded, segment)?;
        let sign = |id: gavel_compiler::segment::ElementId| {
            let message = committed.get(&id)?;
            Some(leaf::signature(id.index(), message))
        };
        // Our machine takes any signature that isn't empty.
        let witness = disprove.witness(sign, 0, &[1; 64]).ok_or_else(|| {
            Failure::new(
                Exit::No,
                "script",
                "an element of the leaf is not committed",
            )
        })?;
        let rules = Rules::default();
        let cursor = Cursor::new(&loaded, &listing, &witness, &rules);
        match commands {
            Some(commands) => {
                self.scripted(cursor, &commands, output)?;
            }
            None => screen::interactive(cursor, &self.leaf, self.items, output)?,
        }
        Ok(Exit::Good)
    }

    /// What to do, unless somebody sits at a terminal.
    fn commands(&self, output: &Output) -> Result<Option<Vec<Command>>, Failure> {
        if let Some(script) = &self.script {
            return parse(script).map(Some);
        }
        if !std::io::stdin().is_terminal() {
            let bytes = file::read_stdin("commands")?;
            return parse(&String::from_utf8_lossy(&bytes)).map(Some);
        }
        if output.is_json() || !screen::is_possible() {
            let message = "standard output is no terminal to step through a leaf on";
            return Err(Failure::usage(message)
                .hint("Give commands: `--script 'line 12; print; end'`, or on standard input."));
        }
        Ok(None)
    }

    fn scripted(
        &self,
        mut cursor: Cursor<'_>,
        commands: &[Command],
        output: &Output,
    ) -> Result<(), Failure> {
        let mut done = Vec::new();
        for command in commands {
            if *command == Command::Quit {
                break;
            }
            let note = cursor.apply(command)?;
            output.line(&format!("> {command}"));
            output.line(&view::after(&cursor, command, note.as_deref(), self.items));
            if output.is_json() {
                let mut state = view::state(&cursor, self.items);
                if let Some(map) = state.as_object_mut() {
                    map.insert("command".to_owned(), command.to_string().into());
                    map.insert("note".to_owned(), json!(note));
                }
                done.push(state);
            }
        }
        output.line(&view::verdict(&cursor).1);
        output.json_only(&json!({
            "leaf": self.leaf,
            "bytes": cursor.listing.script.len(),
            "steps": cursor.listing.steps(),
            "commands": done,
            "verdict": view::verdict(&cursor).0,
        }));
        Ok(())
    }
}
