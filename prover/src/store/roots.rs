//! The roots of the tree's buckets as they are stored.

use super::StoreError;
use super::bytes::Bytes;
use super::file::BUCKETS;
use crate::tree::{Bucket, Count, Node, Tree};
use redb::{ReadableTable, Table};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// How many roots are in one chunk: as many as fill a page of 32 KiB.
const TOGETHER: u32 = 960;

/// Changes stored roots; later ones win.
pub(super) fn write<'a>(
    table: &mut Table<'_, u32, &'static [u8]>,
    depth: u8,
    roots: impl Iterator<Item = &'a (Bucket, Node)>,
) -> Result<(), StoreError> {
    let mut chunks: BTreeMap<u32, Vec<Node>> = BTreeMap::new();
    for (bucket, node) in roots {
        let number = bucket.0 / TOGETHER;
        let chunk = match chunks.entry(number) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(match table.get(number)? {
                Some(bytes) => read(bytes.value(), length(number, depth))?,
                None => vec![Node::default(); length(number, depth)],
            }),
        };
        if let Some(slot) = chunk.get_mut((bucket.0 % TOGETHER) as usize) {
            *slot = *node;
        }
    }
    for (number, chunk) in chunks {
        table.insert(number, &bytes(&chunk)[..])?;
    }
    Ok(())
}

/// The tree whose roots are stored.
pub(super) fn tree(
    transaction: &redb::ReadTransaction,
    depth: u8,
    batch: u64,
    cells: u64,
) -> Result<Tree, StoreError> {
    if depth > Tree::DEEPEST {
        return Err(StoreError::damaged("the tree is too deep"));
    }
    let mut roots = Vec::new();
    for entry in transaction.open_table(BUCKETS)?.iter()? {
        let (number, chunk) = entry?;
        let nodes = read(chunk.value(), length(number.value(), depth))?;
        let first = number.value() * TOGETHER;
        let named = (first..).map(Bucket).zip(nodes);
        roots.extend(named.filter(|(_, node)| node.count != Count::None));
    }
    Ok(Tree::restore(depth, batch, cells, &roots))
}

/// How many roots a chunk has; none if there is no such chunk.
fn length(number: u32, depth: u8) -> usize {
    let first = u64::from(number) * u64::from(TOGETHER);
    let rest = (1u64 << depth).saturating_sub(first);
    rest.min(TOGETHER.into()) as usize
}

/// For each root how many cells hang below it, 0, 1 or 2 for more, and its hash.
fn bytes(nodes: &[Node]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(33 * nodes.len());
    for node in nodes {
        bytes.push(match node.count {
            Count::None => 0,
            Count::One => 1,
            Count::Many => 2,
        });
        bytes.extend(node.hash);
    }
    bytes
}

fn read(chunk: &[u8], length: usize) -> Result<Vec<Node>, StoreError> {
    let mut bytes = Bytes::new(chunk, "a chunk of the tree's nodes");
    let mut nodes = Vec::with_capacity(length);
    for _ in 0..length {
        let count = match bytes.u8()? {
            0 => Count::None,
            1 => Count::One,
            2 => Count::Many,
            _ => return Err(StoreError::damaged("a node of the tree has no count")),
        };
        let hash = bytes.array()?;
        nodes.push(Node { count, hash });
    }
    bytes.end()?;
    if length == 0 {
        return Err(StoreError::damaged("the tree has nodes beside its buckets"));
    }
    Ok(nodes)
}
