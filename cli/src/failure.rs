//! Why a command failed, in the one form that is printed.

use gavel_regtest::Error as NodeError;
use serde::Serialize;
use serde_json::Value;

use crate::exit::Exit;

/// A failure: what happened, and how the process ends.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// A short name that scripts can rely on, e.g. `port-in-use`.
    pub kind: String,
    /// What was wrong, where, and what to do.
    pub message: String,
    /// What to try, if the message doesn't say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The problems found in a source.
    #[serde(flatten)]
    pub problems: Option<Box<Problems>>,
    /// How the process ends.
    #[serde(skip)]
    pub exit: Exit,
}

/// Problems found in a source.
#[derive(Clone, Debug, Serialize)]
pub struct Problems {
    /// As `gavel check --json` has them.
    pub diagnostics: Vec<Value>,
    /// Drawn for people; shown before the message.
    #[serde(skip)]
    pub drawn: String,
}

impl Failure {
    /// A failure of some kind.
    pub fn new(exit: Exit, kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            message: message.into(),
            hint: None,
            problems: None,
            exit,
        }
    }

    /// The user asked for something that makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Adds what to try.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let exit = match &error {
            NodeError::Rejected(_)
            | NodeError::PackageRejected(_)
            | NodeError::FaucetDry { .. } => Exit::No,
            _ => Exit::Environment,
        };
        let failure = Self::new(exit, error.kind(), error.to_string());
        match &error {
            NodeError::DatadirInUse { .. } => failure.hint("`gavel regtest status` shows it."),
            NodeError::Io { doing, .. } if *doing == "reading the cookie file" => failure.hint(
                "A node writes that file when it starts, and removes it when it stops: is it \
                 running, and is the path right? `gavel regtest down` and `up` make a new one.",
            ),
            _ => failure,
        }
    }
}
