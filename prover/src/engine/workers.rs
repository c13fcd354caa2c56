//! Runs the tasks of a schedule side by side.

use super::cells::{Cells, Name};
use super::code::Code;
use super::machine::Machine;
use super::number::Use;
use super::prepare::{Checked, Prepared};
use super::receipts::Head;
use super::run::{End, Frame, Places, UNKNOWN};
use super::schedule::{Schedule, places};
use super::sites::Sites;
use super::work::Work;
use crate::sync::{AtomicUsize, Ordering};

/// What all workers read.
#[derive(Clone, Copy)]
pub struct Shared<'a> {
    pub machine: &'a Machine,
    pub prepared: &'a Prepared,
    pub sites: &'a Sites,
    pub cells: &'a Cells,
    pub uses: &'a [Use],
    pub work: &'a Work,
    pub height: u32,
}

/// What one worker did.
#[derive(Debug, Default)]
pub struct Done {
    /// The calls it ran, and how they ended.
    pub heads: Vec<(u32, Head)>,
    /// The words of their events.
    pub events: Vec<u32>,
    /// Calls that touch another cell than was foreseen, and all that come after one in its
    /// component.
    pub deferred: Vec<u32>,
}

/// The cells of one call's places.
struct Foreseen<'a> {
    shared: &'a Shared<'a>,
    code: &'a Code,
    numbers: &'a [u32],
}

impl Places for Foreseen<'_> {
    #[inline]
    fn cell(&self, place: u32, key: impl FnOnce() -> Vec<u32>) -> u32 {
        let number = self.numbers.get(place as usize).copied();
        let (Some(number), Some(known)) = (number, self.code.places.get(place as usize)) else {
            return UNKNOWN;
        };
        if known.level == 0 || number == UNKNOWN {
            return number;
        }
        let family = known.family;
        let key = key();
        let name = Name { family, key: &key };
        match self.shared.uses.get(number as usize) {
            Some(used) if self.shared.cells.is(used.spot, name) => number,
            _ => UNKNOWN,
        }
    }
}

impl Shared<'_> {
    /// Begins a call; gives its entry's number and code.
    pub fn begin(&self, call: u32, frame: &mut Frame) -> Option<(u32, &Code)> {
        let at = call as usize;
        let Some(Checked::Fits { entry, .. }) = self.prepared.checked.get(at) else {
            return None;
        };
        let code = &self.machine.compiled(*entry)?.code;
        let arguments = &self.prepared.calls.get(at)?.arguments;
        frame.begin(code, arguments, self.height);
        Some((*entry, code))
    }

    /// Runs a call that was begun, or goes on with it.
    pub fn resume(&self, call: u32, code: &Code, frame: &mut Frame) -> End {
        let numbers = places(self.machine, self.prepared, self.sites, call);
        let foreseen = Foreseen {
            shared: self,
            code,
            numbers,
        };
        frame.resume(code, self.work, &foreseen)
    }
}

/// How a run is remembered; `None` if it isn't at its end.
pub fn head(end: End, entry: u32, code: &Code, begin: usize, frame: &Frame) -> Option<Head> {
    match end {
        End::Done => Some(Head::Done {
            list: 0,
            begin: begin as u32,
            end: frame.events.len() as u32,
            steps: code.steps,
        }),
        End::Abort { code, steps } => Some(Head::Aborted { entry, code, steps }),
        End::Elsewhere { .. } => None,
    }
}

/// Runs all tasks on so many threads.
pub fn run(shared: Shared<'_>, schedule: &Schedule, threads: usize) -> Vec<Done> {
    let next = AtomicUsize::new(0);
    side_by_side(threads.min(schedule.tasks.len()), |_| {
        let mut frame = Frame::default();
        let mut done = Done::default();
        while let Some(task) = schedule.tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            let calls = schedule.order.get(task.clone()).unwrap_or(&[]);
            run_task(&shared, schedule, calls, &mut frame, &mut done);
        }
        done.events = frame.events;
        done
    })
}

fn run_task(
    shared: &Shared<'_>,
    schedule: &Schedule,
    calls: &[u32],
    frame: &mut Frame,
    done: &mut Done,
) {
    let mut stopped = None;
    for call in calls {
        let leader = schedule.leaders.get(*call as usize);
        if stopped.is_some() && stopped == leader {
            done.deferred.push(*call);
            continue;
        }
        crate::sync::pause();
        let begin = frame.events.len();
        let Some((entry, code)) = shared.begin(*call, frame) else {
            continue;
        };
        let end = shared.resume(*call, code, frame);
        match head(end, entry, code, begin, frame) {
            Some(head) => done.heads.push((*call, head)),
            None => {
                frame.undo(shared.work);
                done.deferred.push(*call);
                stopped = leader;
            }
        }
    }
}

#[cfg(not(feature = "shuttle"))]
fn side_by_side<T: Send>(threads: usize, job: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    use rayon::prelude::*;
    let all = (0..threads).into_par_iter().with_max_len(1);
    all.map(job).collect()
}

#[cfg(feature = "shuttle")]
fn side_by_side<T: Send>(threads: usize, job: impl Fn(usize) -> T + Send + Sync) -> Vec<T> {
    let job = &job;
    crate::sync::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|n| scope.spawn(move || job(n))).collect();
        all.into_iter().filter_map(|one| one.join().ok()).collect()
    })
}
