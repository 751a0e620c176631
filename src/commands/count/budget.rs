//! Token budgets: for the total, for each file, and for the files that match a glob.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use ignore::overrides::Override;

use crate::commands::relative_path::below;
use crate::record::{Count, Group};

/// A number of tokens, written like `8000`, `8k`, or `1.5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(pub u64);

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, unit) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 1_000),
            None => match text.strip_suffix(['m', 'M']) {
                Some(digits) => (digits, 1_000_000),
                None => (text, 1),
            },
        };
        let digits = digits.replace('_', "");
        let tokens = match digits.parse::<u64>() {
            Ok(number) => number.checked_mul(unit),
            // A fraction needs a unit: "1.5k" is a number of tokens, "1.5" is not.
            Err(_) if unit > 1 => parse_fraction(&digits, unit),
            Err(_) => None,
        };
        tokens
            .map(Self)
            .ok_or_else(|| "expected a number of tokens such as 8000, 8k or 1.5m".to_owned())
    }
}

fn parse_fraction(digits: &str, unit: u64) -> Option<u64> {
    let mut bytes = digits.bytes();
    if !bytes.all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    let tokens = (digits.parse::<f64>().ok()? * unit as f64).round();
    // Integers above 2^53 are not exact in a float64.
    (tokens < 9e15).then_some(tokens as u64)
}

/// Every budget of a count.
#[derive(Debug, Default)]
pub struct Budgets {
    pub total: Option<u64>,
    pub per_file: Option<u64>,
    /// The rules of the configuration file. A file's own budget is that of the last matching rule that sets one.
    pub rules: Vec<Rule>,
    /// The directory that the globs of the rules are relative to.
    pub base: PathBuf,
}

/// The budgets for the files that a glob matches.
#[derive(Debug)]
pub struct Rule {
    pub matcher: Override,
    pub per_file: Option<u64>,
    /// The tokens of these files together, and the budget for them.
    pub sum: Group,
}

impl Budgets {
    /// Returns true if there are no budgets.
    pub fn is_empty(&self) -> bool {
        self.total.is_none() && self.per_file.is_none() && self.rules.is_empty()
    }

    /// Sets the budget of a count, and adds the count to the sums of the matching rules. Returns the number of tokens
    /// over the budget, or `None` if the count is within it. An empty text has nothing to count, and so no budget.
    pub fn apply(&mut self, count: &mut Count) -> Option<u64> {
        let mut budget = self.per_file;
        if let (Some(path), false) = (&count.path, self.rules.is_empty()) {
            let path = Path::new(path);
            let below = below(&self.base, path).unwrap_or_else(|| path.to_owned());
            for rule in &mut self.rules {
                if rule.matcher.matched(&below, false).is_whitelist() {
                    budget = rule.per_file.or(budget);
                    rule.sum.add(count);
                }
            }
        }
        let budget = budget.filter(|_| count.bytes > 0)?;
        let tokens = count.tokens as u64;
        let over = (tokens > budget).then(|| tokens - budget);
        count.budget = Some(budget);
        count.within_budget = Some(over.is_none());
        over
    }

    /// Returns the sums of the rules that have a budget for all their files together. A budget that was not checked is
    /// absent from its sum: no file matches, or no text at all was counted, as `has_text` tells.
    pub fn sums(&self, has_text: bool) -> impl Iterator<Item = Group> {
        self.rules.iter().filter_map(move |rule| {
            let budget = rule.sum.budget?;
            let mut sum = rule.sum.clone();
            let checked = Some(budget).filter(|_| has_text && sum.files > 0);
            sum.budget = checked;
            sum.within_budget = checked.map(|budget| sum.tokens as u64 <= budget);
            Some(sum)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_have_units_and_separators() {
        for (text, tokens) in [
            ("8000", 8_000),
            ("8k", 8_000),
            ("128K", 128_000),
            ("1.5m", 1_500_000),
            ("8_000", 8_000),
            ("0", 0),
        ] {
            assert_eq!(text.parse(), Ok(Budget(tokens)), "{text}");
        }
        for text in [
            "",
            "k",
            "-1",
            "8kb",
            "1.5",
            "1e3",
            "inf",
            "99999999999999999999",
            "99999999999999999999k",
            "18446744073709551615m",
        ] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_count_equal_to_its_budget_is_within_it() {
        let mut budgets = Budgets {
            per_file: Some(8),
            ..Budgets::default()
        };
        for (tokens, over) in [(7, None), (8, None), (9, Some(1)), (20, Some(12))] {
            let mut count = Count {
                tokens,
                bytes: 1,
                ..Count::default()
            };
            assert_eq!(budgets.apply(&mut count), over);
            assert_eq!(count.within_budget, Some(over.is_none()));
        }
    }
}
