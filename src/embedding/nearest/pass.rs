//! One pass over the matrix that serves several queries, on all threads.

use std::mem;
use std::ops::Range;

use rayon::prelude::*;

use super::bound::{Bound, RowLength, gamma};
use super::options::SearchOptions;
use super::top_k::{ScoredRow, SharedThreshold, TopK};
use crate::embedding::elements::append_f32;
use crate::embedding::kernels::{KernelType, Kernels, QUERIES, ROWS};
use crate::embedding::matrix::EmbeddingMatrix;
use crate::embedding::query::Query;
use crate::error::Result;

/// Bytes of float32 rows that are multiplied with several queries at a time; they stay in the first-level cache.
const TILE_BYTES: usize = 16 << 10;

pub struct Pass<'s> {
    matrix: &'s EmbeddingMatrix,
    queries: &'s [Query],
    options: &'s SearchOptions<'s>,
    kernels: Kernels,
    /// The queries as unit vectors, one after another, padded with zero vectors to a multiple of [`QUERIES`].
    units: Vec<f32>,
    gamma: f64,
    /// One for each query.
    thresholds: Vec<SharedThreshold>,
}

/// The results and the buffers of one thread.
struct ThreadState {
    /// One for each query.
    top: Vec<TopK>,
    /// One for each query.
    bounds: Vec<Bound>,
    buffers: BlockBuffers,
    /// The row that is being scored in float64.
    row: Vec<f32>,
}

/// Buffers that a thread reuses from block to block.
#[derive(Default)]
struct BlockBuffers {
    bytes: Vec<u8>,
    /// The elements as float32, little-endian, if there is no kernel for their type.
    converted: Vec<u8>,
    dots: Vec<f32>,
    squares: Vec<f32>,
    lengths: Vec<RowLength>,
    tile: Vec<f32>,
}

/// A block of rows as stored, with their lengths.
struct RowBlock<'b> {
    first_id: u32,
    /// Bytes per row.
    width: usize,
    bytes: &'b [u8],
    lengths: &'b [RowLength],
}

impl ThreadState {
    fn merge(mut self, other: Self) -> Self {
        for (top, other) in self.top.iter_mut().zip(other.top) {
            top.merge(other);
        }
        self
    }
}

impl<'s> Pass<'s> {
    pub fn new(
        kernels: Kernels,
        matrix: &'s EmbeddingMatrix,
        queries: &'s [Query],
        options: &'s SearchOptions<'s>,
    ) -> Self {
        let columns = matrix.columns() as usize;
        let mut units: Vec<f32> = queries.iter().flat_map(Query::unit).collect();
        units.resize(queries.len().next_multiple_of(QUERIES) * columns, 0.0);
        Self {
            matrix,
            queries,
            options,
            kernels,
            units,
            gamma: gamma(columns),
            thresholds: queries.iter().map(|_| SharedThreshold::default()).collect(),
        }
    }

    /// Returns the nearest of all rows, for each query.
    pub fn over_matrix(&self) -> Result<Vec<TopK>> {
        let blocks = self.matrix.blocks()?.into_par_iter();
        let states = blocks.try_fold(
            || self.thread_state(),
            |mut state, block| {
                let mut buffers = mem::take(&mut state.buffers);
                self.search_block(&mut state, &mut buffers, block)?;
                state.buffers = buffers;
                Ok(state)
            },
        );
        let merged = states.try_reduce(|| self.thread_state(), |a, b| Ok(a.merge(b)))?;
        Ok(merged.top)
    }

    /// Returns the nearest of the rows of `ids`, for each query.
    pub fn over_ids(&self, ids: &[u32]) -> Result<Vec<TopK>> {
        self.matrix.prefetch(ids)?;
        let states = ids.par_iter().try_fold(
            || self.thread_state(),
            |mut state, &id| {
                let bytes = self.matrix.row_bytes(u64::from(id))?;
                for query in 0..self.queries.len() {
                    self.score(&mut state, query, id, &bytes);
                }
                Ok(state)
            },
        );
        let merged = states.try_reduce(|| self.thread_state(), |a, b| Ok(a.merge(b)))?;
        Ok(merged.top)
    }

    fn thread_state(&self) -> ThreadState {
        let top = self.queries.iter().map(|_| TopK::new(self.options.k));
        ThreadState {
            top: top.collect(),
            bounds: vec![Bound::NONE; self.queries.len()],
            buffers: BlockBuffers::default(),
            row: Vec::new(),
        }
    }

