//! The rows nearest to some vectors, exactly, at the speed of memory.
//!
//! A row is scored twice at most. The first score is a float32 sum over the stored elements (`kernels`), with a bound
//! on how far it can be from the truth; a row whose bound shows that it is farther than the `k` nearest found so far
//! is passed over. All others, a few hundred of a hundred thousand, are scored in float64 by [`Metric::score`],
//! and only these scores are compared and shown: the answer is the one that scoring every row in float64 gives, ties
//! by id included.
//!
//! The bound: a float32 dot product of length n, whatever the order of its terms, fused or not, is within
//! `γ |q| |r|` of the exact one, where `γ = n u / (1 - n u)` and `u = 2⁻²⁴` (Higham, Accuracy and Stability of
//! Numerical Algorithms, 2nd edition, section 3.1). Underflow adds at most `n 2⁻¹⁴⁹`, which rows that are not
//! tiny dwarf. Where a sum is tiny or not finite, the row is scored in float64.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rayon::prelude::*;

use super::EmbeddingMatrix;
use super::elements::append_f32;
use super::kernels::{Kernels, QUERIES, ROWS};
use super::query::Query;
use super::similarity::Metric;
use crate::error::Result;
use crate::formats::dtype::Dtype;

/// Queries that one pass over the matrix serves: more would not fit the caches.
const QUERIES_A_PASS: usize = 64;
/// Bytes of float32 rows that several queries are multiplied with at a time: they stay in the first-level cache.
const TILE_BYTES: usize = 16 << 10;
/// A sum of squares below this may have lost digits to underflow.
const TINY: f32 = 1e-25;
/// Listed rows are read one by one, rather than all rows in passing, if they are fewer than one in so many.
const FEW: u64 = 16;

/// What is searched.
pub struct Search<'s> {
    pub metric: Metric,
    /// How many rows to find for each query.
    pub k: usize,
    /// Whether a row may be an answer; asked only of rows that are near enough.
    pub wanted: &'s (dyn Fn(u32) -> bool + Sync),
    /// The only rows to search, rising and each once; none for the whole matrix.
    pub among: Option<&'s [u32]>,
}

impl Search<'_> {
    /// Whether every row is read for it, rather than those that are listed.
    pub fn reads_all(&self, matrix: &EmbeddingMatrix) -> bool {
        self.among
            .is_none_or(|ids| ids.len() as u64 > matrix.rows() / FEW)
    }
}

/// For each query, its `k` nearest rows with their scores, nearest first, ties by id. The rows that a query is made
/// of are left out, and so are rows whose score is not a number.
///
/// # Errors
/// Whatever reading the matrix fails with.
pub fn nearest(
    matrix: &EmbeddingMatrix,
    queries: &[Query],
    search: &Search,
) -> Result<Vec<Vec<(u32, f32)>>> {
    nearest_with(Kernels::detect(), matrix, queries, search)
}

fn nearest_with(
    kernels: Kernels,
    matrix: &EmbeddingMatrix,
    queries: &[Query],
    search: &Search,
) -> Result<Vec<Vec<(u32, f32)>>> {
    if search.k == 0 {
        return Ok(vec![Vec::new(); queries.len()]);
    }
    let mut answers = Vec::new();
    for queries in queries.chunks(QUERIES_A_PASS) {
        let pass = Pass::new(kernels, matrix, queries, search);
        let best = match search.among {
            Some(ids) if !search.reads_all(matrix) => pass.listed(ids)?,
            _ => pass.scan()?,
        };
        answers.extend(best.into_iter().map(|best| best.ranked(search.metric)));
    }
    Ok(answers)
}

/// One pass over the matrix.
struct Pass<'s> {
    matrix: &'s EmbeddingMatrix,
    queries: &'s [Query],
    search: &'s Search<'s>,
    kernels: Kernels,
    /// The queries as unit vectors, one after another; zeros fill up to a multiple of [`QUERIES`].
    units: Vec<f32>,
    /// `γ`, with room for the rounding of the query to float32 and of the bound's own arithmetic.
    gamma: f64,
    /// For each query, a nearness that `k` rows are known to reach; the threads tell each other.
    reached: Vec<Reached>,
}

