//! Names of the items on the stacks, moved as the script moves the items.

use crate::script::code::{Code, Item, number, parse_number};
use crate::script::marks::{Name, Table};

/// What a stack item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Something on the way, without a name.
    Unknown,
    /// A number that was pushed.
    Number(i64),
    /// A challenger's signature, or the one that the leaf asks for.
    Signature(usize),
    /// The revealed element of a commitment's digit.
    Chain(usize, usize),
    /// The witness item that says which digit it is, one more than it.
    Item(usize, usize),
    /// A committed digit.
    Digit(usize, usize),
    /// A cell of a table.
    Table(Table),
    /// The sum of a commitment's digits that were checked so far.
    Sum(usize),
    /// How many signatures were valid so far.
    Valid,
    /// Cells of tables, of any.
    Tables,
    /// Part of a word, and what the item holds besides.
    Word(Name, i64),
    /// Part of a word, so many times.
    Multiple(Name, i64),
    /// Several multiples of it.
    Multiples(Name),
    /// Whether the leaf accuses so far.
    Verdict,
}

/// The names of both stacks, bottom first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The stack.
    pub main: Vec<Tag>,
    /// The altstack.
    pub alt: Vec<Tag>,
}

/// Items with neighbouring cells of tables in one, and neighbouring multiples: what each is, and
/// how many there are.
pub fn folded(items: impl Iterator<Item = Tag>) -> impl Iterator<Item = (Tag, usize)> {
    let group = |tag: &Tag| match *tag {
        Tag::Table(_) | Tag::Tables => Some(Tag::Tables),
        Tag::Multiple(name, _) => Some(Tag::Multiples(name)),
        _ => None,
    };
    let mut items = items.peekable();
    std::iter::from_fn(move || {
        let first = items.next()?;
        let all = group(&first);
        let mut count = 1;
        while all.is_some() && items.next_if(|tag| group(tag) == all).is_some() {
            count += 1;
        }
        let tag = all.filter(|_| count > 1).unwrap_or(first);
        Some((tag, count))
    })
}

impl Names {
    /// Names the item that lies so deep; 0 is the top.
    pub(super) fn name_at(&mut self, depth: usize, tag: Tag) {
        if let Some(item) = self.main.iter_mut().nth_back(depth) {
            *item = tag;
        }
    }

    /// Joins what two branches leave; where one took more, the rest wasn't there for the other.
    pub(super) fn join(&mut self, other: &Self) {
        if self.main.len() != other.main.len() {
            if self.main.len() > other.main.len() {
                self.clone_from(other);
            }
            return;
        }
        for (name, other) in self.main.iter_mut().zip(&other.main) {
            if name != other {
                *name = Tag::Unknown;
            }
        }
    }

    /// Names the items at the bottom after tables; those of none are there for their place.
    pub(super) fn name_tables(&mut self, tables: &[Option<Table>]) {
        for (item, table) in self.main.iter_mut().zip(tables) {
            *item = table.map_or(Tag::Tables, Tag::Table);
        }
    }

    /// Follows an instruction that is executed. `top` is the number on top where it is known;
    /// else the script has to say it: a `ROLL` by an unknown depth moves nothing.
    pub(super) fn follow(&mut self, item: &Item, top: Option<i64>) {
        match item {
            Item::Push(data) => self.main.push(match parse_number(data) {
                Some(n) if number(n) == *data => Tag::Number(n),
                _ => Tag::Unknown,
            }),
            Item::Code(code) => self.code(*code, top),
            Item::Bad(_) => {}
        }
    }

    fn pop(&mut self) -> Tag {
        self.main.pop().unwrap_or(Tag::Unknown)
    }

    /// Where the last `count` items start.
    fn last(&self, count: usize) -> usize {
        self.main.len().saturating_sub(count)
    }

    /// Copies `count` items that start `depth` below the top.
    fn copy(&mut self, count: usize, depth: usize) {
        let from = self.last(depth);
        let to = (from + count).min(self.main.len());
        self.main.extend_from_within(from..to);
    }

    fn rotate(&mut self, count: usize, by: usize) {
        let from = self.last(count);
        if let Some(items) = self.main.get_mut(from..)
            && by <= items.len()
        {
            items.rotate_left(by);
        }
    }

    fn code(&mut self, code: Code, top: Option<i64>) {
        match code {
            Code::ToAlt => {
                let item = self.pop();
                self.alt.push(item);
            }
            Code::FromAlt => {
                let item = self.alt.pop().unwrap_or(Tag::Unknown);
                self.main.push(item);
            }
            Code::Dup => self.copy(1, 1),
            Code::Dup2 => self.copy(2, 2),
            Code::Dup3 => self.copy(3, 3),
            Code::Over => self.copy(1, 2),
            Code::Over2 => self.copy(2, 4),
            Code::Swap => self.rotate(2, 1),
            Code::Rot => self.rotate(3, 1),
            Code::Rot2 => self.rotate(6, 2),
            Code::Swap2 => self.rotate(4, 2),
            Code::Nip => {
                let top = self.pop();
                self.pop();
                self.main.push(top);
            }
            Code::Tuck => {
                let top = self.main.last().copied().unwrap_or(Tag::Unknown);
                let at = self.last(2);
                self.main.insert(at, top);
            }
            Code::Size => self.main.push(Tag::Unknown),
            Code::Pick | Code::Roll => self.fetch(code, top),
            // The hash of a chain's element is the next one.
            Code::Hash160 => {}
            code => {
                let (pops, pushes) = code.effect();
                self.main.truncate(self.last(usize::from(pops)));
                let new = std::iter::repeat_n(Tag::Unknown, usize::from(pushes));
                self.main.extend(new);
            }
        }
    }

    fn fetch(&mut self, code: Code, top: Option<i64>) {
        let depth = match (self.pop(), top) {
            (_, Some(n)) | (Tag::Number(n), None) => usize::try_from(n).ok(),
            _ => None,
        };
        let at = depth.and_then(|depth| self.main.len().checked_sub(depth + 1));
        let item = match (at, code) {
            (Some(at), Code::Roll) => self.main.remove(at),
            (Some(at), _) => self.main.get(at).copied().unwrap_or(Tag::Unknown),
            (None, Code::Roll) => return,
            (None, _) => Tag::Unknown,
        };
        self.main.push(item);
    }
}
