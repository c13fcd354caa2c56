//! What the bytes of a body stand for, recorded while it is written: for whoever shows or
//! checks a script. Nothing is recorded unless asked for.

pub use super::table::{Bitwise, Count, Form as Stored, Table};

use super::graph::{Graph, Node, NodeId};
use super::peephole::Offsets;
use crate::word::{Program, Value};
use std::ops::Range;

/// What some bytes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Push all tables.
    Tables,
    /// Have claimed digits wait in pairs.
    Join,
    /// Leave this node's value. No bytes: it happens to be there now.
    Node(NodeId),
    /// Leave something on the way to this node's value.
    Toward(NodeId),
    /// Leave this node's value times a number.
    Multiple(NodeId, i64),
    /// Drop a digit that was read.
    Unread,
    /// Raise the verdict if a condition holds.
    Flag,
    /// Raise the verdict if so many digits are not as claimed.
    Compare(usize),
    /// Leave the verdict alone.
    End,
}

impl What {
    /// Whether it only leaves an item.
    fn is_item(self) -> bool {
        matches!(self, Self::Node(_) | Self::Toward(_) | Self::Multiple(..))
    }
}

/// Some bytes of a body, and what they do; those within them that are marked too did it before.
#[derive(Clone, Debug)]
struct Mark {
    bytes: Range<usize>,
    what: What,
    /// How deep the item lies that they leave; 0 is the top.
    depth: usize,
    /// What the item holds besides its value; `None` if it is no longer there.
    bias: Option<i64>,
}

/// The marks of a body, in the order of their last bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Option<Marked>);

#[derive(Clone, Debug, Default)]
struct Marked {
    marks: Vec<Mark>,
    /// Whose cells lie at the bottom of the stack, bottom first.
    tables: Vec<Option<Table>>,
}

impl Marks {
    /// Whether anything is taken down.
    pub(super) fn are_on(&self) -> bool {
        self.0.is_some()
    }

    /// Says what some bytes do.
    pub(super) fn add(&mut self, what: What, bytes: Range<usize>) {
        self.add_biased(what, bytes, 0);
    }

    /// The same of bytes that leave a node's value plus `bias` on top.
    pub(super) fn add_biased(&mut self, what: What, bytes: Range<usize>, bias: i64) {
        self.add_at(0, what, bytes, bias);
    }

    /// The same of bytes that leave it so deep.
    pub(super) fn add_at(&mut self, depth: usize, what: What, bytes: Range<usize>, bias: i64) {
        if let Some(Marked { marks, .. }) = &mut self.0 {
            marks.push(Mark {
                bytes,
                what,
                depth,
                bias: Some(bias),
            });
        }
    }

    /// Says that some bytes push tables: whose cells, bottom first.
    pub(super) fn add_tables(
        &mut self,
        owners: impl Iterator<Item = Option<Table>>,
        bytes: Range<usize>,
    ) {
        if let Some(marked) = &mut self.0 {
            marked.tables = owners.collect();
            self.add(What::Tables, bytes);
        }
    }

    /// Follows the bytes into the shorter script. Nodes that are gone aren't marked any more.
    fn follow(&mut self, offsets: &Offsets, by_node: &[Option<Name>]) {
        let Some(Marked { marks, .. }) = &mut self.0 else {
            return;
        };
        marks.retain_mut(|mark| {
            let end = offsets.exactly(mark.bytes.end);
            if end.is_none() {
                mark.bias = None;
            }
            let start = offsets.now(mark.bytes.start);
            let end = end.unwrap_or_else(|| offsets.now(mark.bytes.end));
            mark.bytes = start.min(end)..end;
            let gone = mark.bytes.is_empty() && mark.bias.is_none();
            !(gone && mark.what.is_item())
        });
        // What a rule made one with what comes next is part of that, if that is a piece of a word.
        let is_piece = |what: What| match what {
            What::Node(node) => {
                by_node[node.index()].is_some_and(|name| !matches!(name.form, Form::Part(_)))
            }
            _ => false,
        };
        let mut kept: Vec<Mark> = Vec::with_capacity(marks.len());
        for mark in marks.drain(..).rev() {
            let next = kept.last_mut().filter(|next| {
                let one = next.bytes.end == mark.bytes.end && is_piece(next.what);
                one && mark.bias.is_none() && mark.what.is_item()
            });
            match next {
                Some(next) => next.bytes.start = next.bytes.start.min(mark.bytes.start),
                None => kept.push(mark),
            }
        }
        kept.reverse();
        *marks = kept;
    }
}

/// A piece of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Piece {
    /// A digit in base 16, counted from the least.
    Digit(u8),
    /// Its lower (0) or upper (1) 16 bits.
    Half(u8),
    /// All of it.
    Whole,
}

