//! The distribution of token counts: minimum, maximum, mean, and percentiles.

use std::collections::BTreeMap;

use crate::record::Summary;

/// A histogram of token counts.
#[derive(Debug, Default)]
pub struct Distribution {
    texts_by_tokens: BTreeMap<usize, usize>,
}

impl Distribution {
    /// Adds a text.
    pub fn add(&mut self, tokens: usize) {
        *self.texts_by_tokens.entry(tokens).or_default() += 1;
    }

    /// Returns nearest-rank percentiles, or `None` if nothing was counted.
    pub fn summary(&self, context_window: Option<u64>) -> Option<Summary> {
        let all = &self.texts_by_tokens;
        let (min, max) = (*all.first_key_value()?.0, *all.last_key_value()?.0);
        let texts: usize = all.values().sum();
        let tokens: usize = all.iter().map(|(tokens, texts)| tokens * texts).sum();
        let percentile = |percent: usize| {
            let rank = (texts * percent).div_ceil(100);
            let mut seen = 0;
            let reaches = |(_, texts): &(&usize, &usize)| {
                seen += **texts;
                seen >= rank
            };
            all.iter().find(reaches).map_or(max, |(tokens, _)| *tokens)
        };
        let over = |window: u64| {
            let longer = all.iter().filter(|(tokens, _)| **tokens as u64 > window);
            longer.map(|(_, texts)| texts).sum()
        };
        Some(Summary {
            files: texts,
            tokens,
            min,
            p50: percentile(50),
            p90: percentile(90),
            p99: percentile(99),
            max,
            mean: (tokens as f64 * 10.0 / texts as f64).round() / 10.0,
            context_window,
            over_context_window: context_window.map(over),
            ..Summary::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut distribution = Distribution::default();
        assert_eq!(distribution.summary(None), None);
        for tokens in 1..=200 {
            distribution.add(tokens);
        }
        let summary = distribution.summary(Some(150)).unwrap();
        let percentiles = [summary.p50, summary.p90, summary.p99];
        assert_eq!(percentiles, [100, 180, 198]);
        assert_eq!((summary.min, summary.max, summary.mean), (1, 200, 100.5));
        assert_eq!(summary.over_context_window, Some(50));
        let mut one = Distribution::default();
        one.add(7);
        let one = one.summary(None).unwrap();
        assert_eq!([one.min, one.p50, one.p99, one.max], [7; 4]);
    }
}
