//! Looks for a run in which an honest party loses: everywhere, or at random.

use super::judge::judge;
use super::state::{Move, State};
use super::world::World;
use gavel_verifier::sign::rand::rngs::StdRng;
use gavel_verifier::sign::rand::{Rng, SeedableRng};
use std::collections::HashMap;

/// How far to look.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most that the coalition does besides letting blocks be mined; `None` without limit.
    pub actions: Option<u8>,
    /// The most states to visit.
    pub states: usize,
    /// Whether the coalition disconnects blocks.
    pub reorgs: bool,
    /// Whether it shows transactions without having them mined.
    pub shows: bool,
    /// Whether it keeps honest parties' transactions out of blocks.
    pub delays: bool,
    /// Is told how far the search is, every so often.
    pub watch: fn(&Found),
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            actions: None,
            states: usize::MAX,
            reorgs: true,
            shows: false,
            delays: true,
            watch: |_| (),
        }
    }
}

/// A run, and what is wrong at its end.
#[derive(Clone, Debug)]
pub struct Losing {
    /// The moves from the beginning.
    pub moves: Vec<Move>,
    /// What is wrong.
    pub wrong: Vec<String>,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Different states.
    pub states: usize,
    /// Moves between them.
    pub moves: usize,
    /// States in which nothing happens any more, each judged.
    pub ends: usize,
    /// The longest run, in moves.
    pub longest: usize,
    /// Whether there was more than the limit on states let it see.
    pub cut: bool,
    /// A run in which an honest party loses.
    pub losing: Option<Losing>,
    /// Some complete runs, to be replayed elsewhere.
    pub runs: Vec<Vec<Move>>,
}

/// States between two calls of [`Limits::watch`].
const WATCH: usize = 20_000;

struct Frame {
    state: State,
    moves: Vec<Move>,
    left: u8,
    /// How it was reached.
    by: Option<Move>,
}

/// A move's price in actions.
fn price(next: Move) -> u8 {
    match next {
        Move::Mine | Move::Tell(_) => 0,
        Move::Put(_) | Move::Leave(_) | Move::Undo | Move::Show(_) => 1,
    }
}

fn allowed(limits: &Limits, next: Move) -> bool {
    match next {
        Move::Undo => limits.reorgs,
        Move::Show(_) => limits.shows,
        Move::Leave(_) => limits.delays,
        Move::Put(_) | Move::Mine | Move::Tell(_) => true,
    }
}

/// Visits every state that the limits allow, each once.
pub fn exhaust(world: &World, limits: &Limits) -> Found {
    let mut search = Exhaust {
        world,
        limits,
        visited: HashMap::new(),
        found: Found::default(),
        path: vec![],
    };
    search.run();
    search.found
}

struct Exhaust<'a> {
    world: &'a World,
    limits: &'a Limits,
    /// By state, the most actions that were left when it was visited.
    visited: HashMap<u128, u8>,
    found: Found,
    path: Vec<Frame>,
}

impl Exhaust<'_> {
    fn run(&mut self) {
        let budget = self.limits.actions.unwrap_or(u8::MAX);
        match State::begin(self.world) {
            Ok(state) => self.enter(state, budget, None),
            Err(fault) => self.lose(None, vec![fault.0]),
        }
        while let Some(frame) = self.path.last_mut() {
            if self.found.losing.is_some() || self.found.cut {
                return;
            }
            let Some(next) = frame.moves.pop() else {
                self.path.pop();
                continue;
            };
            let (cost, left) = (price(next), frame.left);
            if !allowed(self.limits, next) || (self.limits.actions.is_some() && cost > left) {
                continue;
            }
            self.found.moves += 1;
            let left = match self.limits.actions {
                Some(_) => left - cost,
                None => left,
            };
            match frame.state.after(self.world, next) {
                Ok(state) => self.enter(state, left, Some(next)),
                Err(fault) => self.lose(Some(next), vec![fault.0]),
            }
        }
    }

    fn enter(&mut self, state: State, left: u8, by: Option<Move>) {
        let key = state.key(self.world);
        match self.visited.get(&key) {
            Some(before) if *before >= left => {
                // Nothing new: but a block that changes nothing is an end.
                let parent = self.path.last();
                let idle = by == Some(Move::Mine)
                    && parent.is_some_and(|f| f.state.key(self.world) == key);
                if idle {
                    self.end(&state, by);
                }
                return;
            }
            Some(_) => {}
            None => self.found.states += 1,
        }
        self.visited.insert(key, left);
        if self.found.states.is_multiple_of(WATCH) {
            (self.limits.watch)(&self.found);
        }
        self.found.cut |= self.found.states >= self.limits.states;
        // The last is tried first: honest parties among themselves come to an end soon.
        let moves = state.moves(self.world);
        self.path.push(Frame {
            state,
            moves,
            left,
            by,
        });
        self.found.longest = self.found.longest.max(self.path.len());
    }

    fn run_so_far(&self, last: Option<Move>) -> Vec<Move> {
        let path = self.path.iter().filter_map(|frame| frame.by);
        path.chain(last).collect()
    }

    fn end(&mut self, state: &State, by: Option<Move>) {
        if !state.between_blocks() {
            return;
        }
        self.found.ends += 1;
        let wrong = judge(self.world, state);
        if !wrong.is_empty() {
            self.lose(by, wrong);
        } else if self.found.ends.is_power_of_two() {
            let run = self.run_so_far(by);
            self.found.runs.push(run);
        }
    }

    fn lose(&mut self, last: Option<Move>, wrong: Vec<String>) {
        let moves = self.run_so_far(last);
        self.found.losing = Some(Losing { moves, wrong });
    }
}

