//! The tree to text.

use super::WIDTH;
use super::piece::{Comment, Piece};
use super::tree::{Group, Item, Node, is_broken, width};
use crate::syntax::ast::BinaryOp;
use crate::syntax::token::TokenKind;

const TAB: usize = 4;

/// The text of a file.
pub(super) fn print(file: &Group) -> String {
    let mut printer = Printer {
        out: String::new(),
        level: 0,
        column: 0,
        ahead: Some(Break::First(0)),
        closed: false,
    };
    printer.items(&file.items);
    printer.ahead = Some(Break::Line(0));
    printer.comments(&file.close.above);
    printer.out.push('\n');
    printer.out
}

/// A line break before what is printed next, which is indented by so many levels.
#[derive(Clone, Copy, Debug)]
enum Break {
    /// Before the first line of a group: no blank line here.
    First(usize),
    /// Before a line: a blank line of the source stays.
    Line(usize),
    /// Inside a line: no blank line here.
    Inside(usize),
}

struct Printer {
    out: String,
    /// Of the line that is being printed.
    level: usize,
    /// Where the next character would stand, if no break comes first.
    column: usize,
    ahead: Option<Break>,
    /// Whether the last thing printed ends a group that is broken over lines.
    closed: bool,
}

impl Printer {
    /// Starts a new line, if one is ahead.
    fn start_line(&mut self, blank: bool) {
        let Some(ahead) = self.ahead.take() else {
            return;
        };
        let (Break::First(level) | Break::Line(level) | Break::Inside(level)) = ahead;
        if !self.out.is_empty() {
            self.out.push('\n');
            if blank && matches!(ahead, Break::Line(_)) {
                self.out.push('\n');
            }
        }
        self.column = 0;
        self.text(&" ".repeat(level * TAB));
    }

    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn comments(&mut self, comments: &[Comment]) {
        for comment in comments {
            let ahead = self.ahead.unwrap_or(Break::Inside(self.level + 1));
            self.ahead = Some(ahead);
            self.start_line(comment.blank);
            self.text(comment.text);
            self.ahead = Some(match ahead {
                Break::First(level) | Break::Line(level) => Break::Line(level),
                Break::Inside(level) => Break::Inside(level),
            });
            self.closed = false;
        }
    }

    fn piece(&mut self, piece: &Piece) {
        self.comments(&piece.above);
        if self.ahead.is_some() {
            self.start_line(piece.blank);
        } else if piece.space {
            self.text(" ");
        }
        self.text(piece.text);
        self.closed = false;
        if let Some(comment) = piece.beside {
            self.text(" ");
            self.text(comment);
            self.ahead = Some(Break::Inside(self.level + 1));
        }
    }

    /// Lines, each on its own.
    fn items(&mut self, items: &[Item]) {
        for (n, item) in items.iter().enumerate() {
            self.line(n == 0);
            self.item(item);
        }
    }

    /// Has a line of the current level start next.
    fn line(&mut self, first: bool) {
        let line = if first { Break::First } else { Break::Line };
        self.ahead = Some(line(self.level));
    }

    fn item(&mut self, item: &Item) {
        self.sequence(&item.nodes, usize::from(item.comma.is_some()));
        if let Some(comma) = &item.comma {
            self.piece(comma);
        }
    }

    /// Nodes, on one line if that is possible. `tail` columns follow on their last line.
    fn sequence(&mut self, nodes: &[Node], tail: usize) {
        let Some(first) = nodes.first() else {
            return;
        };
        if !is_broken(nodes) && self.has_room(first.first(), width(nodes) + tail) {
            self.flat(nodes);
        } else if nodes.iter().any(is_block) {
            self.with_blocks(nodes, tail);
        } else if let Some(weakest) = weakest(nodes).filter(|_| !is_head(nodes)) {
            self.at_operators(nodes, weakest, tail);
        } else {
            self.in_order(nodes, tail);
        }
    }

    /// Whether so many columns fit on the line, from `first` on with the space before it.
    fn has_room(&self, first: &Piece, columns: usize) -> bool {
        let from = match self.ahead {
            Some(Break::First(level) | Break::Line(level) | Break::Inside(level)) => {
                (level * TAB).saturating_sub(usize::from(first.space))
            }
            None => self.column,
        };
        from + columns <= WIDTH
    }

