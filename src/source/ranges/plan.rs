//! Ranges that are wanted → requests: what is here already left out, near ones joined, long ones split.

use std::ops::Range;

/// Ranges with no more than this between them are fetched as one: a request costs more than these bytes.
const NEAR: u64 = 32 << 10;
/// More ranges than this are joined over wider gaps, as long as that does not cost more than these bytes.
const MANY_RANGES: usize = 128;
const WORTH: u64 = 16 << 20;
/// What `parts`, which lie within it in order, leave of a range.
pub(crate) fn without(range: &Range<u64>, parts: &[Range<u64>]) -> Vec<Range<u64>> {
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

/// The requests for some ranges: near ones as one.
pub(crate) fn plan(ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut gap = NEAR;
    let mut planned = join(ranges, gap);
    let most = length_of(&planned).saturating_add(WORTH);
    while planned.len() > MANY_RANGES {
        gap = gap.saturating_mul(2);
        let wider = join(planned.clone(), gap);
        if length_of(&wider) > most {
            break;
        }
        planned = wider;
    }
    planned
}

/// Bytes of ranges that lie apart.
pub(crate) fn length_of(ranges: &[Range<u64>]) -> u64 {
    let lengths = ranges.iter().map(|range| range.end - range.start);
    lengths.fold(0, u64::saturating_add)
}

/// Sorts ranges, and joins those with at most `gap` bytes between them.
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

/// A range in pieces of `length` bytes.
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
    fn many_ranges_are_joined_while_it_is_worth_it() {
        let rows = |count: u64, apart: u64| (0..count).map(move |n| n * apart..n * apart + 768);
        let few = plan(rows(100, 700_000).collect());
        assert_eq!(few.len(), 100);
        // 1000 rows of a large matrix are fetched one by one, and of a small one together.
        assert_eq!(plan(rows(1000, 98_000).collect()).len(), 1000);
        let joined = plan(rows(300, 50_000).collect());
        assert!(joined.len() <= MANY_RANGES, "{}", joined.len());
        assert!(length_of(&joined) <= 300 * 768 + WORTH);
        assert_eq!(plan(Vec::new()), []);
        assert_eq!(length_of(&[0..u64::MAX, 5..u64::MAX]), u64::MAX);
    }

    #[test]
    fn long_ranges_are_fetched_in_pieces() {
        let pieces: Vec<_> = split(5..26, 10).collect();
        assert_eq!(pieces, [5..15, 15..25, 25..26]);
        assert_eq!(split(7..7, 1).count(), 0);
        assert_eq!(split(u64::MAX - 1..u64::MAX, 5).count(), 1);
    }

    #[test]
    fn what_parts_leave_of_a_range() {
        assert_eq!(without(&(0..10), &[]), [0..10]);
        assert_eq!(without(&(0..10), &[0..10]), []);
        assert_eq!(without(&(0..10), &[2..3, 3..5]), [0..2, 5..10]);
    }
}
