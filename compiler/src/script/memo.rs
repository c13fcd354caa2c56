//! Bodies that were made before. The cutter tries segments that are made again for good, and
//! those of a loop often compute the same from other words.

use super::ScriptError;
use super::body::Made;
use super::lower::Task;
use crate::word::Op;
use rustc_hash::FxHashMap;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// All that a body depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    ops: Vec<Op>,
    input_bits: Vec<u8>,
    input_digits: Vec<u8>,
    written: Vec<u8>,
    constants: Vec<(u16, u32)>,
    claimed: Option<u8>,
}

impl Key {
    /// The key of a task, with results that are constants by their code.
    pub(super) fn of(task: &Task, constants: &HashMap<u16, u32>, claimed: Option<u8>) -> Self {
        let mut constants: Vec<(u16, u32)> = constants.iter().map(|(k, v)| (*k, *v)).collect();
        constants.sort_unstable();
        Self {
            ops: task.program.insts.iter().map(|i| i.op.clone()).collect(),
            input_bits: task.input_bits.clone(),
            input_digits: task.input_digits.clone(),
            written: task.written.clone(),
            constants,
            claimed,
        }
    }
}

/// Bodies by all that they depend on, so that what is found is what would be made. Clones share
/// what they hold.
#[derive(Clone, Default)]
pub struct Memo(Arc<Mutex<FxHashMap<Key, Made>>>);

impl Memo {
    /// A body, made if it wasn't yet. Of a lock that somebody panicked with, nothing is expected.
    pub(super) fn get_or_make(
        &self,
        key: Key,
        make: impl FnOnce() -> Result<Made, ScriptError>,
    ) -> Result<Made, ScriptError> {
        if let Ok(known) = self.0.lock()
            && let Some(made) = known.get(&key)
        {
            return Ok(made.clone());
        }
        let made = make()?;
        if let Ok(mut known) = self.0.lock() {
            known.insert(key, made.clone());
        }
        Ok(made)
    }

    /// Forgets all.
    pub fn clear(&self) {
        if let Ok(mut known) = self.0.lock() {
            known.clear();
        }
    }
}
