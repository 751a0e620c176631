//! Plans requests for ranges: omits cached parts, joins nearby ranges, and splits long ones.

use std::ops::Range;

/// Ranges with at most this many bytes between them are fetched as one, because a request costs more than the extra
/// bytes.
const JOINED_GAP: u64 = 32 << 10;
/// If there are more ranges than this, they are joined across wider gaps.
const MAX_RANGES: usize = 128;
/// The maximum number of bytes that such wider gaps may add.
const MAX_EXTRA_BYTES: u64 = 16 << 20;

/// Returns the parts of `range` that `parts` does not cover. `parts` must be in order and lie within `range`.
pub(crate) fn subtract(range: &Range<u64>, parts: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut missing = Vec::new();
    let mut next = range.start;
    for part in parts.iter().chain([&(range.end..range.end)]) {
        if next < part.start {
            missing.push(next..part.start);
        }
        next = next.max(part.end);
    }
    missing
}

/// Returns the ranges to request for `ranges`, with nearby ones joined.
pub(crate) fn plan(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut gap = JOINED_GAP;
    let mut planned = join(ranges, gap);
    let most = total_length(&planned).saturating_add(MAX_EXTRA_BYTES);
    while planned.len() > MAX_RANGES {
        gap = gap.saturating_mul(2);
        let wider = join(planned.clone(), gap);
        if total_length(&wider) > most {
            break;
        }
        planned = wider;
    }
    planned
}

/// Returns the total length of disjoint ranges in bytes.
pub(crate) fn total_length(ranges: &[Range<u64>]) -> u64 {
    let lengths = ranges.iter().map(|range| range.end - range.start);
    lengths.fold(0, u64::saturating_add)
}

/// Sorts ranges and joins those with at most `gap` bytes between them.
pub(crate) fn join(mut ranges: Vec<Range<u64>>, gap: u64) -> Vec<Range<u64>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(gap) => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// Splits a range into ranges of at most `length` bytes.
pub(crate) fn split(range: Range<u64>, length: u64) -> impl Iterator<Item = Range<u64>> {
    let end = range.end;
    let starts = std::iter::successors(Some(range.start), move |start| start.checked_add(length));
    starts
        .take_while(move |start| *start < end)
        .map(move |start| start..start.saturating_add(length).min(end))
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "a list of one range is meant"
)]
mod tests {
    use super::*;

    #[test]
    fn near_ranges_become_one() {
        let ranges = vec![50..60, 0..10, 10..12, 20..30, 22..25];
        assert_eq!(join(ranges.clone(), 0), [0..12, 20..30, 50..60]);
        assert_eq!(join(ranges.clone(), 8), [0..30, 50..60]);
        assert_eq!(join(ranges, u64::MAX), [0..60]);
        assert_eq!(join(Vec::new(), 5), []);
    }

    #[test]
    fn many_ranges_are_joined_if_the_gaps_are_small() {
        let rows = |count: u64, apart: u64| (0..count).map(move |n| n * apart..n * apart + 768);
        let few = plan(rows(100, 700_000).collect());
        assert_eq!(few.len(), 100);
        // Rows of a large matrix are requested one by one, and rows of a small matrix together.
        assert_eq!(plan(rows(1000, 98_000).collect()).len(), 1000);
        let joined = plan(rows(300, 50_000).collect());
        assert!(joined.len() <= MAX_RANGES, "{}", joined.len());
        assert!(total_length(&joined) <= 300 * 768 + MAX_EXTRA_BYTES);
        assert_eq!(plan(Vec::new()), []);
        assert_eq!(total_length(&[0..u64::MAX, 5..u64::MAX]), u64::MAX);
    }

    #[test]
    fn long_ranges_are_split() {
        let parts: Vec<_> = split(5..26, 10).collect();
        assert_eq!(parts, [5..15, 15..25, 25..26]);
        assert_eq!(split(7..7, 1).count(), 0);
        assert_eq!(split(u64::MAX - 1..u64::MAX, 5).count(), 1);
    }

    #[test]
    fn cached_parts_are_subtracted() {
        assert_eq!(subtract(&(0..10), &[]), [0..10]);
        assert_eq!(subtract(&(0..10), &[0..10]), []);
        assert_eq!(subtract(&(0..10), &[2..3, 3..5]), [0..2, 5..10]);
    }
}