impl Piece {
    /// The piece of a word.
    fn of(self, word: u32) -> i64 {
        let (shift, mask) = match self {
            Self::Digit(n) => (4 * u32::from(n), 15),
            Self::Half(n) => (16 * u32::from(n), 0xffff),
            Self::Whole => (0, u32::MAX),
        };
        i64::from(word.checked_shr(shift).unwrap_or_default() & mask)
    }
}

/// How a piece of a word is written as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Form {
    /// As it is.
    Plain(Piece),
    /// A digit as the row of a table of two digits.
    Row(u8),
    /// A digit, its bits as the digits of a number in base 3.
    Spread(u8),
    /// What a sum carries from this piece to the next.
    Carry(Piece),
    /// Something on the way to this piece.
    Part(Piece),
}

impl Form {
    /// A digit that is stored in some form.
    fn digit(place: u8, stored: Stored) -> Self {
        match stored {
            Stored::PLAIN => Self::Plain(Piece::Digit(place)),
            Stored::ROW => Self::Row(place),
            Stored::SPREAD => Self::Spread(place),
            _ => Self::Part(Piece::Digit(place)),
        }
    }

    /// The number that stands for a word in this form, if the word alone decides.
    pub fn of(self, word: u32) -> Option<i64> {
        let piece = self.piece().of(word);
        match self {
            Self::Plain(_) => Some(piece),
            Self::Row(_) => Some(Stored::ROW.of(piece)),
            Self::Spread(_) => Some(Stored::SPREAD.of(piece)),
            Self::Carry(_) | Self::Part(_) => None,
        }
    }

    /// Which piece of the word it is, or belongs to.
    pub fn piece(self) -> Piece {
        match self {
            Self::Plain(piece) | Self::Carry(piece) | Self::Part(piece) => piece,
            Self::Row(n) | Self::Spread(n) => Piece::Digit(n),
        }
    }

    /// The digit that it is, however it is stored.
    fn place(self) -> Option<u8> {
        match self {
            Self::Plain(Piece::Digit(n)) | Self::Row(n) | Self::Spread(n) => Some(n),
            _ => None,
        }
    }

    /// The plain digit that a number in this form stands for, if it isn't the number itself.
    pub fn decode(self, number: i64) -> Option<i64> {
        match self {
            Self::Row(_) => Stored::ROW.digit(number),
            Self::Spread(_) => Stored::SPREAD.digit(number),
            _ => None,
        }
    }
}

/// A word of [`Notes::program`] and how a part of it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The word.
    pub value: Value,
    /// The part, and how it is written.
    pub form: Form,
}

/// Which piece of which word each node is, as far as lowering says.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Option<Named>);

#[derive(Clone, Debug, Default)]
struct Named {
    pieces: Vec<(NodeId, Name)>,
    /// Digits in other forms: from which, to which, the form.
    converted: Vec<(NodeId, NodeId, Stored)>,
}

impl Names {
    /// Takes down the digits of all words, and their forms. Those of loose words are none.
    pub(super) fn digits(
        &mut self,
        words: &[Option<[NodeId; 8]>],
        forms: &[Stored],
        loose: &[bool],
    ) {
        for (n, ((digits, stored), loose)) in (0..).zip(words.iter().zip(forms).zip(loose)) {
            for (place, node) in (0..).zip(digits.iter().flatten()) {
                let form = match loose {
                    true => Form::Part(Piece::Digit(place)),
                    false => Form::digit(place, *stored),
                };
                self.piece(*node, Value(n), form);
            }
        }
    }

    /// Takes down all words that are one number or two.
    pub(super) fn numbers(&mut self, ones: &[Option<NodeId>], halves: &[Option<[NodeId; 2]>]) {
        for (n, (one, halves)) in (0..).zip(ones.iter().zip(halves)) {
            if let Some(one) = one {
                self.piece(*one, Value(n), Form::Plain(Piece::Whole));
            }
            for (half, node) in (0..).zip(halves.iter().flatten()) {
                self.piece(*node, Value(n), Form::Plain(Piece::Half(half)));
            }
        }
    }

    /// Takes down that a node is a piece of a word, unless it is one already.
    pub(super) fn piece(&mut self, node: NodeId, value: Value, form: Form) {
        if let Some(names) = &mut self.0 {
            names.pieces.push((node, Name { value, form }));
        }
    }

    /// Takes down that a digit was brought into another form.
    pub(super) fn convert(&mut self, from: NodeId, to: NodeId, form: Stored) {
        if let Some(names) = &mut self.0 {
            names.converted.push((from, to, form));
        }
    }
}

