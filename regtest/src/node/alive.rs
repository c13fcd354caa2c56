//! The nodes that must not outlive this process, for when a signal ends it and nothing is dropped.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::process;

/// How long a node whose folder stays may take to end by itself.
const STOP_WITHIN: Duration = Duration::from_secs(20);
/// How long a process may take to go after it was killed.
const GONE_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
struct Alive {
    pids: Vec<u32>,
    temporary: Vec<PathBuf>,
}

static ALIVE: Mutex<Alive> = Mutex::new(Alive {
    pids: Vec::new(),
    temporary: Vec::new(),
});

fn alive() -> MutexGuard<'static, Alive> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process was started.
pub(crate) fn started(pid: u32) {
    alive().pids.push(pid);
}

/// It has ended, is about to be ended, or is somebody else's concern from now on.
pub(crate) fn done_with(pid: u32) {
    alive().pids.retain(|other| *other != pid);
}

/// A folder was made that goes with its node.
pub(crate) fn made(folder: &Path) {
    alive().temporary.push(folder.to_owned());
}

/// It is about to be removed.
pub(crate) fn removed(folder: &Path) {
    alive().temporary.retain(|other| other != folder);
}

/// Ends every node that this process started and that stands for a [`Node`](crate::Node), or is
/// just being started, and removes their temporary folders. For a handler of signals, which a
/// program installs and a library doesn't; the program should end right after.
pub fn end_all() {
    // Kept, not locked: whoever waits for a node may want to say that it is done with it.
    let Alive { pids, temporary } = std::mem::take(&mut *alive());
    // A node that nobody will ask again needn't write anything down; another one should.
    let signal = if temporary.is_empty() {
        "-TERM"
    } else {
        "-KILL"
    };
    for pid in &pids {
        process::signal(*pid, signal);
    }
    let runs = |pid: &u32| process::command_line(*pid).is_some_and(|words| !words.is_empty());
    let patience = if temporary.is_empty() {
        STOP_WITHIN
    } else {
        GONE_WITHIN
    };
    let asked = Instant::now();
    while pids.iter().any(runs) {
        if asked.elapsed() > patience {
            pids.iter().for_each(|pid| process::signal(*pid, "-KILL"));
            break;
        }
        sleep(Duration::from_millis(20));
    }
    for folder in temporary {
        let _ = fs::remove_dir_all(folder); // leftovers do no harm
    }
}