    fn flat(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Leaf(piece) => self.piece(piece),
                Node::Group(group) => self.flat_group(group),
            }
        }
    }

    fn flat_group(&mut self, group: &Group) {
        self.piece(&group.open);
        let last = group.items.len().saturating_sub(1);
        for (n, item) in group.items.iter().enumerate() {
            self.flat(&item.nodes);
            if let Some(comma) = item.comma.as_ref().filter(|_| n < last) {
                self.piece(comma);
            }
        }
        self.piece(&group.close);
    }

    /// Breaks every block: if one branch needs lines, all have them.
    fn with_blocks(&mut self, nodes: &[Node], tail: usize) {
        for part in nodes.split_inclusive(is_block) {
            match part.split_last() {
                Some((last @ Node::Group(group), head)) if is_block(last) => {
                    self.sequence(head, " {".len());
                    self.broken(group, 0);
                }
                _ => self.sequence(part, tail),
            }
        }
    }

    /// Breaks before each operator that binds so strongly, except where a group just ended.
    fn at_operators(&mut self, nodes: &[Node], strength: u8, tail: usize) {
        let mut parts = nodes
            .chunk_by(|a, b| strength_between(a, b) != Some(strength))
            .peekable();
        let mut first = true;
        while let Some(part) = parts.next() {
            let tail = if parts.peek().is_some() { 0 } else { tail };
            // What commas separate outside of brackets fills its lines.
            let fills = strength == 0 && !is_broken(part) && {
                let next = part.first().map(Node::first);
                next.is_some_and(|next| self.has_room(next, width(part) + tail))
            };
            if first || self.closed || (fills && self.ahead.is_none()) {
                self.sequence(part, tail);
            } else {
                self.level += 1;
                self.ahead = Some(Break::Inside(self.level));
                self.sequence(part, tail);
                self.level -= 1;
            }
            first = false;
        }
    }

    /// Breaks the groups that don't fit.
    fn in_order(&mut self, mut nodes: &[Node], tail: usize) {
        while let Some((node, rest)) = nodes.split_first() {
            nodes = rest;
            let group = match node {
                Node::Leaf(piece) => {
                    self.piece(piece);
                    continue;
                }
                Node::Group(group) => group,
            };
            let leaves = rest.iter().take_while(|n| matches!(n, Node::Leaf(_)));
            let behind: usize = leaves.map(Node::width).sum();
            let tail = match rest.iter().find(|n| matches!(n, Node::Group(_))) {
                Some(next) => behind + next.first().width(),
                None => behind + tail,
            };
            if !group.broken && self.has_room(&group.open, group.width + tail) {
                self.flat_group(group);
            } else {
                self.broken(group, tail);
            }
        }
    }

    /// A group over several lines.
    fn broken(&mut self, group: &Group, tail: usize) {
        if let Some((last, before)) = self.embraced(group) {
            self.piece(&group.open);
            for item in before {
                self.item(item);
            }
            self.sequence(&last.nodes, tail + 1);
            self.piece(&group.close);
        } else {
            self.piece(&group.open);
            self.level += 1;
            if group.lines {
                self.items(&group.items);
            } else {
                self.rows(group);
            }
            self.line(group.items.is_empty());
            self.comments(&group.close.above);
            self.level -= 1;
            self.line(true);
            self.closing(&group.close);
        }
        self.closed = group.close.beside.is_none();
    }

    /// A closing bracket; the comments above it are printed.
    fn closing(&mut self, close: &Piece) {
        let bare = Piece {
            above: Vec::new(),
            ..close.clone()
        };
        self.piece(&bare);
    }

    /// The last element, and those before it, of a list that is broken only because the last
    /// ends in a broken group: `f(a, [`, lines, `])`.
    fn embraced<'t, 's>(&self, group: &'t Group<'s>) -> Option<(&'t Item<'s>, &'t [Item<'s>])> {
        let (last, before) = group.items.split_last()?;
        let (end, head) = last.nodes.split_last()?;
        let Node::Group(inner) = end else {
            return None;
        };
        let plain = !group.lines && !group.rows && !group.has_comment();
        let single = !is_broken(head) && before.iter().all(|item| !is_broken(&item.nodes));
        if !(plain && single && inner.broken) || weakest(&last.nodes).is_some() {
            return None;
        }
        let items: usize = before.iter().map(|item| item.width() + 1).sum();
        let columns = group.open.width() + items + width(head) + inner.open.width();
        self.has_room(&group.open, columns)
            .then_some((last, before))
    }

    /// The elements of a list: as the source has them in rows, or one a line.
    fn rows(&mut self, group: &Group) {
        let same_row = |a: &Item, b: &Item| {
            let commented = a.last().is_some_and(|p| p.beside.is_some())
                || b.first().is_some_and(|p| !p.above.is_empty());
            let breaks = b.first().is_some_and(|p| p.first_of_line);
            group.rows && !commented && !breaks
        };
        let mut first = true;
        for row in group.items.chunk_by(same_row) {
            self.line(first);
            let columns: usize = row.iter().map(|item| item.width() + 1).sum();
            let fits = |first| self.has_room(first, columns);
            let single = row.first().and_then(Item::first).is_some_and(fits)
                && row.iter().all(|item| !is_broken(&item.nodes));
            for (n, item) in row.iter().enumerate() {
                if n == 0 || !single {
                    self.line(first);
                }
                self.item(item);
                first = false;
            }
        }
    }
}

/// Whether it is the head of an entry, which is broken at its arguments.
fn is_head(nodes: &[Node]) -> bool {
    matches!(nodes.first(), Some(Node::Leaf(first)) if first.text == "entry" && first.starts)
}

fn is_block(node: &Node) -> bool {
    let Node::Group(group) = node else {
        return false;
    };
    group.open.kind == TokenKind::OpenBrace && (!group.items.is_empty() || group.has_comment())
}

/// How strongly the weakest operator binds at which the nodes can be broken.
fn weakest(nodes: &[Node]) -> Option<u8> {
    let pairs = nodes.windows(2).filter_map(|pair| match pair {
        [a, b] => strength_between(a, b),
        _ => None,
    });
    pairs.min()
}

/// How strongly two nodes are bound by an operator between them; a comma binds least.
fn strength_between(a: &Node, b: &Node) -> Option<u8> {
    match (a, b) {
        (Node::Leaf(a), _) if a.kind == TokenKind::Comma => Some(0),
        (_, Node::Leaf(b)) if b.angle => None,
        (_, Node::Leaf(b)) => match (b.kind, b.text) {
            (TokenKind::Word, "else" | "where") => Some(1),
            (TokenKind::Word, "fails") => Some(BinaryOp::Eq.precedence() + 1),
            (TokenKind::Operator, op) => BinaryOp::from_symbol(op).map(|op| op.precedence() + 1),
            _ => None,
        },
        _ => None,
    }
}
