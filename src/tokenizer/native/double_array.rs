//! A double array: a map from byte strings to ids, searched byte by byte.
//!
//! Aoe (1989), "An efficient digital search algorithm by using a double-array structure", with the exclusive-or
//! addressing of Darts-clone: the child of a node over byte `b` is at `base ^ b`. No two nodes have the same base, so
//! the byte stored with a child shows whether it is a child of this node.

use bytemuck::{Pod, Zeroable};

/// The number of nodes in a block. All children of a node lie in one block, since they differ from its base only in the
/// low 8 bits.
const BLOCK_UNITS: usize = 256;
/// The number of most recent blocks that are searched for free units. More blocks pack tighter but build slower.
const OPEN_BLOCKS: usize = 16;
/// The largest score. Even the sum of one such score per byte of a 4 GiB text is finite.
const LARGEST_SCORE: f64 = 1e298;
/// Bases have 24 bits.
const MAX_UNITS: usize = 1 << 24;

/// A node of the trie. Its fields are adjacent, so that they share a cache line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Node {
    /// `base << 8 | byte`. The byte leads from the parent to this node.
    pub unit: u32,
    /// The id of the key that ends here plus 1, or 0 if none does.
    pub value: u32,
}

impl Node {
    const FREE: Self = Self { unit: 0, value: 0 };
}

/// The nodes of the trie, with the root first, and the scores by [`Node::value`]. The score of value 0 is minus
/// infinity.
#[derive(Debug, Clone, Copy)]
pub struct DoubleArray<'a> {
    pub nodes: &'a [Node],
    pub scores: &'a [f64],
}

/// Builds the nodes for `keys` with their ids and scores. Keys must be sorted by bytes and have no duplicates.
///
/// Returns `None` if a key is empty or contains a zero byte, if the keys are out of order or too many, or if a sum of
/// scores could be infinite.
pub fn build(keys: &[(&[u8], u32, f64)]) -> Option<Vec<Node>> {
    let in_order = keys.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let is_valid = |key: &&(&[u8], u32, f64)| {
        !key.0.is_empty() && !key.0.contains(&0) && key.2.abs() <= LARGEST_SCORE
    };
    if !in_order || keys.iter().filter(is_valid).count() != keys.len() {
        return None;
    }
    let mut builder = Builder::default();
    builder.reserve_block();
    // Ranges of keys that share their first `depth` bytes, with the node that those bytes lead to.
    let mut open = vec![(0, keys.len(), 0_usize, 0_usize)];
    let mut children: Vec<(u8, usize, usize)> = Vec::new();
    while let Some((first, last, depth, node)) = open.pop() {
        let mut first = first;
        if first < last && keys[first].0.len() == depth {
            builder.nodes[node].value = keys[first].1.checked_add(1)?;
            first += 1;
        }
        if first == last {
            continue;
        }
        children.clear();
        while first < last {
            let byte = keys[first].0[depth];
            let same = keys[first..last].partition_point(|key| key.0[depth] == byte);
            children.push((byte, first, first + same));
            first += same;
        }
        let base = builder.find_base(&children)?;
        builder.nodes[node].unit |= (base as u32) << 8;
        for &(byte, first, last) in &children {
            let child = base ^ usize::from(byte);
            builder.nodes[child].unit = u32::from(byte);
            open.push((first, last, depth + 1, child));
        }
    }
    Some(builder.nodes)
}

impl<'a> DoubleArray<'a> {
    /// Starts a walk at the root.
    #[inline]
    pub fn walk(self) -> Walk<'a> {
        Walk {
            nodes: self.nodes,
            base: self.nodes.first().map_or(0, |root| root.unit >> 8),
        }
    }

    /// Returns the score of the key that ends at a node, or minus infinity if none does.
    #[inline]
    pub fn score(self, node: &Node) -> f64 {
        let score = self.scores.get(node.value as usize);
        *score.unwrap_or(&f64::NEG_INFINITY)
    }

    /// Returns the id of a key.
    pub fn get(self, key: &[u8]) -> Option<u32> {
        let mut walk = self.walk();
        let mut last = None;
        for byte in key {
            last = Some(walk.step(*byte)?);
        }
        last?.value.checked_sub(1)
    }
}

/// A walk from the root along the bytes of a text.
#[derive(Debug, Clone, Copy)]
pub struct Walk<'a> {
    nodes: &'a [Node],
    base: u32,
}

impl<'a> Walk<'a> {
    /// Follows a byte and returns its node. Returns `None` if no key continues with the byte; the walk is then over.
    #[inline]
    pub fn step(&mut self, byte: u8) -> Option<&'a Node> {
        let node = self.nodes.get((self.base ^ u32::from(byte)) as usize)?;
        if node.unit as u8 != byte || byte == 0 {
            return None;
        }
        self.base = node.unit >> 8;
        Some(node)
    }
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    /// By number, true if the number is the base of a node.
    is_base: Vec<bool>,
    /// The free units of the open blocks, as a doubly linked ring through unit 0. A unit that is occupied or in a
    /// closed block points to itself.
    next: Vec<u32>,
    previous: Vec<u32>,
}

