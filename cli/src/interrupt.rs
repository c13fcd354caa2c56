//! Ctrl-C, `kill` and a closed terminal, for commands that start a node: it doesn't stay behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Whether this process is about to end.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on, an interruption ends the nodes that this process started, then the process.
pub fn watch(output: Output) -> Result<(), Failure> {
    let ignored = ignored();
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter();
    let wanted = wanted.filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let mut signals = Signals::new(wanted).map_err(|error| {
        let message = format!("signals can't be watched: {error}");
        Failure::new(Exit::Environment, "io", message)
    })?;
    thread::spawn(move || {
        if signals.forever().next().is_some() {
            INTERRUPTED.store(true, Ordering::SeqCst);
            gavel_regtest::end_all();
            let message = "interrupted; the node that was started is stopped";
            output.failure(&Failure::new(Exit::Environment, "interrupted", message));
            std::process::exit(Exit::Environment.code().into());
        }
    });
    Ok(())
}

/// Waits for the end if it is near. What fails because a node was taken away isn't worth a word.
pub fn hold() {
    while INTERRUPTED.load(Ordering::SeqCst) {
        thread::park();
    }
}

/// The signals that are to be ignored, as a mask: `nohup` and shells in the background ask for
/// that, and a handler would undo it. Only Linux tells.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}