impl<'s> Pass<'s> {
    fn new(
        kernels: Kernels,
        matrix: &'s EmbeddingMatrix,
        queries: &'s [Query],
        search: &'s Search<'s>,
    ) -> Self {
        let columns = matrix.columns() as usize;
        let mut units: Vec<f32> = queries.iter().flat_map(Query::unit).collect();
        units.resize(queries.len().next_multiple_of(QUERIES) * columns, 0.0);
        let terms = (columns as f64 + 16.0) * f64::from(f32::EPSILON) / 2.0;
        Self {
            matrix,
            queries,
            search,
            kernels,
            units,
            // So many columns that the bound means nothing make every row worth a second look.
            gamma: if terms < 0.01 {
                1.05 * terms / (1.0 - terms)
            } else {
                f64::INFINITY
            },
            reached: queries.iter().map(|_| Reached::default()).collect(),
        }
    }

    fn found(&self) -> Found {
        let best = self.queries.iter().map(|_| Best::new(self.search.k));
        Found {
            best: best.collect(),
            bars: vec![Bar::NONE; self.queries.len()],
            scratch: Scratch::default(),
            row: Vec::new(),
        }
    }

    /// The nearest of all rows.
    fn scan(&self) -> Result<Vec<Best>> {
        let blocks = self.matrix.blocks()?.into_par_iter();
        let found = blocks.try_fold(
            || self.found(),
            |mut found, block| {
                let mut scratch = std::mem::take(&mut found.scratch);
                self.block(&mut found, &mut scratch, block)?;
                found.scratch = scratch;
                Ok(found)
            },
        );
        let merged = found.try_reduce(|| self.found(), |a, b| Ok(a.merge(b)))?;
        Ok(merged.best)
    }

    /// The nearest of some rows.
    fn listed(&self, ids: &[u32]) -> Result<Vec<Best>> {
        self.matrix.prefetch(ids)?;
        let found = ids.par_iter().try_fold(
            || self.found(),
            |mut found, &id| {
                let bytes = self.matrix.row_bytes(u64::from(id))?;
                for query in 0..self.queries.len() {
                    self.offer(&mut found, query, id, &bytes);
                }
                Ok(found)
            },
        );
        let merged = found.try_reduce(|| self.found(), |a, b| Ok(a.merge(b)))?;
        Ok(merged.best)
    }

    /// Looks through a block of rows.
    fn block(&self, found: &mut Found, scratch: &mut Scratch, block: Range<u64>) -> Result<()> {
        // What other threads have found since the last block.
        for query in 0..self.queries.len() {
            self.raise_bar(found, query);
        }
        let Scratch {
            bytes,
            narrow,
            dots,
            squares,
            sums,
            tile,
        } = scratch;
        let bytes = self.matrix.rows_bytes(block.clone(), bytes)?;
        let (dtype, stored) = match self.matrix.dtype() {
            // float64 is searched as what it is read as, float32.
            Dtype::F64 => {
                let mut values = Vec::new();
                append_f32(Dtype::F64, bytes, &mut values);
                narrow.clear();
                narrow.extend(values.iter().flat_map(|value| value.to_le_bytes()));
                (Dtype::F32, narrow.as_slice())
            }
            dtype => (dtype, bytes),
        };
        dots.clear();
        squares.clear();
        let columns = self.matrix.columns() as usize;
        let first = &self.units[..columns];
        self.kernels.scan(dtype, stored, first, dots, squares);
        sums.clear();
        sums.extend(squares.iter().map(|square| Sums::of(*square)));
        let rows = Rows {
            first: block.start as u32,
            width: self.matrix.row_width() as usize,
            bytes,
            sums,
        };
        if self.queries.len() > 1 {
            self.tiles(found, &rows, tile, dtype, stored);
            return Ok(());
        }
        for (index, dot) in dots.iter().enumerate() {
            self.consider(found, 0, &rows, index, *dot);
        }
        Ok(())
    }

