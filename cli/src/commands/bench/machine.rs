//! What is measured on.

use std::num::NonZeroUsize;

use serde::Serialize;

/// The machine, as far as figures depend on it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Machine {
    /// Cores that this process may use.
    pub cores: usize,
    /// The processor's name, if the system tells.
    pub processor: Option<String>,
    /// Whether this is a release build; others are slower by far.
    pub optimised: bool,
    /// Instructions that a call takes: never known here.
    pub instructions_per_call: Option<u64>,
    /// Why they aren't known.
    pub instructions: &'static str,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        Self {
            cores: cores(),
            processor: processor(),
            optimised: !cfg!(debug_assertions),
            instructions_per_call: None,
            instructions: "not counted: the counters of the processor can't be read without \
                           unsafe code, which this program has none of; `perf stat` can, where the machine lets it",
        }
    }
}

/// Cores that this process may use.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn processor() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
