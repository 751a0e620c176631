//! Expected output: `[..]` stands for anything within a line, a line `...` for any number of lines.

/// The line that stands for any number of lines.
pub const ANY_LINES: &str = "...";

/// The part that stands for anything within a line.
const ANYTHING: &str = "[..]";

/// Returns true if `pattern` describes `line`.
pub fn line_matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split(ANYTHING);
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, inner)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in inner {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Returns true if `patterns` describe `lines`.
pub fn matches(patterns: &[String], lines: &[&str]) -> bool {
    match patterns.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first == ANY_LINES => {
            (0..=lines.len()).any(|skipped| matches(rest, &lines[skipped..]))
        }
        Some((first, rest)) => lines
            .split_first()
            .is_some_and(|(line, lines)| line_matches(first, line) && matches(rest, lines)),
    }
}

#[test]
fn a_pattern_matches_what_it_describes_and_nothing_else() {
    for (pattern, line) in [("a[..]c[..]", "abcd"), ("[..]", ""), ("a", "a")] {
        assert!(line_matches(pattern, line), "{pattern} {line}");
    }
    for (pattern, line) in [("a[..]c", "abcd"), ("a", "ab"), ("a[..]a", "a")] {
        assert!(!line_matches(pattern, line), "{pattern} {line}");
    }
}

#[test]
fn dots_stand_for_any_number_of_lines() {
    let matches = |patterns: &[&str], lines: &[&str]| {
        let patterns: Vec<String> = patterns.iter().map(|&line| line.to_owned()).collect();
        matches(&patterns, lines)
    };
    assert!(matches(&["...", "b", "..."], &["a", "b"]));
    assert!(matches(&["..."], &[]));
    assert!(!matches(&["...", "b"], &["b", "c"]));
    assert!(!matches(&["a"], &["a", "b"]));
    assert!(!matches(&["a", "b"], &["a"]));
}