impl Builder {
    /// Adds a block, and closes the block that is no longer among the last [`OPEN_BLOCKS`].
    fn reserve_block(&mut self) {
        let start = self.next.len();
        let end = start + BLOCK_UNITS;
        self.nodes.resize(end, Node::FREE);
        self.is_base.resize(end, false);
        for unit in start..end {
            self.next.push(unit as u32);
            self.previous.push(unit as u32);
            // Unit 0 is the root and the head of the ring.
            if unit > 0 {
                let last = self.previous[0];
                self.next[last as usize] = unit as u32;
                self.previous[unit] = last;
                self.next[unit] = 0;
                self.previous[0] = unit as u32;
            }
        }
        if let Some(closed) = (end / BLOCK_UNITS).checked_sub(OPEN_BLOCKS + 1) {
            for unit in closed * BLOCK_UNITS..(closed + 1) * BLOCK_UNITS {
                if unit > 0 {
                    self.occupy(unit);
                }
            }
        }
    }

    /// Returns true if a unit is free and its block is open.
    fn is_free(&self, unit: usize) -> bool {
        self.next[unit] as usize != unit
    }

    /// Removes a unit from the ring.
    fn occupy(&mut self, unit: usize) {
        let (next, previous) = (self.next[unit], self.previous[unit]);
        self.next[previous as usize] = next;
        self.previous[next as usize] = previous;
        self.next[unit] = unit as u32;
        self.previous[unit] = unit as u32;
    }

    /// Finds a base for which the units of all children are free, and occupies those units.
    fn find_base(&mut self, children: &[(u8, usize, usize)]) -> Option<usize> {
        let (first, others) = children.split_first()?;
        let first = usize::from(first.0);
        loop {
            let mut unit = self.next[0] as usize;
            while unit != 0 {
                let base = unit ^ first;
                // Base 0 means a node without children.
                let fits = base != 0
                    && !self.is_base[base]
                    && others.iter().all(|child| {
                        let child = base ^ usize::from(child.0);
                        child != 0 && self.is_free(child)
                    });
                if fits {
                    self.is_base[base] = true;
                    for child in children {
                        self.occupy(base ^ usize::from(child.0));
                    }
                    return Some(base);
                }
                unit = self.next[unit] as usize;
            }
            if self.next.len() >= MAX_UNITS {
                return None;
            }
            self.reserve_block();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_order(keys: &[&str]) -> Vec<Node> {
        let mut keys: Vec<(&[u8], u32, f64)> = (0..)
            .zip(keys)
            .map(|(id, key)| (key.as_bytes(), id, -f64::from(id)))
            .collect();
        keys.sort_unstable_by_key(|key| key.0);
        build(&keys).unwrap()
    }

    #[test]
    fn a_walk_ends_where_no_key_continues() {
        let array = DoubleArray {
            nodes: &in_order(&["a", "ab", "abc", "b", "▁ban"]),
            scores: &[f64::NEG_INFINITY, 0.0, -1.0, -2.0, -3.0, -4.0],
        };
        let walk = |text: &str| {
            let mut walk = array.walk();
            let nodes = text.bytes().map_while(|byte| walk.step(byte));
            nodes
                .map(|node| (node.value, array.score(node)))
                .collect::<Vec<_>>()
        };
        const NONE: (u32, f64) = (0, f64::NEG_INFINITY);
        assert_eq!(walk("abcd"), [(1, 0.0), (2, -1.0), (3, -2.0)]);
        assert_eq!(walk("▁band"), [NONE, NONE, NONE, NONE, NONE, (5, -4.0)]);
        assert_eq!(array.get("▁ban".as_bytes()), Some(4));
        assert_eq!(array.get("▁ba".as_bytes()), None);
        assert_eq!(array.get(b"a\0"), None);
        assert_eq!(array.get(b""), None);
    }

    #[test]
    fn scores_without_finite_sums_are_refused() {
        for score in [1e299, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(build(&[(b"a", 0, -1.0), (b"b", 1, score)]), None);
        }
    }

    #[test]
    fn keys_that_cannot_be_held_are_refused() {
        for keys in [&["", "a"][..], &["a\0b"], &["b", "a"], &["a", "a"]] {
            let keys: Vec<(&[u8], u32, f64)> =
                keys.iter().map(|key| (key.as_bytes(), 0, 0.0)).collect();
            assert_eq!(build(&keys), None);
        }
    }

    proptest! {
        #[test]
        fn the_array_is_the_set(keys in prop::collection::btree_map("[a-cé漢]{1,6}", any::<u16>(), 0..200), probe in "[a-dé漢]{0,8}") {
            let list: Vec<(&[u8], u32, f64)> = keys.iter().map(|(key, id)| (key.as_bytes(), u32::from(*id), 0.0)).collect();
            let nodes = build(&list).unwrap();
            let array = DoubleArray {
                nodes: &nodes,
                scores: &[],
            };
            for (key, id) in &keys {
                prop_assert_eq!(array.get(key.as_bytes()), Some(u32::from(*id)));
            }
            prop_assert_eq!(array.get(probe.as_bytes()), keys.get(&probe).map(|id| u32::from(*id)));
        }
    }
}
