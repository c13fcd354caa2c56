//! Bodies are emitted twice: first to learn what corrections there would be.

use super::super::ScriptError;
use super::super::graph::{Graph, NodeId};
use super::super::marks::Marks;
use super::bias::Demands;
use super::tables::Tables;
use super::{Emitter, Stmt};
use crate::units::StackDepth;

/// A body that was emitted once, to see which corrections of biases it takes and how much of
/// the stack.
pub struct Draft<'a> {
    graph: &'a Graph,
    stmts: &'a [Stmt],
    reads: usize,
    uses: Vec<u32>,
    tables: Tables,
    demands: Demands,
    sketch: Vec<u8>,
    /// Most items besides tables.
    others: usize,
}

impl<'a> Draft<'a> {
    /// Emits a body once. `reads` digits wait on the altstack, and as many claimed digits
    /// beneath them as are compared, which comes last.
    ///
    /// # Errors
    /// [`ScriptError::Defect`] if the emitter broke an invariant of its own.
    pub fn new(graph: &'a Graph, stmts: &'a [Stmt], reads: usize) -> Result<Self, ScriptError> {
        let uses = count_uses(graph, stmts);
        let tables = Tables::of(graph, &uses);
        let draft = tables.draft();
        let mut unmarked = Marks::default();
        let emitter = Emitter::new(graph, &tables, &draft, uses.clone(), &mut unmarked);
        let ((sketch, peak), demands) = emitter.body(stmts, reads)?;
        let others = usize::from(peak.0).saturating_sub(tables.slots(&draft).len());
        Ok(Self {
            graph,
            stmts,
            reads,
            uses,
            tables,
            demands,
            sketch,
            others,
        })
    }

    /// The body as it was emitted first, for one that the stack has no room for: so many slots
    /// of tables.
    fn sketch(self, slots: usize) -> (Vec<u8>, StackDepth) {
        let peak = u16::try_from(slots + self.others).unwrap_or(u16::MAX);
        (self.sketch, StackDepth(peak))
    }

    /// Emits the body for good: its tables lie, and are biased, so that corrections are few.
    /// Where tables would need more of the stack than there is, with the holes between them,
    /// gives the [`sketch`](Self::sketch), and how many items there are. `marks` learn what the
    /// bytes are, but not those of a sketch.
    ///
    /// # Errors
    /// [`ScriptError::Defect`] if the emitter broke an invariant of its own.
    pub fn emit(self, marks: &mut Marks) -> Result<(Vec<u8>, StackDepth), ScriptError> {
        let room = usize::from(StackDepth::MAX.0).saturating_sub(self.others);
        let cells = self.tables.cells();
        if cells > room {
            return Ok(self.sketch(cells));
        }
        let chosen = self.tables.choose(&self.demands, room);
        let slots = self.tables.slots(&chosen).len();
        if slots > room {
            return Ok(self.sketch(slots));
        }
        let emitter = Emitter::new(self.graph, &self.tables, &chosen, self.uses, marks);
        Ok(emitter.body(self.stmts, self.reads)?.0)
    }
}

/// How often each node is read.
fn count_uses(graph: &Graph, stmts: &[Stmt]) -> Vec<u32> {
    let mut uses = vec![0u32; graph.len()];
    for stmt in stmts {
        match stmt {
            Stmt::Keep(_) => {}
            Stmt::Flag(node) | Stmt::Compare(node) | Stmt::CompareJoined(node, _) => {
                uses[node.index()] += 1;
            }
            Stmt::ComparePair(low, high) => {
                uses[low.index()] += 1;
                uses[high.index()] += 1;
            }
        }
    }
    for index in (0..graph.len()).rev() {
        if uses[index] > 0 {
            for operand in graph.node(NodeId(index as u32)).operands() {
                uses[operand.index()] += 1;
            }
        }
    }
    uses
}