impl Named {
    /// By node, what it is.
    fn by_node(&self, nodes: usize) -> Vec<Option<Name>> {
        let mut by_node: Vec<Option<Name>> = vec![None; nodes];
        for (node, name) in &self.pieces {
            // What is only moved belongs to where it came from.
            let slot = &mut by_node[node.index()];
            *slot = slot.or(Some(*name));
        }
        for (from, to, stored) in &self.converted {
            let digit = by_node[from.index()].and_then(|name| {
                let form = Form::digit(name.form.place()?, *stored);
                Some(Name { form, ..name })
            });
            let slot = &mut by_node[to.index()];
            *slot = slot.or(digit);
        }
        by_node
    }
}

/// What is known of a body's bytes.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    pub(super) marks: Marks,
    pub(super) names: Names,
    by_node: Vec<Option<Name>>,
    /// What the body computes, once it was made: its inputs are the words that are read, its
    /// aborts what is compared.
    pub program: Option<Program>,
}

/// Some bytes, and what they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// Bytes of the body.
    pub bytes: Range<usize>,
    /// What they do.
    pub note: Note,
    /// How deep the item lies that they leave; 0 is the top.
    pub depth: usize,
    /// What that item holds besides what they compute; `None` if they leave something else
    /// there.
    pub bias: Option<i64>,
}

/// What bytes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// All tables.
    Tables,
    /// Claimed digits that are to wait in pairs.
    Join,
    /// A number that is computed, nameless where it belongs to no word.
    Node(Option<Name>),
    /// The same, so many times.
    Multiple(Option<Name>, i64),
    /// A digit that is read, and that nothing needs.
    Unread,
    /// A condition that raises the verdict, counted from 0.
    Flag(usize),
    /// Digits that are compared with the claimed ones as one number: the first, counted from 0,
    /// and how many.
    Compare(usize, usize),
    /// What leaves the verdict alone.
    End,
}

impl Notes {
    /// Notes that take nothing down.
    pub fn off() -> Self {
        Self::default()
    }

    /// Notes that take everything down.
    pub fn on() -> Self {
        Self {
            marks: Marks(Some(Marked::default())),
            names: Names(Some(Named::default())),
            ..Self::default()
        }
    }

    /// Whether anything is taken down.
    pub(super) fn are_on(&self) -> bool {
        self.marks.are_on()
    }

    /// Whose cells lie at the bottom of the stack once tables are pushed, bottom first.
    pub fn tables(&self) -> &[Option<Table>] {
        let marked = self.marks.0.as_ref();
        marked.map_or(&[], |marked| &marked.tables)
    }

    /// What is noted, in the order of the last bytes: inner before outer.
    pub fn all(&self) -> impl Iterator<Item = Noted> + '_ {
        let (mut flags, mut compared) = (0, 0);
        let count = |n: &mut usize, by: usize| {
            *n += by;
            *n - by
        };
        let marks = self.marks.0.iter().flat_map(|marked| &marked.marks);
        let name = |node: NodeId| self.by_node.get(node.index()).copied().flatten();
        marks.map(move |mark| {
            let note = match mark.what {
                What::Tables => Note::Tables,
                What::Join => Note::Join,
                What::Node(node) => Note::Node(name(node)),
                What::Toward(node) => Note::Node(name(node).map(|name| Name {
                    form: Form::Part(name.form.piece()),
                    ..name
                })),
                What::Multiple(node, times) => Note::Multiple(name(node), times),
                What::Unread => Note::Unread,
                What::Flag => Note::Flag(count(&mut flags, 1)),
                What::Compare(digits) => Note::Compare(count(&mut compared, digits), digits),
                What::End => Note::End,
            };
            Noted {
                bytes: mark.bytes.clone(),
                note,
                depth: mark.depth,
                bias: mark.bias,
            }
        })
    }

    /// Names the nodes, those that lowering named none of after what they are part of; follows
    /// the bytes into the shorter script.
    pub(super) fn finish(&mut self, graph: &Graph, offsets: &Offsets) {
        let Some(names) = self.names.0.take() else {
            return;
        };
        let mut by_node = names.by_node(graph.len());
        name_carries(graph, &mut by_node);
        for index in (0..graph.len()).rev() {
            let Some(name) = by_node[index] else { continue };
            for operand in graph.node(NodeId(index as u32)).operands() {
                let slot = &mut by_node[operand.index()];
                *slot = slot.or(Some(Name {
                    form: Form::Part(name.form.piece()),
                    ..name
                }));
            }
        }
        self.marks.follow(offsets, &by_node);
        self.by_node = by_node;
    }
}

/// What is split off a sum is the carry of the digit that is split off it.
fn name_carries(graph: &Graph, by_node: &mut [Option<Name>]) {
    for index in 0..by_node.len() {
        if let Node::Rest(low, _) = graph.node(NodeId(index as u32))
            && let (None, Some(digit)) = (by_node[index], by_node[low.index()])
        {
            by_node[index] = Some(Name {
                form: Form::Carry(digit.form.piece()),
                ..digit
            });
        }
    }
}
