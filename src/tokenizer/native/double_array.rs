//! A double array: a set of byte strings with an id each, searched byte by byte.
//!
//! Aoe (1989), "An efficient digital search algorithm by using a double-array structure", with the exclusive-or
//! addressing of Darts-clone: the child of a node over byte `b` is at `base ^ b`. No two nodes have the same base, so
//! that the byte stored with a child tells whether it is a child of this node.

/// Units of a block: all children of a node lie in one, since a base and its children differ in the low 8 bits only.
const BLOCK: usize = 256;
/// Blocks, counted from the end, in which free units are still looked for. More packs tighter and builds slower.
const OPEN_BLOCKS: usize = 16;
/// Bases have 24 bits.
const MAX_UNITS: usize = 1 << 24;

/// The nodes of the trie, equally many units and values; node 0 is the root.
#[derive(Debug, Clone, Copy)]
pub struct DoubleArray<'a> {
    /// `base << 8 | byte`, where the byte is the one that leads to this node.
    pub units: &'a [u32],
    /// Id + 1 of the key that ends at a node, or 0.
    pub values: &'a [u32],
}

/// Builds the units and values for `keys`, sorted by bytes and without duplicates.
///
/// None if a key is empty or holds a zero byte, if keys are not in order, or if there are too many of them.
pub fn build(keys: &[(&[u8], u32)]) -> Option<(Vec<u32>, Vec<u32>)> {
    let in_order = keys.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let sound = |key: &&(&[u8], u32)| !key.0.is_empty() && !key.0.contains(&0);
    if !in_order || keys.iter().filter(sound).count() != keys.len() {
        return None;
    }
    let mut builder = Builder::default();
    builder.reserve_block();
    // Ranges of keys that share the bytes before `depth`, with the node those lead to.
    let mut open = vec![(0, keys.len(), 0_usize, 0_usize)];
    let mut children: Vec<(u8, usize, usize)> = Vec::new();
    while let Some((first, last, depth, node)) = open.pop() {
        let mut first = first;
        if first < last && keys[first].0.len() == depth {
            builder.values[node] = keys[first].1.checked_add(1)?;
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
        let base = builder.place(&children)?;
        builder.units[node] |= (base as u32) << 8;
        for &(byte, first, last) in &children {
            let child = base ^ usize::from(byte);
            builder.units[child] = u32::from(byte);
            open.push((first, last, depth + 1, child));
        }
    }
    Some((builder.units, builder.values))
}

impl DoubleArray<'_> {
    /// Calls `found` with the length and id of every key that `text` begins with, shortest first.
    #[inline]
    pub fn prefixes(&self, text: &[u8], mut found: impl FnMut(usize, u32)) {
        let Some(&root) = self.units.first() else {
            return;
        };
        let mut base = (root >> 8) as usize;
        for (index, &byte) in text.iter().enumerate() {
            let node = base ^ usize::from(byte);
            let Some(&unit) = self.units.get(node) else {
                return;
            };
            if unit as u8 != byte || byte == 0 {
                return;
            }
            if let Some(id) = self.values.get(node).and_then(|value| value.checked_sub(1)) {
                found(index + 1, id);
            }
            base = (unit >> 8) as usize;
        }
    }

    /// The id of a key.
    pub fn get(&self, key: &[u8]) -> Option<u32> {
        let mut whole = None;
        self.prefixes(key, |length, id| {
            if length == key.len() {
                whole = Some(id);
            }
        });
        whole
    }
}

#[derive(Default)]
struct Builder {
    units: Vec<u32>,
    values: Vec<u32>,
    /// Whether a number is the base of a node.
    is_base: Vec<bool>,
    /// The free units of the open blocks, as a ring through unit 0: the next and the one before, by unit. A unit that
    /// is taken, or whose block is closed, points to itself.
    next: Vec<u32>,
    previous: Vec<u32>,
}

