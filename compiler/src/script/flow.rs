//! A least cut of a network: which of two sides each node is on when what is cut is cheapest.
//! Dinic's algorithm, without recursion.

/// Capacity of an edge that is never cut.
pub const NEVER: u32 = 1 << 28;

/// A network of directed edges with capacities.
#[derive(Debug, Default)]
pub struct Network {
    /// By node, its edges.
    from: Vec<Vec<usize>>,
    /// By edge, where it leads. An edge and its reverse are neighbours: `e ^ 1`.
    to: Vec<usize>,
    /// By edge, what still fits through.
    room: Vec<u32>,
}

impl Network {
    /// A new node.
    pub fn node(&mut self) -> usize {
        self.from.push(Vec::new());
        self.from.len() - 1
    }

    /// What is paid where `a` is on the source's side and `b` on the sink's.
    pub fn edge(&mut self, a: usize, b: usize, cost: u32) {
        if cost == 0 || a == b {
            return;
        }
        for (from, to, room) in [(a, b, cost), (b, a, 0)] {
            self.from[from].push(self.to.len());
            self.to.push(to);
            self.room.push(room);
        }
    }

    /// By node, whether it is on the source's side of a least cut: of several, the one with
    /// the smallest such side.
    pub fn cut(mut self, source: usize, sink: usize) -> Vec<bool> {
        loop {
            let levels = self.levels(source);
            if levels[sink] == 0 {
                return levels.into_iter().map(|level| level > 0).collect();
            }
            let mut next = vec![0; self.from.len()];
            while self.augment(source, sink, &levels, &mut next) {}
        }
    }

    /// By node, one more than its distance from the source; 0 where it cannot be reached.
    fn levels(&self, source: usize) -> Vec<u32> {
        let mut levels = vec![0; self.from.len()];
        levels[source] = 1;
        let mut queue = vec![source];
        let mut at = 0;
        while let Some(node) = queue.get(at).copied() {
            at += 1;
            for edge in &self.from[node] {
                let to = self.to[*edge];
                if self.room[*edge] > 0 && levels[to] == 0 {
                    levels[to] = levels[node] + 1;
                    queue.push(to);
                }
            }
        }
        levels
    }

    /// Fills one shortest path. `next` tells which edges of each node led nowhere.
    fn augment(&mut self, source: usize, sink: usize, levels: &[u32], next: &mut [usize]) -> bool {
        let mut path: Vec<usize> = Vec::new();
        loop {
            let node = path.last().map_or(source, |edge| self.to[*edge]);
            if node == sink {
                break;
            }
            match self.from[node].get(next[node]) {
                Some(edge)
                    if self.room[*edge] > 0 && levels[self.to[*edge]] == levels[node] + 1 =>
                {
                    path.push(*edge);
                }
                Some(_) => next[node] += 1,
                None => {
                    let Some(dead) = path.pop() else { return false };
                    next[self.to[dead ^ 1]] += 1;
                }
            }
        }
        let least = path.iter().map(|edge| self.room[*edge]).min().unwrap_or(0);
        for edge in path {
            self.room[edge] -= least;
            self.room[edge ^ 1] += least;
        }
        true
    }
}