    /// Multiplies the rows of a block with all queries, so many rows at a time as the cache holds.
    fn tiles(
        &self,
        found: &mut Found,
        rows: &Rows,
        tile: &mut Vec<f32>,
        dtype: Dtype,
        stored: &[u8],
    ) {
        let columns = self.matrix.columns() as usize;
        let at_a_time = (TILE_BYTES / 4 / columns).max(ROWS);
        let tiles = stored.chunks(at_a_time * columns * dtype.size() as usize);
        for (number, bytes) in tiles.enumerate() {
            tile.clear();
            self.kernels.widen(dtype, bytes, tile);
            let in_tile: Vec<&[f32]> = tile.chunks_exact(columns).collect();
            for (quad, units) in self.units.chunks_exact(columns * QUERIES).enumerate() {
                let units: [&[f32]; QUERIES] =
                    std::array::from_fn(|query| &units[query * columns..(query + 1) * columns]);
                for (pair, of_pair) in in_tile.chunks(ROWS).enumerate() {
                    // The last row of an odd number stands for the one that is missing.
                    let both = std::array::from_fn(|row| of_pair[row.min(of_pair.len() - 1)]);
                    let products = self.kernels.products(both, units);
                    for (row, products) in products.iter().take(of_pair.len()).enumerate() {
                        let index = number * at_a_time + pair * ROWS + row;
                        for (query, dot) in products.iter().enumerate() {
                            self.consider(found, quad * QUERIES + query, rows, index, *dot);
                        }
                    }
                }
            }
        }
    }

    /// Scores a row of a block, unless its first score shows that it is too far.
    #[inline]
    fn consider(&self, found: &mut Found, query: usize, rows: &Rows, index: usize, dot: f32) {
        // Those that fill up the last four queries have no bar.
        let Some(bar) = found.bars.get(query) else {
            return;
        };
        if !bar.is_above(dot, &rows.sums[index]) {
            let bytes = &rows.bytes[index * rows.width..(index + 1) * rows.width];
            self.offer(found, query, rows.first + index as u32, bytes);
        }
    }

    /// Sets the bar of a query to what is known to be reached.
    fn raise_bar(&self, found: &mut Found, query: usize) {
        let reached = found.best[query].reached().max(self.reached[query].get());
        let norm = self.queries[query].norm();
        found.bars[query] = Bar::at(self.search.metric, norm, reached, self.gamma);
    }

    /// Scores a row in float64 and keeps it if it is among the nearest.
    fn offer(&self, found: &mut Found, query: usize, id: u32, bytes: &[u8]) {
        let asked = &self.queries[query];
        if asked.is_made_of(id) || !(self.search.wanted)(id) {
            return;
        }
        let row = &mut found.row;
        row.clear();
        append_f32(self.matrix.dtype(), bytes, row);
        let metric = self.search.metric;
        let score = metric.score(asked.vector(), asked.norm(), row);
        if score.is_nan() {
            return;
        }
        let best = &mut found.best[query];
        best.add(Near {
            nearness: metric.nearness(score),
            id,
        });
        self.reached[query].raise(best.reached());
        self.raise_bar(found, query);
    }
}

/// What the float32 sums of a row must reach for the row to be worth scoring: a dot product with the unit vector of the
/// query that depends on the row's length.
#[derive(Debug, Clone, Copy)]
struct Bar {
    scale: f64,
    constant: f64,
    by_length: f64,
    by_square: f64,
}

impl Bar {
    /// No row is below it.
    const NONE: Self = Self {
        scale: 0.0,
        constant: f64::NEG_INFINITY,
        by_length: 0.0,
        by_square: 0.0,
    };

    /// The bar that all rows reach whose nearness to a query of this norm may be `reached`.
    fn at(metric: Metric, norm: f64, reached: f64, gamma: f64) -> Self {
        if reached == f64::NEG_INFINITY {
            return Self::NONE;
        }
        match metric {
            // cos = dot / length, where the dot product is within γ length and the length within γ / 2 of its own.
            Metric::Cosine => Self {
                scale: 1.0,
                constant: 0.0,
                by_length: reached - 2.0 * gamma,
                by_square: 0.0,
            },
            Metric::Dot => Self {
                scale: norm,
                constant: reached,
                by_length: -1.1 * gamma * norm,
                by_square: 0.0,
            },
            // distance² = norm² + length² - 2 norm dot. What cancels out leaves the rounding of float64 behind.
            Metric::L2 => {
                const ROUNDING: f64 = 1e-14;
                Self {
                    scale: 2.0 * norm,
                    constant: norm * norm * (1.0 - ROUNDING) - reached * reached * (1.0 + ROUNDING),
                    by_length: -2.2 * gamma * norm,
                    by_square: 1.0 - 2.2 * gamma - ROUNDING,
                }
            }
        }
    }

