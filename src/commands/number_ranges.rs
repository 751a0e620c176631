//! The values of `--id` and `--at`: numbers and inclusive ranges, such as `1`, `1,2`, `5-9`, or `[1, 2]`.

use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Ids, in the order given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids(Vec<RangeInclusive<u64>>);

impl Ids {
    /// Returns their number.
    pub fn count(&self) -> usize {
        let length = |range: &RangeInclusive<u64>| (range.end() - range.start()).saturating_add(1);
        let lengths = self.0.iter().map(length);
        usize::try_from(lengths.fold(0, u64::saturating_add)).unwrap_or(usize::MAX)
    }

    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.iter().cloned().flatten()
    }
}

impl FromStr for Ids {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let range = |item: &str| {
            let (first, last) = item.split_once('-').unwrap_or((item, item));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last).then_some(first..=last)
        };
        parse_list(given, range).map(Self).ok_or_else(|| {
            "expected a whole number, 0 or greater, or several, such as 1,2 or 5-9".to_owned()
        })
    }
}

/// Positions in a text: from 0, or from its end, where -1 is the last token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions(Vec<PositionRange>);

/// An inclusive range of positions. Its length depends on the text if only one end is counted from the end of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct PositionRange {
    first: i64,
    last: i64,
}

impl PositionRange {
    /// Parses `3`, `-1`, `1-7`, `1--2`, or `-3--1`. Returns `None` for anything else.
    fn parse(item: &str) -> Option<Self> {
        let digits = item.strip_prefix('-').unwrap_or(item);
        let sign = item.len() - digits.len();
        let (first, last) = match digits.find('-') {
            Some(dash) => (item.get(..sign + dash)?, digits.get(dash + 1..)?),
            None => (item, item),
        };
        let range = Self {
            first: first.parse().ok()?,
            last: last.parse().ok()?,
        };
        (range.length() != Some(0)).then_some(range)
    }

    /// Returns the number of positions. Returns `None` if it depends on the text.
    fn length(self) -> Option<usize> {
        let is_known = (self.first < 0) == (self.last < 0);
        let length = self.last.saturating_sub(self.first).saturating_add(1);
        is_known.then_some(usize::try_from(length).unwrap_or(0))
    }

    /// Returns the positions in a text of `count` tokens.
    fn of(self, count: usize) -> Result<RangeInclusive<usize>> {
        let (first, last) = (absolute(self.first, count)?, absolute(self.last, count)?);
        if first > last {
            return Err(Error::usage(format!(
                "{}-{} selects no token of the text, which has tokens 0 to {}",
                self.first,
                self.last,
                count.saturating_sub(1)
            )));
        }
        Ok(first..=last)
    }
}

/// Returns a position counted from 0.
fn absolute(position: i64, count: usize) -> Result<usize> {
    let from_start = if position < 0 {
        position.saturating_add_unsigned(count as u64)
    } else {
        position
    };
    let absolute = usize::try_from(from_start).ok();
    let outside = || Error::NoSuchPosition {
        position,
        last: count.saturating_sub(1),
    };
    absolute
        .filter(|&position| position < count)
        .ok_or_else(outside)
}

impl Positions {
    /// Returns the number of positions. Returns `None` if it depends on the text.
    pub fn length(&self) -> Option<usize> {
        let mut sum = 0_usize;
        for range in &self.0 {
            sum = sum.saturating_add(range.length()?);
        }
        Some(sum)
    }

    /// Returns the positions in a text of `count` tokens, counted from 0.
    ///
    /// # Errors
    /// Fails with [`Error::NoSuchPosition`] if the text has fewer tokens, or with [`Error::Usage`] if a range is empty.
    pub fn of(&self, count: usize) -> Result<Vec<usize>> {
        let mut positions = Vec::new();
        for range in &self.0 {
            positions.extend(range.of(count)?);
        }
        Ok(positions)
    }
}

impl FromStr for Positions {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        parse_list(given, PositionRange::parse).map(Self).ok_or_else(|| {
            "expected a position from 0, or from the end such as -1, or several, such as 1,3 or 1-7"
                .to_owned()
        })
    }
}

/// Parses items separated by commas or white space, also in brackets. Returns `None` if there are none, or if one of them
/// is wrong.
fn parse_list<T>(given: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let given = given.trim();
    let in_brackets = given
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let items = in_brackets.unwrap_or(given);
    let items = items.split(|c: char| c == ',' || c.is_whitespace());
    let items = items.filter(|item| !item.is_empty());
    let items: Vec<T> = items.map(parse).collect::<Option<_>>()?;
    (!items.is_empty()).then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(given: &str) -> Option<Vec<u64>> {
        given.parse().ok().map(|ids: Ids| ids.iter().collect())
    }

    #[test]
    fn ids_are_numbers_lists_and_ranges() {
        assert_eq!(ids("7"), Some(vec![7]));
        for list in ["7,1", "7, 1", "7 1", "[7, 1]", " 7,1, "] {
            assert_eq!(ids(list), Some(vec![7, 1]), "{list}");
        }
        assert_eq!(ids("5-8,1"), Some(vec![5, 6, 7, 8, 1]));
        for wrong in [
            "", ",", "x", "-1", "9-5", "1-", "1-2-3", "1.5", "+-1", "[1", "²",
        ] {
            assert_eq!(ids(wrong), None, "{wrong}");
        }
        let all: Ids = "0-18446744073709551615".parse().unwrap();
        assert_eq!((all.count(), all.iter().nth(3)), (usize::MAX, Some(3)));
    }

    #[test]
    fn positions_count_from_both_ends() {
        let of_five = |given: &str| {
            let positions: Positions = given.parse().unwrap();
            positions.of(5).map_err(|error| error.to_string())
        };
        assert_eq!(of_five("-1"), Ok(vec![4]));
        assert_eq!(of_five("1-3"), Ok(vec![1, 2, 3]));
        assert_eq!(of_five("1--2,0"), Ok(vec![1, 2, 3, 0]));
        assert_eq!(of_five("-2--1"), Ok(vec![3, 4]));
        assert_eq!(of_five("-5"), Ok(vec![0]));
        for outside in ["5", "-6", "3-5", "0-99999999999"] {
            assert!(
                of_five(outside)
                    .unwrap_err()
                    .contains(" is outside the text")
            );
        }
        assert_eq!(
            of_five("3--4").unwrap_err(),
            "3--4 selects no token of the text, which has tokens 0 to 4"
        );
        for wrong in [
            "",
            "-",
            "--1",
            "3-1",
            "-1--3",
            "1-",
            "x",
            "1--",
            "9223372036854775808",
        ] {
            assert!(wrong.parse::<Positions>().is_err(), "{wrong}");
        }
        let length = |given: &str| given.parse::<Positions>().unwrap().length();
        assert_eq!(length("1-3,-1,-3--2"), Some(6));
        assert_eq!(length("1--1"), None);
        assert_eq!(
            of_five("-9223372036854775808")
                .unwrap_err()
                .split(' ')
                .nth(1),
            Some("-9223372036854775808")
        );
    }
}
