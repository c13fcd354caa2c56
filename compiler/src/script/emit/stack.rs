//! A symbolic stack: every item above the tables is known by name.

use super::super::asm::Asm;
use super::super::code::Code;

/// The name of a stack item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// A node's value.
    Node(u32),
    /// What is about to be consumed.
    Temporary(u32),
    /// Whether any flag was raised so far.
    Verdict,
}

/// The items above the tables, and the script that put them there.
#[derive(Debug)]
pub struct Stack {
    /// The script.
    pub asm: Asm,
    items: Vec<Name>,
    temporaries: u32,
}

impl Stack {
    /// Nothing above what the script has pushed so far.
    pub fn new(asm: Asm) -> Self {
        Self {
            asm,
            items: Vec::new(),
            temporaries: 0,
        }
    }

    /// The name of the top item.
    pub fn top(&self) -> Option<Name> {
        self.items.last().copied()
    }

    /// The name of the item at a depth; 0 is the top.
    pub fn nth(&self, depth: usize) -> Option<Name> {
        self.items.iter().rev().nth(depth).copied()
    }

    /// Whether the top items are these, the topmost last.
    pub fn ends_with(&self, names: &[Name]) -> bool {
        self.items.ends_with(names)
    }

    /// How deep an item lies; 0 is the top.
    pub fn depth_of(&self, name: Name) -> Option<usize> {
        self.items.iter().rev().position(|item| *item == name)
    }

    /// Says that what the script has just pushed is a new item; gives its name.
    pub fn pushed(&mut self) -> Name {
        let name = Name::Temporary(self.temporaries);
        self.temporaries += 1;
        self.items.push(name);
        name
    }

    /// Gives the top item another name.
    pub fn name_top(&mut self, name: Name) {
        if let Some(top) = self.items.last_mut() {
            *top = name;
        }
    }

    /// An opcode that takes the top `takes` items and leaves a new one.
    pub fn apply(&mut self, code: Code, takes: usize) {
        self.asm.op(code);
        self.drop(takes);
        self.pushed();
    }

    /// Says that the top items are gone.
    pub fn drop(&mut self, items: usize) {
        self.items.truncate(self.items.len().saturating_sub(items));
    }

    /// Copies an item to the top, under a new name.
    pub fn pick(&mut self, depth: usize) {
        match depth {
            0 => self.asm.op(Code::Dup),
            1 => self.asm.op(Code::Over),
            _ => {
                self.asm.num(depth as i64);
                self.asm.op(Code::Pick);
            }
        }
        self.pushed();
    }

    /// Moves an item to the top; it keeps its name.
    pub fn roll(&mut self, depth: usize) {
        match depth {
            0 => {}
            1 => self.asm.op(Code::Swap),
            2 => self.asm.op(Code::Rot),
            _ => {
                self.asm.num(depth as i64);
                self.asm.op(Code::Roll);
            }
        }
        if let Some(at) = self.items.len().checked_sub(depth + 1) {
            let name = self.items.remove(at);
            self.items.push(name);
        }
    }

    /// Puts a copy of the top item beneath the one under it; the copy keeps the name.
    pub fn tuck(&mut self) {
        self.asm.op(Code::Tuck);
        if let Some(top) = self.items.pop() {
            let under = self.items.pop();
            self.items.push(top);
            self.items.extend(under);
            self.pushed();
        }
    }
}
