//! How far a long job is: a bar on a terminal, now and then a line elsewhere. Always on
//! standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// Jobs shorter than this need no word.
const QUIET_FOR: Duration = Duration::from_secs(2);

/// Does a job that can't tell how far it is; after a while, says what it is at.
pub fn during<T>(what: &str, job: impl FnOnce() -> T) -> T {
    let (done, ended) = mpsc::channel::<()>();
    // `done` moves into the scope: a job that panics drops it too, and nobody waits for ever.
    thread::scope(move |scope| {
        scope.spawn(move || {
            let mut progress = Progress::new();
            let mut wait = QUIET_FOR;
            while ended.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                progress.show(what, 0, 0);
                wait = Duration::from_millis(500);
            }
        });
        let result = job();
        drop(done);
        result
    })
}

/// Shows the progress of one job. Dropping it clears the bar.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    what: String,
    started: Instant,
    last_line: Option<Instant>,
}

impl Progress {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let style =
                ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len} {eta}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self {
            bar,
            what: String::new(),
            started: Instant::now(),
            last_line: None,
        }
    }

    /// `done` of `total` steps of `what` are done; a total of 0 can't be counted.
    pub fn show(&mut self, what: &str, done: u64, total: u64) {
        self.show_more(what, "", done, total);
    }

    /// The same, with more to say than how far it is.
    pub fn show_more(&mut self, what: &str, more: &str, done: u64, total: u64) {
        let new = self.what != what;
        if new {
            self.what = what.to_owned();
        }
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{what}{more}"));
            bar.set_length(total);
            bar.set_position(done);
            bar.enable_steady_tick(Duration::from_millis(200));
            return;
        }
        let now = Instant::now();
        let due = self.last_line.is_none_or(|last| now - last >= LINE_EVERY);
        if now - self.started < QUIET_FOR && !(new && total == 0) || !(due || new) {
            return;
        }
        self.last_line = Some(now);
        let count = if total > 0 {
            format!(": {done}/{total}")
        } else {
            String::new()
        };
        let line = format!(
            "{what}{count}{more} ({} s)\n",
            self.started.elapsed().as_secs()
        );
        let _ = io::stderr().write_all(line.as_bytes()); // progress is only a courtesy
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