/// Looks with 0, 1, 2, ... actions, so that a losing run is as short as can be.
pub fn shortest(world: &World, limits: &Limits, most: u8) -> Found {
    let mut found = Found::default();
    for actions in 0..=most {
        let limits = Limits {
            actions: Some(actions),
            ..*limits
        };
        found = exhaust(world, &limits);
        if found.losing.is_some() || found.cut {
            break;
        }
    }
    found
}

/// Plays runs at random; each is guided by bytes from a seed, so it can be repeated.
pub fn wander(world: &World, limits: &Limits, seed: u64, runs: usize) -> Found {
    let mut found = Found::default();
    let mut visited: HashMap<u128, u32> = HashMap::new();
    for run in 0..runs {
        let mut rng = StdRng::seed_from_u64(seed.wrapping_add(run as u64));
        let (moves, end) = walk(world, limits, &mut rng, &mut visited);
        found.moves += moves.len();
        found.longest = found.longest.max(moves.len());
        match end {
            Err(fault) => {
                let wrong = vec![fault];
                found.losing = Some(Losing { moves, wrong });
            }
            Ok(None) => continue,
            Ok(Some(state)) => {
                found.ends += 1;
                let wrong = judge(world, &state);
                if !wrong.is_empty() {
                    found.losing = Some(Losing { moves, wrong });
                } else if found.ends.is_power_of_two() {
                    found.runs.push(moves);
                }
            }
        }
        if found.losing.is_some() {
            break;
        }
    }
    found.states = visited.len();
    found
}

/// One run: mostly blocks, now and then something else, rather what was rarely seen before.
fn walk(
    world: &World,
    limits: &Limits,
    rng: &mut StdRng,
    visited: &mut HashMap<u128, u32>,
) -> (Vec<Move>, Result<Option<State>, String>) {
    let mut moves = Vec::new();
    let mut state = match State::begin(world) {
        Ok(state) => state,
        Err(fault) => return (moves, Err(fault.0)),
    };
    // How busy this run's coalition is: one move in `pace` is not a block.
    let pace = rng.random_range(2..12u32);
    let most = limits.actions.unwrap_or(40);
    let mut actions = 0u8;
    for _ in 0..2_000 {
        let all = state.moves(world);
        let others: Vec<Move> = all
            .iter()
            .copied()
            .filter(|next| *next != Move::Mine && allowed(limits, *next))
            .collect();
        let act = actions < most && !others.is_empty() && rng.random_range(0..pace) == 0;
        let next = match act {
            false => Move::Mine,
            true => rarest(world, &state, &others, rng, visited),
        };
        actions = actions.saturating_add(price(next));
        let after = match state.after(world, next) {
            Ok(after) => after,
            Err(fault) => {
                moves.push(next);
                return (moves, Err(fault.0));
            }
        };
        moves.push(next);
        let key = after.key(world);
        *visited.entry(key).or_default() += 1;
        if next == Move::Mine && state.between_blocks() && key == state.key(world) {
            return (moves, Ok(Some(after)));
        }
        state = after;
    }
    (moves, Ok(None))
}

/// Of three random moves the one whose state was seen least often.
fn rarest(
    world: &World,
    state: &State,
    moves: &[Move],
    rng: &mut StdRng,
    visited: &HashMap<u128, u32>,
) -> Move {
    let mut best = (u32::MAX, Move::Mine);
    for _ in 0..3 {
        let Some(next) = moves.get(rng.random_range(0..moves.len())) else {
            continue;
        };
        let seen = state.after(world, *next).map_or(0, |after| {
            visited.get(&after.key(world)).copied().unwrap_or(0)
        });
        if seen < best.0 {
            best = (seen, *next);
        }
    }
    best.1
}