    /// Whether a row with these sums is certainly less near. False where one of them is NaN.
    #[inline]
    fn is_above(&self, dot: f32, sums: &Sums) -> bool {
        let needed = self.constant + self.by_length * sums.length + self.by_square * sums.square;
        self.scale * f64::from(dot) < needed
    }
}

/// The float32 sum of a row's squares, and its root; NaN where it says nothing: it may have lost digits to underflow, or
/// is not finite.
#[derive(Debug, Clone, Copy)]
struct Sums {
    square: f64,
    length: f64,
}

impl Sums {
    fn of(square: f32) -> Self {
        let square = if square.is_finite() && square >= TINY {
            f64::from(square)
        } else {
            f64::NAN
        };
        Self {
            square,
            length: square.sqrt(),
        }
    }
}

/// A block of rows, and what is known of each.
struct Rows<'b> {
    /// Id of the first.
    first: u32,
    /// Bytes of a row.
    width: usize,
    bytes: &'b [u8],
    sums: &'b [Sums],
}

/// What one thread has found.
struct Found {
    /// One for each query.
    best: Vec<Best>,
    bars: Vec<Bar>,
    scratch: Scratch,
    /// The row that is scored in float64.
    row: Vec<f32>,
}

impl Found {
    fn merge(mut self, other: Self) -> Self {
        for (best, other) in self.best.iter_mut().zip(other.best) {
            other.heap.into_iter().for_each(|near| best.add(near));
        }
        self
    }
}

/// Memory that is used again from block to block.
#[derive(Default)]
struct Scratch {
    bytes: Vec<u8>,
    narrow: Vec<u8>,
    dots: Vec<f32>,
    squares: Vec<f32>,
    sums: Vec<Sums>,
    tile: Vec<f32>,
}

/// The `k` nearest rows of those that were added.
struct Best {
    k: usize,
    /// The farthest on top.
    heap: BinaryHeap<Near>,
}

impl Best {
    fn new(k: usize) -> Self {
        Self {
            k,
            heap: BinaryHeap::new(),
        }
    }

    /// How near a row must be to change anything.
    fn reached(&self) -> f64 {
        if self.heap.len() < self.k {
            return f64::NEG_INFINITY;
        }
        // Without a single row to find, none is near enough.
        self.heap.peek().map_or(f64::INFINITY, |near| near.nearness)
    }

    fn add(&mut self, near: Near) {
        if self.heap.len() < self.k {
            self.heap.push(near);
        } else if let Some(mut farthest) = self.heap.peek_mut()
            && near < *farthest
        {
            *farthest = near;
        }
    }

    fn ranked(self, metric: Metric) -> Vec<(u32, f32)> {
        let sorted = self.heap.into_sorted_vec().into_iter();
        // The nearness of a nearness is the score.
        sorted
            .map(|near| (near.id, metric.nearness(near.nearness) as f32))
            .collect()
    }
}

/// A row that was scored. Nearer ones come first, and of equally near ones the one with the smaller id.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Near {
    /// Not NaN.
    nearness: f64,
    id: u32,
}

impl Eq for Near {}

impl Ord for Near {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_nearness = other.nearness.partial_cmp(&self.nearness);
        by_nearness
            .unwrap_or(Ordering::Equal)
            .then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Near {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A nearness that only rises, shared between threads. It is advice: an old value costs time and nothing else.
struct Reached(AtomicU64);

impl Default for Reached {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NEG_INFINITY.to_bits()))
    }
}

impl Reached {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Relaxed))
    }

    fn raise(&self, nearness: f64) {
        // Fails, and is let be, where another thread knows better.
        let _ = self.0.fetch_update(Relaxed, Relaxed, |bits| {
            (nearness > f64::from_bits(bits)).then_some(nearness.to_bits())
        });
    }
}
