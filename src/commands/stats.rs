//! `stats`: computes statistics of the whole embedding matrix.

use std::borrow::Cow;

use clap::Args as ClapArgs;

use super::model::{CheckpointOptions, Model};
use super::session::Session;
use crate::embedding::statistics::{Statistics, statistics};
use crate::error::{Exit, Result};
use crate::record::{Bin, Norms, Record, RowNorm, Stats};

/// Describe the embedding matrix: its values, the norms of its rows, and its zero or duplicate rows
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Show at most K rows in each list
    #[arg(short, long = "limit", value_name = "K", default_value_t = 5)]
    pub k: usize,
    /// Number of bins of the histogram of norms
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub bins: u16,
    #[command(flatten)]
    pub checkpoint: CheckpointOptions,
}

/// Computes the record of a model's matrix.
///
/// # Errors
/// Fails if the matrix cannot be read.
pub fn record(model: &Model, k: usize, bins: u16) -> Result<Stats> {
    let matrix = &model.matrix;
    let Statistics {
        values,
        norms,
        zero_rows,
        duplicates,
    } = statistics(matrix)?;
    let finite = values.finite;
    let known = |value: f64| (finite > 0).then_some(value);
    let piece = |id: u64| {
        let id = u32::try_from(id).ok()?;
        model.piece(id)
    };
    let mut by_norm: Vec<(f64, u64)> = norms.iter().copied().zip(0..).collect();
    by_norm.retain(|(norm, _)| !norm.is_nan());
    let named = |rows: &[(f64, u64)]| {
        let row = |&(norm, id): &(f64, u64)| RowNorm {
            id,
            piece: piece(id).map(Cow::into_owned),
            norm,
        };
        rows.iter().take(k).map(row).collect()
    };
    by_norm.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let smallest = named(&by_norm);
    by_norm.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let largest = named(&by_norm);
    Ok(Stats {
        model: model.files.model(),
        commit: model.files.commit(),
        tensor: matrix.tensor().to_owned(),
        file: matrix.file().to_owned(),
        dtype: matrix.stored_dtype().name().to_owned(),
        dequantized: matrix.is_dequantized(),
        rows: matrix.rows(),
        columns: matrix.columns(),
        values: finite,
        min: (finite > 0).then_some(values.min),
        max: (finite > 0).then_some(values.max),
        mean: known(values.mean),
        std: known(values.deviation()),
        within_one: values.within_one,
        share_within_one: known(values.within_one as f64 / finite as f64),
        nan: values.nan,
        infinite: values.infinite,
        norms: histogram(&norms, bins),
        zero_rows: ranges(zero_rows),
        rows_without_token: ranges(
            (0..matrix.rows()).filter(|id| model.has_vocabulary() && piece(*id).is_none()),
        ),
        duplicate_rows: duplicates,
        smallest,
        largest,
    })
}

/// Counts norms in bins of equal width from the smallest to the largest, ignoring NaN.
fn histogram(norms: &[f64], bins: u16) -> Option<Norms> {
    let norms = || norms.iter().copied().filter(|norm| !norm.is_nan());
    let min = norms().reduce(f64::min)?;
    let max = norms().reduce(f64::max)?;
    // If all norms are equal, there is no range to divide.
    let bins = if min == max { 1 } else { usize::from(bins) };
    let edge = |bin: usize| min + (max - min) * (bin as f64 / bins as f64);
    let mut histogram: Vec<Bin> = (0..bins)
        .map(|bin| Bin {
            from: edge(bin),
            to: if bin + 1 == bins { max } else { edge(bin + 1) },
            rows: 0,
        })
        .collect();
    for norm in norms() {
        // Compare with the edges as printed: computing the bin by division could round into the next one.
        let bin = histogram.partition_point(|bin| bin.from <= norm);
        if let Some(bin) = histogram.get_mut(bin.saturating_sub(1)) {
            bin.rows += 1;
        }
    }
    let count = norms().count() as f64;
    Some(Norms {
        min,
        max,
        mean: norms().sum::<f64>() / count,
        histogram,
    })
}

/// Groups ascending ids into inclusive ranges.
fn ranges(ids: impl IntoIterator<Item = u64>) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    for id in ids {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == id => *last = id,
            _ => ranges.push((id, id)),
        }
    }
    ranges
}

/// Runs the command.
pub fn run(args: &Args, session: &mut Session) -> Result<Exit> {
    let model = Model::open(session, &args.checkpoint)?;
    let record = record(&model, args.k, args.bins)?;
    session.emit(&Record::Stats(Box::new(record)))?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_norm_is_counted_in_one_bin_and_the_largest_in_the_last() {
        let norms: Vec<f64> = (0..=100)
            .map(|n| f64::from(n) / 10.0)
            .chain([f64::NAN])
            .collect();
        for bins in [1, 3, 7, 20, 1000] {
            let found = histogram(&norms, bins).unwrap();
            let rows: u64 = found.histogram.iter().map(|bin| bin.rows).sum();
            assert_eq!((found.histogram.len(), rows), (usize::from(bins), 101));
            for bin in &found.histogram {
                let last = bin.to == 10.0;
                let expected = norms.iter().filter(|norm| {
                    **norm >= bin.from && (**norm < bin.to || last && **norm == bin.to)
                });
                assert_eq!(bin.rows, expected.count() as u64);
            }
            assert!((found.mean - 5.0).abs() < 1e-12);
        }
        let same = histogram(&[2.0, 2.0], 20).unwrap();
        assert_eq!((same.histogram.len(), same.histogram[0].rows), (1, 2));
        assert_eq!(histogram(&[f64::NAN], 20), None);
    }

    #[test]
    fn consecutive_ids_become_a_range() {
        assert_eq!(ranges([1, 2, 3, 7, 9, 10]), [(1, 3), (7, 7), (9, 10)]);
        assert_eq!(ranges([]), []);
    }
}
