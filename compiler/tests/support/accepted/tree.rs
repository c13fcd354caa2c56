//! A generated program as lines and blocks, so that parts of it can be left out.

use std::fmt::{self, Display, Formatter};

/// A line, or a block of several parts such as `if { } else { }`.
#[derive(Clone, Debug)]
pub enum Node {
    /// One statement or item.
    Line(String),
    /// Heads and what they hold; a `}` ends the last.
    Block(Vec<(String, Vec<Node>)>),
}

impl Node {
    /// A block with one part.
    pub fn block(head: impl Into<String>, body: Vec<Self>) -> Self {
        Self::Block(vec![(head.into(), body)])
    }

    fn write(&self, depth: usize, f: &mut Formatter<'_>) -> fmt::Result {
        let pad = "    ".repeat(depth);
        match self {
            Self::Line(line) => writeln!(f, "{pad}{line}"),
            Self::Block(parts) => {
                for (n, (head, body)) in parts.iter().enumerate() {
                    let close = if n > 0 { "} " } else { "" };
                    writeln!(f, "{pad}{close}{head} {{")?;
                    body.iter().try_for_each(|node| node.write(depth + 1, f))?;
                }
                writeln!(f, "{pad}}}")
            }
        }
    }

    /// How many lines and blocks there are within, this one included.
    fn count(&self) -> usize {
        match self {
            Self::Line(_) => 1,
            Self::Block(parts) => 1 + parts.iter().map(|(_, body)| count(body)).sum::<usize>(),
        }
    }
}

fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(Node::count).sum()
}

/// The same without node number `n` in order; `None` where there are fewer.
fn without(nodes: &[Node], n: &mut usize) -> Option<Vec<Node>> {
    for (at, node) in nodes.iter().enumerate() {
        if *n == 0 {
            let mut rest = nodes.to_vec();
            rest.remove(at);
            return Some(rest);
        }
        *n -= 1;
        let Node::Block(parts) = node else { continue };
        for (p, (_, body)) in parts.iter().enumerate() {
            if let Some(body) = without(body, n) {
                let (mut all, mut parts) = (nodes.to_vec(), parts.clone());
                parts[p].1 = body;
                all[at] = Node::Block(parts);
                return Some(all);
            }
        }
    }
    None
}

/// Items, or statements; shown as source.
#[derive(Clone, Debug)]
pub struct Tree(pub Vec<Node>);

impl Display for Tree {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|node| node.write(0, f))
    }
}

impl Tree {
    /// The smallest that still fails, found by leaving out one line or block after another.
    pub fn shrink(mut self, fails: impl Fn(&str) -> bool) -> String {
        loop {
            let all = count(&self.0);
            // Blocks come before what they hold, so large parts are tried first.
            let smaller = (0..all).find_map(|n| {
                let less = Self(without(&self.0, &mut n.clone())?);
                fails(&less.to_string()).then_some(less)
            });
            match smaller {
                Some(less) => self = less,
                None => return self.to_string(),
            }
        }
    }
}
