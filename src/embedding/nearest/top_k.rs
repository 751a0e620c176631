//! The `k` nearest rows found so far, by one thread and by all of them.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::embedding::metric::Metric;

/// The `k` nearest of the rows added.
pub struct TopK {
    k: usize,
    /// A max-heap, so the farthest row is on top.
    heap: BinaryHeap<ScoredRow>,
}

impl TopK {
    pub fn new(k: usize) -> Self {
        Self {
            k,
            heap: BinaryHeap::new(),
        }
    }

    /// Returns the nearness that a row must exceed, or equal with a smaller id, to be kept.
    pub fn threshold(&self) -> f64 {
        if self.heap.len() < self.k {
            return f64::NEG_INFINITY;
        }
        // With `k` = 0 the heap is empty, and no row is near enough.
        self.heap.peek().map_or(f64::INFINITY, |row| row.nearness)
    }

    pub fn add(&mut self, row: ScoredRow) {
        if self.heap.len() < self.k {
            self.heap.push(row);
        } else if let Some(mut farthest) = self.heap.peek_mut()
            && row < *farthest
        {
            *farthest = row;
        }
    }

    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: Self) {
        for row in other.heap {
            self.add(row);
        }
    }

    /// Returns the rows as `(id, score)`, nearest first.
    pub fn into_ranked(self, metric: Metric) -> Vec<(u32, f64)> {
        let sorted = self.heap.into_sorted_vec().into_iter();
        // `nearness` is its own inverse.
        sorted
            .map(|row| (row.id, metric.nearness(row.nearness)))
            .collect()
    }
}

/// A row with its score. Nearer rows order first; equally near rows order by id.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredRow {
    /// Never NaN.
    pub nearness: f64,
    pub id: u32,
}

impl Eq for ScoredRow {}

impl Ord for ScoredRow {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_nearness = other.nearness.partial_cmp(&self.nearness);
        by_nearness
            .unwrap_or(Ordering::Equal)
            .then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for ScoredRow {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A nearness that `k` rows are known to reach, shared between threads. It only rises.
///
/// It is a hint: reading a stale value costs time but never changes the result.
pub struct SharedThreshold(AtomicU64);

impl Default for SharedThreshold {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NEG_INFINITY.to_bits()))
    }
}

impl SharedThreshold {
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }

    pub fn raise(&self, nearness: f64) {
        // Fails if another thread has already raised it further, which is fine.
        let _ = self.0.fetch_update(Relaxed, Relaxed, |bits| {
            (nearness > f64::from_bits(bits)).then_some(nearness.to_bits())
        });
    }
}