impl Builder {
    /// Adds a block, and closes the one that falls out of those in which free units are looked for.
    fn reserve_block(&mut self) {
        let start = self.next.len();
        let end = start + BLOCK;
        self.units.resize(end, 0);
        self.values.resize(end, 0);
        self.is_base.resize(end, false);
        for unit in start..end {
            self.next.push(unit as u32);
            self.previous.push(unit as u32);
            // Unit 0 is the root, and the hook of the ring.
            if unit > 0 {
                let last = self.previous[0];
                self.next[last as usize] = unit as u32;
                self.previous[unit] = last;
                self.next[unit] = 0;
                self.previous[0] = unit as u32;
            }
        }
        if let Some(closed) = (end / BLOCK).checked_sub(OPEN_BLOCKS + 1) {
            for unit in closed * BLOCK..(closed + 1) * BLOCK {
                if unit > 0 {
                    self.take(unit);
                }
            }
        }
    }

    fn is_free(&self, unit: usize) -> bool {
        self.next[unit] as usize != unit
    }

    fn take(&mut self, unit: usize) {
        let (next, previous) = (self.next[unit], self.previous[unit]);
        self.next[previous as usize] = next;
        self.previous[next as usize] = previous;
        self.next[unit] = unit as u32;
        self.previous[unit] = unit as u32;
    }

    /// Finds a base under which all children are free, and takes their units.
    fn place(&mut self, children: &[(u8, usize, usize)]) -> Option<usize> {
        let (first, others) = children.split_first()?;
        let first = usize::from(first.0);
        loop {
            let mut unit = self.next[0] as usize;
            while unit != 0 {
                let base = unit ^ first;
                // Base 0 is that of a node without children.
                let fits = base != 0
                    && !self.is_base[base]
                    && others.iter().all(|child| {
                        let child = base ^ usize::from(child.0);
                        child != 0 && self.is_free(child)
                    });
                if fits {
                    self.is_base[base] = true;
                    for child in children {
                        self.take(base ^ usize::from(child.0));
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

    fn in_order(keys: &[&str]) -> (Vec<u32>, Vec<u32>) {
        let mut keys: Vec<(&[u8], u32)> = (0..)
            .zip(keys)
            .map(|(id, key)| (key.as_bytes(), id))
            .collect();
        keys.sort_unstable();
        build(&keys).unwrap()
    }

    #[test]
    fn every_prefix_is_found_shortest_first() {
        let (units, values) = in_order(&["a", "ab", "abc", "b", "▁ban"]);
        let array = DoubleArray {
            units: &units,
            values: &values,
        };
        let mut found = Vec::new();
        array.prefixes(b"abcd", |length, id| found.push((length, id)));
        assert_eq!(found, [(1, 0), (2, 1), (3, 2)]);
        assert_eq!(array.get("▁ban".as_bytes()), Some(4));
        assert_eq!(array.get("▁ba".as_bytes()), None);
        assert_eq!(array.get(b"a\0"), None);
        assert_eq!(array.get(b""), None);
    }

    #[test]
    fn keys_that_cannot_be_held_are_refused() {
        for keys in [&["", "a"][..], &["a\0b"], &["b", "a"], &["a", "a"]] {
            let keys: Vec<(&[u8], u32)> = keys.iter().map(|key| (key.as_bytes(), 0)).collect();
            assert_eq!(build(&keys), None);
        }
    }

    proptest! {
        #[test]
        fn the_array_is_the_set(keys in prop::collection::btree_map("[a-cé漢]{1,6}", any::<u16>(), 0..200), probe in "[a-dé漢]{0,8}") {
            let list: Vec<(&[u8], u32)> = keys.iter().map(|(key, id)| (key.as_bytes(), u32::from(*id))).collect();
            let (units, values) = build(&list).unwrap();
            let array = DoubleArray { units: &units, values: &values };
            for (key, id) in &keys {
                prop_assert_eq!(array.get(key.as_bytes()), Some(u32::from(*id)));
            }
            prop_assert_eq!(array.get(probe.as_bytes()), keys.get(&probe).map(|id| u32::from(*id)));
        }
    }
}
