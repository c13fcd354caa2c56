//! Brackets, and the items in them.

use super::piece::Piece;
use crate::syntax::token::TokenKind;

/// A piece, or brackets with what is in them.
#[derive(Debug)]
pub(super) enum Node<'s> {
    Leaf(Piece<'s>),
    Group(Group<'s>),
}

/// Brackets with what is in them.
#[derive(Debug)]
pub(super) struct Group<'s> {
    pub open: Piece<'s>,
    pub items: Vec<Item<'s>>,
    pub close: Piece<'s>,
    /// Whether its items are lines, such as statements, and not elements of a list.
    pub lines: bool,
    /// Whether the source has a line break between its items, or around them.
    pub rows: bool,
    /// Whether it can't be on one line: it wasn't, or it has comments.
    pub broken: bool,
    /// Columns if it is on one line, with the space before it.
    pub width: usize,
}

/// An element of a list, or a line such as a statement.
#[derive(Debug, Default)]
pub(super) struct Item<'s> {
    pub nodes: Vec<Node<'s>>,
    /// Ends it; the last one of a group is there only if the group is broken over lines.
    pub comma: Option<Piece<'s>>,
}

impl<'s> Node<'s> {
    pub fn first(&self) -> &Piece<'s> {
        match self {
            Self::Leaf(piece) => piece,
            Self::Group(group) => &group.open,
        }
    }

    pub fn last(&self) -> &Piece<'s> {
        match self {
            Self::Leaf(piece) => piece,
            Self::Group(group) => &group.close,
        }
    }

    fn last_mut(&mut self) -> &mut Piece<'s> {
        match self {
            Self::Leaf(piece) => piece,
            Self::Group(group) => &mut group.close,
        }
    }

    /// Columns on a line, with the space before it.
    pub fn width(&self) -> usize {
        match self {
            Self::Leaf(piece) => piece.width(),
            Self::Group(group) => group.width,
        }
    }

    fn is(&self, kind: TokenKind) -> bool {
        matches!(self, Self::Leaf(piece) if piece.kind == kind)
    }

    fn is_broken(&self) -> bool {
        matches!(self, Self::Group(group) if group.broken)
    }
}

impl<'s> Item<'s> {
    pub fn first(&self) -> Option<&Piece<'s>> {
        self.nodes.first().map(Node::first)
    }

    pub fn last(&self) -> Option<&Piece<'s>> {
        let last = self.nodes.last().map(Node::last);
        self.comma.as_ref().or(last)
    }

    /// Columns on a line, without its comma.
    pub fn width(&self) -> usize {
        width(&self.nodes)
    }

    fn is_arm(&self) -> bool {
        self.nodes.iter().any(|node| node.is(TokenKind::FatArrow))
    }

    fn ends_with_brace(&self) -> bool {
        self.last().is_some_and(|p| p.kind == TokenKind::CloseBrace)
    }

    /// Adds the comma that it doesn't have, before the comment at its end.
    fn add_comma(&mut self) {
        if self.comma.is_none() {
            let last = self.nodes.last_mut().map(Node::last_mut);
            let beside = last.and_then(|last| last.beside.take());
            self.comma = Some(Piece {
                beside,
                ..Piece::comma()
            });
        }
    }

    fn remove_comma(&mut self) {
        let beside = self.comma.take().and_then(|comma| comma.beside);
        if let Some(last) = self.nodes.last_mut() {
            let last = last.last_mut();
            last.beside = last.beside.or(beside);
        }
    }
}

/// Columns on a line, with the space before.
pub(super) fn width(nodes: &[Node]) -> usize {
    nodes.iter().map(Node::width).sum()
}

/// Whether these nodes can't be on one line, whatever its length. Comments before the first
/// and behind the last don't matter.
pub(super) fn is_broken(nodes: &[Node]) -> bool {
    nodes.iter().any(Node::is_broken) || has_comment(nodes)
}

/// Whether a comment stands between these nodes.
fn has_comment(nodes: &[Node]) -> bool {
    nodes.windows(2).any(|pair| match pair {
        [a, b] => a.last().beside.is_some() || !b.first().above.is_empty(),
        _ => false,
    })
}

/// The whole file: a group of lines without brackets.
pub(super) fn file(pieces: Vec<Piece>) -> Group {
    let mut pieces = pieces.into_iter();
    let open = Piece {
        text: "",
        ..Piece::comma()
    };
    group(open, &mut pieces)
}

