//! What a count may come to: for everything, for each file, and for the files that a glob matches.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use ignore::overrides::Override;

use crate::record::{Count, Group};

/// A number of tokens, as people write it: `8000`, `8k`, `1.5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(pub u64);

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (digits, factor) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 1_000),
            None => match text.strip_suffix(['m', 'M']) {
                Some(digits) => (digits, 1_000_000),
                None => (text, 1),
            },
        };
        let digits = digits.replace('_', "");
        let tokens = match digits.parse::<u64>() {
            Ok(number) => number.checked_mul(factor),
            // "1.5k" is exact in thousandths; "1.5" alone is no number of tokens.
            Err(_)
                if factor > 1
                    && digits
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte == b'.') =>
            {
                let tokens = digits.parse::<f64>().ok();
                let tokens = tokens.map(|number| (number * factor as f64).round());
                // Beyond that a float64 is no exact number any more.
                tokens
                    .filter(|tokens| *tokens < 9e15)
                    .map(|tokens| tokens as u64)
            }
            Err(_) => None,
        };
        tokens
            .map(Self)
            .ok_or_else(|| "a number of tokens is written like 8000, 8k or 1.5m".to_owned())
    }
}

/// All budgets of a count.
#[derive(Debug, Default)]
pub struct Budgets {
    pub total: Option<u64>,
    pub per_file: Option<u64>,
    /// Of the configuration file; the last whose glob matches says what a file may have.
    pub rules: Vec<Rule>,
    /// Where globs of rules are seen from.
    pub base: PathBuf,
}

/// The budgets of files that a glob matches.
#[derive(Debug)]
pub struct Rule {
    pub matcher: Override,
    pub per_file: Option<u64>,
    /// What these files have together, and may have.
    pub sum: Group,
}

impl Budgets {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.total.is_none() && self.per_file.is_none() && self.rules.is_empty()
    }

    /// Writes into a count what it may have, and adds it to the sums of globs. How much it is over, if it is.
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
        let budget = budget?;
        let tokens = count.tokens as u64;
        let over = (tokens > budget).then(|| tokens - budget);
        count.budget = Some(budget);
        count.within_budget = Some(over.is_none());
        over
    }

    /// What the globs came to that have a budget for all their files.
    pub fn sums(&self) -> impl Iterator<Item = Group> {
        self.rules.iter().filter_map(|rule| {
            let mut sum = rule.sum.clone();
            sum.within_budget = Some(sum.tokens as u64 <= sum.budget?);
            Some(sum)
        })
    }
}

/// A path as seen from a folder that it is in, by the names alone: links are not looked at.
pub fn below(folder: &Path, path: &Path) -> Option<PathBuf> {
    let plain = |path: &Path| {
        let mut plain = PathBuf::new();
        for part in std::path::absolute(path).ok()?.components() {
            match part {
                std::path::Component::ParentDir => {
                    plain.pop();
                }
                part => plain.push(part),
            }
        }
        Some(plain)
    };
    Some(plain(path)?.strip_prefix(plain(folder)?).ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read_as_people_write_them() {
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
    fn a_budget_is_kept_up_to_its_last_token() {
        let mut budgets = Budgets {
            per_file: Some(8),
            ..Budgets::default()
        };
        for (tokens, over) in [(7, None), (8, None), (9, Some(1)), (20, Some(12))] {
            let mut count = Count {
                tokens,
                ..Count::default()
            };
            assert_eq!(budgets.apply(&mut count), over);
            assert_eq!(count.within_budget, Some(over.is_none()));
        }
    }

    #[test]
    fn a_path_is_seen_from_the_folder_it_is_in() {
        let seen = |folder: &str, path: &str| {
            below(Path::new(folder), Path::new(path)).map(|path| path.display().to_string())
        };
        assert_eq!(seen("/a", "/a/b/../c.txt"), Some("c.txt".to_owned()));
        assert_eq!(seen("x/../y", "./y/z.txt"), Some("z.txt".to_owned()));
        assert_eq!(seen("/a", "/ab/c.txt"), None);
    }
}