    fn search_block(
        &self,
        state: &mut ThreadState,
        buffers: &mut BlockBuffers,
        block: Range<u64>,
    ) -> Result<()> {
        // Picks up the thresholds that other threads have raised since the last block.
        for query in 0..self.queries.len() {
            self.update_bound(state, query);
        }
        let BlockBuffers {
            bytes,
            converted,
            dots,
            squares,
            lengths,
            tile,
        } = buffers;
        let bytes = self.matrix.rows_bytes(block.clone(), bytes)?;
        let dtype = self.matrix.dtype();
        let (stored, elements) = if let Some(stored) = KernelType::of(dtype) {
            (stored, bytes)
        } else {
            let mut values = Vec::new();
            append_f32(dtype, bytes, &mut values);
            converted.clear();
            converted.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            (KernelType::F32, converted.as_slice())
        };
        dots.clear();
        squares.clear();
        let columns = self.matrix.columns() as usize;
        let first_query = &self.units[..columns];
        self.kernels
            .scan(stored, elements, first_query, dots, squares);
        lengths.clear();
        lengths.extend(squares.iter().map(|square| RowLength::from_square(*square)));
        let block = RowBlock {
            first_id: block.start as u32,
            width: self.matrix.row_width() as usize,
            bytes,
            lengths,
        };
        if self.queries.len() > 1 {
            self.search_tiles(state, &block, tile, stored, elements);
            return Ok(());
        }
        for (index, dot) in dots.iter().enumerate() {
            self.consider(state, 0, &block, index, *dot);
        }
        Ok(())
    }

    /// Multiplies the rows of a block with all queries, one cache-sized tile of rows at a time.
    fn search_tiles(
        &self,
        state: &mut ThreadState,
        block: &RowBlock,
        tile: &mut Vec<f32>,
        stored: KernelType,
        elements: &[u8],
    ) {
        let columns = self.matrix.columns() as usize;
        let rows_per_tile = (TILE_BYTES / 4 / columns).max(ROWS);
        let tiles = elements.chunks(rows_per_tile * columns * stored.size());
        for (number, bytes) in tiles.enumerate() {
            tile.clear();
            self.kernels.widen(stored, bytes, tile);
            let rows: Vec<&[f32]> = tile.chunks_exact(columns).collect();
            for (group, units) in self.units.chunks_exact(columns * QUERIES).enumerate() {
                let units: [&[f32]; QUERIES] =
                    std::array::from_fn(|query| &units[query * columns..(query + 1) * columns]);
                for (pair, paired_rows) in rows.chunks(ROWS).enumerate() {
                    // If the number of rows is odd, the last one is paired with itself.
                    let both =
                        std::array::from_fn(|row| paired_rows[row.min(paired_rows.len() - 1)]);
                    let products = self.kernels.products(both, units);
                    for (row, products) in products.iter().take(paired_rows.len()).enumerate() {
                        let index = number * rows_per_tile + pair * ROWS + row;
                        for (query, dot) in products.iter().enumerate() {
                            self.consider(state, group * QUERIES + query, block, index, *dot);
                        }
                    }
                }
            }
        }
    }

    /// Scores a row of a block unless its float32 score proves that it is too far away.
    #[inline]
    fn consider(
        &self,
        state: &mut ThreadState,
        query: usize,
        block: &RowBlock,
        index: usize,
        dot: f32,
    ) {
        // The padding of `units` has no bound.
        let Some(bound) = state.bounds.get(query) else {
            return;
        };
        if !bound.excludes(dot, &block.lengths[index]) {
            let bytes = &block.bytes[index * block.width..(index + 1) * block.width];
            self.score(state, query, block.first_id + index as u32, bytes);
        }
    }

    /// Updates the bound of a query from the thresholds of this thread and the others.
    fn update_bound(&self, state: &mut ThreadState, query: usize) {
        let threshold = state.top[query]
            .threshold()
            .max(self.thresholds[query].get());
        let norm = self.queries[query].norm();
        state.bounds[query] = Bound::new(self.options.metric, norm, threshold, self.gamma);
    }

    /// Scores a row in float64 and keeps it if it is among the nearest.
    fn score(&self, state: &mut ThreadState, query: usize, id: u32, bytes: &[u8]) {
        let (target, metric) = (&self.queries[query], self.options.metric);
        if target.is_built_from(id) || !(self.options.accepts)(id) {
            return;
        }
        state.row.clear();
        append_f32(self.matrix.dtype(), bytes, &mut state.row);
        let score = metric.score(target.vector(), target.norm(), &state.row);
        if score.is_nan() {
            return;
        }
        let top = &mut state.top[query];
        top.add(ScoredRow {
            nearness: metric.nearness(score),
            id,
        });
        self.thresholds[query].raise(top.threshold());
        self.update_bound(state, query);
    }
}
