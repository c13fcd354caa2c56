//! What became of the calls of a batch, flat in memory.

use super::machine::Machine;
use gavel_compiler::ledger::{Event, Receipt, Refusal};

/// The receipts of a batch's calls, in their order.
#[derive(Clone, Debug, Default)]
pub struct Receipts {
    heads: Vec<Head>,
    /// Words of events, by who ran the call: number, count, words, and so on.
    events: Vec<Vec<u32>>,
    refusals: Vec<Refusal>,
}

/// How one call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// With events, at these words of one of the lists.
    Done {
        list: u32,
        begin: u32,
        end: u32,
        steps: u32,
    },
    /// With an abort of an entry.
    Aborted { entry: u32, code: u16, steps: u32 },
    /// Not run.
    Refused(u32),
}

/// How many calls ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that changed the state.
    pub done: u64,
    /// Calls that aborted.
    pub aborted: u64,
    /// Calls that were not run.
    pub refused: u64,
}

impl Receipts {
    /// How many receipts there are.
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// The receipt of a call, as the reference gives it.
    pub fn get(&self, machine: &Machine, call: usize) -> Option<Receipt> {
        Some(match *self.heads.get(call)? {
            Head::Done { steps, .. } => Receipt::Done {
                events: self.events(call),
                steps: u64::from(steps),
            },
            Head::Aborted { entry, code, steps } => Receipt::Aborted {
                abort: machine.compiled(entry)?.entry.abort(code),
                steps: u64::from(steps),
            },
            Head::Refused(n) => Receipt::Refused(self.refusals.get(n as usize)?.clone()),
        })
    }

    /// All receipts in order.
    pub fn iter<'a>(&'a self, machine: &'a Machine) -> impl Iterator<Item = Receipt> + 'a {
        (0..self.len()).filter_map(|call| self.get(machine, call))
    }

    /// How many calls ended in which way.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for head in &self.heads {
            match head {
                Head::Done { .. } => tally.done += 1,
                Head::Aborted { .. } => tally.aborted += 1,
                Head::Refused(_) => tally.refused += 1,
            }
        }
        tally
    }

    /// Why calls weren't run, with their numbers.
    pub fn refusals(&self) -> impl Iterator<Item = (usize, &Refusal)> {
        let heads = self.heads.iter().enumerate();
        heads.filter_map(|(call, head)| match head {
            Head::Refused(n) => Some((call, self.refusals.get(*n as usize)?)),
            _ => None,
        })
    }

    fn events(&self, call: usize) -> Vec<Event> {
        let mut events = Vec::new();
        let mut rest = self.event_words(call);
        while let [event, count, words @ ..] = rest {
            let (own, after) = words
                .split_at_checked(*count as usize)
                .unwrap_or((words, &[]));
            events.push(Event {
                event: *event as u16,
                words: own.to_vec(),
            });
            rest = after;
        }
        events
    }

    /// The words of a call's events: of each its number, how many words it has, and those.
    pub(super) fn event_words(&self, call: usize) -> &[u32] {
        match self.heads.get(call) {
            Some(Head::Done {
                list, begin, end, ..
            }) => {
                let list = self.events.get(*list as usize);
                let range = *begin as usize..*end as usize;
                list.and_then(|list| list.get(range)).unwrap_or(&[])
            }
            _ => &[],
        }
    }

    pub(super) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// As many receipts, all of them empty.
    pub(super) fn sized(calls: usize) -> Self {
        let empty = Head::Done {
            list: 0,
            begin: 0,
            end: 0,
            steps: 0,
        };
        Self {
            heads: vec![empty; calls],
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, head: Head) {
        self.heads.push(head);
    }

    pub(super) fn push_refusal(&mut self, refusal: Refusal) -> Head {
        self.refusals.push(refusal);
        Head::Refused(self.refusals.len() as u32 - 1)
    }

    pub(super) fn set_events(&mut self, events: Vec<u32>) {
        self.events = vec![events];
    }

    pub(super) fn refuse(&mut self, call: u32, refusal: Refusal) {
        let head = self.push_refusal(refusal);
        self.set(call, head);
    }

    /// Takes over what one worker did; its heads name events by list 0.
    pub(super) fn take(&mut self, heads: &[(u32, Head)], events: Vec<u32>) {
        let own = self.events.len() as u32;
        self.events.push(events);
        for (call, head) in heads {
            let mut head = *head;
            if let Head::Done { list, .. } = &mut head {
                *list = own;
            }
            self.set(*call, head);
        }
    }

    /// Forgets what the calls that ran did.
    pub(super) fn forget_events(&mut self) {
        self.events.clear();
    }

    fn set(&mut self, call: u32, head: Head) {
        if let Some(slot) = self.heads.get_mut(call as usize) {
            *slot = head;
        }
    }
}