/// The group that `open` opens, up to its end.
fn group<'s>(open: Piece<'s>, pieces: &mut impl Iterator<Item = Piece<'s>>) -> Group<'s> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut close = Piece {
        text: "",
        ..Piece::comma()
    };
    while let Some(piece) = pieces.next() {
        match piece.kind {
            TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => {
                nodes.push(Node::Group(group(piece, pieces)));
            }
            TokenKind::CloseParen
            | TokenKind::CloseBracket
            | TokenKind::CloseBrace
            | TokenKind::End => {
                close = piece;
                break;
            }
            _ => nodes.push(Node::Leaf(piece)),
        }
    }
    let brace = open.kind == TokenKind::OpenBrace;
    let lines = nodes.iter().any(|node| node.first().starts)
        || (brace && nodes.iter().any(|node| node.is(TokenKind::Semicolon)));
    let items = if lines {
        lines_of(nodes)
    } else {
        elements_of(nodes, brace)
    };
    let mut group = Group {
        open,
        items,
        close,
        lines,
        rows: false,
        broken: false,
        width: 0,
    };
    group.measure();
    group
}

/// Splits before each start of a line.
fn lines_of(nodes: Vec<Node>) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for node in nodes {
        match items.last_mut() {
            Some(item) if !node.first().starts => item.nodes.push(node),
            _ => items.push(Item {
                nodes: vec![node],
                comma: None,
            }),
        }
    }
    for item in items.iter_mut().filter(|item| item.is_arm()) {
        if let Some(Node::Leaf(comma)) = item.nodes.pop_if(|node| node.is(TokenKind::Comma)) {
            item.comma = Some(comma);
        } else if !item.ends_with_brace() {
            item.add_comma();
        }
    }
    items
}

/// Splits at each comma.
fn elements_of(nodes: Vec<Node>, brace: bool) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for node in nodes {
        match (items.last_mut(), node) {
            (Some(item), Node::Leaf(comma))
                if comma.kind == TokenKind::Comma && item.comma.is_none() =>
            {
                item.comma = Some(comma);
            }
            (Some(item), node) if item.comma.is_none() => item.nodes.push(node),
            (_, node) => items.push(Item {
                nodes: vec![node],
                comma: None,
            }),
        }
    }
    let several = items.len() > 1;
    match items.last_mut() {
        // What is alone in its brackets may be no list.
        Some(item) if !several && !brace => item.remove_comma(),
        Some(item) => item.add_comma(),
        None => {}
    }
    items
}

impl<'s> Group<'s> {
    /// Sets what depends on the items.
    fn measure(&mut self) {
        let nodes: usize = self.items.iter().map(Item::width).sum();
        let between = self.items.iter().rev().skip(1);
        let commas = between.filter(|item| item.comma.is_some()).count();
        self.width = self.open.width() + nodes + commas + self.close.width();

        let inner = || self.items.iter().flat_map(|item| &item.nodes);
        let alone = self.items.len() == 1 && self.open.kind != TokenKind::OpenBrace;
        let breaks = inner().any(|node| node.first().first_of_line) || self.close.first_of_line;
        self.rows = breaks && !alone && !self.items.is_empty();
        let separate = self.items.len() > 1 && !self.items.iter().all(Item::is_arm);
        let lines = self.lines && (separate || self.has_line_break());
        self.broken = self.rows || lines || self.has_comment() || inner().any(Node::is_broken);
    }

    /// Whether the source has a line break between the brackets, at any depth.
    fn has_line_break(&self) -> bool {
        let deep = |node: &Node| match node {
            Node::Leaf(piece) => piece.first_of_line,
            Node::Group(group) => group.open.first_of_line || group.has_line_break(),
        };
        self.close.first_of_line || self.items.iter().flat_map(|item| &item.nodes).any(deep)
    }

    /// Whether a comment stands between the brackets, but not in inner ones.
    pub fn has_comment(&self) -> bool {
        let on = |item: &Item| {
            let comma = item.comma.as_ref();
            comma.is_some_and(|p| p.beside.is_some() || !p.above.is_empty())
                || item.first().is_some_and(|p| !p.above.is_empty())
                || item.last().is_some_and(|p| p.beside.is_some())
                || has_comment(&item.nodes)
        };
        self.open.beside.is_some() || !self.close.above.is_empty() || self.items.iter().any(on)
    }
}
