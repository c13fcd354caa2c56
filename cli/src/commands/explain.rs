//! `gavel explain`: what the code of a diagnostic means.

use gavel_compiler::diagnostic::{Code, Example, LongForm, Severity, did_you_mean};
use serde::Serialize;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Say what the code of a diagnostic means, with an example that fails and one that passes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Codes are those that `gavel check` shows: E0301 for an error, W0001 for a warning. Examples show
what matters; `--json` has them as whole contracts, too.

Examples:
  gavel explain E0301
  gavel explain --list
  gavel explain E0301 --json | jq -r .passes.source > bet.gvl")]
pub struct Explain {
    /// The code, in upper or lower case
    #[arg(required_unless_present = "list")]
    code: Option<String>,
    /// List all codes, one a line
    #[arg(long, conflicts_with = "code")]
    list: bool,
}

#[derive(Debug, Serialize)]
struct Listed {
    code: Code,
    severity: Severity,
    about: &'static str,
}

#[derive(Debug, Serialize)]
struct List {
    codes: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Explained {
    #[serde(flatten)]
    listed: Listed,
    text: &'static str,
    fails: Option<Shown>,
    passes: Option<Shown>,
}

#[derive(Debug, Serialize)]
struct Shown {
    shown: &'static str,
    source: String,
    params: Option<Value>,
}

impl Explain {
    pub(super) fn run(self, output: &Output) -> Result<Exit, Failure> {
        match &self.code {
            Some(id) => {
                let code = find(id)?;
                let form = code.long_form();
                output.result(&explained(code, &form), || text(code, &form));
            }
            None => {
                let codes = Code::ALL.iter().copied().map(listed).collect();
                output.result(&List { codes }, list);
            }
        }
        Ok(Exit::Good)
    }
}

fn find(id: &str) -> Result<Code, Failure> {
    let known = || Code::ALL.iter().map(|code| code.id());
    let wanted = id.to_ascii_uppercase();
    let found = Code::ALL.iter().find(|code| code.id() == wanted);
    found.copied().ok_or_else(|| {
        let meant = did_you_mean(&wanted, known());
        let meant = meant.map_or(String::new(), |code| format!("Did you mean {code}? "));
        Failure::usage(format!("there is no code `{}`", id.escape_debug()))
            .hint(format!("{meant}`gavel explain --list` prints all codes."))
    })
}

fn listed(code: Code) -> Listed {
    Listed {
        code,
        severity: code.severity(),
        about: code.explain(),
    }
}

fn explained(code: Code, form: &LongForm) -> Explained {
    let shown = |example: Example| Shown {
        shown: example.shown,
        source: example.source(),
        params: example
            .params
            .and_then(|params| serde_json::from_str(params).ok()),
    };
    Explained {
        listed: listed(code),
        text: form.text,
        fails: form.fails.map(shown),
        passes: form.passes.map(shown),
    }
}

fn list() -> String {
    let lines = Code::ALL.iter();
    let lines = lines.map(|code| format!("{}  {}\n", code.id(), code.explain()));
    lines.collect()
}

fn text(code: Code, form: &LongForm) -> String {
    let mut out = format!("{}: {}\n\n{}\n", code.id(), code.explain(), form.text);
    let fails = match code.severity() {
        Severity::Error => "This fails:",
        Severity::Warning => "This gives the warning:",
    };
    for (head, example) in [(fails, form.fails), ("This passes:", form.passes)] {
        let Some(example) = example else { continue };
        out.push_str(&format!("\n{head}\n\n"));
        if let Some(params) = example.params {
            out.push_str(&format!("    // with the parameters {params}"));
        }
        for line in example.shown.lines() {
            out.push_str(format!("    {line}").trim_end());
            out.push('\n');
        }
    }
    out
}
